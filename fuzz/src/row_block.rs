//! The row block: arbitrary bytes under random kinds, and what is written from other bytes.
//!
//! A row set that can be read is written again from its values and must be the same bytes: the form is canonical.

use datain_row_block::{
    BlockError, ColumnKind, Image, ImageWriter, Operation, RowSetReader, RowSetWriter, Value,
    Width, begin_block, open_block,
};

use crate::input::Input;

/// Reads, and writes what was read.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    if choice & 0x80 != 0 {
        return block(&mut input);
    }
    let operation = match choice % 3 {
        0 => Operation::Insert,
        1 => Operation::Update,
        _ => Operation::Delete,
    };
    let columns = input.u8() % 40;
    let kinds: Vec<ColumnKind> = input
        .take(usize::from(columns))
        .iter()
        .map(|code| ColumnKind::ALL[usize::from(*code) % ColumnKind::ALL.len()])
        .collect();
    let count = match input.u8() {
        255 => u32::MAX,
        count => u32::from(count % 16),
    };
    let bytes = input.rest();
    let Ok(mut reader) = RowSetReader::new(&kinds, operation, count, bytes) else {
        return;
    };
    let bits = |present: Option<datain_row_block::Bitmap<'_>>| {
        present.map(|bitmap| bitmap.iter().collect::<Vec<bool>>())
    };
    let (before, after) = (bits(reader.before_present()), bits(reader.after_present()));
    let mut again = Vec::new();
    RowSetWriter::begin(&mut again, operation, before.as_deref(), after.as_deref());
    let mut rows = 0;
    loop {
        match reader.next_row() {
            Err(error) => {
                assert!(error.offset <= bytes.len());
                return;
            }
            Ok(None) => break,
            Ok(Some(row)) => {
                rows += 1;
                assert_eq!(row.before.is_some(), operation.has_before());
                assert_eq!(row.after.is_some(), operation.has_after());
                for image in [row.before, row.after].into_iter().flatten() {
                    write(&mut again, &kinds, image);
                }
            }
        }
    }
    assert_eq!((rows, reader.remaining()), (count, 0));
    assert_eq!(again, bytes, "not what was read");
}

/// Writes an image from its values, taken one by one and in order.
fn write(out: &mut Vec<u8>, kinds: &[ColumnKind], image: Image<'_, '_>) {
    let start = out.len();
    let present = image.values().flatten().count();
    let mut writer = ImageWriter::begin(out, present);
    for (column, value) in image.values().enumerate() {
        same(value, image.get(column));
        let Some(value) = value else { continue };
        let _ = (value.as_i64(), value.as_u64(), value.as_bytes());
        match value {
            Value::Null => writer.push_null(),
            Value::Integer(bytes) => writer.push_fixed(bytes),
            Value::Float(number) => writer.push_f32(number),
            Value::Double(number) => writer.push_f64(number),
            Value::Unsigned(number) => match kinds[column].width() {
                Width::Fixed(width) => writer.push_int(number, width),
                Width::Prefixed => panic!("a number of no fixed width"),
            },
            Value::Text(bytes) | Value::Bytes(bytes) => writer.push_bytes(bytes),
        }
    }
    writer.finish();
    assert_eq!(&out[start..], image.as_bytes());
    assert!(image.get(image.len()).is_none());
}

/// By bits, since a NaN is not equal to itself.
fn same(a: Option<Value<'_>>, b: Option<Value<'_>>) {
    match (a, b) {
        (Some(Value::Float(a)), Some(Value::Float(b))) => assert_eq!(a.to_bits(), b.to_bits()),
        (Some(Value::Double(a)), Some(Value::Double(b))) => assert_eq!(a.to_bits(), b.to_bits()),
        _ => assert_eq!(a, b),
    }
}

/// A record's range within a block.
fn block(input: &mut Input<'_>) {
    let (offset, length) = (input.number(4) as u32, input.number(4) as u32);
    let bytes = input.rest();
    match open_block(bytes, offset, length) {
        Ok(set) => {
            assert_eq!(set.len(), length as usize);
            assert_eq!(bytes[0], datain_row_block::VERSION);
            assert!(offset > 0);
        }
        Err(BlockError::Version(version)) => assert_ne!(version, datain_row_block::VERSION),
        Err(_) => {}
    }
    let mut own = Vec::new();
    begin_block(&mut own);
    own.extend_from_slice(bytes);
    let length = u32::try_from(bytes.len()).expect("a short input");
    assert_eq!(open_block(&own, 1, length), Ok(bytes));
    assert!(open_block(&own, 1, length + 1).is_err());
}
