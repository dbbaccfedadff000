//! All checks: one requirement each, in the order in which findings of the same severity are shown.

/// How bad it is when a requirement does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Replication works, with less safety or less to be seen.
    Warning,
    /// Replication does not work, or would damage data.
    Fatal,
}

impl Severity {
    /// In lower case, as in text and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fatal => "fatal",
        }
    }
}

/// Which server a requirement is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The server that is read.
    Source,
    /// The server that is written.
    Target,
    /// The two compared.
    Pair,
}

impl Side {
    /// In lower case, as in text and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
            Self::Pair => "pair",
        }
    }
}

/// A requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// Stable and dotted. Where a running stream ends for the same reason, it is that error's code.
    pub code: &'static str,
    /// Which server.
    pub side: Side,
    /// The severity of the worst finding.
    pub worst: Severity,
    /// The requirement, as a statement that holds or not.
    pub title: &'static str,
    /// Why it matters.
    pub reason: &'static str,
    /// What mends it, in general; a finding has the exact statements.
    pub remedy: &'static str,
    /// The name under which `[check] allow` lets it pass.
    pub allow: Option<&'static str>,
    /// It judges the place from which the stream goes on. That is asked again, more exactly, when the stream is opened; so `run` leaves it to that. Without
    /// the target's checkpoint it cannot be judged.
    pub of_resume: bool,
}

/// The requirement with this code.
#[must_use]
pub fn check(code: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.code == code)
}

/// Every name that `[check] allow` knows, once.
#[must_use]
pub fn allow_names() -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in CHECKS.iter().filter_map(|check| check.allow) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

const fn source(code: &'static str, worst: Severity, title: &'static str) -> Check {
    Check {
        code,
        side: Side::Source,
        worst,
        title,
        reason: "",
        remedy: "",
        allow: None,
        of_resume: false,
    }
}

const fn target(code: &'static str, worst: Severity, title: &'static str) -> Check {
    Check {
        side: Side::Target,
        ..source(code, worst, title)
    }
}

const fn pair(code: &'static str, worst: Severity, title: &'static str) -> Check {
    Check {
        side: Side::Pair,
        ..source(code, worst, title)
    }
}

use Severity::{Fatal, Note, Warning};

/// Every requirement.
pub static CHECKS: &[Check] = &[
    Check {
        reason: "Older MariaDBs log in ways that are not tested.",
        remedy: "replicate from MySQL, or from MariaDB 10.6 or later",
        ..source(
            "source.flavour-unsupported",
            Fatal,
            "the source is MySQL, or MariaDB 10.6 or later",
        )
    },
    Check {
        reason: "datain writes SQL that still older servers do not know.",
        remedy: "replicate to MySQL 5.6 or later, or to MariaDB 10.6 or later",
        ..target(
            "sink.flavour-unsupported",
            Fatal,
            "the target is MySQL 5.6 or later, or MariaDB 10.6 or later",
        )
    },
    Check {
        reason: "DDL is run on the target as the source wrote it; another version may refuse it, or give it another meaning without a word.",
        remedy: "for an upgrade, what [migrating.md](migrating.md#when-it-is-an-upgrade) says, and `[check] allow = [\"version\"]`; else servers of one version",
        allow: Some("version"),
        ..pair(
            "pair.version",
            Fatal,
            "both servers are of the same version (major.minor)",
        )
    },
    Check {
        reason: "MariaDB has collations of its own, among them the one that 11.8 takes where none is named. MySQL knows none of them; definitions get the nearest one that MySQL has, which never takes for equal what the source kept apart. Rows are equal; what queries find equal, and in what order, may differ in little things: trailing blanks count.",
        remedy: "`ALTER TABLE … CONVERT TO CHARACTER SET … COLLATE …` on the source, with a collation that both know; or nothing",
        ..pair(
            "pair.collations",
            Warning,
            "the target knows the collations of a MariaDB's tables",
        )
    },
    Check {
        reason: "a MySQL has no UUID, INET4, INET6, sequences or system-versioned tables; and the log's form of a COMPRESSED column, and the history of a system-versioned table, no target takes.",
        remedy: "`[replicate] exclude` for the tables; or other types on the source (`CHAR(36)`, `VARCHAR(39)`, `MODIFY …` without `COMPRESSED`), `ALTER TABLE … DROP SYSTEM VERSIONING`; or, where the target's table was made by hand to take the values as they are logged, `[check] allow = [\"mariadb-only\"]`",
        allow: Some("mariadb-only"),
        ..pair(
            "pair.mariadb-only",
            Fatal,
            "a MariaDB's replicated tables have nothing that the target lacks",
        )
    },
    Check {
        reason: "the binary log is all that datain reads.",
        remedy: "`log_bin` in the source's option file, then a restart",
        ..source(
            "source.log-bin-off",
            Fatal,
            "the source writes a binary log",
        )
    },
    Check {
        reason: "in other formats the log holds statements, which do not say which rows were changed. With `statements = \"replay\"` they are run on the target, and this is a warning, unless a first copy is to be made.",
        remedy: "`SET PERSIST binlog_format = ROW`",
        ..source(
            "source.format-not-row",
            Fatal,
            "the source logs rows (`binlog_format = ROW`)",
        )
    },
    Check {
        reason: "other images are followed too; but rows are found by their key alone, and a row of the target that differs in a column that was not logged keeps its value.",
        remedy: "`SET PERSIST binlog_row_image = FULL`",
        ..source(
            "source.row-image",
            Note,
            "row images are whole (`binlog_row_image = FULL`)",
        )
    },
    Check {
        reason: "without checksums, bytes that were damaged on a disk or in a network may become rows.",
        remedy: "`SET PERSIST binlog_checksum = CRC32`",
        ..source(
            "source.checksum-off",
            Warning,
            "events have checksums (`binlog_checksum = CRC32`)",
        )
    },
    Check {
        reason: "a source with `server_id` 0 refuses all replicas.",
        remedy: "`SET PERSIST server_id = …`, a number that no other server has",
        ..source(
            "source.server-id-unset",
            Fatal,
            "the source has a `server_id`",
        )
    },
    Check {
        reason: "a source serves one reader under one id: of two, each ends the other's stream.",
        remedy: "another `server_id` in [source] of the configuration",
        ..source(
            "server.replica-id-in-use",
            Fatal,
            "nobody else uses the pipeline's `server_id`",
        )
    },
    Check {
        reason: "a stream by GTID survives a failover of the source and never loses its place; it needs GTIDs on the source.",
        remedy: "`enforce_gtid_consistency = ON`, then `gtid_mode` step by step up to ON",
        ..source(
            "source.gtid-off",
            Fatal,
            "the source has GTIDs (`gtid_mode` and `enforce_gtid_consistency` are ON)",
        )
    },
    Check {
        reason: "what was removed from the log can no longer be replicated.",
        remedy: "a new first copy",
        of_resume: true,
        ..source(
            "source.binlog-purged",
            Fatal,
            "the source's log reaches back to where the stream goes on",
        )
    },
    Check {
        reason: "a target that holds what this source never had would go on drifting away from it.",
        remedy: "the right server in [source], or a new first copy",
        of_resume: true,
        ..source(
            "source.diverged",
            Fatal,
            "the source has all that the target has had from it",
        )
    },
    Check {
        reason: "a file and an offset mean nothing on another server.",
        remedy: "the server that the checkpoint was read from in [source], or a new first copy",
        of_resume: true,
        ..source(
            "source.other-server",
            Fatal,
            "a checkpoint by file and offset is of this source",
        )
    },
    Check {
        reason: "without it the source does not send its log.",
        remedy: "`GRANT REPLICATION SLAVE ON *.* TO …`",
        ..source(
            "source.privilege-missing",
            Fatal,
            "the source's account may read the binary log",
        )
    },
    Check {
        reason: "without the newest position a stream by file cannot tell when it has caught up, and nobody can see the lag in bytes.",
        remedy: "`GRANT REPLICATION CLIENT ON *.* TO …`",
        ..source(
            "source.position-unknown",
            Fatal,
            "the source's account may ask for the newest position",
        )
    },
    Check {
        reason: "tables that the account does not see cannot be checked for keys, engines and the order of their columns.",
        remedy: "`GRANT SELECT ON … TO …` for each replicated schema",
        ..source(
            "source.tables-unseen",
            Warning,
            "the source's account sees the replicated tables",
        )
    },
    Check {
        reason: "rows are found by their key; without one, changes of a table with equal rows cannot be applied one for one, and each is a search through the whole table.",
        remedy: "`ALTER TABLE … ADD PRIMARY KEY …`; or `[check] allow = [\"no-primary-key\"]`: a table that has no other key over NOT NULL columns either is then copied in one go, and each of its rows is found by all that it holds, one by one, mostly by reading the whole table",
        allow: Some("no-primary-key"),
        ..source(
            "table.no-primary-key",
            Fatal,
            "every replicated table of the source has a primary key",
        )
    },
    Check {
        reason: "other engines do not roll back, so their log may hold what is not in the table, and the reverse.",
        remedy: "`ALTER TABLE … ENGINE = InnoDB`",
        ..source(
            "source.table-engine",
            Fatal,
            "every replicated table of the source is InnoDB",
        )
    },
    Check {
        reason: "before MySQL 9.6, or with `innodb_native_foreign_keys = ON`, a source logs the change of a parent's row and not what foreign keys do to other tables. That happens on the target again when the parent's change is applied; where the filter leaves the parent out, what it does to a replicated child is lost without a word.",
        remedy: "replicate the parent too, or leave out the child; since MySQL 9.6 `innodb_native_foreign_keys = OFF` in the source's option file; or, where parents' rows are never deleted and their keys never changed, `[check] allow = [\"unlogged-cascades\"]`",
        allow: Some("unlogged-cascades"),
        ..source(
            "source.unlogged-cascades",
            Fatal,
            "no cascade that the source does not log leads from a table outside the filter to a replicated one",
        )
    },
    Check {
        reason: "such a column (a TIMESTAMP, or one that is computed from a TIMESTAMP, by FROM_UNIXTIME, or by CONVERT_TZ from or to SYSTEM) is computed in the time zone of the session that writes the row. The log does not say that zone to a row, and datain writes in UTC. It is a warning where the source's sessions are in UTC unless they set another zone.",
        remedy: "make the column VIRTUAL, without an index, or compute it from something else; or leave out the table; or `[check] allow = [\"zoned-column\"]`",
        allow: Some("zoned-column"),
        ..source(
            "source.zoned-column",
            Fatal,
            "no stored generated column of a replicated table depends on the session's time zone",
        )
    },
    Check {
        reason: "a branch that was prepared before the pipeline begins is committed later without its rows being logged again.",
        remedy: "`XA COMMIT …` or `XA ROLLBACK …` for each, before the copy for the target is taken",
        ..source(
            "source.xa-prepared",
            Warning,
            "no XA branch is prepared when a pipeline begins",
        )
    },
    Check {
        reason: "after an interruption that lasts longer than the log is kept, only a new first copy helps.",
        remedy: "`SET PERSIST binlog_expire_logs_seconds = …`, a day or more",
        ..source(
            "source.retention",
            Warning,
            "the source keeps its log for a day or longer",
        )
    },
    Check {
        reason: "otherwise a source that crashes with its machine may lose the end of its log, which the target has already, and give its GTIDs to other transactions.",
        remedy: "`SET PERSIST sync_binlog = 1`",
        ..source(
            "source.sync-binlog",
            Warning,
            "the source's log is durable (`sync_binlog = 1`)",
        )
    },
    Check {
        reason: "rows travel as they are, for everybody on the way to read and to change.",
        remedy: "`tls = \"verify-identity\"` (or `verify-ca`, `required`) in [source]",
        ..source(
            "source.unencrypted",
            Warning,
            "the connection to the source is encrypted or local",
        )
    },
    Check {
        reason: "seconds behind are counted from commit times of the source's clock; with a wrong clock they are wrong.",
        remedy: "time synchronisation (NTP) on the source and on datain's machine",
        ..source(
            "source.clock-skew",
            Warning,
            "the source's clock agrees with datain's to 2 s",
        )
    },
    Check {
        reason: "without them no row and no checkpoint can be written.",
        remedy: "`GRANT SELECT, INSERT, UPDATE, DELETE ON … TO …` for each replicated schema, and those for the schema `datain`",
        ..target(
            "target.privilege-missing",
            Fatal,
            "the target's account may write rows and checkpoints",
        )
    },
    Check {
        reason: "a statement of the source that the account may not run ends the stream; without `REPLICATION_APPLIER` a kill during DDL is undecidable.",
        remedy: "the `GRANT` statements that the finding lists",
        ..target(
            "target.ddl-privilege-missing",
            Warning,
            "the target's account may run DDL",
        )
    },
    Check {
        reason: "a table's triggers would change rows a second time; who cannot see them cannot exclude that.",
        remedy: "`GRANT TRIGGER ON … TO …`, to the account itself, not to a role",
        ..target(
            "table.triggers-unseen",
            Fatal,
            "the target's account sees triggers",
        )
    },
    Check {
        reason: "what the source's triggers did is in the log already; the target's would do it a second time.",
        remedy: "`DROP TRIGGER …`",
        ..target(
            "table.triggers",
            Fatal,
            "no replicated table of the target has triggers",
        )
    },
    Check {
        reason: "rows are found by a key.",
        remedy: "`ALTER TABLE … ADD PRIMARY KEY …`, or `[check] allow = [\"no-primary-key\"]` as on the source",
        allow: Some("no-primary-key"),
        ..target(
            "table.no-key",
            Fatal,
            "every replicated table of the target has a primary key, or a unique key over NOT NULL columns",
        )
    },
    Check {
        reason: "other engines do not roll back: a checkpoint would stand for rows that were not written, or written twice.",
        remedy: "`ALTER TABLE … ENGINE = InnoDB`",
        ..target(
            "table.engine",
            Fatal,
            "every replicated table of the target is InnoDB",
        )
    },
    Check {
        reason: "nothing can be written.",
        remedy: "`SET GLOBAL super_read_only = OFF`, `SET GLOBAL read_only = OFF`; `innodb_read_only` needs a restart",
        ..target(
            "target.read-only",
            Fatal,
            "the target is writable for datain's account",
        )
    },
    Check {
        reason: "each DDL statement runs under a GTID of datain's own, by which the target can tell after a kill whether it ran. Without GTIDs that is undecidable (`ddl.undecided`).",
        remedy: "`enforce_gtid_consistency = ON`, then `gtid_mode` step by step up to ON",
        ..target(
            "target.gtid-off",
            Warning,
            "the target has GTIDs (`gtid_mode` and `enforce_gtid_consistency` are ON)",
        )
    },
    Check {
        reason: "rows travel as they are, for everybody on the way to read and to change.",
        remedy: "`tls = \"verify-identity\"` (or `verify-ca`, `required`) in [target]",
        ..target(
            "target.unencrypted",
            Warning,
            "the connection to the target is encrypted or local",
        )
    },
    Check {
        reason: "times that the target writes itself (checkpoints, DEFAULT of new columns) would not fit those of the source.",
        remedy: "time synchronisation (NTP) on the target and on datain's machine",
        ..target(
            "target.clock-skew",
            Warning,
            "the target's clock agrees with datain's to 2 s",
        )
    },
    Check {
        reason: "names that are two on one server are one on the other, or are not found.",
        remedy: "a target that is initialised with the source's `lower_case_table_names`",
        ..pair(
            "pair.lower-case-names",
            Fatal,
            "`lower_case_table_names` is equal",
        )
    },
    Check {
        reason: "the log names columns by position only: with another order, values go into wrong columns without a word.",
        remedy: "`ALTER TABLE … MODIFY … AFTER …` on the target. Only where the source has changed the order itself, and the stream is still to bring that very statement: `[check] allow = [\"column-order\"]` until it has",
        allow: Some("column-order"),
        ..pair(
            "table.column-order",
            Fatal,
            "the columns of replicated tables stand in the same order",
        )
    },
    Check {
        reason: "the log of MySQL before 8.0, and of MariaDB by default, says neither character sets nor which numbers are UNSIGNED: the target's columns decide what the bytes mean, and another meaning would be another value, without a word.",
        remedy: "bring the target's columns and schemas to the source's character sets and signs before the first row; change them after the cutover",
        allow: Some("column-meaning"),
        ..pair(
            "table.column-meaning",
            Fatal,
            "where the log does not say them, character sets and signs of columns are the same",
        )
    },
    Check {
        reason: "a TIMESTAMP column of which a statement says little gets another definition, without a word. Since 8.0 statements run under the source's setting; older targets take it from their start only.",
        remedy: "`explicit_defaults_for_timestamp = …` in the target's option file, then a restart",
        ..pair(
            "pair.timestamp-defaults",
            Fatal,
            "`explicit_defaults_for_timestamp` is equal where the target cannot set it for a statement",
        )
    },
    Check {
        reason: "a row that the source took may be refused by the target.",
        remedy: "`SET PERSIST max_allowed_packet = …` on the target",
        ..pair(
            "pair.max-packet",
            Warning,
            "the target's `max_allowed_packet` is as large as the source's",
        )
    },
    Check {
        reason: "a statement that ran under `time_zone = SYSTEM` runs on the target under the target's own zone, and one that ran under a named zone is refused where the target has not loaded its name. Rows do not depend on it; what a statement makes of times does: a new DATETIME column with `DEFAULT CURRENT_TIMESTAMP`, a TIMESTAMP column that becomes a DATETIME, a default of a TIMESTAMP column. It is a note where the source's `time_zone` is not SYSTEM.",
        remedy: "the same system time zone for both servers, or `SET PERSIST time_zone = '+00:00'` on the source; for names, `mysql_tzinfo_to_sql` on the target",
        ..pair(
            "pair.time-zone",
            Warning,
            "both servers have the same system time zone, and the target knows the source's",
        )
    },
    Check {
        reason: "views, routines, triggers and events run with the rights of their definer; without the account they are refused, or fail when they are used. What the source's account may not see (routines without `SHOW_ROUTINE`, triggers without `TRIGGER`, events without `EVENT`) is a note, never a pass.",
        remedy: "`CREATE USER …` on the target; or `[replicate] definer = \"current-user\"`, and everything runs as the target's account",
        ..pair(
            "pair.definers",
            Warning,
            "the target has the accounts that are DEFINER of the source's views, routines, triggers and events",
        )
    },
    Check {
        reason: "a first copy makes every table, view and routine by the source's own definition, and keeps triggers and events for the cutover. A definition that the account may not read would be missing on the target; information_schema hides without a word what an account has no right to see.",
        remedy: "`GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON … TO …`; `GRANT SHOW_ROUTINE ON *.* TO …` for functions and procedures",
        ..source(
            "source.definitions-unseen",
            Fatal,
            "the account may read the definition of everything that is to be copied",
        )
    },
    Check {
        reason: "a view that refers to what is not there, or is not replicated, may be refused by the target; and of some definitions the server itself makes no statement that could be run.",
        remedy: "mend or drop it on the source, or exclude it. What the target does refuse is left out, and told",
        ..source(
            "source.definitions-unusable",
            Warning,
            "every definition can be made on another server",
        )
    },
    Check {
        reason: "MySQL 8.0 and later lack functions, words as names, and syntax that older servers have; the target refuses such a definition, and a first copy stops there. Only for a MySQL before 8.0, and of no matter where the target is one too. Tables are not looked into: [migrating.md](migrating.md#when-it-is-an-upgrade) has what to look for.",
        remedy: "write the definition anew on the source, or exclude it and make it on the target by hand",
        ..source(
            "source.removed-syntax",
            Warning,
            "views, routines, triggers and events of an old source hold nothing that MySQL 8.0 and later know no more",
        )
    },
    Check {
        reason: "places outside the data folder, tablespaces, encryption and secondary engines need means that not every server has. The table is made without them.",
        remedy: "a keyring, the tablespace, or the folder in `innodb_directories` on the target, if it shall have them",
        ..pair(
            "pair.options-dropped",
            Warning,
            "the target has the means for all options of the definitions",
        )
    },
    Check {
        reason: "accounts and privileges are never replicated: whoever is to use the target needs an account there.",
        remedy: "create accounts on the target by hand",
        ..pair(
            "pair.accounts",
            Note,
            "accounts and privileges are not replicated",
        )
    },
];
