//! A table as information_schema defines it, described as the log would describe it.
//!
//! The log's row images hold every column that information_schema lists, in the same order: computed ones, stored or not, invisible ones, and the key that a
//! table got from the server. (What is not listed, the hidden columns of indexes over expressions, is not in the log either.)

use datain_contract::ErrorExt as _;
use datain_contract::types::{Column, Error, Signedness, Table};
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_row_block::ColumnKind;

use crate::answer::{Answer, ask, place};
use crate::key::{KeyPart, ScanKey};

/// Collation id of binary strings.
pub const BINARY: u16 = 63;

/// A column. `kind` to `nullable` are those of `types.column`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// Of numbers; a YEAR counts as unsigned, as in the log.
    pub signedness: Signedness,
    /// Collation id of character columns, ENUM and SET; 63 for binary strings.
    pub collation: Option<u16>,
    /// The character set of that collation; none for binary strings and where there is no collation.
    pub charset: Option<String>,
    /// See ROWS.md.
    pub length: u32,
    /// Digits of a DECIMAL after the point.
    pub scale: u8,
    /// It may be NULL.
    pub nullable: bool,
    /// How many members an ENUM has; 0 for other kinds.
    pub members: u32,
    /// The type as information_schema writes it, with the members of an ENUM or SET, and ZEROFILL.
    pub column_type: String,
}

impl ColumnDefinition {
    /// One of MariaDB's UUID, INET4 and INET6: SELECT shows a text, the log has its bytes.
    #[must_use]
    pub fn is_text_of_bytes(&self) -> bool {
        matches!(self.column_type.as_str(), "uuid" | "inet4" | "inet6")
    }
}

/// A column of the primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrimaryKeyPart {
    /// Index of the column.
    pub column: u32,
    /// Only so many characters (bytes, of a binary string) of it count; none where all of it does.
    pub prefix: Option<u32>,
    /// Its values descend in the index.
    pub descending: bool,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// All columns, in order.
    pub columns: Vec<ColumnDefinition>,
    /// The primary key, in key order. Where there is none, the server takes the first unique key of whole columns that are NOT NULL for it, and the log says so; empty if
    /// there is no such key either.
    pub primary_key: Vec<PrimaryKeyPart>,
    /// The key by which it can be read in chunks: the first unique key of whole columns that are NOT NULL, of which the primary key comes first if it is one.
    /// None where there is no such key: such a table is read in one go.
    pub scan_key: Option<ScanKey>,
    /// Other keys that would do as well, in the table's own order.
    pub other_keys: Vec<ScanKey>,
}

impl TableDefinition {
    /// Asks a server. None if there is no such table, or the account may not see it.
    ///
    /// # Errors
    /// Errors of the server; `snapshot.column-type` for a column of a type that this version does not know, `snapshot.definition-unreadable`.
    pub async fn ask<S: Stream>(
        session: &mut Session<S>,
        schema: &str,
        name: &str,
    ) -> Result<Option<Self>, Error> {
        // MariaDB has collations that go with several character sets; the list of collations has neither the full name nor the number of these.
        let version = session.server_version();
        let collations = if version.is_mariadb() && version.numbers() >= (10, 10, 1) {
            "COLLATION_CHARACTER_SET_APPLICABILITY c ON c.FULL_COLLATION_NAME"
        } else {
            "COLLATIONS c ON c.COLLATION_NAME"
        };
        // MariaDB keeps a VECTOR as VARBINARY, and logs it so.
        let data_type = if version.is_mariadb() {
            "IF(k.DATA_TYPE = 'vector', 'varbinary', k.DATA_TYPE)"
        } else {
            "k.DATA_TYPE"
        };
        let mut sql = format!(
            "SELECT k.COLUMN_NAME, {data_type}, k.COLUMN_TYPE, k.CHARACTER_OCTET_LENGTH, k.DATETIME_PRECISION, k.NUMERIC_PRECISION, k.NUMERIC_SCALE, \
            k.IS_NULLABLE, c.ID, k.CHARACTER_SET_NAME \
            FROM information_schema.COLUMNS k LEFT JOIN information_schema.{collations} = k.COLLATION_NAME WHERE "
        )
        .into_bytes();
        place(&mut sql, "k.", schema, name);
        sql.extend_from_slice(b" ORDER BY k.ORDINAL_POSITION");
        let columns: Result<Vec<ColumnDefinition>, Error> =
            ask(session, &sql).await?.iter().map(column).collect();
        let columns = columns.map_err(|e| e.in_table(schema, name))?;
        if columns.is_empty() {
            return Ok(None);
        }

        // Unlike information_schema it has them in the table's own order, which decides which of several stands in for a primary key.
        let sql = format!(
            "SHOW INDEX FROM {}.{} WHERE Non_unique = 0",
            quote_identifier(schema),
            quote_identifier(name)
        );
        let keys = ask(session, sql.as_bytes()).await?;
        let keys = Keys::read(&keys, &columns).map_err(|e| e.in_table(schema, name))?;
        Ok(Some(Self {
            schema: schema.to_owned(),
            name: name.to_owned(),
            columns,
            primary_key: keys.primary,
            scan_key: keys.scan,
            other_keys: keys.others,
        }))
    }

    /// The kinds of the columns, as a row block's reader needs them.
    #[must_use]
    pub fn kinds(&self) -> Vec<ColumnKind> {
        self.columns.iter().map(|column| column.kind).collect()
    }

    /// The contract's record of this table, equal to the one of a table map with `binlog_row_metadata = FULL`.
    #[must_use]
    pub fn record(&self, id: u32) -> Table {
        let column = |column: &ColumnDefinition| Column {
            name: Some(column.name.clone()),
            kind: column.kind.code(),
            signedness: column.signedness,
            collation: column.collation,
            length: column.length,
            scale: column.scale,
            nullable: column.nullable,
        };
        Table {
            id,
            schema: self.schema.clone(),
            name: self.name.clone(),
            columns: self.columns.iter().map(column).collect(),
            primary_key: self.primary_key.iter().map(|part| part.column).collect(),
        }
    }
}

/// A column of the first query.
fn column(row: &Answer) -> Result<ColumnDefinition, Error> {
    let (data_type, column_type) = (row.some_text(1)?, row.some_text(2)?);
    let Some(kind) = kind(data_type) else {
        return Err(Error::fatal(
            "snapshot.column-type",
            format!(
                "column `{}` has the type {data_type}, which this version cannot read",
                row.some_text(0)?
            ),
        )
        .hint("leave the table out of the replication"));
    };
    let octets = || row.number::<u64>(3).map(Option::unwrap_or_default);
    let length: u64 = match kind {
        _ if data_type == "inet4" => 4,
        _ if matches!(data_type, "uuid" | "inet6") => 16,
        ColumnKind::Char | ColumnKind::Varchar => octets()?,
        ColumnKind::Text => match data_type {
            "tinytext" | "tinyblob" => 1,
            "text" | "blob" => 2,
            "mediumtext" | "mediumblob" => 3,
            _ => 4,
        },
        ColumnKind::Time | ColumnKind::Datetime | ColumnKind::Timestamp => {
            row.number(4)?.unwrap_or(0)
        }
        ColumnKind::Decimal | ColumnKind::Bit => row.some_number(5)?,
        _ => 0,
    };
    let unsigned = || column_type.contains("unsigned");
    let is_binary = matches!(
        data_type,
        "binary"
            | "varbinary"
            | "inet4"
            | "inet6"
            | "tinyblob"
            | "blob"
            | "mediumblob"
            | "longblob"
    );
    let has_collation = matches!(
        kind,
        ColumnKind::Char
            | ColumnKind::Varchar
            | ColumnKind::Text
            | ColumnKind::Enum
            | ColumnKind::Set
    );
    Ok(ColumnDefinition {
        name: row.some_text(0)?.to_owned(),
        kind,
        signedness: match kind {
            ColumnKind::Year => Signedness::Unsigned,
            ColumnKind::Decimal | ColumnKind::Float | ColumnKind::Double => sign(unsigned()),
            _ if kind.is_integer() => sign(unsigned()),
            _ => Signedness::Unknown,
        },
        collation: match (has_collation, is_binary) {
            (false, _) => None,
            // Only the server knows the order of UUIDs: some have the parts of their time turned round for it.
            _ if data_type == "uuid" => None,
            (true, true) => Some(BINARY),
            // A column of characters may have the character set `binary` too.
            (true, false) => Some(row.number(8)?.unwrap_or(BINARY)),
        },
        charset: match row.text(9)? {
            Some(charset) if has_collation && charset != "binary" => Some(charset.to_owned()),
            _ => None,
        },
        length: u32::try_from(length).unwrap_or(u32::MAX),
        scale: match kind {
            ColumnKind::Decimal => row.some_number(6)?,
            _ => 0,
        },
        nullable: row.some_text(7)?.eq_ignore_ascii_case("YES"),
        members: match kind {
            ColumnKind::Enum => members(column_type),
            _ => 0,
        },
        column_type: column_type.to_owned(),
    })
}

fn sign(unsigned: bool) -> Signedness {
    if unsigned {
        Signedness::Unsigned
    } else {
        Signedness::Signed
    }
}

/// The kind of a DATA_TYPE.
fn kind(data_type: &str) -> Option<ColumnKind> {
    Some(match data_type {
        "tinyint" => ColumnKind::Tinyint,
        "smallint" => ColumnKind::Smallint,
        "mediumint" => ColumnKind::Mediumint,
        "int" => ColumnKind::Int,
        "bigint" => ColumnKind::Bigint,
        "decimal" => ColumnKind::Decimal,
        "float" => ColumnKind::Float,
        "double" => ColumnKind::Double,
        "bit" => ColumnKind::Bit,
        "year" => ColumnKind::Year,
        "date" => ColumnKind::Date,
        "time" => ColumnKind::Time,
        "datetime" => ColumnKind::Datetime,
        "timestamp" => ColumnKind::Timestamp,
        "char" | "binary" | "uuid" | "inet4" | "inet6" => ColumnKind::Char,
        "varchar" | "varbinary" => ColumnKind::Varchar,
        "tinytext" | "text" | "mediumtext" | "longtext" | "tinyblob" | "blob" | "mediumblob"
        | "longblob" => ColumnKind::Text,
        "enum" => ColumnKind::Enum,
        "set" => ColumnKind::Set,
        "json" => ColumnKind::Json,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring"
        | "multipolygon" | "geomcollection" | "geometrycollection" => ColumnKind::Geometry,
        "vector" => ColumnKind::Vector,
        _ => return None,
    })
}

/// How many members `enum('a','b')` has: quotes within are doubled, so that each one ends or begins a text.
fn members(column_type: &str) -> u32 {
    let mut inside = false;
    let mut members = 1;
    for byte in column_type.bytes() {
        match byte {
            b'\'' => inside = !inside,
            b',' if !inside => members += 1,
            _ => {}
        }
    }
    members
}

/// What the second query says.
#[derive(Debug, Default)]
struct Keys {
    primary: Vec<PrimaryKeyPart>,
    scan: Option<ScanKey>,
    others: Vec<ScanKey>,
}

/// A part of a unique key.
struct Part<'a> {
    index: &'a str,
    part: Option<PrimaryKeyPart>,
    usable: bool,
}

impl Keys {
    fn read(rows: &[Answer], columns: &[ColumnDefinition]) -> Result<Self, Error> {
        let parts: Result<Vec<Part<'_>>, Error> =
            rows.iter().map(|row| part(row, columns)).collect();
        let mut keys = Self::default();
        for key in parts?.chunk_by(|a, b| a.index == b.index) {
            let whole: Option<Vec<PrimaryKeyPart>> = key.iter().map(|part| part.part).collect();
            let Some(whole) = whole else {
                continue;
            };
            let is_usable = key.iter().all(|part| part.usable);
            if is_usable {
                let parts = whole.iter().map(|part| KeyPart {
                    column: part.column as usize,
                    descending: part.descending,
                });
                let usable = ScanKey {
                    index: key[0].index.to_owned(),
                    parts: parts.collect(),
                };
                if keys.scan.is_none() {
                    keys.scan = Some(usable);
                } else {
                    keys.others.push(usable);
                }
            }
            if key[0].index == "PRIMARY" || is_usable && keys.primary.is_empty() {
                keys.primary = whole;
            }
        }
        Ok(keys)
    }
}

/// Columns of SHOW INDEX.
mod shown {
    pub(super) const KEY_NAME: usize = 2;
    pub(super) const COLUMN_NAME: usize = 4;
    pub(super) const COLLATION: usize = 5;
    pub(super) const SUB_PART: usize = 7;
    pub(super) const NULL: usize = 9;
    pub(super) const INDEX_TYPE: usize = 10;
    /// Since MySQL 8.0: whether the index is visible. Since MariaDB 10.6: whether it is ignored. One that is not to be used may not be named by a statement.
    pub(super) const USED: usize = 13;
    /// How many columns there are where that one says that it is ignored; MySQL has one more.
    pub(super) const OF_MARIADB: usize = 14;
}

fn part<'a>(row: &'a Answer, columns: &[ColumnDefinition]) -> Result<Part<'a>, Error> {
    // The name of an expression is NULL.
    let column = match row.text(shown::COLUMN_NAME)? {
        Some(name) => columns.iter().position(|column| column.name == name),
        None => None,
    };
    let prefix = row.number(shown::SUB_PART)?;
    let is_orderly = column.is_some_and(|at| {
        !matches!(
            columns[at].kind,
            ColumnKind::Json | ColumnKind::Geometry | ColumnKind::Vector
        )
    });
    let is_null = row.text(shown::NULL)?;
    let is_visible = match row.len() {
        0..=shown::USED => true,
        shown::OF_MARIADB => row.text(shown::USED)? == Some("NO"),
        _ => row.text(shown::USED)? == Some("YES"),
    };
    Ok(Part {
        index: row.some_text(shown::KEY_NAME)?,
        usable: prefix.is_none()
            && is_orderly
            && is_visible
            && is_null != Some("YES")
            && row.some_text(shown::INDEX_TYPE)? == "BTREE",
        part: column.map(|column| PrimaryKeyPart {
            column: column as u32,
            prefix,
            descending: row
                .text(shown::COLLATION)
                .is_ok_and(|order| order == Some("D")),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_counted() {
        assert_eq!(members("enum('a')"), 1);
        assert_eq!(members("enum('a,b','''','','c'',')"), 4);
    }
}
