//! The number that each table's next row would get.
//!
//! Rows that arrive with their numbers raise the target's counters by themselves. Not so numbers that the source has given to rows which are gone: the target would give them a second time.

use datain_contract::types::{Error, NextNumber};
use datain_mysql_client::{Session, Stream};
use datain_sql_statement::TableFilter;

/// errno of "unknown system variable".
const UNKNOWN_VARIABLE: u16 = 1193;

/// Of each replicated table that numbers its rows.
///
/// # Errors
/// Errors of the server.
pub async fn next<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Vec<NextNumber>, Error> {
    // Else the server answers from statistics that may be a day old.
    match session
        .exec(b"SET SESSION information_schema_stats_expiry = 0")
        .await
    {
        Err(e) if e.errno() != Some(UNKNOWN_VARIABLE) => return Err(e.into()),
        _ => {}
    }
    let rows = session
        .query_rows(
            b"SELECT TABLE_SCHEMA, TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES \
              WHERE TABLE_TYPE = 'BASE TABLE' AND AUTO_INCREMENT IS NOT NULL ORDER BY 1, 2",
        )
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let [Some(schema), Some(table), Some(number)] = <[_; 3]>::try_from(row).ok()? else {
                return None;
            };
            let number = number.parse().ok()?;
            filter.matches(&schema, &table).then_some(NextNumber {
                schema,
                table,
                number,
            })
        })
        .collect())
}
