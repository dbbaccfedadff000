//! From the file's text to a checked [`Config`]; every error names file, line and column.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;
use zeroize::Zeroizing;

use super::{
    Address, Apply, Check, Config, Limits, Password, Plugins, Replicate, ServerConfig, Start,
    Statements, Throttle, TlsMode, Transform, free_keys, raw, server_id, throttle,
};
use crate::error::{Error, Result};

/// How many tables are read at the same time for a first copy, if the configuration does not say.
const COPY_READERS: u32 = 2;

/// Over how many connections groups are written, if the configuration does not say.
const CONNECTIONS: u32 = 4;
/// Beside those one writes what stands alone, and one asks after another that is silent.
const FURTHER_CONNECTIONS: u32 = 2;
/// What one call may hand to the host beside the largest change.
const CALL_MIB: u32 = 64;
/// What a group that is written may take of the plugin's memory, with its SQL.
const MIB_OF_CONNECTION: u32 = 24;

impl Config {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// `config.*`, with file, line and column, and the nearest known key for a misspelt one.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::parse(&read(path)?, path)
    }

    /// The same for what only reads from the source: `[target]` may be missing.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_source(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        Self::parse_source(&read(path)?, path)
    }

    /// Checks a configuration given as text; `path` is for messages and for the folder of relative paths.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Self> {
        let config = Self::parse_source(text, path)?;
        if config.target.is_none() {
            let loader = Loader { text, path };
            return Err(loader.error("config.missing-key", 0..0, "the key `target` is missing"));
        }
        Ok(config)
    }

    /// Checks a configuration given as text, in which `[target]` may be missing.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse_source(text: &str, path: &Path) -> Result<Self> {
        let loader = Loader { text, path };
        let file: raw::File = toml::from_str(text).map_err(|e| loader.toml_error(&e))?;
        loader.check(file)
    }
}

/// The text may hold passwords.
fn read(path: &Path) -> Result<Zeroizing<String>> {
    std::fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|e| {
            Error::config(
                "config.unreadable",
                format!("failed to read the configuration file {}", path.display()),
            )
            .detail(e.to_string())
            .hint("name a pipeline's TOML file with -c FILE")
        })
}

struct Loader<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Loader<'_> {
    fn check(&self, file: raw::File) -> Result<Config> {
        let name = file.name.get_ref().clone();
        if name.is_empty()
            || name.len() > 64
            || !name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        {
            return Err(self.invalid(
                &file.name,
                format!("`name` is {name:?}: it must be 1 to 64 letters, digits, `_` or `-`"),
            ));
        }
        if let Some(target) = &file.target
            && let Some(id) = &target.get_ref().server_id
        {
            return Err(self
                .error(
                    "config.unknown-key",
                    id.span(),
                    "`server_id` does not belong in [target]",
                )
                .hint("it is the id among the source's replicas: put it into [source]"));
        }
        let server_id = match &file.source.get_ref().server_id {
            Some(id) if *id.get_ref() == 0 => {
                return Err(self.invalid(id, "`server_id` must not be 0"));
            }
            Some(id) => *id.get_ref(),
            None => server_id::derive(&name),
        };
        let start = self.start(file.start)?;
        if let Some(transform) = file.transform.first()
            && file.apply.statements == Some(Statements::Replay)
        {
            // Values in statements would pass by what is there to change them.
            return Err(self
                .invalid(
                    &transform.path,
                    "[[transform]] does not go with [apply] statements = \"replay\"",
                )
                .hint("transforms change rows, and statements are run as they were logged"));
        }
        let limits = file.limits;
        let memory_mib = self.number("memory_mib", limits.memory_mib, 256, 16..=4096)?;
        let max_row_mib = self.number("max_row_mib", limits.max_row_mib, 64, 1..=1024)?;
        let [connections, open_connections] =
            self.connections(file.apply.connections, limits.connections, memory_mib)?;
        Ok(Config {
            server_id,
            start,
            set_position: false,
            source: self.server("source", file.source, false)?,
            target: file
                .target
                .map(|target| self.server("target", target, file.plugins.sink.is_some()))
                .transpose()?,
            replicate: Replicate {
                include: file.replicate.include,
                exclude: file.replicate.exclude,
                definer: file.replicate.definer,
            },
            copy_readers: self.number(
                "readers",
                file.snapshot.readers.clone(),
                COPY_READERS,
                1..=16,
            )?,
            throttle: self.throttle(file.snapshot)?,
            check: Check {
                allow: self.allow(file.check.allow)?,
            },
            apply: Apply {
                group_max_rows: self.number(
                    "group_max_rows",
                    file.apply.group_max_rows,
                    10_000,
                    1..=1_000_000,
                )?,
                group_linger_ms: self.number(
                    "group_linger_ms",
                    file.apply.group_linger_ms,
                    5,
                    0..=60_000,
                )?,
                conflicts: file.apply.conflicts.unwrap_or_default(),
                statements: file.apply.statements.unwrap_or_default(),
                connections,
                preserve_commit_order: file.apply.preserve_commit_order.unwrap_or(true),
            },
            limits: Limits {
                memory_mib,
                max_row_mib,
                queue_mib: self.number("queue_mib", limits.queue_mib, 8, 1..=1024)?,
                call_cpu: Duration::from_secs(
                    self.number("call_cpu_seconds", limits.call_cpu_seconds, 60, 1..=3600)?
                        .into(),
                ),
                call: Duration::from_secs(
                    self.number("call_seconds", limits.call_seconds, 120, 1..=3600)?
                        .into(),
                ),
                // A changed row is handed over as it was and as it is.
                call_mib: self.number(
                    "call_mib",
                    limits.call_mib,
                    CALL_MIB + 2 * max_row_mib,
                    8..=4096,
                )?,
                connections: open_connections,
                log_lines_per_second: self.number(
                    "log_lines_per_second",
                    limits.log_lines_per_second,
                    100,
                    1..=10_000,
                )?,
            },
            plugins: Plugins {
                source: file.plugins.source.map(|p| self.relative(&p)),
                sink: file.plugins.sink.map(|p| self.relative(&p)),
                cache: file.plugins.cache.unwrap_or(true),
                sink_config: free_keys::json(file.plugins.sink_config),
            },
            transforms: file
                .transform
                .into_iter()
                .map(|transform| Transform {
                    path: self.relative(transform.path.get_ref()),
                    config: free_keys::json(transform.config),
                })
                .collect(),
            control_socket: file.control.socket.map(|p| self.relative(&p)),
            name,
        })
    }

    /// Over how many connections groups are written at the same time, and how many a plugin may have open. What the configuration does not say is made to fit.
    fn connections(
        &self,
        apply: Option<Spanned<u32>>,
        limit: Option<Spanned<u32>>,
        memory_mib: u32,
    ) -> Result<[u32; 2]> {
        let limited = limit.is_some();
        let wanted = apply.as_ref().map_or(CONNECTIONS, |apply| *apply.get_ref());
        let limit = self.number(
            "connections",
            limit,
            16.max(wanted.saturating_add(FURTHER_CONNECTIONS)),
            1..=1024,
        )?;
        let span = apply.as_ref().map(Spanned::span);
        let connections = self.number("connections", apply, CONNECTIONS, 1..=64)?;
        let by_limit = limit.saturating_sub(FURTHER_CONNECTIONS).max(1);
        let by_memory = (memory_mib / MIB_OF_CONNECTION).max(1);
        if let Some(span) = span {
            let needs = |what: String| {
                let message = format!("{connections} connections need {what}");
                self.error("config.invalid-value", span.clone(), message)
            };
            if limited && connections > by_limit {
                let least = connections + FURTHER_CONNECTIONS;
                return Err(needs(format!("`[limits] connections` of {least} or more")));
            }
            if connections > by_memory {
                let least = connections * MIB_OF_CONNECTION;
                return Err(needs(format!("`[limits] memory_mib` of {least} or more")));
            }
        }
        Ok([connections.min(by_limit).min(by_memory), limit])
    }

    /// The names that `[check] allow` may hold are the catalogue's.
    fn allow(&self, names: Vec<Spanned<String>>) -> Result<Vec<String>> {
        let known = datain_catalogue::allow_names();
        let mut allowed = Vec::new();
        for name in names {
            if !known.contains(&name.get_ref().as_str()) {
                return Err(self
                    .invalid(&name, format!("`allow` does not know {:?}", name.get_ref()))
                    .hint(format!("it knows {}", known.join(", "))));
            }
            allowed.push(name.into_inner());
        }
        Ok(allowed)
    }

    /// A target that is a file: only a sink that was made for it writes one, and none of a server's keys belongs beside it.
    fn output(
        &self,
        section: &str,
        file: &Spanned<PathBuf>,
        raw: &raw::Server,
        own_sink: bool,
    ) -> Result<ServerConfig> {
        let refused = |message: &str| self.error("config.invalid-value", file.span(), message);
        if section != "target" {
            return Err(refused("`file` belongs in [target] only")
                .hint("`datain tail --file` reads files of a binary log"));
        }
        let of_a_server = raw.host.is_some()
            || raw.port.is_some()
            || raw.socket.is_some()
            || raw.user.is_some()
            || raw.password.is_some()
            || raw.password_file.is_some()
            || raw.password_env.is_some()
            || raw.tls != TlsMode::default()
            || raw.ca.is_some()
            || raw.cert.is_some()
            || raw.key.is_some()
            || raw.get_server_public_key
            || raw.server_public_key.is_some()
            || raw.connect_timeout_seconds.is_some();
        if of_a_server {
            return Err(refused("[target] has both `file` and keys of a server")
                .hint("with `file` nothing else stands in [target]"));
        }
        if !own_sink {
            return Err(
                refused("a target that is a file needs a sink that writes files")
                    .hint("name its component: [plugins] sink = \"…\""),
            );
        }
        Ok(ServerConfig::without_server(Address::Output(
            self.relative(file.get_ref()),
        )))
    }

    fn server(
        &self,
        section: &str,
        server: Spanned<raw::Server>,
        own_sink: bool,
    ) -> Result<ServerConfig> {
        let span = server.span();
        let mut raw = server.into_inner();
        if let Some(file) = raw.file.take() {
            return self.output(section, &file, &raw, own_sink);
        }
        let Some(user) = raw.user.take() else {
            return Err(self.error(
                "config.missing-key",
                span,
                format!("[{section}] has no `user`"),
            ));
        };
        let address = match (raw.socket, raw.host) {
            (Some(_), Some(host)) => {
                return Err(
                    self.invalid(&host, format!("[{section}] has both `host` and `socket`"))
                );
            }
            (Some(socket), None) => Address::Unix(self.relative(socket.get_ref())),
            (None, Some(host)) if host.get_ref().starts_with('/') => {
                Address::Unix(PathBuf::from(host.into_inner()))
            }
            (None, Some(host)) if host.get_ref().trim().is_empty() => {
                return Err(self.invalid(&host, format!("[{section}] has an empty `host`")));
            }
            (None, Some(host)) => {
                let port = match raw.port {
                    Some(port) if *port.get_ref() == 0 => {
                        return Err(self.invalid(&port, "`port` must not be 0"));
                    }
                    Some(port) => port.into_inner(),
                    None => 3306,
                };
                Address::Tcp {
                    host: host.into_inner(),
                    port,
                }
            }
            (None, None) => {
                return Err(self.error(
                    "config.missing-key",
                    span,
                    format!("[{section}] has neither `host` nor `socket`"),
                ));
            }
        };
        let password = match (raw.password, raw.password_file, raw.password_env) {
            (None, None, None) => Password::None,
            (Some(password), None, None) => Password::Inline(password),
            (None, Some(file), None) => Password::File(self.relative(&file)),
            (None, None, Some(name)) => Password::Env(name),
            _ => {
                return Err(self.error(
                    "config.invalid-value",
                    span,
                    format!("[{section}] has more than one of `password`, `password_file` and `password_env`"),
                ));
            }
        };
        let client_certificate = match (raw.cert, raw.key) {
            (None, None) => None,
            (Some(cert), Some(key)) => {
                Some((self.relative(cert.get_ref()), self.relative(key.get_ref())))
            }
            (Some(one), None) | (None, Some(one)) => {
                return Err(self
                    .error(
                        "config.missing-key",
                        one.span(),
                        format!("[{section}] has only one of `cert` and `key`"),
                    )
                    .hint("a client certificate needs both; they may name the same file"));
            }
        };
        if let Some(ca) = &raw.ca
            && !matches!(raw.tls, TlsMode::VerifyCa | TlsMode::VerifyIdentity)
        {
            // A file that is named but not used would look like protection.
            return Err(self
                .invalid(
                    ca,
                    format!(
                        "[{section}] names a `ca`, but its `tls` mode does not verify certificates"
                    ),
                )
                .hint("set tls = \"verify-identity\" (or \"verify-ca\"), or leave `ca` out"));
        }
        let timeout = self.number(
            "connect_timeout_seconds",
            raw.connect_timeout_seconds,
            10,
            1..=600,
        )?;
        Ok(ServerConfig {
            address,
            user,
            password,
            tls: raw.tls,
            ca: raw.ca.map(|p| self.relative(p.get_ref())),
            client_certificate,
            get_server_public_key: raw.get_server_public_key,
            server_public_key: raw.server_public_key.map(|p| self.relative(&p)),
            connect_timeout: Duration::from_secs(timeout.into()),
        })
    }

    fn start(&self, start: Option<Spanned<raw::Start>>) -> Result<Start> {
        let Some(start) = start else {
            return Ok(Start::Snapshot);
        };
        let span = start.span();
        let raw::Start {
            mode,
            file,
            position,
            gtid_set,
        } = start.into_inner();
        let mode = mode.unwrap_or(raw::Mode::Snapshot);
        let stray = |key: &str, span: Range<usize>, of: &str| {
            self.error(
                "config.invalid-value",
                span,
                format!("`{key}` belongs to start.mode = \"{of}\""),
            )
        };
        if mode != raw::Mode::Position {
            if let Some(file) = &file {
                return Err(stray("file", file.span(), "position"));
            }
            if let Some(position) = &position {
                return Err(stray("position", position.span(), "position"));
            }
        }
        if let Some(set) = &gtid_set
            && mode != raw::Mode::Gtid
        {
            return Err(stray("gtid_set", set.span(), "gtid"));
        }
        let missing = |key: &str, of: &str| {
            self.error(
                "config.missing-key",
                span.clone(),
                format!("start.mode = \"{of}\" needs `{key}`"),
            )
        };
        match mode {
            raw::Mode::Snapshot => Ok(Start::Snapshot),
            raw::Mode::Now => Ok(Start::Now),
            raw::Mode::Position => Ok(Start::Position {
                file: file
                    .ok_or_else(|| missing("file", "position"))?
                    .into_inner(),
                position: self.position(position)?,
            }),
            raw::Mode::Gtid => Ok(Start::Gtid {
                gtid_set: gtid_set
                    .ok_or_else(|| {
                        missing("gtid_set", "gtid")
                            .hint("gtid_set = \"\" begins at the oldest transaction")
                    })?
                    .into_inner(),
            }),
        }
    }

    fn throttle(&self, snapshot: raw::Snapshot) -> Result<Throttle> {
        let (default, most) = (Throttle::default(), throttle::MOST);
        Ok(Throttle {
            rows_per_second: self.number(
                "max_rows_per_second",
                snapshot.max_rows_per_second,
                default.rows_per_second,
                0..=most.rows_per_second,
            )?,
            mib_per_second: self.number(
                "max_mib_per_second",
                snapshot.max_mib_per_second,
                default.mib_per_second,
                0..=most.mib_per_second,
            )?,
            source_load: self.number(
                "max_source_load",
                snapshot.max_source_load,
                default.source_load,
                0..=most.source_load,
            )?,
            target_lag_ms: self.number(
                "max_target_lag_ms",
                snapshot.max_target_lag_ms,
                default.target_lag_ms,
                0..=most.target_lag_ms,
            )?,
            busy_share_percent: self.number(
                "busy_share_percent",
                snapshot.busy_share_percent,
                default.busy_share_percent,
                1..=most.busy_share_percent,
            )?,
        })
    }

    fn position(&self, position: Option<Spanned<u64>>) -> Result<u64> {
        match position {
            None => Ok(4),
            Some(p) if *p.get_ref() < 4 => Err(self.invalid(
                &p,
                "`position` must be at least 4, where a binary log's first event is",
            )),
            Some(p) => Ok(p.into_inner()),
        }
    }

    fn number(
        &self,
        key: &str,
        value: Option<Spanned<u32>>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32> {
        match value {
            None => Ok(default),
            Some(v) if range.contains(v.get_ref()) => Ok(v.into_inner()),
            Some(v) => Err(self.invalid(
                &v,
                format!("`{key}` must be {} to {}", range.start(), range.end()),
            )),
        }
    }

    fn relative(&self, path: &Path) -> PathBuf {
        self.path
            .parent()
            .map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    fn invalid<T>(&self, value: &Spanned<T>, message: impl Into<String>) -> Error {
        self.error("config.invalid-value", value.span(), message)
    }

    fn error(&self, code: &str, span: Range<usize>, message: impl Into<String>) -> Error {
        Error::config(code, message).at(self.place(span.start))
    }

    /// `file:line:column`, both from 1, the column in characters.
    fn place(&self, offset: usize) -> String {
        let before = self
            .text
            .get(..offset.min(self.text.len()))
            .unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        format!("{}:{line}:{column}", self.path.display())
    }

    fn toml_error(&self, error: &toml::de::Error) -> Error {
        let message = error.message().trim();
        let named = backticked(message);
        let (code, text, hint) =
            if message.starts_with("unknown field") || message.starts_with("unknown variant") {
                let (code, what) = if message.starts_with("unknown field") {
                    ("config.unknown-key", "key")
                } else {
                    ("config.invalid-value", "value")
                };
                let (unknown, known) = named
                    .split_first()
                    .map_or(("", &[][..]), |(first, rest)| (*first, rest));
                (
                    code,
                    format!("unknown {what} `{unknown}`"),
                    Some(suggestion(unknown, known, what)),
                )
            } else if let Some(key) = message.strip_prefix("missing field ") {
                (
                    "config.missing-key",
                    format!("the key {key} is missing"),
                    None,
                )
            } else if message.starts_with("invalid type") {
                ("config.wrong-type", without_value(message), None)
            } else if message.starts_with("invalid value") {
                ("config.invalid-value", without_value(message), None)
            } else {
                (
                    "config.syntax",
                    message.to_owned(),
                    Some("the file must be valid TOML".to_owned()),
                )
            };
        let error = self.error(code, error.span().unwrap_or(0..0), text);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// `invalid type: integer, expected a string`: what was found may be a password without its quotes.
fn without_value(message: &str) -> String {
    let Some((found, expected)) = message.split_once(", expected ") else {
        return message.to_owned();
    };
    let kind = found
        .split(['`', '"'])
        .next()
        .unwrap_or_default()
        .trim_end();
    format!("{kind}, expected {expected}")
}

/// The words that stand in backticks.
fn backticked(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

fn suggestion(unknown: &str, known: &[&str], what: &str) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), *name))
        .min()
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3);
    match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("known {what}s here: {}", known.join(", ")),
    }
}
