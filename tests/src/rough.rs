//! Replication with everything varied that must not make a difference: the size of batches, where groups end, over how many connections they are written, and connections that are lost.

use std::collections::VecDeque;
use std::hash::RandomState;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::{Collector, Done, Engine, More};
use datain_capture::reader::Settings;
use datain_contract::types::{Error, Transaction};
use datain_mysql_client::blocking::block_on;
use datain_throwaway_servers::Server;

use crate::native::{CUT, FROM_START, fragile, open_reader_over};
use crate::seed::{Rng, chance, pick};

/// Settings of a pipeline of this name that begins at the source's oldest transaction.
#[must_use]
pub fn settings(stream: &str) -> Settings {
    let mut settings = crate::native::settings(FROM_START);
    stream.clone_into(&mut settings.stream);
    settings
}

/// How one connection of [`replicate_roughly`] goes about it.
struct Manner {
    batch_bytes: usize,
    /// A group is committed where it may be in so many of a hundred cases.
    commits: u8,
    writes: u32,
    /// Groups are written over so many further connections at the same time.
    connections: u32,
    /// And may be committed before older ones.
    any_order: bool,
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
    let manner = |rng: &mut Rng| {
        let cut = chance(rng, cuts);
        Manner {
            batch_bytes: 1 << rng.u8(6..=17),
            commits: pick(rng, &[5, 30, 100]),
            writes: if cut { rng.u32(1..80) } else { u32::MAX },
            connections: pick(rng, &[0, 0, 2, 3]),
            any_order: chance(rng, 50),
        }
    };
    attempts(source, target, settings, rng, manner)
}

/// The same with groups that go ahead of older ones, and connections that are mostly lost soon after.
///
/// # Errors
/// As [`replicate_roughly`].
pub fn replicate_in_any_order(
    source: &Server,
    target: &Server,
    settings: &Settings,
    rng: &mut Rng,
) -> Result<u32, Error> {
    let manner = |rng: &mut Rng| Manner {
        batch_bytes: 1 << rng.u8(6..=14),
        commits: pick(rng, &[5, 20, 50, 100]),
        writes: if chance(rng, 80) {
            rng.u32(10..80)
        } else {
            u32::MAX
        },
        connections: pick(rng, &[2, 3]),
        any_order: true,
    };
    attempts(source, target, settings, rng, manner)
}

fn attempts(
    source: &Server,
    target: &Server,
    settings: &Settings,
    rng: &mut Rng,
    manner: impl Fn(&mut Rng) -> Manner,
) -> Result<u32, Error> {
    let mut lost = 0;
    loop {
        let manner = manner(rng);
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
    let first = fragile(target, manner.writes)?;
    block_on(async {
        let opened =
            Engine::<_, RandomState>::open(first, &settings.stream, &Beginning::default()).await?;
        let (mut engine, resume) = (opened.engine, opened.checkpoint);
        if settings.keyless {
            engine.do_without_keys();
        }
        for _ in 0..manner.connections {
            let mut further = fragile(target, manner.writes)?;
            further.stream_mut().hesitate(Rng::with_seed(rng.u64(..)));
            engine.add_connection(further).await?;
        }
        if manner.any_order {
            engine.commit_in_any_order();
        }
        // Chunks of a first copy are read at the same time, and the stream goes on meanwhile.
        let copies = || {
            let mut copies = Vec::new();
            for _ in 0..rng.u32(1..=3) {
                let mut session = fragile(source, u32::MAX)?;
                session.stream().give_way();
                session.stream_mut().hesitate(Rng::with_seed(rng.u64(..)));
                copies.push(session);
            }
            Ok(copies)
        };
        let mut reader = open_reader_over(source, settings, resume.as_ref(), copies).await?;
        let mut newest = resume;
        loop {
            let progress = reader.progress();
            let durable = newest.as_ref().map(|checkpoint| checkpoint.ordinal);
            if progress.reached_head && durable.is_some_and(|done| done >= progress.ordinal) {
                return Ok(());
            }
            let batch = reader.next_batch(manner.batch_bytes, |_| {}).await?;
            engine.add_tables(batch.tables);
            let mut rest = Rest {
                rows: batch.rows,
                transactions: batch.transactions.into(),
                done: Done::default(),
                stuck: false,
            };
            while let Some(transaction) = rest.transactions.pop_front() {
                let done = std::mem::take(&mut rest.done);
                rest.stuck = false;
                newest = engine
                    .apply_from(transaction, &rest.rows, done)
                    .await?
                    .or(newest);
                if engine.can_commit() && chance(rng, manner.commits) {
                    let commit = engine.commit_while(|next| rest.collect(next, manner, rng));
                    newest = Some(commit.await?);
                }
            }
            if reader.progress().reached_head {
                if engine.can_commit() {
                    newest = Some(engine.commit().await?);
                }
                while engine.is_flying() {
                    newest = Some(engine.go_on_while(|_| Ok(More::Nothing)).await?);
                }
            }
        }
    })
}

/// What is left of a batch.
struct Rest {
    rows: Vec<u8>,
    transactions: VecDeque<Transaction>,
    done: Done,
    /// The next transaction needs the target.
    stuck: bool,
}

impl Rest {
    /// Adds a transaction to the group that is collected while others are written.
    fn collect(
        &mut self,
        next: &mut Collector<RandomState>,
        manner: &Manner,
        rng: &mut Rng,
    ) -> Result<More, Error> {
        // At times something else is done first.
        if chance(rng, 20) {
            return Ok(More::Nothing);
        }
        if next.can_commit() && chance(rng, manner.commits) {
            return Ok(More::Full);
        }
        let Some(transaction) = self.transactions.front().filter(|_| !self.stuck) else {
            return Ok(More::Nothing);
        };
        if !next.collect(transaction, &self.rows, &mut self.done)? {
            self.stuck = true;
            return Ok(More::Nothing);
        }
        self.transactions.pop_front();
        self.done = Done::default();
        Ok(More::Added)
    }
}
