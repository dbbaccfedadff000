//! The crates `capture` and `apply` natively, without components: what is neither a scenario (`scenarios.rs`) nor needs the host.

use std::hash::RandomState;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::Engine;
use datain_capture::reader::{Reader, Settings};
use datain_mysql_client::blocking::block_on;
use datain_tests::native::{replicate, session, settings};
use datain_tests::{compare, scenarios};
use datain_throwaway_servers::{Flavor, Server};

fn pair() -> (Server, Server) {
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    };
    (start(), start())
}

/// fidelity: statement | `CREATE USER`, `GRANT` | left out, and reported: accounts stay at home
/// fidelity: statement | `CREATE TRIGGER`, `DROP TRIGGER` | held back in `datain.held_back`, and reported
#[test]
fn accounts_stay_at_home_and_triggers_are_kept_for_later() {
    let (source, target) = pair();
    let ddl = std::fs::read_to_string(scenarios::folder().join("ddl.sql")).expect("the scenario");
    source.sql(&ddl).expect("the scenario runs on the source");
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["shop"]);
    let users = target
        .query("SELECT user FROM mysql.user WHERE user = 'outsider'")
        .expect("users");
    assert!(users.is_empty(), "{users:?}");
    let held = target
        .query("SELECT COUNT(*) FROM datain.held_back")
        .expect("held back");
    assert_eq!(held[0][0].as_deref(), Some("2"));
}

#[test]
fn an_older_writer_can_commit_nothing() {
    let (source, target) = pair();
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)")
        .expect("data");
    replicate(&source, &target, &settings).expect("replication");
    block_on(async {
        let open = || async {
            Engine::<_, RandomState>::open(session(&target), "native", &Beginning::default())
                .await
                .expect("a writer")
        };
        let opened = open().await;
        let (mut older, resume) = (opened.engine, opened.checkpoint);
        let _newer = open().await;
        source.sql("INSERT INTO d.t VALUES (1)").expect("a row");
        let mut reader = Reader::open(session(&source), &settings, resume.as_ref(), false)
            .await
            .expect("the reader");
        let batch = reader.next_batch(1 << 20, |_| {}).await.expect("a batch");
        older.add_tables(batch.tables);
        for transaction in batch.transactions {
            older
                .apply(transaction, &batch.rows)
                .await
                .expect("rows can be sent");
        }
        assert_eq!(
            older.commit().await.expect_err("the fence").code,
            "checkpoint.fenced"
        );
    });
    let rows = target.query("SELECT COUNT(*) FROM d.t").expect("rows");
    assert_eq!(
        rows[0][0].as_deref(),
        Some("0"),
        "the older writer's rows are not there"
    );
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn what_would_bend_or_renumber_or_drop_too_much_is_refused() {
    let (source, target) = pair();
    let all = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    let refused = |settings: &Settings, code: &str| {
        let error = replicate(&source, &target, settings).expect_err(code);
        assert_eq!(error.code, code, "{error:?}");
    };
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, at DATETIME(6))")
        .expect("data");
    replicate(&source, &target, &all).expect("replication");
    // The server rounds fractions of a second without a warning.
    target
        .sql("ALTER TABLE d.t MODIFY at DATETIME")
        .expect("a stranger's change");
    source
        .sql("INSERT INTO d.t VALUES (1, '2020-01-01 00:00:00.75')")
        .expect("a row");
    refused(&all, "table.column-type");
    target
        .sql("ALTER TABLE d.t MODIFY at DATETIME(6)")
        .expect("mended");
    replicate(&source, &target, &all).expect("replication");
    // Rows that no log has numbered.
    for server in [&source, &target] {
        server
            .sql("SET sql_log_bin = 0; CREATE TABLE d.k (a INT); INSERT INTO d.k VALUES (1), (2)")
            .expect("a table without a key");
    }
    source
        .sql("ALTER TABLE d.k ADD id INT AUTO_INCREMENT PRIMARY KEY")
        .expect("DDL");
    refused(&all, "ddl.numbers-rows");
    let columns = target.query("SHOW COLUMNS FROM d.k").expect("columns");
    assert_eq!(columns.len(), 1, "the target's table is as it was");
    // A schema of which only one table is replicated.
    let status = source
        .query("SELECT @@global.gtid_executed")
        .expect("gtids");
    let executed = status[0][0].clone().expect("gtids").replace('\n', "");
    source.sql("DROP DATABASE d").expect("DDL");
    let part: Settings = serde_json::from_str(&format!(
        r#"{{"stream":"part","server_id":78,"include":["d.t"],"start":{{"mode":"gtid","gtid_set":"{executed}"}}}}"#
    ))
    .expect("settings");
    refused(&part, "filter.mixed-statement");
}
