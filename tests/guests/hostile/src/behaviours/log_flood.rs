//! Log lines without end.

use crate::bindings::datain::replication::log::{Level, log};
use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    for number in 0_u64.. {
        log(
            Level::Error,
            "a line of a flood",
            &[("number".to_owned(), number.to_string())],
        );
    }
    Ok(())
}
