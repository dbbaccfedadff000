//! What [`classify`](crate::classify) tells about a statement.

use std::borrow::Cow;
use std::ops::Range;

use crate::{Charset, Xid};

/// The kind of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `BEGIN [WORK]`, `START TRANSACTION …`.
    Begin,
    /// `COMMIT …`.
    Commit,
    /// `ROLLBACK` of a transaction.
    Rollback,
    /// `SAVEPOINT`, `ROLLBACK TO`, `RELEASE SAVEPOINT`.
    Savepoint(Savepoint),
    /// `XA …`; the transaction's name is in [`Statement::xid`].
    Xa(Xa),
    /// Accounts, privileges, passwords and roles: never replicated.
    Account,
    /// `CREATE`, `ALTER`, `DROP` of a `DATABASE` or `SCHEMA`.
    Schema(Action),
    /// Tables and their indexes.
    Table(TableAction),
    /// `CREATE`, `ALTER`, `DROP VIEW`.
    View(Action),
    /// Stored procedures and functions; MySQL's libraries and MariaDB's packages.
    Routine(Action),
    /// `CREATE FUNCTION … SONAME`. Such a function belongs to no schema. `DROP FUNCTION` does not say which sort it drops, and is
    /// a [`Kind::Routine`].
    LoadableFunction,
    /// `CREATE`, `DROP TRIGGER`.
    Trigger(Action),
    /// `CREATE`, `ALTER`, `DROP EVENT`.
    Event(Action),
    /// MariaDB's `CREATE`, `ALTER`, `DROP SEQUENCE`. Sequences share the tables' namespace.
    Sequence(Action),
    /// `ANALYZE`, `OPTIMIZE`, `REPAIR`, `CHECK`, `CHECKSUM TABLE`; `CACHE INDEX`, `LOAD INDEX`; `FLUSH`, `RESET`, `PURGE`.
    Maintenance,
    /// Plugins, components, `SERVER` definitions, tablespaces, logfile groups, resource groups, `ALTER INSTANCE`, spatial
    /// reference systems, `CLONE`, `RESTART`, `SHUTDOWN`.
    Server,
    /// Statements that read or change rows, and `CALL` and `DO`.
    Dml,
    /// `SET` of variables, of transaction characteristics, of names.
    Set,
    /// Anything else, also an empty or unreadable statement.
    Other,
}

/// What is done with savepoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Savepoint {
    /// `SAVEPOINT name`.
    Set,
    /// `ROLLBACK [WORK] TO [SAVEPOINT] name`.
    RollbackTo,
    /// `RELEASE SAVEPOINT name`.
    Release,
}

/// The statements of a distributed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Xa {
    /// `XA START` or `XA BEGIN`.
    Start,
    /// `XA END`.
    End,
    /// `XA PREPARE`.
    Prepare,
    /// `XA COMMIT`.
    Commit {
        /// `ONE PHASE`: the transaction was not prepared before.
        one_phase: bool,
    },
    /// `XA ROLLBACK`.
    Rollback,
    /// `XA RECOVER`.
    Recover,
}

/// What is done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// `CREATE`, also `CREATE OR REPLACE`.
    Create,
    /// `ALTER`.
    Alter,
    /// `DROP`.
    Drop,
}

/// What is done with tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TableAction {
    /// `CREATE TABLE`; see [`Statement::from_select`], [`Statement::like`], [`Statement::start_transaction`].
    Create,
    /// `ALTER TABLE`.
    Alter,
    /// `DROP TABLE`.
    Drop,
    /// `RENAME TABLE`.
    Rename,
    /// `TRUNCATE [TABLE]`.
    Truncate,
    /// `CREATE INDEX`.
    CreateIndex,
    /// `DROP INDEX`.
    DropIndex,
}

/// The name of an object, in the bytes of the statement's character set, without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectName {
    /// The schema, where the statement names it; else it is the session's default schema.
    pub schema: Option<Vec<u8>>,
    /// The object. Empty where the object is the schema itself ([`Kind::Schema`]).
    pub name: Vec<u8>,
}

impl ObjectName {
    /// Schema and name as text, with `default_schema` where the statement names none; `None` where
    /// [`Charset::decode`] cannot tell.
    #[must_use]
    pub fn decode<'a>(
        &'a self,
        charset: Charset,
        default_schema: &'a str,
    ) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
        let schema = match &self.schema {
            Some(schema) => charset.decode(schema)?,
            None => Cow::Borrowed(default_schema),
        };
        Some((schema, charset.decode(&self.name)?))
    }
}

/// What a statement is, and what it touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its kind.
    pub kind: Kind,
    /// The objects that it creates, changes or drops, in the order in which they stand: all tables of a list, both names of each
    /// renamed pair, the table of an index, the new name in `ALTER TABLE … RENAME TO`, the other table in `EXCHANGE PARTITION`, the
    /// tables that are maintained. Empty for kinds whose objects belong to no schema, for [`Kind::Dml`], and for
    /// `ALTER DATABASE` without a name, which means the default schema.
    pub targets: Vec<ObjectName>,
    /// Whether every name was read that the statement's kind calls for. Where it is false, `targets` may lack some, and
    /// a filter must not decide by them.
    pub complete: bool,
    /// `CREATE`, `DROP TEMPORARY TABLE`, and MariaDB's temporary sequences.
    pub temporary: bool,
    /// The table or view that `CREATE TABLE … LIKE` copies.
    pub like: Option<ObjectName>,
    /// The table that `CREATE TRIGGER` is for. (`DROP TRIGGER` does not name it.)
    pub trigger_table: Option<ObjectName>,
    /// `CREATE TABLE … SELECT`, also from `TABLE`, `VALUES` and `WITH`.
    pub from_select: bool,
    /// The bytes of the clause `START TRANSACTION` in a `CREATE TABLE`, which a source with atomic DDL writes for
    /// `CREATE TABLE … SELECT`: the rows follow as row events ("Atomic Data Definition Statement Support").
    pub start_transaction: Option<Range<usize>>,
    /// The name of an XA transaction.
    pub xid: Option<Xid>,
}

impl Statement {
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            targets: Vec::new(),
            complete: true,
            temporary: false,
            like: None,
            trigger_table: None,
            from_select: false,
            start_transaction: None,
            xid: None,
        }
    }

    /// Adds a target, or notes that its name could not be read.
    pub(crate) fn target(mut self, name: Option<ObjectName>) -> Self {
        match name {
            Some(name) => self.targets.push(name),
            None => self.complete = false,
        }
        self
    }
}
