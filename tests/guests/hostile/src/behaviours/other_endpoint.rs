//! Another endpoint than the plugin's own: a connection to it, and its password.

use crate::bindings::datain::replication::credentials;
use crate::bindings::datain::replication::transport::Connection;
use crate::bindings::datain::replication::types::Error;

use super::refusal;

/// The endpoint that is this instance's.
pub(super) fn own() -> &'static str {
    match credentials::get("source") {
        Ok(_) => "source",
        Err(_) => "target",
    }
}

fn other() -> &'static str {
    match own() {
        "source" => "target",
        _ => "source",
    }
}

/// Tries what could lead elsewhere; ends with the host's last refusal.
pub(super) fn connect() -> Result<(), Error> {
    let mut refused = Ok(());
    for name in [
        "127.0.0.1:22",
        "/etc/passwd",
        "file:///etc/passwd",
        "source/0",
        "target/0",
        "",
        "SOURCE",
        other(),
    ] {
        match Connection::connect(name) {
            Ok(_) => return Err(crate::error("hostile.connected", name)),
            Err(failure) => refused = Err(refusal(failure)),
        }
    }
    refused
}

pub(super) fn credential() -> Result<(), Error> {
    match credentials::get(other()) {
        Ok(_) => Err(crate::error("hostile.password", "it was handed out")),
        Err(refused) => Err(refused),
    }
}
