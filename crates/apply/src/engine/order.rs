//! In which order groups that are written at the same time are committed.
//!
//! Each group has a number, and is committed after all with smaller ones. Groups that touch the same rows are not written at the same time ([`crate::net::Footprint`]). The server may
//! lock more than that: rows that a condition was held against, gaps between rows, and with a client's ALTER TABLE or LOCK TABLES in between the table itself. So a group may wait for a lock of a younger one, which waits for its turn: that would last for
//! ever. Such groups wait for locks for a second only. The one that has waited in vain then takes its statements back, the younger ones do the same, and from
//! there on they are written one after another, each when all older ones are committed.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

/// The order of the groups of one engine.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The number of the oldest group that is not committed.
    turn: Cell<u64>,
    next: Cell<u64>,
    /// Groups that may hold locks.
    holders: Cell<u64>,
    /// Groups younger than this one take their statements back: the oldest that has asked for locks.
    yield_to: Cell<Option<u64>>,
    /// Changes with whatever a group may wait for.
    changes: Cell<u64>,
}

/// One group's place in the order.
#[derive(Debug)]
pub(super) struct Turn {
    order: Rc<Order>,
    number: u64,
}

/// What a group has waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Called {
    /// All older groups are committed.
    ToCommit,
    /// An older group needs locks that this one may hold.
    ToYield,
}

impl Order {
    /// The place of the next group.
    pub(super) fn take(self: &Rc<Self>) -> Turn {
        let number = self.next.get();
        self.next.set(number + 1);
        Turn {
            order: Rc::clone(self),
            number,
        }
    }

    /// The number that the next group will have.
    pub(super) fn next(&self) -> u64 {
        self.next.get()
    }

    /// Whether no group has asked others for locks since the order was last [calmed](Order::calm).
    pub(super) fn is_calm(&self) -> bool {
        self.yield_to.get().is_none()
    }

    /// The number of the oldest group that has asked others for locks.
    pub(super) fn asker(&self) -> Option<u64> {
        self.yield_to.get()
    }

    /// No group is under way any more.
    pub(super) fn calm(&self) {
        self.yield_to.set(None);
    }

    /// A number that changes with whatever a group may wait for.
    pub(super) fn changes(&self) -> u64 {
        self.changes.get()
    }

    fn changed(&self) {
        self.changes.set(self.changes.get() + 1);
    }
}

impl Turn {
    /// The group's transaction begins.
    pub(super) fn holds_locks(&self) {
        self.order.holders.set(self.order.holders.get() + 1);
    }

    /// The group's transaction was rolled back.
    pub(super) fn holds_none(&self) {
        self.order.holders.set(self.order.holders.get() - 1);
        self.order.changed();
    }

    /// The group is committed.
    pub(super) fn end(self) {
        self.order.turn.set(self.number + 1);
        self.holds_none();
    }

    /// Its number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// All older groups are committed.
    pub(super) fn has_come(&self) -> bool {
        self.order.turn.get() == self.number
    }

    /// The group has waited in vain for a lock: the younger ones give theirs back.
    pub(super) fn asks_for_locks(&self) {
        let first = self
            .order
            .yield_to
            .get()
            .map_or(self.number, |to| to.min(self.number));
        self.order.yield_to.set(Some(first));
        self.order.changed();
    }

    /// Waits for the turn, or until an older group asks for locks.
    pub(super) async fn called(&self) -> Called {
        poll_fn(|_| {
            if self.order.yield_to.get().is_some_and(|to| self.number > to) {
                Poll::Ready(Called::ToYield)
            } else if self.has_come() {
                Poll::Ready(Called::ToCommit)
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Waits for the turn, and until no other group holds locks.
    pub(super) async fn comes_alone(&self) {
        poll_fn(|_| {
            if self.has_come() && self.order.holders.get() == 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn poll<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[test]
    fn groups_are_called_in_their_order() {
        let order = Rc::new(Order::default());
        let [first, second] = [order.take(), order.take()];
        first.holds_locks();
        second.holds_locks();
        assert_eq!(poll(second.called()), None);
        assert_eq!(poll(first.called()), Some(Called::ToCommit));
        let before = order.changes();
        first.end();
        assert_ne!(order.changes(), before);
        assert_eq!(poll(second.called()), Some(Called::ToCommit));
        assert!(order.is_calm());
    }

    #[test]
    fn younger_groups_yield_to_one_that_waits_in_vain() {
        let order = Rc::new(Order::default());
        let [first, second, third] = [order.take(), order.take(), order.take()];
        for turn in [&first, &second, &third] {
            turn.holds_locks();
        }
        second.asks_for_locks();
        assert!(!order.is_calm());
        second.holds_none();
        assert_eq!(poll(third.called()), Some(Called::ToYield));
        assert_eq!(poll(first.called()), Some(Called::ToCommit));
        assert_eq!(poll(second.comes_alone()), None);
        first.end();
        assert_eq!(poll(second.comes_alone()), None, "the third holds locks");
        third.holds_none();
        assert_eq!(poll(second.comes_alone()), Some(()));
        assert_eq!(poll(third.comes_alone()), None);
        second.holds_locks();
        second.end();
        assert_eq!(poll(third.comes_alone()), Some(()));
        order.calm();
        assert!(order.is_calm());
    }
}
