//! What datain's own plugins must hold against: the other side of their pipeline is the guest.

use datain_tests::servers::{cell, run};

use crate::lab::{Hostile, Lab};

/// A hostile source, and datain's sink.
fn source(what: &str, code: &'static str) -> Hostile {
    Hostile {
        name: format!("batch-{what}"),
        source: Some(format!("{what}@batch")),
        target: None,
        code,
        limits: "memory_mib = 128",
    }
}

/// A hostile sink, and datain's source.
fn sink(what: &str, code: &'static str) -> Hostile {
    Hostile {
        name: format!("checkpoint-{what}"),
        source: None,
        target: Some(format!("{what}@checkpoint")),
        code,
        limits: "memory_mib = 128",
    }
}

#[test]
fn malformed_row_blocks_and_checkpoints() {
    let lab = Lab::new();
    run(
        &lab.target,
        "CREATE DATABASE hostile; CREATE TABLE hostile.t (id INT PRIMARY KEY)",
    );
    let all = [
        source("other-version", "row-block.version"),
        source("beyond-the-block", "row-block.malformed"),
        source("too-few-rows", "row-block.malformed"),
        source("garbage", "row-block.malformed"),
        source("unknown-kind", "row-block.kind"),
        source("table-never-told", "row-block.malformed"),
        source("ordinal-that-jumps", "batch.order"),
        sink("garbage", "checkpoint.damaged"),
        sink("empty", "checkpoint.damaged"),
        sink("long", "checkpoint.damaged"),
    ];
    lab.run(&all, 128);
    assert_eq!(cell(&lab.target, "SELECT COUNT(*) FROM hostile.t"), "0");
}
