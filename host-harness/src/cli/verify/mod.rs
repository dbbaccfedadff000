//! `datain verify`.

mod text;
mod watching;

use std::time::Duration;

use clap::Args;

use super::{ConfigFile, Finish, Format, output, report, signals};
use crate::cli::logging::LogFormat;
use crate::cli::time::{now_micros, utc_micros};
use crate::error::{Error, Kind, Result};
use crate::pipeline::verify::{Options, Report, Verdict};
use crate::pipeline::{Pipeline, Stop};
pub(super) use watching::Display;

#[derive(Args, Debug)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Compares only these of the replicated tables: patterns such as "shop.orders" or "shop.%".
    #[arg(long, value_name = "PATTERN", num_args = 1..)]
    tables: Vec<String>,
    /// Compares only about so many percent of each table's rows, others each time.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    sample: Option<f64>,
    /// Uses SHA-2 in place of CRC-32, which takes longer.
    #[arg(long)]
    strong: bool,
    /// Says which values differ. Without it only the keys of rows and the names of columns are written.
    #[arg(long)]
    show_values: bool,
    /// Makes the target's rows as the source has them.
    #[arg(long, conflicts_with = "no_locks")]
    repair: bool,
    /// Never locks a row on the source. Rows that are written to all the time may then stay undecided.
    #[arg(long)]
    no_locks: bool,
    /// For how long rows that seem to differ may be locked for reading on the source at a time.
    #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=60))]
    lock_seconds: u64,
    /// How long the target's checkpoint may stand still while it is waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait_seconds: u64,
    /// Compares so many rows a second at most.
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    max_rows_per_second: Option<u64>,
    /// Rests so long after each part of a table.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    rest_ms: u64,
    /// Lists so many differences of each table at most, and without --repair seeks no more of it than that.
    #[arg(long, value_name = "ROWS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    list: u64,
    /// Compares again and again until it is interrupted, with a line for each round. The exit code is then the last round's.
    #[arg(long)]
    watch: bool,
    /// With --watch: so long from the end of a round to the next one.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "watch")]
    every_seconds: u64,
}

/// Exit code of differences.
const DIFFERENCES: u8 = 1;
/// Exit code where nothing was found and something could not be decided.
const UNDECIDED: u8 = 3;

fn percent(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent),
        _ => Err("a percentage above 0 and up to 100".to_owned()),
    }
}

impl VerifyArgs {
    fn options(&self) -> Options {
        Options {
            tables: self.tables.clone(),
            sample_percent: self.sample.filter(|percent| *percent < 100.0),
            strong: self.strong,
            show_values: self.show_values,
            repair: self.repair,
            locks: !self.no_locks,
            lock_time: Duration::from_secs(self.lock_seconds),
            patience: Duration::from_secs(self.wait_seconds),
            max_rows_per_second: self.max_rows_per_second,
            rest: Duration::from_millis(self.rest_ms),
            list: self.list,
            keep: true,
        }
    }
}

pub(super) fn verify(args: &VerifyArgs, format: LogFormat) -> Result<Finish> {
    let pipeline = Pipeline::new(args.config.load()?)?;
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    if args.watch {
        return watch(args, &pipeline, &stop, format);
    }
    let display = Display::new();
    let result = pipeline.verify(&args.options(), &stop, &display);
    display.clear();
    let found = match result {
        Err(error) if error.kind() == Kind::Interrupted => return Ok(Finish::Interrupted),
        other => other?,
    };
    must_be_some(args, &found)?;
    output(&match args.format {
        Format::Text => text::whole(&found),
        Format::Json => format!("{}\n", json(&found)?),
    })?;
    Ok(finish(found.verdict))
}

/// A pattern that no table has is a mistake, and must not pass for equality.
fn must_be_some(args: &VerifyArgs, found: &Report) -> Result<()> {
    if !found.tables.is_empty() || args.tables.is_empty() {
        return Ok(());
    }
    Err(Error::config(
        "usage.no-table",
        "no replicated table has a name that --tables wants",
    )
    .hint("--tables takes patterns of schema and table, such as \"shop.orders\" or \"shop.%\""))
}

fn finish(verdict: Verdict) -> Finish {
    match verdict {
        Verdict::Equal => Finish::Done,
        Verdict::Different => Finish::Failed(DIFFERENCES),
        Verdict::Undecided => Finish::Failed(UNDECIDED),
    }
}

fn json(found: &Report) -> Result<String> {
    serde_json::to_string(found).map_err(|e| {
        Error::new(Kind::Fatal, "host.output", "failed to write the answer").detail(e.to_string())
    })
}

/// Round after round. Trouble that may pass ends a round, not the command.
fn watch(args: &VerifyArgs, pipeline: &Pipeline, stop: &Stop, format: LogFormat) -> Result<Finish> {
    let mut last = Finish::Interrupted;
    let display = Display::new();
    for round in 1_u64.. {
        let result = pipeline.verify(&args.options(), stop, &display);
        display.clear();
        match result {
            Ok(found) => {
                must_be_some(args, &found)?;
                output(&match args.format {
                    Format::Text => format!(
                        "{} round {round}: {}\n",
                        utc_micros(now_micros()),
                        text::line(&found)
                    ),
                    Format::Json => format!("{}\n", json(&found)?),
                })?;
                last = finish(found.verdict);
            }
            Err(error) if error.kind() == Kind::Interrupted => break,
            Err(error) if error.kind() == Kind::Retry => {
                report(&error, format);
                last = Finish::Failed(error.exit_code());
            }
            Err(error) => return Err(error),
        }
        if stop.wait(Duration::from_secs(args.every_seconds)) {
            break;
        }
    }
    Ok(last)
}
