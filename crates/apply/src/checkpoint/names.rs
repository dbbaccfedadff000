//! Names of transactions: the GTID where they have one, else where they stand in the log.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use datain_contract::types::Transaction;
use serde::{Deserialize, Serialize};

/// Transactions by name: the GTID where they have one, else where they stand in the log. Consecutive ones are kept as ranges, both ends included.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    /// GTIDs: the last number of each, by what stands before it.
    gtids: BTreeMap<String, Vec<(u64, u64)>>,
    /// Offsets in the log's files. Whatever stands between the ends of a range is in it.
    places: BTreeMap<String, (u64, u64)>,
}

/// The parts of a GTID: what comes before its last number, and that.
fn parts(gtid: &str) -> (&str, u64) {
    let digits = gtid.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (before, number) = gtid.split_at(gtid.len() - digits);
    match number.parse() {
        Ok(number) => (before, number),
        Err(_) => (gtid, 0),
    }
}

/// The number of a file of the log, by which they follow each other.
fn file_number(file: &str) -> Option<u64> {
    file.rsplit_once('.')?.1.parse().ok()
}

impl Names {
    /// Adds a transaction at its end: all its pieces have one name.
    pub(crate) fn add(&mut self, transaction: &Transaction) {
        let Some(gtid) = &transaction.gtid else {
            let range = self
                .places
                .entry(transaction.file.clone())
                .or_insert((transaction.offset, transaction.offset));
            range.0 = range.0.min(transaction.offset);
            range.1 = range.1.max(transaction.offset);
            return;
        };
        let (before, number) = parts(gtid);
        let ranges = match self.gtids.get_mut(before) {
            Some(ranges) => ranges,
            None => self.gtids.entry(before.to_owned()).or_default(),
        };
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => ranges.push((number, number)),
        }
    }

    /// Whether it is one of them.
    pub(super) fn holds(&self, transaction: &Transaction) -> bool {
        match &transaction.gtid {
            Some(gtid) => self.holds_gtid(gtid),
            None => self.holds_place(&transaction.file, transaction.offset),
        }
    }

    /// Whether the transaction of this name is one of them: a GTID, or file and offset.
    pub(super) fn holds_name(&self, name: &str) -> bool {
        let place = name.rsplit_once(':');
        let place = place.and_then(|(file, offset)| Some((file, offset.parse().ok()?)));
        self.holds_gtid(name) || place.is_some_and(|(file, offset)| self.holds_place(file, offset))
    }

    fn holds_gtid(&self, gtid: &str) -> bool {
        let (before, number) = parts(gtid);
        let within = |(first, last): &(u64, u64)| (*first..=*last).contains(&number);
        let ranges = self.gtids.get(before);
        ranges.is_some_and(|ranges| ranges.iter().any(within))
    }

    fn holds_place(&self, file: &str, offset: u64) -> bool {
        let range = self.places.get(file);
        range.is_some_and(|(first, last)| (*first..=*last).contains(&offset))
    }

    /// Takes a GTID out, if it is one of them; returns whether it was.
    pub(super) fn remove(&mut self, gtid: &str) -> bool {
        let (before, number) = parts(gtid);
        let Some(ranges) = self.gtids.get_mut(before) else {
            return false;
        };
        let within = |(first, last): &(u64, u64)| (*first..=*last).contains(&number);
        let Some(at) = ranges.iter().position(within) else {
            return false;
        };
        let (first, last) = ranges.remove(at);
        if number < last {
            ranges.insert(at, (number + 1, last));
        }
        if first < number {
            ranges.insert(at, (first, number - 1));
        }
        if ranges.is_empty() {
            self.gtids.remove(before);
        }
        true
    }

    /// Whether nothing of them can come by any more, now that the log has come to this transaction.
    pub(super) fn are_past(&self, transaction: &Transaction) -> bool {
        self.gtids.is_empty()
            && (self.places.is_empty()
                || transaction.gtid.is_none() && self.lie_before(transaction))
    }

    /// Whether the log has gone past all places.
    fn lie_before(&self, transaction: &Transaction) -> bool {
        self.places.iter().all(|(file, (_, last))| {
            if *file == transaction.file {
                *last < transaction.offset
            } else {
                file_number(file) < file_number(&transaction.file)
            }
        })
    }

    /// Adds them to what a source is asked for, one to a line: see `ahead` in wit/sink.wit.
    pub(super) fn tell(&self, out: &mut String) {
        let ranges = self.gtids.iter();
        let ranges = ranges.flat_map(|(before, all)| all.iter().map(move |one| (before, one)));
        for (before, (first, last)) in ranges {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "gtid {before}{first}-{last}");
        }
        for (file, (_, last)) in &self.places {
            let _ = writeln!(out, "place {file}:{last}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gtids_are_taken_out_of_their_ranges() {
        let mut names: Names =
            serde_json::from_str(r#"{"gtids":{"u:":[[3,7],[9,9]]},"places":{}}"#).unwrap();
        let mut left = |gtid: &str| {
            let removed = names.remove(gtid);
            (removed, serde_json::to_string(&names.gtids).unwrap())
        };
        for (gtid, removed, gtids) in [
            ("u:5", true, r#"{"u:":[[3,4],[6,7],[9,9]]}"#),
            ("u:5", false, r#"{"u:":[[3,4],[6,7],[9,9]]}"#),
            ("u:3", true, r#"{"u:":[[4,4],[6,7],[9,9]]}"#),
            ("u:7", true, r#"{"u:":[[4,4],[6,6],[9,9]]}"#),
            ("u:9", true, r#"{"u:":[[4,4],[6,6]]}"#),
            ("v:4", false, r#"{"u:":[[4,4],[6,6]]}"#),
            ("u:4", true, r#"{"u:":[[6,6]]}"#),
            ("u:6", true, "{}"),
        ] {
            assert_eq!(left(gtid), (removed, gtids.to_owned()), "{gtid}");
        }
    }

    #[test]
    fn a_transaction_is_known_by_the_name_that_a_person_is_shown() {
        let names: Names =
            serde_json::from_str(r#"{"gtids":{"u:":[[3,7]]},"places":{"b.000009":[500,900]}}"#)
                .unwrap();
        for (name, held) in [
            ("u:3", true),
            ("u:8", false),
            ("b.000009:500", true),
            ("b.000009:901", false),
            ("b.000010:500", false),
            ("nothing", false),
        ] {
            assert_eq!(names.holds_name(name), held, "{name}");
        }
        let mut told = String::new();
        names.tell(&mut told);
        assert_eq!(
            told,
            "gtid u:3-7
place b.000009:900
"
        );
    }
}
