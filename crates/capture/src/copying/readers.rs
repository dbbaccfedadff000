//! The connections over which chunks are read, several at the same time, while the stream goes on.
//!
//! The reading of a chunk is a future of its own that takes a connection and the table's scan with it and gives both back. It is continued whenever the stream is waited for, and must be
//! so while the caller waits for something else too, since its rows may be locked: without GTIDs until it ends, and where they follow a parent until the transaction is ended behind it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use datain_binlog::GtidSet;
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_table_scan::{ChunkLimits, ChunkSize, Reading, Stretch, TableScan};

use super::as_change;
use super::window::Name;
use crate::facts;
use crate::position::Position;
use crate::visible;

/// How many seconds the source may take until it shows what its log holds.
const LOOKS: u32 = 60;
/// How long the reading of a chunk may take. Its connection may be dead, which nobody notices as long as the log comes.
const CHUNK_MICROS: u64 = 600_000_000;

/// Where the reading of a table is.
pub(super) struct Scan {
    pub(super) scan: TableScan,
    pub(super) size: ChunkSize,
    /// The newest chunk's last key; none before the first.
    pub(super) after: Option<Vec<u8>>,
    /// Its rows change with those of other tables, which the source does not log.
    pub(super) follows: bool,
    /// What of it is being read again.
    pub(super) again: Option<Again>,
}

/// Rows that are read again: see [`super::moves`].
pub(super) struct Again {
    /// Only those of which this SQL is true.
    pub(super) only: Option<String>,
    /// The newest chunk's last key; none before the first.
    pub(super) after: Option<Vec<u8>>,
    /// Only those up to this key.
    pub(super) up_to: Option<Vec<u8>>,
}

impl Scan {
    fn stretch(&self) -> Stretch<'_> {
        match &self.again {
            None => Stretch {
                after: self.after.as_deref(),
                ..Stretch::default()
            },
            Some(again) => Stretch {
                after: again.after.as_deref(),
                up_to: again.up_to.as_deref(),
                only: again.only.as_deref(),
                any_index: again.only.is_some(),
                ..Stretch::default()
            },
        }
    }
}

/// How a chunk is to be read.
pub(super) struct Manner {
    /// What the source must show before; none where rows are locked for reading instead.
    pub(super) shows: Option<GtidSet>,
    /// Rows at most.
    pub(super) rows: u32,
    /// Bytes at most, or a row more.
    pub(super) bytes: usize,
    pub(super) now: fn() -> u64,
}

/// A chunk that was read.
pub(super) struct ChunkRead {
    pub(super) name: Name,
    pub(super) scan: Box<Scan>,
    /// Nothing comes behind it.
    pub(super) is_last: bool,
    pub(super) images: Vec<u8>,
    pub(super) count: u32,
    /// Microseconds that the reading took, without what came before and after.
    pub(super) took: u64,
    /// Where the log ended afterwards.
    pub(super) high: Position,
}

/// The reading of a chunk; or, without one, the end of the transaction in which it was read.
type Under<S> = Pin<Box<dyn Future<Output = Result<(Session<S>, Option<ChunkRead>), Error>>>>;

/// The connections.
pub(super) struct Readers<S> {
    idle: Vec<Session<S>>,
    /// With the moment at which each began.
    under_way: Vec<(u64, Under<S>)>,
    now: fn() -> u64,
    count: usize,
}

impl<S: Stream + 'static> Readers<S> {
    pub(super) fn new(sessions: Vec<Session<S>>, now: fn() -> u64) -> Self {
        Self {
            count: sessions.len(),
            idle: sessions,
            under_way: Vec::new(),
            now,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// How many chunks are being read.
    pub(super) fn busy(&self) -> usize {
        self.under_way.len()
    }

    /// One that reads nothing now, if there is any.
    pub(super) fn idle(&mut self) -> Option<&mut Session<S>> {
        self.idle.last_mut()
    }

    /// Takes one out that reads nothing now, if there is any.
    pub(super) fn take(&mut self) -> Option<Session<S>> {
        self.idle.pop()
    }

    /// Gives one back that was taken out.
    pub(super) fn give_back(&mut self, session: Session<S>) {
        self.idle.push(session);
    }

    /// All of them that read nothing now.
    pub(super) fn all_idle(&mut self) -> &mut [Session<S>] {
        &mut self.idle
    }

    /// Begins to read a table's next chunk over an idle connection. Gives the scan back where there is none.
    pub(super) fn begin(
        &mut self,
        name: Name,
        scan: Box<Scan>,
        manner: Manner,
    ) -> Result<(), Box<Scan>> {
        let Some(session) = self.idle.pop() else {
            return Err(scan);
        };
        let began = (self.now)();
        let reading = Box::pin(read_chunk(session, name, scan, manner));
        self.under_way.push((began, reading));
        Ok(())
    }

    /// Lets all of them go on. Ready with what one has read, whose rows may be locked until this is called once more; or with none when a connection is idle that was not.
    pub(super) fn go_on(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<ChunkRead>, Error>> {
        let now = (self.now)();
        for at in 0..self.under_way.len() {
            let (began, reading) = &mut self.under_way[at];
            match reading.as_mut().poll(context) {
                Poll::Ready(result) => {
                    drop(self.under_way.swap_remove(at));
                    let (session, chunk) = result?;
                    if chunk.as_ref().is_some_and(|chunk| chunk.scan.follows) {
                        self.under_way.push((now, Box::pin(unlock(session))));
                    } else {
                        self.idle.push(session);
                    }
                    return Poll::Ready(Ok(chunk));
                }
                Poll::Pending if now.saturating_sub(*began) > CHUNK_MICROS => {
                    return Poll::Ready(Err(Error::retry(
                        "snapshot.chunk-abandoned",
                        "a chunk's rows did not come to their end for ten minutes",
                    )));
                }
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }
}

/// Ends the transaction in which a chunk was read. What changes its rows afterwards is in the log behind the chunk's place, and the stream does not go beyond that before it has taken the chunk
/// in; so this begins when the place is known.
async fn unlock<S: Stream>(
    mut session: Session<S>,
) -> Result<(Session<S>, Option<ChunkRead>), Error> {
    session.exec(b"COMMIT").await?;
    Ok((session, None))
}

/// Reads the next chunk, and where the log ends afterwards.
async fn read_chunk<S: Stream>(
    mut session: Session<S>,
    name: Name,
    mut state: Box<Scan>,
    manner: Manner,
) -> Result<(Session<S>, Option<ChunkRead>), Error> {
    let Manner {
        shows,
        rows,
        bytes,
        now,
    } = manner;
    if let Some(shows) = &shows {
        must_show(&mut session, shows).await?;
    }
    let reading = if shows.is_some() && !state.follows {
        Reading::Consistent
    } else {
        Reading::Locking
    };
    let limits = state.size.limits();
    let limits = ChunkLimits {
        rows: limits.rows.min(rows),
        bytes: limits.bytes.min(bytes),
    };
    let mut tries = 0;
    let images = loop {
        match read_rows(&mut session, &mut state, limits, reading, now).await {
            Err(error) if reading == Reading::Locking && tries < TRIES && is_locked(&error) => {
                tries += 1;
                session.exec(b"ROLLBACK").await?;
            }
            read => break read?,
        }
    };
    let high = facts::head(&mut session).await?;
    let chunk = ChunkRead {
        name,
        scan: state,
        is_last: images.is_last,
        images: images.bytes,
        count: images.count,
        took: images.took,
        high: high.ok_or_else(crate::start::position_unknown)?,
    };
    Ok((session, Some(chunk)))
}

/// What a chunk's rows came to.
struct Images {
    bytes: Vec<u8>,
    count: u32,
    is_last: bool,
    took: u64,
}

async fn read_rows<S: Stream>(
    session: &mut Session<S>,
    state: &mut Scan,
    limits: ChunkLimits,
    reading: Reading,
    now: fn() -> u64,
) -> Result<Images, Error> {
    // The locks are kept until it is known where the log ends: see `families.rs`.
    if state.follows {
        session.exec(b"START TRANSACTION").await?;
    }
    let began = now();
    let (mut bytes, mut count) = (Vec::new(), 0);
    let stretch = state.stretch();
    let opened = state
        .scan
        .open_stretch(session, &stretch, Some(limits), reading);
    let mut chunk = opened.await.map_err(as_change)?;
    while chunk
        .next_row(session, &mut bytes)
        .await
        .map_err(as_change)?
    {
        count += 1;
    }
    let end = chunk.end();
    let took = now().saturating_sub(began);
    if state.again.is_none() {
        state.size.observe(end.rows, end.bytes, took);
    }
    if end.last_key.is_some() {
        let after = match &mut state.again {
            Some(again) => &mut again.after,
            None => &mut state.after,
        };
        *after = end.last_key;
    }
    if end.session_is_spent {
        return Err(Error::retry(
            "snapshot.chunk-abandoned",
            "a chunk's rows did not come to their end, and its connection is of no use any more",
        ));
    }
    Ok(Images {
        bytes,
        count,
        is_last: end.is_last,
        took,
    })
}

/// How often a chunk is read again whose locks the server gave to others.
const TRIES: u32 = 5;

/// Deadlock, and lock wait timeout: the rows were not read, and nothing else has happened.
fn is_locked(error: &Error) -> bool {
    error
        .server_errno
        .is_some_and(|number| [1213, 1205].contains(&number))
}

/// Waits until the source shows all of these.
pub(super) async fn must_show<S: Stream>(
    session: &mut Session<S>,
    handed_on: &GtidSet,
) -> Result<(), Error> {
    for _ in 0..LOOKS {
        if visible::shows(session, handed_on).await? {
            return Ok(());
        }
    }
    Err(Error::retry(
        "snapshot.not-visible",
        "the source has logged transactions that it does not show",
    ))
}
