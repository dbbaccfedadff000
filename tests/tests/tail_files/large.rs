//! Transactions and events that are larger than memory: what is printed does not depend on it.

use std::path::{Path, PathBuf};

use datain_tests::host::TempDir;
use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

use crate::{config, logs, tail, text};

/// A few times less than what the transactions below hold.
const LIMITS: &str = "[limits]\nmemory_mib = 32\nmax_row_mib = 1\n";

/// 120,000 rows of about 900 bytes.
const ROWS: u64 = 120_000;

/// Values of 896 letters, which differ, or are all alike.
const DIFFERENT: &str = "CONCAT(SHA2(a.n * 400 + b.n, 512), REPEAT(SHA2(b.n, 256), 12))";
const ALIKE: &str = "REPEAT('x', 896)";

/// A server whose newest log has one transaction, which fills a table with such values.
fn server(options: &[&str], value: &str) -> Server {
    let mut builder = Server::builder(Flavor::Mysql97).relaxed();
    for option in options {
        builder = builder.option(*option);
    }
    let server = builder.start().expect("a server");
    server
        .sql(
            "CREATE DATABASE d; CREATE DATABASE seeds; CREATE TABLE seeds.s (n INT PRIMARY KEY); \
             INSERT INTO seeds.s WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 399) SELECT n FROM s; \
             CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(1000)); FLUSH BINARY LOGS",
        )
        .expect("tables");
    server
        .sql(&format!(
            "INSERT INTO d.t SELECT a.n * 400 + b.n, {value} FROM seeds.s AS a, seeds.s AS b WHERE a.n < 300"
        ))
        .expect("100 MB of rows");
    server
}

/// Number and largest size of the events of a type in a file.
fn logged(server: &Server, file: &Path, kind: &str) -> (usize, u64) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let events = server
        .query(&format!("SHOW BINLOG EVENTS IN '{name}'"))
        .expect("the events");
    let cell = |row: &[Option<String>], at: usize| row[at].clone().unwrap_or_default();
    let sizes: Vec<u64> = events
        .iter()
        .filter(|row| cell(row, 2) == kind)
        .map(|row| {
            let number = |at| cell(row, at).parse::<u64>().expect("a number");
            number(4) - number(1)
        })
        .collect();
    (sizes.len(), sizes.into_iter().max().unwrap_or(0))
}

/// A configuration with the limits; its server names the columns.
fn limited(folder: &TempDir, server: &Server) -> PathBuf {
    let path = config(folder, server);
    let text = std::fs::read_to_string(&path).expect("the configuration");
    std::fs::write(&path, text + LIMITS).expect("the configuration");
    path
}

/// Prints a file within the limits, and looks at each line.
fn all_rows_are_printed(file: &PathBuf, server: &Server) {
    let folder = TempDir::new().expect("a folder");
    let config = limited(&folder, server);
    let exit = tail(std::slice::from_ref(file), &["-c", text(&config)]);
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    let mut ids = std::collections::BTreeSet::new();
    for line in exit.stdout.lines() {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(line["source"]["table"], "t");
        let value = line["after"]["v"].as_str();
        assert_eq!(value.map(str::len), Some(128 + 12 * 64));
        let id = &line["after"]["id"];
        assert!(ids.insert(id.as_u64().expect("a number")), "twice: {id}");
    }
    assert_eq!(ids.len() as u64, ROWS);
    // Counting holds nothing either.
    let exit = tail(
        std::slice::from_ref(file),
        &["-c", text(&config), "--stats", "--format", "json"],
    );
    assert_eq!(exit.code, 0, "{exit}");
    let found: Value = serde_json::from_str(&exit.stdout).expect("an object");
    assert_eq!(found["transactions"], 1);
}

/// fidelity: file | a compressed transaction of 100 MB | printed within limits.memory_mib = 32
#[test]
fn a_compressed_transaction_takes_no_more_memory_than_a_batch() {
    // Taken in pieces, and small enough to be taken as a whole.
    for (value, sizes) in [(DIFFERENT, 2 << 20..100 << 20), (ALIKE, 1..1 << 20)] {
        let source = server(&["binlog_transaction_compression=ON"], value);
        let files = logs(&source);
        let file = files.last().expect("a file");
        let (count, size) = logged(&source, file, "Transaction_payload");
        assert!(count == 1 && sizes.contains(&size), "{count}, {size} bytes");
        all_rows_are_printed(file, &source);
    }
}

/// fidelity: file | a row event of 100 MB | printed within limits.memory_mib = 32 and limits.max_row_mib = 1
#[test]
fn a_row_event_takes_no_more_memory_than_a_batch() {
    let source = server(&["binlog_row_event_max_size=1073741824"], DIFFERENT);
    let files = logs(&source);
    let file = files.last().expect("a file");
    let (count, size) = logged(&source, file, "Write_rows");
    assert!(count == 1 && size > 100 << 20, "{count}, {size} bytes");
    all_rows_are_printed(file, &source);
}

/// fidelity: file | a row over limits.max_row_mib | everything before is printed, then `row-too-large` at its event
#[test]
fn a_row_over_the_limit_is_refused_by_name() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("max_allowed_packet=64M")
        .start()
        .expect("a server");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO d.t VALUES (1, 'x'); INSERT INTO d.t VALUES (2, REPEAT('y', 20000000))")
        .expect("rows");
    let folder = TempDir::new().expect("a folder");
    let config = limited(&folder, &source);
    let exit = tail(&logs(&source), &["-c", text(&config)]);
    assert_eq!(exit.code, 3, "{exit}");
    assert_eq!(exit.stdout.lines().count(), 3, "{exit}");
    for part in [
        "error[row-too-large]",
        "table: d.t",
        "limits.max_row_mib",
        "position: ",
    ] {
        assert!(exit.stderr.contains(part), "{part}: {exit}");
    }
}
