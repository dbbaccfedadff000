//! `datain stop` and `datain start`.

use clap::Args;

use super::{ConfigFile, Finish, output};
use crate::control::{self, Order};
use crate::error::Result;
use crate::pipeline::Pipeline;

#[derive(Args, Debug)]
pub(super) struct OrderArgs {
    #[command(flatten)]
    config: ConfigFile,
}

/// Returns when nothing of the pipeline is applied any more and the target knows so.
pub(super) fn stop(args: &OrderArgs) -> Result<Finish> {
    let config = args.config.load()?;
    let name = config.name.clone();
    let text = if let Some(host) = control::connect(&config)? {
        let answered = host.give(Order::Stop)?;
        format!(
            "pipeline {name} is stopped at {}; its host (process {}) rests until `datain start`\n",
            answered.status["durable_position"]
                .as_str()
                .unwrap_or("no checkpoint yet"),
            answered.pid
        )
    } else {
        let pipeline = Pipeline::new(config)?;
        pipeline.set_stopped(true)?;
        let at = pipeline.inspect_target()?.checkpoint;
        format!(
            "pipeline {name} is stopped at {}; no host runs it on this machine, and one elsewhere can commit nothing more\n",
            at.map_or_else(|| "no checkpoint yet".to_owned(), |c| c.display)
        )
    };
    output(&text)?;
    Ok(Finish::Done)
}

/// Takes a stop back.
pub(super) fn start(args: &OrderArgs) -> Result<Finish> {
    let config = args.config.load()?;
    let name = config.name.clone();
    let text = if let Some(host) = control::connect(&config)? {
        let answered = host.give(Order::Start)?;
        format!(
            "pipeline {name} goes on in its host (process {})\n",
            answered.pid
        )
    } else {
        Pipeline::new(config)?.set_stopped(false)?;
        format!(
            "pipeline {name} may run; no host runs it on this machine: `datain run -c FILE` does\n"
        )
    };
    output(&text)?;
    Ok(Finish::Done)
}
