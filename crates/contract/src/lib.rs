//! The WIT package `datain:replication` as Rust types.
//!
//! The types are generated from `wit/`, once, for everything that runs inside a plugin: both plugins map their own
//! worlds onto them, so that a `Batch` that the capture logic builds is the `Batch` that the component exports, without a conversion.
//! The types are plain data and work natively too, which is how the logic is tested; the imported *functions*
//! (`transport`, `system`, …) exist only inside a component, and nothing but `plugin-runtime` calls them.

mod bindings;
mod client_error;
mod error;
mod finding;

pub use bindings::datain::replication::{credentials, log, system, transport, types};
pub use error::ErrorExt;
pub use finding::{FactsExt, FindingExt};

/// Code of the error that a call ends with when the host has asked the instance to end. It is no trouble, and nobody should be told.
pub const INTERRUPTED: &str = "interrupted";
