//! Rows as text that is the same only if every byte is, and sums over them.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use datain_throwaway_servers::Server;

use super::{quoted, text};

/// The columns that a table's row is written with.
struct Columns {
    table: String,
    /// A row as a text of hexadecimal digits and commas.
    row: String,
    /// Names of the JSON columns.
    documents: Vec<String>,
}

/// TIMESTAMP values are shown in UTC.
const UTC: &str = "SET SESSION time_zone = '+00:00'; ";

impl Columns {
    fn of(server: &Server, schema: &str, name: &str) -> Result<Self> {
        let columns = server.query(&format!(
            "SELECT COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
            text(schema),
            text(name)
        ))?;
        let mut parts = Vec::new();
        let mut documents = Vec::new();
        for row in &columns {
            let [Some(name), Some(kind)] = row.as_slice() else {
                bail!("information_schema gave a column without a name");
            };
            let column = quoted(name);
            let part = match kind.as_str() {
                // HEX() of a number rounds it; a FLOAT as such is shown with six digits only.
                "float" => format!("CAST(CAST({column} AS DOUBLE) AS CHAR)"),
                "double" | "decimal" => format!("CAST({column} AS CHAR)"),
                // The text of an invalid ENUM value and of an empty member are the same.
                "enum" | "set" => format!("CONCAT({column} + 0, '=', HEX({column}))"),
                // A text of 64 MiB and more would be NULL: the hash stands for it.
                "json" => {
                    documents.push(column.clone());
                    format!("SHA2(CAST({column} AS CHAR), 256)")
                }
                "tinytext" | "text" | "mediumtext" | "longtext" | "tinyblob" | "blob"
                | "mediumblob" | "longblob" => {
                    format!("SHA2(CAST({column} AS BINARY), 256)")
                }
                _ => format!("HEX({column})"),
            };
            parts.push(format!("IF({column} IS NULL, 'NULL', {part})"));
        }
        Ok(Self {
            table: format!("{}.{}", quoted(schema), quoted(name)),
            // NULL if a part is too long, which CONCAT_WS would pass over.
            row: format!("CONCAT({})", parts.join(", ',', ")),
            documents,
        })
    }
}

/// Number of rows, and sums that do not depend on their order.
pub(super) fn checksum(server: &Server, schema: &str, name: &str) -> Result<(u64, String)> {
    let columns = Columns::of(server, schema, name)?;
    let hashed = format!(
        "SELECT SHA2({}, 256) AS h FROM {}",
        columns.row, columns.table
    );
    let (rows, mut checksum) = sum(server, &hashed)?;
    for column in &columns.documents {
        // Every value inside a document: its type, its place, and whose document it is. What it holds is in the row already. JSON_TABLE gives the literal null
        // as NULL.
        let values = format!(
            "WITH RECURSIVE node (h, place, v) AS (\
               SELECT CAST(SHA2({row}, 256) AS CHAR(64)), CAST('' AS CHAR(64)), {column} FROM {table} WHERE {column} IS NOT NULL \
               UNION ALL \
               SELECT node.h, SHA2(CONCAT(node.place, ',', e.n), 256), e.v FROM node JOIN JSON_TABLE(\
                 CASE JSON_TYPE(node.v) WHEN 'OBJECT' THEN JSON_EXTRACT(node.v, '$.*') WHEN 'ARRAY' THEN node.v END, \
                 '$[*]' COLUMNS (n FOR ORDINALITY, v JSON PATH '$')) AS e) \
             SELECT SHA2(CONCAT(h, place, IFNULL(JSON_TYPE(v), 'NULL')), 256) AS h FROM node",
            row = columns.row,
            table = columns.table
        );
        checksum += &format!(" {column}: {}", sum(server, &values)?.1);
    }
    Ok((rows, checksum))
}

/// Number of hashes, and two sums over them.
fn sum(server: &Server, hashes: &str) -> Result<(u64, String)> {
    let half =
        |from: u32| format!("SUM(CAST(CONV(SUBSTRING(h, {from}, 15), 16, 10) AS DECIMAL(40)))");
    let answer = server.query(&format!(
        "{UTC}SELECT COUNT(*), SUM(h IS NULL), CONCAT({}, '-', {}) FROM ({hashes}) AS hashed",
        half(1),
        half(16)
    ))?;
    let row = answer.first().context("no answer to the checksum")?;
    let at = |i: usize| row.get(i).cloned().flatten().unwrap_or_default();
    ensure!(
        matches!(at(1).as_str(), "" | "0"),
        "a row is too long to be compared"
    );
    Ok((at(0).parse().context("the number of rows")?, at(2)))
}

/// Some of the rows that only one of the two has.
pub(super) fn different(left: &Server, right: &Server, qualified: &str) -> Result<String> {
    let (schema, name) = qualified
        .split_once('.')
        .context("a name without a schema")?;
    let rows = |server: &Server| -> Result<BTreeSet<String>> {
        // Where the table is not there at all, there is nothing to show.
        let Ok(columns) = Columns::of(server, schema, name) else {
            return Ok(BTreeSet::new());
        };
        let Ok(rows) = server.query(&format!(
            "{UTC}SELECT LEFT({}, 4000) FROM {} LIMIT 20000",
            columns.row, columns.table
        )) else {
            return Ok(BTreeSet::new());
        };
        Ok(rows
            .into_iter()
            .filter_map(|row| row.into_iter().next()?)
            .collect())
    };
    let (of_left, of_right) = (rows(left)?, rows(right)?);
    let only = |a: &BTreeSet<String>, b: &BTreeSet<String>, sign: &str| -> Vec<String> {
        a.difference(b)
            .take(5)
            .map(|row| format!("{sign} {row}"))
            .collect()
    };
    let mut lines = only(&of_left, &of_right, "<");
    lines.extend(only(&of_right, &of_left, ">"));
    Ok(lines.join("\n"))
}
