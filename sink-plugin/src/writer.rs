//! The writer's task: batches in, groups out.
//!
//! Groups end by rows, by bytes, as soon as nothing more has come and the group before was begun to be committed a linger ago (so a lone transaction does not wait, and many
//! of them share a commit), or when the host asks for a flush; always after a transaction that carries a checkpoint. While the target works on one group, the next one is collected.
//!
//! Commits tell a writer that it has been replaced or stopped. One that has nothing to commit asks, so that it notices a person's order, or another
//! host, within seconds; that also keeps its connection from being dropped for doing nothing.

use std::collections::VecDeque;
use std::time::Duration;

use datain_apply::engine::{Collector, Done, Engine};
use datain_contract::types::{Batch, Checkpoint, Error, Transaction};
use datain_plugin_runtime::clock::Moment;
use datain_plugin_runtime::random::SeededHasher;
use datain_plugin_runtime::stream::HostStream;
use datain_plugin_runtime::{executor, logging};

use crate::config::Config;
use crate::inbox::Handle;

/// A group is committed when its SQL reaches this size.
const GROUP_BYTES: usize = 8 << 20;
/// How long a writer with nothing to commit goes without asking whether the pipeline is still its own.
pub const LOOK: Duration = Duration::from_secs(3);
/// Transactions that are collected before the target is listened to again.
const AT_ONCE: usize = 64;

/// The engine over the host's transport.
pub type HostEngine = Engine<HostStream, SeededHasher>;

/// Why the task goes on after a wait.
enum Next {
    Transactions,
    Commit,
    Look,
}

/// What is left of a batch that was taken up.
#[derive(Default)]
struct Opened {
    rows: Vec<u8>,
    transactions: VecDeque<Transaction>,
    /// How much of the first of them has been collected.
    done: Done,
}

/// The task's state between two steps.
struct Work {
    config: Config,
    shared: Handle,
    batch: Opened,
    /// When the open group may be committed although it is not full.
    due: Option<Moment>,
    /// When the newest commit was begun.
    committed: Option<Moment>,
}

/// Applies batches for ever, or until an error.
pub async fn run(
    mut engine: HostEngine,
    config: Config,
    shared: Handle,
) -> Result<std::convert::Infallible, Error> {
    let mut work = Work {
        config,
        shared,
        batch: Opened::default(),
        due: None,
        committed: None,
    };
    loop {
        match work.next(&engine).await {
            Next::Commit => work.commit(&mut engine).await?,
            Next::Look => engine.require_ownership().await?,
            Next::Transactions => work.apply(&mut engine).await?,
        }
        let mut shared = work.shared.borrow_mut();
        shared.busy = engine.group_size().is_some() || !work.batch.transactions.is_empty();
        shared.half = engine.group_size().is_some()
            && work.batch.transactions.is_empty()
            && !engine.can_commit();
    }
}

impl Work {
    /// Waits until there is something to do.
    async fn next(&mut self, engine: &HostEngine) -> Next {
        if !self.batch.transactions.is_empty() {
            return Next::Transactions;
        }
        let can_commit = engine.can_commit();
        if can_commit && is_full(&self.config, engine.group_size()) {
            return Next::Commit;
        }
        let look = match engine.group_size() {
            None => Some(Moment::now().after(LOOK)),
            Some(_) => None,
        };
        let due = self.due;
        executor::until(due.filter(|_| can_commit).or(look), || {
            let shared = self.shared.borrow();
            if shared.has_batches() {
                return Some(Next::Transactions);
            }
            if can_commit && (shared.flush || due.is_some_and(Moment::has_come)) {
                return Some(Next::Commit);
            }
            look.is_some_and(Moment::has_come).then_some(Next::Look)
        })
        .await
    }

    /// Applies one transaction of the batch at hand, or of the next one.
    async fn apply(&mut self, engine: &mut HostEngine) -> Result<(), Error> {
        if self.batch.transactions.is_empty()
            && let Some(batch) = take(&self.shared)
        {
            engine.add_tables(batch.tables);
            self.batch = Opened {
                rows: batch.rows,
                transactions: batch.transactions.into(),
                done: Done::default(),
            };
        }
        let Some(transaction) = self.batch.transactions.pop_front() else {
            return Ok(());
        };
        let done = std::mem::take(&mut self.batch.done);
        if is_long(&transaction) && done == Done::default() && engine.can_commit() {
            // What comes in pieces may take long, and what came before it need not wait for that.
            self.batch.transactions.push_front(transaction);
            return self.commit(engine).await;
        }
        let durable = engine
            .apply_from(transaction, &self.batch.rows, done)
            .await?;
        self.report(engine, durable);
        if engine.can_commit() && is_full(&self.config, engine.group_size()) {
            return self.commit(engine).await;
        }
        self.pace(engine.group_size().is_some());
        Ok(())
    }

    /// Groups that are not full are committed a linger apart.
    fn pace(&mut self, is_open: bool) {
        let linger = Duration::from_millis(self.config.group_linger_ms);
        let soonest = self.committed.map(|at| at.after(linger));
        self.due = match self.due {
            _ if !is_open => None,
            None => Some(soonest.unwrap_or_else(Moment::now)),
            due => due,
        };
    }

    /// Commits the open group, and collects the next one while the target is at work.
    async fn commit(&mut self, engine: &mut HostEngine) -> Result<(), Error> {
        self.due = None;
        self.committed = Some(Moment::now());
        let durable = engine
            .commit_while(|collector| self.collect(collector))
            .await?;
        self.report(engine, Some(durable));
        Ok(())
    }

    /// Adds some transactions to the group. Returns whether there was anything to add that needs nothing of the target.
    fn collect(&mut self, collector: &mut Collector<SeededHasher>) -> Result<bool, Error> {
        if self.config.one_by_one {
            return Ok(false);
        }
        for number in 0..AT_ONCE {
            if is_full(&self.config, collector.size()) && collector.can_commit() {
                return Ok(number > 0);
            }
            if self.batch.transactions.is_empty() {
                let Some(batch) = take(&self.shared) else {
                    return Ok(number > 0);
                };
                collector.add_tables(batch.tables);
                self.batch = Opened {
                    rows: batch.rows,
                    transactions: batch.transactions.into(),
                    done: Done::default(),
                };
            }
            let batch = &mut self.batch;
            let Some(transaction) = batch.transactions.front() else {
                continue;
            };
            if is_long(transaction) && collector.can_commit() {
                return Ok(number > 0);
            }
            let whole = collector.collect(transaction, &batch.rows, &mut batch.done)?;
            if whole {
                batch.transactions.pop_front();
                batch.done = Done::default();
            }
            self.pace(collector.size().is_some());
            if !whole {
                return Ok(number > 0);
            }
        }
        Ok(true)
    }

    fn report(&self, engine: &mut HostEngine, durable: Option<Checkpoint>) {
        for notice in engine.take_notices() {
            logging::warn(
                &notice.message,
                &[
                    ("statement", notice.statement),
                    ("transaction", notice.transaction),
                ],
            );
        }
        if let Some(checkpoint) = durable {
            let mut shared = self.shared.borrow_mut();
            shared.position.clone_from(&checkpoint.display);
            shared.durable = Some(checkpoint);
            shared.totals = engine.totals();
        }
    }
}

fn take(shared: &Handle) -> Option<Batch> {
    shared.borrow_mut().take()
}

/// A transaction that comes in pieces, at its first one.
fn is_long(transaction: &Transaction) -> bool {
    !transaction.last && transaction.piece == 0
}

fn is_full(config: &Config, size: Option<(u64, usize)>) -> bool {
    size.is_some_and(|(rows, bytes)| {
        config.one_by_one || rows >= config.group_max_rows || bytes >= GROUP_BYTES
    })
}
