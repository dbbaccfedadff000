//! One generation of a pipeline: the two sides, and what connects them.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::StatusHandle;
use super::channel::Queue;
use crate::bindings::{Batch, Checkpoint, Progress, Resumption, SinkStatus, SourceStatus};
use crate::engine::Role;
use crate::error::Result;
use crate::transport::Waker;

/// An open source, as the pipeline sees it. The contract of each call is in wit/source.wit.
pub trait Reader {
    /// The next batch, or none.
    ///
    /// # Errors
    /// What ended the instance.
    fn poll(&mut self, max_bytes: u32, max_wait: Duration) -> Result<Option<Batch>>;

    /// Everything up to `checkpoint` is durable.
    ///
    /// # Errors
    /// What ended the instance.
    fn ack(&mut self, checkpoint: &Checkpoint) -> Result<()>;

    /// Does what a person has ordered since the last call, where there is anything that it takes orders about.
    ///
    /// # Errors
    /// What ended the instance.
    fn follow_orders(&mut self) -> Result<()> {
        Ok(())
    }

    /// Where it stands.
    ///
    /// # Errors
    /// What ended the instance.
    fn status(&mut self) -> Result<SourceStatus>;
}

/// An open sink, as the pipeline sees it. The contract of each call is in wit/sink.wit.
pub trait Writer {
    /// Accepts a batch, after a progress that said so.
    ///
    /// # Errors
    /// What ended the instance.
    fn apply(&mut self, batch: &Batch) -> Result<()>;

    /// Works for about `max_wait`.
    ///
    /// # Errors
    /// What ended the instance.
    fn advance(&mut self, max_wait: Duration) -> Result<Progress>;

    /// Commits what was accepted.
    ///
    /// # Errors
    /// What ended the instance.
    fn flush(&mut self, max_wait: Duration) -> Result<Progress>;

    /// Where it stands.
    ///
    /// # Errors
    /// What ended the instance.
    fn status(&mut self) -> Result<SinkStatus>;
}

/// Makes instances. They are made and used on the thread that calls this.
pub trait Plugins: Send + Sync {
    /// Looks at both servers before anything is begun. `waker` ends it early.
    ///
    /// # Errors
    /// The first fatal finding; why a server could not be looked at.
    fn preflight(&self, waker: &Arc<Waker>) -> Result<()>;

    /// A new source that streams from where the sink says.
    ///
    /// # Errors
    /// Why it could not be opened.
    fn open_source(
        &self,
        waker: &Arc<Waker>,
        from: &Resumption,
        pace: Pace,
    ) -> Result<Box<dyn Reader>>;

    /// A new sink, and where it says to go on. A pipeline that was `known` to the target and is not there any more is not begun anew.
    ///
    /// # Errors
    /// Why it could not be opened.
    fn open_sink(
        &self,
        waker: &Arc<Waker>,
        pace: Pace,
        known: bool,
    ) -> Result<(Box<dyn Writer>, Resumption)>;

    /// What the target says of a person's orders. `waker` ends the question early.
    ///
    /// # Errors
    /// Why the target could not be asked.
    fn standing(&self, waker: &Arc<Waker>) -> Result<Standing>;

    /// Records a person's stop in the target. `waker` ends it early.
    ///
    /// # Errors
    /// Why the target could not be told.
    fn record_stop(&self, waker: &Arc<Waker>) -> Result<()>;

    /// Takes the configuration anew, where it has changed: instances made from now on follow it.
    ///
    /// # Errors
    /// Why it cannot be used; then everything stays as it was.
    fn refresh(&self) -> Result<()>;

    /// Leaves an error in the target, for those who ask later. `waker` ends it early.
    ///
    /// # Errors
    /// Why the target could not be told.
    fn note_error(&self, report: &str, waker: &Arc<Waker>) -> Result<()>;
}

/// What the target says of a person's orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The pipeline is stopped.
    Stopped,
    /// It may run.
    MayRun,
    /// The target does not know it.
    Gone,
}

/// How transactions are committed in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// In groups.
    Groups,
    /// Each by itself up to this ordinal, since one of them could not be applied in its group: an error then leaves the checkpoint right before
    /// the transaction that it is about.
    OneByOne {
        /// Ordinal of the last transaction that the failed groups can have held.
        until: u64,
    },
}

/// What the threads of a generation tell the supervisor.
#[derive(Debug)]
pub(super) enum Event {
    SinkOpened(Resumption),
    SourceOpened,
    /// A new pipeline: the place where its source has begun.
    Began(Checkpoint),
    CaughtUp,
    /// What was applied one by one has gone through.
    WentThrough,
    Ended(Role, Result<()>),
    StopRequested,
    HoldRequested,
}

/// What the two threads of one generation share.
pub(super) struct Lane {
    pub queue: Queue,
    pub acks: Acks,
    pub source_waker: Arc<Waker>,
    pub sink_waker: Arc<Waker>,
    pub status: StatusHandle,
    pub events: Sender<Event>,
    pub pace: Pace,
    /// Whether the target has known the pipeline in this run.
    pub known: bool,
    drain: AtomicU8,
}

/// What the sink is to do beside applying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drain {
    /// Go on.
    No,
    /// Commit what was accepted, and end.
    Accepted,
    /// Apply and commit what waits in the queue too, and end.
    Queue,
    /// Commit what was accepted, however long a statement on the target takes, and end: a person's stop.
    Patient,
}

impl Lane {
    pub(super) fn new(
        queue_bytes: usize,
        status: StatusHandle,
        events: Sender<Event>,
        pace: Pace,
        known: bool,
    ) -> Result<Self> {
        let source_waker = Arc::new(Waker::new()?);
        let sink_waker = Arc::new(Waker::new()?);
        Ok(Self {
            queue: Queue::new(queue_bytes, Arc::clone(&sink_waker)),
            acks: Acks {
                newest: Mutex::new(None),
                reader: Arc::clone(&source_waker),
            },
            source_waker,
            sink_waker,
            status,
            events,
            pace,
            known,
            drain: AtomicU8::new(Drain::No as u8),
        })
    }

    pub(super) fn waker(&self, role: Role) -> &Arc<Waker> {
        match role {
            // A transform runs on the source's thread.
            Role::Source | Role::Transform => &self.source_waker,
            Role::Sink => &self.sink_waker,
        }
    }

    /// The sink is to end in order.
    pub(super) fn begin_drain(&self, drain: Drain) {
        self.drain.store(drain as u8, Ordering::Release);
        self.sink_waker.attention();
    }

    pub(super) fn drain(&self) -> Drain {
        match self.drain.load(Ordering::Acquire) {
            x if x == Drain::Accepted as u8 => Drain::Accepted,
            x if x == Drain::Queue as u8 => Drain::Queue,
            x if x == Drain::Patient as u8 => Drain::Patient,
            _ => Drain::No,
        }
    }

    /// Tells the supervisor; it may have gone already, and then nobody needs to know.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

/// The newest durable checkpoint on its way back to the source. Checkpoints are cumulative: a newer one replaces an older one.
pub(super) struct Acks {
    newest: Mutex<Option<Checkpoint>>,
    reader: Arc<Waker>,
}

impl Acks {
    pub(super) fn put(&self, checkpoint: Checkpoint) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(checkpoint);
        self.reader.attention();
    }

    pub(super) fn take(&self) -> Option<Checkpoint> {
        self.newest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
