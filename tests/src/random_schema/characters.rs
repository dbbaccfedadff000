//! Character sets with some of their collations, and with characters that each of them holds.

use crate::seed::{Rng, chance, pick};

/// A character set of the server.
#[derive(Debug, PartialEq, Eq)]
pub struct Charset {
    /// Its name.
    pub name: &'static str,
    /// Some of its collations, of every kind: by bytes, by letters, padded and not.
    pub collations: &'static [&'static str],
    /// Bytes of its longest character.
    pub longest: u32,
    /// Characters beyond ASCII that it holds.
    letters: &'static str,
}

/// Letters of the collations' special cases: signs that are equal to others, or to nothing.
const EVERYTHING: &str =
    "äÄßſaáÁàåÅÆœıİiIøñÑçžŽłđþÐأبцЦжЖαΩς中文日本語한글ยไ😀🏳️‍🌈\u{301}\u{200b}\u{ad}ﬁ①ｱアあが";
const BASIC_PLANE: &str =
    "äÄßſaáÁàåÅÆœıİøñÑçžŽłđþÐأبцЦжЖαΩς中文日本語한글ยไ\u{301}\u{200b}ﬁ①ｱアあが";

/// Those that tables are made with.
pub const CHARSETS: &[Charset] = &[
    charset(
        "utf8mb4",
        &[
            "utf8mb4_0900_ai_ci",
            "utf8mb4_bin",
            "utf8mb4_0900_as_cs",
            "utf8mb4_0900_bin",
            "utf8mb4_general_ci",
            "utf8mb4_unicode_520_ci",
            "utf8mb4_ja_0900_as_cs_ks",
            "utf8mb4_tr_0900_ai_ci",
            "utf8mb4_de_pb_0900_as_cs",
        ],
        4,
        EVERYTHING,
    ),
    charset(
        "utf8mb3",
        &["utf8mb3_general_ci", "utf8mb3_bin", "utf8mb3_turkish_ci"],
        3,
        BASIC_PLANE,
    ),
    charset(
        "latin1",
        &[
            "latin1_swedish_ci",
            "latin1_bin",
            "latin1_german2_ci",
            "latin1_general_cs",
        ],
        1,
        "äÄöÖßáÁàåÅÆøñÑçÿ€‰",
    ),
    charset("binary", &["binary"], 1, ""),
    charset("ascii", &["ascii_general_ci", "ascii_bin"], 1, ""),
    charset("gbk", &["gbk_chinese_ci", "gbk_bin"], 2, "中文誠嬰縗α①"),
    charset(
        "gb18030",
        &["gb18030_chinese_ci", "gb18030_unicode_520_ci"],
        4,
        "中文😀誠ä한",
    ),
    charset("big5", &["big5_chinese_ci", "big5_bin"], 2, "中文功許蓋"),
    charset(
        "sjis",
        &["sjis_japanese_ci", "sjis_bin"],
        2,
        "表ソ能日本語ｱア",
    ),
    charset("cp932", &["cp932_japanese_ci"], 2, "表ソ能日本語①ｱア"),
    charset("ujis", &["ujis_japanese_ci"], 3, "表日本語ｱア"),
    charset("eucjpms", &["eucjpms_bin"], 3, "表日本語①ア"),
    charset("euckr", &["euckr_korean_ci"], 2, "한글中"),
    charset("ucs2", &["ucs2_general_ci", "ucs2_bin"], 2, BASIC_PLANE),
    charset(
        "utf16",
        &["utf16_general_ci", "utf16_bin", "utf16_unicode_ci"],
        4,
        EVERYTHING,
    ),
    charset("utf16le", &["utf16le_general_ci"], 4, EVERYTHING),
    charset("utf32", &["utf32_general_ci", "utf32_bin"], 4, EVERYTHING),
    charset(
        "latin2",
        &["latin2_general_ci", "latin2_czech_cs"],
        1,
        "äžŽłđßčř",
    ),
    charset("latin7", &["latin7_general_ci"], 1, "äžøß"),
    charset(
        "cp1250",
        &["cp1250_general_ci", "cp1250_czech_cs"],
        1,
        "äžŽčř€",
    ),
    charset("cp1251", &["cp1251_general_ci", "cp1251_bin"], 1, "цЦжЖяЯ"),
    charset("koi8r", &["koi8r_general_ci"], 1, "цЦжЖяЯ"),
    charset("cp866", &["cp866_general_ci"], 1, "цЦжЖя"),
    charset("greek", &["greek_general_ci"], 1, "αΩςΣ"),
    charset("hebrew", &["hebrew_general_ci"], 1, "אבג"),
    charset("cp1256", &["cp1256_general_ci"], 1, "أب"),
    charset("tis620", &["tis620_thai_ci", "tis620_bin"], 1, "ยไเแ"),
    charset("cp850", &["cp850_general_ci"], 1, "äÄßñ"),
    charset("dec8", &["dec8_swedish_ci"], 1, "äÄßñ"),
    charset("hp8", &["hp8_english_ci"], 1, "äÄßñ"),
    charset("macroman", &["macroman_general_ci"], 1, "äÄßñ"),
    charset("macce", &["macce_general_ci"], 1, "äžł"),
];

const fn charset(
    name: &'static str,
    collations: &'static [&'static str],
    longest: u32,
    letters: &'static str,
) -> Charset {
    Charset {
        name,
        collations,
        longest,
        letters,
    }
}

/// A character set and one of its collations; mostly the usual one.
pub fn any(rng: &mut Rng) -> (&'static Charset, &'static str) {
    let charset = if chance(rng, 45) {
        &CHARSETS[0]
    } else {
        &CHARSETS[rng.usize(0..CHARSETS.len())]
    };
    (charset, pick(rng, charset.collations))
}

impl Charset {
    /// A text of up to so many characters, all of which the character set holds. Many texts differ from others only in case, accents or spaces at the end.
    pub fn text(&self, rng: &mut Rng, most: usize) -> String {
        let own: Vec<char> = self.letters.chars().collect();
        let length = match rng.u8(0..100) {
            0..10 => 0,
            10..80 => rng.usize(0..=most.min(4)),
            80..97 => rng.usize(0..=most.min(40)),
            _ => rng.usize(0..=most),
        };
        let mut text = String::new();
        // A long one repeats a few characters.
        let some: Vec<char> = (0..6).map(|_| self.letter(rng, &own)).collect();
        for _ in 0..length {
            text.push(pick(rng, &some));
        }
        if chance(rng, 10) && length < most {
            text.push(' ');
        }
        text
    }

    /// Bytes of the character set as a literal, among them those that stand for no character: a column takes whatever is well formed. None for character sets
    /// where that is not more than the characters of Unicode, and for those where the server warns of such a literal: a key that holds one is refused.
    pub fn raw(&self, rng: &mut Rng, most: usize) -> Option<String> {
        // Pairs that are well formed in each of the sets that have two bytes.
        let pairs = matches!(
            self.name,
            "gbk" | "gb18030" | "big5" | "sjis" | "cp932" | "ujis" | "eucjpms" | "euckr"
        );
        if !pairs && !matches!(self.name, "latin1" | "latin2" | "koi8r" | "cp850" | "cp866") {
            return None;
        }
        let mut text = format!("_{} X'", self.name);
        for _ in 0..rng.usize(0..=most.min(8)) {
            if pairs {
                text.push_str(&format!("{:02X}", rng.u8(0xe0..=0xf0)));
                text.push_str(&format!("{:02X}", rng.u8(0xa1..=0xfc)));
            } else {
                text.push_str(&format!("{:02X}", rng.u8(..)));
            }
        }
        text.push('\'');
        Some(text)
    }

    fn letter(&self, rng: &mut Rng, own: &[char]) -> char {
        if !own.is_empty() && chance(rng, 45) {
            pick(rng, own)
        } else if chance(rng, 15) {
            pick(
                rng,
                &[
                    '\'', '"', '\\', '\0', '\n', '\r', '\u{1a}', '%', '_', '`', ';', '\t',
                ],
            )
        } else {
            pick(rng, &['a', 'A', 'b', 'B', 'z', '0', '9', ' ', '-'])
        }
    }
}
