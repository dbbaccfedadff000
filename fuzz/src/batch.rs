//! What holds for a batch, whatever log it was made from.

use std::collections::HashMap;

use datain_apply::{ddl, literal};
use datain_capture::checkpoint::State;
use datain_contract::types::{Batch, Change, Operation, RowSet, Table};
use datain_row_block::{ColumnKind, RowSetReader, Value, open_block};

use crate::json::{is_expression, is_json};
use crate::json_changes;

/// Tables by their ids, and the ordinal of the newest whole transaction.
#[derive(Debug, Default)]
pub struct Seen {
    tables: HashMap<u32, Vec<ColumnKind>>,
    newest: Option<(u64, u32, bool)>,
    /// What every row said, one after the other, whatever the batches and row sets are.
    pub rows: Vec<u8>,
}

impl Seen {
    /// Checks a batch that follows those seen before.
    pub fn check(&mut self, batch: &Batch) {
        for table in &batch.tables {
            self.table(table);
        }
        for transaction in &batch.transactions {
            if let Some((ordinal, piece, last)) = self.newest {
                let expected = if last {
                    (ordinal + 1, 0)
                } else {
                    (ordinal, piece + 1)
                };
                assert_eq!((transaction.ordinal, transaction.piece), expected);
            }
            self.newest = Some((transaction.ordinal, transaction.piece, transaction.last));
            if let Some(checkpoint) = &transaction.checkpoint {
                assert!(transaction.last, "a resume point within a transaction");
                assert_eq!(checkpoint.ordinal, transaction.ordinal);
                let state = State::from_checkpoint(checkpoint).expect("our own checkpoint");
                assert_eq!(&state.checkpoint(checkpoint.ordinal), checkpoint);
            }
            for change in &transaction.changes {
                match change {
                    Change::Rows(set) => {
                        let kinds = self.tables.get(&set.table).expect("an announced table");
                        rows(kinds, set, &batch.rows, &mut self.rows);
                    }
                    Change::Statement(statement) => {
                        let _ = (ddl::treatment(statement), ddl::summary(statement));
                        let _ = ddl::context_sql(&statement.context);
                    }
                    #[allow(unreachable_patterns, reason = "other kinds have no rows of their own")]
                    _ => {}
                }
            }
        }
    }

    fn table(&mut self, table: &Table) {
        let kinds = table
            .columns
            .iter()
            .map(|column| ColumnKind::try_from(column.kind).expect("a kind of this version"));
        let known = self.tables.insert(table.id, kinds.collect());
        assert!(known.is_none(), "a table is told twice");
        let columns = table.columns.len();
        assert!(
            table
                .primary_key
                .iter()
                .all(|part| (*part as usize) < columns)
        );
    }
}

fn rows(kinds: &[ColumnKind], set: &RowSet, block: &[u8], all: &mut Vec<u8>) {
    let operation = match set.operation {
        Operation::Insert => datain_row_block::Operation::Insert,
        Operation::Update => datain_row_block::Operation::Update,
        Operation::Delete => datain_row_block::Operation::Delete,
    };
    let bytes = open_block(block, set.offset, set.length).expect("within the block");
    let mut reader = RowSetReader::new(kinds, operation, set.count, bytes).expect("a row set");
    let mut count = 0;
    while let Some(row) = reader.next_row().expect("a whole row") {
        count += 1;
        all.extend_from_slice(&set.table.to_le_bytes());
        for image in [row.before, row.after].into_iter().flatten() {
            all.extend_from_slice(image.as_bytes());
            for (kind, value) in kinds.iter().zip(image.values()) {
                if let Some(value) = value {
                    self::value(*kind, &value);
                }
            }
        }
    }
    assert_eq!(count, set.count);
    assert!(count > 0, "an empty row set");
}

/// A value as SQL, under the form that a column of its kind has: what is written is an expression, and numbers and dates are never refused.
pub fn value(kind: ColumnKind, value: &Value<'_>) {
    let form = match kind {
        ColumnKind::Tinyint
        | ColumnKind::Smallint
        | ColumnKind::Mediumint
        | ColumnKind::Int
        | ColumnKind::Bigint => literal::Form::Integer { unsigned: true },
        ColumnKind::Bit | ColumnKind::Set | ColumnKind::Year | ColumnKind::Enum => {
            literal::Form::Number
        }
        ColumnKind::Float | ColumnKind::Double => literal::Form::Real,
        ColumnKind::Decimal => literal::Form::Digits,
        ColumnKind::Date | ColumnKind::Time | ColumnKind::Datetime | ColumnKind::Timestamp => {
            literal::Form::Temporal
        }
        ColumnKind::Json => literal::Form::Json,
        ColumnKind::Char | ColumnKind::Varchar | ColumnKind::Text => literal::Form::Characters {
            charset: "utf8mb4".to_owned(),
            same: true,
        },
        _ => literal::Form::Binary { pad_to: 0 },
    };
    let mut sql = Vec::new();
    let written = literal::write(&mut sql, &form, value);
    match form {
        literal::Form::Json => {}
        literal::Form::Real => {
            let finite = match value {
                Value::Float(number) => number.is_finite(),
                Value::Double(number) => number.is_finite(),
                _ => true,
            };
            assert_eq!(written.is_ok(), finite);
        }
        _ => assert!(written.is_ok(), "a value of its column is refused"),
    }
    if written.is_ok() {
        is_expression(&sql);
    }
    if let (ColumnKind::Json, Value::Bytes(bytes)) = (kind, value) {
        json_changes::run(bytes);
    }
    if let (ColumnKind::Json, Value::Bytes(bytes)) = (kind, value)
        && let Ok(text) = datain_binary_json::Document::new(bytes).to_text()
    {
        is_json(&text);
    }
}
