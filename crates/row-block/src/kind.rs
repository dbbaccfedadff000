//! Column kinds and operations.

/// The kinds of ROWS.md; the discriminant is the code in `types.column.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum ColumnKind {
    /// Integer of 1 byte.
    Tinyint = 1,
    /// Integer of 2 bytes.
    Smallint = 2,
    /// Integer of 3 bytes.
    Mediumint = 3,
    /// Integer of 4 bytes.
    Int = 4,
    /// Integer of 8 bytes.
    Bigint = 5,
    /// Exact decimal number, as text.
    Decimal = 6,
    /// IEEE 754 of 4 bytes.
    Float = 7,
    /// IEEE 754 of 8 bytes.
    Double = 8,
    /// Bit string, as an unsigned number of 8 bytes.
    Bit = 9,
    /// Year, 2 bytes.
    Year = 10,
    /// Date, as text.
    Date = 11,
    /// Time of day or duration, as text.
    Time = 12,
    /// Date and time, as text.
    Datetime = 13,
    /// Instant in UTC, as text.
    Timestamp = 14,
    /// Fixed-length string without its padding.
    Char = 15,
    /// Variable-length string.
    Varchar = 16,
    /// TEXT and BLOB of every size.
    Text = 17,
    /// Index of an ENUM member, from 1.
    Enum = 18,
    /// Bit mask of SET members.
    Set = 19,
    /// MySQL's binary JSON.
    Json = 20,
    /// SRID and WKB.
    Geometry = 21,
    /// Vector of 4-byte floats.
    Vector = 22,
}

/// How many bytes a value takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    /// Always so many bytes.
    Fixed(usize),
    /// A length of 4 bytes, then so many bytes.
    Prefixed,
}

impl ColumnKind {
    /// Every kind, in the order of the codes.
    pub const ALL: [Self; 22] = [
        Self::Tinyint,
        Self::Smallint,
        Self::Mediumint,
        Self::Int,
        Self::Bigint,
        Self::Decimal,
        Self::Float,
        Self::Double,
        Self::Bit,
        Self::Year,
        Self::Date,
        Self::Time,
        Self::Datetime,
        Self::Timestamp,
        Self::Char,
        Self::Varchar,
        Self::Text,
        Self::Enum,
        Self::Set,
        Self::Json,
        Self::Geometry,
        Self::Vector,
    ];

    /// The code in `types.column.kind`.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// How many bytes a value of this kind takes.
    #[must_use]
    pub fn width(self) -> Width {
        match self {
            Self::Tinyint => Width::Fixed(1),
            Self::Smallint | Self::Year | Self::Enum => Width::Fixed(2),
            Self::Mediumint => Width::Fixed(3),
            Self::Int | Self::Float => Width::Fixed(4),
            Self::Bigint | Self::Double | Self::Bit | Self::Set => Width::Fixed(8),
            Self::Decimal
            | Self::Date
            | Self::Time
            | Self::Datetime
            | Self::Timestamp
            | Self::Char
            | Self::Varchar
            | Self::Text
            | Self::Json
            | Self::Geometry
            | Self::Vector => Width::Prefixed,
        }
    }

    /// Whether this is one of the five integer kinds, whose bytes need the column's signedness to be a number.
    #[must_use]
    pub fn is_integer(self) -> bool {
        matches!(
            self,
            Self::Tinyint | Self::Smallint | Self::Mediumint | Self::Int | Self::Bigint
        )
    }
}

/// A code that names no kind of version 1. A reader that meets it must refuse the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("column kind {0} is unknown to row-block version 1")]
pub struct UnknownKind(pub u8);

impl TryFrom<u8> for ColumnKind {
    type Error = UnknownKind;

    fn try_from(code: u8) -> Result<Self, UnknownKind> {
        match code {
            1..=22 => Ok(Self::ALL[usize::from(code) - 1]),
            other => Err(UnknownKind(other)),
        }
    }
}

impl From<ColumnKind> for u8 {
    fn from(kind: ColumnKind) -> Self {
        kind.code()
    }
}

/// What the rows of a row set say; the same as `types.operation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Rows have an after image.
    Insert,
    /// Rows have a before and an after image.
    Update,
    /// Rows have a before image.
    Delete,
}

impl Operation {
    /// Whether rows of this operation have a before image.
    #[must_use]
    pub fn has_before(self) -> bool {
        !matches!(self, Self::Insert)
    }

    /// Whether rows of this operation have an after image.
    #[must_use]
    pub fn has_after(self) -> bool {
        !matches!(self, Self::Delete)
    }
}
