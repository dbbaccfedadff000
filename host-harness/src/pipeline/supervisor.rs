//! Generations of instances: what ends one, and what follows.
//!
//! | a generation ends with | then |
//! |---|---|
//! | a stop, or having caught up | the source ends, the sink commits what it accepted, `run` returns |
//! | `retry`, before both servers were ever reached | the error, unless time for connecting is left, or the target's rows are only locked |
//! | `retry` of the source | the sink commits what it accepted, however long a statement takes; then as below |
//! | `retry`, later | a pause that grows, then new instances from the sink's checkpoint, for ever |
//! | a crash or exceeded limit of a plugin (`plugin.*`) | the same, but after [`CRASHES`] in a row without progress the error |
//! | anything else, while several transactions were under way | new instances that apply one by one, to stand right before the one that fails |
//! | anything else | the error, which is left in the target too |
//! | a person's stop ([`Hold`], or the target's word) | nothing runs until a person's start |

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::backoff::Backoff;
use super::generation::Running;
use super::lane::{Drain, Event, Lane, Pace, Plugins, Standing};
use super::stop::Hold;
use super::{StatusHandle, Stop, sink_loop, source_loop};
use crate::bindings::{Checkpoint, Resumption};
use crate::engine::Role;
use crate::error::{Error, Kind, Result};
use crate::transport::Waker;

/// Crashes in a row without progress after which a plugin is given up.
pub(super) const CRASHES: u32 = 5;
/// A generation that lived for so long counts as progress even if the source was idle.
pub(super) const SETTLED: Duration = Duration::from_secs(60);
/// How long the sink may take for what waits in the queue, when the source cannot go on.
const QUEUE_DRAIN: Duration = Duration::from_secs(60);
/// How often the target is asked whether a person on another machine has started the pipeline again.
const STOPPED_LOOK: Duration = Duration::from_secs(5);
/// How often a sleep looks at what is requested.
const TICK: Duration = Duration::from_millis(100);

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
    pub queue_bytes: usize,
    pub until_caught_up: bool,
    /// Whether a person wants to go to the configuration's start in spite of a checkpoint.
    pub set_position: bool,
    pub connect_retry: Duration,
}

pub(super) struct Supervisor {
    plugins: Arc<dyn Plugins>,
    settings: Settings,
    status: StatusHandle,
    hold: Hold,
    /// Whether the checks before the start have been passed; they are not repeated.
    checked: bool,
    /// Whether a generation has had both sides open.
    reached: bool,
    pace: Pace,
    /// Where this run has begun a new pipeline. Until a checkpoint is durable, a new generation begins there too: "now" must not move on.
    began: Option<Checkpoint>,
    /// Whether the target has ever had a checkpoint in this run.
    had_checkpoint: bool,
    /// Whether the target has known the pipeline in this run.
    known: bool,
}

/// How a generation ended without an error.
enum Ending {
    Finished(Outcome),
    /// A person's stop.
    Held,
    /// What was applied one by one has gone through.
    WentThrough,
}

impl Supervisor {
    pub(super) fn new(
        plugins: Arc<dyn Plugins>,
        settings: Settings,
        status: StatusHandle,
        hold: Hold,
    ) -> Self {
        Self {
            plugins,
            settings,
            status,
            hold,
            checked: false,
            reached: false,
            pace: Pace::Groups,
            began: None,
            had_checkpoint: false,
            known: false,
        }
    }

    pub(super) fn run(mut self, stop: &Stop) -> Result<Outcome> {
        let span = tracing::error_span!("run", pipeline = %self.settings.name);
        let _entered = span.enter();
        let outcome = self.generations(stop);
        if let Err(error) = &outcome {
            self.leave_note(error, stop);
        }
        self.status.state("stopped");
        outcome
    }

    fn generations(&mut self, stop: &Stop) -> Result<Outcome> {
        let started = Instant::now();
        let mut backoff = Backoff::new();
        let mut crashes = 0;
        let mut newest = 0;
        loop {
            if stop.is_requested() {
                return Ok(Outcome::Stopped);
            }
            if self.hold.is_set() {
                if self.settings.until_caught_up {
                    return Err(stopped(&self.settings.name));
                }
                self.rest(stop)?;
                continue;
            }
            let begun = Instant::now();
            let error = match self.generation(stop) {
                Ok(Ending::Finished(outcome)) => return Ok(outcome),
                Ok(Ending::Held) => continue,
                Ok(Ending::WentThrough) => {
                    tracing::info!(
                        "what failed in a group has gone through one by one: going on in groups"
                    );
                    self.pace = Pace::Groups;
                    continue;
                }
                Err(error) => error,
            };
            if stop.is_requested() {
                // Whatever went wrong while stopping: the checkpoint is whole, and the next run goes on from it.
                tracing::info!(%error, "an error came while stopping; the next run goes on from the checkpoint");
                return Ok(Outcome::Stopped);
            }
            if error.kind() == Kind::Interrupted && self.hold.is_set() {
                // A person's stop came before anything was opened.
                continue;
            }
            if error.kind() != Kind::Retry {
                if error.code() == "sink.stopped" {
                    self.hold.note_recorded();
                    self.hold.set();
                    continue;
                }
                self.pace = match self.slower(&error) {
                    Some(pace) => pace,
                    None => return Err(error),
                };
                let report = error.report();
                tracing::warn!(
                    code = error.code(),
                    errno = report.errno,
                    table = report.table,
                    reason = %report.message,
                    "applying one by one from the checkpoint, to stand right before the transaction that fails"
                );
                continue;
            }
            if error.code() == "checkpoint.overruled" {
                tracing::info!("{}", error.report().message);
                // It is a plugin's word, and one that never tires of it must not keep a core busy.
                self.pause(TICK, stop);
                continue;
            }
            // A server whose rows are locked was reached: the lock is most likely the predecessor's, which is still rolling back.
            let locked = error.code() == "server.lock-wait-timeout";
            if !self.reached && !locked && started.elapsed() >= self.settings.connect_retry {
                return Err(error);
            }
            let ordinal = self.status.durable_ordinal();
            if ordinal > newest || begun.elapsed() >= SETTLED {
                backoff.reset();
                crashes = 0;
            }
            newest = newest.max(ordinal);
            if error.code().starts_with("plugin.") {
                crashes += 1;
                if crashes >= CRASHES {
                    tracing::error!(crashes, "the plugin is given up");
                    return Err(error);
                }
            }
            self.status.failed(&error);
            let pause = backoff.pause();
            let report = error.report();
            tracing::warn!(
                code = %report.code,
                server = report.server,
                errno = report.errno,
                sqlstate = report.sqlstate,
                detail = report.detail,
                table = report.table,
                hint = report.hint,
                retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "{}",
                report.message
            );
            self.pause(pause, stop);
        }
    }

    /// Sleeps, unless something is requested.
    fn pause(&self, time: Duration, stop: &Stop) {
        let end = Instant::now() + time;
        while !self.hold.is_set() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() || stop.wait(left.min(TICK)) {
                return;
            }
        }
    }

    /// Stopped by a person: waits for the start, from here or from another machine.
    ///
    /// # Errors
    /// `checkpoint.removed` when the pipeline is removed meanwhile.
    fn rest(&mut self, stop: &Stop) -> Result<()> {
        self.status.state("stopped");
        tracing::info!("stopped by a person; `datain start` lets it go on");
        let mut look = Instant::now();
        while !stop.is_requested() && !self.hold.wait_for_release(TICK) {
            if look.elapsed() < STOPPED_LOOK {
                continue;
            }
            self.look_at_rest(stop)?;
            look = Instant::now();
        }
        if !stop.is_requested() {
            tracing::info!("started by a person");
        }
        // The configuration may be another one, and time has passed. Whoever gave the start has gone: a server that is away is waited for.
        self.checked = false;
        self.reached = true;
        Ok(())
    }

    /// Asks the target whether somebody elsewhere has let the pipeline go on, and records the stop there if that could not be done before.
    fn look_at_rest(&mut self, stop: &Stop) -> Result<()> {
        let waker = Arc::new(Waker::new()?);
        let (ended, released) = (Arc::clone(&waker), Arc::clone(&waker));
        let _stop = stop.subscribe(move || ended.interrupt());
        let _release = self.hold.subscribe_release(move || released.interrupt());
        if !self.hold.is_recorded() {
            match self.plugins.record_stop(&waker) {
                Ok(()) => self.hold.note_recorded(),
                Err(error) => {
                    tracing::debug!(%error, "the stop could not be recorded in the target yet");
                }
            }
            return Ok(());
        }
        self.known = true;
        match self.plugins.standing(&waker) {
            Ok(Standing::Stopped) => {}
            Ok(Standing::Gone) => return Err(checkpoint_removed(&self.settings.name)),
            Ok(Standing::MayRun) => match self.plugins.refresh() {
                Ok(()) => self.hold.release(),
                Err(error) => {
                    tracing::error!(%error, "started by a person elsewhere, but the configuration has become unusable: the pipeline rests");
                }
            },
            Err(error) => {
                tracing::debug!(%error, "the target does not say whether the pipeline was started");
            }
        }
        Ok(())
    }

    /// The pace at which the cause of an error is found: where several transactions were under way, the checkpoint stands before the first of them.
    fn slower(&self, error: &Error) -> Option<Pace> {
        // Another host has the pipeline now, or nobody: to open it again would take it back. A statement of which nobody knows whether it was done stands alone, and the checkpoint before it.
        if matches!(
            error.code(),
            "checkpoint.fenced"
                | "checkpoint.removed"
                | "server.replica-id-in-use"
                | "ddl.undecided"
        ) {
            return None;
        }
        let until = self.status.read_ordinal();
        let several = self.status.durable_ordinal() < until;
        (self.pace == Pace::Groups && several && error.report().position.is_some())
            .then_some(Pace::OneByOne { until })
    }

    /// Leaves the error that ends the run in the target, if that can be reached.
    fn leave_note(&self, error: &Error, stop: &Stop) {
        // The owner of the pipeline has an error of its own, or none.
        let not_ours = matches!(
            error.code(),
            "checkpoint.fenced"
                | "checkpoint.removed"
                | "config.start-changed"
                | "server.replica-id-in-use"
                | "sink.stopped"
        );
        let of_target = error
            .report()
            .server
            .as_ref()
            .is_some_and(|server| server.starts_with(Role::Sink.endpoint()));
        let unreachable = error.kind() == Kind::Retry && of_target;
        if not_ours || unreachable || error.kind() == Kind::Interrupted {
            return;
        }
        let noted = || -> std::result::Result<(), String> {
            let waker = Arc::new(Waker::new().map_err(|e| e.to_string())?);
            let ended = Arc::clone(&waker);
            let _stop = stop.subscribe(move || ended.interrupt());
            let report = serde_json::to_string(error.report()).map_err(|e| e.to_string())?;
            self.plugins
                .note_error(&report, &waker)
                .map_err(|e| e.to_string())
        };
        if let Err(reason) = noted() {
            tracing::debug!(reason, "the error could not be noted in the target");
        }
    }

    /// One pair of instances from opening to end.
    fn generation(&mut self, stop: &Stop) -> Result<Ending> {
        self.had_checkpoint |= self.status.durable_ordinal() > 0;
        self.status.new_generation();
        if !self.checked {
            self.preflight(stop)?;
        }
        let (events, inbox) = channel();
        let lane = Arc::new(Lane::new(
            self.settings.queue_bytes,
            self.status.clone(),
            events.clone(),
            self.pace,
            self.known,
        )?);
        let held = events.clone();
        // The supervisor may have gone on already, when nobody hears of a request any more.
        let _stop = stop.subscribe(move || {
            let _ = events.send(Event::StopRequested);
        });
        let _hold = self.hold.subscribe(move || {
            let _ = held.send(Event::HoldRequested);
        });
        let mut running = Running::new(lane, inbox);
        let result = self.drive(&mut running);
        match result {
            Ok(Ending::Held) => {
                self.status.state("stopping");
                running.end_patiently(stop);
                Ok(Ending::Held)
            }
            Ok(ending) => {
                self.status.state("stopping");
                running.end_in_order(Drain::Accepted, sink_loop::DRAIN);
                Ok(ending)
            }
            Err(error) if running.failed == Some(Role::Source) && error.kind() != Kind::Retry => {
                // What it had read before is to be applied, so that the checkpoint stands right before what it could not read.
                let of_sink = running.end_in_order(Drain::Queue, QUEUE_DRAIN);
                Err(of_sink.unwrap_or(error))
            }
            Err(error) if running.failed == Some(Role::Source) => {
                // Passing trouble of the source is none of the sink's: a statement that is cut off in the target may be undecided there.
                running.end_patiently(stop);
                Err(error)
            }
            Err(error) => {
                running.end_now();
                Err(error)
            }
        }
    }

    /// The checks of both servers, once.
    fn preflight(&mut self, stop: &Stop) -> Result<()> {
        self.status.state("checking");
        let waker = Arc::new(Waker::new()?);
        let (ended, held) = (Arc::clone(&waker), Arc::clone(&waker));
        let _stop = stop.subscribe(move || ended.interrupt());
        let _hold = self.hold.subscribe(move || held.interrupt());
        self.plugins.preflight(&waker)?;
        self.checked = true;
        Ok(())
    }

    fn drive(&mut self, running: &mut Running) -> Result<Ending> {
        let plugins = Arc::clone(&self.plugins);
        running.spawn(Role::Sink, move |lane| sink_loop::run(&*plugins, lane))?;
        loop {
            match running.next() {
                Event::StopRequested => return Ok(Ending::Finished(Outcome::Stopped)),
                Event::HoldRequested => return Ok(Ending::Held),
                Event::WentThrough => return Ok(Ending::WentThrough),
                Event::Ended(role, result) => {
                    running.has_ended(role);
                    return Err(result.err().unwrap_or_else(|| ended_early(role)));
                }
                Event::SinkOpened(from) if from.checkpoint.is_none() && self.had_checkpoint => {
                    return Err(checkpoint_removed(&self.settings.name));
                }
                Event::SinkOpened(from) => {
                    self.known = true;
                    self.sink_opened(running, from)?;
                }
                Event::Began(place) => self.began = Some(place),
                Event::SourceOpened => {
                    self.reached = true;
                    self.status.state("streaming");
                    tracing::info!("streaming");
                }
                Event::CaughtUp if self.settings.until_caught_up => {
                    return Ok(Ending::Finished(Outcome::CaughtUp));
                }
                Event::CaughtUp => {
                    tracing::info!("caught up with what the source had when it was opened");
                }
            }
        }
    }

    fn sink_opened(&self, running: &mut Running, mut from: Resumption) -> Result<()> {
        if from.checkpoint.is_none() {
            // Number 0 has the source write its beginning down again.
            from.checkpoint = self.began.clone().map(|began| Checkpoint {
                ordinal: 0,
                ..began
            });
        }
        match &from.checkpoint {
            Some(checkpoint) if from.set_position => tracing::warn!(
                checkpoint = %checkpoint.display,
                "the checkpoint is given up: beginning where [start] says, as asked for by --set-position"
            ),
            Some(checkpoint) if self.settings.set_position && !self.reached => tracing::warn!(
                checkpoint = %checkpoint.display,
                "--set-position moves nothing: the pipeline began where [start] says already, and goes on from its checkpoint; to begin there again, `datain remove` it first"
            ),
            Some(checkpoint) => tracing::info!(checkpoint = %checkpoint.display, "resuming"),
            None => tracing::info!("the target has no checkpoint: beginning where start.mode says"),
        }
        let plugins = Arc::clone(&self.plugins);
        running.spawn(Role::Source, move |lane| {
            source_loop::run(&*plugins, lane, &from)
        })
    }
}

fn checkpoint_removed(name: &str) -> Error {
    Error::new(
        Kind::Fatal,
        "checkpoint.removed",
        format!("the target no longer has the checkpoint of pipeline `{name}`, which it had while this host was running"),
    )
    .hint("is it another server, or was the pipeline removed? To begin anew on purpose, look at [start] and start the host again")
}

pub(super) fn stopped(name: &str) -> Error {
    Error::new(
        Kind::Reconfigure,
        "sink.stopped",
        format!("pipeline `{name}` was stopped by a person"),
    )
    .hint("datain start -c FILE lets it run again")
}

fn ended_early(role: Role) -> Error {
    Error::new(
        Kind::Retry,
        "plugin.ended",
        format!("the {role} plugin ended without being asked to"),
    )
}

#[cfg(test)]
mod tests;
