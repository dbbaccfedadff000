-- schemas: vectorkinds
-- servers: mariadb-11.8 → mariadb-11.8, mariadb-11.8 → mysql-9.7
-- fidelity: type | VECTOR of MariaDB, which its log shows as VARBINARY | equal
-- In MariaDB's words, so that both take the statements.
CREATE SCHEMA vectorkinds;
USE vectorkinds;
CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3), w VECTOR(300) NOT NULL, n INT);
INSERT INTO vectors VALUES
  (1, Vec_FromText('[1,2.5,-3]'), Vec_FromText(CONCAT('[', REPEAT('0.1,', 299), '-0]')), 1),
  (2, NULL, Vec_FromText(CONCAT('[', REPEAT('1e15,', 299), '1e-30]')), 2),
  (3, Vec_FromText('[0,-0,39]'), Vec_FromText(CONCAT('[', REPEAT('92,', 299), '39]')), 3);
INSERT INTO vectors SELECT id + 10, v, w, n FROM vectors;
UPDATE vectors SET v = Vec_FromText('[9,9,9]') WHERE id = 2;
UPDATE vectors SET n = n + 1;
UPDATE vectors SET v = w WHERE FALSE;
UPDATE vectors SET id = 21, v = NULL WHERE id = 11;
DELETE FROM vectors WHERE id IN (3, 13);
ALTER TABLE vectors ADD x VECTOR(2) FIRST;
UPDATE vectors SET x = Vec_FromText('[1,1]') WHERE id > 2;
