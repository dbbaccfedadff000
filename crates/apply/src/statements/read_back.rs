//! Rows that hold what a strict session refuses: an ENUM's invalid value, index 0, and a VECTOR of no bytes.
//!
//! A source that is not strict stores the one for a text that is no member, the other for a NULL in a column that is NOT NULL. Such a row is written by a
//! statement of its own without strict mode, which could bend other values of the row too. Therefore a second statement counts the rows that have exactly these
//! values, and fails unless it finds one.

use datain_contract::types::Error;
use datain_row_block::{ColumnKind, Image, Value};

use super::{
    plan::{EMPTY_VECTOR, Fill, Plan},
    sought, value,
};
use crate::literal::Form;
use crate::mapping::Mapping;

/// Whether a value can only be written without strict mode.
pub(crate) fn is_lenient(kind: ColumnKind, value: Option<Value<'_>>) -> bool {
    match kind {
        ColumnKind::Enum => value == Some(Value::Unsigned(0)),
        ColumnKind::Vector => value == Some(Value::Bytes(b"")),
        _ => false,
    }
}

/// Whether the row can only be written without strict mode.
pub(super) fn is_needed(mapping: &Mapping, plan: &Plan, after: &Image<'_, '_>) -> bool {
    plan.written.iter().any(|(column, fill)| match fill {
        Fill::Image => is_lenient(mapping.kinds[*column], after.get(*column)),
        Fill::Literal(text) => *text == EMPTY_VECTOR,
        Fill::Kept => false,
    })
}

/// A statement that fails unless exactly one row has the values of `after`, and, where that lacks a column of the key, of `before`. (DO would not
/// do: MariaDB forgets its errors.)
pub(super) fn guard(
    mapping: &Mapping,
    plan: &Plan,
    before: Option<&Image<'_, '_>>,
    after: &Image<'_, '_>,
) -> Result<Vec<u8>, Error> {
    let mut sql = b"SET @datain_guard=IF((SELECT COUNT(*) FROM ".to_vec();
    sql.extend_from_slice(mapping.table_sql.as_bytes());
    sql.extend_from_slice(b" WHERE ");
    let key = mapping.target.keys.first().map_or(&[][..], Vec::as_slice);
    for column in key {
        let name = mapping.column_sql[*column].as_bytes();
        let image = [Some(after), before]
            .into_iter()
            .flatten()
            .find(|image| image.get(*column).is_some());
        match image {
            Some(image) => sought(&mut sql, mapping, image, *column)?,
            // Neither image has it: an INSERT left it to its default.
            None => {
                sql.extend_from_slice(name);
                sql.extend_from_slice(b"=DEFAULT(");
                sql.extend_from_slice(name);
                sql.push(b')');
            }
        }
        sql.extend_from_slice(b" AND ");
    }
    for (column, fill) in &plan.written {
        match fill {
            Fill::Image => same(&mut sql, mapping, after, *column)?,
            Fill::Literal(text) if *text == EMPTY_VECTOR => {
                empty(&mut sql, mapping.column_sql[*column].as_bytes());
            }
            Fill::Literal(_) | Fill::Kept => continue,
        }
        sql.extend_from_slice(b" AND ");
    }
    sql.extend_from_slice(b"TRUE)=1,0,(SELECT 1 UNION ALL SELECT 2))");
    Ok(sql)
}

/// The condition that a VECTOR has no bytes: it cannot be compared.
fn empty(sql: &mut Vec<u8>, name: &[u8]) {
    sql.extend_from_slice(b"LENGTH(");
    sql.extend_from_slice(name);
    sql.extend_from_slice(b")=0");
}

/// A condition that holds only for this very value (of a floating-point zero, for either).
pub(super) fn same(
    sql: &mut Vec<u8>,
    mapping: &Mapping,
    image: &Image<'_, '_>,
    column: usize,
) -> Result<(), Error> {
    let name = mapping.column_sql[column].as_bytes();
    let (head, tail): (&[u8], &[u8]) = match (&mapping.forms[column], mapping.kinds[column]) {
        (_, ColumnKind::Vector) if image.get(column) == Some(Value::Bytes(b"")) => {
            empty(sql, name);
            return Ok(());
        }
        // The server refuses what is no document, no geometry or no vector in every mode.
        (Form::Json, _) | (_, ColumnKind::Geometry | ColumnKind::Vector) => {
            sql.extend_from_slice(b"TRUE");
            return Ok(());
        }
        // Bytes, whatever the collation takes for equal.
        (Form::Characters { .. } | Form::Binary { .. }, _) => (b"CAST(", b" AS BINARY)"),
        // ENUM and SET as whole numbers: see `EXACT`.
        (Form::Number, _) => (b"(", b"|0)"),
        _ => (b"", b""),
    };
    sql.extend_from_slice(head);
    sql.extend_from_slice(name);
    sql.extend_from_slice(tail);
    sql.extend_from_slice(b"<=>");
    match &mapping.forms[column] {
        Form::Characters { .. } if image.get(column) != Some(Value::Null) => {
            sql.extend_from_slice(b"CAST(");
            value(sql, mapping, image, column, false)?;
            sql.extend_from_slice(b" AS BINARY)");
            Ok(())
        }
        _ => value(sql, mapping, image, column, false),
    }
}
