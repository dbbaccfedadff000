//! From the first words of a statement to its kind.
//!
//! The manual's pages under "SQL Statements" give each statement's beginning. `CREATE`, `ALTER` and `DROP` go on in
//! [`change`].

use crate::cursor::{Cursor, Depth};
use crate::{Kind, Options, Savepoint, Statement, TableAction, Xa, Xid, change};

/// Reads the kind and the targets of a statement.
///
/// Only as much is read as this takes: the body of a routine or the values of an `INSERT` are not looked at.
#[must_use]
pub fn classify(sql: &[u8], options: &Options) -> Statement {
    let mut cursor = Cursor::new(sql, options);
    // MariaDB: SET STATEMENT variable = value, … FOR statement. The settings are looked through.
    while cursor.take_all(&["SET", "STATEMENT"]) {
        if !cursor.seek(&["FOR"]) {
            return Statement {
                complete: false,
                ..Statement::new(Kind::Set)
            };
        }
        cursor.take("FOR");
    }
    // A query may stand in parentheses.
    if cursor.at_punctuation(b'(') {
        return Statement::new(Kind::Dml);
    }
    let Some(word) = cursor
        .advance()
        .filter(|token| token.kind == crate::TokenKind::Word)
    else {
        return Statement::new(Kind::Other);
    };
    let Ok(word) = std::str::from_utf8(word.text) else {
        return Statement::new(Kind::Other);
    };
    statement(&word.to_ascii_uppercase(), &mut cursor)
}

fn statement(word: &str, cursor: &mut Cursor<'_>) -> Statement {
    match word {
        "CREATE" => change::create(cursor),
        "ALTER" => change::alter(cursor),
        "DROP" => change::drop(cursor),
        "RENAME" => rename(cursor),
        "TRUNCATE" => {
            cursor.take("TABLE");
            Statement::new(Kind::Table(TableAction::Truncate)).target(cursor.object_name())
        }
        "BEGIN" => Statement::new(if cursor.at_word("NOT") {
            Kind::Other
        } else {
            Kind::Begin
        }),
        "START" => Statement::new(if cursor.at_word("TRANSACTION") {
            Kind::Begin
        } else {
            Kind::Other
        }),
        "COMMIT" => Statement::new(Kind::Commit),
        "ROLLBACK" => {
            cursor.take("WORK");
            let to = cursor.at_word("TO");
            Statement::new(if to {
                Kind::Savepoint(Savepoint::RollbackTo)
            } else {
                Kind::Rollback
            })
        }
        "SAVEPOINT" => Statement::new(Kind::Savepoint(Savepoint::Set)),
        "RELEASE" => Statement::new(Kind::Savepoint(Savepoint::Release)),
        "XA" => xa(cursor),
        "GRANT" | "REVOKE" => Statement::new(Kind::Account),
        "SET" => Statement::new(set(cursor)),
        "ANALYZE" | "OPTIMIZE" | "REPAIR" | "CHECK" | "CHECKSUM" => maintenance(cursor),
        "FLUSH" | "RESET" | "PURGE" | "CACHE" => Statement::new(Kind::Maintenance),
        "INSTALL" | "UNINSTALL" | "CLONE" | "RESTART" | "SHUTDOWN" => Statement::new(Kind::Server),
        "LOAD" => Statement::new(if cursor.at_word("INDEX") {
            Kind::Maintenance
        } else {
            Kind::Dml
        }),
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "CALL" | "DO" | "SELECT" | "WITH"
        | "TABLE" | "VALUES" | "VALUE" => Statement::new(Kind::Dml),
        _ => Statement::new(Kind::Other),
    }
}

/// `RENAME TABLE a TO b, c TO d` or `RENAME USER`.
fn rename(cursor: &mut Cursor<'_>) -> Statement {
    if cursor.take("USER") {
        return Statement::new(Kind::Account);
    }
    if !cursor.take_any(&["TABLE", "TABLES"]) {
        return Statement::new(Kind::Other);
    }
    let mut statement = Statement::new(Kind::Table(TableAction::Rename));
    loop {
        cursor.skip_if_exists();
        statement = statement.target(cursor.object_name());
        cursor.skip_wait();
        statement.complete &= cursor.take("TO");
        statement = statement.target(cursor.object_name());
        if !statement.complete || !cursor.take_punctuation(b',') {
            return statement;
        }
    }
}

/// `ANALYZE`, `OPTIMIZE`, … of tables. MariaDB's `ANALYZE` of another statement runs that statement.
fn maintenance(cursor: &mut Cursor<'_>) -> Statement {
    cursor.take_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if cursor.take_any(&["TABLE", "TABLES"]) {
        return cursor.object_names(Statement::new(Kind::Maintenance));
    }
    let runs = [
        "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "FORMAT",
    ];
    Statement::new(if cursor.at_any(&runs) {
        Kind::Dml
    } else {
        Kind::Maintenance
    })
}

/// What a `SET` statement sets. In servers before 8.0 a password may stand anywhere in the list.
fn set(cursor: &mut Cursor<'_>) -> Kind {
    if cursor.at_word("ROLE") || cursor.take_all(&["DEFAULT", "ROLE"]) {
        return Kind::Account;
    }
    if cursor.take_all(&["RESOURCE", "GROUP"]) {
        return Kind::Server;
    }
    let mut depth = Depth::default();
    let mut first = true;
    while let Some(token) = cursor.peek() {
        depth.see(token);
        if first && cursor.at_word("PASSWORD") {
            return Kind::Account;
        }
        first = depth.is_outside() && cursor.at_punctuation(b',');
        cursor.advance();
    }
    Kind::Set
}

fn xa(cursor: &mut Cursor<'_>) -> Statement {
    let kind = if cursor.take_any(&["START", "BEGIN"]) {
        Xa::Start
    } else if cursor.take("END") {
        Xa::End
    } else if cursor.take("PREPARE") {
        Xa::Prepare
    } else if cursor.take("COMMIT") {
        Xa::Commit { one_phase: false }
    } else if cursor.take("ROLLBACK") {
        Xa::Rollback
    } else if cursor.take("RECOVER") {
        return Statement::new(Kind::Xa(Xa::Recover));
    } else {
        return Statement::new(Kind::Other);
    };
    let xid = Xid::read(cursor);
    let kind = match kind {
        Xa::Commit { .. } => Xa::Commit {
            one_phase: cursor.take_all(&["ONE", "PHASE"]),
        },
        other => other,
    };
    Statement {
        complete: xid.is_some(),
        xid,
        ..Statement::new(Kind::Xa(kind))
    }
}
