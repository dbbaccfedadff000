//! Temporary tables of the source's sessions, which statements need that are replayed.
//!
//! They are made here as temporary tables too, each under the number of its session on the source (`pseudo_thread_id`), by which a server keeps the tables of many sessions apart in one; outside of
//! the source's statements the session has the number 0, which no session of the source has, and sees none of them.
//!
//! A server forgets them with the connection. So what they hold is written down in ordinary tables ([`checkpoint::temporary`](crate::checkpoint::temporary)), in the transaction that moves the
//! checkpoint, and is put into new ones after a restart. A table that was made or altered needs a new stand-in, and making that would commit what is open. So
//! - where a transaction changes nothing but temporary tables, as those do that make one, it is made before the checkpoint moves;
//! - else right behind the commit. A host that is killed between the two has lost the table: it knows that after the restart, and stops at the next statement that needs it.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Change, Error, Statement, TemporaryTables, Transaction};
use datain_mysql_client::{Stream, quote_identifier};
use datain_sql_statement::{Kind, TableAction, classify, created_from};

use super::replay::refused;
use super::replies::Count;
use super::{Engine, Place};
use crate::checkpoint::temporary::{self, Kept, Name};
use crate::{ddl, from_mariadb, settings};

/// What a temporary table is found by: its name, in lower case where the target does not tell cases apart.
type Key = (u32, String, String);

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct Temporary {
    /// What an earlier writer has left was looked at.
    restored: bool,
    /// The target does not tell the cases of names apart.
    folds: bool,
    tables: BTreeMap<Key, Made>,
    /// All that is kept is to be forgotten with the next commit.
    forget_all: bool,
    /// What of it is.
    forget: Vec<Name>,
    /// Stand-ins that nothing needs once the next commit is done.
    superfluous: Vec<String>,
    /// The transaction under way changes other tables, too.
    changes_others: bool,
    stand_ins: u64,
}

/// A temporary table.
#[derive(Debug, Default)]
struct Made {
    name: Name,
    /// Empty while there is none for this definition.
    stand_in: String,
    definition: Vec<u8>,
    /// The columns that can be written, as a list in SQL.
    columns: String,
    /// It holds other rows than its stand-in.
    changed: bool,
    /// An earlier writer has made it, and was stopped before it was kept.
    lost: bool,
}

impl Temporary {
    /// The transaction under way has changed a table that is no temporary one.
    pub(super) fn changes_others(&mut self) {
        self.changes_others = true;
    }

    /// Whether the session has a temporary table of this name.
    pub(super) fn has(&self, session: Option<u32>, schema: &str, name: &str) -> bool {
        self.key(session, schema, name)
            .is_some_and(|key| self.tables.contains_key(&key))
    }

    /// Notes that a temporary table is read, or changed.
    ///
    /// # Errors
    /// `source.temporary-table` for one that was lost.
    pub(super) fn uses(
        &mut self,
        session: Option<u32>,
        schema: &str,
        name: &str,
        changes: bool,
    ) -> Result<(), Error> {
        let Some(key) = self.key(session, schema, name) else {
            return Ok(());
        };
        match self.tables.get_mut(&key) {
            Some(table) if table.lost => Err(Error::fatal(
                "source.temporary-table",
                "the statement needs a temporary table of its session, which was lost when the host was stopped: right behind the transaction that has made the table, or after its schema was dropped",
            )
            .in_table(schema, name)
            .hint("apply the statement's effect to the target by hand, then skip the transaction")),
            Some(table) => {
                table.changed |= changes;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn key(&self, session: Option<u32>, schema: &str, name: &str) -> Option<Key> {
        session.map(|session| self.key_of(&(session, schema.to_owned(), name.to_owned())))
    }

    fn key_of(&self, name: &Name) -> Key {
        if self.folds {
            (name.0, name.1.to_lowercase(), name.2.to_lowercase())
        } else {
            name.clone()
        }
    }
}

/// The number with which no temporary table is seen.
const NOBODY: u32 = 0;

fn number(session: u32) -> Vec<u8> {
    format!("SET SESSION pseudo_thread_id = {session}").into_bytes()
}

fn qualified(name: &Name) -> String {
    format!(
        "{}.{}",
        quote_identifier(&name.1),
        quote_identifier(&name.2)
    )
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    fn temporary(&mut self) -> &mut Temporary {
        &mut self.replay.get_or_insert_default().temporary
    }

    /// Makes the tables ready that an earlier writer has left, before the first transaction with statements begins.
    ///
    /// # Errors
    /// Those of the server.
    pub(super) async fn ready_temporary(&mut self, transaction: &Transaction) -> Result<(), Error> {
        self.temporary().changes_others = false;
        if self.temporary().restored {
            return Ok(());
        }
        let case = self
            .lane
            .session
            .query_first(b"SELECT @@lower_case_table_names")
            .await?;
        let case = case.and_then(|row| row.into_iter().next().flatten());
        self.temporary().folds = case.as_deref() != Some("0");
        let begins_anew = |change: &Change| matches!(change, Change::Statement(s) if s.temporary == TemporaryTables::First);
        if transaction.changes.iter().any(begins_anew) {
            let stream = self.store.stream().to_owned();
            let left = temporary::stand_ins(&mut self.lane.session, &stream).await?;
            self.temporary().superfluous = left;
        } else {
            self.restore_temporary().await?;
        }
        temporary::make(&mut self.lane.session).await?;
        self.temporary().restored = true;
        Ok(())
    }

    /// Makes the tables of an earlier writer again.
    async fn restore_temporary(&mut self) -> Result<(), Error> {
        let stream = self.store.stream().to_owned();
        let session = &mut self.lane.session;
        let list = temporary::read(session, &stream).await?;
        let mut left = temporary::stand_ins(session, &stream).await?;
        left.retain(|name| list.iter().all(|kept| kept.stand_in != *name));
        self.temporary().superfluous = left;
        if list.is_empty() {
            return Ok(());
        }
        for kept in list {
            let Kept {
                name,
                stand_in,
                definition,
            } = kept;
            let mut made = Made {
                lost: stand_in.is_empty(),
                name: name.clone(),
                stand_in,
                definition,
                ..Made::default()
            };
            if !made.lost {
                let schema = format!("USE {}", quote_identifier(&name.1));
                match self.lane.session.exec(schema.as_bytes()).await {
                    // It was dropped since. A server keeps the temporary tables of such a schema, but none can be made in it.
                    Err(e) if e.code() == "server.unknown-database" => made.lost = true,
                    other => {
                        other?;
                    }
                }
            }
            if !made.lost {
                let steps: [&[u8]; 3] = [&number(name.0), b"SET NAMES utf8mb4", &made.definition];
                for sql in steps {
                    let done = self.lane.session.exec(sql).await;
                    done.map_err(|e| refused(e).in_table(&name.1, &name.2))?;
                }
                let for_rows = settings::for_rows(self.lane.session.server_version());
                self.lane.session.exec(&for_rows).await?;
                made.columns = self.columns_of(&name).await?;
                let sql = format!(
                    "INSERT INTO {} ({columns}) SELECT {columns} FROM datain.{}",
                    qualified(&name),
                    quote_identifier(&made.stand_in),
                    columns = made.columns,
                );
                self.lane.session.exec(sql.as_bytes()).await?;
            }
            let key = self.temporary().key_of(&name);
            self.temporary().tables.insert(key, made);
        }
        self.be_nobody().await
    }

    async fn be_nobody(&mut self) -> Result<(), Error> {
        let sql = number(NOBODY);
        self.lane.session.exec(&sql).await.map_err(refused)?;
        Ok(())
    }

    /// What lets the next statement see its session's tables, and what ends that.
    pub(super) fn numbers(statement: &Statement) -> Option<[Vec<u8>; 2]> {
        statement
            .session
            .map(|session| [number(session), number(NOBODY)])
    }

    /// The columns of a temporary table of the session whose number is set that can be written.
    async fn columns_of(&mut self, name: &Name) -> Result<String, Error> {
        let sql = format!("SHOW COLUMNS FROM {}", qualified(name));
        let rows = self.lane.session.query_rows(sql.as_bytes()).await?;
        let names: Vec<String> = rows
            .iter()
            .filter_map(|row| {
                let name = row.first()?.as_deref()?;
                let extra = row.get(5).and_then(Option::as_deref).unwrap_or_default();
                // An expression that is a default is DEFAULT_GENERATED.
                let extra = extra.replace("DEFAULT_GENERATED", "");
                let computed = extra.contains("GENERATED")
                    || extra.contains("VIRTUAL")
                    || extra.contains("PERSISTENT");
                (!computed).then(|| quote_identifier(name))
            })
            .collect();
        Ok(names.join(", "))
    }

    /// Runs a statement that makes, changes or drops temporary tables, behind the SET statements that belong to it.
    ///
    /// # Errors
    /// Those of the server; `source.temporary-table`, `statement.stored-function`.
    pub(super) async fn define_temporary(
        &mut self,
        statement: &Statement,
        before: &[&Statement],
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let broken = |what: &str| Error::fatal("sink.contract", what.to_owned());
        let Some(session) = statement.session else {
            return Err(broken(
                "a statement about temporary tables came without its session",
            ));
        };
        self.write_net(place).await?;
        self.lane.send_packet().await?;
        self.lane.read_replies().await?;
        if statement.temporary == TemporaryTables::First {
            self.drop_all_temporary().await?;
        }
        let options = ddl::options(statement);
        let found = classify(&statement.sql, &options);
        let schema = statement.default_schema.as_deref().unwrap_or_default();
        let names: Vec<Name> = found
            .targets
            .iter()
            .filter_map(|target| target.decode(options.charset, schema))
            .map(|(schema, name)| (session, schema.into_owned(), name.into_owned()))
            .collect();
        let Kind::Table(action) = found.kind else {
            return Err(broken(
                "a statement about temporary tables is about something else",
            ));
        };
        if action == TableAction::Drop {
            for name in names {
                let key = self.temporary().key_of(&name);
                self.drop_temporary(&key).await?;
            }
            return self.be_nobody().await;
        }
        let Some(name) = names.into_iter().next() else {
            return Err(broken("a statement about temporary tables names none"));
        };
        if let Some(read) = created_from(&statement.sql, &options) {
            self.look_at_reads(statement, &read, place).await?;
        }
        if action == TableAction::Create {
            let key = self.temporary().key_of(&name);
            self.drop_temporary(&key).await?;
        } else {
            self.temporary()
                .uses(Some(session), &name.1, &name.2, true)?;
        }
        let run = self.run_definition(statement, before, session).await;
        run.map_err(|e| {
            e.in_table(&name.1, &name.2)
                .detail(format!("statement: {} …", ddl::summary(statement)))
        })?;
        let key = self.temporary().key_of(&name);
        let made = self.temporary().tables.entry(key).or_default();
        if action == TableAction::Create {
            made.name = name;
        }
        made.changed = true;
        if action != TableAction::Truncate {
            let old = std::mem::take(&mut made.stand_in);
            if !old.is_empty() {
                self.temporary().superfluous.push(old);
            }
        }
        self.totals.statements += 1;
        Ok(())
    }

    async fn run_definition(
        &mut self,
        statement: &Statement,
        before: &[&Statement],
        session: u32,
    ) -> Result<(), Error> {
        let adapted;
        let statement = if from_mariadb::is_foreign(statement, self.lane.session.server_version()) {
            adapted = from_mariadb::adapted(statement, &self.collations)?;
            &adapted
        } else {
            statement
        };
        if let Some(schema) = &statement.default_schema {
            let sql = format!("USE {}", quote_identifier(schema));
            self.lane
                .session
                .exec(sql.as_bytes())
                .await
                .map_err(refused)?;
        }
        for setting in before {
            // A string is one in the session's own character set and collation.
            if setting.context.collation_connection.is_some() {
                let context = self.context_of(&setting.context)?;
                self.lane.session.exec(&context).await.map_err(refused)?;
            }
            self.lane
                .session
                .exec(&setting.sql)
                .await
                .map_err(refused)?;
        }
        let context = self.context_of(&statement.context)?;
        let number = number(session);
        for sql in [&number, &context, &statement.sql] {
            self.lane.session.exec(sql).await.map_err(refused)?;
        }
        let for_rows = settings::for_rows(self.lane.session.server_version());
        self.lane.session.exec(&for_rows).await?;
        self.lane.foreign_key_checks = true;
        self.be_nobody().await
    }

    async fn drop_temporary(&mut self, key: &Key) -> Result<(), Error> {
        let Some(made) = self.temporary().tables.remove(key) else {
            return Ok(());
        };
        let sql = format!("DROP TEMPORARY TABLE IF EXISTS {}", qualified(&made.name));
        for sql in [number(made.name.0), sql.into_bytes()] {
            self.lane.session.exec(&sql).await.map_err(refused)?;
        }
        let temporary = self.temporary();
        temporary.forget.push(made.name);
        if !made.stand_in.is_empty() {
            temporary.superfluous.push(made.stand_in);
        }
        Ok(())
    }

    async fn drop_all_temporary(&mut self) -> Result<(), Error> {
        let keys: Vec<Key> = self.temporary().tables.keys().cloned().collect();
        for key in &keys {
            self.drop_temporary(key).await?;
        }
        self.temporary().forget_all = true;
        self.be_nobody().await
    }

    /// Has what was changed in temporary tables kept by the commit that comes next.
    ///
    /// # Errors
    /// Those of the server.
    pub(super) async fn keep_temporary(&mut self, place: &Rc<Place>) -> Result<(), Error> {
        let stream = self.store.stream().to_owned();
        let temporary = self.temporary();
        let is_new = |made: &Made| made.stand_in.is_empty() && !made.lost;
        let has_new = temporary.tables.values().any(is_new);
        if has_new && !temporary.changes_others {
            // Nothing is open but changes of temporary tables, which are made again if this is the end.
            self.write_net(place).await?;
            self.lane.send_packet().await?;
            self.lane.read_replies().await?;
            self.lane.session.exec(b"COMMIT").await?;
            self.lane.written = None;
            self.make_stand_ins().await?;
        }
        let temporary = self.temporary();
        let mut list = Vec::new();
        if std::mem::take(&mut temporary.forget_all) {
            list.push(temporary::delete_all_sql(&stream));
        }
        for name in std::mem::take(&mut temporary.forget) {
            list.push(temporary::delete_sql(&stream, &name));
        }
        list.extend(self.keeping_sql(&stream));
        if list.is_empty() {
            return Ok(());
        }
        // What is kept is what the session has when all before is done.
        self.write_net(place).await?;
        self.lane.begin(place);
        for sql in list {
            self.lane.push(&sql, Count::Any, None, place);
            self.lane.send_packet().await?;
            self.lane.read_replies().await?;
        }
        Ok(())
    }

    /// The statements that keep what has changed: definitions that are new, and rows.
    fn keeping_sql(&mut self, stream: &str) -> Vec<Vec<u8>> {
        let temporary = self.temporary();
        let mut list = Vec::new();
        for made in temporary.tables.values_mut() {
            if made.lost || !std::mem::take(&mut made.changed) {
                continue;
            }
            let kept = Kept {
                name: made.name.clone(),
                stand_in: made.stand_in.clone(),
                definition: made.definition.clone(),
            };
            list.push(temporary::put_sql(stream, &kept));
            if made.stand_in.is_empty() {
                // Behind the commit.
                made.changed = true;
                continue;
            }
            let stand_in = quote_identifier(&made.stand_in);
            list.push(number(made.name.0));
            list.push(format!("DELETE FROM datain.{stand_in}").into_bytes());
            list.push(
                format!(
                    "INSERT INTO datain.{stand_in} ({columns}) SELECT {columns} FROM {}",
                    qualified(&made.name),
                    columns = made.columns,
                )
                .into_bytes(),
            );
            list.push(number(NOBODY));
        }
        list
    }

    /// Makes the stand-ins that are missing.
    async fn make_stand_ins(&mut self) -> Result<(), Error> {
        let new: Vec<Name> = {
            let tables = self.temporary().tables.values();
            let new = tables.filter(|made| made.stand_in.is_empty() && !made.lost);
            new.map(|made| made.name.clone()).collect()
        };
        for name in new {
            let temporary = self.temporary();
            temporary.stand_ins += 1;
            let count = temporary.stand_ins;
            let ordinary = temporary::stand_in(self.store.stream(), self.store.epoch(), count);
            let table = qualified(&name);
            let stand_in = quote_identifier(&ordinary);
            self.lane.session.exec(&number(name.0)).await?;
            let sql = format!("CREATE TABLE datain.{stand_in} LIKE {table}");
            self.lane.session.exec(sql.as_bytes()).await?;
            let sql = format!("SHOW CREATE TABLE {table}");
            let row = self.lane.session.query_first(sql.as_bytes()).await?;
            let definition = row.and_then(|row| row.into_iter().nth(1).flatten());
            let Some(definition) = definition else {
                return Err(Error::fatal(
                    "source.temporary-table",
                    "the target does not say how a temporary table was made",
                )
                .in_table(&name.1, &name.2));
            };
            if !definition.contains("ENGINE=InnoDB") {
                let sql = format!("ALTER TABLE datain.{stand_in} ENGINE=InnoDB");
                self.lane.session.exec(sql.as_bytes()).await?;
            }
            let columns = self.columns_of(&name).await?;
            let key = self.temporary().key_of(&name);
            if let Some(made) = self.temporary().tables.get_mut(&key) {
                made.stand_in = ordinary;
                made.definition = definition.into_bytes();
                made.columns = columns;
                made.changed = true;
            }
        }
        self.be_nobody().await
    }

    /// Does what had to wait for the commit.
    ///
    /// # Errors
    /// Those of the server.
    pub(super) async fn tidy_temporary(&mut self) -> Result<(), Error> {
        let has_new = self
            .temporary()
            .tables
            .values()
            .any(|made| made.changed && !made.lost);
        if has_new {
            self.make_stand_ins().await?;
            let stream = self.store.stream().to_owned();
            self.lane.session.exec(b"START TRANSACTION").await?;
            // The commit is done: another writer may have come, and know better.
            self.store.hold(&mut self.lane.session).await?;
            for sql in self.keeping_sql(&stream) {
                self.lane.session.exec(&sql).await?;
            }
            self.lane.session.exec(b"COMMIT").await?;
        }
        let names = std::mem::take(&mut self.temporary().superfluous);
        temporary::drop_stand_ins(&mut self.lane.session, &names).await
    }
}
