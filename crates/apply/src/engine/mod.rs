//! Applies transactions in source order, in groups.
//!
//! A group is one target transaction: `START TRANSACTION`, the net effect ([`crate::net`]) of one or more whole source transactions, the checkpoint, and, only
//! after every reply was read and every count was right, COMMIT. Groups that touch different rows may be written at the same time ([`flight`]). [`Engine::apply`] opens a group when there is none, collects changes, and sends statements in packets of
//! several whenever much is collected, so that a transaction larger than memory streams through; [`Engine::commit`] closes it. When to close is the caller's decision
//! (size, age), among the transactions that carry a checkpoint.
//!
//! After an error the engine must be dropped with its session: the server rolls back, and a new engine resumes from the checkpoint.
//!
//! DDL stands alone: the open group is committed first, then intent, statement and checkpoint follow each other ([`crate::checkpoint`]). The rows of a CREATE
//! TABLE … SELECT come between statement and checkpoint: they open a group, whose checkpoint ends the intent.
//!
//! Changes of rows that the source has logged as statements are run as such, if that is wanted ([`replay`]).
//!
//! The rows of a prepared XA branch are kept in the group that covers its PREPARE, and applied in the one that covers its COMMIT ([`branch`]).

mod branch;
mod collector;
mod flight;
mod foreign_keys;
mod lane;
mod load_file;
mod order;
mod repair;
mod replay;
mod replies;
mod rows;
mod session;
mod statement;
mod tables;
mod temporary;

use std::future::poll_fn;
use std::hash::BuildHasher;
use std::mem;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Checkpoint, Error, Table, Transaction};
use datain_mysql_client::{Session, Stream};

use crate::checkpoint::{Beginning, Claimed, Intent, Store};
use crate::mapping::Collations;
use crate::settings;
use branch::Keeping;
use collector::Group;
pub use collector::{Collector, Done};
pub use flight::More;
use flight::{Flight, Sealed};
use lane::{Closing, Lane};
use replay::Replay;

/// A packet of statements is sent when it reaches this size.
const PACKET_BYTES: usize = 256 << 10;

/// Something that operators should read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// One sentence.
    pub message: String,
    /// The statement's first words.
    pub statement: String,
    /// The transaction.
    pub transaction: String,
}

/// Totals since the engine was opened, all durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Source transactions.
    pub transactions: u64,
    /// Rows inserted, updated and deleted.
    pub rows: u64,
    /// Those of them that were not as the source had them, and were made so.
    pub rows_repaired: u64,
    /// Statements run.
    pub statements: u64,
    /// Statements left out by rule or held back.
    pub left_out: u64,
    /// Target transactions.
    pub groups: u64,
    /// Commit time on the source of the newest transaction, microseconds since 1970; at the opening that of the checkpoint's.
    pub last_commit_micros: u64,
}

/// Where in the stream a statement comes from.
#[derive(Debug, Default)]
struct Place {
    file: String,
    offset: u64,
    gtid: Option<String>,
    committed_at_micros: u64,
}

impl Place {
    fn text(&self) -> String {
        match &self.gtid {
            Some(gtid) => gtid.clone(),
            None => format!("{}:{}", self.file, self.offset),
        }
    }

    /// Whether it is a definition of a first copy, which stands in no file of a log.
    fn is_definition(&self) -> bool {
        self.gtid.is_none() && self.file == "definition"
    }
}

/// An engine that has taken its pipeline over.
pub struct Opened<S, H> {
    /// The engine.
    pub engine: Engine<S, H>,
    /// What the pipeline has done so far; none for a new one.
    pub checkpoint: Option<Checkpoint>,
    /// The stream must begin anew where the configuration says; only its numbering goes on.
    pub set_position: bool,
    /// What is in the target beyond the checkpoint, for the source to say whether it has it: see `ahead` in wit/sink.wit.
    pub ahead: Option<String>,
}

/// Applies on one connection or several; see the module.
pub struct Engine<S, H> {
    /// The connection on which everything is written that is no group's net effect.
    lane: Lane<S>,
    /// Groups on other connections. While there is one that is not durable, nothing is written on the first.
    flight: Flight<S, H>,
    /// The pipeline's row as it will be when all complete groups are durable.
    store: Store,
    open: Collector<H>,
    collations: Collations,
    /// Whether the session may choose GTIDs for DDL.
    chooses_gtids: bool,
    interrupted: Option<Intent>,
    keeping: Option<Keeping>,
    /// Changes of rows that were logged as statements are run.
    replay: Option<Replay>,
    totals: Totals,
    notices: Vec<Notice>,
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// Prepares the session for rows and takes the pipeline over. The session needs CLIENT_FOUND_ROWS and CLIENT_MULTI_STATEMENTS; with
    /// CLIENT_LOCAL_FILES, and local_infile on the target, long runs of inserts are loaded.
    ///
    /// # Errors
    /// Those of [`Store::claim`]; server errors.
    pub async fn open(
        mut session: Session<S>,
        stream: &str,
        beginning: &Beginning,
    ) -> Result<Opened<S, H>, Error> {
        if !settings::writes_to(session.server_version()) {
            return Err(Error::reconfigure(
                "sink.flavour-unsupported",
                format!(
                    "the target is {}, which this version cannot write to",
                    session.server_version()
                ),
            )
            .hint("MySQL 5.6 and later, and MariaDB 10.6 and later are supported"));
        }
        session::settle(&mut session).await?;
        let Claimed {
            store,
            stored,
            set_position,
            applied,
        } = Store::claim(&mut session, stream, beginning).await?;
        let collations = Collations::from_answer(
            &session
                .query_rows(Collations::query(session.server_version()))
                .await?,
        );
        let allowed = session
            .query_first(b"SELECT @@global.max_allowed_packet, @@global.local_infile")
            .await?;
        let loads = session.may_load()
            && allowed
                .as_ref()
                .and_then(|row| row.get(1).cloned().flatten())
                .is_some_and(|value| value == "1");
        let allowed: usize = allowed
            .and_then(|row| row.first().cloned().flatten())
            .and_then(|text| text.parse().ok())
            .unwrap_or(4 << 20);
        let chooses_gtids = session::may_choose_gtids(&mut session).await?;
        let open = Collector {
            applied,
            ..Collector::default()
        };
        let flight = Flight::default();
        if set_position || stored.checkpoint.is_none() {
            // What went ahead would be ahead of nothing, or of a place that was given up.
            flight.wait_for_a_checkpoint();
        }
        let engine = Engine {
            lane: Lane::new(session, store.clone(), allowed, loads),
            flight,
            store,
            open,
            collations,
            chooses_gtids,
            interrupted: stored.intent,
            keeping: None,
            replay: None,
            totals: Totals {
                // Of a place that is given up nothing is known to be in the target.
                last_commit_micros: if set_position {
                    0
                } else {
                    stored.committed_at_micros
                },
                ..Totals::default()
            },
            notices: Vec::new(),
        };
        Ok(Opened {
            ahead: engine.open.applied.told(),
            engine,
            checkpoint: stored.checkpoint,
            set_position,
        })
    }

    /// From now on each change is written as the source made it, in its order, not as a part of its group's net effect: what fails is then the change that is to
    /// blame.
    pub fn apply_as_written(&mut self) {
        self.open.as_written = true;
    }

    /// From now on rows that are not as the source had them are made so, instead of ending the stream, where changes are applied as they were written
    /// ([`Engine::apply_as_written`]).
    pub fn repair_conflicts(&mut self) {
        self.open.repairs = true;
    }

    /// From now on tables may lack keys: rows are found by all that they hold then.
    pub fn do_without_keys(&mut self) {
        self.open.may_lack_keys = true;
    }

    /// From now on groups on different connections may be committed before older ones; readers of the target can see states that the source never had. After a crash
    /// nothing is lost or repeated all the same.
    pub fn commit_in_any_order(&mut self) {
        self.open.goes_ahead = true;
    }

    /// Notes table records of a batch; must come before its transactions.
    pub fn add_tables(&mut self, tables: Vec<Table>) {
        self.open.add_tables(tables);
    }

    /// Rows and bytes in the open group, if there is one.
    #[must_use]
    pub fn group_size(&self) -> Option<(u64, usize)> {
        let written = self.lane.written.unwrap_or(0);
        self.open
            .size()
            .map(|(rows, bytes)| (rows, bytes + written))
    }

    /// Whether the open group ends where a commit may stand.
    #[must_use]
    pub fn can_commit(&self) -> bool {
        self.open.can_commit()
    }

    /// Totals of everything durable.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// What happened that operators should read, since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        self.notices.append(&mut self.lane.notices);
        mem::take(&mut self.notices)
    }

    /// Applies a transaction or a piece of one. Returns the checkpoint when that made something durable (DDL does).
    ///
    /// # Errors
    /// Whatever stands against applying it, with position, GTID and table. Nothing of the open group is then committed.
    pub async fn apply(
        &mut self,
        transaction: Transaction,
        block: &[u8],
    ) -> Result<Option<Checkpoint>, Error> {
        self.apply_from(transaction, block, Done::default()).await
    }

    /// The same for a transaction of which a part has been collected ([`Collector::collect`]).
    ///
    /// # Errors
    /// As [`Engine::apply`].
    pub async fn apply_from(
        &mut self,
        transaction: Transaction,
        block: &[u8],
        done: Done,
    ) -> Result<Option<Checkpoint>, Error> {
        let place = Rc::new(Place::of(&transaction));
        let statements = transaction
            .changes
            .iter()
            .any(|c| matches!(c, Change::Statement(_)));
        let result = if statements && self.replay.is_some() && replay::holds_changes(&transaction) {
            self.apply_changes(&transaction, block, &place).await
        } else if statements {
            self.apply_statement(transaction, block, &place).await
        } else {
            self.apply_rows(&transaction, block, done, &place)
                .await
                .map(|()| None)
        };
        let settled = self.flight.settled.take();
        result
            .map(|durable| durable.or(settled))
            .map_err(|e| place.named(e))
    }

    async fn apply_rows(
        &mut self,
        transaction: &Transaction,
        block: &[u8],
        mut done: Done,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        // Until the transaction is complete, no commit may stand here.
        self.open.group.get_or_insert_default().checkpoint = None;
        if self.open.has_applied(transaction) {
            // An earlier writer has committed it before older ones.
        } else if let Some(branch) = &transaction.xa {
            self.branch_step(branch, transaction, block, place).await?;
        } else if self.open.collect(transaction, block, &mut done)? {
            return Ok(());
        } else {
            for change in done.left_of(transaction) {
                if let Change::Rows(set) = change {
                    self.row_set(set, block, done.rows, place).await?;
                }
                done.rows = 0;
            }
        }
        self.open.complete(transaction, place);
        Ok(())
    }

    /// Asks the target whether the pipeline is still this writer's; to be called while no group is open.
    ///
    /// # Errors
    /// `checkpoint.fenced`, or `checkpoint.overruled` after a person's order, as a commit would say; server errors.
    pub async fn require_ownership(&mut self) -> Result<(), Error> {
        if self.store.is_ours(&mut self.lane.session).await? {
            return Ok(());
        }
        Err(self.store.lost(&mut self.lane.session).await)
    }

    /// Commits the open group with its checkpoint, and what is complete besides.
    ///
    /// # Errors
    /// As [`Engine::apply`]; `checkpoint.fenced`. `sink.nothing-to-commit` when there is no group that may be committed.
    pub async fn commit(&mut self) -> Result<Checkpoint, Error> {
        self.settle().await?;
        let mut durable = self.commit_while(|_| Ok(More::Nothing)).await?;
        while self.is_flying() {
            durable = self.go_on_while(|_| Ok(More::Nothing)).await?;
        }
        self.flight.settled = None;
        Ok(durable)
    }

    /// Commits the oldest group that is not durable, while `more` adds to the next one: it is called whenever the target is at work. With several connections,
    /// groups that are [full](More::Full) are written at the same time.
    ///
    /// # Errors
    /// As [`Engine::commit`], and what `more` returns; the group may then be committed or not.
    pub async fn commit_while(
        &mut self,
        mut more: impl FnMut(&mut Collector<H>) -> Result<More, Error>,
    ) -> Result<Checkpoint, Error> {
        // Where the target cannot tell whether a statement was run, nothing may write to the table that it has made before its own rows are there.
        let may_fly = self.lane.written.is_none() && !self.open.ends_intent();
        if self.flight.is_possible() && may_fly {
            return self.commit_in_flight(more).await;
        }
        let Some(sealed) = self.seal() else {
            return Err(Error::fatal(
                "sink.nothing-to-commit",
                "a commit was asked for where the stream does not allow one",
            ));
        };
        {
            let open = &mut self.open;
            let mut writing = pin!(self.lane.write_group(&sealed.closing));
            poll_fn(|context| {
                loop {
                    if let Poll::Ready(result) = writing.as_mut().poll(context) {
                        return Poll::Ready(result);
                    }
                    match more(open) {
                        Ok(More::Added) => {}
                        Ok(More::Nothing | More::Full) => return Poll::Pending,
                        Err(error) => return Poll::Ready(Err(error)),
                    }
                }
            })
            .await?;
        }
        self.count(&sealed.group);
        Ok(sealed.checkpoint)
    }

    /// Takes the open group out, if it may be committed.
    fn seal(&mut self) -> Option<Sealed<H>> {
        let (group, checkpoint, net) = self.open.close()?;
        let micros = group.totals.last_commit_micros;
        let mut fences = vec![
            self.store
                .advance_sql(&checkpoint, micros, group.ends_intent),
        ];
        let clearings = group.clearings.iter();
        fences.extend(clearings.map(|clearing| self.store.clearing_sql(clearing)));
        let may_go_ahead = self.open.goes_ahead && !group.holds_copied;
        let ahead = may_go_ahead.then(|| {
            let (note, key) = self.store.ahead_sql(checkpoint.ordinal, &group.names);
            [note, self.store.taken_in_sql(key)]
        });
        self.store.advanced(checkpoint.ordinal);
        Some(Sealed {
            closing: Closing {
                net,
                fences,
                ahead,
                place: Rc::clone(&group.place),
            },
            group,
            checkpoint,
        })
    }

    /// Counts a group that is durable.
    fn count(&mut self, group: &Group) {
        let durable = &mut self.totals;
        durable.transactions += group.totals.transactions;
        durable.rows += group.totals.rows;
        durable.rows_repaired += group.totals.rows_repaired;
        durable.groups += 1;
        durable.last_commit_micros = durable
            .last_commit_micros
            .max(group.totals.last_commit_micros);
    }
}
