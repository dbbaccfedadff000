-- Every common column type with its corners: insert, update and delete.
-- schemas: types
-- fidelity: type | every common column type | equal, inserted, updated and deleted
CREATE DATABASE types;
USE types;
CREATE TABLE numbers (
  id BIGINT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED,
  i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, d DECIMAL(65,30), e DECIMAL(10,0), f FLOAT, g DOUBLE, bits BIT(64), bit1 BIT(1), y YEAR);
INSERT INTO numbers VALUES
 (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
 (1, -128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, -9223372036854775808, 18446744073709551615,
  -99999999999999999999999999999999999.999999999999999999999999999999, -9999999999, -3.402823466e38, -1.7976931348623157e308, ~0, 1, 1901),
 (2, 127, 0, 32767, 0, 8388607, 0, 2147483647, 0, 9223372036854775807, 0,
  0.000000000000000000000000000001, 1, 1.17549e-38, 4.9406564584124654e-324, 1, 0, 2155),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
 (4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.5, 1, 0.1, 0.1, 5, 1, 2000);
UPDATE numbers SET f = f * 3, g = g / 3, d = -d, bits = 0x8000000000000000 WHERE id = 4;
DELETE FROM numbers WHERE id = 0;

CREATE TABLE strings (
  k VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PRIMARY KEY,
  c CHAR(10), cl CHAR(10) CHARACTER SET latin1, v VARCHAR(300) CHARACTER SET utf8mb4, g VARCHAR(30) CHARACTER SET gbk, sj VARCHAR(30) CHARACTER SET sjis,
  u VARCHAR(30) CHARACTER SET utf16, tt TINYTEXT, t TEXT, mt MEDIUMTEXT, lt LONGTEXT,
  bi BINARY(6), vb VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB);
INSERT INTO strings VALUES
 ('plain', 'abc', 'äöü', 'naïve', '中文', '表', 'x', 't', 'text', 'm', 'l', 'ab', 'vb', 'tb', 'bl', 'mb', 'lb'),
 ('quotes '' " \\ `', '\'', '"', 'a\\b\nc\rd\te\0f', '\\', '\\', '\\', '', '\Z', '%_', ';--', X'000000000000', X'00FF27225C0A0D1A', X'00', X'FFFE', X'', X'27'),
 ('emoji 😀', '', '', '😀🏳️‍🌈', '', '', '😀', NULL, NULL, NULL, NULL, X'6100', NULL, NULL, NULL, NULL, NULL);
INSERT INTO strings (k, lt, lb) VALUES ('long', REPEAT('häß', 100000), REPEAT(X'00015C27', 100000));
UPDATE strings SET v = REPEAT('é', 300), bi = X'010000000000' WHERE k = 'PLAIN';
DELETE FROM strings WHERE k = 'EMOJI 😀';

-- Character sets that the server calls deprecated, in keys too.
CREATE TABLE old_charsets (a VARCHAR(20) CHARACTER SET utf8mb3, b CHAR(5) CHARACTER SET ucs2, c VARCHAR(9) CHARACTER SET macroman, d TEXT CHARACTER SET utf8mb3,
  e VARCHAR(9) CHARACTER SET dec8, PRIMARY KEY (a, b, c));
INSERT INTO old_charsets VALUES ('käse', 'ñ', 'é', 'ß', 'x'), ('b', '', '', NULL, NULL), ('c', 'ж', 'c', 'd', 'e');
UPDATE old_charsets SET d = 'größer', b = 'o' WHERE a = 'KÄSE';
DELETE FROM old_charsets WHERE a = 'b';

CREATE TABLE times (
  id INT PRIMARY KEY, d DATE, t TIME, t3 TIME(3), t6 TIME(6), dt DATETIME, dt1 DATETIME(1), dt6 DATETIME(6),
  ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL, changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6));
SET SESSION sql_mode = '';
INSERT INTO times (id, d, t, t3, t6, dt, dt1, dt6, ts, ts6) VALUES
 (1, '1000-01-01', '-838:59:59', '-00:00:00.001', '-838:59:59.000000', '1000-01-01 00:00:00', '9999-12-31 23:59:59.9', '1970-01-01 00:00:00.000001', '1970-01-01 00:00:01', '2038-01-19 03:14:07.999999'),
 (2, '9999-12-31', '838:59:59', '00:00:00.999', '-00:00:00.000001', '9999-12-31 23:59:59', '2000-02-29 12:00:00.5', '2024-02-29 23:59:59.999999', '2001-09-09 01:46:40', '2001-09-09 01:46:40.123456'),
 (3, '0000-00-00', '00:00:00', '00:00:00', '12:34:56.789012', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '2020-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00'),
 (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SET SESSION sql_mode = DEFAULT;
SET SESSION time_zone = '+05:30';
UPDATE times SET t6 = '-01:02:03.000004' WHERE id = 4;
INSERT INTO times (id, ts, ts6) VALUES (5, '2021-03-28 02:30:00', '2021-03-28 02:30:00.5');
SET SESSION time_zone = DEFAULT;

CREATE TABLE kinds (id INT PRIMARY KEY, e ENUM('a','b','','d''quote'), s SET('x','y','z'), j JSON);
INSERT INTO kinds VALUES
 (1, 'a', 'x', '{"a": 1, "b": [1.5, 1.0, true, null, "x\\"y", {"deep": {"er": []}}], "": -9223372036854775808}'),
 (2, '', '', '[]'), (3, 'd''quote', 'x,y,z', '"just a string"'), (4, NULL, NULL, NULL), (5, 'b', 'z', 'null'),
 (6, 'b', 'y', JSON_OBJECT('dec', CAST(1.50 AS DECIMAL(10,2)), 'date', CAST('2020-02-03' AS DATE), 'time', CAST('-10:11:12.5' AS TIME(6)),
    'dt', CAST('2020-02-03 04:05:06.7' AS DATETIME(6)), 'u', CAST(7 AS UNSIGNED), 'big', 18446744073709551615, 'tiny', 1e-300)),
 (7, 'a', 'x', CAST(CAST(3.14 AS DECIMAL(5,2)) AS JSON));
INSERT INTO kinds SELECT 100, 'a', 'x', JSON_OBJECTAGG(CONCAT('k', n), REPEAT('v', n)) FROM
 (WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 600) SELECT n FROM q) AS q;
UPDATE kinds SET j = JSON_SET(j, '$.a', 2) WHERE id = 1;
DELETE FROM kinds WHERE id = 2;

-- Generated columns, a composite key, a keyless-by-name unique key, odd identifiers.
CREATE TABLE `odd ``name` (`a b` INT, `c.d` VARCHAR(10), `größe` INT GENERATED ALWAYS AS (`a b` * 2) STORED, v INT AS (`a b` + 1) VIRTUAL, PRIMARY KEY (`a b`, `c.d`));
INSERT INTO `odd ``name` (`a b`, `c.d`) VALUES (1, 'x'), (1, 'y'), (2, 'x');
UPDATE `odd ``name` SET `a b` = 5 WHERE `c.d` = 'y';
DELETE FROM `odd ``name` WHERE `a b` IN (1, 2);
CREATE TABLE by_unique (a INT NOT NULL, b INT, UNIQUE (a));
INSERT INTO by_unique VALUES (1, 1), (2, NULL);
UPDATE by_unique SET a = a + 10 ORDER BY a DESC;
-- Less common kinds of columns.
CREATE TABLE shapes (id INT PRIMARY KEY, p POINT NOT NULL SRID 4326, g GEOMETRY, v VECTOR(3), SPATIAL INDEX (p));
INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(52.5 13.4)', 4326), ST_GeomFromText('LINESTRING(0 0, 1 1, 2 2)'), TO_VECTOR('[1,2.5,-3]')),
  (2, ST_GeomFromText('POINT(0 0)', 4326), NULL, NULL);
UPDATE shapes SET g = ST_GeomFromText('POLYGON((0 0, 0 1, 1 1, 0 0))'), v = TO_VECTOR('[0,0,0]') WHERE id = 2;
CREATE TABLE hidden_parts (id INT PRIMARY KEY, name VARCHAR(20), secret INT INVISIBLE DEFAULT 7, j JSON, INDEX f ((UPPER(name))), INDEX m ((CAST(j->'$.tags' AS UNSIGNED ARRAY))));
INSERT INTO hidden_parts (id, name, secret, j) VALUES (1, 'a', 1, '{"tags": [1, 2]}'), (2, 'b', 2, '{"tags": []}');
INSERT INTO hidden_parts (id, name) VALUES (3, 'c');
UPDATE hidden_parts SET name = 'z', j = '{"tags": [9]}' WHERE id = 1;
DELETE FROM hidden_parts WHERE id = 2;
SET SESSION sql_generate_invisible_primary_key = 1;
CREATE TABLE keyless (a INT, b VARCHAR(9));
INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, NULL);
UPDATE keyless SET b = 'y' WHERE a = 1 LIMIT 1;
DELETE FROM keyless WHERE a = 2;
SET SESSION sql_generate_invisible_primary_key = 0;
CREATE TABLE parts (id INT, d DATE, v VARCHAR(9), PRIMARY KEY (id, d)) PARTITION BY RANGE (YEAR(d)) (PARTITION p0 VALUES LESS THAN (2020), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, '2019-01-01', 'a'), (2, '2021-01-01', 'b');
UPDATE parts SET d = '2022-02-02' WHERE id = 1;
DELETE FROM parts WHERE id = 2;
