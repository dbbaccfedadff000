//! What a plugin of ours needs inside its component, over the contract's imports.
//!
//! Invariants:
//! - This is the only crate that calls the contract's imported functions.
//! - A plugin sleeps in one place: [`executor`], which calls `transport.wait`. Everything above is ordinary sequential `async` code over
//!   [`stream::HostStream`], suspended between the exports' calls and continued by the next one.
//! - [`start`] runs before anything else in every export that creates something: it installs the panic hook, since a panic's text is
//!   otherwise lost on wasm32-unknown-unknown.

pub mod clock;
pub mod executor;
pub mod logging;
pub mod random;
pub mod session;
pub mod stream;

mod panics;

/// Prepares the instance; cheap, and harmless when repeated.
pub fn start() {
    panics::install();
}
