//! Changes of rows that the source has logged as statements, for a target that replays them (`[apply] statements = "replay"`).
//!
//! What a statement depends on besides its session stands in events before it: Intvar, Rand and User_var, and the files of LOAD DATA ([`files`]). The former are handed on as SET statements in the same
//! transaction, right before the statement, as `mysqlbinlog` prints them; a file goes with its statement.
//!
//! A statement is handed on only if it is certain which tables it touches, and that the target has the same ones. So it is refused
//! - if the names in it cannot be read, or some of its tables are replicated and some are not;
//! - if a trigger of the source is set off by it, since the target has none: what triggers change is in the log of rows only;
//! - if it needs a temporary table that the target does not have ([`tables`]);
//! - while a first copy is under way: the effect of a statement cannot be kept apart by rows that are copied and rows that are not.
//!
//! Of triggers, those count that the source has at the opening, and those that the log makes. Temporary tables are kept in the checkpoint.

mod files;
mod tables;

use std::collections::BTreeMap;

use datain_binlog::{EventBody, ExecuteLoad, LoadBlock, QueryEvent, UserVarValue};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Statement};
use datain_mysql_client::{Session, Stream};
use datain_sql_statement::{
    Action, Charset, Dialect, Kind, ObjectName, TableFilter, Verdict, classify, data_change,
    first_words,
};

use datain_server_facts::{Rights, Sight, Variables};

use crate::printed;
use crate::statement::{options, statement};
use crate::temporary::{TemporaryTables, owner};
use files::Files;
pub(crate) use tables::left_out;
use tables::{Definition, Use, define, used};

/// Schema and name, in lower case: a refusal too many does no harm.
type Name = (String, String);

/// What must be remembered from one event to the next.
#[derive(Debug, Default)]
pub struct Replay {
    /// The table of each trigger.
    triggers: BTreeMap<Name, Name>,
    /// Files for LOAD DATA.
    files: Files,
    /// SET statements for the statement that follows.
    settings: Vec<Statement>,
}

/// What is done with a statement.
#[derive(Debug, PartialEq)]
pub enum Replayed {
    /// It is no change of rows.
    Other,
    /// It changes nothing that is replicated.
    Nothing,
    /// It is handed on, with what it depends on before it, in the transaction that is open; outside of any it is a transaction by itself.
    Change(Vec<Statement>),
}

/// Where the stream stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// A transaction that began with BEGIN is open.
    pub inside: bool,
    /// It is a branch of an XA transaction.
    pub in_branch: bool,
    /// A first copy is not complete.
    pub copying: bool,
    /// Whose SQL it is.
    pub dialect: Dialect,
    /// The server on which the statement was run first.
    pub server_id: u32,
}

impl Replay {
    /// Asks the source for its triggers.
    ///
    /// # Errors
    /// `source.triggers-unseen`; errors of the server.
    pub async fn ask<S: Stream>(session: &mut Session<S>) -> Result<Replay, Error> {
        let missing = unseen(session).await?;
        if !missing.is_empty() {
            return Err(Error::reconfigure(
                "source.triggers-unseen",
                "statements are to be replayed, and the account may not see which tables of the source have triggers",
            )
            .hint(missing.join(" ")));
        }
        let rows = session
            .query_rows(
                b"SELECT TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS",
            )
            .await?;
        let mut replay = Replay::default();
        for row in rows {
            if let [Some(schema), Some(name), Some(of_schema), Some(table)] = row.as_slice() {
                let table = lower(of_schema, table);
                replay.triggers.insert(lower(schema, name), table);
            }
        }
        Ok(replay)
    }

    /// Keeps what an Intvar, Rand or User_var event sets.
    ///
    /// # Errors
    /// As [`printed::assignment`].
    pub fn set(&mut self, event: &EventBody<'_>) -> Result<(), Error> {
        let mut setting = printed::assignment(event, literal)?;
        if let EventBody::UserVar(variable) = event
            && let Some(value) = &variable.value
            && value.result_type == STRING
        {
            let collation = u16::try_from(value.collation).map_err(|_| {
                Error::fatal(
                    "binlog.malformed",
                    "the collation of a user variable is out of range",
                )
            })?;
            setting.context.collation_connection = Some(collation);
        }
        self.settings.push(setting);
        Ok(())
    }

    /// Keeps a block of a file for LOAD DATA; with `begins` it is the first one. All files may have so many bytes.
    ///
    /// # Errors
    /// `source.load-data` when they have more; `binlog.malformed`.
    pub fn block(&mut self, block: LoadBlock<'_>, begins: bool, limit: u64) -> Result<(), Error> {
        if begins {
            self.files.begin(block, limit)
        } else {
            self.files.append(block, limit)
        }
    }

    /// A file is not read after all.
    pub fn delete_file(&mut self, file_id: u32) {
        self.files.delete(file_id);
    }

    /// Reads the statement of a LOAD DATA, as [`take`](Self::take).
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_load(
        &mut self,
        load: &ExecuteLoad<'_>,
        timestamp: u32,
        standing: Standing,
        filter: &TableFilter,
        temporary: &mut TemporaryTables,
    ) -> Result<Replayed, Error> {
        let file = self.files.take(load.file_id)?;
        let sql = files::local(load);
        let query = QueryEvent {
            sql: &sql,
            ..load.query.clone()
        };
        let mut replayed = self.take(&query, timestamp, standing, filter, temporary)?;
        if let Replayed::Change(list) = &mut replayed
            && let Some(statement) = list.last_mut()
        {
            statement.file = Some(file);
        }
        Ok(replayed)
    }

    /// Reads a Query event. `temporary` is kept up to date.
    ///
    /// # Errors
    /// For changes of rows that cannot be replayed.
    pub fn take(
        &mut self,
        query: &QueryEvent<'_>,
        timestamp: u32,
        standing: Standing,
        filter: &TableFilter,
        temporary: &mut TemporaryTables,
    ) -> Result<Replayed, Error> {
        let settings = std::mem::take(&mut self.settings);
        if query.sql == b"BEGIN" || query.sql == b"COMMIT" {
            return Ok(Replayed::Other);
        }
        let options = options(query, standing.dialect);
        let found = classify(query.sql, &options);
        let summary = || format!("statement: {} …", first_words(query.sql, 6, &options));
        let definition = define(
            &found, query, timestamp, &options, standing, filter, temporary,
        );
        match definition.map_err(|e| e.detail(summary()))? {
            Definition::Other => {}
            Definition::Nothing => return Ok(Replayed::Nothing),
            Definition::Change(statement) => {
                // What a CREATE TEMPORARY TABLE … SELECT reads.
                let mut list = settings;
                list.push(*statement);
                return Ok(Replayed::Change(list));
            }
        }
        if found.kind != Kind::Dml {
            self.note_triggers(&found, query, options.charset);
            return Ok(Replayed::Other);
        }
        let by_schemas = filter.judge_schemas(query.status.updated_db_names.as_deref());
        if by_schemas == Verdict::Out {
            return Ok(Replayed::Nothing);
        }
        let change = data_change(query.sql, &options).filter(|change| change.complete);
        let Some(change) = change else {
            return Err(unreadable().detail(summary()));
        };
        let used = used(
            &change,
            query,
            standing.server_id,
            options.charset,
            filter,
            temporary,
        )
        .map_err(|e| e.detail(summary()))?;
        let (change, by_schemas) = match used {
            Use::Nothing => return Ok(Replayed::Nothing),
            Use::None => (Some(change), by_schemas),
            Use::Only => (None, Verdict::In),
            // The schemas count temporary tables, too.
            Use::Also(rest) => (Some(rest), Verdict::Unknown),
        };
        let verdict = match change {
            None => Verdict::In,
            Some(change) => {
                self.refuse_triggers(&change.writes, query, options.charset)
                    .map_err(|e| e.detail(summary()))?;
                match by_schemas {
                    Verdict::In => Verdict::In,
                    _ => filter.judge_change(&change, query.schema, options.charset),
                }
            }
        };
        match verdict {
            Verdict::In if standing.copying => Err(while_copying().detail(summary())),
            Verdict::In if !standing.inside || standing.in_branch => {
                Err(at_a_wrong_place().detail(summary()))
            }
            Verdict::In => {
                let mut list = settings;
                list.push(Statement {
                    session: temporary.session(owner(standing.server_id, query.thread_id)),
                    ..statement(query, timestamp)
                });
                Ok(Replayed::Change(list))
            }
            Verdict::Out | Verdict::NoObjects => Ok(Replayed::Nothing),
            Verdict::Mixed => Err(mixed().detail(summary())),
            Verdict::Unknown => Err(unreadable().detail(summary())),
        }
    }

    /// Notes what a statement does to triggers.
    fn note_triggers(
        &mut self,
        found: &datain_sql_statement::Statement,
        query: &QueryEvent<'_>,
        charset: Charset,
    ) {
        let named = |name: &ObjectName| decode(name, charset, query.schema);
        let mut targets = found.targets.iter().filter_map(named);
        match found.kind {
            Kind::Trigger(Action::Create) => {
                if let (Some(trigger), Some(table)) = (targets.next(), &found.trigger_table) {
                    // The table's schema is the trigger's where only the latter is named.
                    if let Some(table) = decode(table, charset, &trigger.0) {
                        self.triggers.insert(trigger, table);
                    }
                }
            }
            Kind::Trigger(Action::Drop) => {
                for name in targets {
                    self.triggers.remove(&name);
                }
            }
            _ => {}
        }
    }

    fn refuse_triggers(
        &self,
        writes: &[ObjectName],
        query: &QueryEvent<'_>,
        charset: Charset,
    ) -> Result<(), Error> {
        for table in writes {
            let Some(name) = decode(table, charset, query.schema) else {
                continue;
            };
            if self.triggers.values().any(|of| *of == name) {
                return Err(triggers().in_table(&name.0, &name.1));
            }
        }
        Ok(())
    }
}

/// The statements without which the account does not see all triggers of the server.
pub(crate) async fn unseen<S: Stream>(session: &mut Session<S>) -> Result<Vec<String>, Error> {
    let variables = Variables::ask(session, &["partial_revokes"]).await?;
    let rights = Rights::ask(session, &variables).await?;
    // A trigger of a table that is not replicated may change one that is.
    let everything = datain_server_facts::filter(&[], &[], false)?;
    Ok(Sight::TRIGGERS.missing(&everything, &rights, false, true))
}

/// The type of a string in a User_var event.
const STRING: u8 = 0;
/// The collation of bytes.
const BINARY: u32 = 63;

/// An expression that has the value, type and collation, in a session whose collation_connection is the value's.
fn literal(value: &UserVarValue<'_>) -> Option<String> {
    let sql = value.to_sql()?;
    if value.result_type != STRING {
        return Some(sql);
    }
    // Behind the literal stands the collation's number, for people.
    let (hex, _) = sql.split_once(' ')?;
    Some(if value.collation == BINARY {
        hex.to_owned()
    } else {
        format!("CAST({hex} AS CHAR)")
    })
}

fn lower(schema: &str, name: &str) -> Name {
    (schema.to_lowercase(), name.to_lowercase())
}

fn decode(table: &ObjectName, charset: Charset, default_schema: &str) -> Option<Name> {
    let name = table.decode(charset, default_schema);
    name.map(|(schema, name)| lower(&schema, &name))
}

fn unreadable() -> Error {
    Error::fatal(
        "filter.unreadable-statement",
        "the names of tables in the statement cannot be read, so it is not known what it changes",
    )
    .hint("run it on the target by hand if it is wanted there, then skip the transaction; with binlog_format = ROW on the source such statements are logged as rows")
}

fn mixed() -> Error {
    Error::fatal(
        "filter.mixed-statement",
        "the statement touches both tables that are replicated and tables that are not",
    )
    .hint("include or exclude all of its tables, or apply its effect to the target by hand and skip the transaction; with binlog_format = ROW on the source each table's rows are logged by themselves")
}

fn triggers() -> Error {
    Error::fatal(
        "source.statement-triggers",
        "the statement changes a table that has triggers on the source, and what they change is not in the log",
    )
    .hint("SET PERSIST binlog_format = ROW on the source, and reconnect its sessions; here, apply the statement's effect to the target by hand, then skip the transaction")
}

fn while_copying() -> Error {
    Error::fatal(
        "source.statement-while-copying",
        "the source logged a change of rows as a statement while the first copy was under way, and it cannot be told which of the copied rows it has changed",
    )
    .hint("binlog_format = ROW on the source until the first copy is complete; or load a dump by hand and start from its position")
}

fn at_a_wrong_place() -> Error {
    Error::fatal(
        "source.statement-format",
        "the source logged a change of rows as a statement in an XA branch, or outside of any transaction, where it cannot be replayed",
    )
    .hint("SET PERSIST binlog_format = ROW on the source, and reconnect its sessions; here, apply the statement's effect to the target by hand, then skip the transaction")
}
