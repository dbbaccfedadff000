//! What both sides digest of a table, in the source's words.

use datain_contract::types::Error;
use datain_table_scan::TableDefinition;
use serde::{Deserialize, Serialize};

/// How a row is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// CRC32: fast, and enough for all that happens by accident.
    #[default]
    Crc32,
    /// The first 128 bits of SHA2-256: for who must reckon with differences made on purpose. Some times slower.
    Sha2,
}

/// A column, as the source defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeColumn {
    /// Its name.
    pub name: String,
    /// The code of its kind (`wit/ROWS.md`).
    pub kind: u8,
    /// A number that is unsigned; a YEAR is.
    pub unsigned: bool,
    /// Collation id of characters, ENUM and SET; 63 for binary strings.
    pub collation: Option<u16>,
    /// The character set of that collation; none for binary strings.
    pub charset: Option<String>,
    /// See ROWS.md.
    pub length: u32,
    /// Digits of a DECIMAL after the point.
    pub scale: u8,
    /// It may be NULL.
    pub nullable: bool,
    /// The type as the server writes it: members of an ENUM and a SET, and ZEROFILL.
    pub column_type: String,
}

/// A column of the key by which the table is read in ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeKeyPart {
    /// Index of the column in [`Shape::columns`].
    pub column: u32,
    /// Its values descend in the source's index.
    pub descending: bool,
}

/// See the module. Plain data, which travels as JSON ([`to_bytes`](Self::to_bytes)) from the source's side to the target's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// The table's schema.
    pub schema: String,
    /// The table's name.
    pub name: String,
    /// All columns, in the source's order.
    pub columns: Vec<ShapeColumn>,
    /// The name of the key's index on the source, and its columns in key order; none where the table has no key to be read in ranges by.
    pub key: Option<(String, Vec<ShapeKeyPart>)>,
    /// How a row is hashed.
    pub algorithm: Algorithm,
}

impl Shape {
    /// The shape of a table of the source.
    #[must_use]
    pub fn of(table: &TableDefinition, algorithm: Algorithm) -> Self {
        let _ = table;
        Self {
            schema: table.schema.clone(),
            name: table.name.clone(),
            columns: Vec::new(),
            key: None,
            algorithm,
        }
    }

    /// For the way to the other side.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// `verify.shape-unreadable`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(bytes).map_err(|e| crate::side::unfinished(&e.to_string()))
    }

    /// A key as text for people: the names of its columns, and their values.
    ///
    /// # Errors
    /// `snapshot.key-foreign` for a key that is none of this table's.
    pub fn show_key(&self, key: &[u8]) -> Result<Vec<(String, String)>, Error> {
        let _ = key;
        Err(crate::side::unfinished("show_key"))
    }

    /// The value of a column in a row image that a [`Side`](crate::Side) of this shape has read, as text for people; none for NULL, and for a column that there is not.
    ///
    /// # Errors
    /// `verify.image-malformed`.
    pub fn show_value(&self, column: &str, image: &[u8]) -> Result<Option<String>, Error> {
        let _ = (column, image);
        Err(crate::side::unfinished("show_value"))
    }
}
