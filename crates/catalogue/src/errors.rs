//! All error codes, by where they come from. A code that stands in the sources and not here, or here and not in the sources, fails `.ci/run`.

/// Codes that mean the same to the one who gets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorEntry {
    /// The codes.
    pub codes: &'static [&'static str],
    /// What `datain run` does then: `again`, `ends`, an exit code, or a combination in words.
    pub then: &'static str,
    /// What it means and what to do, in Markdown.
    pub meaning: &'static str,
}

/// Errors that come from one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// In the order in which they are shown.
    pub entries: &'static [ErrorEntry],
}

/// Everything that an error's code can be.
pub static ERRORS: &[Section] = &[
    Section {
        title: "Usage and configuration",
        entries: &[
            ErrorEntry {
                codes: &["usage.log-level"],
                then: "2",
                meaning: "`--log-level` or `RUST_LOG` is no level or filter",
            },
            ErrorEntry {
                codes: &["usage.set-position"],
                then: "2",
                meaning: "`--set-position` without a place in `[start]`",
            },
            ErrorEntry {
                codes: &["usage.not-confirmed"],
                then: "2",
                meaning: "`skip` or `remove` was not confirmed; nothing was done",
            },
            ErrorEntry {
                codes: &["control.socket"],
                then: "2",
                meaning: "the control socket that `[control]` names cannot be used",
            },
            ErrorEntry {
                codes: &["config.unreadable"],
                then: "2",
                meaning: "the configuration, or a file that it names, cannot be read",
            },
            ErrorEntry {
                codes: &["config.syntax"],
                then: "2",
                meaning: "not TOML",
            },
            ErrorEntry {
                codes: &[
                    "config.unknown-key",
                    "config.missing-key",
                    "config.wrong-type",
                    "config.invalid-value",
                ],
                then: "2",
                meaning: "see the line that is named",
            },
            ErrorEntry {
                codes: &["config.tls"],
                then: "2",
                meaning: "certificates, keys or roots that cannot be used",
            },
            ErrorEntry {
                codes: &["config.filter"],
                then: "2",
                meaning: "a pattern in `[replicate]` cannot be read",
            },
            ErrorEntry {
                codes: &["config.invalid"],
                then: "2",
                meaning: "`[start]` cannot be used, or a plugin cannot read what it was given",
            },
            ErrorEntry {
                codes: &["config.start-changed"],
                then: "2",
                meaning: "`[start]` names another place than the one where the pipeline began: put it back, or start once with `--set-position`",
            },
            ErrorEntry {
                codes: &["config.password-unreadable"],
                then: "2",
                meaning: "the password's file or variable is not there",
            },
            ErrorEntry {
                codes: &["config.endpoint-unknown"],
                then: "ends",
                meaning: "a plugin asked for an account that is not its own",
            },
            ErrorEntry {
                codes: &["start.snapshot-unavailable", "start.snapshot-not-yet"],
                then: "2, ends",
                meaning: "the first copy is not there yet: choose another mode in `[start]`",
            },
        ],
    },
    Section {
        title: "Network, TLS, login",
        entries: &[
            ErrorEntry {
                codes: &[
                    "net.refused",
                    "net.unreachable",
                    "net.name-unknown",
                    "net.timeout",
                    "net.reset",
                    "net.closed",
                    "net.failed",
                    "net.read",
                    "net.write",
                ],
                then: "again",
                meaning: "the network, or the server is down",
            },
            ErrorEntry {
                codes: &["net.limit"],
                then: "again",
                meaning: "a plugin wants more connections than `limits.connections`",
            },
            ErrorEntry {
                codes: &["net.endpoint-unknown"],
                then: "again",
                meaning: "a plugin asked for a server that is not its own",
            },
            ErrorEntry {
                codes: &["tls.not-offered"],
                then: "ends",
                meaning: "TLS is required, and the server has none",
            },
            ErrorEntry {
                codes: &["tls.untrusted-certificate"],
                then: "ends",
                meaning: "not signed by a trusted authority: `ca =`",
            },
            ErrorEntry {
                codes: &["tls.name-mismatch"],
                then: "ends",
                meaning: "for another name: `host =` as in the certificate, or `tls = \"verify-ca\"`",
            },
            ErrorEntry {
                codes: &["tls.failed"],
                then: "ends",
                meaning: "the handshake failed: versions, ciphers, or a client certificate that is wanted",
            },
            ErrorEntry {
                codes: &["tls.unavailable"],
                then: "ends",
                meaning: "the stream has no TLS (never in `datain`)",
            },
            ErrorEntry {
                codes: &["auth.rsa-key-required"],
                then: "ends",
                meaning: "a password may not be sent as it is: use TLS, or `server_public_key`, or `get_server_public_key`",
            },
            ErrorEntry {
                codes: &["auth.bad-public-key", "auth.password-too-long"],
                then: "ends",
                meaning: "the RSA key cannot be used, or the password is too long for it",
            },
            ErrorEntry {
                codes: &["auth.plugin-unsupported"],
                then: "ends",
                meaning: "give the account `caching_sha2_password`",
            },
        ],
    },
    Section {
        title: "What a server answered",
        entries: &[
            ErrorEntry {
                codes: &[
                    "server.access-denied",
                    "server.account-locked",
                    "server.password-expired",
                    "server.host-not-allowed",
                    "server.host-blocked",
                    "server.tls-required",
                    "server.auth-plugin-unsupported",
                ],
                then: "ends",
                meaning: "the account cannot log in",
            },
            ErrorEntry {
                codes: &["server.privilege-missing"],
                then: "ends",
                meaning: "grant what the message names: [Accounts](../README.md#accounts)",
            },
            ErrorEntry {
                codes: &[
                    "server.unknown-database",
                    "server.table-missing",
                    "server.column-missing",
                    "server.unknown-variable",
                    "server.syntax",
                    "server.error",
                ],
                then: "ends",
                meaning: "a statement failed; for DDL compare the definitions on both servers",
            },
            ErrorEntry {
                codes: &["server.duplicate-key", "server.foreign-key"],
                then: "ends",
                meaning: "the target's rows differ from the source's; nothing of the group was committed",
            },
            ErrorEntry {
                codes: &["server.packet-too-large"],
                then: "ends",
                meaning: "raise `max_allowed_packet` on that server",
            },
            ErrorEntry {
                codes: &["server.replica-id-in-use"],
                then: "ends",
                meaning: "another reader has the same `server_id` (its host and uuid are named), or this pipeline runs twice",
            },
            ErrorEntry {
                codes: &["server.disk-full"],
                then: "again",
                meaning: "the server's disk, or a tablespace that may not grow, is full: make room; nothing is lost",
            },
            ErrorEntry {
                codes: &["server.binlog-purged", "server.binlog-unreadable"],
                then: "ends",
                meaning: "the source no longer has the log, or cannot read it from there: a new copy, or another start",
            },
            ErrorEntry {
                codes: &["server.local-infile-disabled"],
                then: "ends",
                meaning: "not used yet",
            },
            ErrorEntry {
                codes: &[
                    "server.too-many-connections",
                    "server.account-limit",
                    "server.out-of-resources",
                    "server.connection-trouble",
                    "server.going-away",
                    "server.query-interrupted",
                    "server.lock-wait-timeout",
                    "server.deadlock",
                    "server.read-only",
                ],
                then: "again",
                meaning: "passing trouble",
            },
        ],
    },
    Section {
        title: "The source",
        entries: &[
            ErrorEntry {
                codes: &[
                    "source.log-bin-off",
                    "source.format-not-row",
                    "source.row-image",
                    "source.gtid-off",
                ],
                then: "ends",
                meaning: "a setting of the source; the hint has the SQL",
            },
            ErrorEntry {
                codes: &["source.flavour-unsupported"],
                then: "ends",
                meaning: "MariaDB",
            },
            ErrorEntry {
                codes: &["sink.flavour-unsupported"],
                then: "ends",
                meaning: "the target is MariaDB, or a MySQL before 8.0",
            },
            ErrorEntry {
                codes: &["source.position-unknown"],
                then: "ends",
                meaning: "grant `REPLICATION CLIENT`",
            },
            ErrorEntry {
                codes: &["source.offset-too-large"],
                then: "ends",
                meaning: "a start by file at 4 GiB or more",
            },
            ErrorEntry {
                codes: &["source.other-server"],
                then: "ends",
                meaning: "the checkpoint's file and offset are of another server",
            },
            ErrorEntry {
                codes: &["source.diverged"],
                then: "ends",
                meaning: "the target has transactions that this source never had: is it the right server, and is it up to date?",
            },
            ErrorEntry {
                codes: &["source.binlog-purged"],
                then: "ends",
                meaning: "take a new copy",
            },
            ErrorEntry {
                codes: &["source.incident"],
                then: "ends",
                meaning: "the source says that its log lacks changes: take a new copy",
            },
            ErrorEntry {
                codes: &["source.anonymous-transaction"],
                then: "ends",
                meaning: "a transaction without a GTID in a stream by GTID",
            },
            ErrorEntry {
                codes: &["source.gtid-set-unreadable"],
                then: "ends",
                meaning: "the source's GTID set is not understood",
            },
            ErrorEntry {
                codes: &[
                    "source.statement-format",
                    "source.statement-inside",
                    "source.rollback-logged",
                ],
                then: "ends",
                meaning: "the log holds what may not have the same effect on the target",
            },
            ErrorEntry {
                codes: &["source.xa-unsupported", "source.compressed-unsupported"],
                then: "ends",
                meaning: "not there yet",
            },
            ErrorEntry {
                codes: &["source.dump-ended"],
                then: "again",
                meaning: "the source ended the dump",
            },
            ErrorEntry {
                codes: &["source.silent"],
                then: "again",
                meaning: "nothing came for three heartbeats: the connection is dead though nobody closed it, or the source hangs",
            },
            ErrorEntry {
                codes: &["source.closed"],
                then: "ends",
                meaning: "a reader was used after it had failed: an error in the host",
            },
            ErrorEntry {
                codes: &["binlog.unknown-event", "binlog.column-type"],
                then: "ends",
                meaning: "an event or a column type that this version does not know",
            },
            ErrorEntry {
                codes: &[
                    "binlog.checksum",
                    "binlog.malformed",
                    "binlog.magic",
                    "binlog.truncated-transaction",
                ],
                then: "ends",
                meaning: "a damaged log: compare with `mysqlbinlog --verify-binlog-checksum` on the source",
            },
            ErrorEntry {
                codes: &["row-too-large"],
                then: "ends",
                meaning: "raise `limits.max_row_mib` and `limits.memory_mib`",
            },
            ErrorEntry {
                codes: &["filter.mixed-statement", "filter.unreadable-statement"],
                then: "ends",
                meaning: "the filter cannot decide about a statement",
            },
        ],
    },
    Section {
        title: "The target",
        entries: &[
            ErrorEntry {
                codes: &["table.missing"],
                then: "ends",
                meaning: "create the table as it was at this position, or exclude it",
            },
            ErrorEntry {
                codes: &["table.no-key", "table.engine", "table.triggers"],
                then: "ends",
                meaning: "the target's table cannot be written safely",
            },
            ErrorEntry {
                codes: &["table.triggers-unseen"],
                then: "ends",
                meaning: "the account may not see triggers: `GRANT TRIGGER` on the replicated schemas to the account itself",
            },
            ErrorEntry {
                codes: &[
                    "table.column-count",
                    "table.column-name",
                    "table.column-type",
                    "table.charset-unknown",
                ],
                then: "ends",
                meaning: "the definitions differ",
            },
            ErrorEntry {
                codes: &["row.missing"],
                then: "ends",
                meaning: "a row that should be there is not: somebody wrote to the target, or the start was wrong",
            },
            ErrorEntry {
                codes: &["row.warning", "row.value", "row.partial-image"],
                then: "ends",
                meaning: "a value did not arrive as it was, or cannot be written; an image lacks columns",
            },
            ErrorEntry {
                codes: &[
                    "statement.create-select",
                    "statement.mixed",
                    "statement.unknown",
                    "statement.failed-on-source",
                ],
                then: "ends",
                meaning: "a statement that cannot be run as it stands",
            },
            ErrorEntry {
                codes: &["ddl.undecided"],
                then: "ends",
                meaning: "killed during DDL on a target without GTIDs, or without the right to set `gtid_next`: look, then do as the hint says",
            },
            ErrorEntry {
                codes: &["ddl.numbers-rows"],
                then: "ends",
                meaning: "an AUTO_INCREMENT column is added to a table without a key: each server would number the rows in its own order",
            },
            ErrorEntry {
                codes: &["checkpoint.fenced"],
                then: "ends",
                meaning: "another host has taken the pipeline over",
            },
            ErrorEntry {
                codes: &["sink.stopped"],
                then: "ends",
                meaning: "the pipeline was stopped by `datain stop`; a running host rests until `datain start`, only `--until-caught-up` ends",
            },
            ErrorEntry {
                codes: &["sink.target-silent"],
                then: "again",
                meaning: "the target does not answer on a second connection either, or the connection is dead though nobody closed it; the checkpoint tells what was committed",
            },
            ErrorEntry {
                codes: &["checkpoint.moved"],
                then: "ends",
                meaning: "`skip`: the checkpoint is no longer where it was when the transaction was shown; nothing was skipped",
            },
            ErrorEntry {
                codes: &[
                    "checkpoint.damaged",
                    "checkpoint.version",
                    "checkpoint.format",
                ],
                then: "ends",
                meaning: "the row in `datain.checkpoints` cannot be read by this version",
            },
            ErrorEntry {
                codes: &[
                    "sink.contract",
                    "sink.not-accepting",
                    "sink.nothing-to-commit",
                    "sink.closed",
                    "sink.unexpected-rows",
                ],
                then: "ends",
                meaning: "an error in a plugin or in the host",
            },
        ],
    },
    Section {
        title: "Plugins and the host",
        entries: &[
            ErrorEntry {
                codes: &[
                    "plugin.not-found",
                    "plugin.unreadable",
                    "plugin.invalid",
                    "plugin.import-unknown",
                    "plugin.export-missing",
                    "plugin.contract",
                ],
                then: "2",
                meaning: "the component cannot be used: `cargo xtask wasm`",
            },
            ErrorEntry {
                codes: &[
                    "plugin.trap",
                    "plugin.cpu-limit",
                    "plugin.memory-limit",
                    "plugin.deadline",
                    "plugin.ended",
                ],
                then: "again, 5 times without progress, then ends",
                meaning: "a plugin crashed or exceeded a limit: report it, with the log",
            },
            ErrorEntry {
                codes: &["row-block.version"],
                then: "2 or ends",
                meaning: "source and sink are not of the same release",
            },
            ErrorEntry {
                codes: &["row-block.malformed", "row-block.kind"],
                then: "ends",
                meaning: "as above, or an error in a plugin; for `datain tail` also a value that is not what its column says",
            },
            ErrorEntry {
                codes: &["host.engine", "host.output", "host.not-open", "host.panic"],
                then: "ends",
                meaning: "the machine cannot run it, or an error in the host",
            },
            ErrorEntry {
                codes: &["host.resources"],
                then: "again",
                meaning: "no thread or file descriptor could be had",
            },
            ErrorEntry {
                codes: &["host.already-running"],
                then: "ends",
                meaning: "another process of this user runs the pipeline on this machine",
            },
            ErrorEntry {
                codes: &["host.running"],
                then: "ends",
                meaning: "`skip` or `remove` while the pipeline runs: stop or end it first",
            },
            ErrorEntry {
                codes: &["control.failed"],
                then: "ends",
                meaning: "the host that runs the pipeline did not answer",
            },
            ErrorEntry {
                codes: &["skip.nothing"],
                then: "ends",
                meaning: "no transaction comes next: nothing is missing, or the pipeline has not begun",
            },
            ErrorEntry {
                codes: &["host.interrupted", "interrupted"],
                then: "130",
                meaning: "as asked; not shown",
            },
            ErrorEntry {
                codes: &[
                    "protocol.early-data",
                    "protocol.malformed-packet",
                    "protocol.packet-too-large",
                    "protocol.sequence",
                    "protocol.version",
                ],
                then: "ends",
                meaning: "the peer does not speak MySQL's protocol as it should; `protocol.early-data` may be an attack",
            },
            ErrorEntry {
                codes: &["session.local-infile-refused"],
                then: "ends",
                meaning: "the server asked for a file that nobody offered: is it the one it claims to be?",
            },
            ErrorEntry {
                codes: &[
                    "session.abandoned-command",
                    "session.bad-name",
                    "session.broken",
                    "session.dump-ended",
                    "session.dumping",
                    "session.no-rows",
                    "session.no-statement",
                    "session.not-dumping",
                    "session.results-pending",
                    "session.rows-pending",
                    "session.too-long",
                    "session.unexpected-rows",
                ],
                then: "ends",
                meaning: "an error in a plugin",
            },
        ],
    },
];
