//! A table on one of the two servers: what is asked of it, and what its answers mean.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Outcome, ServerVersion, Session, Stream};
use datain_row_block::{Bitmap, ColumnKind, Image, Value};
use datain_table_scan::{
    Chunk, ChunkLimits, ColumnDefinition, Reading, Stretch, TableDefinition, TableScan,
};
use serde::{Deserialize, Serialize};

use crate::difference::{self, Difference};
use crate::digest::{Bucket, Digest, Range, unreadable};
use crate::expression;
use crate::forms::{in_source_form, of_keys, scan_key};
use crate::pairing::pair;
use crate::shape::{Shape, key_of_source, malformed, with_image};
use crate::show;

/// Why a table cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mismatch {
    /// The source's column.
    pub column: String,
    /// Why, as a sentence without its end: "the target has no such column".
    pub reason: String,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Side {
    shape: Shape,
    /// The table as the source defines it.
    source: TableDefinition,
    /// Kinds of the source's images.
    source_kinds: Vec<ColumnKind>,
    /// Reads rows in the source's form, with the marks behind the columns.
    rows: TableScan,
    kinds: Vec<ColumnKind>,
    /// Reads keys alone; none where there is no key to read by.
    keys: Option<TableScan>,
    /// The hash of a row, as SQL.
    hash: String,
    /// The columns that may be marked, in the order in which their marks stand in an image.
    marked: Vec<usize>,
    surplus: Vec<String>,
}

impl Side {
    /// Holds this server's definition of the table against the shape. The source's own side is made in the same way as the target's.
    ///
    /// # Errors
    /// The columns that cannot be compared exactly, all of them: what the table lacks, or has with a type that holds other values (the table in `pairing.rs`). None is ever
    /// left out silently.
    pub fn new(
        shape: Shape,
        own: &TableDefinition,
        version: &ServerVersion,
    ) -> Result<Self, Vec<Mismatch>> {
        let table_itself = |error: Error| {
            vec![Mismatch {
                column: String::new(),
                reason: error.message,
            }]
        };
        let source = shape.definition().map_err(table_itself)?;
        let mut pairs = Vec::with_capacity(source.columns.len());
        let mut paired = Vec::with_capacity(source.columns.len());
        let mut mismatches = Vec::new();
        for column in &source.columns {
            let at = own
                .columns
                .iter()
                .position(|own| own.name.to_lowercase() == column.name.to_lowercase());
            let outcome = match at {
                Some(at) => pair(column, &own.columns[at], version).map(|pair| (pair, at)),
                None => Err("the target has no such column".to_owned()),
            };
            match outcome {
                Ok((pair, at)) => {
                    pairs.push(pair);
                    paired.push(at);
                }
                Err(reason) => mismatches.push(Mismatch {
                    column: column.name.clone(),
                    reason,
                }),
            }
        }
        if !mismatches.is_empty() {
            return Err(mismatches);
        }
        let beside: Vec<&ColumnDefinition> = paired.iter().map(|at| &own.columns[*at]).collect();
        let surplus = own.columns.iter().enumerate();
        let surplus = surplus
            .filter(|(at, _)| !paired.contains(at))
            .map(|(_, column)| column.name.clone())
            .collect();
        let scan_key = scan_key(&source, own, &pairs, &paired);
        let keys = scan_key
            .as_ref()
            .map(|key| TableScan::new(of_keys(own, &pairs, key), version))
            .transpose()
            .map_err(table_itself)?;
        let (table, items, marked) = in_source_form(own, &pairs, scan_key);
        let kinds = table.kinds();
        // There is no other session to go on with.
        let rows = TableScan::selecting(table, version, &items)
            .map_err(table_itself)?
            .to_the_end();
        Ok(Self {
            hash: expression::hash(shape.algorithm, &pairs, &beside),
            source_kinds: source.kinds(),
            source,
            shape,
            rows,
            kinds,
            keys,
            marked,
            surplus,
        })
    }

    /// The shape that it was made of.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether rows can be compared range by range: there is a unique key, and this server orders it as the source does. Else [`Range`]s may have no ends, and the whole table
    /// is compared at once, or by [buckets](Range::bucket); both sides have to do the same, so ask the target's side.
    #[must_use]
    pub fn is_ranged(&self) -> bool {
        self.keys.is_some()
    }

    /// Columns that this table has beyond those of the shape; they are not compared.
    #[must_use]
    pub fn surplus_columns(&self) -> &[String] {
        &self.surplus
    }

    /// The key of the `rows`-th row behind `after` (or from the table's beginning), by a read of the index alone; none if there are not so many.
    ///
    /// # Errors
    /// Errors of the server; `snapshot.key-foreign` and `snapshot.key-unwritable` as in `table-scan`; `verify.no-key` where the table is not ranged.
    pub async fn boundary<S: Stream>(
        &self,
        session: &mut Session<S>,
        after: Option<&[u8]>,
        rows: u64,
    ) -> Result<Option<Vec<u8>>, Error> {
        let keys = self.keys.as_ref().ok_or_else(|| self.no_key())?;
        let stretch = Stretch {
            after,
            skip: rows.saturating_sub(1),
            ..Stretch::default()
        };
        let one = ChunkLimits {
            rows: 1,
            bytes: usize::MAX,
        };
        let mut chunk = keys
            .open_stretch(session, &stretch, Some(one), Reading::Consistent)
            .await?;
        let mut image = Vec::new();
        while chunk.next_row(session, &mut image).await? {}
        Ok(chunk.end().last_key)
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
        let sql = self.digest_sql(range)?;
        let rows = self.ask(session, &sql).await?;
        match rows.as_slice() {
            [row] => match row.as_slice() {
                [rows, sum] => self.named(Digest::read(rows.as_deref(), sum.as_deref())),
                _ => self.named(Err(unreadable())),
            },
            _ => self.named(Err(unreadable())),
        }
    }

    /// The statement of [`digest`](Self::digest).
    ///
    /// # Errors
    /// Those of the keys.
    pub fn digest_sql(&self, range: &Range) -> Result<String, Error> {
        let from = self.from(range)?;
        Ok(format!("SELECT COUNT(*), SUM({}) {from}", self.hash))
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
        let whole = Range {
            bucket: None,
            ..range.clone()
        };
        let from = self.from(&whole)?;
        let of = of.max(1);
        let hash = &self.hash;
        let sql = if self.kinds.contains(&ColumnKind::Json) {
            // JSON_TABLE cannot stand in an expression that is grouped by (MySQL 9.7, errno 1210), so the hashes are put into a table first. LIMIT keeps the optimizer from undoing that.
            format!(
                "SELECT h MOD {of} AS bucket, COUNT(*), SUM(h) FROM (SELECT {hash} AS h {from} LIMIT {}) AS hashes GROUP BY bucket",
                u64::MAX
            )
        } else {
            format!(
                "SELECT {hash} MOD {of} AS bucket, COUNT(*), SUM({hash}) {from} GROUP BY bucket"
            )
        };
        let mut digests = vec![Digest::empty(); of as usize];
        for row in self.ask(session, &sql).await? {
            let [bucket, rows, sum] = row.as_slice() else {
                return self.named(Err(unreadable()));
            };
            let digest = self.named(Digest::read(rows.as_deref(), sum.as_deref()))?;
            let bucket = bucket.as_deref().and_then(|b| std::str::from_utf8(b).ok());
            let place = bucket.and_then(|b| digests.get_mut(b.parse::<usize>().ok()?));
            match place {
                Some(place) => *place = digest,
                None => return self.named(Err(unreadable())),
            }
        }
        Ok(digests)
    }

    /// Asks for the rows of a range, in the order of the key, as images in the source's form. A chunk ends by its limits too; it then says from which key to go on. Where the table
    /// is not ranged the limits do not count.
    ///
    /// An image of the target has marks behind its columns where the target's types can hold values that the source's cannot: such an image is only good for
    /// [`differences`](Self::differences), [`key_of`](Self::key_of) and [`show_value`](Self::show_value). An image of the source is byte for byte what the log has.
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
        let only = range.bucket.map(|bucket| self.in_bucket(bucket));
        let stretch = self.stretch(range, only.as_deref())?;
        self.rows
            .open_stretch(session, &stretch, Some(limits), reading)
            .await
    }

    /// Asks for the rows that have one of these keys, in any order. [`Reading::Locking`] leaves shared locks on them until the end of the transaction that the caller holds.
    ///
    /// # Errors
    /// Errors of the server and of the keys; `verify.no-key` where the table is not ranged.
    pub async fn rows_of<S: Stream>(
        &self,
        session: &mut Session<S>,
        keys: &[Vec<u8>],
        reading: Reading,
    ) -> Result<Chunk<'_>, Error> {
        if !self.is_ranged() {
            return Err(self.no_key());
        }
        self.rows.open_keys(session, keys, reading).await
    }

    /// The key of a row image that this side has read; none where the source's table has no key. (For an image of the source: [`Shape::key_of`].)
    ///
    /// # Errors
    /// `verify.image-malformed`; `verify.key-unlike` where the source's type cannot hold it.
    pub fn key_of(&self, image: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let Some(key) = &self.source.scan_key else {
            return Ok(None);
        };
        with_image(&self.kinds, image, |image| {
            if key
                .parts
                .iter()
                .any(|part| self.is_marked(image, part.column))
            {
                return Err(difference::unlike(self));
            }
            // Columns in front of the marks have the same places as in the source's images.
            let key = key.of_image(&self.source, image);
            key.map(Some).ok_or_else(malformed)
        })
    }

    /// The value of a column in a row image that this side has read, as text for people; none for NULL, and for a column that there is not. A value that the source's type
    /// cannot hold is said to be one.
    ///
    /// # Errors
    /// `verify.image-malformed`.
    pub fn show_value(&self, column: &str, image: &[u8]) -> Result<Option<String>, Error> {
        let Some(at) = self.shape.columns.iter().position(|c| c.name == column) else {
            return Ok(None);
        };
        with_image(&self.kinds, image, |image| {
            if self.is_marked(image, at) {
                return Ok(Some(
                    "(a value that the source's type cannot hold)".to_owned(),
                ));
            }
            Ok(show::column(&self.rows.table().columns[at], image.get(at)))
        })
    }

    /// The rows that differ between images of the same range (or of the same keys) that the source's side and this, the target's side, have read. Their order does not matter.
    ///
    /// # Errors
    /// `verify.image-malformed`; `verify.key-unlike` where the target has a row whose key the source's type cannot hold.
    pub fn differences(
        &self,
        source: &[Vec<u8>],
        target: &[Vec<u8>],
    ) -> Result<Vec<Difference>, Error> {
        difference::differences(self, source, target)
    }

    /// The key of a row image of the source's side.
    pub(crate) fn source_key_of(&self, image: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        key_of_source(&self.source, &self.source_kinds, image)
    }

    pub(crate) fn source_kinds(&self) -> &[ColumnKind] {
        &self.source_kinds
    }

    pub(crate) fn kinds(&self) -> &[ColumnKind] {
        &self.kinds
    }

    /// Whether a column of an image of this side has a value that is none of the source's.
    pub(crate) fn is_marked(&self, image: &Image<'_, '_>, column: usize) -> bool {
        let place = self.marked.iter().position(|at| *at == column);
        place.is_some_and(|place| {
            let mark = image.get(self.source_kinds.len() + place);
            mark.and_then(|value: Value<'_>| value.as_i64()) != Some(0)
        })
    }

    /// An image of the source as it can be held against one of this side as a whole.
    pub(crate) fn in_source_form(&self, image: &[u8]) -> Result<Vec<u8>, Error> {
        with_image(&self.source_kinds, image, |_| Ok(image.to_vec()))
    }

    /// An image of this side as it can be held against one of the source as a whole: without its marks, unless one is set.
    pub(crate) fn comparable(&self, image: &[u8]) -> Result<Vec<u8>, Error> {
        let columns = self.source_kinds.len();
        with_image(&self.kinds, image, |read| {
            if self.marked.is_empty() || (0..columns).any(|at| self.is_marked(read, at)) {
                return Ok(image.to_vec());
            }
            let mut out = vec![0; Bitmap::bytes_for(columns)];
            for at in 0..columns {
                match read.raw(at).flatten() {
                    Some(value) => out.extend_from_slice(value),
                    None => out[at / 8] |= 1 << (at % 8),
                }
            }
            Ok(out)
        })
    }

    fn named<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        let table = self.rows.table();
        result.map_err(|error| error.in_table(&table.schema, &table.name))
    }

    fn no_key(&self) -> Error {
        Error::fatal(
            "verify.no-key",
            "the table has no key by which it could be compared in ranges",
        )
        .hint("compare it as a whole")
        .in_table(&self.shape.schema, &self.shape.name)
    }

    fn stretch<'a>(&self, range: &'a Range, only: Option<&'a str>) -> Result<Stretch<'a>, Error> {
        if !self.is_ranged() && (range.after.is_some() || range.up_to.is_some()) {
            return Err(self.no_key());
        }
        Ok(Stretch {
            after: range.after.as_deref(),
            up_to: range.up_to.as_deref(),
            only,
            ..Stretch::default()
        })
    }

    fn from(&self, range: &Range) -> Result<String, Error> {
        let only = range.bucket.map(|bucket| self.in_bucket(bucket));
        let stretch = self.stretch(range, only.as_deref())?;
        self.named(self.rows.from_sql(&stretch))
    }

    fn in_bucket(&self, bucket: Bucket) -> String {
        format!("{} MOD {} = {}", self.hash, bucket.of.max(1), bucket.index)
    }

    async fn ask<S: Stream>(
        &self,
        session: &mut Session<S>,
        sql: &str,
    ) -> Result<Vec<Vec<Option<Vec<u8>>>>, Error> {
        let outcome = session.query(sql.as_bytes()).await;
        match self.named(outcome.map_err(Error::from))?.pop() {
            Some(Outcome::Rows(set)) => Ok(set.rows),
            _ => self.named(Err(unreadable())),
        }
    }
}
