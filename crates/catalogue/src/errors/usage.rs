//! Usage and configuration.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
    title: "Usage and configuration",
    entries: &[
        ErrorEntry {
            codes: &["usage.arguments"],
            then: "2",
            meaning: "of a stand-alone component (docs/standalone.md): its command line cannot be read",
        },
        ErrorEntry {
            codes: &["usage.log-level"],
            then: "2",
            meaning: "`--log-level` or `RUST_LOG` is no level or filter",
        },
        ErrorEntry {
            codes: &["usage.set-position"],
            then: "2",
            meaning: "`--set-position` without a place in `[start]`, or with several pipelines",
        },
        ErrorEntry {
            codes: &["usage.same-pipeline"],
            then: "2",
            meaning: "two files of one `datain run` have the same pipeline, `server_id` or control socket",
        },
        ErrorEntry {
            codes: &["usage.not-confirmed"],
            then: "2",
            meaning: "`skip` or `remove` was not confirmed; nothing was done",
        },
        ErrorEntry {
            codes: &["usage.no-table"],
            then: "2",
            meaning: "no replicated table has a name that `--tables` wants",
        },
        ErrorEntry {
            codes: &["file.unreadable"],
            then: "2, ends",
            meaning: "a file of `datain tail` cannot be opened or read",
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
            codes: &["config.other-pipeline"],
            then: "2",
            meaning: "`start`: the file now has another `name`, `[target]` or `[control] socket` than the resting host began with: end that host and start it again",
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
    ],
};
