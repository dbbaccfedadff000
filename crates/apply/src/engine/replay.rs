//! Changes of rows that the source has logged as statements ([`Engine::replay_statements`]).
//!
//! A transaction that holds such statements is applied alone, in the source's order and unreduced: its rows as they were logged, its statements each in a session that looks like the source's. The
//! checkpoint is committed with them, so nothing of it is lost or repeated.
//!
//! Of a statement's effect the log says nothing, so no count can be compared. What can be held against the target is where the statement writes: to tables that can roll back, which have no triggers
//! here, and had none on the source. A stored function may write to any table, so a statement that calls one is refused.

use std::collections::{BTreeSet, HashSet};
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{
    Change, Checkpoint, Error, SessionContext, Statement, TemporaryTables, Transaction,
};
use datain_mysql_client::{ClientError, Stream, append_string, quote_identifier};
use datain_sql_statement::{
    Action, Charset, DataChange, Dialect, Doubt, Kind, ObjectName, Options, Verb, classify,
    data_change,
};

use super::replies::Count;
use super::temporary::Temporary;
use super::{Engine, Notice, Place};
use crate::checkpoint::unhex;
use crate::ddl;
use crate::known_settings;
use crate::mapping;
use crate::mariadb_session;
use crate::settings;

/// What is known of the tables and functions that statements name; DDL makes it void.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// Tables that statements may write to.
    writable: HashSet<(String, String)>,
    /// Names of functions that are no stored ones.
    native: HashSet<Vec<u8>>,
    /// Tables with triggers that are held back, once they were asked for.
    triggered: Option<BTreeSet<(String, String)>>,
    /// The session's explicit_defaults_for_timestamp, by which NULL is now for a column that is NOT NULL. No server lets it be changed in a transaction.
    explicit_timestamps: Option<bool>,
    /// What was told once.
    told: BTreeSet<(Verb, Doubt)>,
    /// Temporary tables of the source's sessions.
    pub(super) temporary: Temporary,
}

impl Replay {
    /// Definitions have changed.
    pub(super) fn forget(&mut self) {
        self.writable.clear();
        self.native.clear();
        self.triggered = None;
    }
}

/// Whether a transaction holds changes of rows as statements, and not a definition.
pub(super) fn holds_changes(transaction: &Transaction) -> bool {
    let first = transaction.changes.iter().find_map(|change| match change {
        Change::Statement(statement) => Some(statement),
        Change::Rows(_) => None,
    });
    first.is_some_and(|statement| {
        matches!(kind(statement), Kind::Dml | Kind::Set)
            || statement.temporary != TemporaryTables::None
    })
}

fn kind(statement: &Statement) -> Kind {
    classify(&statement.sql, &ddl::options(statement)).kind
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// From now on changes of rows that were logged as statements are run, instead of ending the stream.
    pub fn replay_statements(&mut self) {
        self.replay = Some(Replay::default());
    }

    /// Applies a transaction, or a piece of one, that holds statements besides rows, and commits it at its end. Returns what became durable.
    pub(super) async fn apply_changes(
        &mut self,
        transaction: &Transaction,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<Option<Checkpoint>, Error> {
        let broken = |message| Err(Error::fatal("sink.contract", message));
        if transaction.xa.is_some() {
            return broken("a statement that changes rows came in an XA branch");
        }
        if transaction.last && transaction.checkpoint.is_none() {
            return broken("a transaction with a statement came without a checkpoint");
        }
        let mut durable = None;
        if transaction.piece == 0 && self.open.group.is_some() {
            if !self.can_commit() {
                return broken("the transaction before a statement came without a checkpoint");
            }
            durable = Some(self.commit().await?);
        }
        self.settle().await?;
        if transaction.piece == 0 {
            self.ready_temporary(transaction).await?;
        }
        self.set_explicit_timestamps(transaction, place)?;
        // Until the transaction is complete, no commit may stand here.
        self.open.group.get_or_insert_default().checkpoint = None;
        let as_written = std::mem::replace(&mut self.open.as_written, true);
        let result = self.one_by_one(transaction, block, place).await;
        self.open.as_written = as_written;
        result?;
        if transaction.last {
            self.keep_temporary(place).await?;
        }
        self.open.complete(transaction, place);
        if transaction.last {
            durable = Some(self.commit().await?);
            self.tidy_temporary().await?;
        }
        Ok(durable)
    }

    /// Sets what only can be set before the target's transaction begins, as the first statement wants it.
    fn set_explicit_timestamps(
        &mut self,
        transaction: &Transaction,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let first = transaction.changes.iter().find_map(|change| match change {
            Change::Statement(statement) if kind(statement) == Kind::Dml => Some(statement),
            _ => None,
        });
        let (Some(first), None) = (first, self.lane.written) else {
            return Ok(());
        };
        let context = known_settings::of(&first.context, self.lane.session.server_version())?;
        if let Some(on) = context.explicit_defaults_for_timestamp {
            let sql = format!(
                "SET SESSION explicit_defaults_for_timestamp = {}",
                u8::from(on)
            );
            self.lane.push(sql.as_bytes(), Count::Any, None, place);
        }
        if let Some(replay) = &mut self.replay {
            replay.explicit_timestamps = context.explicit_defaults_for_timestamp;
        }
        Ok(())
    }

    /// The changes in their order.
    async fn one_by_one(
        &mut self,
        transaction: &Transaction,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let mut before = Vec::new();
        for change in &transaction.changes {
            match change {
                Change::Rows(set) => {
                    if let Some(replay) = &mut self.replay {
                        replay.temporary.changes_others();
                    }
                    self.row_set(set, block, 0, place).await?;
                }
                Change::Statement(statement) => match kind(statement) {
                    Kind::Set => before.push(statement),
                    Kind::Dml => {
                        self.replay_one(statement, &before, place).await?;
                        before.clear();
                    }
                    _ if statement.temporary != TemporaryTables::None => {
                        self.define_temporary(statement, &before, place).await?;
                        before.clear();
                    }
                    _ => {
                        return Err(Error::fatal(
                            "statement.mixed",
                            "the transaction holds a definition together with changes of rows",
                        )
                        .detail(format!("statement: {} …", ddl::summary(statement))));
                    }
                },
            }
        }
        Ok(())
    }

    /// Runs one statement, behind the SET statements that belong to it.
    async fn replay_one(
        &mut self,
        statement: &Statement,
        before: &[&Statement],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let named = |error: Error| {
            let detail = format!("statement: {} …", ddl::summary(statement));
            match error.detail {
                None => error.detail(detail),
                Some(_) => error,
            }
        };
        // What comes after must find what came before.
        self.write_net(place).await?;
        self.lane.send_packet().await?;
        self.lane.read_replies().await?;
        self.look_at(statement, place).await.map_err(named)?;
        self.lane.begin(place);
        if let Some(schema) = &statement.default_schema {
            let sql = format!("USE {}", quote_identifier(schema));
            self.lane.push(sql.as_bytes(), Count::Any, None, place);
        }
        for setting in before {
            // A string is one in the session's own character set and collation.
            if setting.context.collation_connection.is_some() {
                let context = self.context_of(&setting.context)?;
                self.lane.push(&context, Count::Any, None, place);
            }
            self.lane.push(&setting.sql, Count::Any, None, place);
        }
        let context = self.context_of(&statement.context)?;
        self.lane.push(&context, Count::Any, None, place);
        let numbers = Self::numbers(statement);
        if let Some([of_session, _]) = &numbers {
            self.lane.push(of_session, Count::Any, None, place);
        }
        self.lane.send_packet().await?;
        self.lane.read_replies().await?;
        if let Some(file) = &statement.file {
            self.load_file(statement, file, place)
                .await
                .map_err(named)?;
        } else {
            // By itself: a comment at its end would swallow what follows. RETURNING answers with rows.
            let answer = self.lane.session.query(&statement.sql).await;
            answer.map_err(|error| named(refused(error)))?;
        }
        if let Some([_, of_nobody]) = &numbers {
            self.lane.push(of_nobody, Count::Any, None, place);
        }
        let for_rows = settings::for_rows(self.lane.session.server_version());
        self.lane.push(&for_rows, Count::Any, None, place);
        self.lane.foreign_key_checks = true;
        self.totals.statements += 1;
        Ok(())
    }

    pub(super) fn context_of(&self, context: &SessionContext) -> Result<Vec<u8>, Error> {
        let version = self.lane.session.server_version();
        let mut context = known_settings::of(context, version)?;
        // It is about definitions.
        context.default_table_encryption = None;
        let known = self.replay.as_ref().and_then(|r| r.explicit_timestamps);
        if context.explicit_defaults_for_timestamp == known {
            context.explicit_defaults_for_timestamp = None;
        }
        if version.is_mariadb() {
            mariadb_session::context_sql(&context, &self.collations, version)
        } else {
            Ok(ddl::context_sql(&context))
        }
    }

    /// Refuses what cannot be taken back or would have another effect than on the source, and says once what may.
    async fn look_at(&mut self, statement: &Statement, place: &Place) -> Result<(), Error> {
        if statement.error_code != 0 {
            return Err(Error::fatal(
                "statement.failed-on-source",
                "the statement failed half-way on the source, so what it changed is not known",
            )
            .hint("bring both servers to the same state by hand, then skip the transaction"));
        }
        let options = ddl::options(statement);
        let change = data_change(&statement.sql, &options).filter(|change| change.complete);
        let Some(change) = change else {
            return Err(Error::fatal(
                "statement.unreadable",
                "the names of tables in the statement cannot be read, so it is not known what it changes",
            )
            .hint("apply its effect to the target by hand, then skip the transaction"));
        };
        let schema = statement.default_schema.as_deref().unwrap_or_default();
        for table in &change.writes {
            if self.uses_temporary(statement, table, options.charset, true)? {
                continue;
            }
            if let Some(replay) = &mut self.replay {
                replay.temporary.changes_others();
            }
            self.look_at_table(table, schema, options.charset).await?;
        }
        self.look_at_reads(statement, &change, place).await
    }

    /// The same of what a statement reads and calls.
    pub(super) async fn look_at_reads(
        &mut self,
        statement: &Statement,
        change: &DataChange,
        place: &Place,
    ) -> Result<(), Error> {
        self.refuse_functions(change).await?;
        let charset = ddl::options(statement).charset;
        for table in &change.reads {
            self.uses_temporary(statement, table, charset, false)?;
        }
        self.tell(statement, change, place);
        Ok(())
    }

    /// Whether a table is a temporary one of the statement's session.
    fn uses_temporary(
        &mut self,
        statement: &Statement,
        table: &ObjectName,
        charset: Charset,
        changes: bool,
    ) -> Result<bool, Error> {
        let default_schema = statement.default_schema.as_deref().unwrap_or_default();
        let (Some(replay), Some((schema, name))) =
            (&mut self.replay, table.decode(charset, default_schema))
        else {
            return Ok(false);
        };
        let temporary = &mut replay.temporary;
        temporary.uses(statement.session, &schema, &name, changes)?;
        Ok(temporary.has(statement.session, &schema, &name))
    }

    async fn look_at_table(
        &mut self,
        table: &ObjectName,
        default_schema: &str,
        charset: Charset,
    ) -> Result<(), Error> {
        let Some((schema, name)) = table.decode(charset, default_schema) else {
            return Err(Error::fatal(
                "statement.unreadable",
                "the name of a table in the statement cannot be read, so it is not known what it changes",
            )
            .hint("apply its effect to the target by hand, then skip the transaction"));
        };
        let key = (schema.into_owned(), name.into_owned());
        let Some(replay) = &self.replay else {
            return Ok(());
        };
        if replay.writable.contains(&key) {
            return Ok(());
        }
        let found = self.target_table(&key.0, &key.1).await?;
        let Some(found) = found else {
            return Err(Error::reconfigure("table.missing", "the target has no such table")
                .in_table(&key.0, &key.1)
                .hint("if it is a temporary table, or a view, whose changes can only be replicated as rows: apply the statement's effect to the target by hand, then skip the transaction, and set binlog_format = ROW on the source; \
                    else create the table on the target as it was at this position"));
        };
        mapping::require_writable(&found).map_err(|e| e.in_table(&key.0, &key.1))?;
        if self.has_held_back_trigger(&key).await? {
            return Err(Error::fatal(
                "source.statement-triggers",
                "the statement changes a table that has triggers on the source, and what they change is not in the log",
            )
            .in_table(&key.0, &key.1)
            .hint("SET PERSIST binlog_format = ROW on the source, and reconnect its sessions; here, apply the statement's effect to the target by hand, then skip the transaction"));
        }
        if let Some(replay) = &mut self.replay {
            replay.writable.insert(key);
        }
        Ok(())
    }

    /// Whether a trigger of this table is held back: the source had it at this place of the stream.
    async fn has_held_back_trigger(&mut self, table: &(String, String)) -> Result<bool, Error> {
        let lower = (table.0.to_lowercase(), table.1.to_lowercase());
        if let Some(triggered) = self.replay.as_ref().and_then(|r| r.triggered.as_ref()) {
            return Ok(triggered.contains(&lower));
        }
        let mut sql =
            b"SELECT default_schema, sql_mode, HEX(statement) FROM datain.held_back WHERE stream = "
                .to_vec();
        append_string(&mut sql, self.store.stream().as_bytes());
        sql.extend_from_slice(b" ORDER BY id");
        let rows = self.lane.session.query_rows(&sql).await?;
        let triggered = triggered(&rows);
        let found = triggered.contains(&lower);
        if let Some(replay) = &mut self.replay {
            replay.triggered = Some(triggered);
        }
        Ok(found)
    }

    async fn refuse_functions(&mut self, change: &DataChange) -> Result<(), Error> {
        let Some(replay) = &self.replay else {
            return Ok(());
        };
        let known = |name: &&Vec<u8>| !replay.native.contains(&name.to_ascii_lowercase());
        let unknown: Vec<Vec<u8>> = change.calls.iter().filter(known).cloned().collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut sql = b"SELECT ROUTINE_SCHEMA, ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA <> 'sys' AND ROUTINE_NAME IN (".to_vec();
        for (number, name) in unknown.iter().enumerate() {
            if number > 0 {
                sql.push(b',');
            }
            sql.extend_from_slice(b"_utf8mb4");
            append_string(&mut sql, name);
        }
        sql.extend_from_slice(b") LIMIT 1");
        if self.lane.session.query_first(&sql).await?.is_some() {
            return Err(Error::fatal(
                "statement.stored-function",
                "the statement calls a stored function, and what that changes cannot be seen",
            )
            .hint("SET PERSIST binlog_format = ROW on the source, and reconnect its sessions; here, apply the statement's effect to the target by hand, then skip the transaction"));
        }
        if let Some(replay) = &mut self.replay {
            let names = unknown.iter().map(|name| name.to_ascii_lowercase());
            replay.native.extend(names);
        }
        Ok(())
    }

    /// Says once for each kind of statement why it may have another effect on the target.
    fn tell(&mut self, statement: &Statement, change: &DataChange, place: &Place) {
        let Some(replay) = &mut self.replay else {
            return;
        };
        for doubt in &change.doubts {
            if replay.told.insert((change.verb, *doubt)) {
                self.notices.push(Notice {
                    message: format!(
                        "a statement that may have another effect on the target is replayed, since it uses {doubt}; more of this kind are not told: compare with datain verify"
                    ),
                    statement: ddl::summary(statement),
                    transaction: place.text(),
                });
            }
        }
    }
}

/// Tables that have triggers after these statements, which were held back in this order: default schema, mode, statement in hexadecimal.
fn triggered(rows: &[Vec<Option<String>>]) -> BTreeSet<(String, String)> {
    let mut triggers = std::collections::BTreeMap::new();
    for row in rows {
        let cell = |at: usize| row.get(at).and_then(Option::as_deref).unwrap_or_default();
        let Some(sql) = unhex(cell(2)) else { continue };
        let modes = cell(1).parse().unwrap_or(0);
        let options = Options::from_sql_mode(modes, Charset::default(), Dialect::default());
        let found = classify(&sql, &options);
        let named = |name: &ObjectName, schema: &str| {
            name.decode(options.charset, schema)
                .map(|(schema, name)| (schema.to_lowercase(), name.to_lowercase()))
        };
        for target in &found.targets {
            let Some(trigger) = named(target, cell(0)) else {
                continue;
            };
            match found.kind {
                Kind::Trigger(Action::Create) => {
                    let table = found.trigger_table.as_ref();
                    if let Some(table) = table.and_then(|table| named(table, &trigger.0)) {
                        triggers.insert(trigger, table);
                    }
                }
                Kind::Trigger(Action::Drop) => {
                    triggers.remove(&trigger);
                }
                _ => {}
            }
        }
    }
    triggers.into_values().collect()
}

/// errno of "table doesn't exist".
const NO_SUCH_TABLE: u16 = 1146;

pub(super) fn refused(error: ClientError) -> Error {
    let mut error = Error::from(error);
    let no_table = error.server_errno == Some(NO_SUCH_TABLE);
    if error.hint.is_none() || no_table {
        error.hint = Some(
            if no_table {
                "if the table is a temporary one of the source's session, it can only be replicated as rows: apply the statement's effect to the target by hand, then skip the transaction, and set binlog_format = ROW on the source; nothing of this transaction was committed"
            } else {
                "the target's rows or definitions differ from the source's at this point, or its version does not take the statement: mend the target and start again, or apply the statement's effect by hand and leave the transaction out with datain skip; nothing of it was committed"
            }
            .to_owned(),
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_with_triggers_are_those_of_the_triggers_that_are_left() {
        let row = |sql: &str| {
            let hex = sql.bytes().fold(String::new(), |mut text, byte| {
                text.push_str(&format!("{byte:02X}"));
                text
            });
            vec![Some("Shop".to_owned()), None, Some(hex)]
        };
        let rows = [
            row("CREATE TRIGGER a BEFORE INSERT ON T FOR EACH ROW SET @a = 1"),
            row("CREATE DEFINER=`x`@`y` TRIGGER other.b AFTER UPDATE ON u FOR EACH ROW SET @a = 1"),
            row("CREATE TRIGGER c BEFORE DELETE ON v FOR EACH ROW SET @a = 1"),
            row("DROP TRIGGER c"),
            row("DROP EVENT a"),
        ];
        let expected = [("other", "u"), ("shop", "t")];
        let expected = expected.map(|(schema, name)| (schema.to_owned(), name.to_owned()));
        assert_eq!(triggered(&rows), expected.into_iter().collect());
    }
}
