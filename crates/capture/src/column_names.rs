//! The names of a table's columns, for a log that does not carry them (binlog_row_metadata = MINIMAL).
//!
//! They are today's names. A table that was changed since its rows were logged may have other columns now, so nothing that writes rows may go by them.

use std::fmt::Write as _;

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

/// Asks for the names in the columns' order. Empty when the account may not see the table, or when there is none.
///
/// # Errors
/// Errors of the server.
pub async fn column_names<S: Stream>(
    session: &mut Session<S>,
    schema: &str,
    table: &str,
) -> Result<Vec<String>, Error> {
    let rows = session.query_rows(query(schema, table).as_bytes()).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .collect())
}

/// The two names stand in hexadecimal, which every sql_mode reads in the same way.
fn query(schema: &str, table: &str) -> String {
    format!(
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
        literal(schema),
        literal(table)
    )
}

fn literal(text: &str) -> String {
    let mut sql = "_utf8mb4 x'".to_owned();
    for byte in text.bytes() {
        // Writing to a String cannot fail.
        let _ = write!(sql, "{byte:02x}");
    }
    sql.push('\'');
    sql
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_cannot_end_the_literal() {
        assert_eq!(super::literal("a'ž"), "_utf8mb4 x'6127c5be'");
        assert_eq!(super::literal(""), "_utf8mb4 x''");
    }
}
