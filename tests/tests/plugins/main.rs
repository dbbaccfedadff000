//! Plugins that others could have written, from `examples/`: a transform that masks columns, and a sink that writes JSON lines.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod guide;
mod json_lines;
mod transform;

use std::path::{Path, PathBuf};

use datain_tests::host::TempDir;
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server};

/// A MySQL 9.7 with fast commits, whose log names columns.
fn named_columns() -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("binlog_row_metadata=FULL")
        .start()
        .expect("a server")
}

/// Copies an example into the folder of a configuration, which names it without a path.
fn example(folder: &TempDir, name: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/plugins/examples")
        .join(name);
    assert!(
        from.exists(),
        "{} is missing: run `cargo xtask wasm`",
        from.display()
    );
    std::fs::copy(from, folder.path().join(name)).expect("a copy");
}

/// Writes the configuration of a pipeline from this server, with all that comes after `[source]`.
fn from_source(folder: &TempDir, name: &str, source: &Server, rest: &str) -> PathBuf {
    let path = folder.path().join(format!("{name}.toml"));
    let port = source.port();
    let text = format!(
        "name = \"{name}\"\n[source]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"root\"\npassword = \"{ROOT_PASSWORD}\"\n{rest}\n"
    );
    std::fs::write(&path, text).expect("the configuration");
    path
}
