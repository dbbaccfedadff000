//! The configuration file's shape as TOML, before it is checked. Unknown keys are refused everywhere.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use toml::Spanned;
use zeroize::Zeroizing;

use super::TlsMode;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub name: Spanned<String>,
    pub source: Spanned<Server>,
    pub target: Option<Spanned<Server>>,
    #[serde(default)]
    pub replicate: Replicate,
    pub start: Option<Spanned<Start>>,
    #[serde(default)]
    pub snapshot: Snapshot,
    #[serde(default)]
    pub check: Check,
    #[serde(default)]
    pub apply: Apply,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub plugins: Plugins,
    #[serde(default)]
    pub transform: Vec<Transform>,
    #[serde(default)]
    pub control: Control,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    pub host: Option<Spanned<String>>,
    pub port: Option<Spanned<u16>>,
    pub socket: Option<Spanned<PathBuf>>,
    pub file: Option<Spanned<PathBuf>>,
    pub user: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    pub password: Option<Zeroizing<String>>,
    pub password_file: Option<PathBuf>,
    pub password_env: Option<String>,
    #[serde(default)]
    pub tls: TlsMode,
    pub ca: Option<Spanned<PathBuf>>,
    pub cert: Option<Spanned<PathBuf>>,
    pub key: Option<Spanned<PathBuf>>,
    #[serde(default)]
    pub get_server_public_key: bool,
    pub server_public_key: Option<PathBuf>,
    pub connect_timeout_seconds: Option<Spanned<u32>>,
    pub server_id: Option<Spanned<u32>>,
}

/// A text that is overwritten when nobody needs it any more.
fn secret<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Zeroizing<String>>, D::Error> {
    Ok(Some(Zeroizing::new(String::deserialize(value)?)))
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Replicate {
    #[serde(default)]
    pub include: Vec<String>,
    #[serde(default)]
    pub exclude: Vec<String>,
    #[serde(default)]
    pub definer: super::Definer,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    Snapshot,
    Position,
    Gtid,
    Now,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    pub mode: Option<Mode>,
    pub file: Option<Spanned<String>>,
    pub position: Option<Spanned<u64>>,
    pub gtid_set: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    pub readers: Option<Spanned<u32>>,
    pub max_rows_per_second: Option<Spanned<u32>>,
    pub max_mib_per_second: Option<Spanned<u32>>,
    pub max_source_load: Option<Spanned<u32>>,
    pub max_target_lag_ms: Option<Spanned<u32>>,
    pub busy_share_percent: Option<Spanned<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    #[serde(default)]
    pub allow: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Apply {
    pub group_max_rows: Option<Spanned<u32>>,
    pub group_linger_ms: Option<Spanned<u32>>,
    pub conflicts: Option<super::Conflicts>,
    pub statements: Option<super::Statements>,
    pub connections: Option<Spanned<u32>>,
    pub preserve_commit_order: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Limits {
    pub memory_mib: Option<Spanned<u32>>,
    pub max_row_mib: Option<Spanned<u32>>,
    pub queue_mib: Option<Spanned<u32>>,
    pub call_cpu_seconds: Option<Spanned<u32>>,
    pub call_seconds: Option<Spanned<u32>>,
    pub call_mib: Option<Spanned<u32>>,
    pub connections: Option<Spanned<u32>>,
    pub log_lines_per_second: Option<Spanned<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Plugins {
    pub source: Option<PathBuf>,
    pub sink: Option<PathBuf>,
    pub cache: Option<bool>,
    #[serde(default)]
    pub sink_config: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transform {
    pub path: Spanned<PathBuf>,
    #[serde(default)]
    pub config: toml::Table,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Control {
    pub socket: Option<PathBuf>,
}
