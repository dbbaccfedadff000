//! Where a table's rows and the changes of the stream meet.
//!
//! Of a table that is being copied the target always has some of the rows that the source had at the stream's place, each as it was then. The reading of a chunk of rows begins at a place
//! of the stream that its snapshot covers, and the stream goes on meanwhile. Before the chunk is handed on, the stream has come to where the source stood after the reading. Whatever the
//! stream changes in between may be in the chunk or not: such rows are taken out of it, for a sink inserts them when it is told of the change
//! ([`RowFlags::COPYING`]). What is left has not changed meanwhile, and is as it is at the stream's new place. While a chunk is being read, nobody knows which rows it will have, so
//! all keys that the stream changes in its table are noted.
//!
//! A table that is read in one go ([`super::whole`]) waits until all of it is handed on.
//!
//! Rows are known by the bytes of their keys. But for what foreign keys change without a word ([`super::moves`]), each version of a row that the chunk can hold stands in the log with just these bytes, as what a change has made, or as what
//! one has found; so two keys that differ in bytes and are equal for the server do no harm.

mod again;

use std::collections::{HashMap, HashSet, VecDeque};

use datain_binlog::GtidSet;
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation, RowFlags, RowSet};
use datain_row_block::{
    ColumnKind, JsonChanges, Operation as BlockOperation, RowSetReader, RowSetWriter, Value,
    begin_block, open_block,
};
use datain_sql_statement::TableFilter;
use datain_table_scan::TableDefinition;

use crate::gtids::TransactionGtid;

use super::families::{Acts, Circle, Links, in_circle};
use super::keys::Keys;
use super::moved::Moved;

/// Of a table so many chunks may wait for the stream.
pub(super) const MOST_CHUNKS: usize = 2;

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

/// A table's schema and name.
pub type Name = (String, String);

/// Of a table that goes on after a restart: whether rows may have been moved into the part of it that was read, without a word in the log.
#[derive(Debug, Clone, Copy)]
pub struct WasMoved(pub bool);

/// The tables that a copy has not finished.
#[derive(Debug, Default)]
pub struct Copying {
    /// What there is to copy is not known yet: every table waits.
    everything: bool,
    /// But what this takes, which is replicated already.
    but: Option<TableFilter>,
    waiting: HashSet<Name>,
    /// A table of which a snapshot was taken.
    watched: Option<Watched>,
    /// What changes rows without a word in the log.
    links: Links,
    active: Vec<Active>,
}

/// A table of which a snapshot was taken that holds these transactions, and maybe others.
#[derive(Debug)]
struct Watched {
    name: Name,
    low: GtidSet,
    /// Another one has changed it.
    touched: bool,
}

/// A table that is being copied.
#[derive(Debug)]
struct Active {
    table: TableDefinition,
    /// Its id in records of the stream.
    id: u32,
    kinds: Vec<ColumnKind>,
    /// Keys of rows that the stream has brought to the target; none if that is not known.
    known: Option<Keys>,
    /// Keys that the stream has changed since the reading of a chunk began; none while none is read.
    touched: Option<Keys>,
    /// In the order of reading.
    chunks: VecDeque<Chunk>,
    /// What is to be read again.
    moved: Moved,
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
    /// The table's id in records of the stream.
    pub table: u32,
    /// How many columns it has.
    pub columns: usize,
    /// Their images, with all columns.
    pub images: Vec<u8>,
    /// How many they are.
    pub count: u32,
    /// Some may be on the target already.
    pub may_be_there: bool,
}

impl Copying {
    /// All of these tables are still to be copied.
    pub fn of(tables: impl IntoIterator<Item = Name>, links: Links) -> Self {
        Self {
            waiting: tables.into_iter().collect(),
            links,
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

    /// The same, but what this filter takes is whole.
    pub fn everything_but(before: TableFilter) -> Self {
        Self {
            but: Some(before),
            ..Self::everything()
        }
    }

    /// Whether some tables' rows change with those of others without a word in the log.
    pub fn has_links(&self) -> bool {
        !self.links.followers.is_empty()
    }

    /// Begins a table, which has this id in records of the stream, or goes on with it; then what the target has of it is not known.
    ///
    /// `goes_on` says so, and whether rows may have been moved into the part that was read.
    pub fn begin(&mut self, table: TableDefinition, id: u32, goes_on: Option<WasMoved>) {
        self.waiting
            .remove(&(table.schema.clone(), table.name.clone()));
        self.active.push(Active {
            kinds: table.kinds(),
            table,
            id,
            known: goes_on.is_none().then(Keys::default),
            touched: None,
            chunks: VecDeque::new(),
            moved: goes_on.map_or_else(Moved::default, |was| Moved::goes_on(was.0)),
        });
    }

    /// The table is whole.
    pub fn end(&mut self, name: &Name) {
        self.active.retain(|active| !active.is(&name.0, &name.1));
    }

    /// What is to be done with changes of a table.
    pub fn stage(&self, schema: &str, name: &str) -> Stage {
        if self.active.iter().any(|active| active.is(schema, name)) {
            return Stage::Copying;
        }
        let but = self.but.as_ref();
        let is_unknown = self.everything && !but.is_some_and(|but| but.matches(schema, name));
        if is_unknown || self.waiting.contains(&(schema.to_owned(), name.to_owned())) {
            Stage::Waiting
        } else {
            Stage::Whole
        }
    }

    /// Whether the target has rows of other tables that have to change with the table's.
    pub fn leads_on(&self, schema: &str, name: &str) -> bool {
        let name = (schema.to_owned(), name.to_owned());
        let circle = self.circle_at_hand(&name);
        let inside =
            |follower: &Name| circle.is_some_and(|circle| circle.tables.contains(follower));
        let followers = self.links.followers.get(&name).into_iter().flatten();
        let mut outside = followers.filter(|follower| !inside(follower));
        outside.any(|(schema, name)| self.stage(schema, name) != Stage::Waiting)
    }

    /// The circle of the table, if not all of its tables are whole.
    fn circle_at_hand(&self, name: &Name) -> Option<&Circle> {
        let circle = self.links.circles.get(name)?;
        self.is_at_hand(circle).then_some(circle)
    }

    /// Whether some tables of the circle are being copied.
    fn is_at_hand(&self, circle: &Circle) -> bool {
        let is_open = |active: &Active| {
            let mut tables = circle.tables.iter();
            tables.any(|(schema, name)| active.is(schema, name))
        };
        self.active.iter().any(is_open)
    }

    /// Refuses changes that lead from one table of a circle to another while they are copied, whether they begin there or at a parent.
    ///
    /// # Errors
    /// `snapshot.unlogged-cascades`; `row-block.malformed`.
    pub fn must_stay(
        &self,
        set: &RowSet,
        (schema, name): (&str, &str),
        block: &[u8],
        kinds: &[ColumnKind],
    ) -> Result<(), Error> {
        let name = (schema.to_owned(), name.to_owned());
        let circles = self.links.into.get(&name).into_iter().flatten();
        let circles = circles.filter(|circle| self.is_at_hand(circle));
        let acts: Vec<&Acts> = circles.filter_map(|c| c.acts.get(&name)).collect();
        if acts.is_empty() || set.operation == Operation::Insert {
            return Ok(());
        }
        let mut reader = rows_of(set, block, kinds)?;
        while let Some(row) = reader.next_row().map_err(malformed)? {
            let leads = match (row.before, row.after) {
                (_, None) => acts.iter().any(|acts| acts.on_delete),
                (None, Some(_)) => false,
                // A column that an image lacks has not changed, or is a part of the key, which the other one has.
                (Some(before), Some(after)) => {
                    let mut columns = acts.iter().flat_map(|acts| &acts.on_update);
                    columns.any(|column| {
                        let after = after.get(*column);
                        after.is_some() && after != before.get(*column)
                    })
                }
            };
            if leads {
                return Err(in_circle());
            }
        }
        Ok(())
    }

    /// Whether the stream must stand still until a chunk has been read, since it has changed too much of its table to be noted.
    pub fn is_swamped(&self) -> bool {
        let mut touched = self.active.iter().filter_map(|a| a.touched.as_ref());
        touched.any(Keys::are_many)
    }

    fn find(&mut self, schema: &str, name: &str) -> Option<&mut Active> {
        let mut active = self.active.iter_mut();
        active.find(|active| active.is(schema, name))
    }

    /// From now on it is noticed if the stream changes this table, but by transactions of the set.
    pub fn watch(&mut self, name: &Name, low: GtidSet) {
        self.watched = Some(Watched {
            name: name.clone(),
            low,
            touched: false,
        });
    }

    /// Nothing needs to be noticed any more.
    pub fn watch_no_more(&mut self) {
        self.watched = None;
    }

    /// A transaction changes a table that waits.
    pub fn passes(&mut self, schema: &str, name: &str, gtid: Option<&TransactionGtid>) {
        if let Some(watched) = &mut self.watched
            && watched.name.0 == schema
            && watched.name.1 == name
            && !matches!(gtid, Some(TransactionGtid::Mysql(gtid)) if watched.low.contains(gtid))
        {
            watched.touched = true;
        }
    }

    /// Whether the table that is watched was changed.
    pub fn was_touched(&self) -> bool {
        self.watched.as_ref().is_some_and(|watched| watched.touched)
    }

    /// A table that was read in one go is whole.
    pub fn end_whole(&mut self, name: &Name) {
        self.watched = None;
        self.waiting.remove(name);
    }

    /// The reading of a table's next chunk begins, at this place of the stream.
    pub fn begin_chunk(&mut self, name: &Name) {
        if let Some(active) = self.find(&name.0, &name.1) {
            active.touched = Some(Keys::default());
            active.moved.begin_chunk();
        }
    }

    /// Takes a chunk of the table in that was [begun](Self::begin_chunk): images with all columns.
    ///
    /// # Errors
    /// `row-block.malformed`, for images that are none of the table's.
    pub fn hold(&mut self, name: &Name, images: Vec<u8>, count: u32) -> Result<(), Error> {
        let Some(active) = self.find(&name.0, &name.1) else {
            return Ok(());
        };
        let touched = active.touched.take().unwrap_or_default();
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
            if !touched.hold(&key) {
                rows.insert(key.clone(), (at - head, at - head + length));
                order.push(key);
            }
            at += length;
        }
        active.chunks.push_back(Chunk {
            images,
            rows,
            order,
        });
        Ok(())
    }

    /// Looks at rows that the stream has changed in a table that is being copied; returns what the sink is told of them besides.
    ///
    /// # Errors
    /// `row.partial-image` where the log does not hold what is needed; `row-block.malformed`.
    pub fn changed(
        &mut self,
        set: &RowSet,
        (schema, name): (&str, &str),
        block: &[u8],
        kinds: &[u8],
    ) -> Result<RowFlags, Error> {
        let Some(active) = self.find(schema, name) else {
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
        let mut reader = rows_of(set, block, &active.kinds)?;
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
                for chunk in &mut active.chunks {
                    chunk.rows.remove(&key);
                }
                if let Some(touched) = &mut active.touched {
                    touched.insert(key.clone());
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
        if active.known.as_ref().is_some_and(Keys::are_many) {
            active.known = None;
        }
        Ok(match set.operation {
            // The target has no such row: the source had none either.
            Operation::Insert => RowFlags::empty(),
            Operation::Update | Operation::Delete => RowFlags::COPYING,
        })
    }

    /// The rows of the table's oldest chunk that have not changed since it was read, and that the stream has not brought to the target before; none if there is no chunk.
    pub fn release(&mut self, name: &Name) -> Option<Rows> {
        let active = self.find(&name.0, &name.1)?;
        let chunk = active.chunks.pop_front()?;
        let mut rows = Rows {
            table: active.id,
            columns: active.kinds.len(),
            images: Vec::new(),
            count: 0,
            may_be_there: active.known.is_none(),
        };
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
        Some(rows)
    }
}

impl Active {
    fn is(&self, schema: &str, name: &str) -> bool {
        self.table.schema == schema && self.table.name == name
    }
}

fn rows_of<'a>(
    set: &RowSet,
    block: &'a [u8],
    kinds: &'a [ColumnKind],
) -> Result<RowSetReader<'a>, Error> {
    let operation = match set.operation {
        Operation::Insert => BlockOperation::Insert,
        Operation::Update => BlockOperation::Update,
        Operation::Delete => BlockOperation::Delete,
    };
    let bytes = open_block(block, set.offset, set.length)
        .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
    RowSetReader::new(kinds, operation, set.count, bytes).map_err(malformed)
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

#[cfg(test)]
mod tests;
