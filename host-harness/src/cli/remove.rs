//! `datain remove`: all that the target knows of a pipeline.

use clap::Args;

use super::confirm::confirm;
use super::{ConfigFile, Finish, output};
use crate::control;
use crate::error::{Error, Kind, Result};
use crate::pipeline::Pipeline;

#[derive(Args, Debug)]
pub(super) struct RemoveArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) fn remove(args: &RemoveArgs) -> Result<Finish> {
    let config = args.config.load()?;
    let (name, address) = (config.name.clone(), config.target_address());
    if let Some(host) = control::connect(&config)? {
        let host = host.status()?;
        return Err(Error::new(
            Kind::Reconfigure,
            "host.running",
            format!("a host has the pipeline {name:?} (process {})", host.pid),
        )
        .hint("end that process first: it would begin the pipeline anew"));
    }
    let pipeline = Pipeline::new(config)?;
    let target = pipeline.inspect_target()?;
    let known = target.checkpoint.is_some() || target.epoch > 0;
    if !known && target.held_back == 0 && target.skipped == 0 {
        output(&format!("the target {address} knows no pipeline {name}\n"))?;
        return Ok(Finish::Done);
    }
    let checkpoint = target
        .checkpoint
        .map_or_else(|| "none".to_owned(), |c| c.display);
    output(&format!(
        "Of pipeline {name}, the target {address} holds:\n  checkpoint  {checkpoint}\n  held back   {} definitions of triggers and events, for the cutover\n  \
         skipped     {} records\nWithout the checkpoint, replication can go on only from a place that you name in [start]. The replicated data stay.\n",
        target.held_back, target.skipped
    ))?;
    confirm("Remove all of this?", args.yes)?;
    let removed = pipeline.remove()?;
    let schema = if removed.dropped_schema {
        "; it was the last pipeline, so the schema `datain` is gone, too"
    } else {
        ""
    };
    // It is done, whether anybody reads so or not.
    let _ = output(&format!("removed pipeline {name}{schema}\n"));
    Ok(Finish::Done)
}
