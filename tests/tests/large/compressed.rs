//! Compressed transactions, and row events far larger than a batch.

use std::path::Path;

use datain_tests::compare;
use datain_tests::native::replicate;

use crate::{assert_same_gtids, logged, server, settings};

fn scenario(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    std::fs::read_to_string(folder.join(name)).expect("the scenario's file")
}

/// Inserts, updates and deletes of about 30 MB, whose bytes are not all alike.
const MANY_ROWS: &str = "
    CREATE DATABASE d;
    CREATE TABLE d.seed (n INT PRIMARY KEY);
    INSERT INTO d.seed WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 299) SELECT n FROM s;
    CREATE TABLE d.t (id INT PRIMARY KEY, half CHAR(40), v VARCHAR(600), b BLOB);
    INSERT INTO d.t SELECT a.n * 300 + b.n, LEFT(SHA2(a.n * 300 + b.n, 256), 40),
        REPEAT(SHA2(CONCAT(a.n, '-', b.n), 512), 1 + b.n % 4), UNHEX(REPEAT(SHA2(b.n * a.n, 256), b.n % 3))
        FROM d.seed AS a, d.seed AS b;
    UPDATE d.t SET v = REVERSE(v) WHERE id % 2 = 0;
    DELETE FROM d.t WHERE id % 5 = 0;";

/// fidelity: event | Transaction_payload (zstd) | scenarios and transactions of tens of MB arrive as they were, and the checkpoint's GTID set is exact
#[test]
fn compressed_transactions_arrive_as_they_were() {
    let source = server(&["binlog_transaction_compression=ON"]);
    let target = server(&[]);
    let settings = settings("");
    for (sql, schema) in [
        (scenario("types.sql"), "types"),
        (scenario("ddl.sql"), "shop"),
        (MANY_ROWS.to_owned(), "d"),
    ] {
        source.sql(&sql).expect("it runs on the source");
        let checkpoint = replicate(&source, &target, &settings).expect("replication");
        compare::assert_equal(&source, &target, &[schema]);
        assert_same_gtids(&source, &checkpoint);
    }
    let (count, largest) = logged(&source, "Transaction_payload");
    assert!(count > 20 && largest > 2 << 20, "{count}, {largest} bytes");
    let (rows, _) = logged(&source, "Write_rows");
    assert!(rows > 0, "SHOW BINLOG EVENTS looks into them");
}

/// fidelity: event | Transaction_payload (zstd, level 19 and above) | level 19 passes; a window over 8 MiB stops with `binlog.compression-window`
#[test]
fn the_highest_levels_are_refused_by_name() {
    let source = server(&[
        "binlog_transaction_compression=ON",
        "max_allowed_packet=256M",
    ]);
    let target = server(&[]);
    let settings = settings("");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB)")
        .expect("a table");
    let insert = |level: u32, id: u32| {
        source.sql(&format!(
            "SET SESSION binlog_transaction_compression_level_zstd = {level}; \
             INSERT INTO d.t VALUES ({id}, REPEAT(RANDOM_BYTES(1000), 20000))"
        ))
    };
    insert(19, 1).expect("20 MB at level 19");
    let checkpoint = replicate(&source, &target, &settings).expect("level 19");
    compare::assert_equal(&source, &target, &["d"]);
    insert(22, 2).expect("20 MB at level 22");
    let error = replicate(&source, &target, &settings).expect_err("level 22");
    assert_eq!(error.code, "binlog.compression-window", "{error:?}");
    assert!(error.gtid.is_some() && error.hint.is_some(), "{error:?}");
    let rows = target.query("SELECT COUNT(*) FROM d.t").expect("rows");
    assert_eq!(rows[0][0].as_deref(), Some("1"), "{checkpoint:?}");
}

/// fidelity: event | Write_rows, Update_rows, Delete_rows of 8 MB | arrive in batches of 64 KiB
#[test]
fn row_events_far_larger_than_a_batch() {
    let source = server(&["binlog_row_event_max_size=8388608"]);
    let target = server(&[]);
    source.sql(MANY_ROWS).expect("rows");
    for kind in ["Write_rows", "Update_rows", "Delete_rows"] {
        let (count, largest) = logged(&source, kind);
        assert!(
            count > 0 && largest > 4 << 20,
            "{kind}: {count}, {largest} bytes"
        );
    }
    let checkpoint = replicate(&source, &target, &settings("")).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    assert_same_gtids(&source, &checkpoint);
}
