//! The replicated tables that the account sees.
//!
//! Three statements, whatever the number of tables: tables, key parts, columns. Columns are many, so they are read row by row and kept as one text per
//! table.

use std::collections::HashMap;

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream, append_string, quote_identifier};
use datain_sql_statement::TableFilter;

/// Beyond this many schemas they are not listed in a statement.
const LISTED: usize = 200;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its engine.
    pub engine: String,
    /// Whether it has a primary key.
    pub primary_key: bool,
    /// Columns of a unique key without prefixes and over NOT NULL columns only, if there is one beside the primary key.
    pub unique_key: Option<Vec<String>>,
    /// Its columns in order, in backticks, separated by commas.
    pub columns: String,
    /// How bytes in its columns are to be understood, in the same order and separated by commas: the character set, `unsigned`, or nothing.
    pub meanings: String,
}

impl SeenTable {
    /// `` `schema`.`name` ``
    #[must_use]
    pub fn quoted(&self) -> String {
        quoted(&self.schema, &self.name)
    }

    /// Whether it has a column of this name.
    #[must_use]
    pub fn has_column(&self, name: &str) -> bool {
        let wanted = quote_identifier(name).to_lowercase();
        self.columns.to_lowercase().contains(&wanted)
    }
}

/// `` `schema`.`name` ``
#[must_use]
pub fn quoted(schema: &str, name: &str) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(name))
}

/// The condition on a column that holds a schema's name: one of these.
#[must_use]
pub fn in_schemas(column: &str, schemas: &[String]) -> Vec<u8> {
    let mut sql = column.as_bytes().to_vec();
    if schemas.len() > LISTED {
        sql.extend_from_slice(OTHERS);
        return sql;
    }
    if schemas.is_empty() {
        return b"FALSE".to_vec();
    }
    for (at, schema) in schemas.iter().enumerate() {
        sql.extend_from_slice(if at == 0 {
            b" IN (_utf8mb4"
        } else {
            b", _utf8mb4"
        });
        append_string(&mut sql, schema.as_bytes());
    }
    sql.push(b')');
    sql
}

const OTHERS: &[u8] =
    b" NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', 'datain')";

/// The schemas of which something is replicated.
///
/// # Errors
/// Errors of the server.
pub async fn schemas<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Vec<String>, Error> {
    let rows = session
        .query_rows(b"SELECT SCHEMA_NAME FROM information_schema.SCHEMATA")
        .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| row.into_iter().next().flatten())
        .filter(|schema| filter.matches_schema(schema))
        .collect())
}

/// Names of schemas with the character set that their tables get where nothing else is said.
///
/// # Errors
/// Errors of the server.
pub async fn schema_charsets<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Vec<(String, String)>, Error> {
    let rows = session
        .query_rows(
            b"SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME FROM information_schema.SCHEMATA",
        )
        .await?;
    let pair = |row| match <[Option<String>; 2]>::try_from(row) {
        Ok([Some(schema), Some(charset)]) => Some((schema, charset_name(&charset).to_owned())),
        _ => None,
    };
    Ok(rows
        .into_iter()
        .filter_map(pair)
        .filter(|(schema, _)| filter.matches_schema(schema))
        .collect())
}

/// All replicated tables, in the order of their names.
///
/// # Errors
/// Errors of the server.
pub async fn tables<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<Vec<SeenTable>, Error> {
    let mut sql =
        b"SELECT TABLE_SCHEMA, TABLE_NAME, ENGINE FROM information_schema.TABLES WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND TABLE_SCHEMA"
            .to_vec();
    sql.extend_from_slice(OTHERS);
    let mut seen = Vec::new();
    for row in session.query_rows(&sql).await? {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let mut cell = || cells.next().unwrap_or_default();
        let table = SeenTable {
            schema: cell(),
            name: cell(),
            engine: cell(),
            primary_key: false,
            unique_key: None,
            columns: String::new(),
            meanings: String::new(),
        };
        if filter.matches(&table.schema, &table.name) {
            seen.push(table);
        }
    }
    seen.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    let mut schemas: Vec<String> = seen.iter().map(|table| table.schema.clone()).collect();
    schemas.dedup();
    let places: HashMap<(String, String), usize> = seen
        .iter()
        .enumerate()
        .map(|(at, table)| ((table.schema.clone(), table.name.clone()), at))
        .collect();
    keys(session, &schemas, &places, &mut seen).await?;
    columns(session, &schemas, &places, &mut seen).await?;
    Ok(seen)
}

type Places = HashMap<(String, String), usize>;

async fn keys<S: Stream>(
    session: &mut Session<S>,
    schemas: &[String],
    places: &Places,
    seen: &mut [SeenTable],
) -> Result<(), Error> {
    let mut sql =
        b"SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, NULLABLE, SUB_PART FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND "
            .to_vec();
    sql.extend_from_slice(&in_schemas("TABLE_SCHEMA", schemas));
    sql.extend_from_slice(b" ORDER BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX");
    let rows = session.query_rows(&sql).await?;
    for key in rows.chunk_by(|a, b| a.get(..3) == b.get(..3)) {
        let [Some(schema), Some(table), Some(name), ..] = key[0].as_slice() else {
            continue;
        };
        let Some(table) = places
            .get(&(schema.clone(), table.clone()))
            .and_then(|at| seen.get_mut(*at))
        else {
            continue;
        };
        if name == "PRIMARY" {
            table.primary_key = true;
            continue;
        }
        let part = |row: &Vec<Option<String>>| match row.as_slice() {
            [_, _, _, Some(column), nullable, None]
                if !nullable
                    .as_deref()
                    .is_some_and(|n| n.eq_ignore_ascii_case("YES")) =>
            {
                Some(column.clone())
            }
            _ => None,
        };
        if table.unique_key.is_none() {
            table.unique_key = key.iter().map(part).collect();
        }
    }
    Ok(())
}

async fn columns<S: Stream>(
    session: &mut Session<S>,
    schemas: &[String],
    places: &Places,
    seen: &mut [SeenTable],
) -> Result<(), Error> {
    let mut sql =
        b"SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, CHARACTER_SET_NAME, COLUMN_TYPE LIKE '%unsigned%' AND DATA_TYPE LIKE '%int' \
        FROM information_schema.COLUMNS WHERE "
            .to_vec();
    sql.extend_from_slice(&in_schemas("TABLE_SCHEMA", schemas));
    sql.extend_from_slice(b" ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION");
    session.open_rows(&sql).await?;
    // The rows of a table follow each other.
    let mut place: Option<(String, String, Option<usize>)> = None;
    while let Some(row) = session.next_row().await? {
        let mut cells = [const { String::new() }; 5];
        for (cell, value) in cells.iter_mut().zip(row.values()) {
            *cell = String::from_utf8_lossy(value?.unwrap_or_default()).into_owned();
        }
        let [schema, table, column, charset, unsigned] = cells;
        let at = match &place {
            Some((s, t, at)) if *s == schema && *t == table => *at,
            _ => {
                let at = places.get(&(schema.clone(), table.clone())).copied();
                place = Some((schema, table, at));
                at
            }
        };
        if let Some(table) = at.and_then(|at| seen.get_mut(at)) {
            if !table.columns.is_empty() {
                table.columns.push(',');
                table.meanings.push(',');
            }
            table.columns.push_str(&quote_identifier(&column));
            table.meanings.push_str(if unsigned == "1" {
                "unsigned"
            } else {
                charset_name(&charset)
            });
        }
    }
    Ok(())
}

/// The name of a character set that is the same on all servers.
#[must_use]
pub fn charset_name(charset: &str) -> &str {
    if charset == "utf8" {
        "utf8mb3"
    } else {
        charset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_listed_as_long_as_they_are_few() {
        let text = |schemas: &[String]| String::from_utf8(in_schemas("S", schemas)).unwrap();
        assert_eq!(text(&[]), "FALSE");
        assert_eq!(
            text(&["a'".to_owned(), "b".to_owned()]),
            "S IN (_utf8mb4'a\\'', _utf8mb4'b')"
        );
        assert!(text(&vec![String::new(); 201]).starts_with("S NOT IN ('mysql'"));
    }
}
