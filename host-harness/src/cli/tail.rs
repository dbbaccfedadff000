//! `datain tail`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::lines_out::LinesOut;
use super::tail_files::{self, FileArgs};
use super::{Finish, signals};
use crate::config::Config;
use crate::error::Result;
use crate::pipeline::Stop;
use crate::pipeline::tail::{Ended, From, Tail};

#[derive(Args, Debug)]
pub(super) struct TailArgs {
    /// The pipeline's configuration file (TOML). With --file it may be left out: it gives the filter, and its [source] the names of columns.
    #[arg(
        short = 'c',
        long = "config",
        value_name = "FILE",
        required_unless_present = "file"
    )]
    config: Option<PathBuf>,
    /// Where to begin.
    #[arg(long, value_enum, value_name = "PLACE", default_value_t = Place::Now, conflicts_with = "file")]
    from: Place,
    /// Ends with exit code 0 once everything that the source had at the beginning is printed.
    #[arg(long, conflicts_with = "file")]
    until_caught_up: bool,
    /// Ends with exit code 0 after so many changes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    files: FileArgs,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the source's newest position.
    Now,
    /// Where [start] in the configuration says; with mode "snapshot" at the newest position too.
    Start,
}

pub(super) fn tail(args: &TailArgs) -> Result<Finish> {
    let config = args
        .config
        .as_deref()
        .map(Config::load_source)
        .transpose()?;
    let config = match config {
        Some(config) if args.files.is_empty() => config,
        // clap sees to it that there is a configuration where there is no file.
        config => return tail_files::tail(&args.files, config, args.limit),
    };
    let from = match args.from {
        Place::Now => From::Now,
        Place::Start => From::Start,
    };
    let tail = Tail::new(config, from)?
        .until_caught_up(args.until_caught_up)
        .limit(args.limit);
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    Ok(match tail.run(&stop, &mut LinesOut::new(&stop))? {
        Ended::CaughtUp | Ended::Limit | Ended::Closed => Finish::Done,
        Ended::Stopped => Finish::Interrupted,
    })
}
