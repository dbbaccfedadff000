//! What a statement returns: OK packets, result sets, and the packets that end them.
//!
//! Formats: page_protocol_basic_ok_packet, page_protocol_basic_eof_packet, page_protocol_com_query_response and
//! page_protocol_com_query_response_text_resultset of the MySQL source documentation.

pub use mysql_common::constants::{CapabilityFlags, ColumnFlags, ColumnType, StatusFlags};

use crate::wire::Cursor;
use crate::{ClientError, Result};

/// The result of one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The statement returned no rows.
    Ok(OkResult),
    /// The statement returned a result set.
    Rows(ResultSet),
}

impl Outcome {
    /// The OK packet, if the statement returned no rows.
    pub fn ok(&self) -> Option<&OkResult> {
        match self {
            Self::Ok(ok) => Some(ok),
            Self::Rows(_) => None,
        }
    }
}

/// The contents of an OK packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OkResult {
    /// Rows changed, or matched where CLIENT_FOUND_ROWS was set at login.
    pub affected_rows: u64,
    /// The first value generated for an AUTO_INCREMENT column, or 0.
    pub last_insert_id: u64,
    /// The number of warnings.
    pub warnings: u16,
    /// The server's status after the statement.
    pub status: StatusFlags,
    /// A note such as `Rows matched: 1  Changed: 1  Warnings: 0`; often empty.
    pub info: String,
}

/// A result set of the text protocol, held whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultSet {
    /// The columns, in order.
    pub columns: Vec<ColumnInfo>,
    /// The rows; each value is the server's text in the session's character set, or NULL.
    pub rows: Vec<Vec<Option<Vec<u8>>>>,
    /// The number of warnings.
    pub warnings: u16,
    /// The server's status after the statement.
    pub status: StatusFlags,
}

/// A column of a result set (page_protocol_com_query_response_text_resultset_column_definition).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// The schema of the column's table; empty for an expression.
    pub schema: String,
    /// The table's alias.
    pub table: String,
    /// The table's own name.
    pub org_table: String,
    /// The column's alias.
    pub name: String,
    /// The column's own name.
    pub org_name: String,
    /// The id of the collation of the values; 63 is binary.
    pub charset: u16,
    /// The maximum length of the values, in bytes.
    pub length: u32,
    /// The type's number, which may be one that this version does not know.
    pub type_code: u8,
    /// NOT NULL, UNSIGNED and the like.
    pub flags: ColumnFlags,
    /// Digits after the point; 31 where there is no fixed number.
    pub decimals: u8,
}

impl ColumnInfo {
    /// The column's type, if it is a known one.
    pub fn column_type(&self) -> Option<ColumnType> {
        ColumnType::try_from(self.type_code).ok()
    }

    pub(crate) fn parse(payload: &[u8]) -> Result<Self> {
        let mut cursor = Cursor::new(payload, "a column definition");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let _catalog = cursor.lenenc_str()?;
        let schema = text(cursor.lenenc_str()?);
        let table = text(cursor.lenenc_str()?);
        let org_table = text(cursor.lenenc_str()?);
        let name = text(cursor.lenenc_str()?);
        let org_name = text(cursor.lenenc_str()?);
        let fixed = cursor.lenenc_int()?;
        if fixed < 12 {
            return Err(ClientError::malformed(format!(
                "a column definition announces {fixed} bytes of fixed fields where at least 12 were expected"
            )));
        }
        Ok(Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            charset: cursor.u16()?,
            length: cursor.u32()?,
            type_code: cursor.u8()?,
            flags: ColumnFlags::from_bits_truncate(cursor.u16()?),
            decimals: cursor.u8()?,
        })
    }
}

/// A row of a result set that is read row by row: borrowed from the connection's buffer.
#[derive(Debug, Clone, Copy)]
pub struct TextRow<'a> {
    payload: &'a [u8],
    columns: usize,
}

impl<'a> TextRow<'a> {
    pub(crate) fn new(payload: &'a [u8], columns: usize) -> Self {
        Self { payload, columns }
    }

    /// The values in the order of the columns. A row with too few or too many bytes yields an error in their place.
    pub fn values(self) -> impl Iterator<Item = Result<Option<&'a [u8]>>> {
        let mut cursor = Cursor::new(self.payload, "a text row");
        let mut left = self.columns;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            left -= 1;
            let value = cursor.text_value();
            if value.is_err() {
                left = 0;
            } else if left == 0 && !cursor.is_empty() {
                return Some(Err(ClientError::malformed(
                    "a text row goes on after its last column",
                )));
            }
            Some(value)
        })
    }

    /// The values, copied.
    pub fn to_vec(self) -> Result<Vec<Option<Vec<u8>>>> {
        self.values()
            .map(|v| v.map(|v| v.map(<[u8]>::to_vec)))
            .collect()
    }
}

/// Reads an OK packet, or (header 0xfe) the OK packet that ends a result set under CLIENT_DEPRECATE_EOF.
pub(crate) fn parse_ok(payload: &[u8]) -> Result<OkResult> {
    let mut cursor = Cursor::new(payload, "an OK packet");
    cursor.u8()?;
    let affected_rows = cursor.lenenc_int()?;
    let last_insert_id = cursor.lenenc_int()?;
    let status = StatusFlags::from_bits_truncate(cursor.u16()?);
    let warnings = cursor.u16()?;
    // The manual shows the text as the rest of the packet; servers send it with its length before it.
    let rest = cursor.rest();
    let mut inner = Cursor::new(rest, "the note of an OK packet");
    let info = match inner.lenenc_str() {
        Ok(text) if inner.is_empty() => text,
        _ => rest,
    };
    Ok(OkResult {
        affected_rows,
        last_insert_id,
        warnings,
        status,
        info: String::from_utf8_lossy(info).into_owned(),
    })
}

/// Status and warnings from the packet that ends columns or rows.
pub(crate) fn parse_end(payload: &[u8], deprecate_eof: bool) -> Result<(StatusFlags, u16)> {
    if deprecate_eof {
        return parse_ok(payload).map(|ok| (ok.status, ok.warnings));
    }
    let mut cursor = Cursor::new(payload, "an EOF packet");
    cursor.expect_byte(0xfe)?;
    let warnings = cursor.u16()?;
    let status = StatusFlags::from_bits_truncate(cursor.u16()?);
    Ok((status, warnings))
}

/// Does this packet end a result set? A row may start with 0xfe as well, but only if its first value has 16 MiB or more.
pub(crate) fn is_end(payload: &[u8], deprecate_eof: bool) -> bool {
    let limit = if deprecate_eof {
        crate::framing::MAX_FRAME_LEN
    } else {
        9
    };
    payload.first() == Some(&0xfe) && payload.len() < limit
}

/// The number of columns that a result set announces.
pub(crate) fn parse_column_count(payload: &[u8]) -> Result<usize> {
    let mut cursor = Cursor::new(payload, "a column count");
    let count = cursor.lenenc_int()?;
    match u16::try_from(count) {
        Ok(count @ 1..) if cursor.is_empty() => Ok(usize::from(count)),
        _ => Err(ClientError::malformed(format!(
            "a column count of 1 to 65535 was expected and {count} was announced"
        ))),
    }
}
