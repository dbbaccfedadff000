//! Long runs of inserts through LOAD DATA LOCAL, whose "file" is sent from memory in the protocol itself.
//!
//! The server reads the file as bytes (`CHARACTER SET binary`), cuts it at tabs and newlines, takes the backslashes out and stores each piece as if it were a
//! binary string. So a column is loadable where a binary string that is stored into it gives exactly the value: numbers and dates as text, strings as their own
//! bytes, BIT as big-endian bytes, YEAR as four digits. Two go through variables: ENUM and SET, which would be looked up by name first, as numbers; and documents
//! whose types survive as text, since the server makes no document of a binary string. Not loadable are other documents, and strings in another character set than
//! the column's.
//!
//! LOCAL implies IGNORE: a duplicate key, a value that does not fit, a broken foreign key is a warning, and the row is bent or left out. So a load counts only
//! if [`is_whole`] says so, and must be rolled back otherwise: then the same rows by INSERT say what is wrong.
//!
//! Nothing may be sent behind a LOAD DATA before its result was read: the server would take it for the file.

use datain_binary_json::Document;
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op, RowSet};
use datain_mysql_client::OkResult;
use datain_row_block::{ColumnKind, Image, JsonChanges, Value};

use super::plan::{EMPTY_VECTOR, Fill, Plan};
use super::{Check, Statement};
use crate::literal::{self, Form, Unwritable};
use crate::mapping::Mapping;
use crate::row_set::Rows;

/// Larger values go by INSERT: the server's buffer for a field grows by 4 KiB at a time, and is moved each time.
const LARGEST: usize = 1 << 20;

/// How a column's values stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As the literal, which has no quotes.
    Plain,
    /// As the literal without its quotes.
    Temporal,
    /// The bytes, filled up with zero bytes to this length.
    Bytes { pad_to: usize },
    /// The bits as big-endian bytes.
    Bits,
    /// Four digits: the text `0` would be the year 2000.
    Year,
    /// The bytes. None are refused.
    Vector,
    /// Digits, for a variable. ENUM's index 0 is refused in strict mode, which is a warning here.
    Member { zero: bool },
    /// JSON as text, for a variable.
    Document,
}

impl Way {
    fn of(form: &Form, kind: ColumnKind) -> Option<Self> {
        Some(match (form, kind) {
            (Form::Integer { .. } | Form::Real | Form::Digits, _) => Self::Plain,
            (Form::Temporal, _) => Self::Temporal,
            (Form::Characters { same: true, .. }, _) => Self::Bytes { pad_to: 0 },
            (Form::Binary { .. }, ColumnKind::Vector) => Self::Vector,
            (Form::Binary { pad_to }, _) => Self::Bytes { pad_to: *pad_to },
            (Form::Number, ColumnKind::Bit) => Self::Bits,
            (Form::Number, ColumnKind::Year) => Self::Year,
            (Form::Number, ColumnKind::Enum) => Self::Member { zero: false },
            (Form::Number, ColumnKind::Set) => Self::Member { zero: true },
            (Form::Json, _) => Self::Document,
            (Form::Number | Form::Characters { .. } | Form::Bytewise(_), _) => return None,
        })
    }

    /// Whether this very value may be loaded.
    fn takes(self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Member { zero }, Value::Unsigned(0)) => zero,
            (Self::Vector, Value::Bytes(b"")) => false,
            (_, Value::Bytes(bytes)) if bytes.len() > LARGEST => false,
            (Self::Document, Value::Bytes(bytes)) => {
                JsonChanges::of(bytes).is_none()
                    && matches!(Document::new(bytes).text_keeps_types(), Ok(true))
            }
            _ => true,
        }
    }

    fn write(self, out: &mut Vec<u8>, form: &Form, value: &Value<'_>) -> Result<(), Unwritable> {
        match (self, value) {
            (_, Value::Null) => out.extend_from_slice(b"\\N"),
            (Self::Plain, value) => literal::write(out, form, value)?,
            (Self::Temporal, Value::Text(text)) if literal::is_temporal(text) => {
                out.extend_from_slice(text);
            }
            (Self::Bytes { pad_to }, Value::Bytes(bytes)) => {
                escape(out, bytes);
                out.resize(out.len() + pad_to.saturating_sub(bytes.len()), 0);
            }
            (Self::Vector, Value::Bytes(bytes)) => escape(out, bytes),
            (Self::Bits, Value::Unsigned(mask)) => {
                let bytes = mask.to_be_bytes();
                // One byte at least: an empty text is not what a 0 is.
                let zeros = (mask.leading_zeros() as usize / 8).min(bytes.len() - 1);
                escape(out, &bytes[zeros..]);
            }
            (Self::Year, Value::Unsigned(year)) => {
                out.extend_from_slice(format!("{year:04}").as_bytes());
            }
            (Self::Member { .. }, Value::Unsigned(number)) => literal::write_u64(out, *number),
            (Self::Document, Value::Bytes(bytes)) => {
                let mut text = String::with_capacity(bytes.len());
                Document::new(bytes)
                    .write_text(&mut text)
                    .map_err(|e| Unwritable(e.to_string()))?;
                escape(out, text.as_bytes());
            }
            _ => {
                return Err(Unwritable(
                    "the value is of another kind than the column".to_owned(),
                ));
            }
        }
        Ok(())
    }
}

/// Appends bytes so that the server reads them as one piece of a field.
fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut plain = 0;
    for at in memchr::memchr3_iter(b'\t', b'\n', b'\\', bytes) {
        let escaped = match bytes[at] {
            b'\t' => b't',
            b'\n' => b'n',
            other => other,
        };
        out.extend_from_slice(&bytes[plain..at]);
        out.extend_from_slice(&[b'\\', escaped]);
        plain = at + 1;
    }
    out.extend_from_slice(&bytes[plain..]);
}

/// The columns that stand in the file; none if some column cannot.
fn ways(mapping: &Mapping, plan: &Plan) -> Option<Vec<(usize, Way)>> {
    let mut ways = Vec::with_capacity(plan.written.len());
    for (column, fill) in &plan.written {
        match fill {
            Fill::Image => {
                let way = Way::of(&mapping.forms[*column], mapping.kinds[*column])?;
                ways.push((*column, way));
            }
            Fill::Literal(text) if *text != EMPTY_VECTOR => {}
            Fill::Literal(_) | Fill::Kept => return None,
        }
    }
    // An empty list of columns would stand for all of them.
    (!ways.is_empty()).then_some(ways)
}

/// Whether a load has stored all of its rows, each as it is: anything else must be rolled back.
#[must_use]
pub fn is_whole(ok: &OkResult, rows: u64) -> bool {
    ok.affected_rows == rows && ok.warnings == 0
}

/// Rows of one table on their way into a LOAD DATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    columns: Vec<(usize, Way)>,
    /// For each of them whether it may be NULL: a NULL for another one is a warning at best.
    nullable: Vec<bool>,
    sql: Vec<u8>,
    data: Vec<u8>,
    rows: u64,
}

impl Load {
    /// A load without rows; none where rows with such images cannot be loaded at all. Single rows may still have to go by INSERT: [`Load::takes`]. The same mapping and images of the same columns must be given to its other functions.
    #[must_use]
    pub fn new(mapping: &Mapping, plan: &Plan) -> Option<Self> {
        let columns = ways(mapping, plan)?;
        let sql = statement(mapping, plan, &columns);
        let nullable = |(column, _): &(usize, Way)| mapping.target.columns[*column].nullable;
        Some(Self {
            nullable: columns.iter().map(nullable).collect(),
            columns,
            sql,
            data: Vec::new(),
            rows: 0,
        })
    }

    /// Whether this row may go by a load: it has no value that strict mode refuses, no document with types that a text lacks, and nothing very large.
    #[must_use]
    pub fn takes(&self, after: &Image<'_, '_>) -> bool {
        let fits = |((column, way), nullable): (&(usize, Way), &bool)| {
            after
                .get(*column)
                .is_some_and(|value| way.takes(&value) && (*nullable || value != Value::Null))
        };
        self.columns.iter().zip(&self.nullable).all(fits)
    }

    /// Adds a row that [may go by a load](Load::takes).
    ///
    /// # Errors
    /// `row-block.malformed` for an image that lacks a value, `row.value` for one that cannot be written. The load is of no use afterwards.
    pub fn add(&mut self, mapping: &Mapping, after: &Image<'_, '_>) -> Result<(), Error> {
        for (n, (column, way)) in self.columns.iter().enumerate() {
            if n > 0 {
                self.data.push(b'\t');
            }
            let name = &mapping.target.columns[*column].name;
            let value = after.get(*column).ok_or_else(|| {
                Error::fatal(
                    "row-block.malformed",
                    format!("an image lacks a value of column `{name}`"),
                )
            })?;
            way.write(&mut self.data, &mapping.forms[*column], &value)
                .map_err(|Unwritable(why)| {
                    Error::fatal(
                        "row.value",
                        format!("a value of column `{name}` cannot be written: {why}"),
                    )
                })?;
        }
        self.data.push(b'\n');
        self.rows += 1;
        Ok(())
    }

    /// The statement, for [`load_local`](datain_mysql_client::Session::load_local). It is the same whatever the rows are.
    #[must_use]
    pub fn sql(&self) -> &[u8] {
        &self.sql
    }

    /// The file.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes the statement with its rows out; other rows may follow.
    #[must_use]
    pub fn take(&mut self) -> Statement {
        Statement {
            sql: self.sql.clone(),
            rows: std::mem::take(&mut self.rows),
            check: Check::Load(std::mem::take(&mut self.data)),
            ends_row: true,
        }
    }
}

/// All rows of a set in one load, or none if any of them must go by INSERT.
///
/// # Errors
/// As [`super::write`].
pub fn of_set(set: &RowSet, block: &[u8], mapping: &Mapping) -> Result<Option<Load>, Error> {
    let in_table = |e: Error| e.in_table(&mapping.target.schema, &mapping.target.name);
    if set.operation != Op::Insert {
        return Ok(None);
    }
    let mut rows = Rows::open(set, block, mapping)?;
    let plan = Plan::new(
        &mapping.target,
        set.operation,
        rows.before_present(),
        rows.after_present(),
    )
    .map_err(in_table)?;
    let Some(mut load) = Load::new(mapping, &plan) else {
        return Ok(None);
    };
    while let Some(row) = rows.next_row()? {
        match row.after {
            Some(after) if load.takes(&after) => load.add(mapping, &after).map_err(in_table)?,
            _ => return Ok(None),
        }
    }
    Ok(Some(load))
}

fn statement(mapping: &Mapping, plan: &Plan, columns: &[(usize, Way)]) -> Vec<u8> {
    let mut sql = String::from("LOAD DATA LOCAL INFILE 'datain' INTO TABLE ");
    sql.push_str(&mapping.table_sql);
    sql.push_str(
        r" CHARACTER SET binary FIELDS TERMINATED BY '\t' ENCLOSED BY '' ESCAPED BY '\\' LINES STARTING BY '' TERMINATED BY '\n' (",
    );
    let mut set: Vec<String> = Vec::new();
    for (n, (column, way)) in columns.iter().enumerate() {
        if n > 0 {
            sql.push(',');
        }
        let name = &mapping.column_sql[*column];
        let converted = match way {
            Way::Member { .. } => format!("CAST(@datain_{n} AS UNSIGNED)"),
            Way::Document => format!("CONVERT(@datain_{n} USING utf8mb4)"),
            _ => {
                sql.push_str(name);
                continue;
            }
        };
        sql.push_str(&format!("@datain_{n}"));
        set.push(format!("{name}={converted}"));
    }
    sql.push(')');
    for (column, fill) in &plan.written {
        if let Fill::Literal(text) = fill {
            set.push(format!("{}={text}", mapping.column_sql[*column]));
        }
    }
    if !set.is_empty() {
        sql.push_str(" SET ");
        sql.push_str(&set.join(","));
    }
    sql.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: &Form, kind: ColumnKind, value: Value<'_>, expected: &[u8]) {
        let way = Way::of(form, kind).unwrap();
        let mut out = Vec::new();
        way.write(&mut out, form, &value).unwrap();
        assert_eq!(
            out.escape_ascii().to_string(),
            expected.escape_ascii().to_string()
        );
    }

    #[test]
    fn values_stand_as_the_server_reads_them() {
        let text = Form::Characters {
            charset: "utf8mb4".to_owned(),
            same: true,
        };
        let varchar = |value: &[u8], expected: &[u8]| {
            check(&text, ColumnKind::Varchar, Value::Bytes(value), expected);
        };
        check(&text, ColumnKind::Varchar, Value::Null, b"\\N");
        varchar(b"", b"");
        varchar(b"N", b"N");
        varchar(b"\\N", b"\\\\N");
        varchar(b"NULL", b"NULL");
        varchar(b"a\tb\nc\\", b"a\\tb\\nc\\\\");
        varchar(b"\0\r\x1a'\"\xff", b"\0\r\x1a'\"\xff");
        check(
            &Form::Binary { pad_to: 4 },
            ColumnKind::Char,
            Value::Bytes(b"\n"),
            b"\\n\0\0\0",
        );
        let number = |kind, value, expected: &[u8]| {
            check(&Form::Number, kind, Value::Unsigned(value), expected);
        };
        number(ColumnKind::Bit, 0, b"\0");
        number(ColumnKind::Bit, 0x0100, b"\x01\0");
        number(ColumnKind::Bit, 0x0a, b"\\n");
        number(ColumnKind::Bit, u64::MAX, &[0xff; 8]);
        number(ColumnKind::Year, 0, b"0000");
        number(ColumnKind::Year, 2155, b"2155");
        number(ColumnKind::Set, u64::MAX, b"18446744073709551615");
        check(
            &Form::Temporal,
            ColumnKind::Time,
            Value::Text(b"-838:59:59.000001"),
            b"-838:59:59.000001",
        );
        check(
            &Form::Real,
            ColumnKind::Double,
            Value::Double(-0.0),
            b"-0.0e0",
        );
    }

    #[test]
    fn what_is_not_exact_has_no_way() {
        let converted = Form::Characters {
            charset: "latin1".to_owned(),
            same: false,
        };
        assert_eq!(Way::of(&converted, ColumnKind::Varchar), None);
        // A partial document, and what is none.
        let way = Way::of(&Form::Json, ColumnKind::Json).unwrap();
        assert!(way.takes(&Value::Null) && way.takes(&Value::Bytes(b"\x04\x01")));
        let broken = Value::Bytes(b"\x00\xff\xff\xff\xff");
        assert!(!way.takes(&broken));
        assert!(way.write(&mut Vec::new(), &Form::Json, &broken).is_err());
        let way = Way::of(&Form::Number, ColumnKind::Enum).unwrap();
        assert!(way.takes(&Value::Unsigned(1)) && !way.takes(&Value::Unsigned(0)));
        let way = Way::of(&Form::Number, ColumnKind::Set).unwrap();
        assert!(way.takes(&Value::Unsigned(0)));
        let temporal = Way::of(&Form::Temporal, ColumnKind::Date).unwrap();
        let smuggled = Value::Text(b"2020-01-01\n2");
        assert!(
            temporal
                .write(&mut Vec::new(), &Form::Temporal, &smuggled)
                .is_err()
        );
    }
}
