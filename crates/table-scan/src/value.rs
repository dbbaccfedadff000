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
        ColumnKind::Char if column.collation == Some(BINARY) || column.is_text_of_bytes() => {
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
        || digits.ends_with('.')
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
    let text = text(value)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fits = match column.kind {
        ColumnKind::Date => whole.len() == 10,
        // Two or three digits of hours, and a sign.
        ColumnKind::Time => (8..=10).contains(&whole.len()),
        _ => whole.len() == 19,
    };
    let is_whole = whole
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b' '));
    let is_fraction = fraction.len() == column.length as usize
        && fraction.bytes().all(|b| b.is_ascii_digit())
        && text.contains('.') == (column.length > 0);
    if fits && is_whole && is_fraction {
        Ok(())
    } else {
        Err(Unreadable::new("not a date or time of the column's form"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: ColumnKind) -> ColumnDefinition {
        ColumnDefinition {
            name: "c".to_owned(),
            kind,
            signedness: Signedness::Signed,
            collation: None,
            charset: None,
            length: 0,
            scale: 0,
            nullable: true,
            members: 0,
            column_type: String::new(),
        }
    }

    /// The value's bytes in the block, or nothing where it is refused.
    fn written(column: &ColumnDefinition, value: &str, types: Option<&str>) -> Option<Vec<u8>> {
        let mut block = Vec::new();
        let mut image = ImageWriter::begin(&mut block, 1);
        write(
            column,
            value.as_bytes(),
            types.map(str::as_bytes),
            &mut image,
        )
        .ok()?;
        Some(block.split_off(1))
    }

    fn check(column: &ColumnDefinition, value: &str, expected: Option<&[u8]>) {
        assert_eq!(
            written(column, value, None).as_deref(),
            expected,
            "{value:?}"
        );
    }

    #[test]
    fn integers_fit_their_columns() {
        let mut tiny = column(ColumnKind::Tinyint);
        check(&tiny, "-128", Some(&[0x80]));
        check(&tiny, "127", Some(&[0x7f]));
        check(&tiny, "007", Some(&[7]));
        for value in ["-129", "128", "", "x", "1.0", "\u{e9}"] {
            check(&tiny, value, None);
        }
        tiny.signedness = Signedness::Unsigned;
        check(&tiny, "255", Some(&[0xff]));
        check(&tiny, "256", None);
        check(&tiny, "-1", None);
        let medium = column(ColumnKind::Mediumint);
        check(&medium, "-8388608", Some(&[0, 0, 0x80]));
        check(&medium, "8388608", None);
        let mut big = column(ColumnKind::Bigint);
        check(
            &big,
            "-9223372036854775808",
            Some(&[0, 0, 0, 0, 0, 0, 0, 0x80]),
        );
        check(&big, "9223372036854775808", None);
        big.signedness = Signedness::Unsigned;
        check(&big, "18446744073709551615", Some(&[0xff; 8]));
    }

    #[test]
    fn decimals_lose_their_zeros() {
        let mut decimal = column(ColumnKind::Decimal);
        decimal.scale = 2;
        check(&decimal, "0001.50", Some(b"\x04\0\0\x001.50"));
        check(&decimal, "-0.50", Some(b"\x05\0\0\0-0.50"));
        check(&decimal, "000.00", Some(b"\x04\0\0\x000.00"));
        for value in ["1.5", "1", ".50", "1.5x", "--1.50", "+1.50", ""] {
            check(&decimal, value, None);
        }
        decimal.scale = 0;
        check(&decimal, "000", Some(b"\x01\0\0\x000"));
        check(&decimal, "1.", None);
    }

    #[test]
    fn reals_keep_their_bits() {
        let float = column(ColumnKind::Float);
        check(&float, "-0", Some(&(-0_f32).to_le_bytes()));
        check(
            &float,
            "3.4028234663852886e38",
            Some(&f32::MAX.to_le_bytes()),
        );
        // Six digits of a FLOAT are another number.
        check(&float, "0.3", None);
        check(
            &column(ColumnKind::Double),
            "0.3",
            Some(&0.3_f64.to_le_bytes()),
        );
    }

    #[test]
    fn dates_and_times_have_their_form() {
        check(
            &column(ColumnKind::Date),
            "0000-00-00",
            Some(b"\x0a\0\0\x000000-00-00"),
        );
        check(&column(ColumnKind::Date), "2020-01-01 00:00:00", None);
        let mut time = column(ColumnKind::Time);
        check(&time, "-838:59:59", Some(b"\x0a\0\0\0-838:59:59"));
        check(&time, "00:00:00.5", None);
        check(&time, "00:00:00.", None);
        time.length = 3;
        check(&time, "00:00:00.500", Some(b"\x0c\0\0\x0000:00:00.500"));
        check(&time, "00:00:00", None);
        check(&column(ColumnKind::Datetime), "2020-01-01 00:00:0'", None);
    }

    #[test]
    fn binary_strings_lose_their_padding() {
        let mut bytes = column(ColumnKind::Char);
        check(&bytes, "a\0\0", Some(b"\x03\0\0\0a\0\0"));
        bytes.collation = Some(BINARY);
        check(&bytes, "a\0\0", Some(b"\x01\0\0\0a"));
    }

    #[test]
    fn documents_need_their_types() {
        let json = column(ColumnKind::Json);
        assert_eq!(written(&json, "7", None), None);
        assert_eq!(written(&json, "7", Some("s")), None);
        assert_eq!(
            written(&json, "7", Some("u")),
            Some(vec![3, 0, 0, 0, 6, 7, 0])
        );
    }
}
