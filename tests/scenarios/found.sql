-- What random schemas have found (tests/tests/random_schemas.rs), each kept as small as it could be made.
-- schemas: found
-- fidelity: type | columns after a YEAR or a VECTOR; ENUM, and SET with 64 members, in keys | equal
CREATE DATABASE found;
USE found;

-- A YEAR counts among the columns whose signs the log tells: those after it took the signs of others.
CREATE TABLE signs (y YEAR, a TINYINT, b TINYINT UNSIGNED, c BIT(3), d INT, e INT UNSIGNED, id INT PRIMARY KEY);
INSERT INTO signs VALUES (2000, -1, 255, 3, -5, 4294967295, -7), (NULL, 1, 2, 3, 4, 5, 6);
UPDATE signs SET a = -2, e = 3000000000 WHERE id = -7;

-- In a list of tuples, an ENUM or a SET that is compared with a number matches nothing.
CREATE TABLE tuples (e ENUM('x','y','z'), s SET('a','b'), n INT, PRIMARY KEY (e, s, n));
INSERT INTO tuples VALUES (1, 0, 1), (2, 1, 2), (3, 3, 3), (1, 2, 4);
DELETE FROM tuples WHERE n < 4;

-- A VECTOR counts among the columns whose character sets the log tells.
CREATE TABLE letters (v VECTOR(1), a CHAR(3) CHARACTER SET latin1, b CHAR(3) CHARACTER SET utf8mb4, w VECTOR(2), c VARCHAR(9) CHARACTER SET gbk, id INT PRIMARY KEY);
INSERT INTO letters VALUES (TO_VECTOR('[1]'), 'ä', 'ä', NULL, '中', 1), (NULL, 'ö', 'ß', TO_VECTOR('[1,2]'), NULL, 2);
UPDATE letters SET a = 'ß', c = '文' WHERE id = 2;

-- The 64th member of a SET is the sign of its number: without a sign it finds no row.
CREATE TABLE masks (s SET('m0','m1','m2','m3','m4','m5','m6','m7','m8','m9','m10','m11','m12','m13','m14','m15','m16','m17','m18','m19','m20','m21','m22','m23','m24','m25','m26','m27','m28','m29','m30','m31','m32','m33','m34','m35','m36','m37','m38','m39','m40','m41','m42','m43','m44','m45','m46','m47','m48','m49','m50','m51','m52','m53','m54','m55','m56','m57','m58','m59','m60','m61','m62','m63') PRIMARY KEY, n INT);
INSERT INTO masks VALUES (0, 1), (1, 2), (9223372036854775808, 3), (18446744073709551615, 4), (16853648765035084184, 5);
UPDATE masks SET n = n + 10;
DELETE FROM masks WHERE n > 13;

-- A hint stands in a comment, which the name of its table may end, though it is quoted.
CREATE TABLE `a*/b` (id INT PRIMARY KEY, v INT);
CREATE TABLE `/*/*``c` (id INT PRIMARY KEY, v INT);
INSERT INTO `a*/b` VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO `/*/*``c` VALUES (1, 1), (2, 2), (3, 3);
DELETE FROM `a*/b` WHERE id < 3;
DELETE FROM `/*/*``c` WHERE id > 1;
