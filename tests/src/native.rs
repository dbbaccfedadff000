//! The crates `capture` and `apply` without components and host, as a test drives them: two sessions, and between them nothing but batches.
//!
//! [`replicate_roughly`] is the same with everything varied that must not make a difference: the size of batches, where groups end, and connections
//! that are lost.

use std::cell::Cell;
use std::hash::RandomState;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::Engine;
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::Error;
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session, Stream, StreamError};
use datain_throwaway_servers::{ROOT_PASSWORD, Server};

use crate::seed::{Rng, chance};

/// A connection that is lost after so many reads or writes: at every second number before the last write has left, else after it, so that
/// the server carries out what nobody hears of.
pub struct Fragile {
    inner: BlockingStream,
    reads_left: Cell<u32>,
    writes_left: Cell<u32>,
    sends_the_last: bool,
}

fn lost() -> StreamError {
    StreamError::new(CUT, "the test has cut the connection")
}

/// Code of the error by which a [`Fragile`] connection ends.
pub const CUT: &str = "net.reset";

impl Stream for Fragile {
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError> {
        if self.writes_left.get() == 0 || self.reads_left.get() == 0 {
            return Err(lost());
        }
        if self.reads_left.get() != FOR_EVER {
            self.reads_left.set(self.reads_left.get() - 1);
        }
        self.inner.read(buf).await
    }

    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError> {
        if self.writes_left.get() == FOR_EVER {
            return self.inner.write_all(data).await;
        }
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

const FOR_EVER: u32 = u32::MAX;

/// A session as a pipeline's.
///
/// # Panics
/// When the server does not let it in.
#[must_use]
pub fn session(server: &Server) -> Session<Fragile> {
    fragile(server, FOR_EVER, FOR_EVER).expect("a login")
}

/// A session whose connection is lost after so many reads or writes.
///
/// # Errors
/// When it is lost in the login already.
///
/// # Panics
/// When the server has no socket.
pub fn fragile(server: &Server, reads: u32, writes: u32) -> Result<Session<Fragile>, Error> {
    let stream = Fragile {
        inner: BlockingStream::unix(server.socket()).expect("the server's socket"),
        reads_left: Cell::new(reads),
        writes_left: Cell::new(writes),
        sends_the_last: writes.is_multiple_of(2),
    };
    let mut options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    options.found_rows = true;
    options.multi_statements = true;
    Ok(block_on(Session::connect(stream, &options))?)
}

/// Settings of a pipeline that begins at the source's oldest transaction.
///
/// # Panics
/// When `stream` needs quoting.
#[must_use]
pub fn settings(stream: &str) -> Settings {
    serde_json::from_str(&format!(
        r#"{{"stream":"{stream}","server_id":77,"start":{{"mode":"gtid","gtid_set":""}}}}"#
    ))
    .expect("settings")
}

/// How one connection of [`replicate_roughly`] goes about it.
struct Manner {
    batch_bytes: usize,
    /// A group is committed where it may be in so many of a hundred cases.
    commits: u8,
    source_reads: u32,
    target_writes: u32,
}

/// Replicates until everything that the source has now is on the target, with batches and groups of random sizes, and in `cuts` of a hundred cases with a connection that
/// is lost on the way, after which another one goes on. Returns how many were lost.
///
/// # Errors
/// All but those that the cuts make.
pub fn replicate_roughly(
    source: &Server,
    target: &Server,
    settings: &Settings,
    rng: &mut Rng,
    cuts: u8,
) -> Result<u32, Error> {
    let mut lost = 0;
    loop {
        let cut = chance(rng, cuts);
        let manner = Manner {
            batch_bytes: 1 << rng.u8(6..=17),
            commits: crate::seed::pick(rng, &[5, 30, 100]),
            source_reads: if cut && chance(rng, 30) {
                rng.u32(3..60)
            } else {
                FOR_EVER
            },
            target_writes: if cut { rng.u32(1..80) } else { FOR_EVER },
        };
        let mut settings = settings.clone();
        settings.one_by_one = chance(rng, 30);
        match attempt(source, target, &settings, &manner, rng) {
            Err(error) if error.code == CUT => lost += 1,
            other => return other.map(|()| lost),
        }
    }
}

fn attempt(
    source: &Server,
    target: &Server,
    settings: &Settings,
    manner: &Manner,
    rng: &mut Rng,
) -> Result<(), Error> {
    let target = fragile(target, FOR_EVER, manner.target_writes)?;
    let source = fragile(source, manner.source_reads, FOR_EVER)?;
    block_on(async {
        let opened =
            Engine::<_, RandomState>::open(target, &settings.stream, &Beginning::default()).await?;
        let (mut engine, resume) = (opened.engine, opened.checkpoint);
        let mut reader = Reader::open(source, settings, resume.as_ref(), false).await?;
        let mut newest = resume;
        loop {
            let progress = reader.progress();
            let durable = newest.as_ref().map(|checkpoint| checkpoint.ordinal);
            if progress.reached_head && durable.is_some_and(|done| done >= progress.ordinal) {
                return Ok(());
            }
            let batch = reader.next_batch(manner.batch_bytes, |_| {}).await?;
            engine.add_tables(batch.tables);
            for transaction in batch.transactions {
                newest = engine.apply(transaction, &batch.rows).await?.or(newest);
                if engine.can_commit() && chance(rng, manner.commits) {
                    newest = Some(engine.commit().await?);
                }
            }
            if engine.can_commit() && reader.progress().reached_head {
                newest = Some(engine.commit().await?);
            }
        }
    })
}
