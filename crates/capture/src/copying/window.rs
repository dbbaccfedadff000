//! Where a table's rows and the changes of the stream meet.
//!
//! Of a table that is being copied the target always has some of the rows that the source had at the stream's place, each as it was then. A chunk of rows is read while the
//! stream stands still at a place that its snapshot covers. Before it is handed on, the stream goes on to where the source stood after the reading. Whatever the stream changes
//! in between may be in the chunk or not: such rows are taken out of it, for a sink inserts them when it is told of the change
//! ([`RowFlags::COPYING`]). What is left has not changed meanwhile, and is as it is at the stream's new place.
//!
//! A table that is read in one go ([`super::whole`]) waits until all of it is handed on.
//!
//! Rows are known by the bytes of their keys. Each version of a row that the chunk can hold stands in the log with just these bytes, as what a change has made, or as what
//! one has found; so two keys that differ in bytes and are equal for the server do no harm.

use std::collections::{HashMap, HashSet};

use datain_binlog::{Gtid, GtidSet};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation, RowFlags, RowSet};
use datain_row_block::{
    ColumnKind, JsonChanges, Operation as BlockOperation, RowSetReader, RowSetWriter, Value,
    begin_block, open_block,
};
use datain_table_scan::TableDefinition;

/// Keys that the stream has brought to the target are remembered up to so many; then nothing is known of what is there.
const MOST_KNOWN: usize = 50_000;

/// What is to be done with a table's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// None of its rows is on the target: changes are left out, for the rows are read later.
    Waiting,
    /// Some are.
    Copying,
    /// All are, or it is not copied at all.
    Whole,
}

/// The tables that a copy has not finished.
#[derive(Debug, Default)]
pub struct Copying {
    /// What there is to copy is not known yet: every table waits.
    everything: bool,
    waiting: HashSet<(String, String)>,
    /// A table of which a snapshot was taken.
    watched: Option<Watched>,
    active: Option<Active>,
}

/// A table of which a snapshot was taken that holds these transactions, and maybe others.
#[derive(Debug)]
struct Watched {
    schema: String,
    name: String,
    low: GtidSet,
    /// Another one has changed it.
    touched: bool,
}

/// The table that is being copied.
#[derive(Debug)]
struct Active {
    table: TableDefinition,
    kinds: Vec<ColumnKind>,
    /// Keys of rows that the stream has brought to the target; none if that is not known.
    known: Option<HashSet<Vec<u8>>>,
    chunk: Option<Chunk>,
}

/// Rows that were read and are not handed on yet.
#[derive(Debug)]
struct Chunk {
    /// Their images, with all columns.
    images: Vec<u8>,
    /// Where each begins, by its key; without those that the stream has changed since.
    rows: HashMap<Vec<u8>, (usize, usize)>,
    /// The keys in the order of reading.
    order: Vec<Vec<u8>>,
}

/// Rows to hand on.
#[derive(Debug)]
pub struct Rows {
    /// Their images, with all columns.
    pub images: Vec<u8>,
    /// How many they are.
    pub count: u32,
    /// Some may be on the target already.
    pub may_be_there: bool,
}

impl Copying {
    /// All of these tables are still to be copied.
    pub fn of(tables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            waiting: tables.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Every table is, whichever there are.
    pub fn everything() -> Self {
        Self {
            everything: true,
            ..Self::default()
        }
    }

    /// Begins a table, or goes on with it; then what the target has of it is not known.
    pub fn begin(&mut self, table: TableDefinition, goes_on: bool) {
        self.waiting
            .remove(&(table.schema.clone(), table.name.clone()));
        self.active = Some(Active {
            kinds: table.kinds(),
            table,
            known: (!goes_on).then(HashSet::new),
            chunk: None,
        });
    }

    /// The table that is being copied is whole.
    pub fn end(&mut self) {
        self.active = None;
    }

    /// What is to be done with changes of a table.
    pub fn stage(&self, schema: &str, name: &str) -> Stage {
        if let Some(active) = &self.active
            && active.table.schema == schema
            && active.table.name == name
        {
            return Stage::Copying;
        }
        if self.everything || self.waiting.contains(&(schema.to_owned(), name.to_owned())) {
            Stage::Waiting
        } else {
            Stage::Whole
        }
    }

    /// From now on it is noticed if the stream changes this table, but by transactions of the set.
    pub fn watch(&mut self, schema: &str, name: &str, low: GtidSet) {
        self.watched = Some(Watched {
            schema: schema.to_owned(),
            name: name.to_owned(),
            low,
            touched: false,
        });
    }

    /// Nothing needs to be noticed any more.
    pub fn watch_no_more(&mut self) {
        self.watched = None;
    }

    /// A transaction changes a table that waits.
    pub fn passes(&mut self, schema: &str, name: &str, gtid: Option<&Gtid>) {
        if let Some(watched) = &mut self.watched
            && watched.schema == schema
            && watched.name == name
            && !gtid.is_some_and(|gtid| watched.low.contains(gtid))
        {
            watched.touched = true;
        }
    }

    /// Whether the table that is watched was changed.
    pub fn was_touched(&self) -> bool {
        self.watched.as_ref().is_some_and(|watched| watched.touched)
    }

    /// A table that was read in one go is whole.
    pub fn end_whole(&mut self, schema: &str, name: &str) {
        self.watched = None;
        self.waiting.remove(&(schema.to_owned(), name.to_owned()));
    }

    /// Takes a chunk in: images with all columns.
    ///
    /// # Errors
    /// `row-block.malformed`, for images that are none of the table's.
    pub fn hold(&mut self, images: Vec<u8>, count: u32) -> Result<(), Error> {
        let Some(active) = &mut self.active else {
            return Ok(());
        };
        let key = active.table.scan_key.clone().ok_or_else(no_key)?;
        let mut block = Vec::new();
        begin_block(&mut block);
        let present = vec![true; active.kinds.len()];
        RowSetWriter::begin(&mut block, BlockOperation::Insert, None, Some(&present));
        let head = block.len();
        block.extend_from_slice(&images);
        let mut reader =
            RowSetReader::new(&active.kinds, BlockOperation::Insert, count, &block[1..])
                .map_err(malformed)?;
        let mut rows = HashMap::new();
        let mut order = Vec::new();
        let mut at = head;
        while let Some(row) = reader.next_row().map_err(malformed)? {
            let Some(image) = row.after else { continue };
            let length = image.as_bytes().len();
            let key = key.of_image(&active.table, &image).ok_or_else(no_key)?;
            rows.insert(key.clone(), (at - head, at - head + length));
            order.push(key);
            at += length;
        }
        active.chunk = Some(Chunk {
            images,
            rows,
            order,
        });
        Ok(())
    }

    /// Looks at rows that the stream has changed in the table that is being copied; returns what the sink is told of them besides.
    ///
    /// # Errors
    /// `row.partial-image` where the log does not hold what is needed; `row-block.malformed`.
    pub fn changed(&mut self, set: &RowSet, block: &[u8], kinds: &[u8]) -> Result<RowFlags, Error> {
        let Some(active) = &mut self.active else {
            return Ok(RowFlags::empty());
        };
        if !kinds
            .iter()
            .copied()
            .eq(active.kinds.iter().map(|kind| kind.code()))
        {
            return Err(changed_meanwhile());
        }
        let key = active.table.scan_key.clone().ok_or_else(no_key)?;
        let operation = match set.operation {
            Operation::Insert => BlockOperation::Insert,
            Operation::Update => BlockOperation::Update,
            Operation::Delete => BlockOperation::Delete,
        };
        let bytes = open_block(block, set.offset, set.length)
            .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
        let mut reader =
            RowSetReader::new(&active.kinds, operation, set.count, bytes).map_err(malformed)?;
        while let Some(row) = reader.next_row().map_err(malformed)? {
            for (image, is_there) in [(row.before, false), (row.after, true)] {
                let Some(image) = image else { continue };
                if is_there && set.operation == Operation::Update {
                    let whole = (0..active.kinds.len()).all(|column| match image.get(column) {
                        Some(Value::Bytes(bytes)) if active.kinds[column] == ColumnKind::Json => {
                            JsonChanges::of(bytes).is_none()
                        }
                        value => value.is_some(),
                    });
                    if !whole {
                        return Err(partial());
                    }
                }
                let key = key.of_image(&active.table, &image).ok_or_else(partial)?;
                if let Some(chunk) = &mut active.chunk {
                    chunk.rows.remove(&key);
                }
                if let Some(known) = &mut active.known {
                    if is_there {
                        known.insert(key);
                    } else {
                        known.remove(&key);
                    }
                }
            }
        }
        if active
            .known
            .as_ref()
            .is_some_and(|known| known.len() > MOST_KNOWN)
        {
            active.known = None;
        }
        Ok(match set.operation {
            // The target has no such row: the source had none either.
            Operation::Insert => RowFlags::empty(),
            Operation::Update | Operation::Delete => RowFlags::COPYING,
        })
    }

    /// The rows of the chunk that have not changed since it was read, and that the stream has not brought to the target before.
    pub fn release(&mut self) -> Rows {
        let mut rows = Rows {
            images: Vec::new(),
            count: 0,
            may_be_there: false,
        };
        let Some(active) = &mut self.active else {
            return rows;
        };
        let Some(chunk) = active.chunk.take() else {
            return rows;
        };
        rows.may_be_there = active.known.is_none();
        for key in chunk.order {
            let Some((begin, end)) = chunk.rows.get(&key) else {
                continue;
            };
            // It is there, and is not read again.
            if active
                .known
                .as_mut()
                .is_some_and(|known| known.remove(&key))
            {
                continue;
            }
            rows.images
                .extend_from_slice(chunk.images.get(*begin..*end).unwrap_or_default());
            rows.count += 1;
        }
        rows
    }
}

fn malformed(error: impl std::fmt::Display) -> Error {
    Error::fatal("row-block.malformed", error.to_string())
}

/// The error of a table whose rows cannot be told apart.
pub fn no_key() -> Error {
    Error::reconfigure(
        "snapshot.no-key",
        "a table has neither a primary key nor a unique one over whole columns that are NOT NULL: its rows cannot be told apart while they are copied",
    )
    .hint("give it a primary key on the source, or exclude it; or have it copied in one go, and its rows found by all that they hold: [check] allow = [\"no-primary-key\"]")
}

fn partial() -> Error {
    Error::reconfigure(
        "row.partial-image",
        "a row of a table that is being copied was changed, and the log does not hold all of its columns",
    )
    .hint("SET PERSIST binlog_row_image = FULL on the source, and reconnect its sessions, before the first copy; then remove the pipeline and copy anew")
}

/// The error of a definition that was changed while its table was being copied.
pub fn changed_meanwhile() -> Error {
    Error::resnapshot(
        "snapshot.definition-changed",
        "a definition was changed on the source before the first copy was complete",
    )
    .hint("nothing wrong was written, and nothing more will be: datain remove -c FILE, drop what was copied on the target, and start again; change no definitions before the copy is complete")
}
