//! Decoding row images straight into a row block.
//!
//! The images of an event and those of the block have the same shape: a null bitmap over the columns that are present, then the values. So the bitmap is
//! copied (the server sets the unused bits of its last byte, the block has them clear), and each value is written by its decoder. Nothing is
//! allocated but in the block itself.

use datain_row_block::{Bitmap, ColumnKind, Operation};

use crate::cursor::Cursor;
use crate::error::{BinlogError, Malformed, Problem};
use crate::rows::event::{EVENT, RowsEvent};
use crate::rows::json_changes::{self, PartialImage};
use crate::rows::value::Decoder;
use crate::table_map::columns::TableColumns;

/// Writes the rows of one event, one at a time. It can be left after any row, and a new row set begun.
#[derive(Debug)]
pub struct RowDecoder<'a, 't> {
    event: RowsEvent<'a>,
    cursor: Cursor<'a>,
    before: Vec<&'t Decoder>,
    after: Vec<&'t Decoder>,
    /// Which values of after images may be changes of documents; none in most events.
    partial: Option<PartialImage>,
    /// A row without any column is still to be given out.
    of_defaults: bool,
}

impl<'a, 't> RowDecoder<'a, 't> {
    pub(crate) fn new(event: RowsEvent<'a>, table: &'t TableColumns) -> Result<Self, BinlogError> {
        if event.table_id != table.table_id {
            return Err(BinlogError::TableId {
                table_map: table.table_id,
                rows: event.table_id,
            });
        }
        if event.column_count != table.decoders.len() {
            return Err(BinlogError::ColumnCount {
                table_map: table.decoders.len(),
                rows: event.column_count,
            });
        }
        let chosen = |present: Option<Bitmap<'_>>| -> Vec<&'t Decoder> {
            let Some(present) = present else {
                return Vec::new();
            };
            let columns = table.decoders.iter().zip(present.iter());
            columns.filter(|(_, p)| *p).map(|(d, _)| d).collect()
        };
        let cursor = Cursor::new(EVENT, event.images, event.images_at);
        let before = chosen(event.before_present);
        let after = chosen(event.after_present);
        let no_columns = before.is_empty() && after.is_empty();
        if no_columns {
            // Rows take no bytes.
            cursor.expect_end("columns_present")?;
        }
        let partial = event.is_partial.then(|| {
            let is_json = table
                .columns
                .iter()
                .map(|column| column.kind == ColumnKind::Json);
            PartialImage::new(is_json, event.after_present)
        });
        Ok(Self {
            // An INSERT of which no column was logged, with binlog_row_image=MINIMAL: the server applies such an event as one row. Other events without
            // columns have nothing by which a row could be found, and none is logged.
            of_defaults: no_columns && event.operation == Operation::Insert,
            event,
            cursor,
            before,
            after,
            partial,
        })
    }

    /// Writes the presence bitmaps, with which every row set begins.
    pub fn write_presence(&self, out: &mut Vec<u8>) {
        for bitmap in [self.event.before_present, self.event.after_present]
            .into_iter()
            .flatten()
        {
            push_bitmap(out, bitmap.as_bytes(), bitmap.len());
        }
    }

    /// Writes the next row; false when there is none left. After an error `out` is as before.
    ///
    /// # Errors
    /// When an image does not follow the format.
    pub fn next_row(&mut self, out: &mut Vec<u8>) -> Result<bool, BinlogError> {
        if self.cursor.is_at_end() {
            return Ok(std::mem::take(&mut self.of_defaults));
        }
        let start = out.len();
        let before = match self.event.operation {
            Operation::Insert => Ok(()),
            Operation::Update | Operation::Delete => image(&mut self.cursor, &self.before, out),
        };
        let row = before.and_then(|()| match (self.event.operation, &self.partial) {
            (Operation::Delete, _) => Ok(()),
            (_, Some(partial)) => json_changes::image(&mut self.cursor, partial, &self.after, out),
            (_, None) => image(&mut self.cursor, &self.after, out),
        });
        if let Err(error) = row {
            out.truncate(start);
            return Err(error);
        }
        Ok(true)
    }

    /// How many bytes the row that was `remaining` before an error needs at least, if the error was that the images end inside of it. None if no further
    /// bytes could mend it.
    #[must_use]
    pub fn shortfall(&self, error: &BinlogError, remaining: usize) -> Option<u64> {
        let BinlogError::Malformed(Malformed {
            offset,
            problem: Problem::Truncated { needed, .. },
            ..
        }) = error
        else {
            return None;
        };
        let begins = self.event.images_at + self.event.images.len() - remaining;
        let wanted = offset.checked_sub(begins)? as u64 + needed;
        (wanted > remaining as u64).then_some(wanted)
    }

    /// Bytes of the event that are not yet decoded.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.cursor.left()
    }
}

/// One image.
fn image(
    cursor: &mut Cursor<'_>,
    decoders: &[&Decoder],
    out: &mut Vec<u8>,
) -> Result<(), BinlogError> {
    let nulls = cursor.bytes(Bitmap::bytes_for(decoders.len()), "null_bitmap")?;
    push_bitmap(out, nulls, decoders.len());
    if nulls.iter().all(|byte| *byte == 0) {
        for decoder in decoders {
            decoder.decode(cursor, out)?;
        }
        return Ok(());
    }
    for (i, decoder) in decoders.iter().enumerate() {
        if nulls[i / 8] >> (i % 8) & 1 == 0 {
            decoder.decode(cursor, out)?;
        }
    }
    Ok(())
}

/// Copies a bitmap with its unused bits cleared.
#[inline]
pub(crate) fn push_bitmap(out: &mut Vec<u8>, bytes: &[u8], bits: usize) {
    out.extend_from_slice(bytes);
    if !bits.is_multiple_of(8)
        && let Some(last) = out.last_mut()
    {
        *last &= (1 << (bits % 8)) - 1;
    }
}
