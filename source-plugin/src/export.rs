//! The exports of the world `source-plugin`.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use datain_capture::column_names::column_names;
use datain_capture::copying::{Clock, CopyControl};
use datain_capture::files::{FileReader, Statistics};
use datain_capture::neighbours::Registration;
use datain_capture::reader::{Progress, Reader as LogReader};
use datain_capture::{check, clock, inspect, upcoming};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Batch, Checkpoint, Contact, Description, Error};
use datain_plugin_runtime::clock::{Moment, monotonic_micros, now_unix_micros};
use datain_plugin_runtime::executor::{self, Slice, Task};
use datain_plugin_runtime::stream::{Heard, HostStream};
use datain_plugin_runtime::{logging, session};

use crate::bindings::export;
use crate::bindings::exports::datain::replication::source::{
    EventCount, EventCounts, Guest, GuestReader, Inspection, Limits, Reader as ReaderHandle,
    SourceStatus, Survey, TableChanges, Throttle, Upcoming as Next,
};
use crate::config::Config;
use crate::examiner::Examiner;
use crate::files::HostFiles;
use crate::{copying, neighbours, silence};

/// How long the first rows of a chunk may take.
const CHUNK_TIME: Duration = Duration::from_secs(600);
/// How long `check` may take: there may be many tables.
const CHECK_TIME: Duration = Duration::from_secs(300);
/// How long `open` and `inspect` may take.
const OPEN_TIME: Duration = Duration::from_secs(60);

/// How long finding the next transaction may take: the source may have to look through its log for it.
const NEXT_TIME: Duration = Duration::from_secs(300);
/// How long looking for its beginning may take; the server may have to look through its log.
const NEXT_COMMIT_TIME: Duration = Duration::from_secs(10);
/// How long counting its rows may take. It may be larger than anybody wants to wait for, and its end is known without. Well under `limits.call_cpu_seconds`.
const COUNT_TIME: Duration = Duration::from_secs(20);
/// The largest event that is read for counting; the configuration's largest row may make it smaller.
const COUNTED_EVENT: u64 = 16 << 20;

pub(crate) struct Source;

/// What the reader's exports and its task share.
#[derive(Default)]
struct Shared {
    /// The next batch, until `poll` hands it out.
    batch: Option<Batch>,
    max_bytes: usize,
    progress: Progress,
    /// Of files whose events are only counted.
    statistics: Statistics,
    /// Ordinal of the newest acknowledged checkpoint.
    acknowledged: u64,
    /// How far the source's clock was ahead of the host's at the opening.
    clock_ahead_micros: i64,
    /// Of the first copy, if there is one to make.
    copy: Option<Rc<CopyControl>>,
}

pub(crate) struct Reader {
    shared: Rc<RefCell<Shared>>,
    /// When the server was last heard, and how often it gives a sign of life, in seconds; none for files.
    server: Option<(Heard, u64)>,
    task: RefCell<Option<Task<Result<Infallible, Error>>>>,
}

impl Reader {
    fn contact(&self) -> Contact {
        match &self.server {
            Some((heard, heartbeat_seconds)) => Contact {
                silent_ms: heard.last().millis_until(Moment::now()),
                expected_ms: heartbeat_seconds.max(&1).saturating_mul(1000),
            },
            // A file is always there.
            None => Contact {
                silent_ms: 0,
                expected_ms: u64::MAX,
            },
        }
    }
}

/// Reads for ever, one batch ahead, or until an error.
async fn read(
    mut reader: LogReader<HostStream>,
    shared: Rc<RefCell<Shared>>,
    heartbeat_seconds: u64,
) -> Result<Infallible, Error> {
    let heard = reader.stream().heard();
    loop {
        let max_bytes = shared.borrow().max_bytes;
        let tell = |progress| shared.borrow_mut().progress = progress;
        let limit = || {
            let shared = shared.borrow();
            let limit = silence::limit(heartbeat_seconds, shared.progress.counts.bytes > 0);
            // While a chunk is waited for, the log is not read.
            if shared.progress.copying.is_some() {
                limit.max(CHUNK_TIME)
            } else {
                limit
            }
        };
        let batch = silence::watched(&heard, limit, reader.next_batch(max_bytes, tell)).await?;
        show_notices(&mut reader);
        let copy = shared.borrow().copy.clone();
        for news in copy.map(|copy| copy.take_news()).unwrap_or_default() {
            logging::info(&news, &[]);
        }
        shared.borrow_mut().batch = Some(batch);
        let taken = executor::until(None, || shared.borrow().batch.is_none().then_some(()));
        reader.rest(taken).await;
    }
}

/// Shows what people should read of copies.
fn show_notices(reader: &mut LogReader<HostStream>) {
    for notice in reader.take_notices() {
        logging::warn(&notice, &[]);
    }
}

/// Reads files to their end, one batch ahead, or until an error; then does nothing more.
async fn read_files(
    mut reader: FileReader<HostFiles>,
    shared: Rc<RefCell<Shared>>,
) -> Result<Infallible, Error> {
    loop {
        let max_bytes = shared.borrow().max_bytes;
        let tell = |progress, statistics: &Statistics| {
            let mut shared = shared.borrow_mut();
            shared.progress = progress;
            shared.statistics.clone_from(statistics);
        };
        let batch = reader.next_batch(max_bytes, tell).await?;
        for warning in reader.take_warnings() {
            logging::warn(&warning, &[]);
        }
        if batch.is_none() {
            return executor::until(None, || None).await;
        }
        shared.borrow_mut().batch = batch;
        executor::until(None, || shared.borrow().batch.is_none().then_some(())).await;
    }
}

impl Guest for Source {
    type Examiner = Examiner;
    type Reader = Reader;

    fn describe() -> Description {
        Description {
            name: "datain binlog source".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            row_block_versions: vec![datain_capture::ROW_BLOCK_VERSION],
        }
    }

    fn check(config: String, checkpoint: Option<Checkpoint>) -> Result<Survey, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let task = Task::new(async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let found = check::survey(
                &mut source,
                &config.settings,
                checkpoint.as_ref(),
                now_unix_micros,
            )
            .await?;
            Ok(Survey {
                findings: found.findings,
                facts: found.facts,
            })
        });
        session::finish(task, Moment::now().after(CHECK_TIME))
    }

    fn inspect(config: String, checkpoint: Option<Checkpoint>) -> Result<Inspection, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let task = Task::new(async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let found =
                inspect::distance(&mut source, checkpoint.as_ref(), now_unix_micros).await?;
            Ok(Inspection {
                head: found.head,
                server_version: source.server_version().to_string(),
                transactions_behind: found.transactions,
                bytes_behind: found.bytes,
                clock_ahead_micros: found.clock_ahead_micros,
            })
        });
        session::finish(task, Moment::now().after(OPEN_TIME))
    }

    fn column_names(config: String, schema: String, table: String) -> Result<Vec<String>, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let task = Task::new(async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            column_names(&mut source, &schema, &table).await
        });
        session::finish(task, Moment::now().after(OPEN_TIME))
    }

    fn next_transaction(config: String, checkpoint: Checkpoint) -> Result<Option<Next>, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let task = Task::new(async move {
            let largest = config.settings.max_row_bytes.clamp(1 << 20, COUNTED_EVENT);
            let source = session::connect(&config.endpoint, |options| {
                options.max_allowed_packet = u32::try_from(largest).unwrap_or(u32::MAX);
            })
            .await?;
            let end = Moment::now().after(COUNT_TIME);
            let enough = executor::until(Some(end), || end.has_come().then_some(()));
            let found = upcoming::after(source, &config.settings, &checkpoint, enough).await?;
            Ok(found.map(|found| next(found, checkpoint.ordinal)))
        });
        session::finish(task, Moment::now().after(NEXT_TIME))
    }

    fn next_commit(config: String, checkpoint: Checkpoint) -> Result<Option<u64>, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let task = Task::new(async move {
            let source = session::connect(&config.endpoint, |_| {}).await?;
            upcoming::committed_at(source, &config.settings, &checkpoint).await
        });
        session::finish(task, Moment::now().after(NEXT_COMMIT_TIME))
    }
}

/// The contract's form of what was found after the checkpoint of this ordinal.
fn next(found: upcoming::Upcoming, ordinal: u64) -> Next {
    Next {
        gtid: found.gtid.as_ref().map(ToString::to_string),
        position: found.begins.to_string(),
        committed_at_micros: found.committed_at_micros,
        bytes: found.bytes,
        tables: found
            .tables
            .into_iter()
            .map(|(table, changes)| TableChanges {
                table,
                replicated: changes.replicated,
                inserted: changes.inserted,
                updated: changes.updated,
                deleted: changes.deleted,
            })
            .collect(),
        statements: found.statements,
        unreadable: found.unreadable,
        after: found.after.checkpoint(ordinal + 1),
    }
}

impl GuestReader for Reader {
    fn open(
        config: String,
        resume: Option<Checkpoint>,
        set_position: bool,
    ) -> Result<ReaderHandle, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        if !config.files.is_empty() {
            return open_files(config);
        }
        let acknowledged = resume.as_ref().map_or(0, |c| c.ordinal);
        let heartbeat_seconds = config.settings.heartbeat_seconds;
        let (endpoint, registration) =
            (config.endpoint.clone(), Registration::of(&config.settings));
        let open = Task::new(async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let ahead = clock::measure(&mut source, now_unix_micros).await?;
            let mut reader =
                LogReader::open(source, &config.settings, resume.as_ref(), set_position).await?;
            let mut control = None;
            if reader.is_to_copy() {
                let mut copies = Vec::new();
                for _ in 0..config.settings.copy_readers.max(1) {
                    let mut session = match session::connect(&config.endpoint, |_| {}).await {
                        Err(error) if !copies.is_empty() => {
                            let given = copies.len().to_string();
                            logging::warn(
                                "not as many connections to the source as [snapshot] readers says can be had; going on with fewer",
                                &[("connections", given), ("reason", error.message)],
                            );
                            break;
                        }
                        opened => opened?,
                    };
                    // While much is read from tables, the log may have to wait.
                    session.stream_mut().hear_with(reader.stream().heard());
                    copies.push(session);
                }
                let copy = Rc::new(CopyControl::new(config.settings.snapshot, acknowledged));
                let clock = Clock {
                    now: monotonic_micros,
                    wake_at: |micros| executor::wake_at(Moment::at_micros(micros)),
                };
                reader.copy_over(copies, clock, Rc::clone(&copy)).await?;
                control = Some(copy);
            }
            let ahead = ahead.map_or(0, |measured| measured.ahead_micros);
            Ok((reader, ahead, control))
        });
        let (mut reader, clock_ahead_micros, copy) =
            session::finish(open, Moment::now().after(OPEN_TIME))?;
        show_notices(&mut reader);
        if reader.replaces_another() {
            logging::warn(
                "another reader of this pipeline was connected to the source, which ends it now: another host, or what is left of a host or a connection that ended just now",
                &[],
            );
        }
        if let Some(host) = reader.refused_neighbour() {
            logging::warn(
                "another pipeline with this server_id began at the same moment, and was refused: give it another one",
                &[("host", host.to_owned())],
            );
        }
        let registration = reader.is_listed().then_some(registration);
        let shared = Rc::new(RefCell::new(Shared {
            progress: reader.progress(),
            acknowledged,
            clock_ahead_micros,
            copy,
            ..Shared::default()
        }));
        let heard = reader.stream().heard();
        let read = read(reader, Rc::clone(&shared), heartbeat_seconds);
        let task =
            Task::new(
                async move { neighbours::watched(&endpoint, registration.as_ref(), read).await },
            );
        Ok(ReaderHandle::new(Reader {
            shared,
            server: Some((heard, heartbeat_seconds)),
            task: RefCell::new(Some(task)),
        }))
    }

    fn poll(&self, limits: Limits) -> Result<Option<Batch>, Error> {
        let until = Moment::now().after(Duration::from_millis(u64::from(limits.max_wait_ms)));
        self.shared.borrow_mut().max_bytes = limits.max_bytes as usize;
        if let Some(batch) = self.shared.borrow_mut().batch.take() {
            return Ok(Some(batch));
        }
        let mut slot = self.task.borrow_mut();
        let Some(task) = slot.as_mut() else {
            return Err(Error::fatal(
                "source.closed",
                "the reader was used after it had failed",
            ));
        };
        // What is always ready, such as a file, must not keep the host waiting for a batch.
        let enough = || self.shared.borrow().batch.is_some() || until.has_come();
        let failed = match task.run(until, enough) {
            Slice::Suspended => None,
            Slice::Finished(Err(error)) => Some(error),
            Slice::Finished(Ok(never)) => match never {},
            Slice::Ended(error) => Some(session::ended(error)),
        };
        if let Some(error) = failed {
            *slot = None;
            return Err(error);
        }
        Ok(self.shared.borrow_mut().batch.take())
    }

    fn ack(&self, checkpoint: Checkpoint) {
        let mut shared = self.shared.borrow_mut();
        shared.acknowledged = shared.acknowledged.max(checkpoint.ordinal);
        if let Some(copy) = &shared.copy {
            copy.set_durable(checkpoint.ordinal);
        }
    }

    fn set_throttle(&self, throttle: Throttle) {
        if let Some(copy) = &self.shared.borrow().copy {
            copy.set_limits(copying::limits(throttle));
        }
    }

    fn status(&self) -> SourceStatus {
        let shared = self.shared.borrow();
        let progress = &shared.progress;
        SourceStatus {
            state: match &progress.copying {
                Some(what) => format!("copying {what}"),
                None => "streaming".to_owned(),
            },
            position: progress.position.clone(),
            bytes_read: progress.counts.bytes,
            transactions_read: progress.counts.transactions,
            last_commit_micros: progress.counts.last_commit_micros,
            clock_ahead_micros: shared.clock_ahead_micros,
            caught_up: progress.reached_head && shared.acknowledged >= progress.ordinal,
            in_transaction: progress.in_transaction,
            contact: self.contact(),
            copy: shared
                .copy
                .as_ref()
                .map(|copy| copying::progress(copy, monotonic_micros())),
        }
    }

    fn event_counts(&self) -> EventCounts {
        let shared = self.shared.borrow();
        let types = shared.statistics.by_type.iter();
        EventCounts {
            transactions: shared.statistics.transactions,
            types: types
                .map(|(code, count)| EventCount {
                    name: Statistics::name(*code).to_owned(),
                    code: *code,
                    events: count.events,
                    bytes: count.bytes,
                })
                .collect(),
        }
    }
}

/// A reader of files, which begins at the first one's beginning.
fn open_files(config: Config) -> Result<ReaderHandle, Error> {
    let bytes = HostFiles::new(config.endpoint);
    let reader = FileReader::open(bytes, config.files, &config.settings, config.count_events)?;
    let shared = Rc::new(RefCell::new(Shared {
        progress: reader.progress(),
        ..Shared::default()
    }));
    let task = Task::new(read_files(reader, Rc::clone(&shared)));
    Ok(ReaderHandle::new(Reader {
        shared,
        server: None,
        task: RefCell::new(Some(task)),
    }))
}

export!(Source with_types_in crate::bindings);
