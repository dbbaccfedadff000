//! Orders to a running host, through a unix socket that only its owner can reach.
//!
//! The socket is `[control] socket` of the configuration, else `NAME-HASH.sock` in the first of the user's [`places`] that its environment
//! gives; the hash is of the pipeline's name and its target's address, so the same pipeline has the same socket whichever file
//! describes it. A service manager and a login shell of one user have different environments, so whoever looks for a host looks in all of the places. A file beside
//! the socket is locked while a host runs: there is one host per pipeline and user on a machine. (Hosts on different machines are kept
//! apart by the target: see the sink's `epoch`.) Both ends ask the kernel who the other one is ([`peer`]).
//!
//! One line of JSON each way ([`Order`], [`Answer`]); the connection ends after the answer.

mod ask;
mod listen;
mod peer;
mod places;

pub use ask::{Answered, Running, connect};
pub use listen::Listener;

use serde::{Deserialize, Serialize};

use crate::config::{Throttle, ThrottleChange};
use crate::error::Report;

/// What may be asked of a running host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// What is it doing?
    Status,
    /// Come to rest, and stay so over a restart.
    Stop,
    /// Go on.
    Start,
    /// Other limits for the first copy.
    Throttle(ThrottleChange),
}

/// The line with an order.
#[derive(Debug, Serialize, Deserialize)]
struct Request {
    order: Order,
}

/// The line that comes back.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    /// The host's process.
    pid: u32,
    /// The state after the order, as in [`crate::pipeline::Status`].
    status: serde_json::Value,
    /// After an order about limits: all of them.
    #[serde(default)]
    throttle: Option<Throttle>,
    /// Why the order was not carried out.
    error: Option<Report>,
}
