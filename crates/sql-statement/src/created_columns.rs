//! The names of the columns that `CREATE TABLE` defines ("CREATE TABLE Statement").

use crate::cursor::{Cursor, Depth};
use crate::{Kind, Options, TableAction, TokenKind, classify};

/// What a definition begins with that defines no column. All of these are reserved, so no column has such a name without quotes.
const NO_COLUMN: &[&str] = &[
    "INDEX",
    "KEY",
    "FULLTEXT",
    "SPATIAL",
    "UNIQUE",
    "PRIMARY",
    "FOREIGN",
    "CONSTRAINT",
    "CHECK",
];

/// The names in the columns' order, in the statement's bytes, without quotes.
///
/// # Errors
/// Why they cannot be told from the statement alone, as a part of a sentence: it is no `CREATE TABLE`, has no list of columns (`LIKE`, a mere query), takes more columns from a query, or cannot
/// be read.
pub fn created_columns(sql: &[u8], options: &Options) -> Result<Vec<Vec<u8>>, &'static str> {
    let found = classify(sql, options);
    if found.kind != Kind::Table(TableAction::Create) {
        return Err("it is no CREATE TABLE");
    }
    if found.like.is_some() {
        return Err("it takes its columns from another table (LIKE)");
    }
    if found.from_select {
        return Err("it takes columns from a query");
    }
    let mut cursor = Cursor::new(sql, options);
    while !cursor.at_punctuation(b'(') {
        if cursor.advance().is_none() {
            return Err("it has no list of columns");
        }
    }
    cursor.advance();
    let mut names = Vec::new();
    loop {
        if let Some(name) = defined(&mut cursor)? {
            names.push(name);
        }
        if !next_definition(&mut cursor)? {
            break;
        }
    }
    if names.is_empty() {
        return Err("it has no list of columns");
    }
    Ok(names)
}

/// The column that the definition at hand defines, if it does.
fn defined(cursor: &mut Cursor<'_>) -> Result<Option<Vec<u8>>, &'static str> {
    let token = cursor.peek().copied().ok_or(CUT_OFF)?;
    let word = token.kind == TokenKind::Word;
    let next = cursor.peek_next();
    // Neither word is reserved; VECTOR INDEX and PERIOD FOR are MariaDB's.
    let is_vector_index = token.is_word("VECTOR")
        && next.is_some_and(|next| next.is_word("INDEX") || next.is_word("KEY"));
    let is_period = token.is_word("PERIOD") && next.is_some_and(|next| next.is_word("FOR"));
    let other = NO_COLUMN.iter().any(|begin| token.is_word(begin));
    if word && (other || is_vector_index || is_period) {
        return Ok(None);
    }
    let name = token
        .identifier()
        .ok_or("a column's name in it cannot be read")?;
    Ok(Some(name.into_owned()))
}

/// Moves behind the comma that ends the definition at hand; `false` at the end of the list.
fn next_definition(cursor: &mut Cursor<'_>) -> Result<bool, &'static str> {
    let mut depth = Depth::default();
    loop {
        let token = cursor.peek().copied().ok_or(CUT_OFF)?;
        if !token.closed {
            return Err(CUT_OFF);
        }
        if depth.is_outside() {
            if token.is_punctuation(b')') {
                return Ok(false);
            }
            if token.is_punctuation(b',') {
                cursor.advance();
                return Ok(true);
            }
        }
        depth.see(&token);
        cursor.advance();
    }
}

const CUT_OFF: &str = "it is cut off";
