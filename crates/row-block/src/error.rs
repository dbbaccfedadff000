//! What can be wrong with a block.

/// Bytes that are not what ROWS.md allows at that place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("row set malformed at byte {offset}: {reason}")]
pub struct Malformed {
    /// Offset in bytes from the start of the row set.
    pub offset: usize,
    /// What was expected there.
    pub reason: &'static str,
}

impl Malformed {
    /// The stable code for `types.error.code`.
    pub const CODE: &'static str = "row-block.malformed";

    pub(crate) fn new(offset: usize, reason: &'static str) -> Self {
        Self { offset, reason }
    }

    /// The stable code for `types.error.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        Self::CODE
    }
}

/// A block whose first byte says that it is not ours to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// The block has another version than [`crate::VERSION`].
    #[error("row block has version {0}, this reader knows version 1")]
    Version(u8),
    /// A row set reaches past the end of the block, or begins in its version byte.
    #[error("row set of {length} bytes at {offset} does not lie in a block of {block} bytes")]
    Range {
        /// The record's offset.
        offset: u32,
        /// The record's length.
        length: u32,
        /// Length of the block.
        block: usize,
    },
}

impl BlockError {
    /// The stable code for `types.error.code`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Version(_) => "row-block.version",
            Self::Range { .. } => Malformed::CODE,
        }
    }
}
