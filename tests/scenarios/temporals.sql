-- schemas: v_temporals
-- fidelity: type | DATE, DATETIME(0-6) | equal; zero, partial and impossible dates that the source's sql_mode let in too
-- fidelity: type | TIME(0-6) | equal, negative and beyond 24 h
-- fidelity: type | TIMESTAMP(0-6) | the same instant, whatever the sessions' time zones, over changes of daylight saving time, the zero value too
-- fidelity: type | DEFAULT CURRENT_TIMESTAMP, ON UPDATE CURRENT_TIMESTAMP | the source's values, never the target's clock
-- fidelity: type | temporal values as primary keys | found by their exact value
CREATE DATABASE v_temporals;
USE v_temporals;
CREATE TABLE times (id INT PRIMARY KEY, t TIME, t1 TIME(1), t2 TIME(2), t3 TIME(3), t4 TIME(4), t5 TIME(5), t6 TIME(6));
INSERT INTO times VALUES
 (1, '-838:59:59', '-838:59:58.9', '-838:59:58.99', '-838:59:58.999', '-838:59:58.9999', '-838:59:58.99999', '-838:59:58.999999'),
 (2, '838:59:59', '838:59:58.9', '838:59:58.99', '838:59:58.999', '838:59:58.9999', '838:59:58.99999', '838:59:58.999999'),
 (3, '-00:00:01', '-00:00:00.1', '-00:00:00.01', '-00:00:00.001', '-00:00:00.0001', '-00:00:00.00001', '-00:00:00.000001'),
 (4, '00:00:00', '00:00:00.1', '00:00:00.01', '00:00:00.001', '00:00:00.0001', '00:00:00.00001', '00:00:00.000001'),
 (5, '24:00:00', '-24:00:00.5', '-100:00:00.25', '99:59:59.125', '-01:00:00.0001', '-00:01:00.00001', '-00:00:01.000001'),
 (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE times SET t = SUBTIME('00:00:00', t), t6 = SUBTIME('00:00:00', t6), t3 = NULL WHERE id < 4;
DELETE FROM times WHERE id = 5;

SET SESSION sql_mode = 'ALLOW_INVALID_DATES';
CREATE TABLE dates (id INT PRIMARY KEY, d DATE, dt DATETIME, dt1 DATETIME(1), dt2 DATETIME(2), dt3 DATETIME(3), dt4 DATETIME(4), dt5 DATETIME(5), dt6 DATETIME(6));
INSERT INTO dates VALUES
 (1, '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00'),
 (2, '2020-00-00', '2020-00-00 01:02:03', '2020-01-00 01:02:03.4', '2020-00-01 01:02:03.45', '0000-01-01 00:00:00.001', '0000-12-00 23:59:59.9999', '0001-01-01 00:00:00.00001', '0000-00-01 00:00:00.000001'),
 (3, '2021-02-31', '2021-02-30 12:00:00', '2021-04-31 00:00:00.5', '1900-02-29 00:00:00.25', '2100-02-29 00:00:00.125', '2000-02-30 00:00:00.0001', '2000-06-31 00:00:00.00001', '9999-11-31 23:59:59.999999'),
 (4, '1000-01-01', '1000-01-01 00:00:00', '9999-12-31 23:59:59.9', '9999-12-31 23:59:59.99', '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.9999', '9999-12-31 23:59:59.99999', '9999-12-31 23:59:59.999999'),
 (5, '9999-12-31', '2024-02-29 00:00:00', '2024-02-29 00:00:00', '2024-02-29 00:00:00', '2024-02-29 00:00:00', '2024-02-29 00:00:00', '2024-02-29 00:00:00', '2024-02-29 00:00:00'),
 (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE dates SET dt6 = '2020-10-00 00:00:00.5', d = '0000-00-01' WHERE id = 5;
UPDATE dates SET id = id + 100 WHERE id < 4;
DELETE FROM dates WHERE id = 4;
CREATE TABLE date_keys (d DATE, t TIME(3), dt DATETIME(6), ts TIMESTAMP(2) DEFAULT '0000-00-00 00:00:00', y YEAR, v INT, PRIMARY KEY (d, t, dt, ts, y));
INSERT INTO date_keys VALUES ('0000-00-00', '-00:00:00.001', '0000-00-00', '0000-00-00', 0, 1), ('2020-00-01', '-838:59:59', '2020-00-00 00:00:00.000001', '2020-01-01 00:00:00.01', 2155, 2), ('2021-02-31', '24:00:00.5', '2021-02-31 00:00:00', '2038-01-19 03:14:07.99', 1901, 3), ('2022-00-00', '838:59:58.5', '2022-00-00 01:00:00', '2022-01-01 00:00:01', 2022, 4);
UPDATE date_keys SET v = v + 10;
UPDATE date_keys SET d = '2020-00-02', ts = '2020-01-01 00:00:00.02' WHERE v = 12;
DELETE FROM date_keys WHERE v IN (11, 13, 14);

CREATE TABLE instants (id INT PRIMARY KEY, ts TIMESTAMP NULL, ts1 TIMESTAMP(1) NULL, ts3 TIMESTAMP(3) NULL, ts6 TIMESTAMP(6) NULL,
  made TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6),
  dt_changed DATETIME(3) DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3));
INSERT INTO instants (id, ts, ts1, ts3, ts6) VALUES (1, '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00', '0000-00-00 00:00:00');
SET SESSION time_zone = '+00:00';
INSERT INTO instants (id, ts, ts1, ts3, ts6) VALUES (2, '1970-01-01 00:00:01', '1970-01-01 00:00:01.1', '1970-01-01 00:00:01.001', '1970-01-01 00:00:01.000001'),
 (3, '2038-01-19 03:14:07', '2038-01-19 03:14:07.9', '2038-01-19 03:14:07.999', '2038-01-19 03:14:07.999999');
SET SESSION time_zone = '-13:59';
INSERT INTO instants (id, ts, ts6) VALUES (4, '2021-03-28 02:30:00', '2021-10-31 02:30:00.5');
SET SESSION time_zone = '+14:00';
INSERT INTO instants (id, ts, ts6) VALUES (5, '2021-03-28 02:30:00', '2021-10-31 02:30:00.5');
SET SESSION timestamp = 1000000000.123456;
INSERT INTO instants (id) VALUES (6);
UPDATE instants SET ts = NOW() WHERE id = 4;
SET SESSION timestamp = DEFAULT;
-- With an ON UPDATE column that is set to what it was, and one that changes by itself.
UPDATE instants SET ts1 = '2020-02-02 02:02:02.2', changed = changed WHERE id = 5;
UPDATE instants SET ts3 = '2020-02-02 02:02:02.222' WHERE id = 5;
DELETE FROM instants WHERE id = 3;
SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE', time_zone = 'SYSTEM';
UPDATE dates SET dt = '2022-02-02 02:02:02' WHERE id = 101;
UPDATE instants SET id = 11 WHERE id = 1;
