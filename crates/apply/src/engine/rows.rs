//! Row sets: collected for their net effect ([`crate::net`]) or written as they come, in packets that the target takes.

use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::types::{Error, Operation, RowFlags, RowSet};
use datain_mysql_client::Stream;

use super::foreign_keys::left_to_the_target;
use super::lane::ROWS;
use super::replies::Count;
use super::{Engine, Place};
use crate::mapping::Mapping;
use crate::statements;

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// Writes the rows of a set behind the first `done`, in the open group.
    pub(super) async fn row_set(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mut done: u32,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let mapping = self.mapping(set.table).await?;
        if self.may_reduce(set.flags, &mapping).await? {
            if !self.open.suits(set, &mapping) {
                self.write_net(place).await?;
            }
            done = self.open.take(set, block, &mapping, done)?;
            if self.open.is_large() {
                self.write_net(place).await?;
            }
            if done == set.count {
                return Ok(());
            }
        }
        // What follows must find what was collected before.
        self.write_net(place).await?;
        if set.flags.contains(RowFlags::COPYING) {
            return self.write_copying(set, block, &mapping, done, place).await;
        }
        if self.open.as_written && self.open.repairs && mapping.target.has_key() {
            return self.repair_rows(set, block, &mapping, done, place).await;
        }
        self.write_rows(set, block, &mapping, done, place).await
    }

    /// Writes the rows of a set, but for the first `done`, of a table that is being copied.
    async fn write_copying(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mapping: &Rc<Mapping>,
        done: u32,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        self.lane.begin(place);
        self.lane.set_checks(false, place);
        let bounds = self.lane.bounds(1);
        let mut list = Vec::new();
        statements::write_copying(set, block, mapping, bounds, done, |statement| {
            list.push(statement);
            Ok(())
        })?;
        for statement in list {
            self.lane.push_statement(statement, mapping, place).await?;
        }
        if let Some(group) = &mut self.open.group {
            group.totals.rows += u64::from(set.count - done);
        }
        Ok(())
    }

    pub(super) async fn write_net(&mut self, place: &Rc<Place>) -> Result<(), Error> {
        // What follows is written on the first connection, behind everything that was collected before.
        self.settle().await?;
        let net = std::mem::take(&mut self.open.net);
        if net.is_empty() {
            return Ok(());
        }
        self.lane.begin(place);
        self.lane.write_net(&net, place).await
    }

    /// Writes the rows of a set, but for the first `done`, in their own order.
    pub(super) async fn write_rows(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mapping: &Rc<Mapping>,
        done: u32,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let plans = self.written_cascades(set, block, mapping).await?;
        self.lane.begin(place);
        self.lane
            .set_checks(left_to_the_target(set.flags) && plans.is_none(), place);
        // Where the target checks foreign keys, rows of one table may hang on each other, and their order counts.
        let ordered = self.lane.foreign_key_checks || plans.is_some();
        let alone = ordered && set.operation == Operation::Delete;
        let bounds = self.lane.bounds(if alone { 1 } else { ROWS });
        // The statements of one row set are at most as large as the batch's block, so they may be held together.
        let mut list = Vec::new();
        statements::write(set, block, mapping, bounds, done, |statement| {
            list.push(statement);
            Ok(())
        })?;
        if let Some(group) = &mut self.open.group {
            group.totals.rows += u64::from(set.count - done);
        }
        // With plans each row has statements of its own.
        let mut plans = plans.unwrap_or_default().into_iter();
        let mut begins_row = true;
        for statement in list {
            if begins_row {
                for sql in plans.next().unwrap_or_default() {
                    self.lane.push(&sql, Count::Any, Some(mapping), place);
                }
            }
            begins_row = statement.ends_row;
            self.lane.push_statement(statement, mapping, place).await?;
        }
        Ok(())
    }
}
