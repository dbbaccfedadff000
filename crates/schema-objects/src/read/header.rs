//! Bringing a routine's, trigger's or event's statement into one character set.
//!
//! The server puts what SHOW CREATE says of them together from two parts: the head, which it writes itself, in UTF-8 (definer, name, table, type, comment), and what it keeps as it was
//! written, in the character set of the session that made it (parameters and body). It announces the whole as being in the latter, so that a client that lets it convert, and
//! mysqldump with it, garbles the head (seen on MySQL 9.7: a routine made under latin1, with `ü` in name and comment). Here the statement is read unconverted, and the head is brought
//! into the character set of the rest by the server itself.
//!
//! Nor does the head heed the mode NO_BACKSLASH_ESCAPES of the routine: a backslash in a comment or in a value of a returned ENUM is doubled all the same (seen on MySQL 9.7), and would be two
//! where the statement runs under that mode. And under HIGH_NOT_PRECEDENCE the server does not take its own `ON COMPLETION NOT PRESERVE`, which is what an event is without the words.

use std::ops::Range;

use datain_contract::types::Error;
use datain_mysql_client::{Outcome, Session, Stream};
use datain_sql_statement::{Charset, Options, Token, TokenKind, Tokens};

use crate::edit::{has_mode, options, replace, with_blanks_before};
use crate::{Context, Kind};

/// The statement wholly in the character set of its context and by its modes; none where that character set cannot express its head.
///
/// # Errors
/// Errors of the server.
pub(super) async fn as_written<S: Stream>(
    session: &mut Session<S>,
    kind: Kind,
    sql: Vec<u8>,
    context: &Context,
) -> Result<Option<Vec<u8>>, Error> {
    let charset = context.character_set_client.as_str();
    let mut changes = changes(&sql, kind, &context.sql_mode, Charset::from_name(charset));
    let is_utf8 = matches!(charset, "utf8mb4" | "utf8mb3" | "utf8" | "binary");
    if !is_utf8 && !convert(session, &mut changes, charset).await? {
        return Ok(None);
    }
    Ok(Some(replace(&sql, changes)))
}

/// A range of the statement, and what is to stand there.
type Change = (Range<usize>, Vec<u8>);

/// Converts texts from UTF-8, and says whether all of them could be.
async fn convert<S: Stream>(
    session: &mut Session<S>,
    changes: &mut [Change],
    charset: &str,
) -> Result<bool, Error> {
    if changes.is_empty() {
        return Ok(true);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !charset.bytes().all(plain) {
        return Ok(false);
    }
    let mut ask = String::from("SELECT ");
    for (at, (_, text)) in changes.iter().enumerate() {
        let hex: String = text.iter().map(|byte| format!("{byte:02X}")).collect();
        let comma = if at == 0 { "" } else { ", " };
        ask.push_str(&format!(
            "{comma}CAST(CONVERT(_utf8mb4 X'{hex}' USING {charset}) AS BINARY), CONVERT(CONVERT(_utf8mb4 X'{hex}' USING {charset}) USING utf8mb4) = BINARY X'{hex}'"
        ));
    }
    let Some(Outcome::Rows(set)) = session.query(ask.as_bytes()).await?.pop() else {
        return Ok(false);
    };
    let mut cells = set.rows.into_iter().next().unwrap_or_default().into_iter();
    for (_, text) in changes {
        match (cells.next().flatten(), cells.next().flatten().as_deref()) {
            (Some(converted), Some(b"1")) => *text = converted,
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// A string as the server writes it, for a session in which a backslash is nothing special. Quotes are doubled in either.
fn without_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b'0') => 0,
                Some(other) => other,
                None => byte,
            },
            other => other,
        });
    }
    out
}

/// What of the head must be changed: quoted names, accounts and strings that are not ASCII, and strings with backslashes under the mode.
fn changes(sql: &[u8], kind: Kind, sql_mode: &str, charset: Charset) -> Vec<Change> {
    let head = options(sql_mode, Charset::Utf8);
    let mut found = Vec::new();
    match kind {
        Kind::Function | Kind::Procedure => {
            let open = until(sql, 0, &head, &mut found, |token| {
                token.is_punctuation(b'(')
            });
            // Parameters are kept as they were written.
            let kept = options(sql_mode, charset);
            let mut depth = 1_usize;
            let close = until(sql, open, &kept, &mut Vec::new(), |token| {
                if token.is_punctuation(b'(') {
                    depth += 1;
                } else if token.is_punctuation(b')') {
                    depth -= 1;
                }
                depth == 0
            });
            characteristics(sql, close, &head, &mut found);
        }
        Kind::Trigger => {
            let mut before = false;
            until(sql, 0, &head, &mut found, |token| {
                let ends = before && token.is_word("ROW");
                before = token.is_word("EACH");
                ends
            });
        }
        Kind::Event => {
            until(sql, 0, &head, &mut found, |token| token.is_word("DO"));
        }
        _ => {}
    }
    let change = |(range, kind): (Range<usize>, TokenKind)| {
        let text = sql.get(range.clone()).unwrap_or_default();
        let escaped =
            kind == TokenKind::String && head.no_backslash_escapes && text.contains(&b'\\');
        if escaped {
            Some((range, without_escapes(text)))
        } else {
            (!text.is_ascii()).then(|| (range, text.to_vec()))
        }
    };
    let mut changes: Vec<Change> = found.into_iter().filter_map(change).collect();
    if kind == Kind::Event && has_mode(sql_mode, "HIGH_NOT_PRECEDENCE") {
        changes.extend(not_preserved(sql, &head).map(|range| (range, Vec::new())));
        changes.sort_by_key(|(range, _)| range.start);
    }
    changes
}

/// `ON COMPLETION NOT PRESERVE` in the head of an event, with the blanks before it.
fn not_preserved(sql: &[u8], options: &Options) -> Option<Range<usize>> {
    let head: Vec<Token<'_>> = Tokens::new(sql, options)
        .take_while(|token| !token.is_word("DO"))
        .collect();
    let four = head.windows(4).find(|four| {
        ["ON", "COMPLETION", "NOT", "PRESERVE"]
            .iter()
            .zip(*four)
            .all(|(word, token)| token.is_word(word))
    })?;
    let range = four.first()?.start..four.last()?.end();
    Some(with_blanks_before(sql, range))
}

/// Something in quotes, and whether it is a string.
type Found = (Range<usize>, TokenKind);

/// Collects from `from` to the token that ends it, and says where that token ends.
fn until(
    sql: &[u8],
    from: usize,
    options: &Options,
    found: &mut Vec<Found>,
    mut ends: impl FnMut(&Token<'_>) -> bool,
) -> usize {
    for token in Tokens::new(sql.get(from..).unwrap_or_default(), options) {
        if ends(&token) {
            return from + token.end();
        }
        collect(&token, from, found);
    }
    sql.len()
}

fn collect(token: &Token<'_>, from: usize, found: &mut Vec<Found>) {
    let quoted = matches!(
        token.kind,
        TokenKind::QuotedIdentifier | TokenKind::Variable | TokenKind::String
    );
    if quoted && token.closed {
        found.push((from + token.start..from + token.end(), token.kind));
    }
}

/// Words that may stand between the parameters and the body ("CREATE PROCEDURE and CREATE FUNCTION Statements"), those of a type included.
const WORDS: &[&str] = &[
    "RETURNS",
    "CHARSET",
    "CHARACTER",
    "COLLATE",
    "UNSIGNED",
    "ZEROFILL",
    "BINARY",
    "PRECISION",
    "VARYING",
    "COMMENT",
    "LANGUAGE",
    "SQL",
    "NOT",
    "DETERMINISTIC",
    "CONTAINS",
    "NO",
    "READS",
    "MODIFIES",
    "DATA",
    "SECURITY",
    "DEFINER",
    "INVOKER",
    "USING",
    "AS",
    "SRID",
];

/// Collects the strings of the return type and of the characteristics. A body begins with another word.
fn characteristics(sql: &[u8], from: usize, options: &Options, found: &mut Vec<Found>) {
    let mut depth = 0_usize;
    // Behind these stands a word of any kind.
    let mut any = false;
    for token in Tokens::new(sql.get(from..).unwrap_or_default(), options) {
        if token.is_punctuation(b'(') {
            depth += 1;
        } else if token.is_punctuation(b')') {
            depth = depth.saturating_sub(1);
        } else if depth == 0
            && token.kind == TokenKind::Word
            && !any
            && !(WORDS.iter().any(|word| token.is_word(word))
                || (token.is_word("SET") && sql_before(sql, from + token.start, b"CHARACTER")))
        {
            return;
        }
        collect(&token, from, found);
        any = ["RETURNS", "CHARSET", "COLLATE", "LANGUAGE", "SECURITY"]
            .iter()
            .any(|word| token.is_word(word))
            || (token.is_word("SET") && sql_before(sql, from + token.start, b"CHARACTER"));
    }
}

/// Whether this word stands right before `at`.
fn sql_before(sql: &[u8], at: usize, word: &[u8]) -> bool {
    let before = sql.get(..at).unwrap_or_default().trim_ascii_end();
    before
        .len()
        .checked_sub(word.len())
        .and_then(|start| before.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, sql: &[u8], expected: &[&str]) {
        let found: Vec<String> = changes(sql, kind, "", Charset::Gbk)
            .into_iter()
            .map(|(range, text)| {
                assert_eq!(sql[range], text);
                String::from_utf8(text).unwrap()
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_event_that_is_not_preserved_does_not_say_so_where_it_must_not() {
        let sql = b"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE DO SELECT 1";
        let changes = |mode| changes(sql, Kind::Event, mode, Charset::Utf8);
        assert_eq!(
            replace(sql, changes("ANSI,HIGH_NOT_PRECEDENCE")),
            b"CREATE EVENT `e` ON SCHEDULE EVERY 1 DAY ENABLE DO SELECT 1"
        );
        assert!(changes("ANSI").is_empty());
    }

    #[test]
    fn a_backslash_is_one_where_it_is_nothing_special() {
        let sql = br"CREATE FUNCTION `f\\`(a ENUM('\')) RETURNS enum('a\\','it''s') NO SQL COMMENT 'x\\\n' RETURN '\\'";
        let changes = changes(sql, Kind::Function, "NO_BACKSLASH_ESCAPES", Charset::Utf8);
        let expected = "CREATE FUNCTION `f\\\\`(a ENUM('\\')) RETURNS enum('a\\','it''s') NO SQL COMMENT 'x\\\n' RETURN '\\\\'";
        assert_eq!(String::from_utf8(replace(sql, changes)).unwrap(), expected);
    }

    #[test]
    fn only_the_head_is_in_utf8() {
        check(
            Kind::Function,
            b"CREATE DEFINER=`\xe4\xb8\xad`@`\xc3\xbc` FUNCTION `f\xc3\xbc`(`p\xd6\x60` ENUM('\xd6\x5c')) RETURNS enum('\xe4\xb8\xad') CHARSET gbk COLLATE gbk_bin\n    NO SQL\n    \
              DETERMINISTIC\n    COMMENT '\xe8\xaa\xa0'\nRETURN '\xd6\xd0'",
            &["`中`", "@`ü`", "`fü`", "'中'", "'誠'"],
        );
        check(
            Kind::Procedure,
            b"CREATE PROCEDURE `p`()\nSET @a = '\xd6\xd0'",
            &[],
        );
        check(
            Kind::Trigger,
            b"CREATE DEFINER=`u`@`%` TRIGGER `t\xc3\xbc` BEFORE INSERT ON `\xe4\xb8\xad` FOR EACH ROW SET NEW.a = '\xd6\x5c'",
            &["`tü`", "`中`"],
        );
        check(
            Kind::Event,
            b"CREATE EVENT `do` ON SCHEDULE EVERY 1 DAY COMMENT '\xc3\xbc' DO SELECT '\xd6\xd0'",
            &["'ü'"],
        );
    }
}
