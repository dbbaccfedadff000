//! The connections of one plugin instance, and the sleep on them.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Connection, Endpoint, Failure, Waker};

/// The pause after a poll that the system refused.
const FAILED_POLL: Duration = Duration::from_millis(20);

/// What a plugin waits for on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest {
    /// A read would give data, the end, or an error.
    pub readable: bool,
    /// A write would take data: also when a connect or a TLS handshake has succeeded.
    pub writable: bool,
}

/// Why a wait ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Woken {
    /// Positions, in the list that was waited on, of the connections that are ready or have failed.
    Ready(Vec<u32>),
    /// The time is over.
    TimedOut,
    /// The host has something for the plugin.
    Attention,
    /// The instance is to end.
    Interrupted,
}

/// All connections of one plugin instance, which may lead to its own endpoint only.
#[derive(Debug)]
pub struct Connections {
    endpoint: Arc<Endpoint>,
    waker: Arc<Waker>,
    slots: Vec<Option<Connection>>,
    /// As many clones as there are look-ups under way: one goes on when its connection is closed.
    lookups: Arc<()>,
    open: usize,
    limit: usize,
}

impl Connections {
    /// None yet; at most `limit` at once.
    pub fn new(endpoint: Arc<Endpoint>, waker: Arc<Waker>, limit: usize) -> Self {
        Self {
            endpoint,
            waker,
            slots: Vec::new(),
            lookups: Arc::new(()),
            open: 0,
            limit,
        }
    }

    /// How many may be open at once.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// The waker that ends [`Self::wait`].
    pub fn waker(&self) -> &Arc<Waker> {
        &self.waker
    }

    /// Begins a connection to the endpoint called `name`; the answer is its handle.
    ///
    /// # Errors
    /// `net.endpoint-unknown` for a name that is not this plugin's; `net.limit`.
    pub fn connect(&mut self, name: &str) -> Result<u32, Failure> {
        let Some(file) = self.endpoint.is_called(name) else {
            let message = format!(
                "this plugin may connect to the endpoint {:?} only, not to {name:?}",
                self.endpoint.name
            );
            return Err(Failure::new("net.endpoint-unknown", message)
                .hint("datain's own plugins never do that: is the component one that you trust?"));
        };
        if self.open >= self.limit {
            return Err(Failure::new(
                "net.limit",
                format!("the plugin already has {} open connections", self.limit),
            )
            .hint("limits.connections in the configuration sets the limit"));
        }
        if Arc::strong_count(&self.lookups) > self.limit {
            return Err(Failure::new(
                "net.limit",
                format!(
                    "{} name look-ups of the plugin are under way already",
                    self.limit
                ),
            )
            .hint(
                "is the name server slow? limits.connections in the configuration sets the limit",
            ));
        }
        let connection =
            Connection::begin(Arc::clone(&self.endpoint), file, &self.waker, &self.lookups);
        let free = self
            .slots
            .iter()
            .position(Option::is_none)
            .unwrap_or_else(|| {
                self.slots.push(None);
                self.slots.len() - 1
            });
        self.slots[free] = Some(connection);
        self.open += 1;
        u32::try_from(free).map_err(|_| Failure::new("net.limit", "too many connections"))
    }

    /// The connection with this handle.
    pub fn get(&mut self, handle: u32) -> Option<&mut Connection> {
        self.slots.get_mut(handle as usize)?.as_mut()
    }

    /// Closes it; an unknown handle is none.
    pub fn close(&mut self, handle: u32) {
        if let Some(slot) = self.slots.get_mut(handle as usize)
            && slot.take().is_some()
        {
            self.open -= 1;
        }
    }

    /// Sleeps until a connection is ready, the waker is used, or `timeout` has passed. With `attention` off only an interruption
    /// ends the sleep from outside: an `open` has no use for a wake-up, since it cannot return early.
    pub fn wait(&mut self, list: &[(u32, Interest)], timeout: Duration, attention: bool) -> Woken {
        let end = Instant::now() + timeout;
        loop {
            // Flags before sockets: a plugin whose sockets are always ready must still hear the host.
            let called = self.waker.take_attention();
            if self.waker.is_interrupted() {
                return Woken::Interrupted;
            }
            if called && attention {
                return Woken::Attention;
            }
            let ready = self.ready_without_waiting(list);
            if !ready.is_empty() {
                return Woken::Ready(ready);
            }
            let now = Instant::now();
            let until = list
                .iter()
                .filter_map(|(h, _)| self.slots.get(*h as usize)?.as_ref()?.deadline())
                .fold(end, Instant::min);
            let ready = self.poll_once(list, until.saturating_duration_since(now));
            if !ready.is_empty() {
                return Woken::Ready(ready);
            }
            if Instant::now() >= end {
                // A wake-up that came together with the end of the time is kept for the next call.
                return if self.waker.is_interrupted() {
                    Woken::Interrupted
                } else {
                    Woken::TimedOut
                };
            }
        }
    }

    /// Drives every connection of the list; those that need no poll to be ready.
    fn ready_without_waiting(&mut self, list: &[(u32, Interest)]) -> Vec<u32> {
        let mut ready = Vec::new();
        for (index, (handle, interest)) in (0u32..).zip(list) {
            let Some(connection) = self.get(*handle) else {
                continue;
            };
            let under_way = connection.is_under_way();
            let failed = connection.drive().is_err();
            let stood_up = under_way && connection.just_stood_up(*interest);
            if failed || stood_up || connection.ready(*interest) {
                ready.push(index);
            }
        }
        ready
    }

    fn poll_once(&mut self, list: &[(u32, Interest)], timeout: Duration) -> Vec<u32> {
        let mut polled = Vec::with_capacity(list.len());
        let mut fds = Vec::with_capacity(list.len() + 1);
        fds.push(PollFd::from_borrowed_fd(self.waker.as_fd(), PollFlags::IN));
        for (index, (handle, interest)) in (0u32..).zip(list) {
            let found = self
                .slots
                .get(*handle as usize)
                .and_then(Option::as_ref)
                .and_then(|c| c.poll_for(*interest));
            if let Some((fd, flags)) = found {
                fds.push(PollFd::from_borrowed_fd(fd, flags));
                polled.push((index, *handle, *interest));
            }
        }
        // EINTR counts as a wake-up without news: the loop in `wait` looks again. Anything else is no reason to look again at once.
        if poll(&mut fds, Some(&timespec(timeout))).is_err_and(|errno| errno != Errno::INTR) {
            std::thread::sleep(timeout.min(FAILED_POLL));
        }
        let events: Vec<PollFlags> = fds[1..].iter().map(PollFd::revents).collect();
        drop(fds);
        let mut ready = Vec::new();
        for ((index, handle, interest), events) in polled.into_iter().zip(events) {
            let Some(connection) = self.get(handle) else {
                continue;
            };
            if events.is_empty() {
                continue;
            }
            let under_way = connection.is_under_way();
            if connection.drive().is_err()
                || (under_way && connection.just_stood_up(interest))
                || (!under_way && connection.met(interest, events))
            {
                ready.push(index);
            }
        }
        ready
    }
}

fn timespec(duration: Duration) -> Timespec {
    let duration = duration.min(Duration::from_secs(86_400));
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(86_400),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
