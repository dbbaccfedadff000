//! `cargo xtask compose`: one component of both plugins, `target/plugins/datain-standalone.wasm`, that a WASI runtime runs without code of ours (docs/standalone.md).
//!
//! Its other parts are a workspace of their own, `standalone/`: the adapter and the runner are built as the plugins are, and the program that puts all together runs here.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::{children, tree, wasm};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Use only what is there already
    #[arg(long)]
    pub(crate) offline: bool,
    /// Another source than datain's own
    #[arg(long, value_name = "COMPONENT")]
    source: Option<PathBuf>,
    /// Another sink than datain's own
    #[arg(long, value_name = "COMPONENT")]
    sink: Option<PathBuf>,
    /// Where the component is written to
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Makes it of datain's own plugins, for the tests.
pub(crate) fn own(offline: bool) -> Result<PathBuf> {
    run(&Arguments {
        offline,
        source: None,
        sink: None,
        output: None,
    })
}

/// Makes it, and says what it asks a runtime for.
pub(crate) fn run(arguments: &Arguments) -> Result<PathBuf> {
    let begin = Instant::now();
    let plugins = wasm::run(&wasm::Arguments {
        offline: arguments.offline,
        test_guests: false,
    })?;
    let [source, sink, ..] = plugins.as_slice() else {
        anyhow::bail!("there are {} plugins, and no sink", plugins.len());
    };
    let parts = wasm::standalone_parts(arguments.offline)?;
    let root = tree::root();
    let output = arguments
        .output
        .clone()
        .unwrap_or_else(|| root.join("target/plugins/datain-standalone.wasm"));
    let mut command = tree::cargo();
    command.args(["run", "--quiet", "--locked", "--manifest-path"]);
    command.arg(root.join("standalone/Cargo.toml"));
    if arguments.offline {
        command.arg("--offline");
    }
    command.args(["--package", "datain-standalone-compose", "--"]);
    command.arg(arguments.source.as_ref().unwrap_or(source));
    command.arg(arguments.sink.as_ref().unwrap_or(sink));
    command.args(&parts).arg(&output);
    let imports = children::output(&mut command)?;
    let bytes = std::fs::metadata(&output)
        .with_context(|| format!("failed to read {}", output.display()))?
        .len();
    println!("{}  {bytes} bytes", output.display());
    println!("a runtime must give it:");
    for import in imports.lines() {
        println!("  {import}");
    }
    eprintln!("composed ({:.1} s)", begin.elapsed().as_secs_f64());
    Ok(output)
}
