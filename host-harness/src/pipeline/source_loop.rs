//! The source's thread: poll, queue, acknowledge.

use std::time::{Duration, Instant};

use super::BATCH_BYTES;
use super::lane::{Event, Lane, Plugins, Reader};
use crate::bindings::{Batch, Checkpoint, Resumption};
use crate::error::Result;
use crate::plugin::interrupted;

/// The longest sleep in the plugin. An acknowledgement ends it early.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// The same until the source has caught up: it may learn that it has from the server alone, without an acknowledgement.
const MAX_WAIT_BEHIND: Duration = Duration::from_millis(50);
/// How long to wait for space in the queue before looking at acknowledgements and the stop flag again.
const PUSH_WAIT: Duration = Duration::from_millis(100);
const STATUS_EVERY: Duration = Duration::from_millis(100);

pub(super) fn run(plugins: &dyn Plugins, lane: &Lane, from: &Resumption) -> Result<()> {
    let mut reader = plugins.open_source(&lane.source_waker, from, lane.pace)?;
    lane.tell(Event::SourceOpened);
    let mut begins = from.checkpoint.is_none();
    let mut side = Side {
        reader: &mut *reader,
        lane,
        status_at: None,
        told_caught_up: false,
    };
    loop {
        side.between_calls()?;
        let max_wait = if side.told_caught_up {
            MAX_WAIT
        } else {
            MAX_WAIT_BEHIND
        };
        match side.reader.poll(BATCH_BYTES, max_wait)? {
            None => {
                // Whether that means that there is nothing, the plugin knows as of now.
                lane.status.source(side.reader.status()?);
                lane.status.read(None);
            }
            Some(batch) => {
                if begins && let Some(place) = first_checkpoint(&batch) {
                    lane.tell(Event::Began(place));
                    begins = false;
                }
                if let Some(newest) = batch.transactions.last() {
                    lane.status.read(Some(newest.ordinal));
                }
                let mut batch = batch;
                while let Err(refused) = lane.queue.push(batch, PUSH_WAIT) {
                    // A source that is not asked does not read: that is the backpressure.
                    batch = refused;
                    side.between_calls()?;
                }
                #[cfg(debug_assertions)]
                crate::failpoint::pass("queued");
            }
        }
    }
}

fn first_checkpoint(batch: &Batch) -> Option<Checkpoint> {
    let mut places = batch.transactions.iter().map(|t| &t.checkpoint);
    places.find_map(Clone::clone)
}

struct Side<'a> {
    reader: &'a mut dyn Reader,
    lane: &'a Lane,
    status_at: Option<Instant>,
    told_caught_up: bool,
}

impl Side<'_> {
    /// Everything that happens while the plugin is not running: the stop flag, acknowledgements, orders, status.
    fn between_calls(&mut self) -> Result<()> {
        // Forgotten first and looked for afterwards: what comes in between ends the next sleep at once.
        self.lane.source_waker.take_attention();
        if self.lane.source_waker.is_interrupted() {
            return Err(interrupted());
        }
        if let Some(checkpoint) = self.lane.acks.take() {
            #[cfg(debug_assertions)]
            crate::failpoint::pass("acknowledging");
            self.reader.ack(&checkpoint)?;
            #[cfg(debug_assertions)]
            crate::failpoint::pass("acknowledged");
        }
        self.reader.follow_orders()?;
        let due = self.status_at.is_none_or(|at| at.elapsed() >= STATUS_EVERY);
        if due || !self.told_caught_up {
            let status = self.reader.status()?;
            let caught_up = status.caught_up;
            self.lane.status.source(status);
            self.status_at = Some(Instant::now());
            if caught_up && !self.told_caught_up {
                self.told_caught_up = true;
                self.lane.tell(Event::CaughtUp);
            }
        }
        Ok(())
    }
}
