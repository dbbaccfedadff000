-- Tables that change places, as tools for schema changes let them.
-- schemas: swaps, elsewhere
-- servers: mysql-9.7, mysql-5.6
-- fidelity: statement | `RENAME TABLE` swaps, as gh-ost makes them | equal
-- fidelity: statement | `RENAME TABLE` as pt-online-schema-change makes it; its triggers on the source | equal; the rows of the new table come as row events, the triggers are held back
-- fidelity: statement | `ALTER TABLE … RENAME`, also into another schema | run as it was written
CREATE SCHEMA swaps;
CREATE SCHEMA elsewhere;
USE swaps;
-- Equal definitions, so that only their rows tell them apart.
CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO a VALUES (1, 'a');
INSERT INTO b VALUES (1, 'b'), (2, 'b');
RENAME TABLE a TO c, b TO a, c TO b;
INSERT INTO a VALUES (3, 'into a');
INSERT INTO b VALUES (2, 'into b');
RENAME TABLE swaps.a TO elsewhere.a, swaps.b TO swaps.a, elsewhere.a TO swaps.b;
UPDATE a SET v = 'a again' WHERE id = 2;
ALTER TABLE a RENAME TO elsewhere.moved;
INSERT INTO elsewhere.moved VALUES (9, 'moved');
-- The new name without a schema means the default one.
ALTER TABLE elsewhere.moved RENAME AS here, ADD COLUMN w INT DEFAULT 3;
INSERT INTO swaps.here VALUES (10, 'here', 4);

-- gh-ost: rows are copied and applied to a ghost, then both are renamed in one statement.
CREATE TABLE orders (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO orders VALUES (1, 'x'), (2, 'y'), (3, 'z');
CREATE TABLE _orders_ghc (id BIGINT AUTO_INCREMENT, last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, hint VARCHAR(64) CHARACTER SET ascii NOT NULL, value VARCHAR(4096) CHARACTER SET ascii NOT NULL, PRIMARY KEY (id), UNIQUE KEY hint_uidx (hint)) AUTO_INCREMENT=256;
INSERT INTO _orders_ghc (id, hint, value) VALUES (NULLIF(2, 0), 'state', 'GhostTableMigrated') ON DUPLICATE KEY UPDATE last_update = NOW(), value = VALUES(value);
CREATE TABLE _orders_gho LIKE orders;
ALTER TABLE _orders_gho ADD COLUMN extra INT NOT NULL DEFAULT 5;
INSERT IGNORE INTO _orders_gho (id, v) (SELECT id, v FROM orders FORCE INDEX (`PRIMARY`) WHERE id >= 1 LOCK IN SHARE MODE);
UPDATE orders SET v = 'during' WHERE id = 2;
REPLACE INTO _orders_gho (id, v) VALUES (2, 'during');
DELETE FROM orders WHERE id = 3;
DELETE FROM _orders_gho WHERE id = 3;
CREATE TABLE _orders_del (id INT AUTO_INCREMENT PRIMARY KEY) COMMENT='ghost-cut-over-sentry';
DROP TABLE IF EXISTS `swaps`.`_orders_del`;
RENAME /* gh-ost */ TABLE `swaps`.`orders` TO `swaps`.`_orders_del`, `swaps`.`_orders_gho` TO `swaps`.`orders`;
INSERT INTO orders VALUES (4, 'after', 6);
DROP TABLE _orders_ghc;
DROP TABLE _orders_del;

-- pt-online-schema-change: triggers keep the new table in step, then both are renamed.
CREATE TABLE pay (id INT PRIMARY KEY, v VARCHAR(20));
INSERT INTO pay VALUES (1, 'x'), (2, 'y'), (3, 'z');
CREATE TABLE _pay_new LIKE pay;
ALTER TABLE _pay_new ADD COLUMN extra INT NOT NULL DEFAULT 5;
CREATE TRIGGER pt_osc_pay_del AFTER DELETE ON pay FOR EACH ROW DELETE IGNORE FROM _pay_new WHERE id <=> OLD.id;
CREATE TRIGGER pt_osc_pay_upd AFTER UPDATE ON pay FOR EACH ROW REPLACE INTO _pay_new (id, v) VALUES (NEW.id, NEW.v);
CREATE TRIGGER pt_osc_pay_ins AFTER INSERT ON pay FOR EACH ROW REPLACE INTO _pay_new (id, v) VALUES (NEW.id, NEW.v);
INSERT LOW_PRIORITY IGNORE INTO _pay_new (id, v) SELECT id, v FROM pay LOCK IN SHARE MODE;
UPDATE pay SET v = 'during' WHERE id = 2;
DELETE FROM pay WHERE id = 3;
INSERT INTO pay VALUES (4, 'four');
ANALYZE TABLE _pay_new;
RENAME TABLE pay TO _pay_old, _pay_new TO pay;
DROP TABLE IF EXISTS _pay_old;
DROP TRIGGER IF EXISTS pt_osc_pay_del;
DROP TRIGGER IF EXISTS pt_osc_pay_upd;
DROP TRIGGER IF EXISTS pt_osc_pay_ins;
INSERT INTO pay VALUES (5, 'after', 6);
