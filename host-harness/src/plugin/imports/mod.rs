//! What the host provides to a plugin: one file per interface of the contract.

mod credentials;
mod log;
mod output_file;
mod system;
mod transport;

pub(super) use log::LogGate;
pub(super) use output_file::Output;

use wasmtime::component::{HasSelf, Linker};

use super::PluginState;
use crate::bindings::{output_file as output_file_of_contract, shared, types};

impl types::Host for PluginState {}

/// Adds all of them to a linker. Which of them a component may import was looked at when it was loaded.
pub(crate) fn add_imports(linker: &mut Linker<PluginState>) -> wasmtime::Result<()> {
    shared::Imports::add_to_linker::<_, HasSelf<PluginState>>(linker, |state| state)?;
    output_file_of_contract::add_to_linker::<_, HasSelf<PluginState>>(linker, |state| state)
}
