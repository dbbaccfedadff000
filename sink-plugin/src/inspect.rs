//! Looking at the target without taking the pipeline over.

use datain_apply::checkpoint;
use datain_contract::types::Error;
use datain_plugin_runtime::session;

use crate::bindings::exports::datain::replication::sink::Inspection;
use crate::config::Config;

/// Reads the checkpoint.
pub async fn inspect(config: Config) -> Result<Inspection, Error> {
    let mut target = session::connect(&config.endpoint, |_| {}).await?;
    let stored = checkpoint::read(&mut target, &config.stream).await?;
    Ok(Inspection {
        server_version: target.server_version().to_string(),
        epoch: stored.as_ref().map_or(0, |s| s.epoch),
        written_at_micros: stored
            .as_ref()
            .filter(|s| s.checkpoint.is_some())
            .map_or(0, |s| s.written_at_micros),
        checkpoint: stored.and_then(|s| s.checkpoint),
    })
}
