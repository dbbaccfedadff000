//! The WebAssembly engine: how components are compiled, found and cached, and the clock that keeps them in bounds.

mod cache;
mod component;
mod loaded;
pub mod locate;
mod ticker;

pub(crate) use component::CHANGE_SINK;
pub use component::{Role, component_imports};

use std::path::Path;
use std::sync::Arc;

use wasmtime::component::{Component, Linker};

use crate::error::{Error, Kind, Result};
use crate::plugin::PluginState;
use loaded::Loaded;
pub use loaded::SharedComponent;
use ticker::Ticker;

/// The engine, shared by all plugins of a process. Cloning it is cheap.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    linker: Arc<Linker<PluginState>>,
    loaded: Arc<Loaded>,
    _ticker: Arc<Ticker>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

impl Engine {
    /// An engine with the imports of the contract.
    ///
    /// # Errors
    /// `host.engine` where this machine cannot run one.
    pub fn new() -> Result<Self> {
        let unusable = |e: wasmtime::Error| {
            Error::new(
                Kind::Fatal,
                "host.engine",
                "failed to start the WebAssembly engine",
            )
            .detail(format!("{e:#}"))
        };
        let mut config = wasmtime::Config::new();
        // Halves the cost of a call across the boundary; the contract's functions are synchronous.
        config.concurrency_support(false);
        config.epoch_interruption(true);
        config.wasm_component_model(true);
        let inner = wasmtime::Engine::new(&config).map_err(unusable)?;
        let mut linker = Linker::new(&inner);
        crate::plugin::add_imports(&mut linker).map_err(unusable)?;
        let ticker = Ticker::start(&inner)?;
        Ok(Self {
            inner,
            linker: Arc::new(linker),
            loaded: Arc::default(),
            _ticker: Arc::new(ticker),
        })
    }

    /// Compiles the component in a file, or takes it from the cache. Pipelines that run the same component share what was compiled.
    ///
    /// # Errors
    /// `plugin.unreadable`, `plugin.invalid`.
    pub fn load(&self, role: Role, path: &Path, cached: bool) -> Result<SharedComponent> {
        let bytes = loaded::read(role, path)?;
        let component = self
            .loaded
            .component(&self.inner, &bytes, cached)
            .map_err(|e| {
            Error::config("plugin.invalid", format!("{} is not a usable WebAssembly component", path.display()))
                .detail(format!("{e:#}"))
                .hint("plugins are components for the worlds in wit/worlds.wit; `cargo xtask wasm` builds datain's own")
        })?;
        Ok(component)
    }

    /// The interface that a component of this role exports, once it was seen to import only what it is given.
    ///
    /// # Errors
    /// `plugin.import-unknown` when it wants something that this host does not provide; `plugin.export-missing` when it is no plugin of this role.
    pub(crate) fn interface(
        &self,
        role: Role,
        path: &Path,
        component: &Component,
    ) -> Result<&'static str> {
        component::check(&self.inner, component, role, path)
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }

    pub(crate) fn linker(&self) -> &Linker<PluginState> {
        &self.linker
    }
}
