//! The target.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
    title: "The target",
    entries: &[
        ErrorEntry {
            codes: &["table.missing"],
            then: "ends",
            meaning: "create the table as it was at this position, or exclude it",
        },
        ErrorEntry {
            codes: &[
                "table.no-key",
                "table.engine",
                "table.triggers",
                "table.system-versioned",
            ],
            then: "ends",
            meaning: "the target's table cannot be written safely",
        },
        ErrorEntry {
            codes: &["table.cascade-circle"],
            then: "ends",
            meaning: "foreign keys lead in a circle over several tables, the source does not log what they do, and the target's SQL layer would do it incompletely: \
                      start the target with `innodb_native_foreign_keys = ON`, or a source since 9.6 with `OFF`",
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
            codes: &["target.object-differs"],
            then: "ends",
            meaning: "first copy: the target has something of this name already, and it is not what the source has; nothing of the target's is ever dropped",
        },
        ErrorEntry {
            codes: &["table.not-empty"],
            then: "ends",
            meaning: "first copy: the target's table holds rows already",
        },
        ErrorEntry {
            codes: &["row.missing"],
            then: "ends",
            meaning: "a row that should be there is not: somebody wrote to the target, or the start was wrong",
        },
        ErrorEntry {
            codes: &["row.warning", "row.value", "row.altered"],
            then: "ends",
            meaning: "a value did not arrive as it was, or cannot be written",
        },
        ErrorEntry {
            codes: &["row.invalid-characters"],
            then: "ends",
            meaning: "the source holds bytes that are invalid in the column's character set (from an old version, or through another server's log); no SQL statement can store them: mend them on the source first",
        },
        ErrorEntry {
            codes: &["row.partial-image"],
            then: "ends",
            meaning: "the log lacks columns (`binlog_row_image` is not FULL), and the target's definition does not say what they hold, or has no key by which to find the row: the definitions differ",
        },
        ErrorEntry {
            codes: &["row.json-change"],
            then: "ends",
            meaning: "a change inside a JSON document (`binlog_row_value_options = PARTIAL_JSON`) does not fit the target's document, or cannot be made by SQL",
        },
        ErrorEntry {
            codes: &[
                "statement.mixed",
                "statement.unreadable",
                "statement.stored-function",
                "statement.collation-unknown",
                "statement.unknown",
                "statement.failed-on-source",
                "statement.load-differs",
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
            codes: &["ddl.mode-gone"],
            then: "ends",
            meaning: "the statement ran with a `sql_mode` (MAXDB; of MariaDB also ORACLE, EMPTY_STRING_IS_NULL, SIMULTANEOUS_ASSIGNMENT) that gives it another meaning, and that the target does not know",
        },
        ErrorEntry {
            codes: &["ddl.mariadb-only"],
            then: "ends",
            meaning: "a statement of MariaDB's makes what MySQL has not (UUID, INET4, INET6), or has words in a comment that only MariaDB runs: exclude the table, or make it by hand",
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
            codes: &["checkpoint.busy"],
            then: "again",
            meaning: "another datain is making or removing the tables of the schema `datain` at this moment",
        },
        ErrorEntry {
            codes: &["checkpoint.statement-running"],
            then: "again",
            meaning: "a DDL statement that a host of the pipeline had begun is still running on the target: a person's order, and a host that follows one that was killed, wait for its end",
        },
        ErrorEntry {
            codes: &["skip.in-doubt"],
            then: "ends",
            meaning: "the connection was lost while `skip` committed, and the target could not be asked whether it did: look before you skip again",
        },
        ErrorEntry {
            codes: &["checkpoint.removed"],
            then: "ends",
            meaning: "the target lost the checkpoint while the host was running: another server, or the pipeline was removed",
        },
        ErrorEntry {
            codes: &["checkpoint.overruled"],
            then: "again",
            meaning: "`datain stop`, `start` or `skip` was given elsewhere while a group was applied; the host does what the order says",
        },
        ErrorEntry {
            codes: &["checkpoint.filter-changed"],
            then: "ends",
            meaning: "`[replicate]` was changed while groups were ahead of the checkpoint (`preserve_commit_order = false`): run once with it as it was, with `--until-caught-up`, then change it",
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
            codes: &["checkpoint.xa-damaged"],
            then: "ends",
            meaning: "what `datain.xa_prepared` holds of an XA branch is not what was written there",
        },
        ErrorEntry {
            codes: &[
                "sink.contract",
                "source.contract",
                "sink.not-accepting",
                "sink.nothing-to-commit",
                "sink.closed",
                "sink.unexpected-rows",
            ],
            then: "ends",
            meaning: "an error in a plugin or in the host",
        },
    ],
};
