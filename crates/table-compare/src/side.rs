//! A table on one of the two servers.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{ServerVersion, Session, Stream};
use datain_table_scan::{Chunk, ChunkLimits, Reading, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::difference::Difference;
use crate::digest::{Digest, Range};
use crate::shape::Shape;

/// Why a column cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// The source's column.
    pub column: String,
    /// Why, as the end of a sentence: "the target has no such column".
    pub reason: String,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Side {
    shape: Shape,
    surplus: Vec<String>,
}

pub(crate) fn unfinished(what: &str) -> Error {
    Error::fatal("verify.unfinished", what.to_owned())
}

impl Side {
    /// Holds this server's definition of the table against the shape. The source's own side is made in the same way as the target's.
    ///
    /// # Errors
    /// The columns that cannot be compared exactly, all of them: what the table lacks, or has with a type that holds other values. None is ever left out silently.
    pub fn new(
        shape: Shape,
        own: &TableDefinition,
        version: &ServerVersion,
    ) -> Result<Self, Vec<Mismatch>> {
        let _ = (own, version);
        Ok(Self {
            shape,
            surplus: Vec::new(),
        })
    }

    /// The shape that it was made of.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether rows can be compared range by range: there is a key, and this server orders it as the source does. Else [`Range`]s may have no ends, and the whole table
    /// is compared at once, or by [buckets](Range::bucket); both sides have to do the same, so ask the target's side.
    #[must_use]
    pub fn is_ranged(&self) -> bool {
        false
    }

    /// Columns that this table has beyond those of the shape; they are not compared.
    #[must_use]
    pub fn surplus_columns(&self) -> &[String] {
        &self.surplus
    }

    /// The key of the `rows`-th row behind `after` (or from the table's beginning), by a read of the index alone; none if there are not so many.
    ///
    /// # Errors
    /// Errors of the server; `snapshot.key-foreign` and `snapshot.key-unwritable` as in `table-scan`.
    pub async fn boundary<S: Stream>(
        &self,
        session: &mut Session<S>,
        after: Option<&[u8]>,
        rows: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let _ = (session, after, rows);
        Err(unfinished("boundary"))
    }

    /// What the rows of a range come to, by one SELECT.
    ///
    /// # Errors
    /// Errors of the server and of the keys; `verify.row-unhashed`, `verify.digest-unreadable`.
    pub async fn digest<S: Stream>(
        &self,
        session: &mut Session<S>,
        range: &Range,
    ) -> Result<Digest, Error> {
        let _ = (session, range);
        Err(unfinished("digest"))
    }

    /// What the rows of a range come to, bucket by bucket, by one SELECT. `range.bucket` is ignored.
    ///
    /// # Errors
    /// As [`digest`](Self::digest).
    pub async fn buckets<S: Stream>(
        &self,
        session: &mut Session<S>,
        range: &Range,
        of: u32,
    ) -> Result<Vec<Digest>, Error> {
        let _ = (session, range, of);
        Err(unfinished("buckets"))
    }

    /// Asks for the rows of a range, in the order of the key, as images in the source's form. A chunk ends by its limits too; it then says from which key to go on. Without
    /// a key to go on from the limits do not count.
    ///
    /// # Errors
    /// Errors of the server and of the keys.
    pub async fn rows<S: Stream>(
        &self,
        session: &mut Session<S>,
        range: &Range,
        limits: ChunkLimits,
        reading: Reading,
    ) -> Result<Chunk<'_>, Error> {
        let _ = (session, range, limits, reading);
        Err(unfinished("rows"))
    }

    /// Asks for the rows that have one of these keys. [`Reading::Locking`] leaves shared locks on them, inside a transaction that the caller holds (and on the gaps of rows that are not
    /// there only under REPEATABLE READ).
    ///
    /// # Errors
    /// Errors of the server and of the keys; `verify.no-key` for a table that is not ranged.
    pub async fn rows_of<S: Stream>(
        &self,
        session: &mut Session<S>,
        keys: &[Vec<u8>],
        reading: Reading,
    ) -> Result<Chunk<'_>, Error> {
        let _ = (session, keys, reading);
        Err(unfinished("rows_of"))
    }

    /// The key of a row image that was read by this side or by the other one; none where the table is not ranged.
    ///
    /// # Errors
    /// `verify.image-malformed`.
    pub fn key_of(&self, image: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let _ = image;
        Err(unfinished("key_of"))
    }

    /// The rows that differ between images of the same range (or of the same keys) that the source's side and this, the target's side, have read. Order does not matter.
    ///
    /// # Errors
    /// `verify.image-malformed`; `verify.key-unlike` where the target has a row whose key the source's type cannot hold.
    pub fn differences(
        &self,
        source: &[Vec<u8>],
        target: &[Vec<u8>],
    ) -> Result<Vec<Difference>, Error> {
        let _ = (source, target);
        Err(unfinished("differences"))
    }
}
