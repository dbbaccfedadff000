//! One generation of a pipeline: the two sides, and what connects them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::StatusHandle;
use super::channel::Queue;
use crate::bindings::{Batch, Checkpoint, Progress, SinkStatus, SourceStatus};
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

    /// A new source that streams after `resume`.
    ///
    /// # Errors
    /// Why it could not be opened.
    fn open_source(
        &self,
        waker: &Arc<Waker>,
        resume: Option<&Checkpoint>,
    ) -> Result<Box<dyn Reader>>;

    /// A new sink, and the checkpoint that it holds.
    ///
    /// # Errors
    /// Why it could not be opened.
    fn open_sink(&self, waker: &Arc<Waker>) -> Result<(Box<dyn Writer>, Option<Checkpoint>)>;
}

/// What the threads of a generation tell the supervisor.
#[derive(Debug)]
pub(super) enum Event {
    SinkOpened(Option<Checkpoint>),
    SourceOpened,
    CaughtUp,
    Ended(Role, Result<()>),
    StopRequested,
}

/// What the two threads of one generation share.
pub(super) struct Lane {
    pub queue: Queue,
    pub acks: Acks,
    pub source_waker: Arc<Waker>,
    pub sink_waker: Arc<Waker>,
    pub status: StatusHandle,
    pub events: Sender<Event>,
    drain: AtomicBool,
}

impl Lane {
    pub(super) fn new(
        queue_bytes: usize,
        status: StatusHandle,
        events: Sender<Event>,
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
            drain: AtomicBool::new(false),
        })
    }

    pub(super) fn waker(&self, role: Role) -> &Arc<Waker> {
        match role {
            Role::Source => &self.source_waker,
            Role::Sink => &self.sink_waker,
        }
    }

    /// The sink is to commit what it has accepted, and end.
    pub(super) fn begin_drain(&self) {
        self.drain.store(true, Ordering::Release);
        self.sink_waker.attention();
    }

    pub(super) fn draining(&self) -> bool {
        self.drain.load(Ordering::Acquire)
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
