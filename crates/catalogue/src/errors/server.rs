//! What a server answered.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
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
            codes: &["server.unknown-time-zone"],
            then: "ends",
            meaning: "a statement was run on the source under a time zone whose name the target does not know: load it there with `mysql_tzinfo_to_sql`",
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
            meaning: "another reader has the same `server_id` (its host and uuid are named), or this pipeline runs twice. The source is asked before and after registering, and every minute",
        },
        ErrorEntry {
            codes: &["server.replica-displaced"],
            then: "again",
            meaning: "another reader with the same `server_id` has registered with the source, and does not read: a pipeline that was refused for it with `server.replica-id-in-use`. Give that one another id",
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
            meaning: "`local_infile` was switched off on the target while rows were loaded, and a new connection inserts them instead; or a LOAD DATA is to be replayed (docs/statement-logs.md)",
        },
        ErrorEntry {
            codes: &[
                "server.too-many-connections",
                "server.account-limit",
                "server.out-of-resources",
                "server.connection-trouble",
                "server.going-away",
                "server.query-interrupted",
                "server.deadlock",
                "server.read-only",
            ],
            then: "again",
            meaning: "passing trouble",
        },
        ErrorEntry {
            codes: &["server.lock-wait-timeout"],
            then: "again",
            meaning: "another transaction on the target has locked the rows, mostly that of a host that was killed and that is still being rolled back: it is tried again until they are free, also at the start. With the privilege `PROCESS` the detail names the connections",
        },
    ],
};
