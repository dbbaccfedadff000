//! `datain verify`: whether the target's rows are the source's, while both are written to. Called by [`Pipeline::verify`](super::Pipeline::verify).

mod report;

use std::time::Duration;

pub use report::{Difference, DifferenceKind, Report, TableReport, Values, Verdict};

/// What is compared, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Patterns `schema.table` of the tables that are compared, of those that are replicated; none means all.
    pub tables: Vec<String>,
    /// Only so many percent of each table's rows, chosen anew each time; none for all.
    pub sample_percent: Option<f64>,
    /// SHA-2 in place of CRC-32.
    pub strong: bool,
    /// Differences say which values the two sides have.
    pub show_values: bool,
    /// Rows that differ are made as the source has them.
    pub repair: bool,
    /// Rows that seem to differ may be held on the source with shared locks, for `lock_time` at most.
    pub locks: bool,
    /// See `locks`.
    pub lock_time: Duration,
    /// How long the target's checkpoint may stand still while it is waited for.
    pub patience: Duration,
    /// Rows whose digests are computed in a second, at most.
    pub max_rows_per_second: Option<u64>,
    /// A rest after each part of a table.
    pub rest: Duration,
    /// So many differences of each table are listed, and without a repair no more of it are sought.
    pub list: u64,
    /// The result is kept in the target, for `status` and `cutover`.
    pub keep: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            sample_percent: None,
            strong: false,
            show_values: false,
            repair: false,
            locks: true,
            lock_time: Duration::from_secs(2),
            patience: Duration::from_secs(60),
            max_rows_per_second: None,
            rest: Duration::ZERO,
            list: 1000,
            keep: true,
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The table at hand, as `schema.table`; empty before the first.
    pub table: String,
    /// Its number, from 1, and how many there are.
    pub number: usize,
    /// See `number`.
    pub tables: usize,
    /// Rows compared so far, over all tables.
    pub rows: u64,
    /// Rows of all tables, as the source's engine estimates them.
    pub estimated_rows: u64,
    /// Parts of the table that are being looked at again, since they were not equal at first.
    pub suspects: usize,
    /// Differences that are certain so far.
    pub differing: u64,
}

/// Hears how far it is, between two parts of a table.
pub trait Watcher {
    /// As of now.
    fn progress(&self, progress: &Progress);
}

/// For who does not watch.
impl Watcher for () {
    fn progress(&self, _progress: &Progress) {}
}

/// See [`Pipeline::verify`](super::Pipeline::verify).
pub(super) fn run(
    _plugins: &super::components::Components,
    _options: &Options,
    _stop: &super::Stop,
    _watcher: &dyn Watcher,
) -> crate::error::Result<Report> {
    Err(crate::error::Error::new(
        crate::error::Kind::Fatal,
        "verify.unfinished",
        "this version cannot compare yet",
    ))
}
