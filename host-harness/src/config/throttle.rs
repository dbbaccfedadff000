//! How much the first copy may ask of the two servers: `[snapshot]` in the configuration, and `datain throttle` while it runs.

use serde::{Deserialize, Serialize};

/// Limits of the first copy. 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// Rows read from the source a second.
    pub rows_per_second: u32,
    /// MiB of row images read from the source a second.
    pub mib_per_second: u32,
    /// Sessions at work on the source, beside those that replicate: while there are more, nothing is read.
    pub source_load: u32,
    /// While something that was handed on has not become durable for so long, nothing is read.
    pub target_lag_ms: u32,
    /// The share of the time in which is read while others are at work on the source; 100 for all of it.
    pub busy_share_percent: u32,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            rows_per_second: 0,
            mib_per_second: 0,
            source_load: 25,
            target_lag_ms: 5000,
            busy_share_percent: 50,
        }
    }
}

/// The largest values; the least one is 0, but 1 for the share.
pub(crate) const MOST: Throttle = Throttle {
    rows_per_second: 1_000_000_000,
    mib_per_second: 100_000,
    source_load: 100_000,
    target_lag_ms: 3_600_000,
    busy_share_percent: 100,
};

/// Other limits than before; what is none stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ThrottleChange {
    /// See [`Throttle`].
    pub rows_per_second: Option<u32>,
    /// See [`Throttle`].
    pub mib_per_second: Option<u32>,
    /// See [`Throttle`].
    pub source_load: Option<u32>,
    /// See [`Throttle`].
    pub target_lag_ms: Option<u32>,
    /// See [`Throttle`].
    pub busy_share_percent: Option<u32>,
}

impl ThrottleChange {
    /// These limits with the change.
    #[must_use]
    pub fn of(self, limits: Throttle) -> Throttle {
        Throttle {
            rows_per_second: self.rows_per_second.unwrap_or(limits.rows_per_second),
            mib_per_second: self.mib_per_second.unwrap_or(limits.mib_per_second),
            source_load: self.source_load.unwrap_or(limits.source_load),
            target_lag_ms: self.target_lag_ms.unwrap_or(limits.target_lag_ms),
            busy_share_percent: self.busy_share_percent.unwrap_or(limits.busy_share_percent),
        }
    }

    /// This change, and a newer one.
    #[must_use]
    pub fn then(self, newer: Self) -> Self {
        Self {
            rows_per_second: newer.rows_per_second.or(self.rows_per_second),
            mib_per_second: newer.mib_per_second.or(self.mib_per_second),
            source_load: newer.source_load.or(self.source_load),
            target_lag_ms: newer.target_lag_ms.or(self.target_lag_ms),
            busy_share_percent: newer.busy_share_percent.or(self.busy_share_percent),
        }
    }
}

impl Throttle {
    /// The rate in bytes.
    #[must_use]
    pub fn bytes_per_second(&self) -> u64 {
        u64::from(self.mib_per_second) << 20
    }
}
