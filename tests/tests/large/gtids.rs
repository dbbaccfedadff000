//! The checkpoint's GTID set is the source's, whatever the transactions hold.

use datain_tests::compare;
use datain_tests::native::replicate;
use datain_tests::pipeline_run::value;
use datain_throwaway_servers::{Flavor, Server};

use crate::{assert_same_gtids, field, server, settings};

const OTHER: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";

/// fidelity: event | Gtid, Gtid_tagged: gaps, empty transactions, tables outside the filter | the checkpoint's GTID set is exactly the source's
#[test]
fn the_set_is_exact() {
    for option in [
        "binlog_transaction_compression=OFF",
        "binlog_transaction_compression=ON",
    ] {
        let (source, target) = (server(&[option]), server(&[]));
        let settings = settings(r#","include":["d.%"]"#);
        let run = |sql: &str| {
            source.sql(sql).expect("it runs on the source");
            let checkpoint = replicate(&source, &target, &settings).expect("replication");
            assert_same_gtids(&source, &checkpoint);
        };
        run(
            "CREATE DATABASE d; CREATE DATABASE e; CREATE TABLE d.t (id INT PRIMARY KEY); CREATE TABLE e.t (id INT PRIMARY KEY)",
        );
        // Only what is not replicated; then both in one.
        run("INSERT INTO e.t VALUES (1); INSERT INTO e.t VALUES (2)");
        run("BEGIN; INSERT INTO e.t VALUES (3); INSERT INTO d.t VALUES (3); COMMIT");
        // Gaps, in an order that is not that of their numbers, and transactions without anything.
        for number in [9, 5, 7, 1_000_000] {
            run(&format!(
                "SET gtid_next = '{OTHER}:{number}'; INSERT INTO d.t VALUES ({number}); SET gtid_next = AUTOMATIC"
            ));
            run(&format!(
                "SET gtid_next = '{OTHER}:{}'; BEGIN; COMMIT; SET gtid_next = AUTOMATIC",
                number + 1
            ));
        }
        run(&format!(
            "SET gtid_next = '{OTHER}:6'; INSERT INTO e.t VALUES (6); SET gtid_next = AUTOMATIC"
        ));
        // Tags, with numbers of their own.
        run(
            "SET gtid_next = 'AUTOMATIC:blue'; INSERT INTO d.t VALUES (20); INSERT INTO d.t VALUES (21); SET gtid_next = AUTOMATIC",
        );
        run(&format!(
            "SET gtid_next = '{OTHER}:green:4'; INSERT INTO d.t VALUES (22); SET gtid_next = AUTOMATIC; INSERT INTO d.t VALUES (23)"
        ));
        run(
            "FLUSH BINARY LOGS; DROP TABLE e.t; BEGIN; INSERT INTO d.t VALUES (24); ROLLBACK; INSERT INTO d.t VALUES (25)",
        );
        compare::assert_equal(&source, &target, &["d"]);
        let set = value(&source, "SELECT @@global.gtid_executed").expect("GTIDs");
        assert!(
            set.contains("5-10:1000000-1000001") && set.contains("blue:1-2"),
            "{set}"
        );
    }
}

/// fidelity: event | Anonymous_gtid | a stream by file and position follows them to the byte, compressed or not
#[test]
fn anonymous_transactions_by_position() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .without_gtid()
        .start()
        .expect("a server");
    let target = server(&[]);
    let settings = datain_tests::native::settings(
        r#"{"mode":"position","file":"binlog.000001","position":4}"#,
    );
    for (id, option) in [(1, "OFF"), (2, "ON")] {
        source
            .sql(&format!(
                "SET GLOBAL binlog_transaction_compression = {option}; CREATE DATABASE IF NOT EXISTS d; \
                 CREATE TABLE IF NOT EXISTS d.t (id INT PRIMARY KEY)"
            ))
            .expect("DDL");
        source
            .sql(&format!("INSERT INTO d.t VALUES ({id}), ({id}0)"))
            .expect("rows");
        let checkpoint = replicate(&source, &target, &settings).expect("replication");
        compare::assert_equal(&source, &target, &["d"]);
        let status = source.query("SHOW BINARY LOG STATUS").expect("status");
        assert_eq!(field(&checkpoint, "file").as_str(), status[0][0].as_deref());
        let offset = field(&checkpoint, "offset").to_string();
        assert_eq!(Some(offset), status[0][1]);
    }
}
