-- The types of MySQL before 5.7, whose log says neither signs nor character sets.
-- schemas: old_types, old_latin2
-- servers: mysql-5.6
-- fidelity: type | numbers of MySQL 5.6, whose log does not say which are UNSIGNED, in keys too; ZEROFILL | equal
-- fidelity: type | strings of MySQL 5.6, whose log does not say their character sets: latin1 by default, utf8 (as utf8mb3), utf8mb4 by its old collation, latin2, koi8r, sjis, ucs2, utf16; in keys too | equal
-- fidelity: type | what a server without strict mode lets in: ENUM values that there are not, zero dates, cut strings | equal
CREATE DATABASE old_types;
CREATE DATABASE old_latin2 CHARACTER SET latin2;
USE old_types;
-- The server's default character set is latin1.
CREATE TABLE numbers (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, t TINYINT UNSIGNED, ts TINYINT, s SMALLINT UNSIGNED, m MEDIUMINT UNSIGNED, ms MEDIUMINT, b BIGINT UNSIGNED, bs BIGINT,
  z INT(5) ZEROFILL, d DECIMAL(20,6) UNSIGNED, f FLOAT(7,3), g DOUBLE ZEROFILL, bits BIT(9), flag BOOL, y YEAR, y4 YEAR(4));
INSERT INTO numbers VALUES
 (4294967295, 255, -128, 65535, 16777215, -8388608, 18446744073709551615, -9223372036854775808, 42, 12345678901234.123456, -1234.567, 2.5, b'101010101', TRUE, 2155, 1901),
 (1, 0, 127, 0, 0, 8388607, 9223372036854775808, 9223372036854775807, 4294967295, 0, 0, 0, 0, FALSE, 0, 2000),
 (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE numbers SET b = 18446744073709551614, t = 254 WHERE id = 4294967295;
DELETE FROM numbers WHERE id = 2;
CREATE TABLE unsigned_keys (a TINYINT UNSIGNED NOT NULL, b BIGINT UNSIGNED NOT NULL, v INT, PRIMARY KEY (a, b), UNIQUE KEY (b, a));
INSERT INTO unsigned_keys VALUES (128, 9223372036854775808, 1), (255, 18446744073709551615, 2), (0, 0, 3);
UPDATE unsigned_keys SET v = 4 WHERE a = 255;
UPDATE unsigned_keys SET a = a - 1 WHERE a > 0 ORDER BY a;
DELETE FROM unsigned_keys WHERE a = 0;
CREATE TABLE strings (id INT PRIMARY KEY, l1 VARCHAR(40), c CHAR(10), u3 VARCHAR(40) CHARACTER SET utf8, u4 VARCHAR(40) CHARACTER SET utf8mb4, l2 CHAR(20) CHARACTER SET latin2, k VARCHAR(20) CHARACTER SET koi8r,
  sj VARCHAR(20) CHARACTER SET sjis, u2 VARCHAR(20) CHARACTER SET ucs2, u16 VARCHAR(20) CHARACTER SET utf16, bi BINARY(5), vb VARBINARY(9), tx TEXT, tu MEDIUMTEXT CHARACTER SET utf8, bl BLOB, lb LONGBLOB,
  e ENUM('ä', 'b', ''), s SET('ö', 'y', 'z') CHARACTER SET utf8);
INSERT INTO strings VALUES
 (1, 'müller ÿ', 'cc', 'żółć €', '😀', 'žluť', 'привет', 'ソ', 'ß', '😀', x'0100', x'00ff5c27', 'täxt', 'ΑΩ', x'00ff80', REPEAT(x'00', 70000), 'ä', 'ö,z'),
 (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- What sql_mode '' lets in: an invalid ENUM value, and strings that are cut.
INSERT INTO strings (id, e, c, l1) VALUES (4, 'nope', 'far too long for it', 'o\'ne \\ "two" \n\0');
UPDATE strings SET l1 = 'ÄÖÜ', u4 = CONCAT(u4, 'x') WHERE id = 1;
CREATE TABLE string_keys (a VARCHAR(20) NOT NULL, b VARCHAR(20) COLLATE latin1_bin NOT NULL, c CHAR(5) CHARACTER SET utf8mb4 NOT NULL, v INT, PRIMARY KEY (a, b, c));
INSERT INTO string_keys VALUES ('Ä', 'a', '😀', 1), ('b', 'A', 'x', 2), ('c', '', '', 3);
UPDATE string_keys SET v = v + 10 WHERE a = 'ä';
DELETE FROM string_keys WHERE a = 'B';
-- Collations of utf8mb4: what the source takes where nothing is said.
CREATE TABLE mb4 (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20) COLLATE utf8mb4_unicode_ci, UNIQUE KEY (a)) CHARACTER SET utf8mb4;
INSERT INTO mb4 VALUES (1, 'æ', 'ß'), (2, 'ae', 'ss');
CREATE TABLE temporals (id INT PRIMARY KEY, d DATE, t TIME, t2 TIME(2), t6 TIME(6), dt DATETIME, dt3 DATETIME(3), dt6 DATETIME(6), ts TIMESTAMP NULL, ts4 TIMESTAMP(4) NULL,
  n TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, z DATE NOT NULL DEFAULT '0000-00-00', zz TIMESTAMP NOT NULL DEFAULT '0000-00-00 00:00:00');
SET time_zone = '+05:30';
INSERT INTO temporals VALUES
 (1, '9999-12-31', '-838:59:59', '-00:00:00.01', '838:59:58.999999', '9999-12-31 23:59:59', '2020-02-29 00:00:00.001', '1000-01-01 00:00:00.000001', '2038-01-19 08:44:07', '1970-01-02 00:00:00.0001', '2020-01-01 00:00:00', '2020-00-00', '2000-01-01'),
 (2, '0000-00-00', '00:00:00', 0, 0, '0000-00-00 00:00:00', '0000-00-00 00:00:00', '2020-10-00', '0000-00-00 00:00:00', 0, 0, DEFAULT, DEFAULT);
INSERT INTO temporals (id) VALUES (3);
UPDATE temporals SET t = '10:11:12' WHERE id = 3;
SET time_zone = DEFAULT;
CREATE TABLE temporal_keys (d DATE NOT NULL, t TIME(3) NOT NULL, v INT, PRIMARY KEY (d, t));
INSERT INTO temporal_keys VALUES ('0000-00-00', '-10:00:00.5', 1), ('2020-10-00', '00:00:00', 2), ('2020-01-01', '23:59:59.999', 3);
UPDATE temporal_keys SET v = 5 WHERE d = 0;
DELETE FROM temporal_keys WHERE d = '2020-10-00';
CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT, l LINESTRING NOT NULL, po POLYGON);
INSERT INTO shapes VALUES (1, GeomFromText('POINT(1 2)'), POINT(-1.5, 1e300), GeomFromText('LINESTRING(0 0, 1 1)'), GeomFromText('POLYGON((0 0, 0 4, 4 4, 0 0))')), (2, NULL, NULL, GeomFromText('LINESTRING(0 0, 2 2)'), NULL);
UPDATE shapes SET p = NULL, g = po WHERE id = 1;
-- A schema of another character set.
CREATE TABLE old_latin2.t (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO old_latin2.t VALUES (1, 'žluť');
USE old_latin2;
CREATE TABLE u (id INT PRIMARY KEY, v TEXT);
INSERT INTO u VALUES (1, 'čárka');
