//! The one place where a plugin sleeps.
//!
//! A host that has threads ends a sleep when it has something for the plugin. Here nothing can come from outside, but the plugin must come back all the same, so that the other one
//! gets its turn: a stream of which nothing is to be handed on (all of it filtered, or pieces of a large transaction) could keep it busy for as long as bytes come. So an empty answer, by
//! which an export returns soon and without loss, is given once in a while though connections are ready: in those exports of which the contract allows that, which the runner says ([`may_end`]).

use std::cell::{Cell, RefCell};
use std::time::Duration;

use datain_standalone_wasi::bindings::wasi::io::poll::{Pollable, poll};
use datain_standalone_wasi::clock::Moment;

use crate::connection::{Connection, Interest};

/// How long connections may be ready one after the other before the plugin is sent back.
const TURN: Duration = Duration::from_millis(100);

thread_local! {
    static MAY_END: Cell<bool> = const { Cell::new(false) };
    /// Since when connections have been ready at each wait; none right after an empty answer, and at the begin of a turn.
    static BUSY_SINCE: Cell<Option<Moment>> = const { Cell::new(None) };
}

/// The runner is about to call an export that may return early, or has called it.
pub(crate) fn may_end(may: bool) {
    MAY_END.set(may);
    BUSY_SINCE.set(None);
}

/// Waits until a connection is ready or has failed, for at most `timeout`; the positions of those that are.
pub(crate) fn wait(list: &[(&RefCell<Connection>, Interest)], timeout: Duration) -> Vec<u32> {
    let end = Moment::now().after(timeout);
    loop {
        let ready = ready(list);
        if !ready.is_empty() {
            let since = BUSY_SINCE.get().unwrap_or_else(Moment::now);
            if MAY_END.get() && since.elapsed() >= TURN {
                BUSY_SINCE.set(None);
                return Vec::new();
            }
            BUSY_SINCE.set(Some(since));
            return ready;
        }
        if end.has_come() {
            BUSY_SINCE.set(None);
            return Vec::new();
        }
        let until = list
            .iter()
            .filter_map(|(connection, _)| connection.borrow().deadline())
            .fold(end, Moment::min);
        let mut pollables: Vec<Pollable> = vec![until.pollable()];
        for (connection, interest) in list {
            connection.borrow().pollables(*interest, &mut pollables);
        }
        poll(&pollables.iter().collect::<Vec<_>>());
    }
}

fn ready(list: &[(&RefCell<Connection>, Interest)]) -> Vec<u32> {
    let mut ready = Vec::new();
    for (index, (connection, interest)) in (0u32..).zip(list) {
        let mut connection = connection.borrow_mut();
        if connection.drive().is_err() || connection.ready(*interest) {
            ready.push(index);
        }
    }
    ready
}
