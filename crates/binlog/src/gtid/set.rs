//! Sets of GTIDs: per server and tag, sorted intervals that neither overlap nor touch. Text form as in MySQL's manual, "GTID Sets".

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

use crate::gtid::id::{GNO_END, Gtid, ParseGtidError, Tag, Uuid};

/// Numbers from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The first number.
    pub first: u64,
    /// The last number, not less than the first.
    pub last: u64,
}

/// A set of GTIDs.
///
/// `Display` writes MySQL's canonical form, as `@@gtid_executed` has it, with a comma and a line break between servers; the alternate form
/// (`{:#}`) puts a comma only, for one-line messages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GtidSet {
    // No entry has an empty list. The order of the keys is the canonical one.
    sources: BTreeMap<(Uuid, Tag), Vec<Interval>>,
}

impl GtidSet {
    /// The empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// How many GTIDs are in the set.
    #[must_use]
    pub fn count(&self) -> u64 {
        let lengths = self
            .sources
            .values()
            .flatten()
            .map(|i| i.last - i.first + 1);
        lengths.fold(0, u64::saturating_add)
    }

    /// Whether any GTID has a tag.
    #[must_use]
    pub fn has_tags(&self) -> bool {
        self.sources.keys().any(|(_, tag)| !tag.is_empty())
    }

    /// The intervals of each server and tag, in canonical order.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, Tag, &[Interval])> {
        self.sources
            .iter()
            .map(|((uuid, tag), intervals)| (*uuid, *tag, intervals.as_slice()))
    }

    /// Adds one GTID. In order, as a stream delivers them, this takes constant time per server and tag.
    pub fn add(&mut self, gtid: Gtid) {
        self.add_interval(gtid.uuid, gtid.tag, gtid.number, gtid.number);
    }

    /// Adds the numbers from `first` to `last`; does nothing when `last` is less.
    pub fn add_interval(&mut self, uuid: Uuid, tag: Tag, first: u64, last: u64) {
        if last < first {
            return;
        }
        let intervals = match self.sources.entry((uuid, tag)) {
            Entry::Vacant(entry) => {
                entry.insert(vec![Interval { first, last }]);
                return;
            }
            Entry::Occupied(entry) => entry.into_mut(),
        };
        if let Some(end) = intervals.last_mut() {
            if first > end.last.saturating_add(1) {
                intervals.push(Interval { first, last });
                return;
            }
            if first >= end.first {
                end.last = end.last.max(last);
                return;
            }
        }
        // All intervals that overlap or touch the new one are replaced by their union.
        let from = intervals.partition_point(|i| i.last.saturating_add(1) < first);
        let to = intervals.partition_point(|i| i.first <= last.saturating_add(1));
        let mut union = Interval { first, last };
        if from < to {
            union.first = first.min(intervals[from].first);
            union.last = last.max(intervals[to - 1].last);
        }
        intervals.splice(from..to, [union]);
    }

    /// Whether a GTID is in the set.
    #[must_use]
    pub fn contains(&self, gtid: &Gtid) -> bool {
        self.sources
            .get(&(gtid.uuid, gtid.tag))
            .is_some_and(|intervals| covers(intervals, gtid.number, gtid.number))
    }

    /// Whether every GTID of this set is in the other one.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.sources.iter().all(|(key, intervals)| {
            other
                .sources
                .get(key)
                .is_some_and(|theirs| intervals.iter().all(|i| covers(theirs, i.first, i.last)))
        })
    }

    /// What is in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        union.extend(other);
        union
    }

    /// Adds everything of the other set.
    pub fn extend(&mut self, other: &Self) {
        for ((uuid, tag), intervals) in &other.sources {
            for i in intervals {
                self.add_interval(*uuid, *tag, i.first, i.last);
            }
        }
    }

    /// What is in this set and not in the other one.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut difference = Self::new();
        for (key, intervals) in &self.sources {
            let theirs = other.sources.get(key).map_or(&[][..], Vec::as_slice);
            let left = subtract_intervals(intervals, theirs);
            if !left.is_empty() {
                difference.sources.insert(*key, left);
            }
        }
        difference
    }
}

/// Whether one of the intervals holds all of `first` to `last`.
fn covers(intervals: &[Interval], first: u64, last: u64) -> bool {
    let at = intervals.partition_point(|i| i.last < first);
    intervals
        .get(at)
        .is_some_and(|i| i.first <= first && last <= i.last)
}

fn subtract_intervals(ours: &[Interval], theirs: &[Interval]) -> Vec<Interval> {
    let mut left = Vec::new();
    let mut holes = theirs.iter().peekable();
    for interval in ours {
        let mut first = interval.first;
        while let Some(hole) = holes.peek() {
            if hole.first > interval.last {
                break;
            }
            if hole.first > first {
                left.push(Interval {
                    first,
                    last: hole.first - 1,
                });
            }
            first = first.max(hole.last.saturating_add(1));
            if hole.last > interval.last {
                // It may reach into the next interval too.
                break;
            }
            holes.next();
        }
        if first <= interval.last {
            left.push(Interval {
                first,
                last: interval.last,
            });
        }
    }
    left
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last_uuid = None;
        for (uuid, tag, intervals) in self.iter() {
            if last_uuid != Some(uuid) {
                match (last_uuid, f.alternate()) {
                    (None, _) => {}
                    (Some(_), true) => f.write_str(",")?,
                    (Some(_), false) => f.write_str(",\n")?,
                }
                write!(f, "{uuid}")?;
                last_uuid = Some(uuid);
            }
            if !tag.is_empty() {
                write!(f, ":{tag}")?;
            }
            for i in intervals {
                if i.first == i.last {
                    write!(f, ":{}", i.first)?;
                } else {
                    write!(f, ":{}-{}", i.first, i.last)?;
                }
            }
        }
        Ok(())
    }
}

impl FromStr for GtidSet {
    type Err = ParseGtidError;

    /// Reads the text form: servers separated by commas, with white space anywhere between the parts, in any order. As on the server, empty
    /// parts between commas count for nothing, and an interval whose end is before its start is empty.
    fn from_str(text: &str) -> Result<Self, ParseGtidError> {
        let mut set = Self::new();
        let mut offset = 0;
        for source in text.split(',') {
            parse_source(source, offset, &mut set)?;
            offset += source.len() + 1;
        }
        Ok(set)
    }
}

/// One server's part: the UUID, then tags and intervals.
fn parse_source(source: &str, offset: usize, set: &mut GtidSet) -> Result<(), ParseGtidError> {
    if source.trim().is_empty() {
        return Ok(());
    }
    let mut at = offset;
    let error = |offset, reason| ParseGtidError { offset, reason };
    let mut parts = source.split(':');
    let first = parts.next().unwrap_or_default();
    let uuid = Uuid::parse(first.trim()).ok_or(error(at, "a UUID is expected"))?;
    at += first.len() + 1;
    let mut tag = Tag::NONE;
    // Whether the last part was a tag or the UUID, so that an interval has to follow.
    let mut bare = true;
    for part in parts {
        let text = part.trim();
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let (first, last) = parse_interval(text).ok_or(error(at, "an interval is expected"))?;
            set.add_interval(uuid, tag, first, last);
            bare = false;
        } else {
            tag = Tag::new(text.as_bytes())
                .filter(|tag| !tag.is_empty())
                .ok_or(error(at, "a tag or an interval is expected"))?;
            bare = true;
        }
        at += part.len() + 1;
    }
    if bare {
        return Err(error(offset + source.len(), "an interval is expected"));
    }
    Ok(())
}

fn parse_interval(text: &str) -> Option<(u64, u64)> {
    let number = |text: &str| {
        let text = text.trim();
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits
            .then(|| text.parse().ok())
            .flatten()
            .filter(|n| (1..GNO_END).contains(n))
    };
    match text.split_once('-') {
        None => number(text).map(|n| (n, n)),
        // `5-0` is written by some tools for an empty interval, but 0 is no number of a transaction: the server refuses it too.
        Some((first, last)) => Some((number(first)?, number(last)?)),
    }
}
