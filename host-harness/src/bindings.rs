//! Rust's view of the contract, generated from `wit/`. The types are made once and shared by both worlds: what a source hands out
//! is what a sink takes.
#![expect(missing_docs, reason = "generated; wit/*.wit documents every item")]
#![allow(clippy::all, clippy::pedantic, reason = "generated")]

/// What the host provides, and the types of all interfaces.
pub mod shared {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "imports",
        additional_derives: [PartialEq],
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

/// What a sink exports that only hands changes on, and the file that it may write.
pub mod change_sink {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "change-sink-plugin",
        imports: { default: trappable },
        with: {
            "datain:replication/types": crate::bindings::shared::datain::replication::types,
            "datain:replication/transport": crate::bindings::shared::datain::replication::transport,
            "datain:replication/system": crate::bindings::shared::datain::replication::system,
            "datain:replication/log": crate::bindings::shared::datain::replication::log,
            "datain:replication/credentials": crate::bindings::shared::datain::replication::credentials,
            "datain:replication/output-file.file": crate::output_file::OutputFile,
        },
    });
}

/// What a component between the two exports.
pub mod transform {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "transform-plugin",
        with: {
            "datain:replication/types": crate::bindings::shared::datain::replication::types,
            "datain:replication/system": crate::bindings::shared::datain::replication::system,
            "datain:replication/log": crate::bindings::shared::datain::replication::log,
        },
    });
}

pub use change_sink::datain::replication::output_file;
pub use change_sink::exports::datain::replication::change_sink::Progress as ChangeSinkProgress;
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
pub use transform::exports::datain::replication::transform::ChangedRows;
pub use types::{Batch, Bucket, Checkpoint, KeyRange, TableDigest, TableRows};
