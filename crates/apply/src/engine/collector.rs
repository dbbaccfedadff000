//! The group that is being collected: needs no connection, so it goes on while the target works on the group before.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Checkpoint, Error, RowFlags, RowSet, Table, Transaction};

use super::foreign_keys::{Cascades, left_to_the_target};
use super::{Place, Totals};
use crate::checkpoint::{Applied, Clearing, Names};
use crate::mapping::Mapping;
use crate::net::Net;

/// Changes that take this much memory are written, so that a transaction larger than memory goes through.
const NET_BYTES: usize = 6 << 20;

/// What the group holds so far.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) totals: Totals,
    /// It holds the rows of a CREATE TABLE … SELECT, so that its checkpoint ends the statement's intent.
    pub(super) ends_intent: bool,
    /// Its newest transaction.
    pub(super) place: Rc<Place>,
    /// Where it can be committed; none in the middle of a transaction, or after one without a checkpoint.
    pub(super) checkpoint: Option<Checkpoint>,
    /// Its transactions, if it may be committed before older groups.
    pub(super) names: Names,
    /// It holds something of a first copy.
    pub(super) holds_copied: bool,
    /// What its checkpoint has to do to the notes of groups that an earlier writer has committed ahead.
    pub(super) clearings: Vec<Clearing>,
}

/// How much of a transaction record has been collected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Whole changes.
    changes: usize,
    /// Rows of the next one.
    pub(super) rows: u32,
}

impl Done {
    /// The changes that are not done, the first of them perhaps in part.
    pub(super) fn left_of<'t>(&self, transaction: &'t Transaction) -> &'t [Change] {
        transaction.changes.get(self.changes..).unwrap_or_default()
    }
}

/// Collects changes.
pub struct Collector<H> {
    pub(super) tables: HashMap<u32, Rc<Table>, H>,
    pub(super) mappings: HashMap<u32, Rc<Mapping>, H>,
    /// The target's foreign keys, once they were asked for.
    pub(super) cascades: Option<Rc<Cascades>>,
    /// Every change is written as the source made it, in its order.
    pub(super) as_written: bool,
    /// Rows that are not as the source had them are made so.
    pub(super) repairs: bool,
    /// Tables may lack keys: rows are found by all that they hold then.
    pub(super) may_lack_keys: bool,
    /// Changes of the group that are still to be written.
    pub(super) net: Net<H>,
    pub(super) group: Option<Group>,
    /// Groups may be committed before older ones.
    pub(super) goes_ahead: bool,
    /// What an earlier writer has committed before older groups.
    pub(super) applied: Applied,
}

impl<H: BuildHasher + Default> Default for Collector<H> {
    fn default() -> Self {
        Self {
            tables: HashMap::default(),
            mappings: HashMap::default(),
            cascades: None,
            as_written: false,
            repairs: false,
            may_lack_keys: false,
            net: Net::default(),
            group: None,
            goes_ahead: false,
            applied: Applied::default(),
        }
    }
}

impl<H: BuildHasher + Default> Collector<H> {
    /// Notes table records of a batch; must come before its transactions.
    pub fn add_tables(&mut self, tables: Vec<Table>) {
        for table in tables {
            self.mappings.remove(&table.id);
            self.tables.insert(table.id, Rc::new(table));
        }
    }

    /// Rows in the group, and bytes that are still to be written, if there is a group.
    #[must_use]
    pub fn size(&self) -> Option<(u64, usize)> {
        let group = self.group.as_ref()?;
        Some((group.totals.rows, self.net.bytes()))
    }

    /// Whether the group holds the rows of a CREATE TABLE … SELECT.
    pub(super) fn ends_intent(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.ends_intent)
    }

    /// Whether the group ends where a commit may stand.
    #[must_use]
    pub fn can_commit(&self) -> bool {
        self.group.as_ref().is_some_and(|g| g.checkpoint.is_some())
    }

    /// Adds as much of a transaction record to the group as can be had without the target. Returns whether that is all of it; if not, nothing else may be added
    /// before [`super::Engine::apply_from`] has gone on from `done`.
    ///
    /// # Errors
    /// `row-block.*` for malformed rows.
    pub fn collect(
        &mut self,
        transaction: &Transaction,
        block: &[u8],
        done: &mut Done,
    ) -> Result<bool, Error> {
        // Rows before a statement stay with it, in a group of their own.
        let is_statement = |change: &Change| matches!(change, Change::Statement(_));
        if transaction.xa.is_some() || transaction.changes.iter().any(is_statement) {
            return Ok(false);
        }
        let place = Place::of(transaction);
        if self.has_applied(transaction) {
            self.complete(transaction, &Rc::new(place));
            return Ok(true);
        }
        while let Some(change) = transaction.changes.get(done.changes) {
            if self.is_large() {
                return Ok(false);
            }
            let Change::Rows(set) = change else {
                return Ok(false);
            };
            let Some(mapping) = self.mappings.get(&set.table).cloned() else {
                return Ok(false);
            };
            if self.may_reduce(set.flags, &mapping) != Some(true) || !self.suits(set, &mapping) {
                return Ok(false);
            }
            // Until the transaction is complete, no commit may stand here.
            self.group.get_or_insert_default().checkpoint = None;
            let rows = self.take(set, block, &mapping, done.rows);
            done.rows = rows.map_err(|e| place.named(e))?;
            if done.rows < set.count {
                return Ok(false);
            }
            *done = Done {
                changes: done.changes + 1,
                rows: 0,
            };
        }
        self.complete(transaction, &Rc::new(place));
        Ok(true)
    }

    /// Whether rows of the set can be added to what is collected: the same table under another definition cannot, nor under other rules for foreign keys.
    pub(super) fn suits(&self, set: &RowSet, mapping: &Rc<Mapping>) -> bool {
        self.net
            .suits(set.table, mapping, left_to_the_target(set.flags))
    }

    /// What was collected should be written.
    pub(super) fn is_large(&self) -> bool {
        self.net.bytes() >= NET_BYTES
    }

    /// Whether rows with these flags may be collected, and written in another order than the source's. None if the target has to be asked.
    pub(super) fn may_reduce(&self, flags: RowFlags, mapping: &Mapping) -> Option<bool> {
        // Nothing is known of rows that cannot be told apart but the order of their changes.
        if self.as_written || !mapping.target.has_key() {
            return Some(false);
        }
        if !left_to_the_target(flags) {
            return Some(true);
        }
        Some(!self.cascades.as_ref()?.joins(&mapping.target))
    }

    /// Adds rows of a set behind the first `done`, as far as that can be done; returns how many are then done.
    pub(super) fn take(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mapping: &Rc<Mapping>,
        done: u32,
    ) -> Result<u32, Error> {
        let checked = left_to_the_target(set.flags);
        let taken = self.net.take(set, block, mapping, done, checked)?;
        if let Some(group) = &mut self.group {
            group.totals.rows += u64::from(taken - done);
        }
        Ok(taken)
    }

    /// Whether the transaction is in the target already, committed by an earlier writer before older ones.
    pub(super) fn has_applied(&mut self, transaction: &Transaction) -> bool {
        !is_copied(transaction) && self.applied.holds(transaction)
    }

    /// A transaction record is in the group.
    pub(super) fn complete(&mut self, transaction: &Transaction, place: &Rc<Place>) {
        let group = self.group.get_or_insert_default();
        group.place = Rc::clone(place);
        group.checkpoint.clone_from(&transaction.checkpoint);
        if transaction.last
            && (transaction.gtid.is_some()
                || transaction.piece > 0
                || !transaction.changes.is_empty())
        {
            group.totals.transactions += 1;
            if self.goes_ahead {
                group.names.add(transaction);
            }
        }
        group.holds_copied |= is_copied(transaction);
        if transaction.committed_at_micros > 0 {
            group.totals.last_commit_micros = transaction.committed_at_micros;
        }
    }

    /// Takes the group out, with its checkpoint and the changes that are still to be written, if it can be committed.
    pub(super) fn close(&mut self) -> Option<(Group, Checkpoint, Net<H>)> {
        let checkpoint = self.group.as_mut()?.checkpoint.take()?;
        let mut group = self.group.take()?;
        group.clearings = self.applied.take_changes();
        Some((group, checkpoint, std::mem::take(&mut self.net)))
    }
}

/// Whether it is no transaction of the source's, but a part of a first copy: after a crash there may be another one in its place.
fn is_copied(transaction: &Transaction) -> bool {
    transaction.gtid.is_none()
        && transaction.committed_at_micros == 0
        && !transaction.changes.is_empty()
}

impl Place {
    pub(super) fn of(transaction: &Transaction) -> Self {
        Self {
            file: transaction.file.clone(),
            offset: transaction.offset,
            gtid: transaction.gtid.clone(),
            committed_at_micros: transaction.committed_at_micros,
        }
    }

    pub(super) fn named(&self, error: Error) -> Error {
        error.at(&self.file, self.offset, self.gtid.as_deref())
    }
}
