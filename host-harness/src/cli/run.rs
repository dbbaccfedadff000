//! `datain run`.

use std::time::Duration;

use clap::Args;

use super::progress::{Display, ProgressStyle};
use super::{ConfigFile, Finish, signals};
use crate::error::Result;
use crate::pipeline::{Outcome, Pipeline, Stop};

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Ends with exit code 0 once all that the source had committed at the start is durable in the target.
    #[arg(long)]
    until_caught_up: bool,
    /// Shows progress: one line on a terminal (else a log line every 5 s), or with "json" one object a second on standard output.
    #[arg(long, value_enum, value_name = "STYLE", num_args = 0..=1, default_missing_value = "auto")]
    progress: Option<ProgressStyle>,
    /// How long to go on trying at the start, while one of the two servers cannot be reached. By default such an error ends the
    /// command at once. Once both were reached, interruptions are retried for ever.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    connect_retry_seconds: u64,
}

pub(super) fn run(args: &RunArgs) -> Result<Finish> {
    let pipeline = Pipeline::new(args.config.load()?)?
        .until_caught_up(args.until_caught_up)
        .connect_retry(Duration::from_secs(args.connect_retry_seconds));
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    let display = args
        .progress
        .map(|style| Display::start(style, pipeline.status()));
    let outcome = pipeline.run(&stop);
    if let Some(display) = display {
        display.finish();
    }
    let status = pipeline.status().get();
    match outcome? {
        Outcome::CaughtUp => {
            tracing::info!(
                position = status.durable_position,
                rows = status.totals.rows_applied,
                "caught up"
            );
            Ok(Finish::Done)
        }
        Outcome::Stopped => {
            tracing::info!(
                position = status.durable_position,
                rows = status.totals.rows_applied,
                "stopped"
            );
            Ok(Finish::Interrupted)
        }
    }
}
