//! A value as the block holds it.

/// One value, borrowed from the block. Which variant a column has follows from its kind alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// An integer of 1, 2, 3, 4 or 8 little-endian bytes; see [`Value::as_i64`] and [`Value::as_u64`].
    Integer(&'a [u8]),
    /// FLOAT.
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// BIT and SET: a mask; ENUM: the index; YEAR: the year.
    Unsigned(u64),
    /// DECIMAL and the temporal kinds: ASCII text.
    Text(&'a [u8]),
    /// Every other kind: bytes.
    Bytes(&'a [u8]),
}

impl<'a> Value<'a> {
    /// Whether this is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// An integer read as two's complement (sign-extended), or any number that fits.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Integer(bytes) => {
                let raw = unsigned(bytes);
                let unused = 64 - 8 * bytes.len() as u32;
                Some((raw << unused) as i64 >> unused)
            }
            Self::Unsigned(n) => i64::try_from(n).ok(),
            _ => None,
        }
    }

    /// An integer read as unsigned, or a mask, an index or a year.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Integer(bytes) => Some(unsigned(bytes)),
            Self::Unsigned(n) => Some(n),
            _ => None,
        }
    }

    /// The bytes of a text or byte value.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&'a [u8]> {
        match *self {
            Self::Text(bytes) | Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Little-endian bytes, 1 to 8 of them, as a number.
#[inline]
pub(crate) fn unsigned(bytes: &[u8]) -> u64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(wide)
}
