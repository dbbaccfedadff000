//! The first copy: between servers that change meanwhile, over and over again from where a connection was lost.

#![allow(clippy::disallowed_methods, reason = "native test")]

use datain_capture::reader::Settings;
use datain_tests::compare;
use datain_tests::moving_keys;
use datain_tests::native;
use datain_tests::rough::replicate_roughly;
use datain_tests::seed::{Rng, long, seed};
use datain_tests::servers::{cell, loading_pair, run};
use datain_throwaway_servers::Server;

/// Settings of a pipeline that copies first.
fn settings(stream: &str) -> Settings {
    let mut settings = native::settings(r#"{"mode":"snapshot"}"#);
    stream.clone_into(&mut settings.stream);
    settings
}

const TABLES: &str = "
CREATE DATABASE c DEFAULT CHARACTER SET latin1; USE c;
CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(20), UNIQUE KEY (t)) COMMENT 'a parent';
CREATE TABLE child (id INT PRIMARY KEY, p INT, j JSON, d DECIMAL(10,2) DEFAULT 1.5, twice INT AS (p * 2) VIRTUAL, KEY (p), FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE);
CREATE TABLE `odd ``name` (`a.b` VARBINARY(10), b INT, PRIMARY KEY (b, `a.b`));
CREATE TABLE empty_ (id INT PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM parent;
CREATE FUNCTION one() RETURNS INT DETERMINISTIC RETURN 1;
CREATE TRIGGER tr BEFORE INSERT ON empty_ FOR EACH ROW SET NEW.id = NEW.id + 1;
CREATE TABLE digit (d INT PRIMARY KEY); INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
INSERT INTO parent (t) SELECT CONCAT(a.d, b.d, c.d) FROM digit a, digit b, digit c;
INSERT INTO child (id, p, j) SELECT id * 3, id, JSON_OBJECT('n', id, 'd', CAST(id / 3 AS DECIMAL(10,4)), 'at', CAST('2020-01-01' AS DATE)) FROM parent;
INSERT INTO `odd ``name` SELECT CHAR(id % 256), id FROM parent WHERE id < 300;
";

#[test]
fn definitions_and_rows_arrive() {
    let [source, target] = loading_pair();
    run(&source, TABLES);
    native::replicate(&source, &target, &settings("quiet")).expect("a copy");
    compare::assert_equal(&source, &target, &["c"]);
    assert_eq!(cell(&target, "SELECT COUNT(*) FROM c.v"), "1000");
    assert_eq!(cell(&target, "SELECT c.one()"), "1");
    assert_eq!(
        cell(
            &target,
            "SELECT statement LIKE '%TRIGGER%' FROM datain.held_back"
        ),
        "1"
    );
    // The stream goes on, strictly.
    run(
        &source,
        "USE c; UPDATE parent SET t = CONCAT('x', t); DELETE FROM parent WHERE id = 7; INSERT INTO empty_ VALUES (5); ALTER TABLE child ADD COLUMN e INT; INSERT INTO child (id, p) VALUES (1, 8)",
    );
    native::replicate(&source, &target, &settings("quiet")).expect("changes");
    compare::assert_equal(&source, &target, &["c"]);
}

/// Every row is changed all the time, keys and unique values wander, connections are lost, and chunks are small.
#[test]
fn rows_that_change_meanwhile_arrive() {
    let seed = seed("first copy");
    let mut rng = Rng::with_seed(seed);
    for round in 0..if long() { 30 } else { 3 } {
        let [source, target] = loading_pair();
        run(&source, moving_keys::CREATE);
        run(&source, "DROP TABLE net.prefix_");
        many_rows(&source);
        let mut load = moving_keys::load(if long() { 300 } else { 100 });
        load.settings.retain(|sql| sql.contains("sql_mode"));
        let _ = load.run(&source, rng.u64(..));
        let mut settings = settings(&format!("busy{round}"));
        settings.chunk_rows = [1, 3, 10, 1000][rng.usize(0..4)];
        let lost = std::thread::scope(|scope| {
            let (load, source, load_seed) = (&load, &source, rng.u64(..));
            let changes = scope.spawn(move || load.run(source, load_seed));
            let lost = replicate_roughly(source, &target, &settings, &mut rng, 60);
            let _ = changes.join().expect("the load ends");
            lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"))
        });
        replicate_roughly(&source, &target, &settings, &mut rng, 20).expect("the rest");
        println!(
            "round {round}: chunks of {}, {lost} connections lost",
            settings.chunk_rows
        );
        compare::assert_equal(&source, &target, &["net"]);
    }
}

/// Rows beside the few that are changed, so that there is something to copy.
fn many_rows(source: &Server) {
    run(
        source,
        "USE net; INSERT INTO wide (k, n) WITH RECURSIVE r (n) AS (SELECT 100 UNION ALL SELECT n + 1 FROM r WHERE n < 400) SELECT n, n FROM r; \
         INSERT INTO keys_ (id, a, b, c, d, v) WITH RECURSIVE r (n) AS (SELECT 200 UNION ALL SELECT n + 1 FROM r WHERE n < 500) SELECT n, 1000 * n, CONCAT('r', n), n, n, 'r' FROM r".replace('\\', "").as_str(),
    );
}
