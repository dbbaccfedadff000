//! What is selected for each column, so that nothing of its value is lost in text.
//!
//! - FLOAT's own text has six digits, and one with a number of decimals is rounded to them: `c * 1e0` is the same number as a DOUBLE, whose text is exact, and keeps the
//!   sign of a negative zero (a sum would not).
//! - ENUM and SET by number. `c + 0` of a SET is a DOUBLE, in which large masks are rounded or turn negative: CAST is exact for both.
//! - MariaDB shows UUID and addresses as texts, and casts them to what the log has.
//! - BIT comes as its bytes. Strings, geometries and vectors come as they are stored, since the session converts nothing (`settings.rs`).
//! - JSON comes as text, and as the types of all its values (`json_types`).

use datain_binary_json::encode::TYPE_LETTERS;
use datain_mysql_client::quote_identifier;
use datain_row_block::ColumnKind;

use crate::definition::ColumnDefinition;

/// What stands for a column in the select list; of a JSON column two items.
pub(crate) fn item(column: &ColumnDefinition) -> String {
    let name = format!("t.{}", quote_identifier(&column.name));
    match column.kind {
        ColumnKind::Float | ColumnKind::Double => format!("{name} * 1e0"),
        ColumnKind::Enum | ColumnKind::Set => format!("CAST({name} AS UNSIGNED)"),
        ColumnKind::Json => {
            let types = json_types(&name);
            format!("{name}, {types}")
        }
        ColumnKind::Char if column.is_text_of_bytes() => {
            format!("CAST({name} AS BINARY({}))", column.length)
        }
        _ => name,
    }
}

/// A letter for the type of each value of a document, in the order that `encode::write_from_text` wants: its own, those of all members, those of all elements.
///
/// JSON_TABLE gives the values that a path finds, in order, and JSON_TYPE what they are. Two paths beside each other in one table take half the time of two tables.
/// It needs MySQL 8.0.4, and costs some microseconds for a small document: 100,000 documents of 150 bytes with 14 values take 0.24 s as text, and about twice to
/// three times as long with their types (measured on 9.7). A document without values within has one row, in which both numbers are NULL.
#[must_use]
pub fn json_types(name: &str) -> String {
    format!(
        "CONCAT({}, COALESCE((SELECT GROUP_CONCAT({} ORDER BY n IS NULL, n, m SEPARATOR '') FROM JSON_TABLE({name}, _utf8mb4'$' COLUMNS (\
         NESTED PATH _utf8mb4'$**.*' COLUMNS (n FOR ORDINALITY, v JSON PATH _utf8mb4'$'), \
         NESTED PATH _utf8mb4'$**[*]' COLUMNS (m FOR ORDINALITY, w JSON PATH _utf8mb4'$'))) AS x WHERE n IS NOT NULL OR m IS NOT NULL), ''))",
        letter(name),
        letter("IF(n IS NULL, w, v)"),
    )
}

/// A null within a document comes out of JSON_TABLE as SQL's NULL, which has no JSON_TYPE.
fn letter(value: &str) -> String {
    let letters: String = TYPE_LETTERS.iter().map(|(_, c)| char::from(*c)).collect();
    let names: Vec<String> = TYPE_LETTERS
        .iter()
        .map(|(name, _)| format!("'{name}'"))
        .collect();
    format!(
        "SUBSTR('n{letters}', FIELD(JSON_TYPE({value}), {}) + 1, 1)",
        names.join(", ")
    )
}
