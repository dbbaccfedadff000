//! The stream and the first copy from 5.6 to 5.6: statements of the forms that it knows.

use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::rough::replicate_roughly;
use datain_tests::scenarios;
use datain_tests::seed::{Rng, seed};
use datain_tests::servers::run;
use datain_throwaway_servers::Flavor;

use crate::copy::{OBJECTS, TABLES, load};
use crate::stream::{BY_GTID, arrive};
use crate::{old, started};

/// scenarios: mysql-5.6 → mysql-5.6
/// fidelity: mysql-5.6 → mysql-5.6: event | the log of MySQL 5.6, by GTID, with checksums and whole images | equal
#[test]
fn scenarios_arrive_on_5_6() {
    let (source, target) = (started(old()), started(old()));
    let list = scenarios::between(Flavor::Mysql56, Flavor::Mysql56);
    arrive(&list.expect("the scenarios"), &source, &target, BY_GTID);
}

/// The target has no GTIDs, and logs statements unless told otherwise; rows come over several connections, which are lost.
///
/// fidelity: mysql-5.6 → mysql-5.6: statement | the first copy from MySQL 5.6, with definitions as its SHOW CREATE has them | equal; triggers and events are held back
#[test]
fn a_copy_and_a_stream_that_changes_arrive_on_5_6() {
    let seed = seed("old to old");
    let mut rng = Rng::with_seed(seed);
    let source = started(old());
    let target = started(old().without_gtid().option("binlog_format=STATEMENT"));
    run(&source, OBJECTS);
    run(&source, TABLES);
    let settings = settings(r#"{"mode":"snapshot"}"#);
    replicate(&source, &target, &settings).unwrap_or_else(|error| panic!("{error:?}"));
    let _ = load(60).run(&source, rng.u64(..));
    let lost = replicate_roughly(&source, &target, &settings, &mut rng, 40);
    lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"));
    compare::assert_equal(&source, &target, &["cinema", "moving"]);
}

/// Rows of every type, changed and taken back many at once, which go as one statement with a table of SELECTs: how the server joins their types must not bend a value.
///
/// fidelity: mysql-5.6 → mysql-5.6: type | many rows of every type that are changed at once: values that differ in length, scale, sign and nullness from row to row | equal; some statements for all of them
#[test]
fn many_rows_of_every_type_are_changed_at_once() {
    let (source, target) = (started(old()), started(old()));
    let settings = settings(BY_GTID);
    run(
        &source,
        "CREATE DATABASE bulk; USE bulk; CREATE TABLE digit (d INT PRIMARY KEY); INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9); \
         CREATE TABLE t (k VARCHAR(20) COLLATE latin1_general_cs NOT NULL, n BIGINT UNSIGNED NOT NULL, i TINYINT, u BIGINT UNSIGNED, d DECIMAL(65,30), f FLOAT, g DOUBLE, y YEAR, dt DATE, t TIME(6), \
           m DATETIME(3), ts TIMESTAMP NULL, c CHAR(10), v VARCHAR(300) CHARACTER SET utf8, w VARCHAR(300) CHARACTER SET utf8mb4, b VARBINARY(300), h BINARY(4), e ENUM('a', 'b', 'ä'), tx TEXT, PRIMARY KEY (k, n)); \
         INSERT INTO t SELECT CONCAT('k', a.d), b.d * 1000 + c.d, 127, 7, 7, 7, 7, 2155, '1999-01-01', '11:11:11', '1999-01-01', '1999-01-01', 'q', 'q', 'q', 'q', 'q', NULL, 'q' FROM digit a, digit b, digit c WHERE c.d < 3",
    );
    replicate(&source, &target, &settings).unwrap_or_else(|error| panic!("{error:?}"));
    let updates = || -> u64 {
        let sql = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_update', 'Com_update_multi')";
        let rows = target.query(sql).expect("the status");
        rows.iter()
            .filter_map(|row| row[1].as_deref()?.parse::<u64>().ok())
            .sum()
    };
    let before = updates();
    run(
        &source,
        "SET NAMES utf8mb4; SET SESSION sql_mode = '', time_zone = '+00:00'; USE bulk; \
         UPDATE t SET i = IF(n % 3, CAST(n AS SIGNED) % 256 - 128, NULL), u = IF(n % 2, n, 18446744073709551615 - n), d = IF(n % 7, -CAST(n AS SIGNED) / 3, 99999999999999999999999999999999999.000000000000000000000000000001), \
           f = IF(n % 4, n * 1.1, -1.17e-38), g = IF(n % 5, 1 / (n + 1), 1.7976931348623157e308), y = IF(n % 2, 1901 + n % 250, 0), dt = IF(n % 6, '2020-00-00', '9999-12-31'), \
           t = IF(n % 2, '-838:59:59', '00:00:00.000001'), m = IF(n % 3, '0000-00-00', '2020-02-29 12:00:00.999'), ts = IF(n % 2, '2038-01-19 03:14:07', '0000-00-00 00:00:00'), \
           c = IF(n % 3, 'ä', ''), v = IF(n % 2, REPEAT('ž', n % 300), NULL), w = IF(n % 4, CONCAT('😀', n), ''), b = IF(n % 5, REPEAT(X'00ff', n % 150), X'5c27'), h = X'00', \
           e = n % 3 + 1, tx = IF(n % 2, REPEAT('long ', n % 100), X'5c27')",
    );
    replicate(&source, &target, &settings).unwrap_or_else(|error| panic!("{error:?}"));
    compare::assert_equal(&source, &target, &["bulk"]);
    let used = updates() - before;
    // Rows go together in which the same columns change: nearly all.
    assert!(used < 50, "{used} statements for 300 rows");
    // And all values taken back, which are NULL in all rows then.
    run(
        &source,
        "UPDATE bulk.t SET i = NULL, d = NULL, w = NULL, ts = NULL, b = n, tx = NULL WHERE k <> 'k3'",
    );
    replicate(&source, &target, &settings).unwrap_or_else(|error| panic!("{error:?}"));
    compare::assert_equal(&source, &target, &["bulk"]);
}
