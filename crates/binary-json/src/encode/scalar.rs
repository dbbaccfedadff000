//! Scalars from their text and their type.

use super::text::Cursor;
use super::{InvalidText, decimal};
use crate::temporal::{Date, Temporal, Time};

/// Type code of null, true and false.
pub(super) const LITERAL: u8 = 0x04;
const DOUBLE: u8 = 0x0b;
const STRING: u8 = 0x0c;
const OPAQUE: u8 = 0x0f;

/// A scalar by the room that it takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// A literal, or an integer of 16 bits: stands in its entry, with its sign where that has room for more.
    Short { code: u8, number: i32 },
    /// An integer of 32 bits: stands in its entry in containers of the large form.
    Middle { code: u8, bits: u32 },
    /// A number of 64 bits.
    Long { code: u8, bits: u64 },
    /// A string; its bytes are the caller's.
    String,
    /// A value of one of MySQL's own types, by the code of `enum_field_types`; its bytes are the caller's.
    Opaque(u8),
}

impl Form {
    /// Writes the value by itself, outside of an entry; returns its type code.
    pub(super) fn write(self, bytes: &[u8], out: &mut Vec<u8>) -> u8 {
        match self {
            Self::Short { code, number } => {
                out.extend_from_slice(&(number as u16).to_le_bytes());
                code
            }
            Self::Middle { code, bits } => {
                out.extend_from_slice(&bits.to_le_bytes());
                code
            }
            Self::Long { code, bits } => {
                out.extend_from_slice(&bits.to_le_bytes());
                code
            }
            Self::String => {
                push_variable(out, bytes);
                STRING
            }
            Self::Opaque(type_code) => {
                out.push(type_code);
                push_variable(out, bytes);
                OPAQUE
            }
        }
    }
}

/// Bytes behind their length, seven bits to a byte, the lowest first.
fn push_variable(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut length = bytes.len();
    while length > 0x7f {
        out.push(length as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
}

/// Reads the scalar that comes next, of the type of this letter; the bytes of strings and opaque values go to `bytes`.
pub(super) fn read(
    cursor: &mut Cursor<'_>,
    letter: u8,
    bytes: &mut Vec<u8>,
) -> Result<Form, InvalidText> {
    let start = *cursor;
    let wrong = || start.wrong("a value of another type");
    if cursor.peek() == Some(b'"') {
        cursor.string(bytes)?;
        return match letter {
            b's' => Ok(Form::String),
            b'o' => opaque(bytes).ok_or_else(wrong),
            _ => temporal(letter, bytes).ok_or_else(wrong),
        };
    }
    let word = cursor.word();
    match (letter, word) {
        (b'n', "null") => Some(literal(0)),
        (b'b', "true") => Some(literal(1)),
        (b'b', "false") => Some(literal(2)),
        (b'i', _) => word.parse().ok().map(signed),
        (b'u', _) => word.parse().ok().map(unsigned),
        (b'd', _) => double(word),
        (b'D', _) => decimal::write(word, bytes).map(|()| Form::Opaque(decimal::TYPE)),
        _ => None,
    }
    .ok_or_else(wrong)
}

fn literal(number: i32) -> Form {
    Form::Short {
        code: LITERAL,
        number,
    }
}

fn signed(number: i64) -> Form {
    if let Ok(short) = i16::try_from(number) {
        return Form::Short {
            code: 0x05,
            number: short.into(),
        };
    }
    match i32::try_from(number) {
        Ok(middle) => Form::Middle {
            code: 0x07,
            bits: middle as u32,
        },
        Err(_) => Form::Long {
            code: 0x09,
            bits: number as u64,
        },
    }
}

fn unsigned(number: u64) -> Form {
    if let Ok(short) = u16::try_from(number) {
        return Form::Short {
            code: 0x06,
            number: short.into(),
        };
    }
    match u32::try_from(number) {
        Ok(bits) => Form::Middle { code: 0x08, bits },
        Err(_) => Form::Long {
            code: 0x0a,
            bits: number,
        },
    }
}

fn double(word: &str) -> Option<Form> {
    // Rust reads words too, such as "inf".
    let numeric = word
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
    let number: f64 = word.parse().ok().filter(|_| numeric)?;
    number.is_finite().then(|| Form::Long {
        code: DOUBLE,
        bits: number.to_bits(),
    })
}

/// `base64:type252:…`, with line breaks within; the bytes take its place.
fn opaque(bytes: &mut Vec<u8>) -> Option<Form> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (type_code, digits) = text.strip_prefix("base64:type")?.split_once(':')?;
    let type_code: u8 = type_code.parse().ok()?;
    let decoded = base64(digits.as_bytes())?;
    *bytes = decoded;
    Some(Form::Opaque(type_code))
}

fn base64(digits: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(digits.len() / 4 * 3);
    let (mut bits, mut have) = (0_u32, 0);
    let mut padding = 0;
    for digit in digits {
        let value = match digit {
            b'\n' => continue,
            b'=' => {
                padding += 1;
                continue;
            }
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        if padding > 0 {
            return None;
        }
        bits = bits << 6 | u32::from(value);
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have) as u8);
        }
    }
    (padding <= 2).then_some(out)
}

fn temporal(letter: u8, bytes: &mut Vec<u8>) -> Option<Form> {
    let text = std::str::from_utf8(bytes).ok()?;
    let value = match letter {
        b'a' => Temporal::Date(date(text)?),
        b't' => Temporal::Time(time(text)?),
        b'A' | b'T' => {
            let (of_date, of_time) = text.split_once(' ')?;
            let (date, time) = (date(of_date)?, time(of_time)?);
            if letter == b'A' {
                Temporal::Datetime(date, time)
            } else {
                Temporal::Timestamp(date, time)
            }
        }
        _ => return None,
    };
    let (type_code, stored) = value.encode();
    bytes.clear();
    bytes.extend_from_slice(&stored);
    Some(Form::Opaque(type_code))
}

/// A number of `digits` digits at most; more would not fit its place.
fn number(text: &str, digits: usize) -> Option<u32> {
    let plain =
        !text.is_empty() && text.len() <= digits && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let date = Date {
        year: number(parts.next()?, 4)?,
        month: number(parts.next()?, 2).filter(|month| *month <= 12)?,
        day: number(parts.next()?, 2).filter(|day| *day <= 31)?,
    };
    Some(date)
}

fn time(text: &str) -> Option<Time> {
    let magnitude = text.strip_prefix('-');
    let (whole, fraction) = magnitude.unwrap_or(text).split_once('.')?;
    let mut parts = whole.splitn(3, ':');
    Some(Time {
        negative: magnitude.is_some(),
        hour: number(parts.next()?, 3).filter(|hour| *hour < 1024)?,
        minute: number(parts.next()?, 2).filter(|minute| *minute < 60)?,
        second: number(parts.next()?, 2).filter(|second| *second < 60)?,
        microsecond: number(fraction, 6).filter(|_| fraction.len() == 6)?,
    })
}
