//! A person's orders to a running pipeline.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::components::Components;
use super::lane::Plugins as _;
use super::stop::Hold;
use super::{Status, StatusHandle};
use crate::config::{Throttle, ThrottleChange};
use crate::error::Result;

/// How often a stop looks whether the pipeline has come to rest.
const LOOK: Duration = Duration::from_millis(20);

/// How long a change of limits waits for the source to hear of it; one that just waits for its server hears of it later.
const HEARD: Duration = Duration::from_secs(3);

/// Access to a running pipeline from any thread. Clones are the same.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) plugins: Arc<Components>,
    pub(super) status: StatusHandle,
    pub(super) hold: Hold,
    /// Whether the pipeline's `run` is under way.
    pub(super) running: Arc<AtomicBool>,
    /// One order at a time: a start that came into the middle of a stop would leave the stop waiting for a rest that is over.
    pub(super) orders: Arc<Mutex<()>>,
}

impl Handle {
    /// What the pipeline is doing.
    pub fn status(&self) -> Status {
        self.status.get()
    }

    /// Commits what was accepted, comes to rest, and records in the target that the pipeline is stopped, so that it stays so over a restart.
    /// Returns when all that is done.
    ///
    /// # Errors
    /// Why it could not be recorded; the pipeline rests all the same, as long as this host lives.
    pub fn stop(&self) -> Result<()> {
        let _one = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        self.hold.set();
        // The supervisor waits for as long as a statement is under way on the target.
        while self.running.load(Ordering::Acquire) && self.status.get().state != "stopped" {
            // The target's word may have ended an older rest just now.
            self.hold.set();
            std::thread::sleep(LOOK);
        }
        self.plugins
            .sink()?
            .set_stopped(true)
            .map_err(|mut error| {
                let report = error.report_mut();
                report.message = format!(
                    "replication has stopped, but that could not be recorded in the target: {}",
                    report.message
                );
                error
            })?;
        self.hold.note_recorded();
        Ok(())
    }

    /// Other limits for the first copy, until the host ends. Returns all of them, when a copy that is under way knows them.
    pub fn throttle(&self, change: ThrottleChange) -> Throttle {
        let limits = self.plugins.change_throttle(change);
        let told = Instant::now();
        let unheard = || {
            let copy = self.status.get().copy;
            copy.is_some_and(|copy| !copy.complete && copy.throttle != limits)
        };
        while self.running.load(Ordering::Acquire) && unheard() && told.elapsed() < HEARD {
            std::thread::sleep(LOOK);
        }
        limits
    }

    /// Takes a stop back. A pipeline that rests goes on with the configuration as it is now.
    ///
    /// # Errors
    /// Why the configuration cannot be used, or the target could not be told; then the pipeline stays as it was.
    pub fn start(&self) -> Result<()> {
        let _one = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if self.hold.is_set() {
            self.plugins.refresh()?;
        }
        self.plugins.sink()?.set_stopped(false)?;
        self.hold.release();
        Ok(())
    }
}
