//! The net effect of a group: what many changes of the same rows come to, as few statements of many rows.
//!
//! A replica of small transactions is bound by statements and commits. So the changes of a group are first collected per table and key ([`table`]): rows that come
//! and go within the group cost nothing, a row that changes often is written once. Then each table gets its deletes, its updates, its inserts, in this order
//! ([`write()`]).
//!
//! Keys are told apart by their bytes here, although the server may take different bytes for the same key ('a' and 'A', trailing spaces). That needs no comparison by
//! collation, because a key whose bytes change counts as one row that goes and another that comes, and what goes goes first. The same holds for other unique
//! keys: a row whose unique columns change is deleted and inserted again, so values may move between rows in any way, swaps and circles too.
//!
//! What cannot be treated so is left to the caller, who writes what was collected and then the rest in the source's own order: rows whose images lack what is needed,
//! changes inside JSON documents, an ENUM's invalid value, rows that contradict each other (the target would refuse them, which must be seen), and
//! tables under foreign keys that the target has to look after.

mod columns;
mod footprint;
mod join;
mod record;
mod table;
mod write;

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, RowSet};

use crate::mapping::Mapping;
pub use footprint::Footprint;
pub use join::Values;
use table::TableNet;
pub use write::Limits;

/// The changes collected so far, all tables.
pub struct Net<H> {
    /// In the order in which they were first touched.
    tables: Vec<TableNet<H>>,
    by_id: HashMap<u32, usize, H>,
    bytes: usize,
}

impl<H: BuildHasher + Default> Default for Net<H> {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            by_id: HashMap::default(),
            bytes: 0,
        }
    }
}

impl<H: BuildHasher + Default> Net<H> {
    /// Nothing is collected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// How much memory the collected changes take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether rows of this table can be added to what is collected: the same table under another definition cannot, nor one whose foreign keys the target looked
    /// after (`checked`) before and does not now, or the other way round.
    #[must_use]
    pub fn suits(&self, id: u32, mapping: &Rc<Mapping>, checked: bool) -> bool {
        self.place(id, mapping)
            .and_then(|place| self.tables.get(place))
            .is_none_or(|table| {
                Rc::ptr_eq(table.mapping(), mapping) && table.is_checked() == checked
            })
    }

    /// Where the table is kept, under this id or another one; none before its first row.
    fn place(&self, id: u32, mapping: &Rc<Mapping>) -> Option<usize> {
        let same = |table: &TableNet<H>| table.mapping().table_sql == mapping.table_sql;
        let known = self.by_id.get(&id).copied();
        known.or_else(|| self.tables.iter().position(same))
    }

    /// Adds the rows of a set behind the first `done`, as many as can be treated here, and returns how many are then done. `checked`: the target looks after foreign
    /// keys of these rows. It is thought to have none, but may not show them all.
    ///
    /// # Errors
    /// `row-block.*` for malformed rows; `sink.contract` for a table that does not [suit](Net::suits).
    pub fn take(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mapping: &Rc<Mapping>,
        done: u32,
        checked: bool,
    ) -> Result<u32, Error> {
        if !self.suits(set.table, mapping, checked) {
            return Err(Error::fatal(
                "sink.contract",
                format!("table {} is another one than before", set.table),
            ));
        }
        let place = match self.place(set.table, mapping) {
            Some(place) => place,
            None => {
                self.tables.push(TableNet::new(Rc::clone(mapping), checked));
                self.tables.len() - 1
            }
        };
        self.by_id.insert(set.table, place);
        let table = &mut self.tables[place];
        let before = table.bytes();
        let done = table.take(set, block, done);
        self.bytes += table.bytes() - before;
        done
    }

    /// The changes, table by table.
    pub fn tables(&self) -> impl Iterator<Item = &TableNet<H>> {
        self.tables.iter()
    }

    /// What the changes touch; `hasher` must be the same for all that are compared.
    ///
    /// # Errors
    /// `row-block.*` if what was kept is damaged.
    pub fn footprint(&self, hasher: &impl BuildHasher) -> Result<Footprint, Error> {
        let mut footprint = Footprint::default();
        for table in &self.tables {
            footprint.add(table, hasher)?;
        }
        Ok(footprint)
    }
}
