//! What a first copy makes besides rows: as whom it runs, and indexes behind the rows.

use std::hash::RandomState;
use std::time::Instant;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::Engine;
use datain_capture::reader::{Definer, Reader, Settings};
use datain_contract::types::{Batch, Change, Checkpoint, Error, Transaction};
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{self, Fragile};
use datain_tests::pipeline_run::failed;
use datain_tests::seed::long;
use datain_tests::servers::{cell, loading_pair, run, server};
use datain_throwaway_servers::{Flavor, Server};

use super::{LIMIT, settings};

/// What runs as somebody runs as the target's account, whichever way it comes.
#[test]
fn a_definer_is_kept_or_not() {
    let [source, target] = loading_pair();
    run(
        &source,
        "CREATE USER app@'10.%', other@'%'; CREATE DATABASE f; USE f; CREATE TABLE t (id INT PRIMARY KEY); \
         CREATE DEFINER = app@'10.%' VIEW v AS SELECT 1 AS one; \
         CREATE DEFINER = app@'10.%' FUNCTION one() RETURNS INT DETERMINISTIC SQL SECURITY INVOKER RETURN 1; \
         CREATE DEFINER = app@'10.%' TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id",
    );
    let definers = "SELECT GROUP_CONCAT(d ORDER BY d) FROM (SELECT DEFINER AS d FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'f' \
        UNION ALL SELECT DEFINER FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'f') AS x";
    let later = "USE f; CREATE DEFINER = app@'10.%' PROCEDURE p() SELECT 'DEFINER = me'; CREATE OR REPLACE DEFINER = other@'%' VIEW v AS SELECT 2 AS two; \
         CREATE DEFINER = other@'%' EVENT e ON SCHEDULE EVERY 1 YEAR DISABLE DO DO 1";
    let mut settings = settings("definer");
    settings.definer = Definer::CurrentUser;
    native::replicate(&source, &target, &settings).expect("a copy");
    assert_eq!(cell(&target, definers), "root@localhost,root@localhost");
    run(&source, later);
    native::replicate(&source, &target, &settings).expect("the rest");
    assert_eq!(
        cell(&target, definers),
        "root@localhost,root@localhost,root@localhost"
    );
    assert_eq!(cell(&target, "SELECT two FROM f.v"), "2");
    let held_back = "SELECT COUNT(*), SUM(statement LIKE '%DEFINER%') FROM datain.held_back";
    assert_eq!(
        target.query(held_back).expect("an answer"),
        [["2", "0"].map(|n| Some(n.to_owned()))]
    );
    // And kept, by default.
    let mut kept = super::settings("kept");
    kept.server_id += 1;
    run(&target, "DROP DATABASE f");
    native::replicate(&source, &target, &kept).expect("another copy");
    assert_eq!(cell(&target, definers), "app@10.%,app@10.%,other@%");
}

const INDEXED: &str = "
CREATE DATABASE i; USE i;
CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, n INT, t VARCHAR(50), d TEXT, u INT UNIQUE, KEY by_n (n), KEY by_t (t(10), n DESC), FULLTEXT KEY words (d), FULLTEXT KEY more (t, d));
CREATE TABLE b (id INT PRIMARY KEY, a INT, x INT, KEY (a), KEY by_x (x), FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE);
CREATE TABLE c (x INT NOT NULL, y INT, UNIQUE KEY (x), KEY by_y (y));
CREATE TABLE plain (id INT PRIMARY KEY);
CREATE VIEW v AS SELECT id FROM a FORCE INDEX (PRIMARY);
INSERT INTO a (n, t, d, u) WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 300) SELECT n % 7, CONCAT('t', n), CONCAT('some words ', n), n FROM r;
INSERT INTO b SELECT id, id, id % 5 FROM a;
INSERT INTO c SELECT id, id % 3 FROM a;
";

/// Statements of a batch's transactions that add indexes, and whether rows came.
fn seen(transaction: &Transaction) -> (Vec<String>, bool) {
    let mut alters = Vec::new();
    let mut rows = false;
    for change in &transaction.changes {
        match change {
            Change::Statement(statement) if statement.sql.starts_with(b"ALTER TABLE") => {
                alters.push(String::from_utf8_lossy(&statement.sql).into_owned());
            }
            Change::Rows(_) => rows = true,
            Change::Statement(_) => {}
        }
    }
    (alters, rows)
}

/// All transactions of a copy from a checkpoint on.
async fn transactions(
    source: &Server,
    settings: &Settings,
    resume: Option<&Checkpoint>,
) -> Result<Vec<Transaction>, Error> {
    let mut reader: Reader<Fragile> = native::open_reader(source, settings, resume).await?;
    let mut all = Vec::new();
    while !reader.progress().reached_head {
        let Batch { transactions, .. } = reader.next_batch(1 << 12, |_| {}).await?;
        all.extend(transactions);
    }
    Ok(all)
}

/// They come behind all rows, each once, from wherever the copy goes on, and whatever the source says of the tables' sizes by then.
#[test]
fn indexes_come_behind_the_rows() {
    let source = server();
    run(&source, INDEXED);
    let mut settings = settings("indexes");
    settings.indexes_after = 0;
    let all = block_on(transactions(&source, &settings, None)).expect("a copy");
    let expected = [
        "ALTER TABLE `a` ADD KEY `by_n` (`n`), ADD KEY `by_t` (`t`(10),`n` DESC)",
        "ALTER TABLE `a` ADD FULLTEXT KEY `words` (`d`)",
        "ALTER TABLE `a` ADD FULLTEXT KEY `more` (`t`,`d`)",
        "ALTER TABLE `b` ADD KEY `by_x` (`x`)",
        "ALTER TABLE `c` ADD KEY `by_y` (`y`)",
    ];
    let alters: Vec<String> = all.iter().flat_map(|t| seen(t).0).collect();
    assert_eq!(alters, expected);
    let first = all.iter().position(|t| !seen(t).0.is_empty());
    let last_rows = all.iter().rposition(|t| seen(t).1);
    assert!(last_rows < first, "{last_rows:?} {first:?}");
    // From every checkpoint, as if the tables were small now.
    settings.indexes_after = u64::MAX;
    for (at, transaction) in all.iter().enumerate() {
        let Some(checkpoint) = &transaction.checkpoint else {
            continue;
        };
        // Before the first definition nothing is decided.
        let decided = String::from_utf8_lossy(&checkpoint.data).contains("\"aside\"");
        if !decided && at < first.expect("indexes") {
            continue;
        }
        let rest = block_on(transactions(&source, &settings, Some(checkpoint)));
        let rest: Vec<String> = rest
            .expect("the rest")
            .iter()
            .flat_map(|t| seen(t).0)
            .collect();
        let before = all[..=at].iter().map(|t| seen(t).0.len()).sum::<usize>();
        assert_eq!(rest, expected[before..], "from {at}");
    }
    let mut decided = all.iter().filter_map(|t| t.checkpoint.as_ref());
    let last = decided.next_back().expect("a checkpoint");
    assert!(!String::from_utf8_lossy(&last.data).contains("aside"));
}

/// The stream changes rows while indexes are missing and while they are made; the target is stopped and killed in between.
#[test]
fn tables_without_their_indexes_are_kept_in_step() {
    let [source, target] = loading_pair();
    run(&source, INDEXED);
    let mut settings = settings("without");
    settings.indexes_after = 0;
    settings.chunk_rows = 100;
    let changes = "USE i; UPDATE a SET n = n + 1, t = CONCAT('x', t), u = u + 1000 WHERE id % 3 = 0; DELETE FROM a WHERE id % 11 = 0; \
        INSERT INTO a (n, t, d) SELECT n, t, d FROM a WHERE id < 20; DELETE FROM c WHERE y = 1; UPDATE b SET x = x + 1";
    let mut steps = 0;
    loop {
        let done = block_on(async {
            let opened = Engine::<_, RandomState>::open(
                native::session(&target),
                &settings.stream,
                &Beginning::default(),
            )
            .await?;
            let (mut engine, resume) = (opened.engine, opened.checkpoint);
            let mut reader = native::open_reader(&source, &settings, resume.as_ref()).await?;
            let mut altered = false;
            while !reader.progress().reached_head {
                let batch = reader.next_batch(1 << 10, |_| {}).await?;
                engine.add_tables(batch.tables);
                for transaction in batch.transactions {
                    altered |= !seen(&transaction).0.is_empty();
                    engine.apply(transaction, &batch.rows).await?;
                    if engine.can_commit() {
                        engine.commit().await?;
                    }
                    // Everything is thrown away behind each of these statements, and the source changes.
                    if altered {
                        return Ok::<_, Error>(false);
                    }
                }
            }
            Ok(true)
        })
        .expect("a step");
        if done {
            break;
        }
        steps += 1;
        assert!(steps < 20, "it goes on");
        run(&source, changes);
        let missing = "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'i' AND INDEX_NAME = 'by_y'";
        assert_eq!(cell(&target, missing), if steps < 5 { "0" } else { "1" });
    }
    assert_eq!(steps, 5);
    native::replicate(&source, &target, &settings).expect("the stream");
    compare::assert_equal(&source, &target, &["i"]);
    for table in ["a", "b", "c", "plain"] {
        let show = format!("SHOW CREATE TABLE i.{table}");
        let [one, other] = [&source, &target].map(|server| {
            let text = server.query(&show).expect("a definition")[0][1].clone();
            // The next value is set by the cutover.
            text.unwrap_or_default().replace("AUTO_INCREMENT=", "")
        });
        let plain = |text: String| {
            text.split(' ')
                .filter(|w| w.parse::<u32>().is_err())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(plain(one), plain(other));
    }
}

/// A large table, both ways: for the figures in docs/performance.md.
#[test]
fn a_large_table_gets_its_indexes_faster_behind_its_rows() {
    if !long() {
        return;
    }
    let source = server();
    run(
        &source,
        "CREATE DATABASE large; CREATE TABLE large.digit (d INT PRIMARY KEY); INSERT INTO large.digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9); \
         CREATE TABLE large.t (id INT AUTO_INCREMENT PRIMARY KEY, k INT, c CHAR(60), v VARCHAR(40), KEY (k), KEY (v)); \
         INSERT INTO large.t (k, c, v) SELECT RAND() * 1000000, UUID(), LEFT(SHA2(RAND(), 224), 40) FROM large.digit a, large.digit b, large.digit c, large.digit d, large.digit e, large.digit f WHERE f.d < 5",
    );
    let took = [u64::MAX, 1 << 20].map(|indexes_after| {
        let target = Server::builder(Flavor::Mysql97)
            .relaxed()
            .option("local_infile=ON")
            .start()
            .expect("a server");
        let mut settings = settings(&format!("large{}", indexes_after == u64::MAX));
        settings.server_id += u32::from(indexes_after == u64::MAX);
        settings.indexes_after = indexes_after;
        let began = Instant::now();
        native::replicate(&source, &target, &settings).expect("a copy");
        let took = began.elapsed();
        compare::assert_equal(&source, &target, &["large"]);
        took
    });
    println!("500,000 rows with two indexes: {took:?}");
}

/// A branch that is prepared when the copy begins is refused before anything is written.
#[test]
fn prepared_branches_are_refused_by_name() {
    let source = server();
    let target = server();
    run(
        &source,
        "CREATE DATABASE x; CREATE TABLE x.t (id INT PRIMARY KEY); INSERT INTO x.t VALUES (1)",
    );
    run(
        &source,
        "XA START 'g', 'b', 3; INSERT INTO x.t VALUES (2); XA END 'g', 'b', 3; XA PREPARE 'g', 'b', 3",
    );
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(
        folder.path(),
        "xa",
        &source,
        &target,
        "[start]\nmode = \"snapshot\"\n",
    );
    let config = config.expect("a configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("it ends");
    failed(&exit, "snapshot.xa", 3);
    assert!(exit.stderr.contains("X'67',X'62',3"), "{exit}");
    // Nothing was written, so the beginning is the one behind its end.
    run(&source, "XA COMMIT 'g', 'b', 3");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    compare::assert_equal(&source, &target, &["x"]);
}

/// Definitions are read beside the stream, not while the reader is opened, which has a minute.
#[test]
fn many_definitions_are_read_beside_the_stream() {
    let count = if long() { 6000 } else { 150 };
    let source = server();
    let target = server();
    run(&source, "CREATE DATABASE many");
    for from in (0..count).step_by(50) {
        let make = |n: u32| {
            format!(
                "CREATE TABLE many.t{n} (id INT PRIMARY KEY, a INT, b TEXT, KEY (a)); CREATE VIEW many.v{n} AS SELECT a, b FROM many.t{n}; INSERT INTO many.t{n} VALUES ({n}, 1, 'x')"
            )
        };
        let sql: Vec<String> = (from..from + 50).map(make).collect();
        run(&source, &sql.join("; "));
    }
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(
        folder.path(),
        "many",
        &source,
        &target,
        "[start]\nmode = \"snapshot\"\n",
    );
    let limit = if long() { LIMIT * 20 } else { LIMIT };
    let exit = Host::run(
        &config.expect("a configuration"),
        &["--until-caught-up"],
        limit,
    );
    let exit = exit.expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    let all = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'many'";
    assert_eq!(cell(&target, all), (2 * count).to_string());
    assert_eq!(cell(&target, "SELECT b FROM many.v7"), "x");
}
