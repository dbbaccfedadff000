//! DECIMAL from its stored form to text: `bin2decimal` of MySQL's `decimal.cc` describes the form.
//!
//! Nine digits take four bytes, big-endian; fewer digits take as few bytes as they need. The digits before the point come first, the incomplete
//! group leftmost; after the point the incomplete group is rightmost. The highest bit of the first byte is inverted, and in negative numbers all
//! bits are.

/// Bytes that so many digits of an incomplete group take.
const PARTIAL: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];

/// Largest stored form: DECIMAL(65,n) takes at most 31 bytes.
const MAX_LEN: usize = 32;

/// Bytes that a value of this precision and scale (`scale` ≤ `precision` ≤ 65) takes.
#[inline]
pub(crate) fn stored_len(precision: u8, scale: u8) -> usize {
    let (before, after) = (usize::from(precision - scale), usize::from(scale));
    before / 9 * 4 + PARTIAL[before % 9] + after / 9 * 4 + PARTIAL[after % 9]
}

/// Writes the text with its length before it. The error is a group that has more digits than it may.
pub(crate) fn write(stored: &[u8], precision: u8, scale: u8, out: &mut Vec<u8>) -> Result<(), u32> {
    let mut plain = [0; MAX_LEN];
    let bytes = &mut plain[..stored.len()];
    bytes.copy_from_slice(stored);
    let negative = bytes[0] & 0x80 == 0;
    bytes[0] ^= 0x80;
    if negative {
        for byte in bytes.iter_mut() {
            *byte = !*byte;
        }
    }
    let mut text = Digits::default();
    let (before, after) = (usize::from(precision - scale), usize::from(scale));
    let mut rest = &*bytes;
    if !before.is_multiple_of(9) {
        text.push(take(&mut rest, before % 9)?, before % 9);
    }
    for _ in 0..before / 9 {
        text.push(take(&mut rest, 9)?, 9);
    }
    text.strip_leading_zeros();
    if after > 0 {
        text.push_point();
        for _ in 0..after / 9 {
            text.push(take(&mut rest, 9)?, 9);
        }
        if !after.is_multiple_of(9) {
            text.push(take(&mut rest, after % 9)?, after % 9);
        }
    }
    let text = text.as_bytes();
    // The server never stores a negative zero.
    out.extend_from_slice(&(text.len() as u32 + u32::from(negative)).to_le_bytes());
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(text);
    Ok(())
}

/// The next group of `digits` digits.
#[inline]
fn take(rest: &mut &[u8], digits: usize) -> Result<u32, u32> {
    let (group, tail) = rest.split_at(PARTIAL[digits]);
    *rest = tail;
    let value = group.iter().fold(0, |sum, b| sum << 8 | u32::from(*b));
    if value < 10u32.pow(digits as u32) {
        Ok(value)
    } else {
        Err(value)
    }
}

/// The text of a number: at most 65 digits, a point and a zero before it.
struct Digits {
    text: [u8; 72],
    start: usize,
    end: usize,
}

impl Default for Digits {
    fn default() -> Self {
        Self {
            text: [b'0'; 72],
            start: 0,
            end: 0,
        }
    }
}

impl Digits {
    #[inline]
    fn push(&mut self, mut value: u32, digits: usize) {
        let end = self.end + digits;
        for byte in self.text[self.end..end].iter_mut().rev() {
            *byte = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.end = end;
    }

    /// Leaves one zero where there is nothing else.
    fn strip_leading_zeros(&mut self) {
        while self.start < self.end && self.text[self.start] == b'0' {
            self.start += 1;
        }
        if self.start == self.end {
            self.start = 0;
            self.end = 1;
            self.text[0] = b'0';
        }
    }

    fn push_point(&mut self) {
        self.text[self.end] = b'.';
        self.end += 1;
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text[self.start..self.end]
    }
}
