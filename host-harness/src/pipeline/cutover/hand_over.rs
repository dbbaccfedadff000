//! From `stopped` to `done`: the target gets what was held back, and the way back is noted. Each step may be done a second time after a kill.

use std::time::Instant;

use super::looks::Wanted;
use super::state::{KeptPlace, MadeObject, Stage};
use super::{Cutover, now_micros, reverse, writable};
use crate::bindings::Consequences;
use crate::control;
use crate::error::{Error, Kind, Result};

impl Cutover<'_> {
    pub(super) fn hand_over(&mut self, wanted: &Wanted) -> Result<()> {
        if self.state.is(Stage::Stopped) {
            self.check()?;
            self.keep(Stage::Making, Consequences::empty())?;
        }
        if self.state.is(Stage::Making) {
            self.watcher.step("making triggers, and numbering rows on");
            let begun = Instant::now();
            let triggers = self.sink()?.make(&wanted.definitions, "trigger")?;
            #[cfg(debug_assertions)]
            crate::failpoint::pass("cutover triggers made");
            self.state.note.raised = self.sink()?.raise_next_numbers(&wanted.numbers)?;
            self.state.note.made = triggers.into_iter().map(MadeObject::from).collect();
            self.state
                .step("triggers and numbers", begun.elapsed().as_secs_f64());
            self.check()?;
            self.state.note.place = self.sink()?.own_place()?.map(KeptPlace::from);
            self.keep(Stage::Positioned, Consequences::empty())?;
        }
        self.check()?;
        let begun = Instant::now();
        let is_event = |object: &MadeObject| object.kind == "event";
        self.state.note.made.retain(|object| !is_event(object));
        self.watcher.step("making events");
        let events = self.sink()?.make(&wanted.definitions, "event")?;
        let made = &mut self.state.note.made;
        made.extend(events.into_iter().map(MadeObject::from));
        #[cfg(debug_assertions)]
        crate::failpoint::pass("cutover events made");
        if let Some(place) = &self.state.note.place {
            reverse::write(&self.options.file, place, &self.state.note.made)?;
        }
        #[cfg(debug_assertions)]
        crate::failpoint::pass("cutover reverse written");
        self.state
            .step("way back and events", begun.elapsed().as_secs_f64());
        self.state.note.held_back = self.sink()?.inspect()?.held_back;
        let stopped = now_micros().saturating_sub(self.state.note.frozen_at_micros);
        #[expect(clippy::cast_precision_loss, reason = "a time for people")]
        let seconds = stopped as f64 / 1e6;
        self.state.note.write_stop_seconds = Some(seconds);
        self.keep(Stage::Done, Consequences::SETTLE)?;
        self.tell_host();
        self.still_at_rest()
    }

    /// A host that runs on this machine finds out by itself that the pipeline is stopped, but not at once.
    fn tell_host(&self) {
        let told = control::connect(&self.config)
            .and_then(|host| host.map(|host| host.stop(&|| {})).transpose());
        if let Err(error) = told {
            tracing::debug!(%error, "the host was not told");
        }
    }

    /// Whether the source is as it was when the pipeline was stopped: read-only, and with nothing in its log that the target lacks.
    pub(super) fn still_at_rest(&self) -> Result<()> {
        let mut source = self.source()?;
        if !source.look_at_writes(false)?.writes_stopped {
            // A restart of the server takes the settings back.
            if self.state.note.made_read_only.is_none() {
                return Err(writable());
            }
            source.stop_writes()?;
        }
        let end = source.end_of_log()?;
        let checkpoint = self.sink()?.inspect()?.checkpoint;
        let passed = match &checkpoint {
            Some(checkpoint) => source.has_passed(checkpoint, &end)?,
            None => false,
        };
        if passed {
            return Ok(());
        }
        let at = checkpoint.map_or_else(|| "none".to_owned(), |c| c.display);
        Err(Error::new(
            Kind::Fatal,
            "cutover.source-moved",
            "the source was written to after the pipeline had been stopped, and the target lacks that",
        )
        .detail(format!("the source's log ends at {}, the checkpoint is {at}", end.display))
        .hint(if self.state.has_reached(Stage::Making) {
            "the checkpoint is kept: see in the source's log what it is, and bring it over by hand before clients use the target"
        } else {
            "datain cutover -c FILE --abort lets the pipeline go on; then begin the cutover again"
        }))
    }

    /// The error of an abort that comes too late.
    pub(super) fn beyond_return(&self) -> Error {
        let note = &self.state.note;
        let stage = self.state.stage.map_or("", Stage::name);
        let made: Vec<&str> = note
            .made
            .iter()
            .map(|object| object.name.as_str())
            .collect();
        let made = if made.is_empty() {
            "which of the source's triggers are on the target, SHOW TRIGGERS says there".to_owned()
        } else {
            format!("on the target were made: {}", made.join(", "))
        };
        let source = if note.made_read_only.is_some() {
            "the source was made read-only (SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF; lets it be written to)"
        } else {
            "the source was read-only before"
        };
        Error::new(
            Kind::Reconfigure,
            "cutover.beyond-return",
            format!("the cutover stands at `{stage}`: triggers and events may be on the target, so it cannot be taken back"),
        )
        .detail(format!("{made}\n{source}"))
        .hint("datain cutover -c FILE goes on with it, and the .reverse.toml beside FILE leads back; or, if no client has used the target yet, drop what was made there, DELETE the pipeline's row FROM datain.cutovers, make the source writable and datain start -c FILE")
    }
}
