//! The clause `DEFINER = account` of a CREATE statement.

use std::ops::Range;

use datain_sql_statement::{Options, TokenKind, Tokens};

use crate::edit::cut;

/// What can run as somebody: the clause stands before this word.
const KINDS: [&str; 5] = ["VIEW", "FUNCTION", "PROCEDURE", "TRIGGER", "EVENT"];

/// Where the clause stands, with the blanks behind it. It stands before the word for what is made, behind unquoted words only.
fn clause(sql: &[u8], options: &Options) -> Option<Range<usize>> {
    let mut tokens = Tokens::new(sql, options).peekable();
    let definer = loop {
        let token = tokens.next()?;
        if token.is_word("DEFINER") && tokens.peek().is_some_and(|t| t.is_punctuation(b'=')) {
            break token;
        }
        if token.kind == TokenKind::QuotedIdentifier
            || token.is_punctuation(b'(')
            || KINDS.iter().any(|kind| token.is_word(kind))
        {
            return None;
        }
    };
    tokens.next()?;
    tokens.next()?;
    tokens.next_if(|token| token.kind == TokenKind::Variable);
    // CURRENT_USER may be written as a function.
    if tokens.next_if(|token| token.is_punctuation(b'(')).is_some() {
        tokens.next_if(|token| token.is_punctuation(b')'))?;
    }
    let next = tokens.peek()?;
    Some(definer.start..next.start)
}

/// The statement without its DEFINER: what it makes runs as whoever makes it. SQL SECURITY stays as it is, and so does a statement that has no such clause.
#[must_use]
pub fn without(sql: &[u8], options: &Options) -> Vec<u8> {
    match clause(sql, options) {
        Some(range) => cut(sql, &[range]),
        None => sql.to_vec(),
    }
}

/// Whether the statement names a DEFINER.
pub(crate) fn is_named(sql: &[u8], options: &Options) -> bool {
    clause(sql, options).is_some()
}

#[cfg(test)]
mod tests {
    use datain_sql_statement::Charset;

    use super::*;
    use crate::edit::options;

    fn check(sql: &str, mode: &str, expected: &str) {
        let cut = without(sql.as_bytes(), &options(mode, Charset::Utf8));
        assert_eq!(String::from_utf8(cut).unwrap(), expected);
    }

    #[test]
    fn the_clause_goes_and_nothing_else() {
        check(
            "CREATE ALGORITHM=UNDEFINED DEFINER=`a@b ``c`@`%` SQL SECURITY DEFINER VIEW `DEFINER=` AS select 1",
            "",
            "CREATE ALGORITHM=UNDEFINED SQL SECURITY DEFINER VIEW `DEFINER=` AS select 1",
        );
        check(
            "CREATE DEFINER=\"a\"@\"%\" PROCEDURE \"p\"() SELECT 1",
            "ANSI_QUOTES",
            "CREATE PROCEDURE \"p\"() SELECT 1",
        );
        check(
            "CREATE DEFINER=`r` FUNCTION `f`() RETURNS int RETURN 1",
            "",
            "CREATE FUNCTION `f`() RETURNS int RETURN 1",
        );
        check(
            "ALTER DEFINER = CURRENT_USER() EVENT e DO SET @a = 1",
            "",
            "ALTER EVENT e DO SET @a = 1",
        );
        for sql in [
            "ALTER EVENT e DO UPDATE t SET definer = 1",
            "CREATE VIEW v AS SELECT definer = a FROM t",
            "CREATE PROCEDURE `p`() SELECT DEFINER=1",
            "CREATE LIBRARY `DEFINER` LANGUAGE JAVASCRIPT AS $$DEFINER=1$$",
            "",
        ] {
            check(sql, "", sql);
        }
    }
}
