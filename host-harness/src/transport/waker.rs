//! How the host reaches a plugin that sleeps in `wait`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};

use crate::error::{Error, Kind, Result};

/// One per plugin instance: an eventfd that `wait` polls with the sockets, and the reasons for a wake-up.
///
/// The flags are set before the eventfd is written and read after it was drained, so that no wake-up is lost.
#[derive(Debug)]
pub struct Waker {
    fd: OwnedFd,
    attention: AtomicBool,
    /// Since when.
    interrupted: OnceLock<Instant>,
    killed: AtomicBool,
}

impl Waker {
    /// A waker for a new instance.
    ///
    /// # Errors
    /// `host.resources` when the process has no file descriptor left.
    pub fn new() -> Result<Self> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(|e| {
            Error::new(Kind::Retry, "host.resources", "failed to make an eventfd")
                .detail(e.to_string())
        })?;
        Ok(Self {
            fd,
            attention: AtomicBool::new(false),
            interrupted: OnceLock::new(),
            killed: AtomicBool::new(false),
        })
    }

    /// The host has something for the plugin: `wait` returns an empty list.
    pub fn attention(&self) {
        self.attention.store(true, Ordering::Release);
        self.nudge();
    }

    /// The instance is to end: `wait` answers `interrupted` from now on.
    pub fn interrupt(&self) {
        // The first time counts.
        let _ = self.interrupted.set(Instant::now());
        self.nudge();
    }

    /// The instance is to end even if it never calls `wait`: the next epoch check traps.
    pub fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.interrupt();
    }

    /// Whether [`Self::interrupt`] was called.
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.get().is_some()
    }

    /// How long ago that was.
    pub fn interrupted_for(&self) -> Option<Duration> {
        self.interrupted.get().map(Instant::elapsed)
    }

    /// Whether [`Self::kill`] was called.
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// Forgets an [`Self::attention`] given before now, and says whether there was one. The caller looks at its inbox afterwards.
    pub fn take_attention(&self) -> bool {
        let mut count = [0; 8];
        // EAGAIN when nothing was written: there is nothing to forget then.
        let _ = rustix::io::read(&self.fd, &mut count);
        self.attention.swap(false, Ordering::AcqRel)
    }

    /// Ends the poll in `wait` without telling the plugin: a helper thread has finished.
    pub(super) fn nudge(&self) {
        // EAGAIN when the counter is full: it is readable then, which is all that is wanted.
        let _ = rustix::io::write(&self.fd, &1u64.to_ne_bytes());
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
