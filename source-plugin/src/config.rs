//! The source's configuration, a JSON object from the host.

use datain_capture::reader::Settings;
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use serde::Deserialize;

/// What concerns the source; keys that it does not know are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// Name of the endpoint to connect to.
    #[serde(default = "source")]
    pub endpoint: String,
    /// Version of the row block to write.
    #[serde(default = "version_1")]
    row_block_version: u8,
    /// Names of the files that are read in place of a server; none for a server.
    #[serde(default)]
    pub files: Vec<String>,
    /// Their events are counted and nothing else.
    #[serde(default)]
    pub count_events: bool,
    /// Patterns of the tables that are compared; none means all that are replicated.
    #[serde(default)]
    pub only: Vec<String>,
    /// What the capture needs.
    #[serde(flatten)]
    pub settings: Settings,
}

fn source() -> String {
    "source".to_owned()
}

fn version_1() -> u8 {
    1
}

impl Config {
    /// Reads and checks it.
    ///
    /// # Errors
    /// `config.invalid`, `row-block.version`.
    pub fn parse(json: &str) -> Result<Config, Error> {
        let config: Config = serde_json::from_str(json).map_err(|e| {
            Error::reconfigure(
                "config.invalid",
                format!("the source cannot read its configuration: {e}"),
            )
        })?;
        if config.row_block_version != datain_capture::ROW_BLOCK_VERSION {
            return Err(Error::reconfigure(
                "row-block.version",
                format!(
                    "the source writes row block version {}, the host chose {}",
                    datain_capture::ROW_BLOCK_VERSION,
                    config.row_block_version
                ),
            )
            .hint("use source and sink plugins of the same release"));
        }
        Ok(config)
    }
}
