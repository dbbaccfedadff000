//! Ranges of rows, and what they come to.

use serde::{Deserialize, Serialize};

/// Rows of a table, by the order of its key. The default is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Only rows behind this key; from the table's beginning where there is none.
    pub after: Option<Vec<u8>>,
    /// Only rows up to this key, itself included; to the table's end where there is none.
    pub up_to: Option<Vec<u8>>,
    /// Of those, only the rows whose hash falls into this bucket.
    pub bucket: Option<Bucket>,
}

/// One of several buckets, into which rows fall by their hash: so a table that has no key to be read by can be compared part by part. Every bucket costs a read of the whole range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Which, from 0.
    pub index: u32,
    /// How many there are.
    pub of: u32,
}

/// What the rows of a range come to. Two ranges of equal digests have equal rows, but for a chance that `docs/verify.md` states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// How many rows.
    pub rows: u64,
    /// The sum over their hashes, as text that only means something to be compared.
    pub sum: String,
}
