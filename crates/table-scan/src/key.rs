//! Keys: by which columns a table is read in order, and the key of a row as bytes, by which a chunk ends and the next one begins.
//!
//! The bytes may be kept (they go into checkpoints), so they say what they are:
//!
//! ```text
//! key  := version:u8 (= 1)  columns:u8  kind:u8{columns}  image
//! ```
//!
//! `image` is a row image of ROWS.md over the key's columns in key order, in which none is NULL: a bitmap of zeros, then the values. So equal keys have
//! equal bytes as long as the table's definition stays, but not every two keys that the server takes for equal do (letters of another case).

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_row_block::{Bitmap, ColumnKind, Image, Value, read_image};

use crate::definition::TableDefinition;

const VERSION: u8 = 1;

/// A column of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPart {
    /// Index of the column.
    pub column: usize,
    /// Its values descend in the index.
    pub descending: bool,
}

/// A unique key over whole columns that are NOT NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanKey {
    /// Its name.
    pub index: String,
    /// Its columns, in key order.
    pub parts: Vec<KeyPart>,
}

impl ScanKey {
    /// The key of a row from the bytes of its values in key order, each as the row block holds it.
    pub(crate) fn join<'a>(
        &self,
        table: &TableDefinition,
        values: impl Iterator<Item = &'a [u8]>,
    ) -> Vec<u8> {
        let mut key = vec![VERSION, self.parts.len() as u8];
        key.extend(
            self.parts
                .iter()
                .map(|part| table.columns[part.column].kind.code()),
        );
        key.resize(key.len() + Bitmap::bytes_for(self.parts.len()), 0);
        values.for_each(|value| key.extend_from_slice(value));
        key
    }

    /// The key of a row image of the same table. None if the image does not hold all of it.
    #[must_use]
    pub fn of_image(&self, table: &TableDefinition, image: &Image<'_, '_>) -> Option<Vec<u8>> {
        let values: Option<Vec<&[u8]>> = self
            .parts
            .iter()
            .map(|part| image.raw(part.column).flatten())
            .collect();
        Some(self.join(table, values?.into_iter()))
    }

    /// Takes a key apart and hands its values, in key order, to `with`.
    ///
    /// # Errors
    /// `snapshot.key-foreign` for a key that is none of this table's; those of `with`.
    pub fn split<T>(
        &self,
        table: &TableDefinition,
        key: &[u8],
        with: impl FnOnce(&[Value<'_>]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let kinds: Vec<ColumnKind> = self
            .parts
            .iter()
            .map(|part| table.columns[part.column].kind)
            .collect();
        let count = kinds.len();
        let is_of_table = |bytes: &[u8]| {
            bytes
                .iter()
                .zip(&kinds)
                .all(|(code, kind)| *code == kind.code())
        };
        let image = match key {
            [VERSION, columns, rest @ ..]
                if usize::from(*columns) == count
                    && rest.len() >= count
                    && is_of_table(&rest[..count]) =>
            {
                &rest[count..]
            }
            _ => return Err(foreign()),
        };
        let ones = vec![0xff; Bitmap::bytes_for(count)];
        let present = Bitmap::new(&ones, count).ok_or_else(foreign)?;
        let mut offsets = Vec::new();
        let image = read_image(&kinds, present, image, &mut offsets).map_err(|_| foreign())?;
        let values: Vec<Value<'_>> = image.values().flatten().collect();
        if values.len() != count || values.iter().any(Value::is_null) {
            return Err(foreign());
        }
        with(&values)
    }
}

pub(crate) fn foreign() -> Error {
    Error::resnapshot(
        "snapshot.key-foreign",
        "the key from which the copy of the table is to go on is none of the table's",
    )
    .hint("the table's key was changed while the table was copied: copy it from its beginning")
}
