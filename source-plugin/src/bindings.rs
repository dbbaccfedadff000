//! Generated from `wit/`; the types are those of `datain-contract`.
#![allow(missing_docs, reason = "the documentation is in wit/")]
#![allow(clippy::all, clippy::pedantic, reason = "generated code")]

wit_bindgen::generate!({
    path: "../wit",
    world: "source-plugin",
    with: {
        "datain:replication/types@0.1.0": datain_contract::types,
        "datain:replication/transport@0.1.0": datain_contract::transport,
        "datain:replication/system@0.1.0": datain_contract::system,
        "datain:replication/log@0.1.0": datain_contract::log,
        "datain:replication/credentials@0.1.0": datain_contract::credentials,
    },
});
