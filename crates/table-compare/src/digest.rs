//! Ranges of rows, and what they come to.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use serde::{Deserialize, Serialize};

use crate::expression::UNHASHED;

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

impl Digest {
    /// Of no rows.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            rows: 0,
            sum: "0".to_owned(),
        }
    }

    /// Of a count and a sum as a server gives them.
    pub(crate) fn read(rows: Option<&[u8]>, sum: Option<&[u8]>) -> Result<Self, Error> {
        let digits = |value: Option<&[u8]>| {
            let text = std::str::from_utf8(value?).ok()?;
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            is_number.then(|| text.to_owned())
        };
        let rows = digits(rows)
            .and_then(|rows| rows.parse().ok())
            .ok_or_else(unreadable)?;
        let sum = match (rows, sum) {
            // The sum of no rows is NULL.
            (0, None) => return Ok(Self::empty()),
            (_, sum) => digits(sum).ok_or_else(unreadable)?,
        };
        if sum.len() >= UNHASHED.len() {
            return Err(Error::reconfigure(
                "verify.row-unhashed",
                "the server could not compute the checksum of a row",
            )
            .hint("raise max_allowed_packet on this server to that of the other one at least"));
        }
        Ok(Self { rows, sum })
    }
}

pub(crate) fn unreadable() -> Error {
    Error::fatal(
        "verify.digest-unreadable",
        "the server answered the question for a checksum with something else",
    )
    .hint("report it, with the server's version and SHOW CREATE TABLE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: Option<&str>, sum: Option<&str>, expected: Result<(u64, &str), &str>) {
        let read = Digest::read(rows.map(str::as_bytes), sum.map(str::as_bytes));
        match (read, expected) {
            (Ok(digest), Ok((rows, sum))) => {
                assert_eq!((digest.rows, digest.sum.as_str()), (rows, sum));
            }
            (Err(error), Err(code)) => assert_eq!(error.code, code),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers_of_servers() {
        check(Some("0"), None, Ok((0, "0")));
        check(Some("2"), Some("4294967296"), Ok((2, "4294967296")));
        check(Some("2"), None, Err("verify.digest-unreadable"));
        check(None, None, Err("verify.digest-unreadable"));
        check(Some("2"), Some("-1"), Err("verify.digest-unreadable"));
        check(Some("2"), Some("1e30"), Err("verify.digest-unreadable"));
        check(Some("1"), Some(UNHASHED), Err("verify.row-unhashed"));
    }
}
