//! Small questions about a statement: is it transaction control, and how is it named in a log.

use crate::{Kind, Options, TokenKind, Tokens, classify};

/// Whether a statement begins, ends or marks a transaction and does nothing else: `BEGIN`, `START TRANSACTION`, `COMMIT`,
/// `ROLLBACK`, savepoints, `XA`.
#[must_use]
pub fn is_transaction_control(sql: &[u8], options: &Options) -> bool {
    matches!(
        classify(sql, options).kind,
        Kind::Begin | Kind::Commit | Kind::Rollback | Kind::Savepoint(_) | Kind::Xa(_)
    )
}

/// The first words of a statement, at most `n`, for a message: `ALTER USER IF EXISTS`.
///
/// Only unquoted words of ASCII letters and underscores are shown, and only those before the first string (or anything in
/// double quotes or behind a dollar sign), number or variable: so that no value appears, even where the options do not fit the statement and a string is misread.
#[must_use]
pub fn first_words(sql: &[u8], n: usize, options: &Options) -> String {
    let mut words = String::new();
    let mut left = n;
    for token in Tokens::new(sql, options) {
        let literal = matches!(
            token.kind,
            TokenKind::String | TokenKind::Number | TokenKind::Variable
        );
        if left == 0 || literal || token.text.starts_with(b"\"") || token.text.starts_with(b"$") {
            break;
        }
        let plain = token
            .text
            .iter()
            .all(|&b| b.is_ascii_alphabetic() || b == b'_');
        let text = std::str::from_utf8(token.text)
            .ok()
            .filter(|_| token.kind == TokenKind::Word && plain);
        if let Some(text) = text {
            left -= 1;
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(text);
        }
    }
    words
}
