//! What datain's plugins import, over WASI 0.2: the part that the host's `plugin/imports/` and `transport/` play elsewhere.
//!
//! A composition holds two instances, one for each plugin, and each serves one endpoint only: which one, the composition says ([`role`](bindings::datain::standalone::role)), so that
//! no plugin can get at the other's server or account. An instance reads the pipeline's configuration file by itself, when it is first asked for something; certificates and passwords
//! anew for each connection.
//!
//! There is one thread, and nothing comes from outside while a plugin waits: `wait` returns when a connection is ready or the time is over. [`wait`] says why it also does so now and then
//! without a reason.

mod accounts;
mod bindings;
mod clocks;
mod connection;
mod endpoint;
mod failure;
mod logging;
mod part;
mod randomness;
mod socket;
mod tls;
// What a certificate must be, and what a failed handshake means, is as in the host.
#[path = "../../../host-harness/src/transport/tls_failure.rs"]
mod tls_failure;
mod tls_stream;
mod transport;
#[path = "../../../host-harness/src/transport/verifier.rs"]
mod verifier;
mod wait;

/// Everything that is exported hangs on it.
struct Adapter;

bindings::export!(Adapter with_types_in bindings);
