//! Sleeps that are begun again and again, whatever the host answers: no processor time is used, and the call never returns.

use crate::bindings::datain::replication::transport;
use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    loop {
        let _ = transport::wait(&[], 60_000);
    }
}
