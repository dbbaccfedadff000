//! The JSON object that a plugin gets as its configuration. It holds no address, no file name and no secret.
//!
//! | key | source | sink | |
//! |---|---|---|---|
//! | `stream` | ✓ | ✓ | the pipeline's name; the sink keeps the checkpoint under it |
//! | `endpoint` | `"source"` | `"target"` | what to connect to, and whose credential to ask for |
//! | `row_block_version` | ✓ | ✓ | the version of wit/ROWS.md that both plugins know |
//! | `max_row_bytes` | ✓ | ✓ | a larger row is an error |
//! | `server_id` | ✓ | | the id to register with |
//! | `include`, `exclude` | ✓ | ✓ | lists of patterns `schema.table`; the sink needs them for its checks only |
//! | `start` | ✓ | | object: `mode` (`snapshot`, `position`, `gtid`, `now`), with `file` and `position`, or `gtid_set` |
//! | `heartbeat_seconds` | ✓ | | how often an idle server is to give a sign of life |
//! | `group_max_rows`, `group_linger_ms` | | ✓ | when a group is closed |
//! | `connections` | | ✓ | how many connections may apply at once; used from the apply engine on |

use serde_json::{Value, json};

use crate::config::{Config, Start};
use crate::engine::Role;

/// Seconds between signs of life of an idle source.
const HEARTBEAT_SECONDS: u32 = 5;
/// `row_block_version` is what was negotiated ([`super::negotiate`]).
pub(super) fn json(role: Role, config: &Config, row_block_version: u8) -> String {
    let value = match role {
        Role::Source => json!({
            "stream": config.name,
            "endpoint": role.endpoint(),
            "row_block_version": row_block_version,
            "max_row_bytes": config.limits.max_row_bytes(),
            "server_id": config.server_id,
            "include": config.replicate.include,
            "exclude": config.replicate.exclude,
            "start": start(&config.start),
            "heartbeat_seconds": HEARTBEAT_SECONDS,
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
        }),
    };
    value.to_string()
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
