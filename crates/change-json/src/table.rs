//! A table, as far as its rows' JSON depends on it.

use datain_row_block::ColumnKind;

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Their kinds, for the reader of the rows.
    pub kinds: Vec<ColumnKind>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The key in the JSON object.
    pub name: String,
    /// Its kind.
    pub kind: ColumnKind,
    /// How an integer's bytes are read.
    pub signedness: Signedness,
    /// The collation's number, where it is known; 63 is `binary`.
    pub collation: Option<u16>,
    /// Bytes that a `char` may take.
    pub length: u32,
}

/// Whether an integer column is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signedness {
    /// It is.
    Signed,
    /// It is not.
    Unsigned,
    /// The log does not say; read as signed.
    Unknown,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(schema: String, name: String, columns: Vec<Column>) -> Self {
        let kinds = columns.iter().map(|column| column.kind).collect();
        Self {
            schema,
            name,
            columns,
            kinds,
        }
    }
}

/// Names for columns that nobody knows the names of: `@1`, `@2` and so on, as mysqlbinlog calls them.
#[must_use]
pub fn numbered_names(columns: usize) -> Vec<String> {
    (1..=columns).map(|number| format!("@{number}")).collect()
}
