//! What each fuzz target does with its bytes: `target::run(data)`.
//!
//! The targets in `fuzz_targets/` are one line each, so that the same code also runs over the seeds in an ordinary test (`tests/seeds.rs`), without
//! libFuzzer. A target panics where a property does not hold: nothing that is read panics, reads past its bytes or allocates by a length that they
//! claim; what is written is read back the same; two ways to the same result agree.
//!
//! Bytes that say how the rest is used (options, how reads are cut) stand first in the input; [`input::Input`] takes them off.

// The host's configuration is compiled in by its path: as a dependency `datain-host` would bring wasmtime, which takes longer to build with
// coverage than all targets together. The module uses nothing of its crate but `error`.
#[allow(
    dead_code,
    clippy::disallowed_methods,
    reason = "the host uses what the target does not"
)]
#[path = "../../host-harness/src/error.rs"]
pub mod error;
#[allow(dead_code, unused_imports, reason = "as `error`")]
#[path = "../../host-harness/src/config/mod.rs"]
pub mod host_config;

pub mod batch;
pub mod input;
pub mod server;

pub mod checkpoint;
pub mod config;
pub mod decimal;
pub mod events;
pub mod grants;
pub mod gtid_set;
pub mod json;
pub mod json_changes;
pub mod login;
pub mod packets;
pub mod payload;
pub mod row_block;
pub mod rows;
pub mod sql;
pub mod statements;
pub mod table_map;

/// A target's name and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("checkpoint", checkpoint::run),
    ("config", config::run),
    ("decimal", decimal::run),
    ("events", events::run),
    ("grants", grants::run),
    ("gtid_set", gtid_set::run),
    ("json", json::run),
    ("json_changes", json_changes::run),
    ("login", login::run),
    ("packets", packets::run),
    ("payload", payload::run),
    ("row_block", row_block::run),
    ("rows", rows::run),
    ("sql", sql::run),
    ("statements", statements::run),
    ("table_map", table_map::run),
];
