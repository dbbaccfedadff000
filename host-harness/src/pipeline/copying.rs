//! How far a first copy is, as the source says it, for whoever asks; and the limits that a person sets for it while it runs.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::bindings::{CopyProgress, TableProgress, Throttle as SourceThrottle};
use crate::config::{Throttle, ThrottleChange};

/// How far a first copy is. The contract's `copy-progress` (wit/source.wit).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "docs/status.md and wit/source.wit have each")]
pub struct CopyStatus {
    pub definitions_done: u64,
    pub definitions: u64,
    pub tables_whole: u64,
    pub tables: u64,
    pub rows: u64,
    pub bytes: u64,
    pub chunks: u64,
    pub estimated_rows: u64,
    pub estimated_bytes: u64,
    pub rows_per_second: u64,
    pub bytes_per_second: u64,
    pub seconds_left: Option<u64>,
    pub complete: bool,
    pub resting: Option<String>,
    pub throttle: Throttle,
    pub listed: Vec<TableStatus>,
}

/// How far the first copy of one table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "docs/status.md and wit/source.wit have each")]
pub struct TableStatus {
    pub schema: String,
    pub table: String,
    pub state: String,
    pub rows: u64,
    pub bytes: u64,
    pub chunks: u64,
    pub estimated_rows: u64,
    pub estimated_bytes: u64,
}

impl CopyStatus {
    /// The tables whose rows are being read.
    pub fn current(&self) -> impl Iterator<Item = &TableStatus> {
        let is_read = |table: &&TableStatus| table.state == "copying";
        self.listed.iter().filter(is_read)
    }
}

impl From<&CopyProgress> for CopyStatus {
    fn from(copy: &CopyProgress) -> Self {
        Self {
            definitions_done: copy.definitions_done,
            definitions: copy.definitions,
            tables_whole: copy.tables_whole,
            tables: copy.tables,
            rows: copy.rows,
            bytes: copy.bytes,
            chunks: copy.chunks,
            estimated_rows: copy.estimated_rows,
            estimated_bytes: copy.estimated_bytes,
            rows_per_second: copy.rows_per_second,
            bytes_per_second: copy.bytes_per_second,
            seconds_left: copy.seconds_left,
            complete: copy.complete,
            resting: copy.resting.clone(),
            throttle: limits(&copy.throttle),
            listed: copy.listed.iter().map(table).collect(),
        }
    }
}

fn table(table: &TableProgress) -> TableStatus {
    TableStatus {
        schema: table.schema.clone(),
        table: table.table.clone(),
        state: table.state.clone(),
        rows: table.rows,
        bytes: table.bytes,
        chunks: table.chunks,
        estimated_rows: table.estimated_rows,
        estimated_bytes: table.estimated_bytes,
    }
}

fn limits(throttle: &SourceThrottle) -> Throttle {
    let number = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    Throttle {
        rows_per_second: number(throttle.rows_per_second),
        mib_per_second: number(throttle.bytes_per_second >> 20),
        source_load: throttle.source_load,
        target_lag_ms: throttle.target_lag_ms,
        busy_share_percent: throttle.busy_share,
    }
}

/// The contract's form of limits.
pub(crate) fn for_source(limits: Throttle) -> SourceThrottle {
    SourceThrottle {
        rows_per_second: limits.rows_per_second.into(),
        bytes_per_second: limits.bytes_per_second(),
        source_load: limits.source_load,
        target_lag_ms: limits.target_lag_ms,
        busy_share: limits.busy_share_percent,
    }
}

/// What a person has changed of the limits since the host began; instances of the source look here between two calls. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct ThrottleOrders(Arc<Mutex<ThrottleChange>>);

impl ThrottleOrders {
    /// All changes so far.
    pub(crate) fn get(&self) -> ThrottleChange {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more.
    pub(super) fn add(&self, newer: ThrottleChange) -> ThrottleChange {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *changes = changes.then(newer);
        *changes
    }
}
