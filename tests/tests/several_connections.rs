//! Groups that are written at the same time: only where they touch different rows, committed in the source's order, and without waiting for each other for ever.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::RandomState;
use std::rc::Rc;
use std::time::{Duration, Instant};

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::{Collector, Done, Engine, More};
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::Error;
use datain_mysql_client::Session;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{self, Fragile};
use datain_tests::rough::settings;
use datain_throwaway_servers::{Flavor, Server};

const LIMIT: Duration = Duration::from_secs(60);

fn pair() -> [Server; 2] {
    [(); 2].map(|()| {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    })
}

fn number(server: &Server, sql: &str) -> u64 {
    let rows = server.query(sql).expect("an answer");
    let cell = rows[0][0].as_deref().unwrap_or("0");
    cell.parse().expect("a number")
}

/// How many transactions have changed rows. InnoDB answers what it answered before for as long as it is asked more often than every 100 ms.
fn open_transactions(server: &Server) -> u64 {
    std::thread::sleep(Duration::from_millis(150));
    number(
        server,
        "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 1",
    )
}

/// Makes both tables known.
const WARM: &str = "UPDATE d.a SET v = v + 1; UPDATE d.b SET v = v + 1";

/// Writes two transactions, each a group, over two connections that give no answer until both had their time; returns how many of them were seen open at the same time.
fn at_the_same_time(
    [source, target]: &[Server; 2],
    settings: &Settings,
    one: &str,
    other: &str,
) -> u64 {
    source.sql(WARM).expect("changes");
    source.sql(one).expect("changes");
    source.sql(other).expect("changes");
    let (mut most, mut looks) = (0, 0);
    let held = Rc::new(Cell::new(false));
    let written = block_on(async {
        let first = native::session(target);
        let opened =
            Engine::<_, RandomState>::open(first, &settings.stream, &Beginning::default()).await?;
        let (mut engine, resume) = (opened.engine, opened.checkpoint);
        for _ in 0..2 {
            let mut further = native::session(target);
            further.stream_mut().hold(Rc::clone(&held));
            engine.add_connection(further).await?;
        }
        let session = native::session(source);
        let mut reader = Reader::open(session, settings, resume.as_ref(), false).await?;
        let mut transactions = VecDeque::new();
        while !reader.progress().reached_head {
            let batch = reader.next_batch(1 << 20, |_| {}).await?;
            engine.add_tables(batch.tables);
            transactions.extend(
                batch
                    .transactions
                    .into_iter()
                    .map(|t| (t, batch.rows.clone())),
            );
        }
        let last = transactions.pop_back().expect("the other");
        for (transaction, rows) in transactions {
            if engine.can_commit() {
                engine.commit().await?;
            }
            engine.apply(transaction, &rows).await?;
        }
        let mut last = Some(last);
        let mut more = |next: &mut Collector<RandomState>| -> Result<More, Error> {
            if let Some((transaction, rows)) = last.take() {
                assert!(next.collect(&transaction, &rows, &mut Done::default())?);
                return Ok(More::Added);
            }
            if next.can_commit() {
                return Ok(More::Full);
            }
            most = most.max(open_transactions(target));
            looks += 1;
            held.set(looks < 3);
            Ok(More::Nothing)
        };
        held.set(true);
        engine.commit_while(&mut more).await?;
        while engine.is_flying() {
            engine.go_on_while(&mut more).await?;
        }
        Ok::<_, Error>(engine.rewritten())
    });
    assert_eq!(written.expect("replication"), 0, "nothing waits for locks");
    compare::assert_equal(source, target, &["d"]);
    most
}

const TABLES: &str = "CREATE DATABASE d; CREATE TABLE d.a (id INT PRIMARY KEY, v INT); CREATE TABLE d.b LIKE d.a; CREATE TABLE d.digit (n INT PRIMARY KEY); \
    INSERT INTO d.digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9); INSERT INTO d.a SELECT n, 0 FROM d.digit; INSERT INTO d.b SELECT n, 0 FROM d.digit";

#[test]
fn only_groups_that_touch_different_rows_are_written_at_the_same_time() {
    let servers = pair();
    let mut settings = settings("same");
    // Each transaction may be a group.
    settings.one_by_one = true;
    servers[0].sql(TABLES).expect("tables");
    native::replicate(&servers[0], &servers[1], &settings).expect("replication");
    let seen = |other| {
        let one = "UPDATE d.a SET v = v + 1 WHERE id < 5";
        at_the_same_time(&servers, &settings, one, other)
    };
    assert_eq!(seen("UPDATE d.b SET v = v + 1 WHERE id < 5"), 2, "tables");
    assert_eq!(seen("UPDATE d.a SET v = v + 1 WHERE id >= 5"), 2, "rows");
    assert_eq!(seen("UPDATE d.a SET v = v + 1 WHERE id > 3"), 1, "both");
}

/// The older group waits for a client of the target, and the younger one, which could be committed, for the older one. Neither is seen before its turn.
#[test]
fn a_younger_group_is_not_seen_before_an_older_one_that_is_locked() {
    let [source, target] = pair();
    source.sql(TABLES).expect("tables");
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(
        folder.path(),
        "order",
        &source,
        &target,
        "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n[apply]\nconnections = 2\n",
    )
    .expect("a configuration");
    let mut host = Host::start(&config, &[]).expect("a host");
    source.sql(WARM).expect("changes");
    until("both tables are there", || {
        target.sql("SELECT * FROM d.b").is_ok() && number(&target, "SELECT SUM(v) FROM d.b") == 10
    });
    let mut holder = native::session(&target);
    let tell = |holder: &mut Session<Fragile>, sql: &str| {
        block_on(holder.exec(sql.as_bytes())).expect("an answer");
    };
    tell(&mut holder, "START TRANSACTION");
    tell(&mut holder, "UPDATE d.a SET v = v WHERE id = 1");
    source
        .sql("UPDATE d.a SET v = 7 WHERE id = 1")
        .expect("a change");
    // It is on its way before the next one is there.
    until("the older group waits", || {
        let waiting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE %`d`.`a`%' OR INFO LIKE 'UPDATE (VALUES%'";
        number(&target, waiting) == 1
    });
    source
        .sql("UPDATE d.b SET v = 7 WHERE id = 1")
        .expect("a change");
    let seen = "SELECT (SELECT v FROM d.a WHERE id = 1) * 10 + (SELECT v FROM d.b WHERE id = 1)";
    // Longer than a group waits for locks before it asks others to give theirs back.
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        assert_eq!(number(&target, seen), 11, "nothing is seen of either");
        std::thread::sleep(Duration::from_millis(20));
    }
    tell(&mut holder, "ROLLBACK");
    until("both are there", || number(&target, seen) == 77);
    host.terminate();
    let exit = host.wait(LIMIT).expect("it ends");
    assert_eq!(exit.code, 130, "{exit}");
    assert!(
        exit.stderr.contains("were written again by themselves"),
        "{exit}"
    );
    assert!(!exit.stderr.contains("server.lock-wait-timeout"), "{exit}");
    compare::assert_equal(&source, &target, &["d"]);
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
