-- schemas: v_json
-- fidelity: type | JSON | equal, with the same JSON_TYPE in every place: DECIMAL, DOUBLE 1.0 and -0.0, INTEGER and UNSIGNED INTEGER at their limits, BOOLEAN, NULL
-- fidelity: type | JSON: DATE, TIME, DATETIME, TIMESTAMP | the same type and value, nested too
-- fidelity: type | JSON: BLOB of every kind, BIT, BINARY | the same type, to MySQL's own type code, and the same bytes
-- fidelity: type | JSON: keys with quotes, backslashes, control characters, none at all; documents of 1 MB; nested 100 deep | equal
CREATE DATABASE v_json;
USE v_json;
CREATE TABLE doc (id INT PRIMARY KEY, j JSON, nn JSON NOT NULL);
INSERT INTO doc VALUES
 (1, NULL, 'null'), (2, 'null', '{}'), (3, 'true', '[]'), (4, 'false', '""'), (5, '0', '-1'), (6, '1.0', '-0.0'), (7, '9223372036854775807', '-9223372036854775808'), (8, '9223372036854775808', '18446744073709551615'),
 (9, '1e308', '5e-324'), (10, '1e-7', '123456789012345678901234567890'), (11, '[[], {}, [[]], {"a": {}}]', '[null, true, false, 0, 1.0, "1", "null"]'),
 (12, '{"": 1, "a\\"b": 2, "c\\\\d": 3, "e\\nf": 4, "\\u0001": 5, "ключ": 6, "😀": 7, "$.a[0]": 8, "a b": 9}', '["\\u0000", "\\"", "\\\\", "/", "\\b\\f\\n\\r\\t", "é😀", "it''s"]'),
 (13, '0.1', '[0.30000000000000004, 1e22, 1e23, 123456.789, 1.7976931348623157e308, 2.2250738585072014e-308]');
INSERT INTO doc VALUES
 (20, CAST(1.50 AS JSON), JSON_ARRAY(CAST(-0.000000000000000000000000000001 AS DECIMAL(65,30)), CAST(99999999999999999999999999999999999999999999999999999999999999999 AS DECIMAL(65,0)), CAST(0 AS DECIMAL(1,0)), 0.5)),
 (21, CAST(CAST(7 AS UNSIGNED) AS JSON), JSON_ARRAY(CAST(0 AS UNSIGNED), CAST(0 AS SIGNED), 65535, CAST(65536 AS UNSIGNED), 18446744073709551615, -1, 1e0, TRUE)),
 (22, CAST(DATE '2020-02-29' AS JSON), JSON_OBJECT('d', DATE '9999-12-31', 't', TIME '-838:59:59', 't6', TIME '12:34:56.789012', 'dt', TIMESTAMP '2020-01-02 03:04:05.678901', 'o', JSON_OBJECT('deep', JSON_ARRAY(DATE '1000-01-01')))),
 (23, CAST(CAST('10:11:12.5' AS TIME(1)) AS JSON), JSON_ARRAY(TIME '00:00:00', TIME '-00:00:00.000001', CAST('23:59:59' AS TIME))),
 (24, CAST(CAST('2020-01-01' AS DATETIME) AS JSON), JSON_ARRAY('2020-01-01', DATE '2020-01-01'));
CREATE TABLE kinds (id INT PRIMARY KEY, b8 BIT(8), b64 BIT(64), y YEAR, bi BINARY(4), vb VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB, ts TIMESTAMP(6) NULL, f FLOAT, e ENUM('p','q'), s SET('p','q'), g GEOMETRY, d DECIMAL(20,10), gbk VARCHAR(9) CHARACTER SET gbk);
INSERT INTO kinds VALUES (1, 5, 18374966859414961920, 2024, 'ab', X'00FF27225C', X'27', X'', X'5C', REPEAT(X'00FF', 100000), '2020-01-02 03:04:05.678901', 0.1, 'q', 'p,q', ST_GeomFromText('POINT(1 2)'), 1.5, '中文');
INSERT INTO doc SELECT 30, JSON_ARRAY(b8, b64, y, bi, vb), JSON_OBJECT('tb', tb, 'bl', bl, 'mb', mb, 'ts', ts, 'f', f, 'e', e, 's', s, 'd', d, 'g', g, 'gbk', gbk, 'deep', JSON_ARRAY(JSON_OBJECT('b', b8, 'vb', vb), b64)) FROM kinds;
INSERT INTO doc SELECT 31, CAST(vb AS JSON), CAST(lb AS JSON) FROM kinds;
INSERT INTO doc SELECT 32, CAST(b8 AS JSON), CAST(ts AS JSON) FROM kinds;
INSERT INTO doc SELECT 33, CAST(bi AS JSON), CAST(y AS JSON) FROM kinds;
SET SESSION sql_mode = 'ALLOW_INVALID_DATES';
INSERT INTO doc VALUES (40, JSON_ARRAY(CAST('0000-00-00' AS DATE), CAST('2020-00-00' AS DATE), CAST('2021-02-31' AS DATE)), JSON_ARRAY(CAST('2021-02-31 01:02:03.5' AS DATETIME(6)), CAST('0000-00-00' AS DATETIME)));
SET SESSION sql_mode = DEFAULT;
-- Signed integers beyond 32 bits, which a text would make unsigned.
INSERT INTO doc VALUES (45, CAST(CAST(4294967296 AS SIGNED) AS JSON), JSON_ARRAY(CAST(4294967295 AS SIGNED), CAST(4294967296 AS SIGNED), JSON_OBJECT('n', CAST(9223372036854775807 AS SIGNED)), CAST(-4294967297 AS SIGNED)));
-- 1 MB, of members and of one string; the large form of the binary format.
INSERT INTO doc SELECT 50, JSON_OBJECTAGG(CONCAT('key ', n), REPEAT(CHAR(65 + n % 26), 5000)), JSON_ARRAYAGG(n) FROM (WITH RECURSIVE q (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 210) SELECT n FROM q) AS q;
INSERT INTO doc VALUES (51, JSON_QUOTE(REPEAT('é"', 250000)), JSON_ARRAY(REPEAT('x', 128), REPEAT('x', 127), REPEAT('x', 16384), REPEAT('x', 70000), 1.5));
INSERT INTO doc VALUES (52, CONCAT(REPEAT('[', 99), '1.0', REPEAT(']', 99)), CONCAT(REPEAT('{"a":', 98), 'null', REPEAT('}', 98)));
UPDATE doc SET j = JSON_SET(j, '$[0]', 1.0), nn = JSON_REMOVE(nn, '$.tb') WHERE id = 30;
UPDATE doc SET j = JSON_ARRAY(j, nn) WHERE id BETWEEN 20 AND 24;
UPDATE doc SET id = id + 1000 WHERE id < 9;
DELETE FROM doc WHERE id IN (9, 10, 31);
CREATE TABLE parts (id INT PRIMARY KEY, j JSON, year INT GENERATED ALWAYS AS (j->'$.year') STORED, name VARCHAR(20) GENERATED ALWAYS AS (j->>'$.name') VIRTUAL, UNIQUE (name), INDEX ((CAST(j->'$.tags' AS UNSIGNED ARRAY))));
INSERT INTO parts (id, j) VALUES (1, '{"year": 2020, "name": "a", "tags": [1, 2]}'), (2, JSON_OBJECT('year', CAST(2021 AS UNSIGNED), 'name', 'b', 'when', DATE '2021-01-01')), (3, '{}');
UPDATE parts SET j = JSON_SET(j, '$.name', 'z', '$.tags', JSON_ARRAY(3)) WHERE id = 1;
DELETE FROM parts WHERE id = 3;
