//! The first copy: between servers that change meanwhile, over and over again from where a connection was lost.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod cascades;
mod definitions;
mod keyless;

use std::future::pending;
use std::hash::RandomState;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::Engine;
use datain_capture::reader::{Reader, Settings};
use datain_capture::upcoming;
use datain_contract::types::{Change, Error};
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::moving_keys;
use datain_tests::native;
use datain_tests::rough::replicate_roughly;
use datain_tests::seed::{Rng, long, seed};
use datain_tests::servers::{cell, loading_pair, run, server};
use datain_throwaway_servers::{Flavor, Server};

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
    for round in 0..if long() { 15 } else { 2 } {
        let [source, target] = loading_pair();
        run(&source, moving_keys::CREATE);
        run(&source, "DROP TABLE net.prefix_");
        many_rows(&source);
        let mut load = moving_keys::load(if long() { 300 } else { 100 });
        load.settings.retain(|sql| sql.contains("sql_mode"));
        let _ = load.run(&source, rng.u64(..));
        let mut settings = settings(&format!("busy{round}"));
        settings.chunk_rows = [1, 3, 10, 1000][rng.usize(0..4)];
        // Indexes behind the rows, or with their tables.
        settings.indexes_after = [0, u64::MAX][rng.usize(0..2)];
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

/// What is in the log can be seen a third of a second later, by a reader of the log too. With GTIDs the copy waits for it; without, for the locks of its rows.
#[test]
fn what_is_logged_and_not_seen_yet_is_waited_for() {
    let seed = seed("slow commits");
    let mut rng = Rng::with_seed(seed);
    for gtids in [true, false] {
        let start = || {
            let builder = Server::builder(Flavor::Mysql97)
                .relaxed()
                .option("local_infile=ON");
            let builder = if gtids {
                builder
            } else {
                builder.without_gtid()
            };
            builder.start().expect("a server")
        };
        let (source, target) = (start(), start());
        run(&source, moving_keys::CREATE);
        run(&source, "DROP TABLE net.prefix_");
        many_rows(&source);
        let mut load = moving_keys::load(20);
        load.settings.retain(|sql| sql.contains("sql_mode"));
        let _ = load.run(&source, rng.u64(..));
        run(
            &source,
            "SET GLOBAL binlog_group_commit_sync_delay = 300000",
        );
        load.sessions = 6;
        load.transactions = if long() { 100 } else { 8 };
        let mut settings = settings("slow");
        settings.chunk_rows = 20;
        std::thread::scope(|scope| {
            let (load, source, load_seed) = (&load, &source, rng.u64(..));
            let changes = scope.spawn(move || load.run(source, load_seed));
            let copied = replicate_roughly(source, &target, &settings, &mut rng, 0);
            let _ = changes.join().expect("the load ends");
            copied.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"));
        });
        replicate_roughly(&source, &target, &settings, &mut rng, 0).expect("the rest");
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

/// Copies in chunks of one row, and lets this happen on the source after the first of them; returns the error that it comes to.
fn refused(source: &Server, meanwhile: &str) -> Error {
    refused_with(source, &settings("refused"), meanwhile)
}

/// The same with these settings.
fn refused_with(source: &Server, settings: &Settings, meanwhile: &str) -> Error {
    refused_behind(1, source, settings, meanwhile)
}

/// The same after so many chunks.
fn refused_behind(chunks: usize, source: &Server, settings: &Settings, meanwhile: &str) -> Error {
    let mut settings = settings.clone();
    settings.chunk_rows = 1;
    let copied: Result<std::convert::Infallible, Error> = block_on(async {
        let mut reader = native::open_reader(source, &settings, None).await?;
        let (mut seen, mut happened) = (0, false);
        loop {
            let batch = reader.next_batch(1 << 10, |_| {}).await?;
            let changes = batch.transactions.iter().flat_map(|t| &t.changes);
            seen += changes
                .filter(|change| matches!(change, Change::Rows(_)))
                .count();
            if !happened && seen >= chunks {
                happened = true;
                run(source, meanwhile);
            }
            assert!(!reader.progress().reached_head, "it is not refused");
        }
    });
    copied.expect_err("it is refused")
}

#[test]
fn what_cannot_be_copied_while_it_happens_is_refused() {
    let source = server();
    let tables = "DROP DATABASE IF EXISTS r; CREATE DATABASE r; CREATE TABLE r.a (id INT PRIMARY KEY, v INT, w INT); INSERT INTO r.a VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3); \
        CREATE TABLE r.b LIKE r.a; INSERT INTO r.b SELECT * FROM r.a";
    for (meanwhile, code) in [
        (
            "ALTER TABLE r.a ADD COLUMN x INT",
            "snapshot.definition-changed",
        ),
        (
            "ALTER TABLE r.b DROP COLUMN v",
            "snapshot.definition-changed",
        ),
        ("RENAME TABLE r.a TO r.z", "snapshot.definition-changed"),
        ("RENAME TABLE r.b TO r.z", "snapshot.definition-changed"),
        ("DROP TABLE r.a", "snapshot.definition-changed"),
        ("TRUNCATE TABLE r.b", "snapshot.definition-changed"),
        (
            "ALTER TABLE r.a ADD INDEX (v)",
            "snapshot.definition-changed",
        ),
        (
            "CREATE VIEW r.v AS SELECT id FROM r.a",
            "snapshot.definition-changed",
        ),
        ("DROP DATABASE r", "snapshot.definition-changed"),
        ("DROP TABLE r.b", "snapshot.definition-changed"),
        ("TRUNCATE TABLE r.a", "snapshot.definition-changed"),
        (
            "CREATE TABLE r.c (id INT PRIMARY KEY)",
            "snapshot.definition-changed",
        ),
        (
            "CREATE TABLE r.c (id INT PRIMARY KEY) SELECT 1 AS id",
            "snapshot.definition-changed",
        ),
        (
            "XA START 'x'; UPDATE r.b SET v = 9; XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'",
            "snapshot.xa",
        ),
        (
            "SET SESSION binlog_row_image = MINIMAL; UPDATE r.a SET v = 9 WHERE id = 2",
            "row.partial-image",
        ),
    ] {
        run(&source, tables);
        let error = refused(&source, meanwhile);
        assert_eq!(error.code, code, "{meanwhile}: {error:?}");
        assert!(error.hint.is_some(), "{error:?}");
    }
    // Accounts may.
    run(&source, tables);
    run(
        &source,
        "CREATE TABLE r.last_ (j JSON NOT NULL, UNIQUE KEY ((CAST(j AS UNSIGNED))))",
    );
    let error = refused(&source, "CREATE USER somebody; DROP USER somebody");
    assert_eq!(
        (error.code.as_str(), error.table.as_deref()),
        ("snapshot.no-key", Some("r.last_"))
    );
    run(
        &source,
        "DROP TABLE r.last_; CREATE TABLE r.last_ (id INT PRIMARY KEY) ENGINE = MyISAM",
    );
    let error = refused(&source, "DO 0");
    assert_eq!(
        (error.code.as_str(), error.table.as_deref()),
        ("snapshot.engine", Some("r.last_"))
    );
}

/// Definitions that are not replicated may change while others are copied.
#[test]
fn definitions_outside_the_filter_may_change() {
    let [source, target] = loading_pair();
    run(
        &source,
        "CREATE DATABASE r; CREATE TABLE r.a (id INT PRIMARY KEY); INSERT INTO r.a VALUES (1), (2), (3); CREATE TABLE r.x LIKE r.a; \
         CREATE DATABASE o; CREATE TABLE o.a (id INT PRIMARY KEY); CREATE TABLE o.b LIKE o.a",
    );
    let mut settings = settings("outside");
    settings.chunk_rows = 1;
    settings.include = vec!["r.%".to_owned()];
    settings.exclude = vec!["r.x".to_owned()];
    let statements = [
        "ALTER TABLE o.a ADD COLUMN c INT",
        "RENAME TABLE o.a TO o.c",
        "TRUNCATE TABLE o.b",
        "DROP TABLE o.b",
        "DROP DATABASE o",
        "CREATE USER somebody; DROP USER somebody",
        "ALTER TABLE r.x ADD COLUMN c INT",
        "TRUNCATE TABLE r.x",
        "DROP TABLE r.x",
    ];
    let mut meanwhile = statements.iter();
    block_on(async {
        let opened = Engine::<_, RandomState>::open(
            native::session(&target),
            "outside",
            &Beginning::default(),
        )
        .await?;
        let mut engine = opened.engine;
        let mut reader = native::open_reader(&source, &settings, None).await?;
        while !reader.progress().reached_head {
            let batch = reader.next_batch(1 << 10, |_| {}).await?;
            engine.add_tables(batch.tables);
            for transaction in batch.transactions {
                if reader.progress().copying.is_some()
                    && let Some(sql) = meanwhile.next()
                {
                    run(&source, sql);
                }
                engine.apply(transaction, &batch.rows).await?;
            }
            if engine.can_commit() {
                engine.commit().await?;
            }
        }
        Ok::<_, Error>(())
    })
    .expect("a copy");
    assert_eq!(meanwhile.next(), None, "all of it was done meanwhile");
    compare::assert_equal(&source, &target, &["r"]);
}

#[test]
fn what_would_lose_a_part_of_an_incomplete_copy_is_refused() {
    let source = server();
    run(&source, TABLES);
    let mut settings = settings("filtered");
    settings.chunk_rows = 10;
    settings.include = vec!["c.%".to_owned()];
    let first = block_on(async {
        let mut reader = native::open_reader(&source, &settings, None).await?;
        loop {
            let batch = reader.next_batch(1 << 10, |_| {}).await?;
            for transaction in batch.transactions {
                let copies = |change: &Change| matches!(change, Change::Rows(_));
                if transaction.changes.iter().any(copies) {
                    return Ok::<_, Error>(transaction.checkpoint);
                }
            }
        }
    });
    let checkpoint = first.expect("a chunk").expect("a checkpoint");
    let elsewhere = Reader::open(native::session(&source), &settings, Some(&checkpoint), true);
    let error = block_on(elsewhere)
        .err()
        .expect("--set-position is refused");
    assert_eq!(error.code, "snapshot.incomplete", "{error:?}");
    let skipped = upcoming::after(native::session(&source), &settings, &checkpoint, pending());
    let error = block_on(skipped).expect_err("skip is refused");
    assert_eq!(error.code, "snapshot.incomplete", "{error:?}");
    settings.include = vec!["c.%".to_owned(), "b.%".to_owned()];
    let error = block_on(native::open_reader(&source, &settings, Some(&checkpoint)))
        .err()
        .expect("it is refused");
    assert_eq!(error.code, "snapshot.filter-changed", "{error:?}");
}

/// The program is killed again and again while it copies, and the source changes all the time.
#[test]
fn a_host_that_is_killed_goes_on() {
    for gtids in [true, false] {
        let start = || {
            let builder = Server::builder(Flavor::Mysql97)
                .relaxed()
                .option("local_infile=ON");
            if gtids {
                builder
            } else {
                builder.without_gtid()
            }
            .start()
            .expect("a server")
        };
        let (source, target) = (start(), start());
        run(&source, moving_keys::CREATE);
        run(&source, "DROP TABLE net.prefix_, net.no_primary");
        many_rows(&source);
        run(
            &source,
            "CREATE TABLE net.large (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(200)); INSERT INTO net.large (t) SELECT REPEAT(k, 50) FROM net.wide",
        );
        for _ in 0..if long() { 9 } else { 6 } {
            run(&source, "INSERT INTO net.large (t) SELECT t FROM net.large");
        }
        let folder = TempDir::new().expect("a folder");
        let config = Host::config(
            folder.path(),
            "killed",
            &source,
            &target,
            "[start]\nmode = \"snapshot\"\n",
        )
        .expect("a configuration");
        let mut load = moving_keys::load(u32::MAX);
        load.settings.retain(|sql| sql.contains("sql_mode"));
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (load, stop, socket) = (&load, &stop, source.socket());
            let changes = scope.spawn(move || load.run_until(&socket, 7, stop));
            let (kills, exit) = kill_and_finish(&config, &target);
            stop.store(true, Ordering::Relaxed);
            let _ = changes.join().expect("the load ends");
            assert_eq!(exit.code, 0, "{exit}");
            assert_eq!(kills, 3);
        });
        let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("it ends");
        assert_eq!(exit.code, 0, "{exit}");
        compare::assert_equal(&source, &target, &["net"]);
    }
}

const LIMIT: Duration = Duration::from_secs(120);

/// Kills three hosts in the midst of it, and lets another one catch up. Returns how many were killed.
fn kill_and_finish(config: &Path, target: &Server) -> (u32, Exit) {
    let mut kills = 0;
    // Without GTIDs nobody can tell whether a definition was made by a host that was killed meanwhile.
    let end = Instant::now() + LIMIT;
    let mut host = Host::start(config, &[]).expect("a host");
    while target
        .query("SELECT 1 FROM net.computed LIMIT 1")
        .map_or(true, |rows| rows.is_empty())
        && Instant::now() < end
    {
        if !host.is_running().unwrap_or(false) {
            // By itself, before anything was killed.
            return (kills, host.wait(LIMIT).expect("it ends"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    host.kill();
    let _ = host.wait(LIMIT);
    for wait in [300, 700, 500] {
        let mut host = Host::start(config, &[]).expect("a host");
        std::thread::sleep(Duration::from_millis(wait));
        kills += u32::from(host.is_running().unwrap_or(false));
        host.kill();
        let _ = host.wait(LIMIT);
    }
    let exit = Host::run(config, &["--until-caught-up"], LIMIT);
    (kills, exit.expect("it ends"))
}
