//! Groups that are written at the same time, each on a connection of its own.
//!
//! A group that is complete waits until a connection is free and no group under way touches the same rows ([`crate::net::Footprint`]); then it flies: it is written, and committed
//! when all older ones are, or as soon as it is written where the source's order need not be kept ([`super::order`]). Meanwhile the next one is collected. What cannot be a group's net effect is written on the engine's first connection, when nothing
//! flies any more ([`Engine::settle`]).

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::hash::BuildHasher;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{Session, Stream};

use super::collector::{Collector, Group};
use super::lane::{Closing, Lane, Manner};
use super::order::Order;
use super::{Engine, session};
use crate::net::Footprint;

/// For so many groups tables stay crowded.
const CROWDED_FOR: u64 = 1000;

/// What a caller has done for the next group while others are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// Changes were added.
    Added,
    /// There is nothing to add, or nothing that can be added without the target.
    Nothing,
    /// The group should be committed as it is. It must end where a commit may stand.
    Full,
}

/// A group that is complete.
pub(super) struct Sealed<H> {
    pub(super) group: Group,
    pub(super) checkpoint: Checkpoint,
    pub(super) closing: Closing<H>,
}

/// A complete group that is not written yet.
struct Waiting<H> {
    sealed: Sealed<H>,
    footprint: Footprint,
    /// It touches what a group under way touches.
    blocked: bool,
}

type Written<S> = Pin<Box<dyn Future<Output = (Lane<S>, Result<Manner, Error>)>>>;

/// A group under way.
struct Flying<S> {
    number: u64,
    group: Group,
    checkpoint: Checkpoint,
    footprint: Footprint,
    writing: Written<S>,
}

/// The connections for groups that are written at the same time, and those groups.
pub(super) struct Flight<S, H> {
    /// The one that has been idle for the longest time first.
    free: VecDeque<Lane<S>>,
    /// The oldest first.
    flying: Vec<Flying<S>>,
    waiting: Option<Waiting<H>>,
    /// Groups that are committed while older ones are not, by number.
    ahead: BTreeMap<u64, (Group, Checkpoint)>,
    order: Rc<Order>,
    /// Tables of which groups have waited for each other's locks, by name in SQL in lower case: they are one group's at a time, up to the group of this number.
    crowded: BTreeMap<String, u64>,
    hasher: H,
    /// Groups that were written twice, since they stood in each other's way.
    rewritten: u64,
    /// What became durable while another thing was asked for.
    pub(super) settled: Option<Checkpoint>,
}

impl<S, H: Default> Default for Flight<S, H> {
    fn default() -> Self {
        Self {
            free: VecDeque::new(),
            flying: Vec::new(),
            waiting: None,
            ahead: BTreeMap::new(),
            order: Rc::default(),
            crowded: BTreeMap::new(),
            hasher: H::default(),
            rewritten: 0,
            settled: None,
        }
    }
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Flight<S, H> {
    /// Whether there are connections for it.
    pub(super) fn is_possible(&self) -> bool {
        !(self.free.is_empty() && self.flying.is_empty())
    }

    /// No group is complete and not covered by the checkpoint.
    pub(super) fn is_over(&self) -> bool {
        self.flying.is_empty() && self.waiting.is_none() && self.ahead.is_empty()
    }

    /// No group goes ahead before the first of this engine's is durable.
    pub(super) fn wait_for_a_checkpoint(&self) {
        self.order.wait_for_the_first();
    }

    /// How many groups are ahead of the checkpoint.
    fn groups_ahead(&self) -> usize {
        self.order.groups_ahead()
    }

    /// Takes a complete group.
    fn take(&mut self, sealed: Sealed<H>) -> Result<(), Error> {
        let mut footprint = sealed.closing.net.footprint(&self.hasher)?;
        if sealed.closing.ahead.is_some() {
            footprint.spread_over_steps();
        }
        let next = self.order.next();
        self.crowded.retain(|_, until| *until > next);
        footprint.spread(|name| self.crowded.contains_key(name));
        self.waiting = Some(Waiting {
            sealed,
            footprint,
            blocked: false,
        });
        self.look_again();
        Ok(())
    }

    /// Finds out whether the waiting group is in the way of one that flies.
    fn look_again(&mut self) {
        if let Some(waiting) = &mut self.waiting {
            let meets = |flying: &Flying<S>| flying.footprint.meets(&waiting.footprint);
            waiting.blocked = self.flying.iter().any(meets);
        }
    }

    /// Lets the waiting group fly, if it can. Returns whether it does.
    fn launch(&mut self) -> bool {
        let may = |waiting: &Waiting<H>| !waiting.blocked;
        if !self.order.is_calm() || !self.waiting.as_ref().is_some_and(may) {
            return false;
        }
        // The connection first: a group that is taken out and has none would be lost.
        let Some(mut lane) = self.free.pop_front() else {
            return false;
        };
        let Some(waiting) = self.waiting.take() else {
            self.free.push_front(lane);
            return false;
        };
        let Sealed {
            group,
            checkpoint,
            closing,
        } = waiting.sealed;
        let turn = self.order.take();
        self.flying.push(Flying {
            number: turn.number(),
            group,
            checkpoint,
            footprint: waiting.footprint,
            writing: Box::pin(async move {
                let result = lane.write_among_others(&closing, turn).await;
                (lane, result)
            }),
        });
        true
    }

    /// Lets the checkpoint take in what is ahead of it where no group is under way that could do so. Returns whether that was begun.
    fn take_in(&mut self) -> bool {
        if !(self.flying.is_empty() && self.waiting.is_none()) || self.free.is_empty() {
            return false;
        }
        let Some((turn, takes_in)) = self.order.take_newest() else {
            return false;
        };
        let Some((group, checkpoint)) = self.ahead.remove(&turn.number()) else {
            return false;
        };
        let Some(mut lane) = self.free.pop_front() else {
            return false;
        };
        self.flying.push(Flying {
            number: turn.number(),
            group,
            checkpoint,
            footprint: Footprint::default(),
            writing: Box::pin(async move {
                let result = lane.take_in(&takes_in, turn).await;
                (lane, result)
            }),
        });
        true
    }

    /// Lets all groups go on. Ready when one has come to its end: with those that the checkpoint now covers, none if it went ahead, or with its error.
    fn go_on(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Vec<(Group, Checkpoint)>, Error>> {
        for at in 0..self.flying.len() {
            let asker = self.order.asker();
            let step = self.flying[at].writing.as_mut().poll(context);
            if let Some(asks) = self.order.asker().filter(|_| self.order.asker() != asker) {
                self.note_crowded(asks);
            }
            let Poll::Ready((lane, result)) = step else {
                continue;
            };
            let done = self.flying.remove(at);
            let manner = match result {
                Err(error) => return Poll::Ready(Err(error)),
                Ok(manner) => manner,
            };
            self.rewritten += u64::from(manner == Manner::Again);
            self.ahead
                .insert(done.number, (done.group, done.checkpoint));
            self.free.push_back(lane);
            if self.flying.is_empty() {
                self.order.calm();
            }
            self.look_again();
            let later = self.ahead.split_off(&self.order.turn());
            let covered = std::mem::replace(&mut self.ahead, later);
            return Poll::Ready(Ok(covered.into_values().collect()));
        }
        Poll::Pending
    }

    /// Notes the tables that the group which asks for locks has in common with others under way.
    fn note_crowded(&mut self, asks: u64) {
        let until = self.order.next() + CROWDED_FOR;
        let Some(asker) = self.flying.iter().find(|group| group.number == asks) else {
            return;
        };
        for other in self.flying.iter().filter(|group| group.number != asks) {
            let common = asker.footprint.tables_of_both(&other.footprint);
            self.crowded.extend(common.map(|table| (table, until)));
        }
    }
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// Adds a connection, with the same capabilities as the first one. With two and more, groups that do not touch the same rows are written at the same time, and
    /// committed in the source's order.
    ///
    /// # Errors
    /// Server errors.
    pub async fn add_connection(&mut self, mut session: Session<S>) -> Result<(), Error> {
        session::settle(&mut session).await?;
        let lane = Lane::new(
            session,
            self.store.clone(),
            self.lane.allowed_packet,
            self.lane.loads,
        );
        self.flight.free.push_back(lane);
        Ok(())
    }

    /// Lets connections on which nothing happens be heard of, lest they be dropped as idle.
    ///
    /// # Errors
    /// Server errors.
    pub async fn keep_alive(&mut self) -> Result<(), Error> {
        // On the first one replies may be on the way while a group is open there.
        if self.lane.written.is_none() {
            self.lane.session.exec(b"DO 0").await?;
        }
        for lane in &mut self.flight.free {
            lane.session.exec(b"DO 0").await?;
        }
        Ok(())
    }

    /// Whether groups are complete and not durable.
    #[must_use]
    pub fn is_flying(&self) -> bool {
        !self.flight.is_over()
    }

    /// Groups that are in the target beyond the checkpoint: those that this engine has committed, and those that it has found and not passed over.
    #[must_use]
    pub fn groups_ahead(&self) -> usize {
        self.flight.groups_ahead() + self.open.applied.groups()
    }

    /// Groups that were written twice, since they and groups under way waited for each other's locks.
    #[must_use]
    pub fn rewritten(&self) -> u64 {
        self.flight.rewritten
    }

    /// Lets groups that are [flying](Engine::is_flying) go on until one is committed, and returns its checkpoint; `more` as in [`Engine::commit_while`].
    ///
    /// # Errors
    /// As [`Engine::commit_while`].
    pub async fn go_on_while(
        &mut self,
        mut more: impl FnMut(&mut Collector<H>) -> Result<More, Error>,
    ) -> Result<Checkpoint, Error> {
        poll_fn(|context| self.step(context, &mut more)).await
    }

    fn step(
        &mut self,
        context: &mut Context<'_>,
        more: &mut impl FnMut(&mut Collector<H>) -> Result<More, Error>,
    ) -> Poll<Result<Checkpoint, Error>> {
        loop {
            let before = self.flight.order.changes();
            match self.flight.go_on(context) {
                Poll::Ready(Ok(covered)) => {
                    // Its connection is not left idle while the caller does something else.
                    self.flight.launch();
                    let mut newest = None;
                    for (group, checkpoint) in covered {
                        self.count(&group);
                        newest = Some(checkpoint);
                    }
                    match newest {
                        Some(checkpoint) => return Poll::Ready(Ok(checkpoint)),
                        None => continue,
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {}
            }
            let mut goes_on = self.flight.launch() || self.flight.take_in();
            match more(&mut self.open)? {
                More::Added => goes_on = true,
                More::Full if self.flight.waiting.is_none() => {
                    if let Some(sealed) = self.seal() {
                        self.flight.take(sealed)?;
                        goes_on = true;
                    }
                }
                More::Full | More::Nothing => {}
            }
            if self.flight.is_over() {
                return Poll::Ready(Err(Error::fatal(
                    "sink.nothing-to-commit",
                    "a commit was waited for that nobody had begun",
                )));
            }
            if !goes_on && self.flight.order.changes() == before {
                return Poll::Pending;
            }
        }
    }

    /// Lets the open group wait for a connection of its own, if it may be committed, and then everything fly until a group is committed.
    pub(super) async fn commit_in_flight(
        &mut self,
        mut more: impl FnMut(&mut Collector<H>) -> Result<More, Error>,
    ) -> Result<Checkpoint, Error> {
        if self.flight.waiting.is_none()
            && let Some(sealed) = self.seal()
        {
            self.flight.take(sealed)?;
        }
        self.go_on_while(&mut more).await
    }

    /// Waits until no group is complete and not durable: what follows is written on the first connection.
    pub(super) async fn settle(&mut self) -> Result<(), Error> {
        while self.is_flying() {
            let durable = self.go_on_while(|_| Ok(More::Nothing)).await?;
            self.flight.settled = Some(durable);
        }
        Ok(())
    }
}
