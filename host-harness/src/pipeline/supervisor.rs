//! Generations of instances: what ends one, and what follows.
//!
//! | a generation ends with | then |
//! |---|---|
//! | a stop, or having caught up | the source ends, the sink commits what it accepted, `run` returns |
//! | `retry`, before both servers were ever reached | the error, unless time for connecting is left |
//! | `retry`, later | a pause that grows, then new instances from the sink's checkpoint, for ever |
//! | a crash or exceeded limit of a plugin (`plugin.*`) | the same, but after [`CRASHES`] in a row without progress the error |
//! | anything else | the error |

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::lane::{Event, Lane, Plugins};
use super::{StatusHandle, Stop, sink_loop, source_loop};
use crate::bindings::Checkpoint;
use crate::engine::Role;
use crate::error::{Error, Kind, Result};

/// Crashes in a row without progress after which a plugin is given up.
const CRASHES: u32 = 5;
/// A generation that lived for so long counts as progress even if the source was idle.
const SETTLED: Duration = Duration::from_secs(60);
/// How long a thread may take to end after it was interrupted, and again after it was killed.
const END_WAIT: Duration = Duration::from_secs(5);

/// How a run ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All that the source had committed when it was opened is durable.
    CaughtUp,
    /// As requested.
    Stopped,
}

#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub name: String,
    /// Whether a pipeline without a checkpoint would have to begin with a first copy.
    pub needs_snapshot: bool,
    pub queue_bytes: usize,
    pub until_caught_up: bool,
    pub connect_retry: Duration,
}

pub(super) struct Supervisor {
    plugins: Arc<dyn Plugins>,
    settings: Settings,
    status: StatusHandle,
    /// Whether a generation has had both sides open.
    reached: bool,
}

impl Supervisor {
    pub(super) fn new(plugins: Arc<dyn Plugins>, settings: Settings, status: StatusHandle) -> Self {
        Self {
            plugins,
            settings,
            status,
            reached: false,
        }
    }

    pub(super) fn run(mut self, stop: &Stop) -> Result<Outcome> {
        let span = tracing::info_span!("run", pipeline = %self.settings.name);
        let _entered = span.enter();
        let started = Instant::now();
        let mut backoff = Backoff::new();
        let mut crashes = 0;
        let mut newest = 0;
        let outcome = loop {
            if stop.is_requested() {
                break Ok(Outcome::Stopped);
            }
            let begun = Instant::now();
            let error = match self.generation(stop) {
                Ok(outcome) => break Ok(outcome),
                Err(error) => error,
            };
            if stop.is_requested() {
                // Whatever went wrong while stopping: the checkpoint is whole, and the next run goes on from it.
                tracing::info!(%error, "an error came while stopping; the next run goes on from the checkpoint");
                break Ok(Outcome::Stopped);
            }
            if error.kind() != Kind::Retry {
                break Err(error);
            }
            if !self.reached && started.elapsed() >= self.settings.connect_retry {
                break Err(error);
            }
            let ordinal = self.status.get().durable_ordinal;
            if ordinal > newest || begun.elapsed() >= SETTLED {
                backoff.reset();
                crashes = 0;
            }
            newest = newest.max(ordinal);
            if error.code().starts_with("plugin.") {
                crashes += 1;
                if crashes >= CRASHES {
                    tracing::error!(crashes, "the plugin is given up");
                    break Err(error);
                }
            }
            self.status.failed(&error);
            let pause = backoff.pause();
            let report = error.report();
            tracing::warn!(
                code = %report.code,
                server = report.server,
                detail = report.detail,
                table = report.table,
                hint = report.hint,
                retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "{}",
                report.message
            );
            stop.wait(pause);
        };
        self.status.state("stopped");
        outcome
    }

    /// One pair of instances from opening to end.
    fn generation(&mut self, stop: &Stop) -> Result<Outcome> {
        self.status.new_generation();
        let (events, inbox) = channel();
        let lane = Arc::new(Lane::new(
            self.settings.queue_bytes,
            self.status.clone(),
            events.clone(),
        )?);
        let _subscription = stop.subscribe(move || {
            // The supervisor may have gone on already.
            let _ = events.send(Event::StopRequested);
        });
        let mut running = Running {
            lane: Arc::clone(&lane),
            inbox,
            alive: Vec::new(),
        };
        let result = self.drive(&mut running);
        match &result {
            Ok(_) => {
                self.status.state("stopping");
                running.end_in_order();
            }
            Err(_) => running.end_now(),
        }
        result
    }

    fn drive(&mut self, running: &mut Running) -> Result<Outcome> {
        let plugins = Arc::clone(&self.plugins);
        running.spawn(Role::Sink, move |lane| sink_loop::run(&*plugins, lane))?;
        loop {
            match running.next() {
                Event::StopRequested => return Ok(Outcome::Stopped),
                Event::Ended(role, result) => {
                    running.alive.retain(|alive| *alive != role);
                    return Err(result.err().unwrap_or_else(|| ended_early(role)));
                }
                Event::SinkOpened(None) if self.settings.needs_snapshot => {
                    return Err(no_snapshot_yet(&self.settings.name));
                }
                Event::SinkOpened(checkpoint) => self.sink_opened(running, checkpoint)?,
                Event::SourceOpened => {
                    self.reached = true;
                    self.status.state("streaming");
                    tracing::info!("streaming");
                }
                Event::CaughtUp if self.settings.until_caught_up => return Ok(Outcome::CaughtUp),
                Event::CaughtUp => {
                    tracing::info!("caught up with what the source had when it was opened");
                }
            }
        }
    }

    fn sink_opened(&self, running: &mut Running, checkpoint: Option<Checkpoint>) -> Result<()> {
        match &checkpoint {
            Some(checkpoint) => tracing::info!(checkpoint = %checkpoint.display, "resuming"),
            None => tracing::info!("the target has no checkpoint: beginning where start.mode says"),
        }
        let plugins = Arc::clone(&self.plugins);
        running.spawn(Role::Source, move |lane| {
            source_loop::run(&*plugins, lane, checkpoint.as_ref())
        })
    }
}

/// The threads of one generation.
struct Running {
    lane: Arc<Lane>,
    inbox: Receiver<Event>,
    alive: Vec<Role>,
}

impl Running {
    fn spawn(
        &mut self,
        role: Role,
        body: impl FnOnce(&Lane) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let lane = Arc::clone(&self.lane);
        let span = tracing::Span::current();
        std::thread::Builder::new()
            .name(format!("datain-{role}"))
            .spawn(move || {
                let _entered = span.enter();
                // A panic of the host's own code must end the pipeline with a message, not leave it hanging.
                let result = catch_unwind(AssertUnwindSafe(|| body(&lane))).unwrap_or_else(|_| {
                    Err(Error::new(
                        Kind::Fatal,
                        "host.panic",
                        format!("the host failed while it ran the {role} plugin"),
                    )
                    .hint("this is an error in datain: please report it, with the log"))
                });
                lane.tell(Event::Ended(role, result));
            })
            .map_err(|e| {
                Error::new(Kind::Retry, "host.resources", "failed to start a thread")
                    .detail(e.to_string())
            })?;
        self.alive.push(role);
        Ok(())
    }

    fn next(&self) -> Event {
        // The stop's subscription holds a sender for as long as the generation lives.
        self.inbox.recv().unwrap_or(Event::StopRequested)
    }

    /// The source first, so that nothing new comes; then the sink, which commits what it has accepted.
    fn end_in_order(&mut self) {
        self.interrupt_and_wait(Role::Source);
        self.lane.begin_drain();
        self.wait_for(Role::Sink, sink_loop::DRAIN + END_WAIT);
        self.interrupt_and_wait(Role::Sink);
    }

    fn end_now(&mut self) {
        for role in self.alive.clone() {
            self.lane.waker(role).interrupt();
        }
        for role in self.alive.clone() {
            self.interrupt_and_wait(role);
        }
    }

    fn interrupt_and_wait(&mut self, role: Role) {
        if !self.alive.contains(&role) {
            return;
        }
        self.lane.waker(role).interrupt();
        self.wait_for(role, END_WAIT);
        if self.alive.contains(&role) {
            tracing::warn!(plugin = %role, "the plugin does not end by itself and is stopped");
            self.lane.waker(role).kill();
            self.wait_for(role, END_WAIT);
        }
        if self.alive.contains(&role) {
            // It can only be in a call of the operating system; the fence in the target keeps it from committing anything.
            tracing::error!(plugin = %role, "the plugin's thread cannot be ended and is left behind");
        }
    }

    fn wait_for(&mut self, role: Role, time: Duration) {
        let end = Instant::now() + time;
        while self.alive.contains(&role) {
            match self
                .inbox
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(Event::Ended(ended, result)) => {
                    self.alive.retain(|alive| *alive != ended);
                    if let Err(error) = result
                        && error.kind() != Kind::Interrupted
                    {
                        tracing::warn!(plugin = %ended, %error, "the plugin ended with an error of its own");
                    }
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

fn ended_early(role: Role) -> Error {
    Error::new(
        Kind::Retry,
        "plugin.ended",
        format!("the {role} plugin ended without being asked to"),
    )
}

fn no_snapshot_yet(name: &str) -> Error {
    Error::config(
        "start.snapshot-unavailable",
        format!("the target has no checkpoint of the pipeline {name:?}, and the first copy (start.mode = \"snapshot\") is not there yet"),
    )
    .hint(
        "copy the data by other means, then set [start] mode to \"gtid\" (gtid_set = what the copy holds), \"position\" (file, \
         position) or \"now\"",
    )
}

#[cfg(test)]
mod tests;
