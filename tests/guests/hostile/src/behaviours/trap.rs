//! A trap, as of a plugin with an error in it.

use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    // In WebAssembly that is a trap.
    std::process::abort()
}
