//! The `datain` command.
//!
//! Exit codes: 0 done, 1 findings or differences, 2 usage or configuration, 3 replication error, 130 interrupted. Results go to standard output,
//! log and errors to standard error.

mod check;
mod confirm;
mod copy_bars;
mod copy_text;
mod cutover;
mod lines_out;
mod logging;
mod orders;
mod progress;
mod remove;
mod run;
mod signals;
mod skip;
mod status;
mod tail;
mod tail_files;
mod throttle;
mod time;
mod verify;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use logging::LogFormat;

/// Keeps a MySQL server in step with another one, through the binary log.
#[derive(Parser, Debug)]
#[command(name = "datain", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args, Debug)]
struct Global {
    /// How log lines and errors are written.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    /// What is logged: error, warn, info, debug, trace, or a filter such as "info,datain::plugin=debug".
    #[arg(long, global = true, env = "RUST_LOG")]
    log_level: Option<String>,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Replicates, until it is interrupted or meets an error that needs a person.
    Run(run::RunArgs),
    /// Looks at both servers and says what stands in the way of replication; changes nothing.
    Check(check::CheckArgs),
    /// Shows what the pipeline does and how far the target is; works whether a host runs it or not.
    Status(status::StatusArgs),
    /// Brings replication to rest, and keeps it so over a restart until `start`.
    Stop(orders::OrderArgs),
    /// Lets a stopped pipeline go on.
    Start(orders::OrderArgs),
    /// Sets how much the first copy that a host on this machine makes may ask of the servers, until that host ends; shows all limits.
    Throttle(throttle::ThrottleArgs),
    /// Leaves out the next transaction, after showing it. Refused while a host on this machine runs the pipeline; one elsewhere rereads its checkpoint.
    Skip(skip::SkipArgs),
    /// Removes all that the target knows of the pipeline; the replicated data stay.
    Remove(remove::RemoveArgs),
    /// Ends a migration: the source becomes read-only, the target comes to its end, gets triggers and events, and is ready for clients. Goes on where it was interrupted.
    Cutover(cutover::CutoverArgs),
    /// Compares all replicated rows of both servers, also while they are written to; exit code 0 only if they are equal, 1 if not, 3 if it cannot be told.
    Verify(verify::VerifyArgs),
    /// Prints the source's changes as lines of JSON (Debezium's envelope); needs no target, and disturbs no pipeline. With --file it prints those in files, without a server.
    Tail(tail::TailArgs),
}

#[derive(Args, Debug)]
struct ConfigFile {
    /// The pipeline's configuration file (TOML).
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    path: PathBuf,
}

impl ConfigFile {
    fn load(&self) -> Result<Config> {
        Config::load(&self.path)
    }

    /// Reads it again later.
    fn reload(&self) -> impl Fn() -> Result<Config> + Send + Sync + 'static {
        let path = self.path.clone();
        move || Config::load(&path)
    }
}

/// How results are written.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// How a command ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    Done,
    Interrupted,
    /// Errors were printed already; the first one's exit code.
    Failed(u8),
}

/// Runs the command that the program's arguments name.
pub fn main() -> ExitCode {
    // clap prints usage errors itself, and exits with 2.
    let cli = Cli::parse();
    let default_level = match cli.command {
        Command::Run(_) | Command::Verify(_) => "info",
        _ => "warn",
    };
    let format = cli.global.log_format;
    let finish = logging::start(
        format,
        cli.global.log_level.as_deref().unwrap_or(default_level),
    )
    .and_then(|()| match cli.command {
        Command::Run(args) => run::run(&args, format),
        Command::Check(args) => check::check(&args),
        Command::Status(args) => status::status(&args, format),
        Command::Stop(args) => orders::stop(&args),
        Command::Start(args) => orders::start(&args),
        Command::Throttle(args) => throttle::throttle(&args),
        Command::Skip(args) => skip::skip(&args),
        Command::Remove(args) => remove::remove(&args),
        Command::Cutover(args) => cutover::cutover(&args),
        Command::Verify(args) => verify::verify(&args, format),
        Command::Tail(args) => tail::tail(&args),
    });
    match finish {
        Ok(Finish::Done) => ExitCode::SUCCESS,
        Ok(Finish::Interrupted) => ExitCode::from(130),
        Ok(Finish::Failed(code)) => ExitCode::from(code),
        Err(error) => {
            report(&error, format);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Writes a result to standard output.
fn output(text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(logging::printable(text).as_bytes())
        .map_err(|e| {
            Error::new(Kind::Fatal, "host.output", "failed to write the answer")
                .detail(e.to_string())
        })
}

/// Writes an error in full, once.
fn report(error: &Error, format: LogFormat) {
    report_of(None, error, format);
}

/// The same, with the pipeline's name where there are several.
fn report_of(pipeline: Option<&str>, error: &Error, format: LogFormat) {
    match format {
        LogFormat::Human => {
            let mut text = error.to_text();
            if let Some(name) = pipeline {
                text.extend(["\n  pipeline: ", name]);
            }
            logging::write_stderr(&text);
        }
        LogFormat::Json => {
            let mut line = serde_json::json!({ "error": error.report() });
            if let Some(name) = pipeline {
                line["pipeline"] = name.into();
            }
            logging::write_stderr(&line.to_string());
        }
    }
}
