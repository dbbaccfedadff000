//! Writer and reader of the row block, the bytes in which rows cross from a source to a sink. The format is specified
//! in `wit/ROWS.md`; this crate implements version 1 of it and nothing else: it knows neither binary logs nor SQL.
//!
//! The writer appends to a `Vec<u8>` and patches each image's null bitmap afterwards, so that a row is written in one
//! pass without an intermediate value. The reader borrows from the block and checks every length before it uses it:
//! bytes that are not a row set are an error, never a panic, and nothing is allocated by a length that the input claims.
//!
//! ```
//! use datain_row_block::{ColumnKind, Operation, RowSetReader, RowSetWriter, Value, begin_block};
//!
//! let mut block = Vec::new();
//! begin_block(&mut block);
//! let start = block.len();
//! let present = [true, true];
//! let mut writer = RowSetWriter::begin(&mut block, Operation::Insert, None, Some(&present));
//! let mut image = writer.begin_image(2);
//! image.push_int(7, 4);
//! image.push_null();
//! image.finish();
//!
//! let kinds = [ColumnKind::Int, ColumnKind::Varchar];
//! let mut reader = RowSetReader::new(&kinds, Operation::Insert, 1, &block[start..])?;
//! let row = reader.next_row()?.expect("one row");
//! let after = row.after.expect("an insert has an after image");
//! assert_eq!(after.get(0), Some(Value::Integer(&[7, 0, 0, 0])));
//! assert_eq!(after.get(1), Some(Value::Null));
//! assert!(reader.next_row()?.is_none());
//! # Ok::<(), datain_row_block::Malformed>(())
//! ```
#![deny(missing_docs)]

mod bitmap;
mod error;
mod json_changes;
mod kind;
mod reader;
mod value;
mod writer;

pub use bitmap::Bitmap;
pub use error::{BlockError, Malformed};
pub use json_changes::{JSON_CHANGES, JsonChange, JsonChanges, JsonOperation};
pub use kind::{ColumnKind, Operation, UnknownKind, Width};
pub use reader::{Image, Row, RowSetReader, Values, read_image};
pub use value::Value;
pub use writer::{ImageWriter, RowSetWriter, begin_block, open_block};

/// The version of the row block that this crate writes and reads.
pub const VERSION: u8 = 1;
