//! Tables that are read in one go, for lack of a key by which they could be read in chunks.
//!
//! Rows that cannot be told apart cannot be taken out of a chunk when the stream changes one of them. So all rows are read of one snapshot, and the snapshot must be exactly what the
//! stream's place stands for: the changes before it are left out, those behind it are applied, and while the rows are handed on the stream stands still.
//!
//! * By GTID, without a lock: the source must show all that the stream has passed; `@@gtid_executed` is asked, the snapshot is taken, the end of the log is asked. What is in the first is in the snapshot; what comes behind the second is not. Of
//!   what lies between nobody knows. The stream goes on behind the second, and if nothing in between, nor anything that came after, has changed the table, the snapshot is what the table
//!   is at that place. If something has, the snapshot is given up, and another one is taken.
//! * If that was in vain some times, and without GTIDs, the table is locked: a locking read of all its rows waits for those who have changed some, and keeps others from it. The end of
//!   the log that is asked then stands for just these rows. They are locked until the last of them is read.
//!
//! The target has nothing of the table before; or what a copy that was killed has left there, which is removed first, by TRUNCATE in the stream.

use datain_binlog::GtidSet;
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Statement};
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_table_scan::{ChunkLimits, Reading, TableScan};

use super::progress::Totals;
use super::readers::must_show;
use super::window::{Name, Rows};
use super::{as_change, no_connection, statements};
use crate::assembler::Assembler;
use crate::facts;
use crate::gtids::Gtids;
use crate::position::Position;
use crate::visible;

/// So many snapshots are taken without a lock.
const ATTEMPTS: u32 = 5;
/// Rows are handed on in pieces of about so many bytes.
const PIECE_BYTES: usize = 256 << 10;

/// A table that is read in one go, over a connection that is its own meanwhile.
pub(super) struct Whole<S> {
    name: Name,
    scan: TableScan,
    session: Option<Session<S>>,
    attempts: u32,
    /// When it was begun.
    began: u64,
    state: State,
}

/// How far it is.
enum State {
    /// What an earlier copy has left must be removed.
    Left,
    /// Nothing is begun.
    Beginning,
    /// A snapshot was taken; the stream must come to here.
    Taken { high: Position },
    /// Rows are handed on under this id, and the stream stands still.
    Reading { id: u32 },
}

/// What a step has come to.
pub(super) enum At {
    /// The stream must go on first.
    Waits,
    /// The next step.
    Goes,
    /// This is to be handed on.
    Statement(Statement),
    /// These are, and whether they are the last.
    Rows(Rows, Totals, bool),
}

impl<S: Stream> Whole<S> {
    /// Begins a table; or begins it once more, when something of it may be on the target.
    pub(super) fn new(name: Name, scan: TableScan, begins_again: bool, now: u64) -> Self {
        Self {
            name,
            scan,
            session: None,
            attempts: 0,
            began: now,
            state: if begins_again {
                State::Left
            } else {
                State::Beginning
            },
        }
    }

    /// Its schema and name.
    pub(super) fn name(&self) -> &Name {
        &self.name
    }

    /// When it was begun.
    pub(super) fn began(&self) -> u64 {
        self.began
    }

    /// Whether it has no connection yet.
    pub(super) fn needs_session(&self) -> bool {
        self.session.is_none()
    }

    /// From now on this connection is its own.
    pub(super) fn take_session(&mut self, session: Session<S>) {
        self.session = Some(session);
    }

    /// Gives the connection back.
    pub(super) fn end(self) -> Result<Session<S>, Error> {
        self.session.ok_or_else(no_connection)
    }

    /// Whether the stream must not go on: rows are being handed on that are right where it stands.
    pub(super) fn holds_stream(&self) -> bool {
        matches!(self.state, State::Reading { .. })
    }

    /// Does the next thing.
    pub(super) async fn step(
        &mut self,
        assembler: &mut Assembler,
        by_gtid: bool,
    ) -> Result<At, Error> {
        let session = self.session.as_mut().ok_or_else(no_connection)?;
        let (name, scan) = (&self.name, &self.scan);
        let (next, at) = match &self.state {
            State::Left => {
                let truncate = statements::truncate(&name.0, &name.1);
                (State::Beginning, At::Statement(truncate))
            }
            State::Beginning => {
                self.attempts += 1;
                let taken = if by_gtid && self.attempts <= ATTEMPTS {
                    watch(session, name, assembler).await
                } else {
                    lock(session, name, assembler).await
                };
                let high = taken.map_err(|e| as_change(e.in_table(&name.0, &name.1)))?;
                (State::Taken { high }, At::Goes)
            }
            State::Taken { high } => {
                let at = assembler.position().compare(high);
                if !at.is_some_and(std::cmp::Ordering::is_ge) {
                    return Ok(At::Waits);
                }
                if assembler.copying().was_touched() {
                    session.exec(b"ROLLBACK").await?;
                    (State::Beginning, At::Goes)
                } else {
                    // The transaction's first reading without a lock: if the table is locked, the snapshot is of now.
                    let limits = ChunkLimits {
                        rows: u32::MAX,
                        bytes: usize::MAX,
                    };
                    let opened = scan.open(session, None, limits, Reading::Consistent).await;
                    opened.map_err(as_change)?;
                    let id = assembler.begin_whole(scan.table());
                    (State::Reading { id }, At::Goes)
                }
            }
            State::Reading { id } => {
                let mut rows = Rows {
                    table: *id,
                    columns: scan.table().columns.len(),
                    images: Vec::new(),
                    count: 0,
                    may_be_there: false,
                };
                let mut more = true;
                while more && rows.images.len() < PIECE_BYTES {
                    let next = scan.next_of_all(session, &mut rows.images).await;
                    more = next.map_err(as_change)?;
                    rows.count += u32::from(more);
                }
                if !more {
                    session.exec(b"COMMIT").await?;
                }
                let read = Totals {
                    rows: rows.count.into(),
                    bytes: rows.images.len() as u64,
                    chunks: 1,
                };
                (State::Reading { id: *id }, At::Rows(rows, read, !more))
            }
        };
        self.state = next;
        Ok(at)
    }
}

/// Takes a snapshot, and has the table watched in the stream; returns what the stream must come to.
async fn watch<S: Stream>(
    session: &mut Session<S>,
    name: &Name,
    assembler: &mut Assembler,
) -> Result<Position, Error> {
    // The stream may have passed by what can not be seen yet, and will not come by again.
    if let Some(Gtids::Set(passed)) = assembler.gtids() {
        must_show(session, passed).await?;
    }
    let row = session
        .query_first(b"SELECT @@GLOBAL.gtid_executed")
        .await?;
    let text = row.and_then(|row| row.into_iter().next().flatten());
    let low: GtidSet = text
        .unwrap_or_default()
        .parse()
        .map_err(|_| crate::start::position_unknown())?;
    let low = visible::of(session, &low).await?;
    session
        .exec(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .await?;
    session
        .exec(b"START TRANSACTION WITH CONSISTENT SNAPSHOT")
        .await?;
    assembler.copying().watch(name, low);
    head(session).await
}

/// Locks all rows, and whatever could come between them; returns what the stream must come to.
async fn lock<S: Stream>(
    session: &mut Session<S>,
    name: &Name,
    assembler: &mut Assembler,
) -> Result<Position, Error> {
    assembler.copying().watch_no_more();
    session
        .exec(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE")
        .await?;
    session.exec(b"START TRANSACTION").await?;
    // By the rows themselves: a change may touch no other index. A sum goes through all of them, where a count might ask the engine.
    let sql = format!(
        "SELECT SUM(1) FROM {}.{} USE INDEX () LOCK IN SHARE MODE",
        quote_identifier(&name.0),
        quote_identifier(&name.1)
    );
    session.query_first(sql.as_bytes()).await?;
    head(session).await
}

/// Where the log ends now.
async fn head<S: Stream>(session: &mut Session<S>) -> Result<Position, Error> {
    let head = facts::head(session).await?;
    head.ok_or_else(crate::start::position_unknown)
}
