//! Rows that hold an ENUM's invalid value, index 0.
//!
//! A source that is not strict stores it for a text that is no member. A strict session refuses it, so such a row is written by a statement of its own without
//! strict mode, which could bend other values of the row too. Therefore a second statement counts the rows that have exactly these values, and fails unless it
//! finds one.

use datain_contract::types::Error;
use datain_row_block::{ColumnKind, Image, Value};

use super::{plan::Fill, plan::Plan, sought, value};
use crate::literal::Form;
use crate::mapping::Mapping;

/// Whether the row can only be written without strict mode.
pub(super) fn is_needed(mapping: &Mapping, plan: &Plan, after: &Image<'_, '_>) -> bool {
    plan.written.iter().any(|(column, fill)| {
        *fill == Fill::Image
            && mapping.kinds[*column] == ColumnKind::Enum
            && after.get(*column) == Some(Value::Unsigned(0))
    })
}

/// A statement that fails unless exactly one row has the values of `after`, and, where that lacks a column of the key, of `before`.
pub(super) fn guard(
    mapping: &Mapping,
    plan: &Plan,
    before: Option<&Image<'_, '_>>,
    after: &Image<'_, '_>,
) -> Result<Vec<u8>, Error> {
    let mut sql = b"DO IF((SELECT COUNT(*) FROM ".to_vec();
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
        if *fill == Fill::Image {
            same(&mut sql, mapping, after, *column)?;
            sql.extend_from_slice(b" AND ");
        }
    }
    sql.extend_from_slice(b"TRUE)=1,0,(SELECT 1 UNION ALL SELECT 2))");
    Ok(sql)
}

/// A condition that holds only for this very value.
fn same(
    sql: &mut Vec<u8>,
    mapping: &Mapping,
    image: &Image<'_, '_>,
    column: usize,
) -> Result<(), Error> {
    let name = mapping.column_sql[column].as_bytes();
    let (head, tail): (&[u8], &[u8]) = match (&mapping.forms[column], mapping.kinds[column]) {
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
