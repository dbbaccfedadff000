//! Generated from `wit/`.
#![allow(missing_docs, reason = "the documentation is in wit/")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "imports",
    additional_derives: [PartialEq],
});
