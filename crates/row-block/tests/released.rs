//! Version 1 of the row block, byte by byte: what an older plugin wrote is read, and what is written now an older plugin reads.
//!
//! The bytes are spelled out by wit/ROWS.md and not by this crate's writer. A change that makes this test fail is another version.

#![allow(clippy::unwrap_used, reason = "a test")]

use datain_row_block::{
    ColumnKind, Operation, RowSetReader, RowSetWriter, VERSION, Value, Width, begin_block,
    open_block,
};

/// An insert of one row that has every kind, in the order of their codes, with NULL in the first column; a second table's update with images in part.
const BLOCK: &str = "01 \
    ffff3f 010000 \
    0200 030000 04000000 0500000000000000 \
    05000000 2d312e3530 \
    0000c03f 000000000000f83f 0901000000000000 e807 \
    0a000000 323032362d31312d3236 08000000 31323a30303a3030 \
    13000000 323032362d31312d32362031323a30303a3030 13000000 323032362d31312d32362031323a30303a3030 \
    01000000 61 02000000 c3a9 00000000 0200 0500000000000000 \
    00000000 04000000 e6100000 04000000 0000803f \
    01 03 00 07000000 01 08000000";

/// The values of the row, as the reader gives them.
const VALUES: [Value<'static>; 22] = [
    Value::Null,
    Value::Integer(&[2, 0]),
    Value::Integer(&[3, 0, 0]),
    Value::Integer(&[4, 0, 0, 0]),
    Value::Integer(&[5, 0, 0, 0, 0, 0, 0, 0]),
    Value::Text(b"-1.50"),
    Value::Float(1.5),
    Value::Double(1.5),
    Value::Unsigned(0x109),
    Value::Unsigned(2024),
    Value::Text(b"2026-11-26"),
    Value::Text(b"12:00:00"),
    Value::Text(b"2026-11-26 12:00:00"),
    Value::Text(b"2026-11-26 12:00:00"),
    Value::Bytes(b"a"),
    Value::Bytes("é".as_bytes()),
    Value::Bytes(b""),
    Value::Unsigned(2),
    Value::Unsigned(5),
    Value::Bytes(b""),
    Value::Bytes(&[0xe6, 0x10, 0, 0]),
    Value::Bytes(&[0, 0, 0x80, 0x3f]),
];

fn block() -> Vec<u8> {
    let digits: Vec<u8> = BLOCK.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// Where the second row set begins.
fn second(block: &[u8]) -> u32 {
    u32::try_from(block.len() - 12).unwrap()
}

#[test]
fn what_was_written_is_read() {
    let block = block();
    let second = second(&block);
    let insert = open_block(&block, 1, second - 1).unwrap();
    let mut reader = RowSetReader::new(&ColumnKind::ALL, Operation::Insert, 1, insert).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    let after = row.after.unwrap();
    for (column, expected) in VALUES.iter().enumerate() {
        assert_eq!(after.get(column), Some(*expected), "column {column}");
    }
    assert!(reader.next_row().unwrap().is_none());
    let update = open_block(&block, second, 12).unwrap();
    let kinds = [ColumnKind::Int, ColumnKind::Int];
    let mut reader = RowSetReader::new(&kinds, Operation::Update, 1, update).unwrap();
    let row = reader.next_row().unwrap().unwrap();
    let (before, after) = (row.before.unwrap(), row.after.unwrap());
    assert_eq!(before.get(0), Some(Value::Integer(&[7, 0, 0, 0])));
    assert_eq!(before.get(1), None, "absent");
    assert_eq!(after.get(0), Some(Value::Null));
    assert_eq!(after.get(1), Some(Value::Integer(&[8, 0, 0, 0])));
    assert!(reader.next_row().unwrap().is_none());
}

#[test]
fn what_is_written_is_what_was() {
    let mut written = Vec::new();
    begin_block(&mut written);
    let mut writer = RowSetWriter::begin(&mut written, Operation::Insert, None, Some(&[true; 22]));
    let mut image = writer.begin_image(22);
    for (kind, value) in ColumnKind::ALL.iter().zip(VALUES) {
        match (value, kind.width()) {
            (Value::Null, _) => image.push_null(),
            (Value::Float(value), _) => image.push_f32(value),
            (Value::Double(value), _) => image.push_f64(value),
            (Value::Integer(bytes), _) => image.push_fixed(bytes),
            (Value::Unsigned(value), Width::Fixed(width)) => image.push_int(value, width),
            (value, _) => image.push_bytes(value.as_bytes().unwrap()),
        }
    }
    image.finish();
    let (before, after) = ([true, false], [true, true]);
    let mut writer =
        RowSetWriter::begin(&mut written, Operation::Update, Some(&before), Some(&after));
    let mut image = writer.begin_image(1);
    image.push_int(7, 4);
    image.finish();
    let mut image = writer.begin_image(2);
    image.push_null();
    image.push_int(8, 4);
    image.finish();
    assert_eq!(written, block());
}

#[test]
fn another_version_is_refused() {
    assert_eq!(VERSION, 1);
    let mut block = block();
    block[0] = 2;
    assert!(open_block(&block, 1, 10).is_err());
}
