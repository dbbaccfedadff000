//! Reading the source's tables, chunk by chunk, such that each row is byte for byte what the log has for it (`wit/ROWS.md`).
//!
//! Nothing here does I/O of its own, knows a clock, or knows of the stream: how what is read is brought together with what the log says meanwhile is the caller's.
//!
//! ```
//! use datain_contract::types::Error;
//! # use datain_mysql_client::{Session, Stream};
//! use datain_row_block::{Operation, RowSetWriter, begin_block};
//! use datain_table_scan::{ChunkSize, Reading, TableDefinition, TableScan, prepare};
//!
//! async fn copy<S: Stream>(session: &mut Session<S>, micros: impl Fn() -> u64) -> Result<(), Error> {
//!     prepare(session).await?;
//!     let Some(table) = TableDefinition::ask(session, "shop", "orders").await? else {
//!         return Ok(());
//!     };
//!     let version = session.server_version().clone();
//!     let scan = TableScan::new(table, &version)?;
//!     let mut size = ChunkSize::new(200_000, 1 << 20, 0);
//!     let mut after: Option<Vec<u8>> = None;
//!     loop {
//!         let mut block = Vec::new();
//!         begin_block(&mut block);
//!         RowSetWriter::begin(&mut block, Operation::Insert, None, Some(scan.present()));
//!         let begun = micros();
//!         let mut chunk = scan.open(session, after.as_deref(), size.limits(), Reading::Consistent).await?;
//!         while chunk.next_row(session, &mut block).await? {}
//!         let end = chunk.end();
//!         size.observe(end.rows, end.bytes, micros() - begun);
//!         // Here the block is handed on, and `end.last_key` kept.
//!         if end.is_last {
//!             return Ok(());
//!         }
//!         after = end.last_key;
//!     }
//! }
//! ```
#![deny(missing_docs)]

mod answer;
mod condition;
mod definition;
pub mod key;
mod order;
mod scan;
mod select;
mod settings;
mod size;
mod statement;
mod tables;
mod value;

pub use condition::has_value;
pub use definition::{BINARY, ColumnDefinition, PrimaryKeyPart, TableDefinition};
pub use key::{KeyPart, ScanKey};
pub use scan::{Chunk, ChunkEnd, Reading, TableScan};
pub use select::json_types;
pub use settings::prepare;
pub use size::{ChunkLimits, ChunkSize};
pub use statement::Stretch;
pub use tables::{ListedTable, tables};
