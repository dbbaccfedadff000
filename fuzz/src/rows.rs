//! Row images: a table map and a rows event for it, decoded to a row set, read as a sink reads it, and printed as `datain tail` prints it.

use datain_binlog::{ChecksumAlgorithm, Event, EventBody, FormatDescription, Signedness};
use datain_change_json as tail;
use datain_row_block::RowSetReader;

use crate::batch;
use crate::events::event;
use crate::input::Input;
use crate::json::is_json;
use crate::table_map::with_map;

/// Types of rows events: of both versions, and the one with changes of JSON documents.
const TYPES: [u8; 7] = [30, 31, 32, 23, 24, 25, 39];

/// Decodes the event's rows and reads them again.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let kind = TYPES[usize::from(input.u8()) % TYPES.len()];
    let (map, rows) = (input.chunk(), input.rest());
    let format = FormatDescription::assumed(ChecksumAlgorithm::Off);
    with_map(&format, map, |map| {
        let Ok(mut columns) = map.columns() else {
            return;
        };
        let bytes = event(kind, 0, 0, rows);
        let event = Event::split(&bytes, ChecksumAlgorithm::Off).expect("the header is right");
        let Ok(EventBody::Rows(rows)) = event.parse(&format) else {
            return;
        };
        columns.table_id = rows.table_id;
        let mut set = b"before".to_vec();
        let Ok(count) = rows.transcode(&columns, &mut set) else {
            assert_eq!(set, b"before", "something was left behind");
            return;
        };
        let set = &set[6..];
        assert!(set.len() <= 64 * bytes.len());
        read(&columns, rows.operation, count, set, map);
    });
}

fn read(
    columns: &datain_binlog::TableColumns,
    operation: datain_row_block::Operation,
    count: u32,
    set: &[u8],
    map: &datain_binlog::TableMap<'_>,
) {
    let kinds = columns.kinds();
    let printed = printed(columns, map);
    let mut reader = RowSetReader::new(&kinds, operation, count, set).expect("our own row set");
    let transaction = transaction();
    let (mut seen, mut line) = (0, Vec::new());
    while let Some(row) = reader.next_row().expect("our own row") {
        seen += 1;
        for image in [row.before, row.after].into_iter().flatten() {
            for (kind, value) in kinds.iter().zip(image.values()) {
                if let Some(value) = value {
                    batch::value(*kind, &value);
                }
            }
        }
        line.clear();
        let place = tail::Place {
            row: 0,
            total_order: 1,
            data_collection_order: 1,
            now_millis: 0,
        };
        let id = transaction.id();
        match tail::write_row(
            &mut line,
            &transaction,
            &id,
            &printed,
            operation,
            &row,
            &place,
        ) {
            Ok(()) => is_json(std::str::from_utf8(&line).expect("JSON is UTF-8")),
            Err(_) => assert!(line.is_empty(), "half a line"),
        }
    }
    assert_eq!(seen, count);
}

fn printed(
    columns: &datain_binlog::TableColumns,
    map: &datain_binlog::TableMap<'_>,
) -> tail::Table {
    let names = tail::numbered_names(columns.columns.len());
    let columns = columns
        .columns
        .iter()
        .zip(names)
        .map(|(column, name)| tail::Column {
            name,
            kind: column.kind,
            signedness: match column.signedness {
                Signedness::Signed => tail::Signedness::Signed,
                Signedness::Unsigned => tail::Signedness::Unsigned,
                Signedness::Unknown => tail::Signedness::Unknown,
            },
            collation: column.collation,
            length: column.length,
        });
    tail::Table::new(
        map.schema.to_owned(),
        map.table.to_owned(),
        columns.collect(),
    )
}

fn transaction() -> tail::Transaction<'static> {
    tail::Transaction {
        pipeline: "fuzz",
        gtid: None,
        file: "binlog.000001",
        offset: 4,
        committed_at_micros: 0,
        xid: None,
    }
}
