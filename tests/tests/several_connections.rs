//! Groups that are written at the same time: only where they touch different rows, committed in the source's order, and without waiting for each other for ever.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::RandomState;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::{Collector, Done, Engine, More};
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::Error;
use datain_mysql_client::Session;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::native::{self, Fragile};
use datain_tests::rough::settings;
use datain_tests::servers::loading_pair;
use datain_throwaway_servers::Server;

const LIMIT: Duration = Duration::from_secs(60);

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

/// The program between two servers, over two connections.
struct Pipeline {
    source: Server,
    target: Server,
    config: PathBuf,
    _folder: TempDir,
}

impl Pipeline {
    /// With the tables on both sides, and a host that runs.
    fn start() -> (Self, Host) {
        let [source, target] = loading_pair();
        source.sql(TABLES).expect("tables");
        let folder = TempDir::new().expect("a folder");
        let more = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n[apply]\nconnections = 2\n";
        let config = Host::config(folder.path(), "order", &source, &target, more);
        let pipeline = Self {
            source,
            target,
            config: config.expect("a configuration"),
            _folder: folder,
        };
        let host = Host::start(&pipeline.config, &[]).expect("a host");
        pipeline.source(WARM);
        until("both tables are there", || {
            let sum = "SELECT SUM(v) FROM d.b";
            pipeline.target.query(sum).is_ok() && number(&pipeline.target, sum) == 10
        });
        (pipeline, host)
    }

    fn source(&self, sql: &str) {
        self.source.sql(sql).expect("a change");
    }

    /// Another client of the target, which has changed this.
    fn holder(&self, sql: &str) -> Holder {
        let mut holder = Holder(native::session(&self.target));
        holder.tell("START TRANSACTION");
        holder.tell(sql);
        holder
    }

    /// Changes a row on the source, and waits until the target's row is waited for.
    fn waits(&self, sql: &str, statement: &str) {
        self.source(sql);
        let waiting = format!(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE '%{statement}%' AND ID <> CONNECTION_ID()"
        );
        until("the group waits", || number(&self.target, &waiting) > 0);
    }

    fn ends_equal(&self, mut host: Host) -> Exit {
        let executed = "SELECT SUM(v) + COUNT(*) FROM (SELECT * FROM d.a UNION ALL SELECT * FROM d.b) AS both_tables";
        let all = number(&self.source, executed);
        until("all of it arrives", || {
            number(&self.target, executed) == all
        });
        host.terminate();
        let exit = host.wait(LIMIT).expect("it ends");
        assert_eq!(exit.code, 130, "{exit}");
        assert!(!exit.stderr.contains("lock-wait-timeout"), "{exit}");
        exit
    }
}

struct Holder(Session<Fragile>);

impl Holder {
    fn tell(&mut self, sql: &str) {
        block_on(self.0.exec(sql.as_bytes())).expect("an answer");
    }
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
        let alter = scope.spawn(move || target.sql("ALTER TABLE d.a ADD INDEX by_hand (v)"));
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

fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
