-- schemas: v_strings
-- fidelity: type | CHAR, VARCHAR, TEXT | equal by their bytes, in every character set, those with supplementary characters too
-- fidelity: type | BINARY, VARBINARY | equal, trailing 0x00 too, and in primary keys
-- fidelity: type | TINYBLOB to LONGBLOB | equal, from 0 bytes to several MiB
-- fidelity: type | UCS-2 with single surrogates | equal
-- fidelity: type | strings as primary keys | found as the column's collation compares
CREATE DATABASE v_strings;
USE v_strings;
CREATE TABLE charsets (id INT PRIMARY KEY,
  utf8mb4 VARCHAR(40) CHARACTER SET utf8mb4, utf8mb3 VARCHAR(40) CHARACTER SET utf8mb3, latin1 VARCHAR(40) CHARACTER SET latin1, latin2 VARCHAR(40) CHARACTER SET latin2, ascii CHAR(40) CHARACTER SET ascii,
  gbk VARCHAR(40) CHARACTER SET gbk, gb2312 VARCHAR(40) CHARACTER SET gb2312, gb18030 VARCHAR(40) CHARACTER SET gb18030, big5 VARCHAR(40) CHARACTER SET big5, sjis VARCHAR(40) CHARACTER SET sjis,
  cp932 VARCHAR(40) CHARACTER SET cp932, ujis VARCHAR(40) CHARACTER SET ujis, eucjpms VARCHAR(40) CHARACTER SET eucjpms, euckr VARCHAR(40) CHARACTER SET euckr, tis620 VARCHAR(40) CHARACTER SET tis620,
  ucs2 VARCHAR(40) CHARACTER SET ucs2, utf16 VARCHAR(40) CHARACTER SET utf16, utf16le CHAR(40) CHARACTER SET utf16le, utf32 VARCHAR(40) CHARACTER SET utf32,
  cp1250 VARCHAR(40) CHARACTER SET cp1250, cp1251 VARCHAR(40) CHARACTER SET cp1251, cp1256 VARCHAR(40) CHARACTER SET cp1256, cp1257 VARCHAR(40) CHARACTER SET cp1257, koi8r VARCHAR(40) CHARACTER SET koi8r, koi8u VARCHAR(40) CHARACTER SET koi8u,
  cp850 VARCHAR(40) CHARACTER SET cp850, cp852 VARCHAR(40) CHARACTER SET cp852, cp866 VARCHAR(40) CHARACTER SET cp866, greek VARCHAR(40) CHARACTER SET greek, hebrew VARCHAR(40) CHARACTER SET hebrew,
  armscii8 VARCHAR(40) CHARACTER SET armscii8, geostd8 VARCHAR(40) CHARACTER SET geostd8, keybcs2 VARCHAR(40) CHARACTER SET keybcs2, latin5 VARCHAR(40) CHARACTER SET latin5, latin7 VARCHAR(40) CHARACTER SET latin7,
  swe7 VARCHAR(40) CHARACTER SET swe7, dec8 VARCHAR(40) CHARACTER SET dec8, hp8 VARCHAR(40) CHARACTER SET hp8, macroman VARCHAR(40) CHARACTER SET macroman, macce VARCHAR(40) CHARACTER SET macce, bin VARBINARY(40));
INSERT INTO charsets (id) VALUES (1), (2), (3), (4);
UPDATE charsets SET utf8mb4 = 'a😀🏳️‍🌈é', utf8mb3 = 'naïve ₧', latin1 = 'Größe €', latin2 = 'Łódź', ascii = 'plain', gbk = '中文表', gb2312 = '中文', gb18030 = '中文😀', big5 = '中文', sjis = '表ソ能ｱ', cp932 = '表ソ①', ujis = '日本', eucjpms = '日本①',
  euckr = '한국', tis620 = 'ไทย', ucs2 = 'жñ', utf16 = 'a😀', utf16le = '😀ж', utf32 = '😀', cp1250 = 'Łódź', cp1251 = 'Привет', cp1256 = 'سلام', cp1257 = 'Žąsis', koi8r = 'Привет', koi8u = 'Київ', cp850 = 'Größe', cp852 = 'Łódź', cp866 = 'Привет', greek = 'Ωμέγα', hebrew = 'שלום',
  armscii8 = 'Հայ', geostd8 = 'ქარ', keybcs2 = 'Čeština', latin5 = 'İş', latin7 = 'Žąsis', swe7 = 'ab', dec8 = 'é', hp8 = 'é', macroman = 'é', macce = 'Č', bin = X'00FF27225C0A0D1A' WHERE id = 1;
-- Quotes, backslashes, ends of lines and NUL in each; in some of these character sets the byte of a backslash is the second half of a letter.
UPDATE charsets SET utf8mb4 = '''"\\\n\r\0\Z%_`', utf8mb3 = '''"\\\0', latin1 = '''"\\\n\r\0\Z', latin2 = '\\''', ascii = '''"\\\0', gbk = '''"\\\0', gb2312 = '\\''', gb18030 = '\\''', big5 = '功\\''', sjis = '表\\''', cp932 = 'ソ\\''', ujis = '\\''', eucjpms = '\\''', euckr = '\\''',
  ucs2 = '''"\\\0', utf16 = '''"\\\0', utf16le = '''"\\\0', utf32 = '''"\\\0', hp8 = '''', macroman = '''', bin = '' WHERE id = 2;
-- Empty, and spaces at the end.
UPDATE charsets SET utf8mb4 = '', utf8mb3 = 'x  ', latin1 = '  ', gbk = ' ', sjis = '', ucs2 = ' ', utf16 = '', utf32 = 'x ', utf16le = 'x', bin = X'2020' WHERE id = 3;
-- Every byte of one-byte character sets.
CREATE TABLE every_byte (id INT PRIMARY KEY, l1 VARCHAR(1) CHARACTER SET latin1, l2 VARCHAR(1) CHARACTER SET latin2, c1251 VARCHAR(1) CHARACTER SET cp1251, c1256 VARCHAR(1) CHARACTER SET cp1256, c850 VARCHAR(1) CHARACTER SET cp850, k VARCHAR(1) CHARACTER SET koi8r, m VARCHAR(1) CHARACTER SET macroman,
  h VARCHAR(1) CHARACTER SET hp8, d VARCHAR(1) CHARACTER SET dec8, t VARCHAR(1) CHARACTER SET tis620, g VARCHAR(1) CHARACTER SET greek, b BINARY(1), p CHAR(1) CHARACTER SET latin1);
INSERT INTO every_byte SELECT n, c, c, c, c, c, c, c, c, c, c, c, c, c FROM (SELECT n, UNHEX(LPAD(HEX(n), 2, '0')) AS c FROM (WITH RECURSIVE q (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM q WHERE n < 255) SELECT n FROM q) AS q) AS bytes;
-- A surrogate by itself is a character of UCS-2, and none of UTF-16.
CREATE TABLE surrogates (u VARCHAR(9) CHARACTER SET ucs2 PRIMARY KEY, c CHAR(3) CHARACTER SET ucs2, t TEXT CHARACTER SET ucs2);
INSERT INTO surrogates VALUES ('a', X'D83D', X'DE00D83D'), ('b', X'FFFF', X'0000'), ('c', 'c', X'DFFF');
UPDATE surrogates SET t = X'D83DDE00', u = 'd' WHERE u = 'c';
DELETE FROM surrogates WHERE u = 'b';

CREATE TABLE padded (k BINARY(4), v VARBINARY(4), c CHAR(4) CHARACTER SET latin1 COLLATE latin1_bin, x VARCHAR(4) CHARACTER SET latin1 COLLATE latin1_swedish_ci, n INT, PRIMARY KEY (k, v, c, x));
INSERT INTO padded VALUES (X'00000000', '', '', '', 1), (X'61000000', X'6100', 'a', 'a ', 2), (X'00000061', X'61', ' a', ' a', 3), (X'27225C00', X'5C', '\\', '''', 4), ('ab', 'ab', 'ab', 'ab', 5), (X'00', X'00', '', '', 6), (X'20', X'20', 'z', 'Ä', 7);
UPDATE padded SET n = n + 10;
UPDATE padded SET k = X'6100', v = X'00' WHERE n = 12;
UPDATE padded SET x = 'AB' WHERE n = 15;
DELETE FROM padded WHERE n IN (11, 13);
CREATE TABLE compared (k VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci, u VARCHAR(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci, g VARCHAR(20) CHARACTER SET gbk, s CHAR(20) CHARACTER SET sjis, w VARCHAR(9) CHARACTER SET utf32, n INT, PRIMARY KEY (k, u, g, s, w));
INSERT INTO compared VALUES ('straße', 'Größe', '中文', '表', '😀', 1), ('STRASSE!', 'GROSSE', '''', '\\', 'b', 2), ('', '', '', '', '', 3), ('😀', 'x', '文', 'ソ', 'ж', 4);
UPDATE compared SET n = n + 10;
UPDATE compared SET k = UPPER(k), u = LOWER(u) WHERE n IN (11, 12);
DELETE FROM compared WHERE n = 13;

CREATE TABLE blobs (id INT PRIMARY KEY, tb TINYBLOB, b BLOB, mb MEDIUMBLOB, lb LONGBLOB, tt TINYTEXT, t TEXT, mt MEDIUMTEXT, lt LONGTEXT CHARACTER SET utf16);
INSERT INTO blobs VALUES (1, '', '', '', '', '', '', '', ''), (2, REPEAT(X'00', 255), REPEAT(X'FF', 65535), REPEAT(X'27', 65536), REPEAT(X'5C', 65536), REPEAT('a', 255), REPEAT('é', 32767), REPEAT('😀', 20000), REPEAT('😀', 20000)),
 (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO blobs (id, lb) VALUES (4, REPEAT(UNHEX('000102275C1A0A0D'), 131072)), (5, REPEAT(UNHEX('FF'), 5000000));
UPDATE blobs SET b = REVERSE(b), mt = NULL WHERE id = 2;
UPDATE blobs SET id = 44 WHERE id = 4;
UPDATE blobs SET tb = 'x' WHERE id = 5;
DELETE FROM blobs WHERE id = 1;
CREATE TABLE blob_keys (b BLOB, t TEXT CHARACTER SET latin1, n INT, PRIMARY KEY (b(10), t(5)));
INSERT INTO blob_keys VALUES (REPEAT('a', 20), 'one', 1), (X'00', 'two', 2), (X'0000', 'three and more', 3);
UPDATE blob_keys SET n = n + 10;
UPDATE blob_keys SET b = X'000000' WHERE n = 12;
DELETE FROM blob_keys WHERE n = 13;
