//! The JSON object that a plugin gets as its configuration. It holds no address, no file's path and no secret.
//!
//! | key | source | sink | |
//! |---|---|---|---|
//! | `stream` | ✓ | ✓ | the pipeline's name; the sink keeps the checkpoint under it |
//! | `endpoint` | `"source"` | `"target"` | what to connect to, and whose credential to ask for |
//! | `row_block_version` | ✓ | ✓ | the version of wit/ROWS.md that both plugins know |
//! | `max_row_bytes` | ✓ | ✓ | a larger row is an error |
//! | `server_id` | ✓ | | the id to register with |
//! | `include`, `exclude` | ✓ | ✓ | lists of patterns `schema.table`; the sink needs them for its checks, and to notice that they have changed |
//! | `definer` | ✓ | | `keep` or `current-user`: as whom views, routines, triggers and events run on the target |
//! | `keyless` | ✓ | ✓ | tables may lack keys: they are copied in one go, and their rows are found by all that they hold |
//! | `start` | ✓ | | object: `mode` (`snapshot`, `position`, `gtid`, `now`), with `file` and `position`, or `gtid_set` |
//! | `copy_readers` | ✓ | | connections over which tables are read for a first copy, each another table |
//! | `snapshot` | ✓ | | object: `rows_per_second`, `bytes_per_second`, `source_load`, `target_lag_ms`, `busy_share`: what a first copy may ask of the servers, see `throttle` in wit/source.wit |
//! | `heartbeat_seconds` | ✓ | | how often an idle server is to give a sign of life |
//! | `only` | ✓ | ✓ | list of patterns: of what is replicated only these tables are compared; none means all |
//! | `files` | ✓ | | list of names: files of a log are read, through the endpoints `source/0`, `source/1` …, in place of a server |
//! | `count_events` | ✓ | | the events of the files are counted, and nothing else |
//! | `ahead` | ✓ | | text, or null: what the target has beyond the checkpoint, as the sink has said it (`resumption` in wit/sink.wit) |
//! | `group_max_rows`, `group_linger_ms` | | ✓ | when a group is closed |
//! | `connections` | | ✓ | over how many connections groups are written at the same time |
//! | `preserve_commit_order` | | ✓ | whether such groups are committed in the source's order |
//! | `conflicts` | | ✓ | `strict` or `repair`: what happens to rows that are not as the source had them |
//! | `statements` | ✓ | ✓ | `stop` or `replay`: what becomes of changes of rows that the source has logged as statements |
//! | `one_by_one` | ✓ | ✓ | a resume point on each transaction, and each committed by itself: to find the one that fails |
//! | `config` | | ✓ | object: what the operator tells this component, `[plugins.sink_config]`; a transform gets `[transform.config]` so, with `stream`, `row_block_version` and `max_row_bytes` and nothing else |
//! | `beginning` | | ✓ | object: `place`, the configuration's start as text; `is_place`, whether that names a place in the log; `set_position`, whether to go there in spite of a checkpoint; `known`, whether the host has seen the pipeline in the target, so that it must not begin anew |

use serde_json::{Value, json};

use crate::config::{self, Address, Config, Start, Throttle, server_id};
use crate::engine::Role;

/// Seconds between signs of life of an idle source.
const HEARTBEAT_SECONDS: u32 = 5;

/// What an instance is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The pipeline's work.
    Replicate,
    /// The same with every transaction committed by itself, to find the one that fails.
    OneByOne,
    /// Reading the source's log beside the pipeline, as a replica of its own.
    Look,
    /// Counting the events of files.
    Count,
}

/// What the configuration file does not say.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen<'a> {
    /// The host has seen the pipeline in the target.
    pub(super) known: bool,
    /// What the target has beyond the checkpoint.
    pub(super) ahead: Option<&'a str>,
    /// The tables that are compared.
    pub(super) only: &'a [String],
}

/// `own` is what the operator says to this component alone; `row_block_version` is what was negotiated ([`super::negotiate`]); `seen`: see the table.
pub(super) fn json(
    role: Role,
    config: &Config,
    own: &Value,
    row_block_version: u8,
    purpose: Purpose,
    seen: Seen<'_>,
) -> String {
    let one_by_one = purpose == Purpose::OneByOne;
    let (stream, server_id) = match purpose {
        // A source ends the dump of a replica that connects a second time, and a look must not end the pipeline's own.
        Purpose::Look => {
            let name = format!("{}-look", config.name);
            let id = server_id::derive(&name);
            (name, id)
        }
        Purpose::Replicate | Purpose::OneByOne | Purpose::Count => {
            (config.name.clone(), config.server_id)
        }
    };
    let value = match role {
        Role::Source => json!({
            "stream": stream,
            "endpoint": role.endpoint(),
            "row_block_version": row_block_version,
            "max_row_bytes": config.limits.max_row_bytes(),
            "server_id": server_id,
            "include": config.replicate.include,
            "exclude": config.replicate.exclude,
            "definer": config.replicate.definer,
            "keyless": keyless(config),
            "statements": config.apply.statements,
            "start": start(&config.start),
            "snapshot": snapshot(&config.throttle),
            "copy_readers": config.copy_readers,
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "one_by_one": one_by_one,
            "ahead": seen.ahead,
            "only": seen.only,
            "files": files(config),
            "count_events": purpose == Purpose::Count,
        }),
        Role::Sink => json!({
            "stream": config.name,
            "endpoint": role.endpoint(),
            "row_block_version": row_block_version,
            "max_row_bytes": config.limits.max_row_bytes(),
            "include": config.replicate.include,
            "exclude": config.replicate.exclude,
            "group_max_rows": config.apply.group_max_rows,
            "group_linger_ms": config.apply.group_linger_ms,
            "connections": config.apply.connections,
            "preserve_commit_order": config.apply.preserve_commit_order,
            "conflicts": config.apply.conflicts,
            "keyless": keyless(config),
            "statements": config.apply.statements,
            "one_by_one": one_by_one,
            "only": seen.only,
            "config": own,
            "beginning": beginning(&config.start, config.set_position, seen.known),
        }),
        Role::Transform => json!({
            "stream": config.name,
            "row_block_version": row_block_version,
            "max_row_bytes": config.limits.max_row_bytes(),
            "config": own,
        }),
    };
    value.to_string()
}

fn keyless(config: &Config) -> bool {
    config
        .check
        .allow
        .iter()
        .any(|name| name == "no-primary-key")
}

fn files(config: &Config) -> Vec<String> {
    match &config.source.address {
        Address::Files(paths) => config::files::names(paths),
        Address::Tcp { .. } | Address::Unix(_) | Address::Output(_) => Vec::new(),
    }
}

/// The text is kept in the target and compared at each start. What is the same place in other words is for the sink to know.
fn beginning(start: &Start, set_position: bool, known: bool) -> Value {
    let (place, is_place) = match start {
        Start::Snapshot => ("snapshot".to_owned(), false),
        Start::Now => ("now".to_owned(), false),
        Start::Position { file, position } => (format!("position {file}:{position}"), true),
        Start::Gtid { gtid_set } => (format!("gtid {gtid_set}"), true),
    };
    json!({ "place": place, "is_place": is_place, "set_position": set_position, "known": known })
}

fn snapshot(throttle: &Throttle) -> Value {
    json!({
        "rows_per_second": throttle.rows_per_second,
        "bytes_per_second": throttle.bytes_per_second(),
        "source_load": throttle.source_load,
        "target_lag_ms": throttle.target_lag_ms,
        "busy_share": throttle.busy_share_percent,
    })
}

fn start(start: &Start) -> Value {
    match start {
        Start::Snapshot => json!({ "mode": "snapshot" }),
        Start::Now => json!({ "mode": "now" }),
        Start::Position { file, position } => {
            json!({ "mode": "position", "file": file, "position": position })
        }
        Start::Gtid { gtid_set } => json!({ "mode": "gtid", "gtid_set": gtid_set }),
    }
}
