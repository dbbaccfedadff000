//! `datain run`: one pipeline, or several in one process.
//!
//! All files are read and held against each other before anything begins: what is wrong with one of them ends the command (exit code 2). From then on every pipeline
//! is by itself. It has threads, instances, status and control socket of its own; shared are the engine, the compiled components and the request to stop. One that fails
//! says so at once, and the others go on. The command ends when all have ended, with the exit code of the one that failed first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use clap::Args;

use super::logging::LogFormat;
use super::progress::{Display, ProgressStyle};
use super::{ConfigFile, Finish, report_of, signals};
use crate::config::{Config, Start};
use crate::control::Listener;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Outcome, Pipeline, Stop};

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    /// The pipeline's configuration file (TOML). Given several times, several pipelines run in one process.
    #[arg(short = 'c', long = "config", value_name = "FILE", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// What is the same for all pipelines.
#[derive(Args, Debug, Clone, Copy)]
struct How {
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
    /// applied a second time. Once there, the option moves nothing any more, and says so. Only with one pipeline.
    #[arg(long)]
    set_position: bool,
}

/// A pipeline that is to be run.
struct Wanted {
    file: ConfigFile,
    config: Config,
}

pub(super) fn run(args: &RunArgs, format: LogFormat) -> Result<Finish> {
    let mut wanted = Vec::new();
    for path in &args.paths {
        let file = ConfigFile { path: path.clone() };
        let config = file.load()?;
        wanted.push(Wanted { file, config });
    }
    apart(&wanted)?;
    if args.how.set_position {
        set_position(&mut wanted)?;
    }
    let engine = Engine::new()?;
    let stop = Stop::new();
    signals::stop_on_signals(&stop)?;
    if let [_] = wanted[..]
        && let Some(only) = wanted.pop()
    {
        return run_one(&engine, only, args.how, &stop, None);
    }
    run_all(&engine, wanted, args.how, &stop, format)
}

/// Each on a thread of its own, until all have ended.
fn run_all(
    engine: &Engine,
    wanted: Vec<Wanted>,
    how: How,
    stop: &Stop,
    format: LogFormat,
) -> Result<Finish> {
    let (ended, ends) = channel();
    let mut running = 0;
    for wanted in wanted {
        let name = wanted.config.name.clone();
        if let Err(error) = start(engine, wanted, how, stop, ended.clone()) {
            let _ = ended.send((name, Err(error)));
        }
        running += 1;
    }
    drop(ended);
    let mut finish = Finish::Done;
    for (name, end) in ends {
        running -= 1;
        match end {
            Ok(Finish::Done) => {}
            Ok(other) => {
                if finish == Finish::Done {
                    finish = other;
                }
            }
            Err(error) => {
                report_of(Some(&name), &error, format);
                if !matches!(finish, Finish::Failed(_)) {
                    finish = Finish::Failed(error.exit_code());
                }
                if running > 0 && !stop.is_requested() {
                    tracing::warn!(pipeline = %name, running, "a pipeline has ended with an error; the others go on");
                }
            }
        }
    }
    Ok(finish)
}

/// Starts a pipeline's thread, which tells how it has ended.
fn start(
    engine: &Engine,
    wanted: Wanted,
    how: How,
    stop: &Stop,
    ended: Sender<(String, Result<Finish>)>,
) -> Result<()> {
    let (engine, stop) = (engine.clone(), stop.clone());
    std::thread::Builder::new()
        .name("datain-pipeline".to_owned())
        .spawn(move || {
            let name = wanted.config.name.clone();
            // The others must not end with one in which the host itself has failed.
            let body = || run_one(&engine, wanted, how, &stop, Some(&name));
            let end = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(panicked()));
            // Whoever waits for it lives longer.
            let _ = ended.send((name, end));
        })
        .map(|_| ())
        .map_err(|e| {
            Error::new(Kind::Retry, "host.resources", "failed to start a thread")
                .detail(e.to_string())
        })
}

/// One pipeline from its components to its end; `label` is its name where there are several.
fn run_one(
    engine: &Engine,
    wanted: Wanted,
    how: How,
    stop: &Stop,
    label: Option<&str>,
) -> Result<Finish> {
    let Wanted { file, config } = wanted;
    // At the highest level, so that every line says whose it is.
    let span = tracing::error_span!("run", pipeline = %config.name);
    let entered = span.enter();
    let pipeline = Pipeline::with_engine(engine, config.clone())?
        .until_caught_up(how.until_caught_up)
        .connect_retry(Duration::from_secs(how.connect_retry_seconds))
        .reload_with(file.reload());
    // Held until the end: orders are taken for as long as the pipeline runs or rests.
    let _control = Listener::open(&config, pipeline.handle())?;
    let display = Display::start(how.progress, pipeline.status(), label);
    // The run has a span of its own.
    drop(entered);
    let outcome = pipeline.run(stop);
    let _entered = span.enter();
    display.finish();
    let status = pipeline.status().get();
    let (finish, word) = match outcome? {
        Outcome::CaughtUp => (Finish::Done, "caught up"),
        Outcome::Stopped => (Finish::Interrupted, "stopped"),
    };
    tracing::info!(
        position = status.durable_position,
        rows = status.totals.rows_applied,
        "{word}"
    );
    Ok(finish)
}

/// Pipelines that would take each other's checkpoint, place among the source's replicas or socket do not run in one process either.
fn apart(wanted: &[Wanted]) -> Result<()> {
    for (at, one) in wanted.iter().enumerate() {
        for other in &wanted[..at] {
            let (a, b) = (&one.config, &other.config);
            let (what, hint) = if a.name == b.name && a.target_address() == b.target_address() {
                (
                    "name and target",
                    "name each pipeline of a target differently",
                )
            } else if a.server_id == b.server_id && a.source.address == b.source.address {
                (
                    "server_id at the same source",
                    "set [source] server_id in one of them, or give it another name",
                )
            } else if a.control_socket.is_some() && a.control_socket == b.control_socket {
                (
                    "[control] socket",
                    "give each a socket of its own, or leave the key out",
                )
            } else {
                continue;
            };
            return Err(Error::config(
                "usage.same-pipeline",
                format!(
                    "{} and {} have the same {what}",
                    other.file.path.display(),
                    one.file.path.display()
                ),
            )
            .hint(hint));
        }
    }
    Ok(())
}

fn set_position(wanted: &mut [Wanted]) -> Result<()> {
    let [only] = wanted else {
        return Err(Error::config(
            "usage.set-position",
            "--set-position goes with one pipeline only",
        )
        .hint("run that one by itself first: once its checkpoint stands there, it can run with the others"));
    };
    if !matches!(
        only.config.start,
        Start::Position { .. } | Start::Gtid { .. }
    ) {
        return Err(Error::config(
            "usage.set-position",
            "--set-position needs a place to go to",
        )
        .hint("put [start] mode = \"position\" with file and position, or mode = \"gtid\" with gtid_set, into the configuration"));
    }
    only.config.set_position = true;
    Ok(())
}

fn panicked() -> Error {
    Error::new(
        Kind::Fatal,
        "host.panic",
        "the host failed while it ran a pipeline",
    )
    .hint("this is an error in datain: please report it, with the log")
}
