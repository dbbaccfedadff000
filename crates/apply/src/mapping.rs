//! Holds a source's table record against the target's definition of the same table, column by column, in order.
//!
//! The log describes columns by position, and by name only with binlog_row_metadata=FULL. A difference that could put a value into the wrong
//! column, or a value of another type, is an error that names table and column; nothing is guessed.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Column, Error, Signedness, Table};
use datain_mysql_client::{ServerVersion, quote_identifier};
use datain_row_block::ColumnKind;

use crate::from_mariadb;
use crate::literal::{Bytewise, Form};
use crate::statements;
use crate::target_table::{TargetColumn, TargetTable};

/// How the rows of one source table are written to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The target's table.
    pub target: TargetTable,
    /// Kinds of the source's columns, for reading rows.
    pub kinds: Vec<ColumnKind>,
    /// How each column's values are written.
    pub forms: Vec<Form>,
    /// The table's qualified name as SQL.
    pub table_sql: String,
    /// The columns' names as SQL.
    pub column_sql: Vec<String>,
}

/// Names of character sets and collations by id, as the target knows them.
#[derive(Debug, Clone, Default)]
pub struct Collations(Vec<(u16, (String, String))>);

impl Collations {
    /// The query that [`Collations::from_answer`] reads.
    #[must_use]
    pub fn query(version: &ServerVersion) -> &'static [u8] {
        if version.is_mariadb_since(10, 10, 1) {
            // COLLATIONS names those that are for several character sets without their numbers there.
            b"SELECT ID, CHARACTER_SET_NAME, FULL_COLLATION_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY \
                WHERE ID IS NOT NULL"
        } else {
            b"SELECT ID, CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL"
        }
    }

    /// Reads the answer of [`Collations::query`].
    #[must_use]
    pub fn from_answer(rows: &[Vec<Option<String>>]) -> Self {
        let mut known: Vec<(u16, (String, String))> = rows
            .iter()
            .filter_map(|row| match row.as_slice() {
                [Some(id), Some(charset), Some(collation)] => {
                    Some((id.parse().ok()?, (charset.clone(), collation.clone())))
                }
                _ => None,
            })
            .collect();
        known.sort_unstable();
        Collations(known)
    }

    /// Names of the character set and of the collation.
    pub(crate) fn named(&self, collation: u16) -> Option<&(String, String)> {
        let at = self
            .0
            .binary_search_by_key(&collation, |(id, _)| *id)
            .ok()?;
        Some(&self.0[at].1)
    }

    pub(crate) fn charset(&self, collation: u16) -> Option<&str> {
        self.named(collation).map(|(charset, _)| charset.as_str())
    }

    /// The number of any collation of this character set.
    pub(crate) fn any_of(&self, charset: &str) -> Option<u16> {
        let is_of = |known: &str| {
            known.eq_ignore_ascii_case(charset) || known == "utf8mb3" && charset == "utf8"
        };
        let mut all = self.0.iter();
        let found = all.find(|(_, (known, _))| is_of(known));
        found.map(|(id, _)| *id)
    }

    /// The collation's number, by its name.
    pub(crate) fn number(&self, collation: &str) -> Option<u16> {
        let mut all = self.0.iter();
        let found = all.find(|(_, (_, name))| name.eq_ignore_ascii_case(collation));
        found.map(|(id, _)| *id)
    }
}

/// Collation id of binary strings.
const BINARY: u16 = 63;

/// Says what makes it impossible to write to a table: one that cannot roll back, or changes more than it is told.
///
/// # Errors
/// `table.system-versioned`, `table.engine`, `table.triggers`, `table.triggers-unseen`.
pub(crate) fn require_writable(target: &TargetTable) -> Result<(), Error> {
    if target.is_versioned {
        return Err(Error::reconfigure(
            "table.system-versioned",
            "the target's table is system-versioned: it would keep a history of its own beside the one that the source logs",
        )
        .hint("exclude the table; or ALTER TABLE … DROP SYSTEM VERSIONING on both servers, which deletes its history"));
    }
    if !target.engine.eq_ignore_ascii_case("InnoDB") {
        return Err(Error::reconfigure(
            "table.engine",
            format!(
                "the target's table uses the engine {}, which cannot roll back",
                target.engine
            ),
        )
        .hint("ALTER TABLE … ENGINE=InnoDB on the target, then start again"));
    }
    match target.triggers {
        Some(0) => {}
        Some(triggers) => {
            return Err(Error::reconfigure(
                "table.triggers",
                format!("the target's table has {triggers} trigger(s), which would change rows a second time"),
            )
            .hint("drop the triggers on the target; the source's triggers have done their work already"));
        }
        None => {
            return Err(Error::reconfigure(
                "table.triggers-unseen",
                "the account may not see whether the target's table has triggers, which would change rows a second time",
            )
            .hint("GRANT TRIGGER ON the replicated schemas TO the target's account itself, not to a role"));
        }
    }
    Ok(())
}

impl Mapping {
    /// Compares and pairs the columns.
    ///
    /// # Errors
    /// `table.column-count`, `table.column-name`, `table.column-type`, `table.charset-unknown`, `table.no-key`, `table.engine`, `table.triggers`, `table.triggers-unseen`; each names
    /// the table.
    pub fn new(
        source: &Table,
        target: TargetTable,
        collations: &Collations,
    ) -> Result<Mapping, Error> {
        let result = Self::pair(source, target, collations, false);
        result.map_err(|e| e.in_table(&source.schema, &source.name))
    }

    /// The same for a table that need not have a key: its rows are found by all that they hold then.
    ///
    /// # Errors
    /// As [`Mapping::new`]; `table.no-key` only where some column's values cannot be compared.
    pub fn with_or_without_key(
        source: &Table,
        target: TargetTable,
        collations: &Collations,
    ) -> Result<Mapping, Error> {
        let result = Self::pair(source, target, collations, true);
        result.map_err(|e| e.in_table(&source.schema, &source.name))
    }

    fn pair(
        source: &Table,
        target: TargetTable,
        collations: &Collations,
        may_lack_key: bool,
    ) -> Result<Mapping, Error> {
        require_writable(&target)?;
        let comparable = |column: &Column| {
            ColumnKind::try_from(column.kind).is_ok_and(statements::is_comparable)
        };
        if may_lack_key && !target.has_key() && !source.columns.iter().all(comparable) {
            return Err(Error::reconfigure(
                "table.no-key",
                "the table has no key, and a column of a type (JSON, a geometry or a vector) by whose values no row can be found exactly",
            )
            .hint("add a primary key on the source and on the target"));
        }
        if !may_lack_key && !target.has_key() && !target.is_sequence {
            return Err(Error::reconfigure(
                "table.no-key",
                "the table has neither a primary key nor a unique key over NOT NULL columns, so its rows cannot be told apart",
            )
            .hint("add a primary key on the source and on the target, or accept that rows are found by all that they hold: [check] allow = [\"no-primary-key\"]"));
        }
        if source.columns.len() != target.columns.len() {
            return Err(Error::reconfigure(
                "table.column-count",
                format!(
                    "the source's table has {} columns, the target's has {}",
                    source.columns.len(),
                    target.columns.len()
                ),
            )
            .hint("compare SHOW CREATE TABLE on both servers and make them equal"));
        }
        let mut kinds = Vec::with_capacity(source.columns.len());
        let mut forms = Vec::with_capacity(source.columns.len());
        for (place, (from, to)) in source.columns.iter().zip(&target.columns).enumerate() {
            let column = |code: &str, what: String| {
                Error::reconfigure(
                    code,
                    format!("column {} (`{}`): {what}", place + 1, to.name),
                )
                .hint("compare SHOW CREATE TABLE on both servers and make them equal")
            };
            if let Some(name) = &from.name
                && !name.eq_ignore_ascii_case(&to.name)
            {
                return Err(column(
                    "table.column-name",
                    format!("the source calls it `{name}`"),
                ));
            }
            let kind = ColumnKind::try_from(from.kind)
                .map_err(|e| column("row-block.kind", e.to_string()))?;
            if !fits(kind, &to.data_type) {
                return Err(column(
                    "table.column-type",
                    format!(
                        "the source logs {kind:?} values, the target's type is {}",
                        to.data_type
                    ),
                ));
            }
            if let Some(difference) = bends(kind, from, to) {
                return Err(column("table.column-type", difference));
            }
            let form = form(kind, from.signedness, from.collation, to, collations)
                .map_err(|(code, what)| column(code, what))?;
            kinds.push(kind);
            forms.push(form);
        }
        Ok(Mapping {
            table_sql: format!(
                "{}.{}",
                quote_identifier(&target.schema),
                quote_identifier(&target.name)
            ),
            column_sql: target
                .columns
                .iter()
                .map(|c| quote_identifier(&c.name))
                .collect(),
            target,
            kinds,
            forms,
        })
    }
}

/// How a column of the same type would change values without a word: the server rounds fractions of a second and pads binary strings silently.
fn bends(kind: ColumnKind, from: &Column, to: &TargetColumn) -> Option<String> {
    let differs = match kind {
        ColumnKind::Time | ColumnKind::Datetime | ColumnKind::Timestamp => {
            from.length != to.precision
        }
        ColumnKind::Decimal => from.length != to.precision || from.scale != to.scale,
        ColumnKind::Char if to.data_type == "inet4" => from.length != 4,
        ColumnKind::Char if matches!(to.data_type.as_str(), "uuid" | "inet6") => from.length != 16,
        ColumnKind::Char if to.data_type == "binary" => u64::from(from.length) != to.octet_length,
        _ => false,
    };
    differs.then(|| {
        format!(
            "the source's {kind:?} has length {} and scale {}, the target's {} and {}",
            from.length,
            from.scale,
            if kind == ColumnKind::Char {
                to.octet_length
            } else {
                u64::from(to.precision)
            },
            to.scale
        )
    })
}

/// Whether values of `kind` belong into a column of this DATA_TYPE without a conversion.
fn fits(kind: ColumnKind, data_type: &str) -> bool {
    let types: &[&str] = match kind {
        ColumnKind::Tinyint => &["tinyint"],
        ColumnKind::Smallint => &["smallint"],
        ColumnKind::Mediumint => &["mediumint"],
        ColumnKind::Int => &["int"],
        ColumnKind::Bigint => &["bigint"],
        ColumnKind::Decimal => &["decimal"],
        ColumnKind::Float => &["float"],
        ColumnKind::Double => &["double"],
        ColumnKind::Bit => &["bit"],
        ColumnKind::Year => &["year"],
        ColumnKind::Date => &["date"],
        ColumnKind::Time => &["time"],
        ColumnKind::Datetime => &["datetime"],
        ColumnKind::Timestamp => &["timestamp"],
        ColumnKind::Char => &["char", "binary", "uuid", "inet4", "inet6"],
        // MariaDB logs a VECTOR as VARBINARY.
        ColumnKind::Varchar => &["varchar", "varbinary", "vector"],
        ColumnKind::Text => &[
            "tinytext",
            "text",
            "mediumtext",
            "longtext",
            "tinyblob",
            "blob",
            "mediumblob",
            "longblob",
        ],
        ColumnKind::Enum => &["enum"],
        ColumnKind::Set => &["set"],
        ColumnKind::Json => &["json"],
        ColumnKind::Geometry => &[
            "geometry",
            "point",
            "linestring",
            "polygon",
            "multipoint",
            "multilinestring",
            "multipolygon",
            "geomcollection",
            "geometrycollection",
        ],
        ColumnKind::Vector => &["vector"],
    };
    types.contains(&data_type)
}

fn form(
    kind: ColumnKind,
    signedness: Signedness,
    collation: Option<u16>,
    to: &TargetColumn,
    collations: &Collations,
) -> Result<Form, (&'static str, String)> {
    Ok(match kind {
        ColumnKind::Tinyint
        | ColumnKind::Smallint
        | ColumnKind::Mediumint
        | ColumnKind::Int
        | ColumnKind::Bigint => Form::Integer {
            unsigned: match signedness {
                Signedness::Signed => false,
                Signedness::Unsigned => true,
                Signedness::Unknown => to.unsigned,
            },
        },
        ColumnKind::Bit | ColumnKind::Set | ColumnKind::Year | ColumnKind::Enum => Form::Number,
        ColumnKind::Float | ColumnKind::Double => Form::Real,
        ColumnKind::Decimal => Form::Digits,
        ColumnKind::Date | ColumnKind::Time | ColumnKind::Datetime | ColumnKind::Timestamp => {
            Form::Temporal
        }
        ColumnKind::Json => Form::Json,
        ColumnKind::Geometry | ColumnKind::Vector => Form::Binary { pad_to: 0 },
        ColumnKind::Char if Bytewise::of(&to.data_type).is_some() => {
            return bytewise(collation, to);
        }
        ColumnKind::Char | ColumnKind::Varchar | ColumnKind::Text => {
            let from_is_binary = collation.map(|id| id == BINARY);
            match (&to.charset, from_is_binary) {
                (None, None | Some(true)) => Form::Binary {
                    pad_to: if to.data_type == "binary" {
                        usize::try_from(to.octet_length).unwrap_or(0)
                    } else {
                        0
                    },
                },
                (Some(charset), None) => characters(charset, charset),
                (Some(_), Some(false)) => {
                    let id = collation.unwrap_or_default();
                    let known = collations.charset(id);
                    // Of a MariaDB's own collation only the character set matters here.
                    let of_mariadb = || from_mariadb::charset(id, collations);
                    let charset = known.or_else(of_mariadb).ok_or_else(|| {
                        (
                            "table.charset-unknown",
                            format!(
                                "the source uses collation {id}, which the target does not know"
                            ),
                        )
                    })?;
                    characters(charset, to.charset.as_deref().unwrap_or_default())
                }
                (None, Some(false)) | (Some(_), Some(true)) => {
                    return Err((
                        "table.column-type",
                        "one side holds characters, the other side bytes".to_owned(),
                    ));
                }
            }
        }
    })
}

/// The form of a type of MariaDB's that its log shows as a BINARY.
fn bytewise(collation: Option<u16>, to: &TargetColumn) -> Result<Form, (&'static str, String)> {
    match Bytewise::of(&to.data_type) {
        Some(kind) if collation.is_none_or(|id| id == BINARY) => Ok(Form::Bytewise(kind)),
        _ => Err((
            "table.column-type",
            format!(
                "the source logs characters, the target's type is {}",
                to.data_type
            ),
        )),
    }
}

/// The form of strings in the character set `from`, for a column in `to`.
///
/// To name a character set that is deprecated earns a warning for each literal, and a warning may mean a changed value. So the name of one that holds the
/// same bytes stands in for it. Four old ones have no such stand-in: their bytes go into a column of the same character set as they are.
fn characters(from: &str, to: &str) -> Form {
    let charset = match from {
        "utf8" | "utf8mb3" => "utf8mb4",
        "ucs2" => "utf16",
        "dec8" | "hp8" | "macce" | "macroman" if from == to => return Form::Binary { pad_to: 0 },
        other => other,
    };
    Form::Characters {
        charset: charset.to_owned(),
        same: from == to,
    }
}

#[cfg(test)]
mod tests;
