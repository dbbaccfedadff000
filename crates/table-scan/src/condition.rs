//! "The rows after this key" as SQL.
//!
//! For a key of the columns a, b, c this is `a > x OR a = x AND b > y OR a = x AND b = y AND c > z`, of which the server's optimizer makes ranges of the index, in
//! order; of `(a, b, c) > (x, y, z)` it makes none, and goes through the index from its beginning (measured on MySQL 9.7, see `EXPLAIN ANALYZE`). The server compares,
//! by each column's own collation: a value of characters stands behind the introducer of its character set.
//!
//! - **Reals** are written as doubles, which is exact for a FLOAT.
//! - **ENUM** is compared by number. A range of numbers uses no index, single ones do: so what is greater is listed, `e IN (3, 4)`.
//! - **SET** is compared by number too, `CAST(s AS UNSIGNED)`: other forms make a DOUBLE or a signed number of it. No index is used beyond the columns before it: the
//!   server goes over the rows before the chunk, without reading more than the index.
//! - **A prefix** of a column orders nothing by itself, so a key with one is not used at all (`definition.rs`).

use std::fmt::Write as _;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Signedness};
use datain_mysql_client::quote_identifier;
use datain_row_block::{ColumnKind, Value};

use crate::definition::{ColumnDefinition, TableDefinition};
use crate::key::{KeyPart, ScanKey};

/// WHERE and ORDER BY of a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Without WHERE; none at the table's beginning.
    pub(crate) after: Option<String>,
    /// Without ORDER BY.
    pub(crate) order: String,
}

/// One end of a range, column by column of the key.
struct End {
    /// The rows of which this column alone lies on the wanted side of the key; none if there can be none.
    beyond: Vec<Option<String>>,
    /// The rows that are equal to the key in this column.
    same: Vec<String>,
}

impl Condition {
    /// For the rows behind `after` and up to `up_to`, which is one of them. What both keys have in common at their beginning is asked for once, so that the optimizer
    /// sees one range of the index.
    pub(crate) fn between(
        table: &TableDefinition,
        scan_key: &ScanKey,
        after: Option<&[u8]>,
        up_to: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let end = |key: Option<&[u8]>, is_upper| {
            key.map(|key| End::of(table, scan_key, key, is_upper))
                .transpose()
        };
        let (after, up_to) = (end(after, false)?, end(up_to, true)?);
        let common = match (&after, &up_to) {
            (Some(after), Some(up_to)) => after
                .same
                .iter()
                .zip(&up_to.same)
                .take_while(|(a, b)| a == b)
                .count(),
            _ => 0,
        };
        // Leading parts that can only be equal: the server sorts if they are named, since it does not see that they are constant.
        let constant = after.as_ref().map_or(0, |end| {
            let first = end.beyond.iter().position(Option::is_some);
            first.unwrap_or(0).max(common)
        });
        let mut all: Vec<String> = match &after {
            Some(after) => after.same[..common].to_vec(),
            None => Vec::new(),
        };
        let is_alone = after.is_none() || up_to.is_none();
        for (end, is_upper) in [(&after, false), (&up_to, true)] {
            let Some(end) = end else {
                continue;
            };
            let alternatives = end.alternatives(common, is_upper);
            all.push(match alternatives.len() {
                0 => "FALSE".to_owned(),
                _ if is_alone => alternatives.join(" OR "),
                _ => format!("({})", alternatives.join(" OR ")),
            });
        }
        // Both keys are the same: then no part is left to order by, and no row either.
        let constant = constant.min(scan_key.parts.len() - 1);
        Ok(Self {
            after: (!all.is_empty()).then(|| all.join(" AND ")),
            order: order(table, &scan_key.parts[constant..]),
        })
    }

    /// The rows that have one of these keys; none for no keys.
    pub(crate) fn any_of(
        table: &TableDefinition,
        scan_key: &ScanKey,
        keys: &[Vec<u8>],
    ) -> Result<String, Error> {
        let mut alternatives = Vec::with_capacity(keys.len());
        for key in keys {
            let end = End::of(table, scan_key, key, false)?;
            alternatives.push(end.same.join(" AND "));
        }
        if alternatives.is_empty() {
            return Ok("FALSE".to_owned());
        }
        Ok(alternatives.join(" OR "))
    }
}

impl End {
    fn of(
        table: &TableDefinition,
        scan_key: &ScanKey,
        key: &[u8],
        is_upper: bool,
    ) -> Result<Self, Error> {
        scan_key.split(table, key, |values| {
            let mut end = Self {
                beyond: Vec::with_capacity(values.len()),
                same: Vec::with_capacity(values.len()),
            };
            for (part, value) in scan_key.parts.iter().zip(values) {
                let column = &table.columns[part.column];
                let falls = part.descending != is_upper;
                end.beyond.push(after(column, falls, value)?);
                end.same.push(has_value(column, value)?);
            }
            Ok(end)
        })
    }

    /// See the module. The first `common` columns are asked for elsewhere.
    fn alternatives(&self, common: usize, with_key: bool) -> Vec<String> {
        let mut alternatives = Vec::new();
        let mut equal = String::new();
        for at in common..self.same.len() {
            if let Some(beyond) = &self.beyond[at] {
                alternatives.push(format!("{equal}{beyond}"));
            }
            equal.push_str(&self.same[at]);
            equal.push_str(" AND ");
        }
        if with_key {
            alternatives.push(match equal.strip_suffix(" AND ") {
                Some(equal) => equal.to_owned(),
                None => "TRUE".to_owned(),
            });
        }
        alternatives
    }
}

fn order(table: &TableDefinition, parts: &[KeyPart]) -> String {
    let parts: Vec<String> = parts
        .iter()
        .map(|part| {
            let direction = if part.descending { " DESC" } else { "" };
            format!("{}{direction}", name(&table.columns[part.column]))
        })
        .collect();
    parts.join(", ")
}

fn name(column: &ColumnDefinition) -> String {
    format!("t.{}", quote_identifier(&column.name))
}

/// SQL for the rows of which a column has this value, which is not NULL; the table's alias is `t`.
///
/// # Errors
/// `snapshot.key-unwritable`.
pub fn has_value(column: &ColumnDefinition, value: &Value<'_>) -> Result<String, Error> {
    let name = compared(column);
    Ok(format!("{name} = {}", literal(column, value)?))
}

/// The rows of which this column alone comes later; none if there can be none.
fn after(
    column: &ColumnDefinition,
    descending: bool,
    value: &Value<'_>,
) -> Result<Option<String>, Error> {
    if let (ColumnKind::Enum, Value::Unsigned(index)) = (column.kind, value) {
        let members = u64::from(column.members);
        let later: Vec<String> = if descending {
            (0..*index).map(|n| n.to_string()).collect()
        } else {
            (index + 1..=members).map(|n| n.to_string()).collect()
        };
        if later.is_empty() {
            return Ok(None);
        }
        return Ok(Some(format!("{} IN ({})", name(column), later.join(", "))));
    }
    let sign = if descending { '<' } else { '>' };
    Ok(Some(format!(
        "{} {sign} {}",
        compared(column),
        literal(column, value)?
    )))
}

/// What is compared with the literal.
fn compared(column: &ColumnDefinition) -> String {
    match column.kind {
        ColumnKind::Set => format!("CAST({} AS UNSIGNED)", name(column)),
        _ => name(column),
    }
}

fn literal(column: &ColumnDefinition, value: &Value<'_>) -> Result<String, Error> {
    let unwritable = || {
        Error::fatal(
            "snapshot.key-unwritable",
            format!(
                "a value of the key's column `{}` cannot be written as SQL",
                column.name
            ),
        )
        .hint("report it, with SHOW CREATE TABLE")
    };
    Ok(match (value, column.kind) {
        (Value::Integer(_), _) if column.signedness == Signedness::Unsigned => {
            value.as_u64().unwrap_or_default().to_string()
        }
        (Value::Integer(_), _) => value.as_i64().unwrap_or_default().to_string(),
        (Value::Unsigned(number), _) => number.to_string(),
        (Value::Float(number), _) if number.is_finite() => format!("{:e}", f64::from(*number)),
        (Value::Double(number), _) if number.is_finite() => format!("{number:e}"),
        (Value::Text(text), kind) => {
            let text = plain(text).ok_or_else(unwritable)?;
            match kind {
                ColumnKind::Decimal => text.to_owned(),
                _ => format!("'{text}'"),
            }
        }
        (Value::Bytes(bytes), _) => {
            let mut out = String::with_capacity(2 * bytes.len() + 16);
            if let Some(charset) = &column.charset {
                out.push('_');
                out.push_str(charset);
                out.push(' ');
            }
            out.push_str("X'");
            for byte in *bytes {
                // Writing to a String never fails.
                let _ = write!(out, "{byte:02X}");
            }
            if column.kind == ColumnKind::Char && column.charset.is_none() {
                // A BINARY column's values stand in the block without their zeros.
                for _ in bytes.len()..column.length as usize {
                    out.push_str("00");
                }
            }
            out.push('\'');
            out
        }
        _ => return Err(unwritable()),
    })
}

/// Digits and what separates them in numbers, dates and times.
fn plain(text: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(text).ok()?;
    let is_plain = |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | ' ' | '.');
    text.chars().all(is_plain).then_some(text)
}

#[cfg(test)]
mod tests;
