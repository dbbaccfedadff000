//! Hostile plugins in one process with a good pipeline: each is stopped with its own error, the good one goes on, and the memory comes back.
//!
//! What they do is in `tests/guests/hostile/`, one file each. `cargo xtask wasm --test-guests` builds it, as `cargo xtask test` does.

#![allow(
    clippy::disallowed_methods,
    reason = "tests measure time with std's clocks"
)]

mod against_our_plugins;
mod lab;
mod sandbox;
