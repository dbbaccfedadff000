//! Handles without end, each of which lies in a table of the host's.

use crate::bindings::datain::replication::types::Error;
use crate::bindings::exports::datain::replication::source::Reader;
use crate::hostile_source;

pub(super) fn run() -> Result<(), Error> {
    loop {
        let reader = Reader::new(hostile_source::Reader::new(0));
        // Never given back.
        std::mem::forget(reader);
    }
}
