//! Hostile components: each is stopped with its own code, and the host goes on.

use std::path::Path;
use std::time::{Duration, Instant};

use super::instance::Instance;
use super::*;
use crate::error::Kind;
use crate::transport::Waker;

/// Instantiates a component whose core module is `module`, under small limits.
fn start(module: &str, waker: &Arc<Waker>) -> Result<()> {
    let text = "name = \"t\"\n[source]\nhost = \"h\"\nuser = \"u\"\n[target]\nhost = \"h\"\nuser = \"u\"\n\
                [limits]\ncall_cpu_seconds = 1\nmemory_mib = 16\n";
    let config = Arc::new(Config::parse(text, Path::new("t.toml"))?);
    let engine = Engine::new()?;
    let bytes = wat::parse_str(format!(
        "(component (core module $m {module}) (core instance (instantiate $m)))"
    ))
    .unwrap();
    let component = Arc::new(Component::new(engine.wasmtime(), bytes).unwrap());
    let plugin = Arc::new(Plugin {
        engine,
        component,
        role: Role::Sink,
        server: config.source.clone(),
        own_config: serde_json::Value::Null,
        interface: "sink",
        file: "t.wasm".into(),
        config,
        row_block_version: std::sync::OnceLock::from(1),
    });
    let mut instance = Instance::new(&plugin, Arc::clone(waker))?;
    instance
        .instantiate(|store, plugin| plugin.engine.linker().instantiate(store, &plugin.component))
        .map(|_| ())
}

fn code(module: &str) -> String {
    let waker = Arc::new(Waker::new().unwrap());
    start(module, &waker)
        .err()
        .map_or_else(|| "fine".to_owned(), |e| e.code().to_owned())
}

#[test]
fn limits_and_traps() {
    assert_eq!(code("(memory 200) (func $f) (start $f)"), "fine");
    assert_eq!(
        code("(func $f (loop (br 0))) (start $f)"),
        "plugin.cpu-limit"
    );
    assert_eq!(code("(func $f unreachable) (start $f)"), "plugin.trap");
    assert_eq!(code("(func $f call $f) (start $f)"), "plugin.trap");
    assert_eq!(code("(memory 1000)"), "plugin.memory-limit");
    let grow = "(memory 200) (func $f (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))) (start $f)";
    assert_eq!(code(grow), "plugin.memory-limit");
    let two = "(memory 200) (memory 100)";
    assert_eq!(code(two), "plugin.memory-limit", "memories count together");
    let tables = "(table 60000 funcref) (table 60000 funcref)";
    assert_eq!(code(tables), "plugin.memory-limit", "and so do tables");
    let memories = "(memory 0)".repeat(17);
    assert_eq!(code(&memories), "plugin.trap");
}

#[test]
fn an_endless_loop_can_be_killed_before_its_time_is_over() {
    let waker = Arc::new(Waker::new().unwrap());
    let other = Arc::clone(&waker);
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        other.kill();
    });
    let begun = Instant::now();
    let error = start("(func $f (loop (br 0))) (start $f)", &waker).unwrap_err();
    thread.join().unwrap();
    assert_eq!(error.kind(), Kind::Interrupted);
    assert!(begun.elapsed() < Duration::from_secs(10));
}
