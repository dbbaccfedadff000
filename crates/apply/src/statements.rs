//! Row sets as SQL statements, each with the number of rows that it must touch.
//!
//! Sessions are opened with CLIENT_FOUND_ROWS, so an UPDATE counts the rows that it found, changed or not. A statement that touches
//! another number of rows means that the target has diverged, and nothing of its group may be committed.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op, RowSet};
use datain_row_block::{Image, Operation, RowSetReader, open_block};

use crate::literal::{self, Unwritable};
use crate::mapping::Mapping;

/// A statement and what the server must answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: Vec<u8>,
    /// How many rows it must touch.
    pub rows: u64,
}

/// Bounds of one statement.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// A multi-row statement is ended when it reaches this many bytes; one row can exceed it.
    pub bytes: usize,
    /// Rows in one multi-row statement.
    pub rows: u64,
}

/// Writes the rows of `set` as statements, in order, and hands each to `emit`.
///
/// # Errors
/// `row-block.*` for malformed rows, `row.partial-image` for a row image that lacks columns, `row.value` for a value that cannot be written; what `emit` returns.
pub fn write(
    set: &RowSet,
    block: &[u8],
    mapping: &Mapping,
    bounds: Bounds,
    mut emit: impl FnMut(Statement) -> Result<(), Error>,
) -> Result<(), Error> {
    let in_table = |e: Error| e.in_table(&mapping.target.schema, &mapping.target.name);
    let bytes = open_block(block, set.offset, set.length)
        .map_err(|e| in_table(Error::fatal(e.code(), e.to_string())))?;
    let operation = match set.operation {
        Op::Insert => Operation::Insert,
        Op::Update => Operation::Update,
        Op::Delete => Operation::Delete,
    };
    let malformed = |e: datain_row_block::Malformed| Error::fatal(e.code(), e.to_string());
    let mut rows = RowSetReader::new(&mapping.kinds, operation, set.count, bytes)
        .map_err(|e| in_table(malformed(e)))?;
    let mut open = Open::new(mapping, bounds);
    while let Some(row) = rows.next_row().map_err(|e| in_table(malformed(e)))? {
        open.add(set.operation, row.before, row.after)
            .map_err(in_table)?;
        if open.is_full(set.operation) {
            open.close(&mut emit)?;
        }
    }
    open.close(&mut emit)
}

/// A statement under construction.
struct Open<'m> {
    mapping: &'m Mapping,
    bounds: Bounds,
    sql: Vec<u8>,
    rows: u64,
    tail: &'static [u8],
    /// Rows to delete are named one beside the other, not as a list of tuples.
    apart: bool,
}

impl<'m> Open<'m> {
    fn new(mapping: &'m Mapping, bounds: Bounds) -> Self {
        let target = &mapping.target;
        let numbered =
            |column: &usize| matches!(target.columns[*column].data_type.as_str(), "enum" | "set");
        Open {
            // In a list of two and more tuples, MySQL compares an ENUM or a SET with a number as text, and finds nothing.
            apart: target.key.len() > 1 && target.key.iter().any(numbered),
            mapping,
            bounds,
            sql: Vec::new(),
            rows: 0,
            tail: b"",
        }
    }

    fn is_full(&self, operation: Op) -> bool {
        // An UPDATE is for one row: rows may exchange values of a unique key, so their order counts.
        operation == Op::Update
            || self.sql.len() >= self.bounds.bytes
            || self.rows >= self.bounds.rows
    }

    fn close(
        &mut self,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.rows == 0 {
            return Ok(());
        }
        self.sql.extend_from_slice(self.tail);
        let statement = Statement {
            sql: std::mem::take(&mut self.sql),
            rows: self.rows,
        };
        self.rows = 0;
        emit(statement)
    }

    fn add(
        &mut self,
        operation: Op,
        before: Option<Image<'_, '_>>,
        after: Option<Image<'_, '_>>,
    ) -> Result<(), Error> {
        match (operation, before, after) {
            (Op::Insert, _, Some(after)) => self.insert(after)?,
            (Op::Update, Some(before), Some(after)) => self.update(before, after)?,
            (Op::Delete, Some(before), _) => self.delete(before)?,
            _ => {
                return Err(Error::fatal(
                    "row-block.malformed",
                    "a row lacks an image that its operation needs",
                ));
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn table(&mut self) {
        self.sql
            .extend_from_slice(self.mapping.table_sql.as_bytes());
    }

    fn name(&mut self, column: usize) {
        self.sql
            .extend_from_slice(self.mapping.column_sql[column].as_bytes());
    }

    /// Indexes of the columns that are written: all but the generated ones.
    fn written(&self) -> impl Iterator<Item = usize> + use<'m> {
        let columns = &self.mapping.target.columns;
        (0..columns.len()).filter(move |i| !columns[*i].generated)
    }

    fn value(&mut self, image: &Image<'_, '_>, column: usize) -> Result<(), Error> {
        let value = image.get(column).ok_or_else(|| {
            Error::reconfigure(
                "row.partial-image",
                format!("the log holds no value of column `{}`", self.mapping.target.columns[column].name),
            )
            .hint("SET PERSIST binlog_row_image = FULL on the source; sessions that are open keep the old setting")
        })?;
        literal::write(&mut self.sql, &self.mapping.forms[column], &value).map_err(
            |Unwritable(why)| {
                Error::fatal(
                    "row.value",
                    format!(
                        "a value of column `{}` cannot be written: {why}",
                        self.mapping.target.columns[column].name
                    ),
                )
            },
        )
    }

    fn insert(&mut self, after: Image<'_, '_>) -> Result<(), Error> {
        if self.rows == 0 {
            self.tail = b"";
            self.sql.extend_from_slice(b"INSERT INTO ");
            self.table();
            self.sql.extend_from_slice(b" (");
            for (n, column) in self.written().enumerate() {
                if n > 0 {
                    self.sql.push(b',');
                }
                self.name(column);
            }
            self.sql.extend_from_slice(b") VALUES ");
        } else {
            self.sql.push(b',');
        }
        self.sql.push(b'(');
        for (n, column) in self.written().enumerate() {
            if n > 0 {
                self.sql.push(b',');
            }
            self.value(&after, column)?;
        }
        self.sql.push(b')');
        Ok(())
    }

    fn update(&mut self, before: Image<'_, '_>, after: Image<'_, '_>) -> Result<(), Error> {
        self.tail = b"";
        self.sql.extend_from_slice(b"UPDATE ");
        self.table();
        self.sql.extend_from_slice(b" SET ");
        // Every column is set, changed or not: a column ON UPDATE CURRENT_TIMESTAMP that is not named would change by itself.
        for (n, column) in self.written().enumerate() {
            if n > 0 {
                self.sql.push(b',');
            }
            self.name(column);
            self.sql.push(b'=');
            self.value(&after, column)?;
        }
        self.sql.extend_from_slice(b" WHERE ");
        self.key(&before)
    }

    fn delete(&mut self, before: Image<'_, '_>) -> Result<(), Error> {
        if self.apart {
            if self.rows == 0 {
                self.tail = b")";
                self.sql.extend_from_slice(b"DELETE FROM ");
                self.table();
                self.sql.extend_from_slice(b" WHERE (");
            } else {
                self.sql.extend_from_slice(b") OR (");
            }
            return self.key(&before);
        }
        let several = self.mapping.target.key.len() > 1;
        if self.rows == 0 {
            self.tail = b")";
            self.sql.extend_from_slice(b"DELETE FROM ");
            self.table();
            self.sql.extend_from_slice(b" WHERE ");
            self.sql.extend_from_slice(if several { b"(" } else { b"" });
            for (n, column) in self.mapping.target.key.iter().enumerate() {
                if n > 0 {
                    self.sql.push(b',');
                }
                self.name(*column);
            }
            self.sql
                .extend_from_slice(if several { b") IN (" } else { b" IN (" });
        } else {
            self.sql.push(b',');
        }
        if several {
            self.sql.push(b'(');
        }
        for (n, column) in self.mapping.target.key.iter().enumerate() {
            if n > 0 {
                self.sql.push(b',');
            }
            self.value(&before, *column)?;
        }
        if several {
            self.sql.push(b')');
        }
        Ok(())
    }

    fn key(&mut self, image: &Image<'_, '_>) -> Result<(), Error> {
        for (n, column) in self.mapping.target.key.iter().enumerate() {
            if n > 0 {
                self.sql.extend_from_slice(b" AND ");
            }
            self.name(*column);
            self.sql.push(b'=');
            self.value(image, *column)?;
        }
        Ok(())
    }
}
