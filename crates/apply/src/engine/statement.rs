//! Statements of the source: run under an intent, left out, or held back. Each stands alone, with its own checkpoint.

use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Checkpoint, Disposition, Error, Statement, Transaction};
use datain_mysql_client::{ClientError, ServerVersion, Stream, quote_identifier};

use super::{Done, Engine, Group, Notice, Place};
use crate::checkpoint::{Intent, Lock};
use crate::ddl::{self, Treatment};
use crate::from_mariadb;
use crate::known_settings;
use crate::mariadb_session;
use crate::settings;

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// A transaction that holds a statement: it stands alone, with its own checkpoint. Rows may follow only the statement of a CREATE TABLE … SELECT: they open
    /// a group, which the caller commits. Returns what became durable.
    pub(super) async fn apply_statement(
        &mut self,
        transaction: Transaction,
        block: &[u8],
        place: &Rc<Place>,
    ) -> Result<Option<Checkpoint>, Error> {
        let broken = |message| Err(Error::fatal("sink.contract", message));
        let Some((Change::Statement(statement), rows)) = transaction.changes.split_first() else {
            return broken("a statement came behind rows of its transaction");
        };
        let creates = ddl::without_start_transaction(statement).or_else(|| {
            // Before 8.0.21 no clause says that rows follow.
            let rows_follow = !rows.is_empty() || !transaction.last;
            (rows_follow && ddl::makes_table(statement)).then(|| statement.clone())
        });
        if creates.is_none() && !(rows.is_empty() && transaction.last) {
            return Err(Error::fatal(
                "statement.mixed",
                "the transaction holds a statement together with other changes, which only CREATE TABLE … SELECT may",
            )
            .detail(format!("statement: {} …", ddl::summary(statement))));
        }
        if transaction.last && transaction.checkpoint.is_none() {
            return broken("a transaction with a statement came without a checkpoint");
        }
        let mut durable = None;
        if self.open.group.is_some() {
            if !self.can_commit() {
                return broken("the transaction before a statement came without a checkpoint");
            }
            durable = Some(self.commit().await?);
        }
        self.settle().await?;
        let treatment = ddl::treatment(statement);
        if let (Some(create), Treatment::Run) = (&creates, &treatment) {
            Lock::Statements(self.store.stream())
                .take(&mut self.lane.session)
                .await?;
            self.run_under_intent(create, place, true).await?;
            Lock::Statements(self.store.stream())
                .give_back(&mut self.lane.session)
                .await?;
            self.totals.statements += 1;
            self.open.group = Some(Group {
                ends_intent: true,
                ..Group::default()
            });
            let rows = Transaction {
                changes: rows.to_vec(),
                ..transaction
            };
            self.apply_rows(&rows, block, Done::default(), place)
                .await?;
            return Ok(durable);
        }
        let Some(checkpoint) = transaction.checkpoint.filter(|_| transaction.last) else {
            return broken("rows follow a statement that is not run");
        };
        match treatment {
            Treatment::Run => {
                // A person's order waits for what runs under this lock. After an error the session is given up, and the lock with it.
                Lock::Statements(self.store.stream())
                    .take(&mut self.lane.session)
                    .await?;
                self.run_under_intent(statement, place, false).await?;
                self.move_checkpoint(&[], &checkpoint, place, true).await?;
                Lock::Statements(self.store.stream())
                    .give_back(&mut self.lane.session)
                    .await?;
                self.totals.statements += 1;
            }
            Treatment::LeaveOut { reason } => {
                self.notice(&format!("left out: {reason}"), statement, place);
                self.move_checkpoint(&[], &checkpoint, place, false).await?;
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
                self.move_checkpoint(&sql, &checkpoint, place, false)
                    .await?;
                if let Some(replay) = &mut self.replay {
                    replay.forget();
                }
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
        Ok(Some(checkpoint))
    }

    fn notice(&mut self, message: &str, statement: &Statement, place: &Place) {
        self.totals.left_out += 1;
        self.notices.push(Notice {
            message: message.to_owned(),
            statement: ddl::summary(statement),
            transaction: place.text(),
        });
    }

    /// Commits the checkpoint, with `sql` (if not empty) in the same transaction. `ends_intent`: the statement of the intent was run.
    async fn move_checkpoint(
        &mut self,
        sql: &[u8],
        to: &Checkpoint,
        place: &Place,
        ends_intent: bool,
    ) -> Result<(), Error> {
        self.lane.session.exec(b"START TRANSACTION").await?;
        if !sql.is_empty() {
            self.lane.session.exec(sql).await?;
        }
        let moved = self
            .lane
            .session
            .exec(
                &self
                    .store
                    .advance_sql(to, place.committed_at_micros, ends_intent),
            )
            .await?;
        if moved.affected_rows != 1 {
            return Err(self.store.lost(&mut self.lane.session).await);
        }
        for clearing in self.open.applied.take_changes() {
            let clear = self.store.clearing_sql(&clearing);
            if self.lane.session.exec(&clear).await?.affected_rows != 1 {
                return Err(self.store.lost(&mut self.lane.session).await);
            }
        }
        self.lane.session.exec(b"COMMIT").await?;
        self.store.advanced(to.ordinal);
        Ok(())
    }

    /// Runs the statement, unless it was run before a kill. The intent stays until a checkpoint ends it. With `rows_follow` the table that it makes gets
    /// rows with the checkpoint.
    async fn run_under_intent(
        &mut self,
        statement: &Statement,
        place: &Place,
        rows_follow: bool,
    ) -> Result<(), Error> {
        self.refuse_numbering(statement).await?;
        let seen = if self.chooses_gtids {
            None
        } else {
            self.seen(statement).await?
        };
        // After a kill, on a target without GTIDs. Rows are committed with the checkpoint only, so a table that has some is not, or not only, what the statement made.
        let done = if rows_follow && self.interrupted.is_some() {
            self.created(statement).await?
        } else {
            seen
        };
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
            }) if identity == place.text() => match done {
                Some(true) => return Ok(()),
                Some(false) => None,
                None if ddl::may_be_repeated(statement) => None,
                None => return Err(undecided(statement)),
            },
            // The table is there already, or is not there: the server will say so, and nothing will be done.
            _ if seen == Some(true) => None,
            _ => {
                let (intent, gtid) = self.store.intent_sql(&place.text(), self.chooses_gtids);
                if self.lane.session.exec(&intent).await?.affected_rows != 1 {
                    return Err(self.store.lost(&mut self.lane.session).await);
                }
                gtid
            }
        };
        if let Err(mut error) = self.execute(statement, gtid.as_deref()).await {
            // No transaction can be left out while a first copy makes what it needs.
            let is_unspecific = |hint: &str| [NOT_TAKEN, from_mariadb::NOT_TAKEN].contains(&hint);
            if place.is_definition() && error.hint.as_deref().is_some_and(is_unspecific) {
                let hint = match error.server_errno {
                    Some(EXISTS) => IN_THE_WAY,
                    _ => NOT_MADE,
                };
                error.hint = Some(hint.to_owned());
            }
            self.forget_refused(statement, &error, gtid.is_some()).await;
            return Err(error);
        }
        let for_rows = settings::for_rows(self.lane.session.server_version());
        self.lane.session.exec(&for_rows).await?;
        self.lane.foreign_key_checks = true;
        self.open.mappings.clear();
        self.open.cascades = None;
        if let Some(replay) = &mut self.replay {
            replay.forget();
        }
        Ok(())
    }

    /// Whether the table of a CREATE TABLE is there, or that of a DROP TABLE is not, on a server that does all of such a statement or nothing. An intent is only written while that is not
    /// so, and is taken back when the server refuses the statement: so after a kill it says whether the statement was run.
    async fn seen(&mut self, statement: &Statement) -> Result<Option<bool>, Error> {
        let is_whole = is_all_or_nothing(statement, self.lane.session.server_version());
        let Some((makes, schema, name)) = ddl::tells_by_its_table(statement).filter(|_| is_whole)
        else {
            return Ok(None);
        };
        let is_there = self.target_table(&schema, &name).await?.is_some();
        Ok(Some(is_there == makes))
    }

    /// Whether the table that the statement creates is there and empty (`true`), or not there; `None` if it has rows, or its name cannot be read.
    async fn created(&mut self, statement: &Statement) -> Result<Option<bool>, Error> {
        let Some((schema, name)) = ddl::first_target(statement) else {
            return Ok(None);
        };
        if self.target_table(&schema, &name).await?.is_none() {
            return Ok(Some(false));
        }
        let rows = format!(
            "SELECT 1 FROM {}.{} LIMIT 1",
            quote_identifier(&schema),
            quote_identifier(&name)
        );
        let empty = self
            .lane
            .session
            .query_first(rows.as_bytes())
            .await?
            .is_none();
        Ok(empty.then_some(true))
    }

    /// An AUTO_INCREMENT column that is added to a table without a key numbers the rows in each server's own order, so that later changes would find
    /// other rows.
    async fn refuse_numbering(&mut self, statement: &Statement) -> Result<(), Error> {
        for (schema, name) in ddl::numbered_tables(statement) {
            let Some(table) = self.target_table(&schema, &name).await? else {
                continue;
            };
            let rows = format!(
                "SELECT 1 FROM {}.{} LIMIT 1",
                quote_identifier(&schema),
                quote_identifier(&name)
            );
            if table.keys.is_empty()
                && self
                    .lane
                    .session
                    .query_first(rows.as_bytes())
                    .await?
                    .is_some()
            {
                return Err(Error::fatal(
                    "ddl.numbers-rows",
                    "the statement numbers the rows of a table without a key, which each server does in an order of its own",
                )
                .in_table(&schema, &name)
                .detail(format!("statement: {} …", ddl::summary(statement)))
                .hint("copy the table from the source after this statement, then skip the transaction"));
            }
        }
        Ok(())
    }

    /// Takes the intent back when the server has said that the statement was not run, so that the next start does not wonder whether it was. Needs
    /// atomic DDL, which MySQL has since 8.0. With a GTID the server itself knows.
    async fn forget_refused(&mut self, statement: &Statement, error: &Error, has_gtid: bool) {
        // Lock wait timeout, deadlock, read-only: passing trouble, but the statement was surely not run.
        let passing = matches!(error.server_errno, Some(1205 | 1213 | 1290));
        let refused =
            error.server_errno.is_some() && (error.disposition != Disposition::Retry || passing);
        if refused && !has_gtid && is_all_or_nothing(statement, self.lane.session.server_version())
        {
            // If it cannot be taken back, the next start asks for a look at the target, which is safe.
            let _ = self
                .lane
                .session
                .exec(&self.store.forget_intent_sql())
                .await;
        }
    }

    async fn execute(&mut self, statement: &Statement, gtid: Option<&str>) -> Result<(), Error> {
        let is_foreign = from_mariadb::is_foreign(statement, self.lane.session.server_version());
        let adapted;
        let statement = if is_foreign {
            adapted = from_mariadb::adapted(statement, &self.collations)?;
            &adapted
        } else {
            statement
        };
        let refused = |error: ClientError| {
            // The words of a statement are keywords only: what it is about must be said beside them.
            let of = ddl::first_target(statement).map_or_else(String::new, |(schema, name)| {
                let schema = quote_identifier(&schema);
                format!(" of {schema}.{}", quote_identifier(&name))
            });
            let detail = format!("statement: {} …{of}", ddl::summary(statement));
            let mut error = Error::from(error).detail(detail);
            if error.hint.is_none() {
                error.hint = Some(match not_taken(error.server_errno) {
                    NOT_TAKEN if is_foreign => from_mariadb::NOT_TAKEN.to_owned(),
                    hint => hint.to_owned(),
                });
            }
            error
        };
        if let Some(schema) = &statement.default_schema {
            let sql = format!("USE {}", quote_identifier(schema));
            match self.lane.session.exec(sql.as_bytes()).await {
                // CREATE SCHEMA is logged under the schema that it makes. Unqualified names must find no other schema by accident.
                Err(e) if e.code() == "server.unknown-database" => {
                    self.lane.session.exec(b"USE information_schema").await?;
                }
                other => {
                    other?;
                }
            }
        }
        let version = self.lane.session.server_version();
        let context = known_settings::of(&statement.context, version)?;
        let context = if version.is_mariadb() {
            mariadb_session::context_sql(&context, &self.collations, version)?
        } else {
            ddl::context_sql(&context)
        };
        self.lane.session.exec(&context).await.map_err(refused)?;
        if let Some(gtid) = gtid {
            let sql = format!("SET SESSION gtid_next = '{gtid}'");
            self.lane.session.exec(sql.as_bytes()).await?;
        }
        // Statements such as ANALYZE TABLE answer with rows.
        self.lane
            .session
            .query(&statement.sql)
            .await
            .map_err(refused)?;
        if gtid.is_some() {
            self.lane
                .session
                .exec(b"SET SESSION gtid_next = 'AUTOMATIC'")
                .await?;
        }
        Ok(())
    }
}

/// What to do with a statement that the target refuses.
fn not_taken(errno: Option<u16>) -> &'static str {
    match errno {
        // Options, or rows too long, that an older server, or one that is less strict, only warned of.
        Some(1031 | 1118 | 1478) => {
            "if the source is less strict: SET GLOBAL innodb_strict_mode = OFF on the target until the cutover, then start again"
        }
        // Servers before 8.4 took a foreign key that leads to columns without a unique key of their own.
        Some(6125) => {
            "give the table that it leads to a unique key of these columns, or SET GLOBAL restrict_fk_on_non_standard_key = OFF on the target, then start again"
        }
        // MyISAM, in older servers.
        Some(1178) => {
            "ALTER TABLE … ENGINE = InnoDB on the source: only InnoDB and NDB have partitions on the target"
        }
        _ => NOT_TAKEN,
    }
}

const NOT_TAKEN: &str = "if the target's version does not know the statement's syntax, run what it means on the target by hand, and leave it out with datain skip; \
    else compare the definitions on both servers, mend the target, then start again";
const NOT_MADE: &str = "if the target's version does not know the definition's syntax, change the definition on the source, or exclude it in [replicate] and make it by hand; \
    then datain remove, drop what was copied, and start again";

/// errno of a table that exists.
const EXISTS: u16 = 1050;
const IN_THE_WAY: &str = "a first copy makes its tables itself: drop this one on the target if its rows may go, or exclude it in [replicate] before the first start; then start again";

/// Whether a statement that the server refuses has changed nothing. MariaDB has had atomic DDL since 10.6, but drops what it finds of several tables.
fn is_all_or_nothing(statement: &Statement, version: &ServerVersion) -> bool {
    version.is_mysql_since(8, 0, 0)
        || version.is_mariadb_since(10, 6, 0) && ddl::has_one_target(statement)
}

fn undecided(statement: &Statement) -> Error {
    let hint = if ddl::makes_table(statement) {
        "look at the target; if the table is not there, or is not the one that the statement makes, mend that; then UPDATE datain.checkpoints SET ddl_identity = NULL for \
         this pipeline and start again. A table that the statement made must be dropped before, or, if no rows follow in the log, the transaction left out with datain skip"
    } else {
        "look at the target; if the statement was done, leave it out with datain skip; if it was not, UPDATE datain.checkpoints SET ddl_identity = NULL for this pipeline and \
         start again"
    };
    Error::fatal(
        "ddl.undecided",
        "the host ended while this statement was running, and the target cannot tell whether it was done",
    )
    .detail(format!("statement: {} …", ddl::summary(statement)))
    .hint(format!(
        "{hint}; with gtid_mode = ON on the target, and the right to set gtid_next, the server can tell"
    ))
}
