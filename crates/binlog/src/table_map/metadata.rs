//! The optional metadata of a table map: `Table_map_event::Optional_metadata_fields` of MySQL's `rows_event.h` (8.0.1 and later; MariaDB 10.5).
//! A list of type, length and value. With binlog_row_metadata=MINIMAL a server writes signedness, charsets and geometry types only.

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::table_map::TableMap;

/// What a table map tells beyond the layout of its rows. `None` is what the event does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OptionalMetadata<'a> {
    /// A bit for each numeric column, from the highest bit of the first byte on; set is unsigned.
    pub signedness: Option<&'a [u8]>,
    /// Collation ids of the character columns, in their order.
    pub charsets: Option<Charsets>,
    /// Collation ids of the ENUM and SET columns, in their order.
    pub enum_and_set_charsets: Option<Charsets>,
    /// Names of all columns.
    pub column_names: Option<Vec<&'a str>>,
    /// Members of each SET column.
    pub set_members: Option<Vec<Vec<&'a [u8]>>>,
    /// Members of each ENUM column.
    pub enum_members: Option<Vec<Vec<&'a [u8]>>>,
    /// `Field::geometry_type` of each geometry column: 0 GEOMETRY, 1 POINT, 2 LINESTRING and so on.
    pub geometry_types: Option<Vec<u64>>,
    /// Columns of the primary key with the length of their prefix in characters (0 for the whole column), in key order.
    pub primary_key: Option<Vec<(u64, u64)>>,
    /// A bit for each column, from the highest bit of the first byte on; set is visible.
    pub visibility: Option<&'a [u8]>,
    /// Number of dimensions of each vector column.
    pub vector_dimensions: Option<Vec<u64>>,
}

/// Collation ids of some of a table's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charsets {
    /// One collation for all but some of the columns, which are counted among the columns of their class.
    Default {
        /// The collation of most.
        collation: u64,
        /// Number of the column and its collation.
        exceptions: Vec<(u64, u64)>,
    },
    /// A collation for each.
    Each(Vec<u64>),
}

impl Charsets {
    /// The collation of the column number `i` of the class.
    #[must_use]
    pub fn get(&self, i: usize) -> Option<u64> {
        match self {
            Self::Default {
                collation,
                exceptions,
            } => {
                // The server writes them in order.
                let found = exceptions.binary_search_by_key(&(i as u64), |(column, _)| *column);
                Some(found.map_or(*collation, |at| exceptions[at].1))
            }
            Self::Each(collations) => collations.get(i).copied(),
        }
    }
}

impl<'a> OptionalMetadata<'a> {
    pub(crate) fn parse(mut cursor: Cursor<'a>, table: &TableMap<'a>) -> Result<Self, BinlogError> {
        let mut metadata = Self::default();
        while !cursor.is_at_end() {
            let field = cursor.u8("metadata_type")?;
            let length = cursor.lenenc("metadata_length")?;
            let mut value = cursor.sub(length, "metadata_value")?;
            let v = &mut value;
            match field {
                1 => metadata.signedness = Some(v.rest()),
                2 => metadata.charsets = Some(default_charset(v)?),
                3 => metadata.charsets = Some(Charsets::Each(numbers(v, "column_charset")?)),
                4 => metadata.column_names = Some(names(v, table.column_count())?),
                5 => metadata.set_members = Some(members(v)?),
                6 => metadata.enum_members = Some(members(v)?),
                7 => metadata.geometry_types = Some(numbers(v, "geometry_type")?),
                8 => {
                    let columns = numbers(v, "simple_primary_key")?;
                    metadata.primary_key = Some(columns.into_iter().map(|c| (c, 0)).collect());
                }
                9 => metadata.primary_key = Some(pairs(v, "primary_key_with_prefix")?),
                10 => metadata.enum_and_set_charsets = Some(default_charset(v)?),
                11 => {
                    let collations = numbers(v, "enum_and_set_column_charset")?;
                    metadata.enum_and_set_charsets = Some(Charsets::Each(collations));
                }
                12 => metadata.visibility = Some(v.rest()),
                13 => metadata.vector_dimensions = Some(numbers(v, "vector_dimensionality")?),
                // Types of later versions: the list is made so that they can be passed over.
                _ => {}
            }
        }
        Ok(metadata)
    }

    /// Whether the column number `i` among the numeric ones is unsigned.
    #[must_use]
    pub fn is_unsigned(&self, i: usize) -> Option<bool> {
        let bits = self.signedness?;
        bits.get(i / 8).map(|byte| byte << (i % 8) & 0x80 != 0)
    }

    /// Whether column `i` is visible.
    #[must_use]
    pub fn is_visible(&self, i: usize) -> Option<bool> {
        let bits = self.visibility?;
        bits.get(i / 8).map(|byte| byte << (i % 8) & 0x80 != 0)
    }
}

fn default_charset(cursor: &mut Cursor<'_>) -> Result<Charsets, BinlogError> {
    let collation = cursor.lenenc("default_charset")?;
    let exceptions = pairs(cursor, "default_charset")?;
    Ok(Charsets::Default {
        collation,
        exceptions,
    })
}

fn numbers(cursor: &mut Cursor<'_>, field: &'static str) -> Result<Vec<u64>, BinlogError> {
    let mut numbers = Vec::new();
    while !cursor.is_at_end() {
        numbers.push(cursor.lenenc(field)?);
    }
    Ok(numbers)
}

fn pairs(cursor: &mut Cursor<'_>, field: &'static str) -> Result<Vec<(u64, u64)>, BinlogError> {
    let mut pairs = Vec::new();
    while !cursor.is_at_end() {
        let first = cursor.lenenc(field)?;
        pairs.push((first, cursor.lenenc(field)?));
    }
    Ok(pairs)
}

fn names<'a>(cursor: &mut Cursor<'a>, columns: usize) -> Result<Vec<&'a str>, BinlogError> {
    let start = cursor.clone();
    let mut names = Vec::new();
    while !cursor.is_at_end() {
        let start = cursor.clone();
        let length = cursor.lenenc("column_name")?;
        let bytes = cursor.bytes_u64(length, "column_name")?;
        let name = std::str::from_utf8(bytes);
        names.push(name.map_err(|_| start.error("column_name", Problem::NotUtf8))?);
    }
    if names.len() == columns {
        Ok(names)
    } else {
        let count = Problem::Value(names.len() as u64);
        Err(start.error("column_name", count).into())
    }
}

fn members<'a>(cursor: &mut Cursor<'a>) -> Result<Vec<Vec<&'a [u8]>>, BinlogError> {
    let mut columns = Vec::new();
    while !cursor.is_at_end() {
        let count = cursor.lenenc("member_count")?;
        let mut members = Vec::new();
        for _ in 0..count {
            let length = cursor.lenenc("member")?;
            members.push(cursor.bytes_u64(length, "member")?);
        }
        columns.push(members);
    }
    Ok(columns)
}
