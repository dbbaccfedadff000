//! What a pipeline is doing, kept for whoever asks: the command line's progress, and `datain status` through the control socket.
//!
//! The plugins' threads write it between calls; asking never disturbs a plugin. How far the target is behind is reckoned in [`super::lag`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Serialize;

use super::copying::CopyStatus;
use super::lag::{Contact, Lag, now_micros};
use super::rate::Rate;
use crate::bindings::{Checkpoint, SinkStatus, SourceStatus};
use crate::error::{Error, Report};

/// A pipeline's state at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The pipeline's name.
    pub pipeline: String,
    /// `starting`, `checking`, `connecting`, `streaming`, `waiting to retry`, `stopping`, `stopped`.
    pub state: &'static str,
    /// The source plugin's own word for what it does.
    pub source_state: String,
    /// The sink plugin's own word for what it does.
    pub sink_state: String,
    /// The newest position read, for people.
    pub source_position: Option<String>,
    /// The newest durable checkpoint, for people.
    pub durable_position: Option<String>,
    /// And its number.
    pub durable_ordinal: u64,
    /// Totals since the pipeline was started, over all instances.
    #[serde(flatten)]
    pub totals: Totals,
    /// Rows that became durable per second, over the last seconds.
    pub rows_per_second: f64,
    /// How far the target is behind, by commit times and with the difference between the two clocks taken out: 0 only while both servers have
    /// been heard of just now, the source has nothing more and everything read is durable. Otherwise the time since the newest durable transaction was
    /// committed on the source, or since the target was last known to be in step, whichever is later: it grows while there is no
    /// connection, and while a server is silent from the moment when it was last heard of. None before either is known.
    pub lag_seconds: Option<f64>,
    /// How long nothing has arrived from the source, while there is an open reader.
    pub source_silent_seconds: Option<f64>,
    /// How long nothing has arrived from the target, while there is an open writer.
    pub target_silent_seconds: Option<f64>,
    /// How far the source's clock is ahead of the host's, as measured when the source was last opened.
    pub clock_ahead_seconds: Option<f64>,
    /// Whether all that the source had committed when it was opened is durable.
    pub caught_up: bool,
    /// How far the first copy is, while there is one or it has just been completed.
    pub copy: Option<CopyStatus>,
    /// How often new instances were started after a failure.
    pub restarts: u64,
    /// The last failure, kept when it is long over.
    pub last_error: Option<Report>,
    /// When that was, microseconds since 1970.
    pub last_error_at_micros: Option<u64>,
    /// Since the pipeline was started.
    pub uptime_seconds: f64,
}

/// Counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Bytes read from the source's log.
    pub bytes_read: u64,
    /// Transactions read.
    pub transactions_read: u64,
    /// Transactions that are durable.
    pub transactions_applied: u64,
    /// Rows that are durable.
    pub rows_applied: u64,
    /// Those of them that were not as the source had them, and were made so.
    pub rows_repaired: u64,
    /// Statements (DDL) that are durable.
    pub statements_applied: u64,
    /// Statements left out by rule.
    pub statements_left_out: u64,
    /// Transactions committed in the target.
    pub groups_committed: u64,
}

impl Totals {
    fn plus(self, more: Self) -> Self {
        // They are a plugin's word, which may be anything.
        let sum = u64::saturating_add;
        Self {
            bytes_read: sum(self.bytes_read, more.bytes_read),
            transactions_read: sum(self.transactions_read, more.transactions_read),
            transactions_applied: sum(self.transactions_applied, more.transactions_applied),
            rows_applied: sum(self.rows_applied, more.rows_applied),
            rows_repaired: sum(self.rows_repaired, more.rows_repaired),
            statements_applied: sum(self.statements_applied, more.statements_applied),
            statements_left_out: sum(self.statements_left_out, more.statements_left_out),
            groups_committed: sum(self.groups_committed, more.groups_committed),
        }
    }
}

/// Access to a pipeline's [`Status`] from any thread.
#[derive(Debug, Clone)]
pub struct StatusHandle(Arc<Mutex<Board>>);

#[derive(Debug)]
struct Board {
    pipeline: String,
    started: Instant,
    state: &'static str,
    source: Option<SourceStatus>,
    sink: Option<SinkStatus>,
    /// Totals of instances that are gone, and of the present ones.
    past: Totals,
    present: Totals,
    durable: Option<Checkpoint>,
    /// Number of the newest transaction that the source has handed out, and whether it has nothing more.
    read_ordinal: u64,
    source_idle: bool,
    rate: Rate,
    /// Whether the present source has reached what its server had at the opening: before that, silence means nothing.
    source_reached: bool,
    /// When the servers were last heard of, while there are instances.
    source_contact: Option<Contact>,
    target_contact: Option<Contact>,
    lag: Lag,
    restarts: u64,
    last_error: Option<(Report, u64)>,
}

impl StatusHandle {
    pub(super) fn new(pipeline: &str) -> Self {
        Self(Arc::new(Mutex::new(Board {
            pipeline: pipeline.to_owned(),
            started: Instant::now(),
            state: "starting",
            source: None,
            sink: None,
            past: Totals::default(),
            present: Totals::default(),
            durable: None,
            read_ordinal: 0,
            source_idle: false,
            rate: Rate::default(),
            source_reached: false,
            source_contact: None,
            target_contact: None,
            lag: Lag::default(),
            restarts: 0,
            last_error: None,
        })))
    }

    /// Number of the newest durable transaction.
    pub(super) fn durable_ordinal(&self) -> u64 {
        self.lock().durable_ordinal()
    }

    /// Number of the newest transaction that the source has handed out, whole or in part.
    pub(super) fn read_ordinal(&self) -> u64 {
        self.lock().read_ordinal
    }

    /// The state now.
    pub fn get(&self) -> Status {
        let now = now_micros();
        let mut board = self.lock();
        board.observe(now);
        let (source, sink) = (board.source.as_ref(), board.sink.as_ref());
        Status {
            pipeline: board.pipeline.clone(),
            state: board.state,
            source_state: source.map_or_else(String::new, |s| s.state.clone()),
            sink_state: sink.map_or_else(String::new, |s| s.state.clone()),
            source_position: source.map(|s| s.position.clone()),
            durable_position: board.durable.as_ref().map(|c| c.display.clone()),
            durable_ordinal: board.durable_ordinal(),
            totals: board.past.plus(board.present),
            rows_per_second: board.rate.per_second(Instant::now()),
            lag_seconds: board.lag.seconds(board.is_in_step(), now),
            source_silent_seconds: board.source_contact.map(Contact::silent_seconds),
            target_silent_seconds: board.target_contact.map(Contact::silent_seconds),
            clock_ahead_seconds: board.lag.clock_ahead_seconds(),
            caught_up: source.is_some_and(|s| s.caught_up),
            copy: source.and_then(|s| s.copy.as_ref()).map(CopyStatus::from),
            restarts: board.restarts,
            last_error: board.last_error.as_ref().map(|(report, _)| report.clone()),
            last_error_at_micros: board.last_error.as_ref().map(|(_, at)| *at),
            uptime_seconds: board.started.elapsed().as_secs_f64(),
        }
    }

    pub(super) fn state(&self, state: &'static str) {
        let mut board = self.lock();
        board.state = state;
        if state == "stopped" {
            board.forget_contacts();
        }
    }

    /// New instances begin: what the old ones counted is kept.
    pub(super) fn new_generation(&self) {
        let mut board = self.lock();
        board.past = board.past.plus(board.present);
        board.present = Totals::default();
        board.source = None;
        board.sink = None;
        board.forget_contacts();
        board.source_idle = false;
        board.source_reached = false;
        board.state = "connecting";
    }

    pub(super) fn resumed(&self, checkpoint: Option<&Checkpoint>) {
        let mut board = self.lock();
        board.durable = checkpoint.cloned();
        board.read_ordinal = board.durable_ordinal();
    }

    pub(super) fn failed(&self, error: &Error) {
        let mut board = self.lock();
        // What was silent until now counts from its last word.
        board.observe(now_micros());
        board.forget_contacts();
        board.last_error = Some((error.report().clone(), now_micros()));
        board.restarts += 1;
        board.state = "waiting to retry";
    }

    pub(super) fn source(&self, status: SourceStatus) {
        let mut board = self.lock();
        board.present.bytes_read = status.bytes_read;
        board.present.transactions_read = status.transactions_read;
        board.source_reached |= status.caught_up;
        board.lag.clock_ahead_micros = Some(status.clock_ahead_micros);
        board.source_contact = Some(Contact::of(status.contact));
        board.source = Some(status);
    }

    pub(super) fn read(&self, newest_ordinal: Option<u64>) {
        let mut board = self.lock();
        board.source_idle = newest_ordinal.is_none();
        if let Some(ordinal) = newest_ordinal {
            board.read_ordinal = ordinal;
        }
        board.observe(now_micros());
    }

    pub(super) fn sink(&self, status: SinkStatus) {
        let mut board = self.lock();
        board.present.transactions_applied = status.transactions_applied;
        board.present.rows_applied = status.rows_applied;
        board.present.rows_repaired = status.rows_repaired;
        board.present.statements_applied = status.statements_applied;
        board.present.statements_left_out = status.statements_left_out;
        board.present.groups_committed = status.groups_committed;
        board.lag.durable_commit_micros = board
            .lag
            .durable_commit_micros
            .max(status.last_commit_micros);
        board.target_contact = Some(Contact::of(status.contact));
        board.sink = Some(status);
        let rows = board.past.plus(board.present).rows_applied;
        board.rate.note(Instant::now(), rows);
    }

    pub(super) fn durable(&self, checkpoint: &Checkpoint) {
        let mut board = self.lock();
        board.durable = Some(checkpoint.clone());
        board.observe(now_micros());
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn durable_ordinal(&self) -> u64 {
        self.durable.as_ref().map_or(0, |c| c.ordinal)
    }

    /// There are no instances any more.
    fn forget_contacts(&mut self) {
        self.source_contact = None;
        self.target_contact = None;
    }

    /// Everything that the source has sent is durable, as far as it was heard of.
    fn has_nothing_to_do(&self) -> bool {
        self.state == "streaming"
            && self.source_reached
            && self.source_idle
            && self.source.as_ref().is_some_and(|s| !s.in_transaction)
            && self.read_ordinal <= self.durable_ordinal()
    }

    /// The last words of the server that is silent for too long; of both the older ones.
    fn last_words(&self) -> Option<Contact> {
        let silent = |contact: &Contact| contact.is_silent();
        [self.source_contact, self.target_contact]
            .into_iter()
            .flatten()
            .filter(silent)
            .max_by_key(Contact::silence)
    }

    fn is_in_step(&self) -> bool {
        self.has_nothing_to_do()
            && self.source_contact.is_some()
            && self.target_contact.is_some()
            && self.last_words().is_none()
    }

    fn observe(&mut self, now_micros: u64) {
        if self.is_in_step() {
            self.lag.in_step(now_micros);
        } else if self.has_nothing_to_do()
            && let Some(last) = self.last_words()
        {
            self.lag.in_step_until(last.heard_at_micros(now_micros));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::types;

    fn heard(silent_ms: u64) -> types::Contact {
        types::Contact {
            silent_ms,
            expected_ms: 3000,
        }
    }

    fn target(silent_ms: u64) -> SinkStatus {
        SinkStatus {
            state: String::new(),
            position: String::new(),
            transactions_applied: 0,
            rows_applied: 0,
            statements_applied: 0,
            groups_committed: 0,
            rows_repaired: 0,
            statements_left_out: 0,
            last_commit_micros: 0,
            contact: heard(silent_ms),
        }
    }

    #[test]
    fn in_step_means_streaming_reached_idle_and_durable() {
        let handle = StatusHandle::new("p");
        let reached = |caught_up| SourceStatus {
            state: String::new(),
            position: String::new(),
            bytes_read: 0,
            transactions_read: 0,
            last_commit_micros: 0,
            clock_ahead_micros: 0,
            caught_up,
            in_transaction: false,
            contact: heard(0),
            copy: None,
        };
        let checkpoint = Checkpoint {
            ordinal: 3,
            data: Vec::new(),
            display: String::new(),
        };
        handle.new_generation();
        handle.resumed(None);
        handle.state("streaming");
        handle.source(reached(false));
        handle.read(None);
        assert_eq!(
            handle.get().lag_seconds,
            None,
            "silent before its first event"
        );
        handle.source(reached(true));
        assert_eq!(handle.get().lag_seconds, None, "the target never spoke");
        handle.sink(target(0));
        assert_eq!(handle.get().lag_seconds, Some(0.0));
        handle.read(Some(3));
        assert!(handle.get().lag_seconds > Some(0.0));
        handle.read(None);
        assert!(handle.get().lag_seconds > Some(0.0), "read, not durable");
        handle.durable(&checkpoint);
        assert_eq!(handle.get().lag_seconds, Some(0.0));
        // In the middle of a transaction that comes slowly.
        handle.source(SourceStatus {
            in_transaction: true,
            ..reached(true)
        });
        assert!(handle.get().lag_seconds > Some(0.0));
        handle.source(reached(true));
        // Silent for longer than it should be: since then nothing is known.
        handle.source(SourceStatus {
            contact: heard(9000),
            ..reached(true)
        });
        let silent = handle.get();
        assert!(silent.lag_seconds >= Some(9.0), "{silent:?}");
        assert!(silent.source_silent_seconds >= Some(9.0), "{silent:?}");
        handle.source(reached(true));
        assert_eq!(handle.get().lag_seconds, Some(0.0));
        handle.sink(target(9000));
        assert!(handle.get().lag_seconds >= Some(9.0));
        handle.failed(&Error::config("net.reset", "x"));
        assert!(
            handle.get().lag_seconds >= Some(9.0),
            "the silence is not forgotten"
        );
        assert!(handle.get().target_silent_seconds.is_none());
        assert!(handle.get().last_error_at_micros.is_some());
        // The new instance has not yet reached anything.
        handle.new_generation();
        handle.resumed(Some(&checkpoint));
        handle.state("streaming");
        handle.read(None);
        assert!(handle.get().lag_seconds > Some(0.0));
        handle.source(reached(true));
        assert!(
            handle.get().lag_seconds > Some(0.0),
            "no word of the target"
        );
        handle.sink(target(0));
        let status = handle.get();
        assert_eq!(status.lag_seconds, Some(0.0));
        assert!(status.last_error.is_some(), "kept, with its time");
    }
}
