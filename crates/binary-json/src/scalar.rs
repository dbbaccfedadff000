//! Scalars: everything in a document that is neither an object nor an array.

use crate::decimal::DecimalText;
use crate::error::InvalidJson;
use crate::temporal::Temporal;

/// A scalar value, with the type that the document gives it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// The literal null.
    Null,
    /// The literals true and false.
    Bool(bool),
    /// A signed integer, stored in 2, 4 or 8 bytes.
    Int(i64),
    /// An unsigned integer, stored in 2, 4 or 8 bytes. JSON_TYPE calls it UNSIGNED INTEGER, however small.
    Uint(u64),
    /// A floating-point number; in a document it is finite.
    Double(f64),
    /// A string.
    String(&'a str),
    /// A value of one of MySQL's own types.
    Opaque(Opaque<'a>),
}

/// A value that JSON has no type for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opaque<'a> {
    /// The type, a code of `enum_field_types`: 246 DECIMAL, 10 DATE, 11 TIME, 12 DATETIME, 7 TIMESTAMP, 15 VARBINARY, 16 BIT, 252 BLOB and others.
    pub type_code: u8,
    /// The value's bytes, in the form that the type has in documents.
    pub bytes: &'a [u8],
}

/// `enum_field_types` for DECIMAL.
const NEWDECIMAL: u8 = 246;

impl Scalar<'_> {
    /// Whether the text form comes back as the same type when it is parsed.
    ///
    /// That does not hold for any opaque value (a DECIMAL becomes a DOUBLE, the others strings), nor for unsigned integers that a signed one can hold, nor for
    /// signed ones beyond 32 bits, which the server's parser takes for unsigned (measured: 4294967295 is an INTEGER, 4294967296 an UNSIGNED INTEGER).
    #[must_use]
    pub fn text_keeps_type(&self) -> bool {
        match *self {
            Self::Opaque(_) => false,
            Self::Int(n) => n <= i64::from(u32::MAX),
            Self::Uint(n) => i64::try_from(n).is_err(),
            _ => true,
        }
    }
}

impl<'a> Opaque<'a> {
    /// Precision, scale and text of a DECIMAL; `None` for other types.
    ///
    /// # Errors
    /// When the bytes are no DECIMAL. The offset in the error is 0.
    pub fn decimal(&self) -> Option<Result<(u8, u8, DecimalText), InvalidJson>> {
        if self.type_code != NEWDECIMAL {
            return None;
        }
        let decoded = match self.bytes {
            [precision, scale, stored @ ..] => DecimalText::decode(stored, *precision, *scale)
                .ok()
                .map(|text| (*precision, *scale, text)),
            _ => None,
        };
        Some(decoded.ok_or(InvalidJson::new(0, "not a DECIMAL")))
    }

    /// DATE, TIME, DATETIME and TIMESTAMP; `None` for other types.
    ///
    /// # Errors
    /// When the bytes are not eight. The offset in the error is 0.
    pub fn temporal(&self) -> Option<Result<Temporal, InvalidJson>> {
        Temporal::decode(self.type_code, self.bytes)
    }
}
