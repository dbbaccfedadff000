//! `CREATE TABLE` and `ALTER TABLE` behind the table's name ("CREATE TABLE Statement", "ALTER TABLE Statement").

use crate::cursor::{Cursor, Depth};
use crate::{DataChange, Options, Statement, data_change};

/// The tables that the query of a `CREATE TABLE … SELECT` reads, as those of an INSERT into the new table; `None` where there is no query.
#[must_use]
pub fn created_from(sql: &[u8], options: &Options) -> Option<DataChange> {
    let mut cursor = Cursor::new(sql, options);
    if !cursor.take("CREATE") {
        return None;
    }
    while !cursor.take("TABLE") {
        cursor.advance()?;
    }
    cursor.skip_if_exists();
    cursor.object_name()?;
    let mut depth = Depth::default();
    let mut only_opened = true;
    let mut opened = None;
    let begins = loop {
        let token = cursor.peek().copied()?;
        depth.see(&token);
        if depth.is_outside() && cursor.at_word("AS") {
            break token.end();
        }
        let is_query = cursor.at_word("SELECT")
            || (depth.is_outside() || only_opened) && cursor.at_any(&["VALUES", "TABLE", "WITH"]);
        if is_query {
            break opened.filter(|_| only_opened).unwrap_or(token.start);
        }
        only_opened &= token.is_punctuation(b'(');
        opened = opened.or(Some(token.start));
        cursor.advance();
    };
    data_change(
        &[b"INSERT INTO `created` ", &sql[begins..]].concat(),
        options,
    )
}

/// Reads what follows the name in `CREATE TABLE`: `LIKE`, a query, `START TRANSACTION`.
///
/// `SELECT`, `TABLE` and `VALUES` are reserved, so unquoted they are no names. `SELECT` cannot stand in a definition.
/// `VALUES` can, but only inside the parentheses of `PARTITION BY`. `AS` outside parentheses always begins a query.
pub(crate) fn after_created_table(cursor: &mut Cursor<'_>, statement: &mut Statement) {
    if cursor.take("LIKE") || in_parentheses(cursor, "LIKE") {
        statement.like = cursor.object_name();
        statement.complete &= statement.like.is_some();
        return;
    }
    let mut depth = Depth::default();
    let mut only_opened = true;
    while let Some(token) = cursor.peek().copied() {
        depth.see(&token);
        let begins_query = cursor.at_word("SELECT")
            || (depth.is_outside() && cursor.at_word("AS"))
            || ((depth.is_outside() || only_opened) && cursor.at_any(&["VALUES", "TABLE"]));
        if begins_query {
            statement.from_select = true;
            return;
        }
        only_opened &= token.is_punctuation(b'(');
        let maybe_start = depth.is_outside() && cursor.at_word("START");
        cursor.advance();
        if maybe_start && cursor.at_word("TRANSACTION") {
            statement.start_transaction = cursor
                .peek()
                .map(|transaction| token.start..transaction.end());
        }
    }
}

/// Moves past `(` and this word if both come now.
fn in_parentheses(cursor: &mut Cursor<'_>, word: &str) -> bool {
    if !cursor.at_punctuation(b'(') || !cursor.peek_next().is_some_and(|token| token.is_word(word))
    {
        return false;
    }
    cursor.advance();
    cursor.advance();
    true
}

/// Reads the tables that `ALTER TABLE` touches besides the one that it names: the new name of a `RENAME`, the table of
/// `EXCHANGE PARTITION … WITH TABLE`, and of MariaDB's `CONVERT TABLE` and `CONVERT PARTITION … TO TABLE`.
pub(crate) fn after_altered_table(cursor: &mut Cursor<'_>, statement: &mut Statement) {
    let mut depth = Depth::default();
    let mut before_table = false;
    while let Some(token) = cursor.peek().copied() {
        depth.see(&token);
        let outside = depth.is_outside();
        let renames = outside && cursor.at_word("RENAME");
        let names_table = outside && before_table && cursor.at_word("TABLE");
        before_table = cursor.at_any(&["WITH", "TO", "CONVERT"]);
        cursor.advance();
        let name = if renames && !cursor.at_any(&["COLUMN", "INDEX", "KEY"]) {
            if !cursor.take_any(&["TO", "AS"]) {
                cursor.take_punctuation(b'=');
            }
            cursor.object_name()
        } else if names_table {
            cursor.object_name()
        } else {
            continue;
        };
        match name {
            Some(name) => statement.targets.push(name),
            None => statement.complete = false,
        }
    }
}
