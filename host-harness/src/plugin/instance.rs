//! What instances of both roles have in common: the store, and how a call into it is guarded.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Store, UpdateDeadline};

use super::plugin_config::{self, Purpose, Seen};
use super::state::{PluginState, SharedWaker, may_go_on};
use super::{Plugin, failure};
use crate::bindings::types;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::transport::{Connections, Endpoint};

/// How long a call may take; `limits.call_seconds` is the measure.
#[derive(Debug, Clone, Copy)]
pub(super) enum Time {
    /// Five times as long as that: a call that cannot return early connects, looks up tables, or takes a pipeline over.
    Long,
    /// So much longer than the call was told to wait.
    Waits(Duration),
}

impl Time {
    /// As long as that: a call that has nothing to wait for.
    pub(super) const SHORT: Self = Self::Waits(Duration::ZERO);

    fn limit(self, measure: Duration) -> Duration {
        match self {
            Self::Long => measure * 5,
            Self::Waits(time) => time + measure,
        }
    }
}

/// Handles that a plugin may hold beside those of its connections: what it exports, and what it lends. They lie in the host's memory.
const OTHER_HANDLES: usize = 1000;

/// A plugin's store.
pub(super) struct Instance {
    pub(super) store: Store<PluginState>,
    plugin: Arc<Plugin>,
    waker: SharedWaker,
}

impl Instance {
    pub(super) fn new(plugin: &Arc<Plugin>, waker: SharedWaker) -> Result<Self> {
        let config = &plugin.config;
        let endpoint = Arc::new(Endpoint::load(plugin.role.endpoint(), plugin.server())?);
        let connections = Connections::new(
            endpoint,
            Arc::clone(&waker),
            config.limits.connections as usize,
        );
        let state = PluginState::new(plugin.role, config, plugin.server(), connections);
        let mut store = Store::new(plugin.engine.wasmtime(), state);
        store.limiter(|state| &mut state.memory);
        // What is lifted out of a plugin is copied into the host's memory before anybody can look at it, and a list may name the same bytes again and again.
        store.set_hostcall_fuel((config.limits.call_mib as usize) << 20);
        store.set_max_component_handles(config.limits.connections as usize + OTHER_HANDLES);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| {
            may_go_on(context.data())?;
            Ok(UpdateDeadline::Continue(1))
        });
        Ok(Self {
            store,
            plugin: Arc::clone(plugin),
            waker,
        })
    }

    /// The host's configuration.
    pub(super) fn config(&self) -> &Config {
        &self.plugin.config
    }

    /// The plugin's configuration.
    pub(super) fn config_json(&self, purpose: Purpose) -> String {
        self.config_json_of(purpose, Seen::default())
    }

    /// The same with what the host has seen of the target.
    pub(super) fn config_json_of(&self, purpose: Purpose, seen: Seen<'_>) -> String {
        let plugin = &self.plugin;
        let version = plugin.row_block_version();
        let own = &plugin.own_config;
        plugin_config::json(plugin.role, &plugin.config, own, version, purpose, seen)
    }

    /// Instantiates the component with `instantiate`, within the bounds of a call.
    pub(super) fn instantiate<P>(
        &mut self,
        instantiate: impl FnOnce(&mut Store<PluginState>, &Plugin) -> wasmtime::Result<P>,
    ) -> Result<P> {
        self.begin(Time::Long, false);
        let plugin = Arc::clone(&self.plugin);
        instantiate(&mut self.store, &plugin).map_err(|e| {
            if failure::is_of_other_types(&e) {
                failure::contract(&e, plugin.role, &plugin.file)
            } else {
                self.trapped(&e)
            }
        })
    }

    fn begin(&mut self, time: Time, attention: bool) {
        let wall = time.limit(self.plugin.config.limits.call);
        self.store.data_mut().call.begin(wall, attention);
    }

    /// Calls into the plugin, which must return within `time`; with `attention` the waker's calls end its sleep early.
    pub(super) fn call<R>(
        &mut self,
        time: Time,
        attention: bool,
        call: impl FnOnce(&mut Store<PluginState>) -> wasmtime::Result<R>,
    ) -> Result<R> {
        self.begin(time, attention);
        call(&mut self.store).map_err(|e| self.trapped(&e))
    }

    /// The same for a call that can report an error of its own.
    pub(super) fn try_call<R>(
        &mut self,
        time: Time,
        attention: bool,
        call: impl FnOnce(
            &mut Store<PluginState>,
        ) -> wasmtime::Result<std::result::Result<R, types::Error>>,
    ) -> Result<R> {
        self.call(time, attention, call)?.map_err(|error| {
            // What the host ended, the host explains; the plugin only passed it on.
            if self.waker.is_interrupted() {
                failure::interrupted()
            } else if self.store.data().call.overdue {
                failure::overdue(self.plugin.role)
            } else {
                failure::reported(error, self.plugin.role, self.plugin.server())
            }
        })
    }

    fn trapped(&self, error: &wasmtime::Error) -> Error {
        if self.waker.is_interrupted() {
            return failure::interrupted();
        }
        failure::trapped(error, self.plugin.role, self.store.data())
    }
}
