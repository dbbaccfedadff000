//! Arguments that the host would have to copy, or work on, before it could refuse them.

use crate::bindings::datain::replication::log::{Level, log};
use crate::bindings::datain::replication::system;
use crate::bindings::datain::replication::transport::{self, Connection, Interest};
use crate::bindings::datain::replication::types::Error;

use super::{other_endpoint, refusal};

/// A line of 200 MiB.
pub(super) fn log_line() -> Result<(), Error> {
    log(Level::Error, &"x".repeat(200 << 20), &[]);
    Ok(())
}

/// A million times the same connection.
pub(super) fn wait_list() -> Result<(), Error> {
    let connection = Connection::connect(other_endpoint::own()).map_err(refusal)?;
    let list = vec![(&connection, Interest::READABLE); 1_000_000];
    transport::wait(&list, 1000).map(|_| ()).map_err(refusal)
}

/// Four gigabytes of randomness.
pub(super) fn random() -> Result<(), Error> {
    let bytes = system::random_bytes(u32::MAX);
    Err(crate::error("hostile.random", &bytes.len().to_string()))
}
