//! What can be wrong with an event.

use crate::event::types::EventType;

/// Any error of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BinlogError {
    /// Bytes that do not follow the event's format.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The checksum stored in an event is not that of its bytes.
    #[error("checksum of {event_type} event is {computed:#010x}, the event says {stored:#010x}")]
    Checksum {
        /// Type of the event.
        event_type: EventType,
        /// The checksum that the event carries.
        stored: u32,
        /// The checksum of the event's bytes.
        computed: u32,
    },
    /// A column type that this crate cannot decode.
    #[error("column {column} has type code {type_code}, which is not supported")]
    UnsupportedColumnType {
        /// The column's index, from 0.
        column: usize,
        /// The code in the table map.
        type_code: u8,
    },
    /// A rows event does not have the columns of the table map it was decoded with.
    #[error("rows event has {rows} columns, its table map {table_map}")]
    ColumnCount {
        /// Columns of the table map.
        table_map: usize,
        /// Columns of the rows event.
        rows: usize,
    },
    /// The rows event names another table than the table map.
    #[error("rows event is for table id {rows}, the table map for {table_map}")]
    TableId {
        /// Id of the table map.
        table_map: u64,
        /// Id of the rows event.
        rows: u64,
    },
    /// An event that must be held whole, and is larger than allowed.
    #[error("{event_type} event has more than {limit} bytes")]
    TooLarge {
        /// Type of the event.
        event_type: EventType,
        /// The most bytes that may be held.
        limit: usize,
    },
    /// A compressed transaction whose bytes cannot be decompressed.
    #[error("compressed transaction is damaged: {0}")]
    Compression(String),
    /// A compressed transaction of a kind that this crate cannot decompress.
    #[error("compressed transaction is of kind {0}, which is not known")]
    CompressionKind(u64),
    /// A compressed transaction that needs more memory to decompress than allowed.
    #[error(
        "compressed transaction needs {needed} bytes to be decompressed, allowed are {allowed}"
    )]
    CompressionWindow {
        /// Size of its window.
        needed: u64,
        /// The largest window allowed.
        allowed: u64,
    },
    /// A file that does not begin with a binary log's magic number. An encrypted file begins with 0xfd "bin".
    #[error("not a binary log: it begins with {0:02x?}")]
    Magic(Vec<u8>),
}

impl BinlogError {
    /// A stable code for `types.error.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::ColumnCount { .. } | Self::TableId { .. } => {
                "binlog.malformed"
            }
            Self::Checksum { .. } => "binlog.checksum",
            Self::UnsupportedColumnType { .. } => "binlog.column-type",
            Self::TooLarge { .. } => "binlog.event-too-large",
            Self::Compression(_) => "binlog.compression",
            Self::CompressionKind(_) => "binlog.compression-kind",
            Self::CompressionWindow { .. } => "binlog.compression-window",
            Self::Magic(_) => "binlog.magic",
        }
    }
}

/// A place in an event that does not follow the format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed {event}, field `{field}` at byte {offset}: {problem}")]
pub struct Malformed {
    /// The event, or the structure inside an event.
    pub event: &'static str,
    /// Offset in bytes from the event's first byte (its header), or from the structure's where it was parsed alone.
    pub offset: usize,
    /// The field that was being read.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The bytes end before the field does.
    #[error("needs {needed} bytes, {left} are left")]
    Truncated {
        /// Bytes that the field needs.
        needed: u64,
        /// Bytes that are left.
        left: usize,
    },
    /// A number that has no meaning there.
    #[error("{0} is not allowed here")]
    Value(u64),
    /// A name or a text that is not UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// Digits that a DECIMAL cannot have.
    #[error("not a stored DECIMAL")]
    BadDecimal,
    /// Bytes follow after the end.
    #[error("{0} bytes too many")]
    Trailing(usize),
}
