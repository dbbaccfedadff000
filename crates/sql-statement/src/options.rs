//! The settings of the source's session that change how a statement's bytes are read.

use crate::Charset;

/// `ANSI_QUOTES` in the `sql_mode` bits of a Query event (MySQL's source documentation, "Query_event").
const ANSI_QUOTES: u64 = 1 << 2;
/// `NO_BACKSLASH_ESCAPES` in the same bits.
const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

/// Whose executable comments count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `/*! … */` is executed, whatever its version: the server blanks the `!` of those that it did not execute before
    /// it writes a statement to its log. `/*M! … */` is an ordinary comment.
    #[default]
    MySql,
    /// `/*M! … */` is executed as well, and `/*!NNNNN … */` is not where the version lies in 50700..=99999, which
    /// MariaDB takes to mean MySQL only ("Comment Syntax").
    MariaDb,
}

/// How to read a statement: from the session settings that its Query event carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// `"…"` quotes an identifier, not a string.
    pub ansi_quotes: bool,
    /// A backslash in a string is an ordinary character.
    pub no_backslash_escapes: bool,
    /// The character set of the statement's bytes.
    pub charset: Charset,
    /// The flavour of the server that wrote the statement.
    pub dialect: Dialect,
}

impl Options {
    /// Options from the `sql_mode` bits of a Query event.
    #[must_use]
    pub fn from_sql_mode(sql_mode: u64, charset: Charset, dialect: Dialect) -> Self {
        Self {
            ansi_quotes: sql_mode & ANSI_QUOTES != 0,
            no_backslash_escapes: sql_mode & NO_BACKSLASH_ESCAPES != 0,
            charset,
            dialect,
        }
    }
}
