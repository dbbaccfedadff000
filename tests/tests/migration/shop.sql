-- A rental shop of the kind that sample databases show: tables that refer to each other, two of them in a circle; views, routines, triggers, an event; types of all families. Every server
-- since MySQL 5.6 takes it.
CREATE DATABASE rental DEFAULT CHARACTER SET utf8mb4;
USE rental;
CREATE TABLE country (country_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT, country VARCHAR(50) NOT NULL, last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (country_id));
CREATE TABLE city (city_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT, city VARCHAR(50) NOT NULL, country_id SMALLINT UNSIGNED NOT NULL, last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
    PRIMARY KEY (city_id), KEY of_country (country_id), CONSTRAINT city_country FOREIGN KEY (country_id) REFERENCES country (country_id) ON DELETE RESTRICT ON UPDATE CASCADE);
CREATE TABLE address (address_id INT UNSIGNED NOT NULL AUTO_INCREMENT, address VARCHAR(50) NOT NULL, district VARCHAR(20) CHARACTER SET latin1 NOT NULL, city_id SMALLINT UNSIGNED NOT NULL, phone VARCHAR(20) NOT NULL, place POINT,
    PRIMARY KEY (address_id), KEY of_city (city_id), CONSTRAINT address_city FOREIGN KEY (city_id) REFERENCES city (city_id) ON UPDATE CASCADE);
CREATE TABLE film (film_id INT UNSIGNED NOT NULL AUTO_INCREMENT, title VARCHAR(100) NOT NULL, description TEXT, release_year YEAR DEFAULT NULL, rental_rate DECIMAL(4,2) NOT NULL DEFAULT '4.99', length SMALLINT UNSIGNED DEFAULT NULL,
    rating ENUM('G','PG','PG-13','R','NC-17') DEFAULT 'G', features SET('Trailers','Commentaries','Deleted Scenes') DEFAULT NULL, poster BLOB, score DOUBLE, PRIMARY KEY (film_id), KEY by_title (title), FULLTEXT KEY words (title, description)) COMMENT 'what is to be had';
CREATE TABLE actor (actor_id INT UNSIGNED NOT NULL AUTO_INCREMENT, first_name VARCHAR(45) NOT NULL, last_name VARCHAR(45) NOT NULL, PRIMARY KEY (actor_id), KEY by_name (last_name));
CREATE TABLE film_actor (actor_id INT UNSIGNED NOT NULL, film_id INT UNSIGNED NOT NULL, PRIMARY KEY (actor_id, film_id), KEY of_film (film_id),
    CONSTRAINT fa_actor FOREIGN KEY (actor_id) REFERENCES actor (actor_id) ON DELETE CASCADE ON UPDATE CASCADE, CONSTRAINT fa_film FOREIGN KEY (film_id) REFERENCES film (film_id) ON DELETE CASCADE ON UPDATE CASCADE);
-- The circle: a store has a manager, who works in a store.
CREATE TABLE store (store_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT, manager_id TINYINT UNSIGNED, address_id INT UNSIGNED NOT NULL, PRIMARY KEY (store_id), UNIQUE KEY one_manager (manager_id),
    CONSTRAINT store_address FOREIGN KEY (address_id) REFERENCES address (address_id) ON UPDATE CASCADE);
CREATE TABLE staff (staff_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT, name VARCHAR(45) NOT NULL, store_id TINYINT UNSIGNED NOT NULL, active BOOLEAN NOT NULL DEFAULT TRUE, secret VARBINARY(40), PRIMARY KEY (staff_id), KEY of_store (store_id),
    CONSTRAINT staff_store FOREIGN KEY (store_id) REFERENCES store (store_id) ON UPDATE CASCADE);
ALTER TABLE store ADD CONSTRAINT store_manager FOREIGN KEY (manager_id) REFERENCES staff (staff_id) ON UPDATE CASCADE;
CREATE TABLE customer (customer_id INT UNSIGNED NOT NULL AUTO_INCREMENT, store_id TINYINT UNSIGNED NOT NULL, name VARCHAR(45) NOT NULL, email VARCHAR(50) DEFAULT NULL, address_id INT UNSIGNED NOT NULL, since DATETIME NOT NULL, balance FLOAT NOT NULL DEFAULT 0,
    PRIMARY KEY (customer_id), UNIQUE KEY by_email (email), KEY of_store (store_id), KEY of_address (address_id),
    CONSTRAINT customer_store FOREIGN KEY (store_id) REFERENCES store (store_id) ON UPDATE CASCADE, CONSTRAINT customer_address FOREIGN KEY (address_id) REFERENCES address (address_id) ON UPDATE CASCADE);
CREATE TABLE inventory (inventory_id INT UNSIGNED NOT NULL AUTO_INCREMENT, film_id INT UNSIGNED NOT NULL, store_id TINYINT UNSIGNED NOT NULL, flags BIT(10) NOT NULL DEFAULT 0, PRIMARY KEY (inventory_id), KEY of_film (film_id), KEY at_store (store_id, film_id),
    CONSTRAINT inventory_store FOREIGN KEY (store_id) REFERENCES store (store_id) ON UPDATE CASCADE, CONSTRAINT inventory_film FOREIGN KEY (film_id) REFERENCES film (film_id) ON UPDATE CASCADE);
CREATE TABLE rental (rental_id BIGINT NOT NULL AUTO_INCREMENT, rented DATETIME(3) NOT NULL, inventory_id INT UNSIGNED NOT NULL, customer_id INT UNSIGNED NOT NULL, returned DATETIME(3) DEFAULT NULL, staff_id TINYINT UNSIGNED NOT NULL,
    PRIMARY KEY (rental_id), UNIQUE KEY once (rented, inventory_id, customer_id), KEY of_inventory (inventory_id), KEY of_customer (customer_id),
    CONSTRAINT rental_inventory FOREIGN KEY (inventory_id) REFERENCES inventory (inventory_id) ON UPDATE CASCADE, CONSTRAINT rental_customer FOREIGN KEY (customer_id) REFERENCES customer (customer_id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE payment (payment_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, customer_id INT UNSIGNED NOT NULL, rental_id BIGINT DEFAULT NULL, amount DECIMAL(9,2) NOT NULL, paid TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), took TIME(2),
    PRIMARY KEY (payment_id), KEY of_customer (customer_id), KEY of_rental (rental_id),
    CONSTRAINT payment_rental FOREIGN KEY (rental_id) REFERENCES rental (rental_id) ON DELETE SET NULL ON UPDATE CASCADE, CONSTRAINT payment_customer FOREIGN KEY (customer_id) REFERENCES customer (customer_id) ON DELETE CASCADE ON UPDATE CASCADE);
-- Places that change hands all the time: each number and each label is somebody's, and they are swapped.
CREATE TABLE seat (seat_id INT NOT NULL AUTO_INCREMENT, number INT NOT NULL, label VARCHAR(20) COLLATE utf8mb4_bin NOT NULL, held_by INT, PRIMARY KEY (seat_id), UNIQUE KEY by_number (number), UNIQUE KEY by_label (label));
-- A log by day.
CREATE TABLE visit (day DATE NOT NULL, visit_id INT NOT NULL, customer_id INT UNSIGNED NOT NULL, note VARCHAR(40), PRIMARY KEY (day, visit_id)) PARTITION BY RANGE (TO_DAYS(day)) (PARTITION p1 VALUES LESS THAN (TO_DAYS('2026-01-01')), PARTITION p2 VALUES LESS THAN MAXVALUE);
CREATE TABLE audit (audit_id BIGINT NOT NULL AUTO_INCREMENT, what VARCHAR(40) NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (audit_id));

CREATE VIEW customer_list AS SELECT c.customer_id, c.name, a.phone, ci.city FROM customer c JOIN address a ON c.address_id = a.address_id JOIN city ci ON a.city_id = ci.city_id;
CREATE VIEW best_customers AS SELECT l.customer_id, l.name, SUM(p.amount) AS total FROM customer_list l JOIN payment p ON p.customer_id = l.customer_id GROUP BY l.customer_id, l.name;
DELIMITER //
CREATE FUNCTION balance_of(which INT UNSIGNED) RETURNS DECIMAL(9,2) READS SQL DATA
BEGIN
    DECLARE total DECIMAL(9,2);
    SELECT COALESCE(SUM(amount), 0) INTO total FROM payment WHERE customer_id = which;
    RETURN total;
END//
CREATE PROCEDURE films_with(IN word VARCHAR(20)) READS SQL DATA
BEGIN
    SELECT film_id, title FROM film WHERE title LIKE CONCAT('%', word, '%');
END//
CREATE TRIGGER customer_since BEFORE INSERT ON customer FOR EACH ROW SET NEW.since = COALESCE(NEW.since, NOW())//
CREATE TRIGGER customer_in AFTER INSERT ON customer FOR EACH ROW INSERT INTO audit (what, id) VALUES ('customer in', NEW.customer_id)//
CREATE TRIGGER customer_out AFTER DELETE ON customer FOR EACH ROW INSERT INTO audit (what, id) VALUES ('customer out', OLD.customer_id)//
CREATE EVENT forget ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DO DELETE FROM audit WHERE audit_id < 0//
DELIMITER ;

CREATE TABLE digit (d INT PRIMARY KEY);
INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE thousand (n INT PRIMARY KEY);
INSERT INTO thousand SELECT a.d + b.d * 10 + c.d * 100 + 1 FROM digit a, digit b, digit c;
INSERT INTO country (country) SELECT CONCAT('country ', n) FROM thousand WHERE n <= 100;
INSERT INTO city (city, country_id) SELECT CONCAT('city ', n), n % 100 + 1 FROM thousand WHERE n <= 600;
INSERT INTO address (address, district, city_id, phone, place) SELECT CONCAT(n, ' street'), 'd\'été', n % 600 + 1, n, POINT(n, -n) FROM thousand;
INSERT INTO film (title, description, release_year, rental_rate, length, rating, features, poster, score)
    SELECT CONCAT('film ', n), REPEAT(CONCAT('word', n, ' '), 20), 1950 + n % 70, n % 7 + 0.99, n % 200, n % 5 + 1, n % 8, UNHEX(SHA2(n, 512)), n / 7 FROM thousand;
INSERT INTO actor (first_name, last_name) SELECT CONCAT('first ', n), CONCAT('last ', n % 90) FROM thousand WHERE n <= 200;
INSERT INTO film_actor SELECT a.n, f.n FROM thousand a JOIN thousand f ON (a.n * 7 + f.n) % 40 = 0 WHERE a.n <= 200;
INSERT INTO store (manager_id, address_id) VALUES (NULL, 1), (NULL, 2);
INSERT INTO staff (name, store_id, secret) VALUES ('Ada', 1, UNHEX('00FF')), ('Bob', 2, NULL);
UPDATE store SET manager_id = store_id;
INSERT INTO customer (store_id, name, email, address_id, since, balance) SELECT n % 2 + 1, CONCAT('customer ', n), CONCAT('c', n, '@example.com'), n, '2020-02-29 12:00:00', n / 3 FROM thousand WHERE n <= 600;
INSERT INTO inventory (film_id, store_id, flags) SELECT a.n, b.d % 2 + 1, a.n % 1024 FROM thousand a, digit b WHERE b.d < 5;
INSERT INTO rental (rented, inventory_id, customer_id, returned, staff_id) SELECT '2026-01-01' + INTERVAL i.inventory_id * 61 + d.d * 977 SECOND, i.inventory_id, (i.inventory_id * 7 + d.d) % 600 + 1, IF(d.d < 3, '2026-02-01', NULL), d.d % 2 + 1 FROM inventory i, digit d WHERE d.d < 4;
INSERT INTO payment (customer_id, rental_id, amount, paid, took) SELECT customer_id, rental_id, rental_id % 10 + 0.99, rented, '00:01:02.03' FROM rental;
INSERT INTO seat (number, label, held_by) SELECT n, CONCAT('seat ', n), n FROM thousand;
INSERT INTO visit SELECT '2025-12-20' + INTERVAL n % 30 DAY, n, n % 600 + 1, NULL FROM thousand;
DROP TABLE digit;
