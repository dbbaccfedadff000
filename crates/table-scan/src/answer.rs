//! Rows of information_schema: few, so they are held whole, and of bytes that must be what they are taken for.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Outcome, Session, Stream, append_string};

/// One row of an answer.
pub(crate) struct Answer(Vec<Option<Vec<u8>>>);

/// Runs a query of information_schema.
pub(crate) async fn ask<S: Stream>(
    session: &mut Session<S>,
    sql: &[u8],
) -> Result<Vec<Answer>, Error> {
    match session.query(sql).await?.pop() {
        Some(Outcome::Rows(set)) => Ok(set.rows.into_iter().map(Answer).collect()),
        _ => Err(unreadable("no rows came")),
    }
}

/// Appends ` AND column = value` for two columns, without the first AND.
pub(crate) fn place(sql: &mut Vec<u8>, alias: &str, schema: &str, name: &str) {
    for (glue, column, value) in [("", "TABLE_SCHEMA", schema), (" AND ", "TABLE_NAME", name)] {
        sql.extend_from_slice(glue.as_bytes());
        sql.extend_from_slice(alias.as_bytes());
        sql.extend_from_slice(column.as_bytes());
        sql.extend_from_slice(b" = _utf8mb4");
        append_string(sql, value.as_bytes());
    }
}

fn unreadable(what: impl Into<String>) -> Error {
    Error::fatal(
        "snapshot.definition-unreadable",
        "information_schema describes a table in a way that this version does not understand",
    )
    .detail(what)
    .hint("report it, with the server's version and SHOW CREATE TABLE")
}

impl Answer {
    /// How many columns it has.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Text that may be NULL.
    pub(crate) fn text(&self, at: usize) -> Result<Option<&str>, Error> {
        match self.0.get(at) {
            None => Err(unreadable("a column is missing")),
            Some(None) => Ok(None),
            Some(Some(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(_) => Err(unreadable(format!("column {} is not UTF-8", at + 1))),
            },
        }
    }

    /// Text that is there.
    pub(crate) fn some_text(&self, at: usize) -> Result<&str, Error> {
        self.text(at)?
            .ok_or_else(|| unreadable(format!("column {} is NULL", at + 1)))
    }

    /// A number that may be NULL.
    pub(crate) fn number<N: std::str::FromStr>(&self, at: usize) -> Result<Option<N>, Error> {
        let Some(text) = self.text(at)? else {
            return Ok(None);
        };
        let number = text.parse();
        number
            .map(Some)
            .map_err(|_| unreadable(format!("column {} is no number that fits", at + 1)))
    }

    /// A number that is there.
    pub(crate) fn some_number<N: std::str::FromStr>(&self, at: usize) -> Result<N, Error> {
        self.number(at)?
            .ok_or_else(|| unreadable(format!("column {} is NULL", at + 1)))
    }
}
