//! The sink's configuration, a JSON object from the host.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use serde::Deserialize;

/// What concerns the sink; keys that it does not know are ignored.
#[derive(Debug, Clone, Deserialize)]
pub struct Config {
    /// The pipeline's name, under which the checkpoint is kept.
    pub stream: String,
    /// Name of the endpoint to connect to.
    #[serde(default = "target")]
    pub endpoint: String,
    /// Version of the row block that will arrive.
    #[serde(default = "version_1")]
    pub row_block_version: u8,
    /// A group is committed when it holds this many rows.
    #[serde(default = "group_max_rows")]
    pub group_max_rows: u64,
    /// Over how many connections groups are written at the same time. With 1 there is one connection for everything.
    #[serde(default = "connections")]
    pub connections: u32,
    /// Such groups are committed in the source's order.
    #[serde(default = "preserve_commit_order")]
    pub preserve_commit_order: bool,
    /// Groups that are not full are committed at least so many milliseconds apart.
    #[serde(default = "group_linger_ms")]
    pub group_linger_ms: u64,
    /// Patterns of tables that are replicated; none means all. What arrives is filtered already: this is for checks, and to notice that they have changed.
    #[serde(default)]
    pub include: Vec<String>,
    /// Patterns of tables that are not.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Patterns of the tables that are compared; none means all that are replicated.
    #[serde(default)]
    pub only: Vec<String>,
    /// Where the configuration says that the pipeline begins.
    #[serde(default)]
    beginning: Beginning,
    /// Every transaction is committed by itself, so that an error leaves the checkpoint right before the transaction that it is about.
    #[serde(default)]
    pub one_by_one: bool,
    /// Tables may lack keys: rows are found by all that they hold then.
    #[serde(default)]
    pub keyless: bool,
    /// What happens to rows that are not as the source had them.
    #[serde(default)]
    pub conflicts: Conflicts,
    /// What becomes of changes of rows that were logged as statements.
    #[serde(default)]
    pub statements: Statements,
}

/// What becomes of changes of rows that the source has logged as statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statements {
    /// The stream ends with an error.
    #[default]
    Stop,
    /// They are run on the target.
    Replay,
}

/// What happens when the target's rows are not as the source had them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conflicts {
    /// The stream ends with an error.
    #[default]
    Strict,
    /// They are made so, and counted.
    Repair,
}

/// Where a pipeline begins, as text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Beginning {
    place: String,
    is_place: bool,
    set_position: bool,
    known: bool,
}

fn target() -> String {
    "target".to_owned()
}

fn version_1() -> u8 {
    1
}

fn group_max_rows() -> u64 {
    10_000
}

fn preserve_commit_order() -> bool {
    true
}

fn connections() -> u32 {
    4
}

fn group_linger_ms() -> u64 {
    5
}

impl Config {
    /// What is chosen for definitions that are made.
    pub fn choices(&self) -> datain_apply::cutover::Choices {
        datain_apply::cutover::Choices::default()
    }

    /// What the checkpoint's store is told at the opening.
    pub fn beginning(&self) -> datain_apply::checkpoint::Beginning {
        let Beginning {
            place,
            is_place,
            set_position,
            known,
        } = &self.beginning;
        // Their order means nothing.
        let sorted = |patterns: &[String]| {
            let mut patterns = patterns.to_vec();
            patterns.sort_unstable();
            patterns
        };
        datain_apply::checkpoint::Beginning {
            place: datain_apply::place::normal(place),
            is_place: *is_place,
            set_position: *set_position,
            known: *known,
            filter: format!(
                "include = {:?}, exclude = {:?}",
                sorted(&self.include),
                sorted(&self.exclude)
            ),
        }
    }

    /// Reads and checks it.
    ///
    /// # Errors
    /// `config.invalid`, `row-block.version`.
    pub fn parse(json: &str) -> Result<Config, Error> {
        let config: Config = serde_json::from_str(json).map_err(|e| {
            Error::reconfigure(
                "config.invalid",
                format!("the sink cannot read its configuration: {e}"),
            )
        })?;
        if config.row_block_version != datain_apply::ROW_BLOCK_VERSION {
            return Err(Error::reconfigure(
                "row-block.version",
                format!(
                    "the sink reads row block version {}, the host chose {}",
                    datain_apply::ROW_BLOCK_VERSION,
                    config.row_block_version
                ),
            )
            .hint("use source and sink plugins of the same release"));
        }
        Ok(config)
    }
}
