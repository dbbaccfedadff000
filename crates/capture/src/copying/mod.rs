//! The first copy: definitions, then the rows of one table after the other, in the same stream as the changes that are made meanwhile, without locks.
//!
//! The stream begins where the source stands; then definitions are read and handed on as statements, and tables are read in chunks on a connection of their own
//! ([`datain_table_scan`]), each of which is handed on as a transaction of inserts once the stream has come to where it is right ([`window`]). What was handed on is part
//! of the checkpoint ([`Place`]), so a copy goes on after a kill.
//!
//! The marks: a chunk is read when `@@gtid_executed` covers all that the stream has handed on, since a transaction comes into the log before it can be seen. Without GTIDs
//! its rows are locked for reading, which waits for such transactions. Afterwards the position of the log's end is asked, for it moves before anything can be seen.

mod place;
mod statements;
mod window;

use std::collections::VecDeque;

use datain_contract::types::{Error, Finding, Severity, Statement};
use datain_contract::{ErrorExt as _, FindingExt as _};
use datain_mysql_client::{Session, Stream};
use datain_schema_objects::plan::{Abilities, Choices};
use datain_schema_objects::{plan, read};
use datain_sql_statement::TableFilter;
use datain_table_scan::{
    ChunkLimits, ChunkSize, Reading, TableDefinition, TableScan, prepare, tables,
};

use crate::assembler::Assembler;
use crate::check::cascades;
use crate::facts;
use crate::gtids::Gtids;
use crate::position::Position;
pub use place::Place;
pub use window::{Copying, Stage, changed_meanwhile};

/// A chunk should take so many microseconds to read.
const CHUNK_MICROS: u64 = 200_000;
/// And has at most so many bytes, or a row more.
const CHUNK_BYTES: usize = 1 << 20;
/// An average row has so many bytes at least, as far as the first chunk's size goes: estimates are old or missing.
const LEAST_ROW: u64 = 4 << 10;
/// How many seconds the source may take until it shows what its log holds.
const LOOKS: u32 = 60;

/// What the target is taken to have: nobody asks it here. What it lacks for an encrypted table it says itself; the other options say where a table is kept.
fn abilities() -> Abilities {
    Abilities {
        encrypts: true,
        ..Abilities::default()
    }
}

/// What a first copy would find fault with in the definitions; if none is to be made, that there is nothing to find. The session is left as
/// [`read::prepare`] makes it.
///
/// # Errors
/// Those of [`read::read`].
pub async fn findings<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    copies: bool,
) -> Result<Vec<Finding>, Error> {
    if !copies {
        let codes = [read::UNSEEN, read::UNUSABLE, plan::DROPPED];
        let passed = |code| Finding::passed(code, "no first copy is to be made");
        return Ok(codes.map(passed).to_vec());
    }
    let reading = read::read(session, filter).await?;
    let mut findings = reading.findings.clone();
    findings.extend(plan::plan(reading, &abilities(), Choices::default()).findings);
    Ok(findings)
}

/// What a step has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Something was handed on.
    HandedOn,
    /// The stream must go on first.
    Waits,
    /// The copy is complete.
    Complete,
}

/// A copy under way.
pub struct Copier<S> {
    session: Session<S>,
    filter: TableFilter,
    /// Microseconds of some clock that does not go back.
    now: fn() -> u64,
    /// The filter as text: it must stay until the copy is complete.
    patterns: String,
    /// Rows in a chunk at most.
    chunk_rows: u32,
    /// The stream goes by GTID.
    by_gtid: bool,
    todo: Todo,
    scan: Option<Scan>,
    /// Where the log ended after the chunk at hand was read.
    high: Option<Position>,
    notices: Vec<String>,
}

/// What is left to do, the next thing first.
#[derive(Default)]
struct Todo {
    statements: VecDeque<Statement>,
    /// Of all, with those that are done.
    definitions: u64,
    tables: VecDeque<(String, String, u64)>,
}

/// A table that is being read.
struct Scan {
    scan: TableScan,
    size: ChunkSize,
    /// The newest chunk's last key; none before the first.
    after: Option<Vec<u8>>,
    /// The newest chunk is the last one.
    is_over: bool,
}

impl<S: Stream> Copier<S> {
    /// A copy over a connection of its own. `patterns` is the filter as text. `now` gives microseconds of a clock that does not go back.
    pub fn new(
        session: Session<S>,
        filter: TableFilter,
        by_gtid: bool,
        patterns: String,
        chunk_rows: u32,
        now: fn() -> u64,
    ) -> Self {
        Self {
            session,
            patterns,
            chunk_rows,
            filter,
            now,
            by_gtid,
            todo: Todo::default(),
            scan: None,
            high: None,
            notices: Vec::new(),
        }
    }

    /// What people should read, since the last call.
    pub fn take_notices(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notices)
    }

    /// Looks at what there is to copy, and goes on with the table that was being copied. To be called before the stream's first event is taken.
    ///
    /// # Errors
    /// What cannot be copied, with table; errors of the server.
    pub async fn begin(&mut self, assembler: &mut Assembler) -> Result<(), Error> {
        let Some(place) = assembler.copy_place().cloned() else {
            return Ok(());
        };
        self.must_be(assembler.server_uuid()).await?;
        if let Some(filter) = place.filter()
            && filter != self.patterns
        {
            return Err(Error::reconfigure(
                "snapshot.filter-changed",
                "[replicate] was changed before the first copy was complete",
            )
            .detail(format!("the copy began with {filter}, and now it is {}", self.patterns))
            .hint("put it back until the copy is complete; or remove the pipeline, drop what was copied, and start again"));
        }
        self.todo = self.look(&place).await?;
        let tables = self.todo.tables.iter();
        assembler.begin_copying(Copying::of(
            tables.map(|(schema, name, _)| (schema.clone(), name.clone())),
        ));
        if let Place::Table {
            schema,
            name,
            after,
            whole: false,
            ..
        } = place
        {
            let after = match after {
                Some(key) => Some(place::unhex(&key).ok_or_else(damaged)?),
                None => None,
            };
            let next = self.todo.tables.pop_front();
            let (_, _, row_bytes) = next
                .filter(|(s, n, _)| *s == schema && *n == name)
                .ok_or_else(changed_meanwhile)?;
            self.begin_table(assembler, &schema, &name, row_bytes, Some(after))
                .await?;
        }
        Ok(())
    }

    /// Begins a table; or goes on with it behind a key.
    async fn begin_table(
        &mut self,
        assembler: &mut Assembler,
        schema: &str,
        name: &str,
        row_bytes: u64,
        goes_on: Option<Option<Vec<u8>>>,
    ) -> Result<(), Error> {
        let table = TableDefinition::ask(&mut self.session, schema, name)
            .await?
            .ok_or_else(changed_meanwhile)?;
        if table.scan_key.is_none() {
            return Err(window::no_key().in_table(schema, name));
        }
        assembler.begin_table(table.clone(), goes_on.is_some());
        let version = self.session.server_version().clone();
        self.scan = Some(Scan {
            scan: TableScan::new(table, &version)?.to_the_end(),
            size: ChunkSize::new(CHUNK_MICROS, CHUNK_BYTES, row_bytes.max(LEAST_ROW)),
            after: goes_on.flatten(),
            is_over: false,
        });
        Ok(())
    }

    /// Does the next thing, if the stream is where that is right. The stream must stand between two transactions.
    ///
    /// # Errors
    /// As [`Copier::begin`].
    pub async fn step(&mut self, assembler: &mut Assembler) -> Result<Step, Error> {
        if assembler.copy_place().is_none() {
            return Ok(Step::Complete);
        }
        if let Some(high) = &self.high {
            let at = assembler.position().compare(high);
            if !at.is_some_and(std::cmp::Ordering::is_ge) {
                return Ok(Step::Waits);
            }
            self.high = None;
            self.hand_on(assembler);
            return Ok(Step::HandedOn);
        }
        if let Some(statement) = self.todo.statements.pop_front() {
            let done = self.todo.definitions - self.todo.statements.len() as u64;
            let filter = self.patterns.clone();
            assembler.hand_on_statement(statement, done, Place::Definitions { done, filter });
            return Ok(Step::HandedOn);
        }
        if self.scan.is_none() {
            let Some((schema, name, row_bytes)) = self.todo.tables.pop_front() else {
                assembler.end_copying();
                return Ok(Step::HandedOn);
            };
            self.begin_table(assembler, &schema, &name, row_bytes, None)
                .await?;
            // Before anything of it comes to the target: whoever goes on from here must know that something may be there.
            assembler.hand_on_chunk(Place::Table {
                schema,
                name,
                after: None,
                whole: false,
                filter: self.patterns.clone(),
            });
            return Ok(Step::HandedOn);
        }
        self.read_chunk(assembler).await?;
        Ok(Step::HandedOn)
    }

    /// Reads what there is to copy.
    async fn look(&mut self, place: &Place) -> Result<Todo, Error> {
        let mut statements = VecDeque::new();
        let mut definitions = 0;
        if let Place::Definitions { done, .. } = place {
            let reading = read::read(&mut self.session, &self.filter).await?;
            statements::must_be_readable(&reading)?;
            let findings = reading.findings.clone();
            let plan = plan::plan(reading, &abilities(), Choices::default());
            let noted = findings.iter().chain(&plan.findings);
            self.notices.extend(
                noted
                    .filter(|finding| finding.severity != Severity::Passed)
                    .map(|finding| format!("{}: {}", finding.message, finding.subjects.join(", "))),
            );
            let (objects, refused): (Vec<_>, Vec<_>) = plan
                .objects
                .into_iter()
                .partition(|object| object.excuse.is_none());
            self.notices.extend(refused.iter().map(|object| {
                let why = object.excuse.as_deref().unwrap_or_default();
                format!("{} is left out of the first copy: {why}", object.quoted())
            }));
            let all = statements::of(&mut self.session, objects).await?;
            definitions = all.len() as u64;
            statements = all
                .into_iter()
                .skip(usize::try_from(*done).unwrap_or(usize::MAX))
                .collect();
        }
        prepare(&mut self.session).await?;
        let listed = tables(&mut self.session, &self.filter).await?;
        if let Some(other) = listed
            .iter()
            .find(|table| !table.engine.eq_ignore_ascii_case("InnoDB"))
        {
            return Err(Error::reconfigure(
                "snapshot.engine",
                format!(
                    "a table is kept by {}, which cannot be read while it changes",
                    other.engine
                ),
            )
            .hint("ALTER TABLE … ENGINE = InnoDB on the source, or exclude it")
            .in_table(&other.schema, &other.name));
        }
        if let Some((schema, name)) = cascades::unlogged(&mut self.session, &self.filter).await? {
            return Err(Error::reconfigure(
                "snapshot.unlogged-cascades",
                "a foreign key changes rows of this table, and the source does not log that: while the tables are copied the target cannot do it either",
            )
            .hint("let the source log cascades (MySQL 9.6 and later with innodb_native_foreign_keys = OFF), or exclude the table; or copy by other means, and start at a position")
            .in_table(&schema, &name));
        }
        let is_done = |schema: &str, name: &str| match place {
            Place::Definitions { .. } => false,
            Place::Table {
                schema: s,
                name: n,
                whole,
                ..
            } => {
                let here = (s.as_str(), n.as_str());
                (schema, name) < here || *whole && (schema, name) == here
            }
        };
        Ok(Todo {
            statements,
            definitions,
            tables: listed
                .into_iter()
                .filter(|table| !is_done(&table.schema, &table.name))
                .map(|table| (table.schema, table.name, table.row_bytes))
                .collect(),
        })
    }

    /// Reads the next chunk, and where the log ends afterwards.
    async fn read_chunk(&mut self, assembler: &mut Assembler) -> Result<(), Error> {
        if let Some(handed_on) = assembler.gtids().filter(|_| self.by_gtid) {
            self.must_show(handed_on).await?;
        }
        let Some(state) = &mut self.scan else {
            return Ok(());
        };
        let reading = if self.by_gtid {
            Reading::Consistent
        } else {
            Reading::Locking
        };
        let limits = state.size.limits();
        let limits = ChunkLimits {
            rows: limits.rows.min(self.chunk_rows),
            ..limits
        };
        let began = (self.now)();
        let (mut images, mut count) = (Vec::new(), 0);
        let after = state.after.as_deref();
        let opened = state.scan.open(&mut self.session, after, limits, reading);
        let mut chunk = opened.await.map_err(as_change)?;
        while chunk
            .next_row(&mut self.session, &mut images)
            .await
            .map_err(as_change)?
        {
            count += 1;
        }
        let end = chunk.end();
        state
            .size
            .observe(end.rows, end.bytes, (self.now)().saturating_sub(began));
        state.is_over = end.is_last;
        if end.last_key.is_some() {
            state.after = end.last_key;
        }
        if end.session_is_spent {
            return Err(Error::retry(
                "snapshot.chunk-abandoned",
                "a chunk's rows did not come to their end, and its connection is of no use any more",
            ));
        }
        assembler.copying().hold(images, count)?;
        let high = facts::head(&mut self.session).await?;
        self.high = Some(high.ok_or_else(crate::start::position_unknown)?);
        Ok(())
    }

    /// Whoever is at the other end must be the server whose log is read: positions mean nothing on another one.
    async fn must_be(&mut self, server_uuid: &str) -> Result<(), Error> {
        let found = facts::identity(&mut self.session).await?;
        if found.as_deref() == Some(server_uuid) {
            return Ok(());
        }
        Err(Error::retry(
            "snapshot.other-server",
            "the source's address leads to one server for the log, and to another one for the first copy",
        ))
    }

    /// Waits until the source shows everything that was handed on.
    async fn must_show(&mut self, handed_on: &Gtids) -> Result<(), Error> {
        let sql = format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{handed_on}', 1)");
        for _ in 0..LOOKS {
            let row = self.session.query_first(sql.as_bytes()).await?;
            let waited_in_vain = row.and_then(|row| row.into_iter().next().flatten());
            if waited_in_vain.as_deref() == Some("0") {
                return Ok(());
            }
        }
        Err(Error::retry(
            "snapshot.not-visible",
            "the source has logged transactions that it does not show",
        ))
    }

    /// Hands on what is left of the chunk at hand.
    fn hand_on(&mut self, assembler: &mut Assembler) {
        let Some(state) = &mut self.scan else {
            return;
        };
        let table = state.scan.table();
        let place = Place::Table {
            schema: table.schema.clone(),
            name: table.name.clone(),
            after: state.after.as_deref().map(place::hex),
            whole: state.is_over,
            filter: self.patterns.clone(),
        };
        assembler.hand_on_chunk(place);
        if state.is_over {
            assembler.copying().end();
            self.scan = None;
        }
    }
}

/// errno of an unknown schema, an unknown column, a table that is not there, an index that is not, and a definition that has changed since.
const GONE: [u16; 5] = [1049, 1054, 1146, 1176, 1412];

/// What the source no longer has was renamed, dropped or altered.
fn as_change(error: Error) -> Error {
    if !error
        .server_errno
        .is_some_and(|errno| GONE.contains(&errno))
    {
        return error;
    }
    Error {
        table: error.table,
        ..changed_meanwhile()
    }
}

/// The error of an order that would let the stream go past something that the copy still needs.
pub(crate) fn incomplete() -> Error {
    Error::reconfigure(
        "snapshot.incomplete",
        "the first copy is not complete: until it is, no transaction can be left out, and there is no other place from which the stream could go on",
    )
    .hint("mend what stops it, and let it come to its end; or datain remove -c FILE, drop what was copied on the target, and begin where [start] says")
}

fn damaged() -> Error {
    Error::fatal(
        "checkpoint.damaged",
        "the checkpoint names a key of the table being copied that cannot be read",
    )
    .hint("remove the pipeline and copy anew")
}
