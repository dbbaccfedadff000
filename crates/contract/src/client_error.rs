//! Errors of a MySQL session as the contract's errors: what the one who gets it can do is decided here, once.

use datain_mysql_client::ClientError;

use crate::types::{Disposition, Error};
use crate::{ErrorExt as _, INTERRUPTED};

impl From<ClientError> for Error {
    fn from(error: ClientError) -> Self {
        if error.is_interrupted() {
            return Error::retry(INTERRUPTED, "the host asked the plugin to end");
        }
        let disposition = match &error {
            _ if error.is_transient() => Disposition::Retry,
            _ if error.code() == "server.binlog-purged" => Disposition::Resnapshot,
            ClientError::Auth(_) | ClientError::Tls(_) | ClientError::Stream(_) => {
                Disposition::Reconfigure
            }
            ClientError::Server(_) if RECONFIGURE.contains(&error.code()) => {
                Disposition::Reconfigure
            }
            _ => Disposition::Fatal,
        };
        let mut out = Error::new(disposition, error.code(), error.message());
        out.hint = error.hint().map(str::to_owned);
        if let ClientError::Protocol { .. } = &error {
            out.hint = Some(DAMAGED.to_owned());
        }
        if let Some(server) = error.server() {
            out.server_errno = Some(server.errno);
            out.sqlstate.clone_from(&server.sqlstate);
            out.detail = Some(format!(
                "the server said so in answer to: {}",
                server.context
            ));
        }
        out
    }
}

const DAMAGED: &str = "the bytes were damaged on the way, or what answers is no MySQL server: look at what stands between (proxy, load balancer, \
    tunnel), and start again";

/// Codes of server errors that end when a person changes an account or a setting.
const RECONFIGURE: &[&str] = &[
    "server.access-denied",
    "server.privilege-missing",
    "server.unknown-database",
    "server.auth-plugin-unsupported",
    "auth.rsa-key-required",
    "server.host-blocked",
    "server.host-not-allowed",
    "server.packet-too-large",
    "server.replica-id-in-use",
    "server.local-infile-disabled",
    "server.tls-required",
    "server.password-expired",
    "server.account-locked",
    "server.table-missing",
    "server.unknown-time-zone",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use datain_mysql_client::{ServerError, StreamError};

    use super::*;

    /// What docs/errors.md says of an error must be what is done about it.
    fn check(error: ClientError, seen: &mut BTreeSet<String>) {
        let error = Error::from(error);
        let entry = datain_catalogue::ERRORS
            .iter()
            .flat_map(|section| section.entries)
            .find(|entry| entry.codes.contains(&error.code.as_str()))
            .unwrap_or_else(|| panic!("{} is not in the catalogue", error.code));
        assert_eq!(
            entry.then.starts_with("again"),
            error.disposition == Disposition::Retry,
            "{} is {:?}, and the catalogue says {:?}",
            error.code,
            error.disposition,
            entry.then
        );
        seen.insert(error.code);
    }

    #[test]
    fn the_catalogue_says_what_happens_after_an_error_of_a_server_or_a_network() {
        let mut seen = BTreeSet::new();
        for errno in 1..=u16::MAX {
            let server = ServerError {
                errno,
                sqlstate: None,
                message: String::new(),
                context: String::new(),
            };
            check(ClientError::Server(Box::new(server)), &mut seen);
        }
        let codes = datain_catalogue::ERRORS
            .iter()
            .flat_map(|section| section.entries)
            .flat_map(|entry| entry.codes);
        for code in codes {
            if code.starts_with("net.") {
                check(StreamError::new(*code, "").into(), &mut seen);
            } else if code.starts_with("server.") && !OF_DATAIN.contains(code) {
                assert!(seen.contains(*code), "no errno gives {code}");
            }
        }
    }

    /// What no server says by its errno alone: its words decide, or datain itself says it.
    const OF_DATAIN: &[&str] = &[
        "server.binlog-purged",
        "server.replica-displaced",
        "server.replica-id-in-use",
    ];
}
