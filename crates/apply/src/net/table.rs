//! One table's rows: what is known of each key since the last writing.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::types::{Error, RowFlags, RowSet};
use datain_row_block::{Bitmap, ColumnKind, Image, JsonChanges, Row, Value};

use super::columns::Columns;
use super::record::{Record, Records, merge};
use crate::literal::Form;
use crate::mapping::Mapping;
use crate::row_set::Rows;
use crate::statements::is_lenient;

/// What an entry costs beside its bytes, about.
const ENTRY_BYTES: usize = 128;

/// Larger images are not kept: such rows go to the target as they come.
const LARGE_IMAGE: usize = 1 << 20;

/// What became of the row with one key.
#[derive(Debug)]
pub(super) struct Entry {
    /// It was there before the first change, or may have been.
    pub(super) existed: bool,
    /// Whether it was there is not known: the table is being copied.
    pub(super) unsure: bool,
    /// As it is now; none when it is gone. Of a row that was there the image holds the key and at least the changed columns.
    pub(super) now: Option<Record>,
    /// As it was when it went: holds the key.
    pub(super) gone: Option<Record>,
    /// It must be deleted and inserted again, because its unique columns changed, or it went and came.
    pub(super) anew: bool,
    /// Columns that changed, while the row stayed.
    pub(super) changed: Columns,
}

/// A row's columns before and after.
struct Update<'i, 'r, 'a> {
    before: &'i Image<'r, 'a>,
    after: &'i Image<'r, 'a>,
    before_present: Bitmap<'a>,
    after_present: Bitmap<'a>,
}

/// The changes of one table.
pub struct TableNet<H> {
    mapping: Rc<Mapping>,
    /// In the order in which keys were first touched.
    entries: Vec<Entry>,
    by_key: HashMap<Box<[u8]>, usize, H>,
    records: Records,
    /// Used again from row to row.
    key: Vec<u8>,
    new_key: Vec<u8>,
    merged: Vec<u8>,
    offsets: Vec<u32>,
    /// The target looks after foreign keys of this table: no row may be deleted in between.
    checked: bool,
    /// The column by which the server numbers rows.
    numbers: Option<usize>,
    /// The row with the greatest number that came and went: the server has to see it, or it would give the number to another row some day.
    came_and_went: Option<(u64, Record)>,
    /// A row had a value of a unique key that it had neither before the first change nor has after the last.
    had_steps: bool,
    /// The columns whose values may be what only the source's own order can write: see [`is_odd`].
    odd: Vec<usize>,
}

/// A number that counts for AUTO_INCREMENT.
pub(super) fn positive(mapping: &Mapping, column: usize, value: Value<'_>) -> Option<u64> {
    match (&mapping.forms[column], value) {
        (Form::Integer { unsigned: true }, value) => value.as_u64(),
        (Form::Integer { unsigned: false }, value) => {
            value.as_i64().and_then(|number| u64::try_from(number).ok())
        }
        // AUTO_INCREMENT of a DOUBLE is deprecated, and exact below 2⁵³.
        (_, Value::Double(number)) if number > 0.0 => Some(number as u64),
        (_, Value::Float(number)) if number > 0.0 => Some(number as u64),
        _ => None,
    }
}

/// A value that is written in a way of its own: what strict mode refuses, and changes inside a JSON document.
fn is_odd(kind: ColumnKind, value: Option<Value<'_>>) -> bool {
    match value {
        Some(Value::Bytes(bytes)) if kind == ColumnKind::Json => JsonChanges::of(bytes).is_some(),
        value => is_lenient(kind, value),
    }
}

impl<H: BuildHasher + Default> TableNet<H> {
    pub(super) fn new(mapping: Rc<Mapping>, checked: bool) -> Self {
        let may_be_odd = |kind: &ColumnKind| {
            matches!(
                kind,
                ColumnKind::Enum | ColumnKind::Json | ColumnKind::Vector
            )
        };
        let kinds = mapping.kinds.iter().enumerate();
        Self {
            odd: kinds
                .filter(|(_, kind)| may_be_odd(kind))
                .map(|(column, _)| column)
                .collect(),
            numbers: mapping.target.columns.iter().position(|c| c.auto_increment),
            came_and_went: None,
            had_steps: false,
            checked,
            mapping,
            entries: Vec::new(),
            by_key: HashMap::default(),
            records: Records::default(),
            key: Vec::new(),
            new_key: Vec::new(),
            merged: Vec::new(),
            offsets: Vec::new(),
        }
    }

    /// The table.
    #[must_use]
    pub fn mapping(&self) -> &Rc<Mapping> {
        &self.mapping
    }

    /// How much memory it takes, about.
    pub(super) fn bytes(&self) -> usize {
        self.records.bytes() + self.entries.len() * ENTRY_BYTES
    }

    /// Whether the target has to look after foreign keys while this is written.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checked
    }

    /// The column by which the server numbers rows.
    pub(super) fn numbers(&self) -> Option<usize> {
        self.numbers
    }

    /// The row with the greatest number that came and went.
    pub(super) fn came_and_went(&self) -> Option<(u64, Record)> {
        self.came_and_went
    }

    /// Whether rows had values of unique keys in between that neither the entries' first images nor their last ones show: of rows that came and went, moved twice, or came and changed.
    pub(super) fn had_steps(&self) -> bool {
        self.had_steps
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn records(&self) -> &Records {
        &self.records
    }

    /// See [`super::Net::take`].
    pub(super) fn take(&mut self, set: &RowSet, block: &[u8], done: u32) -> Result<u32, Error> {
        let mapping = Rc::clone(&self.mapping);
        let mut rows = Rows::open(set, block, &mapping)?;
        let (before_present, after_present) = (rows.before_present(), rows.after_present());
        let copying = set.flags.contains(RowFlags::COPYING);
        let mut taken = 0;
        while let Some(row) = rows.next_row()? {
            if taken >= done && !self.row(&row, before_present, after_present, copying) {
                break;
            }
            taken += 1;
        }
        Ok(taken)
    }

    /// Adds a row; false, and nothing is changed, when that cannot be done here.
    fn row(
        &mut self,
        row: &Row<'_, '_>,
        before_present: Option<Bitmap<'_>>,
        after_present: Option<Bitmap<'_>>,
        copying: bool,
    ) -> bool {
        let images = [&row.before, &row.after].into_iter().flatten();
        if images.map(|image| image.as_bytes().len()).max() > Some(LARGE_IMAGE) {
            return false;
        }
        if row.after.is_some() {
            // Of an image that lacks columns, those of the one before are written too.
            let mut images = [&row.before, &row.after].into_iter().flatten();
            let inserted = row.before.is_none();
            let holds_odd = |image: &Image<'_, '_>| {
                let odd = |c: &usize| {
                    let kind = self.mapping.kinds[*c];
                    // A VECTOR that an INSERT left out has no bytes, unless it may be NULL.
                    let left_out = inserted
                        && kind == ColumnKind::Vector
                        && image.get(*c).is_none()
                        && !self.mapping.target.columns[*c].nullable;
                    left_out || is_odd(kind, image.get(*c))
                };
                self.odd.iter().any(odd)
            };
            if images.any(holds_odd) {
                return false;
            }
        }
        if copying {
            let before = row.before.as_ref().zip(before_present);
            return self.is_made(before, row.after.as_ref().zip(after_present));
        }
        match (&row.before, before_present, &row.after, after_present) {
            (None, _, Some(after), Some(present)) => {
                self.key_of(after, None) && self.may_come() && self.comes(present, after)
            }
            (Some(before), Some(present), None, _) => {
                self.key_of(before, None) && self.goes(present, before)
            }
            (Some(before), Some(before_present), Some(after), Some(after_present)) => {
                if !self.key_of(before, None) {
                    return false;
                }
                std::mem::swap(&mut self.key, &mut self.new_key);
                if !self.key_of(after, Some(before)) {
                    return false;
                }
                std::mem::swap(&mut self.key, &mut self.new_key);
                let update = Update {
                    before,
                    after,
                    before_present,
                    after_present,
                };
                if self.key == self.new_key {
                    self.changes(&update)
                } else {
                    self.moves(&update)
                }
            }
            _ => false,
        }
    }

    /// Puts the bytes of the identifying key into `self.key`; false when the images lack one of its columns.
    fn key_of(&mut self, image: &Image<'_, '_>, or: Option<&Image<'_, '_>>) -> bool {
        self.key.clear();
        let Some(columns) = self.mapping.target.keys.first() else {
            return false;
        };
        for column in columns {
            let raw = image.raw(*column);
            match raw.or_else(|| or.and_then(|image| image.raw(*column))) {
                // Each value says its own length, or has the length of its kind.
                Some(Some(bytes)) => self.key.extend_from_slice(bytes),
                // The columns of such a key are NOT NULL.
                Some(None) | None => return false,
            }
        }
        true
    }

    fn entry(&self) -> Option<&Entry> {
        let place = self.by_key.get(self.key.as_slice())?;
        self.entries.get(*place)
    }

    fn entry_mut(&mut self) -> Option<&mut Entry> {
        let place = self.by_key.get(self.key.as_slice())?;
        self.entries.get_mut(*place)
    }

    fn add_entry(&mut self, entry: Entry) {
        let key = self.key.as_slice().into();
        self.by_key.insert(key, self.entries.len());
        self.entries.push(entry);
    }

    /// Whether a row with `self.key` may come: none is known to be there, and none has to go for it.
    fn may_come(&self) -> bool {
        self.entry()
            .is_none_or(|entry| entry.now.is_none() && !(self.checked && entry.existed))
    }

    /// A row comes.
    fn comes(&mut self, present: Bitmap<'_>, after: &Image<'_, '_>) -> bool {
        let record = self.records.keep(present, after);
        self.comes_as(record)
    }

    fn comes_as(&mut self, record: Record) -> bool {
        match self.entry_mut() {
            Some(entry) => {
                entry.now = Some(record);
                entry.anew = entry.existed;
            }
            None => self.add_entry(Entry {
                existed: false,
                unsure: false,
                now: Some(record),
                gone: None,
                anew: false,
                changed: Columns::default(),
            }),
        }
        true
    }

    /// A row goes.
    fn goes(&mut self, present: Bitmap<'_>, before: &Image<'_, '_>) -> bool {
        match self.entry() {
            Some(entry) if entry.now.is_none() => false,
            Some(entry) => {
                // Of a row that came with this group nothing is left but its number.
                if let (false, Some(record)) = (entry.existed, entry.now) {
                    self.remember_number(record);
                    self.had_steps = true;
                }
                let Some(entry) = self.entry() else {
                    return false;
                };
                let gone = entry.existed.then(|| self.records.keep(present, before));
                if let Some(entry) = self.entry_mut() {
                    entry.now = None;
                    entry.gone = gone;
                    entry.anew = false;
                }
                true
            }
            None => {
                let gone = self.records.keep(present, before);
                self.add_entry(Entry {
                    existed: true,
                    unsure: false,
                    now: None,
                    gone: Some(gone),
                    anew: false,
                    changed: Columns::default(),
                });
                true
            }
        }
    }

    fn remember_number(&mut self, record: Record) {
        let Some(column) = self.numbers else {
            return;
        };
        let number = self.number(record, column);
        let newest = self.came_and_went.map(|(greatest, _)| greatest);
        if let Some(number) = number.filter(|number| newest < Some(*number)) {
            self.came_and_went = Some((number, record));
        }
    }

    fn number(&mut self, record: Record, column: usize) -> Option<u64> {
        let kinds = &self.mapping.kinds;
        let image = self.records.image(record, kinds, &mut self.offsets).ok()?;
        positive(&self.mapping, column, image.get(column)?)
    }

    /// A row stays, with other values.
    fn changes(&mut self, update: &Update<'_, '_, '_>) -> bool {
        let target = &self.mapping.target;
        let mut changed = Columns::default();
        let mut unique = target.unique.computed;
        for column in 0..target.columns.len() {
            let after = update.after.raw(column);
            if after.is_some() && after != update.before.raw(column) {
                changed.insert(column);
                unique |= target.unique.columns.get(column).is_none_or(|is| *is);
            }
        }
        let (existed, older) = match self.entry() {
            None => (true, None),
            Some(Entry { now: None, .. }) => return false,
            Some(entry) => (entry.existed && !entry.anew, entry.now),
        };
        let Some(record) = self.laid_over(older, update) else {
            return false;
        };
        let anew = existed && unique;
        if anew && (self.checked || !self.is_whole(record)) {
            return false;
        }
        self.had_steps |= unique && !existed;
        match self.entry_mut() {
            Some(entry) => {
                entry.now = Some(record);
                entry.anew |= anew;
                entry.changed.extend(&changed);
            }
            None => self.add_entry(Entry {
                existed: true,
                unsure: false,
                now: Some(record),
                gone: None,
                anew,
                changed,
            }),
        }
        true
    }

    /// A row gets another key: it goes, and another one comes.
    fn moves(&mut self, update: &Update<'_, '_, '_>) -> bool {
        let older = match self.entry() {
            None => None,
            Some(Entry { now: None, .. }) => return false,
            Some(entry) => entry.now,
        };
        std::mem::swap(&mut self.key, &mut self.new_key);
        let free = self.may_come();
        std::mem::swap(&mut self.key, &mut self.new_key);
        if !free || self.checked {
            return false;
        }
        let Some(record) = self.laid_over(older, update) else {
            return false;
        };
        if !self.is_whole(record) || !self.goes(update.before_present, update.before) {
            return false;
        }
        std::mem::swap(&mut self.key, &mut self.new_key);
        self.comes_as(record)
    }

    /// A row of a table that is being copied, of which the target may have what stands under either key or not: neither is there any more, and then `after` is. As in
    /// `statements/copying.rs`, for many rows at once.
    fn is_made(
        &mut self,
        before: Option<(&Image<'_, '_>, Bitmap<'_>)>,
        after: Option<(&Image<'_, '_>, Bitmap<'_>)>,
    ) -> bool {
        // Nothing may be changed if any of it cannot be done here.
        if let Some((image, present)) = after
            && (self.checked || !self.names_all(present) || !self.key_of(image, None))
        {
            return false;
        }
        if let Some((image, present)) = before {
            if self.checked || !self.key_of(image, None) {
                return false;
            }
            // A row that keeps its key only gets other values.
            std::mem::swap(&mut self.key, &mut self.new_key);
            let stays = match after {
                Some((image, _)) => self.key_of(image, None) && self.key == self.new_key,
                None => false,
            };
            std::mem::swap(&mut self.key, &mut self.new_key);
            if !stays {
                self.is_not(image, present);
            }
        }
        if let Some((image, present)) = after {
            if !self.key_of(image, None) {
                return false;
            }
            self.is_as(image, present);
        }
        // Whatever values such rows have had in other unique keys is not told.
        self.had_steps = true;
        true
    }

    /// Under `self.key` there is nothing any more, whatever was there.
    fn is_not(&mut self, before: &Image<'_, '_>, present: Bitmap<'_>) {
        match self.entry() {
            Some(entry) if entry.now.is_some() => {
                self.goes(present, before);
            }
            Some(_) => {}
            None => {
                let gone = self.records.keep(present, before);
                self.add_entry(Entry {
                    existed: true,
                    unsure: true,
                    now: None,
                    gone: Some(gone),
                    anew: false,
                    changed: Columns::default(),
                });
            }
        }
    }

    /// Under `self.key` there is this row, whatever was there.
    fn is_as(&mut self, after: &Image<'_, '_>, present: Bitmap<'_>) {
        let record = self.records.keep(present, after);
        if self.entry().is_some() {
            self.comes_as(record);
            return;
        }
        self.add_entry(Entry {
            existed: true,
            unsure: true,
            now: Some(record),
            gone: None,
            anew: true,
            changed: Columns::default(),
        });
    }

    /// The row after an update: what was known of it, with the update's columns over that. None if what was kept is damaged.
    fn laid_over(&mut self, older: Option<Record>, update: &Update<'_, '_, '_>) -> Option<Record> {
        let columns = self.mapping.kinds.len();
        if update.after_present.count_ones() == columns {
            return Some(self.records.keep(update.after_present, update.after));
        }
        match older {
            Some(older) => {
                let image = self
                    .records
                    .image(older, &self.mapping.kinds, &mut self.offsets);
                merge(&image.ok()?, update.after, &mut self.merged);
            }
            None => merge(update.before, update.after, &mut self.merged),
        }
        Some(self.records.keep_merged(&self.merged))
    }

    /// Whether an image holds every column that an INSERT has to name.
    fn is_whole(&self, record: Record) -> bool {
        let columns = self.mapping.target.columns.len();
        self.names_all(self.records.present(record, columns))
    }

    fn names_all(&self, present: Bitmap<'_>) -> bool {
        let mut columns = self.mapping.target.columns.iter().enumerate();
        columns.all(|(place, column)| column.generated || present.get(place))
    }
}

#[cfg(test)]
mod tests;
