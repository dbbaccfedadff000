//! Values as text for people who asked to see them.

use datain_binary_json::Document;
use datain_contract::types::Signedness;
use datain_row_block::{ColumnKind, Value};
use datain_table_scan::ColumnDefinition;

/// A value of a row image; none for NULL.
pub(crate) fn column(column: &ColumnDefinition, shown: Option<Value<'_>>) -> Option<String> {
    match shown {
        None | Some(Value::Null) => None,
        Some(shown) => Some(value(column, &shown)),
    }
}

/// Numbers, dates and times as the server writes them, ENUM and SET by number, characters as text if they are UTF-8 in a character set that is written so, and everything else as a
/// hexadecimal literal.
pub(crate) fn value(column: &ColumnDefinition, value: &Value<'_>) -> String {
    match *value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(_) if column.signedness == Signedness::Unsigned => {
            value.as_u64().unwrap_or_default().to_string()
        }
        Value::Integer(_) => value.as_i64().unwrap_or_default().to_string(),
        Value::Unsigned(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Text(text) => String::from_utf8_lossy(text).into_owned(),
        Value::Bytes(bytes) => self::bytes(column, bytes),
    }
}

fn bytes(column: &ColumnDefinition, bytes: &[u8]) -> String {
    if column.kind == ColumnKind::Json
        && let Ok(text) = Document::new(bytes).to_text()
    {
        return text;
    }
    let is_ascii_based = !matches!(
        column.charset.as_deref(),
        None | Some("ucs2" | "utf16" | "utf16le" | "utf32" | "swe7" | "hp8")
    );
    let is_utf8 = matches!(
        column.charset.as_deref(),
        Some("utf8mb4" | "utf8mb3" | "utf8")
    );
    match std::str::from_utf8(bytes) {
        Ok(text) if is_utf8 || is_ascii_based && text.is_ascii() => text.to_owned(),
        _ => {
            let mut out = String::with_capacity(2 + 2 * bytes.len());
            out.push_str("0x");
            out.extend(bytes.iter().map(|byte| format!("{byte:02X}")));
            out
        }
    }
}
