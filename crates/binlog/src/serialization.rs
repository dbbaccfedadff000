//! Numbers and strings of MySQL's serialization library (`mysql::serialization`, 8.3 and later), as far as events use them.
//!
//! A number takes 1 to 9 bytes. The count of 1-bits at the low end of the first byte is the count of the bytes that follow; with the 0-bit above
//! them they are shifted out, and the rest, little-endian, is the number. A first byte of 0xff is followed by all 8 bytes. A signed number is the
//! same with its sign in the lowest bit, and, where negative, all other bits inverted.

use crate::cursor::Cursor;
use crate::error::Malformed;

/// An unsigned number.
pub(crate) fn unsigned(cursor: &mut Cursor<'_>, field: &'static str) -> Result<u64, Malformed> {
    let first = cursor.u8(field)?;
    let following = first.trailing_ones();
    if following == 8 {
        return cursor.u64(field);
    }
    let high = cursor.uint(following as usize, field)?;
    // With 7 bytes following nothing of the first byte is left.
    let low = u64::from(first) >> (following + 1);
    Ok(high << (7 - following) | low)
}

/// A signed number.
pub(crate) fn signed(cursor: &mut Cursor<'_>, field: &'static str) -> Result<i64, Malformed> {
    let raw = unsigned(cursor, field)?;
    let magnitude = (raw >> 1) as i64;
    Ok(if raw & 1 == 1 { !magnitude } else { magnitude })
}

/// A string: its length as an unsigned number, then its bytes.
pub(crate) fn string<'a>(
    cursor: &mut Cursor<'a>,
    field: &'static str,
) -> Result<&'a [u8], Malformed> {
    let length = unsigned(cursor, field)?;
    cursor.bytes_u64(length, field)
}

/// Appends an unsigned number.
pub(crate) fn push_unsigned(out: &mut Vec<u8>, value: u64) {
    let bits = 64 - value.leading_zeros();
    // 7 bits fit with no byte following, 14 with one, and so on.
    let following = bits.max(1).div_ceil(7) - 1;
    if following >= 8 {
        out.push(0xff);
        out.extend_from_slice(&value.to_le_bytes());
        return;
    }
    let marker = (1u64 << following) - 1;
    // With 7 bytes following the number fills exactly the 7 bytes after the marker's.
    let whole = value << (following + 1) | marker;
    out.extend_from_slice(&whole.to_le_bytes()[..following as usize + 1]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: u64) {
        let mut cursor = Cursor::new("test", bytes, 0);
        assert_eq!(unsigned(&mut cursor, "number"), Ok(expected));
        assert!(cursor.is_at_end());
        let mut out = Vec::new();
        push_unsigned(&mut out, expected);
        assert_eq!(out, bytes);
    }

    #[test]
    fn numbers_of_a_real_event() {
        // From a Gtid_tagged event of MySQL 9.7: a byte of the UUID, length, server version, commit time.
        check(&[0x00], 0);
        check(&[0x98], 0x4c);
        check(&[0xed, 0x02], 0xbb);
        check(&[0x5d, 0x03], 215);
        check(&[0x83, 0x12, 0x0b], 90704);
        check(
            &[0x7f, 0xa3, 0x7d, 0x0f, 0xa0, 0xe3, 0x60, 0x06],
            1_795_380_619_476_387,
        );
    }

    #[test]
    fn longest_numbers() {
        check(
            &[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            (1 << 56) - 1,
        );
        check(&[0xff, 0, 0, 0, 0, 0, 0, 0, 1], 1 << 56);
        check(&[0xff; 9], u64::MAX);
    }

    #[test]
    fn signed_numbers() {
        for (byte, expected) in [(0x04, 1), (0x02, -1), (0x00, 0), (0x06, -2)] {
            let mut cursor = Cursor::new("test", std::slice::from_ref(&byte), 0);
            assert_eq!(signed(&mut cursor, "number"), Ok(expected));
        }
    }
}
