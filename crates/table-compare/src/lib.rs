//! Whether two servers hold the same rows of a table, and which rows differ.
//!
//! Nothing here does I/O of its own, knows a clock, or knows of the stream: when a range is compared again because the stream has not yet passed it is the caller's.
#![deny(missing_docs)]

mod difference;
mod digest;
mod expression;
mod forms;
mod pairing;
mod shape;
mod show;
mod side;

pub use datain_table_scan::{Chunk, ChunkEnd, ChunkLimits, Reading, prepare};
pub use difference::{Difference, What};
pub use digest::{Bucket, Digest, Range};
pub use shape::{Algorithm, Shape, ShapeColumn, ShapeKey, ShapeKeyPart};
pub use side::{Mismatch, Side};
