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
use datain_mysql_client::{DumpPacket, Session, Stream};
use datain_schema_objects::plan::Choices;
pub use datain_schema_objects::plan::Definer;
use datain_sql_statement::TableFilter;

use crate::adding::{self, Change};
use crate::assembler::Assembler;
use crate::checkpoint::{Scope, State};
use crate::copying::{self, Clock, Copier, CopyControl, Step};
use crate::dump::{Registered, request_dump};
use crate::facts::{Facts, is_known_source};
use crate::framing::Counts;
use crate::gtids::Gtids;
use crate::replay::Replay;
use crate::restarts::Files;
pub use crate::settings::{Settings, Statements};
use crate::start;
use crate::unsaid::Sessions;

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
    /// What was replicated before, where tables are added.
    before: Option<TableFilter>,
    /// The stream has not come to where they can be.
    is_adding_later: bool,
    notices: Vec<String>,
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
        // The names of files mean something on their own server only.
        let is_other_server = resume
            .as_ref()
            .is_some_and(|state| state.server_uuid != facts.server_uuid);
        let replays = settings.statements == Statements::Replay;
        facts.require(replays)?;
        let mut state = start::state(&settings.start, resume, &facts)?;
        let scope = settings.scope();
        let copies = settings.start.mode == "snapshot";
        let (scope_before, copy_before) = (state.scope.clone(), state.copy.is_some());
        let change = adding::take_in(&mut state, &scope, copies)?;
        let is_changed = state.scope != scope_before || state.copy.is_some() != copy_before;
        let mut notices = Vec::new();
        let earlier = |scope: &Scope| {
            datain_server_facts::filter(&scope.include, &scope.exclude, facts.lower_case_names)
        };
        let before = match &change {
            Change::Add { before } | Change::GoOn { before } => Some(earlier(before)?),
            Change::Uncopied { before } => {
                let added = filter.clone().beyond(earlier(before)?);
                notices.extend(adding::uncopied(&mut session, &added).await?);
                None
            }
            Change::GiveUp => {
                notices.push(adding::GIVEN_UP.to_owned());
                None
            }
            Change::None => None,
        };
        let is_adding_later = matches!(change, Change::Add { .. });
        // A statement's effect cannot be kept apart by rows that are copied and rows that are not.
        facts.require(replays && state.copy.is_none() && !is_adding_later)?;
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
        if !replays {
            // Nobody follows what becomes of them.
            state.temporary.doubt();
        }
        let files = if state.temporary.is_empty() || is_other_server {
            Files::default()
        } else {
            Files::behind(&mut session, &state.position).await?
        };
        let registered = request_dump(&mut session, settings, &state).await?;
        let mut assembler = Assembler::new(
            state,
            ordinal,
            facts.checksum,
            match &before {
                Some(before) if is_adding_later => filter.clone().within(before.clone()),
                _ => filter.clone(),
            },
            settings.max_row_bytes,
        );
        if let Some(before) = &before {
            assembler.are_added(filter.clone().beyond(before.clone()));
        }
        assembler.suppose(Sessions {
            explicit_timestamps: facts.explicit_timestamps,
        });
        if let Some(replay) = replay {
            assembler.replay_statements(replay, files);
        }
        if settings.one_by_one {
            assembler.mark_each();
        }
        assembler.let_run_as(settings.definer);
        if ordinal == 0 || set_position || is_changed {
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
            patterns: scope.text(),
            before,
            is_adding_later,
            notices,
            chunk_rows: settings.chunk_rows.max(1),
            choices: settings.choices(),
            keyless: settings.keyless,
        };
        reader.assembler.aim_at(scope);
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

    /// Whether a copy has to be made or completed, of all tables or of those that are added; [`Reader::copy_over`] must be called before the first batch then.
    #[must_use]
    pub fn is_to_copy(&self) -> bool {
        self.assembler.copy_place().is_some() || self.is_adding_later
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
        let filter = match &self.before {
            Some(before) => self.filter.clone().beyond(before.clone()),
            None => self.filter.clone(),
        };
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
        if self.before.is_some() {
            copier.add_to(self.filter.clone());
        }
        let before = self.before.clone();
        copier.begin(&mut self.assembler, before).await?;
        self.copier = Some(copier);
        Ok(())
    }

    /// What people should read of the first copy, since the last call.
    pub fn take_notices(&mut self) -> Vec<String> {
        let mut notices = std::mem::take(&mut self.notices);
        if let Some(copier) = &mut self.copier {
            notices.extend(copier.take_notices());
        }
        notices
    }

    /// Does the copy's next thing, where there is something to do.
    async fn copy(&mut self) -> Next {
        self.look_for_head();
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
        if self.is_adding_later {
            if !self.reached_head {
                return Next::Stream;
            }
            if let Err(error) = copier.may_begin().await {
                self.fail(error);
                return Next::Goes;
            }
            self.is_adding_later = false;
            if let Some(before) = &self.before {
                self.assembler.take_in(self.filter.clone(), before.clone());
            }
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
        let read = poll_fn(|context| {
            loop {
                match copier.read_on(context, assembler) {
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(error)),
                    // Rows may be locked until it is called once more.
                    Poll::Ready(Ok(())) => {}
                    Poll::Pending => return Poll::Ready(None),
                }
            }
        });
        if let Some(error) = read.await
            && self.failed.is_none()
        {
            self.fail(error);
        }
    }

    /// Waits until `enough`, while chunks of the copy are read on: their rows may be locked until they are read, and let go.
    pub async fn rest(&mut self, enough: impl Future<Output = ()>) {
        let mut enough = pin!(enough);
        poll_fn(|context| {
            while self.failed.is_none()
                && let Some(copier) = &mut self.copier
                && let Poll::Ready(read) = copier.read_on(context, &mut self.assembler)
            {
                if let Err(error) = read {
                    self.fail(error);
                }
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

    /// Takes events that are there already, until a batch is full, or a chunk of the copy must be handed on.
    fn take_buffered(&mut self) -> Result<(), Error> {
        while !self.assembler.has_full_batch()
            && !self.stops_for_a_chunk()
            && !self.assembler.go_on()?
        {
            match self.session.buffered_packet()? {
                Some(packet) => take(packet, &mut self.assembler)?,
                None => break,
            }
        }
        Ok(())
    }

    fn stops_for_a_chunk(&self) -> bool {
        let copier = self.copier.as_ref();
        self.assembler.is_settled() && copier.is_some_and(|copier| copier.is_due(&self.assembler))
    }

    /// Keeps an error until the whole transactions before it were handed out, so that the checkpoint can stand right before its cause.
    fn fail(&mut self, error: Error) {
        self.assembler.abandon();
        self.failed = Some(match &self.before {
            Some(_) => adding::with_way_out(error),
            None => error,
        });
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
            reached_head: self.reached_head && !self.is_to_copy(),
            in_transaction: !self.assembler.is_settled(),
            copying: self.assembler.copy_place().map(ToString::to_string),
        }
    }

    fn look_for_head(&mut self) {
        let is_copying = self.assembler.copy_place().is_some();
        if self.reached_head || is_copying || !self.assembler.is_settled() {
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
