//! The crates `capture` and `apply` between two real servers, without components and without the host. What fails here fails for a reason that has nothing
//! to do with WebAssembly.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::hash::RandomState;
use std::path::Path;
use std::rc::Rc;
use std::task::Poll;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::Engine;
use datain_capture::copying::{Clock, CopyControl};
use datain_capture::reader::{Reader, Settings, Statements};
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session, Stream, StreamError};
use datain_throwaway_servers::{ROOT_PASSWORD, Server};

use crate::seed::{Rng, chance};

/// The code of the error that a [`Fragile`] connection ends with.
pub const CUT: &str = "net.reset";

/// A `start` that takes everything.
pub const FROM_START: &str = r#"{"mode":"gtid","gtid_set":""}"#;

/// A connection that is lost after so many writes: at every second number before the last of them left, else after it, so that the server carries out
/// what nobody hears of.
///
/// One that hesitates is not ready at once when it is read, at random, as over a network: what else there is to do goes on meanwhile. One that is held gives nothing until it is
/// let go.
pub struct Fragile {
    inner: BlockingStream,
    writes_left: Cell<u32>,
    sends_the_last: bool,
    hesitates: Option<RefCell<Rng>>,
    held: Option<Rc<Cell<bool>>>,
}

impl Fragile {
    /// From now on it hesitates.
    pub fn hesitate(&mut self, rng: Rng) {
        self.hesitates = Some(RefCell::new(rng));
    }

    /// From now on a read that has to wait lets others go on.
    ///
    /// # Panics
    /// When the socket is none any more.
    pub fn give_way(&self) {
        self.inner.give_way().expect("a socket");
    }

    /// From now on it is held while this is true.
    pub fn hold(&mut self, held: Rc<Cell<bool>>) {
        self.held = Some(held);
    }

    async fn wait(&self) {
        poll_fn(|_| {
            let held = self.held.as_ref().is_some_and(|held| held.get());
            let hesitates = |rng: &RefCell<Rng>| chance(&mut rng.borrow_mut(), 60);
            if held || self.hesitates.as_ref().is_some_and(hesitates) {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

fn lost() -> StreamError {
    StreamError::new(CUT, "the test has cut the connection")
}

impl Stream for Fragile {
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError> {
        if self.writes_left.get() == 0 {
            return Err(lost());
        }
        self.wait().await;
        self.inner.read(buf).await
    }

    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError> {
        let left = self.writes_left.get().saturating_sub(1);
        self.writes_left.set(left);
        if left > 0 || self.sends_the_last {
            self.inner.write_all(data).await?;
        }
        if left == 0 { Err(lost()) } else { Ok(()) }
    }

    async fn start_tls(&mut self) -> Result<(), StreamError> {
        self.inner.start_tls().await
    }

    fn secure(&self) -> bool {
        self.inner.secure()
    }

    fn random(&mut self, buf: &mut [u8]) {
        self.inner.random(buf);
    }
}

/// A session of root's that lasts.
///
/// # Panics
/// When the server lets nobody in.
#[must_use]
pub fn session(server: &Server) -> Session<Fragile> {
    fragile(server, u32::MAX).expect("a login")
}

/// A session of root's that is cut after so many writes.
///
/// # Errors
/// When it is cut in its login.
///
/// # Panics
/// When the server's socket is not there.
pub fn fragile(server: &Server, writes: u32) -> Result<Session<Fragile>, Error> {
    let socket = BlockingStream::unix(server.socket()).expect("the server's socket");
    login(socket, writes)
}

/// A session of root's over the socket of a server that may be down.
///
/// # Errors
/// When it is down, or lets nobody in.
pub fn session_at(socket: &Path) -> anyhow::Result<Session<Fragile>> {
    let stream = BlockingStream::unix(socket)?;
    login(stream, u32::MAX).map_err(|error| anyhow::anyhow!("{error:?}"))
}

fn login(socket: BlockingStream, writes: u32) -> Result<Session<Fragile>, Error> {
    let stream = Fragile {
        inner: socket,
        writes_left: Cell::new(writes),
        sends_the_last: writes.is_multiple_of(2),
        hesitates: None,
        held: None,
    };
    let mut options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    options.found_rows = true;
    options.multi_statements = true;
    options.local_files = true;
    Ok(block_on(Session::connect(stream, &options))?)
}

/// A reader's settings that begin at `start`, written as the host writes it: `{"mode":"gtid","gtid_set":""}`.
///
/// # Panics
/// When that is not a start.
#[must_use]
pub fn settings(start: &str) -> Settings {
    serde_json::from_str(&format!(
        r#"{{"stream":"native","server_id":77,"start":{start}}}"#
    ))
    .expect("settings")
}

/// A reader with what it needs for a first copy, if there is one to make.
///
/// # Errors
/// Those of the reader.
pub async fn open_reader(
    source: &Server,
    settings: &Settings,
    resume: Option<&Checkpoint>,
) -> Result<Reader<Fragile>, Error> {
    open_reader_over(source, settings, resume, || {
        let copies = vec![session(source), session(source)];
        copies.iter().for_each(|copy| copy.stream().give_way());
        Ok(copies)
    })
    .await
}

/// The same, with these connections for the first copy.
///
/// # Errors
/// Those of the reader, and of the connections.
pub async fn open_reader_over(
    source: &Server,
    settings: &Settings,
    resume: Option<&Checkpoint>,
    sessions: impl FnOnce() -> Result<Vec<Session<Fragile>>, Error>,
) -> Result<Reader<Fragile>, Error> {
    let log = session(source);
    log.stream().give_way();
    let mut reader = Reader::open(log, settings, resume, false).await?;
    if reader.is_to_copy() {
        // Connections of tests are read until something comes, so there is nobody to be woken.
        let clock = Clock {
            now: micros,
            wake_at: |_| {},
        };
        let control = Rc::new(CopyControl::new(settings.snapshot, 0));
        reader.copy_over(sessions()?, clock, control).await?;
    }
    Ok(reader)
}

/// Microseconds since the first call.
fn micros() -> u64 {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let first = FIRST.get_or_init(std::time::Instant::now);
    u64::try_from(first.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// Replicates until everything that the source has now is on the target.
///
/// # Errors
/// Those of reader and engine.
pub fn replicate(
    source: &Server,
    target: &Server,
    settings: &Settings,
) -> Result<Checkpoint, Error> {
    replicate_into(source, session(target), settings)
}

/// As [`replicate`], over a session that may be cut.
///
/// # Errors
/// Those of reader and engine.
///
/// # Panics
/// When there was nothing at all to replicate.
pub fn replicate_into(
    source: &Server,
    target: Session<impl Stream + 'static>,
    settings: &Settings,
) -> Result<Checkpoint, Error> {
    block_on(async {
        let opened =
            Engine::<_, RandomState>::open(target, &settings.stream, &Beginning::default()).await?;
        let (mut engine, resume) = (opened.engine, opened.checkpoint);
        if settings.keyless {
            engine.do_without_keys();
        }
        if settings.statements == Statements::Replay {
            engine.replay_statements();
        }
        let mut reader = open_reader(source, settings, resume.as_ref()).await?;
        let begun = resume.as_ref().map_or(0, |checkpoint| checkpoint.ordinal);
        let mut newest = resume;
        while !reader.progress().reached_head
            || newest
                .as_ref()
                .is_none_or(|c| c.ordinal < reader.progress().ordinal)
        {
            let batch = reader.next_batch(64 << 10, |_| {}).await?;
            engine.add_tables(batch.tables);
            for transaction in batch.transactions {
                newest = engine.apply(transaction, &batch.rows).await?.or(newest);
            }
            if engine.can_commit() {
                newest = Some(engine.commit().await?);
            }
        }
        let newest = newest.expect("something was replicated");
        let counted = engine.totals().transactions;
        assert!(
            counted <= newest.ordinal - begun,
            "{counted} transactions counted between {begun} and {}",
            newest.ordinal
        );
        Ok(newest)
    })
}
