-- Names, character sets and modes that are easily lost. This file's statements are in UTF-8 except where a statement is put together from bytes.
SET NAMES utf8mb4;
SET SESSION foreign_key_checks = 0;
SET SESSION sql_generate_invisible_primary_key = 0;
CREATE DATABASE `odd ``schema'"\\ --` CHARACTER SET gbk COLLATE gbk_bin;
USE `odd ``schema'"\\ --`;
CREATE TABLE `/* DROP */ ``t``` (`id'` INT PRIMARY KEY, `größe` VARCHAR(9), `b"` VARCHAR(9) COLLATE gbk_chinese_ci, `c\\` VARCHAR(9) COLLATE gbk_bin, KEY `--` (`größe`), KEY `,(` (`c\\`));
CREATE TABLE sixty_four_characters_60_567890123456789012345678901234567890123 (a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_abcd INT, KEY a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_abcd (a23456789_b23456789_c23456789_d23456789_e23456789_f23456789_abcd));
CREATE TABLE `表名中文` (
  id INT PRIMARY KEY,
  a VARCHAR(10) DEFAULT '中誠', b VARCHAR(10) DEFAULT (_gbk X'D65C'), c VARCHAR(10) CHARACTER SET utf8mb4 DEFAULT (_gbk X'D6D0'), d VARBINARY(10) DEFAULT (X'FF0027'),
  e VARBINARY(4) DEFAULT X'FF00', f VARCHAR(10) CHARACTER SET latin1 DEFAULT (_latin1 X'E4FF27'), g ENUM('x', '中', 'it''s\\') DEFAULT '中', h VARCHAR(10) DEFAULT (_gbk X'F0F0'),
  i VARCHAR(20) GENERATED ALWAYS AS (CONCAT(a, _gbk X'D65C')) VIRTUAL, j VARCHAR(20) CHARACTER SET utf16 DEFAULT (_utf16 X'00410042'), k VARCHAR(20) CHARACTER SET sjis DEFAULT '表ソ',
  CHECK (a <> _gbk X'D65C'), CHECK (f NOT LIKE '%\\\\\'%'), KEY ((CONCAT(a, _gbk X'D65C')))
) COMMENT '中\\''';
CREATE TABLE greek (id INT PRIMARY KEY, a VARCHAR(5) DEFAULT 'αΩ', b CHAR(1) CHARACTER SET binary DEFAULT 'x') CHARACTER SET greek;
CREATE TABLE `ReFeReD` (a INT, b INT, c INT, KEY bb (b), KEY cc (c), KEY aa (a));
CREATE TABLE refers (a INT, FOREIGN KEY (a) REFERENCES greek (id));
CREATE VIEW `v größe` AS SELECT `größe`, `b"` AS `x``'` FROM `/* DROP */ ``t``` WHERE `b"` = 'ü\\' AND `c\\` <> _gbk X'D6D0' AND `b"` <> _latin1 X'E4';
SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,HIGH_NOT_PRECEDENCE,IGNORE_SPACE,REAL_AS_FLOAT';
CREATE VIEW "ansi ""view" AS SELECT "größe" || 'a\b' AS "x""y", NOT 1 BETWEEN 0 AND 2 AS n FROM "/* DROP */ `t`";
CREATE DEFINER = "some""one"@"no.where" FUNCTION "ansi ""f"("p""" VARCHAR(20)) RETURNS ENUM('ä', 'b\') CHARSET utf8mb4 DETERMINISTIC COMMENT 'a\' RETURN "p""" || 'a\';
CREATE PROCEDURE "ansi ""p"() SELECT "größe" || '\' FROM "v größe";
CREATE TRIGGER "ansi ""tr" BEFORE INSERT ON greek FOR EACH ROW SET NEW.a = 'a\';
CREATE EVENT "ansi ""e" ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01 00:00:00' DISABLE COMMENT 'a\' DO SELECT 'a\';
SET SESSION sql_mode = DEFAULT;
CREATE TABLE will_be_gone (id INT);
CREATE TABLE loses (id INT, lost INT);
CREATE FUNCTION gone() RETURNS INT DETERMINISTIC RETURN 1;
CREATE VIEW broken_table AS SELECT id FROM will_be_gone;
CREATE VIEW broken_chain AS SELECT id FROM broken_table;
CREATE VIEW broken_column AS SELECT lost FROM loses;
CREATE VIEW broken_function AS SELECT gone() AS x;
DROP TABLE will_be_gone; DROP FUNCTION gone; ALTER TABLE loses DROP lost;
CREATE PROCEDURE needs_nothing() SELECT * FROM is_nowhere;
-- The schema had another collation when this was made.
CREATE DATABASE moved CHARACTER SET latin1 COLLATE latin1_german2_ci;
USE moved;
DELIMITER //
CREATE FUNCTION old_times() RETURNS VARCHAR(20) DETERMINISTIC BEGIN DECLARE x VARCHAR(10); SET x = 'a'; RETURN x; END//
DELIMITER ;
ALTER DATABASE moved COLLATE latin1_bin;
CREATE PROCEDURE new_times() SELECT 1;
