//! Requests from outside: to end ([`Stop`], from signals or the embedding program), and to pause ([`Hold`], from a person's `datain stop`).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

type Callback = Box<dyn Fn() + Send>;

/// A request to stop that can be made from any thread, once. Clones are the same request.
#[derive(Clone, Debug, Default)]
pub struct Stop(Flag);

/// A request to pause, which can be taken back. Clones are the same request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hold {
    flag: Flag,
    recorded: Arc<AtomicBool>,
}

#[derive(Clone, Default)]
struct Flag(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requested: bool,
    next: u64,
    /// Each with the value that it is called at.
    callbacks: Vec<(u64, bool, Callback)>,
}

impl Stop {
    /// Not requested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the request. Pipelines commit what they have accepted, and end.
    pub fn request(&self) {
        self.0.set(true);
    }

    /// Whether it was made.
    pub fn is_requested(&self) -> bool {
        self.0.lock().requested
    }

    /// Sleeps for `time`, or until the request is made; says whether it was.
    pub fn wait(&self, time: Duration) -> bool {
        self.0.wait(time, true)
    }

    /// Calls `callback` when the request is made, at once if it was; until the answer is dropped.
    pub(crate) fn subscribe(&self, callback: impl Fn() + Send + 'static) -> Subscription {
        self.0.subscribe(true, callback)
    }
}

impl Hold {
    /// Makes the request.
    pub(crate) fn set(&self) {
        self.flag.set(true);
    }

    /// Takes it back.
    pub(crate) fn release(&self) {
        self.recorded.store(false, Ordering::Release);
        self.flag.set(false);
    }

    /// The target knows of it: when it does no longer, somebody has taken the request back there.
    pub(crate) fn note_recorded(&self) {
        self.recorded.store(true, Ordering::Release);
    }

    /// Whether the target knows of it.
    pub(crate) fn is_recorded(&self) -> bool {
        self.recorded.load(Ordering::Acquire)
    }

    /// Whether it stands.
    pub(crate) fn is_set(&self) -> bool {
        self.flag.lock().requested
    }

    /// Sleeps for `time`, or until the request is taken back; says whether it was.
    pub(crate) fn wait_for_release(&self, time: Duration) -> bool {
        !self.flag.wait(time, false)
    }

    /// As [`Stop::subscribe`].
    pub(crate) fn subscribe(&self, callback: impl Fn() + Send + 'static) -> Subscription {
        self.flag.subscribe(true, callback)
    }

    /// The same for its being taken back.
    pub(crate) fn subscribe_release(&self, callback: impl Fn() + Send + 'static) -> Subscription {
        self.flag.subscribe(false, callback)
    }
}

impl Flag {
    fn set(&self, requested: bool) {
        let mut state = self.lock();
        state.requested = requested;
        for (_, at, callback) in &state.callbacks {
            if *at == requested {
                callback();
            }
        }
        self.0.changed.notify_all();
    }

    /// Sleeps for `time`, or until the flag is as `wanted`; says how it is.
    fn wait(&self, time: Duration, wanted: bool) -> bool {
        let end = Instant::now() + time;
        let mut state = self.lock();
        while state.requested != wanted {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state = self
                .0
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        state.requested
    }

    fn subscribe(&self, at: bool, callback: impl Fn() + Send + 'static) -> Subscription {
        let mut state = self.lock();
        if state.requested == at {
            callback();
        }
        let id = state.next;
        state.next += 1;
        state.callbacks.push((id, at, Box::new(callback)));
        Subscription {
            flag: self.clone(),
            id,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Flag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Flag").field(&self.lock().requested).finish()
    }
}

/// Keeps a callback alive.
pub(crate) struct Subscription {
    flag: Flag,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.flag.lock().callbacks.retain(|(id, ..)| *id != self.id);
    }
}
