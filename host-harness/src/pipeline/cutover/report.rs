//! What a cutover has come to. As JSON it is what `datain cutover --format json` prints: docs/cutover.md describes each key.

use std::path::PathBuf;

use serde::Serialize;

use super::state::{KeptPlace, MadeObject, Proof, Stage, Step};
use super::{Cutover, reverse};
use crate::pipeline::preflight::Finding;

/// See the module.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// `done`.
    pub stage: Stage,
    /// Whether it had been done before this command.
    pub was_done: bool,
    /// The steps and their times, over all commands that worked on it.
    pub steps: Vec<Step>,
    /// From the source's being read-only to the target's being ready; none where that is not known.
    pub write_stop_seconds: Option<f64>,
    /// Whether the source was made read-only by the cutover, or was so before.
    pub made_read_only: bool,
    /// Where the source's log ends.
    pub source_end: Option<String>,
    /// How equality was proven.
    pub proof: Option<Proof>,
    /// Triggers and events.
    pub made: Vec<MadeObject>,
    /// Tables whose numbering was raised.
    pub raised: Vec<String>,
    /// Definitions that the stream had held back, and that are settled now.
    pub held_back_settled: u64,
    /// Where the target's own log ended before clients could write.
    pub target_place: Option<KeptPlace>,
    /// The configuration of the way back.
    pub reverse: Option<PathBuf>,
    /// What did not stand in the way, and should be known.
    pub warnings: Vec<Finding>,
}

impl Cutover<'_> {
    pub(super) fn report(&self, was_done: bool) -> Report {
        let note = &self.state.note;
        Report {
            pipeline: self.config.name.clone(),
            stage: Stage::Done,
            was_done,
            steps: note.steps.clone(),
            write_stop_seconds: note.write_stop_seconds,
            made_read_only: note.made_read_only.is_some(),
            source_end: note.end.as_ref().map(|end| end.display.clone()),
            proof: note.proof.clone(),
            made: note.made.clone(),
            raised: note.raised.clone(),
            held_back_settled: note.held_back,
            target_place: note.place.clone(),
            reverse: note
                .place
                .as_ref()
                .map(|_| reverse::path(&self.options.file)),
            warnings: self.warnings.clone(),
        }
    }
}
