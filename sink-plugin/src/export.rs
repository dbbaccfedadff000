//! The exports of the world `sink-plugin`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use datain_apply::check::{self, Filter};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Batch, Checkpoint, Contact, Description, Error, Fact, Finding};
use datain_mysql_client::Session;
use datain_plugin_runtime::clock::{Moment, now_unix_micros};
use datain_plugin_runtime::executor::{Slice, Task};
use datain_plugin_runtime::stream::{Heard, HostStream};
use datain_plugin_runtime::{logging, session};

use crate::bindings::export;
use crate::bindings::exports::datain::replication::sink::{
    Guest, GuestWriter, Inspection, KeptVerification, Progress, Removal, Resumption, SinkStatus,
    SkippedTransaction, Writer as WriterHandle,
};
use crate::config::{Config, Conflicts, Statements};
use crate::examiner::Examiner;
use crate::inbox::{Handle, Shared};
use crate::orders;
use crate::silence::{self, Watched};
use crate::writer::{self, HostEngine};

/// How long `check` may take: there may be many tables.
const CHECK_TIME: Duration = Duration::from_secs(300);
/// How long `open` and `inspect` may take: a claim waits for an older writer's commit.
const OPEN_TIME: Duration = Duration::from_secs(90);

/// How long the engine's further connections may take, of that.
const FURTHER_TIME: Duration = Duration::from_secs(20);
/// Codes of errors by which a connection is one too many.
const NO_MORE: [&str; 3] = [
    "server.too-many-connections",
    "server.account-limit",
    "net.limit",
];

pub(crate) struct Sink;

/// One pipeline's writer; see [`writer`].
pub(crate) struct Writer {
    shared: Handle,
    /// Of each connection.
    heard: Vec<Heard>,
    resume: Resumption,
    task: RefCell<Option<Task<Result<Infallible, Error>>>>,
}

impl Guest for Sink {
    type Examiner = Examiner;
    type Writer = Writer;

    fn describe() -> Description {
        Description {
            name: "datain MySQL sink".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            row_block_versions: vec![datain_apply::ROW_BLOCK_VERSION],
        }
    }

    fn check(config: String, source_facts: Vec<Fact>) -> Result<Vec<Finding>, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let task = Task::new(async move {
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            let patterns = Filter {
                include: config.include,
                exclude: config.exclude,
            };
            check::findings(&mut target, &patterns, &source_facts, now_unix_micros).await
        });
        session::finish(task, Moment::now().after(CHECK_TIME))
    }

    fn inspect(config: String) -> Result<Inspection, Error> {
        once(&config, orders::inspect)
    }

    fn note_error(config: String, report: String) -> Result<(), Error> {
        once(&config, |config| orders::note_error(config, report))
    }

    fn set_stopped(config: String, stopped: bool) -> Result<(), Error> {
        once(&config, |config| orders::set_stopped(config, stopped))
    }

    fn skip(
        config: String,
        before: Checkpoint,
        after: Checkpoint,
        transaction: SkippedTransaction,
    ) -> Result<(), Error> {
        once(&config, |config| {
            orders::skip(config, before, after, transaction)
        })
    }

    fn last_verification(config: String) -> Result<Option<KeptVerification>, Error> {
        once(&config, orders::last_verification)
    }

    fn remove(config: String) -> Result<Removal, Error> {
        once(&config, orders::remove)
    }
}

/// One task on a session of its own.
pub(crate) fn once<T, F>(config: &str, task: impl FnOnce(Config) -> F) -> Result<T, Error>
where
    T: 'static,
    F: Future<Output = Result<T, Error>> + 'static,
{
    datain_plugin_runtime::start();
    let config = Config::parse(config)?;
    session::finish(Task::new(task(config)), Moment::now().after(OPEN_TIME))
}

impl GuestWriter for Writer {
    fn open(config: String) -> Result<WriterHandle, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let wanted = config.clone();
        let open = Task::new(async move {
            let mut session = for_rows(&wanted.endpoint).await?;
            let mut watched = vec![Watched::of(&mut session, &wanted.endpoint).await?];
            let beginning = wanted.beginning();
            let mut opened = HostEngine::open(session, &wanted.stream, &beginning).await?;
            // One by one nothing is written at the same time.
            if wanted.connections > 1 && !wanted.one_by_one {
                further(&wanted, &mut opened.engine, &mut watched).await?;
                if !wanted.preserve_commit_order {
                    opened.engine.commit_in_any_order();
                }
            }
            if wanted.one_by_one {
                opened.engine.apply_as_written();
            }
            if wanted.keyless {
                opened.engine.do_without_keys();
            }
            if wanted.conflicts == Conflicts::Repair {
                opened.engine.repair_conflicts();
            }
            if wanted.statements == Statements::Replay {
                opened.engine.replay_statements();
            }
            Ok((opened, watched))
        });
        let (opened, watched) = session::finish(open, Moment::now().after(OPEN_TIME))?;
        let groups = opened.engine.groups_ahead();
        if groups > 0 {
            logging::info(
                "an earlier run has left groups in the target ahead of the checkpoint: they are passed over",
                &[("groups", groups.to_string())],
            );
        }
        let mut shared = Shared::default();
        shared.position = opened
            .checkpoint
            .as_ref()
            .map_or_else(String::new, |c| c.display.clone());
        shared.totals = opened.engine.totals();
        let shared = Rc::new(RefCell::new(shared));
        let work = writer::run(opened.engine, config, Rc::clone(&shared));
        let heard = watched
            .iter()
            .map(|watched| watched.heard.clone())
            .collect();
        let task = Task::new(silence::watched(watched, work));
        Ok(WriterHandle::new(Writer {
            shared,
            heard,
            resume: Resumption {
                checkpoint: opened.checkpoint,
                set_position: opened.set_position,
                ahead: opened.ahead,
            },
            task: RefCell::new(Some(task)),
        }))
    }

    fn resume_from(&self) -> Resumption {
        self.resume.clone()
    }

    fn apply(&self, batch: Batch) -> Result<(), Error> {
        let mut shared = self.shared.borrow_mut();
        if !shared.accepts() {
            return Err(Error::fatal(
                "sink.not-accepting",
                "a batch came while the sink had said that it takes none",
            ));
        }
        shared.put(batch);
        Ok(())
    }

    fn advance(&self, max_wait_ms: u32) -> Result<Progress, Error> {
        self.work(max_wait_ms)
    }

    fn flush(&self, max_wait_ms: u32) -> Result<Progress, Error> {
        self.shared.borrow_mut().flush = true;
        let result = self.work(max_wait_ms);
        self.shared.borrow_mut().flush = false;
        result
    }

    fn status(&self) -> SinkStatus {
        let shared = self.shared.borrow();
        let totals = shared.totals;
        SinkStatus {
            state: if shared.pending() {
                "applying"
            } else {
                "waiting"
            }
            .to_owned(),
            position: shared.position.clone(),
            transactions_applied: totals.transactions,
            rows_applied: totals.rows,
            rows_repaired: totals.rows_repaired,
            statements_applied: totals.statements,
            groups_committed: totals.groups,
            statements_left_out: totals.left_out,
            last_commit_micros: totals.last_commit_micros,
            contact: Contact {
                silent_ms: self.silent_ms(),
                expected_ms: u64::try_from(writer::LOOK.as_millis()).unwrap_or(u64::MAX),
            },
        }
    }
}

/// Gives the engine its further connections, as many as can be had: one alone does the same work.
async fn further(
    config: &Config,
    engine: &mut HostEngine,
    watched: &mut Vec<Watched>,
) -> Result<(), Error> {
    let enough = Moment::now().after(FURTHER_TIME);
    for number in 0..config.connections {
        let fewer = |why: &str| {
            logging::warn(
                "fewer connections than [apply] connections says: the rest could not be had",
                &[("connections", number.to_string()), ("why", why.to_owned())],
            );
        };
        if enough.has_come() {
            fewer("they take too long");
            break;
        }
        let mut session = match for_rows(&config.endpoint).await {
            Ok(session) => session,
            // The server's limit, or the account's, or the host's own.
            Err(error) if NO_MORE.contains(&error.code.as_str()) => {
                fewer(&error.message);
                break;
            }
            Err(error) => return Err(error),
        };
        let one = Watched::of(&mut session, &config.endpoint).await?;
        if !watched
            .iter()
            .all(|other| other.seen.is_same_server(&one.seen))
        {
            fewer("they lead to another server");
            break;
        }
        watched.push(one);
        engine.add_connection(session).await?;
    }
    Ok(())
}

/// A session that an engine can use.
async fn for_rows(endpoint: &str) -> Result<Session<HostStream>, Error> {
    session::connect(endpoint, |options| {
        options.found_rows = true;
        options.multi_statements = true;
        options.local_files = true;
    })
    .await
}

impl Writer {
    /// How long nothing has come from the target.
    fn silent_ms(&self) -> u64 {
        let now = Moment::now();
        let silences = self
            .heard
            .iter()
            .map(|heard| heard.last().millis_until(now));
        silences.min().unwrap_or_default()
    }

    /// Lets the task run until the time is over, the host wants attention, or something became durable.
    fn work(&self, max_wait_ms: u32) -> Result<Progress, Error> {
        let until = Moment::now().after(Duration::from_millis(u64::from(max_wait_ms)));
        let mut slot = self.task.borrow_mut();
        let Some(task) = slot.as_mut() else {
            return Err(Error::fatal(
                "sink.closed",
                "the writer was used after it had failed",
            ));
        };
        let accepted = self.shared.borrow().accepts();
        let slice = task.run(until, || {
            let shared = self.shared.borrow();
            let done = !shared.pending() && shared.durable.is_some();
            let done = done || (shared.flush && !shared.can_flush());
            // The host holds batches back while none is accepted: it must hear when that is over.
            done || (!accepted && shared.accepts())
        });
        let failed = match slice {
            Slice::Suspended => None,
            Slice::Finished(Err(error)) => Some(error),
            Slice::Finished(Ok(never)) => match never {},
            Slice::Ended(error) => Some(session::ended(error)),
        };
        if let Some(error) = failed {
            // Dropping the task closes its connection, and the server rolls back what was not committed.
            *slot = None;
            return Err(error);
        }
        let mut shared = self.shared.borrow_mut();
        Ok(Progress {
            durable: shared.durable.take(),
            accepts: shared.accepts(),
            // The rest of a transaction does not come while the host waits for a flush.
            pending: shared.pending() && (shared.can_flush() || !shared.flush),
        })
    }
}

export!(Sink with_types_in crate::bindings);
