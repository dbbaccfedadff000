//! Generated from `wit/` and `standalone/wit/`.
#![allow(missing_docs, reason = "the documentation is in wit/")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

wit_bindgen::generate!({
    path: ["../../wit", "../wit"],
    world: "datain:standalone/runner",
    generate_all,
});
