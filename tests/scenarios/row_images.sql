-- schemas: v_images
-- fidelity: event | `binlog_row_image = MINIMAL` | columns that an image lacks keep their value in an UPDATE, and get the column's default in an INSERT, as MySQL's own replicas do it; rows are found by whichever key is logged
-- fidelity: event | `binlog_row_image = NOBLOB` | the same, for BLOB, TEXT, JSON and GEOMETRY
-- fidelity: event | `binlog_row_metadata = MINIMAL` and `FULL` | equal
-- fidelity: event | `Write_rows`, `Update_rows`, `Delete_rows` | equal
-- fidelity: event | an INSERT of which no column is logged | the row of the columns' defaults
CREATE DATABASE v_images;
USE v_images;
SET SESSION binlog_row_image = MINIMAL;
CREATE TABLE wide (id INT AUTO_INCREMENT PRIMARY KEY, a INT DEFAULT 5, b INT DEFAULT (a + 1), u VARCHAR(40) DEFAULT (UUID()), d DATETIME DEFAULT CURRENT_TIMESTAMP, n INT, g INT AS (a * 2) STORED, h INT AS (a * 3) VIRTUAL, t TEXT DEFAULT ('x'), ts TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  bl BLOB, c CHAR(3) DEFAULT 'abc', bi BINARY(4) DEFAULT 'ab', inv INT INVISIBLE DEFAULT 3, j JSON, geo GEOMETRY, UNIQUE (n), INDEX ((a + 5)));
INSERT INTO wide (n) VALUES (1), (2), (3);
INSERT INTO wide (a, n, bl, t, j) VALUES (DEFAULT, 4, 'blob', 'text', '[1, 2.0]'), (NULL, 5, NULL, NULL, NULL);
UPDATE wide SET n = 10 WHERE id = 1;
UPDATE wide SET a = 6 WHERE id = 2;
UPDATE wide SET bl = 'x', j = '{"a": 1}' WHERE id = 3;
UPDATE wide SET ts = '2020-01-01 00:00:00', n = 40 WHERE id = 4;
UPDATE wide SET ts = ts, n = 50 WHERE id = 5;
UPDATE wide SET id = 100 WHERE id = 2;
INSERT INTO wide (id, n) VALUES (1, 0) ON DUPLICATE KEY UPDATE c = 'dup';
REPLACE INTO wide (id, n) VALUES (3, 33);
REPLACE INTO wide (id, n) VALUES (200, 40);
DELETE FROM wide WHERE id = 5;
-- NOT NULL without a default, left out by a session that is not strict.
SET SESSION sql_mode = '';
CREATE TABLE implicit (id INT PRIMARY KEY, a TINYINT NOT NULL, b DECIMAL(5,2) NOT NULL, c CHAR(3) NOT NULL, d VARCHAR(4) CHARACTER SET utf16 NOT NULL, e ENUM('x','y') NOT NULL, f SET('x','y') NOT NULL, g BIT(4) NOT NULL, y YEAR NOT NULL, dt DATE NOT NULL, ti TIME(2) NOT NULL, dtt DATETIME(3) NOT NULL, ts TIMESTAMP(2) NOT NULL, j JSON NOT NULL, bi BINARY(3) NOT NULL, vb VARBINARY(3) NOT NULL, bl BLOB NOT NULL, t TEXT NOT NULL, fl FLOAT NOT NULL, bu BIGINT UNSIGNED NOT NULL);
INSERT INTO implicit (id) VALUES (1), (2);
UPDATE implicit SET c = 'x' WHERE id = 2;
INSERT INTO implicit (id, d, e) VALUES (3, 'y', 'y');
CREATE TABLE dropped (id INT PRIMARY KEY, a INT DEFAULT 4, b INT);
ALTER TABLE dropped ALTER COLUMN a DROP DEFAULT;
INSERT INTO dropped (id) VALUES (1);
SET SESSION sql_mode = DEFAULT;
CREATE TABLE nothing (id INT PRIMARY KEY DEFAULT 7, a INT DEFAULT 5, b VARCHAR(9));
INSERT INTO nothing () VALUES ();
UPDATE nothing SET b = 'x';
DELETE FROM nothing;
INSERT INTO nothing () VALUES ();
-- Tables without a primary key: the source logs the columns of a unique key that it chooses.
CREATE TABLE keys_of_two (z INT, b INT NOT NULL, a VARCHAR(9) NOT NULL, c INT NOT NULL, n INT, UNIQUE zz (z), UNIQUE yy (c), UNIQUE aa (b, a));
INSERT INTO keys_of_two VALUES (1, 1, 'a', 1, 1), (2, 2, 'b', 2, NULL), (NULL, 3, 'c', 3, 3);
UPDATE keys_of_two SET n = 10;
UPDATE keys_of_two SET c = c + 10 ORDER BY c DESC;
UPDATE keys_of_two SET b = b + 10, a = 'z' WHERE c = 11;
DELETE FROM keys_of_two WHERE c = 12;
CREATE TABLE blob_keys (b BLOB, t TEXT, v INT, w TEXT, PRIMARY KEY (b(5)));
INSERT INTO blob_keys VALUES ('one', 'x', 1, NULL), ('two', NULL, 2, 'w');
UPDATE blob_keys SET v = v + 10;
UPDATE blob_keys SET b = 'three', t = 'changed' WHERE v = 12;
DELETE FROM blob_keys WHERE v = 11;
CREATE TABLE parent (id INT PRIMARY KEY, v INT);
CREATE TABLE child (id INT PRIMARY KEY, parent_id INT, note TEXT, FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE);
INSERT INTO parent VALUES (1, 1), (2, 2);
INSERT INTO child VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c');
UPDATE parent SET id = 11 WHERE id = 1;
DELETE FROM parent WHERE id = 2;
SET SESSION binlog_row_image = NOBLOB;
INSERT INTO wide (n) VALUES (101), (102);
INSERT INTO wide (n, bl, t) VALUES (103, 'blob', 'text');
UPDATE wide SET n = n + 1000 WHERE n > 100 ORDER BY n DESC;
UPDATE wide SET bl = 'changed', j = '[]' WHERE n = 1102;
UPDATE wide SET id = id + 5000 WHERE n = 1103;
DELETE FROM wide WHERE n = 1101;
SET SESSION sql_mode = '';
INSERT INTO implicit (id) VALUES (11);
SET SESSION sql_mode = DEFAULT;
UPDATE implicit SET a = 1, t = 'text' WHERE id = 11;
INSERT INTO blob_keys (b, v) VALUES ('four', 4);
UPDATE blob_keys SET v = 44 WHERE b = 'four';
UPDATE blob_keys SET b = 'five' WHERE v = 44;
SET SESSION binlog_row_image = FULL;
UPDATE wide SET n = n + 1 ORDER BY n DESC;
UPDATE wide SET d = '2020-01-01';
