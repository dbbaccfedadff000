-- Distributed transactions: branches that are prepared, interleaved with others, and ended later.
-- schemas: xa
-- fidelity: event | XA_PREPARE_LOG_EVENT | rows are kept in `datain.xa_prepared` with the checkpoint, and not seen before the COMMIT
-- fidelity: event | XA_PREPARE_LOG_EVENT of `XA COMMIT … ONE PHASE` | committed at once, also in pieces
-- fidelity: statement | `XA COMMIT` | applies what was kept, every row counted
-- fidelity: statement | `XA ROLLBACK` of a prepared branch | forgets what was kept
SET SESSION innodb_lock_wait_timeout = 1;
CREATE SCHEMA xa;
CREATE TABLE xa.t (id INT PRIMARY KEY, v VARCHAR(200), u INT UNIQUE);
CREATE TABLE xa.parent (id INT PRIMARY KEY);
CREATE TABLE xa.child (id INT PRIMARY KEY, parent_id INT, FOREIGN KEY (parent_id) REFERENCES xa.parent (id) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO xa.t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3), (4, 'd', 4);
INSERT INTO xa.parent VALUES (1), (2), (3);
INSERT INTO xa.child VALUES (10, 1), (20, 2), (30, 3);

-- Three branches at once, with other transactions between their steps; xids with qualifier, format and bytes of any kind.
XA START 'one';
INSERT INTO xa.t VALUES (10, 'ten', 10);
UPDATE xa.t SET v = 'a''\\' WHERE id = 1;
DELETE FROM xa.parent WHERE id = 3;
XA END 'one';
XA PREPARE 'one';
INSERT INTO xa.t VALUES (100, 'between', 100);
XA START 'two', 'branch', 7;
DELETE FROM xa.t WHERE id = 2;
INSERT INTO xa.t VALUES (11, 'never', 11);
XA END 'two', 'branch', 7;
XA PREPARE 'two', 'branch', 7;
XA START X'00ff275c', X'005c60', 4294967295;
UPDATE xa.t SET u = 33 WHERE id = 3;
UPDATE xa.parent SET id = 22 WHERE id = 2;
XA END X'00ff275c', X'005c60', 4294967295;
XA PREPARE X'00ff275c', X'005c60', 4294967295;
CREATE TABLE xa.other (id INT PRIMARY KEY);
INSERT INTO xa.other VALUES (1);
XA ROLLBACK 'two', 'branch', 7;
INSERT INTO xa.t VALUES (11, 'after the rollback', 11);
UPDATE xa.t SET u = 22 WHERE id = 2;
XA COMMIT X'00ff275c', X'005c60', 4294967295;
ALTER TABLE xa.other ADD COLUMN c INT;
XA COMMIT 'one';
UPDATE xa.t SET v = CONCAT(v, '!');

-- The same xid again; the longest one.
XA START 'one';
INSERT INTO xa.t VALUES (12, 'again', 12);
XA END 'one';
XA PREPARE 'one';
XA COMMIT 'one';
XA START '0123456789012345678901234567890123456789012345678901234567890123', 'abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd', 2147483647;
INSERT INTO xa.t VALUES (13, 'long xid', 13);
XA END '0123456789012345678901234567890123456789012345678901234567890123', 'abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd', 2147483647;
XA PREPARE '0123456789012345678901234567890123456789012345678901234567890123', 'abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd', 2147483647;
XA COMMIT '0123456789012345678901234567890123456789012345678901234567890123', 'abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcd', 2147483647;

-- One phase; rolled back before it was prepared; without any change.
XA START 'solo';
INSERT INTO xa.t VALUES (14, 'solo', 14);
XA END 'solo';
XA COMMIT 'solo' ONE PHASE;
XA START 'undone';
INSERT INTO xa.t VALUES (15, 'undone', 15);
XA END 'undone';
XA ROLLBACK 'undone';
XA START 'empty';
XA END 'empty';
XA PREPARE 'empty';
XA COMMIT 'empty';

-- Larger than a batch.
SET SESSION cte_max_recursion_depth = 100000;
XA START 'large';
INSERT INTO xa.t WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 2200) SELECT i, REPEAT('x', 150), i FROM n;
UPDATE xa.t SET v = REPEAT('y', 150) WHERE id BETWEEN 1000 AND 1300;
XA END 'large';
XA PREPARE 'large';
INSERT INTO xa.t VALUES (5000, 'between', 5000);
XA COMMIT 'large';
XA START 'large and at once';
INSERT INTO xa.t WITH RECURSIVE n (i) AS (SELECT 6000 UNION ALL SELECT i + 1 FROM n WHERE i < 7000) SELECT i, REPEAT('z', 150), i FROM n;
DELETE FROM xa.t WHERE id BETWEEN 1000 AND 1400;
XA END 'large and at once';
XA COMMIT 'large and at once' ONE PHASE;

-- Left as it is: not to be seen on either side.
XA START 'open';
INSERT INTO xa.t VALUES (9000, 'open', 9000);
XA END 'open';
XA PREPARE 'open';
