//! The net effect of a table as statements: deletes, updates, inserts.

use std::hash::BuildHasher;
use std::iter;
use std::mem;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op};

use super::columns::Columns;
use super::join::{self, Values};
use super::record::Record;
use super::table::{Entry, TableNet, positive};
use crate::mapping::Mapping;
use crate::statements::load::Load;
use crate::statements::{Bounds, Check, Fill, Open, Plan, Statement};

/// So many rows are loaded; fewer are inserted: see docs/performance.md.
const LOAD_FROM: usize = 500;

/// So many bytes too, however few rows they are: values are then what takes the time, and a file has them as they are.
const LOAD_FROM_BYTES: usize = 256 << 10;

/// The rows of one load.
const LOAD_BYTES: usize = 1 << 20;

/// What the target's statements may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How large.
    pub bounds: Bounds,
    /// How values become a table.
    pub values: Values,
    /// It takes LOAD DATA LOCAL.
    pub loads: bool,
}

impl<H: BuildHasher + Default> TableNet<H> {
    /// Writes the statements, in order, and hands each to `emit`.
    ///
    /// # Errors
    /// `row.value` for a value that cannot be written, `row.partial-image` for an INSERT that lacks a column; what `emit` returns.
    pub fn write(
        &self,
        limits: Limits,
        mut emit: impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let emit = &mut emit;
        let mapping = self.mapping();
        let result = self
            .deletes(limits, emit)
            .and_then(|()| self.show_number(limits, emit))
            .and_then(|()| self.updates(limits, emit))
            .and_then(|()| self.inserts(limits, emit));
        result.map_err(|e| e.in_table(&mapping.target.schema, &mapping.target.name))
    }

    fn key(&self) -> Vec<usize> {
        self.mapping()
            .target
            .keys
            .first()
            .cloned()
            .unwrap_or_default()
    }

    fn deletes(
        &self,
        limits: Limits,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let plan = Plan {
            written: Vec::new(),
            key: self.key(),
        };
        let leaves = |entry: &&Entry| entry.existed && (entry.anew || entry.now.is_none());
        let last_seen = |entry: &Entry| entry.now.or(entry.gone);
        let of = |unsure| {
            let entries = self.entries().iter().filter(leaves);
            let entries = entries.filter(move |entry| entry.unsure == unsure);
            entries.filter_map(last_seen)
        };
        self.many(Op::Delete, &plan, limits, of(false), emit)?;
        let mut may_miss = |mut statement: Statement| {
            statement.check = Check::MayMiss;
            emit(statement)
        };
        self.many(Op::Delete, &plan, limits, of(true), &mut may_miss)
    }

    /// Shows the server the greatest number of a row that came and went, unless one with it or a greater one stays.
    fn show_number(
        &self,
        limits: Limits,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (Some((number, record)), Some(column)) = (self.came_and_went(), self.numbers()) else {
            return Ok(());
        };
        let mapping = self.mapping();
        let mut offsets = Vec::new();
        for entry in self.entries() {
            let Some(now) = entry.now else {
                continue;
            };
            let image = self
                .records()
                .image(now, &mapping.kinds, &mut offsets)
                .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
            let greater = image
                .get(column)
                .and_then(|value| positive(mapping, column, value));
            if greater >= Some(number) {
                return Ok(());
            }
        }
        let present = self.records().present(record, mapping.kinds.len());
        let insert = Plan::new(&mapping.target, Op::Insert, None, Some(present))?;
        let delete = Plan {
            written: Vec::new(),
            key: self.key(),
        };
        self.many(Op::Insert, &insert, limits, iter::once(record), emit)?;
        self.many(Op::Delete, &delete, limits, iter::once(record), emit)
    }

    fn updates(
        &self,
        limits: Limits,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mapping = self.mapping();
        let stays = |entry: &&Entry| entry.existed && !entry.anew && entry.now.is_some();
        let mut rows: Vec<&Entry> = self.entries().iter().filter(stays).collect();
        // Rows in which the same columns changed go into one statement.
        rows.sort_by(|a, b| a.changed.cmp(&b.changed));
        for alike in rows.chunk_by(|a, b| a.changed == b.changed) {
            let records = alike.iter().filter_map(|entry| entry.now);
            let Some(first) = records.clone().next() else {
                continue;
            };
            let plan = Plan {
                written: self.written(&alike[0].changed, first),
                key: self.key(),
            };
            if limits.values != Values::Unknown && alike.len() > 1 && join::suits(mapping, &plan) {
                join::write(self, &plan, limits, records, emit)?;
            } else {
                self.many(Op::Update, &plan, limits, records, emit)?;
            }
        }
        Ok(())
    }

    /// What an UPDATE sets when these columns changed. A column that changes by itself is always named, or it would.
    fn written(&self, changed: &Columns, image: Record) -> Vec<(usize, Fill)> {
        let columns = &self.mapping().target.columns;
        let present = self.records().present(image, columns.len());
        let fill = |(place, column): (usize, &crate::target_table::TargetColumn)| {
            if column.generated {
                None
            } else if changed.contains(place) {
                Some((place, Fill::Image))
            } else if column.on_update {
                let known = present.get(place);
                Some((place, if known { Fill::Image } else { Fill::Kept }))
            } else {
                None
            }
        };
        columns.iter().enumerate().filter_map(fill).collect()
    }

    fn inserts(
        &self,
        limits: Limits,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let columns = self.mapping().kinds.len();
        let comes = |entry: &&Entry| entry.anew || !entry.existed;
        let mut rows: Vec<Record> = self
            .entries()
            .iter()
            .filter(comes)
            .filter_map(|entry| entry.now)
            .collect();
        let present = |record: &Record| self.records().present(*record, columns);
        let all_columns = |record: &Record| present(record).count_ones() == columns;
        if !rows.iter().all(all_columns) {
            rows.sort_by(|a, b| present(a).as_bytes().cmp(present(b).as_bytes()));
        }
        for alike in rows.chunk_by(|a, b| present(a) == present(b)) {
            let plan = Plan::new(
                &self.mapping().target,
                Op::Insert,
                None,
                Some(present(&alike[0])),
            )?;
            let bytes = || alike.iter().map(Record::bytes).sum::<usize>();
            let are_many = alike.len() >= LOAD_FROM || bytes() >= LOAD_FROM_BYTES;
            let load = (limits.loads && are_many)
                .then(|| Load::new(self.mapping(), &plan))
                .flatten();
            match load {
                Some(load) => self.load(load, &plan, limits, alike, emit)?,
                None => self.many(Op::Insert, &plan, limits, alike.iter().copied(), emit)?,
            }
        }
        Ok(())
    }

    /// The rows that may go by LOAD DATA, then the others.
    fn load(
        &self,
        mut load: Load,
        plan: &Plan,
        limits: Limits,
        rows: &[Record],
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mapping = self.mapping();
        let mut offsets = Vec::new();
        let mut others = Vec::new();
        for record in rows {
            let image = self
                .records()
                .image(*record, &mapping.kinds, &mut offsets)
                .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
            if !load.takes(&image) {
                others.push(*record);
                continue;
            }
            load.add(mapping, &image)?;
            if load.data().len() >= LOAD_BYTES {
                emit(load.take())?;
            }
        }
        if load.rows() > 0 {
            emit(load.take())?;
        }
        self.many(Op::Insert, plan, limits, others.into_iter(), emit)
    }

    /// Statements of many rows, or of one each for updates.
    fn many(
        &self,
        operation: Op,
        plan: &Plan,
        limits: Limits,
        rows: impl Iterator<Item = Record>,
        emit: &mut impl FnMut(Statement) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mapping: &Mapping = self.mapping();
        let mut open = Open::new(mapping, plan, limits.bounds);
        let mut offsets = Vec::new();
        for record in rows {
            let mut scratch = mem::take(&mut offsets);
            let image = self
                .records()
                .image(record, &mapping.kinds, &mut scratch)
                .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
            let before = (operation != Op::Insert).then_some(image);
            let after = (operation != Op::Delete).then_some(image);
            open.push(operation, before, after, emit)?;
            offsets = scratch;
        }
        open.close(emit)
    }
}
