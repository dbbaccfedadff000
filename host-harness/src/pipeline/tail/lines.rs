//! From batches to lines.
//!
//! This is the one place where the host reads rows. The contract's records become the plain structs of `datain-change-json` here.
//!
//! How lines are not repeated: of every transaction since the newest checkpoint it is known how many lines were printed. A new instance brings these
//! transactions again, with the same rows in the same order, and so many lines are left out. A transaction is recognised by its GTID, else by where it begins,
//! since ordinals may come out differently the second time.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use datain_change_json::{
    BranchEnd, Column, Orders, Place, Signedness, Statement, Table, Transaction, Unwritable,
    numbered_names, write_branch_end, write_row, write_statement,
};
use datain_row_block::{BlockError, ColumnKind, Malformed, Operation, RowSetReader, open_block};

use crate::bindings::types;
use crate::error::{Error, Kind, Result};

/// See the module.
pub(super) struct Lines {
    pipeline: String,
    /// Changes that may still be printed.
    left: Option<u64>,
    /// Lines printed of each transaction since the newest checkpoint.
    printed: HashMap<String, u64>,
    tables: HashMap<u32, Table>,
    current: Current,
    text: Vec<u8>,
}

/// The transaction that is being read.
#[derive(Default)]
struct Current {
    id: String,
    orders: Orders,
    lines: u64,
}

impl Lines {
    pub(super) fn new(pipeline: &str, limit: Option<u64>) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            left: limit,
            printed: HashMap::new(),
            tables: HashMap::new(),
            current: Current::default(),
            text: Vec::new(),
        }
    }

    /// Another instance of the plugin goes on, which numbers its tables anew.
    pub(super) fn new_instance(&mut self) {
        self.tables.clear();
        self.current = Current::default();
    }

    pub(super) fn is_at_limit(&self) -> bool {
        self.left == Some(0)
    }

    /// Takes a table's record. `look_up` is asked for the names of its columns if the record has none.
    ///
    /// # Errors
    /// `row-block.kind`; what `look_up` reports.
    pub(super) fn note(
        &mut self,
        record: &types::Table,
        look_up: impl FnOnce(&types::Table) -> Result<Vec<String>>,
    ) -> Result<()> {
        let named: Option<Vec<String>> = record.columns.iter().map(|c| c.name.clone()).collect();
        let names = match named {
            Some(names) => names,
            // The definition may have changed since: other names are worse than none.
            None => Some(look_up(record)?)
                .filter(|names| names.len() == record.columns.len())
                .unwrap_or_else(|| numbered_names(record.columns.len())),
        };
        let columns: Result<Vec<Column>> = record
            .columns
            .iter()
            .zip(names)
            .map(|(column, name)| {
                let kind = ColumnKind::try_from(column.kind)
                    .map_err(|e| Error::new(Kind::Fatal, "row-block.kind", e.to_string()))?;
                Ok(Column {
                    name,
                    kind,
                    signedness: match column.signedness {
                        types::Signedness::Signed => Signedness::Signed,
                        types::Signedness::Unsigned => Signedness::Unsigned,
                        types::Signedness::Unknown => Signedness::Unknown,
                    },
                    collation: column.collation,
                    length: column.length,
                })
            })
            .collect();
        let table = Table::new(record.schema.clone(), record.name.clone(), columns?);
        self.tables.insert(record.id, table);
        Ok(())
    }

    /// The lines of a batch, without those that were printed before, and the error that ended them, if one did: `row-block.*` for a batch that is not
    /// what it should be. The lines before it are whole, and are to be printed all the same.
    pub(super) fn of(&mut self, batch: &types::Batch) -> (&[u8], Result<()>) {
        self.text.clear();
        let now_millis = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |time| {
                u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
            });
        for record in &batch.transactions {
            if let Err(error) = self.transaction(record, &batch.rows, now_millis) {
                return (&self.text, Err(at(error, record)));
            }
            if self.is_at_limit() {
                break;
            }
            if record.checkpoint.is_some() {
                self.printed.clear();
            }
        }
        (&self.text, Ok(()))
    }

    fn transaction(
        &mut self,
        record: &types::Transaction,
        block: &[u8],
        now_millis: u64,
    ) -> Result<()> {
        let pipeline = self.pipeline.clone();
        let transaction = Transaction {
            pipeline: &pipeline,
            gtid: record.gtid.as_deref(),
            file: &record.file,
            offset: record.offset,
            committed_at_micros: record.committed_at_micros,
            xid: record.xa.as_ref().map(|xa| xa.xid.as_str()),
        };
        let id = transaction.id();
        if record.piece == 0 || self.current.id != id {
            self.current = Current {
                id,
                ..Current::default()
            };
        }
        let mut written = Ok(());
        for change in &record.changes {
            written = match change {
                types::Change::Rows(set) => self.rows(&transaction, set, block, now_millis),
                types::Change::Statement(statement) => {
                    self.statement(&transaction, statement, now_millis)
                }
            };
            if written.is_err() || self.is_at_limit() {
                break;
            }
        }
        if record.last && !self.is_at_limit() {
            self.branch_end(&transaction, record.xa.as_ref(), now_millis)?;
        }
        if self.current.lines > 0 {
            let printed = self.printed.entry(self.current.id.clone()).or_default();
            *printed = (*printed).max(self.current.lines);
        }
        written
    }

    /// The second phase of an XA branch, whose rows were printed at its first.
    fn branch_end(
        &mut self,
        transaction: &Transaction<'_>,
        branch: Option<&types::XaBranch>,
        now_millis: u64,
    ) -> Result<()> {
        let Some(branch) = branch else { return Ok(()) };
        let end = match branch.step {
            types::XaStep::Prepare => return Ok(()),
            types::XaStep::Commit => BranchEnd::Commit,
            types::XaStep::Rollback => BranchEnd::Rollback,
        };
        if self.is_new_line() {
            write_branch_end(&mut self.text, transaction, &branch.xid, end, now_millis)
                .map_err(unwritable)?;
        }
        Ok(())
    }

    /// Counts a line of the current transaction, and says whether it is to be printed.
    fn is_new_line(&mut self) -> bool {
        self.current.lines += 1;
        let before = self.printed.get(&self.current.id).copied().unwrap_or(0);
        let new = self.current.lines > before;
        if let Some(left) = &mut self.left
            && new
        {
            *left = left.saturating_sub(1);
        }
        new
    }

    fn rows(
        &mut self,
        transaction: &Transaction<'_>,
        set: &types::RowSet,
        block: &[u8],
        now_millis: u64,
    ) -> Result<()> {
        // Taken out for as long as its rows are read, since counting lines needs the rest.
        let Some(table) = self.tables.remove(&set.table) else {
            return Err(malformed("rows belong to a table that was not described"));
        };
        let written = self.rows_of(&table, transaction, set, block, now_millis);
        let place = format!("{}.{}", table.schema, table.name);
        self.tables.insert(set.table, table);
        written.map_err(|mut error| {
            error.report_mut().table = Some(place);
            error
        })
    }

    fn rows_of(
        &mut self,
        table: &Table,
        transaction: &Transaction<'_>,
        set: &types::RowSet,
        block: &[u8],
        now_millis: u64,
    ) -> Result<()> {
        let operation = match set.operation {
            types::Operation::Insert => Operation::Insert,
            types::Operation::Update => Operation::Update,
            types::Operation::Delete => Operation::Delete,
        };
        let bytes =
            open_block(block, set.offset, set.length).map_err(|error| unreadable_block(&error))?;
        let mut rows = RowSetReader::new(&table.kinds, operation, set.count, bytes)
            .map_err(|e| unreadable(&e))?;
        let mut number = 0;
        while let Some(row) = rows.next_row().map_err(|e| unreadable(&e))? {
            let (total_order, data_collection_order) = self.current.orders.next(set.table);
            let place = Place {
                row: number,
                total_order,
                data_collection_order,
                now_millis,
            };
            number += 1;
            if self.is_new_line() {
                write_row(
                    &mut self.text,
                    transaction,
                    &self.current.id,
                    table,
                    operation,
                    &row,
                    &place,
                )
                .map_err(unwritable)?;
            }
            if self.is_at_limit() {
                break;
            }
        }
        Ok(())
    }

    fn statement(
        &mut self,
        transaction: &Transaction<'_>,
        statement: &types::Statement,
        now_millis: u64,
    ) -> Result<()> {
        let plain = Statement {
            sql: &statement.sql,
            default_schema: statement.default_schema.as_deref(),
            sql_mode: statement.context.sql_mode,
            charset_client: statement.context.charset_client,
        };
        let start = self.text.len();
        let written = write_statement(&mut self.text, transaction, &plain, now_millis);
        if written.map_err(unwritable)? && !self.is_new_line() {
            self.text.truncate(start);
        }
        Ok(())
    }
}

/// Adds where it happened.
fn at(mut error: Error, record: &types::Transaction) -> Error {
    let report = error.report_mut();
    report.position = Some(format!("{}:{}", record.file, record.offset));
    report.gtid.clone_from(&record.gtid);
    error
}

fn malformed(message: &str) -> Error {
    Error::new(Kind::Fatal, Malformed::CODE, message)
        .hint("a source plugin must never do so: please report it")
}

fn unreadable(error: &Malformed) -> Error {
    malformed(&error.to_string())
}

fn unreadable_block(error: &BlockError) -> Error {
    Error::new(Kind::Fatal, error.code(), error.to_string())
}

fn unwritable(error: Unwritable) -> Error {
    Error::new(
        Kind::Fatal,
        Unwritable::CODE,
        "a row cannot be shown: a value is not what its column says",
    )
    .detail(error.0)
    .hint("exclude the table in [replicate], and please report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(gtid: &str, changes: Vec<types::Change>) -> types::Transaction {
        types::Transaction {
            ordinal: 1,
            gtid: Some(gtid.to_owned()),
            file: "binlog.000001".to_owned(),
            offset: 4,
            committed_at_micros: 0,
            piece: 0,
            last: true,
            changes,
            xa: None,
            checkpoint: None,
        }
    }

    #[test]
    fn the_lines_before_an_error_are_printed() {
        let statement = types::Change::Statement(types::Statement {
            sql: b"CREATE DATABASE d".to_vec(),
            default_schema: None,
            error_code: 0,
            session: None,
            temporary: types::TemporaryTables::None,
            file: None,
            context: types::SessionContext {
                sql_mode: None,
                flags2: None,
                charset_client: None,
                collation_connection: None,
                collation_server: None,
                collation_database: None,
                time_zone: None,
                auto_increment_increment: None,
                auto_increment_offset: None,
                lc_time_names: None,
                default_collation_for_utf8mb4: None,
                character_set_collations: None,
                explicit_defaults_for_timestamp: None,
                sql_require_primary_key: None,
                default_table_encryption: None,
                timestamp_micros: 0,
            },
        });
        let nobodys_rows = types::Change::Rows(types::RowSet {
            table: 9,
            operation: types::Operation::Insert,
            count: 1,
            offset: 0,
            length: 0,
            flags: types::RowFlags::empty(),
        });
        let batch = types::Batch {
            tables: Vec::new(),
            transactions: vec![
                record("a:1", vec![statement.clone()]),
                record("a:2", vec![statement, nobodys_rows]),
            ],
            rows: Vec::new(),
        };
        let mut lines = Lines::new("p", None);
        let (text, ended) = lines.of(&batch);
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with('\n') && text.contains("a:2"), "{text}");
        let error = ended.unwrap_err();
        assert_eq!(error.report().gtid.as_deref(), Some("a:2"));
        // What was printed is known, should another instance bring it again.
        lines.new_instance();
        let (text, ended) = lines.of(&batch);
        assert!(text.is_empty() && ended.is_err());
    }
}
