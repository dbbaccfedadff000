//! What a network call can end with, in the contract's codes.

use datain_standalone_config::error::Error;
use datain_standalone_wasi::bindings::wasi::sockets::network::ErrorCode;

use crate::bindings::exports::datain::replication::transport::{NetError, NetFailure};

/// A network failure: a dotted code, a sentence, and what to do where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// `net.*`, `tls.*` or `config.*`.
    code: String,
    message: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// From the runtime's answer to a call on the connection to `server`; `doing` completes "failed to …".
    pub(crate) fn from_code(code: ErrorCode, doing: &str, server: &str) -> Self {
        use ErrorCode as C;
        let (name, hint) = match code {
            C::ConnectionRefused => (
                "net.refused",
                Some("is the server running, and is the port right?"),
            ),
            C::AccessDenied => (
                "net.refused",
                Some(
                    "the runtime does not let the program out: wasmtime run -S inherit-network, and -S allow-ip-name-lookup for a host that is a name",
                ),
            ),
            C::RemoteUnreachable | C::AddressNotBindable => (
                "net.unreachable",
                Some("check the address and the route to it"),
            ),
            C::Timeout => (
                "net.timeout",
                Some("check the address, the port and firewalls in between"),
            ),
            C::ConnectionReset | C::ConnectionAborted => ("net.reset", None),
            C::NameUnresolvable | C::PermanentResolverFailure => (
                "net.name-unknown",
                Some(
                    "check the host's name, and that the runtime allows look-ups (wasmtime run -S allow-ip-name-lookup)",
                ),
            ),
            C::TemporaryResolverFailure => {
                ("net.name-unknown", Some("the name server may be away"))
            }
            C::NewSocketLimit => ("net.limit", None),
            _ => ("net.failed", None),
        };
        let failure = Self::new(name, format!("failed to {doing} {server}: {}", code.name()));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let report = error.report();
        let message = match &report.detail {
            Some(detail) => format!("{}: {detail}", report.message),
            None => report.message.clone(),
        };
        Self {
            code: report.code.clone(),
            message,
            hint: report.hint.clone(),
        }
    }
}

impl From<Failure> for NetError {
    fn from(failure: Failure) -> Self {
        Self::Failed(NetFailure {
            code: failure.code,
            message: failure.message,
            hint: failure.hint,
        })
    }
}
