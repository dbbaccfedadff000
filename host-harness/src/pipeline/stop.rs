//! The request to end, from signals or from the embedding program.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

type Callback = Box<dyn Fn() + Send>;

/// A request to stop that can be made from any thread, once. Clones are the same request.
#[derive(Clone, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    requested: bool,
    next: u64,
    callbacks: Vec<(u64, Callback)>,
}

impl Stop {
    /// Not requested yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the request. Pipelines commit what they have accepted, and end.
    pub fn request(&self) {
        let mut state = self.lock();
        state.requested = true;
        for (_, callback) in &state.callbacks {
            callback();
        }
        self.0.changed.notify_all();
    }

    /// Whether it was made.
    pub fn is_requested(&self) -> bool {
        self.lock().requested
    }

    /// Sleeps for `time`, or until the request is made; says whether it was.
    pub fn wait(&self, time: Duration) -> bool {
        let end = Instant::now() + time;
        let mut state = self.lock();
        while !state.requested {
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

    /// Calls `callback` when the request is made, at once if it was; until the answer is dropped.
    pub(super) fn subscribe(&self, callback: impl Fn() + Send + 'static) -> Subscription {
        let mut state = self.lock();
        if state.requested {
            callback();
        }
        let id = state.next;
        state.next += 1;
        state.callbacks.push((id, Box::new(callback)));
        Subscription {
            stop: self.clone(),
            id,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stop").field(&self.is_requested()).finish()
    }
}

/// Keeps a callback alive.
pub(super) struct Subscription {
    stop: Stop,
    id: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.stop.lock().callbacks.retain(|(id, _)| *id != self.id);
    }
}
