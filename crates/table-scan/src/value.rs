//! Values of a result set as values of the row block: what the log has for the same row.

use std::str::FromStr;

use datain_binary_json::encode;
use datain_contract::types::Signedness;
use datain_row_block::{ColumnKind, ImageWriter};

use crate::definition::{BINARY, ColumnDefinition};

/// What the server sent for a column is not what its type holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

impl Unreadable {
    fn new(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// Writes a value that is not NULL. `types` is the second value that a JSON column has in the select list.
pub(crate) fn write(
    column: &ColumnDefinition,
    value: &[u8],
    types: Option<&[u8]>,
    image: &mut ImageWriter<'_>,
) -> Result<(), Unreadable> {
    match column.kind {
        ColumnKind::Tinyint => integer(column, value, 1, image)?,
        ColumnKind::Smallint => integer(column, value, 2, image)?,
        ColumnKind::Mediumint => integer(column, value, 3, image)?,
        ColumnKind::Int => integer(column, value, 4, image)?,
        ColumnKind::Bigint => integer(column, value, 8, image)?,
        ColumnKind::Decimal => decimal(column, value, image)?,
        ColumnKind::Float => {
            let double: f64 = parse(value)?;
            // The same number: a FLOAT is a DOUBLE of fewer bits.
            let float = double as f32;
            if f64::from(float) != double {
                return Err(Unreadable::new("not a FLOAT"));
            }
            image.push_f32(float);
        }
        ColumnKind::Double => image.push_f64(parse(value)?),
        ColumnKind::Bit => {
            if value.len() > 8 {
                return Err(Unreadable::new("more than 64 bits"));
            }
            let number = value.iter().fold(0, |sum, b| sum << 8 | u64::from(*b));
            image.push_int(number, 8);
        }
        ColumnKind::Year | ColumnKind::Enum => {
            image.push_int(parse::<u16>(value)?.into(), 2);
        }
        ColumnKind::Set => image.push_int(parse(value)?, 8),
        ColumnKind::Date | ColumnKind::Time | ColumnKind::Datetime | ColumnKind::Timestamp => {
            temporal(column, value)?;
            image.push_bytes(value);
        }
        ColumnKind::Char if column.collation == Some(BINARY) => {
            let zeros = value.iter().rev().take_while(|b| **b == 0).count();
            image.push_bytes(&value[..value.len() - zeros]);
        }
        ColumnKind::Char
        | ColumnKind::Varchar
        | ColumnKind::Text
        | ColumnKind::Geometry
        | ColumnKind::Vector => image.push_bytes(value),
        ColumnKind::Json => {
            let text = std::str::from_utf8(value).map_err(|_| Unreadable::new("not UTF-8"))?;
            let types = types.ok_or_else(|| {
                Unreadable::new("the document has more values than the server lists types of")
            })?;
            image
                .push_with(|out| encode::write_from_text(text, types, out))
                .map_err(|error| Unreadable(error.to_string()))?;
        }
    }
    Ok(())
}

fn text(value: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(value).map_err(|_| Unreadable::new("not ASCII"))
}

fn parse<N: FromStr>(value: &[u8]) -> Result<N, Unreadable> {
    let number = text(value)?.parse();
    number.map_err(|_| Unreadable::new("not a number of the column's size"))
}

fn integer(
    column: &ColumnDefinition,
    value: &[u8],
    width: usize,
    image: &mut ImageWriter<'_>,
) -> Result<(), Unreadable> {
    let bits = 8 * width as u32;
    let (number, fits) = if column.signedness == Signedness::Unsigned {
        let number: u64 = parse(value)?;
        (number, number.leading_zeros() + bits >= 64)
    } else {
        let number: i64 = parse(value)?;
        let half = 1_i64 << (bits - 1).min(62);
        let fits = width == 8 || (-half..half).contains(&number);
        (number as u64, fits)
    };
    if !fits {
        return Err(Unreadable::new("not a number of the column's size"));
    }
    image.push_int(number, width);
    Ok(())
}

/// ZEROFILL puts zeros before the number.
fn decimal(
    column: &ColumnDefinition,
    value: &[u8],
    image: &mut ImageWriter<'_>,
) -> Result<(), Unreadable> {
    let text = text(value)?;
    let magnitude = text.strip_prefix('-');
    let digits = magnitude.unwrap_or(text);
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if before.is_empty()
        || !is_number(before)
        || !is_number(after)
        || after.len() != usize::from(column.scale)
    {
        return Err(Unreadable::new("not a DECIMAL of the column's scale"));
    }
    let significant = before.trim_start_matches('0');
    let before = if significant.is_empty() {
        "0"
    } else {
        significant
    };
    image.push_with(|out| {
        if magnitude.is_some() {
            out.push(b'-');
        }
        out.extend_from_slice(before.as_bytes());
        if !after.is_empty() {
            out.push(b'.');
            out.extend_from_slice(after.as_bytes());
        }
        Ok(())
    })
}

/// The server's text is the block's; only its form is looked at.
fn temporal(column: &ColumnDefinition, value: &[u8]) -> Result<(), Unreadable> {
    let fraction = match column.length as usize {
        0 => 0,
        digits => digits + 1,
    };
    let fits = match column.kind {
        ColumnKind::Date => value.len() == 10,
        // Two or three digits of hours, and a sign.
        ColumnKind::Time => (8..=10).contains(&value.len().saturating_sub(fraction)),
        _ => value.len() == 19 + fraction,
    };
    let is_plain = value
        .iter()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b' ' | b'.'));
    if fits && is_plain {
        Ok(())
    } else {
        Err(Unreadable::new("not a date or time of the column's form"))
    }
}
