//! The envelope around a row: what it was, what it became, and where that stands in the source's log.

use std::collections::HashMap;

use datain_row_block::{Operation, Row};
use serde::Serialize;

use crate::Unwritable;
use crate::table::Table;
use crate::value::Object;

/// The source's transaction that a change belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Transaction<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// Its GTID, where it has one.
    pub gtid: Option<&'a str>,
    /// The file of the binary log in which it begins.
    pub file: &'a str,
    /// The offset there.
    pub offset: u64,
    /// When it was committed, microseconds since 1970; 0 if that is not known.
    pub committed_at_micros: u64,
    /// The XA branch that its rows belong to, which is prepared and not committed.
    pub xid: Option<&'a str>,
}

/// How an XA branch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BranchEnd {
    /// The rows that were printed with its xid are committed.
    Commit,
    /// They never were, and never will be.
    Rollback,
}

impl Transaction<'_> {
    /// What it is called: its GTID, else `file:offset`. The same whenever it is read from the same server.
    #[must_use]
    pub fn id(&self) -> String {
        match self.gtid {
            Some(gtid) => gtid.to_owned(),
            None => format!("{}:{}", self.file, self.offset),
        }
    }
}

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Its number among rows that were logged together, from 0.
    pub row: u64,
    /// Its number in its transaction, from 1.
    pub total_order: u64,
    /// Its number among the rows of its table in its transaction, from 1.
    pub data_collection_order: u64,
    /// The time now, milliseconds since 1970.
    pub now_millis: u64,
}

/// Counts the rows of one transaction.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    total: u64,
    by_table: HashMap<u32, u64>,
}

impl Orders {
    /// The next row's numbers in its transaction and among those of its table, both from 1.
    pub fn next(&mut self, table: u32) -> (u64, u64) {
        self.total += 1;
        let of_table = self.by_table.entry(table).or_default();
        *of_table += 1;
        (self.total, *of_table)
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    before: Option<Object<'a>>,
    after: Option<Object<'a>>,
    source: Source<'a>,
    op: &'static str,
    ts_ms: u64,
    transaction: Order<'a>,
}

#[derive(Serialize)]
struct Order<'a> {
    id: &'a str,
    total_order: u64,
    data_collection_order: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    xid: Option<&'a str>,
}

#[derive(Serialize)]
struct EndOfBranch<'a> {
    source: Source<'a>,
    ts_ms: u64,
    xa: Branch<'a>,
}

#[derive(Serialize)]
struct Branch<'a> {
    xid: &'a str,
    end: &'static str,
}

/// Where a change comes from. The fields are those of Debezium's connector, also where datain has nothing to put into them.
#[derive(Serialize)]
pub(crate) struct Source<'a> {
    version: &'static str,
    connector: &'static str,
    name: &'a str,
    ts_ms: u64,
    ts_us: u64,
    snapshot: &'static str,
    db: &'a str,
    table: Option<&'a str>,
    server_id: u32,
    gtid: Option<&'a str>,
    file: &'a str,
    pos: u64,
    row: u64,
    thread: Option<u64>,
    query: Option<&'a str>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(
        transaction: &Transaction<'a>,
        db: &'a str,
        table: Option<&'a str>,
        row: u64,
    ) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            connector: "mysql",
            name: transaction.pipeline,
            ts_ms: transaction.committed_at_micros / 1000,
            ts_us: transaction.committed_at_micros,
            snapshot: "false",
            db,
            table,
            server_id: 0,
            gtid: transaction.gtid,
            file: transaction.file,
            pos: transaction.offset,
            row,
            thread: None,
            query: None,
        }
    }
}

/// Appends the line of a row, with its newline. `id` is the transaction's ([`Transaction::id`]), which is made once for all of its rows. After an error
/// `out` is as before.
///
/// # Errors
/// For values that are not what their columns say.
pub fn write_row(
    out: &mut Vec<u8>,
    transaction: &Transaction<'_>,
    id: &str,
    table: &Table,
    operation: Operation,
    row: &Row<'_, '_>,
    place: &Place,
) -> Result<(), Unwritable> {
    let object = |image| Object { table, image };
    let envelope = Envelope {
        before: row.before.map(object),
        after: row.after.map(object),
        source: Source::new(transaction, &table.schema, Some(&table.name), place.row),
        op: match operation {
            Operation::Insert => "c",
            Operation::Update => "u",
            Operation::Delete => "d",
        },
        ts_ms: place.now_millis,
        transaction: Order {
            id,
            total_order: place.total_order,
            data_collection_order: place.data_collection_order,
            xid: transaction.xid,
        },
    };
    write_line(out, &envelope)
}

/// Appends the line of an XA branch's end, with its newline. `transaction` is that of the end.
///
/// # Errors
/// None that bytes from outside can cause.
pub fn write_branch_end(
    out: &mut Vec<u8>,
    transaction: &Transaction<'_>,
    xid: &str,
    end: BranchEnd,
    now_millis: u64,
) -> Result<(), Unwritable> {
    let line = EndOfBranch {
        source: Source::new(transaction, "", None, 0),
        ts_ms: now_millis,
        xa: Branch {
            xid,
            end: match end {
                BranchEnd::Commit => "commit",
                BranchEnd::Rollback => "rollback",
            },
        },
    };
    write_line(out, &line)
}

/// Appends `value` and a newline; nothing after an error.
pub(crate) fn write_line(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Unwritable> {
    let start = out.len();
    match serde_json::to_writer(&mut *out, value) {
        Ok(()) => {
            out.push(b'\n');
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(Unwritable(error.to_string()))
        }
    }
}
