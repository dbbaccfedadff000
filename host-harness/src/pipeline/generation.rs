//! The two threads of one generation: how they begin and how they end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::lane::{Drain, Event, Lane};
use super::{Stop, sink_loop};
use crate::engine::Role;
use crate::error::{Error, Kind, Result};

/// How long a thread may take to end after it was interrupted, and again after it was killed.
const END_WAIT: Duration = Duration::from_secs(5);

/// How often a patient wait looks whether an end is asked for.
const LOOK: Duration = Duration::from_millis(200);

/// The threads of one generation.
pub(super) struct Running {
    lane: Arc<Lane>,
    inbox: Receiver<Event>,
    alive: Vec<Role>,
    /// The side whose end ended the generation.
    pub(super) failed: Option<Role>,
}

impl Running {
    pub(super) fn new(lane: Arc<Lane>, inbox: Receiver<Event>) -> Self {
        Self {
            lane,
            inbox,
            alive: Vec::new(),
            failed: None,
        }
    }

    /// A side has ended by itself.
    pub(super) fn has_ended(&mut self, role: Role) {
        self.alive.retain(|alive| *alive != role);
        self.failed = Some(role);
    }

    pub(super) fn spawn(
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

    pub(super) fn next(&self) -> Event {
        // The stop's subscription holds a sender for as long as the generation lives.
        self.inbox.recv().unwrap_or(Event::StopRequested)
    }

    /// The source first, so that nothing new comes; then the sink, which gets `time` for what `drain` says. Returns an error that it met in doing so.
    pub(super) fn end_in_order(&mut self, drain: Drain, time: Duration) -> Option<Error> {
        self.interrupt_and_wait(Role::Source);
        self.lane.begin_drain(drain);
        let error = self.wait_for(Role::Sink, time + END_WAIT);
        self.interrupt_and_wait(Role::Sink);
        error
    }

    /// The same for a person's stop, as STOP REPLICA does it: what was accepted is committed, however long its statements take, unless `stop` asks for an
    /// end meanwhile. A target that no longer answers is noticed by the sink itself.
    pub(super) fn end_patiently(&mut self, stop: &Stop) {
        self.interrupt_and_wait(Role::Source);
        self.lane.begin_drain(Drain::Patient);
        let begun = Instant::now();
        let mut told = false;
        while self.alive.contains(&Role::Sink) && !stop.is_requested() {
            self.wait_for(Role::Sink, LOOK);
            if !told && begun.elapsed() > sink_loop::DRAIN {
                told = true;
                tracing::info!("a statement that is under way on the target is waited for");
            }
        }
        if stop.is_requested() {
            self.wait_for(Role::Sink, sink_loop::DRAIN);
        }
        self.interrupt_and_wait(Role::Sink);
    }

    pub(super) fn end_now(&mut self) {
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

    /// Waits until the side has ended; returns the error that it ended with, unless that was the host's own order.
    fn wait_for(&mut self, role: Role, time: Duration) -> Option<Error> {
        let mut end = Instant::now() + time;
        let mut found = None;
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
                        if ended == role {
                            found = Some(error);
                        }
                    }
                }
                // Whoever asks for an end or a rest meanwhile does not wait for much more.
                Ok(Event::StopRequested | Event::HoldRequested) => {
                    end = end.min(Instant::now() + sink_loop::DRAIN);
                }
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        found
    }
}
