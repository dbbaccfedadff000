//! Whether two servers hold the same tables, definitions and rows, by their own word.
//!
//! Each value counts by its bytes, and each value inside a JSON document by its JSON_TYPE too (`rows.rs`); views, routines and schemas by what SHOW CREATE says
//! of them (`objects.rs`). Servers of different kinds word definitions differently: of them it is what `information_schema` says (`across.rs`).

mod across;
mod objects;
mod rows;

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
    /// SHOW CREATE TABLE without the next AUTO_INCREMENT value; between servers of different kinds what information_schema says.
    pub definition: String,
    /// Number of rows.
    pub rows: u64,
    /// Sums over the rows' SHA-256 and over the types inside documents, which do not depend on their order.
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
    let is_across = left.flavor() != right.flavor();
    let of_both_kinds = across::of_both_kinds(left, right);
    for (is_left, server) in [(true, left), (false, right)] {
        for (name, summary) in summaries(server, schemas, is_across, of_both_kinds)? {
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
    if let Some(first) = different.first() {
        let rows = rows::different(left, right, &first.name).expect("both servers answer");
        panic!(
            "tables differ: {different:#?}\nrows of {}, first of the source, then of the target:\n{rows}",
            first.name
        );
    }
    for schema in schemas {
        let of = |server| {
            let found = if left.flavor() == right.flavor() {
                objects::definitions(server, schema)
            } else {
                across::objects(server, schema, across::of_both_kinds(left, right))
            };
            found.expect("both servers answer")
        };
        let (of_left, of_right) = (of(left), of(right));
        assert!(
            of_left == of_right,
            "definitions in {schema} differ:\n{of_left:#?}\n{of_right:#?}"
        );
    }
}

fn summaries(
    server: &Server,
    schemas: &[&str],
    is_across: bool,
    of_both_kinds: bool,
) -> Result<Vec<(String, Summary)>> {
    let list: Vec<String> = schemas.iter().map(|s| text(s)).collect();
    let names = server.query(&format!(
        "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN ({}) ORDER BY 1, 2",
        list.join(",")
    ))?;
    let mut tables = Vec::new();
    for row in names {
        let [Some(schema), Some(name)] = <[_; 2]>::try_from(row).unwrap_or_default() else {
            anyhow::bail!("information_schema gave a table without a name");
        };
        tables.push((schema, name));
    }
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let sums = rows::checksums(server, &tables, is_across)?;
    let definitions = if is_across {
        across::definitions(server, &tables, of_both_kinds)?
    } else {
        worded(server, &tables)?
    };
    let each = tables.into_iter().zip(definitions).zip(sums);
    Ok(each
        .map(|(((schema, name), definition), (rows, checksum))| {
            let summary = Summary {
                definition,
                rows,
                checksum,
            };
            (format!("{schema}.{name}"), summary)
        })
        .collect())
}

/// What SHOW CREATE TABLE says of each.
fn worded(server: &Server, tables: &[(String, String)]) -> Result<Vec<String>> {
    // One session of the client for many statements: it is the client that takes time.
    let show: Vec<String> = tables
        .iter()
        .map(|(schema, name)| format!("SHOW CREATE TABLE {}.{}", quoted(schema), quoted(name)))
        .collect();
    // A TIMESTAMP's default is shown in the session's time zone.
    let definitions = server.query(&format!("{}{}", rows::UTC, show.join(";")))?;
    anyhow::ensure!(
        definitions.len() == tables.len(),
        "a table without a definition"
    );
    let each = tables.iter().zip(definitions);
    each.map(|((schema, name), definition)| {
        let definition = definition.into_iter().nth(1).flatten();
        let definition =
            definition.with_context(|| format!("{schema}.{name} has no definition"))?;
        Ok(without_charsets(&without_auto_increment(&definition)))
    })
    .collect()
}

/// A name as SQL.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as SQL.
fn text(value: &str) -> String {
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "''"))
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
