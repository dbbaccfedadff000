-- Statements whose meaning hangs on the session in which they ran.
-- schemas: context, odd `name`.with-dots
-- fidelity: statement | sql_mode of a statement: `ANSI_QUOTES`, `NO_BACKSLASH_ESCAPES`, `PIPES_AS_CONCAT`, zero dates | the statement runs under it
-- fidelity: statement | character sets of a statement (`SET NAMES`) | the statement runs under them
-- fidelity: statement | `SET timestamp`, `SET time_zone` and DEFAULT CURRENT_TIMESTAMP of a new column | existing rows get the source's time
-- fidelity: statement | comments, executable comments `/*!80000 … */`, names with quotes, dots and blanks | run as it was written
-- fidelity: statement | no default schema | names are found where the source found them
CREATE SCHEMA context;
CREATE TABLE context.t (id INT PRIMARY KEY);
INSERT INTO context.t VALUES (1), (2);
SET timestamp = 1000000000.123456;
ALTER TABLE context.t ADD COLUMN at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), ADD COLUMN local DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6);
SET time_zone = '+05:30';
ALTER TABLE context.t ADD COLUMN local2 DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, ADD COLUMN at2 TIMESTAMP NOT NULL DEFAULT '2001-02-03 04:05:06';
SET time_zone = '-09:00';
CREATE TABLE context.zoned (id INT PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT '2020-01-01 00:00:00', d DATE DEFAULT (CURRENT_DATE));
INSERT INTO context.zoned (id) VALUES (1);
ALTER TABLE context.zoned ADD COLUMN today DATE DEFAULT (CURRENT_DATE), ADD COLUMN now_too TIME DEFAULT (CURRENT_TIME);
SET time_zone = DEFAULT;
SET timestamp = DEFAULT;
USE context;
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT';
CREATE TABLE "quoted ""name" ("id" INT PRIMARY KEY, "a b" VARCHAR(20) DEFAULT 'it''s', both_ways VARCHAR(40) GENERATED ALWAYS AS ("a b" || '!') VIRTUAL);
INSERT INTO "quoted ""name" ("id") VALUES (1);
ALTER TABLE "quoted ""name" ADD COLUMN "`" INT DEFAULT 3;
SET sql_mode = 'NO_BACKSLASH_ESCAPES';
CREATE TABLE backslash (id INT PRIMARY KEY, v VARCHAR(20) DEFAULT '\') COMMENT 'ends with \';
INSERT INTO backslash (id) VALUES (1);
ALTER TABLE backslash ADD COLUMN w VARCHAR(20) DEFAULT '\n' COMMENT '`\', ADD COLUMN x VARCHAR(9) DEFAULT 'a\''b';
SET sql_mode = 'ALLOW_INVALID_DATES';
CREATE TABLE zero (id INT PRIMARY KEY, d DATE NOT NULL DEFAULT '0000-00-00', e DATETIME DEFAULT '2020-00-00 00:00:00');
INSERT INTO zero (id) VALUES (1);
SET sql_mode = '';
ALTER TABLE zero ADD COLUMN f TINYINT DEFAULT 3;
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,NO_UNSIGNED_SUBTRACTION,REAL_AS_FLOAT,PAD_CHAR_TO_FULL_LENGTH';
CREATE TABLE real_float (id INT PRIMARY KEY, r REAL, v VARCHAR(20) AS (CAST(id AS CHAR)) STORED);
SET sql_mode = DEFAULT;
-- The bytes of these are read in other character sets than the file's.
SET NAMES latin1;
CREATE TABLE t1 (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 DEFAULT 'é€') COMMENT 'größer';
INSERT INTO t1 (id) VALUES (1);
SET NAMES gbk;
CREATE TABLE t2 (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4 DEFAULT 'éé') COMMENT 'éé';
INSERT INTO t2 (id) VALUES (1);
SET NAMES utf8mb4;
SET collation_connection = utf8mb4_bin;
CREATE VIEW compares AS SELECT 'a' = 'A' AS same, id FROM t;
SET NAMES utf8mb4 COLLATE utf8mb4_german2_ci;
CREATE VIEW compares2 AS SELECT 'ss' = 'ß' AS same, id FROM t;
SET NAMES utf8mb4;
SET character_set_server = latin1, collation_server = latin1_german1_ci;
CREATE SCHEMA by_server;
CREATE TABLE by_server.t (id INT PRIMARY KEY, v VARCHAR(5));
DROP SCHEMA by_server;
SET character_set_server = DEFAULT, collation_server = DEFAULT;
SET default_collation_for_utf8mb4 = utf8mb4_general_ci;
CREATE TABLE t3 (id INT PRIMARY KEY, v VARCHAR(5)) CHARACTER SET utf8mb4;
SET default_collation_for_utf8mb4 = DEFAULT;
-- Comments and names.
/* leading */ CREATE /* TABLE nothing */ TABLE -- a comment
  # another
  commented (id INT /*!80000 UNSIGNED */ /*!99999 ZEROFILL */ PRIMARY KEY /* -- */);
/*!80000 ALTER TABLE commented ADD COLUMN new_enough INT */;
/*!80000 CREATE TABLE */ also_commented /*!50100 (id INT PRIMARY KEY) */ /*!80000 COMMENT '*/' */;
CREATE TABLE `table` (`select` INT PRIMARY KEY, `from` INT, KEY `index` (`from`));
INSERT INTO `table` VALUES (1, 2);
CREATE TABLE `a.b``c'd"e f` (`id` INT PRIMARY KEY, `ü-日本` INT);
INSERT INTO `a.b``c'd"e f` VALUES (1, 1);
ALTER TABLE `context`.`a.b``c'd"e f` RENAME COLUMN `ü-日本` TO `x``y`;
CREATE TABLE 1a (2b INT PRIMARY KEY, $c INT);
INSERT INTO 1a VALUES (1, 1);
CREATE SCHEMA `odd ``name``.with-dots`;
CREATE TABLE `odd ``name``.with-dots`.`t` (id INT PRIMARY KEY);
USE `odd ``name``.with-dots`;
INSERT INTO t VALUES (1);
ALTER TABLE t ADD COLUMN v INT;
ALTER TABLE context . t ADD COLUMN spaced INT;
-- The default schema goes away under the session.
CREATE SCHEMA leaving;
USE leaving;
DROP SCHEMA leaving;
CREATE TABLE context.without_schema (id INT PRIMARY KEY);
INSERT INTO context.without_schema VALUES (1);
CREATE TABLE context.without_schema2 LIKE context.without_schema;
