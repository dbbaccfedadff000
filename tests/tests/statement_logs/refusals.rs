//! What cannot be replayed, and what is said of it.

use datain_capture::reader::Settings;
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run::{server, value};
use datain_tests::servers::run;
use datain_throwaway_servers::Server;

use crate::stream::replaying;

const STATEMENT: &str = "SET SESSION binlog_format = 'STATEMENT'; USE d; ";

/// Runs `sql` in STATEMENT format, and expects it to be refused; the next call begins behind it.
fn refused(source: &Server, target: &Server, settings: &Settings, sql: &str, code: &str) {
    run(source, &format!("{STATEMENT}{sql}"));
    let error = replicate(source, target, settings).expect_err(sql);
    assert_eq!(error.code, code, "{sql}: {error:?}");
    assert!(error.hint.is_some() && error.gtid.is_some(), "{error:?}");
    let told = format!("{error:?}");
    assert!(!told.contains("secret"), "{told}");
}

/// fidelity: event | a statement that reads a temporary table that the target cannot have, writes to a table with triggers, calls a stored function, or whose names cannot be read, under `statements = "replay"` | stops with a code of its own
#[test]
fn what_cannot_be_replayed_stops() {
    let cases: [(&str, &str, &str); 8] = [
        (
            "",
            "CREATE TEMPORARY TABLE tmp SELECT LENGTH(user) AS v FROM mysql.user; INSERT INTO t (v) SELECT v FROM tmp",
            "source.temporary-table",
        ),
        (
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 2",
            "INSERT INTO t (v) VALUES (1)",
            "source.statement-triggers",
        ),
        (
            "CREATE FUNCTION f () RETURNS INT DETERMINISTIC RETURN 7",
            "INSERT INTO t (v) VALUES (f())",
            "statement.stored-function",
        ),
        (
            "CREATE VIEW w AS SELECT * FROM t",
            "INSERT INTO w (v) VALUES (1)",
            "table.missing",
        ),
        (
            "\nDELIMITER //\nCREATE FUNCTION f () RETURNS INT DETERMINISTIC BEGIN DELETE FROM t; RETURN 1; END //\nDELIMITER ;\n",
            "DO f()",
            "filter.unreadable-statement",
        ),
        (
            "CREATE TABLE m (v INT) ENGINE=MyISAM",
            "INSERT INTO m VALUES (1)",
            "table.engine",
        ),
        (
            "",
            "INSERT INTO t (v) SELECT LENGTH(user) FROM mysql.user",
            "filter.mixed-statement",
        ),
        ("", "INSERT INTO mine VALUES ('secret')", "table.missing"),
    ];
    let source = Server::builder(datain_throwaway_servers::Flavor::Mysql97)
        .relaxed()
        .option("log_bin_trust_function_creators=ON")
        .start()
        .expect("a server");
    let target = server();
    for (number, (before, sql, code)) in cases.into_iter().enumerate() {
        let settings = Settings {
            stream: format!("refused{number}"),
            start: serde_json::from_str(&format!(
                r#"{{"mode":"gtid","gtid_set":"{}"}}"#,
                value(&source, "SELECT @@global.gtid_executed").expect("GTIDs")
            ))
            .expect("a start"),
            ..replaying()
        };
        run(
            &source,
            &format!(
                "DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d; CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT); CREATE TABLE mine (v VARCHAR(9)); {before}"
            ),
        );
        if number == 7 {
            // Made by nobody on the target.
            replicate(&source, &target, &settings).expect("the tables");
            run(&target, "DROP TABLE d.mine");
        }
        refused(&source, &target, &settings, sql, code);
        let rows = value(&target, "SELECT COUNT(*) FROM d.t").expect("a count");
        assert_eq!(rows, "0", "{sql}");
    }
}

/// A statement that only changes what is not replicated, or a temporary table, is left out.
#[test]
fn what_is_not_replicated_is_left_out() {
    let (source, target) = (server(), server());
    let settings = Settings {
        exclude: vec!["d.skip%".to_owned(), "gone.*".to_owned()],
        ..replaying()
    };
    run(
        &source,
        "CREATE DATABASE d; CREATE DATABASE gone; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT); CREATE TABLE d.skipped (v INT); CREATE TABLE gone.t (v INT); \
         CREATE TRIGGER gone.g AFTER INSERT ON gone.t FOR EACH ROW SET @b = 1",
    );
    run(
        &source,
        &format!(
            "{STATEMENT}SET @a = 5; INSERT INTO skipped VALUES (@a); INSERT INTO gone.t VALUES (1); INSERT INTO t (v) VALUES (@a); \
         BEGIN; INSERT INTO t (v) VALUES (6); DELETE FROM skipped; COMMIT; CREATE TEMPORARY TABLE tmp (v INT); INSERT INTO tmp SELECT v FROM t; ALTER TABLE tmp ADD w INT; UPDATE tmp SET v = 1"
        ),
    );
    replicate(&source, &target, &settings).expect("the rest");
    let rows = target
        .query("SELECT id, v FROM d.t ORDER BY id")
        .expect("rows");
    let rows: Vec<String> = rows
        .into_iter()
        .map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows, ["1 5", "2 6"]);
}

/// The effect of a statement cannot be kept apart by rows that are copied and rows that are not.
#[test]
fn a_first_copy_wants_rows() {
    let source = server();
    let target = server();
    run(
        &source,
        "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1); SET GLOBAL binlog_format = 'MIXED'",
    );
    let copying = Settings {
        statements: replaying().statements,
        ..settings(r#"{"mode":"snapshot"}"#)
    };
    let error = replicate(&source, &target, &copying).expect_err("a first copy");
    assert_eq!(error.code, "source.format-not-row", "{error:?}");
}
