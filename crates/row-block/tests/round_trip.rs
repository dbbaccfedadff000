//! What is written is read back, and no bytes make the reader panic or allocate much.

use datain_row_block::{
    ColumnKind, ImageWriter, Malformed, Operation, RowSetReader, RowSetWriter, Value, Width,
    begin_block, open_block,
};
use proptest::prelude::*;

/// A cell of an image: absent columns are decided per row set, not here.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Null,
    Fixed(u64),
    Bytes(Vec<u8>),
}

fn kind() -> impl Strategy<Value = ColumnKind> {
    prop::sample::select(ColumnKind::ALL.to_vec())
}

fn cell(kind: ColumnKind) -> BoxedStrategy<Cell> {
    let value = match kind.width() {
        Width::Fixed(width) => any::<u64>()
            .prop_map(move |n| Cell::Fixed(n & (u64::MAX >> (64 - 8 * width))))
            .boxed(),
        Width::Prefixed => prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(Cell::Bytes)
            .boxed(),
    };
    prop_oneof![1 => Just(Cell::Null), 3 => value].boxed()
}

#[derive(Debug, Clone)]
struct Set {
    kinds: Vec<ColumnKind>,
    operation: Operation,
    before: Vec<bool>,
    after: Vec<bool>,
    rows: Vec<(Vec<Cell>, Vec<Cell>)>,
}

fn set() -> impl Strategy<Value = Set> {
    let operation = prop_oneof![
        Just(Operation::Insert),
        Just(Operation::Update),
        Just(Operation::Delete)
    ];
    (prop::collection::vec(kind(), 0..20), operation).prop_flat_map(|(kinds, operation)| {
        let columns = kinds.len();
        let present = || prop::collection::vec(any::<bool>(), columns);
        let image = || kinds.iter().map(|k| cell(*k)).collect::<Vec<_>>();
        let rows = prop::collection::vec((image(), image()), 0..6);
        (
            Just(kinds.clone()),
            Just(operation),
            present(),
            present(),
            rows,
        )
            .prop_map(|(kinds, operation, before, after, mut rows)| {
                let used = |wanted: bool, present: &[bool]| wanted && present.contains(&true);
                if !used(operation.has_before(), &before) && !used(operation.has_after(), &after) {
                    // Rows without any column are not allowed.
                    rows.clear();
                }
                Set {
                    kinds,
                    operation,
                    before,
                    after,
                    rows,
                }
            })
    })
}

fn write_image(out: &mut Vec<u8>, kinds: &[ColumnKind], present: &[bool], cells: &[Cell]) {
    let count = present.iter().filter(|p| **p).count();
    let mut image = ImageWriter::begin(out, count);
    for ((kind, _), cell) in kinds
        .iter()
        .zip(present)
        .zip(cells)
        .filter(|((_, p), _)| **p)
    {
        match (cell, kind.width()) {
            (Cell::Null, _) => image.push_null(),
            (Cell::Fixed(n), Width::Fixed(width)) => image.push_int(*n, width),
            (Cell::Bytes(bytes), _) => image.push_bytes(bytes),
            (Cell::Fixed(_), Width::Prefixed) => unreachable!("made by kind"),
        }
    }
    image.finish();
}

fn check_image(image: datain_row_block::Image<'_, '_>, present: &[bool], cells: &[Cell]) {
    assert_eq!(image.values().len(), present.len());
    for (i, value) in image.values().enumerate() {
        assert_eq!(value.is_some(), present[i]);
        match (value, &cells[i]) {
            (None, _) | (Some(Value::Null), Cell::Null) => {}
            (Some(Value::Float(f)), Cell::Fixed(n)) => assert_eq!(u64::from(f.to_bits()), *n),
            (Some(Value::Double(f)), Cell::Fixed(n)) => assert_eq!(f.to_bits(), *n),
            (Some(value), Cell::Fixed(n)) => assert_eq!(value.as_u64(), Some(*n)),
            (Some(value), Cell::Bytes(bytes)) => assert_eq!(value.as_bytes(), Some(&bytes[..])),
            (Some(value), Cell::Null) => panic!("{value:?} is not NULL"),
        }
    }
}

fn write(set: &Set) -> Vec<u8> {
    let mut out = Vec::new();
    RowSetWriter::begin(&mut out, set.operation, Some(&set.before), Some(&set.after));
    for (before, after) in &set.rows {
        if set.operation.has_before() {
            write_image(&mut out, &set.kinds, &set.before, before);
        }
        if set.operation.has_after() {
            write_image(&mut out, &set.kinds, &set.after, after);
        }
    }
    out
}

/// Reads to the end or to the first error.
fn read(
    kinds: &[ColumnKind],
    operation: Operation,
    count: u32,
    bytes: &[u8],
) -> Result<u32, Malformed> {
    let mut reader = RowSetReader::new(kinds, operation, count, bytes)?;
    let mut rows = 0;
    while let Some(row) = reader.next_row()? {
        for image in [row.before, row.after].into_iter().flatten() {
            for value in image.values().flatten() {
                let _ = (value.as_i64(), value.as_u64(), value.as_bytes());
            }
        }
        rows += 1;
    }
    Ok(rows)
}

proptest! {
    #[test]
    fn what_is_written_is_read(set in set()) {
        let bytes = write(&set);
        let count = set.rows.len() as u32;
        let mut reader = RowSetReader::new(&set.kinds, set.operation, count, &bytes).expect("valid");
        for (before, after) in &set.rows {
            let row = reader.next_row().expect("valid").expect("a row");
            prop_assert_eq!(row.before.is_some(), set.operation.has_before());
            prop_assert_eq!(row.after.is_some(), set.operation.has_after());
            if let Some(image) = row.before {
                check_image(image, &set.before, before);
            }
            if let Some(image) = row.after {
                check_image(image, &set.after, after);
            }
        }
        prop_assert!(reader.next_row().expect("valid").is_none());
    }

    #[test]
    fn a_cut_row_set_is_an_error(set in set(), cut in any::<prop::sample::Index>()) {
        let bytes = write(&set);
        prop_assume!(!bytes.is_empty());
        let short = &bytes[..cut.index(bytes.len())];
        prop_assert!(read(&set.kinds, set.operation, set.rows.len() as u32, short).is_err());
    }

    #[test]
    fn a_longer_row_set_is_an_error(set in set(), more in prop::collection::vec(any::<u8>(), 1..10)) {
        let mut bytes = write(&set);
        bytes.extend(more);
        prop_assert!(read(&set.kinds, set.operation, set.rows.len() as u32, &bytes).is_err());
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(
        kinds in prop::collection::vec(kind(), 0..40),
        bytes in prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(4), any::<u8>()], 0..300),
        count in prop_oneof![0..10u32, Just(u32::MAX)],
    ) {
        for operation in [Operation::Insert, Operation::Update, Operation::Delete] {
            let _ = read(&kinds, operation, count, &bytes);
        }
    }
}

#[test]
fn blocks() {
    let mut block = Vec::new();
    begin_block(&mut block);
    block.extend_from_slice(b"abc");
    assert_eq!(open_block(&block, 1, 3), Ok(&b"abc"[..]));
    assert_eq!(open_block(&block, 4, 0), Ok(&b""[..]));
    fn code(block: &[u8], offset: u32, length: u32) -> Result<&[u8], &'static str> {
        open_block(block, offset, length).map_err(|error| error.code())
    }
    assert_eq!(code(&block, 0, 1), Err("row-block.malformed"));
    assert_eq!(code(&block, 2, 3), Err("row-block.malformed"));
    assert_eq!(code(&block, u32::MAX, u32::MAX), Err("row-block.malformed"));
    assert_eq!(code(&[], 0, 0), Err("row-block.malformed"));
    assert_eq!(code(&[2, 0], 1, 1), Err("row-block.version"));
}

#[test]
fn integers_of_every_width() {
    let check = |kind: ColumnKind, bytes: &[u8], signed: i64, unsigned: u64| {
        let mut set = vec![1, 0];
        set.extend_from_slice(bytes);
        let kinds = [kind];
        let mut reader = RowSetReader::new(&kinds, Operation::Insert, 1, &set).expect("valid");
        let row = reader.next_row().expect("valid").expect("a row");
        let value = row.after.and_then(|image| image.get(0)).expect("a value");
        assert_eq!(
            (value.as_i64(), value.as_u64()),
            (Some(signed), Some(unsigned))
        );
    };
    check(ColumnKind::Tinyint, &[0xff], -1, 255);
    check(ColumnKind::Smallint, &[0, 0x80], -32768, 32768);
    check(ColumnKind::Mediumint, &[0, 0, 0x80], -8_388_608, 8_388_608);
    check(
        ColumnKind::Int,
        &[0xfe, 0xff, 0xff, 0xff],
        -2,
        4_294_967_294,
    );
    check(ColumnKind::Bigint, &[0xff; 8], -1, u64::MAX);
}

#[test]
fn kinds_have_their_codes() {
    for code in 0..=255u8 {
        match ColumnKind::try_from(code) {
            Ok(kind) => assert_eq!(kind.code(), code),
            Err(error) => assert_eq!(error.0, code),
        }
    }
    assert_eq!(ColumnKind::Vector.code(), 22);
}

#[test]
fn rows_without_columns_are_refused() {
    let kinds = [ColumnKind::Tinyint];
    assert_eq!(
        read(&kinds, Operation::Update, u32::MAX, &[0, 0]).map_err(|e| e.reason),
        Err("rows without any column")
    );
    assert_eq!(read(&kinds, Operation::Update, 0, &[0, 0]), Ok(0));
    // But for one: an INSERT of defaults alone.
    assert_eq!(read(&kinds, Operation::Insert, 1, &[0]), Ok(1));
    assert!(read(&kinds, Operation::Insert, 2, &[0]).is_err());
    assert!(read(&kinds, Operation::Delete, 1, &[0]).is_err());
}

#[test]
fn unused_bits_must_be_clear() {
    let kinds = [ColumnKind::Tinyint];
    assert!(RowSetReader::new(&kinds, Operation::Insert, 0, &[0x03]).is_err());
    assert_eq!(
        read(&kinds, Operation::Insert, 1, &[0x01, 0x02, 0x00]).map_err(|e| e.reason),
        Err("null bitmap has unused bits set")
    );
}
