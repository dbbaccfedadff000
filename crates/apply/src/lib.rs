//! Applying changes to a MySQL server: everything a sink does, except waiting.
//!
//! The way of a change: a [`batch`](contract::types::Batch) is cut into transactions; an [`engine::Engine`] turns each row set into
//! SQL by the target's own table definitions ([`target_table`], [`mapping`], [`statements`], [`literal`]), runs statements of the source
//! with their context ([`ddl`]), checks what the server answered, and commits the checkpoint with the rows ([`checkpoint`]).
//! [`check`] says beforehand what stands in the way.
//!
//! Invariants:
//! - Nothing here parses a binary-log event.
//! - COMMIT is sent only after every reply of the group was read and its count was what the source says.
//! - The checkpoint moves in the transaction that holds the rows, under a condition that fails for an owner that was replaced.
//! - No I/O: an `Engine` works on any [`Stream`](datain_mysql_client::Stream), so it is tested natively against real servers.

pub mod cascades;
pub mod check;
pub mod checkpoint;
pub mod cutover;
pub mod ddl;
pub mod engine;
pub mod examine;
pub(crate) mod from_mariadb;
pub mod json_sql;
mod known_settings;
pub mod literal;
pub(crate) mod lock_wait;
pub mod mapping;
mod mariadb_session;
pub mod net;
pub mod objects;
pub mod place;
mod row_set;
pub mod settings;
pub mod statements;
pub mod target_table;

pub use datain_contract as contract;
/// The version of the row block that is read here.
pub use datain_row_block::VERSION as ROW_BLOCK_VERSION;
