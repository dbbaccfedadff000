//! How far a cutover has come, as it is kept in the target.
//!
//! Each step is noted before it is done where it changes something that must be known to undo it (`freezing`, `making`), and after it is done otherwise. So whatever a kill leaves is named by
//! the stage, and going on from a stage does nothing twice that would hurt.

use serde::{Deserialize, Serialize};

use super::Cutover;
use crate::bindings::{Consequences, CutoverProgress, End, KnownCutover, Made, Place};
use crate::error::{Error, Kind, Result};

/// Where a cutover stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Looking, catching up and comparing; the source is written to.
    Preparing,
    /// The source is being made read-only: it may be so already.
    Freezing,
    /// The source is read-only, and where its log ends is known.
    Frozen,
    /// The target has everything, and nothing writes to it any more: the pipeline is stopped.
    Stopped,
    /// Triggers are being made on the target: some may be there.
    Making,
    /// Triggers are made, rows are numbered, and the place for the way back is known. Events may be there.
    Positioned,
    /// The target is ready for clients.
    Done,
}

impl Stage {
    const ALL: [Self; 7] = [
        Self::Preparing,
        Self::Freezing,
        Self::Frozen,
        Self::Stopped,
        Self::Making,
        Self::Positioned,
        Self::Done,
    ];

    /// Its word in the target and for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Freezing => "freezing",
            Self::Frozen => "frozen",
            Self::Stopped => "stopped",
            Self::Making => "making",
            Self::Positioned => "positioned",
            Self::Done => "done",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }
}

/// What is kept beside the stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Note {
    /// The source was made read-only by the cutover, which had these settings (hexadecimal) before.
    pub made_read_only: Option<String>,
    /// When the source became read-only, or was found so, microseconds since 1970 by the host's clock.
    pub frozen_at_micros: u64,
    /// Where the source's log ends.
    pub end: Option<KeptEnd>,
    /// How equality was proven.
    pub proof: Option<Proof>,
    /// What was made.
    pub made: Vec<MadeObject>,
    /// Tables whose numbering was raised.
    pub raised: Vec<String>,
    /// Where the target's own log ended before anything but the cutover wrote to it.
    pub place: Option<KeptPlace>,
    /// How long each step took.
    pub steps: Vec<Step>,
    /// For how long nobody could write: from the source's being read-only to the target's being ready.
    pub write_stop_seconds: Option<f64>,
    /// Definitions that the stream had held back.
    pub held_back: u64,
}

/// An [`End`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeptEnd {
    data: String,
    pub display: String,
}

/// A [`Place`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptPlace {
    /// The log's file.
    pub file: String,
    /// The offset in it.
    pub position: u64,
    /// Everything committed, where the server logs by GTID.
    pub gtid_set: Option<String>,
}

/// Something that is on the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeObject {
    /// `trigger` or `event`.
    pub kind: String,
    /// As `` `schema`.`name` ``.
    pub name: String,
    /// It was there before.
    pub found: bool,
}

/// How it is known that the two servers are equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// `compared` by the cutover before the source's writes were stopped, `accepted` from an earlier comparison, `skipped`.
    pub how: String,
    /// When that comparison ended, microseconds since 1970.
    pub at_micros: u64,
    /// Rows that were compared.
    pub rows: u64,
    /// Whether they were compared once more after the source's writes were stopped.
    pub again_after_stop: bool,
}

/// How long something took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it was.
    pub step: String,
    /// For how long.
    pub seconds: f64,
}

/// What is kept, and its revision.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub stage: Option<Stage>,
    pub note: Note,
    revision: u64,
}

impl State {
    /// Reads what the target has.
    pub(super) fn read(known: Option<KnownCutover>) -> Result<Self> {
        let Some(known) = known else {
            return Ok(Self::default());
        };
        let unreadable = |why: String| {
            Error::new(
                Kind::Fatal,
                "cutover.unreadable",
                "what the target knows of the cutover cannot be read",
            )
            .detail(why)
            .hint("run the version of datain that began it, or a newer one")
        };
        let stage = Stage::parse(&known.progress.stage)
            .ok_or_else(|| unreadable(format!("the stage {:?}", known.progress.stage)))?;
        let note =
            serde_json::from_str(&known.progress.note).map_err(|e| unreadable(e.to_string()))?;
        Ok(Self {
            stage: Some(stage),
            note,
            revision: known.revision,
        })
    }

    pub(super) fn is(&self, stage: Stage) -> bool {
        self.stage == Some(stage)
    }

    /// Whether it has come to this stage or further.
    pub(super) fn has_reached(&self, stage: Stage) -> bool {
        self.stage.is_some_and(|now| now >= stage)
    }

    pub(super) fn step(&mut self, step: &str, seconds: f64) {
        self.note.steps.push(Step {
            step: step.to_owned(),
            seconds,
        });
    }
}

impl Cutover<'_> {
    /// Keeps the stage and the note.
    pub(super) fn keep(&mut self, stage: Stage, consequences: Consequences) -> Result<()> {
        let note = serde_json::to_string(&self.state.note).map_err(|e| {
            Error::new(
                Kind::Fatal,
                "cutover.unreadable",
                "what is to be kept of the cutover cannot be written",
            )
            .detail(e.to_string())
        })?;
        let next = CutoverProgress {
            stage: stage.name().to_owned(),
            note,
            bars_start: stage >= Stage::Stopped,
        };
        let seen = self.state.revision;
        self.state.revision = self.sink()?.set_cutover(seen, Some(&next), consequences)?;
        self.state.stage = Some(stage);
        #[cfg(debug_assertions)]
        crate::failpoint::pass(&format!("cutover {}", stage.name()));
        Ok(())
    }

    /// Forgets the cutover.
    pub(super) fn forget(&mut self, consequences: Consequences) -> Result<()> {
        if self.state.stage.is_none() {
            return Ok(());
        }
        let seen = self.state.revision;
        self.sink()?.set_cutover(seen, None, consequences)?;
        self.state = State::default();
        Ok(())
    }
}

impl From<&End> for KeptEnd {
    fn from(end: &End) -> Self {
        Self {
            data: hex(&end.data),
            display: end.display.clone(),
        }
    }
}

impl KeptEnd {
    pub(super) fn end(&self) -> Result<End> {
        Ok(End {
            data: unhex(&self.data)?,
            display: self.display.clone(),
        })
    }
}

impl From<Place> for KeptPlace {
    fn from(place: Place) -> Self {
        Self {
            file: place.file,
            position: place.position,
            gtid_set: place.gtid_set,
        }
    }
}

impl From<Made> for MadeObject {
    fn from(made: Made) -> Self {
        Self {
            kind: made.kind,
            name: made.name,
            found: made.found,
        }
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn unhex(text: &str) -> Result<Vec<u8>> {
    let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(pair).collect();
    bytes.ok_or_else(|| {
        Error::new(
            Kind::Fatal,
            "cutover.unreadable",
            "what the target knows of the cutover cannot be read",
        )
        .hint("restore the row in datain.cutovers, or delete it and look at both servers")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(stage: &str, note: &str) -> Result<State> {
        State::read(Some(KnownCutover {
            progress: CutoverProgress {
                stage: stage.to_owned(),
                note: note.to_owned(),
                bars_start: false,
            },
            revision: 7,
            began_at_micros: 1,
            changed_at_micros: 2,
        }))
    }

    #[test]
    fn what_is_kept_is_read_and_what_is_missing_is_nothing() {
        for stage in Stage::ALL {
            let state = known(stage.name(), "{}").unwrap();
            assert_eq!((state.stage, state.revision), (Some(stage), 7));
            assert_eq!(state.note, Note::default());
        }
        assert!(known("frozen", "{}").unwrap().has_reached(Stage::Frozen));
        assert!(!known("freezing", "{}").unwrap().has_reached(Stage::Frozen));
        assert!(!State::default().has_reached(Stage::Preparing));
        for (stage, note) in [("later", "{}"), ("frozen", "{")] {
            assert_eq!(known(stage, note).unwrap_err().code(), "cutover.unreadable");
        }
    }

    #[test]
    fn bytes_survive_as_text() {
        let bytes = [0, 1, 0xab, 0xff];
        assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes);
        assert!(unhex("abc").is_err() && unhex("xy").is_err() && unhex("ü0").is_err());
    }
}
