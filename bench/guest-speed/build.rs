//! The linker for guests makes components; this one is a plain module, which needs no host but memory.

fn main() {
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo::rustc-cdylib-link-arg=--skip-wit-component");
    }
    println!("cargo::rerun-if-changed=build.rs");
}
