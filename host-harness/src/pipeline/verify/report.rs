//! What a comparison has come to.

use serde::{Deserialize, Serialize};

/// The answer to "are the two servers equal?"; the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All that was compared is equal (after a repair, if one was asked for).
    Equal,
    /// Some keys changed whenever they were looked at, or could not be held: nothing was found wrong, and nothing is proven of them.
    Undecided,
    /// At least one row or definition differs.
    Different,
}

/// What all of it has come to. As JSON it is what `datain verify --format json` prints.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// The worst of all tables.
    pub verdict: Verdict,
    /// Each replicated table of the source that was compared, in the order of schema and name.
    pub tables: Vec<TableReport>,
    /// Tables that only the target has, in schemas of which something is compared. They are no differences: the pipeline may not be their only owner.
    pub only_in_target: Vec<String>,
    /// Rows of the source whose digests were compared.
    pub rows: u64,
    /// How long it took.
    pub seconds: f64,
    /// The percentage of each table that was compared; none for all of it.
    pub sample_percent: Option<f64>,
    /// The target's checkpoint at the end, for people; none where the target knows no such pipeline.
    pub checkpoint: Option<String>,
    /// When it began and ended, microseconds since 1970 by the host's clock.
    pub began_at_micros: u64,
    /// See `began_at_micros`.
    pub ended_at_micros: u64,
}

/// What the target keeps of a comparison, for those who ask later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The worst of all tables.
    pub verdict: Verdict,
    /// How many tables were compared.
    pub tables: usize,
    /// Rows of the source whose digests were compared.
    pub rows: u64,
    /// Rows that differed, as far as they were counted; with a repair also those that were repaired.
    pub differing: u64,
    /// The patterns of `--tables`; none if all replicated tables were compared.
    pub only: Vec<String>,
    /// The percentage of each table that was compared; none for all of it.
    pub sample_percent: Option<f64>,
    /// SHA-2 was used.
    pub strong: bool,
    /// The target's checkpoint at the end, for people.
    pub checkpoint: Option<String>,
    /// When it began and ended, microseconds since 1970 by the host's clock.
    pub began_at_micros: u64,
    /// See `began_at_micros`.
    pub ended_at_micros: u64,
}

/// What one table has come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableReport {
    /// `schema.table`
    pub table: String,
    /// The answer for this table.
    pub verdict: Verdict,
    /// Rows of the source whose digests were compared.
    pub rows: u64,
    /// Why the table as a whole cannot be equal: it is missing on the target, or columns are missing or of another type.
    pub definition: Vec<String>,
    /// What is worth knowing and no difference, such as a column that only the target has.
    pub notes: Vec<String>,
    /// Rows that differ, at most as many as were asked to be listed; with a repair also those that were repaired.
    pub differences: Vec<Difference>,
    /// How many rows differ: more than `differences` where that was cut. A lower bound if `more` is set.
    pub differing: u64,
    /// There are parts that differ and were not looked into, since enough differences were found already.
    pub more: bool,
    /// How many of them were repaired, and found equal afterwards.
    pub repaired: u64,
    /// How many keys could not be decided.
    pub undecided: u64,
}

/// A row that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The row's key: names and values, as SQL would write them.
    pub key: String,
    /// What is wrong on the target.
    pub kind: DifferenceKind,
    /// The columns that differ, where the target has the row.
    pub columns: Vec<String>,
    /// The values of the columns that differ, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Values>,
    /// It was repaired, and found equal afterwards.
    pub repaired: bool,
}

/// What is wrong with a row of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceKind {
    /// The source has it, the target has not.
    Missing,
    /// The target has it, the source has not.
    Surplus,
    /// Both have it, and it differs.
    Changed,
}

/// A column's value on both sides, as text for people; none where the side has no such row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Values {
    /// The column.
    pub column: String,
    /// What the source has.
    pub source: Option<String>,
    /// What the target has.
    pub target: Option<String>,
}

impl Report {
    /// How many rows differ over all tables, as far as they were counted.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.tables.iter().map(|table| table.differing).sum()
    }
}
