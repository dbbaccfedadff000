//! In which order groups that are written at the same time are committed.
//!
//! Each group has a number, and is committed after all with smaller ones. Groups that touch the same rows are not written at the same time ([`crate::net::Footprint`]). The server may
//! lock more than that: rows that a condition was held against, gaps between rows, and with a client's ALTER TABLE or LOCK TABLES in between the table itself. So a group may wait for a lock of a younger one, which waits for its turn: that would last for
//! ever. Such groups wait for locks for a second only. The one that has waited in vain then takes its statements back, the younger ones do the same, and from
//! there on they are written one after another, each when all older ones are committed.
//!
//! Where the source's order need not be kept, a group whose turn has not come is committed *ahead*, with a note of what it holds ([`crate::checkpoint`]), and gives its connection
//! back. The next group that is committed in its turn moves the checkpoint over all such groups that it meets, too.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
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
    /// Groups that are committed ahead of older ones, and the statements by which the checkpoint takes them in.
    ahead: RefCell<BTreeMap<u64, TakesIn>>,
    /// No group is committed ahead before the first is in its turn.
    waits_for_the_first: Cell<bool>,
}

/// The statements by which the checkpoint takes in a group that was committed ahead; each must match exactly one row.
pub(super) type TakesIn = Rc<[Vec<u8>]>;

/// So many groups may be ahead of the checkpoint: what they hold is gone through again after a crash.
const MOST_AHEAD: usize = 64;

/// What is committed with a group whose turn has come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Met {
    /// Of groups before it.
    pub(super) before: Vec<TakesIn>,
    /// Of those right behind it.
    pub(super) after: Vec<TakesIn>,
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

    /// The number of the oldest group that the checkpoint does not cover.
    pub(super) fn turn(&self) -> u64 {
        self.turn.get()
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

    /// Whether all groups below the number are committed, be it ahead.
    fn is_through(&self, number: u64) -> bool {
        let ahead = self.ahead.borrow();
        (self.turn.get()..number).all(|older| ahead.contains_key(&older))
    }

    /// No group is committed ahead before the first is in its turn.
    pub(super) fn wait_for_the_first(&self) {
        self.waits_for_the_first.set(true);
    }

    /// How many groups are ahead of the checkpoint.
    pub(super) fn groups_ahead(&self) -> usize {
        self.ahead.borrow().len()
    }

    /// Whether another group may be committed ahead.
    fn has_room_ahead(&self) -> bool {
        let has_begun = self.turn.get() > 0 || !self.waits_for_the_first.get();
        has_begun && self.groups_ahead() < MOST_AHEAD
    }

    /// The newest group that is ahead, to be taken in by itself. Nothing may be under way.
    pub(super) fn take_newest(self: &Rc<Self>) -> Option<(Turn, TakesIn)> {
        let (number, takes_in) = self.ahead.borrow_mut().pop_last()?;
        let order = Rc::clone(self);
        Some((Turn { order, number }, takes_in))
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

    /// What the checkpoint meets on the way to this group and right behind it.
    pub(super) fn meets(&self) -> Met {
        let ahead = self.order.ahead.borrow();
        let before = ahead.range(self.order.turn.get()..self.number);
        let after = (self.number + 1..).map_while(|number| ahead.get(&number));
        Met {
            before: before.map(|(_, takes_in)| Rc::clone(takes_in)).collect(),
            after: after.map(Rc::clone).collect(),
        }
    }

    /// The group is committed, with so many right behind it.
    pub(super) fn end(self, after: usize) {
        let next = self.number + 1 + after as u64;
        self.order.turn.set(next);
        self.order
            .ahead
            .borrow_mut()
            .retain(|number, _| *number >= next);
        self.holds_none();
    }

    /// The group is committed, although older ones are not.
    pub(super) fn end_ahead(self, takes_in: TakesIn) {
        self.order.ahead.borrow_mut().insert(self.number, takes_in);
        self.holds_none();
    }

    /// Whether it may be committed before its turn, as far as others are concerned: nobody has asked for locks, few enough are ahead, and a checkpoint is there.
    pub(super) fn may_go_ahead(&self) -> bool {
        self.order.is_calm() && self.order.has_room_ahead()
    }

    /// Its number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// All older groups are committed.
    pub(super) fn has_come(&self) -> bool {
        self.order.is_through(self.number)
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
        first.end(0);
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
        first.end(0);
        assert_eq!(poll(second.comes_alone()), None, "the third holds locks");
        third.holds_none();
        assert_eq!(poll(second.comes_alone()), Some(()));
        assert_eq!(poll(third.comes_alone()), None);
        second.holds_locks();
        second.end(0);
        assert_eq!(poll(third.comes_alone()), Some(()));
        order.calm();
        assert!(order.is_calm());
    }

    #[test]
    fn the_checkpoint_takes_in_what_is_ahead_once_nothing_older_is_missing() {
        let order = Rc::new(Order::default());
        let [first, second, third, fourth, fifth] = std::array::from_fn(|_| order.take());
        for turn in [&first, &second, &third, &fourth, &fifth] {
            turn.holds_locks();
        }
        let sql = |text: &str| -> TakesIn { Rc::new([text.as_bytes().to_vec()]) };
        second.end_ahead(sql("2"));
        fourth.end_ahead(sql("4"));
        assert!(!third.has_come() && !fifth.has_come() && first.has_come());
        assert_eq!(
            third.meets().before,
            [sql("2")],
            "the first is missing still"
        );
        let met = first.meets();
        assert_eq!((met.before, met.after), (vec![], vec![sql("2")]));
        // It was told of one, and the third came ahead meanwhile.
        third.end_ahead(sql("3"));
        first.end(1);
        assert!(fifth.has_come());
        let met = fifth.meets();
        assert_eq!((met.before, met.after), (vec![sql("3"), sql("4")], vec![]));
        let (turn, takes_in) = order.take_newest().expect("the fourth");
        assert_eq!((turn.number(), takes_in), (3, sql("4")));
        assert_eq!(turn.meets().before, [sql("3")]);
        turn.holds_locks();
        turn.end(0);
        assert!(fifth.has_come());
        assert_eq!(fifth.meets(), Met::default());
        assert!(order.take_newest().is_none());
    }
}
