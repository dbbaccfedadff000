//! A running sink plugin.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use super::Plugin;
use super::change_sink::{self, Counted, SinkGuest, cannot};
use super::instance::{Instance, Time};
use super::plugin_config::{Purpose, Seen};
use super::state::SharedWaker;
use crate::bindings::types::{Description, Fact, Finding};
use crate::bindings::{
    Batch, Checkpoint, KeptVerification, Progress, Removal, Resumption, SinkInspection, SinkStatus,
    SkippedTransaction,
};
use crate::error::{Error, Kind, Result};
use crate::pipeline::Writer;

/// An instance of a sink plugin, with an open writer once [`Self::open`] has succeeded.
pub struct SinkInstance {
    pub(super) instance: Instance,
    pub(super) plugin: SinkGuest,
    writer: Option<ResourceAny>,
    /// What a sink that counts nothing has applied.
    counted: Counted,
}

impl SinkInstance {
    /// A new instance; nothing is connected yet.
    ///
    /// # Errors
    /// A trap while it starts, or `config.*` for files that cannot be read.
    pub fn new(plugin: &Arc<Plugin>, waker: SharedWaker) -> Result<Self> {
        let mut instance = Instance::new(plugin, waker)?;
        let plugin = instance.instantiate(SinkGuest::instantiate)?;
        Ok(Self {
            instance,
            plugin,
            writer: None,
            counted: Counted::default(),
        })
    }

    /// What the component says of itself.
    ///
    /// # Errors
    /// A trap.
    pub fn describe(&mut self) -> Result<Description> {
        self.instance
            .call(Time::SHORT, false, |store| match &self.plugin {
                SinkGuest::Whole(plugin) => plugin.datain_replication_sink().call_describe(store),
                SinkGuest::Changes(plugin) => {
                    plugin.datain_replication_change_sink().call_describe(store)
                }
            })
    }

    /// Connects, takes the pipeline over, and says where to go on. A `known` pipeline that is not there any more is not begun anew.
    ///
    /// # Errors
    /// What the plugin reports, e.g. `checkpoint.removed`.
    pub(crate) fn open(&mut self, purpose: Purpose, known: bool) -> Result<Resumption> {
        let config = self.instance.config_json_of(
            purpose,
            Seen {
                known,
                ..Seen::default()
            },
        );
        let guest = match &self.plugin {
            SinkGuest::Whole(plugin) => plugin.datain_replication_sink(),
            SinkGuest::Changes(plugin) => {
                if self.instance.config().set_position {
                    return Err(cannot("be moved to another place (--set-position)"));
                }
                let (writer, checkpoint) = change_sink::open(&mut self.instance, plugin, &config)?;
                self.writer = Some(writer);
                self.counted.begin_at(checkpoint.as_ref());
                return Ok(Resumption {
                    checkpoint,
                    set_position: false,
                    ahead: None,
                });
            }
        };
        let writer = self.instance.try_call(Time::Long, false, |store| {
            guest.writer().call_open(store, &config)
        })?;
        self.writer = Some(writer);
        self.instance.call(Time::SHORT, false, |store| {
            guest.writer().call_resume_from(store, writer)
        })
    }

    /// What the target knows of the pipeline; takes nothing over.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn inspect(&mut self) -> Result<SinkInspection> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = match &self.plugin {
            SinkGuest::Whole(plugin) => plugin.datain_replication_sink(),
            SinkGuest::Changes(plugin) => {
                return change_sink::inspect(&mut self.instance, plugin, &config);
            }
        };
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_inspect(store, &config)
        })
    }

    /// Keeps an error's report in the target, for those who ask later.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn note_error(&mut self, report: &str) -> Result<()> {
        let config = self.instance.config_json(Purpose::Replicate);
        let SinkGuest::Whole(plugin) = &self.plugin else {
            // Nothing is kept for those who ask later.
            return Ok(());
        };
        let guest = plugin.datain_replication_sink();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_note_error(store, &config, report)
        })
    }

    /// Stops the pipeline, wherever it runs, or lets it run again.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn set_stopped(&mut self, stopped: bool) -> Result<()> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = match &self.plugin {
            SinkGuest::Whole(plugin) => plugin.datain_replication_sink(),
            // No stop was kept that could be taken back.
            SinkGuest::Changes(_) if !stopped => return Ok(()),
            SinkGuest::Changes(_) => return Err(cannot("keep a stop")),
        };
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_set_stopped(store, &config, stopped)
        })
    }

    /// Moves the checkpoint over a transaction.
    ///
    /// # Errors
    /// What the plugin reports, e.g. `checkpoint.moved`.
    pub fn skip(
        &mut self,
        before: &Checkpoint,
        after: &Checkpoint,
        transaction: &SkippedTransaction,
    ) -> Result<()> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self
            .plugin
            .whole("skip a transaction")?
            .datain_replication_sink();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_skip(store, &config, before, after, transaction)
        })
    }

    /// Removes all that the target knows of the pipeline.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn remove(&mut self) -> Result<Removal> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self
            .plugin
            .whole("remove a pipeline")?
            .datain_replication_sink();
        self.instance
            .try_call(Time::Long, false, |store| guest.call_remove(store, &config))
    }

    /// The newest comparison that was kept.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn last_verification(&mut self) -> Result<Option<KeptVerification>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let SinkGuest::Whole(plugin) = &self.plugin else {
            return Ok(None);
        };
        let guest = plugin.datain_replication_sink();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_last_verification(store, &config)
        })
    }

    /// What stands in the way of writing, with the source's facts to compare with.
    ///
    /// # Errors
    /// Why the server could not be looked at.
    pub fn check(&mut self, source_facts: &[Fact]) -> Result<Vec<Finding>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let SinkGuest::Whole(plugin) = &self.plugin else {
            return Ok(Vec::new());
        };
        let guest = plugin.datain_replication_sink();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_check(store, &config, source_facts)
        })
    }

    fn writer(&self) -> Result<ResourceAny> {
        self.writer.ok_or_else(not_open)
    }
}

impl Writer for SinkInstance {
    fn apply(&mut self, batch: &Batch) -> Result<()> {
        let writer = self.writer()?;
        match &self.plugin {
            SinkGuest::Whole(plugin) => {
                let guest = plugin.datain_replication_sink();
                self.instance.try_call(Time::SHORT, false, |store| {
                    guest.writer().call_apply(store, writer, batch)
                })
            }
            SinkGuest::Changes(plugin) => {
                let guest = plugin.datain_replication_change_sink();
                self.instance.try_call(Time::SHORT, false, |store| {
                    guest.writer().call_apply(store, writer, batch)
                })?;
                self.counted.accepted(batch);
                Ok(())
            }
        }
    }

    fn advance(&mut self, max_wait: Duration) -> Result<Progress> {
        let writer = self.writer()?;
        let millis = u32::try_from(max_wait.as_millis()).unwrap_or(u32::MAX);
        let guest = match &self.plugin {
            SinkGuest::Whole(plugin) => plugin.datain_replication_sink(),
            SinkGuest::Changes(plugin) => {
                let guest = plugin.datain_replication_change_sink();
                let progress = self
                    .instance
                    .try_call(Time::Waits(max_wait), true, |store| {
                        guest.writer().call_advance(store, writer, millis)
                    })?;
                return Ok(self.counted.progress(progress));
            }
        };
        self.instance
            .try_call(Time::Waits(max_wait), true, |store| {
                guest.writer().call_advance(store, writer, millis)
            })
    }

    fn flush(&mut self, max_wait: Duration) -> Result<Progress> {
        let writer = self.writer()?;
        let millis = u32::try_from(max_wait.as_millis()).unwrap_or(u32::MAX);
        let guest = match &self.plugin {
            SinkGuest::Whole(plugin) => plugin.datain_replication_sink(),
            SinkGuest::Changes(plugin) => {
                let guest = plugin.datain_replication_change_sink();
                let progress = self
                    .instance
                    .try_call(Time::Waits(max_wait), false, |store| {
                        guest.writer().call_advance(store, writer, millis)
                    })?;
                return Ok(self.counted.progress(progress));
            }
        };
        self.instance
            .try_call(Time::Waits(max_wait), false, |store| {
                guest.writer().call_flush(store, writer, millis)
            })
    }

    fn status(&mut self) -> Result<SinkStatus> {
        let writer = self.writer()?;
        let SinkGuest::Whole(plugin) = &self.plugin else {
            return Ok(self.counted.status());
        };
        let guest = plugin.datain_replication_sink();
        self.instance.call(Time::SHORT, false, |store| {
            guest.writer().call_status(store, writer)
        })
    }
}

pub(super) fn not_open() -> Error {
    Error::new(
        Kind::Fatal,
        "host.not-open",
        "the plugin's instance was used before it was opened",
    )
}
