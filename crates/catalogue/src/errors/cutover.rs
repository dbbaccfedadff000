//! The cutover: errors, and the findings of its looks.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
    title: "Cutover",
    entries: &[
        ErrorEntry {
            codes: &[
                "cutover.xa-prepared",
                "cutover.source-applies",
                "cutover.privileged-writers",
                "cutover.source-rights",
                "cutover.target-rights",
                "cutover.definer-missing",
                "cutover.name-taken",
                "cutover.not-numbered",
                "cutover.pipeline-stopped",
            ],
            then: "1",
            meaning: "findings of `datain cutover`: what stands in the way, with what mends it; nothing was begun, or all was taken back",
        },
        ErrorEntry {
            codes: &["cutover.scheduler-off", "cutover.no-way-back"],
            then: "warning",
            meaning: "findings of `datain cutover` that do not stop it: the target's event scheduler is off; it keeps no binary log of rows",
        },
        ErrorEntry {
            codes: &["cutover.no-pipeline"],
            then: "1, ends",
            meaning: "the target knows no such pipeline",
        },
        ErrorEntry {
            codes: &["cutover.source-writable"],
            then: "1, ends",
            meaning: "the source is written to, and the cutover may not make it read-only: `--set-source-read-only`",
        },
        ErrorEntry {
            codes: &["cutover.reverse-exists"],
            then: "1, ends",
            meaning: "another file stands where the configuration of the way back is to be written",
        },
        ErrorEntry {
            codes: &["cutover.reverse-unwritable"],
            then: "ends",
            meaning: "the configuration of the way back cannot be written; the cutover goes on from where it stands when it can",
        },
        ErrorEntry {
            codes: &["cutover.definitions-unseen"],
            then: "ends",
            meaning: "the source's account may not see all triggers and events, or the source cannot show one",
        },
        ErrorEntry {
            codes: &["cutover.copy-incomplete"],
            then: "ends",
            meaning: "the first copy is not complete",
        },
        ErrorEntry {
            codes: &["cutover.other-server"],
            then: "ends",
            meaning: "the checkpoint is of another source server, or of another log of it",
        },
        ErrorEntry {
            codes: &["cutover.writes-not-stopped"],
            then: "ends",
            meaning: "a long statement or LOCK TABLES on the source did not let it become read-only; it is written to as before",
        },
        ErrorEntry {
            codes: &["cutover.behind"],
            then: "ends",
            meaning: "the target did not come to the source's end in time; all was taken back",
        },
        ErrorEntry {
            codes: &["cutover.source-moved"],
            then: "ends",
            meaning: "the source was written to after the target had been taken for complete, by whoever may write on a read-only server or after its restart",
        },
        ErrorEntry {
            codes: &["cutover.elsewhere"],
            then: "ends",
            meaning: "another `datain cutover` of the pipeline has gone on meanwhile; this one has changed nothing more",
        },
        ErrorEntry {
            codes: &["cutover.under-way"],
            then: "ends",
            meaning: "`datain start` of a pipeline whose cutover has come so far that it must not run any more, or `datain remove` of one whose cutover has not ended",
        },
        ErrorEntry {
            codes: &["cutover.beyond-return"],
            then: "ends",
            meaning: "`datain cutover --abort` when triggers or events may be on the target; the error names what remains",
        },
        ErrorEntry {
            codes: &["cutover.unreadable"],
            then: "ends",
            meaning: "the row in `datain.cutovers` is damaged, or a newer version's",
        },
    ],
};
