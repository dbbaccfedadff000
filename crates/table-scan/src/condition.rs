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

impl Condition {
    /// For the chunk that begins behind `key`, or at the table's beginning.
    pub(crate) fn new(
        table: &TableDefinition,
        scan_key: &ScanKey,
        key: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let Some(key) = key else {
            return Ok(Self {
                after: None,
                order: order(table, &scan_key.parts),
            });
        };
        scan_key.split(table, key, |values| {
            let mut alternatives = Vec::new();
            // Leading parts that can only be equal: the server sorts if they are named, since it does not see that they are constant.
            let mut constant = None;
            let mut equal = String::new();
            for (at, (part, value)) in scan_key.parts.iter().zip(values).enumerate() {
                let column = &table.columns[part.column];
                if let Some(after) = after(column, part.descending, value)? {
                    constant.get_or_insert(at);
                    alternatives.push(format!("{equal}{after}"));
                }
                equal.push_str(&same(column, value)?);
                equal.push_str(" AND ");
            }
            let constant = constant.unwrap_or(0);
            let after = if alternatives.is_empty() {
                "FALSE".to_owned()
            } else {
                alternatives.join(" OR ")
            };
            Ok(Self {
                after: Some(after),
                order: order(table, &scan_key.parts[constant..]),
            })
        })
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

fn same(column: &ColumnDefinition, value: &Value<'_>) -> Result<String, Error> {
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
mod tests {
    use datain_row_block::ImageWriter;

    use super::*;
    use crate::definition::BINARY;

    fn column(name: &str, kind: ColumnKind) -> ColumnDefinition {
        ColumnDefinition {
            name: name.to_owned(),
            kind,
            signedness: Signedness::Unknown,
            collation: None,
            charset: None,
            length: 0,
            scale: 0,
            nullable: false,
            members: 0,
            is_text_of_bytes: false,
        }
    }

    /// A table whose columns are all in its key, those of `descending` downwards.
    fn table(columns: Vec<ColumnDefinition>, descending: &[usize]) -> TableDefinition {
        let parts = (0..columns.len()).map(|column| KeyPart {
            column,
            descending: descending.contains(&column),
        });
        TableDefinition {
            schema: "s".to_owned(),
            name: "t".to_owned(),
            scan_key: Some(ScanKey {
                index: "PRIMARY".to_owned(),
                parts: parts.collect(),
            }),
            primary_key: Vec::new(),
            columns,
        }
    }

    fn check(
        table: &TableDefinition,
        write: impl FnOnce(&mut ImageWriter<'_>),
        after: &str,
        order: &str,
    ) {
        let scan_key = table.scan_key.as_ref().unwrap();
        let mut key = vec![1, table.columns.len() as u8];
        key.extend(table.kinds().iter().map(|kind| kind.code()));
        let mut image = ImageWriter::begin(&mut key, table.columns.len());
        write(&mut image);
        image.finish();
        let condition = Condition::new(table, scan_key, Some(&key)).unwrap();
        assert_eq!(condition.after.as_deref(), Some(after));
        assert_eq!(condition.order, order);
    }

    #[test]
    fn a_key_of_several_columns_is_written_out() {
        let mut text = column("b`", ColumnKind::Varchar);
        text.charset = Some("utf8mb4".to_owned());
        let table = table(
            vec![
                column("a", ColumnKind::Int),
                text,
                column("c", ColumnKind::Datetime),
            ],
            &[1],
        );
        check(
            &table,
            |image| {
                image.push_int(-5_i64 as u64, 4);
                image.push_bytes(b"x'");
                image.push_bytes(b"2020-01-01 00:00:00");
            },
            "t.`a` > -5 OR t.`a` = -5 AND t.`b``` < _utf8mb4 X'7827' OR t.`a` = -5 AND t.`b``` = _utf8mb4 X'7827' AND t.`c` > '2020-01-01 00:00:00'",
            "t.`a`, t.`b``` DESC, t.`c`",
        );
        let beginning = Condition::new(&table, table.scan_key.as_ref().unwrap(), None).unwrap();
        assert_eq!(beginning.after, None);
    }

    #[test]
    fn what_follows_in_an_enum_is_listed() {
        let mut member = column("e", ColumnKind::Enum);
        member.members = 3;
        let mut table = table(vec![member, column("n", ColumnKind::Tinyint)], &[]);
        let check = |table: &TableDefinition, index, after: &str, order: &str| {
            check(
                table,
                |image| {
                    image.push_int(index, 2);
                    image.push_int(7, 1);
                },
                after,
                order,
            );
        };
        check(
            &table,
            0,
            "t.`e` IN (1, 2, 3) OR t.`e` = 0 AND t.`n` > 7",
            "t.`e`, t.`n`",
        );
        check(&table, 3, "t.`e` = 3 AND t.`n` > 7", "t.`n`");
        if let Some(key) = &mut table.scan_key {
            key.parts[0].descending = true;
        }
        check(
            &table,
            2,
            "t.`e` IN (0, 1) OR t.`e` = 2 AND t.`n` > 7",
            "t.`e` DESC, t.`n`",
        );
        check(&table, 0, "t.`e` = 0 AND t.`n` > 7", "t.`n`");
    }

    #[test]
    fn values_are_compared_exactly() {
        let check =
            |column: ColumnDefinition, write: &dyn Fn(&mut ImageWriter<'_>), after: &str| {
                check(&table(vec![column], &[]), write, after, "t.`k`");
            };
        let unsigned = ColumnDefinition {
            signedness: Signedness::Unsigned,
            ..column("k", ColumnKind::Bigint)
        };
        check(
            unsigned,
            &|i| i.push_int(u64::MAX, 8),
            "t.`k` > 18446744073709551615",
        );
        check(
            column("k", ColumnKind::Float),
            &|i| i.push_f32(0.3),
            "t.`k` > 3.0000001192092896e-1",
        );
        check(
            column("k", ColumnKind::Double),
            &|i| i.push_f64(-0.0),
            "t.`k` > -0e0",
        );
        check(
            column("k", ColumnKind::Set),
            &|i| i.push_int(u64::MAX, 8),
            "CAST(t.`k` AS UNSIGNED) > 18446744073709551615",
        );
        check(
            column("k", ColumnKind::Decimal),
            &|i| i.push_bytes(b"-1.50"),
            "t.`k` > -1.50",
        );
        let padded = ColumnDefinition {
            collation: Some(BINARY),
            length: 4,
            ..column("k", ColumnKind::Char)
        };
        check(padded, &|i| i.push_bytes(b"a"), "t.`k` > X'61000000'");
    }

    #[test]
    fn a_last_member_alone_has_nothing_behind_it() {
        let mut member = column("e", ColumnKind::Enum);
        member.members = 2;
        check(
            &table(vec![member], &[]),
            |i| i.push_int(2, 2),
            "FALSE",
            "t.`e`",
        );
    }

    #[test]
    fn no_key_brings_sql_of_its_own() {
        let table = table(vec![column("d", ColumnKind::Decimal)], &[]);
        let mut key = vec![1, 1, ColumnKind::Decimal.code(), 0, 2, 0, 0, 0];
        key.extend_from_slice(b"1;");
        let refused = Condition::new(&table, table.scan_key.as_ref().unwrap(), Some(&key));
        assert_eq!(refused.unwrap_err().code, "snapshot.key-unwritable");
    }
}
