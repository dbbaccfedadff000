//! Which tables there are to read.

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_sql_statement::TableFilter;

use crate::answer::ask;

/// A base table that is replicated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its engine; InnoDB is the only one that is replicated.
    pub engine: String,
    /// About how many rows it has. The engine estimates from a few pages; it may be off by half.
    pub estimated_rows: u64,
    /// Bytes of its data on disk, without secondary indexes, about.
    pub data_bytes: u64,
    /// Bytes of a row on average, about; 0 for an empty table.
    pub row_bytes: u64,
}

/// The replicated tables that the account sees, in the order of their names. Views are none.
///
/// # Errors
/// Errors of the server; `snapshot.definition-unreadable`.
pub async fn tables<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Vec<ListedTable>, Error> {
    const SQL: &[u8] = b"SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE, TABLE_ROWS, DATA_LENGTH, AVG_ROW_LENGTH FROM information_schema.TABLES \
        WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', 'datain')";
    let mut listed = Vec::new();
    for row in ask(session, SQL).await? {
        let (schema, name) = (row.some_text(0)?, row.some_text(1)?);
        if filter.matches(schema, name) {
            listed.push(ListedTable {
                schema: schema.to_owned(),
                name: name.to_owned(),
                engine: row.text(2)?.unwrap_or_default().to_owned(),
                estimated_rows: row.number(3)?.unwrap_or(0),
                data_bytes: row.number(4)?.unwrap_or(0),
                row_bytes: row.number(5)?.unwrap_or(0),
            });
        }
    }
    listed.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    Ok(listed)
}
