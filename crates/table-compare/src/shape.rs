//! What both sides digest of a table, in the source's words.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Signedness};
use datain_row_block::{Bitmap, ColumnKind, Image, read_image};
use datain_table_scan::{ColumnDefinition, KeyPart, ScanKey, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::show;

/// How a row is hashed; `expression.rs` has what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// CRC32: 32 bits, fast on every server.
    #[default]
    Crc32,
    /// The first 64 bits of SHA2-256.
    Sha2,
}

/// A column, as the source defines it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeColumn {
    /// Its name.
    pub name: String,
    /// The code of its kind (`wit/ROWS.md`).
    pub kind: u8,
    /// An unsigned number; none of what is no number.
    pub unsigned: Option<bool>,
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
    /// How many members an ENUM has.
    pub members: u32,
    /// The type as the server writes it: members of an ENUM and a SET, and ZEROFILL.
    pub column_type: String,
}

/// A key by which the table is read in ranges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShapeKey {
    /// The name of its index on the source.
    pub index: String,
    /// Its columns, in key order.
    pub parts: Vec<ShapeKeyPart>,
}

/// A column of that key.
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
    /// All columns, in the source's order: computed ones and invisible ones too.
    pub columns: Vec<ShapeColumn>,
    /// None where the table has no key to be read in ranges by.
    pub key: Option<ShapeKey>,
    /// How a row is hashed.
    pub algorithm: Algorithm,
}

impl Shape {
    /// The shape of a table of the source.
    #[must_use]
    pub fn of(table: &TableDefinition, algorithm: Algorithm) -> Self {
        let column = |column: &ColumnDefinition| ShapeColumn {
            name: column.name.clone(),
            kind: column.kind.code(),
            unsigned: match column.signedness {
                Signedness::Unsigned => Some(true),
                Signedness::Signed => Some(false),
                Signedness::Unknown => None,
            },
            collation: column.collation,
            charset: column.charset.clone(),
            length: column.length,
            scale: column.scale,
            nullable: column.nullable,
            members: column.members,
            column_type: column.column_type.clone(),
        };
        let key = table.scan_key.as_ref().map(|key| ShapeKey {
            index: key.index.clone(),
            parts: key
                .parts
                .iter()
                .map(|part| ShapeKeyPart {
                    column: part.column as u32,
                    descending: part.descending,
                })
                .collect(),
        });
        Self {
            schema: table.schema.clone(),
            name: table.name.clone(),
            columns: table.columns.iter().map(column).collect(),
            key,
            algorithm,
        }
    }

    /// For the way to the other side.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // Strings and numbers: there is nothing that could not be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// `verify.shape-unreadable`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let shape: Self = serde_json::from_slice(bytes).map_err(|e| unreadable(&e.to_string()))?;
        shape.definition()?;
        Ok(shape)
    }

    /// The table as the source defines it.
    ///
    /// # Errors
    /// `verify.shape-unreadable`.
    pub(crate) fn definition(&self) -> Result<TableDefinition, Error> {
        let column = |column: &ShapeColumn| {
            Ok(ColumnDefinition {
                name: column.name.clone(),
                kind: ColumnKind::try_from(column.kind).map_err(|e| unreadable(&e.to_string()))?,
                signedness: match column.unsigned {
                    Some(true) => Signedness::Unsigned,
                    Some(false) => Signedness::Signed,
                    None => Signedness::Unknown,
                },
                collation: column.collation,
                charset: column.charset.clone(),
                length: column.length,
                scale: column.scale,
                nullable: column.nullable,
                members: column.members,
                column_type: column.column_type.clone(),
            })
        };
        let columns: Result<Vec<ColumnDefinition>, Error> =
            self.columns.iter().map(column).collect();
        let is_within = |part: &ShapeKeyPart| (part.column as usize) < self.columns.len();
        let scan_key = match &self.key {
            Some(key) if key.parts.is_empty() || !key.parts.iter().all(is_within) => {
                return Err(unreadable("the key is of columns that there are not"));
            }
            key => key.as_ref().map(|key| ScanKey {
                index: key.index.clone(),
                parts: key
                    .parts
                    .iter()
                    .map(|part| KeyPart {
                        column: part.column as usize,
                        descending: part.descending,
                    })
                    .collect(),
            }),
        };
        Ok(TableDefinition {
            schema: self.schema.clone(),
            name: self.name.clone(),
            columns: columns?,
            primary_key: Vec::new(),
            scan_key,
            other_keys: Vec::new(),
        })
    }

    /// A key as text for people: the names of its columns, and their values.
    ///
    /// # Errors
    /// `snapshot.key-foreign` for a key that is none of this table's.
    pub fn show_key(&self, key: &[u8]) -> Result<Vec<(String, String)>, Error> {
        let table = self.definition()?;
        let Some(scan_key) = &table.scan_key else {
            return Ok(Vec::new());
        };
        scan_key.split(&table, key, |values| {
            let shown = scan_key.parts.iter().zip(values).map(|(part, value)| {
                let column = &table.columns[part.column];
                (column.name.clone(), show::value(column, value))
            });
            Ok(shown.collect())
        })
    }

    /// The value of a column in a row image of the source's side, as text for people; none for NULL, and for a column that there is not.
    ///
    /// # Errors
    /// `verify.image-malformed`.
    pub fn show_value(&self, column: &str, image: &[u8]) -> Result<Option<String>, Error> {
        let table = self.definition()?;
        let Some(at) = self.columns.iter().position(|c| c.name == column) else {
            return Ok(None);
        };
        with_image(&table.kinds(), image, |image| {
            Ok(show::column(&table.columns[at], image.get(at)))
        })
    }

    /// The key of a row image of the source's side; none where the table has no key to be read by.
    ///
    /// # Errors
    /// `verify.image-malformed`.
    pub fn key_of(&self, image: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let table = self.definition()?;
        key_of_source(&table, &table.kinds(), image)
    }
}

/// The key of a row image of the source, of which `table` is its definition.
pub(crate) fn key_of_source(
    table: &TableDefinition,
    kinds: &[ColumnKind],
    image: &[u8],
) -> Result<Option<Vec<u8>>, Error> {
    let Some(key) = &table.scan_key else {
        return Ok(None);
    };
    with_image(kinds, image, |image| {
        let key = key.of_image(table, image);
        key.map(Some).ok_or_else(malformed)
    })
}

/// Takes an image of all columns apart.
pub(crate) fn with_image<T>(
    kinds: &[ColumnKind],
    image: &[u8],
    with: impl FnOnce(&Image<'_, '_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let ones = vec![0xff; Bitmap::bytes_for(kinds.len())];
    let present = Bitmap::new(&ones, kinds.len()).ok_or_else(malformed)?;
    let mut offsets = Vec::new();
    let image = read_image(kinds, present, image, &mut offsets).map_err(|_| malformed())?;
    with(&image)
}

pub(crate) fn malformed() -> Error {
    Error::fatal(
        "verify.image-malformed",
        "a row that was read for the comparison is not one of the table's",
    )
    .hint("if the table was changed meanwhile, compare it again; else report it, with SHOW CREATE TABLE")
}

fn unreadable(why: &str) -> Error {
    Error::fatal(
        "verify.shape-unreadable",
        "what the source's side says of a table is not to be understood",
    )
    .detail(why.to_owned())
    .hint("use source and sink plugins of the same version")
}
