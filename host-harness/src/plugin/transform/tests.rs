//! What a host lets a transform do, and what it does not.

use datain_row_block::{RowSetWriter, begin_block};

use super::*;
use crate::bindings::transform::exports::datain::replication::transform::RowPlace;
use crate::bindings::types::{RowFlags, Transaction};

/// A batch of two row sets of a table with one VARCHAR column, with one and two rows.
fn batch(values: [&str; 3]) -> Batch {
    let mut rows = Vec::new();
    begin_block(&mut rows);
    let mut sets = Vec::new();
    for values in [&values[..1], &values[1..]] {
        let start = rows.len();
        let mut writer = RowSetWriter::begin(&mut rows, Written::Insert, None, Some(&[true]));
        for value in values {
            let mut image = writer.begin_image(1);
            image.push_bytes(value.as_bytes());
            image.finish();
        }
        sets.push(Change::Rows(RowSet {
            table: 1,
            operation: Operation::Insert,
            count: u32::try_from(values.len()).unwrap(),
            offset: u32::try_from(start).unwrap(),
            length: u32::try_from(rows.len() - start).unwrap(),
            flags: RowFlags::empty(),
        }));
    }
    Batch {
        tables: Vec::new(),
        transactions: vec![Transaction {
            ordinal: 1,
            piece: 0,
            last: true,
            gtid: None,
            file: "binlog.000001".to_owned(),
            offset: 4,
            committed_at_micros: 0,
            changes: sets,
            xa: None,
            checkpoint: None,
        }],
        rows,
    }
}

fn places(batch: &Batch) -> Vec<RowPlace> {
    let changes = batch.transactions.iter().flat_map(|t| &t.changes);
    changes
        .filter_map(|change| match change {
            Change::Rows(set) => Some(RowPlace {
                offset: set.offset,
                length: set.length,
            }),
            Change::Statement(_) => None,
        })
        .collect()
}

fn take(change: impl FnOnce(&mut ChangedRows)) -> std::result::Result<Batch, String> {
    let mut before = batch(["a", "bb", "ccc"]);
    let after = batch(["*", "***", ""]);
    let mut changed = ChangedRows {
        places: places(&after),
        rows: after.rows.clone(),
    };
    change(&mut changed);
    let kinds = HashMap::from([(1, vec![ColumnKind::Varchar])]);
    put_in_place(&mut before, changed, &kinds).map_err(|wrong| wrong.what)?;
    Ok(before)
}

#[test]
fn rows_take_the_place_of_rows() {
    assert_eq!(take(|_| {}), Ok(batch(["*", "***", ""])));
}

#[test]
fn what_cannot_stand_there_is_refused() {
    let refused = |change: fn(&mut ChangedRows)| take(change).unwrap_err();
    assert!(refused(|c| c.rows[0] = 2).contains("another version"));
    assert!(refused(|c| c.rows.clear()).contains("missing"));
    assert!(refused(|c| c.places.truncate(1)).contains("places of row sets are missing"));
    assert!(refused(|c| c.rows.push(0)).contains("more than"));
    assert!(refused(|c| c.places[0].offset = 2).contains("does not begin"));
    assert!(refused(|c| c.places[1].length = u32::MAX).contains("does not begin"));
    let shifted = |c: &mut ChangedRows| {
        c.places[0].length += 1;
        c.places[1].offset += 1;
        c.places[1].length -= 1;
    };
    assert!(refused(shifted).contains("after the last row"));
    let cut = |c: &mut ChangedRows| {
        c.rows.pop();
        c.places[1].length -= 1;
    };
    assert!(!refused(cut).is_empty());
    // One row less of the second set, in bytes as in place: the count stays the source's.
    let fewer = |c: &mut ChangedRows| {
        c.rows.truncate(c.rows.len() - 5);
        c.places[1].length -= 5;
    };
    assert!(!refused(fewer).is_empty());
}
