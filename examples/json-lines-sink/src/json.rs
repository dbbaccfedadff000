//! MySQL's binary JSON as text. The format: `sql-common/json_binary.h` of the server's source.
//!
//! A document is a type byte and a value. Objects and arrays hold their values by offsets from their own beginning, of 2 bytes in small ones and 4 in large ones; values that fit stand
//! in the entry itself.

use serde_json::{Map, Value, json};

use crate::value::base64;

const DEPTH_MAX: u32 = 100;

/// The text of a document. What JSON has no form for (DECIMAL, dates and times in a document) is an object with the bytes in base64.
pub fn document(bytes: &[u8]) -> Result<String, String> {
    let value = match bytes.split_first() {
        None => Some(Value::Null),
        Some((&kind, rest)) => value(kind, rest, 0),
    };
    value
        .map(|value| value.to_string())
        .ok_or_else(|| "a JSON document is damaged".to_owned())
}

fn value(kind: u8, bytes: &[u8], depth: u32) -> Option<Value> {
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match kind {
        0 | 1 => Value::Object(object(bytes, kind == 1, depth)?),
        2 | 3 => {
            let count = uint(bytes, 0, width(kind == 3))?;
            let values = (0..count).map(|i| entry(bytes, kind == 3, 0, i, depth));
            Value::Array(values.collect::<Option<_>>()?)
        }
        4 => match bytes.first()? {
            0 => Value::Null,
            1 => Value::Bool(true),
            2 => Value::Bool(false),
            _ => return None,
        },
        5 => json!(uint(bytes, 0, 2)? as i16),
        6 => json!(uint(bytes, 0, 2)?),
        7 => json!(uint(bytes, 0, 4)? as i32),
        8 => json!(uint(bytes, 0, 4)?),
        9 => json!(long(bytes)? as i64),
        10 => json!(long(bytes)?),
        11 => json!(f64::from_bits(long(bytes)?)),
        12 => Value::String(String::from_utf8(sized(bytes)?.to_vec()).ok()?),
        15 => json!({ "type": bytes.first()?, "base64": base64(sized(bytes.get(1..)?)?) }),
        _ => return None,
    })
}

fn object(bytes: &[u8], large: bool, depth: u32) -> Option<Map<String, Value>> {
    let width = width(large);
    let count = uint(bytes, 0, width)?;
    let mut members = Map::new();
    for i in 0..count {
        let key = 2 * width + i * (width + 2);
        let begin = uint(bytes, key, width)?;
        let length = uint(bytes, key + width, 2)?;
        let name = bytes.get(begin..begin.checked_add(length)?)?;
        let value = entry(bytes, large, count * (width + 2), i, depth)?;
        members.insert(String::from_utf8(name.to_vec()).ok()?, value);
    }
    Some(members)
}

/// The value of entry `i`; `keys` is how many bytes the entries of keys take before those of values.
fn entry(bytes: &[u8], large: bool, keys: usize, i: usize, depth: u32) -> Option<Value> {
    let width = width(large);
    let at = (2 * width + keys).checked_add(i.checked_mul(width + 1)?)?;
    let kind = *bytes.get(at)?;
    let inline = matches!(kind, 4..=6) || large && matches!(kind, 7 | 8);
    let begin = if inline {
        at + 1
    } else {
        uint(bytes, at + 1, width)?
    };
    value(kind, bytes.get(begin..)?, depth + 1)
}

fn width(large: bool) -> usize {
    if large { 4 } else { 2 }
}

fn uint(bytes: &[u8], at: usize, width: usize) -> Option<usize> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | usize::from(byte)),
    )
}

fn long(bytes: &[u8]) -> Option<u64> {
    bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Bytes with their length before them, 7 bits in each byte, the lowest first.
fn sized(bytes: &[u8]) -> Option<&[u8]> {
    let mut length = 0;
    for (i, &byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return bytes.get(i + 1..(i + 1).checked_add(length)?);
        }
    }
    None
}
