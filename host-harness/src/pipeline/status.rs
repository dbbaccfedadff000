//! What a pipeline is doing, kept for whoever asks: the command line's progress, later a control socket and metrics.
//!
//! The plugins' threads write it between calls; asking never disturbs a plugin.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::rate::Rate;
use crate::bindings::{Checkpoint, SinkStatus, SourceStatus};
use crate::error::{Error, Report};

/// A pipeline's state at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// The pipeline's name.
    pub pipeline: String,
    /// `starting`, `connecting`, `streaming`, `waiting to retry`, `stopping`, `stopped`.
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
    /// How far the target is behind, by commit times and with the difference between the two clocks taken out: 0 only while connected,
    /// idle and with everything read durable. Otherwise the time since the newest durable transaction was committed on the source, or
    /// since the target was last known to be in step, whichever is later: it grows while there is no connection. None before either is known.
    pub lag_seconds: Option<f64>,
    /// How far the source's clock is ahead of the host's, as measured when the source was last opened.
    pub clock_ahead_seconds: Option<f64>,
    /// Whether all that the source had committed when it was opened is durable.
    pub caught_up: bool,
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
    /// Statements (DDL) that are durable.
    pub statements_applied: u64,
    /// Statements left out by rule.
    pub statements_left_out: u64,
    /// Transactions committed in the target.
    pub groups_committed: u64,
}

impl Totals {
    fn plus(self, more: Self) -> Self {
        Self {
            bytes_read: self.bytes_read + more.bytes_read,
            transactions_read: self.transactions_read + more.transactions_read,
            transactions_applied: self.transactions_applied + more.transactions_applied,
            rows_applied: self.rows_applied + more.rows_applied,
            statements_applied: self.statements_applied + more.statements_applied,
            statements_left_out: self.statements_left_out + more.statements_left_out,
            groups_committed: self.groups_committed + more.groups_committed,
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
            clock_ahead_seconds: board.lag.clock_ahead_micros.map(seconds),
            caught_up: source.is_some_and(|s| s.caught_up),
            restarts: board.restarts,
            last_error: board.last_error.as_ref().map(|(report, _)| report.clone()),
            last_error_at_micros: board.last_error.as_ref().map(|(_, at)| *at),
            uptime_seconds: board.started.elapsed().as_secs_f64(),
        }
    }

    pub(super) fn state(&self, state: &'static str) {
        self.lock().state = state;
    }

    /// New instances begin: what the old ones counted is kept.
    pub(super) fn new_generation(&self) {
        let mut board = self.lock();
        board.past = board.past.plus(board.present);
        board.present = Totals::default();
        board.source = None;
        board.sink = None;
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
        board.present.statements_applied = status.statements_applied;
        board.present.statements_left_out = status.statements_left_out;
        board.present.groups_committed = status.groups_committed;
        board.lag.durable_commit_micros = board
            .lag
            .durable_commit_micros
            .max(status.last_commit_micros);
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

    fn is_in_step(&self) -> bool {
        self.state == "streaming"
            && self.source_reached
            && self.source_idle
            && self.read_ordinal <= self.durable_ordinal()
    }

    fn observe(&mut self, now_micros: u64) {
        if self.is_in_step() {
            self.lag.in_step_at_micros = Some(now_micros);
        }
    }
}

/// What the lag is reckoned from; all times in microseconds since 1970.
#[derive(Debug, Default)]
struct Lag {
    /// Commit time of the newest durable transaction by the source's clock; 0 before the first.
    durable_commit_micros: u64,
    /// How far that clock is ahead of ours.
    clock_ahead_micros: Option<i64>,
    /// When the target was last known to be in step, by our clock.
    in_step_at_micros: Option<u64>,
}

impl Lag {
    /// Never less than this while the target is not known to be in step.
    const LEAST_MICROS: u64 = 1000;

    fn seconds(&self, in_step: bool, now_micros: u64) -> Option<f64> {
        if in_step {
            return Some(0.0);
        }
        let ahead = self.clock_ahead_micros.unwrap_or(0);
        let committed = (self.durable_commit_micros > 0)
            .then(|| self.durable_commit_micros.saturating_add_signed(-ahead));
        let since = committed.max(self.in_step_at_micros)?;
        let lag = now_micros.saturating_sub(since).max(Self::LEAST_MICROS);
        Some(seconds(i64::try_from(lag).unwrap_or(i64::MAX)))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "for people; microseconds of centuries fit"
)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

fn now_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000;
    /// Some moment.
    const NOON: u64 = 1_800_000_000 * SECOND;

    fn check(lag: &Lag, in_step: bool, after_noon: u64, expected: Option<f64>) {
        assert_eq!(
            lag.seconds(in_step, NOON + after_noon * SECOND),
            expected,
            "{lag:?} in step: {in_step}, {after_noon} s after noon"
        );
    }

    #[test]
    fn nothing_is_known_at_first() {
        check(&Lag::default(), false, 0, None);
        check(&Lag::default(), true, 0, Some(0.0));
    }

    #[test]
    fn a_lost_connection_lets_it_grow_from_the_last_moment_in_step() {
        let lag = Lag {
            durable_commit_micros: NOON - 3600 * SECOND,
            clock_ahead_micros: Some(0),
            in_step_at_micros: Some(NOON),
        };
        check(&lag, false, 0, Some(0.001));
        check(&lag, false, 7, Some(7.0));
        check(&lag, true, 7, Some(0.0));
    }

    #[test]
    fn under_load_it_follows_the_newest_durable_commit() {
        let lag = Lag {
            durable_commit_micros: NOON + 10 * SECOND,
            clock_ahead_micros: None,
            in_step_at_micros: Some(NOON),
        };
        check(&lag, false, 12, Some(2.0));
    }

    #[test]
    fn the_source_s_clock_is_brought_to_ours() {
        let ahead = Lag {
            durable_commit_micros: NOON + 90 * SECOND,
            clock_ahead_micros: Some(90_000_000),
            in_step_at_micros: None,
        };
        check(&ahead, false, 2, Some(2.0));
        let behind = Lag {
            durable_commit_micros: NOON - 90 * SECOND,
            clock_ahead_micros: Some(-90_000_000),
            in_step_at_micros: None,
        };
        check(&behind, false, 2, Some(2.0));
        // A commit from the future is an error of measurement: what is not in step is never 0.
        check(&ahead, false, 0, Some(0.001));
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
        assert_eq!(handle.get().lag_seconds, Some(0.0));
        handle.read(Some(3));
        assert!(handle.get().lag_seconds > Some(0.0));
        handle.read(None);
        assert!(handle.get().lag_seconds > Some(0.0), "read, not durable");
        handle.durable(&checkpoint);
        assert_eq!(handle.get().lag_seconds, Some(0.0));
        handle.failed(&Error::config("net.reset", "x"));
        assert!(handle.get().lag_seconds > Some(0.0));
        assert!(handle.get().last_error_at_micros.is_some());
        // The new instance has not yet reached anything.
        handle.new_generation();
        handle.resumed(Some(&checkpoint));
        handle.state("streaming");
        handle.read(None);
        assert!(handle.get().lag_seconds > Some(0.0));
        handle.source(reached(true));
        let status = handle.get();
        assert_eq!(status.lag_seconds, Some(0.0));
        assert!(status.last_error.is_some(), "kept, with its time");
    }
}
