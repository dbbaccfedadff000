//! Seeds from binary logs.

use std::collections::BTreeSet;

use datain_binlog::{
    BinlogFile, ChecksumAlgorithm, Event, EventBody, FormatDescription, MAGIC, TableColumns,
};
use datain_row_block::{
    ColumnKind, JSON_CHANGES, JsonChange, JsonOperation, Operation, RowSetReader, Value,
};

use crate::{Seeds, chunk, file};

const DATA: &str = "crates/binlog/tests/data/";
const FILES: [&str; 4] = [
    "full-metadata.binlog",
    "minimal-metadata.binlog",
    "minimal-image.binlog",
    "mysql-5.6-rows-v1.binlog",
];

/// Calls `each` with every event of a log, whole and split.
fn each_event(name: &str, mut each: impl FnMut(&[u8], &Event<'_>, EventBody<'_>)) {
    let bytes = file(&format!("{DATA}{name}"));
    let mut log = BinlogFile::new(&bytes).expect("a binary log");
    while let Some((at, event)) = log.next_event().expect("an event") {
        let whole = &bytes[at as usize..][..event.header.event_size as usize];
        let body = event.parse(log.format()).expect("a good event");
        each(whole, &event, body);
    }
}

/// Whole short files; of the others the transactions, each behind its file's first event, and the same in the framed form.
pub fn events() {
    let mut seeds = Seeds::of("events", 12_000);
    for name in [
        "full-metadata-next.binlog",
        "no-checksum-next.binlog",
        FILES[3],
    ] {
        seeds.add([&[0, 0, 9][..], &file(&format!("{DATA}{name}"))].concat());
    }
    let mut kinds = BTreeSet::new();
    for name in FILES {
        let (mut first, mut whole, mut framed, mut kind) = (vec![], vec![], vec![], vec![]);
        let mut put = |first: &[u8], whole: &[u8], framed: &[u8], kind: &[u8]| {
            // Three of a kind show different tables and statements.
            let news = (0..3).any(|n| kinds.insert((n, kind.to_vec())));
            if news && whole.len() < 900 {
                seeds.add([&[0, 0, 100], &MAGIC[..], first, whole].concat());
                seeds.add([&[1, 0, 0x80 | 31], framed].concat());
                seeds.add([&[1 | 2 | 64, 60, 0x80 | 6], framed].concat());
            }
        };
        each_event(name, |bytes, event, body| {
            let code = event.header.event_type.code();
            match body {
                EventBody::FormatDescription(_) => {
                    first = bytes.to_vec();
                    return;
                }
                // A transaction begins.
                EventBody::Gtid(_) => {
                    put(&first, &whole, &framed, &kind);
                    (whole, framed, kind) = (vec![], vec![], vec![]);
                }
                _ => {}
            }
            whole.extend_from_slice(bytes);
            if let Ok(length) = u16::try_from(event.body().len()) {
                let flags = event.header.flags.0 as u8 & !2;
                framed.extend_from_slice(&[code, flags]);
                framed.extend_from_slice(&length.to_le_bytes());
                framed.extend_from_slice(event.body());
            }
            kind.push(code);
        });
        put(&first, &whole, &framed, &kind);
    }
    // What a dump sends and no file holds: the artificial Rotate, and heartbeats of both versions.
    let rotate = [&4_u64.to_le_bytes()[..], b"binlog.000002"].concat();
    let mut framed = vec![1, 0, 0];
    let heartbeat = b"\x01\x0dbinlog.000002\x02\x02\xc4\x09\x00";
    for (code, flags, body) in [
        (4, 0x20, &rotate[..]),
        (27, 0, b"binlog.000002"),
        (41, 0, heartbeat),
    ] {
        framed.extend_from_slice(&[code, flags]);
        framed.extend_from_slice(&chunk(body));
    }
    seeds.add(framed);
}

/// The insides of compressed transactions, as zstd compresses them at two levels, and not at all.
pub fn payload() {
    let mut seeds = Seeds::of("payload", 1500);
    let mut inside: Vec<u8> = Vec::new();
    let mut open = false;
    each_event(FILES[1], |_, found, body| {
        open |= matches!(&body, EventBody::Query(query) if query.sql == b"BEGIN");
        if !open {
            return;
        }
        let code = found.header.event_type.code();
        inside.extend(datain_fuzz::events::event(code, 0, 0, found.body()));
        if matches!(body, EventBody::Xid(_)) {
            let plain = std::mem::take(&mut inside);
            open = false;
            seeds.add([&[0, 50], &datain_fuzz::events::payload(&plain, false)[..]].concat());
            seeds.add([&[0, 7], &datain_fuzz::events::payload(&plain, true)[..]].concat());
            for level in [3, 19] {
                let data = zstd::bulk::compress(&plain, level).expect("it can be compressed");
                let mut body = vec![2, 1, 0, 3, 3, 0xfc];
                let Ok(length) = u16::try_from(plain.len()) else {
                    continue;
                };
                body.extend_from_slice(&length.to_le_bytes());
                body.push(0);
                body.extend_from_slice(&data);
                seeds.add([&[level as u8 & 1, 33], &body[..]].concat());
            }
        }
    });
}

/// Table maps, rows with their table map, the row sets that are made of them, and the JSON documents in those.
pub fn tables_and_rows() {
    let mut maps = Seeds::of("table_map", 2000);
    let mut rows = Seeds::of("rows", 2500);
    let mut sets = Seeds::of("row_block", 1500);
    let mut documents = Seeds::of("json", 600);
    for name in FILES {
        let mut table: Option<(Vec<u8>, TableColumns)> = None;
        let mut with_json: Option<Vec<u8>> = None;
        each_event(name, |_, event, body| match body {
            EventBody::TableMap(map) => {
                maps.add([&[0], event.body()].concat());
                let columns = map.columns().expect("known columns");
                let kinds = columns.kinds();
                if kinds.len() < 9 && kinds.contains(&ColumnKind::Json) {
                    with_json = Some(event.body().to_vec());
                }
                table = Some((event.body().to_vec(), columns));
            }
            EventBody::Rows(found) if !found.is_dummy() => {
                let (map, columns) = table.as_ref().expect("a table map before its rows");
                let code = event.header.event_type.code();
                let at = [30, 31, 32, 23, 24, 25].iter().position(|t| *t == code);
                let at = at.expect("a rows event") as u8;
                rows.add([&[at], &chunk(map)[..], event.body()].concat());
                let mut set = Vec::new();
                let count = found.transcode(columns, &mut set).expect("good rows");
                let kinds = columns.kinds();
                row_set(&mut sets, &kinds, found.operation, count, &set);
                documents_in(&mut documents, &kinds, found.operation, count, &set);
            }
            _ => {}
        });
        if let Some(map) = with_json {
            partial_update(&mut rows, &map);
        }
    }
    changes();
    sets.add(b"\x80\x01\0\0\0\x03\0\0\0\x01abc".to_vec());
}

/// An update of all columns to NULL, but for a change of the first JSON column: made after `rows_event.h`.
fn partial_update(seeds: &mut Seeds, map: &[u8]) {
    const LIST: &[u8] = b"\x00\x03$.a\x02\x04\x01\x02\x04$[1]\x01\x03$.b\x03\x05\x07\x00";
    datain_fuzz::table_map::with_map(
        &FormatDescription::assumed(ChecksumAlgorithm::Off),
        map,
        |found| {
            let kinds = found.columns().expect("known columns").kinds();
            let json = kinds.iter().position(|kind| *kind == ColumnKind::Json);
            let nulls = 0xff_u8 & !(1 << json.expect("one is there"));
            let mut body = map[..8].to_vec();
            body.extend_from_slice(&[2, 0, kinds.len() as u8, 0xff, 0xff, 0xff, 1, 0xff, nulls]);
            body.extend_from_slice(&(LIST.len() as u32).to_le_bytes());
            body.extend_from_slice(LIST);
            seeds.add([&[6], &chunk(map)[..], &body[..]].concat());
        },
    );
}

/// Lists of changes in the row block's form.
fn changes() {
    let mut seeds = Seeds::of("json_changes", 200);
    let (replace, insert, remove) = (
        JsonOperation::Replace,
        JsonOperation::Insert,
        JsonOperation::Remove,
    );
    let text = &b"\x0c\x03abc"[..];
    for list in [
        &[][..],
        &[(replace, "$.a", Some(&[4, 1][..]))],
        &[
            (remove, "$[0]", None),
            (insert, "$.\"\u{e9}\"[last]", Some(text)),
        ],
        &[(insert, "$.a.b[2]", Some(&[]))],
    ] {
        let mut value = vec![JSON_CHANGES];
        for (operation, path, value_at) in list {
            let change = JsonChange {
                operation: *operation,
                path,
                value: *value_at,
            };
            change.push(&mut value);
        }
        seeds.add(value);
    }
}

fn row_set(seeds: &mut Seeds, kinds: &[ColumnKind], operation: Operation, count: u32, set: &[u8]) {
    let Ok(columns) = u8::try_from(kinds.len()) else {
        return;
    };
    if columns < 40 && count < 16 {
        let choice = match operation {
            Operation::Insert => 0,
            Operation::Update => 1,
            Operation::Delete => 2,
        };
        let codes: Vec<u8> = kinds.iter().map(|kind| kind.code() - 1).collect();
        seeds.add([&[choice, columns], &codes[..], &[count as u8], set].concat());
    }
}

fn documents_in(
    seeds: &mut Seeds,
    kinds: &[ColumnKind],
    operation: Operation,
    count: u32,
    set: &[u8],
) {
    let mut reader = RowSetReader::new(kinds, operation, count, set).expect("our own row set");
    while let Some(row) = reader.next_row().expect("our own row") {
        for image in [row.before, row.after].into_iter().flatten() {
            for (kind, value) in kinds.iter().zip(image.values()) {
                if let (ColumnKind::Json, Some(Value::Bytes(bytes))) = (kind, value) {
                    seeds.add(bytes.to_vec());
                }
            }
        }
    }
}
