-- schemas: v_enum_set
-- fidelity: type | ENUM | equal, by index: more than 255 members, an empty member, in primary keys
-- fidelity: type | ENUM with the invalid value (index 0) | equal, in primary keys too; written while the session is not strict, and read back
-- fidelity: type | SET | equal, by mask: 64 members, none, in primary keys
CREATE DATABASE v_enum_set;
USE v_enum_set;
CREATE TABLE enums (e ENUM('a','b','','d''quote') CHARACTER SET latin1, big ENUM('m1','m2','m3','m4','m5','m6','m7','m8','m9','m10','m11','m12','m13','m14','m15','m16','m17','m18','m19','m20','m21','m22','m23','m24','m25','m26','m27','m28','m29','m30','m31','m32','m33','m34','m35','m36','m37','m38','m39','m40','m41','m42','m43','m44','m45','m46','m47','m48','m49','m50','m51','m52','m53','m54','m55','m56','m57','m58','m59','m60','m61','m62','m63','m64','m65','m66','m67','m68','m69','m70','m71','m72','m73','m74','m75','m76','m77','m78','m79','m80','m81','m82','m83','m84','m85','m86','m87','m88','m89','m90','m91','m92','m93','m94','m95','m96','m97','m98','m99','m100','m101','m102','m103','m104','m105','m106','m107','m108','m109','m110','m111','m112','m113','m114','m115','m116','m117','m118','m119','m120','m121','m122','m123','m124','m125','m126','m127','m128','m129','m130','m131','m132','m133','m134','m135','m136','m137','m138','m139','m140','m141','m142','m143','m144','m145','m146','m147','m148','m149','m150','m151','m152','m153','m154','m155','m156','m157','m158','m159','m160','m161','m162','m163','m164','m165','m166','m167','m168','m169','m170','m171','m172','m173','m174','m175','m176','m177','m178','m179','m180','m181','m182','m183','m184','m185','m186','m187','m188','m189','m190','m191','m192','m193','m194','m195','m196','m197','m198','m199','m200','m201','m202','m203','m204','m205','m206','m207','m208','m209','m210','m211','m212','m213','m214','m215','m216','m217','m218','m219','m220','m221','m222','m223','m224','m225','m226','m227','m228','m229','m230','m231','m232','m233','m234','m235','m236','m237','m238','m239','m240','m241','m242','m243','m244','m245','m246','m247','m248','m249','m250','m251','m252','m253','m254','m255','m256','m257','m258','m259','m260','m261','m262','m263','m264','m265','m266','m267','m268','m269','m270','m271','m272','m273','m274','m275','m276','m277','m278','m279','m280','m281','m282','m283','m284','m285','m286','m287','m288','m289','m290','m291','m292','m293','m294','m295','m296','m297','m298','m299','m300'), n INT, s SET('x') NOT NULL DEFAULT '', d DECIMAL(5,2) NOT NULL DEFAULT 1.5, c VARCHAR(9) CHARACTER SET gbk, f FLOAT, j JSON, ts TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), PRIMARY KEY (e, big, n));
INSERT INTO enums (e, big, n) VALUES ('a', 'm1', 1), ('', 'm256', 2), ('d''quote', 'm300', 3), ('b', 'm255', 4);
UPDATE enums SET e = 'b', big = 'm257' WHERE n = 1;
UPDATE enums SET e = '' WHERE n = 4;
-- What a session that is not strict lets in.
SET SESSION sql_mode = '';
INSERT INTO enums (e, big, n, c, f, j) VALUES ('nonsense', 'm1', 10, '中文', 0.1, '[1, 2.5]'), ('a', 'nonsense', 11, '''\\', 1e-45, 'null'), ('a', 'm2', 12, '', 0, NULL);
INSERT INTO enums (e, big, n) VALUES (0, 0, 13), ('a', 'm3', 14), (0, 'm3', 15), (0, 'm3', 16);
UPDATE enums SET e = 'other nonsense' WHERE n = 12;
UPDATE enums SET c = 'x', f = -0e0 WHERE n = 10;
UPDATE enums SET e = 'a' WHERE n = 13;
UPDATE enums SET s = 'x', j = '{"a": 1}' WHERE n = 11;
DELETE FROM enums WHERE n IN (15, 16);
CREATE TABLE invalid (id INT PRIMARY KEY, e ENUM('x','y'), nn ENUM('x','y') NOT NULL, k ENUM('', 'z'), u ENUM('p','q') CHARACTER SET utf32, v VARCHAR(5), b BIT(5), st SET('a','b'), bl BLOB, t TEXT, dt DATETIME(6), de DECIMAL(65,30), UNIQUE (e, id));
INSERT INTO invalid VALUES (1, 0, 0, 0, 0, 'v', 31, 'a,b', X'00FF', 'té', '2020-00-00 00:00:00.5', 0.000000000000000000000000000001), (2, NULL, 'x', '', 'p', NULL, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'x', 'bad', 'z', 'bad', '', 0, '', '', '', '0000-00-00', -1);
UPDATE invalid SET e = 'bad' WHERE id = 2;
UPDATE invalid SET e = NULL, nn = 'y', k = NULL WHERE id = 1;
UPDATE invalid SET id = 30, bl = 'x' WHERE id = 3;
SET SESSION sql_mode = DEFAULT;
CREATE TABLE sets (s SET('a','b','c') CHARACTER SET latin1, s64 SET('s0','s1','s2','s3','s4','s5','s6','s7','s8','s9','s10','s11','s12','s13','s14','s15','s16','s17','s18','s19','s20','s21','s22','s23','s24','s25','s26','s27','s28','s29','s30','s31','s32','s33','s34','s35','s36','s37','s38','s39','s40','s41','s42','s43','s44','s45','s46','s47','s48','s49','s50','s51','s52','s53','s54','s55','s56','s57','s58','s59','s60','s61','s62','s63'), n INT, PRIMARY KEY (s, s64));
INSERT INTO sets VALUES ('', '', 1), ('a,c', 's63', 2), ('a,b,c', 18446744073709551615, 3), ('b', 's0,s63,s31,s32', 4), ('c', 9223372036854775807, 5);
UPDATE sets SET n = n + 10;
UPDATE sets SET s64 = s64 & ~1, s = 'a' WHERE n IN (13, 14);
DELETE FROM sets WHERE n IN (11, 12);
