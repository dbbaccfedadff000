//! JSON documents as SQL: as text, built of typed values, and changes of what is there.

use super::kind::hex;
use crate::seed::{Rng, chance, pick};

const KEYS: &[&str] = &[
    "a",
    "b",
    "",
    "größe",
    "k\"q",
    "long key that is repeated",
    "日本",
    "0",
];

/// An expression whose value is a JSON document.
pub fn document(rng: &mut Rng) -> String {
    if chance(rng, 45) {
        let text = text(rng, 3);
        return format!("CAST({} AS JSON)", hex(&text));
    }
    match rng.u8(0..3) {
        0 => {
            let pairs: Vec<String> = (0..rng.usize(0..5))
                .map(|_| format!("{}, {}", hex(pick(rng, KEYS)), typed(rng)))
                .collect();
            format!("JSON_OBJECT({})", pairs.join(", "))
        }
        1 => {
            let values: Vec<String> = (0..rng.usize(0..5)).map(|_| typed(rng)).collect();
            format!("JSON_ARRAY({})", values.join(", "))
        }
        _ => format!(
            "JSON_OBJECT('deep', JSON_ARRAY({}, JSON_OBJECT('er', {})))",
            typed(rng),
            typed(rng)
        ),
    }
}

/// The new value of a JSON column, made from its old one, and now and then from a value of `other`, a column of any type: so documents come to hold what only
/// columns can give them, such as BIT, YEAR and every kind of BLOB.
pub fn change(rng: &mut Rng, column: &str, other: &str) -> String {
    let path = pick(
        rng,
        &[
            "'$.a'",
            "'$.b'",
            "'$[0]'",
            "'$.deep'",
            "'$.\"long key that is repeated\"'",
            "'$.a.b'",
        ],
    );
    match rng.u8(0..8) {
        5 => format!("JSON_SET({column}, {path}, {other})"),
        6 => format!("JSON_ARRAY({other}, {}, {other})", typed(rng)),
        7 => format!("JSON_OBJECT('a', JSON_ARRAY({other}), 'b', {})", typed(rng)),
        0 | 1 => format!("JSON_SET({column}, {path}, {})", typed(rng)),
        2 => format!("JSON_REPLACE({column}, {path}, {})", typed(rng)),
        3 => format!("JSON_REMOVE({column}, {path})"),
        _ => format!("JSON_INSERT({column}, {path}, {})", typed(rng)),
    }
}

/// A value with one of the types that only SQL can give.
fn typed(rng: &mut Rng) -> String {
    match rng.u8(0..11) {
        10 => {
            let bytes = pick(rng, &["", "00", "27225C", "00FF0A1A"]);
            let times = pick(rng, &[1, 1, 40, 300]);
            let kind = pick(rng, &["BINARY", "BINARY(7)", "BINARY(0)"]);
            format!("CAST(REPEAT(X'{bytes}', {times}) AS {kind})")
        }
        0 => format!(
            "CAST({}.{} AS DECIMAL({}, 3))",
            rng.i16(..),
            rng.u8(..),
            rng.u8(8..40)
        ),
        1 => format!("CAST('20{:02}-02-03' AS DATE)", rng.u8(10..90)),
        2 => format!(
            "CAST('-{}:11:12.{}' AS TIME(6))",
            rng.u16(0..800),
            rng.u32(0..1_000_000)
        ),
        3 => format!(
            "CAST('2020-02-03 04:05:{:02}.{:03}' AS DATETIME(6))",
            rng.u8(0..60),
            rng.u16(0..1000)
        ),
        4 => format!(
            "CAST({} AS UNSIGNED)",
            pick(rng, &[0_u64, 7, 40_000, 5_000_000_000, u64::MAX])
        ),
        5 => pick(
            rng,
            &[
                "TRUE",
                "FALSE",
                "NULL",
                "-1",
                "40000",
                "-9223372036854775808",
                "1e0",
                "0.5e0",
            ],
        )
        .to_owned(),
        6 => format!(
            "REPEAT('{}', {})",
            pick(rng, &["x", "ab", "\u{df}"]),
            pick(rng, &[0, 1, 127, 128, 300])
        ),
        7 => "JSON_OBJECT('a', 1, 'b', JSON_ARRAY())".to_owned(),
        _ => hex(pick(
            rng,
            &["", "plain", "quote \" and \\", "größe 😀", "\u{1}\u{7f}"],
        )),
    }
}

/// A document as JSON's text.
fn text(rng: &mut Rng, depth: u8) -> String {
    match rng.u8(0..if depth == 0 { 6 } else { 10 }) {
        0 => pick(
            rng,
            &[
                "0",
                "-1",
                "32767",
                "32768",
                "-32769",
                "2147483648",
                "9223372036854775807",
                "-9223372036854775808",
                "18446744073709551615",
            ],
        )
        .to_owned(),
        1 => pick(
            rng,
            &[
                "1.0",
                "0.1",
                "-0.0",
                "1e300",
                "5e-324",
                "1.7976931348623157e308",
                "123456789.125",
                "1e22",
                "1e21",
                "100000000000000000000",
            ],
        )
        .to_owned(),
        2 => format!("{:e}", f64::from(rng.i32(..)) / f64::from(rng.u16(1..))),
        3 => pick(rng, &["true", "false", "null"]).to_owned(),
        4 | 5 => pick(
            rng,
            &[
                "\"\"",
                "\"x\"",
                "\"\\u0000\\n\\\"\"",
                "\"größe 😀\"",
                "\"\\ud83d\\ude00\"",
            ],
        )
        .to_owned(),
        6 | 7 => {
            let values: Vec<String> = (0..rng.usize(0..5)).map(|_| text(rng, depth - 1)).collect();
            format!("[{}]", values.join(","))
        }
        _ => {
            let pairs: Vec<String> = (0..rng.usize(0..5))
                .map(|_| {
                    let key = pick(rng, KEYS).replace('"', "\\\"");
                    format!("\"{key}\": {}", text(rng, depth - 1))
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
    }
}
