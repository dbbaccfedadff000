//! From a table map's type codes to the logical columns of `types.table`, and to the decoder of each.

use datain_binary_json::decimal;
use datain_row_block::ColumnKind;

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::rows::value::Decoder;
use crate::table_map::metadata::OptionalMetadata;
use crate::table_map::{TableMap, column_type as code};

/// Whether an integer column is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signedness {
    /// It is.
    Signed,
    /// It is not.
    Unsigned,
    /// The table map does not say (servers before 8.0), or the column is no number.
    Unknown,
}

/// A column as the table map describes it; the fields follow `types.column`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, with binlog_row_metadata=FULL.
    pub name: Option<String>,
    /// Its kind.
    pub kind: ColumnKind,
    /// Whether a numeric column is signed.
    pub signedness: Signedness,
    /// Collation id of character columns, ENUM and SET, where known.
    pub collation: Option<u16>,
    /// Kind-specific, see ROWS.md.
    pub length: u32,
    /// Digits after the point of a decimal.
    pub scale: u8,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether `SELECT *` shows it, with binlog_row_metadata=FULL.
    pub visible: Option<bool>,
    /// Members of ENUM and SET in the column's character set, with binlog_row_metadata=FULL; else empty.
    pub members: Vec<Vec<u8>>,
    /// For geometry columns `Field::geometry_type`, for vectors the number of dimensions, where known.
    pub subtype: Option<u64>,
}

/// A column of the primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrimaryKeyPart {
    /// Index of the column.
    pub column: u32,
    /// Length of the prefix in characters; 0 for the whole column.
    pub prefix: u32,
}

/// The columns of a table map, ready to decode rows with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumns {
    /// The table's number in rows events. It may be set anew when a later table map has the same [`TableMap::definition`].
    pub table_id: u64,
    /// The columns.
    pub columns: Vec<Column>,
    /// The primary key in key order, with binlog_row_metadata=FULL; else empty.
    pub primary_key: Vec<PrimaryKeyPart>,
    pub(crate) decoders: Vec<Decoder>,
}

impl TableColumns {
    /// The kinds of the columns, as a row block's reader needs them.
    #[must_use]
    pub fn kinds(&self) -> Vec<ColumnKind> {
        self.columns.iter().map(|column| column.kind).collect()
    }
}

impl TableMap<'_> {
    /// The logical columns and their decoders.
    ///
    /// # Errors
    /// When a column has a type that cannot be decoded, or the metadata does not follow the format.
    pub fn columns(&self) -> Result<TableColumns, BinlogError> {
        let optional = self.optional_metadata()?;
        let mut classes = Classes::default();
        let mut metadata = self.type_metadata_cursor();
        let mut columns = Vec::with_capacity(self.types.len());
        let mut decoders = Vec::with_capacity(self.types.len());
        for (index, type_code) in self.types.iter().enumerate() {
            let physical = Physical::read(*type_code, &mut metadata, index)?;
            let mut column = classes.describe(&physical, &optional);
            column.nullable = self.nullable[index / 8] >> (index % 8) & 1 == 1;
            column.visible = optional.is_visible(index);
            column.name = optional
                .column_names
                .as_ref()
                .and_then(|names| names.get(index))
                .map(|name| (*name).to_owned());
            columns.push(column);
            decoders.push(physical.decoder);
        }
        metadata.expect_end("metadata")?;
        let primary_key = self.primary_key(&optional)?;
        Ok(TableColumns {
            table_id: self.table_id,
            columns,
            primary_key,
            decoders,
        })
    }

    fn primary_key(
        &self,
        optional: &OptionalMetadata<'_>,
    ) -> Result<Vec<PrimaryKeyPart>, BinlogError> {
        let parts = optional.primary_key.iter().flatten();
        parts
            .map(|(column, prefix)| {
                let part = u32::try_from(*column).ok().zip(u32::try_from(*prefix).ok());
                match part {
                    Some((index, prefix)) if (index as usize) < self.types.len() => {
                        Ok(PrimaryKeyPart {
                            column: index,
                            prefix,
                        })
                    }
                    _ => Err(self
                        .type_metadata_cursor()
                        .error("primary_key", Problem::Value(*column))
                        .into()),
                }
            })
            .collect()
    }
}

/// What type code and type metadata say of a column.
struct Physical {
    /// The type code with ENUM and SET told from CHAR.
    real_type: u8,
    kind: ColumnKind,
    length: u32,
    scale: u8,
    decoder: Decoder,
}

impl Physical {
    fn read(type_code: u8, metadata: &mut Cursor<'_>, column: usize) -> Result<Self, BinlogError> {
        let start = metadata.clone();
        let bad = |value: u64| start.error("metadata", Problem::Value(value));
        let plain = |kind, decoder| Self {
            real_type: type_code,
            kind,
            length: 0,
            scale: 0,
            decoder,
        };
        let fraction = |metadata: &mut Cursor<'_>| match metadata.u8("fractional_digits")? {
            digits @ 0..=6 => Ok(digits),
            other => Err(bad(u64::from(other))),
        };
        let prefix = |metadata: &mut Cursor<'_>| match metadata.u8("length_size")? {
            size @ 1..=4 => Ok(size),
            other => Err(bad(u64::from(other))),
        };
        Ok(match type_code {
            code::TINY => plain(ColumnKind::Tinyint, Decoder::Fixed1),
            code::SHORT => plain(ColumnKind::Smallint, Decoder::Fixed2),
            code::INT24 => plain(ColumnKind::Mediumint, Decoder::Fixed3),
            code::LONG => plain(ColumnKind::Int, Decoder::Fixed4),
            code::LONGLONG => plain(ColumnKind::Bigint, Decoder::Fixed8),
            code::FLOAT => {
                metadata.u8("float_size")?;
                plain(ColumnKind::Float, Decoder::Fixed4)
            }
            code::DOUBLE => {
                metadata.u8("double_size")?;
                plain(ColumnKind::Double, Decoder::Fixed8)
            }
            code::YEAR => plain(ColumnKind::Year, Decoder::Year),
            code::DATE | code::NEWDATE => plain(ColumnKind::Date, Decoder::Date),
            code::TIME => plain(ColumnKind::Time, Decoder::OldTime),
            code::DATETIME => plain(ColumnKind::Datetime, Decoder::OldDatetime),
            code::TIMESTAMP => plain(ColumnKind::Timestamp, Decoder::OldTimestamp),
            code::TIME2 | code::DATETIME2 | code::TIMESTAMP2 => {
                let digits = fraction(metadata)?;
                let (kind, decoder) = match type_code {
                    code::TIME2 => (ColumnKind::Time, Decoder::Time { digits }),
                    code::DATETIME2 => (ColumnKind::Datetime, Decoder::Datetime { digits }),
                    _ => (ColumnKind::Timestamp, Decoder::Timestamp { digits }),
                };
                Self {
                    length: u32::from(digits),
                    ..plain(kind, decoder)
                }
            }
            code::NEWDECIMAL => {
                let [precision, scale] = metadata.array("precision")?;
                if !decimal::is_valid(precision, scale) {
                    return Err(bad(u64::from(precision)).into());
                }
                Self {
                    length: u32::from(precision),
                    scale,
                    ..plain(ColumnKind::Decimal, Decoder::Decimal { precision, scale })
                }
            }
            code::BIT => {
                let [bits, bytes] = metadata.array("bit_length")?;
                let total = u32::from(bytes) * 8 + u32::from(bits);
                if bits > 7 || total == 0 || total > 64 {
                    return Err(bad(u64::from(total)).into());
                }
                let bytes = total.div_ceil(8) as u8;
                Self {
                    length: total,
                    ..plain(ColumnKind::Bit, Decoder::Bit { bytes })
                }
            }
            code::VARCHAR | code::VAR_STRING => {
                let length = metadata.u16("max_length")?;
                Self {
                    length: u32::from(length),
                    ..plain(ColumnKind::Varchar, Decoder::string(length))
                }
            }
            code::STRING | code::ENUM | code::SET => {
                let (real_type, length) = code::real_string_type(metadata.array("string_length")?);
                let base = plain(ColumnKind::Char, Decoder::string(length));
                match (real_type, length) {
                    (code::ENUM, 1 | 2) => Self {
                        real_type,
                        ..plain(
                            ColumnKind::Enum,
                            Decoder::Enum {
                                bytes: length as u8,
                            },
                        )
                    },
                    (code::SET, 1..=8) => Self {
                        real_type,
                        ..plain(
                            ColumnKind::Set,
                            Decoder::Set {
                                bytes: length as u8,
                            },
                        )
                    },
                    (code::STRING | code::VAR_STRING, _) => Self {
                        real_type: code::STRING,
                        length: u32::from(length),
                        ..base
                    },
                    _ => return Err(bad(u64::from(real_type)).into()),
                }
            }
            code::BLOB | code::TINY_BLOB | code::MEDIUM_BLOB | code::LONG_BLOB => {
                let size = prefix(metadata)?;
                Self {
                    length: u32::from(size),
                    ..plain(ColumnKind::Text, Decoder::Blob { size })
                }
            }
            code::JSON | code::GEOMETRY | code::VECTOR => {
                let size = prefix(metadata)?;
                let kind = match type_code {
                    code::JSON => ColumnKind::Json,
                    code::GEOMETRY => ColumnKind::Geometry,
                    _ => ColumnKind::Vector,
                };
                plain(kind, Decoder::Blob { size })
            }
            type_code => {
                return Err(BinlogError::UnsupportedColumnType { column, type_code });
            }
        })
    }
}

/// The optional metadata counts columns within their class; this keeps the counts.
#[derive(Default)]
struct Classes {
    numeric: usize,
    character: usize,
    enum_or_set: usize,
    enums: usize,
    sets: usize,
    geometries: usize,
    vectors: usize,
}

impl Classes {
    fn describe(&mut self, physical: &Physical, optional: &OptionalMetadata<'_>) -> Column {
        let mut column = Column {
            name: None,
            kind: physical.kind,
            signedness: Signedness::Unknown,
            collation: None,
            length: physical.length,
            scale: physical.scale,
            nullable: false,
            visible: None,
            members: Vec::new(),
            subtype: None,
        };
        let real_type = physical.real_type;
        if code::is_numeric(real_type) {
            column.signedness = match optional.is_unsigned(next(&mut self.numeric)) {
                Some(true) => Signedness::Unsigned,
                Some(false) => Signedness::Signed,
                None => Signedness::Unknown,
            };
        } else if code::is_character(real_type) {
            let i = next(&mut self.character);
            let collation = optional.charsets.as_ref().and_then(|c| c.get(i));
            column.collation = collation.and_then(|id| u16::try_from(id).ok());
        } else if matches!(real_type, code::ENUM | code::SET) {
            let i = next(&mut self.enum_or_set);
            let collation = optional
                .enum_and_set_charsets
                .as_ref()
                .and_then(|c| c.get(i));
            column.collation = collation.and_then(|id| u16::try_from(id).ok());
            let members = if real_type == code::ENUM {
                let i = next(&mut self.enums);
                optional.enum_members.as_ref().and_then(|m| m.get(i))
            } else {
                let i = next(&mut self.sets);
                optional.set_members.as_ref().and_then(|m| m.get(i))
            };
            let members = members.into_iter().flatten();
            column.members = members.map(|member| member.to_vec()).collect();
        } else if real_type == code::GEOMETRY {
            let i = next(&mut self.geometries);
            column.subtype = optional
                .geometry_types
                .as_ref()
                .and_then(|t| t.get(i))
                .copied();
        } else if real_type == code::VECTOR {
            // It has its place among the character sets too, as a binary string.
            next(&mut self.character);
            let i = next(&mut self.vectors);
            let dimensions = optional.vector_dimensions.as_ref();
            column.subtype = dimensions.and_then(|d| d.get(i)).copied();
        }
        column
    }
}

fn next(counter: &mut usize) -> usize {
    *counter += 1;
    *counter - 1
}
