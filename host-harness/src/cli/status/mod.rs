//! `datain status`: what a pipeline does and how far it is, from its host, if one runs here, and from both servers.

mod report;
mod text;

use clap::Args;

use super::logging::LogFormat;
use super::{ConfigFile, Finish, Format, output, report as print_error};
use crate::control;
use crate::error::Result;
use crate::pipeline::Pipeline;
use report::{Found, Report};

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn status(args: &StatusArgs, log_format: LogFormat) -> Result<Finish> {
    let config = args.config.load()?;
    let addresses = [config.source.address.to_string(), config.target_address()];
    let name = config.name.clone();
    // A host that is just ending is as good as none.
    let host = control::connect(&config)
        .and_then(|host| host.map(control::Running::status).transpose())
        .unwrap_or_else(|error| {
            tracing::debug!(%error, "the host did not answer");
            None
        });
    let pipeline = Pipeline::new(config)?;
    let target = pipeline.inspect_target();
    let checkpoint = target
        .as_ref()
        .ok()
        .and_then(|target| target.checkpoint.clone());
    let source = pipeline.inspect_source(checkpoint.as_ref());
    // A host knows by itself; a look into the log is for the target alone.
    let missing = source.as_ref().is_ok_and(|s| {
        s.transactions_behind
            .or(s.bytes_behind)
            .is_some_and(|n| n > 0)
    });
    let next_commit_micros =
        checkpoint
            .filter(|_| host.is_none() && missing)
            .and_then(|checkpoint| {
                pipeline.next_commit(&checkpoint).unwrap_or_else(|error| {
                    tracing::debug!(%error, "the first missing transaction was not found");
                    None
                })
            });
    let cutover = target.as_ref().ok().and_then(|_| {
        pipeline.known_cutover().unwrap_or_else(|error| {
            tracing::debug!(%error, "the target does not say whether there is a cutover");
            None
        })
    });
    let verified = target.as_ref().ok().and_then(|_| {
        pipeline.last_verification().unwrap_or_else(|error| {
            tracing::debug!(%error, "the target does not say what was compared");
            None
        })
    });
    let shown = host.is_some() || target.is_ok();
    let report = Report::new(Found {
        name: &name,
        addresses,
        host: host.as_ref(),
        target: &target,
        source: &source,
        next_commit_micros,
        cutover: cutover.as_ref(),
        verified,
        now_micros: super::time::now_micros(),
    });
    output(&match args.format {
        Format::Text => text::text(&report),
        Format::Json => format!("{}\n", serde_json::json!(report)),
    })?;
    match target.err() {
        // The report says which server could not be reached: that is an answer, too. Without one, it is not.
        Some(error) if !shown => {
            print_error(&error, log_format);
            Ok(Finish::Failed(error.exit_code()))
        }
        _ => Ok(Finish::Done),
    }
}
