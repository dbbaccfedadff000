//! Orders to a running host, through a unix socket that only its owner can reach.
//!
//! The socket is `[control] socket` of the configuration, else `$XDG_RUNTIME_DIR/datain/NAME-HASH.sock`, else `datain-UID/NAME-HASH.sock` in the folder for
//! temporary files; the hash is of the pipeline's name and its target's address, so the same pipeline has the same socket whichever file
//! describes it. A file beside it is locked while a host runs: there is one host per pipeline and user on a machine. (Hosts on different machines are kept
//! apart by the target: see the sink's `epoch`.)
//!
//! One line of JSON each way ([`Order`], [`Answer`]); the connection ends after the answer.

mod ask;
mod listen;

pub use ask::{Answered, Running, connect};
pub use listen::Listener;

use std::path::PathBuf;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::config::Config;
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
    /// Why the order was not carried out.
    error: Option<Report>,
}

/// Where the host of this pipeline takes orders.
pub fn socket_path(config: &Config) -> PathBuf {
    if let Some(path) = &config.control_socket {
        return path.clone();
    }
    let identity = format!("{}\n{}", config.name, config.target_address());
    let hash: String = digest(&SHA256, identity.as_bytes()).as_ref()[..6]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    folder().join(format!("{}-{hash}.sock", config.name))
}

fn folder() -> PathBuf {
    match std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder).join("datain"),
        None => {
            let user = rustix::process::geteuid().as_raw();
            std::env::temp_dir().join(format!("datain-{user}"))
        }
    }
}
