//! Byte streams to the servers that a configuration names (or, in place of one, from files): non-blocking sockets, TLS, and the one place where a plugin sleeps.
//!
//! Nothing here knows WebAssembly: [`Connections`] is what a plugin instance may hold, [`Connections::wait`] is the sleep, and
//! [`Waker`] is how the rest of the host ends it. All of one instance's calls come from its own thread; only the waker is shared.
//!
//! Order of a connection's life: look-up (on a helper thread) → connect (each address in turn) → plain → TLS handshake → TLS.
//! Each step is driven from [`Connections::wait`], from reads and from writes, never from a thread of its own.

mod connection;
mod endpoint;
mod failure;
mod file;
mod lookup;
mod socket;
mod tls;
mod tls_failure;
mod tls_stream;
mod verifier;
mod wait;
mod waker;

pub use connection::{Connection, ReadOutcome};
pub use endpoint::{Endpoint, TlsPolicy};
pub use failure::Failure;
pub(crate) use file::STDIN;
pub use wait::{Connections, Interest, Woken};
pub use waker::Waker;
