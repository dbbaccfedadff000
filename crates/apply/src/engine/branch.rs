//! XA branches: kept at PREPARE, applied or forgotten later.
//!
//! Each step is a part of a group like any other change. At PREPARE the table records and row sets of the branch go into the table `xa_prepared`
//! ([`crate::checkpoint`]); tables are compared with the target's already then, so that a difference stops at the transaction that brings it. At COMMIT what is kept
//! is read back part by part and applied as if it came now: between the two the source holds the tables' definitions and the rows' locks, so both mean the same.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Error, RowSet, Transaction, XaBranch, XaStep};
use datain_mysql_client::{Outcome, Stream};
use datain_row_block::open_block;

use super::replies::Count;
use super::{Engine, Place};
use crate::checkpoint::{Part, PieceOf, Rows};
use crate::mapping::Mapping;

/// The longest xid: two parts of 64 bytes in hexadecimal digits, and a number.
const XID_BYTES: usize = 300;

/// A branch that is being kept; it may come in pieces.
#[derive(Debug)]
pub(super) struct Keeping {
    next_part: u64,
    /// Tables whose records are kept already.
    tables: BTreeSet<u32>,
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// Takes a transaction record, or a piece of one, that is a step of an XA branch.
    pub(super) async fn branch_step(
        &mut self,
        branch: &XaBranch,
        transaction: &Transaction,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        // Its rows are read back on this session, and written in the source's order.
        self.write_net(place).await?;
        self.lane.begin(place);
        let xid = branch.xid.as_str();
        if !xid.is_ascii() || xid.len() > XID_BYTES {
            return Err(Error::fatal("sink.contract", "an xid is not one"));
        }
        match branch.step {
            XaStep::Prepare => {
                if transaction.piece == 0 {
                    let forget = self.store.forget_branch_sql(xid);
                    self.lane.push(&forget, Count::Replaced, None, place);
                    let keep = self.store.keep_branch_sql(xid, &place.text());
                    self.lane.push(&keep, Count::Rows(1), None, place);
                    self.keeping = Some(Keeping {
                        next_part: 1,
                        tables: BTreeSet::new(),
                    });
                }
                for change in &transaction.changes {
                    if let Change::Rows(set) = change {
                        self.keep_rows(xid, set, block, place).await?;
                    }
                }
                Ok(())
            }
            XaStep::Commit => {
                self.commit_branch(xid, place).await?;
                for change in &transaction.changes {
                    if let Change::Rows(set) = change {
                        self.row_set(set, block, 0, place).await?;
                    }
                }
                Ok(())
            }
            XaStep::Rollback => {
                let forget = self.store.forget_branch_sql(xid);
                self.lane.push(&forget, Count::Any, None, place);
                Ok(())
            }
        }
    }

    async fn keep_rows(
        &mut self,
        xid: &str,
        set: &RowSet,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let mapping = self.mapping(set.table).await?;
        let (Some(keeping), Some(table)) = (&mut self.keeping, self.open.tables.get(&set.table))
        else {
            return Err(Error::fatal(
                "sink.contract",
                "a piece of an XA branch came without its beginning",
            ));
        };
        let bytes = open_block(block, set.offset, set.length)
            .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
        // The store is only names and numbers; a copy lets the parts be written one after another.
        let store = self.store.clone();
        let part = keeping.next_part;
        if keeping.tables.insert(set.table) {
            keeping.next_part += 1;
            let sql = store.keep_table_sql(PieceOf { xid, part }, table);
            self.lane.push(&sql, Count::Rows(1), Some(&mapping), place);
        }
        let version = block.first().copied().unwrap_or_default();
        let part = self.keeping.as_ref().map_or(part, |k| k.next_part);
        let mut parts = 0;
        for sql in store.keep_rows_sql(PieceOf { xid, part }, set, version, bytes) {
            parts += 1;
            self.lane.push(&sql, Count::Rows(1), Some(&mapping), place);
            if self.lane.packet.len() >= self.lane.statement_bytes {
                self.lane.send_packet().await?;
            }
        }
        if let Some(keeping) = &mut self.keeping {
            keeping.next_part += parts;
        }
        Ok(())
    }

    /// Applies what is kept of a branch, and forgets it.
    async fn commit_branch(&mut self, xid: &str, place: &Rc<Place>) -> Result<(), Error> {
        let damaged = || {
            Error::fatal(
                "checkpoint.xa-damaged",
                "what datain.xa_prepared holds of this XA branch is not what was written there",
            )
            .detail(format!("branch {xid}"))
            .hint("apply the branch's changes to the target by hand, then leave this transaction out with datain skip")
        };
        let mut tables: BTreeMap<u32, Rc<Mapping>> = BTreeMap::new();
        let mut open: Option<(Rows, Vec<u8>)> = None;
        let mut next = 0;
        loop {
            let query = self.store.read_branch_sql(PieceOf { xid, part: next });
            // What is on the way comes first on this session, and may be the branch itself.
            self.lane.send_packet().await?;
            self.lane.read_replies().await?;
            let Some(Outcome::Rows(parts)) = self.lane.session.query(&query).await?.pop() else {
                return Err(damaged());
            };
            if parts.rows.is_empty() {
                break;
            }
            for row in parts.rows {
                let (number, part) = Part::read(row).ok_or_else(damaged)?;
                if number != next {
                    return Err(damaged());
                }
                next += 1;
                match (part, &mut open) {
                    (Part::Branch, None) if number == 0 => {}
                    (Part::Table(table), None) if number > 0 => {
                        let mapping = self.map_table(&table).await?;
                        tables.insert(table.id, mapping);
                    }
                    (Part::Rows(rows, bytes), None) if number > 0 => open = Some((rows, bytes)),
                    (Part::More(more), Some((_, bytes))) => bytes.extend_from_slice(&more),
                    _ => return Err(damaged()),
                }
                if let Some((rows, bytes)) = open.take_if(|(rows, b)| b.len() >= rows.bytes) {
                    let set = rows.row_set().filter(|_| bytes.len() == rows.bytes);
                    let (Some(set), Some(mapping)) = (set, tables.get(&rows.table)) else {
                        return Err(damaged());
                    };
                    self.write_rows(&set, &bytes, mapping, 0, place).await?;
                }
            }
        }
        if next == 0 {
            return Err(unknown(xid));
        }
        if open.is_some() {
            return Err(damaged());
        }
        let forget = self.store.forget_branch_sql(xid);
        self.lane.push(&forget, Count::Rows(next), None, place);
        Ok(())
    }
}

fn unknown(xid: &str) -> Error {
    Error::fatal(
        "source.xa-unknown",
        "the source committed an XA branch that was prepared before this pipeline began, so its rows were never seen",
    )
    .detail(format!("branch {xid}"))
    .hint("take a new first copy, or apply the branch's changes to the target by hand and leave this transaction out with datain skip; before the next start end all branches that XA RECOVER shows on the source")
}
