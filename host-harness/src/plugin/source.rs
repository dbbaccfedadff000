//! A running source plugin.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::ResourceAny;

use super::Plugin;
use super::instance::{Instance, Time};
use super::plugin_config::{Purpose, Seen};
use super::state::SharedWaker;
use crate::bindings::source::SourcePlugin;
use crate::bindings::source::exports::datain::replication::source::Limits;
use crate::bindings::types::Description;
use crate::bindings::{
    Batch, Checkpoint, EventCounts, Resumption, SourceInspection, SourceStatus, Survey, Upcoming,
};
use crate::config::ThrottleChange;
use crate::error::Result;
use crate::pipeline::Reader;
use crate::pipeline::copying::{self, ThrottleOrders};

/// An instance of a source plugin, with an open reader once [`Self::open`] has succeeded.
pub struct SourceInstance {
    pub(super) instance: Instance,
    pub(super) plugin: SourcePlugin,
    reader: Option<ResourceAny>,
    /// What a person changes of the limits of a first copy, and what of it the plugin knows.
    throttle: (ThrottleOrders, ThrottleChange),
}

impl SourceInstance {
    /// A new instance; nothing is connected yet.
    ///
    /// # Errors
    /// A trap while it starts, or `config.*` for files that cannot be read.
    pub fn new(plugin: &Arc<Plugin>, waker: SharedWaker) -> Result<Self> {
        let mut instance = Instance::new(plugin, waker)?;
        let plugin = instance.instantiate(|store, plugin| {
            SourcePlugin::instantiate(store, &plugin.component, plugin.engine.linker())
        })?;
        Ok(Self {
            instance,
            plugin,
            reader: None,
            throttle: Default::default(),
        })
    }

    /// From now on the limits of a first copy follow these orders.
    pub(crate) fn follow(&mut self, orders: ThrottleOrders) {
        self.throttle.0 = orders;
    }

    /// What the component says of itself.
    ///
    /// # Errors
    /// A trap.
    pub fn describe(&mut self) -> Result<Description> {
        let guest = self.plugin.datain_replication_source();
        self.instance
            .call(Time::SHORT, false, |store| guest.call_describe(store))
    }

    /// Connects and prepares to stream from where a sink says.
    ///
    /// # Errors
    /// What the plugin reports.
    pub(crate) fn open(&mut self, from: &Resumption, purpose: Purpose) -> Result<()> {
        let seen = Seen {
            ahead: from.ahead.as_deref(),
            ..Seen::default()
        };
        let config = self.instance.config_json_of(purpose, seen);
        let resume = from.checkpoint.as_ref();
        let guest = self.plugin.datain_replication_source();
        self.reader = Some(self.instance.try_call(Time::Long, false, |store| {
            guest
                .reader()
                .call_open(store, &config, resume, from.set_position)
        })?);
        Ok(())
    }

    /// Where the source stands, and how far `checkpoint` is behind it.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn inspect(&mut self, checkpoint: Option<&Checkpoint>) -> Result<SourceInspection> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_inspect(store, &config, checkpoint)
        })
    }

    /// The transaction after `checkpoint`, none when there is no newer one.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn next_transaction(&mut self, checkpoint: &Checkpoint) -> Result<Option<Upcoming>> {
        let config = self.instance.config_json(Purpose::Look);
        let guest = self.plugin.datain_replication_source();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_next_transaction(store, &config, checkpoint)
        })
    }

    /// When the transaction after `checkpoint` was committed, none when there is no newer one.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn next_commit(&mut self, checkpoint: &Checkpoint) -> Result<Option<u64>> {
        let config = self.instance.config_json(Purpose::Look);
        let guest = self.plugin.datain_replication_source();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_next_commit(store, &config, checkpoint)
        })
    }

    /// What stands in the way of reading, and what the sink must know to compare. `checkpoint` is the target's.
    ///
    /// # Errors
    /// Why the server could not be looked at.
    pub fn check(&mut self, checkpoint: Option<&Checkpoint>) -> Result<Survey> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_check(store, &config, checkpoint)
        })
    }

    /// The names of a table's columns as they are today; empty where they cannot be seen.
    ///
    /// # Errors
    /// What the plugin reports.
    pub fn column_names(&mut self, schema: &str, table: &str) -> Result<Vec<String>> {
        let config = self.instance.config_json(Purpose::Replicate);
        let guest = self.plugin.datain_replication_source();
        self.instance.try_call(Time::Long, false, |store| {
            guest.call_column_names(store, &config, schema, table)
        })
    }

    /// The events counted so far, in an instance opened for that. An error that the plugin reported does not take them away.
    ///
    /// # Errors
    /// A trap.
    pub(crate) fn event_counts(&mut self) -> Result<EventCounts> {
        let reader = self.reader()?;
        let guest = self.plugin.datain_replication_source();
        self.instance.call(Time::SHORT, false, |store| {
            guest.reader().call_event_counts(store, reader)
        })
    }

    fn reader(&self) -> Result<ResourceAny> {
        self.reader.ok_or_else(super::sink::not_open)
    }
}

impl Reader for SourceInstance {
    fn poll(&mut self, max_bytes: u32, max_wait: Duration) -> Result<Option<Batch>> {
        let reader = self.reader()?;
        let limits = Limits {
            max_bytes,
            max_wait_ms: u32::try_from(max_wait.as_millis()).unwrap_or(u32::MAX),
        };
        let guest = self.plugin.datain_replication_source();
        self.instance
            .try_call(Time::Waits(max_wait), true, |store| {
                guest.reader().call_poll(store, reader, limits)
            })
    }

    fn ack(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let reader = self.reader()?;
        let guest = self.plugin.datain_replication_source();
        self.instance.call(Time::SHORT, false, |store| {
            guest.reader().call_ack(store, reader, checkpoint)
        })
    }

    fn follow_orders(&mut self) -> Result<()> {
        let change = self.throttle.0.get();
        if change == self.throttle.1 {
            return Ok(());
        }
        let reader = self.reader()?;
        let limits = copying::for_source(change.of(self.instance.config().throttle));
        let guest = self.plugin.datain_replication_source();
        self.instance.call(Time::SHORT, false, |store| {
            guest.reader().call_set_throttle(store, reader, limits)
        })?;
        self.throttle.1 = change;
        Ok(())
    }

    fn status(&mut self) -> Result<SourceStatus> {
        let reader = self.reader()?;
        let guest = self.plugin.datain_replication_source();
        self.instance.call(Time::SHORT, false, |store| {
            guest.reader().call_status(store, reader)
        })
    }
}
