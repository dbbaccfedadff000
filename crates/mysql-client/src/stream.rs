//! What a session needs from outside: bytes in, bytes out, TLS, randomness.
//!
//! The client does no I/O. A plugin implements [`Stream`] over its imported transport, where "wait" means to return
//! control to whoever polls the future; native tests implement it over a blocking socket or a script.
//! Everything is single threaded, so no future here is `Send`.

use std::fmt;

/// A byte stream to a MySQL server.
///
/// # Cancel safety
/// A future returned by [`read`](Stream::read) may be dropped before it is ready. It must then not have taken bytes
/// from the connection that are not in `buf`. (An implementation that appends in the same poll in which it takes
/// bytes fulfils this.)
// Sessions live on one thread inside a plugin, so the futures need no Send bound and no boxing.
#[allow(async_fn_in_trait)]
pub trait Stream {
    /// Appends what has arrived to `buf`, waiting until there is at least one byte. Returns the number of bytes
    /// appended; 0 means that the peer has closed the connection.
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError>;

    /// Writes all of `data`, waiting as needed.
    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError>;

    /// Performs a TLS handshake in mid-stream; all later bytes are encrypted. Which certificates are trusted is
    /// the implementation's business.
    async fn start_tls(&mut self) -> Result<(), StreamError>;

    /// May a clear-text password be sent over this stream as it is now? True for TLS and for Unix sockets.
    fn secure(&self) -> bool;

    /// Fills `buf` with cryptographically strong random bytes.
    fn random(&mut self, buf: &mut [u8]);
}

/// Why a [`Stream`] failed: plain data, as the host reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// A stable dotted code, such as `net.closed` or `tls.untrusted-certificate`.
    pub code: String,
    /// One sentence for people, without secrets.
    pub message: String,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
    /// The wait was cut short on purpose (stop or deadline); the connection itself is sound.
    pub interrupted: bool,
}

impl StreamError {
    /// An error of the stream with no hint, not an interruption.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            hint: None,
            interrupted: false,
        }
    }

    /// The same error with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for StreamError {}
