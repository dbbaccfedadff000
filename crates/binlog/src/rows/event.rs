//! Write_rows, Update_rows and Delete_rows of version 1 and 2, and Update_rows with changes of JSON documents: `Rows_event` of MySQL's `rows_event.h`.

use datain_row_block::{Bitmap, Operation};

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;
use crate::event::types::EventType;
use crate::rows::decoder::RowDecoder;
use crate::table_map::columns::TableColumns;
use crate::table_map::table_id;

pub(crate) const EVENT: &str = "rows event";

/// Whether events of this type are rows events.
pub(crate) fn holds_rows(event_type: EventType) -> bool {
    matches!(
        event_type,
        EventType::WriteRows
            | EventType::UpdateRows
            | EventType::DeleteRows
            | EventType::PartialUpdateRows
            | EventType::WriteRowsV1
            | EventType::UpdateRowsV1
            | EventType::DeleteRowsV1
    )
}

/// The flags of a rows event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowsFlags(pub u16);

impl RowsFlags {
    /// The last rows event of its statement: table maps before it are no longer valid.
    pub const STMT_END: u16 = 0x1;
    /// The session ran with foreign_key_checks=0.
    pub const NO_FOREIGN_KEY_CHECKS: u16 = 0x2;
    /// The session ran with unique_checks=0.
    pub const RELAXED_UNIQUE_CHECKS: u16 = 0x4;
    /// The images hold all columns of the table.
    pub const COMPLETE_ROWS: u16 = 0x8;
    /// The SQL layer has logged the changes made by foreign keys too (9.6 and later).
    pub const USE_SQL_FOREIGN_KEY: u16 = 0x10;

    /// Whether all bits of `flag` are set.
    #[must_use]
    pub fn contains(self, flag: u16) -> bool {
        self.0 & flag == flag
    }
}

/// A rows event, borrowed from its bytes; the rows are not yet decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsEvent<'a> {
    /// The number that a table map before it has given to its table. The number 0xffffff means no table: such an event only ends a statement.
    pub table_id: u64,
    /// What the rows say.
    pub operation: Operation,
    /// Flags.
    pub flags: RowsFlags,
    /// Number of columns of the table.
    pub column_count: usize,
    /// Which columns the before images hold; `None` for inserts.
    pub before_present: Option<Bitmap<'a>>,
    /// Which columns the after images hold; `None` for deletes.
    pub after_present: Option<Bitmap<'a>>,
    /// Whether after images may hold changes of JSON documents (Partial_update_rows).
    pub is_partial: bool,
    /// Data of version 2 that replicas have no use for: NDB's, and numbers of partitions.
    pub extra_data: &'a [u8],
    /// The row images.
    pub images: &'a [u8],
    pub(crate) images_at: usize,
}

impl<'a> RowsEvent<'a> {
    pub(crate) fn parse(
        event_type: EventType,
        body: &'a [u8],
        post_header: usize,
    ) -> Result<Self, BinlogError> {
        let (operation, has_extra_data) = match event_type {
            EventType::WriteRows => (Operation::Insert, true),
            EventType::UpdateRows | EventType::PartialUpdateRows => (Operation::Update, true),
            EventType::DeleteRows => (Operation::Delete, true),
            EventType::UpdateRowsV1 => (Operation::Update, false),
            EventType::DeleteRowsV1 => (Operation::Delete, false),
            _ => (Operation::Insert, false),
        };
        let mut cursor = Cursor::new(EVENT, body, HEADER_LEN);
        let mut fixed = cursor.sub(post_header as u64, "post_header")?;
        let table_id = table_id(&mut fixed, post_header)?;
        let flags = RowsFlags(fixed.u16("flags")?);
        let mut extra_data = &[][..];
        if has_extra_data {
            // The length counts its own two bytes.
            let length = fixed.u16("extra_data_length")?;
            let Some(length) = length.checked_sub(2) else {
                let value = Problem::Value(u64::from(length));
                return Err(fixed.error("extra_data_length", value).into());
            };
            extra_data = cursor.bytes(usize::from(length), "extra_data")?;
        }
        let width_at = cursor.clone();
        let width = cursor.lenenc("column_count")?;
        let column_count = usize::try_from(width)
            .ok()
            .filter(|count| *count <= MAX_COLUMNS)
            .ok_or_else(|| width_at.error("column_count", Problem::Value(width)))?;
        let mut present = |wanted: bool| -> Result<Option<Bitmap<'a>>, BinlogError> {
            if !wanted {
                return Ok(None);
            }
            let bytes = cursor.bytes(Bitmap::bytes_for(column_count), "columns_present")?;
            Ok(Bitmap::new(bytes, column_count))
        };
        let before_present = present(operation.has_before())?;
        let after_present = present(operation.has_after())?;
        let images_at = cursor.offset();
        Ok(Self {
            table_id,
            operation,
            flags,
            column_count,
            before_present,
            after_present,
            is_partial: event_type == EventType::PartialUpdateRows,
            extra_data,
            images: cursor.rest(),
            images_at,
        })
    }

    /// Whether the event belongs to no table and only ends a statement.
    #[must_use]
    pub fn is_dummy(&self) -> bool {
        self.table_id == 0x00ff_ffff
    }

    /// A decoder of the rows, which writes one row at a time into a row block.
    ///
    /// # Errors
    /// When the columns are those of another table map.
    pub fn rows<'t>(&self, table: &'t TableColumns) -> Result<RowDecoder<'a, 't>, BinlogError> {
        RowDecoder::new(*self, table)
    }

    /// Writes the presence bitmaps and all rows, which makes a whole row set; returns the number of rows. After an error `out` is as before.
    ///
    /// # Errors
    /// When the columns are those of another table map, or the images do not follow the format.
    pub fn transcode(&self, table: &TableColumns, out: &mut Vec<u8>) -> Result<u32, BinlogError> {
        let start = out.len();
        let mut decoder = self.rows(table)?;
        decoder.write_presence(out);
        let mut count = 0;
        loop {
            match decoder.next_row(out) {
                Ok(true) => count += 1,
                Ok(false) => return Ok(count),
                Err(error) => {
                    out.truncate(start);
                    return Err(error);
                }
            }
        }
    }
}

/// More than any table has (4096), so that nonsense is found before its bitmaps are looked for.
const MAX_COLUMNS: usize = 0xffff;
