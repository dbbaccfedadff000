//! What `--stats` says.

use std::collections::BTreeMap;

use crate::{FILE, MYSQL_5_6, code, offsets, read, read_with, transactions};

/// fidelity: file | --stats | events and bytes by type, and whole transactions, as the file holds them
#[test]
fn events_are_counted_without_looking_at_rows() {
    let starts = offsets(FILE);
    let mut expected = BTreeMap::<u8, (u64, u64)>::new();
    for pair in starts.windows(2) {
        let count = expected.entry(FILE[pair[0] + 4]).or_default();
        count.0 += 1;
        count.1 += (pair[1] - pair[0]) as u64;
    }
    let gtids = expected.get(&33).map_or(0, |c| c.0) + expected.get(&42).map_or(0, |c| c.0);
    let found = read_with(&[FILE], true, 4096, 64 << 20);
    assert_eq!(code(&found.ended), "ok");
    let counted: BTreeMap<_, _> = found
        .counts
        .by_type
        .iter()
        .map(|(code, count)| (*code, (count.events, count.bytes)))
        .collect();
    assert_eq!(counted, expected);
    assert_eq!(found.counts.transactions, gtids);
    assert!(found.batches.is_empty());
    // Without Gtid events the transactions are told by their ends.
    let old = read_with(&[MYSQL_5_6], true, 4096, 64 << 20);
    assert_eq!(code(&old.ended), "ok");
    let printed = read(&[MYSQL_5_6]);
    assert_eq!(code(&printed.ended), "ok", "{:?}", printed.ended);
    assert_eq!(old.counts.transactions, transactions(&printed).len() as u64);
    // Damage ends the counting too, after what was counted.
    let mut damaged = FILE.to_vec();
    damaged[starts[20] + 25] ^= 1;
    let found = read_with(&[&damaged], true, 4096, 64 << 20);
    assert_eq!(code(&found.ended), "binlog.checksum");
    assert_eq!(
        found.counts.by_type.values().map(|c| c.events).sum::<u64>(),
        20
    );
    let cut = read_with(&[&FILE[..starts[20]]], true, 4096, 64 << 20);
    let inside = cut.counts.is_inside();
    assert_eq!(code(&cut.ended) == "binlog.truncated-transaction", inside);
}
