//! Collations that MariaDB has and MySQL has not, and which of MySQL's stands in for each.
//!
//! A collation says which texts are equal and in what order they stand; it does not touch a value. So another one may take its place on the target without changing a row, as long as it
//! takes no two texts for equal that the source's kept apart: that would make two rows of a unique key one, which the target refuses. Hence:
//!
//! | MariaDB | stand-in | why |
//! |---|---|---|
//! | `utf8mb4_uca1400_*`, with or without `nopad`, of any language | `utf8mb4_*_0900_*` of the same language and of the same or finer strength | the same algorithm, with the letters of an older Unicode; trailing blanks count |
//! | `utf8mb4_nopad_bin` | `utf8mb4_0900_bin` | the same |
//! | `utf8mb4_unicode_nopad_ci`, `utf8mb4_unicode_520_nopad_ci` | `utf8mb4_0900_ai_ci` | as above |
//! | `utf8mb4_general1400_as_ci` | `utf8mb4_0900_as_ci` | as above |
//! | `*_croatian_mysql561_ci` | `*_croatian_ci` | the same, under MySQL's name for it |
//! | `utf8mb3_`, `ucs2_`, `utf16_`, `utf32_uca1400_ai_ci` | `*_unicode_520_ci` | the same strength; MySQL has nothing newer for these |
//!
//! The others have none. MariaDB numbers its own collations by a rule ("strings/ctype-uca1400.h" and "strings/ctype.c" of its source): those without padding are their padding twins plus 1024, and
//! those of UCA 14.0.0 begin at 2048, with 256 to a character set and 8 to a language.

use crate::mapping::Collations;

/// The first number of the collations of UCA 14.0.0.
const UCA1400: u16 = 2048;
/// What a collation without padding has beyond the number of its twin.
const NOPAD: u16 = 1024;
/// The character sets of the collations of UCA 14.0.0, in the order of their numbers.
const UNICODE: [&str; 5] = ["utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"];
/// Case and accents, in the order of their numbers.
const STRENGTHS: [&str; 4] = ["ai_ci", "ai_cs", "as_ci", "as_cs"];
/// Languages in the order of their numbers, with the code in the names of MySQL's collations. Where there is none, the stand-in is that of no language.
const LANGUAGES: [(&str, &str); 25] = [
    ("", ""),
    ("icelandic", "is"),
    ("latvian", "lv"),
    ("romanian", "ro"),
    ("slovenian", "sl"),
    ("polish", "pl"),
    ("estonian", "et"),
    ("spanish", "es"),
    ("swedish", "sv"),
    ("turkish", "tr"),
    ("czech", "cs"),
    ("danish", "da"),
    ("lithuanian", "lt"),
    ("slovak", "sk"),
    ("spanish2", "es_trad"),
    ("roman", "la"),
    ("persian", ""),
    ("esperanto", "eo"),
    ("hungarian", "hu"),
    ("sinhala", ""),
    ("german2", "de_pb"),
    ("", ""),
    ("", ""),
    ("vietnamese", "vi"),
    ("croatian", "hr"),
];
/// The few that follow no rule.
const OTHERS: [(u16, &str, &str); 17] = [
    (576, "utf8mb3", "utf8mb3_croatian_ci"),
    (577, "utf8mb3", "utf8mb3_myanmar_ci"),
    (578, "utf8mb3", "utf8mb3_thai_520_w2"),
    (579, "utf8mb3", "utf8mb3_general1400_as_ci"),
    (608, "utf8mb4", "utf8mb4_croatian_ci"),
    (609, "utf8mb4", "utf8mb4_myanmar_ci"),
    (610, "utf8mb4", "utf8mb4_thai_520_w2"),
    (611, "utf8mb4", "utf8mb4_general1400_as_ci"),
    (640, "ucs2", "ucs2_croatian_ci"),
    (641, "ucs2", "ucs2_myanmar_ci"),
    (642, "ucs2", "ucs2_thai_520_w2"),
    (672, "utf16", "utf16_croatian_ci"),
    (673, "utf16", "utf16_myanmar_ci"),
    (674, "utf16", "utf16_thai_520_w2"),
    (736, "utf32", "utf32_croatian_ci"),
    (737, "utf32", "utf32_myanmar_ci"),
    (738, "utf32", "utf32_thai_520_w2"),
];

/// The character set of a collation that the target does not know, by its number on a MariaDB.
pub(crate) fn charset(id: u16, target: &Collations) -> Option<&str> {
    if let Some((_, charset, _)) = OTHERS.iter().find(|(other, ..)| *other == id) {
        return Some(charset);
    }
    match id {
        UCA1400.. => UNICODE.get(usize::from((id - UCA1400) >> 8)).copied(),
        NOPAD.. => target.charset(id - NOPAD),
        _ => None,
    }
}

/// The name that MariaDB gives to a collation that the target does not know by its number.
fn name(id: u16, target: &Collations) -> Option<String> {
    if let Some((_, _, name)) = OTHERS.iter().find(|(other, ..)| *other == id) {
        return Some((*name).to_owned());
    }
    match id {
        UCA1400.. => {
            let charset = charset(id, target)?;
            let within = usize::from(id & 0xff);
            let (language, _) = LANGUAGES.get(within >> 3)?;
            let strength = STRENGTHS[within & 3];
            let language = match *language {
                "" if within >> 3 == 0 => String::new(),
                "" => return None,
                language => format!("{language}_"),
            };
            let padding = if within & 4 == 0 { "" } else { "nopad_" };
            Some(format!("{charset}_uca1400_{language}{padding}{strength}"))
        }
        NOPAD.. => {
            let (_, twin) = target.named(id - NOPAD)?;
            let (before, end) = twin.rsplit_once('_')?;
            Some(format!("{before}_nopad_{end}"))
        }
        _ => None,
    }
}

/// What takes the place of a collation on a target that does not know it by this name; none where nothing can.
pub(crate) fn stand_in(name: &str, target: &Collations) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let candidate = match name.as_str() {
        "utf8mb4_nopad_bin" => "utf8mb4_0900_bin".to_owned(),
        "utf8mb4_unicode_nopad_ci" | "utf8mb4_unicode_520_nopad_ci" => {
            "utf8mb4_0900_ai_ci".to_owned()
        }
        "utf8mb4_general1400_as_ci" => "utf8mb4_0900_as_ci".to_owned(),
        _ => match name.strip_suffix("_croatian_mysql561_ci") {
            Some(charset) => format!("{charset}_croatian_ci"),
            None => of_uca1400(&name)?,
        },
    };
    target.number(&candidate).map(|_| candidate)
}

fn of_uca1400(name: &str) -> Option<String> {
    // Without a character set it goes with the one that is in force, which is utf8mb4 wherever nobody has chosen another.
    let (charset, rest) = match name.strip_prefix("uca1400_") {
        Some(rest) => ("utf8mb4", rest),
        None => name.split_once("_uca1400_")?,
    };
    let (rest, strength) = STRENGTHS
        .iter()
        .find_map(|strength| Some((rest.strip_suffix(strength)?, *strength)))?;
    let rest = rest.strip_suffix("nopad_").unwrap_or(rest);
    let language = rest.strip_suffix('_').unwrap_or(rest);
    let (_, code) = LANGUAGES
        .iter()
        .find(|(known, _)| *known == language)
        .copied()?;
    match (charset, code, strength) {
        ("utf8mb4", "", "ai_cs") => Some("utf8mb4_0900_as_cs".to_owned()),
        ("utf8mb4", "", strength) => Some(format!("utf8mb4_0900_{strength}")),
        // A language's collation has two strengths.
        ("utf8mb4", code, "ai_ci") => Some(format!("utf8mb4_{code}_0900_ai_ci")),
        ("utf8mb4", code, _) => Some(format!("utf8mb4_{code}_0900_as_cs")),
        (charset, _, "ai_ci") if language.is_empty() => Some(format!("{charset}_unicode_520_ci")),
        _ => None,
    }
}

/// The target's number of the collation that has this number on a MariaDB, or of its stand-in.
pub(crate) fn number(id: u16, target: &Collations) -> Option<u16> {
    if target.named(id).is_some() {
        return Some(id);
    }
    let name = name(id, target)?;
    target
        .number(&name)
        .or_else(|| target.number(&stand_in(&name, target)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some of those of MySQL 9.7.
    pub(crate) fn mysql() -> Collations {
        let rows = [
            ("45", "utf8mb4", "utf8mb4_general_ci"),
            ("46", "utf8mb4", "utf8mb4_bin"),
            ("123", "utf16", "utf16_unicode_520_ci"),
            ("214", "utf8mb3", "utf8mb3_unicode_520_ci"),
            ("224", "utf8mb4", "utf8mb4_unicode_ci"),
            ("245", "utf8mb4", "utf8mb4_croatian_ci"),
            ("255", "utf8mb4", "utf8mb4_0900_ai_ci"),
            ("264", "utf8mb4", "utf8mb4_sv_0900_ai_ci"),
            ("278", "utf8mb4", "utf8mb4_0900_as_cs"),
            ("287", "utf8mb4", "utf8mb4_sv_0900_as_cs"),
            ("305", "utf8mb4", "utf8mb4_0900_as_ci"),
            ("309", "utf8mb4", "utf8mb4_0900_bin"),
        ];
        let text = |text: &str| Some(text.to_owned());
        let rows = rows.map(|(id, charset, name)| vec![text(id), text(charset), text(name)]);
        Collations::from_answer(&rows)
    }

    #[test]
    fn the_stand_in_is_never_coarser() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(stand_in(name, &mysql()).as_deref(), expected, "{name}");
        };
        check("utf8mb4_uca1400_ai_ci", Some("utf8mb4_0900_ai_ci"));
        check("UTF8MB4_UCA1400_NOPAD_AI_CI", Some("utf8mb4_0900_ai_ci"));
        check("uca1400_as_ci", Some("utf8mb4_0900_as_ci"));
        check("utf8mb4_uca1400_ai_cs", Some("utf8mb4_0900_as_cs"));
        check(
            "utf8mb4_uca1400_swedish_nopad_as_ci",
            Some("utf8mb4_sv_0900_as_cs"),
        );
        check(
            "utf8mb4_uca1400_swedish_ai_ci",
            Some("utf8mb4_sv_0900_ai_ci"),
        );
        check("utf8mb4_uca1400_persian_ai_ci", Some("utf8mb4_0900_ai_ci"));
        check("utf8mb3_uca1400_ai_ci", Some("utf8mb3_unicode_520_ci"));
        check("utf8mb3_uca1400_as_cs", None);
        check("utf8mb4_nopad_bin", Some("utf8mb4_0900_bin"));
        check("utf8mb4_general_nopad_ci", None);
        check("latin1_swedish_nopad_ci", None);
        check("utf8mb4_croatian_mysql561_ci", Some("utf8mb4_croatian_ci"));
        // MySQL before 8.0 has none of them.
        let old = Collations::default();
        assert_eq!(stand_in("utf8mb4_uca1400_ai_ci", &old), None);
    }

    #[test]
    fn numbers_lead_to_the_same() {
        let check = |id: u16, expected: Option<u16>, charset_: Option<&str>| {
            assert_eq!(number(id, &mysql()), expected, "{id}");
            assert_eq!(charset(id, &mysql()), charset_, "{id}");
        };
        check(45, Some(45), None);
        check(2304, Some(255), Some("utf8mb4"));
        check(2308, Some(255), Some("utf8mb4"));
        check(2311, Some(278), Some("utf8mb4"));
        check(2368, Some(264), Some("utf8mb4"));
        check(2048, Some(214), Some("utf8mb3"));
        check(2816, Some(123), Some("utf16"));
        check(2560, None, Some("ucs2"));
        check(1070, Some(309), Some("utf8mb4"));
        check(1248, Some(255), Some("utf8mb4"));
        check(1069, None, Some("utf8mb4"));
        check(608, Some(245), Some("utf8mb4"));
        check(9999, None, None);
    }
}
