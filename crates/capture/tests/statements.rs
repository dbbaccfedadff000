//! Statements in the log that are not replicated: each stops the stream with a code and a message of its own, at its position.

#![allow(clippy::unwrap_used, reason = "a test")]

mod log;

use datain_contract::types::{Disposition, Error};
use log::{assembler, event};

const QUERY: u8 = 2;

/// A Query event under the schema `d`.
fn query(end: u32, sql: &str) -> Vec<u8> {
    let mut body = vec![0; 4 + 4];
    // Length of the schema's name, error code, length of the status variables.
    body.extend([1, 0, 0, 0, 0]);
    body.extend(b"d\0");
    body.extend(sql.as_bytes());
    event(QUERY, 0, end, &body)
}

/// The error with which the last of these statements ends the stream.
fn refused(statements: &[&str]) -> Error {
    let mut assembler = assembler(false, 1 << 20);
    let (last, before) = statements.split_last().unwrap();
    let mut end = 100;
    for sql in before {
        assembler.event(&query(end, sql)).unwrap();
        end += 100;
    }
    let error = assembler.event(&query(end, last)).unwrap_err();
    assert_eq!(assembler.ordinal(), 0, "nothing of it is handed on");
    error
}

fn check(statements: &[&str], code: &str, message: &str) {
    let error = refused(statements);
    assert_eq!(error.code, code, "{statements:?}: {error:?}");
    assert_eq!(error.message, message, "{statements:?}");
    assert!(matches!(error.disposition, Disposition::Fatal));
    assert!(error.hint.is_some(), "{error:?}");
    let at = error.position.as_deref();
    assert!(
        at.is_some_and(|at| at.starts_with("binlog.000001:")),
        "{error:?}"
    );
    // Values stay out of it.
    let told = format!("{error:?}");
    assert!(!told.contains("secret"), "{told}");
}

/// fidelity: event | Query with a change of rows (`binlog_format = STATEMENT`) | stops: `source.statement-format`
/// fidelity: event | Query with a rollback: a table without transactions was changed | stops: `source.rollback-logged`
/// fidelity: event | Query with a statement inside a transaction of rows, other than `CREATE TABLE … SELECT` | stops: `source.statement-inside`
/// fidelity: event | Query with an XA statement in an unknown form | stops: `source.xa-unreadable`
#[test]
fn what_cannot_be_replicated_stops() {
    let of_format = "the source logged a change of rows as a statement, which may have another effect on the target";
    for sql in [
        "INSERT INTO t VALUES ('secret')",
        "UPDATE t SET a = 'secret'",
        "DELETE FROM t WHERE a = 'secret'",
        "REPLACE INTO t SELECT * FROM u",
    ] {
        check(&[sql], "source.statement-format", of_format);
        check(&["BEGIN", sql], "source.statement-format", of_format);
    }
    let of_rollback = "the source logged a rollback, which means that a table without transactions was changed in it";
    for sql in ["ROLLBACK", "ROLLBACK TO SAVEPOINT s", "ROLLBACK TO `a b`"] {
        check(&["BEGIN", sql], "source.rollback-logged", of_rollback);
    }
    check(
        &["CREATE TABLE t SELECT 'secret' AS a FROM u"],
        "source.statement-format",
        "the source logged a CREATE TABLE … SELECT as a statement, which may make other rows on the target",
    );
    let inside = "the source logged a statement inside a transaction of rows";
    for sql in ["DROP TABLE t", "CREATE USER u"] {
        check(&["BEGIN", sql], "source.statement-inside", inside);
    }
    let of_xa = "the source logged a statement of an XA transaction in a form that is not known";
    for sql in ["XA COMMIT 'x' ONE PHASE", "XA COMMIT", "XA PREPARE 'x'"] {
        check(&[sql], "source.xa-unreadable", of_xa);
    }
    check(&["BEGIN", "XA COMMIT 'x'"], "source.xa-unreadable", of_xa);
}

/// fidelity: event | `Begin_load_query`, `Append_block`, `Execute_load_query`: LOAD DATA as a statement with its file, without `statements = "replay"` | stops: `source.load-data`
#[test]
fn a_file_in_the_log_stops() {
    for kind in [17, 9] {
        let mut assembler = assembler(false, 1 << 20);
        let error = assembler
            .event(&event(kind, 0, 200, &[1, 0, 0, 0, b'x']))
            .unwrap_err();
        assert_eq!(error.code, "source.load-data", "{error:?}");
        assert!(error.hint.is_some(), "{error:?}");
    }
}

/// Savepoints as such, and temporary tables, change nothing that counts.
#[test]
fn what_changes_nothing_passes() {
    for sql in [
        "SAVEPOINT s",
        "RELEASE SAVEPOINT s",
        "CREATE TEMPORARY TABLE t (id INT)",
        "DROP TEMPORARY TABLE IF EXISTS t",
    ] {
        let mut assembler = assembler(false, 1 << 20);
        for (end, sql) in (1..).zip(["BEGIN", sql, "COMMIT"]) {
            assembler.event(&query(end * 100, sql)).unwrap();
        }
        assert_eq!(assembler.ordinal(), 1, "{sql}");
        assert_eq!(assembler.position().offset, 300);
    }
}
