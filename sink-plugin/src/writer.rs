//! The writer's task: batches in, groups out.
//!
//! Groups end by rows, by bytes, as soon as nothing more has come and the group before was begun to be committed a linger ago (so a lone transaction does not wait, and many
//! of them share a commit), or when the host asks for a flush; always after a transaction that carries a checkpoint. While the target works on groups, the next one is collected; with
//! several connections, full groups are written at the same time.
//!
//! Commits tell a writer that it has been replaced or stopped. One that has nothing to commit asks, so that it notices a person's order, or another
//! host, within seconds; that also keeps its connection from being dropped for doing nothing.

use std::collections::VecDeque;
use std::time::Duration;

use datain_apply::engine::{Collector, Done, Engine, More};
use datain_contract::types::{Batch, Checkpoint, Error, Transaction};
use datain_plugin_runtime::clock::Moment;
use datain_plugin_runtime::random::SeededHasher;
use datain_plugin_runtime::stream::HostStream;
use datain_plugin_runtime::{executor, logging};

use crate::config::Config;
use crate::inbox::Handle;

/// A group is committed when its SQL reaches this size.
const GROUP_BYTES: usize = 8 << 20;
/// The same with several connections: before so much is collected that it has to be written on the first one.
const SMALL_GROUP_BYTES: usize = 3 << 20;
/// How long a writer with nothing to commit goes without asking whether the pipeline is still its own.
pub const LOOK: Duration = Duration::from_secs(3);
/// How long a connection may go without a word when there are several, of which one may have nothing to do for long.
const IDLE: Duration = Duration::from_secs(30);
/// Transactions that are collected before the target is listened to again.
const AT_ONCE: usize = 64;

/// The engine over the host's transport.
pub type HostEngine = Engine<HostStream, SeededHasher>;

/// Why the task goes on after a wait.
enum Next {
    Transactions,
    Commit,
    GoOn,
    Look,
}

/// What is left of a batch that was taken up.
#[derive(Default)]
struct Opened {
    rows: Vec<u8>,
    transactions: VecDeque<Transaction>,
    /// How much of the first of them has been collected.
    done: Done,
    /// The first of them cannot be collected without the target.
    stuck: bool,
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
    /// When every connection was last heard of.
    alive: Moment,
    /// How many groups were written twice.
    rewritten: u64,
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
        alive: Moment::now(),
        rewritten: 0,
    };
    let ended = work.go_on_for_ever(&mut engine).await;
    let groups = engine.groups_ahead();
    if groups > 0 {
        logging::warn(
            "groups are in the target ahead of the checkpoint: until the pipeline goes on, the target holds what is newer, and not all that is older",
            &[("groups", groups.to_string())],
        );
    }
    ended
}

impl Work {
    async fn go_on_for_ever(
        &mut self,
        engine: &mut HostEngine,
    ) -> Result<std::convert::Infallible, Error> {
        loop {
            match self.next(engine).await {
                Next::Commit => self.commit(engine).await?,
                Next::GoOn => self.go_on(engine).await?,
                Next::Look => engine.require_ownership().await?,
                Next::Transactions => self.apply(engine).await?,
            }
            if self.config.connections > 1 && self.alive.after(IDLE).has_come() {
                engine.keep_alive().await?;
                self.alive = Moment::now();
            }
            let mut shared = self.shared.borrow_mut();
            shared.busy = engine.group_size().is_some()
                || engine.is_flying()
                || !self.batch.transactions.is_empty();
            shared.half = engine.group_size().is_some()
                && self.batch.transactions.is_empty()
                && !engine.is_flying()
                && !engine.can_commit();
        }
    }

    /// Waits until there is something to do.
    async fn next(&mut self, engine: &HostEngine) -> Next {
        let flying = engine.is_flying();
        if !self.batch.transactions.is_empty() && (self.batch.stuck || !flying) {
            return Next::Transactions;
        }
        if flying {
            return Next::GoOn;
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
                ..Opened::default()
            };
        }
        let Some(transaction) = self.batch.transactions.pop_front() else {
            return Ok(());
        };
        self.batch.stuck = false;
        let done = std::mem::take(&mut self.batch.done);
        if is_long(&transaction) && done == Done::default() && engine.can_commit() {
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

    /// Commits a group, and collects the next one while the target is at work.
    async fn commit(&mut self, engine: &mut HostEngine) -> Result<(), Error> {
        self.due = None;
        self.committed = Some(Moment::now());
        let durable = engine
            .commit_while(|collector| self.collect(collector))
            .await?;
        self.report(engine, Some(durable));
        Ok(())
    }

    /// Waits for the next commit of the groups under way, and collects meanwhile.
    async fn go_on(&mut self, engine: &mut HostEngine) -> Result<(), Error> {
        let durable = engine
            .go_on_while(|collector| self.collect(collector))
            .await?;
        self.report(engine, Some(durable));
        Ok(())
    }

    /// Adds some transactions to the next group, as far as that needs nothing of the target.
    fn collect(&mut self, collector: &mut Collector<SeededHasher>) -> Result<More, Error> {
        if self.config.one_by_one {
            return Ok(More::Nothing);
        }
        if collector.size().is_none() && self.due.take().is_some() {
            // The group that was due is on its way.
            self.committed = Some(Moment::now());
        }
        for number in 0..AT_ONCE {
            let so_far = if number > 0 {
                More::Added
            } else {
                More::Nothing
            };
            let full = if number > 0 { More::Added } else { More::Full };
            if collector.can_commit() && is_full(&self.config, collector.size()) {
                return Ok(full);
            }
            if self.batch.transactions.is_empty() {
                let Some(batch) = take(&self.shared) else {
                    return Ok(self.or_due(collector, so_far));
                };
                collector.add_tables(batch.tables);
                self.batch = Opened {
                    rows: batch.rows,
                    transactions: batch.transactions.into(),
                    ..Opened::default()
                };
            }
            let batch = &mut self.batch;
            let Some(transaction) = batch.transactions.front() else {
                continue;
            };
            if batch.stuck {
                return Ok(so_far);
            }
            // What comes in pieces may take long, and what came before it need not wait for that.
            if is_long(transaction) && collector.can_commit() {
                return Ok(full);
            }
            let whole = collector.collect(transaction, &batch.rows, &mut batch.done)?;
            batch.stuck = !whole;
            if whole {
                batch.transactions.pop_front();
                batch.done = Done::default();
            }
            self.pace(collector.size().is_some());
            if !whole {
                return Ok(so_far);
            }
        }
        Ok(More::Added)
    }

    /// A group that is due need not wait for those under way.
    fn or_due(&self, collector: &Collector<SeededHasher>, more: More) -> More {
        if more != More::Nothing || !collector.can_commit() {
            return more;
        }
        let due = match self.due {
            Some(due) if due.has_come() => true,
            Some(due) => {
                executor::wake_at(due);
                false
            }
            None => false,
        };
        if due || self.shared.borrow().flush {
            More::Full
        } else {
            more
        }
    }

    fn report(&mut self, engine: &mut HostEngine, durable: Option<Checkpoint>) {
        if engine.rewritten() > self.rewritten {
            self.rewritten = engine.rewritten();
            logging::info(
                "groups waited for locks while others were written at the same time, and were written again by themselves",
                &[("groups", self.rewritten.to_string())],
            );
        }
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
        let most = if config.connections > 1 {
            SMALL_GROUP_BYTES
        } else {
            GROUP_BYTES
        };
        config.one_by_one || rows >= config.group_max_rows || bytes >= most
    })
}
