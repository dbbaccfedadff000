//! A pipeline: a source plugin, a sink plugin, and what passes between them.
//!
//! ```text
//! source thread ── batches ──▶ queue (bounded in bytes) ──▶ sink thread
//!       ▲                                                      │
//!       └───────────── acknowledged checkpoints ◀──────────────┘
//! ```
//!
//! Order and resumption: the sink is opened first, since the checkpoint lives in its server; the source resumes from that checkpoint.
//! Nothing is kept by the host. A batch counts only once the sink reports a checkpoint that covers it as durable; whatever the queue
//! and the plugins still held when an instance ends is read again by the next one. So every failure has the same cure: throw
//! both instances away and start new ones from the sink's checkpoint (the supervisor).
//!
//! Only batches, acknowledgements and status pass between the two sides ([`channel`]): that seam can later become a network.

mod backoff;
pub mod channel;
mod components;
pub(crate) mod copying;
pub mod cutover;
mod generation;
mod handle;
mod lag;
mod lane;
pub mod preflight;
mod rate;
mod sink_loop;
mod source_loop;
pub mod status;
mod stop;
mod supervisor;
pub mod tail;
pub mod verify;

pub use copying::{CopyStatus, TableStatus};
pub use handle::Handle;
pub use lane::{Pace, Plugins, Reader, Standing, Writer};
pub use status::{Status, StatusHandle};
pub use stop::Stop;
pub use supervisor::Outcome;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::bindings::{
    Checkpoint, KnownCutover, Removal, SinkInspection, SkippedTransaction, SourceInspection,
    Upcoming,
};
use crate::config::Config;
use crate::engine::Engine;
use crate::error::Result;
use components::Components;
use preflight::Findings;
use stop::Hold;
use supervisor::{Settings, Supervisor};

/// Bytes of rows at which a batch is to be closed.
const BATCH_BYTES: u32 = 1 << 20;

/// A pipeline, ready to run: its configuration is checked and its plugins are compiled.
#[derive(Debug)]
pub struct Pipeline {
    plugins: Arc<Components>,
    settings: Settings,
    status: StatusHandle,
    hold: Hold,
    running: Arc<AtomicBool>,
    orders: Arc<Mutex<()>>,
}

impl Pipeline {
    /// Finds and compiles the plugins, on an engine of its own. Connects to nothing.
    ///
    /// # Errors
    /// `plugin.*` for components that are not there or cannot be used.
    pub fn new(config: Config) -> Result<Self> {
        Self::with_engine(&Engine::new()?, config)
    }

    /// The same on an engine that several pipelines share.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_engine(engine: &Engine, config: Config) -> Result<Self> {
        let settings = Settings {
            name: config.name.clone(),
            queue_bytes: (config.limits.queue_mib as usize) << 20,
            until_caught_up: false,
            set_position: config.set_position,
            connect_retry: Duration::ZERO,
        };
        let status = StatusHandle::new(&config.name);
        Ok(Self {
            plugins: Arc::new(Components::load(engine, config)?),
            settings,
            status,
            hold: Hold::default(),
            running: Arc::default(),
            orders: Arc::default(),
        })
    }

    /// Makes [`Self::run`] return once all that the source had committed when it was opened is durable in the target.
    #[must_use]
    pub fn until_caught_up(mut self, yes: bool) -> Self {
        self.settings.until_caught_up = yes;
        self
    }

    /// How long to go on trying while the two servers have never both been reached. The default is not at all: a wrong address
    /// or password is told at once. Later interruptions are retried for ever.
    #[must_use]
    pub fn connect_retry(mut self, time: Duration) -> Self {
        self.settings.connect_retry = time;
        self
    }

    /// Where to read the configuration anew when a person lets the resting pipeline run again. By default it stays as it is.
    #[must_use]
    pub fn reload_with(self, reload: impl Fn() -> Result<Config> + Send + Sync + 'static) -> Self {
        self.plugins.reload_with(Box::new(reload));
        self
    }

    /// What can be asked from other threads while it runs.
    pub fn status(&self) -> StatusHandle {
        self.status.clone()
    }

    /// What orders are given to from other threads while it runs.
    pub fn handle(&self) -> Handle {
        Handle {
            plugins: Arc::clone(&self.plugins),
            status: self.status.clone(),
            hold: self.hold.clone(),
            running: Arc::clone(&self.running),
            orders: Arc::clone(&self.orders),
        }
    }

    /// Replicates until it is stopped, has caught up (if so asked), or meets an error that a new start does not mend.
    ///
    /// # Errors
    /// The error that ended it, in full.
    pub fn run(&self, stop: &Stop) -> Result<Outcome> {
        let plugins: Arc<dyn Plugins> = self.plugins.clone();
        let (settings, status) = (self.settings.clone(), self.status.clone());
        self.running.store(true, Ordering::Release);
        let outcome = Supervisor::new(plugins, settings, status, self.hold.clone()).run(stop);
        self.running.store(false, Ordering::Release);
        outcome
    }

    /// Looks at both servers, requirement by requirement. Changes nothing, also while it runs elsewhere.
    ///
    /// # Errors
    /// Errors of the configuration and of the plugins. A server that cannot be looked at is a finding.
    pub fn check(&self) -> Result<Findings> {
        let loaded = self.plugins.loaded();
        preflight::check(&loaded.source, &loaded.sink, &loaded.config)
    }

    /// Compares the rows of both servers while they are written to; see [`verify`]. Changes rows of the target only with [`verify::Options::repair`].
    ///
    /// # Errors
    /// Why there can be no verdict: `verify.behind` when the target does not get to where the source was looked at, `verify.copy-incomplete`, errors of the
    /// servers, and [`Kind::Interrupted`](crate::error::Kind::Interrupted) after `stop`.
    pub fn verify(
        &self,
        options: &verify::Options,
        stop: &Stop,
        watcher: &dyn verify::Watcher,
    ) -> Result<verify::Report> {
        verify::run(&self.plugins, options, stop, watcher)
    }

    /// Ends the pipeline with the target in the source's place; see [`cutover`]. Goes on with a cutover that was interrupted.
    ///
    /// # Errors
    /// Why it did not succeed; before the target was changed, everything has been taken back then, but after `stop` ([`Kind::Interrupted`](crate::error::Kind::Interrupted)).
    pub fn cutover(
        &self,
        options: &cutover::Options,
        stop: &Stop,
        watcher: &dyn cutover::Watcher,
    ) -> Result<cutover::Ended> {
        cutover::run(self, options, stop, watcher)
    }

    /// Takes a cutover back that was interrupted, as long as nothing was made on the target.
    ///
    /// # Errors
    /// `cutover.beyond-return` with what remains; errors of the servers.
    pub fn abort_cutover(
        &self,
        options: &cutover::Options,
        watcher: &dyn cutover::Watcher,
    ) -> Result<cutover::Aborted> {
        cutover::abort(self, options, watcher)
    }

    /// How far a cutover of this pipeline has come; none where there is none. Changes nothing.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn known_cutover(&self) -> Result<Option<KnownCutover>> {
        self.plugins.sink()?.known_cutover()
    }

    /// The newest comparison ([`Self::verify`]) whose result was kept in the target.
    ///
    /// # Errors
    /// What the sink reports, e.g. `net.refused`.
    pub fn last_verification(&self) -> Result<Option<verify::Kept>> {
        verify::last(&self.plugins)
    }

    /// What the target knows of this pipeline. Changes nothing, also while it runs elsewhere.
    ///
    /// # Errors
    /// What the sink reports, e.g. `net.refused`.
    pub fn inspect_target(&self) -> Result<SinkInspection> {
        self.plugins.sink()?.inspect()
    }

    /// Stops the pipeline, wherever it runs, or lets it run again. After a stop nothing more is applied.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn set_stopped(&self, stopped: bool) -> Result<()> {
        self.plugins.sink()?.set_stopped(stopped)
    }

    /// The transaction of the source that follows `checkpoint`, none when there is no newer one.
    ///
    /// # Errors
    /// What the source reports.
    pub fn next_transaction(&self, checkpoint: &Checkpoint) -> Result<Option<Upcoming>> {
        self.plugins.source()?.next_transaction(checkpoint)
    }

    /// When that transaction was committed, microseconds since 1970 by the source's clock, 0 if unknown; none when there is no newer one.
    ///
    /// # Errors
    /// What the source reports.
    pub fn next_commit(&self, checkpoint: &Checkpoint) -> Result<Option<u64>> {
        self.plugins.source()?.next_commit(checkpoint)
    }

    /// Moves the checkpoint over the transaction between `before` and `after`, and records that in the target.
    ///
    /// # Errors
    /// What the sink reports, e.g. `checkpoint.moved`.
    pub fn skip(
        &self,
        before: &Checkpoint,
        after: &Checkpoint,
        transaction: &SkippedTransaction,
    ) -> Result<()> {
        self.plugins.sink()?.skip(before, after, transaction)
    }

    /// Removes all that the target knows of this pipeline; the replicated data stay.
    ///
    /// # Errors
    /// What the sink reports.
    pub fn remove(&self) -> Result<Removal> {
        self.plugins.sink()?.remove()
    }

    /// Where the source stands, and how far `checkpoint` is behind it. Changes nothing.
    ///
    /// # Errors
    /// What the source reports, e.g. `net.refused`.
    pub fn inspect_source(&self, checkpoint: Option<&Checkpoint>) -> Result<SourceInspection> {
        self.plugins.source()?.inspect(checkpoint)
    }
}
