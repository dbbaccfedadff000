//! Foreign keys: whether a source logs what cascades change (MySQL 9.6 and later) or leaves that to whoever applies the log (before, or with
//! innodb_native_foreign_keys=ON), and whichever of the two the target does, both end equal.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use datain_capture::reader::Settings;
use datain_tests::compare;
use datain_tests::foreign_keys::{SCHEMAS, create, load};
use datain_tests::rough::{replicate_roughly, settings};
use datain_tests::seed::{Rng, long, seed};
use datain_throwaway_servers::{Flavor, Server};

const SESSIONS: u64 = 4;
/// Of each session.
const NORMAL: u32 = 300;
const LONG: u32 = 5000;

fn server(native: &str) -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .option(format!("innodb_native_foreign_keys={native}"))
        .start()
        .expect("a server")
}

/// Whether the log of the source holds events with the flag that says so.
fn logs_cascades(source: &Server) -> bool {
    let on = source
        .query("SELECT @@innodb_native_foreign_keys")
        .expect("the setting");
    on[0][0].as_deref() == Some("0")
}

/// Load on the source while both targets follow, then proof for each.
fn under_load(source: &Server, targets: [&Server; 2]) {
    let seed = seed("foreign keys");
    source.sql(&create()).expect("the tables");
    let transactions = if long() { LONG } else { NORMAL };
    let begun = Instant::now();
    let streams: Vec<(Settings, &Server)> = targets
        .into_iter()
        .map(|target| {
            let mut settings = settings("foreign");
            settings.server_id = u32::from(target.port());
            (settings, target)
        })
        .collect();
    let ended = AtomicBool::new(false);
    let loaded = thread::scope(|scope| {
        let running = scope.spawn(|| {
            let tally = load(SESSIONS, transactions).run(source, seed);
            ended.store(true, Ordering::SeqCst);
            tally
        });
        let following: Vec<_> = streams
            .iter()
            .zip(1..)
            .map(|((settings, target), number)| {
                let ended = &ended;
                scope.spawn(move || {
                    let mut rng = Rng::with_seed(seed + number);
                    while !ended.load(Ordering::SeqCst) {
                        follow(source, target, settings, &mut rng);
                    }
                    follow(source, target, settings, &mut rng);
                })
            })
            .collect();
        for one in following {
            one.join().expect("a pipeline");
        }
        running.join().expect("the load")
    });
    println!("{loaded:?} in {:.1} s", begun.elapsed().as_secs_f64());
    // Else there is little that can go wrong.
    assert!(loaded.rows > u64::from(transactions), "{loaded:?}");
    for target in targets {
        compare::assert_equal(source, target, SCHEMAS);
    }
}

fn follow(source: &Server, target: &Server, settings: &Settings, rng: &mut Rng) {
    if let Err(error) = replicate_roughly(source, target, settings, rng, 20) {
        panic!("{error:#?}");
    }
}

/// fidelity: event | foreign-key cascades logged (9.6 and later) | equal under load, whatever the target's innodb_native_foreign_keys
#[test]
fn logged_cascades_are_not_repeated() {
    let source = server("OFF");
    assert!(logs_cascades(&source));
    let (sql_layer, native) = (server("OFF"), server("ON"));
    under_load(&source, [&sql_layer, &native]);
}

/// fidelity: event | foreign-key cascades not logged (before 9.6, or innodb_native_foreign_keys=ON) | equal under load
#[test]
fn cascades_that_are_not_logged_happen_on_the_target() {
    let source = server("ON");
    assert!(!logs_cascades(&source));
    let (sql_layer, native) = (server("OFF"), server("ON"));
    under_load(&source, [&sql_layer, &native]);
}

/// fidelity: event | cascades of several steps that are not logged, on a target whose SQL layer would leave rows behind | equal; a circle over several tables stops: table.cascade-circle
#[test]
fn steps_that_the_target_would_leave_out_are_written_out() {
    let (source, target) = (server("ON"), server("OFF"));
    let settings = settings("steps");
    let mut rng = Rng::with_seed(1);
    let mut follow = || replicate_roughly(&source, &target, &settings, &mut rng, 0);
    // Left to MySQL 9.7.4's SQL layer, a row of `c` stays; the table `d` is empty, but has to be there. A tree of this depth it refuses.
    source
        .sql(
            "CREATE DATABASE d; USE d; CREATE TABLE a (id INT PRIMARY KEY); \
             CREATE TABLE b (id INT PRIMARY KEY, a INT, FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE); \
             CREATE TABLE c (id INT PRIMARY KEY, b INT, FOREIGN KEY (b) REFERENCES b (id) ON DELETE CASCADE); \
             CREATE TABLE d (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE); \
             CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE); \
             INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1, 1), (2, 1), (3, 2); INSERT INTO c VALUES (1, 1), (2, 2), (3, 3); \
             INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 1), (4, 2), (5, 4), (6, NULL); \
             DELETE FROM a WHERE id = 1; DELETE FROM tree WHERE id = 1",
        )
        .expect("steps");
    follow().expect("replication");
    // The same key by its collation, other bytes: left to that layer, the first row follows alone, and nothing becomes NULL.
    source
        .sql(
            "CREATE TABLE d.word (id INT PRIMARY KEY, code VARCHAR(9) NOT NULL UNIQUE); \
             CREATE TABLE d.of_word (id INT PRIMARY KEY, code VARCHAR(9), at TIMESTAMP(6) DEFAULT NOW(6) ON UPDATE NOW(6), FOREIGN KEY (code) REFERENCES d.word (code) ON UPDATE CASCADE); \
             CREATE TABLE d.or_null (id INT PRIMARY KEY, code VARCHAR(9), FOREIGN KEY (code) REFERENCES d.word (code) ON UPDATE SET NULL); \
             INSERT INTO d.word VALUES (1, 'b'); INSERT INTO d.of_word (id, code) VALUES (1, 'b'), (2, 'b'), (3, 'B'); INSERT INTO d.or_null VALUES (1, 'B'), (2, 'b'); \
             UPDATE d.word SET code = 'B'",
        )
        .expect("letters");
    follow().expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    let left = source
        .query("SELECT COUNT(*) FROM d.c UNION ALL SELECT COUNT(*) FROM d.tree")
        .expect("rows");
    assert_eq!([&left[0][0], &left[1][0]], [&Some("1".to_owned()); 2]);
    compare::assert_equal(&source, &target, &["d"]);
    source
        .sql(
            "CREATE TABLE d.x (id INT PRIMARY KEY, y INT); \
             CREATE TABLE d.y (id INT PRIMARY KEY, x INT, FOREIGN KEY (x) REFERENCES d.x (id) ON DELETE CASCADE); \
             ALTER TABLE d.x ADD FOREIGN KEY (y) REFERENCES d.y (id) ON DELETE CASCADE; \
             INSERT INTO d.x VALUES (1, NULL), (2, NULL); INSERT INTO d.y VALUES (1, 1), (2, 2); UPDATE d.x SET y = 3 - id",
        )
        .expect("a circle");
    follow().expect("all but the cascade");
    source
        .sql("DELETE FROM d.x WHERE id = 1")
        .expect("all of them go");
    let error = follow().expect_err("a circle");
    assert_eq!(error.code, "table.cascade-circle", "{error:?}");
    assert_eq!(error.table.as_deref(), Some("d.x"));
    let rows = target.query("SELECT COUNT(*) FROM d.x").expect("rows");
    assert_eq!(rows[0][0].as_deref(), Some("2"), "nothing was committed");
}
