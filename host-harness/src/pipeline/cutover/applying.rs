//! Whoever applies the changes while a cutover waits for them: the host that runs on this machine, or, where there is none, this command itself.
//!
//! A host on another machine is not seen from here: the command takes the pipeline over from it, which the cutover would end in any case.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use super::{Cutover, interrupted};
use crate::bindings::End;
use crate::config::Config;
use crate::control::{self, Listener};
use crate::error::{Error, Kind, Result};
use crate::pipeline::{Outcome, Pipeline, Stop};

/// How often it is looked whether the target has come to a place.
const LOOK: Duration = Duration::from_millis(50);

/// See the module.
pub(super) enum Applying<'scope> {
    /// This process.
    Host(u32),
    /// The pipeline runs in this command.
    Own(Own<'scope>),
}

/// A run of the pipeline in this command.
pub(super) struct Own<'scope> {
    stop: Stop,
    thread: Option<ScopedJoinHandle<'scope, ()>>,
    ended: Arc<Mutex<Option<Result<Outcome>>>>,
    /// Nobody else on this machine runs it meanwhile, and `datain status` sees it.
    _control: Option<Listener>,
}

impl<'scope> Applying<'scope> {
    pub(super) fn find(
        scope: &'scope Scope<'scope, '_>,
        pipeline: &'scope Pipeline,
        config: &Config,
    ) -> Result<Self> {
        if let Some(host) = control::connect(config)? {
            return Ok(Self::Host(host.status()?.pid));
        }
        let control = Listener::open(config, pipeline.handle())?;
        let stop = Stop::new();
        let ended = Arc::new(Mutex::new(None));
        let (requested, told) = (stop.clone(), Arc::clone(&ended));
        let thread = std::thread::Builder::new()
            .name("datain-cutover".to_owned())
            .spawn_scoped(scope, move || {
                let outcome = pipeline.run(&requested);
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
            })
            .map_err(|e| {
                Error::new(Kind::Fatal, "host.resources", "failed to start a thread")
                    .detail(e.to_string())
            })?;
        Ok(Self::Own(Own {
            stop,
            thread: Some(thread),
            ended,
            _control: control,
        }))
    }

    /// Whether changes are still applied.
    fn look(&self) -> Result<()> {
        let Self::Own(own) = self else {
            return Ok(());
        };
        let ended = own
            .ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match ended {
            None => Ok(()),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => Err(Error::new(
                Kind::Retry,
                "cutover.behind",
                "the pipeline was stopped while the cutover waited for it",
            )
            .hint("datain start -c FILE, then datain cutover -c FILE again")),
        }
    }

    /// Ends what this command runs; a host goes on until the target stops it.
    pub(super) fn end(&mut self) {
        if let Self::Own(own) = self {
            own.stop.request();
            if let Some(thread) = own.thread.take() {
                // It has told its outcome; a panic was told by its hook.
                let _ = thread.join();
            }
        }
    }
}

impl Drop for Applying<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

impl Cutover<'_> {
    /// Waits until the target's checkpoint covers everything before `end`, and says how long that took.
    pub(super) fn wait_for(
        &self,
        applying: &Applying<'_>,
        end: &End,
        limit: Duration,
    ) -> Result<Duration> {
        let begun = Instant::now();
        let mut sink = self.sink()?;
        let mut source = self.source()?;
        loop {
            if let Some(checkpoint) = sink.inspect()?.checkpoint
                && source.has_passed(&checkpoint, end)?
            {
                return Ok(begun.elapsed());
            }
            applying.look()?;
            if begun.elapsed() > limit {
                return Err(Error::new(
                    Kind::Retry,
                    "cutover.behind",
                    format!(
                        "the target has not come to {} within {} s",
                        end.display,
                        limit.as_secs()
                    ),
                )
                .hint("datain status -c FILE says how far it is and what holds it up; --catch-up-within gives it more time"));
            }
            if self.stop.wait(LOOK) {
                return Err(interrupted());
            }
        }
    }
}
