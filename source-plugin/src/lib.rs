//! datain's binlog source: a thin shell that exports `source` of the contract over the crate `datain-capture`.
//!
//! A reader is one task that reads the log and puts each batch into a slot of one; `poll` lets the task run until the slot is full. A source that is
//! not polled does not read, which is the backpressure. Where the configuration names files, their bytes come through the same transport as a server's ([`files`]).

mod bindings;
mod config;
mod copying;
mod cutover;
mod examiner;
mod export;
mod files;
mod neighbours;
mod silence;
