//! The name of an XA transaction, as `XA` statements carry it ("XA Transaction SQL Statements"): `gtrid [, bqual
//! [, formatID]]`. The binary log always has the full form with hexadecimal literals: `X'74',X'',1`.

use std::fmt;

use crate::TokenKind;
use crate::cursor::Cursor;
use crate::token::unquote;

/// The name of an XA transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Xid {
    /// The global transaction identifier.
    pub gtrid: Vec<u8>,
    /// The branch qualifier; empty where none is given.
    pub bqual: Vec<u8>,
    /// The format; 1 where none is given.
    pub format_id: u64,
}

/// As a server writes it to its log, with the digits in lower case.
impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.gtrid, &self.bqual] {
            f.write_str("X'")?;
            for byte in part {
                write!(f, "{byte:02x}")?;
            }
            f.write_str("',")?;
        }
        write!(f, "{}", self.format_id)
    }
}

impl Xid {
    /// Reads an xid, or `None` where it is not written in a form that is understood.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut xid = Self {
            gtrid: literal(cursor)?,
            bqual: Vec::new(),
            format_id: 1,
        };
        if cursor.take_punctuation(b',') {
            xid.bqual = literal(cursor)?;
            if cursor.take_punctuation(b',') {
                let number = cursor
                    .advance()
                    .filter(|token| token.kind == TokenKind::Number)?;
                let text = std::str::from_utf8(number.text).ok()?;
                xid.format_id = match text.strip_prefix("0x") {
                    Some(hex) => u64::from_str_radix(hex, 16).ok()?,
                    None => text.parse().ok()?,
                };
            }
        }
        Some(xid)
    }
}

/// The bytes of a string or hexadecimal literal. A string with a backslash is not understood: the log has none.
fn literal(cursor: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let token = cursor.advance()?;
    match (token.kind, token.text) {
        (TokenKind::Number, [b'0', b'x', digits @ ..]) => hex(digits),
        (TokenKind::String, [b'x' | b'X', b'\'', digits @ .., b'\'']) => hex(digits),
        (TokenKind::String, text @ [b'\'' | b'"', ..])
            if token.closed && !text.contains(&b'\\') =>
        {
            unquote(text, token.charset).map(std::borrow::Cow::into_owned)
        }
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    digits
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}
