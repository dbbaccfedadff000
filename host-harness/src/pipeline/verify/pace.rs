//! How fast a table is gone through: how many rows the next part has, which parts a sample takes, and when the servers are given a rest.

use std::time::{Duration, Instant};

use super::super::Stop;
use super::Options;
use crate::bindings::KeyRange;
use crate::error::{Error, Kind, Result};
use crate::plugin::interrupted;

/// A part's digest should take so long on the slower server: its overhead does not count then, and little is changed meanwhile.
const PART: Duration = Duration::from_millis(400);
const FIRST: u32 = 10_000;
const MOST: u32 = 1_000_000;
/// Parts of a sample are small, so that there are many to choose from.
const MOST_OF_SAMPLE: u32 = 10_000;

/// See the module.
pub(super) struct Pace {
    rows: u32,
    most: u32,
    rest: Duration,
    limit: Option<Limit>,
    sample: Option<Sample>,
}

/// So many rows a second.
struct Limit {
    rows_per_second: u64,
    begun: Instant,
    rows: u64,
}

/// Each part is taken with this probability, in a million.
struct Sample {
    millionths: u32,
    taken: bool,
    /// Parts that were not taken, and one of them, by chance.
    passed: u32,
    spare: Option<KeyRange>,
}

impl Pace {
    pub(super) fn new(options: &Options) -> Self {
        let mut most = MOST;
        if options.sample_percent.is_some() {
            most = MOST_OF_SAMPLE;
        }
        if let Some(limit) = options.max_rows_per_second {
            // A part at a time is what the limit is kept by.
            most = most.min(u32::try_from(limit / 2).unwrap_or(MOST)).max(1);
        }
        Self {
            rows: FIRST.min(most),
            most,
            rest: options.rest,
            limit: options.max_rows_per_second.map(|rows_per_second| Limit {
                rows_per_second: rows_per_second.max(1),
                begun: Instant::now(),
                rows: 0,
            }),
            sample: options.sample_percent.map(|percent| Sample {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "between 0 and a million"
                )]
                millionths: (percent.clamp(0.0, 100.0) * 10_000.0) as u32,
                taken: false,
                passed: 0,
                spare: None,
            }),
        }
    }

    /// Rows of the next part.
    pub(super) fn rows(&self) -> u32 {
        self.rows
    }

    /// A new table begins.
    pub(super) fn begin_table(&mut self) {
        self.rows = FIRST.min(self.most);
        if let Some(sample) = &mut self.sample {
            sample.taken = false;
            sample.passed = 0;
            sample.spare = None;
        }
    }

    /// The part that is compared after the source was asked for this one: this one, another one, or none. Of each table it is one at least.
    pub(super) fn take(&mut self, part: KeyRange) -> Result<Option<KeyRange>> {
        let Some(sample) = &mut self.sample else {
            return Ok(Some(part));
        };
        let is_last = part.up_to.is_none();
        let is_drawn = chance(1_000_000)? < sample.millionths;
        if is_last && !sample.taken {
            // There may be no row in the last part, if it is not the only one: another one stands for it.
            return Ok(Some(sample.spare.take().unwrap_or(part)));
        }
        if is_drawn {
            sample.taken = true;
            return Ok(Some(part));
        }
        sample.passed += 1;
        if chance(sample.passed)? == 0 {
            sample.spare = Some(part);
        }
        Ok(None)
    }

    /// A part had so many rows and took so long on the slower server: what follows from that for the next one, and a rest.
    pub(super) fn observe(&mut self, rows: u64, took: Duration, stop: &Stop) -> Result<()> {
        if rows > 0 {
            let wanted = u64::try_from(PART.as_micros()).unwrap_or(u64::MAX);
            let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1);
            let fit = rows.saturating_mul(wanted) / took;
            // It grows by steps, since the next rows may be larger ones; and shrinks at once.
            let fit = fit.min(u64::from(self.rows).saturating_mul(4));
            self.rows = u32::try_from(fit).unwrap_or(MOST).clamp(1, self.most);
        }
        self.spend(rows, stop)
    }

    /// So many rows were read: a rest, as the limit and the options want it.
    pub(super) fn spend(&mut self, rows: u64, stop: &Stop) -> Result<()> {
        let mut rest = self.rest;
        if let Some(limit) = &mut self.limit {
            limit.rows += rows;
            let due =
                Duration::from_micros(limit.rows.saturating_mul(1_000_000) / limit.rows_per_second);
            rest = rest.max(due.saturating_sub(limit.begun.elapsed()));
        }
        if !rest.is_zero() && stop.wait(rest) {
            return Err(interrupted());
        }
        Ok(())
    }
}

/// A number below `end`, each about as likely.
fn chance(end: u32) -> Result<u32> {
    let mut bytes = [0; 4];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).map_err(|_| {
        Error::new(
            Kind::Fatal,
            "host.resources",
            "the system gives no random bytes",
        )
    })?;
    Ok(u32::from_ne_bytes(bytes) % end.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_the_slower_server() {
        let stop = Stop::new();
        let mut pace = Pace::new(&Options::default());
        assert_eq!(pace.rows(), FIRST);
        pace.observe(10_000, Duration::from_millis(1), &stop)
            .unwrap();
        assert_eq!(pace.rows(), 40_000);
        pace.observe(40_000, Duration::from_secs(4), &stop).unwrap();
        assert_eq!(pace.rows(), 4000);
        pace.observe(1, Duration::from_secs(400), &stop).unwrap();
        assert_eq!(pace.rows(), 1);
    }

    #[test]
    fn a_limit_is_kept_by_rests() {
        let stop = Stop::new();
        let mut pace = Pace::new(&Options {
            max_rows_per_second: Some(1000),
            ..Options::default()
        });
        assert_eq!(pace.rows(), 500);
        let begun = Instant::now();
        pace.observe(200, Duration::from_millis(1), &stop).unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(190));
    }

    #[test]
    fn a_sample_takes_one_part_at_least() {
        let part = |up_to: Option<u8>| KeyRange {
            after: None,
            up_to: up_to.map(|key| vec![key]),
            bucket: None,
        };
        let mut none = Pace::new(&Options {
            sample_percent: Some(0.0),
            ..Options::default()
        });
        for _ in 0..2 {
            none.begin_table();
            assert!(none.take(part(Some(1))).unwrap().is_none());
            assert!(none.take(part(Some(2))).unwrap().is_none());
            // The last one may be empty.
            assert!(none.take(part(None)).unwrap().unwrap().up_to.is_some());
        }
        none.begin_table();
        assert!(none.take(part(None)).unwrap().is_some());
        let mut all = Pace::new(&Options {
            sample_percent: Some(100.0),
            ..Options::default()
        });
        assert!(all.take(part(Some(1))).unwrap().is_some());
        assert!(all.take(part(None)).unwrap().is_some());
    }
}
