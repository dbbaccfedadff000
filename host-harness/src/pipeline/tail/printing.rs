//! One instance of the source, polled until it has nothing more, with every batch printed before it is acknowledged.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::lines::Lines;
use super::{Ended, Output};
use crate::bindings::{Checkpoint, types};
use crate::error::{Error, Kind, Result};
use crate::pipeline::BATCH_BYTES;
use crate::pipeline::lane::Reader as _;
use crate::plugin::{SourceInstance, interrupted};
use crate::transport::Waker;

/// What outlives the instance, and how it is polled.
pub(super) struct Printing<'a> {
    pub(super) lines: &'a mut Lines,
    pub(super) checkpoint: &'a mut Option<Checkpoint>,
    pub(super) until_caught_up: bool,
    /// The longest sleep in the plugin.
    pub(super) max_wait: Duration,
}

impl Printing<'_> {
    /// Polls and prints. `look_up` is asked for the names of the columns of a table whose record has none.
    pub(super) fn run(
        &mut self,
        source: &mut SourceInstance,
        waker: &Arc<Waker>,
        output: &mut dyn Output,
        mut look_up: impl FnMut(&types::Table) -> Result<Vec<String>>,
    ) -> Result<Ended> {
        loop {
            waker.take_attention();
            if waker.is_interrupted() {
                return Err(interrupted());
            }
            if output.is_closed() {
                return Ok(Ended::Closed);
            }
            if let Some(batch) = source.poll(BATCH_BYTES, self.max_wait)? {
                for table in &batch.tables {
                    self.lines.note(table, &mut look_up)?;
                }
                let (text, read) = self.lines.of(&batch);
                match output.write(text) {
                    Ok(()) => {}
                    Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(Ended::Closed),
                    Err(_) if waker.is_interrupted() => return Err(interrupted()),
                    Err(e) => return Err(not_written(&e)),
                }
                // What stands before an error is printed all the same.
                read?;
                if self.lines.is_at_limit() {
                    return Ok(Ended::Limit);
                }
                let newest = batch.transactions.into_iter().rev();
                if let Some(checkpoint) = newest.filter_map(|t| t.checkpoint).next() {
                    if self.checkpoint.is_none() {
                        tracing::info!(position = %checkpoint.display, "printing what comes after this position");
                    }
                    source.ack(&checkpoint)?;
                    *self.checkpoint = Some(checkpoint);
                }
            }
            if self.until_caught_up && source.status()?.caught_up {
                return Ok(Ended::CaughtUp);
            }
        }
    }
}

fn not_written(error: &io::Error) -> Error {
    Error::new(
        Kind::Fatal,
        "host.output",
        "failed to write to standard output",
    )
    .detail(error.to_string())
}
