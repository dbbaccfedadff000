//! Values as SQL literals, for a session whose character set is `binary` (see [`crate::settings`]).
//!
//! A string literal is written as the column's own bytes, so that the server neither converts nor guesses: behind `_binary` where they are stored into a column of
//! the same character set, which takes them as they are; behind the character set's introducer where they are converted or compared. (A comparison with a binary
//! string would use no index. And some introducers refuse what columns hold: a single surrogate of UCS-2, of which the introducer is UTF-16's.)
//! Numbers are written so that the server's parser gives the same bits back: floats as the shortest decimal that is exact for a double.

use datain_mysql_client::append_string;
use datain_row_block::Value;

/// How the values of one column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// An integer whose sign the column decides.
    Integer {
        /// Read the bytes as an unsigned number.
        unsigned: bool,
    },
    /// BIT, SET, YEAR, ENUM: plain numbers. (A number stored into an ENUM is its index, into a SET its mask.)
    Number,
    /// FLOAT and DOUBLE.
    Real,
    /// DECIMAL: digits as they are.
    Digits,
    /// Dates and times: quoted ASCII.
    Temporal,
    /// Character strings with this character set's introducer.
    Characters {
        /// Name of the character set, e.g. `utf8mb4`.
        charset: String,
        /// The column has the very character set of the values.
        same: bool,
    },
    /// Binary strings; BINARY(n) is padded with zero bytes to `pad_to`.
    Binary {
        /// The length of a BINARY column; 0 for others.
        pad_to: usize,
    },
    /// JSON documents in MySQL's binary form.
    Json,
    /// A type of MariaDB's that is logged as its bytes and written as text.
    Bytewise(Bytewise),
}

/// See [`Form::Bytewise`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytewise {
    /// UUID, 16 bytes.
    Uuid,
    /// INET4, 4 bytes.
    Inet4,
    /// INET6, 16 bytes.
    Inet6,
}

impl Bytewise {
    /// The type of this DATA_TYPE.
    #[must_use]
    pub fn of(data_type: &str) -> Option<Self> {
        Some(match data_type {
            "uuid" => Self::Uuid,
            "inet4" => Self::Inet4,
            "inet6" => Self::Inet6,
            _ => return None,
        })
    }

    fn write(self, out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Unwritable> {
        let length = if self == Self::Inet4 { 4 } else { 16 };
        if bytes.len() > length {
            return Err(Unwritable(format!("it has more than {length} bytes")));
        }
        // Zeros at the end may be left out of the log, as with BINARY.
        let mut whole = [0; 16];
        whole[..bytes.len()].copy_from_slice(bytes);
        // Without a character set, in this session, it would be the bytes themselves.
        out.extend_from_slice(b"_latin1'");
        for (at, byte) in whole[..length].iter().enumerate() {
            match self {
                Self::Uuid if matches!(at, 4 | 6 | 8 | 10) => out.push(b'-'),
                Self::Inet4 if at > 0 => out.push(b'.'),
                Self::Inet6 if at > 0 && at % 2 == 0 => out.push(b':'),
                _ => {}
            }
            if self == Self::Inet4 {
                write_u64(out, u64::from(*byte));
            } else {
                out.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
        }
        out.push(b'\'');
        Ok(())
    }
}

/// Why a value could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritable(
    /// What was wrong, without the value.
    pub String,
);

/// Appends the literal of `value`, to be stored, to `out`.
///
/// # Errors
/// When the value does not fit the column's form, which means that mapping and block disagree, or a JSON document is malformed.
pub fn write(out: &mut Vec<u8>, form: &Form, value: &Value<'_>) -> Result<(), Unwritable> {
    match (form, value) {
        (_, Value::Null) => out.extend_from_slice(b"NULL"),
        (Form::Integer { unsigned: true }, Value::Integer(_)) => {
            write_u64(out, value.as_u64().unwrap_or_default());
        }
        (Form::Integer { unsigned: false }, Value::Integer(_)) => {
            let mut buffer = itoa::Buffer::new();
            let number = value.as_i64().unwrap_or_default();
            out.extend_from_slice(buffer.format(number).as_bytes());
        }
        (Form::Number, Value::Unsigned(number)) => write_u64(out, *number),
        (Form::Real, Value::Float(number)) => write_real(out, f64::from(*number))?,
        (Form::Real, Value::Double(number)) => write_real(out, *number)?,
        (Form::Digits, Value::Text(digits)) if is_decimal(digits) => out.extend_from_slice(digits),
        (Form::Temporal, Value::Text(text)) if is_temporal(text) => {
            out.push(b'\'');
            out.extend_from_slice(text);
            out.push(b'\'');
        }
        (Form::Characters { same: true, .. }, Value::Bytes(bytes)) => {
            out.extend_from_slice(b"_binary");
            append_string(out, bytes);
        }
        (Form::Characters { charset, .. }, Value::Bytes(bytes)) => introduced(out, charset, bytes),
        (Form::Binary { pad_to }, Value::Bytes(bytes)) => {
            out.extend_from_slice(b"_binary");
            if bytes.len() < *pad_to {
                let mut padded = bytes.to_vec();
                padded.resize(*pad_to, 0);
                append_string(out, &padded);
            } else {
                append_string(out, bytes);
            }
        }
        (Form::Json, Value::Bytes(bytes)) => crate::json_sql::write(out, bytes)?,
        (Form::Bytewise(kind), Value::Bytes(bytes)) => kind.write(out, bytes)?,
        _ => {
            return Err(Unwritable(
                "the value is of another kind than the column".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Appends the literal of `value`, to be compared with the column.
///
/// # Errors
/// As [`write`].
pub fn write_sought(out: &mut Vec<u8>, form: &Form, value: &Value<'_>) -> Result<(), Unwritable> {
    match (form, value) {
        (Form::Characters { charset, .. }, Value::Bytes(bytes)) => {
            introduced(out, charset, bytes);
            Ok(())
        }
        _ => write(out, form, value),
    }
}

fn introduced(out: &mut Vec<u8>, charset: &str, bytes: &[u8]) {
    out.push(b'_');
    out.extend_from_slice(charset.as_bytes());
    append_string(out, bytes);
}

pub(crate) fn write_u64(out: &mut Vec<u8>, number: u64) {
    let mut buffer = itoa::Buffer::new();
    out.extend_from_slice(buffer.format(number).as_bytes());
}

/// The shortest decimal that reads back as the same double, with an exponent so that the server reads a DOUBLE, not a DECIMAL.
pub(crate) fn write_real(out: &mut Vec<u8>, number: f64) -> Result<(), Unwritable> {
    if !number.is_finite() {
        return Err(Unwritable("not a finite number".to_owned()));
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    out.extend_from_slice(text.as_bytes());
    if !text.contains('e') {
        out.extend_from_slice(b"e0");
    }
    Ok(())
}

fn is_decimal(digits: &[u8]) -> bool {
    let unsigned = digits.strip_prefix(b"-").unwrap_or(digits);
    unsigned.first().is_some_and(u8::is_ascii_digit)
        && unsigned.iter().all(|c| c.is_ascii_digit() || *c == b'.')
}

pub(crate) fn is_temporal(text: &[u8]) -> bool {
    text.iter()
        .all(|c| c.is_ascii_digit() || matches!(c, b'-' | b':' | b' ' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &Form, value: Value<'_>, expected: &str) {
        let mut out = Vec::new();
        write(&mut out, form, &value).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    #[test]
    fn integers_take_the_sign_of_the_column() {
        let ones = [0xff; 8];
        for (width, unsigned) in [(1, "255"), (2, "65535"), (3, "16777215"), (4, "4294967295")] {
            check(
                &Form::Integer { unsigned: false },
                Value::Integer(&ones[..width]),
                "-1",
            );
            check(
                &Form::Integer { unsigned: true },
                Value::Integer(&ones[..width]),
                unsigned,
            );
        }
        check(
            &Form::Integer { unsigned: true },
            Value::Integer(&ones),
            "18446744073709551615",
        );
        let low = i64::MIN.to_le_bytes();
        check(
            &Form::Integer { unsigned: false },
            Value::Integer(&low),
            "-9223372036854775808",
        );
    }

    #[test]
    fn reals_are_doubles_to_the_server_and_keep_their_bits() {
        check(&Form::Real, Value::Double(1.0), "1.0e0");
        check(&Form::Real, Value::Double(-0.0), "-0.0e0");
        check(&Form::Real, Value::Double(5e-324), "5e-324");
        // A FLOAT is written as the double that it is exactly, so that reading it back rounds to the same float.
        check(&Form::Real, Value::Float(0.1), "0.10000000149011612e0");
    }

    #[test]
    fn strings_are_escaped_bytewise() {
        let form = Form::Characters {
            charset: "gbk".to_owned(),
            same: false,
        };
        let mut out = Vec::new();
        write(&mut out, &form, &Value::Bytes(b"\x95\x5c'\0\x1a")).unwrap();
        assert_eq!(out, b"_gbk'\x95\\\x5c\\'\\0\\Z'");
        check(
            &Form::Binary { pad_to: 4 },
            Value::Bytes(b"ab"),
            "_binary'ab\\0\\0'",
        );
        check(&Form::Binary { pad_to: 0 }, Value::Bytes(b""), "_binary''");
    }

    #[test]
    fn nothing_but_digits_passes_as_a_number_or_a_date() {
        for (form, text) in [
            (Form::Digits, "1); DROP"),
            (Form::Temporal, "2020'"),
            (Form::Digits, ""),
        ] {
            assert!(write(&mut Vec::new(), &form, &Value::Text(text.as_bytes())).is_err());
        }
        check(&Form::Digits, Value::Text(b"-12.50"), "-12.50");
        check(
            &Form::Temporal,
            Value::Text(b"-838:59:59.000001"),
            "'-838:59:59.000001'",
        );
    }

    #[test]
    fn addresses_and_uuids_are_written_as_text() {
        let bytes: Vec<u8> = (1..=16).map(|n| n * 15).collect();
        for (kind, length, expected) in [
            (
                Bytewise::Uuid,
                16,
                "_latin1'0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0'",
            ),
            (
                Bytewise::Inet6,
                16,
                "_latin1'0f1e:2d3c:4b5a:6978:8796:a5b4:c3d2:e1f0'",
            ),
            (
                Bytewise::Inet6,
                1,
                "_latin1'0f00:0000:0000:0000:0000:0000:0000:0000'",
            ),
            (Bytewise::Inet4, 4, "_latin1'15.30.45.60'"),
            (Bytewise::Inet4, 0, "_latin1'0.0.0.0'"),
        ] {
            check(
                &Form::Bytewise(kind),
                Value::Bytes(&bytes[..length]),
                expected,
            );
        }
        let form = Form::Bytewise(Bytewise::Inet4);
        assert!(write(&mut Vec::new(), &form, &Value::Bytes(&bytes[..5])).is_err());
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        assert!(write(&mut Vec::new(), &Form::Real, &Value::Bytes(b"x")).is_err());
    }
}
