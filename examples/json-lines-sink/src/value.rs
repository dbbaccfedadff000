//! A value of a row as JSON.

use serde_json::{Value, json};

use crate::datain::replication::types::{Column, Signedness};

/// Numbers as numbers; decimals, dates and times as text; binary strings in base64; text that is not UTF-8 as an object with its bytes in base64.
pub fn json(column: &Column, bytes: &[u8]) -> Result<Value, String> {
    Ok(match column.kind {
        1..=5 => integer(column, bytes),
        7 => json!(f32::from_bits(unsigned(bytes) as u32)),
        8 => json!(f64::from_bits(unsigned(bytes))),
        9 | 10 | 18 | 19 => json!(unsigned(bytes)),
        14 => Value::String(format!("{}Z", text(bytes)?.replace(' ', "T"))),
        6 | 11..=13 => Value::String(text(bytes)?.to_owned()),
        15..=17 => characters(column, bytes),
        20 => match bytes {
            // A document of which only the changes were logged.
            [0xfd, changes @ ..] => json!({ "changes": { "base64": base64(changes) } }),
            document => Value::String(crate::json::document(document)?),
        },
        _ => Value::String(base64(bytes)),
    })
}

fn integer(column: &Column, bytes: &[u8]) -> Value {
    if column.signedness == Signedness::Unsigned {
        return json!(unsigned(bytes));
    }
    let unused = 64 - 8 * bytes.len() as u32;
    json!((unsigned(bytes) << unused) as i64 >> unused)
}

fn unsigned(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "a number or a time is not in ASCII".to_owned())
}

fn characters(column: &Column, bytes: &[u8]) -> Value {
    if column.collation == Some(63) {
        let mut bytes = bytes.to_vec();
        if column.kind == 15 {
            // BINARY: the log leaves out zeros at the end.
            bytes.resize(bytes.len().max(column.length as usize), 0);
        }
        return Value::String(base64(&bytes));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if column.collation.is_none_or(is_utf8) => Value::String(text.to_owned()),
        _ => json!({ "base64": base64(bytes) }),
    }
}

/// Collations of utf8mb3, utf8mb4 and ascii, by their ids.
fn is_utf8(collation: u16) -> bool {
    matches!(collation, 11 | 33 | 45 | 46 | 65 | 76 | 83 | 192..=247 | 255..=323)
}

pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().enumerate().fold(0, |bits, (i, &byte)| {
            bits | usize::from(byte) << (16 - 8 * i)
        });
        for digit in 0..4 {
            text.push(if digit > chunk.len() {
                '='
            } else {
                char::from(DIGITS[bits >> (18 - 6 * digit) & 63])
            });
        }
    }
    text
}
