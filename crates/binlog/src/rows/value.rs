//! One value of an image: how the bytes of each column type are stored in a rows event (`Field_*::pack` of MySQL's `field.cc`), written as ROWS.md
//! wants them.

use datain_binary_json::decimal::{self, DecimalText};

use crate::cursor::Cursor;
use crate::error::{Malformed, Problem};
use crate::rows::temporal;

/// How to decode a column; the type code with what its metadata says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoder {
    Fixed1,
    Fixed2,
    Fixed3,
    Fixed4,
    Fixed8,
    Year,
    Bit {
        bytes: u8,
    },
    Enum {
        bytes: u8,
    },
    Set {
        bytes: u8,
    },
    Decimal {
        precision: u8,
        scale: u8,
    },
    Date,
    OldTime,
    OldDatetime,
    OldTimestamp,
    Time {
        digits: u8,
    },
    Datetime {
        digits: u8,
    },
    Timestamp {
        digits: u8,
    },
    /// A string with a length of 1 byte.
    Short,
    /// A string with a length of 2 bytes.
    Long,
    /// Bytes with a length of 1 to 4 bytes.
    Blob {
        size: u8,
    },
}

impl Decoder {
    /// CHAR and VARCHAR: the length takes one byte where it fits.
    pub(crate) fn string(max_length: u16) -> Self {
        if max_length < 256 {
            Self::Short
        } else {
            Self::Long
        }
    }

    /// Decodes the value that comes next.
    #[inline]
    pub(crate) fn decode(
        self,
        cursor: &mut Cursor<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Malformed> {
        match self {
            Self::Fixed1 => out.push(cursor.u8("integer")?),
            Self::Fixed2 => out.extend_from_slice(&cursor.array::<2>("integer")?),
            Self::Fixed3 => out.extend_from_slice(&cursor.array::<3>("integer")?),
            Self::Fixed4 => out.extend_from_slice(&cursor.array::<4>("number")?),
            Self::Fixed8 => out.extend_from_slice(&cursor.array::<8>("number")?),
            Self::Year => {
                let year = match cursor.u8("year")? {
                    0 => 0,
                    since_1900 => 1900 + u16::from(since_1900),
                };
                out.extend_from_slice(&year.to_le_bytes());
            }
            Self::Bit { bytes } => {
                let value = cursor.uint_be(usize::from(bytes), "bit")?;
                out.extend_from_slice(&value.to_le_bytes());
            }
            Self::Enum { bytes } => {
                let index = cursor.uint(usize::from(bytes), "enum")?;
                out.extend_from_slice(&(index as u16).to_le_bytes());
            }
            Self::Set { bytes } => {
                let mask = cursor.uint(usize::from(bytes), "set")?;
                out.extend_from_slice(&mask.to_le_bytes());
            }
            Self::Short => {
                let length = cursor.u8("length")?;
                push_bytes(out, cursor.bytes(usize::from(length), "string")?);
            }
            Self::Long => {
                let length = cursor.u16("length")?;
                push_bytes(out, cursor.bytes(usize::from(length), "string")?);
            }
            Self::Blob { size } => {
                let length = cursor.uint(usize::from(size), "length")?;
                push_bytes(out, cursor.bytes_u64(length, "blob")?);
            }
            Self::Decimal { precision, scale } => {
                let start = cursor.clone();
                let bytes = cursor.bytes(decimal::stored_len(precision, scale), "decimal")?;
                match DecimalText::decode(bytes, precision, scale) {
                    Ok(text) => push_bytes(out, text.as_bytes()),
                    Err(_) => return Err(start.error("decimal", Problem::BadDecimal)),
                }
            }
            Self::Date => temporal::date(cursor, out)?,
            Self::OldTime => temporal::old_time(cursor, out)?,
            Self::OldDatetime => temporal::old_datetime(cursor, out)?,
            Self::OldTimestamp => temporal::old_timestamp(cursor, out)?,
            Self::Time { digits } => temporal::time(digits, cursor, out)?,
            Self::Datetime { digits } => temporal::datetime(digits, cursor, out)?,
            Self::Timestamp { digits } => temporal::timestamp(digits, cursor, out)?,
        }
        Ok(())
    }
}

/// Bytes with ROWS.md's length of 4 bytes; a value in an event is always shorter than that allows.
#[inline]
pub(crate) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out.extend_from_slice(bytes);
}
