//! The first copy between two servers of the same version, and what it does not bring.

use std::thread;

use datain_capture::reader::Settings;
use datain_tests::compare;
use datain_tests::load::Load;
use datain_tests::native::{self, replicate};
use datain_tests::rough::replicate_roughly;
use datain_tests::scenarios;
use datain_tests::seed::{Rng, long, seed};
use datain_tests::servers::{cell, run};
use datain_throwaway_servers::Flavor;

use super::server;

fn settings(stream: &str) -> Settings {
    let mut settings = native::settings(r#"{"mode":"snapshot"}"#);
    stream.clone_into(&mut settings.stream);
    // A chunk is handed on when the stream has come to where the log ended, and of an idle source only a sign of life says so.
    settings.heartbeat_seconds = 1;
    settings
}

/// fidelity: mariadb-11.8 → mariadb-11.8: statement | the first copy from MariaDB, with definitions as its SHOW CREATE has them | equal; triggers and events are held back
#[test]
fn definitions_and_rows_arrive_mariadb_11_8() {
    let (source, target) = (
        server(Flavor::Mariadb118, &[]),
        server(Flavor::Mariadb118, &[]),
    );
    let list = scenarios::between(Flavor::Mariadb118, Flavor::Mariadb118).expect("the scenarios");
    for name in ["types.sql", "own_types.sql"] {
        let types = list.iter().find(|scenario| scenario.name == name);
        run(&source, &types.expect("the types").sql);
    }
    run(
        &source,
        "CREATE SCHEMA shop CHARACTER SET latin1; USE shop; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4, w VARCHAR(9)); \
         INSERT INTO t VALUES (1, 'ä', 'é'), (2, 'b', 'c'); CREATE VIEW seen AS SELECT id, v FROM t WHERE v = 'ä'; \
         CREATE FUNCTION one_more (a INT) RETURNS INT DETERMINISTIC RETURN a + 1; CREATE PROCEDURE nothing () SELECT 1; \
         CREATE TRIGGER trimmed BEFORE INSERT ON t FOR EACH ROW SET NEW.v = TRIM(NEW.v); CREATE EVENT daily ON SCHEDULE EVERY 1 DAY DO SELECT 1",
    );
    replicate(&source, &target, &settings("quiet")).expect("a copy");
    compare::assert_equal(&source, &target, &["kinds", "ownkinds", "shop"]);
    assert_eq!(cell(&target, "SELECT shop.one_more(1)"), "2");
    assert_eq!(cell(&target, "SELECT COUNT(*) FROM datain.held_back"), "2");
    run(
        &source,
        "UPDATE shop.t SET v = CONCAT(v, '+'); UPDATE ownkinds.addresses SET n = n + 1; DELETE FROM ownkinds.addressed; ALTER TABLE shop.t ADD COLUMN x UUID",
    );
    replicate(&source, &target, &settings("quiet")).expect("changes");
    compare::assert_equal(&source, &target, &["kinds", "shop"]);
}

const TABLES: &str = "
CREATE DATABASE moving; USE moving;
CREATE TABLE numbers (id INT UNSIGNED PRIMARY KEY, a INT NOT NULL UNIQUE, v VARCHAR(30));
CREATE TABLE letters (k VARCHAR(9), n SMALLINT UNSIGNED, v INT, PRIMARY KEY (k, n));
CREATE TABLE addresses (u UUID, i INET6, v INT, PRIMARY KEY (u, i));
INSERT INTO numbers SELECT seq, 1000 + seq, 'r' FROM seq_100_to_499;
INSERT INTO letters SELECT CHAR(97 + seq % 10), 100 + seq DIV 10, 0 FROM seq_0_to_99;
INSERT INTO addresses SELECT CONCAT('00112233-4455-', ELT(1 + seq % 3, '1', '4', '7'), '677-8899-aabbccddee', LPAD(HEX(seq DIV 10), 2, '0')), CONCAT('2001:db8::', seq % 10, ':0'), 0 FROM seq_0_to_199;
";

/// Every row is changed all the time, keys and unique values wander.
fn load(transactions: u32) -> Load {
    let groups: [&[&str]; 3] = [
        &[
            "INSERT IGNORE INTO moving.numbers VALUES (?, ?, '$'), (?, ?, 'n')",
            "REPLACE INTO moving.numbers VALUES (?, ?, 'again')",
            "UPDATE moving.numbers SET v = CONCAT(LEFT(v, 20), '$') WHERE id % 12 = ?",
            "UPDATE moving.numbers SET a = a + 1 ORDER BY a DESC LIMIT 20",
            "UPDATE moving.numbers SET id = id + 1000 WHERE id > 100 AND id < 1000 LIMIT 3",
            "DELETE FROM moving.numbers WHERE id = ?",
        ],
        &[
            "INSERT IGNORE INTO moving.letters VALUES ('$', ?, ?)",
            "UPDATE moving.letters SET v = v + 1 WHERE n % 12 = ?",
            "UPDATE IGNORE moving.letters SET k = '$' WHERE n = 100 + ? LIMIT 2",
            "DELETE FROM moving.letters WHERE k = '$' AND n < 12",
        ],
        &[
            "UPDATE moving.addresses SET v = v + 1 WHERE i = CONCAT('2001:db8::', ? % 10, ':0')",
            "DELETE FROM moving.addresses WHERE i = CONCAT('2001:db8::', ? % 10, ':0') LIMIT 1",
            "INSERT IGNORE INTO moving.addresses VALUES (CONCAT('00112233-4455-1677-8899-aabbccddee', LPAD(HEX(?), 2, '0')), '::', ?)",
        ],
    ];
    Load {
        groups: groups
            .map(|group| group.iter().map(|sql| (*sql).to_owned()).collect())
            .to_vec(),
        sessions: 4,
        transactions,
        settings: vec!["SET SESSION sql_mode = ''".to_owned()],
        between: vec!["DO 1".to_owned()],
        gives_up: false,
        reset: "DO 1".to_owned(),
    }
}

/// Chunks are read under shared locks, since no position of MariaDB's says what can be seen. The connections break at any moment.
#[test]
fn rows_that_change_meanwhile_arrive_mariadb_11_8() {
    let seed = seed("mariadb copy");
    let mut rng = Rng::with_seed(seed);
    for _ in 0..if long() { 8 } else { 1 } {
        let source = server(
            Flavor::Mariadb118,
            &["binlog_commit_wait_count=2", "binlog_commit_wait_usec=2000"],
        );
        let target = server(Flavor::Mariadb118, &[]);
        run(&source, TABLES);
        let load = load(if long() { 300 } else { 60 });
        let mut settings = settings("busy");
        settings.chunk_rows = [10, 30, 100][rng.usize(0..3)];
        thread::scope(|scope| {
            let (load, source, load_seed) = (&load, &source, rng.u64(..));
            let changes = scope.spawn(move || load.run(source, load_seed));
            let lost = replicate_roughly(source, &target, &settings, &mut rng, 20);
            let _ = changes.join().expect("the load ends");
            lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"))
        });
        replicate(&source, &target, &settings).expect("the rest");
        compare::assert_equal(&source, &target, &["moving"]);
    }
}

/// fidelity: mariadb-11.8 → mariadb-11.8: type | sequences, system-versioned tables and packages of MariaDB in the first copy | refused with `snapshot.mariadb-object`: exclude them
#[test]
fn what_would_arrive_without_a_part_of_it_is_refused_mariadb_11_8() {
    let (source, target) = (
        server(Flavor::Mariadb118, &[]),
        server(Flavor::Mariadb118, &[]),
    );
    run(
        &source,
        "CREATE SCHEMA s; CREATE TABLE s.plain (id INT PRIMARY KEY); INSERT INTO s.plain VALUES (1)",
    );
    for (stream, made, gone) in [
        ("a", "CREATE SEQUENCE s.numbers", "DROP SEQUENCE s.numbers"),
        (
            "b",
            "CREATE TABLE s.kept (id INT PRIMARY KEY) WITH SYSTEM VERSIONING",
            "DROP TABLE s.kept",
        ),
    ] {
        run(&source, made);
        let error = replicate(&source, &target, &settings(stream)).expect_err(made);
        assert_eq!(error.code, "snapshot.mariadb-object", "{error:?}");
        run(&source, gone);
    }
    replicate(&source, &target, &settings("c")).expect("the rest");
    compare::assert_equal(&source, &target, &["s"]);
}
