//! Rows a second, over the last seconds.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How far back the rate looks.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// Rows applied at moments of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Rate(VecDeque<(Instant, u64)>);

impl Rate {
    pub(super) fn note(&mut self, at: Instant, rows: u64) {
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

    pub(super) fn per_second(&self, now: Instant) -> f64 {
        // The newest look that the window does not reach back to: until the next one its rows were all. Nobody may have looked for a long time.
        let outside = |(at, _): &&(Instant, u64)| now.saturating_duration_since(*at) >= RATE_WINDOW;
        let first = self.0.iter().rev().find(outside).or(self.0.front());
        let (Some((begin, before)), Some((_, after))) = (first, self.0.back()) else {
            return 0.0;
        };
        let time = now
            .saturating_duration_since(*begin)
            .clamp(Duration::from_secs(1), RATE_WINDOW);
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

    #[test]
    fn it_ends_with_the_window_though_nobody_looks_any_more() {
        let begin = Instant::now();
        let at = |millis: u64| begin + Duration::from_millis(millis);
        let check = |rate: &Rate, millis: u64, expected: f64| {
            let found = rate.per_second(at(millis));
            assert!((found - expected).abs() < 1.0, "{millis}: {found}");
        };
        let mut rate = Rate::default();
        for step in 0..=100_u64 {
            rate.note(at(step * 100), step * 50);
        }
        check(&rate, 10_000, 500.0);
        check(&rate, 12_500, 250.0);
        check(&rate, 15_000, 0.0);
        check(&rate, 99_000, 0.0);
        // A burst after a long silence counts in full.
        rate.note(at(99_500), 6000);
        check(&rate, 100_000, 200.0);
    }
}
