//! Row sets: their statements, in packets that the target takes.

use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation, RowSet};
use datain_mysql_client::Stream;

use super::replies::Count;
use super::{Engine, Place};
use crate::mapping::Mapping;
use crate::settings;
use crate::statements::{self, Bounds, Check};

impl<S: Stream, H: BuildHasher + Default> Engine<S, H> {
    /// Writes the rows of a set, in the open group.
    pub(super) async fn row_set(
        &mut self,
        set: &RowSet,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let mapping = self.mapping(set.table).await?;
        self.write_rows(set, block, &mapping, place).await
    }

    /// The same for rows whose table is mapped already.
    pub(super) async fn write_rows(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mapping: &Rc<Mapping>,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let plans = self.written_cascades(set, block, mapping).await?;
        self.set_checks(set.flags, plans.is_some(), place);
        let bounds = Bounds {
            bytes: self.statement_bytes,
            // Where the target checks foreign keys, rows of one table may hang on each other, and their order counts.
            rows: if (self.foreign_key_checks || plans.is_some())
                && set.operation == Operation::Delete
            {
                1
            } else {
                1000
            },
        };
        // The statements of one row set are at most as large as the batch's block, so they may be held together.
        let mut list = Vec::new();
        statements::write(set, block, mapping, bounds, |statement| {
            list.push(statement);
            Ok(())
        })?;
        if let Some(group) = &mut self.group {
            group.totals.rows += u64::from(set.count);
        }
        // With plans each row has statements of its own.
        let mut plans = plans.unwrap_or_default().into_iter();
        let mut begins_row = true;
        for statement in list {
            let length = statement.sql.len();
            if length >= self.allowed_packet {
                return Err(self.statement_too_large(length, mapping));
            }
            if self.packet.len() + length >= self.allowed_packet {
                self.send_packet().await?;
            }
            if begins_row {
                for sql in plans.next().unwrap_or_default() {
                    self.push(&sql, Count::Any, Some(mapping), place);
                }
            }
            begins_row = statement.ends_row;
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
