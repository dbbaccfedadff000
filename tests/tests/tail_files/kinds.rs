//! Relay logs, logs of other servers, and what logs are made of.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server};
use serde_json::{Value, json};

use crate::{all, assert_same, lines, logs, server, tail};

const CHANGES: &str = "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(1000)); INSERT INTO d.t VALUES (1, 'a'), (2, 'b'); \
    UPDATE d.t SET v = 'c'; BEGIN; DELETE FROM d.t WHERE id = 1; INSERT INTO d.t VALUES (3, REPEAT('x', 1000)); COMMIT; ALTER TABLE d.t ADD w INT; REPLACE INTO d.t VALUES (2, 'z', 5)";

/// fidelity: file | relay logs of a real replica | the lines of the source's own files, at the source's positions
#[test]
fn a_replica_s_relay_logs_give_the_source_s_lines() {
    let source = server();
    let replica = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("relay_log = relay")
        .start()
        .expect("a replica");
    source.sql(CHANGES).expect("changes");
    source.sql("FLUSH BINARY LOGS").expect("a second file");
    replica
        .sql(&format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'root', SOURCE_PASSWORD = '{ROOT_PASSWORD}', GET_SOURCE_PUBLIC_KEY = 1, \
             SOURCE_AUTO_POSITION = 1; START REPLICA IO_THREAD",
            source.port()
        ))
        .expect("a replica");
    let received = |gtids: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        let sql = format!(
            "SELECT GTID_SUBSET('{gtids}', RECEIVED_TRANSACTION_SET) FROM performance_schema.replication_connection_status"
        );
        while replica.query(&sql).expect("a status")[0][0].as_deref() != Some("1") {
            assert!(Instant::now() < deadline, "the replica does not receive");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let executed = || source.query("SELECT @@gtid_executed").expect("a set")[0][0].clone();
    received(&executed().expect("a set"));
    // It connects again, into another relay log.
    replica
        .sql("STOP REPLICA IO_THREAD; FLUSH RELAY LOGS; START REPLICA IO_THREAD")
        .expect("another relay log");
    source
        .sql("INSERT INTO d.t SELECT 10 + id, 'again', 0 FROM d.t")
        .expect("more changes");
    received(&executed().expect("a set"));
    replica.sql("STOP REPLICA IO_THREAD").expect("a stop");

    let mut relays: Vec<PathBuf> = std::fs::read_dir(replica.datadir())
        .expect("the data folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("relay.0")
        })
        .collect();
    relays.sort();
    assert!(relays.len() >= 2, "{relays:?}");
    let expected = all(&logs(&source), &[]);
    assert!(expected.len() > 8, "{}", expected.len());
    assert_same(&all(&relays, &[]), &expected);
}

/// fidelity: file | --stats | what SHOW BINLOG EVENTS of the server says, by type, in number and bytes
#[test]
fn events_are_counted_as_the_server_lists_them() {
    let source = server();
    source.sql(CHANGES).expect("changes");
    source
        .sql("SET SESSION binlog_rows_query_log_events = ON; INSERT INTO d.t VALUES (50, 'q', 1); FLUSH BINARY LOGS; CREATE TABLE d.u (id INT)")
        .expect("changes");
    let files = logs(&source);
    let mut expected: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for file in &files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let rows = source
            .query(&format!("SHOW BINLOG EVENTS IN '{name}'"))
            .expect("the events");
        for row in rows {
            let cell = |at: usize| row[at].clone().expect("a value");
            let number = |at: usize| cell(at).parse::<u64>().expect("a number");
            let count = expected.entry(cell(2)).or_default();
            count.0 += 1;
            count.1 += number(4) - number(1);
        }
    }
    let exit = tail(&files, &["--stats", "--format", "json"]);
    assert_eq!(exit.code, 0, "{exit}");
    let found: Value = serde_json::from_str(&exit.stdout).expect("an object");
    let counted: BTreeMap<String, (u64, u64)> = found["types"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|count| {
            let number = |key: &str| count[key].as_u64().expect("a number");
            let name = count["type"].as_str().expect("a name").to_owned();
            (name, (number("events"), number("bytes")))
        })
        .collect();
    assert_eq!(counted, expected);
    let executed = source.query("SELECT @@gtid_executed").expect("a set")[0][0].clone();
    let executed = executed.expect("a set");
    let newest: u64 = executed
        .rsplit(['-', ':'])
        .next()
        .and_then(|last| last.parse().ok())
        .expect("a number");
    assert_eq!(found["transactions"], json!(newest));
    let events: u64 = expected.values().map(|count| count.0).sum();
    assert_eq!(found["events"], json!(events));

    let exit = tail(&files, &["--stats"]);
    assert_eq!(exit.code, 0, "{exit}");
    let has = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        exit.stdout
            .lines()
            .any(|found| found.split_whitespace().collect::<Vec<_>>() == words)
    };
    let (rows, bytes) = expected["Write_rows"];
    assert!(has(&format!("Write_rows {rows} {bytes}")), "{exit}");
    assert!(has(&format!("transactions {newest}")), "{exit}");
}

/// fidelity: file | logs of MySQL 5.6 | printed where binlog holds what is known; without names and signedness
#[test]
fn a_log_of_mysql_5_6_is_printed() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/binlog/tests/data/mysql-5.6-rows-v1.binlog");
    let exit = tail(&[file], &[]);
    assert_eq!(exit.code, 0, "{exit}");
    let found = lines(&exit);
    assert!(found.iter().any(|line| line["op"] == "u"), "{exit}");
    assert!(
        found
            .iter()
            .any(|line| line["ddl"] == "drop database types"),
        "{exit}"
    );
}

/// fidelity: file | logs of MariaDB | shown, compressed events too; --stats counts them
#[test]
fn a_log_of_mariadb_10_11_is_shown_and_counted() {
    let source = Server::builder(Flavor::Mariadb1011)
        .relaxed()
        .option("log_bin_compress=ON")
        .option("log_bin_compress_min_len=10")
        .start()
        .expect("a server");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1); BEGIN; INSERT INTO d.t VALUES (2); INSERT INTO d.t VALUES (3); COMMIT")
        .expect("changes");
    let files = logs(&source);
    let exit = tail(&files, &[]);
    assert_eq!(exit.code, 0, "{exit}");
    let lines: Vec<Value> = exit
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let inserted = |line: &&Value| line["op"] == "c";
    assert_eq!(lines.iter().filter(inserted).count(), 3, "{exit}");
    let exit = tail(&files, &["--stats", "--format", "json"]);
    assert_eq!(exit.code, 0, "{exit}");
    let found: Value = serde_json::from_str(&exit.stdout).expect("an object");
    let gtids = found["types"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|count| count["type"] == "Gtid")
        .expect("Gtid events");
    assert_eq!(found["transactions"], gtids["events"]);
    assert!(found["transactions"].as_u64() >= Some(4), "{found}");
}
