//! Rows events: all of one, or as many rows as are there of a large one, into the row block.

use datain_binlog::{RowsEvent, RowsFlags};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Error, Operation, RowFlags, RowSet};
use datain_row_block::ColumnKind;

use super::{Assembler, unreadable};
use crate::copying::Stage;

/// How far a reader of rows came.
pub(super) struct Taken {
    /// Bytes of the images that were used.
    pub(super) used: usize,
    /// How many the next row needs at least.
    pub(super) wanted: u64,
}

impl Assembler {
    /// Takes the rows that are there of a rows event, of which so many bytes are still to come.
    pub(super) fn rows(&mut self, event: &RowsEvent<'_>, follows: u64) -> Result<Taken, Error> {
        let nothing = Taken {
            used: event.images.len(),
            wanted: 0,
        };
        if event.is_dummy() {
            return Ok(nothing);
        }
        let malformed = |what: String| Error::fatal("binlog.malformed", what);
        if self.framing.open.is_none() {
            return Err(malformed(
                "rows were logged outside a transaction".to_owned(),
            ));
        }
        let Some(table) = self.tables.get(event.table_id) else {
            return Err(malformed(format!(
                "rows of table number {} came without a table map",
                event.table_id
            )));
        };
        let Some(columns) = &mut table.columns else {
            return Ok(nothing);
        };
        // A server that was restarted numbers its tables anew.
        columns.table_id = event.table_id;
        let stage = self.copying.stage(&table.schema, &table.name);
        let is_branch = self
            .framing
            .open
            .as_ref()
            .is_some_and(|open| open.xa.is_some());
        if stage != Stage::Whole && is_branch {
            return Err(Self::branch_meanwhile().in_table(&table.schema, &table.name));
        }
        if stage == Stage::Waiting {
            let gtid = self
                .framing
                .open
                .as_ref()
                .and_then(|open| open.gtid.as_ref());
            self.copying.passes(&table.schema, &table.name, gtid);
            return Ok(nothing);
        }
        if !table.announced {
            table.announced = true;
            self.framing.batches.add_table(table.record());
        }
        let (id, place) = (table.id, (table.schema.clone(), table.name.clone()));
        self.row_sets(event, id, follows, stage == Stage::Copying)
            .map_err(|e| e.in_table(&place.0, &place.1))
    }

    /// Decodes the rows of an event; an event that outgrows a batch becomes several row sets.
    fn row_sets(
        &mut self,
        event: &RowsEvent<'_>,
        id: u32,
        follows: u64,
        is_copying: bool,
    ) -> Result<Taken, Error> {
        let there = event.images.len();
        let framing = &mut self.framing;
        let table = self.tables.get(event.table_id);
        let Some((table, columns)) = table.and_then(|t| Some((&*t, t.columns.as_ref()?))) else {
            return Ok(Taken {
                used: there,
                wanted: 0,
            });
        };
        let mut decoder = event
            .rows(columns)
            .map_err(|e| unreadable(&e, &framing.at))?;
        loop {
            let max_bytes = framing.max_batch_bytes;
            let rows = framing.batches.rows();
            let start = rows.len();
            decoder.write_presence(rows);
            let mut count = 0;
            let mut end = None;
            while count == 0 || rows.len() < max_bytes {
                let row_at = rows.len();
                let left = decoder.remaining();
                match decoder.next_row(rows) {
                    Ok(true) => {}
                    Ok(false) => {
                        end = Some(Taken {
                            used: there,
                            wanted: 0,
                        });
                        break;
                    }
                    Err(error) => {
                        // More bytes help, unless the event does not have as many.
                        let missing = decoder
                            .shortfall(&error, left)
                            .filter(|wanted| *wanted <= left as u64 + follows);
                        let Some(wanted) = missing else {
                            return Err(unreadable(&error, &framing.at));
                        };
                        if wanted > self.max_row_bytes {
                            return Err(too_large(
                                &format!("at least {wanted}"),
                                self.max_row_bytes,
                            ));
                        }
                        end = Some(Taken {
                            used: there - left,
                            wanted,
                        });
                        break;
                    }
                }
                count += 1;
                let row_bytes = (rows.len() - row_at) as u64;
                if row_bytes > self.max_row_bytes {
                    return Err(too_large(&row_bytes.to_string(), self.max_row_bytes));
                }
            }
            if count == 0 {
                rows.truncate(start);
            } else {
                let length = rows.len() - start;
                let mut set = RowSet {
                    table: id,
                    operation: operation(event.operation),
                    count,
                    offset: u32::try_from(start).unwrap_or(u32::MAX),
                    length: u32::try_from(length).unwrap_or(u32::MAX),
                    flags: flags(event.flags),
                };
                let name = (table.schema.as_str(), table.name.as_str());
                let leads_on =
                    set.operation != Operation::Insert && self.copying.leads_on(name.0, name.1);
                // A table that was replicated before others were added goes on as it did: what its foreign keys do to other rows may not be in the log.
                let is_old = self
                    .added
                    .as_ref()
                    .is_some_and(|added| !added.matches(name.0, name.1));
                if framing.state.copy.is_some() && !leads_on && !is_old {
                    // Rows that they refer to may come later.
                    set.flags |= RowFlags::NO_FOREIGN_KEY_CHECKS;
                }
                if framing.state.copy.is_some() {
                    let kinds: Vec<ColumnKind> = columns.columns.iter().map(|c| c.kind).collect();
                    self.copying.must_stay(&set, name, rows, &kinds)?;
                    let moved = self.copying.note_moves(&set, name, rows, &kinds)?;
                    if let Some(place) = &mut framing.state.copy {
                        place.mark_moved(&moved);
                    }
                }
                if is_copying {
                    let kinds: Vec<u8> = columns.columns.iter().map(|c| c.kind.code()).collect();
                    set.flags |= self.copying.changed(&set, name, rows, &kinds)?;
                }
                framing.push(Change::Rows(set));
                framing.cut_if_full();
            }
            if let Some(taken) = end {
                return Ok(taken);
            }
        }
    }
}

fn too_large(bytes: &str, limit: u64) -> Error {
    Error::reconfigure(
        "row-too-large",
        format!("a row has {bytes} bytes, the limit is {limit}"),
    )
    .hint("raise limits.max_row_mib, and limits.memory_mib to several times that")
}

fn operation(operation: datain_row_block::Operation) -> Operation {
    match operation {
        datain_row_block::Operation::Insert => Operation::Insert,
        datain_row_block::Operation::Update => Operation::Update,
        datain_row_block::Operation::Delete => Operation::Delete,
    }
}

fn flags(logged: RowsFlags) -> RowFlags {
    let mut flags = RowFlags::empty();
    for (bit, flag) in [
        (
            RowsFlags::NO_FOREIGN_KEY_CHECKS,
            RowFlags::NO_FOREIGN_KEY_CHECKS,
        ),
        (RowsFlags::RELAXED_UNIQUE_CHECKS, RowFlags::NO_UNIQUE_CHECKS),
        (RowsFlags::USE_SQL_FOREIGN_KEY, RowFlags::CASCADES_LOGGED),
    ] {
        if logged.contains(bit) {
            flags |= flag;
        }
    }
    flags
}
