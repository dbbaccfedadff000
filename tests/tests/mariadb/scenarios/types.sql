-- schemas: kinds
-- servers: mariadb-11.8 → mariadb-11.8, mariadb-10.11 → mariadb-10.11, mariadb-11.8 → mysql-9.7
-- fidelity: type | all types that MariaDB and MySQL both know, as MariaDB logs them; zero dates; JSON, which is text there | equal
-- Every type that MariaDB and MySQL both know, with the ends of its range.
SET NAMES utf8mb4;
CREATE SCHEMA kinds CHARACTER SET utf8mb4;
USE kinds;
CREATE TABLE numbers (
  id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED,
  i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, d DECIMAL(38, 10), f FLOAT, g DOUBLE, bits BIT(64), y YEAR, bo BOOLEAN);
INSERT INTO numbers VALUES
  (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, -9999999999999999999999999999.9999999999, -1.5e38, 5e-324, 0, 1901, 0),
  (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, 1.0000000001, 0.1, 0.1, ~0, 2155, 1),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE numbers SET tu = 200, bu = 9223372036854775808, d = -d WHERE id < 3;
CREATE TABLE moments (
  id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, d DATE, t TIME, t3 TIME(3), dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL,
  made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP);
INSERT INTO moments (d, t, t3, dt, dt6, ts, ts6) VALUES
  ('1000-01-01', '-838:59:59', '-00:00:00.001', '1000-01-01 00:00:00', '9999-12-31 23:59:59.999999', '1970-01-02 00:00:01', '2038-01-01 00:00:00.000001'),
  ('9999-12-31', '838:59:59', '12:34:56.789', '2024-02-29 12:00:00', '2024-02-29 12:00:00.000001', '2024-03-31 01:30:00', '2024-10-27 00:30:00.5'),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION';
INSERT INTO moments (d, dt, ts) VALUES ('0000-00-00', '2024-00-00 00:00:00', '0000-00-00 00:00:00');
SET SESSION sql_mode = DEFAULT;
UPDATE moments SET t = '00:00:01' WHERE id < 3;
CREATE TABLE texts (
  id INT PRIMARY KEY, c CHAR(20), v VARCHAR(300), l1 VARCHAR(20) CHARACTER SET latin1, u3 VARCHAR(20) CHARACTER SET utf8mb3, b BINARY(8), vb VARBINARY(300),
  tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT, tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, e ENUM('a', 'b', 'ü'), s SET('x', 'y', 'z'), js JSON,
  UNIQUE KEY (v));
INSERT INTO texts VALUES
  (1, 'plain', 'Grüße 🐬', 'Grüße', 'Grüße', X'0102000000000000', X'00FF', 'a', 'b', 'c', 'd', X'00', X'0102', X'FF', '\\\'"', 'ü', 'x,z', '{"a": [1, 2.50, "ü"]}'),
  (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', 'a', '', '[]'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO texts (id, v, lt) VALUES (4, REPEAT('ä', 150), REPEAT('long ', 60000));
UPDATE texts SET js = JSON_SET(js, '$.b', TRUE), c = 'changed' WHERE id = 1;
UPDATE texts SET id = 20, v = 'moved' WHERE id = 2;
CREATE TABLE places (id INT PRIMARY KEY, p POINT NOT NULL, g GEOMETRY, SPATIAL KEY (p));
INSERT INTO places VALUES (1, POINT(1, 2), ST_GeomFromText('LINESTRING(0 0, 1 1)')), (2, POINT(-1.5, 0), NULL);
UPDATE places SET g = POINT(3, 4) WHERE id = 2;
CREATE TABLE computed (id INT PRIMARY KEY, a INT, twice INT AS (a * 2) VIRTUAL, thrice INT AS (a * 3) STORED, hidden INT INVISIBLE DEFAULT 7, u CHAR(36) DEFAULT uuid(), t TEXT DEFAULT 'x', j JSON DEFAULT '{}',
  CONSTRAINT positive CHECK (a > 0));
INSERT INTO computed (id, a) VALUES (1, 1), (2, 2), (3, 3);
UPDATE computed SET a = a + 1;
UPDATE computed SET hidden = 8 WHERE id = 2;
