//! The character set of a statement, as far as it decides where tokens end.
//!
//! MySQL accepts only character sets that contain ASCII as client character sets ("Connection Character Sets and
//! Collations", "Impermissible Client Character Sets"). In most of them a byte below 0x80 is always the ASCII
//! character. In a few the second byte of a character may be one, among them `\` (0x5C) and `` ` `` (0x60): read as
//! ASCII, such a byte would escape or close a quote that is still open.

use std::borrow::Cow;

/// What the tokenizer needs to know about the client's character set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charset {
    /// utf8mb4 or utf8mb3.
    #[default]
    Utf8,
    /// latin1, which is cp1252 in MySQL. Byte 0xA0 (no-break space) separates words.
    Latin1,
    /// big5.
    Big5,
    /// gbk.
    Gbk,
    /// gb18030.
    Gb18030,
    /// sjis and cp932.
    Sjis,
    /// A character set of single bytes in which this byte, besides ASCII's blanks, separates words: 0xA0 in latin2, latin5,
    /// latin7, cp1250, greek, hebrew, dec8, geostd8 and armscii8, 0xFF in cp852, cp866 and keybcs2 (found by asking MySQL
    /// 9.7 about each byte of each character set).
    OtherWithBlank(u8),
    /// Any other: bytes below 0x80 are ASCII wherever they stand as far as quotes are concerned.
    Other,
}

impl Charset {
    /// The character set of this name, as in `information_schema.CHARACTER_SETS`; ASCII case is ignored.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "utf8" | "utf8mb3" | "utf8mb4" | "ascii" => Self::Utf8,
            "latin1" => Self::Latin1,
            "big5" => Self::Big5,
            "gbk" => Self::Gbk,
            "gb18030" => Self::Gb18030,
            "sjis" | "cp932" => Self::Sjis,
            "latin2" | "latin5" | "latin7" | "cp1250" | "greek" | "hebrew" | "dec8" | "geostd8"
            | "armscii8" => Self::OtherWithBlank(0xA0),
            "cp852" | "cp866" | "keybcs2" => Self::OtherWithBlank(0xFF),
            _ => Self::Other,
        }
    }

    /// The character set of a collation number, as a Query event's charset field carries it (the numbers are those
    /// of `information_schema.COLLATIONS`). MariaDB's NOPAD collations are their PAD SPACE twins plus 1024, and its
    /// UCA 14.0.0 collations begin at 2048, in blocks of 256: utf8mb3, utf8mb4, then others.
    #[must_use]
    pub fn from_collation(id: u16) -> Self {
        match id {
            2048..=2559 => return Self::Utf8,
            2560.. => return Self::Other,
            _ => {}
        }
        match id % 1024 {
            1 | 84 => Self::Big5,
            28 | 87 => Self::Gbk,
            248..=250 => Self::Gb18030,
            13 | 88 | 95 | 96 => Self::Sjis,
            5 | 8 | 15 | 31 | 47..=49 | 94 => Self::Latin1,
            2 | 9 | 21 | 27 | 77 | 30 | 78 | 20 | 41 | 42 | 79 => Self::OtherWithBlank(0xA0),
            26 | 34 | 44 | 66 | 99 | 25 | 70 | 16 | 71 | 3 | 69 => Self::OtherWithBlank(0xA0),
            92 | 93 | 32 | 64 => Self::OtherWithBlank(0xA0),
            36 | 37 | 40 | 68 | 73 | 81 => Self::OtherWithBlank(0xFF),
            11 | 65 | 33 | 45 | 46 | 76 | 83 => Self::Utf8,
            192..=215 | 223..=247 | 255..=323 | 576..=578 | 608..=610 => Self::Utf8,
            _ => Self::Other,
        }
    }

    /// The length of the character that `bytes` begins with, where its later bytes must not be read as ASCII; else 1.
    pub(crate) fn char_len(self, bytes: &[u8]) -> usize {
        let (lead, trail) = match bytes {
            [lead, trail, ..] if *lead >= 0x80 => (*lead, *trail),
            _ => return 1,
        };
        let double = match self {
            Self::Utf8 | Self::Latin1 | Self::OtherWithBlank(_) | Self::Other => false,
            Self::Big5 => matches!(lead, 0xA1..=0xF9) && matches!(trail, 0x40..=0x7E | 0xA1..=0xFE),
            Self::Gbk | Self::Gb18030 => {
                matches!(lead, 0x81..=0xFE) && matches!(trail, 0x40..=0x7E | 0x80..=0xFE)
            }
            Self::Sjis => {
                matches!(lead, 0x81..=0x9F | 0xE0..=0xFC)
                    && matches!(trail, 0x40..=0x7E | 0x80..=0xFC)
            }
        };
        if double {
            return 2;
        }
        match (self, bytes) {
            (Self::Gb18030, [0x81..=0xFE, b'0'..=b'9', 0x81..=0xFE, b'0'..=b'9', ..]) => 4,
            _ => 1,
        }
    }

    /// Whether this byte, at the start of a character, separates tokens.
    pub(crate) fn is_space(self, byte: u8) -> bool {
        let blank = match self {
            Self::Latin1 => Some(0xA0),
            Self::OtherWithBlank(blank) => Some(blank),
            _ => None,
        };
        matches!(byte, b' ' | b'\t'..=b'\r') || Some(byte) == blank
    }

    /// The text of a name in this character set, or `None` where it cannot be told: bytes that are no UTF-8, or
    /// non-ASCII letters in a character set that this crate has no table for. The caller must then stop, or ask the
    /// server to convert; it must not guess.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Latin1 if !bytes.is_ascii() => Some(bytes.iter().map(|&b| latin1(b)).collect()),
            // Second bytes may be ASCII, lead bytes are not: all-ASCII bytes are ASCII text in each of these.
            _ if bytes.is_ascii() => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            _ => None,
        }
    }
}

/// MySQL's latin1: cp1252, where the five bytes that cp1252 leaves undefined are the control characters U+0081 and so on.
fn latin1(byte: u8) -> char {
    const C1: [u16; 32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013,
        0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
    ];
    let code = match byte {
        0x80..=0x9F => C1[usize::from(byte - 0x80)],
        _ => u16::from(byte),
    };
    char::from_u32(u32::from(code)).unwrap_or(char::REPLACEMENT_CHARACTER)
}
