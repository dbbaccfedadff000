//! What datain's own plugins must hold against: the other side of their pipeline is the guest.

use crate::lab::Hostile;

/// A hostile source, and datain's sink.
fn source(what: &str, code: &'static str) -> Hostile {
    Hostile {
        name: format!("batch-{what}"),
        source: Some(format!("{what}@batch")),
        target: None,
        code,
        memory_mib: 128,
        call_seconds: 30,
    }
}

/// A hostile sink, and datain's source.
fn sink(what: &str, code: &'static str) -> Hostile {
    Hostile {
        name: format!("checkpoint-{what}"),
        source: None,
        target: Some(format!("{what}@checkpoint")),
        code,
        memory_mib: 128,
        call_seconds: 30,
    }
}

/// What they hand over, and the error that it ends with.
pub(crate) fn all() -> Vec<Hostile> {
    vec![
        source("other-version", "row-block.version"),
        source("beyond-the-block", "row-block.malformed"),
        source("too-few-rows", "row-block.malformed"),
        source("garbage", "row-block.malformed"),
        source("unknown-kind", "row-block.kind"),
        source("table-never-told", "sink.contract"),
        sink("garbage", "checkpoint.damaged"),
        sink("empty", "checkpoint.damaged"),
        sink("long", "checkpoint.damaged"),
    ]
}
