//! Whether two servers hold the same tables, definitions and rows.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use datain_throwaway_servers::Server;

/// A table on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `schema.table`.
    pub name: String,
    /// What the first server says of it; none when it is not there.
    pub left: Option<Summary>,
    /// What the second server says of it.
    pub right: Option<Summary>,
}

/// One server's word on one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// SHOW CREATE TABLE without the next AUTO_INCREMENT value.
    pub definition: String,
    /// Number of rows.
    pub rows: u64,
    /// Two sums over the rows' SHA-256, which do not depend on their order.
    pub checksum: String,
}

impl Table {
    /// Whether both sides say the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.left.is_some() && self.left == self.right
    }
}

/// Compares all base tables of these schemas.
///
/// # Errors
/// Errors of the servers.
pub fn tables(left: &Server, right: &Server, schemas: &[&str]) -> Result<Vec<Table>> {
    let mut all: BTreeMap<String, Table> = BTreeMap::new();
    for (is_left, server) in [(true, left), (false, right)] {
        for (name, summary) in summaries(server, schemas)? {
            let table = all.entry(name.clone()).or_insert(Table {
                name,
                left: None,
                right: None,
            });
            if is_left {
                table.left = Some(summary);
            } else {
                table.right = Some(summary);
            }
        }
    }
    Ok(all.into_values().collect())
}

/// Panics with the list of differences, if there are any or if there is nothing to compare.
///
/// # Panics
/// See above.
pub fn assert_equal(left: &Server, right: &Server, schemas: &[&str]) {
    let tables = tables(left, right, schemas).expect("both servers answer");
    assert!(
        !tables.is_empty(),
        "there is nothing to compare in {schemas:?}"
    );
    let different: Vec<&Table> = tables.iter().filter(|t| !t.is_equal()).collect();
    assert!(different.is_empty(), "tables differ: {different:#?}");
}

/// Two calls of the client, however many tables there are.
fn summaries(server: &Server, schemas: &[&str]) -> Result<Vec<(String, Summary)>> {
    let list: Vec<String> = schemas.iter().map(|s| literal(s)).collect();
    let columns = server.query(&format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS JOIN information_schema.TABLES USING (TABLE_SCHEMA, TABLE_NAME) \
         WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN ({}) ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION",
        list.join(",")
    ))?;
    let mut tables: Vec<(String, String)> = Vec::new();
    let mut questions = String::from("SET SESSION time_zone = '+00:00';");
    for rows in columns.chunk_by(|a, b| a[..2] == b[..2]) {
        let mut values = Vec::new();
        for row in rows {
            let [_, _, Some(name), Some(kind)] = row.as_slice() else {
                anyhow::bail!("information_schema gave a column without a name");
            };
            values.push(value(&quoted(name), &kind.to_ascii_lowercase()));
        }
        let [Some(schema), Some(name), ..] = rows[0].as_slice() else {
            anyhow::bail!("information_schema gave a table without a name");
        };
        let table = format!("{}.{}", quoted(schema), quoted(name));
        questions.push_str(&format!(
            "SHOW CREATE TABLE {table};\n\
             SELECT COUNT(*), CONCAT(\
             SUM(CAST(CONV(SUBSTRING(h, 1, 15), 16, 10) AS DECIMAL(40))), '-', SUM(CAST(CONV(SUBSTRING(h, 16, 15), 16, 10) AS DECIMAL(40)))) \
             FROM (SELECT SHA2(CONCAT_WS(',', {}), 256) AS h FROM {table}) AS hashed;\n",
            values.join(",")
        ));
        tables.push((schema.clone(), name.clone()));
    }
    let answers = server.query(&questions)?;
    anyhow::ensure!(
        answers.len() == 2 * tables.len(),
        "{} answers for {} tables",
        answers.len(),
        tables.len()
    );
    let summaries = tables.into_iter().zip(answers.chunks_exact(2));
    summaries
        .map(|((schema, name), answer)| {
            let at =
                |row: usize, i: usize| answer[row].get(i).cloned().flatten().unwrap_or_default();
            let summary = Summary {
                definition: without_charsets(&without_auto_increment(&at(0, 1))),
                rows: at(1, 0).parse().context("the number of rows")?,
                checksum: at(1, 1),
            };
            Ok((format!("{schema}.{name}"), summary))
        })
        .collect()
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Where documents of the tests have values whose types their text does not show.
const JSON_PATHS: &[&str] = &[
    "$",
    "$.a",
    "$.b",
    "$.deep",
    "$.deep[0]",
    "$.deep[1].er",
    "$[0]",
    "$[1]",
    "$[2]",
    "$[3]",
    "$[4]",
];

/// The value of a column as text that is equal only for equal values, as SQL. HEX() of a number would round it first.
fn value(column: &str, kind: &str) -> String {
    let text = match kind {
        "json" => {
            let types: Vec<String> = JSON_PATHS
                .iter()
                .map(|path| format!("IFNULL(JSON_TYPE(JSON_EXTRACT({column}, '{path}')), '')"))
                .collect();
            format!("CONCAT({}, CAST({column} AS CHAR))", types.join(",' ',"))
        }
        // A double's text has all of its digits, a float's has not.
        "float" => format!("CAST(CAST({column} AS DOUBLE) AS CHAR)"),
        "double" | "decimal" => format!("CAST({column} AS CHAR)"),
        _ => column.to_owned(),
    };
    format!("IFNULL(HEX({text}), 'NULL')")
}

/// The next value is not replicated by row events alone, and the servers' own replicas differ in it as well.
fn without_auto_increment(definition: &str) -> String {
    match definition.split_once(" AUTO_INCREMENT=") {
        None => definition.to_owned(),
        Some((head, tail)) => format!(
            "{head}{}",
            tail.trim_start_matches(|c: char| c.is_ascii_digit())
        ),
    }
}

/// Whether a character set is named beside its collation tells how the statement was worded, which a server changes itself in its log when it adds an invisible
/// key: its own replicas show another wording than it does.
fn without_charsets(definition: &str) -> String {
    let mut text = String::with_capacity(definition.len());
    let mut rest = definition;
    while let Some((head, tail)) = rest.split_once(" CHARACTER SET ") {
        text.push_str(head);
        let end = tail
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(tail.len());
        if !tail[end..].starts_with(" COLLATE ") {
            text.push_str(" CHARACTER SET ");
            text.push_str(&tail[..end]);
        }
        rest = &tail[end..];
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_set_is_cut_out_only_beside_its_collation() {
        assert_eq!(
            without_charsets("a CHARACTER SET gbk COLLATE gbk_bin, b CHARACTER SET gbk"),
            "a COLLATE gbk_bin, b CHARACTER SET gbk"
        );
    }

    #[test]
    fn only_the_next_value_is_cut_out() {
        assert_eq!(
            without_auto_increment(
                "CREATE TABLE t (\n) ENGINE=InnoDB AUTO_INCREMENT=42 DEFAULT CHARSET=utf8mb4"
            ),
            "CREATE TABLE t (\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        );
    }
}
