//! What a reader must be told.

use datain_contract::types::Error;
use datain_schema_objects::plan::{Choices, Definer, INDEXES_AFTER};
use datain_sql_statement::TableFilter;
use serde::Deserialize;

use crate::checkpoint::Scope;
use crate::copying::throttle::Limits;
use crate::facts::Facts;
use crate::start::Start;

/// What the reader must be told; the source's configuration.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// The pipeline's name.
    pub stream: String,
    /// The server id under which it registers; no other replica of the source may use it.
    pub server_id: u32,
    /// Patterns of tables to replicate; none means all.
    #[serde(default)]
    pub include: Vec<String>,
    /// Patterns of tables not to replicate.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// As whom views, routines, triggers and events run on the target.
    #[serde(default)]
    pub definer: Definer,
    /// Where a new pipeline begins.
    #[serde(default)]
    pub start: Start,
    /// The largest row, in bytes.
    #[serde(default = "max_row_bytes")]
    pub max_row_bytes: u64,
    /// Seconds of silence after which the source sends a sign of life.
    #[serde(default = "heartbeat_seconds")]
    pub heartbeat_seconds: u64,
    /// Connections over which tables are read for the first copy, each another table.
    #[serde(default = "copy_readers")]
    pub copy_readers: usize,
    /// Rows in a chunk of the first copy at most.
    #[serde(default = "chunk_rows")]
    pub chunk_rows: u32,
    /// How fast the first copy may be.
    #[serde(default)]
    pub snapshot: Limits,
    /// From so many bytes of data on a table gets its indexes behind its rows in a first copy.
    #[serde(default = "indexes_after")]
    pub indexes_after: u64,
    /// A first copy also takes tables without a key.
    #[serde(default)]
    pub keyless: bool,
    /// A resume point on every transaction, so that the sink can commit each by itself.
    #[serde(default)]
    pub one_by_one: bool,
    /// What becomes of changes of rows that were logged as statements.
    #[serde(default)]
    pub statements: Statements,
    /// What the target has beyond the checkpoint: see [`start::hold_ahead`].
    #[serde(default)]
    pub ahead: Option<String>,
}

/// What becomes of changes of rows that the source has logged as statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statements {
    /// They end the stream.
    #[default]
    Stop,
    /// They are handed on.
    Replay,
}

impl Settings {
    /// How a first copy makes definitions.
    #[must_use]
    pub fn choices(&self) -> Choices {
        Choices {
            definer: self.definer,
            indexes_after: Some(self.indexes_after),
        }
    }

    /// What is replicated, as it was written.
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            include: self.include.clone(),
            exclude: self.exclude.clone(),
        }
    }

    /// The filter, with names compared as the server does.
    ///
    /// # Errors
    /// `config.filter`.
    pub fn filter(&self, facts: &Facts) -> Result<TableFilter, Error> {
        datain_server_facts::filter(&self.include, &self.exclude, facts.lower_case_names)
    }
}

fn copy_readers() -> usize {
    2
}

fn chunk_rows() -> u32 {
    20_000
}

fn indexes_after() -> u64 {
    INDEXES_AFTER
}

fn max_row_bytes() -> u64 {
    64 << 20
}

fn heartbeat_seconds() -> u64 {
    5
}
