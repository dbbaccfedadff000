//! Reading chunks: one SELECT each, whose rows are handed on as they come.

use std::ops::Range;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{ClientError, ServerVersion, Session, Stream, TextRow};
use datain_row_block::{ColumnKind, ImageWriter};

use crate::definition::TableDefinition;
use crate::select;
use crate::size::ChunkLimits;
use crate::statement::Stretch;
use crate::value::{self, Unreadable};

/// What is left of a chunk's result when the chunk has as many bytes as it may is read and thrown away, up to so many times the chunk's bytes.
const DRAINED: usize = 4;

/// errno of a string literal that is not well formed in its character set.
const INVALID_CHARACTER_STRING: u16 = 1300;

/// Whether a chunk waits for transactions that have changed its rows and are not yet committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It does not: what is committed when it begins.
    Consistent,
    /// It does, with a shared lock on its rows until all of them are read: a transaction that is in the log, but not yet to be seen, is waited for.
    Locking,
}

/// How a table is read.
#[derive(Debug, Clone)]
pub struct TableScan {
    pub(crate) table: TableDefinition,
    present: Vec<bool>,
    pub(crate) select: String,
    drained: usize,
}

/// A chunk that is being read. It may be dropped at any time; the session's result then still has to be read to its end.
#[derive(Debug)]
pub struct Chunk<'t> {
    scan: &'t TableScan,
    limits: Option<ChunkLimits>,
    rows: u64,
    bytes: usize,
    /// The bytes of the last row's values of the scan key, in key order.
    last: Vec<Vec<u8>>,
    /// Where the current row's values of key columns lie, by column.
    places: Vec<Range<usize>>,
    thrown_away: Option<usize>,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the result.
    Result,
    /// Within it, and it was read to its end.
    Within,
    /// Within it, and much of it is still to come.
    Abandoned,
}

/// What a chunk came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkEnd {
    /// Its rows.
    pub rows: u64,
    /// Bytes of their images.
    pub bytes: usize,
    /// The key of its last row, from which the next chunk goes on ([`key`](crate::key) has the format); none if it has no row or the table no key to read by.
    pub last_key: Option<Vec<u8>>,
    /// Nothing comes behind it: it reaches to the end of the table.
    pub is_last: bool,
    /// The session is in the middle of a result that is too large to be thrown away: it must be closed, and another one opened.
    pub session_is_spent: bool,
}

impl TableScan {
    /// Prepares to read a table of a server of this version.
    ///
    /// # Errors
    /// `snapshot.json-types` for a table with a JSON column on a server before 8.0.4, which has no JSON_TABLE.
    pub fn new(table: TableDefinition, version: &ServerVersion) -> Result<Self, Error> {
        let items = vec![None; table.columns.len()];
        Self::selecting(table, version, &items)
    }

    /// As [`new`](Self::new), for a table whose columns are read as something else: where `items` has SQL, it stands in the select list in place of the column, and gives what a column of that
    /// definition would.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn selecting(
        table: TableDefinition,
        version: &ServerVersion,
        items: &[Option<String>],
    ) -> Result<Self, Error> {
        let has_documents = table
            .columns
            .iter()
            .any(|column| column.kind == ColumnKind::Json);
        if has_documents && !version.is_mysql_since(8, 0, 4) {
            return Err(Error::reconfigure(
                "snapshot.json-types",
                "the table has a JSON column, and the source is too old to tell the types of its values",
            )
            .hint("copy the table by other means and start at a position, or upgrade the source to MySQL 8.0")
            .in_table(&table.schema, &table.name));
        }
        let list: Vec<String> = table
            .columns
            .iter()
            .zip(items)
            .map(|(column, item)| item.clone().unwrap_or_else(|| select::item(column)))
            .collect();
        Ok(Self {
            present: vec![true; table.columns.len()],
            select: list.join(", "),
            drained: DRAINED,
            table,
        })
    }

    /// From now on a result is read to its end however much of it is thrown away: for a caller who has no other session.
    #[must_use]
    pub fn to_the_end(mut self) -> Self {
        self.drained = usize::MAX;
        self
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> &TableDefinition {
        &self.table
    }

    /// For the row sets that rows are written to: all columns are there.
    #[must_use]
    pub fn present(&self) -> &[bool] {
        &self.present
    }

    /// Asks for the rows behind the key `after`, or from the table's beginning, in the order of the scan key. A table without one comes as a whole, in
    /// any order, whatever the limits. The future must not be dropped: nobody knows then how much of the answer was read.
    ///
    /// # Errors
    /// Errors of the server; `snapshot.key-foreign` for a key that is none of this table's; `snapshot.key-unwritable` for one whose text is not well formed.
    pub async fn open<S: Stream>(
        &self,
        session: &mut Session<S>,
        after: Option<&[u8]>,
        limits: ChunkLimits,
        reading: Reading,
    ) -> Result<Chunk<'_>, Error> {
        let stretch = Stretch {
            after,
            ..Stretch::default()
        };
        self.open_stretch(session, &stretch, Some(limits), reading)
            .await
    }

    /// As [`open`](Self::open), for the rows of a stretch. Without limits they come in any order, and all of them.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_stretch<S: Stream>(
        &self,
        session: &mut Session<S>,
        stretch: &Stretch<'_>,
        limits: Option<ChunkLimits>,
        reading: Reading,
    ) -> Result<Chunk<'_>, Error> {
        let limits = self.table.scan_key.as_ref().and(limits);
        let sql = self.stretch_sql(stretch, limits, reading);
        let has_key = stretch.after.is_some() || stretch.up_to.is_some() || stretch.any_index;
        self.begin(session, sql, has_key, limits).await
    }

    /// Asks for the rows that have one of these keys, in any order.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub async fn open_keys<S: Stream>(
        &self,
        session: &mut Session<S>,
        keys: &[Vec<u8>],
        reading: Reading,
    ) -> Result<Chunk<'_>, Error> {
        let sql = self.keys_sql(keys, reading);
        self.begin(session, sql, true, None).await
    }

    async fn begin<S: Stream>(
        &self,
        session: &mut Session<S>,
        sql: Result<String, Error>,
        has_key: bool,
        limits: Option<ChunkLimits>,
    ) -> Result<Chunk<'_>, Error> {
        let named = |error: Error| error.in_table(&self.table.schema, &self.table.name);
        let opened = session.open_rows(sql.map_err(named)?.as_bytes()).await;
        opened.map_err(|error| named(refused(error, has_key)))?;
        Ok(self.chunk(limits))
    }

    fn chunk(&self, limits: Option<ChunkLimits>) -> Chunk<'_> {
        Chunk {
            scan: self,
            limits,
            rows: 0,
            bytes: 0,
            last: Vec::new(),
            places: vec![0..0; self.table.columns.len()],
            thrown_away: None,
            end: None,
        }
    }

    /// As [`Chunk::next_row`], of a table without a scan key that was [opened](Self::open): what comes is all that there is, so nothing need be kept between two calls.
    ///
    /// # Errors
    /// As [`Chunk::next_row`].
    pub async fn next_of_all<S: Stream>(
        &self,
        session: &mut Session<S>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        self.chunk(None).next_row(session, out).await
    }

    fn unreadable(&self, column: usize, what: &Unreadable) -> Error {
        let name = self.table.columns.get(column).map_or("", |c| &c.name);
        Error::fatal(
            "snapshot.value-unreadable",
            format!("a value of column `{name}` is not what the column's type holds"),
        )
        .detail(what.0.clone())
        .hint("if the table was changed meanwhile, start again; else report it, with SHOW CREATE TABLE")
        .in_table(&self.table.schema, &self.table.name)
    }
}

/// Why the server refused the statement.
fn refused(error: ClientError, has_key: bool) -> Error {
    if has_key && error.errno() == Some(INVALID_CHARACTER_STRING) {
        return Error::fatal(
            "snapshot.key-unwritable",
            "the table's key holds text that is not well formed in its character set, from which the copy cannot go on",
        )
        .hint("mend the rows on the source, or leave the table out of the replication");
    }
    error.into()
}

impl Chunk<'_> {
    /// Appends the image of the next row to `out`; false behind the last one. After an error `out` is as before. Dropping the future loses nothing.
    ///
    /// No more is held than the row that the server sends, which may have as many bytes as the session was told at its login (`max_allowed_packet`).
    ///
    /// # Errors
    /// Errors of the server; `snapshot.value-unreadable`.
    pub async fn next_row<S: Stream>(
        &mut self,
        session: &mut Session<S>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let named = |error: Error| {
            let table = &self.scan.table;
            error.in_table(&table.schema, &table.name)
        };
        if self.end.is_some() {
            return Ok(false);
        }
        let is_full = |limits: &ChunkLimits| self.rows > 0 && self.bytes >= limits.bytes;
        if let Some(limits) = self.limits.filter(is_full) {
            loop {
                let row = session.next_row().await.map_err(|e| named(e.into()))?;
                let Some(row) = row else {
                    break;
                };
                let bytes = self.thrown_away.unwrap_or(0) + length(row);
                self.thrown_away = Some(bytes);
                if bytes > limits.bytes.saturating_mul(self.scan.drained) {
                    self.end = Some(End::Abandoned);
                    return Ok(false);
                }
            }
            self.end = Some(match self.thrown_away {
                Some(_) => End::Within,
                None => End::Result,
            });
            return Ok(false);
        }
        let row = session.next_row().await.map_err(|e| named(e.into()))?;
        let Some(row) = row else {
            self.end = Some(End::Result);
            return Ok(false);
        };
        let begin = out.len();
        if let Err(error) = self.write(row, out) {
            out.truncate(begin);
            return Err(error);
        }
        self.rows += 1;
        self.bytes += out.len() - begin;
        if let Some(key) = &self.scan.table.scan_key {
            self.last.resize(key.parts.len(), Vec::new());
            for (part, value) in key.parts.iter().zip(&mut self.last) {
                value.clear();
                // The image is not empty where it is said to be: `write` has put it there.
                let place = self.places[part.column].clone();
                value.extend_from_slice(out.get(place).unwrap_or_default());
            }
        }
        Ok(true)
    }

    fn write(&mut self, row: TextRow<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        let scan = self.scan;
        let columns = &scan.table.columns;
        let mut values = row.values();
        let mut next = || match values.next() {
            Some(value) => value.map_err(Error::from),
            None => Err(scan.unreadable(usize::MAX, &Unreadable("a value is missing".to_owned()))),
        };
        let mut image = ImageWriter::begin(out, columns.len());
        for (at, column) in columns.iter().enumerate() {
            let value = next()?;
            let types = if column.kind == ColumnKind::Json {
                next()?
            } else {
                None
            };
            let begin = image.position();
            match value {
                None => image.push_null(),
                Some(value) => value::write(column, value, types, &mut image)
                    .map_err(|what| scan.unreadable(at, &what))?,
            }
            self.places[at] = begin..image.position();
        }
        image.finish();
        Ok(())
    }

    /// What it came to, once [`next_row`](Self::next_row) has said that there is no other row; before, what it has come to so far, with a session that is spent.
    #[must_use]
    pub fn end(self) -> ChunkEnd {
        let table = &self.scan.table;
        let key = table.scan_key.as_ref().filter(|_| self.rows > 0);
        let is_short = self
            .limits
            .is_none_or(|limits| self.rows < u64::from(limits.rows));
        ChunkEnd {
            rows: self.rows,
            bytes: self.bytes,
            last_key: key.map(|key| key.join(table, self.last.iter().map(Vec::as_slice))),
            is_last: is_short && self.end == Some(End::Result),
            session_is_spent: !matches!(self.end, Some(End::Result | End::Within)),
        }
    }
}

/// Bytes of a row's values; a row that cannot be read counts for what can be.
fn length(row: TextRow<'_>) -> usize {
    row.values()
        .map_while(Result::ok)
        .map(|value| value.map_or(1, <[u8]>::len))
        .sum()
}
