-- schemas: owned
-- servers: mariadb-11.8 → mariadb-11.8, mariadb-10.11 → mariadb-10.11
-- fidelity: statement | definitions in words that only MariaDB knows: `OR REPLACE`, `IF NOT EXISTS` of columns and indexes, `/*M! */`, `FOR … IN` | equal
-- Definitions in words that only MariaDB knows.
CREATE OR REPLACE SCHEMA owned CHARACTER SET utf8mb4;
USE owned;
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4;
INSERT INTO a VALUES (1, 'x'), (2, 'y');
CREATE OR REPLACE TABLE a (id INT PRIMARY KEY, v VARCHAR(20), w INT) CHARACTER SET latin1;
INSERT INTO a VALUES (1, 'x', 1), (2, 'y', 2), (3, 'z', 3);
ALTER TABLE a ADD COLUMN IF NOT EXISTS x INT DEFAULT 5, ADD INDEX IF NOT EXISTS (w);
ALTER TABLE a ADD COLUMN IF NOT EXISTS x INT DEFAULT 6;
UPDATE a SET x = id;
/*M!110201 SET SESSION character_set_collations = 'utf8mb4=utf8mb4_bin' */;
CREATE TABLE collated (id INT PRIMARY KEY, v VARCHAR(20)) CHARACTER SET utf8mb4;
/*M!110201 SET SESSION character_set_collations = DEFAULT */;
INSERT INTO collated VALUES (1, 'a'), (2, 'A');
/*M!100600 CREATE TABLE commented (id INT PRIMARY KEY, /*!99999 not */ v INT) */;
INSERT INTO commented VALUES (1, 1);
CREATE TABLE copied (PRIMARY KEY (id)) SELECT * FROM a;
DELIMITER //
CREATE PROCEDURE fill (n INT) BEGIN FOR i IN 100..n DO INSERT INTO a (id, v) VALUES (i, 'p'); END FOR; END //
DELIMITER ;
CALL fill(110);
