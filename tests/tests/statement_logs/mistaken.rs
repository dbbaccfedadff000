//! Statements that another table, or other values, could be mistaken in for those of the source's session.

use std::thread;
use std::time::{Duration, Instant};

use datain_apply::checkpoint::{self, orders};
use datain_capture::reader::Settings;
use datain_capture::upcoming;
use datain_contract::types::Error;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::native::{fragile, replicate, replicate_into, session};
use datain_tests::pipeline_run::{server, value};
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use crate::stream::{of, replaying};
use crate::temporary::{exec, sessions};

const TABLES: &str = "CREATE DATABASE other; CREATE TABLE other.t (v INT PRIMARY KEY); INSERT INTO other.t VALUES (1); CREATE DATABASE st; USE st; \
    CREATE TABLE r (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(60), n INT); INSERT INTO r (n) VALUES (1), (2), (3); \
    CREATE TABLE hidden (id INT PRIMARY KEY, v VARCHAR(40)); INSERT INTO hidden VALUES (1, 'of the table')";

/// All but the schema `other`.
fn without_other() -> Settings {
    Settings {
        exclude: vec!["other.*".to_owned()],
        ..replaying()
    }
}

fn stops(source: &Server, target: &Server, settings: &Settings, code: &str) -> Error {
    let error = replicate(source, target, settings).expect_err(code);
    assert_eq!(error.code, code, "{error:?}");
    assert!(error.hint.is_some(), "{error:?}");
    error
}

/// What a query reads from variables and RAND() is in the temporary table, too.
fn made_of_variables(source: &Server, target: &Server) {
    run(source, TABLES);
    let [mut first, _] = sessions(source);
    exec(
        &mut first,
        "SET @a = _latin1 0xFC; SET @n = 7; CREATE TEMPORARY TABLE tmp (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(60), n INT, d DOUBLE) SELECT @a AS v, @n AS n, RAND() AS d FROM r; \
         INSERT INTO r (v, n) SELECT CONCAT(v, ' ', id, ' ', d), n FROM tmp ORDER BY id",
    );
    replicate(source, target, &replaying()).expect("the values");
    compare::assert_equal(source, target, &["st"]);
    let made = value(target, "SELECT COUNT(*) FROM st.r WHERE n = 7");
    assert_eq!(made.as_deref(), Some("3"));
}

#[test]
fn a_temporary_table_is_made_with_the_sessions_variables() {
    made_of_variables(&server(), &server());
    made_of_variables(&of(Flavor::Mariadb1011), &of(Flavor::Mariadb1011));
}

/// A temporary table that became useless on the target hides no other table there once the session has dropped it.
#[test]
fn a_useless_temporary_table_hides_nothing() {
    let (source, target) = (server(), server());
    run(&source, TABLES);
    let [mut first, mut second] = sessions(&source);
    exec(&mut second, "CREATE TEMPORARY TABLE kept (n INT)");
    exec(
        &mut first,
        "CREATE TEMPORARY TABLE hidden (id INT, v VARCHAR(40)); INSERT INTO hidden SELECT v, 'of the session' FROM other.t; DROP TEMPORARY TABLE hidden; \
         CREATE TEMPORARY TABLE good (n INT); INSERT INTO good VALUES (5); INSERT INTO r (v, n) SELECT v, n FROM hidden, good",
    );
    replicate(&source, &target, &without_other()).expect("the table");
    compare::assert_equal(&source, &target, &["st"]);
    let seen = "SELECT COUNT(*) FROM st.r WHERE v = 'of the table'";
    assert_eq!(value(&target, seen).as_deref(), Some("1"));
}

/// A table that is made like a temporary one would be made like another one of its name.
#[test]
fn a_table_like_a_temporary_one_stops() {
    let (source, target) = (server(), server());
    run(&source, TABLES);
    let [mut first, _] = sessions(&source);
    exec(
        &mut first,
        "CREATE TEMPORARY TABLE hidden (a BIGINT, b DATE); CREATE TABLE made LIKE hidden",
    );
    let error = stops(&source, &target, &replaying(), "source.temporary-table");
    assert_eq!(error.table.as_deref(), Some("st.hidden"), "{error:?}");
    let made = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME = 'made'";
    assert_eq!(value(&target, made).as_deref(), Some("0"));
}

/// A writer that was overtaken right behind a commit keeps no temporary table any more: the newer one knows better.
#[test]
fn a_writer_that_was_overtaken_keeps_no_temporary_table() {
    // Without GTIDs a table may be made in a transaction with other changes.
    let start = || {
        let builder = Server::builder(Flavor::Mysql97).relaxed().without_gtid();
        builder.start().expect("a server")
    };
    let (source, target) = (start(), server());
    let settings = Settings {
        start: serde_json::from_str(r#"{"mode":"position","file":"binlog.000001","position":4}"#)
            .expect("a start"),
        ..replaying()
    };
    run(&source, TABLES);
    let [mut first, _] = sessions(&source);
    exec(
        &mut first,
        "CREATE TEMPORARY TABLE before_it (n INT); DROP TEMPORARY TABLE before_it",
    );
    replicate(&source, &target, &settings).expect("the tables");
    exec(
        &mut first,
        "BEGIN; INSERT INTO r (n) VALUES (4); CREATE TEMPORARY TABLE tmp (n INT); COMMIT",
    );
    let kept = "SELECT COUNT(*) FROM datain.temporary_tables";
    let mut backup = session(&target);
    block_on(backup.exec(b"LOCK INSTANCE FOR BACKUP")).expect("a lock");
    thread::scope(|scope| {
        let older = scope.spawn(|| {
            let session = fragile(&target, u32::MAX)?;
            replicate_into(&source, session, &settings)
        });
        // It has committed, and waits to make what keeps the table.
        let until = Instant::now() + Duration::from_secs(20);
        let mut waits = false;
        while !waits && Instant::now() < until {
            let waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting for backup lock%'";
            waits = value(&target, waiting).as_deref() == Some("1");
            thread::sleep(Duration::from_millis(50));
        }
        exec(&mut first, "DROP TEMPORARY TABLE tmp");
        let newer = replicate(&source, &target, &settings);
        let forgotten = value(&target, kept);
        block_on(backup.exec(b"UNLOCK INSTANCE")).expect("no lock");
        let older = older.join().expect("no panic");
        assert!(waits, "the older writer did not wait");
        newer.expect("the newer writer");
        assert_eq!(forgotten.as_deref(), Some("0"));
        let error = older.expect_err("a fence");
        assert_eq!(error.code, "checkpoint.fenced", "{error:?}");
    });
    assert_eq!(value(&target, kept).as_deref(), Some("0"));
    compare::assert_equal(&source, &target, &["st"]);
}

/// A schema that is dropped while a session has a temporary table in it ends nothing but what needs that table.
#[test]
fn a_temporary_table_of_a_schema_that_is_gone_is_lost() {
    let (source, target) = (server(), server());
    run(&source, TABLES);
    run(&source, "CREATE DATABASE gone");
    let [mut first, _] = sessions(&source);
    exec(
        &mut first,
        "CREATE TEMPORARY TABLE gone.tmp (n INT); INSERT INTO gone.tmp VALUES (1); DROP DATABASE gone",
    );
    replicate(&source, &target, &replaying()).expect("the schema is gone");
    exec(&mut first, "INSERT INTO r (n) VALUES (4)");
    replicate(&source, &target, &replaying()).expect("another table");
    compare::assert_equal(&source, &target, &["st"]);
    exec(&mut first, "INSERT INTO r (n) SELECT n FROM gone.tmp");
    stops(&source, &target, &replaying(), "source.temporary-table");
}

/// `datain skip`.
fn skip(source: &Server, target: &Server, settings: &Settings) {
    block_on(async {
        let mut on_target = session(target);
        let stored = checkpoint::read(&mut on_target, "native").await;
        let before = stored
            .expect("the row")
            .and_then(|stored| stored.checkpoint)
            .expect("a checkpoint");
        let next =
            upcoming::after(session(source), settings, &before, std::future::pending()).await;
        let next = next.expect("the log").expect("the transaction");
        let after = next.after.checkpoint(before.ordinal + 1);
        let skipped = orders::Skipped {
            identity: next.begins.to_string(),
            description: String::new(),
            reason: "a test".to_owned(),
        };
        orders::skip(&mut on_target, "native", &before, &after, &skipped)
            .await
            .expect("skipped");
    });
}

/// What a skipped transaction has done to a temporary table is missing in the target's.
#[test]
fn a_temporary_table_of_a_skipped_transaction_is_not_trusted() {
    for skipped in [
        "CREATE TEMPORARY TABLE hidden (id INT, v VARCHAR(40))",
        "INSERT INTO hidden VALUES (5, 'of the session')",
        "ALTER TABLE hidden DROP COLUMN id",
        "UPDATE hidden, r SET hidden.v = 'changed', r.v = 'changed'",
    ] {
        let (source, target) = (server(), server());
        run(&source, TABLES);
        let [mut first, mut second] = sessions(&source);
        exec(
            &mut second,
            "CREATE TEMPORARY TABLE hidden (id INT, v VARCHAR(40)); INSERT INTO hidden VALUES (6, 'of the other')",
        );
        if !skipped.starts_with("CREATE") {
            exec(
                &mut first,
                "CREATE TEMPORARY TABLE hidden (id INT, v VARCHAR(40)); INSERT INTO hidden VALUES (7, 'first')",
            );
        }
        replicate(&source, &target, &replaying()).expect("what goes before");
        exec(&mut first, skipped);
        skip(&source, &target, &replaying());
        // The other session's is none of this.
        exec(&mut second, "INSERT INTO r (v) SELECT v FROM hidden");
        replicate(&source, &target, &replaying()).expect(skipped);
        let arrived = value(&target, "SELECT v FROM st.r ORDER BY id DESC LIMIT 1");
        assert_eq!(arrived.as_deref(), Some("of the other"), "{skipped}");
        exec(&mut first, "INSERT INTO r (v) SELECT v FROM hidden");
        stops(&source, &target, &replaying(), "source.temporary-table");
    }
}
