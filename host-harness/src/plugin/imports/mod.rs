//! What the host provides to a plugin: one file per interface of the contract.

mod credentials;
mod log;
mod system;
mod transport;

pub(super) use log::LogGate;

use wasmtime::component::{HasSelf, Linker};

use super::PluginState;
use crate::bindings::{shared, types};

impl types::Host for PluginState {}

/// Adds all of them to a linker.
pub(crate) fn add_imports(linker: &mut Linker<PluginState>) -> wasmtime::Result<()> {
    shared::Imports::add_to_linker::<_, HasSelf<PluginState>>(linker, |state| state)
}
