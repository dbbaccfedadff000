//! The target's side of a comparison: digests of its tables, rows held against the source's, and repairs ([`repair`]).
//!
//! Tables are read on one session, which sees what is committed when a statement begins; repairs, and what is kept of a comparison ([`kept`]), are written on another one, which is opened
//! when it is needed: a comparison alone needs no right but SELECT.

pub mod kept;
mod repair;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error, KeyRange, TableDigest, TableRows};
use datain_mysql_client::{Session, Stream};
use datain_sql_statement::TableFilter;
pub use datain_table_compare::What;
use datain_table_compare::{
    Bucket, Chunk, ChunkLimits, Difference, Digest, Range, Reading, Shape, Side, prepare,
};
use datain_table_scan::{TableDefinition, tables};

use crate::checkpoint;
use crate::settings;
use repair::Repairs;

/// Rows that are read at once; a comparison asks for few.
const ROWS: u32 = 1_000_000;
/// Bytes of them.
const BYTES: usize = 48 << 20;

/// Two sessions that compare tables, the second from when it is needed.
pub struct Examiner<S> {
    session: Session<S>,
    writes: Option<Session<S>>,
    stream: String,
    filter: TableFilter,
    only: TableFilter,
    table: Option<Begun>,
    /// The pipeline's row was read, and is of a format that is known.
    knows_pipeline: bool,
}

struct Begun {
    side: Side,
    repairs: Option<Repairs>,
}

/// How the target's table is held against the source's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Why the two cannot be equal.
    pub mismatches: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
    /// Parts of it can be compared.
    pub ranged: bool,
}

/// A row that differs, with what people are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// Its key; empty where the table has none.
    pub key: Vec<u8>,
    /// The key for people.
    pub key_text: String,
    /// In what it differs.
    pub what: What,
    /// The values of the columns that differ, if they were asked for: the column, the source's, the target's.
    pub values: Vec<(String, Option<String>, Option<String>)>,
}

/// The filter of what is replicated, and that of what is compared of it, with names compared as the server does.
///
/// # Errors
/// `config.filter`; errors of the server.
pub async fn filters<S: Stream>(
    session: &mut Session<S>,
    include: &[String],
    exclude: &[String],
    only: &[String],
) -> Result<(TableFilter, TableFilter), Error> {
    let row = session
        .query_first(b"SELECT @@global.lower_case_table_names")
        .await?;
    let lower = row
        .and_then(|row| row.into_iter().next().flatten())
        .is_some_and(|value| value != "0");
    Ok((
        datain_server_facts::filter(include, exclude, lower)?,
        datain_server_facts::filter(only, &[], lower)?,
    ))
}

impl<S: Stream> Examiner<S> {
    /// Prepares a fresh session. `filter` is what is replicated, and of that only what `only` lets through is compared.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn open(
        mut session: Session<S>,
        stream: String,
        filter: TableFilter,
        only: TableFilter,
    ) -> Result<Self, Error> {
        prepare(&mut session).await?;
        Ok(Self {
            session,
            writes: None,
            stream,
            filter,
            only,
            table: None,
            knows_pipeline: false,
        })
    }

    /// Whether a session to write on is still to be given.
    #[must_use]
    pub fn wants_to_write(&self) -> bool {
        self.writes.is_none()
    }

    /// Takes a fresh session to write on, opened with CLIENT_FOUND_ROWS.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn write_on(&mut self, mut session: Session<S>) -> Result<(), Error> {
        repair::prepare(&mut session).await?;
        self.writes = Some(session);
        Ok(())
    }

    /// How far the pipeline has come.
    ///
    /// # Errors
    /// Errors of the server; a row that cannot be read.
    pub async fn checkpoint(&mut self) -> Result<Option<Checkpoint>, Error> {
        if self.knows_pipeline {
            return checkpoint::newest(&mut self.session, &self.stream).await;
        }
        let stored = checkpoint::read(&mut self.session, &self.stream).await?;
        self.knows_pipeline = stored.is_some();
        Ok(stored.and_then(|stored| stored.checkpoint))
    }

    /// The tables of these schemas that the filter lets through.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn tables(&mut self, schemas: &[String]) -> Result<Vec<(String, String)>, Error> {
        let listed = tables(&mut self.session, &self.filter).await?;
        let wanted = listed.into_iter().filter(|table| {
            schemas
                .iter()
                .any(|schema| schema.eq_ignore_ascii_case(&table.schema))
                && self.only.matches(&table.schema, &table.name)
        });
        Ok(wanted.map(|table| (table.schema, table.name)).collect())
    }

    /// Begins a table.
    ///
    /// # Errors
    /// Errors of the server; a shape that cannot be read.
    pub async fn begin(&mut self, schema: &str, name: &str, shape: &[u8]) -> Result<Status, Error> {
        self.table = None;
        let shape = Shape::from_bytes(shape)?;
        let mut status = Status::default();
        let own = match TableDefinition::ask(&mut self.session, schema, name).await {
            Ok(own) => own,
            // A column of a type that this version cannot read.
            Err(error) if error.code == "snapshot.column-type" => {
                status
                    .mismatches
                    .push(format!("the target's {}", error.message));
                return Ok(status);
            }
            Err(error) => return Err(error),
        };
        let Some(own) = own else {
            status
                .mismatches
                .push("the target has no such table".to_owned());
            return Ok(status);
        };
        let version = self.session.server_version().clone();
        match Side::new(shape, &own, &version) {
            Ok(side) => {
                let surplus = side.surplus_columns().iter();
                status.notes.extend(surplus.map(|column| {
                    format!("column `{column}` is only on the target, and was not compared")
                }));
                status.ranged = side.is_ranged();
                self.table = Some(Begun {
                    side,
                    repairs: None,
                });
            }
            Err(mismatches) => status
                .mismatches
                .extend(
                    mismatches
                        .into_iter()
                        .map(|mismatch| match mismatch.column.as_str() {
                            "" => mismatch.reason,
                            column => format!("column `{column}`: {}", mismatch.reason),
                        }),
                ),
        }
        Ok(status)
    }

    /// The key of the `rows`-th row behind `after`; none if there are not so many.
    ///
    /// # Errors
    /// Errors of the server and of the key.
    pub async fn boundary(
        &mut self,
        after: Option<&[u8]>,
        rows: u32,
    ) -> Result<Option<Vec<u8>>, Error> {
        let table = self.table.as_ref().ok_or_else(not_begun)?;
        table
            .side
            .boundary(&mut self.session, after, rows.into())
            .await
    }

    /// What a part comes to.
    ///
    /// # Errors
    /// Errors of the server and of the keys.
    pub async fn digest(&mut self, range: &KeyRange) -> Result<TableDigest, Error> {
        let table = self.table.as_ref().ok_or_else(not_begun)?;
        let range = as_range(range);
        let digest = table.side.digest(&mut self.session, &range).await?;
        Ok(as_record(digest))
    }

    /// What the table comes to, bucket by bucket.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn buckets(&mut self, count: u32) -> Result<Vec<TableDigest>, Error> {
        let table = self.table.as_ref().ok_or_else(not_begun)?;
        let all = table
            .side
            .buckets(&mut self.session, &Range::default(), count)
            .await?;
        Ok(all.into_iter().map(as_record).collect())
    }

    /// Holds the rows of a part against the source's.
    ///
    /// # Errors
    /// Errors of the server and of the keys; images that cannot be read.
    pub async fn compare(
        &mut self,
        range: &KeyRange,
        rows: &TableRows,
        values: bool,
    ) -> Result<Vec<Differing>, Error> {
        let table = self.table.as_ref().ok_or_else(not_begun)?;
        let limits = ChunkLimits {
            rows: ROWS,
            bytes: usize::MAX,
        };
        let chunk = table
            .side
            .rows(
                &mut self.session,
                &as_range(range),
                limits,
                Reading::Consistent,
            )
            .await?;
        let own = collect(&mut self.session, chunk).await?;
        table.differences(rows, &own, values)
    }

    /// Holds the rows with these keys against the source's.
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub async fn compare_keys(
        &mut self,
        keys: &[Vec<u8>],
        rows: &TableRows,
        values: bool,
    ) -> Result<Vec<Differing>, Error> {
        let own = self.rows_of(keys).await?;
        let table = self.table.as_ref().ok_or_else(not_begun)?;
        table.differences(rows, &own, values)
    }

    async fn rows_of(&mut self, keys: &[Vec<u8>]) -> Result<TableRows, Error> {
        let table = self.table.as_ref().ok_or_else(not_begun)?;
        let chunk = table
            .side
            .rows_of(&mut self.session, keys, Reading::Consistent)
            .await?;
        collect(&mut self.session, chunk).await
    }

    /// Makes the rows with these keys as `rows`: see [`repair`]. Returns how many were deleted and inserted.
    ///
    /// # Errors
    /// `verify.in-the-way`, `verify.target-locked`; errors of the server; where the target's table is none that rows can be written to, why.
    pub async fn repair(&mut self, keys: &[Vec<u8>], rows: &TableRows) -> Result<u32, Error> {
        let old = self.rows_of(keys).await?;
        let table = self.table.as_mut().ok_or_else(not_begun)?;
        let mut there = Vec::with_capacity(old.lengths.len());
        for image in images(&old)? {
            there.extend(table.side.key_of(&image)?);
        }
        let writes = self.writes.as_mut().ok_or_else(not_begun)?;
        let repairs = match &mut table.repairs {
            Some(repairs) => repairs,
            none => none.insert(Repairs::of(writes, table.side.shape()).await?),
        };
        repairs.write(writes, &there, rows).await
    }

    /// Keeps what the comparison came to.
    ///
    /// # Errors
    /// As [`kept::keep`].
    pub async fn keep(&mut self, report: &str) -> Result<(), Error> {
        let writes = self.writes.as_mut().ok_or_else(not_begun)?;
        // The repair's impatience is for rows.
        writes.exec(settings::PATIENT).await?;
        kept::keep(writes, &self.stream, report).await
    }
}

impl Begun {
    fn differences(
        &self,
        source: &TableRows,
        target: &TableRows,
        values: bool,
    ) -> Result<Vec<Differing>, Error> {
        let (source, target) = (images(source)?, images(target)?);
        let found = self.side.differences(&source, &target)?;
        let told = |difference| self.told(difference, &source, &target, values);
        found.into_iter().map(told).collect()
    }

    /// A difference as people are told of it.
    fn told(
        &self,
        found: Difference,
        source: &[Vec<u8>],
        target: &[Vec<u8>],
        values: bool,
    ) -> Result<Differing, Error> {
        let shape = self.side.shape();
        let key_text = match &found.key {
            Some(key) => {
                let parts = shape.show_key(key)?;
                let parts = parts.iter().map(|(name, value)| format!("{name}={value}"));
                parts.collect::<Vec<_>>().join(", ")
            }
            None => "(a row of a table without a key)".to_owned(),
        };
        let image = |at: Option<usize>, of: &'_ [Vec<u8>]| at.and_then(|at| of.get(at).cloned());
        let (ours, theirs) = (image(found.source, source), image(found.target, target));
        let columns: Vec<String> = match &found.what {
            What::Columns(columns) => columns.clone(),
            What::Missing | What::Surplus => shape
                .columns
                .iter()
                .map(|column| column.name.clone())
                .collect(),
        };
        let mut shown = Vec::new();
        if values {
            for column in columns {
                let text = |image: &Option<Vec<u8>>| match image {
                    Some(image) => shape.show_value(&column, image),
                    None => Ok(None),
                };
                let (a, b) = (text(&ours)?, text(&theirs)?);
                shown.push((column, a, b));
            }
        }
        Ok(Differing {
            key: found.key.unwrap_or_default(),
            key_text,
            what: found.what,
            values: shown,
        })
    }
}

/// The images one by one.
fn images(rows: &TableRows) -> Result<Vec<Vec<u8>>, Error> {
    let mut rest = rows.images.as_slice();
    let mut images = Vec::with_capacity(rows.lengths.len());
    for length in &rows.lengths {
        let (image, behind) = rest.split_at_checked(*length as usize).ok_or_else(|| {
            Error::fatal(
                "row-block.malformed",
                "rows of a comparison are shorter than they say",
            )
        })?;
        images.push(image.to_vec());
        rest = behind;
    }
    Ok(images)
}

/// All rows of a chunk; more bytes than there may be are an error, after which the session can be used further.
async fn collect<S: Stream>(
    session: &mut Session<S>,
    mut chunk: Chunk<'_>,
) -> Result<TableRows, Error> {
    let (mut images, mut lengths) = (Vec::new(), Vec::new());
    let (mut begin, mut is_too_large) = (0, false);
    while chunk.next_row(session, &mut images).await? {
        lengths.push(u32::try_from(images.len() - begin).unwrap_or(u32::MAX));
        begin = images.len();
        is_too_large |= lengths.len() > 1 && begin > BYTES;
        if is_too_large {
            images.clear();
            lengths.clear();
            begin = 0;
        }
    }
    let end = chunk.end();
    if is_too_large || end.session_is_spent {
        return Err(Error::retry(
            "verify.too-large",
            "the target has more bytes of rows in a part of a table than can be compared at once",
        )
        .hint("compare again; if it stays so, empty the table on the target and copy it anew"));
    }
    Ok(TableRows { images, lengths })
}

fn as_range(range: &KeyRange) -> Range {
    Range {
        after: range.after.clone(),
        up_to: range.up_to.clone(),
        bucket: range.bucket.map(|bucket| Bucket {
            index: bucket.index,
            of: bucket.of,
        }),
    }
}

fn as_record(digest: Digest) -> TableDigest {
    TableDigest {
        rows: digest.rows,
        sum: digest.sum.into_bytes(),
    }
}

fn not_begun() -> Error {
    Error::fatal(
        "verify.no-table",
        "the target was asked of a table before one was begun",
    )
}
