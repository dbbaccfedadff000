//! The same real bytes through mysql_common's parser and through ours: events, table maps and values must agree. mysql_common compiles C code, so this
//! is a native test only.
#![cfg(not(target_family = "wasm"))]

use std::collections::HashMap;

use datain_binlog::{BinlogFile, EventBody, Signedness, TableColumns};
use datain_row_block::{ColumnKind, Image, RowSetReader, Value};
use mysql_common::Value as Theirs;
use mysql_common::binlog::EventStreamReader;
use mysql_common::binlog::consts::BinlogVersion;
use mysql_common::binlog::events::EventData;
use mysql_common::binlog::row::BinlogRow;
use mysql_common::binlog::value::BinlogValue;

fn fraction(digits: u32, microseconds: u32) -> String {
    if digits == 0 {
        return String::new();
    }
    format!(".{microseconds:06}")[..=digits as usize].to_owned()
}

/// mysql_common's value in the form of `ours`; `None` where its form says less than ours.
fn theirs(value: &BinlogValue<'_>, kind: ColumnKind, digits: u32) -> Option<String> {
    let BinlogValue::Value(value) = value else {
        return None;
    };
    Some(match (value, kind) {
        (Theirs::NULL, _) => "NULL".to_owned(),
        // It gives 1900 for the year 0 and seconds for a TIMESTAMP, does not extend the sign of a MEDIUMINT, and has other hours in a long TIME.
        // The server's own text, in real_files.rs, decides on those.
        (
            _,
            ColumnKind::Year | ColumnKind::Timestamp | ColumnKind::Mediumint | ColumnKind::Time,
        ) => return None,
        (Theirs::Int(n), ColumnKind::Enum) => n.to_string(),
        (Theirs::Int(n), _) => n.to_string(),
        (Theirs::UInt(n), _) => n.to_string(),
        (Theirs::Float(n), _) => format!("{n:?}"),
        (Theirs::Double(n), _) => format!("{n:?}"),
        (Theirs::Bytes(bytes), ColumnKind::Bit) => bytes
            .iter()
            .fold(0u64, |sum, b| sum << 8 | u64::from(*b))
            .to_string(),
        (Theirs::Bytes(bytes), ColumnKind::Set) => bytes
            .iter()
            .rev()
            .fold(0u64, |sum, b| sum << 8 | u64::from(*b))
            .to_string(),
        (Theirs::Bytes(bytes), _) => format!("{bytes:02x?}"),
        (Theirs::Date(year, month, day, ..), ColumnKind::Date) => {
            format!(
                "{:02x?}",
                format!("{year:04}-{month:02}-{day:02}").as_bytes()
            )
        }
        (Theirs::Date(year, month, day, hour, minute, second, micro), _) => {
            let fraction = fraction(digits, *micro);
            let text = format!(
                "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}{fraction}"
            );
            format!("{:02x?}", text.as_bytes())
        }
        (Theirs::Time(..), _) => return None,
    })
}

fn ours(value: Value<'_>, signedness: Signedness) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(_) if signedness == Signedness::Unsigned => {
            value.as_u64().expect("a number").to_string()
        }
        Value::Integer(_) => value.as_i64().expect("a number").to_string(),
        Value::Unsigned(n) => n.to_string(),
        Value::Float(n) => format!("{n:?}"),
        Value::Double(n) => format!("{n:?}"),
        Value::Text(bytes) | Value::Bytes(bytes) => format!("{bytes:02x?}"),
    }
}

/// Compares an image; returns how many values were compared.
fn compare(image: Option<Image<'_, '_>>, row: Option<BinlogRow>, table: &TableColumns) -> usize {
    let (Some(image), Some(row)) = (image, row) else {
        return 0;
    };
    // Its rows hold the columns that are present only.
    let present = image
        .values()
        .enumerate()
        .filter_map(|(i, value)| Some((i, value?)));
    let mut compared = 0;
    for (at, (i, value)) in present.enumerate() {
        let column = &table.columns[i];
        let their = row.as_ref(at).expect("as many columns");
        if let Some(text) = theirs(their, column.kind, column.length) {
            assert_eq!(
                ours(value, column.signedness),
                text,
                "column {i} {column:?}"
            );
            compared += 1;
        }
    }
    compared
}

/// Compares a whole file; returns how many values were compared.
fn check(file: &str) -> usize {
    let path = format!("{}/tests/data/{file}", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).expect("the fixture");
    let mut log = BinlogFile::new(&bytes).expect("a binary log");
    let mut rest = &bytes[4..];
    let mut reader = EventStreamReader::new(BinlogVersion::Version4);
    let mut tables: HashMap<u64, TableColumns> = HashMap::new();
    let mut compared = 0;
    while let Some((_, event)) = log.next_event().expect("an event") {
        let other = reader
            .read(&mut rest)
            .expect("an event")
            .expect("as many events");
        let header = other.header();
        assert_eq!(header.timestamp(), event.header.timestamp);
        assert_eq!(header.event_type_raw(), event.header.event_type.code());
        assert_eq!(header.server_id(), event.header.server_id);
        assert_eq!(header.event_size(), event.header.event_size);
        assert_eq!(header.log_pos(), event.header.log_pos);
        assert_eq!(header.flags_raw(), event.header.flags.0);
        let body = event.parse(log.format()).expect("a known body");
        let Ok(Some(data)) = other.read_data() else {
            continue;
        };
        match (body, data) {
            (EventBody::TableMap(map), EventData::TableMapEvent(other)) => {
                assert_eq!(map.table_id, other.table_id());
                assert_eq!(map.schema, other.database_name());
                assert_eq!(map.table, other.table_name());
                assert_eq!(map.column_count() as u64, other.columns_count());
                tables.insert(map.table_id, map.columns().expect("known columns"));
            }
            (EventBody::Query(query), EventData::QueryEvent(other)) => {
                assert_eq!(query.sql, other.query_raw());
                assert_eq!(query.schema.as_bytes(), other.schema_raw());
                assert_eq!(query.thread_id, other.thread_id());
                assert_eq!(query.error_code, other.error_code());
            }
            (EventBody::Gtid(gtid), EventData::GtidEvent(other)) => {
                let id = gtid.gtid.expect("gtid_mode is ON");
                assert_eq!((id.uuid.0, id.number), (other.sid(), other.gno()));
                assert_eq!(gtid.last_committed, other.last_committed() as i64);
                assert_eq!(gtid.sequence_number, other.sequence_number() as i64);
            }
            (EventBody::Xid(xid), EventData::XidEvent(other)) => assert_eq!(xid, other.xid),
            (EventBody::Rows(rows), EventData::RowsEvent(other)) => {
                let table = &tables[&rows.table_id];
                let map = reader.get_tme(rows.table_id).expect("the same map");
                let mut block = Vec::new();
                let count = rows.transcode(table, &mut block).expect("rows");
                let kinds = table.kinds();
                let mut set =
                    RowSetReader::new(&kinds, rows.operation, count, &block).expect("a row set");
                for pair in other.rows(map) {
                    let (before, after) = pair.expect("a row");
                    let row = set.next_row().expect("valid").expect("as many rows");
                    compared += compare(row.before, before, table);
                    compared += compare(row.after, after, table);
                }
                assert!(set.next_row().expect("valid").is_none());
            }
            _ => {}
        }
    }
    compared
}

#[test]
fn minimal_metadata() {
    assert!(check("minimal-metadata.binlog") > 500);
}

#[test]
fn full_metadata() {
    assert!(check("full-metadata.binlog") > 500);
}

#[test]
fn minimal_images() {
    assert!(check("minimal-image.binlog") > 300);
}
