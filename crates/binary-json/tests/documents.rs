//! Documents of every kind, made by hand as the format says; those that a server has made are in crates/binlog/tests, which hold their text against the
//! server's.

use datain_binary_json::{Document, InvalidJson, MAX_DEPTH, Scalar, Token};
use proptest::prelude::*;

/// The text, or the reason why there is none, of the bytes; and whether text keeps the types.
fn check(bytes: &[u8], text: Result<&str, &str>, keeps_types: bool) {
    let document = Document::new(bytes);
    let got = document.to_text().map_err(|error| error.reason);
    assert_eq!(got.as_deref(), text.as_ref().copied(), "{bytes:02x?}");
    if text.is_ok() {
        assert_eq!(document.text_keeps_types(), Ok(keeps_types));
    }
}

fn double(number: f64) -> Vec<u8> {
    let mut bytes = vec![0x0b];
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes
}

fn opaque(type_code: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x0f, type_code, value.len() as u8];
    bytes.extend_from_slice(value);
    bytes
}

#[test]
fn scalars() {
    check(&[], Ok("null"), true);
    check(&[0x04, 0], Ok("null"), true);
    check(&[0x04, 1], Ok("true"), true);
    check(&[0x04, 2], Ok("false"), true);
    check(&[0x05, 0, 0x80], Ok("-32768"), true);
    check(&[0x06, 0, 0x80], Ok("32768"), false);
    check(&[0x07, 0xff, 0xff, 0xff, 0xff], Ok("-1"), true);
    check(&[0x08, 0xff, 0xff, 0xff, 0xff], Ok("4294967295"), false);
    check(
        &[0x09, 0, 0, 0, 0, 0, 0, 0, 0x80],
        Ok("-9223372036854775808"),
        true,
    );
    // The server's parser makes unsigned integers of what is beyond 32 bits.
    check(
        &[0x09, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        Ok("4294967295"),
        true,
    );
    check(&[0x09, 0, 0, 0, 0, 1, 0, 0, 0], Ok("4294967296"), false);
    check(
        &[0x0a, 0, 0, 0, 0, 0, 0, 0, 0x80],
        Ok("9223372036854775808"),
        true,
    );
    check(b"\x0c\x03a\"\n", Ok(r#""a\"\n""#), true);
}

#[test]
fn doubles_as_the_server_prints_them() {
    // Taken from MySQL 9.7: SELECT CAST(… AS JSON).
    for (number, text) in [
        (1e14, "100000000000000.0"),
        (1e15, "1e15"),
        (123_456_789_012_345e0, "123456789012345.0"),
        (1_234_567_890_123_456e0, "1.234567890123456e15"),
        (1e-4, "0.0001"),
        (1e-7, "0.0000001"),
        (1.25e-14, "0.0000000000000125"),
        (1e-15, "0.000000000000001"),
        (1e-16, "1e-16"),
        (1.234_567_890_123_456_7e-10, "0.00000000012345678901234568"),
        (-1.234_567_890_123_456_7e14, "-123456789012345.67"),
        (1.234_567_890_123_456_7e16, "1.2345678901234568e16"),
        (0e0, "0.0"),
        (-0e0, "-0.0"),
        (f64::MAX, "1.7976931348623157e308"),
        (5e-324, "5e-324"),
    ] {
        check(&double(number), Ok(text), true);
    }
}

#[test]
fn values_of_mysqls_own_types() {
    check(&opaque(246, &[3, 2, 0x81, 0x0a]), Ok("1.10"), false);
    check(&opaque(246, &[1, 0, 0x7a]), Ok("-5"), false);
    check(&opaque(246, &[66, 0, 0x7a]), Err("not a DECIMAL"), false);
    check(&opaque(246, &[]), Err("not a DECIMAL"), false);
    let date = |packed: i64| packed.to_le_bytes();
    let day = (((2024 * 13 + 2) << 5 | 29) << 17) << 24;
    check(&opaque(10, &date(day)), Ok(r#""2024-02-29""#), false);
    check(
        &opaque(12, &date(day)),
        Ok(r#""2024-02-29 00:00:00.000000""#),
        false,
    );
    let time = (12 << 12 | 34 << 6 | 56) << 24 | 789;
    check(
        &opaque(11, &date(-time)),
        Ok(r#""-12:34:56.000789""#),
        false,
    );
    check(
        &opaque(11, &date((838 << 12) << 24)),
        Ok(r#""838:00:00.000000""#),
        false,
    );
    check(
        &opaque(7, &date(day | time)),
        Ok(r#""2024-02-29 12:34:56.000789""#),
        false,
    );
    check(
        &opaque(7, &[1]),
        Err("a temporal value has eight bytes"),
        false,
    );
    check(&opaque(15, b""), Ok(r#""base64:type15:""#), false);
    check(
        &opaque(252, &[0, 1, 2, 3]),
        Ok(r#""base64:type252:AAECAw==""#),
        false,
    );
    let line = "eHh4".repeat(19);
    let text = format!(r#""base64:type15:{line}""#);
    check(&opaque(15, &[b'x'; 57]), Ok(&text), false);
    let text = format!(r#""base64:type15:{line}\neA==""#);
    check(&opaque(15, &[b'x'; 58]), Ok(&text), false);
}

#[test]
fn containers() {
    check(&[0x00, 0, 0, 4, 0], Ok("{}"), true);
    check(&[0x02, 0, 0, 4, 0], Ok("[]"), true);
    check(&[0x03, 0, 0, 0, 0, 8, 0, 0, 0], Ok("[]"), true);
    // {"a": 1, "b": [true]}: keys at 18 and 19, the array at 20.
    let object = [
        0x00, 2, 0, 27, 0, 18, 0, 1, 0, 19, 0, 1, 0, 0x05, 1, 0, 0x02, 20, 0, b'a', b'b', 1, 0, 7,
        0, 0x04, 1, 0,
    ];
    check(&object, Ok(r#"{"a": 1, "b": [true]}"#), true);
    // The large form holds 32-bit numbers inlined.
    let large = [0x03, 1, 0, 0, 0, 13, 0, 0, 0, 0x08, 1, 0, 1, 0];
    check(&large, Ok("[65537]"), false);
}

#[test]
fn broken_documents() {
    check(&[0x0d], Err("no such type"), true);
    // Never another value in its place: such a number was printed as null once.
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        check(&double(number), Err("not a finite number"), true);
    }
    check(&[0x04, 3], Err("no such literal"), true);
    check(&[0x04], Err("value cut short"), true);
    check(&[0x0c, 5, b'a'], Err("value cut short"), true);
    check(&[0x0c, 1, 0xff], Err("string is not UTF-8"), true);
    check(
        &[0x0c, 0xff, 0xff, 0xff, 0xff, 0xff],
        Err("value cut short"),
        true,
    );
    check(&[0x00, 0, 0], Err("container cut short"), true);
    check(
        &[0x02, 1, 0, 4, 0],
        Err("container has no room for its entries"),
        true,
    );
    check(
        &[0x02, 0xff, 0xff, 4, 0],
        Err("container has no room for its entries"),
        true,
    );
    check(
        &[0x03, 255, 255, 255, 255, 255, 255, 255, 255],
        Err("container larger than its place"),
        true,
    );
    check(
        &[0x02, 0, 0, 5, 0],
        Err("container larger than its place"),
        true,
    );
    check(
        &[0x02, 1, 0, 7, 0, 0x0c, 9, 0],
        Err("value beyond its container"),
        true,
    );
}

/// An array in an array, `depth` in all.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = vec![];
    for level in 0..depth {
        let inner = bytes.len();
        if level == 0 {
            bytes = vec![0, 0, 4, 0];
            continue;
        }
        let size = inner + 7;
        let mut outer = vec![1, 0, size as u8, (size >> 8) as u8, 0x02, 7, 0];
        outer.append(&mut bytes);
        bytes = outer;
    }
    bytes.insert(0, 0x02);
    bytes
}

#[test]
fn depth_is_limited() {
    let text = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
    check(&nested(MAX_DEPTH), Ok(&text), true);
    check(&nested(MAX_DEPTH + 1), Err("nested too deep"), true);
}

#[test]
fn overlapping_values_do_not_unfold() {
    // Each array has two elements, and both are the array after it: 2^n values in 10 n bytes.
    let levels = 60;
    let total = 10 * levels + 4;
    let mut bytes = vec![0x02];
    for level in 0..levels {
        let size = total - 10 * level;
        bytes.extend_from_slice(&[2, 0, size as u8, (size >> 8) as u8]);
        bytes.extend_from_slice(&[0x02, 10, 0, 0x02, 10, 0]);
    }
    bytes.extend_from_slice(&[0, 0, 4, 0]);
    check(&bytes, Err("values overlap"), true);
}

#[test]
fn tokens_end_after_an_error() {
    let mut tokens = Document::new(&[0x02, 1, 0, 7, 0, 0x0d, 0, 0]).tokens();
    assert_eq!(tokens.next(), Some(Ok(Token::StartArray(1))));
    assert!(matches!(tokens.next(), Some(Err(InvalidJson { .. }))));
    assert_eq!(tokens.next(), None);
    let mut tokens = Document::new(&[0x04, 1]).tokens();
    assert_eq!(tokens.next(), Some(Ok(Token::Scalar(Scalar::Bool(true)))));
    assert_eq!(tokens.next(), None);
    assert_eq!(tokens.next(), None);
}

proptest! {
    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(prop_oneof![0..16u8, any::<u8>()], 0..200)) {
        let document = Document::new(&bytes);
        prop_assert!(document.tokens().count() <= 3 * bytes.len() + 2);
        let _ = document.text_keeps_types();
        if let Ok(text) = document.to_text() {
            prop_assert!(text.len() <= 64 * (bytes.len() + 1));
        }
    }

    #[test]
    fn doubles_read_back_as_they_were(bits in any::<u64>()) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let text = Document::new(&double(number)).to_text().expect("a document");
        prop_assert_eq!(text.parse::<f64>().expect("a number").to_bits(), bits);
        prop_assert!(text.contains(['.', 'e']));
    }
}
