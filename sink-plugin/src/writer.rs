//! The writer's task: batches in, groups out.
//!
//! Groups end by rows, by bytes, by age (the linger, counted from the group's first transaction, so that latency stays low when the source is nearly idle), or
//! when the host asks for a flush; always after a transaction that carries a checkpoint.
//!
//! Commits tell a writer that it has been replaced or stopped. One that has nothing to commit asks, so that it notices a person's order, or another
//! host, within seconds; that also keeps its connection from being dropped for doing nothing.

use std::time::Duration;

use datain_apply::engine::Engine;
use datain_contract::types::{Checkpoint, Error};
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

/// The engine over the host's transport.
pub type HostEngine = Engine<HostStream, SeededHasher>;

/// Why the task goes on after a wait.
enum Next {
    Batch(datain_contract::types::Batch),
    Commit,
    Look,
}

/// Applies batches for ever, or until an error.
pub async fn run(
    mut engine: HostEngine,
    config: Config,
    shared: Handle,
) -> Result<std::convert::Infallible, Error> {
    let linger = Duration::from_millis(config.group_linger_ms);
    let mut due: Option<Moment> = None;
    loop {
        let can_commit = engine.can_commit();
        let look = match engine.group_size() {
            None => Some(Moment::now().after(LOOK)),
            Some(_) => None,
        };
        let next = executor::until(due.filter(|_| can_commit).or(look), || {
            let mut shared = shared.borrow_mut();
            if can_commit && due.is_some_and(Moment::has_come) {
                return Some(Next::Commit);
            }
            if let Some(batch) = shared.take() {
                return Some(Next::Batch(batch));
            }
            if can_commit && shared.flush {
                return Some(Next::Commit);
            }
            look.is_some_and(Moment::has_come).then_some(Next::Look)
        })
        .await;
        match next {
            Next::Commit => {
                commit(&mut engine, &shared).await?;
                due = None;
            }
            Next::Look => engine.require_ownership().await?,
            Next::Batch(batch) => {
                engine.add_tables(batch.tables);
                for transaction in batch.transactions {
                    let long = !transaction.last && transaction.piece == 0;
                    if long && engine.can_commit() {
                        // What comes in pieces may take long, and what came before it need not wait for that.
                        commit(&mut engine, &shared).await?;
                        due = None;
                    }
                    let durable = engine.apply(transaction, &batch.rows).await?;
                    report(&mut engine, &shared, durable);
                    let full = engine.group_size().is_some_and(|(rows, bytes)| {
                        config.one_by_one || rows >= config.group_max_rows || bytes >= GROUP_BYTES
                    });
                    if full && engine.can_commit() {
                        commit(&mut engine, &shared).await?;
                    }
                    due = match engine.group_size() {
                        None => None,
                        Some(_) => due.or_else(|| Some(Moment::now().after(linger))),
                    };
                }
            }
        }
        let mut shared = shared.borrow_mut();
        shared.busy = engine.group_size().is_some();
        shared.half = shared.busy && !engine.can_commit();
    }
}

async fn commit(engine: &mut HostEngine, shared: &Handle) -> Result<(), Error> {
    let durable = engine.commit().await?;
    report(engine, shared, Some(durable));
    Ok(())
}

fn report(engine: &mut HostEngine, shared: &Handle, durable: Option<Checkpoint>) {
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
        let mut shared = shared.borrow_mut();
        shared.position.clone_from(&checkpoint.display);
        shared.durable = Some(checkpoint);
        shared.totals = engine.totals();
    }
}
