//! A trap, as of a plugin with an error in it.

use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    core::arch::wasm32::unreachable()
}
