//! What a WASI 0.2 runtime gives, for the adapter and the runner.
//!
//! On wasm32-unknown-unknown std knows nothing of WASI: its files, clocks and environment do not work. So everything is asked for through the interfaces themselves, and a
//! component imports what it uses and nothing else.

pub mod clock;
pub mod environment;
pub mod files;
pub mod log;
pub mod output;
pub mod panics;
pub mod random;

/// Generated from `standalone/wit/`.
#[allow(missing_docs, reason = "the documentation is in wit/")]
#[allow(clippy::all, clippy::pedantic, reason = "generated code")]
pub mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "../wit"],
        world: "datain:standalone/surroundings",
        generate_all,
    });
}
