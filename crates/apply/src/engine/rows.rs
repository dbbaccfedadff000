//! Row sets: collected for their net effect ([`crate::net`]) or written as they come, in packets that the target takes.

use std::hash::BuildHasher;
use std::mem;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation, RowSet};
use datain_mysql_client::Stream;

use super::foreign_keys::left_to_the_target;
use super::replies::Count;
use super::{Engine, Place};
use crate::mapping::Mapping;
use crate::net::Limits;
use crate::settings;
use crate::statements::{self, Bounds, Check, Statement};

/// Rows in one statement.
const ROWS: u64 = 1000;

/// Changes that take this much memory are written, so that a transaction larger than memory goes through.
const NET_BYTES: usize = 4 << 20;

impl<S: Stream, H: BuildHasher + Default> Engine<S, H> {
    /// Writes the rows of a set, in the open group.
    pub(super) async fn row_set(
        &mut self,
        set: &RowSet,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let mapping = self.mapping(set.table).await?;
        let mut taken = 0;
        if self.may_reduce(set.flags, &mapping).await? {
            if !self.net.suits(&mapping) {
                self.write_net(place).await?;
            }
            taken = self.net.take(set, block, &mapping)?;
            if let Some(group) = &mut self.group {
                group.totals.rows += u64::from(taken);
            }
            if self.net.bytes() >= NET_BYTES {
                self.write_net(place).await?;
            }
            if taken == set.count {
                return Ok(());
            }
        }
        // What follows must find what was collected before.
        self.write_net(place).await?;
        if self.as_written && self.repairs {
            return self.repair_rows(set, block, &mapping, taken, place).await;
        }
        self.write_rows(set, block, &mapping, taken, place).await
    }

    /// Writes what was collected.
    pub(super) async fn write_net(&mut self, place: &Rc<Place>) -> Result<(), Error> {
        if self.net.is_empty() {
            return Ok(());
        }
        let limits = Limits {
            bounds: Bounds {
                bytes: self.statement_bytes,
                rows: ROWS,
            },
            knows_values: self.session.server_version().is_mysql_since(8, 0, 19),
        };
        // No table under foreign keys that the target looks after is among them.
        self.set_checks(false, place);
        let mut net = mem::take(&mut self.net);
        for table in net.drain() {
            let mut list = Vec::new();
            table.write(limits, |statement| {
                list.push(statement);
                Ok(())
            })?;
            let mapping = Rc::clone(table.mapping());
            drop(table);
            for statement in list {
                self.push_statement(statement, &mapping, place).await?;
            }
        }
        Ok(())
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
        self.set_checks(left_to_the_target(set.flags) && plans.is_none(), place);
        let bounds = Bounds {
            bytes: self.statement_bytes,
            // Where the target checks foreign keys, rows of one table may hang on each other, and their order counts.
            rows: if (self.foreign_key_checks || plans.is_some())
                && set.operation == Operation::Delete
            {
                1
            } else {
                ROWS
            },
        };
        // The statements of one row set are at most as large as the batch's block, so they may be held together.
        let mut list = Vec::new();
        statements::write(set, block, mapping, bounds, done, |statement| {
            list.push(statement);
            Ok(())
        })?;
        if let Some(group) = &mut self.group {
            group.totals.rows += u64::from(set.count - done);
        }
        // With plans each row has statements of its own.
        let mut plans = plans.unwrap_or_default().into_iter();
        let mut begins_row = true;
        for statement in list {
            if begins_row {
                for sql in plans.next().unwrap_or_default() {
                    self.push(&sql, Count::Any, Some(mapping), place);
                }
            }
            begins_row = statement.ends_row;
            self.push_statement(statement, mapping, place).await?;
        }
        Ok(())
    }

    /// Puts a statement into the packet, which is sent when it is full.
    pub(super) async fn push_statement(
        &mut self,
        statement: Statement,
        mapping: &Rc<Mapping>,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let length = statement.sql.len();
        if length >= self.allowed_packet {
            return Err(self.statement_too_large(length, mapping));
        }
        if self.packet.len() + length >= self.allowed_packet {
            self.send_packet().await?;
        }
        let rows = statement.rows;
        let (count, guard) = match statement.check {
            Check::Strict => (Count::Rows(rows), None),
            Check::Documents => (Count::Documents(rows), None),
            Check::ReadBack(guard) => (Count::Lenient(rows), Some(guard)),
        };
        if guard.is_some() {
            self.push(settings::LENIENT, Count::Any, None, place);
        }
        self.push_owned(statement.sql, count, Some(mapping), place);
        if let Some(guard) = guard {
            if self.packet.len() + guard.len() >= self.allowed_packet {
                self.send_packet().await?;
            }
            self.push_owned(guard, Count::Guard, Some(mapping), place);
            self.push(settings::STRICT, Count::Any, None, place);
        }
        if self.packet.len() >= self.statement_bytes {
            self.send_packet().await?;
        }
        Ok(())
    }

    /// The server would say so too, but it may close the connection before it is heard.
    fn statement_too_large(&self, length: usize, mapping: &Mapping) -> Error {
        Error::reconfigure(
            "server.packet-too-large",
            format!(
                "the statement for one row has {length} bytes, and the target takes packets of up to {}",
                self.allowed_packet
            ),
        )
        .hint("raise max_allowed_packet on the target (SET PERSIST max_allowed_packet = …, at most 1 GiB)")
        .in_table(&mapping.target.schema, &mapping.target.name)
    }
}
