-- What the bench of the first copy runs inside the source. Nothing of it is logged; the schema is outside the pipeline's filter.
SET SESSION sql_log_bin = 0;
CREATE DATABASE bench_tools;
USE bench_tools;
CREATE TABLE numbers (n INT PRIMARY KEY);
SET SESSION cte_max_recursion_depth = 10000;
INSERT INTO numbers WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT i FROM n;
-- Ends the writers once it holds a row.
CREATE TABLE enough (it INT PRIMARY KEY);
DELIMITER //
CREATE FUNCTION now_micros() RETURNS BIGINT NOT DETERMINISTIC NO SQL
  RETURN CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED) //
-- Updates of rows at random in all tables, at a fixed pace, whatever the server takes for each, until it is enough or a limit is reached.
CREATE PROCEDURE paced_updates(IN tables INT, IN rows_each INT, IN per_second INT, IN at_most BIGINT)
BEGIN
  DECLARE i BIGINT DEFAULT 0;
  DECLARE start, early BIGINT;
  SET start = now_micros();
  WHILE i < at_most AND NOT EXISTS (SELECT * FROM enough) DO
    SET early = start + i * 1000000 DIV per_second - now_micros();
    IF early > 200 THEN
      DO SLEEP(early / 1000000);
    END IF;
    SET @bench_sql = CONCAT('UPDATE bench.t', 1 + i MOD tables, ' SET k = k + 1 WHERE id = ', 1 + FLOOR(RAND() * rows_each));
    PREPARE change_one FROM @bench_sql;
    EXECUTE change_one;
    SET i = i + 1;
  END WHILE;
END //
DELIMITER ;
