//! Rows that are read again, since foreign keys may have moved them without a word in the log.

use std::collections::BTreeSet;

use datain_contract::types::{Error, Operation, RowSet};
use datain_row_block::ColumnKind;

use super::{Copying, Name, malformed, rows_of};
use crate::copying::moved::{Moved, ReadAgain};

impl Copying {
    /// Notes what a change of parents may have moved in tables that are being copied; returns those tables.
    ///
    /// # Errors
    /// `snapshot.key-unwritable`; `row-block.malformed`.
    pub fn note_moves(
        &mut self,
        set: &RowSet,
        (schema, name): (&str, &str),
        block: &[u8],
        kinds: &[ColumnKind],
    ) -> Result<BTreeSet<Name>, Error> {
        let name = (schema.to_owned(), name.to_owned());
        let mut moved = BTreeSet::new();
        if set.operation != Operation::Update || !self.links.moves.has(&name) {
            return Ok(moved);
        }
        let mut reader = rows_of(set, block, kinds)?;
        while let Some(row) = reader.next_row().map_err(malformed)? {
            let (Some(before), Some(after)) = (row.before, row.after) else {
                continue;
            };
            let active = &mut self.active;
            self.links
                .moves
                .of_change(&name, &before, &after, |moving| {
                    let table = moving.table;
                    let mut active = active.iter_mut();
                    if let Some(active) = active.find(|active| active.is(&table.0, &table.1)) {
                        // It is not the log alone any more that says which rows the target has.
                        active.known = None;
                        if active.moved.note(moving) {
                            moved.insert(table.clone());
                        }
                    }
                })?;
        }
        Ok(moved)
    }

    /// Whether rows of the table should be read again now.
    pub(in crate::copying) fn wants_again(&self, name: &Name) -> bool {
        self.moved(name).is_some_and(Moved::wants)
    }

    /// Takes out what is to be read again of the table now.
    pub(in crate::copying) fn take_again(&mut self, name: &Name) -> Option<ReadAgain> {
        self.find(&name.0, &name.1)?.moved.take()
    }

    /// Whether rows of the table are still to be read again, or to be handed on once more.
    pub(in crate::copying) fn is_moved(&self, name: &Name) -> bool {
        self.moved(name).is_some_and(|moved| !moved.is_settled())
    }

    fn moved(&self, name: &Name) -> Option<&Moved> {
        let mut active = self.active.iter();
        let active = active.find(|active| active.is(&name.0, &name.1));
        active.map(|active| &active.moved)
    }

    /// The last chunk is handed on of all that was to be read, or of what was read again. Returns whether the table is whole.
    pub(in crate::copying) fn last_chunk(&mut self, name: &Name, was_again: bool) -> bool {
        let Some(active) = self.find(&name.0, &name.1) else {
            return true;
        };
        if was_again {
            active.moved.were_handed_on();
        } else {
            active.moved.was_read_to_its_end();
        }
        active.moved.is_whole()
    }
}
