//! Capturing changes from a MySQL server: everything a source does, except waiting.
//!
//! A [`reader::Reader`] asks the server about itself ([`facts`]), decides where to begin ([`start`]), asks for a dump, and feeds each event
//! to an [`assembler::Assembler`], which filters tables and decodes rows into the row block; [`framing`] keeps transactions and checkpoints, and cuts [`batches`].
//! [`check`] says beforehand what stands in the way. [`files`] reads the files of a log without a server, for people.
//!
//! Invariants:
//! - Nothing here builds SQL that changes data.
//! - A checkpoint ([`checkpoint`]) stands only after a whole transaction. Offsets are 64 bits and counted ([`position`]).
//! - An event that may carry data and is not understood is an error, never skipped.
//! - No I/O: a `Reader` works on any [`Stream`](datain_mysql_client::Stream).

mod adding;
pub mod assembler;
pub mod batches;
pub mod check;
pub mod checkpoint;
pub mod column_names;
pub mod copying;
pub mod cutover;
mod dump;
pub mod examine;
pub mod facts;
pub mod files;
pub mod framing;
pub mod gtids;
pub mod inspect;
pub mod neighbours;
pub mod position;
mod printed;
pub mod reader;
mod replay;
mod restarts;
mod settings;
pub mod start;
mod statement;
mod tables;
pub mod temporary;
pub mod unsaid;
pub mod upcoming;
mod visible;

/// The version of the row block that is written here.
pub use datain_row_block::VERSION as ROW_BLOCK_VERSION;
/// How far the source's clock is ahead.
pub use datain_server_facts::clock;
