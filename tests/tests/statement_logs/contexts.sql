-- Whatever a statement takes from its session, one table for each kind. Everything is done in STATEMENT format.
CREATE DATABASE st DEFAULT CHARACTER SET utf8;
CREATE DATABASE other DEFAULT CHARACTER SET latin1;
USE st;
CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40)) ENGINE=InnoDB;
CREATE TABLE last (id INT AUTO_INCREMENT PRIMARY KEY, of_numbered BIGINT) ENGINE=InnoDB;
CREATE TABLE random (id INT PRIMARY KEY, a DOUBLE, b DOUBLE) ENGINE=InnoDB;
CREATE TABLE variables (id INT PRIMARY KEY, v VARBINARY(200), cs VARCHAR(60), n DECIMAL(40,10), d DOUBLE) ENGINE=InnoDB;
CREATE TABLE times (id INT PRIMARY KEY, a DATETIME(6), b TIMESTAMP(6) NULL, c TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), t VARCHAR(80)) ENGINE=InnoDB;
CREATE TABLE modes (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(5), n TINYINT, s VARCHAR(40)) ENGINE=InnoDB;
CREATE TABLE letters (id INT PRIMARY KEY, u VARCHAR(40) CHARACTER SET utf8, l VARCHAR(40) CHARACTER SET latin1, same INT) ENGINE=InnoDB;
CREATE TABLE parent (id INT PRIMARY KEY) ENGINE=InnoDB;
CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB;
CREATE TABLE other.away (id INT PRIMARY KEY, v VARCHAR(20)) ENGINE=InnoDB;
SET SESSION binlog_format = 'STATEMENT';

-- INSERT_ID and LAST_INSERT_ID, with steps.
INSERT INTO numbered (v) VALUES ('one'), ('two');
INSERT INTO last (of_numbered) VALUES (LAST_INSERT_ID());
SET auto_increment_increment = 10, auto_increment_offset = 3;
INSERT INTO numbered (v) VALUES ('three'), ('four');
INSERT INTO last (of_numbered) SELECT LAST_INSERT_ID() + COUNT(*) FROM numbered;
SET auto_increment_increment = DEFAULT, auto_increment_offset = DEFAULT;
INSERT INTO numbered (v) VALUES ('five');
INSERT INTO numbered VALUES (1000, 'six'), (NULL, 'seven');
BEGIN;
INSERT INTO numbered (v) VALUES ('eight');
SET @last = LAST_INSERT_ID();
INSERT INTO last (of_numbered) VALUES (@last);
UPDATE last SET of_numbered = of_numbered + LAST_INSERT_ID() WHERE id = 1;
COMMIT;

-- RAND.
INSERT INTO random VALUES (1, RAND(), RAND()), (2, RAND(), RAND());
INSERT INTO random SELECT id + 10, RAND(), RAND(7) FROM random;
UPDATE random SET b = RAND() WHERE id < 3;

-- User variables of every type and character set, and names that need quotes.
SET @text = _utf8 X'C3A4E4B8AD' COLLATE utf8_unicode_ci, @latin = _latin1 X'E4' COLLATE latin1_german2_ci, @bytes = X'00FF27', @`odd ``name` = 'o''dd', @nothing = NULL;
SET @int = -5, @big = CAST(18446744073709551615 AS UNSIGNED), @dec = 12345678901234567890.0123456789, @real = 1.5e-7, @empty = '', @wide = _ucs2 X'00E44E2D' COLLATE ucs2_unicode_ci;
INSERT INTO variables (id, v, cs) VALUES (1, @text, REPLACE(CONCAT(CHARSET(@text), ' ', COLLATION(@text)), 'utf8mb3', 'utf8'));
INSERT INTO variables (id, v, cs) VALUES (2, @latin, CONCAT(CHARSET(@latin), ' ', COLLATION(@latin), ' ', CONVERT(@latin USING utf8)));
INSERT INTO variables (id, v, cs) VALUES (3, @bytes, CHARSET(@bytes)), (4, @`odd ``name`, REPLACE(COLLATION(@`odd ``name`), 'utf8mb3', 'utf8')), (5, @nothing, @empty);
INSERT INTO variables (id, n, d) VALUES (6, @int, @int), (7, @big, @real), (8, @dec, @dec), (9, @real, @real * @int);
INSERT INTO variables (id, v, cs) VALUES (10, @wide, CONCAT(CHARSET(@wide), ' ', COLLATION(@wide), ' ', HEX(@wide)));

-- timestamp, time zone, names of days.
SET timestamp = 1000000000.123456;
INSERT INTO times (id, a, b, t) VALUES (1, NOW(6), NOW(6), UNIX_TIMESTAMP());
SET time_zone = '+05:30';
INSERT INTO times (id, a, b, t) VALUES (2, NOW(6), '2020-02-03 04:05:06.789', CURTIME());
SET lc_time_names = 'de_DE';
INSERT INTO times (id, a, t) VALUES (3, NOW(6), DATE_FORMAT('2020-05-01', '%W %M'));
SET lc_time_names = DEFAULT, time_zone = DEFAULT, timestamp = DEFAULT;
INSERT INTO times (id, a, b) VALUES (4, NOW(6), NOW(6));
UPDATE times SET a = NOW(6) WHERE id = 4;

-- NULL is now, where the source says so.
CREATE TABLE nulls (id INT PRIMARY KEY, t TIMESTAMP NOT NULL DEFAULT '2001-01-01 00:00:00') ENGINE=InnoDB;
INSERT IGNORE INTO nulls (id, t) VALUES (1, NULL);

-- sql_mode.
SET sql_mode = '';
INSERT INTO modes (v, n) VALUES ('too long', 1000), ('ok', 'x');
SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
INSERT INTO modes (id, v) VALUES (0, 'zero');
SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT';
INSERT INTO "modes" ("v", s) VALUES ('a', 'b' || 'c');
SET sql_mode = 'NO_BACKSLASH_ESCAPES';
INSERT INTO modes (v, s) VALUES ('b', 'x\ny\');
SET sql_mode = DEFAULT;
INSERT INTO modes (v, s) VALUES ('c', 'x\ny\\'), ('d', 'a');

-- Character sets and collations.
SET NAMES latin1;
INSERT INTO letters (id, u, l) VALUES (1, 'ä', 'ä');
SET NAMES utf8;
INSERT INTO letters (id, u, l) VALUES (2, 'ä', 'ö');
SET collation_connection = utf8_bin;
INSERT INTO letters (id, same) VALUES (3, 'a' = 'A');
SET collation_connection = utf8_general_ci;
INSERT INTO letters (id, same) VALUES (4, 'a' = 'A');

-- Foreign keys.
INSERT INTO parent VALUES (1), (2), (3);
INSERT INTO child VALUES (1, 1), (2, 2), (3, 3);
SET foreign_key_checks = 0;
INSERT INTO child VALUES (9, 99);
SET foreign_key_checks = 1;
DELETE FROM parent WHERE id = 1;
UPDATE parent SET id = 20 WHERE id = 2;

-- Default schema, several tables, all verbs.
USE other;
INSERT INTO away VALUES (1, 'here'), (2, 'there'), (3, 'gone');
INSERT INTO st.numbered (v) SELECT v FROM away ORDER BY id;
UPDATE away JOIN st.numbered n ON n.v = away.v SET away.v = CONCAT(away.v, '!'), n.v = 'joined';
DELETE away FROM away JOIN st.numbered n ON n.id = away.id WHERE n.v = 'three';
REPLACE INTO away VALUES (2, 'replaced');
INSERT INTO away VALUES (2, 'x') ON DUPLICATE KEY UPDATE v = CONCAT(v, ' again');
DELETE FROM away ORDER BY id LIMIT 1;
USE st;

-- Local variables of a procedure are logged as NAME_CONST.
DELIMITER //
CREATE PROCEDURE fill (IN n INT, IN word VARCHAR(20) CHARACTER SET utf8) BEGIN DECLARE i INT DEFAULT 0; WHILE i < n DO INSERT INTO numbered (v) VALUES (CONCAT(word, i)); SET i = i + 1; END WHILE; END //
DELIMITER ;
CALL fill(3, 'wörd');

-- Several statements in a transaction, with savepoints; an end that is a comment.
BEGIN;
INSERT INTO numbered (v) VALUES ('in');
SAVEPOINT s;
UPDATE numbered SET v = CONCAT(v, '?') WHERE v LIKE 'w%' /* a comment; with a semicolon */;
RELEASE SAVEPOINT s;
DELETE FROM numbered WHERE v = 'two';
COMMIT;
SET SESSION binlog_format = DEFAULT;
