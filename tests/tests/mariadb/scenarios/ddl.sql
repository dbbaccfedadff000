-- schemas: shop, shop2
-- servers: mariadb-11.8 → mariadb-11.8, mariadb-10.11 → mariadb-10.11
-- fidelity: statement | definitions in MariaDB's own forms: `OR REPLACE`, `IF NOT EXISTS` of columns and indexes, routines, two-phase ALTER that is done or fails | equal; triggers are held back, accounts left out
-- fidelity: statement | `CREATE TABLE … SELECT` | the table under an intent, then its rows with the checkpoint that ends it
-- fidelity: statement | MariaDB's default collations of a session (`character_set_collations`) | equal
-- fidelity: statement | XA branches of MariaDB: prepared and committed, rolled back, in one phase | equal
-- Definitions as MariaDB writes and logs them.
CREATE OR REPLACE SCHEMA shop CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4;
INSERT INTO a VALUES (1, 'x'), (2, 'y');
CREATE OR REPLACE TABLE a (id INT PRIMARY KEY, v VARCHAR(20), w INT) CHARACTER SET latin1;
INSERT INTO a VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3);
ALTER TABLE a ADD COLUMN IF NOT EXISTS x INT DEFAULT 5, ADD INDEX IF NOT EXISTS (w);
ALTER TABLE a ADD COLUMN IF NOT EXISTS x INT DEFAULT 6;
UPDATE a SET x = id;
/*M!110201 SET SESSION character_set_collations = 'utf8mb4=utf8mb4_bin' */;
CREATE TABLE collated (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4;
/*M!110201 SET SESSION character_set_collations = '' */;
CREATE TABLE uncollated (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4;
/*M!110201 SET SESSION character_set_collations = DEFAULT */;
CREATE TABLE again (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb3;
INSERT INTO collated VALUES (1, 'a'), (2, 'A');
CREATE TABLE copied (PRIMARY KEY (id)) SELECT * FROM a;
CREATE TABLE none (PRIMARY KEY (id)) SELECT * FROM a WHERE FALSE;
CREATE TABLE alike LIKE a;
INSERT INTO copied VALUES (9, 'n', 9, 9);
SET SESSION binlog_alter_two_phase = 1;
ALTER TABLE copied ADD COLUMN y INT NOT NULL DEFAULT 3;
DELIMITER //
CREATE PROCEDURE fails () BEGIN DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END; ALTER TABLE copied ADD UNIQUE KEY (y); END //
DELIMITER ;
CALL fails();
ALTER TABLE copied DROP COLUMN w, ALGORITHM = COPY;
SET SESSION binlog_alter_two_phase = 0;
INSERT INTO copied (id, y) VALUES (10, 4);
CREATE VIEW seen AS SELECT id, v FROM a WHERE id > 1;
DELIMITER //
CREATE PROCEDURE fill (n INT) BEGIN FOR i IN 100..n DO INSERT INTO a (id, v) VALUES (i, 'p'); END FOR; END //
CREATE FUNCTION twice (n INT) RETURNS INT DETERMINISTIC RETURN n * 2 //
CREATE TRIGGER g BEFORE INSERT ON alike FOR EACH ROW SET NEW.x = 77 //
DELIMITER ;
CALL fill(110);
INSERT INTO alike (id) VALUES (1);
RENAME TABLE alike TO renamed, none TO alike;
TRUNCATE TABLE alike;
CREATE TABLE parts (id INT PRIMARY KEY, v INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, 1), (11, 11);
ALTER TABLE parts TRUNCATE PARTITION p0;
CREATE TEMPORARY TABLE passing (id INT);
INSERT INTO passing VALUES (1);
INSERT INTO parts SELECT id, id FROM passing;
DROP TEMPORARY TABLE passing;
CREATE SCHEMA shop2;
CREATE TABLE shop2.parent (id INT PRIMARY KEY);
CREATE TABLE shop2.child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES shop2.parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO shop2.parent VALUES (1), (2);
INSERT INTO shop2.child VALUES (1, 1), (2, 1), (3, 2);
DELETE FROM shop2.parent WHERE id = 1;
UPDATE shop2.parent SET id = 5 WHERE id = 2;
START TRANSACTION;
INSERT INTO a (id) VALUES (500);
SAVEPOINT one;
INSERT INTO a (id) VALUES (501);
ROLLBACK TO SAVEPOINT one;
INSERT INTO a (id) VALUES (502);
COMMIT;
DROP TABLE IF EXISTS nothing, renamed;
XA START 'one', 'b', 7;
INSERT INTO a (id) VALUES (600);
XA END 'one', 'b', 7;
XA PREPARE 'one', 'b', 7;
XA COMMIT 'one', 'b', 7;
XA START X'00ff';
INSERT INTO a (id) VALUES (601);
XA END X'00ff';
XA PREPARE X'00ff';
XA ROLLBACK X'00ff';
XA START 'single';
INSERT INTO a (id) VALUES (602);
XA END 'single';
XA COMMIT 'single' ONE PHASE;
CREATE USER nobody@localhost IDENTIFIED BY 'x';
GRANT SELECT ON shop.* TO nobody@localhost;
