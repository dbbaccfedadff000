//! The plugins and the host, built as `cargo xtask test` builds them.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::{children, tree, wasm};

/// What was built.
pub(crate) struct Built {
    /// The `datain` program.
    pub(crate) host: PathBuf,
    /// The source's and the sink's component.
    pub(crate) plugins: [PathBuf; 2],
}

/// Builds what is not up to date. cargo shows its own progress.
pub(crate) fn run() -> Result<Built> {
    let plugins = wasm::run(&wasm::Arguments {
        offline: false,
        test_guests: false,
    })?;
    // The examples stand behind them.
    let [source, sink, ..] = plugins.as_slice() else {
        bail!("there are {} plugins, and no sink", plugins.len());
    };
    let plugins = [source.clone(), sink.clone()];
    let mut command = tree::build_host();
    command.args(["--message-format", "json-render-diagnostics"]);
    let host = program_of(&messages(&mut command)?)
        .context("cargo did not say where it put the program `datain`")?;
    Ok(Built { host, plugins })
}

fn messages(command: &mut Command) -> Result<String> {
    let output = children::bind(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("failed to run cargo")?;
    if !output.status.success() {
        bail!("the host was not built ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The program that cargo's messages name: its place depends on the user's cargo configuration.
fn program_of(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "datain")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_other_messages() {
        let messages = concat!(
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"syn\"},\"executable\":null}\n",
            "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"datain\"},\"executable\":\"/t/debug/datain\"}\n",
            "{\"reason\":\"build-finished\",\"success\":true}\n",
        );
        assert_eq!(program_of(messages), Some(PathBuf::from("/t/debug/datain")));
        assert_eq!(program_of("what?\n"), None);
    }
}
