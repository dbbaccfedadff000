//! Where tokens begin and end.

use datain_sql_statement::{Options, TokenKind, Tokens};

fn check(sql: &str, expected: &[&str]) {
    let tokens: Vec<String> = Tokens::new(sql.as_bytes(), &Options::default())
        .map(|token| {
            let kind = match token.kind {
                TokenKind::Word => 'w',
                TokenKind::QuotedIdentifier => 'q',
                TokenKind::String => 's',
                TokenKind::Number => 'n',
                TokenKind::Variable => 'v',
                TokenKind::Punctuation => 'p',
            };
            let open = if token.closed { "" } else { "…" };
            format!("{kind}:{}{open}", String::from_utf8_lossy(token.text))
        })
        .collect();
    assert_eq!(tokens, expected, "{sql}");
}

#[test]
fn strings() {
    check(r"'a\'b' 'c''d' '\\'", &[r"s:'a\'b'", "s:'c''d'", r"s:'\\'"]);
    check(
        r#""a'b" "a""b" "a\"b""#,
        &[r#"s:"a'b""#, r#"s:"a""b""#, r#"s:"a\"b""#],
    );
    check(
        "N'a' x'41' B'01' _utf8'a'",
        &["s:N'a'", "s:x'41'", "s:B'01'", "w:_utf8", "s:'a'"],
    );
    check("x 'a'", &["w:x", "s:'a'"]);
    check("'a", &["s:'a…"]);
    check("'a\\", &["s:'a\\…"]);
    check("`a``b`.`c", &["q:`a``b`", "p:.", "q:`c…"]);
    check("'/* -- #'", &["s:'/* -- #'"]);
}

#[test]
fn numbers_and_names() {
    check(
        "1 1.5 .5 1e5 1E-5 0xAF 0b01",
        &[
            "n:1", "n:1.5", "n:.5", "n:1e5", "n:1E-5", "n:0xAF", "n:0b01",
        ],
    );
    check(
        "1a 0xAG 0x 0b2 1e",
        &["w:1a", "w:0xAG", "w:0x", "w:0b2", "w:1e"],
    );
    check(
        "a.5 `a`.5b a .5",
        &["w:a", "p:.", "w:5", "q:`a`", "p:.", "w:5b", "w:a", "n:.5"],
    );
    check("a.x'b'", &["w:a", "p:.", "w:x", "s:'b'"]);
    check(
        "@a @@global.b @'c d' a@`b` a@127.0.0.1 @",
        &[
            "v:@a",
            "v:@@global.b",
            "v:@'c d'",
            "w:a",
            "v:@`b`",
            "w:a",
            "v:@127.0.0.1",
            "v:@",
        ],
    );
}

#[test]
fn comments() {
    check(
        "a-- b\nc # d\ne --f",
        &["w:a", "w:c", "w:e", "p:-", "p:-", "w:f"],
    );
    check("a--", &["w:a"]);
    check("a/*b*/c/**/d/*/e*/f", &["w:a", "w:c", "w:d", "w:f"]);
    check(
        "/*! a /* b */ c */ d */",
        &["w:a", "w:c", "w:d", "p:*", "p:/"],
    );
    check(
        "/*!1234 a*/ /*!123456b*/ /*!12345678*/",
        &["n:1234", "w:a", "w:b", "n:78"],
    );
    check(
        "SELECT /*+ MAX_EXECUTION_TIME(1) */ 1",
        &["w:SELECT", "n:1"],
    );
    check("/*! 'a */ b' */", &["s:'a */ b'"]);
    check("a /* b", &["w:a"]);
}
