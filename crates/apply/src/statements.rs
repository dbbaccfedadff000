//! Row sets as SQL statements, each with the number of rows that it must touch.
//!
//! Sessions are opened with CLIENT_FOUND_ROWS, so an UPDATE counts the rows that it found, changed or not. A statement that touches
//! another number of rows means that the target has diverged, and nothing of its group may be committed.
//!
//! Images may lack columns ([`plan`]). A row with an ENUM's invalid value stands alone and is read back ([`read_back`]). A JSON column may come as changes of
//! its document ([`documents`]). Rows of a table without a key are found by all that they hold ([`whole_row`]). Long runs of inserts can go through LOAD DATA instead ([`load`]).

mod copying;
mod documents;
pub mod load;
mod plan;
mod read_back;
mod whole_row;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op, RowSet};
use datain_mysql_client::quote_identifier;
use datain_row_block::{ColumnKind, Image, JsonChanges, Value};

use crate::literal::{self, Form, Unwritable};
use crate::mapping::Mapping;
use crate::row_set::Rows;
use documents::Documents;
use plan::EMPTY_VECTOR;
pub(crate) use plan::Fill;

pub use copying::write_copying;
pub use plan::Plan;
pub(crate) use read_back::is_lenient;
pub(crate) use whole_row::is_comparable;

/// A statement and what the server must answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL.
    pub sql: Vec<u8>,
    /// How many rows it must touch.
    pub rows: u64,
    /// Under which conditions it runs.
    pub check: Check,
    /// The row is done with it, or the rows are.
    pub ends_row: bool,
}

/// What holds for a statement besides its count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// It runs in strict mode, without a warning.
    Strict,
    /// It holds a value that strict mode refuses, so it runs without it; then this statement fails if the row is not exactly what it should be.
    ReadBack(Vec<u8>),
    /// It finds the row only if its documents can be changed as the log says.
    Documents,
    /// It deletes a row that may not be there.
    MayMiss,
    /// It is a LOAD DATA LOCAL of this file: see [`load`].
    Load(Vec<u8>),
}

/// Bounds of one statement.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// A multi-row statement is ended when it reaches this many bytes; one row can exceed it.
    pub bytes: usize,
    /// Rows in one multi-row statement.
    pub rows: u64,
    /// The server takes hints for indexes (MySQL 8.0.20). Where a list of keys seems to be most of a table, a DELETE would else read, and wait for, all of it.
    pub hints: bool,
}

/// Writes the rows of `set`, but for the first `done`, as statements, in order, and hands each to `emit`.
///
/// # Errors
/// `row-block.*` for malformed rows, `row.partial-image` for a row image that lacks columns, `row.value` for a value that cannot be written; what `emit` returns.
pub fn write(
    set: &RowSet,
    block: &[u8],
    mapping: &Mapping,
    bounds: Bounds,
    done: u32,
    mut emit: impl FnMut(Statement) -> Result<(), Error>,
) -> Result<(), Error> {
    let in_table = |e: Error| e.in_table(&mapping.target.schema, &mapping.target.name);
    let mut rows = Rows::open(set, block, mapping)?;
    let plan = Plan::new(
        &mapping.target,
        set.operation,
        rows.before_present(),
        rows.after_present(),
    )
    .map_err(in_table)?;
    let mut open = Open::new(mapping, &plan, bounds);
    for _ in 0..done {
        rows.next_row()?;
    }
    while let Some(row) = rows.next_row()? {
        if let Some(after) = row.after
            && read_back::is_needed(mapping, &plan, &after)
        {
            open.close(&mut emit)?;
            open.add_leniently(set.operation, row.before, after)
                .map_err(in_table)?;
            open.close(&mut emit)?;
            continue;
        }
        open.push(set.operation, row.before, row.after, &mut emit)
            .map_err(in_table)?;
    }
    open.close(&mut emit)
}

/// Writes one row as an INSERT of its own.
fn insert_one(
    mapping: &Mapping,
    plan: &Plan,
    after: Image<'_, '_>,
    bounds: Bounds,
    emit: &mut impl FnMut(Statement) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut open = Open::new(mapping, plan, bounds);
    if read_back::is_needed(mapping, plan, &after) {
        open.add_leniently(Op::Insert, None, after)?;
    } else {
        open.add(Op::Insert, None, Some(after))?;
    }
    open.close(emit)
}

/// Appends the literal of a column's value in `image`, to be stored or, if `sought`, to be compared with.
pub(crate) fn value(
    out: &mut Vec<u8>,
    mapping: &Mapping,
    image: &Image<'_, '_>,
    column: usize,
    sought: bool,
) -> Result<(), Error> {
    let name = &mapping.target.columns[column].name;
    let value = image.get(column).ok_or_else(|| {
        Error::fatal(
            "row-block.malformed",
            format!("an image lacks a value of column `{name}`"),
        )
    })?;
    if value == Value::Null && !sought && !mapping.target.columns[column].nullable {
        // The server may make something else of it: the current time of a TIMESTAMP.
        return Err(Error::reconfigure(
            "row.value",
            format!("a NULL of the source does not fit into column `{name}`, which is NOT NULL on the target"),
        )
        .hint("compare SHOW CREATE TABLE on both servers and make them equal"));
    }
    let form = &mapping.forms[column];
    let written = if sought {
        literal::write_sought(out, form, &value)
    } else {
        literal::write(out, form, &value)
    };
    written.map_err(|Unwritable(why)| {
        Error::fatal(
            "row.value",
            format!("a value of column `{name}` cannot be written: {why}"),
        )
    })
}

/// Appends what a column is set to: its value in `after`, or what makes the server store that where no literal does.
fn stored(
    out: &mut Vec<u8>,
    mapping: &Mapping,
    before: Option<&Image<'_, '_>>,
    after: &Image<'_, '_>,
    column: usize,
) -> Result<(), Error> {
    let no_bytes = Some(Value::Bytes(b""));
    if mapping.kinds[column] != ColumnKind::Vector || after.get(column) != no_bytes {
        return value(out, mapping, after, column, false);
    }
    // It may stay where an ALTER TABLE has left it, in a column that may be NULL: nothing but its own value can be written there.
    let stays = before.is_some_and(|before| before.get(column) == no_bytes);
    out.extend_from_slice(if stays {
        mapping.column_sql[column].as_bytes()
    } else {
        EMPTY_VECTOR.as_bytes()
    });
    Ok(())
}

/// Appends the condition that a column has its value in `image`.
pub(crate) fn sought(
    out: &mut Vec<u8>,
    mapping: &Mapping,
    image: &Image<'_, '_>,
    column: usize,
) -> Result<(), Error> {
    let name = mapping.column_sql[column].as_bytes();
    let large = |value| matches!(value, Some(Value::Unsigned(mask)) if mask >= EXACT);
    if mapping.kinds[column] == ColumnKind::Set && large(image.get(column)) {
        out.push(b'(');
        out.extend_from_slice(name);
        out.extend_from_slice(b"|0)=");
    } else {
        out.extend_from_slice(name);
        out.push(b'=');
    }
    value(out, mapping, image, column, true)
}

/// Whether a hint may name the table: it stands in a comment, which a name may begin or end for the server's parser, though it is quoted.
fn fits_into_hint(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-');
    name.bytes().all(plain)
}

/// The server compares a SET with a number as DOUBLEs, which are exact below this. An operator on bits makes it a whole number, for which no index is used.
const EXACT: u64 = 1 << 53;

/// A statement under construction.
pub(crate) struct Open<'m> {
    mapping: &'m Mapping,
    plan: &'m Plan,
    bounds: Bounds,
    sql: Vec<u8>,
    rows: u64,
    tail: &'static [u8],
    check: Check,
    /// Statements that go before it.
    first: Vec<Statement>,
}

impl<'m> Open<'m> {
    pub(crate) fn new(mapping: &'m Mapping, plan: &'m Plan, bounds: Bounds) -> Self {
        Open {
            mapping,
            plan,
            bounds,
            sql: Vec::new(),
            rows: 0,
            tail: b"",
            check: Check::Strict,
            first: Vec::new(),
        }
    }

    /// Adds a row, and closes the statement before and after it where it has to be.
    pub(crate) fn push(
        &mut self,
        operation: Op,
        before: Option<Image<'_, '_>>,
        after: Option<Image<'_, '_>>,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        // An UPDATE is for one row: rows may exchange values of a unique key, so their order counts.
        let alone = operation == Op::Update
            || operation == Op::Delete && !self.mapping.target.has_key()
            || before.is_some_and(|row| self.seeks_zero(&row));
        if alone {
            self.close(emit)?;
        }
        self.add(operation, before, after)?;
        if alone || self.sql.len() >= self.bounds.bytes || self.rows >= self.bounds.rows {
            self.close(emit)?;
        }
        Ok(())
    }

    /// Whether the row is sought by a floating-point zero: the server takes 0 and -0 in one condition for the same value, and then looks for both in the
    /// one partition that it computes from the first.
    fn seeks_zero(&self, before: &Image<'_, '_>) -> bool {
        self.plan
            .key
            .iter()
            .any(|column| match before.get(*column) {
                Some(Value::Float(number)) => number == 0.0,
                Some(Value::Double(number)) => number == 0.0,
                _ => false,
            })
    }

    pub(crate) fn close(
        &mut self,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.rows == 0 {
            return Ok(());
        }
        for statement in self.first.drain(..) {
            emit(statement)?;
        }
        self.sql.extend_from_slice(self.tail);
        let statement = Statement {
            sql: std::mem::take(&mut self.sql),
            rows: self.rows,
            check: std::mem::replace(&mut self.check, Check::Strict),
            ends_row: true,
        };
        self.rows = 0;
        emit(statement)
    }

    /// Adds a row that can only be written without strict mode; it must be the statement's only one.
    fn add_leniently(
        &mut self,
        operation: Op,
        before: Option<Image<'_, '_>>,
        after: Image<'_, '_>,
    ) -> Result<(), Error> {
        if !self.mapping.target.has_key() {
            return Err(whole_row::unsure());
        }
        self.add(operation, before, Some(after))?;
        let guard = read_back::guard(self.mapping, self.plan, before.as_ref(), &after)?;
        self.check = Check::ReadBack(guard);
        Ok(())
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

    fn insert(&mut self, after: Image<'_, '_>) -> Result<(), Error> {
        if self.rows == 0 {
            self.tail = b"";
            self.sql.extend_from_slice(b"INSERT INTO ");
            self.table();
            self.sql.extend_from_slice(b" (");
            for (n, (column, _)) in self.plan.written.iter().enumerate() {
                if n > 0 {
                    self.sql.push(b',');
                }
                self.name(*column);
            }
            self.sql.extend_from_slice(b") VALUES ");
        } else {
            self.sql.push(b',');
        }
        self.sql.push(b'(');
        for (n, (column, fill)) in self.plan.written.iter().enumerate() {
            if n > 0 {
                self.sql.push(b',');
            }
            match fill {
                Fill::Image => {
                    stored(&mut self.sql, self.mapping, None, &after, *column)?;
                }
                Fill::Literal(text) => self.sql.extend_from_slice(text.as_bytes()),
                Fill::Kept => self.name(*column),
            }
        }
        self.sql.push(b')');
        Ok(())
    }

    fn update(&mut self, before: Image<'_, '_>, after: Image<'_, '_>) -> Result<(), Error> {
        self.tail = self.limit();
        let mut key = Vec::new();
        self.key(&mut key, &before)?;
        let mut documents = Documents::new(self.mapping, &key);
        let mut set = Vec::new();
        for (column, fill) in &self.plan.written {
            let name = self.mapping.column_sql[*column].as_bytes();
            let changes = match (&self.mapping.forms[*column], after.get(*column)) {
                (Form::Json, Some(Value::Bytes(bytes))) => JsonChanges::of(bytes),
                _ => None,
            };
            if let Some(changes) = changes {
                documents.change(*column, changes, &mut set)?;
                continue;
            }
            if !set.is_empty() {
                set.push(b',');
            }
            set.extend_from_slice(name);
            set.push(b'=');
            match fill {
                Fill::Image => stored(&mut set, self.mapping, Some(&before), &after, *column)?,
                Fill::Literal(text) => set.extend_from_slice(text.as_bytes()),
                Fill::Kept => set.extend_from_slice(name),
            }
        }
        if set.is_empty() {
            // Nothing but columns that the server computes: the row must be there all the same.
            let name = self.mapping.column_sql[self.plan.key[0]].as_bytes();
            set.extend_from_slice(name);
            set.push(b'=');
            set.extend_from_slice(name);
        }
        let (first, conditions) = documents.finish();
        if !first.is_empty() || !conditions.is_empty() {
            self.check = Check::Documents;
        }
        self.first.extend(first);
        self.sql.extend_from_slice(b"UPDATE ");
        self.table();
        self.sql.extend_from_slice(b" SET ");
        self.sql.extend_from_slice(&set);
        self.sql.extend_from_slice(b" WHERE ");
        self.sql.extend_from_slice(&key);
        self.sql.extend_from_slice(&conditions);
        Ok(())
    }

    /// Of rows that cannot be told apart, one is changed.
    fn limit(&self) -> &'static [u8] {
        if self.mapping.target.has_key() {
            b""
        } else {
            b" LIMIT 1"
        }
    }

    fn delete(&mut self, before: Image<'_, '_>) -> Result<(), Error> {
        if !self.mapping.target.has_key() {
            self.tail = self.limit();
            self.sql.extend_from_slice(b"DELETE FROM ");
            self.table();
            self.sql.extend_from_slice(b" WHERE ");
            let mut condition = std::mem::take(&mut self.sql);
            self.key(&mut condition, &before)?;
            self.sql = condition;
            return Ok(());
        }
        let key = &self.plan.key;
        let several = key.len() > 1;
        if self.rows == 0 {
            self.sql.extend_from_slice(b"DELETE ");
            let target = &self.mapping.target;
            if self.bounds.hints && target.has_primary_key && fits_into_hint(&target.name) {
                let hint = format!("/*+ INDEX({} PRIMARY) */ ", quote_identifier(&target.name));
                self.sql.extend_from_slice(hint.as_bytes());
            }
            self.sql.extend_from_slice(b"FROM ");
            self.table();
            self.sql.extend_from_slice(b" WHERE ");
        }
        // In a list of rows the server compares an ENUM or a SET with a number as texts, and finds nothing.
        let by_number = |column: &usize| {
            matches!(
                self.mapping.kinds[*column],
                ColumnKind::Enum | ColumnKind::Set
            )
        };
        if key.iter().any(by_number) {
            self.tail = b"";
            self.sql
                .extend_from_slice(if self.rows == 0 { b"(" } else { b" OR (" });
            let mut condition = std::mem::take(&mut self.sql);
            self.key(&mut condition, &before)?;
            self.sql = condition;
            self.sql.push(b')');
            return Ok(());
        }
        if self.rows == 0 {
            self.tail = b")";
            self.sql.extend_from_slice(if several { b"(" } else { b"" });
            for (n, column) in key.iter().enumerate() {
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
        for (n, column) in key.iter().enumerate() {
            if n > 0 {
                self.sql.push(b',');
            }
            value(&mut self.sql, self.mapping, &before, *column, true)?;
        }
        if several {
            self.sql.push(b')');
        }
        Ok(())
    }

    fn key(&self, out: &mut Vec<u8>, image: &Image<'_, '_>) -> Result<(), Error> {
        if !self.mapping.target.has_key() {
            return whole_row::condition(out, self.mapping, image, &self.plan.key);
        }
        for (n, column) in self.plan.key.iter().enumerate() {
            if n > 0 {
                out.extend_from_slice(b" AND ");
            }
            sought(out, self.mapping, image, *column)?;
        }
        Ok(())
    }
}
