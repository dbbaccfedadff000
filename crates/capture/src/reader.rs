//! Reads a server's log as a replica does.
//!
//! One session asks the facts, registers, and asks for the dump. After that [`Reader::next_batch`] takes events as they come: everything that is in
//! the buffer already, then, if that was no whole batch and nothing else is there, it hands out what it has, and only with nothing at all it waits. It
//! may be left suspended at any time.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Batch, Checkpoint, Error};
use datain_mysql_client::{DUMP_HEARTBEAT_V2, DUMP_THROUGH_GTID, DumpPacket, Session, Stream};
pub use datain_schema_objects::plan::Definer;
use datain_schema_objects::plan::{Choices, INDEXES_AFTER};
use datain_sql_statement::TableFilter;
use serde::Deserialize;

use crate::assembler::Assembler;
use crate::checkpoint::State;
use crate::copying::throttle::Limits;
use crate::copying::{self, Clock, Copier, CopyControl, Step};
use crate::facts::{Facts, is_known_source};
use crate::framing::Counts;
use crate::gtids::Gtids;
use crate::neighbours::{Listed, Registration};
use crate::replay::Replay;
use crate::start::{self, Start};
use crate::unsaid::Sessions;

/// What the reader must be told; the source's configuration.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// The pipeline's name.
    pub stream: String,
    /// The server id under which it registers; no other replica of the source may use it.
    pub server_id: u32,
    /// Patterns of tables to replicate; none means all.
    #[serde(default)]
    pub include: Vec<String>,
    /// Patterns of tables not to replicate.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// As whom views, routines, triggers and events run on the target.
    #[serde(default)]
    pub definer: Definer,
    /// Where a new pipeline begins.
    #[serde(default)]
    pub start: Start,
    /// The largest row, in bytes.
    #[serde(default = "max_row_bytes")]
    pub max_row_bytes: u64,
    /// Seconds of silence after which the source sends a sign of life.
    #[serde(default = "heartbeat_seconds")]
    pub heartbeat_seconds: u64,
    /// Connections over which tables are read for the first copy, each another table.
    #[serde(default = "copy_readers")]
    pub copy_readers: usize,
    /// Rows in a chunk of the first copy at most.
    #[serde(default = "chunk_rows")]
    pub chunk_rows: u32,
    /// How fast the first copy may be.
    #[serde(default)]
    pub snapshot: Limits,
    /// From so many bytes of data on a table gets its indexes behind its rows in a first copy.
    #[serde(default = "indexes_after")]
    pub indexes_after: u64,
    /// A first copy also takes tables without a key.
    #[serde(default)]
    pub keyless: bool,
    /// A resume point on every transaction, so that the sink can commit each by itself.
    #[serde(default)]
    pub one_by_one: bool,
    /// What becomes of changes of rows that were logged as statements.
    #[serde(default)]
    pub statements: Statements,
    /// What the target has beyond the checkpoint: see [`start::hold_ahead`].
    #[serde(default)]
    pub ahead: Option<String>,
}

/// What becomes of changes of rows that the source has logged as statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Statements {
    /// They end the stream.
    #[default]
    Stop,
    /// They are handed on.
    Replay,
}

impl Settings {
    /// How a first copy makes definitions.
    #[must_use]
    pub fn choices(&self) -> Choices {
        Choices {
            definer: self.definer,
            indexes_after: Some(self.indexes_after),
        }
    }

    /// The filter, with names compared as the server does.
    ///
    /// # Errors
    /// `config.filter`.
    pub fn filter(&self, facts: &Facts) -> Result<TableFilter, Error> {
        datain_server_facts::filter(&self.include, &self.exclude, facts.lower_case_names)
    }
}

fn copy_readers() -> usize {
    2
}

fn chunk_rows() -> u32 {
    20_000
}

fn indexes_after() -> u64 {
    INDEXES_AFTER
}

fn max_row_bytes() -> u64 {
    64 << 20
}

fn heartbeat_seconds() -> u64 {
    5
}

/// What is known of the stream at this moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The newest position read, for people.
    pub position: String,
    /// Totals.
    pub counts: Counts,
    /// Ordinal of the newest whole transaction read.
    pub ordinal: u64,
    /// Everything that the source had committed when the reader was opened has been read.
    pub reached_head: bool,
    /// A transaction has begun, and its end has not been read.
    pub in_transaction: bool,
    /// What the first copy is at, for people: definitions, or a table.
    pub copying: Option<String>,
}

/// A dump under way.
pub struct Reader<S> {
    session: Session<S>,
    assembler: Assembler,
    head: Facts,
    reached_head: bool,
    /// What ended the stream; the transactions before it go out first.
    failed: Option<Error>,
    registered: Registered,
    copier: Option<Copier<S>>,
    /// Of the first copy, if there is one to make.
    control: Rc<CopyControl>,
    clock: Option<Clock>,
    filter: TableFilter,
    /// The filter as text.
    patterns: String,
    chunk_rows: u32,
    choices: Choices,
    keyless: bool,
}

impl<S: Stream + 'static> Reader<S> {
    /// Checks the server, decides where to begin, and asks for the dump. With `set_position` it begins where the settings say, and only the numbering
    /// goes on from `resume`.
    ///
    /// # Errors
    /// See [`Facts::require`], [`start::state`] and [`start::hold_ahead`]; `config.filter`; errors of the server.
    pub async fn open(
        mut session: Session<S>,
        settings: &Settings,
        resume: Option<&Checkpoint>,
        set_position: bool,
    ) -> Result<Self, Error> {
        if !is_known_source(session.server_version()) {
            return Err(Error::reconfigure(
                "source.flavour-unsupported",
                format!(
                    "the source is {}, whose log this version cannot follow",
                    session.server_version()
                ),
            )
            .hint("MySQL, and MariaDB 10.6 and later, are supported"));
        }
        let facts = Facts::ask(&mut session).await?;
        let filter = settings.filter(&facts)?;
        let ordinal = resume.map_or(0, |c| c.ordinal);
        let resume = match resume {
            Some(checkpoint) if !set_position => Some(State::from_checkpoint(checkpoint)?),
            Some(checkpoint) if State::from_checkpoint(checkpoint)?.copy.is_some() => {
                return Err(copying::incomplete());
            }
            _ => None,
        };
        let replays = settings.statements == Statements::Replay;
        facts.require(replays)?;
        let state = start::state(&settings.start, resume, &facts)?;
        // A statement's effect cannot be kept apart by rows that are copied and rows that are not.
        facts.require(replays && state.copy.is_none())?;
        if let Some(ahead) = &settings.ahead {
            start::hold_ahead(ahead, &facts)?;
        }
        if state.gtids.is_none() && facts.head.is_none() {
            return Err(start::position_unknown());
        }
        if state.gtids.is_none() {
            start::file_is_there(&mut session, &state.position).await?;
        }
        let replay = if replays {
            Some(Replay::ask(&mut session).await?)
        } else {
            None
        };
        let registered = request_dump(&mut session, settings, &state).await?;
        let mut assembler = Assembler::new(
            state,
            ordinal,
            facts.checksum,
            filter.clone(),
            settings.max_row_bytes,
        );
        assembler.suppose(Sessions {
            explicit_timestamps: facts.explicit_timestamps,
        });
        if let Some(replay) = replay {
            assembler.replay_statements(replay);
        }
        if settings.one_by_one {
            assembler.mark_each();
        }
        assembler.let_run_as(settings.definer);
        if ordinal == 0 || set_position {
            assembler.tell_start();
        }
        let mut reader = Reader {
            session,
            assembler,
            head: facts,
            reached_head: false,
            failed: None,
            registered,
            copier: None,
            control: Rc::default(),
            clock: None,
            filter,
            patterns: format!("{:?} but {:?}", settings.include, settings.exclude),
            chunk_rows: settings.chunk_rows.max(1),
            choices: settings.choices(),
            keyless: settings.keyless,
        };
        reader.look_for_head();
        Ok(reader)
    }

    /// Whether the source listed another reader of this pipeline at the opening. It has ended it by now; it may be what is left of a host that was
    /// killed, or of a connection that broke.
    #[must_use]
    pub fn replaces_another(&self) -> bool {
        self.registered.replaces
    }

    /// Whether the source lists this reader under its id. Where it does, somebody else has registered under the id if it does no longer.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.registered.listed
    }

    /// Another pipeline with the same server id that began at the same moment and was refused, as SHOW REPLICAS named it.
    #[must_use]
    pub fn refused_neighbour(&self) -> Option<&str> {
        self.registered.refused.as_deref()
    }

    /// Whether a first copy has to be made or completed; [`Reader::copy_over`] must be called before the first batch then.
    #[must_use]
    pub fn is_to_copy(&self) -> bool {
        self.assembler.copy_place().is_some()
    }

    /// Makes the first copy over these sessions, one at least, among the changes of the stream, as fast as `control` allows, which is told how far it is.
    ///
    /// # Errors
    /// What cannot be copied, with table; errors of the server.
    pub async fn copy_over(
        &mut self,
        sessions: Vec<Session<S>>,
        clock: Clock,
        control: Rc<CopyControl>,
    ) -> Result<(), Error> {
        let by_gtid = matches!(self.assembler.gtids(), Some(Gtids::Set(_)));
        let filter = self.filter.clone();
        let patterns = self.patterns.clone();
        self.control = control;
        self.clock = Some(clock);
        let mut copier = Copier::new(
            sessions,
            filter,
            by_gtid,
            patterns,
            self.chunk_rows,
            clock.now,
            Rc::clone(&self.control),
        );
        copier.choose(self.choices, self.keyless);
        copier.begin(&mut self.assembler).await?;
        self.copier = Some(copier);
        Ok(())
    }

    /// What people should read of the first copy, since the last call.
    pub fn take_notices(&mut self) -> Vec<String> {
        self.copier
            .as_mut()
            .map(Copier::take_notices)
            .unwrap_or_default()
    }

    /// Does the copy's next thing, where there is something to do.
    async fn copy(&mut self) -> Next {
        let Some(copier) = &mut self.copier else {
            return Next::Stream;
        };
        if self.failed.is_some()
            || !self.assembler.is_settled()
            || !self.assembler.knows_its_place()
            || self.assembler.has_full_batch()
        {
            return Next::Stream;
        }
        match copier.step(&mut self.assembler).await {
            Ok(Step::HandedOn) => Next::Goes,
            Ok(Step::Waits) => Next::Stream,
            Ok(Step::Rests(until)) => Next::StreamUntil(until),
            Ok(Step::Complete) => {
                self.copier = None;
                Next::Goes
            }
            Err(error) => {
                self.fail(error);
                Next::Goes
            }
        }
    }

    /// The stream under the session.
    #[must_use]
    pub fn stream(&self) -> &S {
        self.session.stream()
    }

    /// The next batch of about `max_bytes` of rows; waits for the first change. `tell` hears of the progress before each wait.
    ///
    /// # Errors
    /// Anything that cannot be replicated; errors of the server and of the network. The reader must then be dropped.
    pub async fn next_batch(
        &mut self,
        max_bytes: usize,
        mut tell: impl FnMut(Progress),
    ) -> Result<Batch, Error> {
        self.assembler.set_batch_bytes(max_bytes);
        loop {
            self.read_on().await;
            let holds = self.is_held();
            if self.failed.is_none()
                && !holds
                && let Err(error) = self.take_buffered()
            {
                self.fail(error);
            }
            let next = self.copy().await;
            self.look_for_head();
            let batch = self.assembler.take_batch();
            tell(self.progress());
            if let Some(batch) = batch {
                return Ok(batch);
            }
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            let rest = match next {
                Next::Goes => continue,
                Next::Stream => None,
                Next::StreamUntil(until) => self.clock.map(|clock| (clock, until)),
            };
            if let Err(error) = self.wait(holds, rest).await {
                self.fail(error);
            }
        }
    }

    /// Waits for the stream's next packet, unless the stream is `held`, or until a chunk of the copy has been read; if the copy rests, until that is over or its limits are
    /// others.
    async fn wait(&mut self, held: bool, rest: Option<(Clock, u64)>) -> Result<(), Error> {
        let Self {
            session,
            assembler,
            copier,
            control,
            ..
        } = self;
        let limits = control.limits();
        let mut packet = pin!(session.next_event());
        poll_fn(|context| {
            if let Some(copier) = copier
                && let Poll::Ready(read) = copier.read_on(context, assembler)
            {
                return Poll::Ready(read);
            }
            if !held && let Poll::Ready(packet) = packet.as_mut().poll(context) {
                return Poll::Ready(packet.map_err(Error::from).and_then(|p| take(p, assembler)));
            }
            let Some((clock, until)) = rest else {
                return Poll::Pending;
            };
            if (clock.now)() >= until || control.limits() != limits {
                return Poll::Ready(Ok(()));
            }
            (clock.wake_at)(until);
            Poll::Pending
        })
        .await
    }

    /// Lets the reading of chunks go on, without waiting for it.
    async fn read_on(&mut self) {
        let Some(copier) = &mut self.copier else {
            return;
        };
        let assembler = &mut self.assembler;
        let read = poll_fn(|context| match copier.read_on(context, assembler) {
            Poll::Ready(Err(error)) => Poll::Ready(Some(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(None),
        });
        if let Some(error) = read.await
            && self.failed.is_none()
        {
            self.fail(error);
        }
    }

    /// Waits until `enough`, while chunks of the copy are read on: without GTIDs their rows are locked until they are read.
    pub async fn rest(&mut self, enough: impl Future<Output = ()>) {
        let mut enough = pin!(enough);
        poll_fn(|context| {
            if self.failed.is_none()
                && let Some(copier) = &mut self.copier
                && let Poll::Ready(Err(error)) = copier.read_on(context, &mut self.assembler)
            {
                self.fail(error);
            }
            enough.as_mut().poll(context)
        })
        .await;
    }

    /// Whether the stream must stand still until a chunk of the copy has been read.
    fn is_held(&mut self) -> bool {
        let Some(copier) = &self.copier else {
            return false;
        };
        copier.holds_the_stream(&mut self.assembler)
    }

    /// Takes events that are there already, until a batch is full.
    fn take_buffered(&mut self) -> Result<(), Error> {
        while !self.assembler.has_full_batch() && !self.assembler.go_on()? {
            match self.session.buffered_packet()? {
                Some(packet) => take(packet, &mut self.assembler)?,
                None => break,
            }
        }
        Ok(())
    }

    /// Keeps an error until the whole transactions before it were handed out, so that the checkpoint can stand right before its cause.
    fn fail(&mut self, error: Error) {
        self.assembler.abandon();
        self.failed = Some(error);
    }

    /// What is known of the stream now.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let position = self.assembler.position().to_string();
        Progress {
            position: match self.assembler.gtids() {
                Some(set) => format!("{position} {set}"),
                None => position,
            },
            counts: self.assembler.counts(),
            ordinal: self.assembler.ordinal(),
            reached_head: self.reached_head,
            in_transaction: !self.assembler.is_settled(),
            copying: self.assembler.copy_place().map(ToString::to_string),
        }
    }

    fn look_for_head(&mut self) {
        if self.reached_head || self.is_to_copy() || !self.assembler.is_settled() {
            return;
        }
        self.reached_head = match (self.assembler.gtids(), &self.head.head) {
            (Some(gtids), _) => self.head.executed.is_subset_of(gtids),
            (None, Some(head)) => self
                .assembler
                .position()
                .compare(head)
                .is_some_and(std::cmp::Ordering::is_ge),
            // `open` does not let that happen.
            (None, None) => false,
        };
    }
}

/// What comes next.
enum Next {
    /// There is something to do without the stream.
    Goes,
    /// The stream's next event, or the copy's next chunk.
    Stream,
    /// The same, but this moment at the latest.
    StreamUntil(u64),
}

fn take(packet: DumpPacket<'_>, assembler: &mut Assembler) -> Result<(), Error> {
    match packet {
        DumpPacket::Event(bytes) => assembler.offer(bytes),
        DumpPacket::Piece { bytes, first, last } => assembler.piece(bytes, first, last),
        DumpPacket::EndOfStream => Err(Error::retry(
            "source.dump-ended",
            "the source ended the dump",
        )),
    }
}

/// What became of registering with the source.
pub(crate) struct Registered {
    /// The source listed another reader of this pipeline before.
    replaces: bool,
    /// The source lists this one now.
    listed: bool,
    /// Another pipeline was refused at the same moment because of this one: the host that it gave.
    refused: Option<String>,
}
/// While the target is slow nothing is read, and the source must wait: by itself it gives up after a minute, and a large transaction would begin anew.
const WRITE_TIMEOUT_SECONDS: u32 = 86_400;

/// Says that MariaDB's own events are known, up to its GTIDs; it would write others in their place, and cannot go by GTID then.
const MARIADB_CAPABILITY: &[u8] = b"SET @mariadb_slave_capability = 4";

pub(crate) async fn request_dump<S: Stream>(
    session: &mut Session<S>,
    settings: &Settings,
    state: &State,
) -> Result<Registered, Error> {
    let nanos = settings.heartbeat_seconds.max(1) * 1_000_000_000;
    let registration = Registration::of(settings);
    registration.differs_from(session).await?;
    let before = registration.look(session).await.map_err(without_right)?;
    // Old servers know the one name of each, new ones the other.
    let sql = format!(
        "SET @master_heartbeat_period = {nanos}, @source_heartbeat_period = {nanos}, \
         @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum, \
         SESSION net_write_timeout = {WRITE_TIMEOUT_SECONDS}"
    );
    session.exec(sql.as_bytes()).await?;
    if session.server_version().is_mariadb() {
        session.exec(MARIADB_CAPABILITY).await?;
    }
    session.exec(registration.tell_uuid().as_bytes()).await?;
    registration
        .register(session)
        .await
        .map_err(without_right)?;
    let mut after = registration.look(session).await?;
    let refused = match after {
        Listed::Card(host) => {
            registration.register(session).await?;
            after = registration.look(session).await?;
            Some(host)
        }
        _ => None,
    };
    let registered = Registered {
        replaces: before == Listed::Ourselves,
        listed: after == Listed::Ourselves,
        refused,
    };
    // In files over 4 GiB a sign of life of the old kind does not say where the source is.
    let heartbeat = if session.server_version().is_mysql_since(8, 0, 26) {
        DUMP_HEARTBEAT_V2
    } else {
        0
    };
    match &state.gtids {
        // MariaDB takes the position from the session; file and offset say nothing then.
        Some(Gtids::Position(position)) => {
            let sql = format!(
                "SET @slave_connect_state = '{position}', @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0"
            );
            session.exec(sql.as_bytes()).await?;
            session
                .binlog_dump(settings.server_id, "", 4, heartbeat)
                .await?;
        }
        Some(Gtids::Set(gtids)) => {
            session
                .binlog_dump_gtid(
                    settings.server_id,
                    DUMP_THROUGH_GTID | heartbeat,
                    "",
                    4,
                    &gtids.encode(),
                )
                .await?;
        }
        None => {
            let offset = u32::try_from(state.position.offset).map_err(|_| {
                Error::reconfigure(
                    "source.offset-too-large",
                    format!(
                        "the protocol cannot ask for offset {} of {}",
                        state.position.offset, state.position.file
                    ),
                )
                .hint("use GTIDs, which have no such limit; keep max_binlog_size at or under 1 GiB")
            })?;
            session
                .binlog_dump(settings.server_id, &state.position.file, offset, heartbeat)
                .await?;
        }
    }
    Ok(registered)
}

/// The server answers a replica without the privilege with 1045, as if the password were wrong, and the question for its replicas with 1227.
fn without_right(error: Error) -> Error {
    if error.server_errno != Some(ACCESS_DENIED) && error.code != "server.privilege-missing" {
        return error;
    }
    let mut refused = Error::reconfigure(
        "server.privilege-missing",
        "the account may not read the binary log: it lacks the privilege REPLICATION SLAVE",
    )
    .hint("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO the source's account");
    refused.server_errno = error.server_errno;
    refused.sqlstate = error.sqlstate;
    refused
}

const ACCESS_DENIED: u16 = 1045;
