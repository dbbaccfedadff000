//! Waiting until the target has what the source had.
//!
//! A mark is where the source's log ended at some moment. When the target's checkpoint covers it, the target has every change that could be seen on the source before that moment;
//! it may have later ones as well. Where the target knows no such pipeline there is nothing to wait for: both servers are compared as they are.

use std::time::{Duration, Instant};

use super::super::Stop;
use super::workers::Pair;
use crate::error::{Error, Kind, Result};
use crate::plugin::interrupted;

/// How often the checkpoint is looked at: at first, and later.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LAST_LOOK: Duration = Duration::from_millis(200);

/// Who waits, and how long.
#[derive(Clone, Copy)]
pub(super) struct Waiting<'a> {
    pub(super) pair: &'a Pair,
    pub(super) stop: &'a Stop,
    /// How long the checkpoint may stand still.
    pub(super) patience: Duration,
}

impl Waiting<'_> {
    /// Sets a mark and waits for it.
    ///
    /// # Errors
    /// `verify.behind` when the checkpoint stands still before it.
    pub(super) fn catch_up(self) -> Result<()> {
        let mark = self.mark()?;
        self.wait(&mark)
    }

    /// Sets a mark.
    pub(super) fn mark(self) -> Result<Vec<u8>> {
        self.pair.source.get(|source| source.mark())
    }

    /// Waits for a mark.
    ///
    /// # Errors
    /// `verify.behind` when the checkpoint stands still before it.
    pub(super) fn wait(self, mark: &[u8]) -> Result<()> {
        self.wait_until(mark, None).map(|_| ())
    }

    /// Waits for a mark until `end`; says whether it was reached.
    ///
    /// # Errors
    /// As [`Self::wait`], if there is no `end`.
    pub(super) fn wait_until(self, mark: &[u8], end: Option<Instant>) -> Result<bool> {
        let mut pause = FIRST_LOOK;
        let mut newest = None;
        let mut moved = Instant::now();
        loop {
            let Some(checkpoint) = self.pair.sink.get(|sink| sink.checkpoint())? else {
                return Ok(true);
            };
            let (asked, mark) = (checkpoint.clone(), mark.to_vec());
            if self
                .pair
                .source
                .get(move |source| source.covers(&asked, &mark))?
            {
                return Ok(true);
            }
            if newest.as_ref() != Some(&checkpoint.data) {
                newest = Some(checkpoint.data);
                moved = Instant::now();
            }
            match end {
                Some(end) if Instant::now() >= end => return Ok(false),
                None if moved.elapsed() >= self.patience => {
                    return Err(behind(&checkpoint.display, self.patience));
                }
                _ => {}
            }
            if self.stop.wait(pause) {
                return Err(interrupted());
            }
            pause = (pause * 2).min(LAST_LOOK);
        }
    }
}

fn behind(checkpoint: &str, patience: Duration) -> Error {
    Error::new(
        Kind::Retry,
        "verify.behind",
        "rows differ, and the target has not got all of the source's changes: whether it will be equal cannot be told",
    )
    .detail(format!(
        "its checkpoint has not moved for {} s",
        patience.as_secs()
    ))
    .at(checkpoint)
    .hint("run the pipeline (datain run -c FILE, datain start -c FILE if it is stopped), and compare again")
}
