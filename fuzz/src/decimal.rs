//! DECIMAL: a precision, a scale and the stored bytes. What is read is written back by a writer of this module's own, made after the format's
//! description, and must be the same bytes.

use datain_binary_json::decimal::{DecimalText, is_valid, stored_len};

use crate::input::Input;

/// Decodes and writes back.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (precision, scale) = (input.u8(), input.u8());
    let stored = input.rest();
    let decoded = DecimalText::decode(stored, precision, scale);
    let Ok(text) = decoded else { return };
    assert!(is_valid(precision, scale));
    assert_eq!(stored.len(), stored_len(precision, scale));
    let text = text.as_str();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    assert!(!whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()));
    assert!(fraction.bytes().all(|b| b.is_ascii_digit()));
    assert_eq!(fraction.len(), usize::from(scale));
    assert!(whole == "0" || !whole.starts_with('0'), "needless zeros");
    assert!(whole == "0" || whole.len() <= usize::from(precision - scale));
    assert_eq!(write(negative, whole, fraction, precision, scale), stored);
}

/// The stored form of a number: groups of nine digits in four bytes, what is left over in as few as it needs.
#[must_use]
pub fn write(negative: bool, whole: &str, fraction: &str, precision: u8, scale: u8) -> Vec<u8> {
    let before = usize::from(precision - scale);
    // A zero before the point takes no digit where the column has none.
    let whole = if before == 0 { "" } else { whole };
    let whole = format!("{whole:0>before$}");
    let mut out = Vec::new();
    let (first, groups) = whole.split_at(before % 9);
    push(&mut out, first);
    for group in groups.as_bytes().chunks(9) {
        push(&mut out, std::str::from_utf8(group).expect("digits"));
    }
    for group in fraction.as_bytes().chunks(9) {
        push(&mut out, std::str::from_utf8(group).expect("digits"));
    }
    if negative {
        for byte in &mut out {
            *byte = !*byte;
        }
    }
    if let Some(first) = out.first_mut() {
        *first ^= 0x80;
    }
    out
}

fn push(out: &mut Vec<u8>, digits: &str) {
    let bytes = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4][digits.len()];
    let number: u32 = if digits.is_empty() {
        0
    } else {
        digits.parse().expect("digits")
    };
    out.extend_from_slice(&number.to_be_bytes()[4 - bytes..]);
}
