//! Tables that are read in one go, for lack of a key by which they could be read in chunks.
//!
//! Rows that cannot be told apart cannot be taken out of a chunk when the stream changes one of them. So all rows are read of one snapshot, and the snapshot must be exactly what the
//! stream's place stands for: the changes before it are left out, those behind it are applied, and while the rows are handed on the stream stands still.
//!
//! * By GTID, without a lock: `@@gtid_executed` is asked, the snapshot is taken, the end of the log is asked. What is in the first is in the snapshot; what comes behind the second is not. Of
//!   what lies between nobody knows. The stream goes on behind the second, and if nothing in between, nor anything that came after, has changed the table, the snapshot is what the table
//!   is at that place. If something has, the snapshot is given up, and another one is taken.
//! * If that was in vain some times, and without GTIDs, the table is locked: a locking read of all its rows waits for those who have changed some, and keeps others from it. The end of
//!   the log that is asked then stands for just these rows. They are locked until the last of them is read.
//!
//! The target has nothing of the table before; or what a copy that was killed has left there, which is removed first, by TRUNCATE in the stream.

use datain_binlog::GtidSet;
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_table_scan::{ChunkLimits, Reading, TableDefinition, TableScan};

use super::{Place, Step, as_change, statements};
use crate::assembler::Assembler;
use crate::facts;
use crate::position::Position;

/// So many snapshots are taken without a lock.
const ATTEMPTS: u32 = 5;
/// Rows are handed on in pieces of about so many bytes.
const PIECE_BYTES: usize = 256 << 10;

/// A table that is read in one go.
pub(super) struct Whole {
    scan: TableScan,
    attempts: u32,
    at: At,
}

/// How far it is.
enum At {
    /// What an earlier copy has left must be removed.
    Left,
    /// Nothing is begun.
    Beginning,
    /// A snapshot was taken; the stream must come to here.
    Taken { high: Position },
    /// Rows are handed on, and the stream stands still.
    Reading,
}

impl Whole {
    /// Begins a table; or begins it once more, when something of it may be on the target.
    pub(super) fn new(scan: TableScan, begins_again: bool) -> Self {
        Self {
            scan,
            attempts: 0,
            at: if begins_again {
                At::Left
            } else {
                At::Beginning
            },
        }
    }

    /// Whether the stream must not go on: rows are being handed on that are right where it stands.
    pub(super) fn holds_stream(&self) -> bool {
        matches!(self.at, At::Reading)
    }

    /// Does the next thing. Returns what it came to, and whether the table is whole.
    pub(super) async fn step<S: Stream>(
        &mut self,
        session: &mut Session<S>,
        assembler: &mut Assembler,
        by_gtid: bool,
        filter: &str,
    ) -> Result<(Step, bool), Error> {
        let TableDefinition { schema, name, .. } = self.scan.table().clone();
        let place = |whole| Place::Table {
            schema: schema.clone(),
            name: name.clone(),
            after: None,
            whole,
            filter: filter.to_owned(),
        };
        match &self.at {
            At::Left => {
                let truncate = statements::truncate(&schema, &name);
                assembler.hand_on_statement(
                    truncate,
                    &format!("emptying {schema}.{name}"),
                    1,
                    place(false),
                );
                self.at = At::Beginning;
                Ok((Step::HandedOn, false))
            }
            At::Beginning => {
                self.attempts += 1;
                let taken = if by_gtid && self.attempts <= ATTEMPTS {
                    self.watch(session, assembler).await
                } else {
                    self.lock(session, assembler).await
                };
                let high = taken.map_err(|e| as_change(e.in_table(&schema, &name)))?;
                self.at = At::Taken { high };
                Ok((Step::HandedOn, false))
            }
            At::Taken { high } => {
                let at = assembler.position().compare(high);
                if !at.is_some_and(std::cmp::Ordering::is_ge) {
                    return Ok((Step::Waits, false));
                }
                if assembler.copying().was_touched() {
                    session.exec(b"ROLLBACK").await?;
                    self.at = At::Beginning;
                    return Ok((Step::HandedOn, false));
                }
                self.open(session).await?;
                assembler.begin_whole(self.scan.table());
                self.at = At::Reading;
                Ok((Step::HandedOn, false))
            }
            At::Reading => {
                let (mut images, mut count, mut more) = (Vec::new(), 0, true);
                while more && images.len() < PIECE_BYTES {
                    let next = self.scan.next_of_all(session, &mut images).await;
                    more = next.map_err(as_change)?;
                    count += u32::from(more);
                }
                assembler.hand_on_rows(&images, count, false, place(!more));
                if !more {
                    session.exec(b"COMMIT").await?;
                    assembler.copying().end_whole(&schema, &name);
                }
                Ok((Step::HandedOn, !more))
            }
        }
    }

    /// Takes a snapshot, and has the table watched in the stream; returns what the stream must come to.
    async fn watch<S: Stream>(
        &self,
        session: &mut Session<S>,
        assembler: &mut Assembler,
    ) -> Result<Position, Error> {
        let row = session
            .query_first(b"SELECT @@GLOBAL.gtid_executed")
            .await?;
        let text = row.and_then(|row| row.into_iter().next().flatten());
        let low: GtidSet = text
            .unwrap_or_default()
            .parse()
            .map_err(|_| crate::start::position_unknown())?;
        session
            .exec(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            .await?;
        session
            .exec(b"START TRANSACTION WITH CONSISTENT SNAPSHOT")
            .await?;
        let table = self.scan.table();
        assembler.copying().watch(&table.schema, &table.name, low);
        head(session).await
    }

    /// Locks all rows, and whatever could come between them; returns what the stream must come to.
    async fn lock<S: Stream>(
        &self,
        session: &mut Session<S>,
        assembler: &mut Assembler,
    ) -> Result<Position, Error> {
        assembler.copying().watch_no_more();
        session
            .exec(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE")
            .await?;
        session.exec(b"START TRANSACTION").await?;
        let table = self.scan.table();
        // By the rows themselves: a change may touch no other index. A sum goes through all of them, where a count might ask the engine.
        let sql = format!(
            "SELECT SUM(1) FROM {}.{} USE INDEX () LOCK IN SHARE MODE",
            quote_identifier(&table.schema),
            quote_identifier(&table.name)
        );
        session.query_first(sql.as_bytes()).await?;
        head(session).await
    }

    /// Asks for the rows of the snapshot. It is the transaction's first reading without a lock: if the table is locked, the snapshot is of now.
    async fn open<S: Stream>(&self, session: &mut Session<S>) -> Result<(), Error> {
        let limits = ChunkLimits {
            rows: u32::MAX,
            bytes: usize::MAX,
        };
        let opened = self
            .scan
            .open(session, None, limits, Reading::Consistent)
            .await;
        opened.map(|_| ()).map_err(as_change)
    }
}

/// Where the log ends now.
async fn head<S: Stream>(session: &mut Session<S>) -> Result<Position, Error> {
    let head = facts::head(session).await?;
    head.ok_or_else(crate::start::position_unknown)
}
