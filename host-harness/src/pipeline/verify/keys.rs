//! Key by key: what is certain of rows that seemed to differ.
//!
//! A row that is written to all the time may never be found equal, since the two servers are looked at one after the other. So first the rows are looked at a few times more, each time
//! behind a mark, with rests between: most are equal then. What still differs is *held*: the source's rows are locked for reading, with the gaps where there is none, so that
//! nobody changes them. The lock waits for whoever has changed them and is in the log, so everything that ever happened to these rows stands before the mark that is set now. When the
//! target's checkpoint covers it, nothing is on the way for these rows either, and what differs now differs. Locks are held for a moment only ([`Options::lock_time`]): a target that lags
//! further behind is waited for before, without locks, and if it never is near enough, the keys are *undecided*.
//!
//! That the locks were held until the end is known only when the source says so as it lets them go; what was found is thrown away if it does not.
//!
//! **Repair** happens in the same moment, and is safe beside a running pipeline for the same reason: nothing is on the way for these keys, and nothing can come until the source lets them
//! go. The target deletes its rows with these keys, and inserts the source's, in one transaction; then they are compared again. A row with another key that has a unique value of one of
//! them stands in the way: two rows may have exchanged their values. So keys that could not be repaired are tried again together with all others of which the same is true.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::super::Stop;
use super::table::Comparing;
use super::{Difference, DifferenceKind, Values};
use crate::bindings;
use crate::bindings::TableRows;
use crate::error::{Error, Result};
use crate::plugin::interrupted;

#[cfg(doc)]
use super::Options;

/// Keys that are looked at together, without locks.
const TOGETHER: usize = 200;
/// Keys that are held at the same time: at first, and while that takes no longer than `BRIEF`, at most.
const HELD: usize = 50;
const MOST_HELD: usize = 400;
const BRIEF: Duration = Duration::from_millis(100);
/// Keys that are held at the same time for a repair when they stand in each other's way.
const HELD_TOGETHER: usize = 2000;
/// How often keys are looked at without locks, and how long the rest before the first look is; each later one is twice as long. Many keys are not changed by chance: they are
/// looked at once.
const LOOKS: u32 = 2;
const MANY: usize = 200;
const FIRST_REST: Duration = Duration::from_millis(100);
/// How often it is tried to hold a key.
const TRIES: u32 = 8;

/// Settles keys of the table at hand.
pub(super) struct Keys<'c, 'a>(pub(super) &'c mut Comparing<'a>);

/// What holding keys has come to.
enum Held {
    /// These differ, and the rest is equal.
    Differ(Vec<Found>),
    /// A row that is not held stands in the way of the repair.
    InTheWay,
    /// Locks were not to be had, or the target was not near enough.
    NotYet,
    /// The rows are too large to be compared together.
    TooLarge,
}

struct Found {
    difference: bindings::Difference,
    repaired: bool,
}

impl Keys<'_, '_> {
    /// Looks at the keys until each is equal, differs for certain, or cannot be decided; adds it to the report.
    pub(super) fn settle(&mut self, keys: Vec<Vec<u8>>) -> Result<()> {
        let mut seen = HashSet::new();
        let mut left: Vec<Vec<u8>> = keys;
        left.retain(|key| seen.insert(key.clone()));
        let mut rest = FIRST_REST;
        for look in 0..LOOKS {
            if left.is_empty() || (look > 0 && left.len() > MANY) {
                break;
            }
            pause(self.0.waiting.stop, rest)?;
            rest *= 2;
            let mut still = Vec::new();
            let mut known = HashSet::new();
            for keys in left.chunks(TOGETHER) {
                let found = self.look(keys)?.into_iter().map(|found| found.key);
                // A row whose key is equal for the server and not in its bytes is found under both.
                still.extend(found.filter(|key| known.insert(key.clone())));
            }
            left = still;
        }
        if !self.0.options.locks {
            self.0.report.undecided += left.len() as u64;
            return Ok(());
        }
        let mut in_the_way = Vec::new();
        let (mut rest, mut size) = (left.as_slice(), HELD);
        while !rest.is_empty() {
            let (keys, behind) = rest.split_at(size.min(rest.len()));
            let begun = Instant::now();
            self.hold(keys, &mut in_the_way)?;
            size = if begun.elapsed() <= BRIEF {
                (size * 2).min(MOST_HELD)
            } else {
                HELD
            };
            rest = behind;
        }
        for keys in in_the_way.clone().chunks(HELD_TOGETHER) {
            let mut again = Vec::new();
            self.hold(keys, &mut again)?;
            if !again.is_empty() {
                self.report_unrepaired(&again)?;
            }
        }
        Ok(())
    }

    /// One look without locks.
    fn look(&self, keys: &[Vec<u8>]) -> Result<Vec<bindings::Difference>> {
        let mut all = Vec::new();
        let mut left = vec![keys];
        while let Some(keys) = left.pop() {
            let found = self.read(keys, false).and_then(|rows| {
                self.0.waiting.catch_up()?;
                self.compare(keys, rows)
            });
            match found {
                Ok(found) => all.extend(found),
                Err(error) if is_too_large(&error) && keys.len() > 1 => {
                    let (a, b) = keys.split_at(keys.len() / 2);
                    left.extend([b, a]);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    fn read(&self, keys: &[Vec<u8>], hold: bool) -> Result<TableRows> {
        let keys = keys.to_vec();
        self.0
            .pair
            .source
            .get(move |source| source.read_keys(&keys, hold))
    }

    fn compare(&self, keys: &[Vec<u8>], rows: TableRows) -> Result<Vec<bindings::Difference>> {
        let (keys, values) = (keys.to_vec(), self.0.options.show_values);
        self.0
            .pair
            .sink
            .get(move |sink| sink.compare_keys(&keys, &rows, values))
    }

    /// Decides keys; those that a repair finds rows in the way of go to `in_the_way`.
    fn hold(&mut self, keys: &[Vec<u8>], in_the_way: &mut Vec<Vec<u8>>) -> Result<()> {
        let mut left = vec![(keys.to_vec(), TRIES)];
        let mut rest = FIRST_REST;
        while let Some((keys, tries)) = left.pop() {
            match self.hold_once(&keys)? {
                Held::Differ(found) => self.add(found),
                Held::InTheWay => in_the_way.extend(keys),
                Held::TooLarge => {
                    let (a, b) = keys.split_at(keys.len() / 2);
                    left.extend([(b.to_vec(), tries), (a.to_vec(), tries)]);
                }
                Held::NotYet if tries <= 1 => self.0.report.undecided += keys.len() as u64,
                // One key may be locked for long; the others are not to wait for it.
                Held::NotYet if keys.len() > 1 && tries < TRIES => {
                    let (a, b) = keys.split_at(keys.len() / 2);
                    left.push((b.to_vec(), tries));
                    left.push((a.to_vec(), tries));
                    pause(self.0.waiting.stop, FIRST_REST)?;
                }
                Held::NotYet => {
                    pause(self.0.waiting.stop, rest)?;
                    rest = (rest * 2).min(Duration::from_secs(2));
                    left.push((keys, tries - 1));
                }
            }
        }
        Ok(())
    }

    /// Holds the keys once, and lets them go.
    fn hold_once(&mut self, keys: &[Vec<u8>]) -> Result<Held> {
        // Without locks first: what the target lags behind is not waited for with them.
        self.0.waiting.catch_up()?;
        let end = Instant::now() + self.0.options.lock_time;
        let rows = match self.read(keys, true) {
            Ok(rows) => rows,
            Err(error) if error.code() == "verify.locked" => return Ok(Held::NotYet),
            Err(error) if is_too_large(&error) && keys.len() > 1 => return Ok(Held::TooLarge),
            Err(error) => return Err(error),
        };
        let found = self.while_held(keys, &rows, end);
        let released = self.0.pair.source.get(|source| source.release());
        let found = match found {
            Err(error) if is_too_large(&error) && keys.len() > 1 => Held::TooLarge,
            found => found?,
        };
        match released {
            Ok(()) => Ok(found),
            Err(error) if error.code() == "verify.lost" => Ok(Held::NotYet),
            Err(error) => Err(error),
        }
    }

    fn while_held(&mut self, keys: &[Vec<u8>], rows: &TableRows, end: Instant) -> Result<Held> {
        let mark = self.0.waiting.mark()?;
        if !self.0.waiting.wait_until(&mark, Some(end))? {
            return Ok(Held::NotYet);
        }
        let found = self.compare(keys, rows.clone())?;
        let unrepaired = |found: Vec<bindings::Difference>| {
            let found = found.into_iter().map(|difference| Found {
                difference,
                repaired: false,
            });
            Held::Differ(found.collect())
        };
        if !self.0.options.repair || found.is_empty() {
            return Ok(unrepaired(found));
        }
        // All of them: a row that is equal may have its key in other bytes than the one that is not.
        let (asked, source_rows) = (keys.to_vec(), rows.clone());
        match self
            .0
            .pair
            .sink
            .get(move |sink| sink.repair(&asked, &source_rows))
        {
            Ok(_) => {}
            Err(error) if error.code() == "verify.in-the-way" => return Ok(Held::InTheWay),
            Err(error) if error.code() == "verify.target-locked" => return Ok(Held::NotYet),
            Err(error) => return Err(error),
        }
        let after = self.compare(keys, rows.clone())?;
        let wrong: HashSet<&Vec<u8>> = after.iter().map(|difference| &difference.key).collect();
        let found = found.into_iter().map(|difference| Found {
            repaired: !wrong.contains(&difference.key),
            difference,
        });
        Ok(Held::Differ(found.collect()))
    }

    /// Rows that differ and cannot be repaired, since others stand in their way.
    fn report_unrepaired(&mut self, keys: &[Vec<u8>]) -> Result<()> {
        let mut found = Vec::new();
        for keys in keys.chunks(HELD) {
            found.extend(self.look(keys)?);
        }
        let note = "rows that are not among those that differ have unique values of rows that do: these could not be repaired";
        self.0.report.notes.push(note.to_owned());
        self.add(found.into_iter().map(|difference| Found {
            difference,
            repaired: false,
        }));
        Ok(())
    }

    fn add(&mut self, found: impl IntoIterator<Item = Found>) {
        let report = &mut self.0.report;
        // The same row may have been found under two keys that are equal for the server.
        let mut counted = HashSet::new();
        for Found {
            difference,
            repaired,
        } in found
        {
            if !counted.insert(difference.key.clone()) {
                continue;
            }
            report.differing += 1;
            report.repaired += u64::from(repaired);
            if (report.differences.len() as u64) < self.0.options.list {
                report.differences.push(reported(difference, repaired));
            }
        }
        self.0.progress.differing += counted.len() as u64;
        self.0.watcher.progress(self.0.progress);
    }
}

fn is_too_large(error: &Error) -> bool {
    error.code() == "verify.too-large"
}

pub(super) fn pause(stop: &Stop, time: Duration) -> Result<()> {
    if stop.wait(time) {
        return Err(interrupted());
    }
    Ok(())
}

/// A difference as it is reported.
pub(super) fn reported(found: bindings::Difference, repaired: bool) -> Difference {
    Difference {
        key: found.key_text,
        kind: match found.kind {
            bindings::DifferenceKind::Missing => DifferenceKind::Missing,
            bindings::DifferenceKind::Surplus => DifferenceKind::Surplus,
            bindings::DifferenceKind::Changed => DifferenceKind::Changed,
        },
        columns: found.columns,
        values: found
            .values
            .into_iter()
            .map(|value| Values {
                column: value.column,
                source: value.source,
                target: value.target,
            })
            .collect(),
        repaired,
    }
}
