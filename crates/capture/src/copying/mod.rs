//! The first copy: definitions, then the rows of the tables, in the same stream as the changes that are made meanwhile, without locks.
//!
//! The stream begins where the source stands; then definitions are read and handed on as statements, and tables are read in chunks on connections of their own
//! ([`readers`]), a few tables at the same time, in the order of their names. A chunk is handed on as a transaction of inserts once the stream has come to where it is right ([`window`]).
//! What was handed on is part of the checkpoint ([`Place`]), so a copy goes on after a kill.
//!
//! The marks: a chunk is read when all that the stream had handed on when its reading began can be seen ([`crate::visible`]): a transaction comes into the log before that. Without GTIDs
//! its rows are locked for reading, which waits for such transactions. Afterwards the position of the log's end is asked, for it moves before anything can be seen.

mod control;
mod definitions;
mod families;
mod keys;
mod look;
mod mariadb;
mod moved;
mod moves;
mod others;
mod place;
pub mod progress;
mod readers;
mod refusals;
mod statements;
mod table_copy;
pub mod throttle;
mod whole;
mod window;

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use datain_contract::ErrorExt as _;
use datain_contract::types::{Disposition, Error};
use datain_mysql_client::{Session, Stream};
use datain_schema_objects::plan::Choices;
use datain_server_facts::tables as seen;
use datain_sql_statement::TableFilter;
use datain_table_scan::{ChunkSize, TableDefinition, TableScan, prepare};

use crate::assembler::Assembler;
use crate::gtids::Gtids;
use crate::neighbours;
pub use control::{Clock, CopyControl};
pub(crate) use definitions::abilities;
pub use definitions::{Aside, findings};
use look::{Todo, Waiting};
pub use place::{OpenTable, Place};
use progress::Totals;
use readers::{ChunkRead, Manner, Readers, Scan};
pub(crate) use refusals::incomplete;
use refusals::{as_change, damaged, no_branch_is_prepared, no_connection};
use table_copy::{TableCopy, Waits};
use throttle::{Throttle, Verdict};
use whole::Whole;
pub use window::{Copying, Name, Rows as Copied, Stage, WasMoved, changed_meanwhile};

/// A chunk should take so many microseconds to read.
const CHUNK_MICROS: u64 = 200_000;
/// And has at most so many bytes, or a row more.
const CHUNK_BYTES: usize = 1 << 20;
/// An average row has so many bytes at least, as far as the first chunk's size goes: estimates are old or missing.
const LEAST_ROW: u64 = 4 << 10;

/// What a step has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something was handed on.
    HandedOn,
    /// The stream must go on first.
    Waits,
    /// Nothing is read before this moment, so that others are not disturbed.
    Rests(u64),
    /// The copy is complete.
    Complete,
}

/// A copy under way.
pub struct Copier<S> {
    readers: Readers<S>,
    filter: TableFilter,
    /// Where tables are added to others: those too.
    all: Option<TableFilter>,
    /// The filter as text: it must stay until the copy is complete.
    patterns: String,
    /// Rows in a chunk at most.
    chunk_rows: u32,
    /// The stream goes by GTID.
    by_gtid: bool,
    /// Microseconds of some clock that does not go back.
    now: fn() -> u64,
    choices: Choices,
    /// Tables without a key are copied, in one go.
    keyless: bool,
    todo: Todo,
    /// What there is to copy was looked at.
    has_looked: bool,
    /// A table that is read in one go.
    whole: Option<Whole<S>>,
    /// The tables that were begun and are not whole.
    tables: Vec<TableCopy>,
    /// The newest table that was begun; empty before the first.
    begun: Name,
    notices: Vec<String>,
    control: Rc<CopyControl>,
    throttle: Throttle,
    /// Sessions of the source that send its log to replicas, this reader's own among them.
    replicas: usize,
}

impl<S: Stream + 'static> Copier<S> {
    /// A copy over connections of its own, one at least. `patterns` is the filter as text. `now` gives microseconds of a clock that does not go back.
    /// `control` says how fast it may be, and is told how far it is.
    pub fn new(
        sessions: Vec<Session<S>>,
        filter: TableFilter,
        by_gtid: bool,
        patterns: String,
        chunk_rows: u32,
        now: fn() -> u64,
        control: Rc<CopyControl>,
    ) -> Self {
        Self {
            readers: Readers::new(sessions, now),
            patterns,
            chunk_rows,
            filter,
            all: None,
            by_gtid,
            now,
            choices: Choices::default(),
            keyless: false,
            todo: Todo::default(),
            has_looked: false,
            whole: None,
            tables: Vec::new(),
            begun: Name::default(),
            notices: Vec::new(),
            control,
            throttle: Throttle::default(),
            replicas: 0,
        }
    }

    /// How definitions are made, and whether tables without a key are copied.
    pub fn choose(&mut self, choices: Choices, keyless: bool) {
        self.choices = choices;
        self.keyless = keyless;
    }

    /// The tables are added to others that are whole; `all` takes both.
    pub fn add_to(&mut self, all: TableFilter) {
        self.all = Some(all);
    }

    /// Whether tables may be added where the stream stands.
    ///
    /// # Errors
    /// `snapshot.xa` while an XA branch is prepared, which may have changed them; errors of the server.
    pub async fn may_begin(&mut self) -> Result<(), Error> {
        let session = self.readers.idle().ok_or_else(no_connection)?;
        no_branch_is_prepared(session, &mut self.notices)
            .await
            .map_err(|error| match error.code.as_str() {
                // The next one may be a moment later.
                "snapshot.xa" => Error {
                    disposition: Disposition::Retry,
                    ..error
                },
                _ => error,
            })
    }

    /// What people should read, since the last call.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Looks at what there is to copy, and goes on with the tables that were being copied. What `before` takes is whole. To be called before the stream's first event is taken.
    ///
    /// # Errors
    /// What cannot be copied, with table; errors of the server.
    pub async fn begin(
        &mut self,
        assembler: &mut Assembler,
        before: Option<TableFilter>,
    ) -> Result<(), Error> {
        for session in self.readers.all_idle() {
            look::must_be(session, assembler.server_uuid()).await?;
        }
        let first = self.readers.idle().ok_or_else(no_connection)?;
        self.replicas = neighbours::list(first).await?.len();
        if assembler.ordinal() == 0 {
            // Later it would be too late: their XA COMMIT would stand behind the beginning that is written down by then.
            no_branch_is_prepared(first, &mut self.notices).await?;
        }
        // All of them: whichever reads the definitions is prepared once more behind them.
        for session in self.readers.all_idle() {
            prepare(session).await?;
        }
        let place = match assembler.copy_place().cloned() {
            // It begins when the stream is at the head.
            None => return Ok(()),
            // They are read with the first step.
            Some(Place::Definitions { .. }) => {
                assembler.begin_copying(match before {
                    Some(before) => Copying::everything_but(before),
                    None => Copying::everything(),
                });
                return Ok(());
            }
            Some(place) => place,
        };
        self.look(assembler, &place).await?;
        if let Some((schema, name)) = place.begun() {
            self.begun = (schema.to_owned(), name.to_owned());
        }
        for open in place.open() {
            let after = open.key().map_err(|_| damaged())?;
            let is_it = |table: &Waiting| table.name.0 == open.schema && table.name.1 == open.name;
            let at = self.todo.tables.iter().position(is_it);
            let table = at.and_then(|at| self.todo.tables.remove(at));
            let table = table.ok_or_else(changed_meanwhile)?;
            self.begin_table(assembler, table, Some((after, &open)))
                .await?;
        }
        Ok(())
    }

    /// Looks at what there is to copy.
    async fn look(&mut self, assembler: &mut Assembler, place: &Place) -> Result<(), Error> {
        self.has_looked = true;
        let session = self.readers.idle().ok_or_else(no_connection)?;
        let definitions = match place {
            Place::Definitions { done, .. } => {
                // Before anything was handed on [replicate] may still be changed, and with it the list that it speaks of.
                let decided = assembler.set_aside().filter(|_| place.filter().is_some());
                let decided = decided.cloned();
                let (filter, choices) = (&self.filter, self.choices);
                Some(definitions::before_rows(session, filter, choices, *done, decided).await?)
            }
            _ => None,
        };
        self.todo = look::look(
            session,
            &self.filter,
            self.all.as_ref(),
            place,
            self.keyless,
        )
        .await?;
        if let Some(definitions) = definitions {
            self.notices.extend(definitions.notices);
            self.todo.definitions = definitions.all;
            self.todo.statements = definitions.before;
            assembler.sets_aside(definitions.aside);
        }
        let listed = std::mem::take(&mut self.todo.listed);
        if self.all.is_some() && matches!(place, Place::Definitions { done: 0, .. }) {
            let names = listed.iter().map(|t| seen::quoted(&t.schema, &t.name));
            let names: Vec<String> = names.collect();
            self.notices.push(match names.as_slice() {
                [] => "[replicate] was changed; no table of the source is added by it".to_owned(),
                names => format!(
                    "[replicate] was changed; tables that are copied now: {}",
                    names.join(", ")
                ),
            });
        }
        self.control.begin(&listed, place, (self.now)());
        let tables = self.todo.tables.iter();
        let links = std::mem::take(&mut self.todo.links);
        let copying = Copying::of(tables.map(|table| table.name.clone()), links);
        assembler.begin_copying(copying);
        Ok(())
    }

    /// Begins a table; or goes on with it behind a key. One connection at least must be idle.
    async fn begin_table(
        &mut self,
        assembler: &mut Assembler,
        waiting: Waiting,
        goes_on: Option<(Option<Vec<u8>>, &OpenTable)>,
    ) -> Result<(), Error> {
        let Waiting {
            name,
            row_bytes,
            level,
            follows,
            circle: _,
            is_keyless: _,
        } = waiting;
        let session = self.readers.idle().ok_or_else(no_connection)?;
        let table = TableDefinition::ask(session, &name.0, &name.1)
            .await?
            .ok_or_else(changed_meanwhile)?;
        let version = session.server_version().clone();
        if table.scan_key.is_none() {
            if !self.keyless || follows || self.whole.is_some() {
                return Err(window::no_key().in_table(&name.0, &name.1));
            }
            let scan = TableScan::new(table, &version)?;
            self.control.begin_table(&name);
            self.whole = Some(Whole::new(name, scan, goes_on.is_some(), (self.now)()));
            return Ok(());
        }
        // Where nothing was read, nothing was moved into it.
        let was_moved =
            |(after, open): &(Option<Vec<u8>>, &OpenTable)| WasMoved(after.is_some() && open.moved);
        assembler.begin_table(table.clone(), goes_on.as_ref().map(was_moved));
        self.control.begin_table(&name);
        let (after, copied) = match goes_on {
            Some((after, open)) => (after, open.copied),
            None => (None, Totals::default()),
        };
        self.tables.push(TableCopy {
            name,
            level,
            scan: Some(Box::new(Scan {
                scan: TableScan::new(table, &version)?.to_the_end(),
                size: ChunkSize::new(CHUNK_MICROS, CHUNK_BYTES, row_bytes.max(LEAST_ROW)),
                after: after.clone(),
                follows,
                again: None,
            })),
            is_read: false,
            follows,
            chunks: VecDeque::new(),
            after,
            copied,
            began: (self.now)(),
        });
        Ok(())
    }

    /// Lets the reading of chunks go on. Ready when there may be something to do: one was read, whose rows may be locked until this is called once more, or a connection is idle that was not.
    ///
    /// # Errors
    /// As [`Copier::begin`].
    pub fn read_on(
        &mut self,
        context: &mut Context<'_>,
        assembler: &mut Assembler,
    ) -> Poll<Result<(), Error>> {
        let Poll::Ready(read) = self.readers.go_on(context) else {
            return Poll::Pending;
        };
        let ChunkRead {
            name,
            mut scan,
            is_last,
            images,
            count,
            took,
            high,
        } = match read {
            Ok(Some(read)) => read,
            Ok(None) => return Poll::Ready(Ok(())),
            Err(error) => return Poll::Ready(Err(error)),
        };
        let read = Totals {
            rows: count.into(),
            bytes: images.len() as u64,
            chunks: 1,
        };
        self.throttle.note_chunk(read, took, (self.now)());
        if let Err(error) = assembler.copying().hold(&name, images, count) {
            return Poll::Ready(Err(error.in_table(&name.0, &name.1)));
        }
        if let Some(table) = self.tables.iter_mut().find(|table| table.name == name) {
            let again = scan.again.is_some();
            table.chunks.push_back(Waits {
                high,
                last_key: scan.after.clone(),
                is_last,
                again,
                // People count each row once.
                read: if again { Totals::default() } else { read },
            });
            if again && is_last {
                scan.again = None;
            }
            table.is_read |= is_last && !again;
            table.scan = Some(scan);
        }
        Poll::Ready(Ok(()))
    }

    /// Does the next thing, if the stream is where that is right. The stream must stand between two transactions.
    ///
    /// # Errors
    /// As [`Copier::begin`].
    pub async fn step(&mut self, assembler: &mut Assembler) -> Result<Step, Error> {
        if assembler.copy_place().is_none() {
            return Ok(Step::Complete);
        }
        if !self.has_looked
            && let Some(place) = assembler.copy_place().cloned()
        {
            self.look(assembler, &place).await?;
        }
        let at = assembler.position();
        if let Some(due) = self.tables.iter().position(|table| table.is_due(at)) {
            self.hand_on(due, assembler);
            return Ok(Step::HandedOn);
        }
        if let Some(statement) = self.todo.statements.pop_front() {
            let done = self.todo.definitions - self.todo.statements.len() as u64;
            let filter = self.patterns.clone();
            self.control.definitions(done, self.todo.definitions);
            let place = Place::Definitions { done, filter };
            assembler.hand_on_statement(statement, "definition", done, place);
            return Ok(Step::HandedOn);
        }
        if self.tables.is_empty()
            && let Some(whole) = self.whole.take()
        {
            return self.step_of_whole(whole, assembler).await;
        }
        if self.readers.idle().is_none() {
            return Ok(Step::Waits);
        }
        if self.whole.is_none()
            && self.tables.len() < self.readers.count()
            && self.may_begin_next()
            && let Some(table) = self.todo.tables.pop_front()
        {
            let circle = table.circle.clone();
            let mut next = Some(table);
            while let Some(table) = next {
                self.begun = table.name.clone();
                self.begin_table(assembler, table, None).await?;
                let together = |table: &mut Waiting| circle.is_some() && table.circle == circle;
                next = self.todo.tables.pop_front_if(together);
            }
            // Before anything of it comes to the target: whoever goes on from here must know that something may be there.
            let place = self.place(assembler.copying());
            assembler.hand_on_place(place);
            return Ok(Step::HandedOn);
        }
        if self.tables.is_empty() {
            return self.behind_rows(assembler).await;
        }
        Ok(match self.verdict().await? {
            Verdict::Rest(until, _) => Step::Rests(until),
            Verdict::Go if self.begin_chunk(assembler) => Step::HandedOn,
            Verdict::Go | Verdict::After | Verdict::Look => Step::Waits,
        })
    }

    /// Whether the next table may be begun beside those that are not whole.
    fn may_begin_next(&self) -> bool {
        let next = self.todo.tables.front();
        next.is_some_and(|next| {
            let mut tables = self.tables.iter();
            tables.all(|table| table.level >= next.level && !next.is_keyless)
        })
    }

    /// Whether the next chunk may be read. One connection at least must be idle.
    async fn verdict(&mut self) -> Result<Verdict, Error> {
        let (limits, durable) = (self.control.limits(), self.control.durable());
        let reading = self.readers.busy();
        let ask = |throttle: &mut Throttle, now| throttle.verdict(&limits, reading, durable, now);
        let mut verdict = ask(&mut self.throttle, (self.now)());
        if verdict == Verdict::Look {
            let session = self.readers.idle().ok_or_else(no_connection)?;
            let running = throttle::running(session).await?;
            // Whoever asks is at work, too.
            let others = running.saturating_sub(1 + reading + self.replicas);
            let now = (self.now)();
            self.throttle.note_load(others, now);
            verdict = ask(&mut self.throttle, now);
        }
        self.control.rests(&verdict);
        Ok(verdict)
    }

    /// Begins to read the next chunk of the table that has the fewest at hand. Returns whether there is one to be read.
    fn begin_chunk(&mut self, assembler: &mut Assembler) -> bool {
        let copying = assembler.copying();
        let may = |table: &&mut TableCopy| table.may_be_read(copying);
        let tables = self.tables.iter_mut().filter(may);
        let Some(table) = tables.min_by_key(|table| table.chunks.len()) else {
            return false;
        };
        let Some(mut scan) = table.scan.take() else {
            return false;
        };
        if scan.again.is_none()
            && copying.wants_again(&table.name)
            && let Some(rows) = copying.take_again(&table.name)
        {
            scan.again = Some(table.again(rows, scan.after.as_ref()));
        }
        let (rows, bytes) = Throttle::chunk(&self.control.limits(), self.readers.count());
        let manner = Manner {
            shows: match assembler.gtids() {
                Some(Gtids::Set(set)) if self.by_gtid => Some(set.clone()),
                _ => None,
            },
            rows: self.chunk_rows.min(rows),
            bytes,
            now: self.now,
        };
        assembler.copying().begin_chunk(&table.name);
        let begun = self.readers.begin(table.name.clone(), scan, manner);
        if let Err(scan) = begun {
            table.scan = Some(scan);
            return false;
        }
        true
    }

    /// How far the copy has come.
    fn place(&self, copying: &Copying) -> Place {
        let open = |table: &TableCopy| OpenTable {
            schema: table.name.0.clone(),
            name: table.name.1.clone(),
            after: table.after.as_deref().map(place::hex),
            copied: table.copied,
            moved: copying.is_moved(&table.name),
        };
        let whole = self.whole.iter().map(|whole| OpenTable {
            schema: whole.name().0.clone(),
            name: whole.name().1.clone(),
            after: None,
            copied: Totals::default(),
            moved: false,
        });
        Place::Tables {
            begun: self.begun.clone(),
            open: self.tables.iter().map(open).chain(whole).collect(),
            filter: self.patterns.clone(),
            whole: self.control.whole(),
        }
    }

    /// Hands on what is left of a table's oldest chunk.
    fn hand_on(&mut self, at: usize, assembler: &mut Assembler) {
        let Some(table) = self.tables.get_mut(at) else {
            return;
        };
        let Some(chunk) = table.chunks.pop_front() else {
            return;
        };
        table.after = chunk.last_key;
        table.copied = table.copied.plus(chunk.read);
        let name = table.name.clone();
        let now = (self.now)();
        self.control.handed_on(&name, chunk.read, now);
        let copying = assembler.copying();
        let is_whole = chunk.is_last && copying.last_chunk(&name, chunk.again);
        if is_whole {
            self.control.end_table(&name, table.began, now);
            self.tables.remove(at);
        }
        let place = self.place(copying);
        assembler.hand_on_chunk(&name, place);
        self.throttle.note_handed_on(assembler.ordinal(), now);
        if is_whole {
            assembler.copying().end(&name);
        }
    }

    /// Whether a chunk is to be handed on just where the stream stands: what the stream has next may change its rows without a word.
    pub fn is_due(&self, assembler: &Assembler) -> bool {
        let mut tables = self.tables.iter().filter(|table| table.follows);
        tables.any(|table| table.is_due(assembler.position()))
    }

    /// Whether the stream must stand still until a chunk was read.
    pub fn holds_the_stream(&self, assembler: &mut Assembler) -> bool {
        let reads_on = self.whole.as_ref().is_some_and(Whole::holds_stream);
        reads_on || self.readers.busy() > 0 && assembler.copying().is_swamped()
    }
}
