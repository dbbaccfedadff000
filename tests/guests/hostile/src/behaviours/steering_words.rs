//! An error whose words would clear the operator's screen, set its title, and fill it for minutes.

use crate::bindings::datain::replication::types::Error;

pub(super) fn run() -> Result<(), Error> {
    let steer = "\u{1b}[2J\u{1b}]0;owned\u{7}\r";
    let mut error = crate::error(
        "hostile.words",
        &format!("{steer}{}", "long ".repeat(1 << 20)),
    );
    error.detail = Some(format!("{steer}\nerror[config.fine]: all is well"));
    Err(error)
}
