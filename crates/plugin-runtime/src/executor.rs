//! Runs one `async` task per plugin resource, in slices: each export's call continues it, and gives control back when the host asks.
//!
//! There are no wakers. A future that cannot go on registers what it waits for (a connection, or a moment) with [`until_ready`] or
//! [`until`]; [`Task::run`] polls the task, and when it is suspended sleeps in `transport.wait` for everything registered. An empty
//! answer of `wait` before the task's own timer means that the host wants attention (a batch, an acknowledgement, a
//! question): the call returns and the task stays suspended, without loss, until the next call.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use datain_contract::transport::{self, Connection, Interest, NetError};

use crate::clock::Moment;

thread_local! {
    static WAITS: RefCell<Waits> = const { RefCell::new(Waits { connections: Vec::new(), timer: None }) };
}

struct Waits {
    connections: Vec<(Rc<Connection>, Interest)>,
    timer: Option<Moment>,
}

/// Why [`Task::run`] came back.
#[derive(Debug)]
pub enum Slice<T> {
    /// The task has ended with this.
    Finished(T),
    /// The time is over or the host wants attention; the task goes on at the next call.
    Suspended,
    /// The host wants the instance to end, or its network failed as a whole.
    Ended(NetError),
}

/// A suspended or running piece of sequential code.
pub struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
}

impl<T> Task<T> {
    /// Wraps `future`; it does not run yet.
    pub fn new(future: impl Future<Output = T> + 'static) -> Self {
        Task {
            future: Box::pin(future),
        }
    }

    /// Continues the task until it ends, `until` has come, `enough` says so, or the host wants attention.
    ///
    /// A task must not be run again after it finished.
    pub fn run(&mut self, until: Moment, mut enough: impl FnMut() -> bool) -> Slice<T> {
        loop {
            WAITS.with_borrow_mut(|w| {
                w.connections.clear();
                w.timer = None;
            });
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(result) = self.future.as_mut().poll(&mut context) {
                return Slice::Finished(result);
            }
            if enough() {
                return Slice::Suspended;
            }
            let (connections, timer) =
                WAITS.with_borrow_mut(|w| (std::mem::take(&mut w.connections), w.timer));
            let now = Moment::now();
            let wake_at = timer.map_or(until, |t| t.min(until));
            let list: Vec<(&Connection, Interest)> =
                connections.iter().map(|(c, i)| (&**c, *i)).collect();
            match transport::wait(&list, wake_at.millis_from(now)) {
                Err(error) => return Slice::Ended(error),
                Ok(ready) if ready.is_empty() => {
                    let timer_has_come = timer.is_some_and(Moment::has_come);
                    if until.has_come() || !timer_has_come {
                        return Slice::Suspended;
                    }
                }
                Ok(_) => {}
            }
        }
    }

    /// Runs the task to its end, however often the host wants attention, for at most until `deadline`.
    pub fn complete(mut self, deadline: Moment) -> Slice<T> {
        loop {
            match self.run(deadline, || false) {
                Slice::Suspended if !deadline.has_come() => {}
                other => return other,
            }
        }
    }
}

/// Suspends once, until the connection is ready or the executor polls for another reason.
pub async fn until_ready(connection: &Rc<Connection>, interest: Interest) {
    let mut registered = false;
    std::future::poll_fn(move |_| {
        if registered {
            return Poll::Ready(());
        }
        registered = true;
        WAITS.with_borrow_mut(|w| {
            // A future that is polled several times in one step waits for the same thing each time.
            let known = |(other, what): &(Rc<Connection>, Interest)| {
                Rc::ptr_eq(other, connection) && *what == interest
            };
            if !w.connections.iter().any(known) {
                w.connections.push((Rc::clone(connection), interest));
            }
        });
        Poll::Pending
    })
    .await;
}

/// For a future that is about to be suspended: it is continued at this moment at the latest.
pub fn wake_at(moment: Moment) {
    WAITS.with_borrow_mut(|w| {
        w.timer = Some(w.timer.map_or(moment, |t| t.min(moment)));
    });
}

/// Suspends until `condition` gives a value; it is asked again whenever the task is continued. With `timer`, the task is continued at
/// that moment at the latest.
pub async fn until<T>(timer: Option<Moment>, mut condition: impl FnMut() -> Option<T>) -> T {
    std::future::poll_fn(move |_| match condition() {
        Some(value) => Poll::Ready(value),
        None => {
            if let Some(timer) = timer {
                wake_at(timer);
            }
            Poll::Pending
        }
    })
    .await
}

/// The time of [`with_timer`] was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOver;

/// Polls `work` until it is ready, or until it is suspended at a moment when `until` has come. `until` is asked anew after each step of the work,
/// so that it may move on.
///
/// # Errors
/// [`TimeOver`]; what the work has waited for is then dropped with it.
pub async fn with_timer<T>(
    until: impl Fn() -> Moment,
    mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Result<T, TimeOver> {
    std::future::poll_fn(move |context| {
        if let Poll::Ready(result) = work(context) {
            return Poll::Ready(Ok(result));
        }
        let until = until();
        if until.has_come() {
            return Poll::Ready(Err(TimeOver));
        }
        wake_at(until);
        Poll::Pending
    })
    .await
}
