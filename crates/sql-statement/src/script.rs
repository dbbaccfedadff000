//! Statements in a file, as the `mysql` client takes them apart.
//!
//! A statement ends at `;`, or at what a line `DELIMITER …` says from there on ("mysql Client Commands"); `mysqldump` writes such lines around triggers and routines,
//! whose bodies hold semicolons. A delimiter inside a string, a quoted name or a comment ends nothing.

use crate::{Options, TokenKind, Tokens};

/// One statement of a script, without its delimiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScriptStatement<'a> {
    /// The number of the line on which its first token stands, from 1.
    pub line: usize,
    /// Its bytes from the first token on.
    pub sql: &'a [u8],
}

/// The statements of `script`, in order; the last one may be without a delimiter.
#[must_use]
pub fn script<'a>(script: &'a [u8], options: &Options) -> Vec<ScriptStatement<'a>> {
    let mut found = Vec::new();
    let mut delimiter: &[u8] = b";";
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while let Some(rest) = script.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = Tokens::new(rest, options).next() else {
            break;
        };
        let start = at + first.start;
        line += newlines(script.get(counted..start).unwrap_or_default());
        counted = start;
        let from_start = script.get(start..).unwrap_or_default();
        if first.is_word("DELIMITER") {
            let end = from_start.iter().position(|b| *b == b'\n');
            let command = from_start
                .get(..end.unwrap_or(from_start.len()))
                .unwrap_or_default();
            let new = command
                .get("DELIMITER".len()..)
                .unwrap_or_default()
                .trim_ascii();
            if !new.is_empty() {
                delimiter = new;
            }
            at = start + command.len();
            continue;
        }
        let (length, next) = statement_end(rest, delimiter, options);
        let sql = rest.get(first.start..length).unwrap_or_default();
        if !sql.is_empty() {
            found.push(ScriptStatement { line, sql });
        }
        at += next;
    }
    found
}

/// Where the statement at the start of `rest` ends, and where the next one may begin.
fn statement_end(rest: &[u8], delimiter: &[u8], options: &Options) -> (usize, usize) {
    for token in Tokens::new(rest, options) {
        let found = match token.kind {
            TokenKind::String | TokenKind::QuotedIdentifier => None,
            // A delimiter of letters or dollars may stand at the end of a word: END$$.
            TokenKind::Word | TokenKind::Variable | TokenKind::Number => token
                .text
                .windows(delimiter.len())
                .position(|part| part == delimiter),
            TokenKind::Punctuation => rest
                .get(token.start..)
                .is_some_and(|here| here.starts_with(delimiter))
                .then_some(0),
        };
        if let Some(inside) = found {
            let end = token.start + inside;
            return (end, end + delimiter.len());
        }
    }
    (rest.len(), rest.len())
}

fn newlines(text: &[u8]) -> usize {
    text.iter().filter(|b| **b == b'\n').count()
}
