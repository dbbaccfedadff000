//! The first copy's progress and limits in the contract's form.

use datain_capture::copying::CopyControl;
use datain_capture::copying::progress::TableProgress as Table;
use datain_capture::copying::throttle::Limits;

use crate::bindings::exports::datain::replication::source::{
    CopyProgress, TableProgress, Throttle,
};

/// How far the copy is now.
pub fn progress(copy: &CopyControl, now: u64) -> CopyProgress {
    let summary = copy.summary(now);
    CopyProgress {
        definitions_done: summary.definitions.0,
        definitions: summary.definitions.1,
        tables_whole: summary.tables.0,
        tables: summary.tables.1,
        rows: summary.copied.rows,
        bytes: summary.copied.bytes,
        chunks: summary.copied.chunks,
        estimated_rows: summary.estimated.0,
        estimated_bytes: summary.estimated.1,
        rows_per_second: summary.per_second.0,
        bytes_per_second: summary.per_second.1,
        seconds_left: summary.seconds_left,
        complete: summary.complete,
        resting: summary.resting.map(ToOwned::to_owned),
        throttle: throttle(copy.limits()),
        listed: summary.listed.into_iter().map(table).collect(),
    }
}

fn table(table: Table) -> TableProgress {
    TableProgress {
        state: table.state.code().to_owned(),
        rows: table.copied.rows,
        bytes: table.copied.bytes,
        chunks: table.copied.chunks,
        estimated_rows: table.estimated.0,
        estimated_bytes: table.estimated.1,
        schema: table.schema,
        table: table.name,
    }
}

/// The contract's limits as the copy's.
pub fn limits(throttle: Throttle) -> Limits {
    let Throttle {
        rows_per_second,
        bytes_per_second,
        source_load,
        target_lag_ms,
        busy_share,
    } = throttle;
    Limits {
        rows_per_second,
        bytes_per_second,
        source_load,
        target_lag_ms,
        busy_share,
    }
}

fn throttle(limits: Limits) -> Throttle {
    let Limits {
        rows_per_second,
        bytes_per_second,
        source_load,
        target_lag_ms,
        busy_share,
    } = limits;
    Throttle {
        rows_per_second,
        bytes_per_second,
        source_load,
        target_lag_ms,
        busy_share,
    }
}
