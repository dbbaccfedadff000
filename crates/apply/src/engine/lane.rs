//! A connection to the target, and the group that is on its way over it.
//!
//! Statements are put together to packets ([`replies`](super::replies)); the target's transaction begins with the first of them.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

use super::order::{Called, TakesIn, Turn};
use super::replies::{Count, Expected};
use super::{Notice, Place};
use crate::checkpoint::Store;
use crate::mapping::Mapping;
use crate::net::{Limits, Net, Values};
use crate::settings;
use crate::statements::{Bounds, Check, Statement, load};

/// Rows in one statement.
pub(super) const ROWS: u64 = 1000;

/// One connection.
pub(super) struct Lane<S> {
    pub(super) session: Session<S>,
    /// The pipeline's row, to tell who has changed it when it is not as the fence expects.
    pub(super) owner: Store,
    /// A multi-row statement is ended, and a packet sent, at this size.
    pub(super) statement_bytes: usize,
    /// The target's max_allowed_packet.
    pub(super) allowed_packet: usize,
    /// The target takes LOAD DATA LOCAL.
    pub(super) loads: bool,
    /// The session's foreign_key_checks as set by the packets so far.
    pub(super) foreign_key_checks: bool,
    /// The session's statements wait for locks for a second only, as set by the packets so far.
    impatient: bool,
    /// A transaction is open, with so many bytes of statements.
    pub(super) written: Option<usize>,
    pub(super) packet: Vec<u8>,
    pub(super) in_packet: VecDeque<Expected>,
    pub(super) on_the_way: VecDeque<Expected>,
    pub(super) notices: Vec<Notice>,
}

/// What is written of a group that is complete.
pub(super) struct Closing<H> {
    pub(super) net: Net<H>,
    /// The statement that moves the checkpoint, and those that clear what it makes superfluous. Each must match exactly one row.
    pub(super) fences: Vec<Vec<u8>>,
    /// Where the group may be committed before older ones: the statement that notes what it holds, and the one that takes the note back.
    pub(super) ahead: Option<[Vec<u8>; 2]>,
    /// The group's newest transaction.
    pub(super) place: Rc<Place>,
}

/// How a group was written among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// While others were.
    AtOnce,
    /// Again, alone, since they waited for each other's locks.
    Again,
    /// Committed while older ones were not.
    Ahead,
}

/// What became of a group that was to be committed in its turn.
enum Written {
    /// It is committed, with so many that were ahead right behind it.
    InTurn(usize),
    /// It is committed before its turn; the statements by which the checkpoint takes it in.
    Ahead(TakesIn),
    /// It must give its locks back first.
    NotYet,
}

/// errno of "lock wait timeout exceeded" and of "deadlock found".
const LOCKED: [u16; 2] = [1205, 1213];

impl<S: Stream> Lane<S> {
    pub(super) fn new(
        mut session: Session<S>,
        owner: Store,
        allowed_packet: usize,
        loads: bool,
    ) -> Self {
        session.limit_local_packets(allowed_packet);
        Self {
            loads,
            session,
            owner,
            statement_bytes: (allowed_packet / 4).clamp(16 << 10, super::PACKET_BYTES),
            allowed_packet,
            foreign_key_checks: true,
            impatient: false,
            written: None,
            packet: Vec::new(),
            in_packet: VecDeque::new(),
            on_the_way: VecDeque::new(),
            notices: Vec::new(),
        }
    }

    /// Bounds of statements with at most so many rows.
    pub(super) fn bounds(&self, rows: u64) -> Bounds {
        Bounds {
            bytes: self.statement_bytes,
            rows,
            hints: self.session.server_version().is_mysql_since(8, 0, 20),
        }
    }

    /// Begins the target's transaction, unless it has begun.
    pub(super) fn begin(&mut self, place: &Rc<Place>) {
        if self.written.is_none() {
            self.wait_for_locks(false, place);
            self.start(place);
        }
    }

    fn start(&mut self, place: &Rc<Place>) {
        if self.written.is_none() {
            self.written = Some(0);
            self.push(b"START TRANSACTION", Count::Any, None, place);
        }
    }

    /// How long statements wait for locks: see [`super::order`].
    fn wait_for_locks(&mut self, impatient: bool, place: &Rc<Place>) {
        if self.impatient != impatient {
            self.impatient = impatient;
            let sql = if impatient {
                settings::IMPATIENT
            } else {
                settings::PATIENT
            };
            self.push(sql, Count::Any, None, place);
        }
    }

    /// Foreign keys as the rows ask: see CORRECTNESS, "Foreign keys". The source's unique_checks=0 is not followed: it would let a duplicate of a row that only the
    /// target has slip into a secondary unique key.
    pub(super) fn set_checks(&mut self, foreign_keys: bool, place: &Rc<Place>) {
        if self.foreign_key_checks != foreign_keys {
            self.foreign_key_checks = foreign_keys;
            let sql = format!(
                "SET SESSION foreign_key_checks = {}",
                u8::from(foreign_keys)
            );
            self.push(sql.as_bytes(), Count::Any, None, place);
        }
    }

    /// Writes what was collected.
    pub(super) async fn write_net<H: BuildHasher + Default>(
        &mut self,
        net: &Net<H>,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let limits = Limits {
            bounds: self.bounds(ROWS),
            values: Values::of(self.session.server_version()),
            loads: self.loads,
        };
        for table in net.tables() {
            let mut list = Vec::new();
            table.write(limits, |statement| {
                list.push(statement);
                Ok(())
            })?;
            // A table under foreign keys that the target looks after is not among them, as far as they can be seen.
            self.set_checks(table.is_checked(), place);
            for statement in list {
                self.push_statement(statement, table.mapping(), place)
                    .await?;
            }
        }
        Ok(())
    }

    /// Writes a group to its end and commits it, once every reply was read and every count was right.
    pub(super) async fn write_group<H: BuildHasher + Default>(
        &mut self,
        closing: &Closing<H>,
    ) -> Result<(), Error> {
        let place = &closing.place;
        self.begin(place);
        self.write_net(&closing.net, place)
            .await
            .map_err(|e| place.named(e))?;
        self.commit(closing, None).await.map(|_| ())
    }

    /// The same among other groups that are written at the same time. It is committed when its turn has come.
    pub(super) async fn write_among_others<H: BuildHasher + Default>(
        &mut self,
        closing: &Closing<H>,
        turn: Turn,
    ) -> Result<Manner, Error> {
        let result = self.write_and_yield(closing, turn).await;
        result.map_err(|error| closing.place.named(error))
    }

    async fn write_and_yield<H: BuildHasher + Default>(
        &mut self,
        closing: &Closing<H>,
        turn: Turn,
    ) -> Result<Manner, Error> {
        let place = &closing.place;
        turn.holds_locks();
        self.wait_for_locks(true, place);
        self.start(place);
        let (manner, after) = match self.write_in_turn(closing, &turn).await {
            Ok(Written::InTurn(after)) => (Manner::AtOnce, after),
            Ok(Written::Ahead(takes_in)) => {
                turn.end_ahead(takes_in);
                return Ok(Manner::Ahead);
            }
            Ok(Written::NotYet) => (Manner::Again, 0),
            Err(error) if error.server_errno.is_some_and(|n| LOCKED.contains(&n)) => {
                turn.asks_for_locks();
                (Manner::Again, 0)
            }
            Err(error) => return Err(error),
        };
        let after = if manner == Manner::Again {
            self.write_alone(closing, &turn).await?
        } else {
            after
        };
        turn.end(after);
        Ok(manner)
    }

    /// Writes the group, and commits it unless an older one asks for locks before its turn.
    async fn write_in_turn<H: BuildHasher + Default>(
        &mut self,
        closing: &Closing<H>,
        turn: &Turn,
    ) -> Result<Written, Error> {
        self.write_net(&closing.net, &closing.place).await?;
        // When its turn has come, the last statements go with the checkpoint.
        if !turn.has_come() {
            self.send_packet().await?;
            self.read_replies().await?;
            if let Some([note, unnote]) = &closing.ahead
                && turn.may_go_ahead()
                && !turn.has_come()
            {
                self.push_fence(note).await?;
                self.send_and_commit(&closing.place).await?;
                let takes_in = closing.fences.iter().chain([unnote]).cloned().collect();
                return Ok(Written::Ahead(takes_in));
            }
            if turn.called().await == Called::ToYield {
                return Ok(Written::NotYet);
            }
        }
        Ok(Written::InTurn(self.commit(closing, Some(turn)).await?))
    }

    /// Takes everything back, and writes it again when no other group holds locks.
    async fn write_alone<H: BuildHasher + Default>(
        &mut self,
        closing: &Closing<H>,
        turn: &Turn,
    ) -> Result<usize, Error> {
        self.take_back().await?;
        turn.holds_none();
        turn.comes_alone().await;
        turn.holds_locks();
        let place = &closing.place;
        self.begin(place);
        self.write_net(&closing.net, place).await?;
        self.commit(closing, Some(turn)).await
    }

    /// Commits a group, and moves the checkpoint over groups around it that were committed ahead. Returns how many of them are right behind it.
    async fn commit<H>(
        &mut self,
        closing: &Closing<H>,
        turn: Option<&Turn>,
    ) -> Result<usize, Error> {
        let met = turn.map(Turn::meets).unwrap_or_default();
        let before = met.before.iter().flat_map(|takes_in| takes_in.iter());
        let after = met.after.iter().flat_map(|takes_in| takes_in.iter());
        for fence in before.chain(&closing.fences).chain(after) {
            self.push_fence(fence).await?;
        }
        self.send_and_commit(&closing.place).await?;
        Ok(met.after.len())
    }

    /// Moves the checkpoint over groups that were committed ahead, up to the one that has this turn.
    pub(super) async fn take_in(
        &mut self,
        takes_in: &TakesIn,
        turn: Turn,
    ) -> Result<Manner, Error> {
        let place = Rc::default();
        turn.holds_locks();
        self.begin(&place);
        let before = turn.meets().before;
        let before = before.iter().flat_map(|takes_in| takes_in.iter());
        for fence in before.chain(takes_in.iter()) {
            self.push_fence(fence).await?;
        }
        self.send_and_commit(&place).await?;
        turn.end(0);
        Ok(Manner::AtOnce)
    }

    /// Puts a fence into the packet: there may be many, each with the text of a checkpoint.
    async fn push_fence(&mut self, fence: &[u8]) -> Result<(), Error> {
        if self.packet.len() + fence.len() >= self.allowed_packet {
            self.send_packet().await?;
        }
        self.push(fence, Count::Fence, None, &Rc::default());
        Ok(())
    }

    /// Commits once every reply was read.
    async fn send_and_commit(&mut self, place: &Place) -> Result<(), Error> {
        self.send_packet().await?;
        self.read_replies().await?;
        if let Err(error) = self.session.exec(b"COMMIT").await {
            return Err(place.named(error.into()));
        }
        self.written = None;
        Ok(())
    }

    /// Rolls back after an error that has left the session usable. Of the packet at hand nothing more was run then, and nothing more will be answered.
    async fn take_back(&mut self) -> Result<(), Error> {
        self.packet.clear();
        self.in_packet.clear();
        self.on_the_way.clear();
        self.session.exec(b"ROLLBACK").await?;
        let for_rows = settings::for_rows(self.session.server_version());
        self.session.exec(&for_rows).await?;
        self.foreign_key_checks = true;
        self.impatient = false;
        self.written = None;
        Ok(())
    }

    /// Puts a statement into the packet, which is sent when it is full.
    pub(super) async fn push_statement(
        &mut self,
        statement: Statement,
        mapping: &Rc<Mapping>,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let length = statement.sql.len();
        if length >= self.allowed_packet {
            return Err(self.statement_too_large(length, mapping));
        }
        if self.packet.len() + length >= self.allowed_packet {
            self.send_packet().await?;
        }
        let rows = statement.rows;
        let (count, guard) = match statement.check {
            Check::Strict => (Count::Rows(rows), None),
            Check::Documents => (Count::Documents(rows), None),
            Check::MayMiss => (Count::Any, None),
            Check::ReadBack(guard) => (Count::Lenient(rows), Some(guard)),
            Check::Load(data) => {
                return self.load(&statement.sql, &data, rows, mapping, place).await;
            }
        };
        if guard.is_some() {
            self.push(settings::LENIENT, Count::Any, None, place);
        }
        self.push_owned(statement.sql, count, Some(mapping), place);
        if let Some(guard) = guard {
            if self.packet.len() + guard.len() >= self.allowed_packet {
                self.send_packet().await?;
            }
            self.push_owned(guard, Count::Guard, Some(mapping), place);
            self.push(settings::STRICT, Count::Any, None, place);
        }
        if self.packet.len() >= self.statement_bytes {
            self.send_packet().await?;
        }
        Ok(())
    }

    /// Loads rows. Nothing else may be on the way meanwhile: the server would take it for the file.
    async fn load(
        &mut self,
        sql: &[u8],
        data: &[u8],
        rows: u64,
        mapping: &Rc<Mapping>,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        self.send_packet().await?;
        self.read_replies().await?;
        if let Some(written) = &mut self.written {
            *written += data.len();
        }
        let expected = Expected {
            count: Count::Any,
            mapping: Some(Rc::clone(mapping)),
            place: Rc::clone(place),
        };
        match self.session.load_local(sql, data).await {
            Ok(ok) if load::is_whole(&ok, rows) => Ok(()),
            // Duplicates count among the warnings: what the matter is, is said when the rows are inserted one by one.
            Ok(ok) => Err(expected.warned(ok.warnings)),
            Err(error) => Err(expected.refused(error)),
        }
    }

    /// The server would say so too, but it may close the connection before it is heard.
    fn statement_too_large(&self, length: usize, mapping: &Mapping) -> Error {
        Error::reconfigure(
            "server.packet-too-large",
            format!(
                "the statement for one row has {length} bytes, and the target takes packets of up to {}",
                self.allowed_packet
            ),
        )
        .hint("raise max_allowed_packet on the target (SET PERSIST max_allowed_packet = …, at most 1 GiB)")
        .in_table(&mapping.target.schema, &mapping.target.name)
    }
}
