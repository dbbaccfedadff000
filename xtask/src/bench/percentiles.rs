//! Percentiles of latencies, some of which may never have ended.

use serde_json::{Value, json};

/// What is said of the latencies of one measurement, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Summary {
    /// All that were offered.
    pub(super) offered: u64,
    /// Those that were never seen.
    pub(super) missing: u64,
    /// None if so many are missing that it lies among those.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
    /// None if any is missing.
    pub(super) greatest: Option<f64>,
}

impl Summary {
    /// `seen` in microseconds, in any order. What is missing counts as slower than all that was seen.
    pub(super) fn of(mut seen: Vec<u64>, offered: u64) -> Self {
        seen.sort_unstable();
        let count = u64::try_from(seen.len()).unwrap_or(u64::MAX);
        let offered = offered.max(count);
        let at = |rank: u64| {
            let index = usize::try_from(rank.checked_sub(1)?).ok()?;
            seen.get(index).copied().map(milliseconds)
        };
        Self {
            offered,
            missing: offered - count,
            p50: at(rank(offered, 50)),
            p99: at(rank(offered, 99)),
            greatest: at(offered),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "transactions": self.offered,
            "not_seen": self.missing,
            "p50_ms": self.p50,
            "p99_ms": self.p99,
            "max_ms": self.greatest,
        })
    }
}

/// The nearest-rank definition: the smallest value that so many percent are not above.
fn rank(count: u64, percent: u64) -> u64 {
    (count * percent).div_ceil(100)
}

fn milliseconds(micros: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to centuries of microseconds"
    )]
    let micros = micros as f64;
    micros / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rank_counts_and_missing_ones_are_the_slowest() {
        let check = |seen: Vec<u64>, offered, expected: (Option<f64>, Option<f64>, Option<f64>)| {
            let summary = Summary::of(seen, offered);
            assert_eq!((summary.p50, summary.p99, summary.greatest), expected);
        };
        check(vec![], 0, (None, None, None));
        check(vec![7_000], 1, (Some(7.0), Some(7.0), Some(7.0)));
        check(
            (1..=200).rev().map(|n| n * 1_000).collect(),
            200,
            (Some(100.0), Some(198.0), Some(200.0)),
        );
        // Of 100, 2 never came: the 99th is one of them.
        check(
            (1..=98).map(|n| n * 1_000).collect(),
            100,
            (Some(50.0), None, None),
        );
        check(vec![1_000], 4, (None, None, None));
    }

    #[test]
    fn its_json_has_these_names() {
        let json = Summary::of(vec![1_500, 2_500], 3).json();
        let expected = json!({"transactions": 3, "not_seen": 1, "p50_ms": 2.5, "p99_ms": null, "max_ms": null});
        assert_eq!(json, expected);
    }
}
