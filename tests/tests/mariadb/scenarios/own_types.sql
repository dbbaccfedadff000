-- schemas: ownkinds
-- servers: mariadb-11.8 → mariadb-11.8, mariadb-10.11 → mariadb-10.11
-- fidelity: type | UUID, INET4 and INET6 of MariaDB, in keys too | equal
-- The types that only MariaDB has, also in keys.
CREATE SCHEMA ownkinds CHARACTER SET utf8mb4;
USE ownkinds;
CREATE TABLE addresses (id UUID PRIMARY KEY, four INET4, six INET6, other UUID, n INT, KEY (six));
INSERT INTO addresses VALUES
  ('00112233-4455-1677-8899-aabbccddeeff', '0.0.0.0', '::', '00000000-0000-0000-0000-000000000000', 1),
  ('f47ac10b-58cc-4372-a567-0e02b2c3d479', '255.255.255.255', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'f47ac10b-58cc-7372-0567-0e02b2c3d400', 2),
  ('00112233-4455-7677-0099-aabbccddee00', '192.168.0.0', '2001:db8::ff00:42:8329', '00112233-4455-6677-8899-aabbccddee20', 3),
  ('00112233-4455-4677-0099-aabbccddee20', NULL, NULL, NULL, 4);
UPDATE addresses SET n = n + 10, six = '::1', four = '10.0.0.1' WHERE n < 4;
UPDATE addresses SET id = '99999999-4455-4677-8899-aabbccddee20' WHERE n = 4;
DELETE FROM addresses WHERE n = 12;
CREATE TABLE addressed (a INET6, b INET4, v VARCHAR(9), PRIMARY KEY (a, b));
INSERT INTO addressed VALUES ('::', '0.0.0.0', 'x'), ('::2', '1.2.3.0', 'y'), ('::3', '1.2.3.4', 'z');
UPDATE addressed SET v = CONCAT(v, v);
DELETE FROM addressed WHERE a = '::2';
CREATE TABLE computed (id INT PRIMARY KEY, u UUID DEFAULT UUID());
INSERT INTO computed (id) VALUES (1), (2);
