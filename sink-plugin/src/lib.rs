//! datain's MySQL sink: a thin shell that exports `sink` of the contract over the crate `datain-apply`.
//!
//! A writer is one task ([`writer`]) that takes batches from an inbox ([`inbox`]), applies them, and decides when a group is committed. `apply` only
//! fills the inbox; `advance` and `flush` let the task run.

mod bindings;
mod config;
mod cutover;
mod examiner;
mod export;
mod inbox;
mod orders;
mod silence;
mod writer;
