use proptest::prelude::*;

use super::*;
use crate::{Document, Scalar, Token};

/// The letters of a text whose values are what a parser takes them for, found with a tree: another way than the writer's.
fn plain_types(text: &str) -> Vec<u8> {
    let mut cursor = Cursor::new(text);
    let tree = node(&mut cursor);
    let mut lists = [vec![tree.letter], Vec::new(), Vec::new()];
    visit(&tree, &mut lists);
    lists.concat()
}

struct Node {
    letter: u8,
    children: Vec<Node>,
}

fn node(cursor: &mut Cursor<'_>) -> Node {
    let open = cursor.peek().unwrap();
    let mut children = Vec::new();
    if !matches!(open, b'{' | b'[') {
        let mut bytes = Vec::new();
        let letter = if open == b'"' {
            cursor.string(&mut bytes).unwrap();
            b's'
        } else {
            match cursor.word() {
                "null" => b'n',
                "true" | "false" => b'b',
                word if word.contains(['.', 'e']) => b'd',
                word if word.parse::<i64>().is_ok_and(|n| n <= i64::from(u32::MAX)) => b'i',
                _ => b'u',
            }
        };
        return Node { letter, children };
    }
    cursor.skip_open();
    while !matches!(cursor.peek(), Some(b'}' | b']')) {
        if open == b'{' {
            cursor.string(&mut Vec::new()).unwrap();
            cursor.expect(b':').unwrap();
        }
        children.push(node(cursor));
        cursor.skip_comma();
    }
    cursor.skip_close();
    Node {
        letter: open,
        children,
    }
}

fn visit(node: &Node, lists: &mut [Vec<u8>; 3]) {
    let list = if node.letter == b'{' { 1 } else { 2 };
    lists[list].extend(node.children.iter().map(|child| child.letter));
    node.children.iter().for_each(|child| visit(child, lists));
}

fn encoded(text: &str, types: &[u8]) -> Vec<u8> {
    let mut out = vec![0xee];
    write_from_text(text, types, &mut out).unwrap_or_else(|e| panic!("{e}: {text}"));
    out.remove(0);
    out
}

/// A text comes back from its document.
fn round_trip(text: &str) -> Vec<u8> {
    let document = encoded(text, &plain_types(text));
    assert_eq!(Document::new(&document).to_text().as_deref(), Ok(text));
    document
}

fn refused(text: &str, types: &str) {
    let mut out = vec![7];
    let written = write_from_text(text, types.as_bytes(), &mut out);
    assert!(written.is_err(), "{text} with {types}: {out:?}");
    assert_eq!(out, [7], "nothing is left of {text}");
}

#[test]
fn plain_documents() {
    assert_eq!(round_trip("null"), [4, 0]);
    assert_eq!(round_trip("7"), [5, 7, 0]);
    assert_eq!(round_trip("[-1]"), [2, 1, 0, 7, 0, 5, 0xff, 0xff]);
    for text in [
        "{}",
        "[]",
        "[[], {}]",
        r#"{"a": 1, "b": [1.5, "x\n\u0000\"\\ü😀"], "aa": {"": null}}"#,
        "[-2147483648, 2147483647, 2147483648, 4294967295, 4294967296, -9223372036854775808, 18446744073709551615]",
        "[0.1, -0.0, 1e300, 5e-324, 1.7976931348623157e308, true, false]",
    ] {
        round_trip(text);
    }
}

#[test]
fn containers_grow_as_they_must() {
    for length in [65_500, 65_520, 65_525, 65_530, 65_535, 65_540, 70_000] {
        let long = "x".repeat(length);
        for text in [
            format!("[\"{long}\"]"),
            format!("[1, -1, 100000, -100000, [\"{long}\", 3], 1]"),
            format!("{{\"a\": {{\"b\": \"{long}\", \"c\": 100000}}, \"d\": [100000]}}"),
            format!("{{\"a\": [[[[[[[[[\"{long}\"]]]]]]]]]}}"),
        ] {
            round_trip(&text);
        }
    }
    let many = vec!["70000"; 70_000].join(", ");
    round_trip(&format!("[{many}]"));
}

/// Nothing is written 2^depth times.
#[test]
fn deep_and_large() {
    let long = "y".repeat(1 << 20);
    let text = format!("{}\"{long}\"{}", "[".repeat(100), "]".repeat(100));
    round_trip(&text);
    refused(&format!("{}{}", "[".repeat(101), "]".repeat(101)), "[");
}

#[test]
fn types_that_text_loses() {
    let document = encoded(
        r#"[1, 1.50, "2020-01-02", "-12:34:56.000001", "2020-01-02 03:04:05.000006", "2020-01-02 03:04:05.000006", "base64:type252:YWI="]"#,
        b"[uDatATo",
    );
    let document = Document::new(&document);
    let scalars: Vec<Scalar<'_>> = document
        .tokens()
        .filter_map(|token| match token.unwrap() {
            Token::Scalar(scalar) => Some(scalar),
            _ => None,
        })
        .collect();
    assert_eq!(scalars[0], Scalar::Uint(1));
    let codes: Vec<u8> = scalars[1..]
        .iter()
        .map(|scalar| match scalar {
            Scalar::Opaque(opaque) => opaque.type_code,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, [246, 10, 11, 12, 7, 252]);
    assert_eq!(
        document.to_text().unwrap(),
        r#"[1, 1.50, "2020-01-02", "-12:34:56.000001", "2020-01-02 03:04:05.000006", "2020-01-02 03:04:05.000006", "base64:type252:YWI="]"#
    );
}

#[test]
fn decimals() {
    for text in [
        "0",
        "0.0",
        "-0.1",
        "0.50",
        "1",
        "-1",
        "1234567890.1234",
        "999999999",
        "1000000000",
        "-99999999999999999999999999999999999.999999999999999999999999999999",
        "0.000000000000000000000000000001",
    ] {
        let document = encoded(text, b"D");
        assert_eq!(Document::new(&document).to_text().as_deref(), Ok(text));
    }
    refused(&"9".repeat(66), "D");
}

#[test]
fn what_no_server_prints_is_refused() {
    for (text, types) in [
        ("", "n"),
        ("[1", "[i"),
        ("[1,]", "[ii"),
        ("[1 2]", "[ii"),
        ("{\"a\" 1}", "{i"),
        ("{1: 1}", "{i"),
        ("{\"a\": 1]", "{i"),
        ("\"a", "s"),
        ("\"a\\", "s"),
        ("\"a\\q\"", "s"),
        ("\"\\u0080\"", "s"),
        ("\"\\u00\"", "s"),
        ("1 1", "i"),
        ("1", ""),
        ("1", "ii"),
        ("[1]", "[s"),
        ("[1]", "{i"),
        ("\"a\"", "i"),
        ("\"a\"", "o"),
        ("\"base64:type1000:\"", "o"),
        ("\"base64:type15:=a\"", "o"),
        ("\"2020-13-01\"", "a"),
        ("\"2020-01-01\"", "A"),
        ("\"1:2:3\"", "t"),
        ("\"01:02:03.1234567\"", "t"),
        ("inf", "d"),
        ("NaN", "d"),
        ("1e999", "d"),
        ("1.5", "i"),
        ("-1", "u"),
        ("1.", "D"),
        (".", "D"),
        ("nul", "n"),
    ] {
        refused(text, types);
    }
}

fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i32>().prop_map(|n| n.to_string()),
        any::<i16>().prop_map(|n| n.to_string()),
        (0_u64..).prop_map(|n| n.to_string()),
        "[a-z\u{e9}\u{1F600} ]{0,9}".prop_map(|s| format!("\"{s}\"")),
    ];
    scalar.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|v| format!("[{}]", v.join(", "))),
            prop::collection::vec(inner, 0..6).prop_map(|v| {
                let members = v.iter().enumerate();
                let members: Vec<String> = members.map(|(i, v)| format!("\"k{i}\": {v}")).collect();
                format!("{{{}}}", members.join(", "))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_comes_back(text in document()) {
        round_trip(&text);
    }

    #[test]
    fn any_text_is_a_document_or_an_error(text in "[\\[\\]{}:, \"a1.\\\\u0n-]{0,30}", types in "[\\[{suidDbnatATo]{0,8}") {
        let mut out = Vec::new();
        if write_from_text(&text, types.as_bytes(), &mut out).is_ok() {
            prop_assert!(Document::new(&out).to_text().is_ok());
        }
    }
}
