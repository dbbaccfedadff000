//! Plugin instances: a store, its bounds, what is imported into it, and typed calls out of it.
//!
//! One instance is used from one thread. After any error it is thrown away, which closes its sockets and frees its memory.

mod change_sink;
mod cutover;
mod examiner;
mod failure;
mod imports;
mod instance;
pub(crate) mod negotiate;
mod plugin_config;
mod sink;
mod source;
mod state;
mod text;
mod transform;

pub(crate) use examiner::{SinkExaminer, SourceExaminer};
pub(crate) use failure::interrupted;
pub(crate) use imports::add_imports;
pub(crate) use plugin_config::Purpose;
pub use sink::SinkInstance;
pub use source::SourceInstance;
pub use state::PluginState;
pub(crate) use transform::{TransformInstance, Transformed};

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use wasmtime::component::Component;

use crate::bindings::change_sink::ChangeSinkPluginPre;
use crate::bindings::sink::SinkPluginPre;
use crate::bindings::source::SourcePluginPre;
use crate::bindings::transform::TransformPluginPre;
use crate::config::{Address, Config, ServerConfig, Transform};
use crate::engine::{CHANGE_SINK, Engine, Role, SharedComponent, locate};
use crate::error::{Error, Result};

/// A compiled plugin together with the configuration it runs under: what instances are made from.
pub struct Plugin {
    engine: Engine,
    component: SharedComponent,
    role: Role,
    config: Arc<Config>,
    server: ServerConfig,
    /// What the operator says to this component alone.
    own_config: serde_json::Value,
    /// The interface that it exports.
    interface: &'static str,
    /// Where it came from.
    file: PathBuf,
    row_block_version: OnceLock<u8>,
}

impl std::fmt::Debug for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plugin")
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Plugin {
    /// Finds and compiles the plugin for `role`.
    ///
    /// # Errors
    /// `plugin.*`, see [`locate::locate`] and [`Engine::load`]; `config.missing-key` for a sink without `[target]`.
    pub fn load(engine: &Engine, role: Role, config: &Arc<Config>) -> Result<Self> {
        let (server, configured, own_config) = match role {
            Role::Sink => (
                target(config)?.clone(),
                config.plugins.sink.as_deref(),
                config.plugins.sink_config.clone(),
            ),
            Role::Source | Role::Transform => (
                config.source.clone(),
                config.plugins.source.as_deref(),
                serde_json::Value::Null,
            ),
        };
        let path = locate::locate(role, configured)?;
        Self::from_file(engine, role, config, server, own_config, path)
    }

    /// Compiles a component that is to stand between source and sink.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub(crate) fn load_transform(
        engine: &Engine,
        config: &Arc<Config>,
        transform: &Transform,
    ) -> Result<Self> {
        let path = locate::locate(Role::Transform, Some(&transform.path))?;
        // It connects to nothing: nothing of this name is there.
        let nowhere = ServerConfig::without_server(Address::Files(Vec::new()));
        let own_config = transform.config.clone();
        Self::from_file(engine, Role::Transform, config, nowhere, own_config, path)
    }

    fn from_file(
        engine: &Engine,
        role: Role,
        config: &Arc<Config>,
        server: ServerConfig,
        own_config: serde_json::Value,
        path: PathBuf,
    ) -> Result<Self> {
        let component = engine.load(role, &path, config.plugins.cache)?;
        let interface = engine.interface(role, &path, &component)?;
        check_contract(engine, interface, &component)
            .map_err(|e| failure::contract(&e, role, &path))?;
        tracing::debug!(%role, path = %path.display(), "plugin loaded");
        Ok(Self {
            engine: engine.clone(),
            component,
            role,
            config: Arc::clone(config),
            server,
            own_config,
            interface,
            file: path,
            row_block_version: OnceLock::new(),
        })
    }

    /// The names of everything it imports.
    pub fn imports(&self) -> Vec<String> {
        crate::engine::component_imports(&self.engine, &self.component)
    }

    /// What was negotiated; 0 before that, when only `describe` may be called.
    fn row_block_version(&self) -> u8 {
        self.row_block_version.get().copied().unwrap_or(0)
    }

    fn server(&self) -> &ServerConfig {
        &self.server
    }

    /// The name of the pipeline that it works for.
    pub(crate) fn pipeline(&self) -> &str {
        &self.config.name
    }
}

fn target(config: &Config) -> Result<&ServerConfig> {
    config.target.as_ref().ok_or_else(|| {
        Error::config("config.missing-key", "the configuration has no [target]")
            .hint("only a command that writes nothing does without")
    })
}

/// Whether the types of everything imported and exported are those of the contract.
fn check_contract(engine: &Engine, interface: &str, component: &Component) -> wasmtime::Result<()> {
    let linked = engine.linker().instantiate_pre(component)?;
    match interface {
        "source" => SourcePluginPre::new(linked).map(|_| ()),
        CHANGE_SINK => ChangeSinkPluginPre::new(linked).map(|_| ()),
        "transform" => TransformPluginPre::new(linked).map(|_| ()),
        _ => SinkPluginPre::new(linked).map(|_| ()),
    }
}

#[cfg(test)]
mod tests;
