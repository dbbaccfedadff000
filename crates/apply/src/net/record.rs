//! Images of rows, kept until the group is written.

use datain_row_block::{Bitmap, ColumnKind, Image, ImageWriter, Malformed, read_image};

/// Where an image lies in [`Records`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    at: usize,
    length: usize,
}

impl Record {
    /// How long it is.
    pub(super) fn bytes(&self) -> usize {
        self.length
    }
}

/// Images one after another: each the bitmap of the columns that it holds, then its bytes as in a row block.
#[derive(Debug, Default)]
pub(super) struct Records {
    bytes: Vec<u8>,
}

impl Records {
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Keeps an image as it is.
    pub(super) fn keep(&mut self, present: Bitmap<'_>, image: &Image<'_, '_>) -> Record {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(present.as_bytes());
        self.bytes.extend_from_slice(image.as_bytes());
        Record {
            at,
            length: self.bytes.len() - at,
        }
    }

    /// Keeps what [`merge`] wrote.
    pub(super) fn keep_merged(&mut self, merged: &[u8]) -> Record {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(merged);
        Record {
            at,
            length: merged.len(),
        }
    }

    /// The columns that an image holds.
    pub(super) fn present(&self, record: Record, columns: usize) -> Bitmap<'_> {
        let bytes = &self.bytes[record.at..record.at + Bitmap::bytes_for(columns)];
        // `keep` and `keep_merged` wrote as many bytes.
        Bitmap::new(bytes, columns).unwrap_or_else(|| unreachable!())
    }

    /// Reads an image.
    pub(super) fn image<'r, 'a>(
        &'a self,
        record: Record,
        kinds: &'a [ColumnKind],
        offsets: &'r mut Vec<u32>,
    ) -> Result<Image<'r, 'a>, Malformed> {
        let present = self.present(record, kinds.len());
        let start = record.at + present.as_bytes().len();
        let bytes = &self.bytes[start..record.at + record.length];
        read_image(kinds, present, bytes, offsets)
    }
}

/// Writes what comes out when `newer` is laid over `older`: columns that `newer` lacks are those of `older`. For [`Records::keep_merged`].
pub(super) fn merge(older: &Image<'_, '_>, newer: &Image<'_, '_>, out: &mut Vec<u8>) {
    out.clear();
    let columns = newer.len();
    let value = |column| newer.raw(column).or_else(|| older.raw(column));
    out.resize(Bitmap::bytes_for(columns), 0);
    let mut present = 0;
    for column in (0..columns).filter(|c| value(*c).is_some()) {
        out[column / 8] |= 1 << (column % 8);
        present += 1;
    }
    let mut image = ImageWriter::begin(out, present);
    for value in (0..columns).filter_map(value) {
        match value {
            // With their length in front, where they have one.
            Some(bytes) => image.push_fixed(bytes),
            None => image.push_null(),
        }
    }
    image.finish();
}

#[cfg(test)]
mod tests {
    use datain_row_block::{Operation, RowSetReader, RowSetWriter, Value};

    use super::*;

    const KINDS: [ColumnKind; 3] = [ColumnKind::Int, ColumnKind::Varchar, ColumnKind::Varchar];

    /// The after image of an update, whose before image holds the first column only.
    fn updated(present: [bool; 3], write: impl FnOnce(&mut ImageWriter<'_>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut set = RowSetWriter::begin(
            &mut bytes,
            Operation::Update,
            Some(&[true, false, false]),
            Some(present.as_slice()),
        );
        let mut before = set.begin_image(1);
        before.push_int(7, 4);
        before.finish();
        let mut after = set.begin_image(present.iter().filter(|p| **p).count());
        write(&mut after);
        after.finish();
        bytes
    }

    fn values(records: &Records, record: Record) -> Vec<Option<Option<Vec<u8>>>> {
        let mut offsets = Vec::new();
        let image = records.image(record, &KINDS, &mut offsets).unwrap();
        image
            .values()
            .map(|value| {
                value.map(|value| match value {
                    Value::Null => None,
                    Value::Integer(bytes) | Value::Bytes(bytes) => Some(bytes.to_vec()),
                    other => panic!("{other:?}"),
                })
            })
            .collect()
    }

    #[test]
    fn a_newer_image_is_laid_over_an_older_one() {
        let first = updated([false, true, true], |image| {
            image.push_bytes(b"old");
            image.push_null();
        });
        let second = updated([false, true, false], |image| image.push_bytes(b"new"));
        let mut records = Records::default();
        let mut first = RowSetReader::new(&KINDS, Operation::Update, 1, &first).unwrap();
        let row = first.next_row().unwrap().unwrap();
        let (before, after) = (row.before.unwrap(), row.after.unwrap());
        let mut merged = Vec::new();
        merge(&before, &after, &mut merged);
        let older = records.keep_merged(&merged);
        let seven = Some(Some(vec![7, 0, 0, 0]));
        assert_eq!(
            values(&records, older),
            [seven.clone(), Some(Some(b"old".to_vec())), Some(None)]
        );
        let mut second = RowSetReader::new(&KINDS, Operation::Update, 1, &second).unwrap();
        let row = second.next_row().unwrap().unwrap();
        let mut offsets = Vec::new();
        let older = records.image(older, &KINDS, &mut offsets).unwrap();
        merge(&older, &row.after.unwrap(), &mut merged);
        let merged = records.keep_merged(&merged);
        assert_eq!(
            values(&records, merged),
            [seven, Some(Some(b"new".to_vec())), Some(None)]
        );
    }

    #[test]
    fn an_image_is_kept_as_it_is() {
        let set = updated([false, false, true], |image| image.push_bytes(b""));
        let mut reader = RowSetReader::new(&KINDS, Operation::Update, 1, &set).unwrap();
        let present = reader.after_present().unwrap();
        let row = reader.next_row().unwrap().unwrap();
        let mut records = Records::default();
        records.keep(present, &row.after.unwrap());
        let kept = records.keep(present, &row.after.unwrap());
        assert_eq!(values(&records, kept), [None, None, Some(Some(Vec::new()))]);
        assert_eq!(records.present(kept, 3), present);
    }
}
