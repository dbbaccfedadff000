//! A table without a key to be read by, or whose key the two servers order in different ways: it is compared as a whole.
//!
//! Its digest is computed on both sides, and, while it is not equal, again behind a mark, with rests. What differs then is decided as for single keys ([`super::keys`]), only that the
//! whole table is held on the source; so this is done with tables of moderate size only. While it is held, it is divided into buckets by the rows' own digests, and rows of buckets that
//! differ are compared. A row of such a table is known by all of its values, so a row that was changed counts as one that is missing and one that is surplus; and there is nothing by which
//! a repair could find it.

use std::time::{Duration, Instant};

use super::TableReport;
use super::keys::{pause, reported};
use super::table::{Comparing, WHOLE, same};
use crate::bindings::{Bucket, KeyRange};
use crate::error::Result;

/// How often the whole is compared without locks; and with them.
const LOOKS: u32 = 4;
const TRIES: u32 = 4;
const FIRST_REST: Duration = Duration::from_millis(250);
/// Larger tables are not held.
const MOST_HELD: u64 = 200_000;
/// Rows that a bucket should have, and how many buckets there are at most.
const BUCKET: u64 = 500;
const BUCKETS: u64 = 400;
/// Bytes of rows of one bucket.
const BYTES: u32 = 16 << 20;

impl Comparing<'_> {
    /// Compares a table as a whole.
    pub(super) fn as_a_whole(mut self) -> Result<TableReport> {
        let mut rest = FIRST_REST;
        let mut rows = 0;
        for look in 0..LOOKS {
            if look > 0 {
                pause(self.waiting.stop, rest)?;
                rest *= 2;
            }
            let source = self.pair.source.ask(|source| source.digest(&WHOLE));
            let (source, target) = if look == 0 {
                let target = self.pair.sink.ask(|sink| sink.digest(&WHOLE));
                (source.wait()?, target.wait()?)
            } else {
                let source = source.wait()?;
                self.waiting.catch_up()?;
                (source, self.pair.sink.get(|sink| sink.digest(&WHOLE))?)
            };
            if look == 0 {
                self.report.rows += source.rows;
                self.progress.rows += source.rows;
                self.watcher.progress(self.progress);
            }
            self.pace.spend(source.rows, self.waiting.stop)?;
            if same(&source, &target) {
                return Ok(self.report);
            }
            rows = source.rows.max(target.rows);
        }
        if !self.options.locks || rows > MOST_HELD {
            self.report.undecided += 1;
            self.report.notes.push(
                "its rows differed whenever they were looked at, and it has no key by which less than all of it could be held: compare it again while nothing writes to it"
                    .to_owned(),
            );
            return Ok(self.report);
        }
        for _ in 0..TRIES {
            if self.held(rows)? {
                return Ok(self.report);
            }
            pause(self.waiting.stop, rest)?;
        }
        self.report.undecided += 1;
        Ok(self.report)
    }

    /// Compares it while it is held; says whether that has brought an answer.
    fn held(&mut self, rows: u64) -> Result<bool> {
        self.waiting.catch_up()?;
        let end = Instant::now() + self.options.lock_time;
        let held = self
            .pair
            .source
            .get(|source| source.read_keys(&[], true).map(|_| ()));
        match held {
            Ok(()) => {}
            Err(error) if error.code() == "verify.locked" => return Ok(false),
            Err(error) => return Err(error),
        }
        let before = self.report.clone();
        let found = self.while_held(rows, end);
        let released = self.pair.source.get(|source| source.release());
        let found = found?;
        match released {
            Ok(()) => Ok(found),
            Err(error) if error.code() == "verify.lost" => {
                self.report = before;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn while_held(&mut self, rows: u64, end: Instant) -> Result<bool> {
        let mark = self.waiting.mark()?;
        if !self.waiting.wait_until(&mark, Some(end))? {
            return Ok(false);
        }
        let count = u32::try_from((rows / BUCKET).clamp(1, BUCKETS)).unwrap_or(1);
        let source = self.pair.source.ask(move |source| source.buckets(count));
        let target = self.pair.sink.get(move |sink| sink.buckets(count))?;
        let source = source.wait()?;
        for (index, (ours, theirs)) in (0..).zip(source.iter().zip(&target)) {
            if same(ours, theirs) {
                continue;
            }
            if Instant::now() >= end || self.report.differing >= self.options.list {
                // That it differs is certain; how much is not.
                self.report.differing = self.report.differing.max(1);
                self.report.more = true;
                break;
            }
            let range = KeyRange {
                bucket: Some(Bucket { index, of: count }),
                ..WHOLE
            };
            let asked = range.clone();
            let part = self
                .pair
                .source
                .get(move |source| source.read(&asked, BYTES))?;
            let values = self.options.show_values;
            let found = self
                .pair
                .sink
                .get(move |sink| sink.compare(&range, &part.rows, values))?;
            self.report.differing += found.len() as u64;
            let room = self
                .options
                .list
                .saturating_sub(self.report.differences.len() as u64);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            let listed = found.into_iter().take(room);
            self.report
                .differences
                .extend(listed.map(|difference| reported(difference, false)));
        }
        if self.options.repair && self.report.differing > 0 {
            self.report.notes.push(
                "it has no key by which rows could be repaired: empty it on the target and copy it anew"
                    .to_owned(),
            );
        }
        self.progress.differing += self.report.differing;
        Ok(true)
    }
}
