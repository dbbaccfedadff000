//! An error under a code that is the host's, so that it would count what never happened.

use crate::bindings::datain::replication::types::{Disposition, Error};

pub(super) fn run() -> Result<(), Error> {
    let mut error = crate::error("plugin.trap", "the sink plugin crashed");
    error.disposition = Disposition::Retry;
    Err(error)
}
