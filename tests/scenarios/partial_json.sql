-- schemas: v_partial_json
-- fidelity: event | `Update_rows_partial` (`binlog_row_value_options = PARTIAL_JSON`) | the same changes are made to the target's documents, with the same JSON_TYPE
CREATE DATABASE v_partial_json;
USE v_partial_json;
CREATE TABLE doc (id INT PRIMARY KEY, a INT, j JSON, k JSON, b VARCHAR(20), ts TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), l JSON, year INT AS (j->'$.year') STORED);
SET SESSION binlog_row_value_options = 'PARTIAL_JSON';
INSERT INTO doc (id, a, j, k, l) VALUES (1, 1, JSON_OBJECT('year', 2020, 'pad', REPEAT('p', 500), 'list', JSON_ARRAY(1, 2, 3), 'o', JSON_OBJECT('x', 1.5, 'y', DATE '2020-01-01')), JSON_ARRAY(1, 'two', JSON_ARRAY(3), JSON_OBJECT('four', 4), REPEAT('q', 300)), '{"l": 1}'),
 (2, 2, JSON_OBJECT('a "quoted" key', 1, 'b\\slash', 2, '', 3, 'é', 4, 'pad', REPEAT('p', 500)), JSON_ARRAY(REPEAT('q', 300)), NULL), (3, 3, JSON_OBJECT('pad', REPEAT('p', 500), 'n', 1), NULL, '[]'), (4, 4, NULL, '[1]', 'null'), (5, 5, '{"x": 1}', '[]', '{}');
-- Replaced, by values of other types.
UPDATE doc SET j = JSON_SET(j, '$.year', 2021) WHERE id = 1;
UPDATE doc SET j = JSON_REPLACE(j, '$.o.x', CAST(2.50 AS DECIMAL(10,2)), '$.o.y', DATE '2021-02-03'), a = 10 WHERE id = 1;
UPDATE doc SET j = JSON_REPLACE(j, '$.list[1]', CAST(7 AS UNSIGNED)), k = JSON_REPLACE(k, '$[3].four', 4.0) WHERE id = 1;
UPDATE doc SET j = JSON_SET(j, '$.o', JSON_OBJECT('deep', JSON_ARRAY(1.0, CAST(1 AS DECIMAL), TIME '10:00:00', NULL, TRUE))) WHERE id = 1;
-- Put in and taken out, in objects and in arrays.
UPDATE doc SET j = JSON_SET(j, '$.added', 'new', '$.more', X'00FF') WHERE id = 1;
UPDATE doc SET j = JSON_ARRAY_INSERT(j, '$.list[0]', 0), k = JSON_ARRAY_APPEND(k, '$[2]', 3.5) WHERE id = 1;
UPDATE doc SET j = JSON_ARRAY_INSERT(j, '$.list[99]', 'last') WHERE id = 1;
UPDATE doc SET j = JSON_REMOVE(j, '$.list[1]', '$.list[1]', '$.added') WHERE id = 1;
UPDATE doc SET k = JSON_REMOVE(k, '$[0]'), j = JSON_SET(j, '$.list[0]', JSON_ARRAY()) WHERE id = 1;
-- Several changes of one document, some inside others.
UPDATE doc SET j = JSON_SET(JSON_SET(JSON_REMOVE(j, '$.more'), '$.n', JSON_OBJECT('a', 1)), '$.n.b', 2, '$.n.a', JSON_ARRAY(1, 2)) WHERE id = 1;
UPDATE doc SET j = JSON_SET(j, '$.list[99]', 'appended', '$.o.deep[99]', CAST(1.5 AS DECIMAL(5,2))), k = JSON_SET(k, '$[99]', JSON_ARRAY(1.0)) WHERE id = 1;
UPDATE doc SET j = JSON_SET(j, '$.list[0]', 'first', '$.list[99]', X'FF'), k = JSON_REMOVE(k, '$[0]', '$[0]') WHERE id = 1;
-- Keys that need quotes.
UPDATE doc SET j = JSON_SET(j, '$."a \\"quoted\\" key"', 'one', '$."b\\\\slash"', 'two', '$.""', 'three', '$."é"', '😀') WHERE id = 2;
UPDATE doc SET j = JSON_REMOVE(j, '$."a \\"quoted\\" key"') WHERE id = 2;
-- Other columns only; a document in full beside a change of one; several rows in one event; a primary key that changes with it.
UPDATE doc SET a = a + 1, b = 'text';
UPDATE doc SET j = JSON_SET(j, '$.n', 5, '$.m', 6, '$.a1', 1, '$.a2', 2, '$.a3', 3, '$.a4', 4, '$.a5', 5, '$.a6', 6, '$.a7', 7, '$.a8', JSON_OBJECT(), '$.a8.x', 8) WHERE id = 3;
UPDATE doc SET j = JSON_SET(j, '$.n', 5), k = '{"whole": 1.0}' WHERE id = 3;
UPDATE doc SET j = JSON_SET(j, '$.x', id) WHERE id IN (1, 2, 3, 5);
UPDATE doc SET id = 50, j = JSON_SET(j, '$.x', 'moved') WHERE id = 5;
UPDATE doc SET j = JSON_SET(j, '$.x', 1), l = JSON_SET(l, '$[0]', 1) WHERE id IN (3, 4);
UPDATE doc SET k = NULL WHERE id = 2;
UPDATE doc SET j = JSON_SET(j, '$.x', 2.0), ts = ts WHERE id = 50;
DELETE FROM doc WHERE id = 4;
-- With images that lack columns.
SET SESSION binlog_row_image = MINIMAL;
UPDATE doc SET j = JSON_SET(j, '$.minimal', 1), a = 99 WHERE id = 1;
UPDATE doc SET k = JSON_SET(k, '$.whole', 2.0) WHERE id = 3;
SET SESSION binlog_row_image = NOBLOB;
UPDATE doc SET j = JSON_SET(j, '$.noblob', 1), a = 98 WHERE id = 1;
UPDATE doc SET a = 97 WHERE id = 1;
SET SESSION binlog_row_image = FULL;
UPDATE doc SET j = JSON_SET(j, '$.big', REPEAT('x', 200000)) WHERE id = 1;
UPDATE doc SET j = JSON_SET(j, '$.big', 1) WHERE id = 1;
