//! The host's clocks. `std`'s trap on this target, and clippy bans them in the workspace's guests.

use std::time::Duration;

use datain_contract::system;

/// Wall clock, microseconds since 1970.
#[must_use]
pub fn now_unix_micros() -> u64 {
    system::now_unix_micros()
}

/// Microseconds on the clock that never goes back.
#[must_use]
pub fn monotonic_micros() -> u64 {
    system::monotonic_nanos() / 1_000
}

/// A moment on the clock that never goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Moment(system::monotonic_nanos())
    }

    /// The moment at which [`monotonic_micros`] gives this.
    #[must_use]
    pub fn at_micros(micros: u64) -> Self {
        Moment(micros.saturating_mul(1_000))
    }

    /// This moment, later by `by`.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Moment(
            self.0
                .saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
        )
    }

    /// Milliseconds from this moment until `now`; 0 before it.
    #[must_use]
    pub fn millis_until(self, now: Moment) -> u64 {
        now.0.saturating_sub(self.0) / 1_000_000
    }

    /// Whether it is past.
    #[must_use]
    pub fn has_come(self) -> bool {
        Moment::now() >= self
    }

    /// Milliseconds from `now` until this moment, rounded up; 0 when it has come.
    #[must_use]
    pub fn millis_from(self, now: Moment) -> u32 {
        let nanos = self.0.saturating_sub(now.0);
        u32::try_from(nanos.div_ceil(1_000_000)).unwrap_or(u32::MAX)
    }
}
