//! `datain run`.

use std::time::Duration;

use clap::Args;

use super::progress::{Display, ProgressStyle};
use super::{ConfigFile, Finish, signals};
use crate::config::Start;
use crate::control::Listener;
use crate::error::{Error, Result};
use crate::pipeline::{Outcome, Pipeline, Stop};

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Ends with exit code 0 once all that the source had committed at the start is durable in the target.
    #[arg(long)]
    until_caught_up: bool,
    /// Shows progress, not only that of a first copy: one line on a terminal (else a log line every 5 s), or with "json" one object a second on standard output.
    #[arg(long, value_enum, value_name = "STYLE", num_args = 0..=1, default_missing_value = "auto")]
    progress: Option<ProgressStyle>,
    /// How long to go on trying at the start, while one of the two servers cannot be reached. By default such an error ends the
    /// command at once. Once both were reached, interruptions are retried for ever.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    connect_retry_seconds: u64,
    /// Goes to the place that [start] names, although the pipeline has a checkpoint and began elsewhere. What lies between the two is left out, or
    /// applied a second time. Once there, the option moves nothing any more, and says so.
    #[arg(long)]
    set_position: bool,
}

pub(super) fn run(args: &RunArgs) -> Result<Finish> {
    let mut config = args.config.load()?;
    if args.set_position && !matches!(config.start, Start::Position { .. } | Start::Gtid { .. }) {
        return Err(Error::config(
            "usage.set-position",
            "--set-position needs a place to go to",
        )
        .hint("put [start] mode = \"position\" with file and position, or mode = \"gtid\" with gtid_set, into the configuration"));
    }
    config.set_position = args.set_position;
    let pipeline = Pipeline::new(config.clone())?
        .until_caught_up(args.until_caught_up)
        .connect_retry(Duration::from_secs(args.connect_retry_seconds))
        .reload_with(args.config.reload());
    // Held until the end: orders are taken for as long as the pipeline runs or rests.
    let _control = Listener::open(&config, pipeline.handle())?;
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    let display = Display::start(args.progress, pipeline.status());
    let outcome = pipeline.run(&stop);
    display.finish();
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
