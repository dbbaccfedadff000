//! What can be wrong with a document.

/// Bytes that are not a binary JSON document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a binary JSON document: {reason} at byte {offset}")]
pub struct InvalidJson {
    /// Offset in bytes from the document's start, its type byte.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

impl InvalidJson {
    /// A stable code for `types.error.code`.
    pub const CODE: &'static str = "binary-json.malformed";

    pub(crate) fn new(offset: usize, reason: &'static str) -> Self {
        Self { offset, reason }
    }
}
