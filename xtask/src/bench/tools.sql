-- What the bench runs inside the servers, so that no client's round trips are measured. It is made on the source without being logged, and is on
-- every target, whose data folder begins as a copy of the source's.
SET SESSION sql_log_bin = 0;
CREATE DATABASE bench_tools;
USE bench_tools;
CREATE TABLE numbers (n INT PRIMARY KEY, note CHAR(64) NOT NULL);
SET SESSION cte_max_recursion_depth = 10000;
INSERT INTO numbers
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) SELECT i, SHA2(i, 256) FROM n;
-- When rows were seen on a target: those of one writer from the first to the last id. Written once a change is seen, never logged.
CREATE TABLE seen (writer INT NOT NULL, first BIGINT NOT NULL, last BIGINT NOT NULL, at BIGINT NOT NULL) ENGINE = MEMORY;
DELIMITER //
CREATE FUNCTION now_micros() RETURNS BIGINT NOT DETERMINISTIC NO SQL
  RETURN CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED) //
CREATE PROCEDURE inserts(IN number INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < number DO
    INSERT INTO bench.item (customer, amount, note) VALUES (1 + i % 100000, i, SHA2(i, 256));
    SET i = i + 1;
  END WHILE;
END //
CREATE PROCEDURE bulk_inserts(IN number INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < number DO
    INSERT INTO bench.item (customer, amount, note) SELECT n, i, note FROM numbers WHERE n <= 1000;
    SET i = i + 1;
  END WHILE;
END //
CREATE PROCEDURE updates(IN number INT, IN hot INT)
BEGIN
  DECLARE i, k INT DEFAULT 0;
  WHILE i < number DO
    SET k = 1 + FLOOR(RAND() * hot);
    UPDATE bench.item SET amount = amount + 1, note = SHA2(i, 256) WHERE id = k;
    SET i = i + 1;
  END WHILE;
END //
-- Inserts at a fixed pace, whatever the server takes for each: one that is late is made up for. Each row carries the moment right before its insert.
CREATE PROCEDURE paced(IN writer INT, IN first BIGINT, IN number INT, IN per_second INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  DECLARE start, early BIGINT;
  SET start = now_micros();
  WHILE i < number DO
    SET early = start + i * 1000000 DIV per_second - now_micros();
    IF early > 200 THEN
      DO SLEEP(early / 1000000);
    END IF;
    IF writer = 1 THEN
      INSERT INTO bench.written_1 VALUES (first + i, now_micros(), 'some text that makes the row as long as a small one is');
    ELSE
      INSERT INTO bench.written_2 VALUES (first + i, now_micros(), 'some text that makes the row as long as a small one is');
    END IF;
    SET i = i + 1;
  END WHILE;
END //
-- Looks every millisecond what has come, until both writers' last rows are there or the time is over.
CREATE PROCEDURE watch(IN first_1 BIGINT, IN last_1 BIGINT, IN first_2 BIGINT, IN last_2 BIGINT, IN seconds INT)
BEGIN
  DECLARE newest, at, deadline BIGINT;
  DELETE FROM seen;
  SET deadline = now_micros() + seconds * 1000000;
  WHILE (first_1 <= last_1 OR first_2 <= last_2) AND now_micros() < deadline DO
    IF first_1 <= last_1 THEN
      SELECT MAX(id) INTO newest FROM bench.written_1;
      SET at = now_micros();
      IF newest >= first_1 THEN
        INSERT INTO seen VALUES (1, first_1, newest, at);
        SET first_1 = newest + 1;
      END IF;
    END IF;
    IF first_2 <= last_2 THEN
      SELECT MAX(id) INTO newest FROM bench.written_2;
      SET at = now_micros();
      IF newest >= first_2 THEN
        INSERT INTO seen VALUES (2, first_2, newest, at);
        SET first_2 = newest + 1;
      END IF;
    END IF;
    DO SLEEP(0.001);
  END WHILE;
END //
DELIMITER ;
