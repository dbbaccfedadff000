//! Binary JSON: walked, as text, and as the SQL by which it is written to a target.
//!
//! The text must be JSON to another parser and say the same; the SQL must be one expression.

use datain_apply::json_sql;
use datain_binary_json::{Document, MAX_DEPTH, Scalar, Token};
use datain_sql_statement::{Charset, Options, TokenKind, Tokens};

/// Goes through a document in every way.
pub fn run(data: &[u8]) {
    let document = Document::new(data);
    let mut tokens = document.tokens();
    let mut bytes = 0;
    let whole = loop {
        match tokens.next() {
            None => break true,
            Some(Err(error)) => {
                assert!(error.offset <= data.len());
                assert!(tokens.next().is_none(), "an error ends the walk");
                break false;
            }
            Some(Ok(token)) => {
                assert!(tokens.depth() <= MAX_DEPTH);
                if let Token::Scalar(Scalar::Double(number)) = token {
                    let mut text = String::new();
                    let written = Scalar::Double(number).write_text(&mut text);
                    let read = text.parse::<f64>().map(f64::to_bits);
                    assert_eq!((written, read), (Ok(()), Ok(number.to_bits())));
                }
                bytes += match token {
                    Token::Key(text) | Token::Scalar(Scalar::String(text)) => text.len(),
                    Token::Scalar(Scalar::Opaque(opaque)) => opaque.bytes.len(),
                    _ => 0,
                };
            }
        }
    };
    assert!(bytes <= data.len(), "a document unfolds to more than it is");
    let text = document.to_text();
    if let Ok(text) = &text {
        assert!(whole);
        // The longest escapes of a byte take six.
        assert!(text.len() <= 64 + 40 * data.len());
        is_json(text);
    }
    let mut kept = "before".to_owned();
    assert_eq!(document.write_text(&mut kept).is_ok(), text.is_ok());
    assert!(kept.starts_with("before") && (text.is_ok() || kept.len() == 6));
    let _ = document.text_keeps_types();
    let mut sql = Vec::new();
    if json_sql::write(&mut sql, data).is_ok() {
        assert!(whole, "SQL of what is no document");
        is_expression(&sql);
    }
}

/// JSON, with as much in it as was written. Keys may come twice in such a document, so it is not compared value by value.
pub fn is_json(text: &str) {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        panic!("no JSON: {error}: {text}");
    }
}

/// One SQL expression: nothing open, nothing that would end the statement.
pub fn is_expression(sql: &[u8]) {
    // The session's character set is `binary` (crates/apply/src/settings.rs).
    let options = Options {
        charset: Charset::from_collation(63),
        ..Options::default()
    };
    let mut depth = 0_usize;
    for token in Tokens::new(sql, &options) {
        assert!(token.closed, "a quote is not closed");
        match (token.kind, token.text) {
            (TokenKind::Punctuation, b"(") => depth += 1,
            (TokenKind::Punctuation, b")") => depth = depth.checked_sub(1).expect("one too many"),
            (TokenKind::Punctuation, b"," | b"-" | b".") => {}
            (TokenKind::Punctuation, other) => panic!("{other:?} stands outside of a string"),
            (TokenKind::Word | TokenKind::String | TokenKind::Number, _) => {}
            (other, text) => panic!("{other:?} {text:?} in an expression"),
        }
    }
    assert_eq!(depth, 0, "a parenthesis is not closed");
}
