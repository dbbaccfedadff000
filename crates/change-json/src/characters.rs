//! Strings of the server's character sets as Unicode.
//!
//! The numbers are those of `information_schema.COLLATIONS`. A character set is decoded here only if its table is the same as the server's; an end-to-end test
//! holds each of them against a server. (greek, hebrew, cp866, koi8u and gb2312 differ in a few characters from what the library knows under these names.)

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

/// How the bytes of a character set become characters.
enum Method {
    Utf8,
    Utf32,
    Table(&'static Encoding),
}

/// The text of `bytes` in the character set of the collation with this number; without a number UTF-8 is tried.
/// None when the bytes are no text in it, or the character set is not one of those that are decoded.
#[must_use]
pub fn decode(collation: Option<u16>, bytes: &[u8]) -> Option<Cow<'_, str>> {
    match collation.map_or(Some(Method::Utf8), method)? {
        Method::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Method::Utf32 => utf32(bytes).map(Cow::Owned),
        Method::Table(encoding) => {
            encoding.decode_without_bom_handling_and_without_replacement(bytes)
        }
    }
}

fn method(collation: u16) -> Option<Method> {
    use encoding_rs::{
        EUC_KR, GBK, ISO_8859_2, ISO_8859_13, KOI8_R, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252,
        WINDOWS_1256, WINDOWS_1257,
    };
    Some(Method::Table(match collation {
        // utf8mb4, utf8mb3, ascii; and MariaDB's numbers for the first two.
        11 | 65 | 33 | 45 | 46 | 76 | 83 | 192..=215 | 223..=247 | 255..=323 => {
            return Some(Method::Utf8);
        }
        1057 | 1069 | 1070 | 1107 | 1216..=1239 | 1247..=1271 | 2048..=2559 => {
            return Some(Method::Utf8);
        }
        60 | 61 | 160..=183 => return Some(Method::Utf32),
        // ucs2, which has no surrogates, and utf16.
        35 | 90 | 128..=151 | 159 | 54 | 55 | 101..=124 => UTF_16BE,
        56 | 62 => UTF_16LE,
        // latin1 is cp1252.
        5 | 8 | 15 | 31 | 47..=49 | 94 => WINDOWS_1252,
        2 | 9 | 21 | 27 | 77 => ISO_8859_2,
        20 | 41 | 42 | 79 => ISO_8859_13,
        26 | 34 | 44 | 66 | 99 => WINDOWS_1250,
        14 | 23 | 50..=52 => WINDOWS_1251,
        57 | 67 => WINDOWS_1256,
        29 | 58 | 59 => WINDOWS_1257,
        7 | 74 => KOI8_R,
        19 | 85 => EUC_KR,
        28 | 87 => GBK,
        _ => return None,
    }))
}

fn utf32(bytes: &[u8]) -> Option<String> {
    let (characters, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    characters
        .iter()
        .map(|four| char::from_u32(u32::from_be_bytes(*four)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(collation: Option<u16>, bytes: &[u8], expected: Option<&str>) {
        assert_eq!(decode(collation, bytes).as_deref(), expected);
    }

    #[test]
    fn text_is_decoded_or_refused() {
        check(Some(255), "žluťoučký 🐎".as_bytes(), Some("žluťoučký 🐎"));
        check(Some(255), b"\xff", None);
        check(None, b"abc", Some("abc"));
        check(None, b"\xe9", None);
        check(Some(8), b"\xe9\x80\x81", Some("é€\u{81}"));
        check(Some(11), b"abc", Some("abc"));
        check(
            Some(54),
            b"\xfe\xff\x00a\xd8\x3d\xdc\x0e",
            Some("\u{feff}a🐎"),
        );
        check(Some(54), b"\x00", None);
        check(Some(56), b"a\x00", Some("a"));
        check(Some(60), b"\x00\x01\xf4\x0e", Some("🐎"));
        check(Some(60), b"\x00\x11\x00\x00", None);
        check(Some(60), b"\x00", None);
        check(Some(14), b"\xcf\xf0\xe8", Some("При"));
        check(Some(28), b"\xd6\xd0\xce\xc4", Some("中文"));
        // dec8 has no table here.
        check(Some(3), b"a", None);
    }
}
