//! DECIMAL from text to its form in documents: precision, scale, and the digits as [`crate::decimal`] has them.

use crate::decimal::{MAX_PRECISION, PARTIAL};

/// `enum_field_types` for DECIMAL.
pub(super) const TYPE: u8 = 246;

/// Replaces what is in `out`; none for a text that is no DECIMAL.
pub(super) fn write(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let magnitude = text.strip_prefix('-');
    let digits = magnitude.unwrap_or(text);
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if before.is_empty() || !is_number(before) || !is_number(after) || digits.ends_with('.') {
        return None;
    }
    let before = before.trim_start_matches('0').as_bytes();
    // Zero has a digit all the same.
    let before = if before.is_empty() && after.is_empty() {
        b"0"
    } else {
        before
    };
    let after = after.as_bytes();
    let precision = u8::try_from(before.len() + after.len())
        .ok()
        .filter(|digits| *digits <= MAX_PRECISION)?;
    out.clear();
    out.extend_from_slice(&[precision, after.len() as u8]);
    let begin = out.len();
    let (first, groups) = before.split_at(before.len() % 9);
    push(out, first);
    groups.chunks(9).for_each(|group| push(out, group));
    after.chunks(9).for_each(|group| push(out, group));
    if magnitude.is_some() {
        out[begin..].iter_mut().for_each(|byte| *byte = !*byte);
    }
    *out.get_mut(begin)? ^= 0x80;
    Some(())
}

/// Up to nine digits, in as few bytes as they need, big-endian.
fn push(out: &mut Vec<u8>, digits: &[u8]) {
    let number = digits
        .iter()
        .fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let bytes = number.to_be_bytes();
    out.extend_from_slice(&bytes[4 - PARTIAL[digits.len()]..]);
}
