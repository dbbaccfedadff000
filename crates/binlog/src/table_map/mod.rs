//! Table_map: `Table_map_event` of MySQL's `rows_event.h`. It stands before the rows events of each table in every statement, and says
//! how their images are laid out: not what the table is, but what its bytes are.

pub mod column_type;
pub(crate) mod columns;
pub(crate) mod metadata;

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;
use metadata::OptionalMetadata;

const EVENT: &str = "Table_map event";

/// A table map, borrowed from its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableMap<'a> {
    /// The number by which rows events refer to the table. It changes whenever the server opens the table anew.
    pub table_id: u64,
    /// Flags; of no use to a replica.
    pub flags: u16,
    /// The schema's name.
    pub schema: &'a str,
    /// The table's name.
    pub table: &'a str,
    /// Type code of each column ([`column_type`]).
    pub types: &'a [u8],
    /// Type-specific data of the columns, one after the other.
    pub type_metadata: &'a [u8],
    /// One bit per column, set where the column may be NULL.
    pub nullable: &'a [u8],
    /// The optional metadata, not yet parsed.
    pub optional: &'a [u8],
    definition: &'a [u8],
    /// Offset of the optional metadata in the event.
    optional_at: usize,
    /// Offset of the type metadata in the event.
    type_metadata_at: usize,
}

impl<'a> TableMap<'a> {
    pub(crate) fn parse(body: &'a [u8], post_header: usize) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new(EVENT, body, HEADER_LEN);
        let mut fixed = cursor.sub(post_header as u64, "post_header")?;
        let table_id = table_id(&mut fixed, post_header)?;
        let flags = fixed.u16("flags")?;
        let definition = cursor.clone().rest();
        let schema = name(&mut cursor, "schema")?;
        let table = name(&mut cursor, "table")?;
        let count = cursor.lenenc("column_count")?;
        let types = cursor.bytes_u64(count, "column_types")?;
        let length = cursor.lenenc("metadata_length")?;
        let type_metadata_at = cursor.offset();
        let type_metadata = cursor.bytes_u64(length, "metadata")?;
        let nullable = cursor.bytes(types.len().div_ceil(8), "null_bitmap")?;
        let optional_at = cursor.offset();
        Ok(Self {
            table_id,
            flags,
            schema,
            table,
            types,
            type_metadata,
            nullable,
            optional: cursor.rest(),
            definition,
            optional_at,
            type_metadata_at,
        })
    }

    /// All of the event but the table's number and the flags. Two maps with equal bytes here describe the same table in the same way, so
    /// that a reader may keep what it made of the first.
    #[must_use]
    pub fn definition(&self) -> &'a [u8] {
        self.definition
    }

    /// Number of columns.
    #[must_use]
    pub fn column_count(&self) -> usize {
        self.types.len()
    }

    /// Parses the optional metadata, which servers before 8.0 do not write.
    ///
    /// # Errors
    /// When it does not follow the format.
    pub fn optional_metadata(&self) -> Result<OptionalMetadata<'a>, BinlogError> {
        OptionalMetadata::parse(Cursor::new(EVENT, self.optional, self.optional_at), self)
    }

    fn type_metadata_cursor(&self) -> Cursor<'a> {
        Cursor::new(EVENT, self.type_metadata, self.type_metadata_at)
    }
}

/// Four bytes where the post-header has six in all (5.1.4 and before), else six.
pub(crate) fn table_id(cursor: &mut Cursor<'_>, post_header: usize) -> Result<u64, BinlogError> {
    let width = if post_header == 6 { 4 } else { 6 };
    Ok(cursor.uint(width, "table_id")?)
}

/// A name with its length before and a NUL behind it.
fn name<'a>(cursor: &mut Cursor<'a>, field: &'static str) -> Result<&'a str, BinlogError> {
    let start = cursor.clone();
    let length = cursor.lenenc(field)?;
    let bytes = cursor.bytes_u64(length, field)?;
    cursor.nul(field)?;
    std::str::from_utf8(bytes).map_err(|_| start.error(field, Problem::NotUtf8).into())
}
