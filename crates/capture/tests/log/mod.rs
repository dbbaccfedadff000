//! Handmade events, and what became of them.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test; each binary uses its own part"
)]

use std::collections::BTreeMap;

use datain_binlog::ChecksumAlgorithm;
use datain_capture::assembler::Assembler;
use datain_capture::checkpoint::State;
use datain_capture::gtids::Gtids;
use datain_capture::position::Position;
use datain_contract::types::{Batch, Change};
use datain_row_block::{ColumnKind, Operation, RowSetReader, open_block};
use datain_sql_statement::TableFilter;

/// Written by MySQL 9.7, see crates/binlog/tests/data/make.sh.
pub const FILE: &[u8] = include_bytes!("../../../binlog/tests/data/minimal-metadata.binlog");

/// Where its XA transaction begins.
pub const XA_AT: usize = 162_999;

/// The events of the file before its XA transaction.
pub fn events() -> Vec<&'static [u8]> {
    events_until(XA_AT)
}

/// The events of the file before an offset.
pub fn events_until(end: usize) -> Vec<&'static [u8]> {
    let mut rest = &FILE[4..end];
    let mut events = Vec::new();
    while !rest.is_empty() {
        let size = u32::from_le_bytes(rest[9..13].try_into().unwrap()) as usize;
        let (event, tail) = rest.split_at(size);
        events.push(event);
        rest = tail;
    }
    events
}

/// An event with checksum.
pub fn event(type_code: u8, flags: u16, log_pos: u32, body: &[u8]) -> Vec<u8> {
    let mut event = vec![0; 19];
    event[4] = type_code;
    event[9..13].copy_from_slice(&((19 + body.len() + 4) as u32).to_le_bytes());
    event[13..17].copy_from_slice(&log_pos.to_le_bytes());
    event[17..19].copy_from_slice(&flags.to_le_bytes());
    event.extend_from_slice(body);
    event.extend_from_slice(&[0; 4]);
    seal(&mut event);
    event
}

/// Puts the right checksum at an event's end.
pub fn seal(event: &mut [u8]) {
    let (bytes, stored) = event.split_last_chunk_mut::<4>().unwrap();
    *stored = crc32fast::hash(bytes).to_le_bytes();
}

/// By GTID from the start, or by file and position.
pub fn assembler(by_gtid: bool, max_row_bytes: u64) -> Assembler {
    assembler_of(by_gtid, &[], max_row_bytes, 0)
}

/// The same for some tables, behind the transaction of this ordinal.
pub fn assembler_of(
    by_gtid: bool,
    include: &[&str],
    max_row_bytes: u64,
    ordinal: u64,
) -> Assembler {
    let state = State {
        server_uuid: String::new(),
        position: Position {
            file: "binlog.000001".to_owned(),
            offset: 4,
        },
        gtids: by_gtid.then(|| Gtids::none(false)),
        file_began: None,
        copy: None,
        aside: None,
        scope: None,
        temporary: datain_capture::temporary::TemporaryTables::default(),
    };
    let include: Vec<String> = include.iter().map(|s| (*s).to_owned()).collect();
    let filter = TableFilter::new(&include, &[]).unwrap();
    Assembler::new(
        state,
        ordinal,
        ChecksumAlgorithm::Crc32,
        filter,
        max_row_bytes,
    )
}

/// Rows as text, by table and operation, in order; and where transactions ended.
pub fn rows(batches: &[Batch]) -> Vec<String> {
    let mut kinds: BTreeMap<u32, (String, Vec<ColumnKind>)> = BTreeMap::new();
    let mut out = Vec::new();
    for batch in batches {
        for table in &batch.tables {
            let list = table
                .columns
                .iter()
                .map(|c| ColumnKind::try_from(c.kind).unwrap())
                .collect();
            kinds.insert(table.id, (table.name.clone(), list));
        }
        for transaction in &batch.transactions {
            for change in &transaction.changes {
                let Change::Rows(set) = change else { continue };
                let (name, kinds) = &kinds[&set.table];
                let operation = match set.operation {
                    datain_contract::types::Operation::Insert => Operation::Insert,
                    datain_contract::types::Operation::Update => Operation::Update,
                    datain_contract::types::Operation::Delete => Operation::Delete,
                };
                let bytes = open_block(&batch.rows, set.offset, set.length).unwrap();
                let mut reader = RowSetReader::new(kinds, operation, set.count, bytes).unwrap();
                while let Some(row) = reader.next_row().unwrap() {
                    let images = [row.before, row.after].map(|i| {
                        i.map(|i| i.values().map(|v| format!("{v:?}")).collect::<Vec<_>>())
                    });
                    out.push(format!("{name} {operation:?} {images:?}"));
                }
            }
            if transaction.last {
                out.push(format!("end of {:?}", transaction.gtid));
            }
        }
    }
    out
}
