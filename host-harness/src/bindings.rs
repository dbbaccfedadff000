//! Rust's view of the contract, generated from `wit/`. The types are made once and shared by both worlds: what a source hands out
//! is what a sink takes.
#![expect(missing_docs, reason = "generated; wit/*.wit documents every item")]
#![allow(clippy::all, clippy::pedantic, reason = "generated")]

/// What the host provides, and the types of all interfaces.
pub mod shared {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "imports",
        imports: { default: trappable },
        with: {
            "datain:replication/transport.connection": crate::transport::Connection,
        },
    });
}

/// What a source exports.
pub mod source {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "source-plugin",
        with: {
            "datain:replication/types": crate::bindings::shared::datain::replication::types,
            "datain:replication/transport": crate::bindings::shared::datain::replication::transport,
            "datain:replication/system": crate::bindings::shared::datain::replication::system,
            "datain:replication/log": crate::bindings::shared::datain::replication::log,
            "datain:replication/credentials": crate::bindings::shared::datain::replication::credentials,
        },
    });
}

/// What a sink exports.
pub mod sink {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "sink-plugin",
        with: {
            "datain:replication/types": crate::bindings::shared::datain::replication::types,
            "datain:replication/transport": crate::bindings::shared::datain::replication::transport,
            "datain:replication/system": crate::bindings::shared::datain::replication::system,
            "datain:replication/log": crate::bindings::shared::datain::replication::log,
            "datain:replication/credentials": crate::bindings::shared::datain::replication::credentials,
        },
    });
}

pub use shared::datain::replication::types;
pub use shared::datain::replication::{credentials, log, system, transport};
pub use sink::exports::datain::replication::sink::{
    ComparedShape, Difference, DifferenceKind, Inspection as SinkInspection, KeptVerification,
    NotedError, Progress, Removal, Resumption, SinkStatus, SkippedTransaction,
};
pub use sink::exports::datain::replication::sink_cutover::{
    Consequences, KnownProgress as KnownCutover, Made, Place, Progress as CutoverProgress,
};
pub use source::exports::datain::replication::source::{
    ComparedTable, CopyProgress, EventCount, EventCounts, Inspection as SourceInspection,
    SourceStatus, Survey, TableChanges, TablePart, TableProgress, TableShape, Throttle, Upcoming,
};
pub use source::exports::datain::replication::source_cutover::{End, LookOut};
pub use types::{Batch, Bucket, Checkpoint, KeyRange, TableDigest, TableRows};
