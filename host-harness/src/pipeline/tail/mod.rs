//! Changes of a source as lines of JSON, without a target.
//!
//! One instance of the source plugin is polled on the calling thread, and every batch is printed whole before it is acknowledged. So the newest checkpoint that was
//! handed out stands behind the last line of whole transactions, and a new instance resumes there. Only of a transaction that is larger than a batch may lines be
//! printed already: those are counted, and left out when they come again ([`lines`]). So within one process no line is lost or repeated.
//!
//! It never takes part in the pipeline that the configuration is of: it registers with the source under a name and an id of its own, made anew for each [`Tail`],
//! and the pipeline's checkpoint is neither read nor written.
//!
//! [`FileTail`] prints files of a binary log in the same way; there is nothing to go back to then, so every error ends it.

mod files;
mod lines;
mod printing;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Stop;
use super::backoff::Backoff;
use super::supervisor::{CRASHES, SETTLED};
use crate::bindings::{Checkpoint, Resumption, types};
use crate::config::{Config, Start, server_id};
use crate::engine::{Engine, Role};
use crate::error::{Error, Kind, Result};
use crate::plugin::{Plugin, Purpose, SourceInstance, negotiate};
use crate::transport::Waker;
pub use files::{FileTail, Statistics};
use lines::Lines;
use printing::Printing;

/// The longest sleep in the plugin; how soon it is noticed that nobody reads the output any more.
const MAX_WAIT: Duration = Duration::from_millis(250);
/// The same until the source has caught up, where that is waited for.
const MAX_WAIT_BEHIND: Duration = Duration::from_millis(50);

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// At the source's newest position.
    Now,
    /// Where the configuration's `[start]` says; the newest position where that is a first copy.
    Start,
}

/// How it ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything that the source had committed when it was opened is printed.
    CaughtUp,
    /// As many changes as were asked for are printed.
    Limit,
    /// As requested.
    Stopped,
    /// Nobody reads the output any more.
    Closed,
}

/// Where the lines go.
pub trait Output {
    /// Writes whole lines, to the end.
    ///
    /// # Errors
    /// [`io::ErrorKind::BrokenPipe`] when nobody reads any more.
    fn write(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Whether it is known that nobody reads any more.
    fn is_closed(&self) -> bool;
}

/// A source whose changes are printed.
#[derive(Debug)]
pub struct Tail {
    source: Arc<Plugin>,
    pipeline: String,
    until_caught_up: bool,
    limit: Option<u64>,
}

/// What outlives an instance of the plugin.
struct Run<'a> {
    tail: &'a Tail,
    lines: Lines,
    checkpoint: Option<Checkpoint>,
    reached: bool,
}

impl Tail {
    /// Finds and compiles the source plugin. `config` may be without a target ([`Config::load_source`]).
    ///
    /// # Errors
    /// `plugin.*` when it cannot be used, `row-block.version` when it writes rows in a form that is not known here.
    pub fn new(mut config: Config, from: From) -> Result<Self> {
        let pipeline = config.name.clone();
        config.start = match (from, config.start) {
            (From::Now, _) | (From::Start, Start::Snapshot) => Start::Now,
            (From::Start, start) => start,
        };
        (config.name, config.server_id) = own_identity(&pipeline, config.server_id)?;
        let source = Plugin::load(&Engine::new()?, Role::Source, &Arc::new(config))?;
        let source = Arc::new(source);
        negotiate::host_reads(&source, datain_row_block::VERSION)?;
        Ok(Self {
            source,
            pipeline,
            until_caught_up: false,
            limit: None,
        })
    }

    /// Makes [`Self::run`] return once all that the source had committed when it was opened is printed.
    #[must_use]
    pub fn until_caught_up(mut self, yes: bool) -> Self {
        self.until_caught_up = yes;
        self
    }

    /// Makes [`Self::run`] return after so many changes.
    #[must_use]
    pub fn limit(mut self, changes: Option<u64>) -> Self {
        self.limit = changes;
        self
    }

    /// Prints until it is stopped, has printed what was asked for, nobody reads, or an error that a new start does not mend. When the
    /// source was never reached, every error is such a one.
    ///
    /// # Errors
    /// The error that ended it, in full.
    pub fn run(&self, stop: &Stop, output: &mut dyn Output) -> Result<Ended> {
        let mut run = Run {
            tail: self,
            lines: Lines::new(&self.pipeline, self.limit),
            checkpoint: None,
            reached: false,
        };
        let mut backoff = Backoff::new();
        let mut crashes = 0;
        loop {
            let (begun, ordinal) = (Instant::now(), run.ordinal());
            let waker = Arc::new(Waker::new()?);
            let error = {
                let shared = Arc::clone(&waker);
                let _subscription = stop.subscribe(move || shared.interrupt());
                match run.instance(&waker, output) {
                    Ok(ended) => return Ok(ended),
                    Err(error) => error,
                }
            };
            if stop.is_requested() {
                return Ok(Ended::Stopped);
            }
            if error.kind() != Kind::Retry || !run.reached {
                return Err(error);
            }
            if run.ordinal() > ordinal || begun.elapsed() >= SETTLED {
                backoff.reset();
                crashes = 0;
            }
            if error.code().starts_with("plugin.") {
                crashes += 1;
                if crashes >= CRASHES {
                    return Err(error);
                }
            }
            let pause = backoff.pause();
            let report = error.report();
            tracing::warn!(
                code = %report.code,
                server = report.server,
                errno = report.errno,
                sqlstate = report.sqlstate,
                detail = report.detail,
                resume_after = run.checkpoint.as_ref().map(|c| &*c.display),
                retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "{}",
                report.message
            );
            if stop.wait(pause) {
                return Ok(Ended::Stopped);
            }
        }
    }
}

/// Behind this checkpoint, without a target.
fn after(checkpoint: Option<&Checkpoint>) -> Resumption {
    Resumption {
        checkpoint: checkpoint.cloned(),
        set_position: false,
        ahead: None,
    }
}

impl Run<'_> {
    fn ordinal(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |c| c.ordinal)
    }

    /// One instance of the plugin, from opening to end.
    fn instance(&mut self, waker: &Arc<Waker>, output: &mut dyn Output) -> Result<Ended> {
        let mut source = SourceInstance::new(&self.tail.source, Arc::clone(waker))?;
        source.open(&after(self.checkpoint.as_ref()), Purpose::Replicate)?;
        self.reached = true;
        self.lines.new_instance();
        let max_wait = if self.tail.until_caught_up {
            MAX_WAIT_BEHIND
        } else {
            MAX_WAIT
        };
        let look_up = |table: &types::Table| {
            // The reader's own session is busy with the log for ever.
            SourceInstance::new(&self.tail.source, Arc::clone(waker))?
                .column_names(&table.schema, &table.name)
        };
        let mut printing = Printing {
            lines: &mut self.lines,
            checkpoint: &mut self.checkpoint,
            until_caught_up: self.tail.until_caught_up,
            max_wait,
        };
        printing.run(&mut source, waker, output, look_up)
    }
}

/// A stream's name and server id that no pipeline has, nor another tail of the same one.
fn own_identity(pipeline: &str, taken: u32) -> Result<(String, u32)> {
    loop {
        let mut bytes = [0; 4];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).map_err(
            |_| {
                Error::new(
                    Kind::Fatal,
                    "host.resources",
                    "the system gives no random bytes",
                )
            },
        )?;
        let name = format!("{pipeline}-tail-{:08x}", u32::from_ne_bytes(bytes));
        let id = server_id::derive(&name);
        if id != taken {
            return Ok((name, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tails_and_their_pipeline_are_three_replicas() {
        let pipeline = server_id::derive("orders");
        let (a, b) = (
            own_identity("orders", pipeline).unwrap(),
            own_identity("orders", pipeline).unwrap(),
        );
        assert!(a.0.starts_with("orders-tail-"), "{}", a.0);
        assert!(a.1 != pipeline && b.1 != pipeline && a != b);
    }
}
