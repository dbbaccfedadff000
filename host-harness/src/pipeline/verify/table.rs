//! One table: the digests of its parts on both servers, and what to make of those that are not equal.
//!
//! The first look goes over the table once, with both servers at work on the same part, and the source some parts ahead. A part whose digests are not equal may only have been
//! written to between the two looks, so it is a *suspect*: it is looked at again behind a mark ([`super::marks`]), and if it is not equal then either, it is divided, until
//! what is left is small enough to be read and compared row by row. What differs there is settled key by key ([`super::keys`]).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::keys::Keys;
use super::marks::Waiting;
use super::pace::Pace;
use super::workers::{Answer, Pair};
use super::{Options, Progress, TableReport, Verdict, Watcher};
use crate::bindings::{KeyRange, TableDigest};
use crate::error::Result;

/// Parts that are under way at the same time.
const AHEAD: usize = 3;
/// A suspect of so many rows is read.
const SMALL: u64 = 1000;
/// Into how many parts a larger one is divided.
const PARTS: u64 = 16;
/// How many bytes of rows are compared at once.
const BYTES: u32 = 4 << 20;
/// Keys that seem to differ are settled when there are so many.
const CANDIDATES: usize = 1000;
/// So many suspects are kept until they are looked at again.
const SUSPECTS: usize = 1000;

/// The whole table.
pub(super) const WHOLE: KeyRange = KeyRange {
    after: None,
    up_to: None,
    bucket: None,
};

/// A table that both sides have begun.
pub(super) struct Comparing<'a> {
    pub(super) pair: &'a Pair,
    pub(super) options: &'a Options,
    pub(super) waiting: Waiting<'a>,
    pub(super) watcher: &'a dyn Watcher,
    pub(super) report: TableReport,
    pub(super) progress: &'a mut Progress,
    pub(super) pace: &'a mut Pace,
}

/// A part whose digests are being computed.
struct UnderWay {
    range: KeyRange,
    source: Answer<(TableDigest, Duration)>,
    target: Answer<(TableDigest, Duration)>,
}

impl Comparing<'_> {
    /// Compares a table of which parts can be compared.
    pub(super) fn in_parts(mut self) -> Result<TableReport> {
        let mut behind = Some(WHOLE);
        while let Some(from) = behind {
            let (suspects, rest) = self.first_look(from)?;
            self.look_again(suspects)?;
            if rest.is_some() && self.is_enough() {
                self.report.more = true;
                break;
            }
            behind = rest;
        }
        Ok(self.report)
    }

    /// Goes over the rest of the table; returns the suspects, and what is left if they became too many.
    fn first_look(&mut self, from: KeyRange) -> Result<(Vec<KeyRange>, Option<KeyRange>)> {
        let mut suspects = Vec::new();
        let mut rest = Some(from);
        let mut under_way: VecDeque<UnderWay> = VecDeque::new();
        loop {
            if let Some(from) = rest.clone()
                && under_way.len() < AHEAD
                && suspects.len() < SUSPECTS
            {
                let (rows, after) = (self.pace.rows(), from.after.clone());
                let key = self
                    .pair
                    .source
                    .get(move |source| source.boundary(after.as_deref(), rows))?;
                let range = KeyRange {
                    up_to: key.clone(),
                    ..from
                };
                rest = key.map(|key| KeyRange {
                    after: Some(key),
                    ..WHOLE
                });
                if let Some(part) = self.pace.take(range)? {
                    under_way.push_back(self.begin(part));
                }
                continue;
            }
            let Some(part) = under_way.pop_front() else {
                return Ok((suspects, rest));
            };
            let (source, source_took) = part.source.wait()?;
            let (target, target_took) = part.target.wait()?;
            self.report.rows += source.rows;
            self.progress.rows += source.rows;
            if !same(&source, &target) {
                suspects.push(part.range);
                self.progress.suspects = suspects.len();
            }
            self.watcher.progress(self.progress);
            let took = source_took.max(target_took);
            self.pace.observe(source.rows, took, self.waiting.stop)?;
        }
    }

    fn begin(&self, range: KeyRange) -> UnderWay {
        let (a, b) = (range.clone(), range.clone());
        UnderWay {
            source: self.pair.source.ask(move |source| {
                let begun = Instant::now();
                source.digest(&a).map(|digest| (digest, begun.elapsed()))
            }),
            target: self.pair.sink.ask(move |sink| {
                let begun = Instant::now();
                sink.digest(&b).map(|digest| (digest, begun.elapsed()))
            }),
            range,
        }
    }

    /// Looks at suspects again, each behind a mark, until each is equal or is settled key by key.
    fn look_again(&mut self, suspects: Vec<KeyRange>) -> Result<()> {
        let mut left: Vec<KeyRange> = suspects.into_iter().rev().collect();
        let mut candidates = Vec::new();
        while let Some(range) = left.pop() {
            self.progress.suspects = left.len() + 1;
            self.watcher.progress(self.progress);
            if self.is_enough() {
                self.report.more = true;
                break;
            }
            let asked = range.clone();
            let source = self.pair.source.get(move |source| source.digest(&asked))?;
            self.waiting.catch_up()?;
            let asked = range.clone();
            let target = self.pair.sink.get(move |sink| sink.digest(&asked))?;
            self.pace.spend(source.rows, self.waiting.stop)?;
            if same(&source, &target) {
                continue;
            }
            if let Some(parts) = self.divide(&range, source.rows, target.rows)? {
                left.extend(parts.into_iter().rev());
                continue;
            }
            let asked = range.clone();
            let part = self
                .pair
                .source
                .get(move |source| source.read(&asked, BYTES))?;
            self.waiting.catch_up()?;
            if part.range.up_to != range.up_to {
                left.push(KeyRange {
                    after: part.range.up_to.clone(),
                    up_to: range.up_to,
                    bucket: None,
                });
            }
            let found = self
                .pair
                .sink
                .get(move |sink| sink.compare(&part.range, &part.rows, false))?;
            candidates.extend(found.into_iter().map(|difference| difference.key));
            if candidates.len() >= CANDIDATES {
                Keys(self).settle(std::mem::take(&mut candidates))?;
            }
        }
        Keys(self).settle(candidates)?;
        self.progress.suspects = 0;
        Ok(())
    }

    /// Parts of a suspect; none if it is small, or nothing more can be made of it.
    fn divide(&self, range: &KeyRange, source: u64, target: u64) -> Result<Option<Vec<KeyRange>>> {
        let rows = source.max(target);
        if rows <= SMALL {
            return Ok(None);
        }
        let count = PARTS.min(rows.div_ceil(SMALL / 2));
        let each = u32::try_from(rows.div_ceil(count)).unwrap_or(u32::MAX);
        let mut parts = Vec::new();
        let mut after = range.after.clone();
        // Where rows have gone meanwhile, a key may lie behind the suspect's end: then there is more in the parts than in the suspect, and never less.
        for _ in 1..count {
            let from = after.clone();
            // The side with more rows has more keys to divide by.
            let key = if source >= target {
                self.pair
                    .source
                    .get(move |source| source.boundary(from.as_deref(), each))?
            } else {
                self.pair
                    .sink
                    .get(move |sink| sink.boundary(from.as_deref(), each))?
            };
            let Some(key) = key else { break };
            parts.push(KeyRange {
                after: after.replace(key.clone()),
                up_to: Some(key),
                bucket: None,
            });
        }
        parts.push(KeyRange {
            after,
            up_to: range.up_to.clone(),
            bucket: None,
        });
        Ok((parts.len() > 1).then_some(parts))
    }

    /// Whether there are as many differences as are to be listed. A repair goes on.
    fn is_enough(&self) -> bool {
        !self.options.repair && self.report.differing >= self.options.list
    }

    /// The answer follows from what was found.
    pub(super) fn judge(report: &mut TableReport) {
        report.verdict = if report.differing > report.repaired || !report.definition.is_empty() {
            Verdict::Different
        } else if report.undecided > 0 {
            Verdict::Undecided
        } else {
            Verdict::Equal
        };
    }
}

/// Digests are compared for equality and nothing else.
pub(super) fn same(a: &TableDigest, b: &TableDigest) -> bool {
    a.rows == b.rows && a.sum == b.sum
}
