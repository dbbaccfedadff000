-- CREATE TABLE … SELECT, which the log has as one transaction of a statement and rows, and its relatives.
-- schemas: made
-- fidelity: statement | `CREATE TABLE … SELECT` | the table under an intent, then its rows with the checkpoint that ends it
-- fidelity: statement | `CREATE TABLE … LIKE` | run as it was written
-- fidelity: statement | `CREATE TEMPORARY TABLE`, and rows of temporary tables | not logged, or left out: they never leave their session
CREATE SCHEMA made;
USE made;
CREATE TABLE origin (id INT PRIMARY KEY, v VARCHAR(200), at TIMESTAMP NULL);
INSERT INTO origin VALUES (1, 'a', '2020-01-01 00:00:00'), (2, NULL, NULL), (3, 'start transaction', '2021-06-01 12:00:00');
CREATE TABLE copy (PRIMARY KEY (id)) SELECT id, v FROM origin;
UPDATE copy SET v = 'changed' WHERE id = 1;
CREATE TABLE none (PRIMARY KEY (id)) AS SELECT id FROM origin WHERE FALSE;
INSERT INTO none VALUES (1);
CREATE TABLE IF NOT EXISTS `start transaction` (PRIMARY KEY (`start`), `start` INT, KEY (n)) COMMENT 'START TRANSACTION' SELECT id AS `start`, id * 2 AS n, CAST(v AS CHAR(40)) AS l FROM origin;
CREATE TABLE IF NOT EXISTS copy (PRIMARY KEY (id)) SELECT 1 AS id;
INSERT INTO `start transaction` (`start`, n) VALUES (9, 9);
CREATE TABLE from_values (PRIMARY KEY (column_0)) VALUES ROW(1, 'x'), ROW(2, 'y');
CREATE TABLE made.from_table (PRIMARY KEY (id)) TABLE made.origin;
SET SESSION cte_max_recursion_depth = 100000;
CREATE TABLE large (PRIMARY KEY (i)) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i, REPEAT('x', 150) AS v FROM n;
DELETE FROM large WHERE i % 3 = 0;
SET SESSION sql_generate_invisible_primary_key = ON;
CREATE TABLE invisible SELECT v FROM origin;
UPDATE invisible SET v = 'seen' WHERE v IS NULL;
SET SESSION sql_generate_invisible_primary_key = OFF;
CREATE TABLE likewise LIKE origin;
INSERT INTO likewise SELECT * FROM origin;
CREATE TEMPORARY TABLE passing (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO passing VALUES (1, 'unseen');
CREATE TEMPORARY TABLE passing_too SELECT * FROM origin;
CREATE TABLE from_temporary (PRIMARY KEY (id)) SELECT * FROM passing;
DROP TEMPORARY TABLE passing;
DROP TABLE passing_too;
START TRANSACTION;
INSERT INTO origin VALUES (4, 'four', NULL);
INSERT INTO copy VALUES (30, 'three');
COMMIT;
