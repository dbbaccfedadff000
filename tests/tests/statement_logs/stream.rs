//! What arrives, and what a cut connection leaves.

use datain_capture::reader::{Settings, Statements};
use datain_tests::compare;
use datain_tests::native::{CUT, FROM_START, fragile, replicate, replicate_into, settings};
use datain_tests::pipeline_run::{server, value};
use datain_tests::seed::long;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

/// A session of every kind, in which statements are run.
const CONTEXTS: &str = include_str!("contexts.sql");
const SCHEMAS: [&str; 2] = ["st", "other"];

pub(crate) fn replaying() -> Settings {
    Settings {
        statements: Statements::Replay,
        ..settings(FROM_START)
    }
}

pub(crate) fn of(flavor: Flavor) -> Server {
    Server::builder(flavor).relaxed().start().expect("a server")
}

/// Changes that MIXED logs as rows and as statements, in the same transactions; the last one is cut into many pieces.
fn mixed() -> String {
    let long_text = "x".repeat(30_000);
    let mut sql = "CREATE TABLE st.mixed (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(60), t MEDIUMTEXT) ENGINE=InnoDB; SET SESSION binlog_format = 'MIXED'; USE st; \
        BEGIN; INSERT INTO mixed (v) VALUES ('a'); INSERT INTO mixed (v) VALUES (UUID()); UPDATE mixed SET t = v; INSERT INTO mixed (v) SELECT UUID() FROM parent; DELETE FROM mixed WHERE id = 1; COMMIT; \
        BEGIN; INSERT INTO mixed (v) VALUES (UUID()); INSERT INTO mixed (v) VALUES (UUID()); COMMIT; \
        INSERT INTO mixed (v) VALUES (USER()); BEGIN; "
        .to_owned();
    for number in 0..12 {
        sql.push_str(&format!(
            "INSERT INTO mixed (v, t) VALUES ('long {number}', '{long_text}'); INSERT INTO mixed (v, t) VALUES (UUID(), '{long_text}'); UPDATE mixed SET v = CONCAT(v, '.') WHERE v = 'long {number}'; "
        ));
    }
    sql.push_str(
        "COMMIT; SET SESSION binlog_format = DEFAULT; INSERT INTO mixed (v) VALUES ('rows again')",
    );
    sql
}

fn arrives(source: &Server, target: &Server) {
    run(source, CONTEXTS);
    replicate(source, target, &replaying()).expect("the contexts");
    compare::assert_equal(source, target, &SCHEMAS);
    run(source, &mixed());
    replicate(source, target, &replaying()).expect("rows and statements");
    compare::assert_equal(source, target, &SCHEMAS);
    // What the tests compare is there, and not made by chance.
    let distinct = value(
        target,
        "SELECT COUNT(DISTINCT v) > 10 AND COUNT(*) > 20 FROM st.mixed",
    );
    assert_eq!(distinct.as_deref(), Some("1"));
}

/// fidelity: event | `binlog_format` STATEMENT and MIXED of MySQL 9.7, with `[apply] statements = "replay"`: INSERT_ID, LAST_INSERT_ID, RAND, user variables, timestamp, sql_mode, character sets, time zone, foreign_key_checks, default schema, rows and statements in one transaction | equal
#[test]
fn statements_arrive_with_their_sessions() {
    arrives(&of(Flavor::Mysql97), &server());
}

/// fidelity: event | the same of MySQL 5.6 | equal on MySQL 9.7
#[test]
fn statements_of_5_6_arrive() {
    arrives(&of(Flavor::Mysql56), &server());
}

/// fidelity: event | the same of MariaDB 10.11 | equal on MariaDB 10.11
#[test]
fn statements_of_mariadb_arrive() {
    arrives(&of(Flavor::Mariadb1011), &of(Flavor::Mariadb1011));
}

/// Whenever the connection is lost, each transaction is there once: half of one, or one twice, would be another sum.
#[test]
fn a_connection_that_is_cut_loses_and_repeats_nothing() {
    let (source, target) = (server(), server());
    run(
        &source,
        "CREATE DATABASE st; USE st; CREATE TABLE numbered (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40)); CREATE TABLE sums (id INT PRIMARY KEY, n INT); INSERT INTO sums VALUES (1, 0)",
    );
    replicate(&source, &target, &replaying()).expect("the tables");
    run(
        &source,
        "USE st; SET SESSION binlog_format = 'STATEMENT'; BEGIN; UPDATE sums SET n = n + 1; INSERT INTO numbered (v) VALUES ('a'), ('b'); UPDATE sums SET n = n * 3; COMMIT; \
         UPDATE sums SET n = n * 2; SET SESSION binlog_format = 'MIXED'; BEGIN; INSERT INTO numbered (v) VALUES (UUID()); UPDATE sums SET n = n + 5; COMMIT; UPDATE sums SET n = n * 7",
    );
    let step = if long() { 1 } else { 3 };
    let mut cuts = 0;
    for writes in (12..).step_by(step) {
        let done = fragile(&target, writes)
            .and_then(|session| replicate_into(&source, session, &replaying()));
        match done {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code, CUT, "{error:?}"),
        }
        cuts += 1;
        let sum = value(&target, "SELECT n FROM st.sums").expect("a sum");
        assert!(["0", "3", "6", "11", "77"].contains(&sum.as_str()), "{sum}");
    }
    assert!(cuts > 3, "{cuts}");
    compare::assert_equal(&source, &target, &["st"]);
}
