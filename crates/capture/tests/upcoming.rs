//! The transaction after a checkpoint, over a real log: each one is found where the stream has it, with the same rows, and also when an event in it is damaged.

#![allow(clippy::unwrap_used, reason = "a test")]

use datain_binlog::{ChecksumAlgorithm, EventHeader, EventType};
use datain_capture::checkpoint::State;
use datain_capture::gtids::Gtids;
use datain_capture::position::Position;
use datain_capture::upcoming::{Upcoming, Walk};
use datain_sql_statement::TableFilter;

/// Written by MySQL 9.7, see crates/binlog/tests/data/make.sh.
const FILE: &[u8] = include_bytes!("../../binlog/tests/data/minimal-metadata.binlog");

fn begin() -> State {
    State {
        server_uuid: String::new(),
        position: Position {
            file: "binlog.000001".to_owned(),
            offset: 4,
        },
        gtids: Some(Gtids::none(false)),
        file_began: None,
        copy: None,
        aside: None,
        scope: None,
        temporary: datain_capture::temporary::TemporaryTables::default(),
    }
}

/// All transactions of a log, each found by a walk of its own that begins where the last one ended.
fn transactions(log: &[u8]) -> Vec<Upcoming> {
    let mut rest = &log[4..];
    let mut events = Vec::new();
    while !rest.is_empty() {
        let size = EventHeader::parse(rest).unwrap().event_size as usize;
        let (event, tail) = rest.split_at(size);
        events.push(event);
        rest = tail;
    }
    let filter = || TableFilter::new(&["types.*".to_owned()], &[]).unwrap();
    let mut all = Vec::new();
    let mut walk = Walk::new(begin(), ChecksumAlgorithm::Crc32, filter());
    for event in events {
        if let Some(found) = walk.event(event).unwrap() {
            walk = Walk::new(found.after.clone(), ChecksumAlgorithm::Crc32, filter());
            all.push(found);
        }
    }
    all
}

#[test]
fn transactions_follow_each_other_without_gaps() {
    let all = transactions(FILE);
    assert!(all.len() > 20, "{}", all.len());
    let mut end = None;
    for (number, found) in all.iter().enumerate() {
        // The log holds compressed transactions, too.
        assert_eq!(found.unreadable, None, "{found:?}");
        assert!(found.gtid.is_some());
        assert_eq!(
            found
                .after
                .gtids
                .as_ref()
                .unwrap()
                .count_beyond(&Gtids::none(false)),
            number as u64 + 1
        );
        if let Some(end) = end.replace(found.after.position.clone()) {
            assert_eq!(found.begins, end);
        }
        assert_eq!(
            found.begins.offset + found.bytes,
            found.after.position.offset
        );
    }
    let inserted: u64 = all
        .iter()
        .flat_map(|t| t.tables.values())
        .map(|t| t.inserted)
        .sum();
    let statements: usize = all.iter().map(|t| t.statements.len()).sum();
    assert!(inserted > 0 && statements > 0, "{inserted} {statements}");
}

#[test]
fn a_damaged_event_is_named_and_passed_over() {
    let whole = transactions(FILE);
    let mut damaged = FILE.to_vec();
    let mut at = 4;
    let mut hit = None;
    while at < damaged.len() {
        let header = EventHeader::parse(&damaged[at..]).unwrap();
        if header.event_type == EventType::WriteRows {
            damaged[at + EventHeader::LEN + 12] ^= 1;
            hit = Some(at as u64);
            break;
        }
        at += header.event_size as usize;
    }
    let hit = hit.unwrap();
    let found = transactions(&damaged);
    assert_eq!(found.len(), whole.len());
    for (found, whole) in found.iter().zip(&whole) {
        let contains = (whole.begins.offset..whole.after.position.offset).contains(&hit);
        if contains {
            assert!(
                found
                    .unreadable
                    .as_ref()
                    .is_some_and(|why| why.contains("checksum")),
                "{found:?}"
            );
        } else {
            assert_eq!(found.unreadable, whole.unreadable);
        }
        assert_eq!((&found.begins, &found.after), (&whole.begins, &whole.after));
    }
}
