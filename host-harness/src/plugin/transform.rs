//! Running transforms, and a source whose rows pass through them.
//!
//! A transform hands back rows and where each row set stands among them, and nothing else: all that makes a batch safe to apply (ordinals, pieces, checkpoints, tables, counts) never leaves
//! the host, which puts the new rows in the old ones' place. What it can check of them without a transform's help it does at once, so that a transform is blamed for what a
//! sink would stumble over: that the row sets lie in the block one behind the other, and that each reads as so many rows of its table.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use datain_row_block::{ColumnKind, Operation as Written, RowSetReader, VERSION};
use wasmtime::component::ResourceAny;

use super::Plugin;
use super::instance::{Instance, Time};
use super::plugin_config::Purpose;
use super::state::SharedWaker;
use crate::bindings::transform::TransformPlugin;
use crate::bindings::types::{Change, Description, Operation, RowSet, Table};
use crate::bindings::{Batch, ChangedRows, Checkpoint, SourceStatus};
use crate::error::{Error, Kind, Result};
use crate::pipeline::Reader;

/// An instance of a transform, open.
pub(crate) struct TransformInstance {
    instance: Instance,
    plugin: TransformPlugin,
    transformer: Option<ResourceAny>,
    /// For messages: several may stand in a row.
    file: String,
    kinds: HashMap<u32, Vec<ColumnKind>>,
}

impl TransformInstance {
    /// A new instance; it knows nothing of its configuration yet.
    pub(crate) fn new(plugin: &Arc<Plugin>, waker: SharedWaker) -> Result<Self> {
        let file = plugin.file.display().to_string();
        let mut instance = Instance::new(plugin, waker)?;
        let plugin = instance.instantiate(|store, plugin| {
            TransformPlugin::instantiate(store, &plugin.component, plugin.engine.linker())
        })?;
        Ok(Self {
            instance,
            plugin,
            transformer: None,
            file,
            kinds: HashMap::new(),
        })
    }

    /// What the component says of itself.
    pub(crate) fn describe(&mut self) -> Result<Description> {
        let guest = self.plugin.datain_replication_transform();
        self.instance
            .call(Time::SHORT, false, |store| guest.call_describe(store))
    }

    /// Gives it its configuration.
    pub(crate) fn open(&mut self) -> Result<()> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_transform();
        let opened = self.instance.try_call(Time::Long, false, |store| {
            guest.transformer().call_open(store, &config)
        });
        self.transformer = Some(opened.map_err(|error| self.named(error))?);
        Ok(())
    }

    /// Sends a batch's rows through it.
    fn apply(&mut self, batch: &mut Batch) -> Result<()> {
        self.learn(&batch.tables);
        if batch.tables.is_empty() && batch.rows.is_empty() {
            return Ok(());
        }
        let transformer = self.transformer.ok_or_else(super::sink::not_open)?;
        let guest = self.plugin.datain_replication_transform();
        let changed = self.instance.try_call(Time::SHORT, false, |store| {
            guest.transformer().call_apply(store, transformer, batch)
        });
        let Some(changed) = changed.map_err(|error| self.named(error))? else {
            return Ok(());
        };
        put_in_place(batch, changed, &self.kinds).map_err(|why| self.malformed(why))
    }

    fn learn(&mut self, tables: &[Table]) {
        for table in tables {
            // A kind that is not known here is for the sink to refuse; rows of such a table are not looked at.
            let kinds: Option<Vec<_>> = table
                .columns
                .iter()
                .map(|column| ColumnKind::try_from(column.kind).ok())
                .collect();
            match kinds {
                Some(kinds) => self.kinds.insert(table.id, kinds),
                None => self.kinds.remove(&table.id),
            };
        }
    }

    fn named(&self, mut error: Error) -> Error {
        let report = error.report_mut();
        let file = format!("the transform is {}", self.file);
        report.detail = Some(match report.detail.take() {
            Some(detail) => format!("{detail}; {file}"),
            None => file,
        });
        error
    }

    fn malformed(&self, why: Wrong) -> Error {
        let error = Error::new(
            Kind::Fatal,
            "transform.malformed",
            format!(
                "a transform handed back rows that are not what it was given: {}",
                why.what
            ),
        )
        .hint("this is an error in the transform: nothing of the batch was applied");
        let mut error = self.named(error);
        error.report_mut().position = why.position;
        error
    }
}

/// What is wrong with changed rows.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    what: String,
    position: Option<String>,
}

fn wrong(what: impl Into<String>) -> Wrong {
    Wrong {
        what: what.into(),
        position: None,
    }
}

/// Puts changed rows in the old ones' place, if they can stand there; else the batch is not to be used any more.
fn put_in_place(
    batch: &mut Batch,
    changed: ChangedRows,
    kinds: &HashMap<u32, Vec<ColumnKind>>,
) -> std::result::Result<(), Wrong> {
    let ChangedRows { rows, places } = changed;
    if batch.rows.first() != rows.first() {
        return Err(wrong("the row block has another version, or is missing"));
    }
    // Behind the version.
    let mut at = rows.len().min(1);
    // Of another version's rows only the places can be looked at.
    let known = rows.first() == Some(&VERSION);
    let mut places = places.into_iter();
    for transaction in &mut batch.transactions {
        let position = format!("{}:{}", transaction.file, transaction.offset);
        let sets = transaction
            .changes
            .iter_mut()
            .filter_map(|change| match change {
                Change::Rows(set) => Some(set),
                Change::Statement(_) => None,
            });
        for set in sets {
            let here = |what: String| Wrong {
                what,
                position: Some(position.clone()),
            };
            let place = places
                .next()
                .ok_or_else(|| here("places of row sets are missing".to_owned()))?;
            let end = (place.offset as usize).checked_add(place.length as usize);
            let bytes = end
                .filter(|_| place.offset as usize == at)
                .and_then(|end| rows.get(at..end))
                .ok_or_else(|| {
                    here("a row set does not begin where the one before it ends".to_owned())
                })?;
            if let Some(kinds) = kinds.get(&set.table)
                && known
            {
                reads(set, kinds, bytes).map_err(here)?;
            }
            at += bytes.len();
            (set.offset, set.length) = (place.offset, place.length);
        }
    }
    if places.next().is_some() || at != rows.len() {
        return Err(wrong("there is more than the batch's row sets"));
    }
    batch.rows = rows;
    Ok(())
}

/// Whether the bytes are as many rows as the row set had.
fn reads(set: &RowSet, kinds: &[ColumnKind], bytes: &[u8]) -> std::result::Result<(), String> {
    let operation = match set.operation {
        Operation::Insert => Written::Insert,
        Operation::Update => Written::Update,
        Operation::Delete => Written::Delete,
    };
    let mut reader =
        RowSetReader::new(kinds, operation, set.count, bytes).map_err(|e| e.to_string())?;
    while reader.next_row().map_err(|e| e.to_string())?.is_some() {}
    Ok(())
}

/// A source whose rows pass through transforms, in their order, before anybody sees them.
pub(crate) struct Transformed {
    source: Box<dyn Reader>,
    transforms: Vec<TransformInstance>,
}

impl Transformed {
    /// `transforms` are open.
    pub(crate) fn new(source: Box<dyn Reader>, transforms: Vec<TransformInstance>) -> Self {
        Self { source, transforms }
    }
}

impl Reader for Transformed {
    fn poll(&mut self, max_bytes: u32, max_wait: Duration) -> Result<Option<Batch>> {
        let Some(mut batch) = self.source.poll(max_bytes, max_wait)? else {
            return Ok(None);
        };
        for transform in &mut self.transforms {
            transform.apply(&mut batch)?;
        }
        Ok(Some(batch))
    }

    fn ack(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        self.source.ack(checkpoint)
    }

    fn follow_orders(&mut self) -> Result<()> {
        self.source.follow_orders()
    }

    fn status(&mut self) -> Result<SourceStatus> {
        self.source.status()
    }
}

#[cfg(test)]
mod tests;
