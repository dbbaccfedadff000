//! The configuration file of a pipeline.
//!
//! [`Config::load`] reads and checks it; a [`Config`] that exists is valid in itself. What only the servers can tell (does the
//! account exist, is the log on) is the plugins' affair.
//!
//! | section | key | default | |
//! |---|---|---|---|
//! | | `name` | required | 1 to 64 of `A-Z a-z 0-9 _ -`: the checkpoint in the target is kept under it |
//! | `[source]`, `[target]` | `host`, `port` | `port` 3306 | a `host` that begins with `/` is a unix socket |
//! | | `socket` | | path of a unix socket, in place of `host` |
//! | | `user` | required | |
//! | `[target]` | `file` | | in place of a server: a file, for a sink that writes files; nothing else stands beside it |
//! | | `password`, `password_file`, `password_env` | none | at most one; read afresh at each connect |
//! | | `tls` | `"preferred"` | `disabled`, `preferred`, `required`, `verify-ca`, `verify-identity` |
//! | | `ca` | the system's roots | PEM file, for the two verifying modes |
//! | | `cert`, `key` | | PEM files for mutual TLS |
//! | | `get_server_public_key` | false | trust the RSA key that the server sends on a plain connection |
//! | | `server_public_key` | | PEM file of the server's RSA key, pinned |
//! | | `connect_timeout_seconds` | 10 | name look-up, connect and TLS handshake, each |
//! | `[source]` | `server_id` | derived from `name`, see [`server_id::derive`] | this replica's id among the source's replicas |
//! | `[replicate]` | `include`, `exclude` | everything but system schemas | patterns `schema.table` with MySQL's `%` and `_`, or `*` |
//! | | `definer` | `"keep"` | or `"current-user"`: as whom views, routines, triggers and events run on the target |
//! | `[start]` | `mode` | `"snapshot"` | `snapshot`, `position`, `gtid`, `now`: where a pipeline without a checkpoint begins |
//! | | `file`, `position` | `position` 4 | with `position` |
//! | | `gtid_set` | | with `gtid` |
//! | `[snapshot]` | `readers` | 2 | tables that a first copy reads at the same time |
//! | | `max_rows_per_second`, `max_mib_per_second` | 0 | what a first copy reads from the source at most; 0 is no limit |
//! | | `max_source_load` | 25 | it rests while more other sessions are at work on the source |
//! | | `max_target_lag_ms` | 5000 | it rests while a part of it has not become durable for longer |
//! | | `busy_share_percent` | 50 | the share of the time in which it reads while others are at work on the source |
//! | `[check]` | `allow` | none | names of requirements that need not hold, see docs/checks.md |
//! | `[apply]` | `group_max_rows` | 10000 | a target transaction is closed at so many rows |
//! | | `conflicts` | `"strict"` | or `"repair"`: what happens to rows that are not as the source had them |
//! | | `statements` | `"stop"` | or `"replay"`: what becomes of changes of rows that the source has logged as statements |
//! | | `group_linger_ms` | 5 | least time between two commits of groups that are not full |
//! | | `connections` | 4 | over how many groups are written to the target at the same time |
//! | | `preserve_commit_order` | true | such groups are committed in the source's order |
//! | `[limits]` | `memory_mib` | 256 | linear memory of one plugin |
//! | | `max_row_mib` | 64 | a larger row stops the pipeline |
//! | | `queue_mib` | 8 | batches between the two plugins |
//! | | `call_cpu_seconds` | 60 | processor time of one call into a plugin |
//! | | `call_seconds` | 120 | time of one call beyond what it was told to wait; five times as long for calls that connect or look at a whole server |
//! | | `call_mib` | 64, and twice `max_row_mib` | what one call may hand from a plugin to the host |
//! | | `connections` | 16, or more for `[apply]`'s | open connections of one plugin |
//! | | `log_lines_per_second` | 100 | log lines of one plugin, five times as many at once |
//! | `[control]` | `socket` | see [`crate::control`] | where a running host takes orders: a unix socket for its owner only |
//! | `[plugins]` | `source`, `sink` | see [`crate::engine::locate`] | component files |
//! | | `cache` | true | keep compiled components in the cache folder |
//! | `[plugins.sink_config]` | | | keys for the sink component, which the host does not know |
//! | `[[transform]]` | `path` | required | a component that changes rows on their way; several in their order |
//! | `[transform.config]` | | | keys for that component, which the host does not know |
//!
//! Relative paths are relative to the folder of the configuration file.

pub(crate) mod files;
mod free_keys;
mod load;
mod raw;
pub mod server_id;
mod throttle;

use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

pub(crate) use throttle::MOST as MOST_THROTTLE;
pub use throttle::{Throttle, ThrottleChange};

/// A pipeline's configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The pipeline's name.
    pub name: String,
    /// The server that changes are read from.
    pub source: ServerConfig,
    /// The server that changes are applied to. None only in a configuration of [`Config::load_source`].
    pub target: Option<ServerConfig>,
    /// The id under which datain registers with the source.
    pub server_id: u32,
    /// Which tables.
    pub replicate: Replicate,
    /// Where a pipeline without a checkpoint begins.
    pub start: Start,
    /// Begin at `start` although the pipeline has a checkpoint and began elsewhere. From the command line, never from the file.
    pub set_position: bool,
    /// Tables that a first copy reads at the same time.
    pub copy_readers: u32,
    /// How much a first copy may ask of the servers.
    pub throttle: Throttle,
    /// What may be otherwise than required.
    pub check: Check,
    /// How changes are grouped.
    pub apply: Apply,
    /// Bounds.
    pub limits: Limits,
    /// Other components than datain's own.
    pub plugins: Plugins,
    /// Components that change rows on their way, in the order in which rows pass them.
    pub transforms: Vec<Transform>,
    /// Where the running host listens for orders; none for the default of [`crate::control`].
    pub control_socket: Option<PathBuf>,
}

impl Config {
    /// The target's address for people; empty without a target.
    pub fn target_address(&self) -> String {
        self.target
            .as_ref()
            .map_or_else(String::new, |target| target.address.to_string())
    }
}

/// How to reach a server, and as whom.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Where it listens.
    pub address: Address,
    /// The account.
    pub user: String,
    /// Where the password is.
    pub password: Password,
    /// How far TLS is asked for and verified.
    pub tls: TlsMode,
    /// Roots to trust (PEM file); the system's when none.
    pub ca: Option<PathBuf>,
    /// Client certificate and key (PEM files).
    pub client_certificate: Option<(PathBuf, PathBuf)>,
    /// Whether an RSA key that the server sends on a plain connection may be trusted.
    pub get_server_public_key: bool,
    /// The server's RSA key, pinned (PEM file).
    pub server_public_key: Option<PathBuf>,
    /// Limit for name look-up and connect, and again for the TLS handshake.
    pub connect_timeout: Duration,
}

impl ServerConfig {
    /// What is no server: no account goes with it, and no TLS.
    pub(crate) fn without_server(address: Address) -> Self {
        Self {
            address,
            user: String::new(),
            password: Password::None,
            tls: TlsMode::Disabled,
            ca: None,
            client_certificate: None,
            get_server_public_key: false,
            server_public_key: None,
            connect_timeout: Duration::ZERO,
        }
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A name or an address, and a port.
    Tcp {
        /// Name, IPv4 or IPv6 address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A unix socket.
    Unix(PathBuf),
    /// Not a server but files of a binary log, in order; `-` is standard input. Never from a configuration file, only of [`Config::for_files`].
    Files(Vec<PathBuf>),
    /// Not a server but a file that is written: a target only.
    Output(PathBuf),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix(path) | Self::Output(path) => write!(f, "{}", path.display()),
            Self::Files(paths) => {
                let paths: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
                f.write_str(&paths.join(", "))
            }
        }
    }
}

/// Where a password is kept. It is read at each connect, so that it can be changed while a pipeline runs.
#[derive(Clone)]
pub enum Password {
    /// The account has none.
    None,
    /// In the configuration itself.
    Inline(Zeroizing<String>),
    /// In a file of its own; one newline at the end is not part of it.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
}

impl std::fmt::Debug for Password {
    /// Says where it is, never what it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Inline(_) => f.write_str("Inline(…)"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Env(name) => write!(f, "Env({name})"),
        }
    }
}

/// How far TLS is asked for and verified, in MySQL's own five steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    Disabled,
    /// If the server offers it; any certificate will do.
    #[default]
    Preferred,
    /// Only with TLS; any certificate will do.
    Required,
    /// The certificate's chain must end in a trusted root.
    VerifyCa,
    /// And the certificate must be for the host's name.
    VerifyIdentity,
}

/// Which tables are replicated; empty lists mean every schema but the system's.
#[derive(Debug, Clone, Default)]
pub struct Replicate {
    /// Patterns of what to take.
    pub include: Vec<String>,
    /// Patterns of what to leave out of that.
    pub exclude: Vec<String>,
    /// As whom what has a definer runs.
    pub definer: Definer,
}

/// As whom views, routines, triggers and events run on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Definer {
    /// As the account that they run as on the source.
    #[default]
    Keep,
    /// As the target's account of the pipeline.
    CurrentUser,
}

/// Where a pipeline without a checkpoint begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// With a first copy of the data.
    Snapshot,
    /// At a place in the binary log; the data up to there are in the target already.
    Position {
        /// Name of the binary-log file.
        file: String,
        /// Offset in it.
        position: u64,
    },
    /// After a GTID set that the target already has.
    Gtid {
        /// The set, in MySQL's text form; empty for everything.
        gtid_set: String,
    },
    /// At the source's newest position.
    Now,
}

/// What may be otherwise than required.
#[derive(Debug, Clone, Default)]
pub struct Check {
    /// Names of requirements; each is known to the catalogue.
    pub allow: Vec<String>,
}

/// What happens when a change does not find the target's rows as the source had them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Conflicts {
    /// The pipeline ends with an error.
    #[default]
    Strict,
    /// The rows are made so, reported and counted.
    Repair,
}

/// What becomes of changes of rows that the source has logged as statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statements {
    /// The pipeline ends with an error.
    #[default]
    Stop,
    /// They are run on the target.
    Replay,
}

/// How changes are grouped into the target's transactions.
#[derive(Debug, Clone)]
pub struct Apply {
    /// Rows at which a group is closed.
    pub group_max_rows: u32,
    /// Least time between the beginnings of two commits of groups that are not full, in milliseconds.
    pub group_linger_ms: u32,
    /// What happens to rows of the target that are not as the source had them.
    pub conflicts: Conflicts,
    /// What becomes of changes of rows that the source has logged as statements.
    pub statements: Statements,
    /// Over how many connections groups are written at the same time.
    pub connections: u32,
    /// Groups that are written at the same time are committed in the source's order.
    pub preserve_commit_order: bool,
}

/// Bounds on what plugins may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Linear memory of one plugin, in MiB.
    pub memory_mib: u32,
    /// The largest row, in MiB.
    pub max_row_mib: u32,
    /// Batches between the two plugins, in MiB.
    pub queue_mib: u32,
    /// Processor time of one call into a plugin.
    pub call_cpu: Duration,
    /// Time of one call, beyond what it was told to wait.
    pub call: Duration,
    /// What one call may hand from a plugin to the host, in MiB.
    pub call_mib: u32,
    /// Open connections of one plugin.
    pub connections: u32,
    /// Log lines of one plugin.
    pub log_lines_per_second: u32,
}

/// Components by path, and their cache.
#[derive(Debug, Clone)]
pub struct Plugins {
    /// The source component.
    pub source: Option<PathBuf>,
    /// The sink component.
    pub sink: Option<PathBuf>,
    /// Whether compiled components are kept.
    pub cache: bool,
    /// What the operator tells the sink component, a JSON object.
    pub sink_config: serde_json::Value,
}

/// A component between source and sink.
#[derive(Debug, Clone)]
pub struct Transform {
    /// The component.
    pub path: PathBuf,
    /// What the operator tells it, a JSON object.
    pub config: serde_json::Value,
}

impl Limits {
    /// The largest row, in bytes.
    pub fn max_row_bytes(&self) -> u64 {
        u64::from(self.max_row_mib) << 20
    }
}
