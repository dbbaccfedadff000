//! The transaction that follows a checkpoint, for the one who must decide whether to skip it.
//!
//! It may be the very one that cannot be replicated, so reading it is lenient: what cannot be decoded is passed over and noted. Where a transaction ends is known from the
//! length in its Gtid event (MySQL 8.0.2 and later), else from its last event's type. So of a transaction that takes too long to read, or has an event too large to be held,
//! the rest need not be read: its end is known all the same, and only the counts are incomplete.

mod walk;

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{DumpPacket, Session, Stream};

use crate::checkpoint::State;
use crate::copying;
use crate::dump::request_dump;
use crate::facts::Facts;
use crate::gtids::TransactionGtid;
use crate::position::Position;
use crate::reader::Settings;
use crate::start;
pub use walk::Walk;

/// What a transaction does to one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableChanges {
    /// Whether the filter lets it through.
    pub replicated: bool,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// A transaction that has not been replicated.
#[derive(Debug, Clone, PartialEq)]
pub struct Upcoming {
    /// Its GTID, where it has one.
    pub gtid: Option<TransactionGtid>,
    /// Where it begins.
    pub begins: Position,
    /// Commit time, microseconds since 1970.
    pub committed_at_micros: u64,
    /// Its length in the log.
    pub bytes: u64,
    /// By `schema.table`.
    pub tables: BTreeMap<String, TableChanges>,
    /// As they were written, or their first words where they may hold values or secrets.
    pub statements: Vec<String>,
    /// The first thing that could not be read.
    pub unreadable: Option<String>,
    /// The state after it.
    pub after: State,
}

/// Asks the server for the transaction after `checkpoint`; none when it has no newer one. When `enough` is ready, what was read until then is answered, if the
/// transaction's end is known; `session` should refuse packets that are too large to be held.
///
/// # Errors
/// As [`start::state`]; errors of the server; `source.anonymous-transaction`; `binlog.malformed` where the log cannot even be cut into
/// events.
pub async fn after<S: Stream>(
    session: Session<S>,
    settings: &Settings,
    checkpoint: &Checkpoint,
    enough: impl Future<Output = ()>,
) -> Result<Option<Upcoming>, Error> {
    // What fails may be a part of the copy, and the log's next transaction may change rows that are still to be copied.
    if State::from_checkpoint(checkpoint)?.copy.is_some() {
        return Err(copying::incomplete());
    }
    let Some((mut walk, mut dump)) = Dump::request(session, settings, checkpoint).await? else {
        return Ok(None);
    };
    let mut enough = pin!(enough);
    let mut is_enough = false;
    loop {
        if is_enough && walk.end_is_known() {
            return walk.cut_short("it takes long to read");
        }
        let packet = {
            let mut next = pin!(dump.next(&walk));
            poll_fn(|context| {
                if !is_enough && enough.as_mut().poll(context).is_ready() {
                    is_enough = true;
                    // Where the end is not known, there is nothing but to read on.
                    if walk.end_is_known() {
                        return Poll::Ready(None);
                    }
                }
                next.as_mut().poll(context).map(Some)
            })
            .await
        };
        let packet = match packet {
            None => continue,
            Some(Ok(Some(packet))) => packet,
            Some(Ok(None)) => return Ok(None),
            Some(Err(e)) if e.code == "protocol.packet-too-large" && walk.end_is_known() => {
                return walk.cut_short("one of its events is too large");
            }
            Some(Err(e)) => return Err(e),
        };
        let found = walk.packet(packet)?;
        if found.is_some() {
            return Ok(found);
        }
    }
}

/// Only when that transaction was committed, microseconds since 1970, 0 if unknown: nothing is read behind its first event, however large it is.
///
/// # Errors
/// As [`after`].
pub async fn committed_at<S: Stream>(
    session: Session<S>,
    settings: &Settings,
    checkpoint: &Checkpoint,
) -> Result<Option<u64>, Error> {
    let Some((mut walk, mut dump)) = Dump::request(session, settings, checkpoint).await? else {
        return Ok(None);
    };
    while let Some(packet) = dump.next(&walk).await? {
        let found = walk.packet(packet)?;
        if let Some(begun) = found.as_ref().or(walk.found.as_ref()) {
            return Ok(Some(begun.committed_at_micros));
        }
    }
    Ok(None)
}

/// The largest row that is held for counting; the configuration's largest row may make it smaller.
const COUNTED_ROW: usize = 16 << 20;

/// The log after a checkpoint.
struct Dump<S> {
    session: Session<S>,
    /// In a stream by position, the log's end when it was asked for.
    head: Option<Position>,
}

impl<S: Stream> Dump<S> {
    /// None when the server has nothing newer.
    async fn request(
        mut session: Session<S>,
        settings: &Settings,
        checkpoint: &Checkpoint,
    ) -> Result<Option<(Walk, Self)>, Error> {
        let facts = Facts::ask(&mut session).await?;
        let filter = settings.filter(&facts)?;
        let resume = State::from_checkpoint(checkpoint)?;
        let state = start::state(&settings.start, Some(resume), &facts)?;
        let nothing_newer = match (&state.gtids, &facts.head) {
            (Some(gtids), _) => facts.executed.is_subset_of(gtids),
            (None, Some(head)) => state
                .position
                .compare(head)
                .is_some_and(std::cmp::Ordering::is_ge),
            (None, None) => return Err(start::position_unknown()),
        };
        if nothing_newer {
            return Ok(None);
        }
        request_dump(&mut session, settings, &state).await?;
        let head = facts.head.filter(|_| state.gtids.is_none());
        let held = usize::try_from(settings.max_row_bytes).unwrap_or(usize::MAX);
        let walk = Walk::new(state, facts.checksum, filter).holding(held.min(COUNTED_ROW));
        Ok(Some((walk, Self { session, head })))
    }

    /// The next event; none when no transaction can come any more.
    async fn next(&mut self, walk: &Walk) -> Result<Option<DumpPacket<'_>>, Error> {
        // By position the log may go on without a transaction (a new file) up to what was its end.
        let past = self
            .head
            .as_ref()
            .is_some_and(|head| walk.at.compare(head).is_some_and(std::cmp::Ordering::is_ge));
        if past && walk.found.is_none() {
            return Ok(None);
        }
        match self.session.next_event().await? {
            DumpPacket::EndOfStream => Ok(None),
            packet => Ok(Some(packet)),
        }
    }
}
