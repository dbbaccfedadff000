//! GTID sets: text, binary form and set operations.

use std::collections::BTreeSet;

use datain_binlog::{Gtid, GtidSet, Tag, Uuid};
use proptest::prelude::*;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4cbbf463-e6b6-11f1-a215-02fc00000001";

fn set(text: &str) -> GtidSet {
    text.replace('A', A).replace('B', B).parse().expect(text)
}

/// Text is read and written again in the canonical form; A and B stand for UUIDs.
fn check(text: &str, canonical: &str) {
    let short = set(text).to_string().replace(A, "A").replace(B, "B");
    assert_eq!(short, canonical, "{text}");
    assert_eq!(GtidSet::decode(&set(text).encode()), Ok(set(text)));
}

#[test]
fn text() {
    check("", "");
    check(" ,\n, ", "");
    check("A:1", "A:1");
    check("A:1-5", "A:1-5");
    check("A:5:1-4:7-9", "A:1-5:7-9");
    check("A:7-9:1-3:2-8", "A:1-9");
    check("B:1,\n A : 3 - 4 ,A:1", "A:1:3-4,\nB:1");
    check("A:5-3", "");
    check("A:1:tag:1-3:5", "A:1:tag:1-3:5");
    check("A:tag:1:2,A:9", "A:9:tag:1-2");
    let capitals = format!("{}:1", A.to_uppercase());
    assert_eq!(capitals.parse(), Ok(set("A:1")));
    let tags: GtidSet = format!("{A}:ZZ:1:Aa:2:_x:3").parse().expect("a set");
    assert_eq!(tags, set("A:_x:3:aa:2:zz:1"));
    check("A:9223372036854775806", "A:9223372036854775806");
    assert_eq!(format!("{:#}", set("A:1,B:2")), format!("{A}:1,{B}:2"));
}

#[test]
fn text_that_is_no_set() {
    for bad in [
        "A",
        "A:",
        "A:0",
        "A:1-",
        "A:-1",
        "A:x",
        "A:1:tag",
        "A:9223372036854775807",
        "A:1-0",
        "x:1",
        "A 1",
        "A:1x",
        "A:ta-g:1",
        "A:+1",
        "A:abcdefghijklmnopqrstuvwxyz1234567:1",
    ] {
        let text = bad.replace('A', A);
        assert!(text.parse::<GtidSet>().is_err(), "{bad}");
    }
}

#[test]
fn one_gtid() {
    let check = |text: &str| {
        let gtid: Gtid = text.parse().expect(text);
        assert_eq!(gtid.to_string(), text);
        let mut one = GtidSet::new();
        one.add(gtid);
        assert!(one.contains(&gtid));
        assert_eq!((one.count(), one.to_string()), (1, text.to_owned()));
    };
    check(&format!("{A}:1"));
    check(&format!("{A}:tag_2:77"));
    for bad in [
        "",
        A,
        "x:1",
        &format!("{A}:0"),
        &format!("{A}:t:1:2"),
        &format!("{A}::1"),
    ] {
        assert!(bad.parse::<Gtid>().is_err(), "{bad}");
    }
}

#[test]
fn operations() {
    let (all, some) = (set("A:1-10:t:1-5,B:1"), set("A:3-4:6-7:t:5,B:1"));
    assert!(some.is_subset_of(&all) && !all.is_subset_of(&some));
    assert_eq!(all.subtract(&some), set("A:1-2:5:8-10:t:1-4"));
    assert_eq!(some.subtract(&all), GtidSet::new());
    assert_eq!(some.union(&set("A:5")), set("A:3-7:t:5,B:1"));
    assert_eq!(all.count(), 16);
    assert!(!set("A:t:1").is_subset_of(&set("A:1")));
    assert!(GtidSet::new().is_subset_of(&some));
}

#[test]
fn binary_forms() {
    let mut classic = vec![1, 0, 0, 0, 0, 0, 0, 0];
    classic.extend_from_slice(&Uuid::parse(A).expect("a UUID").0);
    classic.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0]);
    classic.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(set("A:1-5").encode(), classic);
    assert_eq!(GtidSet::decode(&classic), Ok(set("A:1-5")));
    classic.push(0);
    assert!(GtidSet::decode(&classic).is_err());
    // An interval that is empty, one that begins at 0, a count that the bytes do not hold.
    let broken = |at: usize, byte: u8| {
        let mut bytes = set("A:1-5").encode();
        bytes[at] = byte;
        GtidSet::decode(&bytes).expect_err("broken")
    };
    assert_eq!(broken(40, 1).field, "interval_end");
    assert_eq!(broken(32, 0).field, "interval_end");
    assert_eq!(broken(26, 9).field, "interval_start");
    assert_eq!(broken(7, 2).field, "source_count");
}

fn numbers() -> impl Strategy<Value = BTreeSet<u64>> {
    prop::collection::btree_set(1..40u64, 0..30)
}

fn made_of(numbers: &BTreeSet<u64>, shuffle: u64) -> GtidSet {
    let mut list: Vec<u64> = numbers.iter().copied().collect();
    list.sort_by_key(|n| n.wrapping_mul(shuffle | 1) % 41);
    let mut set = GtidSet::new();
    for number in list {
        let uuid = Uuid::parse(A).expect("a UUID");
        set.add(Gtid {
            uuid,
            tag: Tag::NONE,
            number,
        });
    }
    set
}

proptest! {
    /// Sets of numbers are the model.
    #[test]
    fn like_sets_of_numbers(a in numbers(), b in numbers(), shuffle in any::<u64>()) {
        let (x, y) = (made_of(&a, shuffle), made_of(&b, 0));
        prop_assert_eq!(x.count(), a.len() as u64);
        prop_assert_eq!(x.is_subset_of(&y), a.is_subset(&b));
        prop_assert_eq!(x.union(&y), made_of(&a.union(&b).copied().collect(), 0));
        prop_assert_eq!(x.subtract(&y), made_of(&a.difference(&b).copied().collect(), 0));
        prop_assert_eq!(x.to_string().parse::<GtidSet>(), Ok(x.clone()));
        prop_assert_eq!(GtidSet::decode(&x.encode()), Ok(x));
    }
}
