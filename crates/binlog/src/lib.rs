//! MySQL's binary log, from bytes to typed events and from row images to row blocks.
//!
//! Everything here is a pure function of bytes: no I/O, no clock, no threads. The formats are those of MySQL's own
//! documentation of `mysql::binlog::event` ("Binary log events" in the server's developer documentation) and of its headers
//! `control_events.h`, `rows_event.h`, `statement_events.h` and `my_time.h`, and of MariaDB's `log_event.h`; each module names its source.
//!
//! The way through the crate, as a reader of a stream takes it:
//!
//! 1. [`Event::split`] cuts the common header off and verifies and strips the checksum.
//! 2. [`Event::parse`] makes an [`EventBody`] of it, with the [`FormatDescription`] of the file at hand.
//! 3. [`TableMap::columns`] turns a table map into [`TableColumns`]: logical columns, and a decoder for each.
//! 4. [`RowsEvent::rows`] gives a [`RowDecoder`], which writes one row at a time into a row block.
//!
//! What is too large to be held whole, and compressed transactions, go through [`EventParts`], which gives out what 2. and 4. need piece by piece.
//!
//! Bytes that are not what they should be are a [`BinlogError`] that names event, offset and field. No length in the input makes
//! this crate allocate more than the input itself holds.
#![deny(missing_docs)]

mod checksum;
mod cursor;
mod error;
mod event;
mod file;
mod gtid;
mod parts;
mod rows;
mod serialization;
mod table_map;

pub use checksum::ChecksumAlgorithm;
pub use error::{BinlogError, Malformed, Problem};
pub use event::format_description::FormatDescription;
pub use event::gtid::GtidEvent;
pub use event::header::{EventFlags, EventHeader};
pub use event::heartbeat::Heartbeat;
pub use event::incident::Incident;
pub use event::load::{ExecuteLoad, LoadBlock, LoadDuplicates};
pub use event::mariadb_gtid::{AlterPhase, MariadbGtid, MariadbXa};
pub use event::query::{QueryEvent, StatusVars};
pub use event::rotate::Rotate;
pub use event::statement_vars::{Intvar, IntvarKind, Rand, UserVar, UserVarValue};
pub use event::transaction_payload::{PayloadCompression, TransactionPayload};
pub use event::types::EventType;
pub use event::xa_prepare::XaPrepare;
pub use event::{Event, EventBody};
pub use file::{BinlogFile, MAGIC};
pub use gtid::domain::{DomainGtid, DomainPosition};
pub use gtid::id::{Gtid, ParseGtidError, Tag, Uuid};
pub use gtid::set::{GtidSet, Interval};
pub use parts::{EventParts, Part};
pub use rows::decoder::RowDecoder;
pub use rows::event::{RowsEvent, RowsFlags};
pub use table_map::columns::{Column, PrimaryKeyPart, Signedness, TableColumns};
pub use table_map::metadata::OptionalMetadata;
pub use table_map::{TableMap, column_type};
