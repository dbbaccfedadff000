//! What a value becomes in JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datain_binary_json::Document;
use datain_row_block::{ColumnKind, Image, JsonChange, JsonChanges, JsonOperation, Value};
use serde::ser::{Error as _, Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use crate::characters::decode;
use crate::table::{Column, Signedness, Table};

/// The collation of binary strings.
const BINARY: u16 = 63;

/// An image as a JSON object; columns that it does not hold are left out.
pub(crate) struct Object<'a> {
    pub(crate) table: &'a Table,
    pub(crate) image: Image<'a, 'a>,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for (column, value) in self.table.columns.iter().zip(self.image.values()) {
            if let Some(value) = value {
                map.serialize_entry(&column.name, &Cell { column, value })?;
            }
        }
        map.end()
    }
}

struct Cell<'a> {
    column: &'a Column,
    value: Value<'a>,
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.value {
            Value::Null => to.serialize_unit(),
            Value::Integer(_) if self.column.signedness == Signedness::Unsigned => {
                to.serialize_u64(self.value.as_u64().unwrap_or_default())
            }
            Value::Integer(_) => to.serialize_i64(self.value.as_i64().unwrap_or_default()),
            // The shortest digits that give the same FLOAT back, not those of the DOUBLE that it would be.
            Value::Float(number) => to.serialize_f32(number),
            Value::Double(number) => to.serialize_f64(number),
            Value::Unsigned(number) => to.serialize_u64(number),
            Value::Text(bytes) => {
                let text = std::str::from_utf8(bytes)
                    .ok()
                    .filter(|text| text.is_ascii())
                    .ok_or_else(|| S::Error::custom("a number or a date is not in ASCII"))?;
                if self.column.kind == ColumnKind::Timestamp {
                    to.collect_str(&format_args!("{}Z", text.replacen(' ', "T", 1)))
                } else {
                    to.serialize_str(text)
                }
            }
            Value::Bytes(bytes) => match self.column.kind {
                ColumnKind::Json => json(bytes, to),
                ColumnKind::Char | ColumnKind::Varchar | ColumnKind::Text => {
                    self.characters(bytes, to)
                }
                _ => to.serialize_str(&STANDARD.encode(bytes)),
            },
        }
    }
}

impl Cell<'_> {
    fn characters<S: Serializer>(&self, bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        if self.column.collation == Some(BINARY) {
            // The log leaves a BINARY's zero bytes at the end out.
            let length = self.column.length as usize;
            if self.column.kind == ColumnKind::Char && bytes.len() < length && length <= 255 {
                let mut padded = bytes.to_vec();
                padded.resize(length, 0);
                return to.serialize_str(&STANDARD.encode(padded));
            }
            return to.serialize_str(&STANDARD.encode(bytes));
        }
        text_or_bytes(self.column.collation, bytes, to)
    }
}

/// Text in its character set; `{"base64": …}` where that cannot be told.
pub(crate) fn text_or_bytes<S: Serializer>(
    collation: Option<u16>,
    bytes: &[u8],
    to: S,
) -> Result<S::Ok, S::Error> {
    match decode(collation, bytes) {
        Some(text) => to.serialize_str(&text),
        None => {
            let mut map = to.serialize_map(Some(1))?;
            map.serialize_entry("base64", &STANDARD.encode(bytes))?;
            map.end()
        }
    }
}

fn json<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    if let Some(changes) = JsonChanges::of(bytes) {
        // A document is a string here, so an object cannot be taken for one.
        let mut map = to.serialize_map(Some(1))?;
        map.serialize_entry("changes", &Changes(changes))?;
        return map.end();
    }
    // The reason names a place in the document, never what stands there.
    let text = Document::new(bytes).to_text().map_err(S::Error::custom)?;
    to.serialize_str(&text)
}

/// Changes of a document, which the log gives in place of it.
struct Changes<'a>(JsonChanges<'a>);

impl Serialize for Changes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(None)?;
        for change in self.0.clone() {
            list.serialize_element(&Change(change.map_err(S::Error::custom)?))?;
        }
        list.end()
    }
}

struct Change<'a>(JsonChange<'a>);

impl Serialize for Change<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        let operation = match self.0.operation {
            JsonOperation::Replace => "replace",
            JsonOperation::Insert => "insert",
            JsonOperation::Remove => "remove",
        };
        map.serialize_entry("op", operation)?;
        map.serialize_entry("path", self.0.path)?;
        if let Some(value) = self.0.value {
            let text = Document::new(value).to_text().map_err(S::Error::custom)?;
            map.serialize_entry("value", &text)?;
        }
        map.end()
    }
}
