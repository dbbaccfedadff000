//! GTID sets: the binary form, the text form, and what is computed with them.
//!
//! The first byte chooses. Whatever is read is written in both forms and read back; unions and differences of sets with small numbers are held against
//! plain sets of GTIDs.

use std::collections::BTreeSet;

use datain_binlog::{Gtid, GtidSet, Tag, Uuid};

use crate::input::Input;

/// Reads or computes.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    match input.u8() % 4 {
        0 => {
            if let Ok(set) = GtidSet::decode(input.rest()) {
                check(&set);
            }
        }
        1 => {
            let Ok(text) = std::str::from_utf8(input.rest()) else {
                return;
            };
            if let Ok(set) = text.parse::<GtidSet>() {
                check(&set);
            }
        }
        2 => {
            let Ok(text) = std::str::from_utf8(input.rest()) else {
                return;
            };
            if let Ok(gtid) = text.parse::<Gtid>() {
                assert!(gtid.is_valid());
                assert_eq!(gtid.to_string().parse::<Gtid>(), Ok(gtid));
                let mut set = GtidSet::new();
                set.add(gtid);
                assert!(set.contains(&gtid) && set.count() == 1);
                check(&set);
            }
        }
        _ => compute(input),
    }
}

/// What holds for every set.
fn check(set: &GtidSet) {
    for (_, _, intervals) in set.iter() {
        assert!(!intervals.is_empty());
        assert!(intervals.iter().all(|i| 1 <= i.first && i.first <= i.last));
        assert!(
            intervals.windows(2).all(|w| w[0].last + 1 < w[1].first),
            "intervals overlap or touch"
        );
    }
    for text in [set.to_string(), format!("{set:#}")] {
        assert_eq!(text.parse::<GtidSet>().as_ref(), Ok(set));
    }
    assert_eq!(GtidSet::decode(&set.encode()).as_ref(), Ok(set));
    assert!(set.is_subset_of(set));
    assert_eq!(&set.union(set), set);
    assert!(set.subtract(set).is_empty());
    assert_eq!(set.is_empty(), set.count() == 0);
}

type Plain = BTreeSet<(u8, bool, u64)>;

/// Up to three sets of numbers below 64, of two servers with and without a tag, once as sets of intervals and once as they are.
fn compute(mut input: Input<'_>) {
    let mut sets = [(); 3].map(|()| (GtidSet::new(), Plain::new()));
    while !input.is_empty() {
        let (which, at, length) = (input.u8(), input.u8(), input.u8());
        let (set, plain) = &mut sets[usize::from(which % 3)];
        let (server, tagged) = (which >> 2 & 1, which & 8 != 0);
        let first = u64::from(at % 63) + 1;
        let last = (first + u64::from(length % 12)).min(63);
        if which & 0x80 != 0 && set.count() > 0 {
            // Taking away, as well as adding.
            let mut gone = GtidSet::new();
            gone.add_interval(uuid(server), tag(tagged), first, last);
            *set = set.subtract(&gone);
            plain.retain(|(s, t, n)| !(*s == server && *t == tagged && (first..=last).contains(n)));
        } else {
            set.add_interval(uuid(server), tag(tagged), first, last);
            plain.extend((first..=last).map(|n| (server, tagged, n)));
        }
    }
    for (set, plain) in &sets {
        check(set);
        same(set, plain);
    }
    let [a, b, c] = &sets;
    same(&a.0.union(&b.0), &a.1.union(&b.1).copied().collect());
    same(
        &a.0.subtract(&b.0),
        &a.1.difference(&b.1).copied().collect(),
    );
    let (union, difference) = (a.0.union(&b.0), c.0.subtract(&a.0));
    check(&union);
    check(&difference);
    assert_eq!(a.0.is_subset_of(&b.0), a.1.is_subset(&b.1));
    assert!(a.0.is_subset_of(&union) && difference.is_subset_of(&c.0));
}

fn uuid(server: u8) -> Uuid {
    Uuid([server + 1; 16])
}

fn tag(tagged: bool) -> Tag {
    Tag::new(if tagged { b"blue" } else { b"" }).expect("a valid tag")
}

fn same(set: &GtidSet, plain: &Plain) {
    assert_eq!(set.count(), plain.len() as u64);
    for (server, tagged, number) in plain {
        assert!(set.contains(&Gtid {
            uuid: uuid(*server),
            tag: tag(*tagged),
            number: *number,
        }));
    }
}
