//! Plugins and the host.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
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
                "plugin.call-limit",
                "plugin.deadline",
                "plugin.ended",
            ],
            then: "again, 5 times without progress, then ends",
            meaning: "a plugin crashed or exceeded a limit of `[limits]`: report it, with the log",
        },
        ErrorEntry {
            codes: &["plugin.error-code"],
            then: "ends",
            meaning: "a plugin reported an error under a code of the host's, or under none",
        },
        ErrorEntry {
            codes: &["plugin.cannot"],
            then: "ends",
            meaning: "the sink only hands changes on (world `change-sink-plugin`): it keeps no stop, skips nothing, cannot be compared, and takes part in no cutover",
        },
        ErrorEntry {
            codes: &["transform.malformed"],
            then: "ends",
            meaning: "a transform handed back rows that cannot stand in the place of those that it was given; an error in the transform, nothing was applied",
        },
        ErrorEntry {
            codes: &["file.in-use"],
            then: "again",
            meaning: "another writer has the target's file open",
        },
        ErrorEntry {
            codes: &["file.other", "file.failed"],
            then: "ends",
            meaning: "the target's file is not the one that datain left, or cannot be written: [docs/writing-a-plugin.md](writing-a-plugin.md#a-file)",
        },
        ErrorEntry {
            codes: &["row-block.version"],
            then: "2 or ends",
            meaning: "source, transforms and sink know no common version of the row block: [docs/compatibility.md](compatibility.md)",
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
            then: "again, or ends where it cannot begin",
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
            codes: &["control.no-host"],
            then: "ends",
            meaning: "`throttle` while no host on this machine runs the pipeline, or none of this user",
        },
        ErrorEntry {
            codes: &["skip.other-transaction"],
            then: "ends",
            meaning: "`skip --gtid` or `--position` named another transaction than the one that comes next; nothing was skipped",
        },
        ErrorEntry {
            codes: &["skip.applied"],
            then: "ends",
            meaning: "the transaction is in the target already, ahead of the checkpoint (`preserve_commit_order = false`); nothing was skipped",
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
};
