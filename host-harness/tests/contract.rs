//! What the built plugins may ask of a host: datain's own interfaces and nothing else.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by failing what it expected"
)]

// The built components are looked for where `cargo xtask wasm` puts them.
use std::path::Path;

use datain_host::engine::{Engine, Role, component_imports};

fn imports(role: Role) -> Vec<String> {
    let file = format!("../target/plugins/{role}.wasm");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask wasm`",
        path.display()
    );
    let engine = Engine::new().unwrap();
    let component = engine.load(role, &path, false).unwrap();
    component_imports(&engine, &component)
}

#[test]
fn the_plugins_import_exactly_the_contract() {
    let contract = [
        "datain:replication/credentials@0.1.0",
        "datain:replication/log@0.1.0",
        "datain:replication/system@0.1.0",
        "datain:replication/transport@0.1.0",
        "datain:replication/types@0.1.0",
    ];
    assert_eq!(imports(Role::Source), contract);
    assert_eq!(imports(Role::Sink), contract);
}
