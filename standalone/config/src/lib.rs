//! A pipeline's configuration inside a stand-alone component: the very file that `datain run` takes, and the very JSON that its plugins get.
//!
//! The host's modules are compiled in by their paths: as a dependency `datain-host` would bring wasmtime. Only the file's text comes another way, through WASI.

#[allow(dead_code, unused_imports, reason = "the host uses what this does not")]
#[path = "../../../host-harness/src/config/mod.rs"]
pub mod config;
#[allow(dead_code, unused_imports, reason = "as `config`")]
#[path = "../../../host-harness/src/error.rs"]
pub mod error;
#[allow(dead_code, unused_imports, reason = "as `config`")]
#[path = "../../../host-harness/src/plugin/plugin_config.rs"]
mod plugin_config;

pub mod command;
pub mod engine;

use std::path::Path;

use config::Config;
use datain_standalone_wasi::files;
use engine::Role;
use error::{Error, Result};

/// Reads and checks the configuration file.
///
/// # Errors
/// `config.*`, as the host's.
pub fn load(path: &str) -> Result<Config> {
    let unreadable = |reason: String| {
        Error::config(
            "config.unreadable",
            format!("failed to read the configuration file {path}"),
        )
        .detail(reason)
        .hint("name a pipeline's TOML file with -c FILE, in a folder that the runtime shows to the program (wasmtime run --dir FOLDER)")
    };
    let bytes = files::read(path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".to_owned()))?;
    let config = Config::parse(&text, Path::new(path))?;
    composed(&config)?;
    Ok(config)
}

/// A component has the plugins of which it was made: what a configuration says of others must not be passed over.
fn composed(config: &Config) -> Result<()> {
    let what = if !config.transforms.is_empty() {
        "[[transform]]"
    } else if config.plugins.source.is_some() || config.plugins.sink.is_some() {
        "[plugins]"
    } else {
        return Ok(());
    };
    Err(Error::config(
        "config.invalid-value",
        format!("{what} names a component, and a stand-alone component takes none in"),
    )
    .hint("compose it of other plugins (cargo xtask compose --source FILE --sink FILE), or take `datain run`"))
}

/// What a plugin is told besides what the configuration says.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told<'a> {
    /// Each transaction is to be committed by itself.
    pub one_by_one: bool,
    /// The target was seen to know the pipeline.
    pub known: bool,
    /// What the target has beyond the checkpoint.
    pub ahead: Option<&'a str>,
}

/// A plugin's configuration.
#[must_use]
pub fn plugin_json(role: Role, config: &Config, row_block_version: u8, told: Told<'_>) -> String {
    let purpose = if told.one_by_one {
        plugin_config::Purpose::OneByOne
    } else {
        plugin_config::Purpose::Replicate
    };
    let seen = plugin_config::Seen {
        known: told.known,
        ahead: told.ahead,
        ..plugin_config::Seen::default()
    };
    let own = match role {
        Role::Sink => &config.plugins.sink_config,
        Role::Source | Role::Transform => &serde_json::Value::Null,
    };
    plugin_config::json(role, config, own, row_block_version, purpose, seen)
}
