//! What a pipeline is doing, kept for whoever asks: the command line's progress, later a control socket and metrics.
//!
//! The plugins' threads write it between calls; asking never disturbs a plugin.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

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
    /// How far the target is behind, by commit times: 0 only while connected, idle and with everything read durable. None
    /// while that cannot be known yet.
    pub lag_seconds: Option<f64>,
    /// Whether all that the source had committed when it was opened is durable.
    pub caught_up: bool,
    /// How often new instances were started after a failure.
    pub restarts: u64,
    /// The last failure.
    pub last_error: Option<Report>,
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
    was_resumed: bool,
    rate: Rate,
    last_durable_commit_micros: u64,
    restarts: u64,
    last_error: Option<Report>,
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
            was_resumed: false,
            rate: Rate::default(),
            last_durable_commit_micros: 0,
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

    /// Whether the target has ever said where to go on.
    pub(super) fn was_resumed(&self) -> bool {
        self.lock().was_resumed
    }

    /// The state now.
    pub fn get(&self) -> Status {
        let board = self.lock();
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
            lag_seconds: board.lag(SystemTime::now()),
            caught_up: source.is_some_and(|s| s.caught_up),
            restarts: board.restarts,
            last_error: board.last_error.clone(),
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
        board.state = "connecting";
    }

    pub(super) fn resumed(&self, checkpoint: Option<&Checkpoint>) {
        let mut board = self.lock();
        board.durable = checkpoint.cloned();
        board.read_ordinal = board.durable_ordinal();
        board.was_resumed = true;
    }

    pub(super) fn failed(&self, error: &Error) {
        let mut board = self.lock();
        board.last_error = Some(error.report().clone());
        board.restarts += 1;
        board.state = "waiting to retry";
    }

    pub(super) fn source(&self, status: SourceStatus) {
        let mut board = self.lock();
        board.present.bytes_read = status.bytes_read;
        board.present.transactions_read = status.transactions_read;
        board.source = Some(status);
    }

    pub(super) fn read(&self, newest_ordinal: Option<u64>) {
        let mut board = self.lock();
        board.source_idle = newest_ordinal.is_none();
        if let Some(ordinal) = newest_ordinal {
            board.read_ordinal = ordinal;
        }
    }

    pub(super) fn sink(&self, status: SinkStatus) {
        let mut board = self.lock();
        board.present.transactions_applied = status.transactions_applied;
        board.present.rows_applied = status.rows_applied;
        board.present.statements_applied = status.statements_applied;
        board.present.statements_left_out = status.statements_left_out;
        board.present.groups_committed = status.groups_committed;
        board.last_durable_commit_micros = board
            .last_durable_commit_micros
            .max(status.last_commit_micros);
        board.sink = Some(status);
        let rows = board.past.plus(board.present).rows_applied;
        board.rate.note(Instant::now(), rows);
    }

    pub(super) fn durable(&self, checkpoint: &Checkpoint) {
        self.lock().durable = Some(checkpoint.clone());
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board {
    fn durable_ordinal(&self) -> u64 {
        self.durable.as_ref().map_or(0, |c| c.ordinal)
    }

    fn lag(&self, now: SystemTime) -> Option<f64> {
        if self.state == "streaming"
            && self.source_idle
            && self.read_ordinal <= self.durable_ordinal()
        {
            return Some(0.0);
        }
        if self.last_durable_commit_micros == 0 {
            return None;
        }
        let commit = UNIX_EPOCH + Duration::from_micros(self.last_durable_commit_micros);
        // A source whose clock is ahead of ours is not behind.
        Some(now.duration_since(commit).unwrap_or_default().as_secs_f64())
    }
}

/// How far back the rate looks.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// Rows applied at moments of the last seconds.
#[derive(Debug, Default)]
struct Rate(VecDeque<(Instant, u64)>);

impl Rate {
    fn note(&mut self, at: Instant, rows: u64) {
        self.0.push_back((at, rows));
        // One moment before the window stays: the rate is counted from there.
        while self.0.len() > 2
            && self
                .0
                .get(1)
                .is_some_and(|(old, _)| at - *old >= RATE_WINDOW)
        {
            self.0.pop_front();
        }
    }

    fn per_second(&self, now: Instant) -> f64 {
        let (Some((begin, before)), Some((_, after))) = (self.0.front(), self.0.back()) else {
            return 0.0;
        };
        let time = now
            .saturating_duration_since(*begin)
            .max(Duration::from_secs(1));
        #[expect(clippy::cast_precision_loss, reason = "rows of some seconds fit")]
        let rows = after.saturating_sub(*before) as f64;
        rows / time.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let begin = Instant::now();
        let at = |millis: u64| begin + Duration::from_millis(millis);
        let mut rate = Rate::default();
        assert!(rate.per_second(at(0)).abs() < f64::EPSILON);
        for step in 0..100_u64 {
            rate.note(at(step * 100), step * 50);
        }
        assert!(
            (rate.per_second(at(9900)) - 500.0).abs() < 10.0,
            "{}",
            rate.per_second(at(9900))
        );
        assert!(rate.0.len() < 60);
        rate.note(at(60_000), 99 * 50);
        rate.note(at(60_100), 99 * 50);
        assert!(rate.per_second(at(60_100)) < 1.0);
    }
}
