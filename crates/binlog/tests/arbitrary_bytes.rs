//! No bytes make a parser panic, loop or allocate much: random ones, and real events with bytes changed, cut or put in.

use datain_binlog::{
    BinlogFile, ChecksumAlgorithm, Event, EventBody, EventHeader, FormatDescription, Gtid, GtidSet,
    TableColumns,
};
use proptest::prelude::*;

/// An event with the header that its bytes deserve.
fn event(type_code: u8, body: &[u8]) -> Vec<u8> {
    let mut event = vec![0; EventHeader::LEN];
    event[4] = type_code;
    event[9..13].copy_from_slice(&((EventHeader::LEN + body.len()) as u32).to_le_bytes());
    event.extend_from_slice(body);
    event
}

/// Goes as far with an event as a reader would.
fn explore(bytes: &[u8], table: Option<&TableColumns>) -> Option<TableColumns> {
    let event = Event::split(bytes, ChecksumAlgorithm::Off).ok()?;
    match event
        .parse(&FormatDescription::assumed(ChecksumAlgorithm::Off))
        .ok()?
    {
        EventBody::TableMap(map) => map.columns().ok(),
        EventBody::Rows(rows) => {
            let mut out = Vec::new();
            let mut table = table?.clone();
            table.table_id = rows.table_id;
            let _ = rows.transcode(&table, &mut out);
            // A value grows by a few dozen bytes at most.
            assert!(out.len() <= 64 * bytes.len());
            None
        }
        _ => None,
    }
}

fn real_events() -> Vec<Vec<u8>> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/full-metadata.binlog"
    );
    let bytes = std::fs::read(path).expect("the fixture");
    let mut log = BinlogFile::new(&bytes).expect("a binary log");
    let mut events = Vec::new();
    while let Some((_, found)) = log.next_event().expect("an event") {
        if found.body().len() < 20_000 {
            events.push(event(found.header.event_type.code(), found.body()));
        }
    }
    events
}

proptest! {
    #[test]
    fn any_event(type_code in prop_oneof![0..50u8, any::<u8>()], body in prop::collection::vec(any::<u8>(), 0..200)) {
        explore(&event(type_code, &body), None);
    }

    #[test]
    fn any_file(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"\xfebin".to_vec();
        file.extend(bytes);
        let mut log = BinlogFile::new(&file).expect("the magic is there");
        while let Ok(Some(_)) = log.next_event() {}
    }

    #[test]
    fn any_gtid_set(bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..120), text in "[0-9a-f:, \n_-]{0,60}") {
        if let Ok(set) = GtidSet::decode(&bytes) {
            let again: GtidSet = set.to_string().parse().expect("our own text");
            prop_assert_eq!(again, set);
        }
        let _ = text.parse::<GtidSet>();
        let _ = text.parse::<Gtid>();
    }
}

#[test]
fn changed_real_events() {
    let events = real_events();
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4);
    let mut table: Option<TableColumns> = None;
    for event in &events {
        for _ in 0..100 {
            let tree = changes.new_tree(&mut runner).expect("a value");
            let mut changed = event.clone();
            for (at, byte) in proptest::strategy::ValueTree::current(&tree) {
                let at = EventHeader::LEN + at.index(event.len() - EventHeader::LEN + 1);
                if let Some(old) = changed.get_mut(at) {
                    *old = byte;
                }
            }
            let changed_table = explore(&changed, table.as_ref());
            // An intact rows event against a broken table map, too.
            if let Some(changed_table) = changed_table {
                for event in &events {
                    if matches!(event[4], 30..=32) {
                        explore(event, Some(&changed_table));
                    }
                }
            }
        }
        for cut in 0..event.len().min(300) {
            let short = self::event(event[4], &event[EventHeader::LEN.min(cut)..cut]);
            explore(&short, table.as_ref());
        }
        if let Some(next) = explore(event, None) {
            table = Some(next);
        }
    }
}
