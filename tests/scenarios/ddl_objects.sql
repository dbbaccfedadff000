-- Views, routines and schemas; triggers and events, which are held back.
-- schemas: objects, charset
-- fidelity: statement | `CREATE, ALTER, DROP VIEW` | run as it was written
-- fidelity: statement | `CREATE, ALTER, DROP` of procedures and functions | run as it was written
-- fidelity: statement | `CREATE, ALTER, DROP SCHEMA`, character set and collation too | run as it was written
-- fidelity: statement | accounts and privileges | never replicated; each is logged
CREATE SCHEMA objects DEFAULT CHARACTER SET latin1;
USE objects;
CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(40));
INSERT INTO t VALUES (1, 'a');
ALTER SCHEMA objects CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE TABLE later (id INT PRIMARY KEY, v VARCHAR(20));
ALTER DATABASE DEFAULT COLLATE = utf8mb4_unicode_ci;
CREATE TABLE latest (id INT PRIMARY KEY, v VARCHAR(20));
CREATE SCHEMA IF NOT EXISTS charset COLLATE utf8mb4_0900_as_cs;
CREATE TABLE charset.t (id INT PRIMARY KEY, v VARCHAR(20));
ALTER SCHEMA charset READ ONLY = 1;
ALTER SCHEMA charset READ ONLY = 0;
INSERT INTO charset.t VALUES (1, 'x');
CREATE VIEW v1 AS SELECT id, v FROM t WHERE id > 0 WITH CASCADED CHECK OPTION;
CREATE OR REPLACE ALGORITHM = MERGE SQL SECURITY INVOKER VIEW v2 (a, b) AS SELECT id, UPPER(v) FROM v1;
INSERT INTO v1 VALUES (2, 'through the view');
ALTER VIEW v1 AS SELECT id, v FROM t WHERE id > 1;
CREATE VIEW gone1 AS SELECT 1 AS one;
CREATE VIEW gone2 AS SELECT 1 AS one;
DROP VIEW gone1, gone2;
DROP VIEW IF EXISTS gone1;
delimiter //
CREATE PROCEDURE fill (IN n INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < n DO
    SET i = i + 1;
    INSERT INTO t VALUES (100 + i, CONCAT('p', i)); -- a comment; with a semicolon
  END WHILE;
  UPDATE t SET v = 'last' WHERE id = 100 + n;
END//
CREATE FUNCTION half (n INT) RETURNS INT DETERMINISTIC NO SQL COMMENT 'it''s' RETURN n DIV 2//
CREATE TRIGGER on_insert BEFORE INSERT ON t FOR EACH ROW
BEGIN
  INSERT INTO log (what) VALUES (CONCAT('insert ', NEW.id));
  SET NEW.v = UPPER(NEW.v);
END//
CREATE EVENT tick ON SCHEDULE EVERY 1 DAY STARTS '2099-01-01 00:00:00' DO BEGIN DELETE FROM log; END//
delimiter ;
CALL fill(5);
INSERT INTO t VALUES (7, 'by trigger');
ALTER PROCEDURE fill COMMENT 'fills' SQL SECURITY INVOKER;
ALTER EVENT tick DISABLE;
DROP TRIGGER on_insert;
INSERT INTO t VALUES (8, 'without trigger');
DROP FUNCTION half;
CREATE FUNCTION half (n DOUBLE) RETURNS DOUBLE DETERMINISTIC NO SQL RETURN n / 2;
CREATE PROCEDURE gone () SELECT 1;
DROP PROCEDURE gone;
DROP PROCEDURE IF EXISTS gone;
DROP EVENT tick;
CREATE USER 'maker'@'%' IDENTIFIED BY 'secret';
GRANT ALL ON objects.* TO 'maker'@'%';
-- The target has no such account: definitions are kept as they are.
CREATE DEFINER = 'maker'@'%' SQL SECURITY INVOKER VIEW made_by AS SELECT id FROM t;
CREATE DEFINER = 'maker'@'%' PROCEDURE made_too () SELECT 1;
ALTER USER 'maker'@'%' ACCOUNT LOCK;
SET PASSWORD FOR 'maker'@'%' = 'other';
CREATE ROLE reader;
GRANT reader TO 'maker'@'%';
DROP ROLE reader;
CREATE SCHEMA passing;
CREATE TABLE passing.t (id INT PRIMARY KEY);
INSERT INTO passing.t VALUES (1);
CREATE VIEW passing.v AS SELECT id FROM passing.t;
DROP SCHEMA passing;
CREATE SCHEMA passing;
DROP SCHEMA IF EXISTS passing;
DROP SCHEMA IF EXISTS never_there;
INSTALL COMPONENT 'file://component_validate_password';
UNINSTALL COMPONENT 'file://component_validate_password';
FLUSH TABLES;
INSERT INTO t VALUES (9, 'end');
