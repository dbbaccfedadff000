//! A handle that is used after it was given back.

use crate::bindings::datain::replication::transport::Connection;
use crate::bindings::datain::replication::types::Error;

use super::{other_endpoint, refusal};

pub(super) fn run() -> Result<(), Error> {
    let connection = Connection::connect(other_endpoint::own()).map_err(refusal)?;
    let handle = connection.take_handle();
    // SAFETY: it is what the connection had. The first one gives it back, and the second is the abuse.
    let (first, second) = unsafe {
        (
            Connection::from_handle(handle),
            Connection::from_handle(handle),
        )
    };
    drop(first);
    let written = second.write(b"after the end");
    std::mem::forget(second);
    match written {
        Ok(bytes) => Err(crate::error("hostile.written", &bytes.to_string())),
        Err(failure) => Err(refusal(failure)),
    }
}
