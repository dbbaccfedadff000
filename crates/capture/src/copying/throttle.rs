//! How fast the first copy may read, so that the source's own work does not suffer.
//!
//! Before each chunk it is asked whether the copy may go on. The copy rests
//! - while it has read more than the limits on rows and bytes a second allow: what is read becomes a debt, which time pays off. No credit is saved up, so there is no burst after a rest;
//! - while more sessions are at work on the source than allowed;
//! - while the oldest part that was handed on has not become durable for longer than allowed;
//! - while its share of the time is used up, if others are at work: after a chunk that took T it rests for T × (100 − share) / share.
//!
//! It rests between two chunks only, when no mark is open: the stream goes on meanwhile. Clocks are the caller's, and so is the question how many sessions are at work.

use std::collections::VecDeque;

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use serde::Deserialize;

use super::progress::Totals;

/// What the copy may ask of the two servers. 0 is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Rows read a second.
    pub rows_per_second: u64,
    /// Bytes of row images read a second.
    pub bytes_per_second: u64,
    /// Sessions at work on the source, beside the copy's own and replicas'.
    pub source_load: u32,
    /// Age of the oldest part that was handed on and is not durable.
    pub target_lag_ms: u32,
    /// Of 100 parts of the time, those in which the copy reads while others are at work. 100 is no limit either.
    pub busy_share: u32,
}

/// Why the copy rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Rows a second.
    Rows,
    /// Bytes a second.
    Bytes,
    /// More sessions than allowed are at work on the source.
    Load,
    /// What was handed on does not become durable.
    Lag,
    /// Others are at work on the source, and its share of the time is used up.
    Busy,
}

impl Why {
    /// The contract's code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Rows => "rows-per-second",
            Self::Bytes => "bytes-per-second",
            Self::Load => "source-load",
            Self::Lag => "target-lag",
            Self::Busy => "source-busy",
        }
    }
}

/// Whether the next chunk may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Now.
    Go,
    /// Not before this moment.
    Rest(u64, Why),
    /// Not before one of the chunks that are being read is there: others are at work, so one connection reads at a time.
    After,
    /// How many sessions are at work on the source must be known first: [`Throttle::note_load`].
    Look,
}

/// Chunks are so small that so many of them make up a second's rows.
const CHUNKS_A_SECOND: u64 = 5;
/// How old the knowledge of the source's load may be, in microseconds.
const LOAD_AGE: u64 = 100_000;
/// When to look again at a source with more sessions than allowed.
const LOAD_REST: u64 = 250_000;
/// When to look again whether something has become durable.
const LAG_REST: u64 = 50_000;
/// So many other sessions at work count as others: a single one hardly competes with the copy.
const OTHERS: usize = 2;

/// See the module.
#[derive(Debug, Default)]
pub struct Throttle {
    rows: Debt,
    bytes: Debt,
    /// When the newest chunk ended, and what it took.
    chunk: (u64, u64),
    /// When the load was looked at, and what it was.
    load: Option<(u64, usize)>,
    /// Ordinals that were handed on and are not durable, and when that was.
    outstanding: VecDeque<(u64, u64)>,
}

/// What was read and is not paid off, in millionths.
#[derive(Debug, Default)]
struct Debt {
    owed: u128,
    at: u64,
}

impl Debt {
    fn pay(&mut self, rate: u64, now: u64) {
        let elapsed = now.saturating_sub(self.at);
        self.at = self.at.max(now);
        self.owed = match rate {
            0 => 0,
            rate => self
                .owed
                .saturating_sub(u128::from(rate) * u128::from(elapsed)),
        };
    }

    fn add(&mut self, amount: u64) {
        self.owed += u128::from(amount) * 1_000_000;
    }

    /// Microseconds until it is paid off, where there is one.
    fn left(&self, rate: u64) -> Option<u64> {
        let micros = self.owed.checked_div(u128::from(rate))? + 1;
        (self.owed > 0).then(|| u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl Throttle {
    /// Whether the next chunk may be read while `reading` others are. `durable` is the ordinal up to which everything is durable.
    pub fn verdict(&mut self, limits: &Limits, reading: usize, durable: u64, now: u64) -> Verdict {
        self.rows.pay(limits.rows_per_second, now);
        self.bytes.pay(limits.bytes_per_second, now);
        let debts = [
            (self.rows.left(limits.rows_per_second), Why::Rows),
            (self.bytes.left(limits.bytes_per_second), Why::Bytes),
        ];
        let largest = debts
            .into_iter()
            .filter_map(|(left, why)| Some((left?, why)))
            .max_by_key(|(left, _)| *left);
        if let Some((left, why)) = largest {
            return Verdict::Rest(now.saturating_add(left), why);
        }
        while self
            .outstanding
            .front()
            .is_some_and(|(ordinal, _)| *ordinal <= durable)
        {
            self.outstanding.pop_front();
        }
        if limits.target_lag_ms > 0
            && let Some((_, at)) = self.outstanding.front()
            && now.saturating_sub(*at) > u64::from(limits.target_lag_ms) * 1000
        {
            return Verdict::Rest(now + LAG_REST, Why::Lag);
        }
        let share_ends = self.share_ends(limits.busy_share);
        let shares = (1..100).contains(&limits.busy_share);
        let alone = now >= share_ends && !(shares && reading > 0);
        if limits.source_load == 0 && alone {
            return Verdict::Go;
        }
        let Some((_, others)) = self
            .load
            .filter(|(at, _)| now.saturating_sub(*at) < LOAD_AGE)
        else {
            return Verdict::Look;
        };
        if limits.source_load > 0 && others > limits.source_load as usize {
            return Verdict::Rest(now + LOAD_REST, Why::Load);
        }
        if others < OTHERS || alone {
            return Verdict::Go;
        }
        if reading > 0 {
            return Verdict::After;
        }
        Verdict::Rest(share_ends, Why::Busy)
    }

    /// Until when the copy rests after the newest chunk, if others are at work.
    fn share_ends(&self, share: u32) -> u64 {
        if !(1..100).contains(&share) {
            return 0;
        }
        let (ended, took) = self.chunk;
        let rest = took.saturating_mul((100 - share).into()) / u64::from(share);
        ended.saturating_add(rest)
    }

    /// So many rows and bytes may the next chunk have, with so many connections that read.
    #[must_use]
    pub fn chunk(limits: &Limits, connections: usize) -> (u32, usize) {
        let chunks = CHUNKS_A_SECOND * connections.max(1) as u64;
        let part = |rate: u64| match rate {
            0 => u64::MAX,
            rate => (rate / chunks).max(1),
        };
        (
            u32::try_from(part(limits.rows_per_second)).unwrap_or(u32::MAX),
            usize::try_from(part(limits.bytes_per_second)).unwrap_or(usize::MAX),
        )
    }

    /// A chunk was read, in `took` microseconds.
    pub fn note_chunk(&mut self, read: Totals, took: u64, now: u64) {
        self.rows.add(read.rows);
        self.bytes.add(read.bytes);
        self.chunk = (now, took);
    }

    /// So many sessions are at work on the source beside those that replicate.
    pub fn note_load(&mut self, others: usize, now: u64) {
        self.load = Some((now, others));
    }

    /// What was read is on its way under this ordinal.
    pub fn note_handed_on(&mut self, ordinal: u64, now: u64) {
        self.outstanding.push_back((ordinal, now));
    }
}

/// How many sessions are at work on the source. Those that send the log to replicas count among them.
///
/// # Errors
/// Errors of the server.
pub async fn running<S: Stream>(session: &mut Session<S>) -> Result<usize, Error> {
    let row = session
        .query_first(b"SHOW GLOBAL STATUS LIKE 'Threads_running'")
        .await?;
    let value = row.and_then(|row| row.into_iter().nth(1).flatten());
    Ok(value.and_then(|value| value.parse().ok()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000;

    fn rows(rows_per_second: u64) -> Limits {
        Limits {
            rows_per_second,
            ..Limits::default()
        }
    }

    fn read(rows: u64, bytes: u64) -> Totals {
        Totals {
            rows,
            bytes,
            chunks: 1,
        }
    }

    #[test]
    fn without_limits_it_goes_on() {
        let mut throttle = Throttle::default();
        throttle.note_chunk(read(1 << 40, 1 << 50), SECOND, 5);
        throttle.note_handed_on(7, 0);
        assert_eq!(
            throttle.verdict(&Limits::default(), 0, 0, 1 << 50),
            Verdict::Go
        );
        assert_eq!(
            Throttle::chunk(&Limits::default(), 2),
            (u32::MAX, usize::MAX)
        );
    }

    #[test]
    fn what_was_read_is_paid_off_by_time_and_a_new_limit_counts_at_once() {
        let mut throttle = Throttle::default();
        assert_eq!(throttle.verdict(&rows(100), 0, 0, SECOND), Verdict::Go);
        throttle.note_chunk(read(200, 0), 0, SECOND);
        assert_eq!(
            throttle.verdict(&rows(100), 0, 0, SECOND),
            Verdict::Rest(3 * SECOND + 1, Why::Rows)
        );
        assert_eq!(
            throttle.verdict(&rows(100), 0, 0, 2 * SECOND),
            Verdict::Rest(3 * SECOND + 1, Why::Rows)
        );
        assert_eq!(
            throttle.verdict(&rows(1000), 0, 0, 2 * SECOND),
            Verdict::Rest(2 * SECOND + SECOND / 10 + 1, Why::Rows)
        );
        assert_eq!(throttle.verdict(&rows(0), 0, 0, 2 * SECOND), Verdict::Go);
        // Nothing is saved up.
        assert_eq!(
            throttle.verdict(&rows(100), 0, 0, 100 * SECOND),
            Verdict::Go
        );
        throttle.note_chunk(read(100, 0), 0, 100 * SECOND);
        assert_eq!(
            throttle.verdict(&rows(100), 0, 0, 100 * SECOND),
            Verdict::Rest(101 * SECOND + 1, Why::Rows)
        );
        assert_eq!(Throttle::chunk(&rows(100), 1).0, 20);
        assert_eq!(Throttle::chunk(&rows(100), 2).0, 10);
        assert_eq!(Throttle::chunk(&rows(3), 1).0, 1);
    }

    #[test]
    fn it_waits_for_what_is_not_durable() {
        let limits = Limits {
            target_lag_ms: 1000,
            ..Limits::default()
        };
        let mut throttle = Throttle::default();
        throttle.note_handed_on(5, 0);
        throttle.note_handed_on(6, SECOND);
        assert_eq!(throttle.verdict(&limits, 0, 4, SECOND), Verdict::Go);
        assert_eq!(
            throttle.verdict(&limits, 0, 4, SECOND + 1),
            Verdict::Rest(SECOND + 1 + LAG_REST, Why::Lag)
        );
        assert_eq!(throttle.verdict(&limits, 0, 5, SECOND + 1), Verdict::Go);
        assert_eq!(throttle.verdict(&limits, 0, 6, 9 * SECOND), Verdict::Go);
    }

    #[test]
    fn it_gives_way_to_others() {
        let limits = Limits {
            source_load: 10,
            busy_share: 25,
            ..Limits::default()
        };
        let mut throttle = Throttle::default();
        throttle.note_chunk(read(1, 1), 100_000, SECOND);
        assert_eq!(throttle.verdict(&limits, 0, 0, SECOND), Verdict::Look);
        throttle.note_load(11, SECOND);
        assert_eq!(
            throttle.verdict(&limits, 0, 0, SECOND),
            Verdict::Rest(SECOND + LOAD_REST, Why::Load)
        );
        assert_eq!(
            throttle.verdict(&limits, 0, 0, SECOND + LOAD_REST),
            Verdict::Look
        );
        throttle.note_load(10, SECOND + LOAD_REST);
        assert_eq!(
            throttle.verdict(&limits, 0, 0, SECOND + LOAD_REST),
            Verdict::Rest(SECOND + 300_000, Why::Busy)
        );
        throttle.note_load(OTHERS - 1, SECOND + LOAD_REST);
        assert_eq!(
            throttle.verdict(&limits, 0, 0, SECOND + LOAD_REST),
            Verdict::Go
        );
        throttle.note_load(10, SECOND + 300_000);
        assert_eq!(
            throttle.verdict(&limits, 1, 0, SECOND + 300_000),
            Verdict::After
        );
        assert_eq!(
            throttle.verdict(&limits, 0, 0, SECOND + 300_000),
            Verdict::Go
        );
    }

    proptest! {
        /// Whatever the chunks are and whenever it is asked: in no span of time more is read than the limits allow, but for one chunk.
        #[test]
        fn no_more_is_read_than_allowed(
            row_rate in 1..100_000_u64,
            byte_rate in 1..10_000_000_u64,
            steps in prop::collection::vec((1..50_000_u64, 1..5_000_000_u64, 0..3 * SECOND), 1..60),
        ) {
            let limits = Limits { rows_per_second: row_rate, bytes_per_second: byte_rate, ..Limits::default() };
            let mut throttle = Throttle::default();
            let mut now = 10;
            let mut chunks: Vec<(u64, u64, u64)> = Vec::new();
            for (rows, bytes, late) in steps {
                if let Verdict::Rest(until, _) = throttle.verdict(&limits, 0, 0, now) {
                    prop_assert!(until > now);
                    now = until;
                }
                prop_assert_eq!(throttle.verdict(&limits, 0, 0, now), Verdict::Go, "the rest that it names is enough");
                throttle.note_chunk(read(rows, bytes), 0, now);
                chunks.push((now, rows, bytes));
                now += late;
            }
            for begin in 0..chunks.len() {
                let (mut rows, mut bytes) = (0_u128, 0_u128);
                for (at, r, b) in &chunks[begin..] {
                    let elapsed = u128::from(at - chunks[begin].0);
                    prop_assert!(rows * 1_000_000 <= u128::from(row_rate) * elapsed);
                    prop_assert!(bytes * 1_000_000 <= u128::from(byte_rate) * elapsed);
                    rows += u128::from(*r);
                    bytes += u128::from(*b);
                }
            }
        }

        /// It does not rest for longer than it must: reading whenever it may comes to the allowed rate.
        #[test]
        fn no_less_is_read_than_allowed(rate in 1..100_000_u64, chunks in prop::collection::vec(1..50_000_u64, 1..60)) {
            let mut throttle = Throttle::default();
            let (mut now, mut total) = (0, 0_u128);
            for rows in &chunks {
                throttle.note_chunk(read(*rows, 0), 0, now);
                total += u128::from(*rows);
                if let Verdict::Rest(until, _) = throttle.verdict(&rows_of(rate), 0, 0, now) {
                    now = until;
                }
            }
            let must = total * 1_000_000 / u128::from(rate);
            prop_assert!(u128::from(now) <= must + 2 * chunks.len() as u128);
        }
    }

    fn rows_of(rate: u64) -> Limits {
        rows(rate)
    }
}
