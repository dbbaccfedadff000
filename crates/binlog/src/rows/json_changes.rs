//! After images in which JSON documents may be given by their changes (`binlog_row_value_options = PARTIAL_JSON`): the image of `Partial_update_rows` in MySQL's
//! `rows_event.h`, and the changes of `Json_diff_vector` in its `json_diff.h`.
//!
//! Before its null bitmap such an image has the value options, and, if their bit PARTIAL_JSON_UPDATES is set, a bit for every JSON column of the table, present or
//! not, which says that the value is a list of changes. An empty list leaves the document as it is.

use datain_row_block::{Bitmap, JSON_CHANGES, JsonChange, JsonOperation};

use crate::cursor::Cursor;
use crate::error::{BinlogError, Malformed, Problem};
use crate::rows::decoder::push_bitmap;
use crate::rows::event::EVENT;
use crate::rows::value::Decoder;

const PARTIAL_JSON_UPDATES: u64 = 1;

/// Where the JSON columns are.
#[derive(Debug)]
pub(crate) struct PartialImage {
    /// For each present column its number among the table's JSON columns, if it is one.
    numbers: Vec<Option<usize>>,
    /// Number of JSON columns of the table.
    count: usize,
}

impl PartialImage {
    pub(crate) fn new(is_json: impl Iterator<Item = bool>, present: Option<Bitmap<'_>>) -> Self {
        let mut numbers = Vec::new();
        let mut count = 0;
        for (column, is_json) in is_json.enumerate() {
            if present.is_some_and(|present| present.get(column)) {
                numbers.push(is_json.then_some(count));
            }
            count += usize::from(is_json);
        }
        Self { numbers, count }
    }
}

/// One image. After an error `out` may hold a part of it.
pub(crate) fn image(
    cursor: &mut Cursor<'_>,
    partial: &PartialImage,
    decoders: &[&Decoder],
    out: &mut Vec<u8>,
) -> Result<(), BinlogError> {
    let start = cursor.clone();
    let options = cursor.lenenc("value_options")?;
    let partial_bits = match options {
        0 => &[][..],
        PARTIAL_JSON_UPDATES => cursor.bytes(Bitmap::bytes_for(partial.count), "partial_bits")?,
        other => return Err(start.error("value_options", Problem::Value(other)).into()),
    };
    let nulls = cursor.bytes(Bitmap::bytes_for(decoders.len()), "null_bitmap")?;
    push_bitmap(out, nulls, decoders.len());
    let is_set =
        |bits: &[u8], i: usize| bits.get(i / 8).is_some_and(|byte| byte >> (i % 8) & 1 == 1);
    for (i, decoder) in decoders.iter().enumerate() {
        if is_set(nulls, i) {
            continue;
        }
        match partial.numbers.get(i).copied().flatten() {
            Some(number) if is_set(partial_bits, number) => {
                let length = cursor.u32("length")?;
                let at = cursor.offset();
                let changes = cursor.bytes_u64(u64::from(length), "json_changes")?;
                // The value is here in full: what it lacks is not to come.
                transcode(changes, at, out).map_err(|error| whole(error, at))?;
            }
            _ => decoder.decode(cursor, out)?,
        }
    }
    Ok(())
}

/// Writes the server's list of changes as ROWS.md wants it.
fn transcode(changes: &[u8], at: usize, out: &mut Vec<u8>) -> Result<(), Malformed> {
    let length_at = out.len();
    out.extend_from_slice(&[0; 4]);
    out.push(JSON_CHANGES);
    let mut cursor = Cursor::new(EVENT, changes, at);
    while !cursor.is_at_end() {
        let start = cursor.clone();
        let operation = match cursor.u8("json_operation")? {
            0 => JsonOperation::Replace,
            1 => JsonOperation::Insert,
            2 => JsonOperation::Remove,
            other => return Err(start.error("json_operation", Problem::Value(u64::from(other)))),
        };
        let length = cursor.lenenc("json_path")?;
        let path_at = cursor.clone();
        let path = std::str::from_utf8(cursor.bytes_u64(length, "json_path")?)
            .map_err(|_| path_at.error("json_path", Problem::NotUtf8))?;
        let value = match operation {
            JsonOperation::Remove => None,
            JsonOperation::Replace | JsonOperation::Insert => {
                let length = cursor.lenenc("json_value")?;
                Some(cursor.bytes_u64(length, "json_value")?)
            }
        };
        JsonChange {
            operation,
            path,
            value,
        }
        .push(out);
    }
    // The lengths of the block are longer than those of the log, by less than the four bytes that its own length has to spare only in theory.
    let written = out.len() - length_at - 4;
    let Ok(length) = u32::try_from(written) else {
        return Err(cursor.error("json_changes", Problem::Value(written as u64)));
    };
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

fn whole(error: Malformed, at: usize) -> Malformed {
    match error.problem {
        Problem::Truncated { needed, .. } => Malformed {
            offset: at,
            problem: Problem::Value(needed),
            ..error
        },
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use datain_row_block::JsonChanges;

    use super::*;

    #[test]
    fn changes_are_transcoded_and_broken_ones_are_never_short() {
        // JSON_REPLACE at $.a by true; JSON_REMOVE of $[1].
        let logged = b"\x00\x03$.a\x02\x04\x01\x02\x04$[1]";
        let mut out = Vec::new();
        transcode(logged, 0, &mut out).unwrap();
        assert_eq!(out[..4], (out.len() as u32 - 4).to_le_bytes());
        let read: Vec<_> = JsonChanges::of(&out[4..])
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].path, read[0].value), ("$.a", Some(&[4, 1][..])));
        assert_eq!((read[1].path, read[1].value), ("$[1]", None));
        for end in 1..logged.len() {
            if let Err(error) = transcode(&logged[..end], 0, &mut Vec::new()) {
                let error = whole(error, 0);
                assert!(
                    !matches!(error.problem, Problem::Truncated { .. }),
                    "{error}"
                );
            }
        }
        assert!(transcode(b"\x03\x03$.a", 0, &mut Vec::new()).is_err());
    }

    #[test]
    fn bits_count_json_columns_that_are_absent_too() {
        let bits = [0b1101];
        let partial =
            PartialImage::new([true, true, false, true].into_iter(), Bitmap::new(&bits, 4));
        assert_eq!(partial.numbers, [Some(0), None, Some(2)]);
        assert_eq!(partial.count, 3);
    }
}
