//! What a network call can end with, in the contract's codes.

use rustix::io::Errno;

/// A network failure: a dotted code, a sentence, and what to do where that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// `net.*` or `tls.*`, see wit/transport.wit.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// From the system's answer to a call on the connection to `server`; `doing` completes "failed to …".
    pub(super) fn from_errno(errno: Errno, doing: &str, server: &str) -> Self {
        let (code, hint) = match errno {
            Errno::CONNREFUSED => (
                "net.refused",
                Some("is the server running, and is the port right?"),
            ),
            Errno::NOENT => (
                "net.refused",
                Some("is the server running, and is the socket's path right?"),
            ),
            Errno::ACCESS | Errno::PERM => (
                "net.refused",
                Some("may this user open the socket, and does a firewall forbid it?"),
            ),
            Errno::HOSTUNREACH | Errno::NETUNREACH | Errno::NETDOWN | Errno::ADDRNOTAVAIL => (
                "net.unreachable",
                Some("check the address and the route to it"),
            ),
            Errno::TIMEDOUT => (
                "net.timeout",
                Some("check the address, the port and firewalls in between"),
            ),
            Errno::CONNRESET | Errno::CONNABORTED | Errno::PIPE => ("net.reset", None),
            _ => ("net.failed", None),
        };
        let reason = std::io::Error::from(errno);
        let failure = Self::new(code, format!("failed to {doing} {server}: {reason}"));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// The same for an error that came through [`std::io`].
    pub(super) fn from_io(error: &std::io::Error, doing: &str, server: &str) -> Self {
        match error.raw_os_error() {
            Some(code) => Self::from_errno(Errno::from_raw_os_error(code), doing, server),
            None => Self::new("net.failed", format!("failed to {doing} {server}: {error}")),
        }
    }
}
