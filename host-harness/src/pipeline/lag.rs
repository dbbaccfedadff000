//! How far the target is behind, and how far one may trust that.
//!
//! A commit time is the source's clock's, and is brought to ours by the measured difference. 0 is said only while it is known, so both servers must have been heard of
//! just now: a server that has vanished without a word looks like one that has nothing to say. The lag of one that fell silent counts from its last word.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::bindings::types;

/// Beside half of the expected silence on top of it, what a plugin's call and the way to the server may take.
const ALLOWANCE: Duration = Duration::from_secs(1);

/// When a server was last heard of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contact {
    heard_at: Instant,
    expected: Duration,
}

impl Contact {
    /// As a plugin says it now.
    pub(super) fn of(said: types::Contact) -> Self {
        let now = Instant::now();
        Self {
            // A clock that began later was not there to hear anything.
            heard_at: now
                .checked_sub(Duration::from_millis(said.silent_ms))
                .unwrap_or(now),
            expected: Duration::from_millis(said.expected_ms),
        }
    }

    pub(super) fn silence(&self) -> Duration {
        self.heard_at.elapsed()
    }

    pub(super) fn silent_seconds(self) -> f64 {
        self.silence().as_secs_f64()
    }

    /// Whether the silence is longer than what is normal where there is nothing to say.
    pub(super) fn is_silent(&self) -> bool {
        let limit = self
            .expected
            .saturating_add(self.expected / 2)
            .saturating_add(ALLOWANCE);
        self.silence() > limit
    }

    pub(super) fn heard_at_micros(&self, now_micros: u64) -> u64 {
        let silence = u64::try_from(self.silence().as_micros()).unwrap_or(u64::MAX);
        now_micros.saturating_sub(silence)
    }
}

/// What the lag is reckoned from; all times in microseconds since 1970.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Commit time of the newest durable transaction by the source's clock; 0 before the first.
    pub(super) durable_commit_micros: u64,
    /// How far that clock is ahead of ours.
    pub(super) clock_ahead_micros: Option<i64>,
    /// When the target was last known to be in step, by our clock.
    in_step_at_micros: Option<u64>,
}

impl Lag {
    /// Never less than this while the target is not known to be in step.
    const LEAST_MICROS: u64 = 1000;

    /// The target is in step.
    pub(super) fn in_step(&mut self, now_micros: u64) {
        self.in_step_at_micros = Some(now_micros);
    }

    /// It seemed to be, but since then a server was not heard of.
    pub(super) fn in_step_until(&mut self, heard_at_micros: u64) {
        self.in_step_at_micros = self.in_step_at_micros.map(|at| at.min(heard_at_micros));
    }

    pub(super) fn clock_ahead_seconds(&self) -> Option<f64> {
        self.clock_ahead_micros.map(seconds)
    }

    pub(super) fn seconds(&self, in_step: bool, now_micros: u64) -> Option<f64> {
        if in_step {
            return Some(0.0);
        }
        // A plugin's word: any number.
        let ahead = self.clock_ahead_micros.unwrap_or(0).max(-i64::MAX);
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

pub(super) fn now_micros() -> u64 {
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
    fn a_server_is_silent_when_it_should_have_spoken_long_ago() {
        let contact = |silent_ms| {
            Contact::of(types::Contact {
                silent_ms,
                expected_ms: 3000,
            })
        };
        assert!(!contact(3500).is_silent());
        assert!(!contact(5000).is_silent());
        assert!(contact(6000).is_silent());
        let heard = contact(6000).heard_at_micros(NOON);
        assert!(heard <= NOON - 6 * SECOND && heard > NOON - 7 * SECOND);
        // What a hostile plugin says overflows nothing.
        let contact = Contact::of(types::Contact {
            silent_ms: u64::MAX,
            expected_ms: u64::MAX,
        });
        assert!(!contact.is_silent());
    }

    #[test]
    fn after_a_silence_the_lag_counts_from_the_last_word() {
        let mut lag = Lag::default();
        lag.in_step_until(NOON);
        check(&lag, false, 0, None);
        lag.in_step(NOON);
        lag.in_step_until(NOON - 5 * SECOND);
        check(&lag, false, 1, Some(6.0));
        lag.in_step_until(NOON);
        check(&lag, false, 1, Some(6.0));
    }
}
