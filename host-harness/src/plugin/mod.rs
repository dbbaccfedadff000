//! Plugin instances: a store, its bounds, what is imported into it, and typed calls out of it.
//!
//! One instance is used from one thread. After any error it is thrown away, which closes its sockets and frees its memory.

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

pub(crate) use examiner::{SinkExaminer, SourceExaminer};
pub(crate) use failure::interrupted;
pub(crate) use imports::add_imports;
pub(crate) use plugin_config::Purpose;
pub use sink::SinkInstance;
pub use source::SourceInstance;
pub use state::PluginState;

use std::sync::{Arc, OnceLock};

use wasmtime::component::Component;

use crate::bindings::sink::SinkPluginPre;
use crate::bindings::source::SourcePluginPre;
use crate::config::{Config, ServerConfig};
use crate::engine::{Engine, Role, SharedComponent, locate};
use crate::error::{Error, Result};

/// A compiled plugin together with the configuration it runs under: what instances are made from.
pub struct Plugin {
    engine: Engine,
    component: SharedComponent,
    role: Role,
    config: Arc<Config>,
    server: ServerConfig,
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
        let server = server(role, config)?.clone();
        let configured = match role {
            Role::Source => config.plugins.source.as_deref(),
            Role::Sink => config.plugins.sink.as_deref(),
        };
        let path = locate::locate(role, configured)?;
        let component = engine.load(role, &path, config.plugins.cache)?;
        check_contract(engine, role, &component).map_err(|e| {
            Error::config(
                "plugin.contract",
                format!(
                    "the {role} component {} does not keep to the contract",
                    path.display()
                ),
            )
            .detail(format!("{e:#}"))
            .hint("was it built from the same version of wit/ as this host?")
        })?;
        tracing::debug!(%role, path = %path.display(), "plugin loaded");
        Ok(Self {
            engine: engine.clone(),
            component,
            role,
            config: Arc::clone(config),
            server,
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

fn server(role: Role, config: &Config) -> Result<&ServerConfig> {
    match role {
        Role::Source => Ok(&config.source),
        Role::Sink => config.target.as_ref().ok_or_else(|| {
            Error::config("config.missing-key", "the configuration has no [target]")
                .hint("only a command that writes nothing does without")
        }),
    }
}

/// Whether the types of everything imported and exported are those of the contract.
fn check_contract(engine: &Engine, role: Role, component: &Component) -> wasmtime::Result<()> {
    let linked = engine.linker().instantiate_pre(component)?;
    match role {
        Role::Source => SourcePluginPre::new(linked).map(|_| ()),
        Role::Sink => SinkPluginPre::new(linked).map(|_| ()),
    }
}

#[cfg(test)]
mod tests;
