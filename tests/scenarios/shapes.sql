-- schemas: v_shapes
-- fidelity: type | GEOMETRY, POINT to GEOMETRYCOLLECTION | equal, with their SRIDs
-- fidelity: type | VECTOR | equal to the bit
-- fidelity: type | VECTOR of no bytes, which a NULL becomes in a NOT NULL column while the session is not strict | equal; written while the session is not strict, and read back
CREATE DATABASE v_shapes;
USE v_shapes;
CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT, l LINESTRING, po POLYGON, mp MULTIPOINT, ml MULTILINESTRING, mpo MULTIPOLYGON, gc GEOMETRYCOLLECTION, s POINT NOT NULL SRID 4326, c GEOMETRY SRID 3857, SPATIAL INDEX (s));
INSERT INTO shapes VALUES
 (1, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(-1.5 1e300)'), ST_GeomFromText('LINESTRING(0 0, 1 1, 2 2.25)'), ST_GeomFromText('POLYGON((0 0, 0 4, 4 4, 0 0), (1 2, 1 3, 2 3, 1 2))'), ST_GeomFromText('MULTIPOINT(0 0, 1 1)'), ST_GeomFromText('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))'),
  ST_GeomFromText('MULTIPOLYGON(((0 0, 0 1, 1 1, 0 0)), ((5 5, 5 6, 6 6, 5 5)))'), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1), GEOMETRYCOLLECTION EMPTY)'), ST_GeomFromText('POINT(52.5 13.4)', 4326), ST_GeomFromText('LINESTRING(0 0, 1000 1000)', 3857)),
 (2, ST_GeomFromText('POLYGON((0 0, 0 1, 1 1, 0 0))', 4326), NULL, NULL, NULL, NULL, NULL, NULL, ST_GeomFromText('GEOMETRYCOLLECTION EMPTY'), ST_GeomFromText('POINT(-90 180)', 4326), NULL),
 (3, ST_GeomFromText('MULTIPOINT(0 0)', 3857), ST_SRID(POINT(1, 2), 4326), NULL, NULL, NULL, NULL, NULL, NULL, ST_GeomFromText('POINT(0 0)', 4326), NULL);
UPDATE shapes SET g = ST_GeomFromText('LINESTRING(0 0, 39 92)'), s = ST_GeomFromText('POINT(1 1)', 4326) WHERE id = 2;
UPDATE shapes SET id = 10, l = NULL WHERE id = 1;
DELETE FROM shapes WHERE id = 3;
CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3), w VECTOR(2000) NOT NULL, x VECTOR);
INSERT INTO vectors VALUES (1, TO_VECTOR('[1,2.5,-3]'), TO_VECTOR('[0.1]'), TO_VECTOR('[1e-30,3.4e30]')), (2, NULL, TO_VECTOR(CONCAT('[', REPEAT('0.333,', 1999), '-0]')), NULL), (3, TO_VECTOR('[0,-0,39]'), TO_VECTOR('[92]'), NULL);
UPDATE vectors SET v = TO_VECTOR('[9,9,9]') WHERE id = 2;
UPDATE vectors SET id = 11 WHERE id = 1;
DELETE FROM vectors WHERE id = 3;
-- What a session that is not strict lets in, and an ALTER TABLE leaves in a column that may be NULL.
CREATE TABLE no_bytes (id INT PRIMARY KEY, v VECTOR(2) NOT NULL, w VECTOR(3) NOT NULL, n INT, c VARCHAR(9) CHARACTER SET latin1);
INSERT INTO no_bytes SELECT n, TO_VECTOR('[1,2]'), TO_VECTOR('[1,2,3]'), n, 'é' FROM (VALUES ROW(1), ROW(2), ROW(3), ROW(4)) AS r(n);
SET SESSION sql_mode = '';
INSERT INTO no_bytes (id, w, n) VALUES (10, TO_VECTOR('[4,5]'), 10), (11, TO_VECTOR('[4,5]'), 11);
INSERT INTO no_bytes (id, n) VALUES (12, 12);
INSERT INTO no_bytes VALUES (13, NULL, TO_VECTOR('[6]'), NULL, 'x'), (14, TO_VECTOR('[7]'), NULL, 1, 'y'), (15, TO_VECTOR('[8]'), TO_VECTOR('[9]'), 15, 'z');
UPDATE no_bytes SET v = NULL, c = '''\\ü' WHERE id IN (1, 2);
UPDATE no_bytes SET v = NULL, id = id + 100 WHERE id = 3;
UPDATE no_bytes SET n = n + 1;
UPDATE no_bytes SET id = id + 1000 WHERE id IN (1, 4, 10);
UPDATE no_bytes SET v = TO_VECTOR('[5]') WHERE id = 2;
START TRANSACTION;
INSERT INTO no_bytes (id, w, n) VALUES (20, TO_VECTOR('[4,5]'), 10);
UPDATE no_bytes SET n = 5, v = TO_VECTOR('[5,5]') WHERE id = 20;
INSERT INTO no_bytes (id, w, n) VALUES (21, TO_VECTOR('[4,5]'), 10);
DELETE FROM no_bytes WHERE id IN (11, 21);
COMMIT;
ALTER TABLE no_bytes MODIFY v VECTOR(2);
UPDATE no_bytes SET n = 77 WHERE id IN (12, 13, 15, 103);
UPDATE no_bytes SET id = id + 500 WHERE id = 13;
SET SESSION sql_mode = DEFAULT;
