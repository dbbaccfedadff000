//! The target's columns beside the source's.
//!
//! Columns are paired by their names. The source digests what it has as it stands, without knowing of the target; the target brings its values into the source's form, so that equal rows
//! are equal byte for byte, in digests and in row images alike. A value that the source's type cannot hold makes a *mark*: SQL that is true of it. A marked value differs from every
//! value of the source, whatever stands in its place.
//!
//! | source | target | how |
//! |---|---|---|
//! | integer | integer of another size or sign | by number; marked where it does not fit |
//! | CHAR, VARCHAR, TEXT | one of these, same character set | bytes |
//! | the same | another character set | converted to the source's; marked where converting it back gives another text |
//! | VARBINARY, BLOB | one of these | bytes |
//! | BIT | BIT of any length | by number |
//! | ENUM, SET | of the same members | by number |
//! | VARBINARY, as which a VECTOR of MariaDB is read | VECTOR | as it is |
//! | DECIMAL of the same scale, dates and times of the same precision, BINARY of the same length, FLOAT, DOUBLE, YEAR, JSON, GEOMETRY, VECTOR | the same | as it is |
//!
//! Anything else is a mismatch. Two exceptions hold for conversions: utf8mb3 is written as utf8mb4 is, and so is ascii; nothing is converted between them in this direction.

use datain_contract::types::Signedness;
use datain_mysql_client::{ServerVersion, quote_identifier};
use datain_row_block::ColumnKind;
use datain_table_scan::{BINARY, ColumnDefinition};

/// How the target's column is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The definition by which its values are read: the source's, under the target's own name.
    pub(crate) read_as: ColumnDefinition,
    /// What stands in the select list in place of the column, where that is not the column as it is.
    pub(crate) item: Option<String>,
    /// True of a value that is none of the source's type; never NULL.
    pub(crate) mark: Option<String>,
    /// Whether the target orders its values as the source does.
    pub(crate) same_order: bool,
    /// The column is ZEROFILL here, so that its text has zeros in front.
    pub(crate) zerofill: bool,
}

/// Holds a column of the target, or of the source itself, against the source's.
pub(crate) fn pair(
    source: &ColumnDefinition,
    own: &ColumnDefinition,
    version: &ServerVersion,
) -> Result<Pair, String> {
    use ColumnKind as K;
    let differ = || {
        let (source, own) = (&source.column_type, &own.column_type);
        format!("it is {source} on the source and {own} here, which hold different values")
    };
    let name = format!("t.{}", quote_identifier(&own.name));
    let mut pair = Pair {
        read_as: ColumnDefinition {
            name: own.name.clone(),
            ..source.clone()
        },
        item: None,
        mark: None,
        same_order: true,
        zerofill: own.column_type.contains("zerofill"),
    };
    match (source.kind, own.kind) {
        (a, b) if a.is_integer() && b.is_integer() => {
            let (least, most) = bounds(source);
            let (own_least, own_most) = bounds(own);
            if own_least < least || own_most > most {
                let within = format!("{name} BETWEEN {least} AND {most}");
                // NULL is not within, nor is it not within. Added to, a number loses the zeros that ZEROFILL puts before it.
                pair.item = Some(format!("IF(NOT ({within}), 0, {name} + 0)"));
                pair.mark = Some(format!("IFNULL(NOT ({within}), FALSE)"));
            }
        }
        (K::Decimal, K::Decimal) if source.scale == own.scale => {}
        (K::Float, K::Float) | (K::Double, K::Double)
            if fixed_decimals(source) == fixed_decimals(own) => {}
        (K::Bit, K::Bit) | (K::Year, K::Year) | (K::Date, K::Date) => {}
        (K::Time, K::Time) | (K::Datetime, K::Datetime) | (K::Timestamp, K::Timestamp)
            if source.length == own.length => {}
        (K::Char | K::Varchar | K::Text, K::Char | K::Varchar | K::Text) => {
            let is_binary = |c: &ColumnDefinition| c.collation == Some(BINARY);
            if is_binary(source) != is_binary(own) {
                return Err(differ());
            }
            if is_binary(source) {
                // BINARY alone is padded, to its own length.
                let is_padded = source.kind == K::Char || own.kind == K::Char;
                if is_padded && (source.kind != own.kind || source.length != own.length) {
                    return Err(differ());
                }
            } else {
                pair.same_order = source.collation == own.collation;
                convert(source, own, &name, &mut pair);
            }
        }
        (K::Enum, K::Enum) | (K::Set, K::Set) if source.column_type == own.column_type => {}
        (K::Geometry, K::Geometry) | (K::Vector, K::Vector) => {}
        // A VECTOR of MariaDB's.
        (K::Varchar, K::Vector) if source.collation == Some(BINARY) => {}
        (K::Json, K::Json) => {
            if !version.is_mysql_since(8, 0, 4) {
                return Err(
                    "this server is too old to tell the types of a JSON document's values"
                        .to_owned(),
                );
            }
        }
        _ => return Err(differ()),
    }
    Ok(pair)
}

fn bounds(column: &ColumnDefinition) -> (i128, i128) {
    let bits = match column.kind {
        ColumnKind::Tinyint => 8,
        ColumnKind::Smallint => 16,
        ColumnKind::Mediumint => 24,
        ColumnKind::Int => 32,
        _ => 64,
    };
    if column.signedness == Signedness::Unsigned {
        (0, (1 << bits) - 1)
    } else {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    }
}

/// `(20,5)` of `double(20,5)`; none of a real without such.
pub(crate) fn fixed_decimals(column: &ColumnDefinition) -> Option<&str> {
    let (_, behind) = column.column_type.split_once('(')?;
    behind.split_once(')').map(|(decimals, _)| decimals)
}

/// Characters in another character set.
fn convert(source: &ColumnDefinition, own: &ColumnDefinition, name: &str, pair: &mut Pair) {
    let (Some(from), Some(to)) = (&own.charset, &source.charset) else {
        return;
    };
    let is_utf8 = |charset: &str| matches!(charset, "utf8mb4" | "utf8mb3" | "utf8");
    let is_same = from == to
        || is_utf8(from) && is_utf8(to)
        // What is not ASCII there cannot be told from the same bytes here by converting it, and differs as bytes.
        || is_utf8(from) && to == "ascii"
        || from == "ascii" && is_utf8(to);
    if is_same {
        return;
    }
    let converted = format!("CONVERT({name} USING {to})");
    pair.mark = Some(format!(
        "NOT (CAST(CONVERT({converted} USING {from}) AS BINARY) <=> CAST({name} AS BINARY))"
    ));
    pair.item = Some(converted);
}
