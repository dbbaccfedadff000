//! A transaction's changes as lines in Debezium's envelope, one for each row and each statement.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::datain::replication::system;
use crate::datain::replication::types::{
    Change, Error, Operation, RowSet, Statement, Table, Transaction, XaStep,
};
use crate::rows::{self, Image};
use crate::{error, value};

/// Counts the rows of one transaction, over all of its pieces.
#[derive(Default)]
pub struct Orders {
    ordinal: u64,
    total: u64,
    by_table: HashMap<u32, u64>,
}

/// Appends the lines of a transaction, or of a piece of one.
pub fn write(
    out: &mut Vec<u8>,
    stream: &str,
    transaction: &Transaction,
    tables: &HashMap<u32, Table>,
    block: &[u8],
    orders: &mut Orders,
) -> Result<(), Error> {
    if orders.ordinal != transaction.ordinal {
        *orders = Orders {
            ordinal: transaction.ordinal,
            ..Orders::default()
        };
    }
    let id = transaction
        .gtid
        .clone()
        .unwrap_or_else(|| format!("{}:{}", transaction.file, transaction.offset));
    let line = Line {
        stream,
        transaction,
        id: &id,
        now_millis: system::now_unix_micros() / 1000,
    };
    for change in &transaction.changes {
        match change {
            Change::Rows(set) => line.rows(out, set, tables, block, orders)?,
            Change::Statement(statement) => line.statement(out, statement),
        }
    }
    line.end_of_branch(out);
    Ok(())
}

struct Line<'a> {
    stream: &'a str,
    transaction: &'a Transaction,
    id: &'a str,
    now_millis: u64,
}

impl Line<'_> {
    fn rows(
        &self,
        out: &mut Vec<u8>,
        set: &RowSet,
        tables: &HashMap<u32, Table>,
        block: &[u8],
        orders: &mut Orders,
    ) -> Result<(), Error> {
        let malformed = |why: String, table: Option<&Table>| {
            let message = format!("a row set cannot be read: {why}");
            let hint = "use a source and a sink that know the same version of the row block";
            let mut error = error("row-block.malformed", message, hint);
            error.position = Some(format!(
                "{}:{}",
                self.transaction.file, self.transaction.offset
            ));
            error.gtid.clone_from(&self.transaction.gtid);
            error.table = table.map(|table| format!("{}.{}", table.schema, table.name));
            error
        };
        let table = tables
            .get(&set.table)
            .ok_or_else(|| malformed("it is of a table that was not described".to_owned(), None))?;
        let mut row = 0;
        rows::read(block, set, table, |found| {
            orders.total += 1;
            let of_table = orders.by_table.entry(set.table).or_default();
            *of_table += 1;
            let mut transaction = json!({
                "id": self.id,
                "total_order": orders.total,
                "data_collection_order": *of_table,
            });
            if let Some(xa) = self.transaction.xa.as_ref().filter(|xa| xa.step == XaStep::Prepare) {
                // The row counts only once the branch's end has come.
                transaction["xid"] = json!(xa.xid);
            }
            // Objects of rows keep the order of their columns, and are made by hand.
            out.extend(b"{\"before\":");
            image(out, found.before.as_ref(), table)?;
            out.extend(b",\"after\":");
            image(out, found.after.as_ref(), table)?;
            let op = match set.operation {
                Operation::Insert if self.of_first_copy() => "r",
                Operation::Insert => "c",
                Operation::Update => "u",
                Operation::Delete => "d",
            };
            let source = self.source(&table.schema, Some(&table.name), row);
            let now = self.now_millis;
            let rest = format!(",\"source\":{source},\"op\":\"{op}\",\"ts_ms\":{now},\"transaction\":{transaction}}}\n");
            out.extend(rest.as_bytes());
            row += 1;
            Ok(())
        })
        .map_err(|why| malformed(why, Some(table)))
    }

    fn statement(&self, out: &mut Vec<u8>, statement: &Statement) {
        let schema = statement.default_schema.as_deref();
        let line = json!({
            "source": self.source(schema.unwrap_or_default(), None, 0),
            "ts_ms": self.now_millis,
            "databaseName": schema,
            "schemaName": null,
            "ddl": String::from_utf8_lossy(&statement.sql),
            "tableChanges": [],
        });
        append(out, &line);
    }

    /// Rows of an XA branch were written when it was prepared; this line says whether they count.
    fn end_of_branch(&self, out: &mut Vec<u8>) {
        let Some(xa) = &self.transaction.xa else {
            return;
        };
        let end = match xa.step {
            XaStep::Prepare => return,
            XaStep::Commit => "commit",
            XaStep::Rollback => "rollback",
        };
        if self.transaction.last {
            let line = json!({
                "source": self.source("", None, 0),
                "ts_ms": self.now_millis,
                "xa": { "xid": xa.xid, "end": end },
            });
            append(out, &line);
        }
    }

    fn of_first_copy(&self) -> bool {
        self.transaction.gtid.is_none() && self.transaction.committed_at_micros == 0
    }

    fn source(&self, schema: &str, table: Option<&str>, row: u64) -> Value {
        let transaction = self.transaction;
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "connector": "mysql",
            "name": self.stream,
            "ts_ms": transaction.committed_at_micros / 1000,
            "ts_us": transaction.committed_at_micros,
            "snapshot": if self.of_first_copy() { "true" } else { "false" },
            "db": schema,
            "table": table,
            "server_id": 0,
            "gtid": transaction.gtid,
            "file": transaction.file,
            "pos": transaction.offset,
            "row": row,
            "thread": null,
            "query": null,
        })
    }
}

fn image(out: &mut Vec<u8>, image: Option<&Image<'_>>, table: &Table) -> Result<(), String> {
    let Some(image) = image else {
        out.extend(b"null");
        return Ok(());
    };
    out.push(b'{');
    for (nth, (index, bytes)) in image.iter().enumerate() {
        if nth > 0 {
            out.push(b',');
        }
        let column = &table.columns[*index];
        let name = match &column.name {
            Some(name) => json!(name),
            None => json!(format!("@{}", index + 1)),
        };
        let value = match bytes {
            Some(bytes) => value::json(column, bytes)?,
            None => Value::Null,
        };
        out.extend(format!("{name}:{value}").as_bytes());
    }
    out.push(b'}');
    Ok(())
}

fn append(out: &mut Vec<u8>, line: &Value) {
    out.extend(line.to_string().as_bytes());
    out.push(b'\n');
}
