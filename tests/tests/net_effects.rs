//! Groups of changes that get into each other's way: the target is given their net effect, and ends equal.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use datain_tests::compare;
use datain_tests::few_values;
use datain_tests::moving_keys;
use datain_tests::native::replicate;
use datain_tests::rough::{replicate_in_any_order, replicate_roughly, settings};
use datain_tests::seed::{Rng, long, seed};
use datain_tests::servers::loading_pair;

/// fidelity: type | AUTO_INCREMENT of rows that come and go in one group | the target gives the next number, as the source does
#[test]
fn numbers_that_were_given_are_not_given_again() {
    let [source, target] = loading_pair();
    let settings = settings("numbers");
    source
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT UNIQUE); INSERT INTO d.t (v) VALUES (1); \
             BEGIN; INSERT INTO d.t (v) VALUES (2), (3), (4); DELETE FROM d.t WHERE v > 2; DELETE FROM d.t WHERE v = 2; COMMIT; \
             INSERT INTO d.t (v) VALUES (7); DELETE FROM d.t WHERE v = 7",
        )
        .expect("rows that come and go");
    replicate(&source, &target, &settings).expect("replication");
    for server in [&source, &target] {
        server.sql("INSERT INTO d.t (v) VALUES (9)").expect("a row");
        let id = server.query("SELECT id FROM d.t WHERE v = 9").expect("it");
        assert_eq!(id[0][0].as_deref(), Some("6"));
    }
}

/// A load would take the current time for a NULL, without a warning.
#[test]
fn a_null_does_not_become_the_current_time() {
    let [source, target] = loading_pair();
    let settings = settings("null");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP NULL)")
        .expect("a table");
    replicate(&source, &target, &settings).expect("replication");
    target
        .sql("ALTER TABLE d.t MODIFY at TIMESTAMP NOT NULL")
        .expect("another definition");
    let rows = vec!["(NULL)"; 1200].join(",");
    source
        .sql(&format!("INSERT INTO d.t (at) VALUES {rows}"))
        .expect("rows");
    let error = replicate(&source, &target, &settings).expect_err("NULLs");
    assert_eq!(error.code, "row.value", "{error:?}");
    assert!(error.message.contains("`at`"), "{error:?}");
    let count = target.query("SELECT COUNT(*) FROM d.t").expect("rows");
    assert_eq!(count[0][0].as_deref(), Some("0"));
    source.sql("DELETE FROM d.t").expect("none");
    target
        .sql("ALTER TABLE d.t MODIFY at TIMESTAMP NULL")
        .expect("the same definition again");
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
}

/// A condition that holds both zeros looks for them in one partition only.
///
/// fidelity: type | FLOAT and DOUBLE keys of 0 and -0 in one table, partitioned by key | equal
#[test]
fn zeros_of_both_signs_are_found_in_their_partitions() {
    let [source, target] = loading_pair();
    let settings = settings("zeros");
    source
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (f FLOAT, c VARCHAR(9), v INT, PRIMARY KEY (f, c DESC)) PARTITION BY KEY (f) PARTITIONS 7; \
             INSERT INTO d.t VALUES (0e0, 'a', 1), (-0e0, 'b', 1), (1.5, 'c', 1), (0e0, 'd', 2), (-0e0, 'e', 2), (-0e0, 'f', 3), (0e0, 'g', 3)",
        )
        .expect("rows");
    replicate(&source, &target, &settings).expect("replication");
    source
        .sql("DELETE FROM d.t WHERE v = 1; UPDATE d.t SET f = -f WHERE v = 2; UPDATE d.t SET c = CONCAT(c, c) WHERE v = 3")
        .expect("changes");
    replicate(&source, &target, &settings).expect("replication");
    let left = source.query("SELECT COUNT(*) FROM d.t").expect("rows");
    assert_eq!(left[0][0].as_deref(), Some("4"));
    compare::assert_equal(&source, &target, &["d"]);
    source.sql("DELETE FROM d.t WHERE v > 1").expect("none");
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
}

/// An image that lacks the key takes it from the one before: a row with an ENUM's invalid value there cannot be inserted in strict mode.
#[test]
fn an_invalid_enum_in_the_key_of_a_row_whose_unique_value_changes() {
    let [source, target] = loading_pair();
    let settings = settings("invalid_key");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (e ENUM('x','y') PRIMARY KEY, v INT UNIQUE); INSERT IGNORE INTO d.t VALUES ('none', 1), ('x', 2)")
        .expect("rows");
    replicate(&source, &target, &settings).expect("replication");
    for image in ["MINIMAL", "NOBLOB", "FULL"] {
        source
            .sql(&format!(
                "SET SESSION binlog_row_image = {image}; UPDATE d.t SET v = v + 10 ORDER BY v DESC"
            ))
            .expect("changes");
        replicate(&source, &target, &settings).expect(image);
        compare::assert_equal(&source, &target, &["d"]);
    }
}

/// fidelity: event | groups of changes as their net effect: unique values that move, keys equal by collation, rows that come and go, all row images | equal under load
#[test]
fn values_move_between_rows_in_every_way() {
    let seed = seed("net effects");
    let [source, target] = loading_pair();
    source.sql(moving_keys::CREATE).expect("the tables");
    let load = moving_keys::load(if long() { 20_000 } else { 1200 });
    let settings = settings("net");
    let mut rng = Rng::with_seed(seed);
    let follow = |rng: &mut Rng| {
        if let Err(error) = replicate_roughly(&source, &target, &settings, rng, 10) {
            panic!("{error:#?}");
        }
    };
    let ended = AtomicBool::new(false);
    let tally = thread::scope(|scope| {
        let running = scope.spawn(|| {
            let tally = load.run(&source, seed);
            ended.store(true, Ordering::SeqCst);
            tally
        });
        while !ended.load(Ordering::SeqCst) {
            follow(&mut rng);
        }
        follow(&mut rng);
        running.join().expect("the load")
    });
    println!("{tally:?}");
    assert!(tally.rows > u64::from(load.transactions), "{tally:?}");
    compare::assert_equal(&source, &target, &[moving_keys::SCHEMA]);
}

/// Whatever went ahead of an older group is there when that is written again in other groups, or one by one.
#[test]
fn values_are_used_again_while_groups_go_ahead_and_connections_are_lost() {
    let seed = seed("few values");
    let [source, target] = loading_pair();
    source.sql(few_values::CREATE).expect("the tables");
    let load = few_values::load(if long() { 2000 } else { 150 });
    let settings = settings("few");
    let mut rng = Rng::with_seed(seed);
    let mut lost = 0;
    for round in 0..if long() { 20 } else { 4 } {
        let tally = load.run(&source, seed + round);
        assert!(tally.rows > u64::from(load.transactions), "{tally:?}");
        match replicate_in_any_order(&source, &target, &settings, &mut rng) {
            Ok(more) => lost += more,
            Err(error) => panic!("{error:#?}"),
        }
        compare::assert_equal(&source, &target, &[few_values::SCHEMA]);
    }
    println!("{lost} connections lost");
    let left = target.query("SELECT COUNT(*) FROM datain.ahead WHERE ordinal > 0");
    assert_eq!(left.expect("notes")[0][0].as_deref(), Some("0"));
}
