-- schemas: shop, shop2
-- servers: mariadb-11.8 → mariadb-11.8, mariadb-10.11 → mariadb-10.11, mariadb-11.8 → mysql-9.7
-- fidelity: statement | definitions that MariaDB and MySQL both know, as MariaDB writes them: routines, partitions, foreign keys, two-phase ALTER that is done or fails | equal; triggers are held back, accounts left out
-- fidelity: statement | `CREATE TABLE … SELECT` | the table under an intent, then its rows with the checkpoint that ends it
-- fidelity: statement | MariaDB's default collations of a session (`character_set_collations`) | equal; on MySQL by the collations that stand for those which it lacks ([mariadb.md](mariadb.md))
-- fidelity: statement | XA branches of MariaDB: prepared and committed, rolled back, in one phase | equal
-- Definitions that MariaDB and MySQL both know, as MariaDB writes and logs them.
CREATE SCHEMA shop CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4;
INSERT INTO a VALUES (1, 'x'), (2, 'y');
ALTER TABLE a ADD COLUMN w INT, ADD COLUMN x INT DEFAULT 5, ADD INDEX (w);
INSERT INTO a (id, v, w) VALUES (3, 'z', 3);
UPDATE a SET x = id;
/*M!110201 SET SESSION character_set_collations = '' */;
CREATE TABLE uncollated (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4;
/*M!110201 SET SESSION character_set_collations = DEFAULT */;
CREATE TABLE again (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb3;
INSERT INTO uncollated VALUES (1, 'a'), (2, 'B');
SET SESSION explicit_defaults_for_timestamp = 0;
CREATE TABLE implied (id INT PRIMARY KEY, first TIMESTAMP, second TIMESTAMP);
SET SESSION explicit_defaults_for_timestamp = 1;
CREATE TABLE explicit_ (id INT PRIMARY KEY, first TIMESTAMP, second TIMESTAMP);
SET SESSION explicit_defaults_for_timestamp = DEFAULT;
CREATE TABLE named (id INT PRIMARY KEY, a VARCHAR(9) COLLATE utf8mb4_uca1400_as_cs, b VARCHAR(9) COLLATE utf8mb4_uca1400_swedish_nopad_ai_ci, c VARCHAR(9) COLLATE utf8mb4_nopad_bin,
  d VARCHAR(9) CHARACTER SET utf8mb3 COLLATE utf8mb3_uca1400_ai_ci, e VARCHAR(9) COLLATE utf8mb4_croatian_ci, UNIQUE KEY (a), UNIQUE KEY (b), UNIQUE KEY (c)) COLLATE utf8mb4_uca1400_ai_ci;
INSERT INTO named VALUES (1, 'a', 'a', 'a', 'ä', 'š'), (2, 'A', 'a ', 'a ', 'b', 'ž'), (3, 'ä', 'å', 'ä', NULL, NULL);
UPDATE named SET c = CONCAT(c, '+'), d = 'x' WHERE b = 'A';
DELETE FROM named WHERE a = 'A';
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
CREATE PROCEDURE fill (n INT) BEGIN DECLARE i INT DEFAULT 100; WHILE i <= n DO INSERT INTO a (id, v) VALUES (i, 'p'); SET i = i + 1; END WHILE; END //
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
