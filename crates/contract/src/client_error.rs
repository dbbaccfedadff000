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
];
