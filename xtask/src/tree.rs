//! Where things are in the working tree.

use std::{env, ffi::OsStr, path::PathBuf, process::Command};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    // cargo sets it for `cargo run`; the value of the build serves when the program is run by hand.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map(PathBuf::from).unwrap_or(own)
}

/// The command that builds the host's program, with the very dependencies that the tests use.
///
/// cargo gives a dependency all features that anything in one build asks of it, and asks for those of dev-dependencies only when a test or an
/// example is built. With the workspace's default members and one small example the features are those of a test run, so that wasmtime is
/// compiled once for demo, binary and tests (10 minutes of CPU otherwise spent twice).
pub(crate) fn build_host() -> Command {
    let mut command = cargo();
    command.args([
        "build",
        "--locked",
        "--bin",
        "datain",
        "--example",
        "decode_speed",
    ]);
    command
}

/// A cargo command at the repository's root, without what the cargo that runs xtask has set for itself.
pub(crate) fn cargo() -> Command {
    program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The same for a program that runs cargo itself.
pub(crate) fn program(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text == "CARGO_MANIFEST_DIR"
            || text == "CARGO_MANIFEST_PATH"
        {
            command.env_remove(&name);
        }
    }
    command
}
