//! The rows of a set, opened under a table's mapping: what is malformed becomes an error that names the table.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op, RowSet};
use datain_row_block::{Bitmap, Operation, Row, RowSetReader, open_block};

use crate::mapping::Mapping;

/// Reads the rows of one set.
pub(crate) struct Rows<'a> {
    reader: RowSetReader<'a>,
    mapping: &'a Mapping,
}

impl<'a> Rows<'a> {
    /// Opens the set in its block.
    ///
    /// # Errors
    /// `row-block.*` for what is malformed.
    pub(crate) fn open(set: &RowSet, block: &'a [u8], mapping: &'a Mapping) -> Result<Self, Error> {
        let operation = match set.operation {
            Op::Insert => Operation::Insert,
            Op::Update => Operation::Update,
            Op::Delete => Operation::Delete,
        };
        let bytes = open_block(block, set.offset, set.length)
            .map_err(|e| malformed(mapping, e.code(), e.to_string()))?;
        let reader = RowSetReader::new(&mapping.kinds, operation, set.count, bytes)
            .map_err(|e| malformed(mapping, e.code(), e.to_string()))?;
        Ok(Self { reader, mapping })
    }

    /// Which columns the before images hold; none for an insert.
    pub(crate) fn before_present(&self) -> Option<Bitmap<'a>> {
        self.reader.before_present()
    }

    /// Which columns the after images hold; none for a delete.
    pub(crate) fn after_present(&self) -> Option<Bitmap<'a>> {
        self.reader.after_present()
    }

    /// The next row.
    ///
    /// # Errors
    /// As [`Rows::open`].
    pub(crate) fn next_row(&mut self) -> Result<Option<Row<'_, 'a>>, Error> {
        let mapping = self.mapping;
        self.reader
            .next_row()
            .map_err(|e| malformed(mapping, e.code(), e.to_string()))
    }
}

fn malformed(mapping: &Mapping, code: &str, what: String) -> Error {
    Error::fatal(code, what).in_table(&mapping.target.schema, &mapping.target.name)
}
