//! What is asked of the target beside applying: looking at a pipeline, and a person's orders. Each call has a session of its own.

use datain_apply::checkpoint::{self, orders};
use datain_apply::examine::kept;
use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Disposition, Error};
use datain_plugin_runtime::session;

use crate::bindings::exports::datain::replication::sink::{
    Inspection, KeptVerification, NotedError, Removal, SkippedTransaction,
};
use crate::config::Config;

/// Reads what the target knows, without taking the pipeline over.
pub async fn inspect(config: Config) -> Result<Inspection, Error> {
    let mut target = session::connect(&config.endpoint, |_| {}).await?;
    let stored = checkpoint::read(&mut target, &config.stream).await?;
    let (held_back, skipped) = orders::kept(&mut target, &config.stream).await?;
    let server_version = target.server_version().to_string();
    let Some(stored) = stored else {
        return Ok(Inspection {
            checkpoint: None,
            written_at_micros: 0,
            epoch: 0,
            server_version,
            committed_at_micros: 0,
            stopped_at_micros: None,
            held_back,
            skipped,
            last_error: None,
        });
    };
    Ok(Inspection {
        written_at_micros: match stored.checkpoint {
            Some(_) => stored.written_at_micros,
            None => 0,
        },
        checkpoint: stored.checkpoint,
        epoch: stored.epoch,
        server_version,
        committed_at_micros: stored.committed_at_micros,
        stopped_at_micros: stored.stopped_at_micros,
        held_back,
        skipped,
        last_error: stored
            .last_error
            .map(|(at_micros, report)| NotedError { at_micros, report }),
    })
}

/// Keeps an error for those who ask later.
pub async fn note_error(config: Config, report: String) -> Result<(), Error> {
    let mut target = session::connect(&config.endpoint, |_| {}).await?;
    orders::note_error(&mut target, &config.stream, &report).await
}

/// The newest comparison that was kept.
pub async fn last_verification(config: Config) -> Result<Option<KeptVerification>, Error> {
    let mut target = session::connect(&config.endpoint, |_| {}).await?;
    let kept = kept::last(&mut target, &config.stream).await?;
    Ok(kept.map(|kept| KeptVerification {
        at_micros: kept.at_micros,
        report: kept.report,
    }))
}

/// Stops the pipeline, or lets it run again.
pub async fn set_stopped(config: Config, stopped: bool) -> Result<(), Error> {
    let mut target = session::connect(&config.endpoint, |_| {}).await?;
    orders::set_stopped(&mut target, &config.stream, stopped).await
}

/// Moves the checkpoint over a transaction.
pub async fn skip(
    config: Config,
    before: Checkpoint,
    after: Checkpoint,
    transaction: SkippedTransaction,
) -> Result<(), Error> {
    let skipped = orders::Skipped {
        identity: transaction.identity,
        description: transaction.description,
        reason: transaction.reason,
    };
    let mut target = session::connect(&config.endpoint, |_| {}).await?;
    let result = orders::skip(&mut target, &config.stream, &before, &after, &skipped).await;
    let Err(error) = result else {
        return Ok(());
    };
    if error.disposition != Disposition::Retry {
        return Err(error);
    }
    // The connection may have been lost after the commit left: to skip again would leave out the next transaction.
    drop(target);
    let mut target = session::connect(&config.endpoint, |_| {})
        .await
        .map_err(|_| in_doubt(error.clone()))?;
    match orders::was_skipped(&mut target, &config.stream, &after, &skipped).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(error),
        Err(_) => Err(in_doubt(error)),
    }
}

fn in_doubt(error: Error) -> Error {
    Error::retry(
        "skip.in-doubt",
        "the connection was lost while the skip was committed, and the target cannot be asked whether it was",
    )
    .detail(error.message)
    .hint("when the target is back, datain skip -c FILE shows the next transaction: if it is another one, the skip was done")
}

/// Removes all that the target knows of the pipeline.
pub async fn remove(config: Config) -> Result<Removal, Error> {
    let mut target = session::connect(&config.endpoint, |_| {}).await?;
    let removal = orders::remove(&mut target, &config.stream).await?;
    Ok(Removal {
        known: removal.known,
        held_back: removal.held_back,
        skipped: removal.skipped,
        dropped_schema: removal.dropped_schema,
    })
}
