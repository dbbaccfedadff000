//! The sink's thread: take a batch when the plugin accepts one, let it work, pass on what became durable.

use std::time::{Duration, Instant};

use super::lane::{Drain, Event, Lane, Pace, Plugins, Writer};
use crate::bindings::Progress;
use crate::error::Result;
use crate::plugin::interrupted;

/// The longest sleep in the plugin. A batch that comes into the empty queue ends it early.
const MAX_WAIT: Duration = Duration::from_secs(1);
const STATUS_EVERY: Duration = Duration::from_millis(100);
/// How long a stop waits for what was accepted to be committed. What is not is read again by the next run.
pub(super) const DRAIN: Duration = Duration::from_secs(10);

pub(super) fn run(plugins: &dyn Plugins, lane: &Lane) -> Result<()> {
    let (mut writer, resumption) = plugins.open_sink(&lane.sink_waker, lane.pace, lane.known)?;
    lane.status.resumed(resumption.checkpoint.as_ref());
    lane.tell(Event::SinkOpened(resumption));
    let mut status_at: Option<Instant> = None;
    let (mut accepts, mut pending) = (true, false);
    loop {
        // Forgotten first and looked for afterwards: what comes in between ends the next sleep at once.
        lane.sink_waker.take_attention();
        if lane.sink_waker.is_interrupted() {
            return Err(interrupted());
        }
        match lane.drain() {
            Drain::No => {}
            Drain::Queue if !lane.queue.is_empty() => {}
            Drain::Patient if pending => return drain(&mut *writer, lane, None),
            Drain::Accepted | Drain::Queue if pending => {
                return drain(&mut *writer, lane, Some(DRAIN));
            }
            Drain::Accepted | Drain::Queue | Drain::Patient => return Ok(()),
        }
        if accepts && let Some(batch) = lane.queue.try_pop() {
            writer.apply(&batch)?;
            #[cfg(debug_assertions)]
            crate::failpoint::pass("accepted");
        }
        // While it may take more and more is there, it must not sleep.
        let wait = if accepts && !lane.queue.is_empty() {
            Duration::ZERO
        } else {
            MAX_WAIT
        };
        let progress = match writer.advance(wait) {
            Ok(progress) => progress,
            Err(error) => {
                // What it had made durable until then counts, whether it was told or not.
                if let Ok(last) = writer.status() {
                    lane.status.sink(last);
                }
                return Err(error);
            }
        };
        (accepts, pending) = (progress.accepts, progress.pending);
        let became_durable = pass_on(lane, progress);
        if became_durable || status_at.is_none_or(|at| at.elapsed() >= STATUS_EVERY) {
            lane.status.sink(writer.status()?);
            status_at = Some(Instant::now());
        }
    }
}

/// Commits what was accepted, within `time` if that is bounded.
fn drain(writer: &mut dyn Writer, lane: &Lane, time: Option<Duration>) -> Result<()> {
    let begun = Instant::now();
    loop {
        let left = time.map_or(MAX_WAIT, |time| time.saturating_sub(begun.elapsed()));
        let progress = writer.flush(left.min(MAX_WAIT))?;
        let pending = progress.pending;
        pass_on(lane, progress);
        if !pending || left.is_zero() || lane.sink_waker.is_interrupted() {
            lane.status.sink(writer.status()?);
            if pending {
                tracing::info!(
                    "not everything that was read could be committed in time; the next run reads it again"
                );
            }
            return Ok(());
        }
    }
}

fn pass_on(lane: &Lane, progress: Progress) -> bool {
    let Some(checkpoint) = progress.durable else {
        return false;
    };
    #[cfg(debug_assertions)]
    crate::failpoint::pass("durable");
    lane.status.durable(&checkpoint);
    if let Pace::OneByOne { until } = lane.pace
        && checkpoint.ordinal >= until
    {
        lane.tell(Event::WentThrough);
    }
    lane.acks.put(checkpoint);
    true
}
