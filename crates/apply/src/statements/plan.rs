//! Which columns a statement names, and by which key it finds its rows, when images hold only some of the columns (`binlog_row_image` MINIMAL and NOBLOB).
//!
//! A column that is absent in an UPDATE keeps its value. One that is absent in an INSERT got its default on the source: the server logs every column that a
//! statement gave a value, that got one by AUTO_INCREMENT, or whose default is an expression or CURRENT_TIMESTAMP. Those left out have constant defaults, NULL,
//! or, where a session was not strict, no default at all; then the type's own value is stored. MySQL's own replicas do the same.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op};
use datain_row_block::Bitmap;

use crate::target_table::{ColumnDefault, TargetColumn, TargetTable};

/// Where a written column's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The after image.
    Image,
    /// This SQL.
    Literal(&'static str),
    /// The column itself, which would change otherwise: ON UPDATE CURRENT_TIMESTAMP.
    Kept,
}

/// Which columns are written and looked up: the same for all rows of a row set.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    /// The columns that are written, none of them generated.
    pub(crate) written: Vec<(usize, Fill)>,
    /// The columns by which rows are found; empty for an INSERT.
    pub(crate) key: Vec<usize>,
}

impl Plan {
    /// A plan for row sets whose images hold these columns.
    ///
    /// # Errors
    /// `row.partial-image` when the images do not hold enough.
    pub fn new(
        table: &TargetTable,
        operation: Op,
        before: Option<Bitmap<'_>>,
        after: Option<Bitmap<'_>>,
    ) -> Result<Self, Error> {
        let mut written = Vec::new();
        for (place, column) in table.columns.iter().enumerate() {
            if column.generated || operation == Op::Delete {
                continue;
            }
            let fill = if after.is_some_and(|present| present.get(place)) {
                Some(Fill::Image)
            } else if operation == Op::Insert {
                default(column)?
            } else {
                column.on_update.then_some(Fill::Kept)
            };
            written.extend(fill.map(|fill| (place, fill)));
        }
        let holds = |key: &&Vec<usize>| {
            key.iter()
                .all(|column| before.is_some_and(|present| present.get(*column)))
        };
        let key = match operation {
            Op::Insert => Vec::new(),
            // The log holds all columns of a table that has no key, whatever binlog_row_image says.
            Op::Update | Op::Delete if !table.has_key() => {
                let stored = table.columns.iter().enumerate();
                let stored = stored.filter(|(_, column)| !column.generated);
                let all: Vec<usize> = stored.map(|(place, _)| place).collect();
                if !holds(&&all) {
                    return Err(Error::reconfigure(
                        "row.partial-image",
                        "the log does not hold all columns of a row in a table without a key, by which alone it could be found",
                    )
                    .hint("the target lacks a key that the source has: compare SHOW CREATE TABLE on both servers and make them equal"));
                }
                all
            }
            Op::Update | Op::Delete => table.keys.iter().find(holds).cloned().ok_or_else(|| {
                Error::reconfigure(
                    "row.partial-image",
                    "the log does not hold the columns of any key by which the target's rows can be found",
                )
                .hint("the target lacks a key that the source has: compare SHOW CREATE TABLE on both servers and make them equal")
            })?,
        };
        Ok(Self { written, key })
    }
}

/// What a column that an INSERT's image lacks is filled with; nothing for a constant default, which the target has too.
fn default(column: &TargetColumn) -> Result<Option<Fill>, Error> {
    let literal = match column.default {
        ColumnDefault::Constant => return Ok(None),
        ColumnDefault::Null => Some("NULL"),
        ColumnDefault::OfType => of_type(&column.data_type),
        ColumnDefault::Expression => None,
    };
    match literal {
        Some(text) => Ok(Some(Fill::Literal(text))),
        None => Err(Error::reconfigure(
            "row.partial-image",
            format!(
                "the log holds no value of column `{}`, and the target cannot tell which default it got",
                column.name
            ),
        )
        .hint("compare SHOW CREATE TABLE on both servers; SET PERSIST binlog_row_image = FULL on the source makes it log every column from then on")),
    }
}

/// Writes a VECTOR of no bytes into a NOT NULL column while the session is not strict: no literal does.
pub(crate) const EMPTY_VECTOR: &str = "DEFAULT";

/// The value of a NOT NULL column without a default in a session that is not strict: "Data Type Default Values" of the MySQL manual.
fn of_type(data_type: &str) -> Option<&'static str> {
    Some(match data_type {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "float"
        | "double" | "bit" | "year" | "set" => "0",
        "enum" => "1",
        "date" => "'0000-00-00'",
        "time" => "'00:00:00'",
        "datetime" | "timestamp" => "'0000-00-00 00:00:00'",
        "char" | "varchar" | "binary" | "varbinary" | "tinytext" | "text" | "mediumtext"
        | "longtext" | "tinyblob" | "blob" | "mediumblob" | "longblob" => "''",
        "json" => "_utf8mb4'null'",
        "vector" => EMPTY_VECTOR,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(data_type: &str, default: ColumnDefault, on_update: bool) -> TargetColumn {
        TargetColumn {
            data_type: data_type.to_owned(),
            default,
            on_update,
            ..TargetColumn::int("c")
        }
    }

    /// Four columns: the key, a constant default, another key's NOT NULL column, ON UPDATE.
    fn plan(
        operation: Op,
        before: &[u8],
        after: &[u8],
        own: ColumnDefault,
    ) -> Result<Plan, String> {
        let table = TargetTable {
            schema: "s".to_owned(),
            name: "t".to_owned(),
            engine: "InnoDB".to_owned(),
            columns: vec![
                column("int", ColumnDefault::OfType, false),
                column("int", ColumnDefault::Constant, false),
                column("enum", ColumnDefault::OfType, false),
                column("timestamp", own, true),
            ],
            keys: vec![vec![0, 1], vec![2]],
            has_primary_key: true,
            unique: crate::target_table::Unique::default(),
            is_versioned: false,
            is_sequence: false,
            triggers: Some(0),
        };
        let present = |bits| Bitmap::new(bits, 4);
        Plan::new(&table, operation, present(before), present(after)).map_err(|e| e.code)
    }

    #[test]
    fn absent_columns_are_kept_or_get_their_default() {
        let insert = plan(Op::Insert, &[0], &[0b0001], ColumnDefault::Null);
        let written = vec![
            (0, Fill::Image),
            (2, Fill::Literal("1")),
            (3, Fill::Literal("NULL")),
        ];
        assert_eq!(
            insert,
            Ok(Plan {
                written,
                key: vec![]
            })
        );
        let unknown = plan(Op::Insert, &[0], &[0b0001], ColumnDefault::Expression);
        assert_eq!(unknown, Err("row.partial-image".to_owned()));
        let update = plan(Op::Update, &[0b0100], &[0b0010], ColumnDefault::Expression);
        let written = vec![(1, Fill::Image), (3, Fill::Kept)];
        assert_eq!(
            update,
            Ok(Plan {
                written,
                key: vec![2]
            })
        );
    }

    #[test]
    fn rows_are_found_by_a_key_that_is_logged() {
        let key = |before: u8| {
            plan(Op::Delete, &[before], &[0], ColumnDefault::Null).map(|plan| plan.key)
        };
        assert_eq!(key(0b1111), Ok(vec![0, 1]));
        assert_eq!(key(0b0101), Ok(vec![2]));
        assert_eq!(key(0b0001), Err("row.partial-image".to_owned()));
    }
}
