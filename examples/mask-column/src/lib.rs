//! A transform for datain that replaces the text in some columns by asterisks.
//!
//! ```toml
//! [[transform]]
//! path = "mask_column.wasm"
//! [transform.config]
//! columns = ["shop.customer.email", "shop.customer.@4"]   # by name, or by number from 1
//! ```
//!
//! NULL stays NULL. A column that cannot be masked as told is an error that stops the pipeline: rows never pass unmasked.

mod rows;

use std::cell::RefCell;
use std::collections::HashMap;

use datain::replication::types::{Batch, Change, Description, Disposition, Error, Table};
use exports::datain::replication::transform::{
    ChangedRows, Guest, GuestTransformer, RowPlace, Transformer,
};

wit_bindgen::generate!({ path: "wit", world: "transform-plugin" });

struct MaskColumn;

/// A column that is to be masked: schema, table, and the column's name or `@` and its number.
struct Rule {
    schema: String,
    table: String,
    column: String,
}

struct Masking {
    rules: Vec<Rule>,
    /// What is known of each table by its id.
    tables: RefCell<HashMap<u32, rows::Layout>>,
}

impl Guest for MaskColumn {
    type Transformer = Masking;

    fn describe() -> Description {
        Description {
            name: "mask-column".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            row_block_versions: vec![rows::VERSION],
        }
    }
}

impl GuestTransformer for Masking {
    fn open(config: String) -> Result<Transformer, Error> {
        let config: serde_json::Value = serde_json::from_str(&config).map_err(|e| {
            error(
                "config.invalid-value",
                format!("the configuration is no JSON: {e}"),
            )
        })?;
        let columns = config["config"]["columns"].as_array();
        let rules: Option<Vec<Rule>> = columns
            .into_iter()
            .flatten()
            .map(|column| rule(column.as_str()?))
            .collect();
        match rules {
            Some(rules) if !rules.is_empty() => Ok(Transformer::new(Masking {
                rules,
                tables: RefCell::default(),
            })),
            _ => Err(error(
                "config.invalid-value",
                "columns must be a list of \"schema.table.column\"".to_owned(),
            )),
        }
    }

    fn apply(&self, batch: Batch) -> Result<Option<ChangedRows>, Error> {
        let mut tables = self.tables.borrow_mut();
        for table in &batch.tables {
            tables.insert(table.id, layout(table, &self.rules)?);
        }
        if batch.rows.is_empty() {
            return Ok(None);
        }
        let mut rows = vec![rows::VERSION];
        let mut places = Vec::new();
        for change in batch.transactions.iter().flat_map(|t| &t.changes) {
            let Change::Rows(set) = change else { continue };
            let begin = rows.len();
            tables
                .get(&set.table)
                .ok_or("it is of a table that was not described")
                .and_then(|layout| rows::copy(&batch.rows, set, layout, &mut rows))
                .map_err(|why| {
                    error(
                        "row-block.malformed",
                        format!("a row set cannot be read: {why}"),
                    )
                })?;
            // A block is less than 4 GiB.
            places.push(RowPlace {
                offset: begin as u32,
                length: (rows.len() - begin) as u32,
            });
        }
        Ok(Some(ChangedRows { rows, places }))
    }
}

fn rule(column: &str) -> Option<Rule> {
    let mut parts = column.split('.').map(str::to_owned);
    let rule = Rule {
        schema: parts.next()?,
        table: parts.next()?,
        column: parts.next()?,
    };
    parts.next().is_none().then_some(rule)
}

/// What to do with each column of a table.
fn layout(table: &Table, rules: &[Rule]) -> Result<rows::Layout, Error> {
    let mut masks = vec![None; table.columns.len()];
    for rule in rules {
        if rule.schema == table.schema && rule.table == table.name {
            let index = find(table, &rule.column)?;
            let column = &table.columns[index];
            if !rows::is_text(column.kind) {
                return Err(of_column(table, rule, "mask.kind", "is not text"));
            }
            // A column takes at least a quarter as many characters as bytes; the length of a TEXT is another figure.
            let most = if column.kind == rows::TEXT {
                3
            } else {
                column.length / 4
            };
            masks[index] = Some(vec![b'*'; most.clamp(1, 3) as usize]);
        }
    }
    let kinds = table.columns.iter().map(|column| column.kind).collect();
    Ok(rows::Layout { kinds, masks })
}

/// The index of a column that is called by its name or its number.
fn find(table: &Table, column: &str) -> Result<usize, Error> {
    if let Some(number) = column.strip_prefix('@') {
        let number: Option<usize> = number
            .parse()
            .ok()
            .filter(|n| (1..=table.columns.len()).contains(n));
        return number
            .map(|number| number - 1)
            .ok_or_else(|| missing(table, column));
    }
    let named = |wanted: &str| {
        table
            .columns
            .iter()
            .position(|c| c.name.as_deref() == Some(wanted))
    };
    match named(column) {
        Some(index) => Ok(index),
        None if table.columns.iter().any(|c| c.name.is_none()) => {
            let mut error = of_table(
                table,
                "mask.names-unknown",
                format!(
                    "the source's log does not name the columns of {}.{}",
                    table.schema, table.name
                ),
            );
            error.hint = Some(format!(
                "set binlog_row_metadata = FULL on the source, or call the column by its number, as in {:?}",
                format!("{}.{}.@2", table.schema, table.name)
            ));
            Err(error)
        }
        None => Err(missing(table, column)),
    }
}

fn missing(table: &Table, column: &str) -> Error {
    of_table(
        table,
        "mask.column-missing",
        format!("{}.{} has no column {column}", table.schema, table.name),
    )
}

fn of_column(table: &Table, rule: &Rule, code: &str, what: &str) -> Error {
    let column = format!("{}.{}.{}", rule.schema, rule.table, rule.column);
    of_table(
        table,
        code,
        format!("{column} {what}, and cannot be masked"),
    )
}

fn of_table(table: &Table, code: &str, message: String) -> Error {
    let mut error = error(code, message);
    error.table = Some(format!("{}.{}", table.schema, table.name));
    error
}

fn error(code: &str, message: String) -> Error {
    Error {
        disposition: Disposition::Reconfigure,
        code: code.to_owned(),
        message,
        detail: None,
        hint: Some("change [transform.config] columns".to_owned()),
        server_errno: None,
        sqlstate: None,
        position: None,
        gtid: None,
        table: None,
    }
}

export!(MaskColumn);
