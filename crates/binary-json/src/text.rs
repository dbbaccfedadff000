//! JSON text as the server prints it: `Json_wrapper::to_string` of MySQL's `json_dom.cc`.

use std::fmt::Write as _;

use crate::error::InvalidJson;
use crate::scalar::{Opaque, Scalar};
use crate::tokens::{Document, Token};

impl Document<'_> {
    /// Appends the document's text, byte for byte as `CAST(… AS CHAR)` gives it. After an error `out` is as before.
    ///
    /// # Errors
    /// When the bytes are not a document.
    pub fn write_text(&self, out: &mut String) -> Result<(), InvalidJson> {
        let start = out.len();
        let written = self.append_text(out);
        if written.is_err() {
            out.truncate(start);
        }
        written
    }

    /// The document's text.
    ///
    /// # Errors
    /// When the bytes are not a document.
    pub fn to_text(&self) -> Result<String, InvalidJson> {
        let mut text = String::new();
        self.write_text(&mut text)?;
        Ok(text)
    }

    fn append_text(&self, out: &mut String) -> Result<(), InvalidJson> {
        // Whether the next value or key has another one before it in the same container.
        let mut comma = false;
        for token in self.tokens() {
            let token = token?;
            if comma && !matches!(token, Token::EndObject | Token::EndArray) {
                out.push_str(", ");
            }
            comma = true;
            match token {
                Token::StartObject(_) => {
                    out.push('{');
                    comma = false;
                }
                Token::StartArray(_) => {
                    out.push('[');
                    comma = false;
                }
                Token::EndObject => out.push('}'),
                Token::EndArray => out.push(']'),
                Token::Key(key) => {
                    push_quoted(out, key);
                    out.push_str(": ");
                    comma = false;
                }
                Token::Scalar(scalar) => scalar.write_text(out)?,
            }
        }
        Ok(())
    }
}

impl Scalar<'_> {
    /// Appends the scalar's text as the server prints it.
    ///
    /// # Errors
    /// When an opaque value is not what its type says.
    pub fn write_text(&self, out: &mut String) -> Result<(), InvalidJson> {
        match *self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Int(n) => push_display(out, n),
            Self::Uint(n) => push_display(out, n),
            Self::Double(n) => push_double(out, n),
            Self::String(string) => push_quoted(out, string),
            Self::Opaque(opaque) => return push_opaque(out, &opaque),
        }
        Ok(())
    }
}

fn push_display(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a String never fails.
    let _ = write!(out, "{value}");
}

/// A string in double quotes, with the escapes that the server uses.
fn push_quoted(out: &mut String, string: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in string.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x0c => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x00..0x20 => "",
            _ => continue,
        };
        out.push_str(&string[plain..at]);
        plain = at + 1;
        if escape.is_empty() {
            let _ = write!(out, "\\u{byte:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&string[plain..]);
    out.push('"');
}

/// The shortest text that reads back as the same number, plain where the first digit is at most 15 places away from the point, else with an exponent;
/// and never such that it would read back as an integer.
fn push_double(out: &mut String, number: f64) {
    let start = out.len();
    // Rust's exponent form has the shortest digits, one of them before the point.
    let mut shortest = String::with_capacity(32);
    let _ = write!(shortest, "{number:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-15..=14).contains(&exponent) {
        let _ = write!(out, "{number}");
        if !out[start..].contains('.') {
            out.push_str(".0");
        }
    } else {
        out.push_str(mantissa);
        out.push('e');
        push_display(out, exponent);
    }
}

fn push_opaque(out: &mut String, opaque: &Opaque<'_>) -> Result<(), InvalidJson> {
    if let Some(decimal) = opaque.decimal() {
        out.push_str(decimal?.2.as_str());
    } else if let Some(temporal) = opaque.temporal() {
        let _ = write!(out, "\"{}\"", temporal?);
    } else {
        let _ = write!(out, "\"base64:type{}:", opaque.type_code);
        push_base64(out, opaque.bytes);
        out.push('"');
    }
    Ok(())
}

/// Base64 with a line break (as JSON escapes it) after every 76 characters but at the end.
fn push_base64(out: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const LINE: usize = 76 / 4 * 3;
    for (i, line) in bytes.chunks(LINE).enumerate() {
        if i > 0 {
            out.push_str("\\n");
        }
        for group in line.chunks(3) {
            let mut bits = 0;
            for (i, byte) in group.iter().enumerate() {
                bits |= u32::from(*byte) << (16 - 8 * i);
            }
            for i in 0..4 {
                if i <= group.len() {
                    out.push(char::from(DIGITS[(bits >> (18 - 6 * i) & 0x3f) as usize]));
                } else {
                    out.push('=');
                }
            }
        }
    }
}
