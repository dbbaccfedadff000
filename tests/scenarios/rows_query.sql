-- What stands in the log beside rows: the statements that made them, and savepoints.
-- schemas: beside
-- servers: mysql-9.7, mysql-5.6
-- fidelity: event | ROWS_QUERY (`binlog_rows_query_log_events = ON`) | passed over: the rows that follow say it all
-- fidelity: statement | `SAVEPOINT`, `ROLLBACK TO SAVEPOINT`, `RELEASE SAVEPOINT` | what was rolled back does not arrive
SET SESSION binlog_rows_query_log_events = ON;
CREATE SCHEMA beside;
USE beside;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(50));
CREATE TABLE u (id INT PRIMARY KEY, v VARCHAR(50));
INSERT INTO t VALUES (1, 'CREATE TABLE nothing'), (2, 'b');
INSERT INTO u SELECT * FROM t;
UPDATE t, u SET t.v = 'both', u.v = 'too' WHERE t.id = u.id;
DELETE t, u FROM t JOIN u USING (id) WHERE t.id = 1;
REPLACE INTO t VALUES (2, 'replaced'), (3, 'new');
INSERT INTO t VALUES (3, 'x') ON DUPLICATE KEY UPDATE v = 'duplicate';
START TRANSACTION;
INSERT INTO t VALUES (10, 'kept');
SAVEPOINT `a b`;
INSERT INTO t VALUES (11, 'undone');
SAVEPOINT inner_one;
UPDATE t SET v = 'undone' WHERE id = 10;
ROLLBACK TO SAVEPOINT inner_one;
RELEASE SAVEPOINT inner_one;
ROLLBACK WORK TO `a b`;
INSERT INTO u VALUES (10, 'kept');
RELEASE SAVEPOINT `a b`;
COMMIT;
START TRANSACTION;
SAVEPOINT s;
INSERT INTO t VALUES (12, 'undone');
ROLLBACK TO s;
COMMIT;
SET SESSION binlog_rows_query_log_events = OFF;
