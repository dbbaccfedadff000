//! `datain tail`.

use clap::{Args, ValueEnum};

use super::lines_out::LinesOut;
use super::{ConfigFile, Finish, signals};
use crate::config::Config;
use crate::error::Result;
use crate::pipeline::Stop;
use crate::pipeline::tail::{Ended, From, Tail};

#[derive(Args, Debug)]
pub(super) struct TailArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Where to begin.
    #[arg(long, value_enum, value_name = "PLACE", default_value_t = Place::Now)]
    from: Place,
    /// Ends with exit code 0 once everything that the source had at the beginning is printed.
    #[arg(long)]
    until_caught_up: bool,
    /// Ends with exit code 0 after so many changes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the source's newest position.
    Now,
    /// Where [start] in the configuration says; with mode "snapshot" at the newest position too.
    Start,
}

pub(super) fn tail(args: &TailArgs) -> Result<Finish> {
    let from = match args.from {
        Place::Now => From::Now,
        Place::Start => From::Start,
    };
    let tail = Tail::new(Config::load_source(&args.config.path)?, from)?
        .until_caught_up(args.until_caught_up)
        .limit(args.limit);
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    Ok(match tail.run(&stop, &mut LinesOut::new(&stop))? {
        Ended::CaughtUp | Ended::Limit | Ended::Closed => Finish::Done,
        Ended::Stopped => Finish::Interrupted,
    })
}
