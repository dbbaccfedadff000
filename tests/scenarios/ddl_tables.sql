-- Tables that change between row events.
-- schemas: shape
-- fidelity: statement | `ALTER TABLE … ADD, DROP, MODIFY, CHANGE, RENAME COLUMN` between row events | each row by the columns of its own time
-- fidelity: statement | `ALTER TABLE … ALGORITHM=INSTANT` in the middle of a stream | equal
-- fidelity: statement | `CREATE INDEX`, `DROP INDEX`, `ALTER TABLE … ADD KEY, FOREIGN KEY, CHECK` | run as it was written
-- fidelity: statement | `TRUNCATE TABLE` | run as it was written
-- fidelity: statement | `DROP TABLE` of several tables | run as it was written
CREATE SCHEMA shape;
USE shape;
CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(20), c INT) ENGINE=InnoDB;
INSERT INTO t VALUES (1, 10, 'one', 100), (2, 20, 'two', 200);
ALTER TABLE t ADD COLUMN d INT DEFAULT 7, ALGORITHM=INSTANT;
INSERT INTO t VALUES (3, 30, 'three', 300, 3000);
UPDATE t SET d = d + 1 WHERE id = 1;
ALTER TABLE t ADD COLUMN first_of_all INT NULL FIRST, ALGORITHM=INSTANT;
INSERT INTO t VALUES (0, 4, 40, 'four', 400, 4000);
ALTER TABLE t DROP COLUMN a, ALGORITHM=INSTANT;
DELETE FROM t WHERE id = 2;
UPDATE t SET c = c + 1;
ALTER TABLE t RENAME COLUMN c TO e, ALGORITHM=INSTANT;
INSERT INTO t (id, e) VALUES (5, 500);
-- Two columns of the same type change places: by position nobody could tell.
ALTER TABLE t MODIFY COLUMN d INT DEFAULT 7 AFTER id;
INSERT INTO t (id, d, e) VALUES (6, 6, 600);
ALTER TABLE t RENAME COLUMN d TO e, RENAME COLUMN e TO d;
UPDATE t SET d = -d WHERE id > 3;
UPDATE t SET d = ABS(d) WHERE d < 0;
UPDATE t SET b = '' WHERE b IS NULL;
ALTER TABLE t CHANGE COLUMN b label VARCHAR(300) CHARACTER SET latin1 NOT NULL DEFAULT '';
INSERT INTO t (id, label) VALUES (7, 'Grüße');
ALTER TABLE t MODIFY COLUMN d BIGINT UNSIGNED NULL, MODIFY COLUMN e DECIMAL(12,3) NULL, ADD COLUMN twice INT AS (id * 2) STORED, ADD COLUMN hidden INT DEFAULT 4 INVISIBLE;
INSERT INTO t (id, d, e) VALUES (8, 18446744073709551615, 1.125);
UPDATE t SET e = e * 2 WHERE e IS NOT NULL;
ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (label, id);
UPDATE t SET label = 'moved' WHERE id = 8;
CREATE UNIQUE INDEX by_id ON t (id DESC) COMMENT 'an index';
CREATE INDEX by_half ON t ((id DIV 2), label(5));
DROP INDEX by_half ON t;
ALTER TABLE t ADD CONSTRAINT positive CHECK (id >= 0), ALTER INDEX by_id INVISIBLE;
INSERT INTO t (id) VALUES (9), (10), (11);
DELETE FROM t WHERE id IN (9, 10);
ALTER TABLE t AUTO_INCREMENT = 5, COMMENT 'a table', ROW_FORMAT = DYNAMIC;
ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT INTO t (id, label) VALUES (12, '€');
OPTIMIZE TABLE t;
ANALYZE TABLE t;
-- Numbers that the server gives.
CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 50;
INSERT INTO numbered (v) VALUES (1), (2);
INSERT INTO numbered VALUES (0, 3), (NULL, 4), (1, 5);
ALTER TABLE numbered ADD COLUMN seen TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6);
ALTER TABLE numbered ADD COLUMN born DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3);
UPDATE numbered SET v = v + 1;
ALTER TABLE numbered ADD COLUMN unique_text CHAR(36) AS (CONCAT('n', v)) VIRTUAL, ADD KEY (unique_text);
DELETE FROM numbered WHERE id = 1;
-- A sequence number is added where there is a key to number by.
CREATE TABLE by_key (k INT PRIMARY KEY);
INSERT INTO by_key VALUES (30), (10), (20);
ALTER TABLE by_key ADD COLUMN n INT AUTO_INCREMENT UNIQUE;
UPDATE by_key SET n = n + 100;
-- Emptied, dropped and made anew under the same name with other columns.
TRUNCATE TABLE by_key;
INSERT INTO by_key VALUES (1, 1);
TRUNCATE shape.by_key;
INSERT INTO by_key VALUES (2, 2);
CREATE TABLE again (id INT PRIMARY KEY, v INT);
INSERT INTO again VALUES (1, 1);
DROP TABLE again;
CREATE TABLE again (v VARCHAR(5), id INT PRIMARY KEY);
INSERT INTO again VALUES ('x', 1);
CREATE TABLE gone1 (id INT PRIMARY KEY);
CREATE TABLE gone2 (id INT PRIMARY KEY);
INSERT INTO gone1 VALUES (1);
DROP TABLE gone1, shape.gone2;
DROP TABLE IF EXISTS gone1, never_there;
CREATE TABLE IF NOT EXISTS again (other INT PRIMARY KEY);
-- Foreign keys.
CREATE TABLE parent (id INT PRIMARY KEY, code INT UNIQUE);
CREATE TABLE child (id INT PRIMARY KEY, parent_id INT, CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id));
INSERT INTO parent VALUES (1, 1), (2, 2);
INSERT INTO child VALUES (1, 1), (2, 2);
ALTER TABLE child DROP FOREIGN KEY fk, ADD CONSTRAINT fk2 FOREIGN KEY (parent_id) REFERENCES parent (code) ON DELETE SET NULL;
DELETE FROM parent WHERE id = 2;
SET foreign_key_checks = 0;
CREATE TABLE orphan (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES made_later (id));
INSERT INTO orphan VALUES (1, 77);
DROP TABLE parent;
CREATE TABLE parent (id INT PRIMARY KEY, code INT UNIQUE);
SET foreign_key_checks = 1;
INSERT INTO parent VALUES (1, 1);
