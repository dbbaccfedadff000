//! Rows that differ.

use serde::{Deserialize, Serialize};

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The row's key; none where the table has no key ([`Side::is_ranged`](crate::Side::is_ranged) is false): then a row is its image.
    pub key: Option<Vec<u8>>,
    /// In what it differs.
    pub what: What,
    /// Index of the row's image among the source's; none of a surplus row.
    pub source: Option<usize>,
    /// Index of the row's image among the target's; none of a missing row.
    pub target: Option<usize>,
}

/// In what a row differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The target does not have it.
    Missing,
    /// Only the target has it.
    Surplus,
    /// The names of the columns whose values differ.
    Columns(Vec<String>),
}
