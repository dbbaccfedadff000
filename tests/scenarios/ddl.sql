-- Definitions that change between row events, accounts that must not travel, and schemas that come and go.
-- schemas: shop
-- fidelity: statement | `CREATE`, `ALTER`, `RENAME`, `TRUNCATE` and `DROP` of tables, schemas and views | run as it was written
-- fidelity: statement | `SAVEPOINT`, `ROLLBACK TO SAVEPOINT` | what was rolled back does not arrive
CREATE DATABASE shop;
CREATE TABLE shop.item (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL);
INSERT INTO shop.item (name) VALUES ('pen'), ('ink');
ALTER TABLE shop.item ADD COLUMN price DECIMAL(8,2) NOT NULL DEFAULT 1.25 AFTER id;
INSERT INTO shop.item (name, price) VALUES ('paper', 3.5);
USE shop;
ALTER TABLE item MODIFY name VARCHAR(60) CHARACTER SET latin1, ADD INDEX (name);
INSERT INTO item (name) VALUES ('Größe');
ALTER TABLE item RENAME COLUMN name TO label, DROP COLUMN price;
UPDATE item SET label = UPPER(label);
CREATE TABLE parent (id INT PRIMARY KEY);
CREATE TABLE child (id INT PRIMARY KEY, parent_id INT, FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO parent VALUES (1), (2), (3);
INSERT INTO child VALUES (10, 1), (20, 2), (30, 3), (31, 3);
DELETE FROM parent WHERE id = 3;
UPDATE parent SET id = 22 WHERE id = 2;
CREATE VIEW labels AS SELECT label FROM item;
CREATE TABLE gone (id INT PRIMARY KEY);
INSERT INTO gone VALUES (1);
DROP TABLE gone;
CREATE TABLE emptied (id INT PRIMARY KEY);
INSERT INTO emptied VALUES (1), (2);
TRUNCATE TABLE emptied;
INSERT INTO emptied VALUES (3);
RENAME TABLE emptied TO kept;
CREATE USER outsider@localhost IDENTIFIED BY 'secret';
GRANT SELECT ON shop.* TO outsider@localhost;
CREATE TRIGGER held BEFORE INSERT ON kept FOR EACH ROW SET NEW.id = NEW.id + 100;
DROP TRIGGER held;
CREATE DATABASE passing;
CREATE TABLE passing.t (id INT PRIMARY KEY);
DROP DATABASE passing;
-- A transaction of which nothing is kept, and one that spans tables.
START TRANSACTION;
INSERT INTO kept VALUES (50);
ROLLBACK;
START TRANSACTION;
INSERT INTO kept VALUES (51);
SAVEPOINT s;
INSERT INTO kept VALUES (52);
ROLLBACK TO SAVEPOINT s;
INSERT INTO item (label) VALUES ('last');
COMMIT;
