-- A small business with all that a schema can hold: 17 tables with foreign keys in a circle, views on views, routines, triggers, events.
SET NAMES utf8mb4;
CREATE DATABASE cinema CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_as_cs;
USE cinema;
SET SESSION foreign_key_checks = 0;
SET SESSION sql_generate_invisible_primary_key = 0;

CREATE TABLE country (
  country_id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(50) NOT NULL,
  iso CHAR(2) CHARACTER SET ascii NOT NULL,
  CONSTRAINT iso_has_two CHECK (CHAR_LENGTH(iso) = 2),
  UNIQUE KEY (iso)
) AUTO_INCREMENT = 250 COMMENT 'it''s "where" \\ `things` are; größer -- /* no comment */';
CREATE TABLE city (
  city_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  name VARCHAR(50) NOT NULL,
  country_id SMALLINT UNSIGNED NOT NULL,
  place POINT NOT NULL SRID 4326,
  PRIMARY KEY (city_id), KEY by_name (name), SPATIAL KEY by_place (place),
  CONSTRAINT city_country FOREIGN KEY (country_id) REFERENCES country (country_id) ON DELETE RESTRICT ON UPDATE CASCADE
);
CREATE TABLE address (
  address_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  street VARCHAR(80), street2 VARCHAR(80) DEFAULT NULL INVISIBLE,
  city_id INT UNSIGNED NOT NULL, changed TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  FOREIGN KEY (city_id) REFERENCES city (city_id)
);
CREATE TABLE staff (
  staff_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(45) NOT NULL, picture MEDIUMBLOB, store_id TINYINT UNSIGNED NOT NULL,
  password VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL,
  active BOOLEAN NOT NULL DEFAULT TRUE, rights SET('sell', 'buy', 'it''s', 'ä;ö') DEFAULT 'sell,buy',
  CONSTRAINT staff_store FOREIGN KEY (store_id) REFERENCES store (store_id)
);
CREATE TABLE store (
  store_id TINYINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  manager TINYINT UNSIGNED NOT NULL, address_id INT UNSIGNED NOT NULL,
  UNIQUE KEY (manager),
  CONSTRAINT store_manager FOREIGN KEY (manager) REFERENCES staff (staff_id) ON UPDATE CASCADE,
  CONSTRAINT store_address FOREIGN KEY (address_id) REFERENCES address (address_id)
);
CREATE TABLE language (
  language_id TINYINT UNSIGNED NOT NULL PRIMARY KEY, name CHAR(20) CHARACTER SET latin1 NOT NULL DEFAULT 'español',
  names JSON DEFAULT (JSON_OBJECT('de', 'ä', 'x', 1.5)), code BINARY(3) DEFAULT 0xE40041
);
CREATE TABLE film (
  film_id INT UNSIGNED NOT NULL AUTO_INCREMENT,
  title VARCHAR(128) NOT NULL, title_key VARCHAR(128) GENERATED ALWAYS AS (LOWER(title)) STORED NOT NULL,
  description TEXT, release_year YEAR, language_id TINYINT UNSIGNED NOT NULL, original TINYINT UNSIGNED,
  rate DECIMAL(4,2) NOT NULL DEFAULT 4.99, minutes SMALLINT UNSIGNED DEFAULT NULL, ratio FLOAT DEFAULT 1.25, exact FLOAT DEFAULT 1.2345678,
  hours DOUBLE GENERATED ALWAYS AS (minutes / 60) VIRTUAL INVISIBLE,
  rating ENUM('G','PG','中','it''s') DEFAULT 'G', flags BIT(5) DEFAULT b'10101',
  until DATE DEFAULT (CURRENT_DATE + INTERVAL 1 YEAR), token BINARY(16) DEFAULT (UUID_TO_BIN(UUID())),
  seen DATETIME(6) DEFAULT '2001-02-03 04:05:06.000700', stamp TIMESTAMP NULL DEFAULT '2001-02-03 04:05:06',
  PRIMARY KEY (film_id), UNIQUE KEY by_key (title_key, release_year),
  KEY by_title (title(10) DESC, film_id) COMMENT 'first, ten )', KEY by_rate ((rate * 2), minutes) INVISIBLE, KEY by_language (language_id),
  KEY by_original (original), KEY by_minutes (minutes) USING BTREE,
  FULLTEXT KEY words (title, description), FULLTEXT KEY grams (description) WITH PARSER ngram,
  CONSTRAINT film_language FOREIGN KEY (language_id) REFERENCES language (language_id),
  CONSTRAINT film_original FOREIGN KEY (original) REFERENCES language (language_id) ON DELETE SET NULL,
  CONSTRAINT `rate is ``sane``` CHECK (rate BETWEEN 0 AND 99) NOT ENFORCED, CHECK (minutes <> 0)
) ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8 STATS_PERSISTENT = 1 STATS_SAMPLE_PAGES = 25;
CREATE TABLE actor (actor_id INT NOT NULL PRIMARY KEY, name VARCHAR(45) COLLATE utf8mb4_de_pb_0900_as_cs, KEY (name));
CREATE TABLE film_actor (
  actor_id INT NOT NULL, film_id INT UNSIGNED NOT NULL, PRIMARY KEY (actor_id, film_id), KEY by_film (film_id),
  FOREIGN KEY (actor_id) REFERENCES actor (actor_id) ON DELETE CASCADE, FOREIGN KEY (film_id) REFERENCES film (film_id) ON DELETE CASCADE
);
CREATE TABLE category (category_id TINYINT PRIMARY KEY, parent TINYINT, name VARCHAR(25), FOREIGN KEY (parent) REFERENCES category (category_id));
CREATE TABLE film_category (film_id INT UNSIGNED, category_id TINYINT, PRIMARY KEY (film_id, category_id), FOREIGN KEY (category_id) REFERENCES category (category_id));
CREATE TABLE inventory (inventory_id MEDIUMINT UNSIGNED NOT NULL AUTO_INCREMENT, film_id INT UNSIGNED NOT NULL, store_id TINYINT UNSIGNED NOT NULL,
  tags JSON, KEY by_film (film_id), KEY by_tag ((CAST(tags->'$.t' AS UNSIGNED ARRAY))), KEY by_id (inventory_id), KEY by_store (store_id, film_id),
  FOREIGN KEY (film_id) REFERENCES film (film_id), FOREIGN KEY (store_id) REFERENCES store (store_id)) AUTO_INCREMENT = 4000000;
CREATE TABLE customer (customer_id INT PRIMARY KEY, store_id TINYINT UNSIGNED, email VARCHAR(50), born DATE, KEY by_email (email), FOREIGN KEY (store_id) REFERENCES store (store_id));
CREATE TABLE rental (rental_id BIGINT NOT NULL, rented DATETIME NOT NULL, customer_id INT NOT NULL, note VARCHAR(9) CHARACTER SET gbk COLLATE gbk_bin DEFAULT '誠',
  PRIMARY KEY (rental_id, rented), KEY by_customer (customer_id))
  PARTITION BY RANGE (YEAR(rented)) SUBPARTITION BY HASH (TO_DAYS(rented)) SUBPARTITIONS 2
  (PARTITION `old, (older)` VALUES LESS THAN (2000) COMMENT = 'it''s, gone', PARTITION p1 VALUES LESS THAN (2020) MAX_ROWS = 1000, PARTITION p2 VALUES LESS THAN MAXVALUE);
CREATE TABLE payment (payment_id INT NOT NULL, kind VARCHAR(10) NOT NULL, amount DECIMAL(5,2), PRIMARY KEY (payment_id, kind))
  PARTITION BY LIST COLUMNS (kind) (PARTITION a VALUES IN ('cash', 'it''s', 'ä'), PARTITION b VALUES IN ('card'));
CREATE TABLE log (at DATETIME DEFAULT CURRENT_TIMESTAMP, what VARCHAR(200));
SET SESSION sql_generate_invisible_primary_key = 1;
CREATE TABLE numbered_by_the_server (what VARCHAR(20), KEY (what));
SET SESSION sql_generate_invisible_primary_key = 0;

CREATE FUNCTION price(rate DECIMAL(4,2), days INT) RETURNS DECIMAL(6,2) DETERMINISTIC NO SQL COMMENT 'größe' RETURN rate * days;
CREATE FUNCTION films() RETURNS INT READS SQL DATA RETURN (SELECT COUNT(*) FROM a_list);
CREATE VIEW z_base AS SELECT film_id, title, price(rate, 3) AS three FROM film WHERE title <> 'it''s \\ "x" ä';
CREATE VIEW y_middle AS SELECT b.film_id, b.three, l.name FROM z_base b JOIN film f USING (film_id) LEFT JOIN language l ON l.language_id = f.language_id;
CREATE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW x_checked (a, b) AS SELECT film_id, title FROM z_base WHERE three > 1 WITH CASCADED CHECK OPTION;
CREATE ALGORITHM = TEMPTABLE VIEW a_list AS SELECT * FROM y_middle UNION SELECT 0, 0, 'none' UNION ALL SELECT films.film_id, 1, title FROM (SELECT film_id, title FROM film) films;
CREATE VIEW b_counted AS WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT c.n, RANK() OVER (ORDER BY a.film_id) AS r, films() AS all_films FROM c, a_list a;
DELIMITER //
CREATE PROCEDURE sell(IN customer INT, OUT total DECIMAL(9,2), INOUT `odd ``name` VARCHAR(20) CHARACTER SET latin1) SQL SECURITY INVOKER MODIFIES SQL DATA
COMMENT 'it''s -- "sold"'
BEGIN
  DECLARE done INT DEFAULT 0; -- a comment; with 'quotes"
  DECLARE c CURSOR FOR SELECT amount FROM payment;
  DECLARE CONTINUE HANDLER FOR NOT FOUND SET done = 1;
  /* another */ SET total = 0, `odd ``name` = 'ä';
  OPEN c; l: LOOP FETCH c INTO total; IF done THEN LEAVE l; END IF; END LOOP; CLOSE c;
  CALL missing_one();
END//
CREATE TRIGGER film_log AFTER INSERT ON film FOR EACH ROW BEGIN INSERT INTO log (what) VALUES (CONCAT('ä', NEW.title)); END//
CREATE TRIGGER a_second BEFORE UPDATE ON film FOR EACH ROW SET NEW.rate = NEW.rate + 1//
CREATE TRIGGER z_first BEFORE UPDATE ON film FOR EACH ROW PRECEDES a_second SET NEW.rate = NEW.rate * 2//
CREATE TRIGGER m_between BEFORE UPDATE ON film FOR EACH ROW FOLLOWS z_first SET NEW.rate = NEW.rate - 1//
DELIMITER ;
SET time_zone = '+05:30';
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2031-01-02 03:04:05' ENDS '2032-01-01 00:00:00' ON COMPLETION PRESERVE DISABLE COMMENT 'it''s ä' DO DELETE FROM cinema.log WHERE at < NOW() - INTERVAL 1 YEAR;
CREATE EVENT once ON SCHEDULE AT '2033-03-03 03:03:03' ON COMPLETION NOT PRESERVE ENABLE DO INSERT INTO log (what) VALUES ('once');
SET time_zone = '+00:00';
CREATE LIBRARY tools LANGUAGE JAVASCRIPT AS $$ export function twice(n) { return "DEFINER=1 (" && n * 2; } $$;
