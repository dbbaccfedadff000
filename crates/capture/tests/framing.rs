//! The stream's invariants on a real log, whatever the size of batches: records are numbered without gaps, pieces count up, resume points stand only after
//! whole transactions and wherever a sink needs one, and the rows are the same.

#![allow(clippy::unwrap_used, reason = "a test")]

mod log;

use datain_binlog::ChecksumAlgorithm;
use datain_capture::assembler::Assembler;
use datain_capture::checkpoint::State;
use datain_capture::gtids::{Gtids, TransactionGtid};
use datain_capture::position::Position;
use datain_contract::types::{Batch, Change, Error, XaStep};
use datain_sql_statement::TableFilter;
use log::{FILE, assembler_of, events, events_until, rows};

fn assembler(include: &[&str], max_row_bytes: u64, from: u64) -> Assembler {
    assembler_of(true, include, max_row_bytes, from)
}

fn batches(assembler: &mut Assembler, max_bytes: usize) -> Result<Vec<Batch>, Error> {
    assembler.set_batch_bytes(max_bytes);
    let mut out = Vec::new();
    for event in events() {
        assembler.event(event)?;
        while assembler.has_full_batch() {
            out.extend(assembler.take_batch());
        }
    }
    out.extend(assembler.take_batch());
    Ok(out)
}

fn check(max_bytes: usize) -> (Vec<Batch>, Vec<String>) {
    let mut assembler = assembler(&[], 1 << 30, 41);
    let batches = batches(&mut assembler, max_bytes).unwrap();
    let mut next = (42, 0);
    let mut gtids = Gtids::none(false);
    for batch in &batches {
        let mut before_statement = true;
        for (at, transaction) in batch.transactions.iter().enumerate() {
            assert_eq!((transaction.ordinal, transaction.piece), next);
            next = if transaction.last {
                (next.0 + 1, 0)
            } else {
                (next.0, next.1 + 1)
            };
            let has_checkpoint = transaction.checkpoint.is_some();
            assert!(
                transaction.last || !has_checkpoint,
                "no resume point inside a transaction"
            );
            let newest = at + 1 == batch.transactions.len();
            assert!(
                !newest || !transaction.last || has_checkpoint,
                "a batch that ends whole can be committed"
            );
            let statement = transaction
                .changes
                .iter()
                .any(|c| matches!(c, Change::Statement(_)));
            assert!(
                !statement || (has_checkpoint && before_statement),
                "a statement stands between two resume points"
            );
            before_statement = has_checkpoint;
            if transaction.last {
                let gtid = transaction.gtid.as_ref().unwrap().parse().unwrap();
                assert!(gtids.add(TransactionGtid::Mysql(gtid)));
            }
            if let Some(checkpoint) = &transaction.checkpoint {
                assert_eq!(checkpoint.ordinal, transaction.ordinal);
                assert_eq!(
                    State::from_checkpoint(checkpoint).unwrap().gtids.as_ref(),
                    Some(&gtids)
                );
            }
        }
    }
    assert_eq!(assembler.gtids(), Some(&gtids));
    assert_eq!(assembler.ordinal(), next.0 - 1);
    let rows = rows(&batches);
    (batches, rows)
}

#[test]
fn the_size_of_batches_changes_nothing_but_their_number() {
    let (one, all) = check(usize::MAX);
    assert_eq!(one.len(), 1);
    assert!(all.len() > 20, "{}", all.len());
    for bytes in [1 << 20, 10_000, 300, 1] {
        let (batches, rows) = check(bytes);
        assert_eq!(rows, all);
        assert!(bytes > 10_000 || batches.len() > 1);
    }
    // With one byte every row set makes a batch, and transactions of several come in pieces.
    let (batches, _) = check(1);
    assert!(
        batches
            .iter()
            .flat_map(|b| &b.transactions)
            .any(|t| t.piece > 1)
    );
}

#[test]
fn what_is_filtered_still_counts() {
    let mut nothing = assembler(&["elsewhere.*"], 1 << 30, 0);
    let batches = batches(&mut nothing, 1 << 20).unwrap();
    let transactions: Vec<_> = batches.iter().flat_map(|b| &b.transactions).collect();
    assert!(!transactions.is_empty());
    let accounts_only = transactions
        .iter()
        .flat_map(|t| &t.changes)
        .all(|c| matches!(c, Change::Statement(_)));
    assert!(accounts_only, "no rows are left");
    assert_eq!(
        nothing
            .gtids()
            .map(|gtids| gtids.count_beyond(&Gtids::none(false))),
        Some(transactions.len() as u64)
    );
}

#[test]
fn a_row_over_the_limit_stops_with_its_place() {
    let error = batches(&mut assembler(&[], 1000, 0), 1 << 20).unwrap_err();
    assert_eq!(error.code, "row-too-large");
    assert!(
        error.position.is_some() && error.gtid.is_some() && error.table.is_some(),
        "{error:?}"
    );
}

#[test]
fn damage_stops_before_anything_of_the_event_is_handed_on() {
    let list = events();
    let rows_at = list.iter().position(|e| e[4] == 30).unwrap();
    let mut assembler = assembler(&[], 1 << 30, 0);
    for event in &list[..rows_at] {
        assembler.event(event).unwrap();
    }
    let read = assembler.gtids().cloned();
    let mut damaged = list[rows_at].to_vec();
    damaged[30] ^= 1;
    let error = assembler.event(&damaged).unwrap_err();
    assert_eq!(error.code, "binlog.checksum");
    assert!(
        error.position.is_some() && error.gtid.is_some() && error.hint.is_some(),
        "{error:?}"
    );
    assert_eq!(
        assembler.gtids().cloned(),
        read,
        "the transaction does not count as read"
    );
    let unknown = [&[0, 0, 0, 0, 200, 1, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0][..]].concat();
    let error = assembler_without_checksums().event(&unknown).unwrap_err();
    assert_eq!(error.code, "binlog.unknown-event");
}

/// Step, xid and numbers of changes of the records that are steps of XA branches, with batches of this size.
fn branches(max_bytes: usize) -> Vec<(XaStep, String, usize, bool)> {
    let mut assembler = assembler(&[], 1 << 30, 0);
    assembler.set_batch_bytes(max_bytes);
    let mut found = Vec::new();
    for event in events_until(FILE.len()) {
        // What follows in the file is another test's affair.
        if assembler.event(event).is_err() {
            break;
        }
    }
    assembler.abandon();
    while let Some(batch) = assembler.take_batch() {
        for record in batch.transactions {
            found.extend(
                record
                    .xa
                    .map(|xa| (xa.step, xa.xid, record.changes.len(), record.last)),
            );
        }
    }
    found
}

#[test]
fn each_piece_of_a_branch_says_what_it_is() {
    let whole = branches(1 << 20);
    let pieces = branches(1);
    assert!(!whole.is_empty());
    for (step, xid, changes, _) in &whole {
        let of_it = |piece: &&(XaStep, String, usize, bool)| piece.0 == *step && piece.1 == *xid;
        let sum: usize = pieces.iter().filter(of_it).map(|piece| piece.2).sum();
        assert_eq!(sum, *changes, "{step:?} {xid}");
        assert_eq!(pieces.iter().filter(of_it).filter(|p| p.3).count(), 1);
    }
    assert!(whole.iter().any(|branch| branch.0 == XaStep::Prepare));
}

fn assembler_without_checksums() -> Assembler {
    let state = State {
        server_uuid: String::new(),
        position: Position::default(),
        gtids: None,
        file_began: None,
        copy: None,
        aside: None,
        scope: None,
        temporary: datain_capture::temporary::TemporaryTables::default(),
    };
    Assembler::new(
        state,
        0,
        ChecksumAlgorithm::Off,
        TableFilter::new(&[], &[]).unwrap(),
        1 << 20,
    )
}
