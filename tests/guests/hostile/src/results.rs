//! Answers that a host or the other plugin must not believe.

use crate::bindings::datain::replication::types::{
    Batch, Change, Checkpoint, Column, Operation, RowFlags, RowSet, Signedness, Table, Transaction,
};
use crate::bindings::exports::datain::replication::source::SourceStatus;

/// A transaction without changes.
pub(crate) fn progress(ordinal: u64) -> Batch {
    Batch {
        tables: Vec::new(),
        transactions: vec![transaction(ordinal, Vec::new())],
        rows: Vec::new(),
    }
}

fn transaction(ordinal: u64, changes: Vec<Change>) -> Transaction {
    Transaction {
        ordinal,
        piece: 0,
        last: true,
        gtid: None,
        file: "nowhere".to_owned(),
        offset: ordinal,
        committed_at_micros: 1,
        changes,
        xa: None,
        checkpoint: Some(crate::checkpoint(ordinal)),
    }
}

/// The batch of this name; none if there is none.
pub(crate) fn batch(what: &str, ordinal: u64) -> Option<Batch> {
    let set = |count: u32, offset: u32, length: u32| {
        Change::Rows(RowSet {
            table: 1,
            operation: Operation::Insert,
            count,
            offset,
            length,
            flags: RowFlags::empty(),
        })
    };
    let rows = |rows: &[u8], change: Change| {
        let mut batch = progress(ordinal);
        batch.tables = vec![table(4)];
        batch.transactions[0].changes = vec![change];
        batch.rows = rows.to_vec();
        batch
    };
    // The table has one column, an INT: a row is its bitmap of NULLs and four bytes, behind the bitmap of present columns.
    const ROW: [u8; 7] = [1, 1, 0, 7, 0, 0, 0];
    Some(match what {
        // 200 MiB, though a batch is about one.
        "huge-batch" => {
            let mut batch = progress(ordinal);
            batch.rows = vec![1; 200 << 20];
            batch
        }
        "other-version" => {
            let mut row = ROW;
            row[0] = 9;
            rows(&row, set(1, 1, 6))
        }
        "beyond-the-block" => rows(&ROW, set(1, 1, 4_000_000_000)),
        "too-few-rows" => rows(&ROW, set(1_000_000, 1, 6)),
        "garbage" => {
            let mut garbage: Vec<u8> = (0..4096_u32)
                .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect();
            garbage[0] = 1;
            rows(&garbage, set(3, 17, 4000))
        }
        "unknown-kind" => {
            let mut batch = rows(&ROW, set(1, 1, 6));
            batch.tables = vec![table(200)];
            batch
        }
        "table-never-told" => {
            let mut batch = rows(&ROW, set(1, 1, 6));
            batch.tables = Vec::new();
            batch
        }
        _ => return None,
    })
}

fn table(kind: u8) -> Table {
    Table {
        id: 1,
        schema: "hostile".to_owned(),
        name: "t".to_owned(),
        columns: vec![Column {
            name: None,
            kind,
            signedness: Signedness::Signed,
            collation: None,
            length: 0,
            scale: 0,
            nullable: false,
        }],
        primary_key: Vec::new(),
    }
}

/// The checkpoint of this name, which no source of datain's has written.
pub(crate) fn checkpoint(what: &str) -> Checkpoint {
    let data = match what {
        "empty" => Vec::new(),
        "long" => vec![0xff; 1 << 20],
        _ => b"not a checkpoint".to_vec(),
    };
    Checkpoint {
        ordinal: u64::MAX,
        data,
        display: "\u{1b}[2Jnowhere".to_owned(),
    }
}

/// The same status with the largest numbers there are: a host that adds to them must not stumble.
pub(crate) fn largest(status: SourceStatus) -> SourceStatus {
    SourceStatus {
        bytes_read: u64::MAX,
        transactions_read: u64::MAX,
        last_commit_micros: u64::MAX,
        clock_ahead_micros: i64::MIN,
        ..status
    }
}
