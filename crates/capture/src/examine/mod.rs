//! The source's side of a comparison: digests and rows of its tables, rows that are held, and marks in the log ([`marks`]).
//!
//! One session does one thing after the other. It reads what is committed when a statement begins; only rows that are *held* are read inside a transaction, under REPEATABLE READ, with
//! shared locks: on the rows, which waits for transactions that have changed them and are not committed, and on the gaps where there is no such row. The transaction is read only, and what it
//! holds is let go by its end. Nothing here needs a right but SELECT, beside those of replication.

mod marks;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, KeyRange, TableDigest, TableRows};
use datain_mysql_client::{Session, StatusFlags, Stream};
use datain_sql_statement::TableFilter;
use datain_table_compare::{
    Algorithm, Bucket, Chunk, ChunkEnd, ChunkLimits, Digest, Range, Reading, Shape, Side, prepare,
};
use datain_table_scan::{ListedTable, TableDefinition, tables};

use crate::facts::Facts;
use crate::reader::Settings;
pub use marks::Mark;

/// Rows that are read at once, at first.
const FIRST_ROWS: u32 = 8;
/// Bytes of several rows whose keys were asked for. A comparison asks for few, and for fewer where rows are large.
const BYTES: usize = 32 << 20;

/// errnos of a wait for locks that was given up, and of a deadlock.
const LOCKED: [u16; 2] = [1205, 1213];

/// A session that compares tables.
pub struct Examiner<S> {
    session: Session<S>,
    filter: TableFilter,
    only: TableFilter,
    side: Option<Side>,
    holds: bool,
    server_uuid: String,
}

/// Rows of a part, and the part that they are.
#[derive(Debug, Clone)]
pub struct Part {
    /// The rows.
    pub rows: TableRows,
    /// The part.
    pub range: KeyRange,
}

/// The filter of what is replicated, and that of what is compared of it, with names compared as the server does.
///
/// # Errors
/// `config.filter`; errors of the server.
pub async fn filters<S: Stream>(
    session: &mut Session<S>,
    settings: &Settings,
    only: &[String],
) -> Result<(TableFilter, TableFilter), Error> {
    let facts = Facts::ask(session).await?;
    Ok((
        settings.filter(&facts)?,
        datain_server_facts::filter(only, &[], facts.lower_case_names)?,
    ))
}

impl<S: Stream> Examiner<S> {
    /// Prepares a fresh session. `filter` is what is replicated, and of that only what `only` lets through is compared.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn open(
        mut session: Session<S>,
        filter: TableFilter,
        only: TableFilter,
    ) -> Result<Self, Error> {
        // What checkpoints of its log name it by.
        let server_uuid = Facts::ask(&mut session).await?.server_uuid;
        prepare(&mut session).await?;
        // A lock on rows that are held for a comparison is not worth a long wait.
        session
            .exec(b"SET SESSION innodb_lock_wait_timeout = 2")
            .await?;
        Ok(Self {
            server_uuid,
            session,
            filter,
            only,
            side: None,
            holds: false,
        })
    }

    /// The tables, in the order of schema and name.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn tables(&mut self) -> Result<Vec<ListedTable>, Error> {
        let mut listed = tables(&mut self.session, &self.filter).await?;
        listed.retain(|table| self.only.matches(&table.schema, &table.name));
        Ok(listed)
    }

    /// Begins a table; none if there is none of this name. The shape, and whether the table has a key for ranges.
    ///
    /// # Errors
    /// Errors of the server, and of a definition that this version does not understand.
    pub async fn begin(
        &mut self,
        schema: &str,
        name: &str,
        strong: bool,
    ) -> Result<Option<(Vec<u8>, bool)>, Error> {
        self.side = None;
        let Some(table) = TableDefinition::ask(&mut self.session, schema, name).await? else {
            return Ok(None);
        };
        let algorithm = if strong {
            Algorithm::Sha2
        } else {
            Algorithm::Crc32
        };
        let shape = Shape::of(&table, algorithm);
        let bytes = shape.to_bytes();
        let version = self.session.server_version().clone();
        let side = Side::new(shape, &table, &version).map_err(|mismatches| {
            let what = mismatches
                .into_iter()
                .map(|m| format!("column `{}`: {}", m.column, m.reason));
            Error::reconfigure(
                "verify.incomparable",
                "columns of the source's table hold values that cannot be compared",
            )
            .detail(what.collect::<Vec<_>>().join("; "))
            .hint("leave the table out with --tables, and compare it by other means")
            .in_table(schema, name)
        })?;
        let ranged = side.is_ranged();
        self.side = Some(side);
        Ok(Some((bytes, ranged)))
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
        let side = self.side.as_ref().ok_or_else(not_begun)?;
        side.boundary(&mut self.session, after, rows.into()).await
    }

    /// What a part comes to.
    ///
    /// # Errors
    /// Errors of the server and of the keys.
    pub async fn digest(&mut self, range: &KeyRange) -> Result<TableDigest, Error> {
        let side = self.side.as_ref().ok_or_else(not_begun)?;
        let digest = side.digest(&mut self.session, &as_range(range)).await?;
        Ok(as_record(digest))
    }

    /// What the table comes to, bucket by bucket.
    ///
    /// # Errors
    /// Errors of the server.
    pub async fn buckets(&mut self, count: u32) -> Result<Vec<TableDigest>, Error> {
        let side = self.side.as_ref().ok_or_else(not_begun)?;
        let all = side
            .buckets(&mut self.session, &Range::default(), count)
            .await?;
        Ok(all.into_iter().map(as_record).collect())
    }

    /// Rows of a part, about so many bytes of them.
    ///
    /// # Errors
    /// Errors of the server and of the keys.
    pub async fn read(&mut self, range: &KeyRange, max_bytes: usize) -> Result<Part, Error> {
        let side = self.side.as_ref().ok_or_else(not_begun)?;
        let mut part = Part {
            rows: TableRows {
                images: Vec::new(),
                lengths: Vec::new(),
            },
            range: range.clone(),
        };
        let mut rest = as_range(range);
        let mut rows = FIRST_ROWS;
        loop {
            // What is too much is read all the same, and thrown away: few rows at first, since they may be large.
            let limits = ChunkLimits {
                rows,
                bytes: max_bytes.saturating_sub(part.rows.images.len()),
            };
            let chunk = side
                .rows(&mut self.session, &rest, limits, Reading::Consistent)
                .await?;
            let (more, end) = collect(&mut self.session, chunk, None).await?;
            part.rows.images.extend_from_slice(&more.images);
            part.rows.lengths.extend_from_slice(&more.lengths);
            if end.is_last || !side.is_ranged() {
                return Ok(part);
            }
            if end.last_key.is_none() || part.rows.images.len() >= max_bytes {
                part.range.up_to = end.last_key.or(rest.after);
                return Ok(part);
            }
            rest.after = end.last_key;
            rows = rows.saturating_mul(4);
        }
    }

    /// The rows with these keys; with `hold` they stay locked for reading, and without keys it is the whole table that is.
    ///
    /// # Errors
    /// `verify.locked`, `verify.too-large`: nothing is held then, and the session can be used further. Errors of the server and of the keys.
    pub async fn read_keys(&mut self, keys: &[Vec<u8>], hold: bool) -> Result<TableRows, Error> {
        if !hold {
            let side = self.side.as_ref().ok_or_else(not_begun)?;
            let chunk = side
                .rows_of(&mut self.session, keys, Reading::Consistent)
                .await?;
            return Ok(collect(&mut self.session, chunk, Some(BYTES)).await?.0);
        }
        self.begin_to_hold().await?;
        let result = self.read_held(keys).await;
        match result {
            Err(error) if error.server_errno.is_some_and(|n| LOCKED.contains(&n)) => {
                self.session.exec(b"ROLLBACK").await?;
                self.holds = false;
                Err(Error::retry(
                    "verify.locked",
                    "rows that seem to differ are locked on the source by others",
                )
                .hint("see which transactions stay open for long on the source"))
            }
            Err(error) if error.code == "verify.too-large" => {
                self.session.exec(b"ROLLBACK").await?;
                self.holds = false;
                Err(error)
            }
            other => other,
        }
    }

    async fn begin_to_hold(&mut self) -> Result<(), Error> {
        if self.holds {
            self.session.exec(b"ROLLBACK").await?;
        }
        // Only for the next transaction. Under READ COMMITTED nothing would be locked where there is no row.
        self.session
            .exec(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            .await?;
        self.session.exec(b"START TRANSACTION").await?;
        self.holds = true;
        Ok(())
    }

    async fn read_held(&mut self, keys: &[Vec<u8>]) -> Result<TableRows, Error> {
        let side = self.side.as_ref().ok_or_else(not_begun)?;
        if !keys.is_empty() {
            let chunk = side
                .rows_of(&mut self.session, keys, Reading::Locking)
                .await?;
            return Ok(collect(&mut self.session, chunk, Some(BYTES)).await?.0);
        }
        let limits = ChunkLimits {
            rows: u32::MAX,
            bytes: usize::MAX,
        };
        let range = Range::default();
        let mut chunk = side
            .rows(&mut self.session, &range, limits, Reading::Locking)
            .await?;
        let mut row = Vec::new();
        while chunk.next_row(&mut self.session, &mut row).await? {
            row.clear();
        }
        Ok(TableRows {
            images: Vec::new(),
            lengths: Vec::new(),
        })
    }

    /// Lets go what is held.
    ///
    /// # Errors
    /// `verify.lost` if it was not held until now; errors of the network.
    pub async fn release(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.holds) {
            return Err(lost());
        }
        // An open transaction that the server has ended by itself is known by the session's status.
        let held = self.session.query_first(b"SELECT 1").await;
        let in_transaction = self
            .session
            .status()
            .contains(StatusFlags::SERVER_STATUS_IN_TRANS)
            || self
                .session
                .status()
                .contains(StatusFlags::SERVER_STATUS_IN_TRANS_READONLY);
        let ended = self.session.exec(b"ROLLBACK").await;
        match (held, ended) {
            (Ok(_), Ok(_)) if in_transaction => Ok(()),
            (Ok(_), Ok(_)) => Err(lost()),
            (Err(error), _) | (_, Err(error)) => Err(error.into()),
        }
    }

    /// Where the log ends now.
    ///
    /// # Errors
    /// As [`Mark::now`].
    pub async fn mark(&mut self) -> Result<Mark, Error> {
        Mark::now(&mut self.session, &self.server_uuid).await
    }

    /// Whether a checkpoint covers a mark.
    ///
    /// # Errors
    /// As [`Mark::is_covered`].
    pub async fn covers(
        &mut self,
        checkpoint: &datain_contract::types::Checkpoint,
        mark: &[u8],
    ) -> Result<bool, Error> {
        let mark = Mark::from_bytes(mark)?;
        mark.is_covered(&mut self.session, checkpoint).await
    }
}

/// The rows of a chunk, and how it ended; with `most` more bytes are an error, after which the session can be used further.
async fn collect<S: Stream>(
    session: &mut Session<S>,
    mut chunk: Chunk<'_>,
    most: Option<usize>,
) -> Result<(TableRows, ChunkEnd), Error> {
    let (mut images, mut lengths) = (Vec::new(), Vec::new());
    let (mut begin, mut is_too_large) = (0, false);
    while chunk.next_row(session, &mut images).await? {
        lengths.push(u32::try_from(images.len() - begin).unwrap_or(u32::MAX));
        begin = images.len();
        if lengths.len() > 1 && most.is_some_and(|most| begin > most) {
            is_too_large = true;
        }
        if is_too_large {
            images.clear();
            lengths.clear();
            begin = 0;
        }
    }
    if is_too_large {
        return Err(Error::retry(
            "verify.too-large",
            "rows that seem to differ are too large to be compared together",
        ));
    }
    Ok((TableRows { images, lengths }, chunk.end()))
}

/// The contract's range as the comparison's.
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
        "the source was asked of a table before one was begun",
    )
}

fn lost() -> Error {
    Error::retry(
        "verify.lost",
        "the source did not hold the rows until they were compared",
    )
}
