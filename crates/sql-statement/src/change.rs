//! `CREATE`, `ALTER` and `DROP`: past the clauses before the object's type, to the type, to the names.
//!
//! The pages "Data Definition Statements", "Account Management Statements" and "Replication Statements" of the MySQL
//! manual give the clauses; MariaDB adds `OR REPLACE`, `IF [NOT] EXISTS` and `WAIT` in most places.

use crate::create_table::{after_altered_table, after_created_table};
use crate::cursor::Cursor;
use crate::{Action, Kind, Statement, TableAction};

/// What stood between the verb and the type of the object.
#[derive(Default)]
struct Clauses {
    temporary: bool,
}

/// Moves past the clauses that may stand before the type of the object, in any order.
fn clauses(cursor: &mut Cursor<'_>) -> Clauses {
    let mut clauses = Clauses::default();
    loop {
        if cursor.take("TEMPORARY") {
            clauses.temporary = true;
        } else if cursor.take_any(&["DEFINER", "ALGORITHM"]) {
            cursor.take_punctuation(b'=');
            cursor.skip_account();
        } else if cursor.take_all(&["SQL", "SECURITY"]) {
            cursor.advance();
        } else if !(cursor.take_all(&["OR", "REPLACE"])
            || cursor.take_all(&["JSON", "DUALITY"])
            || cursor.take_all(&["JSON", "RELATIONAL", "DUALITY"])
            || take_spatial(cursor)
            || cursor.take_any(&[
                "ONLINE",
                "OFFLINE",
                "IGNORE",
                "UNIQUE",
                "FULLTEXT",
                "VECTOR",
                "AGGREGATE",
                "EXTERNAL",
                "MATERIALIZED",
            ]))
        {
            return clauses;
        }
    }
}

/// Moves past the `SPATIAL` of an index, not that of a `SPATIAL REFERENCE SYSTEM`.
fn take_spatial(cursor: &mut Cursor<'_>) -> bool {
    cursor
        .peek_next()
        .is_some_and(|token| token.is_word("INDEX"))
        && cursor.take("SPATIAL")
}

/// The kinds of objects that a server has outside schemas.
fn server_object(cursor: &mut Cursor<'_>) -> Option<Kind> {
    let server = cursor.at_any(&["SERVER", "TABLESPACE", "INSTANCE"])
        || cursor.take_all(&["UNDO", "TABLESPACE"])
        || cursor.take_all(&["LOGFILE", "GROUP"])
        || cursor.take_all(&["RESOURCE", "GROUP"])
        || cursor.take_all(&["SPATIAL", "REFERENCE", "SYSTEM"]);
    if server {
        return Some(Kind::Server);
    }
    cursor.at_any(&["USER", "ROLE"]).then_some(Kind::Account)
}

/// The objects of a schema, other than tables and indexes.
fn schema_object(cursor: &mut Cursor<'_>, action: Action) -> Option<Kind> {
    if cursor.take_any(&["PROCEDURE", "FUNCTION", "LIBRARY"]) {
        return Some(Kind::Routine(action));
    }
    if cursor.take("PACKAGE") {
        cursor.take("BODY");
        return Some(Kind::Routine(action));
    }
    let kinds = [
        ("VIEW", Kind::View(action)),
        ("TRIGGER", Kind::Trigger(action)),
        ("EVENT", Kind::Event(action)),
        ("SEQUENCE", Kind::Sequence(action)),
    ];
    kinds
        .into_iter()
        .find(|(word, _)| cursor.take(word))
        .map(|(_, kind)| kind)
}

/// A `CREATE` statement, behind the verb.
pub(crate) fn create(cursor: &mut Cursor<'_>) -> Statement {
    let clauses = clauses(cursor);
    let mut statement = if let Some(kind) = server_object(cursor) {
        return Statement::new(kind);
    } else if cursor.take_any(&["DATABASE", "SCHEMA"]) {
        cursor.skip_if_exists();
        Statement::new(Kind::Schema(Action::Create)).target(cursor.schema_name())
    } else if cursor.take("TABLE") {
        cursor.skip_if_exists();
        let mut statement =
            Statement::new(Kind::Table(TableAction::Create)).target(cursor.object_name());
        after_created_table(cursor, &mut statement);
        statement
    } else if cursor.take("INDEX") {
        return index(cursor, TableAction::CreateIndex);
    } else if let Some(kind) = schema_object(cursor, Action::Create) {
        cursor.skip_if_exists();
        let statement = Statement::new(kind).target(cursor.object_name());
        match kind {
            Kind::Trigger(_) => trigger(cursor, statement),
            Kind::Routine(_) if is_loadable(cursor) => Statement::new(Kind::LoadableFunction),
            _ => statement,
        }
    } else {
        return Statement::new(Kind::Other);
    };
    statement.temporary = clauses.temporary;
    statement
}

/// `CREATE FUNCTION name RETURNS type SONAME …`, read from behind the name.
fn is_loadable(cursor: &mut Cursor<'_>) -> bool {
    cursor.take("RETURNS") && cursor.advance().is_some() && cursor.at_word("SONAME")
}

/// The table in `CREATE TRIGGER name time event ON table`, read from behind the name. MariaDB allows several events.
fn trigger(cursor: &mut Cursor<'_>, mut statement: Statement) -> Statement {
    if cursor.seek(&["ON"]) {
        cursor.take("ON");
        statement.trigger_table = cursor.object_name();
    }
    statement.complete &= statement.trigger_table.is_some();
    statement
}

/// `CREATE` or `DROP INDEX … ON table`.
fn index(cursor: &mut Cursor<'_>, action: TableAction) -> Statement {
    cursor.seek(&["ON"]);
    cursor.take("ON");
    Statement::new(Kind::Table(action)).target(cursor.object_name())
}

/// An `ALTER` statement, behind the verb.
pub(crate) fn alter(cursor: &mut Cursor<'_>) -> Statement {
    clauses(cursor);
    if let Some(kind) = server_object(cursor) {
        return Statement::new(kind);
    }
    if cursor.take_any(&["DATABASE", "SCHEMA"]) {
        let statement = Statement::new(Kind::Schema(Action::Alter));
        cursor.skip_if_exists();
        return if at_schema_option(cursor) {
            statement
        } else {
            statement.target(cursor.schema_name())
        };
    }
    if cursor.take("TABLE") {
        cursor.skip_if_exists();
        let mut statement =
            Statement::new(Kind::Table(TableAction::Alter)).target(cursor.object_name());
        after_altered_table(cursor, &mut statement);
        return statement;
    }
    let Some(kind) = schema_object(cursor, Action::Alter) else {
        return Statement::new(Kind::Other);
    };
    cursor.skip_if_exists();
    let statement = Statement::new(kind).target(cursor.object_name());
    // ALTER EVENT … RENAME TO stands before COMMENT and DO, whose body may contain anything.
    if matches!(kind, Kind::Event(_))
        && cursor.seek(&["RENAME", "DO"])
        && cursor.take_all(&["RENAME", "TO"])
    {
        return statement.target(cursor.object_name());
    }
    statement
}

/// Whether `ALTER DATABASE` goes on with an option instead of a name. Reserved words are no names; the others are options
/// only before what can be their value. (MySQL 9.7 takes them for names always; older servers and MariaDB may not.)
fn at_schema_option(cursor: &Cursor<'_>) -> bool {
    const RESERVED: [&str; 4] = ["DEFAULT", "CHARACTER", "COLLATE", "READ"];
    const OTHERS: [&str; 3] = ["CHARSET", "ENCRYPTION", "COMMENT"];
    let value = |token: &crate::Token<'_>| {
        !RESERVED
            .iter()
            .chain(&OTHERS)
            .any(|option| token.is_word(option))
    };
    cursor.at_any(&RESERVED)
        || (cursor.at_any(&OTHERS) && cursor.peek_next().is_some_and(|token| value(&token)))
}

/// A `DROP` statement, behind the verb.
pub(crate) fn drop(cursor: &mut Cursor<'_>) -> Statement {
    let clauses = clauses(cursor);
    let mut statement = if let Some(kind) = server_object(cursor) {
        return Statement::new(kind);
    } else if cursor.take_any(&["DATABASE", "SCHEMA"]) {
        cursor.skip_if_exists();
        Statement::new(Kind::Schema(Action::Drop)).target(cursor.schema_name())
    } else if cursor.take_any(&["TABLE", "TABLES"]) {
        cursor.skip_if_exists();
        cursor.object_names(Statement::new(Kind::Table(TableAction::Drop)))
    } else if cursor.take("INDEX") {
        return index(cursor, TableAction::DropIndex);
    } else if let Some(kind) = schema_object(cursor, Action::Drop) {
        cursor.skip_if_exists();
        cursor.object_names(Statement::new(kind))
    } else {
        return Statement::new(Kind::Other);
    };
    statement.temporary = clauses.temporary;
    statement
}
