//! `datain cutover`: clients leave the source, and the target takes its place. Called by [`Pipeline::cutover`](super::Pipeline::cutover).
//!
//! | stage | what has been done | taking it back |
//! |---|---|---|
//! | `preparing` | both servers were looked at; the target catches up and is compared, while the source is written to | nothing was changed |
//! | `freezing` | the source is being made read-only | it gets its settings back |
//! | `frozen` | nobody writes to the source; where its log ends is known; the target comes to that end | the same |
//! | `stopped` | the checkpoint covers the end by position and by GTID set; the pipeline is stopped, so nothing writes to the target | the same, and the pipeline may run again |
//! | `making` | triggers are made, and rows are numbered on as on the source | no more: what is there is named |
//! | `positioned` | where the target's own log ends was noted, and the configuration of the way back is written; events are made | no more |
//! | `done` | the target is ready | no more |
//!
//! **What may be done before the stop is done before it**, so that the stop is short: both looks, the definitions' first reading, the comparison of all rows, the catching up. After the
//! stop follows only what proves that nothing has been missed, and what cannot be there before: triggers would change rows a second time.
//!
//! **The comparison stands before the stop.** It proves each row equal while the stream runs, and from then on only the stream changes rows: with conditions that fail for a row that is
//! not as the source had it. `verify_after_stop` compares once more when nothing moves, for as long as that takes.
//!
//! **An error before `stopped` takes everything back by itself**: a source must not stay read-only because a comparison failed. A signal and a kill leave the stage as it is: it is kept in
//! the target ([`state`]), the next command goes on from it, and `abort` takes it back.
//!
//! **Where the target's log ended is noted after everything that the cutover writes, but for events**: they may write as soon as they are there, and that belongs to the way back.

mod applying;
mod hand_over;
mod looks;
mod report;
mod reverse;
mod state;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::Scope;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::preflight::Finding;
use super::{Pipeline, Stop, verify};
use crate::bindings::{Consequences, End};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::plugin::{SinkInstance, SourceInstance};
use applying::Applying;
use looks::Wanted;
pub use report::Report;
use state::{KeptEnd, State, hex, unhex};
pub use state::{KeptPlace, MadeObject, Proof, Stage, Step};

/// The target is close enough for the stop when it needs no longer than this for where the source is.
const CLOSE: Duration = Duration::from_secs(1);

/// How equality is proven before the stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// All rows are compared now.
    Now,
    /// The same, unless a comparison that is kept in the target ended within this time, and found all rows equal.
    NotIfWithin(Duration),
    /// Not at all.
    Skipped,
}

/// What a person may choose.
#[derive(Debug, Clone)]
pub struct Options {
    /// The configuration file, beside which the way back's is written.
    pub file: PathBuf,
    /// The source may be made read-only.
    pub set_read_only: bool,
    /// See there.
    pub comparison: Comparison,
    /// All rows are compared once more after the stop.
    pub verify_after_stop: bool,
    /// How long the target may take to come close, before the stop.
    pub catch_up: Duration,
    /// How long it may take to come to the end, after the stop.
    pub write_stop: Duration,
}

/// Hears what is done, and is asked.
pub trait Watcher {
    /// This is begun.
    fn step(&self, text: &str);
    /// May the source be made read-only? Asked only where the options do not say so.
    fn may_set_read_only(&self) -> bool;
    /// Who watches a comparison.
    fn comparison(&self) -> &dyn verify::Watcher;
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// The target is ready.
    Done(Box<Report>),
    /// Something stands in the way; nothing was changed, or all was taken back.
    Refused(Vec<Finding>),
    /// The two servers are not proven to be equal; everything was taken back.
    NotEqual(Box<verify::Report>),
}

/// What was taken back.
#[derive(Debug)]
pub struct Aborted {
    /// Where the cutover stood; none where there was none.
    pub stage: Option<Stage>,
    /// Whether the source, which the cutover had made read-only, has its settings back.
    pub source_given_back: bool,
    /// Whether the pipeline, which the cutover had stopped, may run again.
    pub pipeline_started: bool,
}

/// A cutover at work.
pub(super) struct Cutover<'a> {
    pipeline: &'a Pipeline,
    config: Arc<Config>,
    options: &'a Options,
    stop: &'a Stop,
    watcher: &'a dyn Watcher,
    state: State,
    warnings: Vec<Finding>,
    /// The source may be made read-only.
    allowed: bool,
}

/// See [`Pipeline::cutover`](super::Pipeline::cutover).
pub(super) fn run(
    pipeline: &Pipeline,
    options: &Options,
    stop: &Stop,
    watcher: &dyn Watcher,
) -> Result<Ended> {
    let mut cutover = Cutover::load(pipeline, options, stop, watcher)?;
    if cutover.state.is(Stage::Done) {
        return Ok(Ended::Done(Box::new(cutover.report(true))));
    }
    let result = cutover.go();
    match &result {
        Ok(Ended::Done(_)) => return result,
        Err(error) if error.kind() == Kind::Interrupted => {
            if cutover.state.is(Stage::Preparing) {
                // Nothing was changed, so nothing is to be gone on with.
                cutover.forget(Consequences::empty())?;
            }
            return Err(cutover.left(error.clone()));
        }
        Err(error)
            if cutover.state.has_reached(Stage::Stopped) || error.code() == "cutover.elsewhere" =>
        {
            return Err(cutover.left(error.clone()));
        }
        _ => {}
    }
    if let Err(undo) = cutover.take_back() {
        let left = cutover.left(undo);
        return Err(match result {
            Err(error) => error.detail(format!("it could not be taken back: {left}")),
            Ok(_) => left,
        });
    }
    result
}

/// See [`Pipeline::abort_cutover`](super::Pipeline::abort_cutover).
pub(super) fn abort(
    pipeline: &Pipeline,
    options: &Options,
    watcher: &dyn Watcher,
) -> Result<Aborted> {
    let stop = Stop::new();
    let mut cutover = Cutover::load(pipeline, options, &stop, watcher)?;
    let stage = cutover.state.stage;
    if cutover.state.has_reached(Stage::Making) {
        return Err(cutover.beyond_return());
    }
    let aborted = Aborted {
        stage,
        source_given_back: cutover.state.note.made_read_only.is_some(),
        pipeline_started: cutover.state.has_reached(Stage::Stopped),
    };
    cutover.take_back().map_err(|error| cutover.left(error))?;
    Ok(aborted)
}

impl<'a> Cutover<'a> {
    fn load(
        pipeline: &'a Pipeline,
        options: &'a Options,
        stop: &'a Stop,
        watcher: &'a dyn Watcher,
    ) -> Result<Self> {
        let config = Arc::clone(&pipeline.plugins.loaded().config);
        let known = pipeline.plugins.sink()?.known_cutover()?;
        Ok(Self {
            pipeline,
            config,
            options,
            stop,
            watcher,
            state: State::read(known)?,
            warnings: Vec::new(),
            allowed: false,
        })
    }

    fn source(&self) -> Result<SourceInstance> {
        self.pipeline.plugins.source()
    }

    fn sink(&self) -> Result<SinkInstance> {
        self.pipeline.plugins.sink()
    }

    fn go(&mut self) -> Result<Ended> {
        let wanted = if self.state.has_reached(Stage::Stopped) {
            self.still_at_rest()?;
            self.wanted()?
        } else {
            self.watcher.step("looking at both servers");
            let begun = Instant::now();
            if let Some(refused) = self.look_before()? {
                return Ok(refused);
            }
            if self.state.stage.is_none() {
                self.keep(Stage::Preparing, Consequences::empty())?;
            }
            self.state.step("look", begun.elapsed().as_secs_f64());
            match std::thread::scope(|scope| self.bring_to_rest(scope))? {
                Ok(wanted) => wanted,
                Err(ended) => return Ok(ended),
            }
        };
        self.hand_over(&wanted)?;
        Ok(Ended::Done(Box::new(self.report(false))))
    }

    /// From the first look to `stopped`.
    fn bring_to_rest<'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<std::result::Result<Wanted, Ended>>
    where
        'a: 'scope,
    {
        let pipeline = self.pipeline;
        let mut applying = Applying::find(scope, pipeline, &self.config)?;
        if !self.state.has_reached(Stage::Frozen)
            && let Some(ended) = self.prepare(&applying)?
        {
            return Ok(Err(ended));
        }
        self.check()?;
        self.freeze()?;
        self.check()?;
        self.watcher
            .step("the source is read-only: the target comes to its end");
        let begun = Instant::now();
        let end = self.end()?;
        self.wait_for(&applying, &end, self.options.write_stop)?;
        self.state
            .step("last changes", begun.elapsed().as_secs_f64());
        if self.options.verify_after_stop {
            self.watcher.step("comparing all rows once more");
            let begun = Instant::now();
            if let Some(ended) = self.compare()? {
                return Ok(Err(ended));
            }
            if let Some(proof) = &mut self.state.note.proof {
                proof.again_after_stop = true;
            }
            self.state
                .step("second comparison", begun.elapsed().as_secs_f64());
        }
        let begun = Instant::now();
        let wanted = match self.look_after_stop()? {
            Ok(wanted) => wanted,
            Err(refused) => return Ok(Err(refused)),
        };
        // Whatever has come after all, by whoever may write on a read-only server, is behind this end.
        let end = self.source()?.end_of_log()?;
        self.wait_for(&applying, &end, self.options.write_stop)?;
        self.state.note.end = Some(KeptEnd::from(&end));
        applying.end();
        self.check()?;
        self.state.step("last look", begun.elapsed().as_secs_f64());
        self.keep(Stage::Stopped, Consequences::STOP)?;
        Ok(Ok(wanted))
    }

    /// Catching up and comparing, while the source is written to.
    fn prepare(&mut self, applying: &Applying<'_>) -> Result<Option<Ended>> {
        match applying {
            Applying::Host(pid) => self.watcher.step(&format!(
                "the target catches up: the host (process {pid}) applies"
            )),
            Applying::Own(_) => self
                .watcher
                .step("the target catches up: no host runs here, so this command applies"),
        }
        let begun = Instant::now();
        self.approach(applying)?;
        self.state
            .step("catching up", begun.elapsed().as_secs_f64());
        if self.state.note.proof.is_some() {
            // An earlier command has compared, and was interrupted.
            return Ok(None);
        }
        let begun = Instant::now();
        if let Some(ended) = self.prove()? {
            return Ok(Some(ended));
        }
        self.state.step("comparison", begun.elapsed().as_secs_f64());
        self.keep(Stage::Preparing, Consequences::empty())?;
        self.approach(applying)?;
        Ok(None)
    }

    /// Waits until the target needs almost no time for where the source is.
    fn approach(&self, applying: &Applying<'_>) -> Result<()> {
        let begun = Instant::now();
        loop {
            let end = self.source()?.end_of_log()?;
            let left = self.options.catch_up.saturating_sub(begun.elapsed());
            if self.wait_for(applying, &end, left)? <= CLOSE {
                return Ok(());
            }
        }
    }

    fn prove(&mut self) -> Result<Option<Ended>> {
        let (how, at_micros) = match self.options.comparison {
            Comparison::Skipped => ("skipped", now_micros()),
            Comparison::NotIfWithin(time) => match self.recent(time)? {
                Some(at) => ("accepted", at),
                None => ("compared", 0),
            },
            Comparison::Now => ("compared", 0),
        };
        let mut proof = Proof {
            how: how.to_owned(),
            at_micros,
            rows: 0,
            again_after_stop: false,
        };
        if how == "compared" {
            self.watcher
                .step("comparing all rows, while the source is written to");
            let report = self.pipeline.verify(
                &verify::Options::default(),
                self.stop,
                self.watcher.comparison(),
            )?;
            if report.verdict != verify::Verdict::Equal {
                return Ok(Some(Ended::NotEqual(Box::new(report))));
            }
            proof.rows = report.rows;
            proof.at_micros = now_micros();
        }
        self.state.note.proof = Some(proof);
        Ok(None)
    }

    /// When the comparison ended that is kept in the target, if it found all rows equal within this time.
    fn recent(&self, time: Duration) -> Result<Option<u64>> {
        let Some(kept) = self.pipeline.last_verification()? else {
            return Ok(None);
        };
        let age = now_micros().saturating_sub(kept.ended_at_micros);
        let is_whole = kept.only.is_empty() && kept.sample_percent.is_none();
        let is_recent = u128::from(age) <= time.as_micros();
        Ok(
            (kept.verdict == verify::Verdict::Equal && is_whole && is_recent)
                .then_some(kept.ended_at_micros),
        )
    }

    fn compare(&self) -> Result<Option<Ended>> {
        let report = self.pipeline.verify(
            &verify::Options::default(),
            self.stop,
            self.watcher.comparison(),
        )?;
        Ok((report.verdict != verify::Verdict::Equal).then(|| Ended::NotEqual(Box::new(report))))
    }

    /// Has the source refuse writes, if it does not, and notes where its log ends.
    fn freeze(&mut self) -> Result<()> {
        let begun = Instant::now();
        let look = self.source()?.look_at_writes(false)?;
        if look.writes_stopped && self.state.is(Stage::Frozen) {
            return Ok(());
        }
        if !look.writes_stopped {
            if !self.allowed {
                return Err(writable());
            }
            self.watcher.step("making the source read-only");
            let note = &mut self.state.note;
            // What it was before the first of all tries.
            note.made_read_only
                .get_or_insert_with(|| hex(&look.settings));
            note.frozen_at_micros = now_micros();
            self.keep(Stage::Freezing, Consequences::empty())?;
            self.source()?.stop_writes()?;
            #[cfg(debug_assertions)]
            crate::failpoint::pass("cutover writes stopped");
        } else if self.state.note.frozen_at_micros == 0 {
            self.state.note.frozen_at_micros = now_micros();
        }
        let end = self.source()?.end_of_log()?;
        self.state.note.end = Some(KeptEnd::from(&end));
        self.state
            .step("stopping writes", begun.elapsed().as_secs_f64());
        self.keep(Stage::Frozen, Consequences::empty())
    }

    fn end(&self) -> Result<End> {
        match &self.state.note.end {
            Some(end) => end.end(),
            None => self.source()?.end_of_log(),
        }
    }

    /// Whether to go on.
    fn check(&self) -> Result<()> {
        if self.stop.is_requested() {
            return Err(interrupted());
        }
        Ok(())
    }

    /// Gives everything back that was taken, and forgets the cutover. Nothing was made on the target.
    fn take_back(&mut self) -> Result<()> {
        if let Some(settings) = &self.state.note.made_read_only {
            self.source()?.allow_writes(&unhex(settings)?)?;
        }
        #[cfg(debug_assertions)]
        crate::failpoint::pass("cutover given back");
        self.forget(if self.state.has_reached(Stage::Stopped) {
            Consequences::START
        } else {
            Consequences::empty()
        })
    }

    /// An error, with where the cutover stands now.
    fn left(&self, mut error: Error) -> Error {
        let Some(stage) = self.state.stage else {
            return error;
        };
        let source = match (&self.state.note.made_read_only, stage) {
            (_, Stage::Preparing) => "the source is written to as before",
            (Some(_), _) => "the cutover has made the source read-only",
            (None, _) => "the source was read-only before",
        };
        let back = if stage >= Stage::Making {
            ""
        } else {
            "; datain cutover -c FILE --abort takes it back"
        };
        let report = error.report_mut();
        if report.kind == Kind::Interrupted {
            report.message = format!(
                "interrupted; the cutover stands at `{}`, and {source}",
                stage.name()
            );
        } else {
            let text = format!("the cutover stands at `{}`, and {source}", stage.name());
            report.detail = Some(match report.detail.take() {
                Some(detail) => format!("{detail}\n{text}"),
                None => text,
            });
        }
        let go_on = format!("datain cutover -c FILE goes on from there{back}");
        report.hint = Some(match report.hint.take() {
            Some(hint) => format!("{hint}; {go_on}"),
            None => go_on,
        });
        error
    }
}

fn writable() -> Error {
    Error::new(
        Kind::Reconfigure,
        "cutover.source-writable",
        "the source is written to again, or still",
    )
    .hint("datain cutover -c FILE --set-source-read-only makes it read-only")
}

fn interrupted() -> Error {
    crate::plugin::interrupted()
}

/// Microseconds since 1970.
fn now_micros() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or(u64::MAX)
}
