//! `datain verify`: whether the target's rows are the source's, while both are written to. Called by [`Pipeline::verify`](super::Pipeline::verify).
//!
//! Table by table: the source says what both sides digest of it (its *shape*), the target holds its own definition against that, and then the table is gone through in parts
//! ([`table`]), or as a whole where it has no key ([`whole`]). What is not equal at once is looked at again when the target has what the source had ([`marks`]), and what differs then is
//! settled key by key ([`keys`]). So a row that is written to all the time is never called different, and one that differs is.
//!
//! The host understands none of it: keys, shapes, marks, checkpoints and rows are bytes, which it carries from one plugin to the other, and digests it compares for equality.
//!
//! It takes no part in the pipeline, which may run in another process, or nowhere. Both plugins have instances of their own for it, each on a thread ([`workers`]).

mod keys;
mod marks;
mod pace;
mod report;
mod table;
mod whole;
mod workers;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Stop;
use super::components::{Components, Loaded};
use crate::bindings::{ComparedShape, ComparedTable};
use crate::error::{Error, Kind, Result};
use crate::plugin::interrupted;
use crate::plugin::{SinkExaminer, SourceExaminer};
use marks::Waiting;
use pace::Pace;
pub use report::{Difference, DifferenceKind, Kept, Report, TableReport, Values, Verdict};
use table::Comparing;
use workers::Pair;

/// How often a table is begun anew, after an error that may pass or a change of its definition; and the rest before that.
const AGAIN: u32 = 3;
const REST: Duration = Duration::from_secs(1);

/// What is compared, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Patterns `schema.table` of the tables that are compared, of those that are replicated; none means all.
    pub tables: Vec<String>,
    /// Only so many percent of each table's rows, chosen anew each time; none for all.
    pub sample_percent: Option<f64>,
    /// SHA-2 in place of CRC-32.
    pub strong: bool,
    /// Differences say which values the two sides have.
    pub show_values: bool,
    /// Rows that differ are made as the source has them.
    pub repair: bool,
    /// Rows that seem to differ may be held on the source with shared locks, for `lock_time` at most.
    pub locks: bool,
    /// See `locks`.
    pub lock_time: Duration,
    /// How long the target's checkpoint may stand still while it is waited for.
    pub patience: Duration,
    /// Rows whose digests are computed in a second, at most.
    pub max_rows_per_second: Option<u64>,
    /// A rest after each part of a table.
    pub rest: Duration,
    /// So many differences of each table are listed, and without a repair no more of it are sought.
    pub list: u64,
    /// The result is kept in the target, for `status` and `cutover`.
    pub keep: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            sample_percent: None,
            strong: false,
            show_values: false,
            repair: false,
            locks: true,
            lock_time: Duration::from_secs(2),
            patience: Duration::from_secs(60),
            max_rows_per_second: None,
            rest: Duration::ZERO,
            list: 1000,
            keep: true,
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The table at hand, as `schema.table`; empty before the first.
    pub table: String,
    /// Its number, from 1, and how many there are.
    pub number: usize,
    /// See `number`.
    pub tables: usize,
    /// Rows compared so far, over all tables.
    pub rows: u64,
    /// Rows of all tables, as the source's engine estimates them.
    pub estimated_rows: u64,
    /// Parts of the table that are being looked at again, since they were not equal at first.
    pub suspects: usize,
    /// Differences that are certain so far.
    pub differing: u64,
}

/// Hears how far it is, between two parts of a table.
pub trait Watcher {
    /// As of now.
    fn progress(&self, progress: &Progress);
}

/// For who does not watch.
impl Watcher for () {
    fn progress(&self, _progress: &Progress) {}
}

/// See [`Pipeline::verify`](super::Pipeline::verify).
pub(super) fn run(
    plugins: &Components,
    options: &Options,
    stop: &Stop,
    watcher: &dyn Watcher,
) -> Result<Report> {
    let loaded = plugins.loaded();
    if !loaded.transforms.is_empty() {
        // The two are not to be equal, and a repair would undo what the transforms are there for.
        return Err(Error::new(
            Kind::Reconfigure,
            "verify.transformed",
            "the rows of this pipeline are changed on their way ([[transform]]), so that source and target cannot be compared",
        )
        .hint("leave [[transform]] out of a configuration of its own to compare the tables that no transform touches (--tables)"));
    }
    let began_at_micros = now_micros();
    let begun = Instant::now();
    let mut round = Round {
        loaded: &loaded,
        options,
        stop,
        watcher,
        progress: Progress::default(),
        pace: Pace::new(options),
    };
    let result = round.tables();
    // What the command ended is no trouble of a server's.
    if stop.is_requested() {
        return Err(interrupted());
    }
    let (pair, tables, only_in_target) = result?;
    let checkpoint = pair.sink.get(SinkExaminer::checkpoint)?;
    let report = Report {
        pipeline: loaded.config.name.clone(),
        verdict: tables
            .iter()
            .map(|table| table.verdict)
            .max()
            .unwrap_or(Verdict::Equal),
        rows: tables.iter().map(|table| table.rows).sum(),
        tables,
        only_in_target,
        seconds: begun.elapsed().as_secs_f64(),
        sample_percent: options.sample_percent,
        checkpoint: checkpoint.map(|checkpoint| checkpoint.display),
        began_at_micros,
        ended_at_micros: now_micros(),
    };
    if options.keep {
        keep(&pair, options, &report);
    }
    Ok(report)
}

/// Keeps the result in the target. The comparison itself needs no right to write there, so a refusal is only a warning.
fn keep(pair: &Pair, options: &Options, report: &Report) {
    let short = Kept {
        verdict: report.verdict,
        tables: report.tables.len(),
        rows: report.rows,
        differing: report.differing(),
        only: options.tables.clone(),
        sample_percent: report.sample_percent,
        strong: options.strong,
        checkpoint: report.checkpoint.clone(),
        began_at_micros: report.began_at_micros,
        ended_at_micros: report.ended_at_micros,
    };
    // Strings and numbers always serialise.
    let text = serde_json::to_string(&short).unwrap_or_default();
    if let Err(error) = pair.sink.get(move |sink| sink.keep(&text)) {
        tracing::warn!(code = %error.code(), "the result could not be kept in the target: {error}");
    }
}

/// The newest comparison that was kept in the target.
pub(super) fn last(plugins: &Components) -> Result<Option<Kept>> {
    let Some(kept) = plugins.sink()?.last_verification()? else {
        return Ok(None);
    };
    serde_json::from_str(&kept.report).map(Some).map_err(|e| {
        Error::new(
            Kind::Reconfigure,
            "verify.kept-unreadable",
            "the result of the newest comparison cannot be read from the target",
        )
        .detail(e.to_string())
        .hint("compare again")
    })
}

/// One comparison of all tables.
struct Round<'a> {
    loaded: &'a Arc<Loaded>,
    options: &'a Options,
    stop: &'a Stop,
    watcher: &'a dyn Watcher,
    progress: Progress,
    pace: Pace,
}

impl Round<'_> {
    fn open(&self) -> Result<Pair> {
        Pair::open(self.loaded, &self.options.tables, self.stop)
    }

    /// All tables; also those that only the target has.
    fn tables(&mut self) -> Result<(Pair, Vec<TableReport>, Vec<String>)> {
        let mut pair = self.open()?;
        let listed = pair.source.get(SourceExaminer::tables)?;
        self.must_be_copied(&pair)?;
        self.progress.tables = listed.len();
        self.progress.estimated_rows = listed.iter().map(|table| table.estimated_rows).sum();
        let only_in_target = only_in_target(&pair, &listed)?;
        let mut reports = Vec::with_capacity(listed.len());
        for (number, table) in (1..).zip(&listed) {
            self.progress.number = number;
            self.progress.table = format!("{}.{}", table.schema, table.name);
            self.watcher.progress(&self.progress);
            reports.extend(self.table_again(&mut pair, table)?);
        }
        Ok((pair, reports, only_in_target))
    }

    /// A first copy that is not complete is an error of its own, whatever the rows are like.
    fn must_be_copied(&self, pair: &Pair) -> Result<()> {
        let mark = pair.source.get(SourceExaminer::mark)?;
        if let Some(checkpoint) = pair.sink.get(SinkExaminer::checkpoint)? {
            pair.source
                .get(move |source| source.covers(&checkpoint, &mark))?;
        }
        Ok(())
    }

    /// Compares a table; anew, with new connections, when one was lost, and when its definition was changed meanwhile. None if it is gone.
    fn table_again(
        &mut self,
        pair: &mut Pair,
        table: &ComparedTable,
    ) -> Result<Option<TableReport>> {
        let mut left = AGAIN;
        let rows = self.progress.rows;
        loop {
            let result = self.table(pair, table);
            let error = match result {
                Ok(Compared::Report(report)) => return Ok(Some(*report)),
                Ok(Compared::Gone) => return Ok(None),
                Ok(Compared::Changed) => None,
                // A target that stands still would stand still again.
                Err(error) if error.kind() != Kind::Retry || error.code() == "verify.behind" => {
                    return Err(error);
                }
                Err(error) => Some(error),
            };
            if left == 0 || self.stop.is_requested() {
                return Err(error.unwrap_or_else(|| always_changing(table)));
            }
            left -= 1;
            self.progress.rows = rows;
            if let Some(error) = error {
                tracing::warn!(
                    code = %error.code(),
                    table = %self.progress.table,
                    "the comparison of the table begins anew: {error}"
                );
                if self.stop.wait(REST) {
                    return Err(interrupted());
                }
                *pair = self.open()?;
            }
        }
    }

    fn table(&mut self, pair: &Pair, table: &ComparedTable) -> Result<Compared> {
        let (schema, name, strong) = (
            table.schema.clone(),
            table.name.clone(),
            self.options.strong,
        );
        let begin = move || {
            let (schema, name) = (schema.clone(), name.clone());
            pair.source
                .get(move |source| source.begin(&schema, &name, strong))
        };
        let Some(shape) = begin()? else {
            return Ok(Compared::Gone);
        };
        let waiting = Waiting {
            pair,
            stop: self.stop,
            patience: self.options.patience,
        };
        let mut report = empty_report(table);
        let status = self.begin_on_target(pair, table, &shape.data)?;
        let status = if status.mismatches.is_empty() {
            status
        } else {
            // The statement that makes them equal may be on its way.
            waiting.catch_up()?;
            let Some(shape) = begin()? else {
                return Ok(Compared::Gone);
            };
            waiting.catch_up()?;
            self.begin_on_target(pair, table, &shape.data)?
        };
        report.notes = status.notes;
        if !status.mismatches.is_empty() {
            report.definition = status.mismatches;
            report.verdict = Verdict::Different;
            self.progress.differing += 1;
            return Ok(Compared::Report(Box::new(report)));
        }
        self.pace.begin_table();
        let comparing = Comparing {
            pair,
            options: self.options,
            waiting,
            watcher: self.watcher,
            report,
            progress: &mut self.progress,
            pace: &mut self.pace,
        };
        let compared = if shape.ranged && status.ranged {
            comparing.in_parts()
        } else {
            comparing.compare_whole()
        };
        // A definition that has changed explains errors of the server as well as differences.
        let again = match &compared {
            Err(error) if error.kind() == Kind::Retry || self.stop.is_requested() => {
                return compared.map(into_compared);
            }
            _ => begin()?,
        };
        match again {
            None => Ok(Compared::Gone),
            Some(again) if again.data != shape.data => Ok(Compared::Changed),
            Some(_) => compared.map(into_compared),
        }
    }

    fn begin_on_target(
        &self,
        pair: &Pair,
        table: &ComparedTable,
        shape: &[u8],
    ) -> Result<ComparedShape> {
        let (schema, name, shape) = (table.schema.clone(), table.name.clone(), shape.to_vec());
        pair.sink
            .get(move |sink| sink.begin(&schema, &name, &shape))
    }
}

/// What one go over a table has come to.
enum Compared {
    Report(Box<TableReport>),
    /// The source has it no more.
    Gone,
    /// It has been given another definition.
    Changed,
}

fn into_compared(mut report: TableReport) -> Compared {
    Comparing::judge(&mut report);
    Compared::Report(Box::new(report))
}

fn empty_report(table: &ComparedTable) -> TableReport {
    TableReport {
        table: format!("{}.{}", table.schema, table.name),
        verdict: Verdict::Equal,
        rows: 0,
        definition: Vec::new(),
        notes: Vec::new(),
        differences: Vec::new(),
        differing: 0,
        more: false,
        repaired: 0,
        undecided: 0,
    }
}

/// Tables that only the target has, in schemas of which something is compared.
fn only_in_target(pair: &Pair, listed: &[ComparedTable]) -> Result<Vec<String>> {
    let mut schemas: Vec<String> = listed.iter().map(|table| table.schema.clone()).collect();
    schemas.dedup();
    let theirs = pair.sink.get(move |sink| sink.tables(&schemas))?;
    let known: HashSet<String> = listed
        .iter()
        .map(|table| format!("{}.{}", table.schema, table.name).to_lowercase())
        .collect();
    let mut names: Vec<String> = theirs
        .into_iter()
        .map(|(schema, name)| format!("{schema}.{name}"))
        .filter(|name| !known.contains(&name.to_lowercase()))
        .collect();
    names.sort();
    Ok(names)
}

fn always_changing(table: &ComparedTable) -> Error {
    let mut error = Error::new(
        Kind::Retry,
        "verify.definition-changes",
        "the table's definition was changed each time while the table was compared",
    )
    .hint("compare again when nobody changes definitions");
    error.report_mut().table = Some(format!("{}.{}", table.schema, table.name));
    error
}

fn now_micros() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
        })
}
