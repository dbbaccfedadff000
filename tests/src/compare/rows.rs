//! Rows as text that is the same only if every byte is, and sums over them.

use std::collections::{BTreeSet, HashMap};

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
pub(super) const UTC: &str = "SET SESSION time_zone = '+00:00'; ";

impl Columns {
    /// Of each table, in the order of the names.
    fn of(server: &Server, tables: &[(String, String)], is_across: bool) -> Result<Vec<Self>> {
        let schemas: BTreeSet<String> = tables.iter().map(|(schema, _)| text(schema)).collect();
        let schemas: Vec<String> = schemas.into_iter().collect();
        let answer = server.query(&format!(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA IN ({}) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
            schemas.join(",")
        ))?;
        let mut columns: HashMap<(String, String), Vec<(String, String)>> = HashMap::new();
        for row in answer {
            let [Some(schema), Some(table), Some(name), Some(kind)] =
                <[_; 4]>::try_from(row).unwrap_or_default()
            else {
                bail!("information_schema gave a column without a name");
            };
            let of_table = columns.entry((schema, table)).or_default();
            of_table.push((name, kind));
        }
        tables
            .iter()
            .map(|table| {
                let (schema, name) = table;
                let columns = columns
                    .get(table)
                    .with_context(|| format!("{schema}.{name} has no columns"))?;
                Ok(Self::new(schema, name, columns, is_across))
            })
            .collect()
    }

    /// `is_across`: the servers are of different kinds, which write small and large numbers in different ways.
    fn new(schema: &str, table: &str, columns: &[(String, String)], is_across: bool) -> Self {
        let mut parts = Vec::new();
        let mut documents = Vec::new();
        for (name, kind) in columns {
            let column = quoted(name);
            let part = match kind.as_str() {
                // The exponent and what is left, between 1 and 2, which all write alike; and 0 with its sign.
                "float" | "double" if is_across => {
                    let exponent = format!("LEAST(FLOOR(LOG2(ABS({column}))), 1023)");
                    format!(
                        "IF({column} = 0, CAST({column} AS CHAR), CONCAT({exponent}, '@', CAST({column} * 1e0 / POW(2, {exponent}) AS CHAR)))"
                    )
                }
                // HEX() of a number rounds it; a FLOAT as such is shown with six digits only.
                "float" => format!("CAST({column} * 1e0 AS CHAR)"),
                "double" | "decimal" => format!("CAST({column} AS CHAR)"),
                // The text of an invalid ENUM value and of an empty member are the same.
                "enum" | "set" => format!("CONCAT({column} | 0, '=', HEX({column}))"),
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
        Self {
            table: format!("{}.{}", quoted(schema), quoted(table)),
            // NULL if a part is too long, which CONCAT_WS would pass over.
            row: format!("CONCAT({})", parts.join(", ',', ")),
            documents,
        }
    }

    /// One query for the rows, and one for each JSON column: the number of hashes, the number of those that could not be made, and two sums over them,
    /// which do not depend on their order.
    fn queries(&self) -> Vec<String> {
        let Self {
            table,
            row,
            documents,
        } = self;
        let rows = format!("SELECT SHA2({row}, 256) AS h FROM {table}");
        // Every value inside a document: its type, its place, and whose document it is. What it holds is in the row already. JSON_TABLE gives the literal null
        // as NULL.
        let values = documents.iter().map(|column| {
            format!(
                "WITH RECURSIVE node (h, place, v) AS (\
                   SELECT CAST(SHA2({row}, 256) AS CHAR(64)), CAST('' AS CHAR(64)), {column} FROM {table} WHERE {column} IS NOT NULL \
                   UNION ALL \
                   SELECT node.h, SHA2(CONCAT(node.place, ',', e.n), 256), e.v FROM node JOIN JSON_TABLE(\
                     CASE JSON_TYPE(node.v) WHEN 'OBJECT' THEN JSON_EXTRACT(node.v, '$.*') WHEN 'ARRAY' THEN node.v END, \
                     '$[*]' COLUMNS (n FOR ORDINALITY, v JSON PATH '$')) AS e) \
                 SELECT SHA2(CONCAT(h, place, IFNULL(JSON_TYPE(v), 'NULL')), 256) AS h FROM node"
            )
        });
        let half =
            |from: u32| format!("SUM(CAST(CONV(SUBSTRING(h, {from}, 15), 16, 10) AS DECIMAL(40)))");
        let (first, second) = (half(1), half(16));
        let sums = |hashes: String| {
            format!(
                "SELECT COUNT(*), SUM(h IS NULL), CONCAT({first}, '-', {second}) FROM ({hashes}) AS hashed"
            )
        };
        std::iter::once(rows).chain(values).map(sums).collect()
    }
}

/// Number of rows and sums of each table.
pub(super) fn checksums(
    server: &Server,
    tables: &[(String, String)],
    is_across: bool,
) -> Result<Vec<(u64, String)>> {
    let columns = Columns::of(server, tables, is_across)?;
    let queries: Vec<Vec<String>> = columns.iter().map(Columns::queries).collect();
    // One session of the client for all of them.
    let mut answer = server
        .query(&format!("{UTC}{}", queries.concat().join(";")))?
        .into_iter();
    let mut sums = Vec::new();
    for (of_table, (schema, name)) in queries.iter().zip(tables) {
        let mut rows = 0;
        let mut checksum = Vec::new();
        for number in 0..of_table.len() {
            let row = answer.next().context("no answer to a checksum")?;
            let at = |i: usize| row.get(i).cloned().flatten().unwrap_or_default();
            ensure!(
                matches!(at(1).as_str(), "" | "0"),
                "a row of {schema}.{name} is too long to be compared"
            );
            if number == 0 {
                rows = at(0).parse().context("the number of rows")?;
            }
            checksum.push(at(2));
        }
        sums.push((rows, checksum.join(" ")));
    }
    Ok(sums)
}

/// Some of the rows that only one of the two has.
pub(super) fn different(left: &Server, right: &Server, qualified: &str) -> Result<String> {
    let (schema, name) = qualified
        .split_once('.')
        .context("a name without a schema")?;
    let is_across = left.flavor() != right.flavor();
    let rows = |server: &Server| -> Result<BTreeSet<String>> {
        // Where the table is not there at all, there is nothing to show.
        let table = [(schema.to_owned(), name.to_owned())];
        let Some(columns) = Columns::of(server, &table, is_across)
            .ok()
            .and_then(|mut list| list.pop())
        else {
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
