//! Groups that are written at the same time: only where they touch different rows, committed in the source's order, and without waiting for each other for ever.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod ahead_by_hand;
mod any_order;
mod lab;
mod race;

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::RandomState;
use std::rc::Rc;
use std::time::{Duration, Instant};

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::{Collector, Done, Engine, More};
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::Error;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::Host;
use datain_tests::native;
use datain_tests::rough::settings;
use datain_tests::servers::loading_pair;
use datain_throwaway_servers::Server;
use lab::{LIMIT, Pipeline, TABLES, WARM, number, until};

/// How many transactions have changed rows. InnoDB answers what it answered before for as long as it is asked more often than every 100 ms.
fn open_transactions(server: &Server) -> u64 {
    std::thread::sleep(Duration::from_millis(150));
    number(
        server,
        "SELECT COUNT(*) FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 1",
    )
}

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

#[test]
fn only_groups_that_touch_different_rows_are_written_at_the_same_time() {
    let servers = loading_pair();
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

/// What the host says of groups that have yielded.
const AGAIN: &str = "were written again by themselves";

/// The older group waits for a client of the target, and the younger one, which could be committed, for the older one. Neither is seen before its turn.
#[test]
fn a_younger_group_is_not_seen_before_an_older_one_that_is_locked() {
    let (pipeline, host) = Pipeline::start();
    let mut holder = pipeline.holder("UPDATE d.a SET v = v WHERE id = 1");
    pipeline.waits("UPDATE d.a SET v = 7 WHERE id = 1", "UPDATE %`d`.`a`");
    pipeline.source("UPDATE d.b SET v = 7 WHERE id = 1");
    let seen = "SELECT (SELECT v FROM d.a WHERE id = 1) * 10 + (SELECT v FROM d.b WHERE id = 1)";
    // Longer than a group waits for locks before it asks others to give theirs back.
    let end = Instant::now() + Duration::from_secs(3);
    while Instant::now() < end {
        assert_eq!(number(&pipeline.target, seen), 11, "nothing is seen");
        std::thread::sleep(Duration::from_millis(20));
    }
    holder.tell("ROLLBACK");
    let exit = pipeline.ends_equal(host);
    assert!(exit.stderr.contains(AGAIN), "{exit}");
    compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
}

/// A load that has waited in vain is taken back, with what its session was told; the connection then writes other groups.
#[test]
fn a_load_that_is_locked_is_taken_back() {
    let (pipeline, host) = Pipeline::start();
    let mut holder = pipeline.holder("INSERT INTO d.a VALUES (700, 0)");
    let rows = "INSERT INTO d.a SELECT 100 * x.n + 10 * y.n + z.n + 100, 1 FROM d.digit x, d.digit y, d.digit z";
    pipeline.waits(rows, "LOAD DATA");
    pipeline.source("UPDATE d.b SET v = 7 WHERE id = 1");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(number(&pipeline.target, "SELECT COUNT(*) FROM d.a"), 10);
    holder.tell("ROLLBACK");
    until("the rows are there", || {
        number(&pipeline.target, "SELECT COUNT(*) FROM d.a") == 1010
    });
    for n in 0..8 {
        pipeline.source(&format!("UPDATE d.a SET v = v + {n} WHERE id < 900; DELETE FROM d.b WHERE id = {n}; SET foreign_key_checks = 0; INSERT INTO d.b VALUES ({n}, {n})"));
    }
    let exit = pipeline.ends_equal(host);
    assert!(exit.stderr.contains(AGAIN), "{exit}");
    compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
}

/// A client's ALTER TABLE waits for the younger group, and the older one for the ALTER TABLE: of such a circle the server knows nothing.
#[test]
fn an_alter_table_between_two_groups_holds_up_neither() {
    let (pipeline, host) = Pipeline::start();
    let mut holder = pipeline.holder("UPDATE d.b SET v = v WHERE id = 1");
    pipeline.waits(
        "BEGIN; UPDATE d.b SET v = 5 WHERE id = 1; UPDATE d.a SET v = 5 WHERE id = 9; COMMIT",
        "UPDATE %`d`.`b`",
    );
    pipeline.source("UPDATE d.a SET v = 6 WHERE id = 1");
    std::thread::scope(|scope| {
        let target = &pipeline.target;
        std::thread::sleep(Duration::from_millis(150));
        let alter = scope.spawn(move || {
            // Lest it waits for ever when the test fails.
            target.sql("SET SESSION lock_wait_timeout = 60; ALTER TABLE d.a ADD INDEX by_hand (v)")
        });
        std::thread::sleep(Duration::from_millis(200));
        holder.tell("ROLLBACK");
        pipeline.ends_equal(host);
        alter.join().expect("a thread").expect("the index is made");
    });
    pipeline
        .target
        .sql("ALTER TABLE d.a DROP INDEX by_hand")
        .expect("no index");
    compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
}

/// What an older group has done is committed, and the error names the transaction that is to blame.
#[test]
fn a_younger_group_that_fails_takes_nothing_of_an_older_one() {
    let (pipeline, mut host) = Pipeline::start();
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
    pipeline
        .target
        .sql("DELETE FROM d.b WHERE id = 3")
        .expect("a difference");
    pipeline.source("UPDATE d.a SET v = 5 WHERE id < 5");
    pipeline.source("UPDATE d.b SET v = 5 WHERE id = 3");
    let rows = pipeline
        .source
        .query("SELECT @@gtid_executed")
        .expect("a set");
    let executed = rows[0][0].clone().unwrap_or_default();
    let newest = executed.rsplit(['-', ':']).next().unwrap_or_default();
    pipeline.source("UPDATE d.a SET v = 6 WHERE id > 5");
    let exit = Host::run(&pipeline.config, &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[row.missing]"), "{exit}");
    assert!(exit.stderr.contains(&format!(":{newest}\n")), "{exit}");
    let done = "SELECT SUM(v = 5) * 10 + SUM(v = 6) FROM d.a";
    assert_eq!(number(&pipeline.target, done), 50, "up to the error");
}

/// A client of the target that has locked what a group needs, and then waits for what the group has locked: the server takes the group's changes back.
#[test]
fn a_group_that_is_the_victim_of_a_deadlock_is_written_again() {
    let (pipeline, host) = Pipeline::start();
    let mut holder = pipeline.holder("UPDATE d.b SET v = v + 100 WHERE id < 9");
    pipeline.waits(
        "BEGIN; UPDATE d.a SET v = 5 WHERE id = 1; UPDATE d.b SET v = 5 WHERE id = 1; COMMIT",
        "UPDATE %`d`.`b`",
    );
    holder.tell("UPDATE d.a SET v = v WHERE id = 1");
    let met = "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'";
    until("a deadlock", || number(&pipeline.target, met) > 0);
    holder.tell("ROLLBACK");
    pipeline.source("UPDATE d.b SET v = 7 WHERE id = 2");
    let exit = pipeline.ends_equal(host);
    assert!(exit.stderr.contains(AGAIN), "{exit}");
    compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
}

/// A connection is lost while its group waits for its turn: nothing of it is there, and all begins again from the checkpoint.
#[test]
fn a_connection_that_is_lost_while_it_waits_for_its_turn_loses_nothing() {
    let (pipeline, host) = Pipeline::start();
    let mut holder = pipeline.holder("UPDATE d.a SET v = v WHERE id = 1");
    pipeline.waits("UPDATE d.a SET v = 7 WHERE id = 1", "UPDATE %`d`.`a`");
    pipeline.source("UPDATE d.b SET v = 7 WHERE id = 1");
    let waits = "SELECT COALESCE(MAX(trx_mysql_thread_id), 0) FROM information_schema.INNODB_TRX JOIN information_schema.PROCESSLIST ON ID = trx_mysql_thread_id \
        WHERE COMMAND = 'Sleep' AND trx_rows_modified = 1";
    let mut id = 0;
    until("the younger group is written", || {
        std::thread::sleep(Duration::from_millis(150));
        id = number(&pipeline.target, waits);
        id > 0
    });
    pipeline.target.sql(&format!("KILL {id}")).expect("killed");
    std::thread::sleep(Duration::from_millis(300));
    let done = "SELECT v FROM d.b WHERE id = 1";
    assert_eq!(number(&pipeline.target, done), 1, "not before its turn");
    holder.tell("ROLLBACK");
    pipeline.ends_equal(host);
    compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
}
