//! Transactions and their checkpoints: which records stand in which batch, and where the stream can be resumed.
//!
//! The [`State`] moves only at a transaction's end. A transaction that outgrows a batch is cut into numbered pieces, and a
//! resume point stands only on the last. Where nothing of a transaction is replicated it still goes out, without changes, so that the
//! checkpoint's GTID set stays exact.
//!
//! Checkpoints cost something to write, so not every transaction carries one, only: the last of a batch, one with a statement and the one
//! before it, the one before a transaction in pieces, and one every few dozen.

use datain_binlog::AlterPhase;
use datain_contract::ErrorExt as _;
use datain_contract::types::{Batch, Change, Error, Statement, Transaction, XaBranch, XaStep};

use crate::batches::{Batches, row_count};
use crate::checkpoint::{Scope, State};
use crate::copying::Place;
use crate::gtids::TransactionGtid;
use crate::position::Position;
use crate::temporary::TemporaryTables;

/// A checkpoint stands on every so many transactions at least, and after so many rows.
const CHECKPOINT_TRANSACTIONS: u32 = 32;
const CHECKPOINT_ROWS: u64 = 256;

/// A transaction that has begun.
pub struct Open {
    /// Its GTID, where it has one.
    pub gtid: Option<TransactionGtid>,
    /// Where it begins.
    pub begins: Position,
    /// Commit time, microseconds since 1970.
    pub committed_at_micros: u64,
    /// BEGIN was seen: it ends at Xid or COMMIT. Otherwise it ends with its one statement.
    pub block: bool,
    /// The step of an XA branch that it is.
    pub xa: Option<XaBranch>,
    /// The phase of an ALTER that MariaDB has logged in two.
    pub alter: Option<AlterPhase>,
    /// It holds a statement: it must carry a resume point.
    holds_statement: bool,
    piece: u32,
    changes: Vec<Change>,
}

/// Totals for the status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Transactions read.
    pub transactions: u64,
    /// Bytes of events read.
    pub bytes: u64,
    /// Commit time of the newest transaction, microseconds since 1970.
    pub last_commit_micros: u64,
}

/// See the module.
pub struct Framing {
    /// End of the newest event.
    pub at: Position,
    /// When its file was begun, where that is kept: see [`State::file_began`].
    pub file_began: Option<u32>,
    /// As of the newest whole transaction.
    pub state: State,
    /// Ordinal of the newest whole transaction.
    pub ordinal: u64,
    /// The transaction under way.
    pub open: Option<Open>,
    /// Records and rows on their way out.
    pub batches: Batches,
    /// Row bytes at which a batch is ended.
    pub max_batch_bytes: usize,
    /// Totals.
    pub counts: Counts,
    since_checkpoint: (u32, u64),
    /// A checkpoint stands on every so many transactions at least.
    checkpoint_transactions: u32,
    /// Inside a compressed transaction: its end waits until the event that holds it is over, and whether it has been seen.
    held_end: Option<bool>,
    /// A new pipeline: where it begins is to be written down before anything else, so that a restart begins there too.
    start_untold: bool,
    /// What is replicated when a copy is complete.
    pub scope: Option<Scope>,
    /// Temporary tables of the source, as of the newest event.
    pub temporary: TemporaryTables,
}

impl Framing {
    /// Begins after `state` and `ordinal`.
    pub fn new(state: State, ordinal: u64) -> Self {
        Framing {
            at: state.position.clone(),
            file_began: state.file_began,
            temporary: state.temporary.clone(),
            state,
            ordinal,
            open: None,
            batches: Batches::default(),
            max_batch_bytes: 1 << 20,
            counts: Counts::default(),
            since_checkpoint: (0, 0),
            checkpoint_transactions: CHECKPOINT_TRANSACTIONS,
            held_end: None,
            start_untold: false,
            scope: None,
        }
    }

    /// From now on the end of a transaction only counts once it is [released](Framing::release_end).
    pub fn hold_end(&mut self) {
        self.held_end = Some(false);
    }

    /// Forgets the transaction under way.
    pub fn abandon(&mut self) {
        self.open = None;
        self.held_end = None;
    }

    /// Whether an end is being held back.
    pub fn end_is_held_back(&self) -> bool {
        self.held_end == Some(true)
    }

    /// Ends the transaction whose end was held back.
    ///
    /// # Errors
    /// `binlog.malformed` when there was no end; as [`Framing::end`].
    pub fn release_end(&mut self) -> Result<(), Error> {
        match self.held_end.take() {
            Some(true) => self.end(),
            _ => Err(Error::fatal(
                "binlog.malformed",
                "a compressed transaction has no end",
            )),
        }
    }

    /// Has the beginning written down as soon as it is known.
    pub fn tell_start(&mut self) {
        self.start_untold = true;
    }

    /// Puts a checkpoint on every transaction.
    pub fn mark_each(&mut self) {
        self.checkpoint_transactions = 1;
    }

    /// Whether the stream stands between two transactions, and its beginning is told.
    pub fn is_settled(&self) -> bool {
        self.open.is_none() && !self.start_untold
    }

    /// Begins a transaction at `offset` of the current file.
    pub fn begin(
        &mut self,
        gtid: Option<TransactionGtid>,
        offset: u64,
        committed_at_micros: u64,
    ) -> &mut Open {
        let begins = Position {
            file: self.at.file.clone(),
            offset,
        };
        self.open.insert(Open {
            gtid,
            begins,
            committed_at_micros,
            block: false,
            xa: None,
            alter: None,
            holds_statement: false,
            piece: 0,
            changes: Vec::new(),
        })
    }

    /// Whether nothing of the transaction under way has been collected or handed out.
    pub fn is_at_its_beginning(&self) -> bool {
        self.open
            .as_ref()
            .is_none_or(|open| open.piece == 0 && open.changes.is_empty())
    }

    /// Adds a statement to the transaction under way. Groups end before it, so the transaction before needs a resume point, and so does its own.
    pub fn push_statement(&mut self, statement: Statement) {
        self.mark();
        if let Some(open) = &mut self.open {
            open.holds_statement = true;
        }
        self.batches.weigh(&statement);
        self.push(Change::Statement(statement));
    }

    /// Ends the first phase of the XA branch under way; with `one_phase` it is committed at once.
    ///
    /// # Errors
    /// As [`Framing::end`].
    pub fn end_branch(&mut self, one_phase: bool) -> Result<(), Error> {
        if let Some(open) = &mut self.open
            && one_phase
        {
            match &mut open.xa {
                // The pieces before went out as prepared, since only the end tells.
                Some(xa) if open.piece > 0 => xa.step = XaStep::Commit,
                xa => *xa = None,
            }
        }
        self.end()
    }

    /// Adds a change to the transaction under way.
    pub fn push(&mut self, change: Change) {
        if let Some(open) = &mut self.open {
            open.changes.push(change);
        }
    }

    /// Ends the batch, with what there is of the open transaction as a piece, if it is full.
    pub fn cut_if_full(&mut self) {
        if self.batches.bytes() < self.max_batch_bytes {
            return;
        }
        // So that the sink can commit what came before a transaction that may be long.
        self.mark();
        let ordinal = self.ordinal + 1;
        if let Some(open) = &mut self.open {
            let record = open.record(ordinal, false);
            open.piece += 1;
            self.batches.add(record);
        }
        self.batches.cut();
    }

    /// The oldest full batch; if there is none, what has been collected of whole transactions.
    pub fn take_batch(&mut self) -> Option<Batch> {
        // Rows of a transaction that has not ended stand in the open batch already: its end is on the way.
        let half = self
            .open
            .as_ref()
            .is_some_and(|open| !open.changes.is_empty());
        if !self.batches.has_finished() && self.batches.has_open() && !half {
            self.mark();
            self.batches.cut();
        }
        self.batches.take()
    }

    /// Ends the transaction under way.
    ///
    /// # Errors
    /// `source.anonymous-transaction` in a stream by GTID; `binlog.malformed` when none is under way.
    pub fn end(&mut self) -> Result<(), Error> {
        if let Some(seen) = &mut self.held_end {
            *seen = true;
            return Ok(());
        }
        let Some(mut open) = self.open.take() else {
            return Err(Error::fatal(
                "binlog.malformed",
                "the log ends a transaction that it has not begun",
            ));
        };
        if let Some(gtids) = &mut self.state.gtids {
            let Some(gtid) = open.gtid else {
                self.open = Some(open);
                return Err(Error::fatal(
                    "source.anonymous-transaction",
                    "the stream goes by GTID, and the source logged a transaction without one",
                )
                .hint("set gtid_mode = ON on the source and take a new first copy, or start by file and position"));
            };
            if !gtids.add(gtid) {
                return Err(Error::fatal(
                    "binlog.malformed",
                    "the log names a transaction in the manner of the other flavour, MySQL or MariaDB",
                ));
            }
        }
        self.ordinal += 1;
        self.stand_here();
        self.counts.transactions += 1;
        self.counts.last_commit_micros =
            self.counts.last_commit_micros.max(open.committed_at_micros);
        let record = open.record(self.ordinal, true);
        self.since_checkpoint.0 += 1;
        self.since_checkpoint.1 += row_count(&record.changes);
        self.batches.add(record);
        if self.since_checkpoint.0 >= self.checkpoint_transactions
            || self.since_checkpoint.1 >= CHECKPOINT_ROWS
            || open.holds_statement
        {
            self.mark();
        }
        self.cut_if_full();
        Ok(())
    }

    /// The state's position is here.
    pub fn stand_here(&mut self) {
        self.state.position = self.at.clone();
        self.state.file_began = self.file_began;
        self.state.temporary.clone_from(&self.temporary);
    }

    /// Puts a resume point on the newest record, if that ends a transaction.
    pub fn mark(&mut self) {
        let (state, ordinal) = (&self.state, self.ordinal);
        if let Some(newest) = self.batches.newest()
            && newest.last
            && newest.checkpoint.is_none()
        {
            newest.checkpoint = Some(state.checkpoint(ordinal));
        }
        self.since_checkpoint = (0, 0);
    }

    /// Adds a transaction that is not in the log, with a resume point, and says how far the copy has come with it; none if it is complete. `stands` is its place, for people.
    pub fn hand_on(&mut self, changes: Vec<Change>, stands: Position, copy: Option<Place>) {
        // Groups end before a statement.
        self.mark();
        self.ordinal += 1;
        if copy.is_none() {
            self.state.aside = None;
            self.state.scope.clone_from(&self.scope);
        }
        self.state.copy = copy;
        self.batches.add(Transaction {
            ordinal: self.ordinal,
            piece: 0,
            last: true,
            gtid: None,
            file: stands.file,
            offset: stands.offset,
            committed_at_micros: 0,
            changes,
            xa: None,
            checkpoint: None,
        });
        self.mark();
        self.cut_if_full();
    }

    /// Lets the checkpoint follow the log where it has grown without transactions (a new file, or a dump's skipping), so that the source may
    /// purge what is behind.
    pub fn progress(&mut self) {
        let ahead = self.at.compare(&self.state.position) == Some(std::cmp::Ordering::Greater);
        if self.open.is_some() || !(ahead || self.start_untold) {
            return;
        }
        self.start_untold = false;
        self.ordinal += 1;
        self.stand_here();
        self.batches.add(Transaction {
            ordinal: self.ordinal,
            piece: 0,
            last: true,
            gtid: None,
            file: self.at.file.clone(),
            offset: self.at.offset,
            committed_at_micros: 0,
            changes: Vec::new(),
            xa: None,
            checkpoint: None,
        });
        self.mark();
    }
}

impl Open {
    fn record(&mut self, ordinal: u64, last: bool) -> Transaction {
        Transaction {
            ordinal,
            piece: self.piece,
            last,
            gtid: self.gtid.as_ref().map(ToString::to_string),
            file: self.begins.file.clone(),
            offset: self.begins.offset,
            committed_at_micros: self.committed_at_micros,
            changes: std::mem::take(&mut self.changes),
            xa: self.xa.clone(),
            checkpoint: None,
        }
    }
}
