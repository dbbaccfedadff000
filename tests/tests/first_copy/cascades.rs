//! Sources that do not log what foreign keys change.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use datain_contract::types::{Change, Error, Operation};
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::foreign_keys;
use datain_tests::load::Load;
use datain_tests::native;
use datain_tests::rough::replicate_roughly;
use datain_tests::seed::{Rng, long, seed};
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::{Flavor, Server};

use crate::{refused, refused_behind, settings};

/// Tables are begun after those that they refer to, so that the target can repeat what the source does not log; in a circle it could not.
#[test]
fn cascades_that_are_not_logged_are_refused_in_circles() {
    let source = without_logged_cascades();
    run(
        &source,
        "CREATE DATABASE f; USE f; CREATE TABLE p (id INT PRIMARY KEY, c INT, v INT); CREATE TABLE a (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE); \
         ALTER TABLE p ADD FOREIGN KEY (c) REFERENCES a (id); \
         INSERT INTO p VALUES (1, NULL, 1), (2, NULL, 1), (3, NULL, 1); INSERT INTO a VALUES (10, 1); UPDATE p SET c = 10 WHERE id = 1",
    );
    // What changes no other row may happen.
    let error = refused(
        &source,
        "USE f; UPDATE p SET v = 2; DELETE FROM p WHERE id = 3; UPDATE p SET id = 5 WHERE id = 1",
    );
    is_of(&error, "f.p");
    run(
        &source,
        "USE f; UPDATE p SET c = NULL; SET foreign_key_checks = 0; DROP TABLE a, p; \
         CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE SET NULL); INSERT INTO tree VALUES (1, NULL), (2, 1), (5, 1)",
    );
    let error = refused(
        &source,
        "USE f; INSERT INTO tree VALUES (3, 2); UPDATE tree SET id = 4 WHERE id = 3; DELETE FROM tree WHERE id = 4",
    );
    is_of(&error, "f.tree");
    // A table outside takes a row of it, which takes others: the source has none of them any more, the target may have some.
    run(
        &source,
        "USE f; DROP TABLE tree; CREATE TABLE x (id INT PRIMARY KEY, v INT); \
         CREATE TABLE tree (id INT PRIMARY KEY, up INT, x INT, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE, FOREIGN KEY (x) REFERENCES x (id) ON DELETE CASCADE ON UPDATE CASCADE); \
         INSERT INTO x VALUES (1, 1), (7, 1), (8, 1); INSERT INTO tree VALUES (5, NULL, 1), (4, 5, 7), (2, 4, 7)",
    );
    let error = refused_behind(
        4,
        &source,
        &settings("refused"),
        "USE f; UPDATE x SET id = 9 WHERE id = 8; UPDATE x SET v = 2; DELETE FROM x WHERE id = 1",
    );
    is_of(&error, "f.x");
}

/// That the error is of an unlogged cascade, and names this table.
fn is_of(error: &Error, table: &str) {
    assert_eq!(
        (error.code.as_str(), error.table.as_deref()),
        ("snapshot.unlogged-cascades", Some(table)),
        "{error:?}"
    );
}

fn without_logged_cascades() -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("innodb_native_foreign_keys=ON")
        .start()
        .expect("a server")
}

/// Parents go and get other keys all the time, and their children follow on the source without a word in the log.
#[test]
fn cascades_that_are_not_logged_are_repeated() {
    let seed = seed("cascades of a first copy");
    let mut rng = Rng::with_seed(seed);
    let source = without_logged_cascades();
    let targets = [without_logged_cascades(), server()];
    for (round, target) in targets
        .iter()
        .enumerate()
        .cycle()
        .take(if long() { 12 } else { 2 })
    {
        let schemas = foreign_keys::SCHEMAS;
        for server in [&source, target] {
            for schema in schemas {
                run(
                    server,
                    &format!("SET foreign_key_checks = 0; DROP DATABASE IF EXISTS `{schema}`"),
                );
            }
        }
        run(&source, &foreign_keys::create());
        // Foreign keys from a table to itself.
        run(&source, "DROP TABLE fk_deep.tree, fk_deep.list");
        let mut load = foreign_keys::load(3, if long() { 1000 } else { 60 });
        let of_circle = |sql: &String| sql.contains("fk_deep.tree") || sql.contains("fk_deep.list");
        load.groups.retain(|group| !group.iter().any(of_circle));
        let _ = load.run(&source, rng.u64(..));
        let mut settings = settings(&format!("cascades{}", rng.u64(..)));
        settings.chunk_rows = [1, 2, 10, 1000][rng.usize(0..4)];
        let lost = std::thread::scope(|scope| {
            let (load, source, load_seed) = (&load, &source, rng.u64(..));
            let changes = scope.spawn(move || load.run(source, load_seed));
            let lost = replicate_roughly(source, target, &settings, &mut rng, 30);
            let _ = changes.join().expect("the load ends");
            lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"))
        });
        replicate_roughly(&source, target, &settings, &mut rng, 20).expect("the rest");
        println!(
            "round {round}: chunks of {}, {lost} connections lost",
            settings.chunk_rows
        );
        compare::assert_equal(&source, target, schemas);
    }
}

/// Children by whose foreign keys their tables are read: a parent's new key carries rows over the end of what was read.
const MOVING: &str = "
CREATE DATABASE moving; USE moving;
CREATE TABLE digit (d INT PRIMARY KEY); INSERT INTO digit VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12);
CREATE TABLE actor (id INT PRIMARY KEY, n INT); INSERT INTO actor SELECT d, d FROM digit;
CREATE TABLE film (id INT PRIMARY KEY, n INT); INSERT INTO film SELECT d, d FROM digit;
CREATE TABLE film_actor (actor INT, film INT, n INT, PRIMARY KEY (actor, film), KEY (film), FOREIGN KEY (actor) REFERENCES actor (id) ON DELETE CASCADE ON UPDATE CASCADE,
  FOREIGN KEY (film) REFERENCES film (id) ON DELETE CASCADE ON UPDATE CASCADE); INSERT INTO film_actor SELECT a.d, b.d, a.d * b.d FROM digit a, digit b;
CREATE TABLE played (what VARCHAR(9), film INT, actor INT, PRIMARY KEY (what, film, actor), KEY (actor, film), FOREIGN KEY (actor, film) REFERENCES film_actor (actor, film) ON DELETE CASCADE ON UPDATE CASCADE);
  INSERT INTO played SELECT IF(n % 2, 'a', 'b'), film, actor FROM film_actor;
CREATE TABLE word (code VARCHAR(9) PRIMARY KEY, n INT); INSERT INTO word VALUES ('a', 1), ('b', 1), ('x', 1);
CREATE TABLE of_word (code VARCHAR(20), n INT, PRIMARY KEY (code, n), FOREIGN KEY (code) REFERENCES word (code) ON DELETE CASCADE ON UPDATE CASCADE); INSERT INTO of_word SELECT 'a', d FROM digit;
  INSERT INTO of_word SELECT 'b', d FROM digit;
";

fn moving(transactions: u32) -> Load {
    let groups: [&[&str]; 2] = [
        &[
            "UPDATE moving.film SET id = id + 1000 WHERE id = ?",
            "UPDATE moving.film SET id = id - 1000 WHERE id = 1000 + ?",
            "UPDATE moving.film SET id = IF(id > 1000, id - 1000, id + 1000) WHERE id IN (?, ? + 1000)",
            "UPDATE moving.film SET n = n + 1 WHERE id = ?",
            "UPDATE moving.actor SET id = id + 1000 WHERE id = ?",
            "UPDATE moving.actor SET id = id - 1000 WHERE id = 1000 + ?",
            "UPDATE moving.film_actor SET n = n + 1 WHERE film = ?",
            "INSERT IGNORE INTO moving.film_actor SELECT ?, id, n FROM moving.film",
            "INSERT IGNORE INTO moving.played SELECT '$', film, actor FROM moving.film_actor WHERE actor = ?",
            "DELETE FROM moving.actor WHERE id = ?",
            "INSERT IGNORE INTO moving.actor VALUES (?, 0)",
        ],
        &[
            "UPDATE moving.word SET code = '$' WHERE code = '$'",
            "UPDATE moving.word SET code = CONCAT('$', '$') WHERE n = 1 LIMIT 1",
            "INSERT IGNORE INTO moving.word VALUES ('$', 2)",
            "INSERT IGNORE INTO moving.of_word SELECT code, ? FROM moving.word",
        ],
    ];
    Load {
        groups: groups
            .map(|group| group.iter().map(|sql| (*sql).to_owned()).collect())
            .to_vec(),
        sessions: 3,
        transactions,
        settings: vec!["DO 1".to_owned()],
        between: vec!["DO 1".to_owned()],
        gives_up: true,
        reset: "DO 1".to_owned(),
    }
}

/// fidelity: event | a first copy from a source that does not log cascades, of tables by whose foreign keys they are read | equal, whichever way the parents' keys move meanwhile
#[test]
fn rows_that_cascades_move_are_read_again() {
    let seed = seed("moved by cascades");
    let mut rng = Rng::with_seed(seed);
    let mariadb = || {
        let builder = Server::builder(Flavor::Mariadb118).relaxed();
        builder.start().expect("a server")
    };
    let native = without_logged_cascades();
    let pairs = [
        (&native, server()),
        (&native, without_logged_cascades()),
        (&mariadb(), mariadb()),
    ];
    for (round, (source, target)) in
        pairs
            .iter()
            .enumerate()
            .cycle()
            .take(if long() { 30 } else { 6 })
    {
        for server in [source, target] {
            run(
                server,
                "SET foreign_key_checks = 0; DROP DATABASE IF EXISTS moving",
            );
        }
        run(source, MOVING);
        let load = moving(if long() { 400 } else { 80 });
        let mut settings = settings(&format!("moving{}", rng.u64(..)));
        settings.chunk_rows = [1, 3, 10, 50][rng.usize(0..4)];
        let cuts = [0, 60][rng.usize(0..2)];
        let lost = std::thread::scope(|scope| {
            let (load, load_seed) = (&load, rng.u64(..));
            let changes = scope.spawn(move || load.run(source, load_seed));
            let lost = replicate_roughly(source, target, &settings, &mut rng, cuts);
            let _ = changes.join().expect("the load ends");
            lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"))
        });
        replicate_roughly(source, target, &settings, &mut rng, 20).expect("the rest");
        println!(
            "round {round}: chunks of {}, {lost} connections lost",
            settings.chunk_rows
        );
        compare::assert_equal(source, target, &["moving"]);
    }
}

/// A parent changes as soon as a chunk's rows are let go, while the stream is far behind: it must not come to the target before the chunk, whose rows could not follow it.
#[test]
fn a_chunk_comes_before_what_changes_its_rows_without_a_word() {
    let source = without_logged_cascades();
    run(
        &source,
        "CREATE DATABASE f; USE f; CREATE TABLE film (id INT PRIMARY KEY); CREATE TABLE filler (id INT AUTO_INCREMENT PRIMARY KEY, t CHAR(50)); INSERT INTO film VALUES (1), (2); \
         CREATE TABLE film_actor (id INT PRIMARY KEY, film INT, FOREIGN KEY (film) REFERENCES film (id) ON UPDATE CASCADE); INSERT INTO film_actor VALUES (1, 1), (2, 2); \
         SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = ON",
    );
    let changes: Vec<(String, Operation)> = block_on(async {
        let mut reader = native::open_reader(&source, &settings("behind"), None).await?;
        let mut names = BTreeMap::new();
        while reader.progress().copying.as_deref() != Some("f.film_actor") {
            let batch = reader.next_batch(1 << 10, |_| {}).await?;
            names.extend(batch.tables.into_iter().map(|table| (table.id, table.name)));
        }
        run(
            &source,
            &"INSERT INTO f.filler (t) VALUES ('so that the stream has something to do');".repeat(500),
        );
        let mut changes = Vec::new();
        let mut is_read = false;
        let mut is_changed = false;
        while !reader.progress().reached_head || !is_changed {
            let batch = reader.next_batch(1 << if is_changed { 20 } else { 8 }, |_| {}).await?;
            names.extend(batch.tables.into_iter().map(|table| (table.id, table.name)));
            for change in batch.transactions.iter().flat_map(|t| &t.changes) {
                if let Change::Rows(set) = change {
                    changes.push((names[&set.table].clone(), set.operation));
                }
            }
            if !is_changed {
                assert!(changes.len() < 400, "the chunk is not read");
                let from = Instant::now();
                let pause = poll_fn(|_| match from.elapsed() < Duration::from_millis(200) {
                    true => Poll::Pending,
                    false => Poll::Ready(()),
                });
                reader.rest(pause).await;
                // The first time it may not have been let go.
                is_changed = is_read;
                let read = "SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE 'SELECT%`film_actor`%LOCK IN SHARE MODE'";
                is_read = cell(&source, read) == "1";
                if is_changed {
                    run(&source, "UPDATE f.film SET id = 12 WHERE id = 2");
                }
            }
        }
        Ok::<_, Error>(changes)
    })
    .expect("a copy");
    let at = |name: &str, operation| {
        let mut changes = changes.iter();
        changes.position(|change| change.0 == name && change.1 == operation)
    };
    let (chunk, parent) = (
        at("film_actor", Operation::Insert).expect("the chunk"),
        at("film", Operation::Update).expect("the parent's change"),
    );
    assert!(chunk < parent, "{chunk} {parent}");
    let fillers = changes.iter().take(chunk).filter(|c| c.0 == "filler");
    assert!(fillers.count() >= 500, "the stream was behind");
}
