//! `datain stop` and `datain start`.

use clap::Args;

use super::{ConfigFile, Finish, output};
use crate::config::Config;
use crate::control::{self, Answered, Running};
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
    let text = if let Some(answered) = ordered(&config, |host| host.stop(&tell_waiting))? {
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
            "pipeline {name} is stopped at {}; no host was told on this machine, and none anywhere can commit anything more\n",
            at.map_or_else(|| "no checkpoint yet".to_owned(), |c| c.display)
        )
    };
    // It is done, whether anybody reads so or not.
    let _ = output(&text);
    Ok(Finish::Done)
}

/// Takes a stop back.
pub(super) fn start(args: &OrderArgs) -> Result<Finish> {
    let config = args.config.load()?;
    let name = config.name.clone();
    let text = if let Some(answered) = ordered(&config, Running::start)? {
        format!(
            "pipeline {name} goes on in its host (process {})\n",
            answered.pid
        )
    } else {
        Pipeline::new(config)?.set_stopped(false)?;
        format!(
            "pipeline {name} may run; no host was told on this machine: one that rests goes on within seconds, else `datain run -c FILE`\n"
        )
    };
    // It is done, whether anybody reads so or not.
    let _ = output(&text);
    Ok(Finish::Done)
}

fn tell_waiting() {
    // Commands log warnings only, unless they are told otherwise.
    tracing::warn!(
        "the host waits until a statement that is under way on the target has ended; interrupting this command does not take the stop back"
    );
}

/// Gives the order to the host on this machine; none where there is none, or none that can be spoken to: then the target keeps the order.
fn ordered(
    config: &Config,
    give: impl FnOnce(Running) -> Result<Answered>,
) -> Result<Option<Answered>> {
    match control::connect(config).and_then(|host| host.map(give).transpose()) {
        Err(error) if error.code() == "control.failed" => {
            tracing::warn!(%error, "the order goes to the target alone");
            Ok(None)
        }
        given => given,
    }
}
