//! DECIMAL from its stored form to text: `bin2decimal` of MySQL's `decimal.cc` describes the form. Row images and JSON documents hold the same.
//!
//! Nine digits take four bytes, big-endian; fewer digits take as few bytes as they need. The digits before the point come first, the incomplete
//! group leftmost; after the point the incomplete group is rightmost. The highest bit of the first byte is inverted, and in negative numbers all
//! bits are.

/// Bytes that so many digits of an incomplete group take.
pub(crate) const PARTIAL: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// The largest precision of a stored form. In JSON documents the server counts the digits before the point in whole groups, so that 65 become 72.
const MAX_STORED_PRECISION: u8 = 81;

/// Room for the largest stored form: nine groups, or one more where an incomplete one stands on either side.
const MAX_STORED: usize = 40;

/// The largest precision that the server knows.
pub const MAX_PRECISION: u8 = 65;

/// Bytes that are no DECIMAL of the precision and scale they are said to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a stored DECIMAL")]
pub struct InvalidDecimal;

/// Whether a column may have this precision and scale.
#[must_use]
pub fn is_valid(precision: u8, scale: u8) -> bool {
    (1..=MAX_PRECISION).contains(&precision) && scale <= precision
}

/// Bytes that a value takes.
///
/// # Panics
/// When precision and scale are not [valid](is_valid).
#[must_use]
#[inline]
pub fn stored_len(precision: u8, scale: u8) -> usize {
    let (before, after) = (usize::from(precision - scale), usize::from(scale));
    before / 9 * 4 + PARTIAL[before % 9] + after / 9 * 4 + PARTIAL[after % 9]
}

/// A number as text: an optional minus, digits without needless zeros before the point, and as many after it as the scale says.
#[derive(Debug, Clone)]
pub struct DecimalText {
    // The first byte is kept for the minus; 81 digits, a point and a zero before it follow.
    text: [u8; 88],
    start: usize,
    end: usize,
}

impl DecimalText {
    /// Decodes a stored value of [`stored_len`] bytes.
    ///
    /// # Errors
    /// When precision and scale are not valid, the bytes are not of the length that follows from them, or a group of digits is too large.
    #[inline]
    pub fn decode(stored: &[u8], precision: u8, scale: u8) -> Result<Self, InvalidDecimal> {
        let valid = (1..=MAX_STORED_PRECISION).contains(&precision) && scale <= precision;
        if !valid || stored.len() != stored_len(precision, scale) {
            return Err(InvalidDecimal);
        }
        let mut plain = [0; MAX_STORED];
        let bytes = &mut plain[..stored.len()];
        bytes.copy_from_slice(stored);
        let negative = bytes[0] & 0x80 == 0;
        bytes[0] ^= 0x80;
        if negative {
            for byte in bytes.iter_mut() {
                *byte = !*byte;
            }
        }
        let mut text = Self {
            text: [b'0'; 88],
            start: 1,
            end: 1,
        };
        let (before, after) = (usize::from(precision - scale), usize::from(scale));
        let mut rest = &*bytes;
        text.push(&mut rest, before % 9)?;
        for _ in 0..before / 9 {
            text.push(&mut rest, 9)?;
        }
        text.strip_leading_zeros();
        if after > 0 {
            text.text[text.end] = b'.';
            text.end += 1;
            for _ in 0..after / 9 {
                text.push(&mut rest, 9)?;
            }
            text.push(&mut rest, after % 9)?;
        }
        // The server stores no negative zero.
        if negative {
            text.start -= 1;
            text.text[text.start] = b'-';
        }
        Ok(text)
    }

    /// The text's bytes, which are ASCII.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..self.end]
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever written.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Appends the next group of `digits` digits.
    #[inline]
    fn push(&mut self, rest: &mut &[u8], digits: usize) -> Result<(), InvalidDecimal> {
        let (group, tail) = rest.split_at(PARTIAL[digits]);
        *rest = tail;
        let mut value = group.iter().fold(0, |sum, b| sum << 8 | u32::from(*b));
        let end = self.end + digits;
        for byte in self.text[self.end..end].iter_mut().rev() {
            *byte = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.end = end;
        if value == 0 {
            Ok(())
        } else {
            Err(InvalidDecimal)
        }
    }

    /// Leaves one zero where there is nothing else.
    #[inline]
    fn strip_leading_zeros(&mut self) {
        while self.start < self.end && self.text[self.start] == b'0' {
            self.start += 1;
        }
        if self.start == self.end {
            self.start = 1;
            self.end = 2;
            self.text[1] = b'0';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stored: &[u8], precision: u8, scale: u8, expected: Result<&str, InvalidDecimal>) {
        let text = DecimalText::decode(stored, precision, scale);
        assert_eq!(
            text.as_ref().map(DecimalText::as_str),
            expected.as_ref().copied()
        );
    }

    #[test]
    fn decimals() {
        // The example of `decimal2bin`'s comment: 1234567890.1234 as DECIMAL(14,4).
        let stored = [0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2];
        check(&stored, 14, 4, Ok("1234567890.1234"));
        check(&stored.map(|b| !b), 14, 4, Ok("-1234567890.1234"));
        check(&[0x80], 1, 0, Ok("0"));
        check(&[0x80], 1, 1, Ok("0.0"));
        check(&[0x80, 0, 0, 0], 8, 0, Ok("0"));
        check(&[0x85], 1, 0, Ok("5"));
    }

    #[test]
    fn what_is_no_decimal() {
        check(&[0xff], 1, 0, Err(InvalidDecimal));
        check(&[0x80, 0], 1, 0, Err(InvalidDecimal));
        check(&[], 0, 0, Err(InvalidDecimal));
        check(&[0x80], 1, 2, Err(InvalidDecimal));
        check(&[0x80; 40], 66, 0, Err(InvalidDecimal));
    }
}
