//! What the copy and whoever watches it share: its progress, its limits, and what has become durable meanwhile.

use std::cell::{Cell, RefCell};

use datain_table_scan::ListedTable;

use super::place::Place;
use super::progress::{Progress, Summary, Totals};
use super::throttle::{Limits, Verdict, Why};
use super::window::Name;

/// The caller's clock and alarm.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Microseconds of some clock that does not go back.
    pub now: fn() -> u64,
    /// Has a future that is about to be suspended polled again at this moment of the clock at the latest.
    pub wake_at: fn(u64),
}

/// See the module.
#[derive(Debug, Default)]
pub struct CopyControl {
    limits: Cell<Limits>,
    durable: Cell<u64>,
    /// The ordinal with which the copy ends, once it was handed on.
    end: Cell<Option<u64>>,
    progress: RefCell<Progress>,
    news: RefCell<Vec<String>>,
}

impl CopyControl {
    /// With these limits; everything up to the ordinal `durable` is durable.
    #[must_use]
    pub fn new(limits: Limits, durable: u64) -> Self {
        Self {
            limits: Cell::new(limits),
            durable: Cell::new(durable),
            ..Self::default()
        }
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Other limits from now on. A copy that rests hears of them when it is polled.
    pub fn set_limits(&self, limits: Limits) {
        self.limits.set(limits);
    }

    /// Everything up to this ordinal is durable.
    pub fn set_durable(&self, ordinal: u64) {
        self.durable.set(self.durable.get().max(ordinal));
    }

    pub(super) fn durable(&self) -> u64 {
        self.durable.get()
    }

    /// How far the copy is.
    #[must_use]
    pub fn summary(&self, now: u64) -> Summary {
        let mut summary = self.progress.borrow().summary(now);
        // What was handed on last may be indexes of large tables, which take long.
        summary.complete &= self.end.get().is_none_or(|end| end <= self.durable.get());
        summary
    }

    pub(super) fn begin(&self, listed: &[ListedTable], place: &Place, now: u64) {
        self.progress.borrow_mut().begin(listed, place, now);
    }

    pub(super) fn definitions(&self, done: u64, of: u64) {
        self.progress.borrow_mut().definitions(done, of);
    }

    pub(super) fn begin_table(&self, name: &Name) {
        self.progress.borrow_mut().begin_table(&name.0, &name.1);
    }

    pub(super) fn handed_on(&self, name: &Name, chunk: Totals, now: u64) {
        let mut progress = self.progress.borrow_mut();
        progress.handed_on(&name.0, &name.1, chunk, now);
    }

    pub(super) fn whole(&self) -> Totals {
        self.progress.borrow().whole()
    }

    pub(super) fn rests(&self, verdict: &Verdict) {
        let why = match verdict {
            Verdict::Rest(_, why) => Some(*why),
            Verdict::After => Some(Why::Busy),
            Verdict::Go | Verdict::Look => None,
        };
        self.progress.borrow_mut().rests(why);
    }

    /// All was handed on, the last of it with this ordinal.
    pub(super) fn complete(&self, ordinal: u64) {
        self.end.set(Some(ordinal));
        self.progress.borrow_mut().complete();
    }

    /// All rows of a table were handed on, which this reader began with at a moment.
    pub(super) fn end_table(&self, name: &Name, began: u64, now: u64) {
        let mut progress = self.progress.borrow_mut();
        let Totals {
            rows,
            bytes,
            chunks,
        } = progress.end_table(&name.0, &name.1, now);
        let tables = progress.tables();
        let kib = bytes.div_ceil(1024);
        let tenths = now.saturating_sub(began) / 100_000;
        self.news.borrow_mut().push(format!(
            "{}.{} is copied: {rows} rows, {kib} KiB, {chunks} chunks, {}.{} s; {} of {} tables are whole",
            name.0,
            name.1,
            tenths / 10,
            tenths % 10,
            tables.0,
            tables.1
        ));
    }

    /// What may interest people, since the last call.
    #[must_use]
    pub fn take_news(&self) -> Vec<String> {
        self.news.take()
    }
}
