//! The sink that only hands changes on (`change-sink` of the contract), where a whole `sink` is expected.
//!
//! It keeps a checkpoint and nothing else. What it lacks is refused with `plugin.cannot`, naming what was asked; what it does not count, the host counts here: a transaction counts once a
//! checkpoint that covers it was reported as durable.

use std::collections::VecDeque;

use wasmtime::Store;
use wasmtime::component::ResourceAny;

use super::instance::{Instance, Time};
use super::{Plugin, PluginState};
use crate::bindings::change_sink::ChangeSinkPlugin;
use crate::bindings::sink::SinkPlugin;
use crate::bindings::types::{Change, Contact};
use crate::bindings::{
    Batch, ChangeSinkProgress, Checkpoint, Progress, SinkInspection, SinkStatus,
};
use crate::engine::CHANGE_SINK;
use crate::error::{Error, Kind, Result};

/// The exports of a sink, of whichever kind it is.
pub(super) enum SinkGuest {
    /// All of the interface `sink`, and the cutover.
    Whole(Box<SinkPlugin>),
    /// Only `change-sink`.
    Changes(ChangeSinkPlugin),
}

impl SinkGuest {
    pub(super) fn instantiate(
        store: &mut Store<PluginState>,
        plugin: &Plugin,
    ) -> wasmtime::Result<Self> {
        let linker = plugin.engine.linker();
        if plugin.interface == CHANGE_SINK {
            ChangeSinkPlugin::instantiate(store, &plugin.component, linker).map(Self::Changes)
        } else {
            let whole = SinkPlugin::instantiate(store, &plugin.component, linker)?;
            Ok(Self::Whole(Box::new(whole)))
        }
    }

    /// The exports of a whole sink.
    ///
    /// # Errors
    /// `plugin.cannot` where it is none; `asked` is what it was wanted for, as the end of "this sink cannot …".
    pub(super) fn whole(&self, asked: &str) -> Result<&SinkPlugin> {
        match self {
            Self::Whole(plugin) => Ok(plugin),
            Self::Changes(_) => Err(cannot(asked)),
        }
    }

    /// The same, taken.
    pub(super) fn into_whole(self, asked: &str) -> Result<SinkPlugin> {
        match self {
            Self::Whole(plugin) => Ok(*plugin),
            Self::Changes(_) => Err(cannot(asked)),
        }
    }
}

/// The error of what a sink that only hands changes on is not made for.
pub(super) fn cannot(asked: &str) -> Error {
    Error::new(Kind::Reconfigure, "plugin.cannot", format!("this sink cannot {asked}"))
        .detail("its component exports change-sink: it hands changes on, and keeps a checkpoint")
        .hint("a component of the world sink-plugin can; a pipeline that only hands changes on is ended by ending its host")
}

/// What the target knows. There is no other owner than the host that has the output open, and no stop that outlives it.
pub(super) fn inspect(
    instance: &mut Instance,
    plugin: &ChangeSinkPlugin,
    config: &str,
) -> Result<SinkInspection> {
    let guest = plugin.datain_replication_change_sink();
    let checkpoint =
        instance.try_call(Time::Long, false, |store| guest.call_inspect(store, config))?;
    Ok(SinkInspection {
        epoch: u64::from(checkpoint.is_some()),
        checkpoint,
        written_at_micros: 0,
        server_version: String::new(),
        committed_at_micros: 0,
        stopped_at_micros: None,
        held_back: 0,
        skipped: 0,
        last_error: None,
    })
}

/// Opens a writer; the answer is where to go on, too.
pub(super) fn open(
    instance: &mut Instance,
    plugin: &ChangeSinkPlugin,
    config: &str,
) -> Result<(ResourceAny, Option<Checkpoint>)> {
    let guest = plugin.datain_replication_change_sink();
    let writer = instance.try_call(Time::Long, false, |store| {
        guest.writer().call_open(store, config)
    })?;
    let from = instance.call(Time::SHORT, false, |store| {
        guest.writer().call_resume_from(store, writer)
    })?;
    Ok((writer, from))
}

/// What was accepted and what of it is durable, in the figures of a sink's status.
#[derive(Debug, Default)]
pub(super) struct Counted {
    waiting: VecDeque<Accepted>,
    position: String,
    transactions: u64,
    rows: u64,
    statements: u64,
    groups: u64,
    last_commit_micros: u64,
}

/// A transaction, or a piece of one.
#[derive(Debug)]
struct Accepted {
    ordinal: u64,
    last: bool,
    rows: u64,
    statements: u64,
    committed_at_micros: u64,
}

impl Counted {
    pub(super) fn begin_at(&mut self, checkpoint: Option<&Checkpoint>) {
        if let Some(checkpoint) = checkpoint {
            self.position.clone_from(&checkpoint.display);
        }
    }

    pub(super) fn accepted(&mut self, batch: &Batch) {
        self.waiting
            .extend(batch.transactions.iter().map(|transaction| {
                let (mut rows, mut statements) = (0, 0);
                for change in &transaction.changes {
                    match change {
                        Change::Rows(set) => rows += u64::from(set.count),
                        Change::Statement(_) => statements += 1,
                    }
                }
                Accepted {
                    ordinal: transaction.ordinal,
                    last: transaction.last,
                    rows,
                    statements,
                    committed_at_micros: transaction.committed_at_micros,
                }
            }));
    }

    pub(super) fn progress(&mut self, progress: ChangeSinkProgress) -> Progress {
        if let Some(checkpoint) = &progress.durable {
            self.durable(checkpoint);
        }
        Progress {
            durable: progress.durable,
            accepts: progress.accepts,
            pending: progress.pending,
        }
    }

    fn durable(&mut self, checkpoint: &Checkpoint) {
        self.position.clone_from(&checkpoint.display);
        self.groups += 1;
        while let Some(first) = self.waiting.front()
            && first.ordinal <= checkpoint.ordinal
        {
            let changes = first.rows + first.statements > 0;
            self.transactions += u64::from(first.last && changes);
            self.rows += first.rows;
            self.statements += first.statements;
            if first.committed_at_micros > 0 {
                self.last_commit_micros = first.committed_at_micros;
            }
            self.waiting.pop_front();
        }
    }

    /// The figures. A sink of this kind does not say when it last heard of its server: what it says of its own accord, between calls, is all that is known.
    pub(super) fn status(&self) -> SinkStatus {
        SinkStatus {
            state: "applying".to_owned(),
            position: self.position.clone(),
            transactions_applied: self.transactions,
            rows_applied: self.rows,
            rows_repaired: 0,
            statements_applied: self.statements,
            groups_committed: self.groups,
            statements_left_out: 0,
            last_commit_micros: self.last_commit_micros,
            contact: Contact {
                silent_ms: 0,
                expected_ms: 1000,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::types::{Operation, RowFlags, RowSet, Transaction};

    fn piece(ordinal: u64, last: bool, count: u32) -> Transaction {
        Transaction {
            ordinal,
            piece: 0,
            last,
            gtid: None,
            file: String::new(),
            offset: 4,
            committed_at_micros: ordinal * 10,
            changes: vec![Change::Rows(RowSet {
                table: 1,
                operation: Operation::Insert,
                count,
                offset: 1,
                length: 1,
                flags: RowFlags::empty(),
            })],
            xa: None,
            checkpoint: None,
        }
    }

    #[test]
    fn what_is_durable_counts() {
        let mut counted = Counted::default();
        counted.accepted(&Batch {
            tables: Vec::new(),
            transactions: vec![piece(1, true, 2), piece(2, false, 3), piece(2, true, 4)],
            rows: Vec::new(),
        });
        let durable = |ordinal| ChangeSinkProgress {
            durable: Some(Checkpoint {
                ordinal,
                data: Vec::new(),
                display: format!("at {ordinal}"),
            }),
            accepts: true,
            pending: false,
        };
        counted.progress(durable(1));
        let status = counted.status();
        assert_eq!((status.transactions_applied, status.rows_applied), (1, 2));
        assert_eq!(
            (status.position.as_str(), status.last_commit_micros),
            ("at 1", 10)
        );
        counted.progress(durable(2));
        let status = counted.status();
        assert_eq!((status.transactions_applied, status.rows_applied), (2, 9));
    }
}
