//! A source that encrypts its binary log: it is replicated as any other, and its files are named for what they are.

#![allow(clippy::disallowed_methods, reason = "native test")]

use datain_tests::compare;
use datain_tests::host::Host;
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run::{LIMIT, server, value};
use datain_throwaway_servers::{Flavor, Server};

/// fidelity: file | files of a server with `binlog_encryption = ON` | refused as `binlog.encrypted`, after everything readable of the files before
/// fidelity: event | any, from a source with `binlog_encryption = ON` | equal: the source decrypts what it sends
#[test]
fn a_source_that_encrypts_its_log() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .keyring()
        .start()
        .expect("a server with a keyring");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO d.t VALUES (1, 'plain'); SET GLOBAL binlog_encryption = ON; \
              INSERT INTO d.t VALUES (2, 'encrypted'); UPDATE d.t SET v = 'changed' WHERE id = 1")
        .expect("changes");
    let rows = source.query("SHOW BINARY LOGS").expect("the logs");
    let encrypted =
        |row: &[Option<String>]| row.last().cloned().flatten().as_deref() == Some("Yes");
    assert!(
        !encrypted(&rows[0]) && encrypted(rows.last().expect("a log")),
        "{rows:?}"
    );
    let files: Vec<String> = rows
        .iter()
        .filter_map(|row| row[0].as_ref())
        .map(|name| source.datadir().join(name).display().to_string())
        .collect();
    let bytes = std::fs::read(files.last().expect("a file")).expect("its bytes");
    assert!(!bytes.windows(9).any(|part| part == b"encrypted"));
    let mut command = vec!["tail", "--file"];
    command.extend(files.iter().map(String::as_str));
    let exit = Host::command(&command, LIMIT).expect("an end");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stdout.contains("plain") && !exit.stdout.contains("changed"),
        "everything readable is printed first: {exit}"
    );
    for part in [
        "error[binlog.encrypted]: ",
        "encrypted",
        "  hint: ",
        "mysqlbinlog --read-from-remote-server --raw",
        "binlog.0000",
    ] {
        assert!(exit.stderr.contains(part), "{part}: {exit}");
    }
    // Through the server it is a log as any other.
    let target = server();
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    assert_eq!(
        value(&target, "SELECT GROUP_CONCAT(v ORDER BY id) FROM d.t").as_deref(),
        Some("changed,encrypted")
    );
}
