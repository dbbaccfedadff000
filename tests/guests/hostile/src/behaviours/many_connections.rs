//! 100,000 connections, all kept open.

use crate::bindings::datain::replication::transport::Connection;
use crate::bindings::datain::replication::types::Error;

use super::{other_endpoint, refusal};

pub(super) fn run() -> Result<(), Error> {
    let own = other_endpoint::own();
    let mut open = Vec::new();
    let mut refused = None;
    for _ in 0..100_000 {
        match Connection::connect(own) {
            Ok(connection) => open.push(connection),
            Err(failure) => refused = Some(failure),
        }
    }
    match refused {
        Some(failure) => Err(refusal(failure)),
        None => Err(crate::error("hostile.connected", &open.len().to_string())),
    }
}
