//! `datain verify`.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
    title: "datain verify",
    entries: &[
        ErrorEntry {
            codes: &["verify.transformed"],
            then: "ends",
            meaning: "`[[transform]]` changes rows on their way: source and target are not to be equal",
        },
        ErrorEntry {
            codes: &["verify.behind"],
            then: "3",
            meaning: "rows differ, and the target's checkpoint stands still before the place up to which the source was looked at: run the pipeline, and compare again. With `--watch` the next round is waited for",
        },
        ErrorEntry {
            codes: &["verify.copy-incomplete"],
            then: "3",
            meaning: "the first copy is not complete",
        },
        ErrorEntry {
            codes: &["verify.no-position"],
            then: "3",
            meaning: "the source does not say where its log ends: it needs `log_bin`, and its account REPLICATION CLIENT",
        },
        ErrorEntry {
            codes: &["verify.definition-changes"],
            then: "3",
            meaning: "the definition of a table was changed each time while it was compared",
        },
        ErrorEntry {
            codes: &["verify.incomparable", "verify.no-key"],
            then: "3",
            meaning: "a table of the source cannot be compared at all, or not by its key: the detail says which column, and why",
        },
        ErrorEntry {
            codes: &["verify.key-unlike"],
            then: "3",
            meaning: "the target has a row whose key the source's column cannot hold: it did not come from there",
        },
        ErrorEntry {
            codes: &["verify.target-changed"],
            then: "3",
            meaning: "somebody else changed rows of the target while they were repaired; nothing of it was kept",
        },
        ErrorEntry {
            codes: &["verify.too-large"],
            then: "3",
            meaning: "the target has far more bytes of rows in a part of a table than the source",
        },
        ErrorEntry {
            codes: &[
                "verify.locked",
                "verify.lost",
                "verify.in-the-way",
                "verify.target-locked",
            ],
            then: "again",
            meaning: "within a comparison, which tries again: rows are locked by others, were not held until the end, or have a unique value of a row that is repaired. What cannot be had in the end is undecided, or not repaired",
        },
        ErrorEntry {
            codes: &[
                "verify.digest-unreadable",
                "verify.image-malformed",
                "verify.mark-unreadable",
                "verify.no-table",
                "verify.row-unhashed",
                "verify.shape-unreadable",
            ],
            then: "3",
            meaning: "the two plugins do not understand each other, or a server's answer is not what it should be: use plugins of one release; else report it",
        },
        ErrorEntry {
            codes: &["verify.kept-unreadable"],
            then: "3",
            meaning: "the result that the newest comparison has left in the target cannot be read: compare again",
        },
    ],
};
