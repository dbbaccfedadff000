//! Everything that can go wrong in a session, split by what the caller can do about it.
//!
//! Each error has a stable dotted [`code`](ClientError::code), one sentence and, where something can be done, a hint.
//! No error holds SQL values, row values or secrets: messages of the server that quote data are cut before they are
//! kept (see [`ServerError`]).

use std::fmt;

use crate::server_error::ServerError;
use crate::stream::StreamError;

/// The result of anything a session does.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// An error of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientError {
    /// The server answered with an ERR packet. The session stays usable unless the server closes it.
    Server(Box<ServerError>),
    /// The server sent bytes that are not the protocol. The session cannot be used any more.
    Protocol {
        /// A stable dotted code.
        code: &'static str,
        /// What was expected and what was found instead.
        message: String,
    },
    /// Login failed on our side: an unsupported plugin, or a password that may not be sent.
    Auth(Refusal),
    /// TLS was required and cannot be had.
    Tls(Refusal),
    /// The stream failed, was closed or was interrupted.
    Stream(StreamError),
    /// The session was used in a way that its state does not allow.
    Usage(Refusal),
}

/// An error that this side raised on its own account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A stable dotted code.
    pub code: &'static str,
    /// One sentence for people.
    pub message: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

impl ClientError {
    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::Protocol {
            code: "protocol.malformed-packet",
            message: message.into(),
        }
    }

    pub(crate) fn protocol(code: &'static str, message: impl Into<String>) -> Self {
        Self::Protocol {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn auth(
        code: &'static str,
        message: impl Into<String>,
        hint: Option<&'static str>,
    ) -> Self {
        Self::Auth(Refusal {
            code,
            message: message.into(),
            hint,
        })
    }

    pub(crate) fn usage(
        code: &'static str,
        message: impl Into<String>,
        hint: Option<&'static str>,
    ) -> Self {
        Self::Usage(Refusal {
            code,
            message: message.into(),
            hint,
        })
    }

    /// The stable dotted code, such as `server.access-denied`, `auth.rsa-key-required` or the stream's own.
    pub fn code(&self) -> &str {
        match self {
            Self::Server(e) => e.code(),
            Self::Protocol { code, .. } => code,
            Self::Auth(r) | Self::Tls(r) | Self::Usage(r) => r.code,
            Self::Stream(e) => &e.code,
        }
    }

    /// One sentence for people.
    pub fn message(&self) -> &str {
        match self {
            Self::Server(e) => &e.message,
            Self::Protocol { message, .. } => message,
            Self::Auth(r) | Self::Tls(r) | Self::Usage(r) => &r.message,
            Self::Stream(e) => &e.message,
        }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Server(e) => e.hint(),
            Self::Protocol { .. } => None,
            Self::Auth(r) | Self::Tls(r) | Self::Usage(r) => r.hint,
            Self::Stream(e) => e.hint.as_deref(),
        }
    }

    /// May the same attempt succeed later, on a new connection, with nothing changed by hand?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Server(e) => e.is_transient(),
            Self::Stream(e) => !e.interrupted && e.code.starts_with("net."),
            Self::Protocol { .. } | Self::Auth(_) | Self::Tls(_) | Self::Usage(_) => false,
        }
    }

    /// Was a wait cut short on purpose (stop or deadline)?
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Stream(e) if e.interrupted)
    }

    /// The server's error, if this is one.
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Self::Server(e) => Some(e),
            _ => None,
        }
    }

    /// The server's error number, if this is a server's error.
    pub fn errno(&self) -> Option<u16> {
        self.server().map(|e| e.errno)
    }

    /// The server's SQLSTATE, if this is a server's error that carries one.
    pub fn sqlstate(&self) -> Option<&str> {
        self.server().and_then(|e| e.sqlstate.as_deref())
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(e) => e.fmt(f),
            _ => write!(f, "{} ({})", self.message(), self.code()),
        }
    }
}

impl std::error::Error for ClientError {}

impl From<StreamError> for ClientError {
    fn from(e: StreamError) -> Self {
        Self::Stream(e)
    }
}
