//! What the built plugins may ask of a host: datain's own interfaces and nothing else.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by failing what it expected"
)]

// The built components are looked for where `cargo xtask wasm` puts them.
use std::path::Path;

use datain_host::engine::{Engine, Role, component_imports};
use datain_host::{Config, Pipeline};

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

/// What was built against the contract of 0.1.0 goes on being loaded, and so does a configuration of that version.
#[test]
fn what_was_made_for_a_released_version_is_loaded() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let fixtures = root.join("tests/fixtures/0.1.0");
    let every_key = std::fs::read_to_string(fixtures.join("every-key.toml")).unwrap();
    Config::parse(&every_key, &fixtures.join("every-key.toml")).unwrap();
    // A masking transform between today's source and a sink of that time, which also imports `output-file`.
    let text = format!(
        "name = \"old\"\n[source]\nhost = \"h\"\nuser = \"u\"\n[target]\nfile = \"x\"\n\
         [plugins]\nsource = {:?}\nsink = \"json_lines_sink.wasm\"\ncache = false\n\
         [[transform]]\npath = \"mask_column.wasm\"\n",
        root.join("target/plugins/source.wasm")
    );
    let config = Config::parse(&text, &fixtures.join("old.toml")).unwrap();
    Pipeline::new(config).unwrap();
}

/// The same names with other types, as a component has that was built before the contract was settled.
#[test]
fn functions_with_other_types_are_no_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.wasm");
    let component = r#"(component
        (core module $m (func (export "describe") (result i32) i32.const 0))
        (core instance $i (instantiate $m))
        (type $t (resource (rep i32)))
        (func $describe (result u32) (canon lift (core func $i "describe")))
        (instance $e (export "describe" (func $describe)) (export "transformer" (type $t)))
        (export "datain:replication/transform@0.1.0" (instance $e)))"#;
    std::fs::write(&path, wat::parse_str(component).unwrap()).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = format!(
        "name = \"t\"\n[source]\nhost = \"h\"\nuser = \"u\"\n[target]\nhost = \"h\"\nuser = \"u\"\n\
         [plugins]\nsource = {:?}\nsink = {:?}\ncache = false\n[[transform]]\npath = \"t.wasm\"\n",
        root.join("target/plugins/source.wasm"),
        root.join("target/plugins/sink.wasm")
    );
    let config = Config::parse(&text, &folder.path().join("t.toml")).unwrap();
    let error = Pipeline::new(config).unwrap_err();
    assert_eq!(error.code(), "plugin.contract", "{}", error.to_text());
}

#[test]
fn the_examples_import_no_more_than_they_may() {
    let engine = Engine::new().unwrap();
    let imports = |role: Role, name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../target/plugins/examples/{name}"));
        let component = engine.load(role, &path, false).unwrap();
        component_imports(&engine, &component)
    };
    // What the example does not use, its linker leaves out.
    assert_eq!(
        imports(Role::Transform, "mask_column.wasm"),
        ["datain:replication/types@0.1.0"]
    );
    assert_eq!(
        imports(Role::Sink, "json_lines_sink.wasm"),
        [
            "datain:replication/output-file@0.1.0",
            "datain:replication/system@0.1.0",
            "datain:replication/transport@0.1.0",
            "datain:replication/types@0.1.0",
        ]
    );
}
