//! What is large, compressed or odd in the log: it arrives as it was, in bounded memory, and the checkpoint's GTID set stays exact.
//!
//! Most of it runs natively, `capture` into `apply`. Tests that take gigabytes run with `DATAIN_LONG=1` only.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod blobs;
mod compressed;
mod gtids;
mod heartbeats;
mod long;
mod refused;
mod slow;

use datain_capture::reader::Settings;
use datain_contract::types::Checkpoint;
use datain_tests::pipeline_run::value;
use datain_throwaway_servers::{Flavor, Server};

const FROM_THE_START: &str = r#"{"mode":"gtid","gtid_set":""}"#;

/// A MySQL 9.7 with fast commits and these options.
fn server(options: &[&str]) -> Server {
    let mut builder = Server::builder(Flavor::Mysql97).relaxed();
    for option in options {
        builder = builder.option(*option);
    }
    builder.start().expect("a server")
}

/// Settings with further keys, such as `"include":["d.%"]`.
fn settings(more: &str) -> Settings {
    serde_json::from_str(&format!(
        r#"{{"stream":"native","server_id":77,"start":{FROM_THE_START}{more}}}"#
    ))
    .expect("settings")
}

/// A field of the checkpoint.
fn field(checkpoint: &Checkpoint, name: &str) -> serde_json::Value {
    let data: serde_json::Value =
        serde_json::from_slice(&checkpoint.data).expect("the checkpoint is JSON");
    data[name].clone()
}

/// The checkpoint's GTIDs are the source's, by the source's own judgement.
fn assert_same_gtids(source: &Server, checkpoint: &Checkpoint) {
    let field = field(checkpoint, "gtid_set");
    let set = field.as_str().expect("the stream goes by GTID");
    let ask = |sql: &str| value(source, &format!("SELECT {sql}")).expect("an answer");
    let all = format!(
        "GTID_SUBSET('{set}', @@global.gtid_executed) AND GTID_SUBSET(@@global.gtid_executed, '{set}')"
    );
    assert_eq!(
        ask(&all),
        "1",
        "{set} and {}",
        ask("@@global.gtid_executed")
    );
}

/// How many events of this type, as SHOW BINLOG EVENTS names it, the source's newest file holds, and the size of the largest.
fn logged(source: &Server, kind: &str) -> (usize, u64) {
    let file = value(source, "SHOW BINARY LOG STATUS").expect("a file");
    let rows = source
        .query(&format!("SHOW BINLOG EVENTS IN '{file}'"))
        .expect("events");
    let number = |cell: &Option<String>| -> u64 {
        cell.as_deref()
            .and_then(|n| n.parse().ok())
            .expect("a number")
    };
    let sizes = rows
        .iter()
        .filter(|row| row[2].as_deref() == Some(kind))
        .map(|row| number(&row[4]) - number(&row[1]));
    (sizes.clone().count(), sizes.max().unwrap_or(0))
}
