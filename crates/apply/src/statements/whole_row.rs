//! Rows of a table without a key: found by all that they hold.
//!
//! Equal rows need not be told apart: any one of them may be the one that is changed, as long as it is exactly one, which LIMIT 1 says. But equal means equal to the last bit, not what a
//! collation takes for equal, or the wrong row would be changed. So each condition is exact ([`read_back::same`]); where an exact one cannot use an index, the ordinary one stands beside it.
//! Values for which there is no exact condition (JSON, geometries, vectors) are refused with their table.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_row_block::{ColumnKind, Image, Value};

use super::read_back::same;
use super::sought;
use crate::literal::Form;
use crate::mapping::Mapping;

/// Whether rows can be found by a column of this kind.
pub(crate) fn is_comparable(kind: ColumnKind) -> bool {
    !matches!(
        kind,
        ColumnKind::Json | ColumnKind::Geometry | ColumnKind::Vector
    )
}

/// Appends the condition that a row has just these values in these columns.
pub(super) fn condition(
    out: &mut Vec<u8>,
    mapping: &Mapping,
    image: &Image<'_, '_>,
    columns: &[usize],
) -> Result<(), Error> {
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            out.extend_from_slice(b" AND ");
        }
        let name = mapping.column_sql[*column].as_bytes();
        let value = image.get(*column);
        if value == Some(Value::Null) {
            out.extend_from_slice(name);
            out.extend_from_slice(b" IS NULL");
            continue;
        }
        if matches!(
            mapping.forms[*column],
            Form::Characters { .. } | Form::Binary { .. } | Form::Number
        ) {
            sought(out, mapping, image, *column)?;
            out.extend_from_slice(b" AND ");
        }
        same(out, mapping, image, *column)?;
        // The server takes 0 and -0 for the same value.
        let negative = match value {
            Some(Value::Float(number)) if number == 0.0 => Some(number.is_sign_negative()),
            Some(Value::Double(number)) if number == 0.0 => Some(number.is_sign_negative()),
            _ => None,
        };
        if let Some(negative) = negative {
            out.extend_from_slice(b" AND LEFT(CONCAT(");
            out.extend_from_slice(name);
            out.extend_from_slice(if negative { b"),1)='-'" } else { b"),1)<>'-'" });
        }
    }
    Ok(())
}

/// The error of a row that can only be written without strict mode: whether it was written as it should be could not be told from other rows.
pub(super) fn unsure() -> Error {
    Error::reconfigure(
        "row.value",
        "a row of a table without a key holds a value that strict mode refuses, and nobody could tell whether it was stored as it is",
    )
    .hint("give the table a primary key on both servers, or mend the row on the source")
}
