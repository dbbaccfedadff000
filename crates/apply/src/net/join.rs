//! Updates of many rows in one statement: the rows' new values as a table of their own, joined by the primary key.
//!
//! MySQL knows `VALUES ROW(…), …` with a list of names behind it, since 8.0.19. MariaDB knows `VALUES (…), …` without one, so there the first row is a SELECT that names the columns. Older servers
//! know neither: each row is a SELECT, joined by UNION ALL.
//!
//! The server gives each column of such a table one type for all rows. So this is for columns whose values come out of that as they went in, and for keys that are
//! then still looked up in the index: strings under the collation of the table's column. The join is forced to go from the values to the rows, over the
//! primary key: with a small table the server may else read all of it.

use std::hash::BuildHasher;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op};
use datain_mysql_client::ServerVersion;
use datain_row_block::{ColumnKind, Image, Value};

use super::record::Record;
use super::table::TableNet;
use super::write::Limits;
use crate::literal::Form;
use crate::mapping::Mapping;
use crate::statements::{Check, Fill, Open, Plan, Statement, value};

/// How the values become a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Not at all: rows are updated one by one.
    Unknown,
    /// SELECT … UNION ALL SELECT …, which MySQL has known for ever.
    Selects,
    /// MySQL's VALUES ROW(…) (8.0.19 and later).
    Rows,
    /// MariaDB's VALUES (…) (10.3 and later).
    Union,
}

impl Values {
    /// What the server knows.
    #[must_use]
    pub fn of(version: &ServerVersion) -> Self {
        if version.is_mysql_since(8, 0, 19) {
            Self::Rows
        } else if version.is_mariadb_since(10, 3, 0) {
            Self::Union
        } else if version.is_mysql_since(5, 6, 0) {
            Self::Selects
        } else {
            Self::Unknown
        }
    }

    /// Whether the first row names the columns, since no list of names can stand behind the table.
    fn names_columns(self) -> bool {
        matches!(self, Self::Union | Self::Selects)
    }

    /// What stands before a row.
    fn before(self, is_first: bool, is_second: bool) -> &'static [u8] {
        match (self, is_first, is_second) {
            (Self::Union | Self::Selects, true, _) => b"UPDATE (SELECT ",
            (Self::Selects, ..) => b" UNION ALL SELECT ",
            (Self::Union, _, true) => b" UNION ALL VALUES (",
            (Self::Union, ..) => b",(",
            (_, true, _) => b"UPDATE (VALUES ROW(",
            _ => b",ROW(",
        }
    }
}

/// Rows with a longer value are updated one by one: there the statement's own cost does not count, and the values would become a table of BLOBs.
const LONG_VALUE: usize = 4096;

/// Whether rows of this table can be updated so.
pub(super) fn suits(mapping: &Mapping, plan: &Plan) -> bool {
    let plain = |column: usize| match (&mapping.forms[column], mapping.kinds[column]) {
        (
            Form::Integer { .. } | Form::Real | Form::Digits | Form::Temporal | Form::Bytewise(_),
            _,
        )
        | (Form::Number, ColumnKind::Year | ColumnKind::Enum) => true,
        // Masks of 64 bits would turn the column into a DECIMAL.
        (Form::Number | Form::Json, _) => false,
        (Form::Characters { .. } | Form::Binary { .. }, kind) => {
            !matches!(kind, ColumnKind::Geometry | ColumnKind::Vector)
        }
    };
    let sought = |column: &usize| match &mapping.forms[*column] {
        Form::Integer { .. } | Form::Digits | Form::Binary { .. } => true,
        Form::Characters { charset, .. } => collated(mapping, *column, charset).is_some(),
        Form::Number | Form::Real | Form::Temporal | Form::Json | Form::Bytewise(_) => false,
    };
    mapping.target.has_primary_key
        && !plan.written.is_empty()
        && plan.key.iter().all(sought)
        && plan
            .written
            .iter()
            .all(|(column, fill)| *fill == Fill::Image && plain(*column))
}

/// The collation under which a string key is compared; none where the literals' character set is not the column's.
fn collated<'m>(mapping: &'m Mapping, column: usize, charset: &str) -> Option<&'m str> {
    let target = &mapping.target.columns[column];
    let same = target.charset.as_deref() == Some(charset);
    target.collation.as_deref().filter(|_| same)
}

/// A key of 2⁶³ and more would turn the column into a DECIMAL, and long values into BLOBs.
fn is_plain(mapping: &Mapping, plan: &Plan, image: &Image<'_, '_>) -> bool {
    let small = |column: &usize| match (&mapping.forms[*column], image.get(*column)) {
        (Form::Integer { unsigned: true }, Some(value)) => {
            value.as_u64().is_some_and(|n| i64::try_from(n).is_ok())
        }
        (_, value) => value.is_some(),
    };
    let short = |(column, _): &(usize, Fill)| match image.get(*column) {
        Some(Value::Bytes(bytes)) => bytes.len() <= LONG_VALUE,
        value => value.is_some(),
    };
    plan.key.iter().all(small) && plan.written.iter().all(short)
}

/// Writes the statements for these rows.
pub(super) fn write<H: BuildHasher + Default>(
    table: &TableNet<H>,
    plan: &Plan,
    limits: Limits,
    rows: impl Iterator<Item = Record>,
    emit: &mut impl FnMut(Statement) -> Result<(), Error>,
) -> Result<(), Error> {
    let mapping: &Mapping = table.mapping();
    let (bounds, values) = (limits.bounds, limits.values);
    let mut single = Open::new(mapping, plan, bounds);
    let mut offsets = Vec::new();
    let mut sql = Vec::new();
    let mut count = 0;
    let tail = tail(mapping, plan, values);
    for record in rows {
        let image = table
            .records()
            .image(record, &mapping.kinds, &mut offsets)
            .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
        if !is_plain(mapping, plan, &image) {
            single.push(Op::Update, Some(image), Some(image), emit)?;
            continue;
        }
        sql.extend_from_slice(values.before(count == 0, count == 1));
        let names_columns = values.names_columns() && count == 0;
        let key = plan.key.iter().map(|column| (*column, true));
        let written = plan.written.iter().map(|(column, _)| (*column, false));
        for (n, (column, sought)) in key.chain(written).enumerate() {
            if n > 0 {
                sql.push(b',');
            }
            value(&mut sql, mapping, &image, column, sought)?;
            if names_columns {
                sql.extend_from_slice(format!(" AS datain_{n}").as_bytes());
            }
        }
        if !names_columns && values != Values::Selects {
            sql.push(b')');
        }
        count += 1;
        if sql.len() >= bounds.bytes || count >= bounds.rows {
            emit(close(&mut sql, &tail, &mut count))?;
        }
    }
    if count > 0 {
        emit(close(&mut sql, &tail, &mut count))?;
    }
    Ok(())
}

fn close(sql: &mut Vec<u8>, tail: &[u8], count: &mut u64) -> Statement {
    sql.extend_from_slice(tail);
    Statement {
        sql: std::mem::take(sql),
        rows: std::mem::take(count),
        check: Check::Strict,
        ends_row: true,
    }
}

/// What follows the values.
fn tail(mapping: &Mapping, plan: &Plan, values: Values) -> Vec<u8> {
    let columns = plan.key.len() + plan.written.len();
    let names: Vec<String> = (0..columns).map(|n| format!("datain_{n}")).collect();
    let table = &mapping.table_sql;
    let equal = |(n, column): (usize, usize)| {
        format!(
            "datain_row.{}=datain_new.datain_{n}",
            mapping.column_sql[column]
        )
    };
    let on = plan.key.iter().copied().enumerate().map(|(n, column)| {
        let collation = match &mapping.forms[column] {
            Form::Characters { charset, .. } => collated(mapping, column, charset),
            _ => None,
        };
        let equal = equal((n, column));
        match collation {
            Some(collation) => format!("{equal} COLLATE {collation}"),
            None => equal,
        }
    });
    let on: Vec<String> = on.collect();
    let written = plan.written.iter().map(|(column, _)| *column);
    let set: Vec<String> = written
        .enumerate()
        .map(|(n, column)| equal((plan.key.len() + n, column)))
        .collect();
    let names = if values.names_columns() {
        String::new()
    } else {
        format!(" ({})", names.join(","))
    };
    format!(
        ") AS datain_new{names} STRAIGHT_JOIN {table} AS datain_row FORCE INDEX (PRIMARY) ON {} SET {}",
        on.join(" AND "),
        set.join(",")
    )
    .into_bytes()
}
