//! Statements, in the form of Debezium's schema change events.

use datain_sql_statement::{Charset, Dialect, Kind, Options, classify};
use serde::{Serialize, Serializer};

use crate::Unwritable;
use crate::envelope::{Source, Transaction, write_line};
use crate::value::text_or_bytes;

/// A statement, as the log has it.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Its bytes in the client's character set.
    pub sql: &'a [u8],
    /// The session's default schema.
    pub default_schema: Option<&'a str>,
    /// The session's sql_mode, in the log's bits.
    pub sql_mode: Option<u64>,
    /// The number of a collation of the client's character set.
    pub charset_client: Option<u16>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SchemaChange<'a> {
    source: Source<'a>,
    #[serde(rename = "ts_ms")]
    now_millis: u64,
    database_name: Option<&'a str>,
    schema_name: Option<&'a str>,
    ddl: Text<'a>,
    table_changes: [(); 0],
}

struct Text<'a> {
    collation: Option<u16>,
    bytes: &'a [u8],
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        text_or_bytes(self.collation, self.bytes, to)
    }
}

/// Appends the line of a statement, with its newline, and says whether it did: statements on accounts and privileges, which may hold hashes of passwords
/// and are never replicated, get no line.
///
/// # Errors
/// None that bytes from outside can cause.
pub fn write_statement(
    out: &mut Vec<u8>,
    transaction: &Transaction<'_>,
    statement: &Statement<'_>,
    now_millis: u64,
) -> Result<bool, Unwritable> {
    let charset = statement
        .charset_client
        .map_or_else(Charset::default, Charset::from_collation);
    let options =
        Options::from_sql_mode(statement.sql_mode.unwrap_or(0), charset, Dialect::default());
    let found = classify(statement.sql, &options);
    if found.kind == Kind::Account {
        return Ok(false);
    }
    let default_schema = statement.default_schema.unwrap_or("");
    let names: Vec<_> = found
        .targets
        .iter()
        .filter_map(|target| target.decode(charset, default_schema))
        .collect();
    let schema = names
        .first()
        .map_or(default_schema, |(schema, _)| schema.as_ref());
    let tables: Vec<&str> = names
        .iter()
        .map(|(_, name)| name.as_ref())
        .filter(|name| !name.is_empty())
        .collect();
    let tables = tables.join(",");
    let table = (matches!(found.kind, Kind::Table(_)) && !tables.is_empty()).then_some(&*tables);
    let line = SchemaChange {
        source: Source::new(transaction, schema, table, 0),
        now_millis,
        database_name: (!schema.is_empty()).then_some(schema),
        schema_name: None,
        ddl: Text {
            collation: statement.charset_client,
            bytes: statement.sql,
        },
        table_changes: [],
    };
    write_line(out, &line)?;
    Ok(true)
}
