//! Applies transactions in source order, in groups.
//!
//! A group is one target transaction: `START TRANSACTION`, the statements of one or more whole source transactions, the checkpoint, and, only
//! after every reply was read and every count was right, COMMIT. [`Engine::apply`] opens a group when there is none and sends statements in packets of
//! several, so that a transaction larger than memory streams through; [`Engine::commit`] closes it. When to close is the caller's decision
//! (size, age), among the transactions that carry a checkpoint.
//!
//! After an error the engine must be dropped with its session: the server rolls back, and a new engine resumes from the checkpoint.
//!
//! DDL stands alone: the open group is committed first, then intent, statement and checkpoint follow each other ([`crate::checkpoint`]).

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{
    Change, Checkpoint, Error, RowFlags, RowSet, Statement, Table, Transaction,
};
use datain_mysql_client::{ClientError, Outcome, Session, Stream, quote_identifier};

use crate::checkpoint::{Intent, Store, fenced};
use crate::ddl::{self, Treatment};
use crate::mapping::{Collations, Mapping};
use crate::settings;
use crate::statements::{self, Bounds};
use crate::target_table::{TargetTable, columns_query, keys_query, table_query};

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
    /// Statements run.
    pub statements: u64,
    /// Statements left out by rule or held back.
    pub left_out: u64,
    /// Target transactions.
    pub groups: u64,
    /// Commit time on the source of the newest transaction, microseconds since 1970.
    pub last_commit_micros: u64,
}

/// What the open group holds so far.
#[derive(Debug, Default)]
struct Group {
    totals: Totals,
    bytes: usize,
    /// Where it can be committed; none in the middle of a transaction, or after one without a checkpoint.
    checkpoint: Option<Checkpoint>,
}

/// A statement whose reply is still to be read.
struct Expected {
    count: Count,
    /// Table of the rows, for errors.
    mapping: Option<Rc<Mapping>>,
    place: Rc<Place>,
}

enum Count {
    Any,
    Rows(u64),
    Fence,
}

/// Where in the stream a statement comes from.
#[derive(Debug, Default)]
struct Place {
    file: String,
    offset: u64,
    gtid: Option<String>,
}

impl Place {
    fn text(&self) -> String {
        match &self.gtid {
            Some(gtid) => gtid.clone(),
            None => format!("{}:{}", self.file, self.offset),
        }
    }
}

/// One session that applies; see the module.
pub struct Engine<S, H> {
    session: Session<S>,
    store: Store,
    collations: Collations,
    /// Whether the session may choose GTIDs for DDL.
    chooses_gtids: bool,
    interrupted: Option<Intent>,
    statement_bytes: usize,
    tables: HashMap<u32, Rc<Table>, H>,
    mappings: HashMap<u32, Rc<Mapping>, H>,
    /// The session's foreign_key_checks and unique_checks as set by the packets so far.
    checks: (bool, bool),
    packet: Vec<u8>,
    in_packet: VecDeque<Expected>,
    on_the_way: VecDeque<Expected>,
    group: Option<Group>,
    totals: Totals,
    notices: Vec<Notice>,
}

impl<S: Stream, H: BuildHasher + Default> Engine<S, H> {
    /// Prepares the session for rows and takes the pipeline over. The session needs CLIENT_FOUND_ROWS and CLIENT_MULTI_STATEMENTS.
    ///
    /// # Errors
    /// Those of [`Store::claim`]; server errors.
    pub async fn open(
        mut session: Session<S>,
        stream: &str,
    ) -> Result<(Self, Option<Checkpoint>), Error> {
        session.exec(settings::FOR_ROWS).await?;
        for sql in settings::IF_KNOWN {
            match session.exec(sql).await {
                Err(e)
                    if e.errno() == Some(settings::UNKNOWN_VARIABLE)
                        || e.code() == "server.privilege-missing" => {}
                other => {
                    other?;
                }
            }
        }
        let (store, stored) = Store::claim(&mut session, stream).await?;
        let collations = Collations::from_answer(&session.query_rows(Collations::QUERY).await?);
        let allowed = session
            .query_first(b"SELECT @@global.max_allowed_packet")
            .await?;
        let allowed: usize = allowed
            .and_then(|row| row.first().cloned().flatten())
            .and_then(|text| text.parse().ok())
            .unwrap_or(4 << 20);
        let chooses_gtids = may_choose_gtids(&mut session).await?;
        let engine = Engine {
            session,
            store,
            collations,
            chooses_gtids,
            interrupted: stored.intent,
            statement_bytes: (allowed / 4).clamp(16 << 10, PACKET_BYTES),
            tables: HashMap::default(),
            mappings: HashMap::default(),
            checks: (true, true),
            packet: Vec::new(),
            in_packet: VecDeque::new(),
            on_the_way: VecDeque::new(),
            group: None,
            totals: Totals::default(),
            notices: Vec::new(),
        };
        Ok((engine, stored.checkpoint))
    }

    /// Notes table records of a batch; must come before its transactions.
    pub fn add_tables(&mut self, tables: Vec<Table>) {
        for table in tables {
            self.mappings.remove(&table.id);
            self.tables.insert(table.id, Rc::new(table));
        }
    }

    /// Rows and bytes in the open group, if there is one.
    #[must_use]
    pub fn group_size(&self) -> Option<(u64, usize)> {
        self.group.as_ref().map(|g| (g.totals.rows, g.bytes))
    }

    /// Whether the open group ends where a commit may stand.
    #[must_use]
    pub fn can_commit(&self) -> bool {
        self.group.as_ref().is_some_and(|g| g.checkpoint.is_some())
    }

    /// Totals of everything durable.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// What happened that operators should read, since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
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
        let place = Rc::new(Place {
            file: transaction.file.clone(),
            offset: transaction.offset,
            gtid: transaction.gtid.clone(),
        });
        let statements = transaction
            .changes
            .iter()
            .any(|c| matches!(c, Change::Statement(_)));
        let result = if statements {
            self.apply_statement(transaction, &place).await.map(Some)
        } else {
            self.apply_rows(transaction, block, &place)
                .await
                .map(|()| None)
        };
        result.map_err(|e| e.at(&place.file, place.offset, place.gtid.as_deref()))
    }

    async fn apply_rows(
        &mut self,
        transaction: Transaction,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        if self.group.is_none() {
            self.group = Some(Group::default());
            self.push(b"START TRANSACTION", Count::Any, None, place);
        }
        for change in &transaction.changes {
            if let Change::Rows(set) = change {
                self.row_set(set, block, place).await?;
            }
        }
        if let Some(group) = &mut self.group {
            group.checkpoint = transaction.checkpoint;
            if transaction.last {
                group.totals.transactions +=
                    u64::from(transaction.gtid.is_some() || !transaction.changes.is_empty());
            }
            if transaction.committed_at_micros > 0 {
                group.totals.last_commit_micros = transaction.committed_at_micros;
            }
        }
        Ok(())
    }

    async fn row_set(
        &mut self,
        set: &RowSet,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let mapping = self.mapping(set.table).await?;
        self.set_checks(set.flags, place);
        let bounds = Bounds {
            bytes: self.statement_bytes,
            rows: 1000,
        };
        // The statements of one row set are at most as large as the batch's block, so they may be held together.
        let mut list = Vec::new();
        statements::write(set, block, &mapping, bounds, |statement| {
            list.push(statement);
            Ok(())
        })?;
        if let Some(group) = &mut self.group {
            group.totals.rows += u64::from(set.count);
        }
        for statement in list {
            self.push(
                &statement.sql,
                Count::Rows(statement.rows),
                Some(&mapping),
                place,
            );
            if self.packet.len() >= self.statement_bytes {
                self.send_packet().await?;
            }
        }
        Ok(())
    }

    /// Foreign keys and unique checks as the row set asks: see CORRECTNESS, "Foreign keys".
    fn set_checks(&mut self, flags: RowFlags, place: &Rc<Place>) {
        let foreign_keys = !flags.contains(RowFlags::CASCADES_LOGGED)
            && !flags.contains(RowFlags::NO_FOREIGN_KEY_CHECKS);
        let unique = !flags.contains(RowFlags::NO_UNIQUE_CHECKS);
        if self.checks != (foreign_keys, unique) {
            self.checks = (foreign_keys, unique);
            let sql = format!(
                "SET SESSION foreign_key_checks = {}, SESSION unique_checks = {}",
                u8::from(foreign_keys),
                u8::from(unique)
            );
            self.push(sql.as_bytes(), Count::Any, None, place);
        }
    }

    fn push(&mut self, sql: &[u8], count: Count, mapping: Option<&Rc<Mapping>>, place: &Rc<Place>) {
        if !self.packet.is_empty() {
            self.packet.push(b';');
        }
        self.packet.extend_from_slice(sql);
        self.in_packet.push_back(Expected {
            count,
            mapping: mapping.cloned(),
            place: Rc::clone(place),
        });
        if let Some(group) = &mut self.group {
            group.bytes += sql.len();
        }
    }

    /// Sends what was collected; the replies of the packet before are read first, so that one packet is written here while the server works
    /// on another.
    async fn send_packet(&mut self) -> Result<(), Error> {
        self.read_replies().await?;
        if self.packet.is_empty() {
            return Ok(());
        }
        self.session.send_query(&self.packet).await?;
        self.packet.clear();
        std::mem::swap(&mut self.in_packet, &mut self.on_the_way);
        Ok(())
    }

    async fn read_replies(&mut self) -> Result<(), Error> {
        while let Some(expected) = self.on_the_way.pop_front() {
            let found = match self.session.read_result().await {
                Ok((Outcome::Ok(ok), _)) => ok,
                Ok((Outcome::Rows(_), _)) => {
                    return Err(expected.named(Error::fatal(
                        "sink.unexpected-rows",
                        "a change returned rows",
                    )));
                }
                Err(error) => return Err(expected.refused(error)),
            };
            match expected.count {
                Count::Any => {}
                Count::Fence if found.affected_rows == 1 => {}
                Count::Fence => return Err(fenced(self.store.stream())),
                Count::Rows(n) if found.affected_rows == n && found.warnings == 0 => {}
                Count::Rows(n) if found.affected_rows == n => {
                    let error = Error::fatal("row.warning", format!("the target gave {} warning(s) for a change of rows", found.warnings))
                        .hint("a value may have been changed on its way in; nothing of this group was committed");
                    return Err(expected.named(error));
                }
                Count::Rows(n) => return Err(expected.miscounted(n, found.affected_rows)),
            }
        }
        Ok(())
    }

    /// Commits the open group with its checkpoint.
    ///
    /// # Errors
    /// As [`Engine::apply`]; `checkpoint.fenced`. `sink.nothing-to-commit` when there is no group that may be committed.
    pub async fn commit(&mut self) -> Result<Checkpoint, Error> {
        let Some((group, checkpoint)) = self
            .group
            .take()
            .and_then(|mut g| g.checkpoint.take().map(|c| (g, c)))
        else {
            return Err(Error::fatal(
                "sink.nothing-to-commit",
                "a commit was asked for where the stream does not allow one",
            ));
        };
        let fence = self.store.advance_sql(&checkpoint);
        self.push(&fence, Count::Fence, None, &Rc::default());
        self.send_packet().await?;
        self.read_replies().await?;
        self.session.exec(b"COMMIT").await?;
        self.store.advanced(checkpoint.ordinal);
        let durable = &mut self.totals;
        durable.transactions += group.totals.transactions;
        durable.rows += group.totals.rows;
        durable.groups += 1;
        durable.last_commit_micros = durable
            .last_commit_micros
            .max(group.totals.last_commit_micros);
        Ok(checkpoint)
    }

    /// A transaction that holds a statement: it stands alone, with its own checkpoint.
    async fn apply_statement(
        &mut self,
        transaction: Transaction,
        place: &Rc<Place>,
    ) -> Result<Checkpoint, Error> {
        let broken = |message| Err(Error::fatal("sink.contract", message));
        let [Change::Statement(statement)] = transaction.changes.as_slice() else {
            return Err(Error::fatal(
                "statement.mixed",
                "the transaction holds a statement together with other changes, which is not supported yet",
            ));
        };
        let Some(checkpoint) = transaction.checkpoint else {
            return broken("a transaction with a statement came without a checkpoint");
        };
        if self.group.is_some() {
            if !self.can_commit() {
                return broken("the transaction before a statement came without a checkpoint");
            }
            self.commit().await?;
        }
        match ddl::treatment(statement) {
            Treatment::Run => {
                self.run_ddl(statement, &checkpoint, place).await?;
                self.totals.statements += 1;
            }
            Treatment::LeaveOut { reason } => {
                self.notice(&format!("left out: {reason}"), statement, place);
                self.move_checkpoint(&[], &checkpoint).await?;
            }
            Treatment::HoldBack => {
                self.notice("held back in datain.held_back until the cutover: triggers and events are not created on the target", statement, place);
                let sql = self.store.hold_back_sql(
                    transaction.ordinal,
                    &place.text(),
                    statement.default_schema.as_deref(),
                    statement.context.sql_mode,
                    &statement.sql,
                );
                self.move_checkpoint(&sql, &checkpoint).await?;
            }
            Treatment::Refuse {
                code,
                message,
                hint,
            } => {
                return Err(Error::fatal(code, message)
                    .detail(format!("statement: {} …", ddl::summary(statement)))
                    .hint(hint));
            }
        }
        self.totals.transactions += 1;
        self.totals.groups += 1;
        self.totals.last_commit_micros = self
            .totals
            .last_commit_micros
            .max(transaction.committed_at_micros);
        Ok(checkpoint)
    }

    fn notice(&mut self, message: &str, statement: &Statement, place: &Place) {
        self.totals.left_out += 1;
        self.notices.push(Notice {
            message: message.to_owned(),
            statement: ddl::summary(statement),
            transaction: place.text(),
        });
    }

    /// Commits the checkpoint, with `sql` (if not empty) in the same transaction.
    async fn move_checkpoint(&mut self, sql: &[u8], to: &Checkpoint) -> Result<(), Error> {
        self.session.exec(b"START TRANSACTION").await?;
        if !sql.is_empty() {
            self.session.exec(sql).await?;
        }
        let moved = self.session.exec(&self.store.advance_sql(to)).await?;
        if moved.affected_rows != 1 {
            return Err(fenced(self.store.stream()));
        }
        self.session.exec(b"COMMIT").await?;
        self.store.advanced(to.ordinal);
        Ok(())
    }

    async fn run_ddl(
        &mut self,
        statement: &Statement,
        to: &Checkpoint,
        place: &Place,
    ) -> Result<(), Error> {
        let gtid = match self.interrupted.take() {
            // An earlier writer left it. Under the same GTID the server waits for a run that is still going on, and passes over a
            // statement that has been run.
            Some(Intent {
                identity,
                gtid: Some(gtid),
            }) if identity == place.text() => Some(gtid),
            Some(Intent {
                identity,
                gtid: None,
            }) if identity == place.text() => return Err(undecided(statement)),
            _ => {
                let (intent, gtid) = self.store.intent_sql(&place.text(), self.chooses_gtids);
                if self.session.exec(&intent).await?.affected_rows != 1 {
                    return Err(fenced(self.store.stream()));
                }
                gtid
            }
        };
        self.execute(statement, gtid.as_deref()).await?;
        self.session.exec(settings::FOR_ROWS).await?;
        self.checks = (true, true);
        self.mappings.clear();
        self.move_checkpoint(&[], to).await
    }

    async fn execute(&mut self, statement: &Statement, gtid: Option<&str>) -> Result<(), Error> {
        let refused = |error: ClientError| {
            let detail = format!("statement: {} …", ddl::summary(statement));
            let mut error = Error::from(error).detail(detail);
            if error.hint.is_none() {
                error.hint = Some(
                    "compare the definitions on both servers, mend the target, then start again"
                        .to_owned(),
                );
            }
            error
        };
        if let Some(schema) = &statement.default_schema {
            let sql = format!("USE {}", quote_identifier(schema));
            match self.session.exec(sql.as_bytes()).await {
                // CREATE SCHEMA is logged under the schema that it makes. Unqualified names must find no other schema by accident.
                Err(e) if e.code() == "server.unknown-database" => {
                    self.session.exec(b"USE information_schema").await?;
                }
                other => {
                    other?;
                }
            }
        }
        self.session
            .exec(&ddl::context_sql(&statement.context))
            .await
            .map_err(refused)?;
        if let Some(gtid) = gtid {
            let sql = format!("SET SESSION gtid_next = '{gtid}'");
            self.session.exec(sql.as_bytes()).await?;
        }
        // Statements such as ANALYZE TABLE answer with rows.
        self.session.query(&statement.sql).await.map_err(refused)?;
        if gtid.is_some() {
            self.session
                .exec(b"SET SESSION gtid_next = 'AUTOMATIC'")
                .await?;
        }
        Ok(())
    }

    async fn mapping(&mut self, id: u32) -> Result<Rc<Mapping>, Error> {
        if let Some(mapping) = self.mappings.get(&id) {
            return Ok(Rc::clone(mapping));
        }
        let Some(source) = self.tables.get(&id).cloned() else {
            return Err(Error::fatal(
                "sink.contract",
                format!("rows of table {id}, which no table record announced"),
            ));
        };
        let (schema, name) = (source.schema.as_str(), source.name.as_str());
        // Replies that are on the way come first on this session.
        self.send_packet().await?;
        self.read_replies().await?;
        let table = self.session.query_first(&table_query(schema, name)).await?;
        let columns = self
            .session
            .query_rows(&columns_query(schema, name))
            .await?;
        let keys = self.session.query_rows(&keys_query(schema, name)).await?;
        let target = TargetTable::from_answers(schema, name, table.as_ref(), &columns, &keys).ok_or_else(|| {
            Error::reconfigure("table.missing", "the target has no such table")
                .in_table(schema, name)
                .hint("create the table on the target as it was at this position, or exclude it; for a first copy start from a dump's position")
        })?;
        let mapping = Rc::new(Mapping::new(&source, target, &self.collations)?);
        self.mappings.insert(id, Rc::clone(&mapping));
        Ok(mapping)
    }
}

fn undecided(statement: &Statement) -> Error {
    Error::fatal(
        "ddl.undecided",
        "the host ended while this statement was running, and the target cannot tell whether it was done",
    )
    .detail(format!("statement: {} …", ddl::summary(statement)))
    .hint(
        "look at the target; if the statement was not done, UPDATE datain.checkpoints SET ddl_identity = NULL for this pipeline and start again; \
         with gtid_mode = ON on the target, and the right to set gtid_next, the server can tell",
    )
}

async fn may_choose_gtids<S: Stream>(session: &mut Session<S>) -> Result<bool, Error> {
    let mode = session
        .query_rows(b"SHOW GLOBAL VARIABLES LIKE 'gtid_mode'")
        .await?;
    let on = mode
        .first()
        .and_then(|row| row.get(1).cloned().flatten())
        .is_some_and(|value| value.starts_with("ON"));
    if !on {
        return Ok(false);
    }
    match session.exec(b"SET SESSION gtid_next = 'AUTOMATIC'").await {
        Ok(_) => Ok(true),
        Err(e) if e.server().is_some() => Ok(false),
        Err(e) => Err(e.into()),
    }
}

impl Expected {
    /// Attaches place and table.
    fn named(&self, error: Error) -> Error {
        let error = error.at(
            &self.place.file,
            self.place.offset,
            self.place.gtid.as_deref(),
        );
        match &self.mapping {
            Some(mapping) => error.in_table(&mapping.target.schema, &mapping.target.name),
            None => error,
        }
    }

    fn refused(&self, error: ClientError) -> Error {
        let mut error = Error::from(error);
        if error.hint.is_none() && self.mapping.is_some() {
            error.hint = Some("the target's rows differ from the source's at this point; nothing of this group was committed".to_owned());
        }
        self.named(error)
    }

    fn miscounted(&self, wanted: u64, found: u64) -> Error {
        let key = self.mapping.as_ref().map(|m| {
            let names: Vec<&str> = m
                .target
                .key
                .iter()
                .map(|c| m.target.columns[*c].name.as_str())
                .collect();
            names.join(", ")
        });
        let mut error = Error::fatal(
            "row.missing",
            format!("a change should have touched {wanted} row(s) of the target and touched {found}"),
        )
        .hint("the target's rows differ from the source's: somebody wrote to the target, or the start position was wrong; nothing of this group was committed");
        error.detail = key.map(|k| format!("rows were looked up by: {k}"));
        self.named(error)
    }
}
