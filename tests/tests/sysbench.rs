//! Load and kills: the host, the source and the target are killed (SIGKILL) while transactions are written; no row may be lost or doubled.
//!
//! The ordinary run is short. `DATAIN_LONG=1` makes it the acceptance: sysbench for 60 s, the host killed five times.
//! The moments are random; `DATAIN_SEED=N` repeats those of a run that failed.

// The ban is on std's clocks, which trap inside a plugin. This is native code.
#![allow(clippy::disallowed_methods)]

use std::env;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_throwaway_servers::sysbench::{Load, SCHEMA, Sysbench};
use datain_throwaway_servers::{Client, Flavor, Lines, Server};
use serde_json::Value;

/// From the source's first transaction on.
const FROM_THE_START: &str = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";
/// How long catching up may take: the host under test is not optimised, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn sysbench_arrives_whole_though_the_host_is_killed() {
    let (seconds, kills): (u32, u32) = if long() { (60, 5) } else { (8, 1) };
    let mut moments = Moments::new();
    let (source, target) = (server(), server());
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(&folder, "sysbench", &source, &target, FROM_THE_START)
        .expect("a configuration");
    let tables = Sysbench::fetch(&Lines)
        .and_then(|sysbench| sysbench.prepare(&source, 4, 10_000))
        .expect("sysbench's tables");

    // Each moment lies in a part of its own, so that every new host gets something done.
    let part = f64::from(seconds) / f64::from(kills);
    let at: Vec<f64> = (0..kills)
        .map(|n| part * (f64::from(n) + 0.1 + 0.8 * moments.next()))
        .collect();
    let mut seen = Figures::default();
    let began = Instant::now();
    let load = tables.run(&source, seconds, 8).expect("the load starts");
    let mut host = start(&config);
    for moment in at {
        thread::sleep(Duration::from_secs_f64(moment).saturating_sub(began.elapsed()));
        assert!(running(&mut host), "it ended by itself:\n{}", host.stderr());
        host.kill();
        seen.add(&Figures::of(&host));
        println!("killed the host after {moment:.3} s; {seen}");
        host = start(&config);
    }
    let load = load.finish().expect("the load");
    println!("on the source: {load}");
    let ended = Instant::now();
    assert!(running(&mut host), "it ended by itself:\n{}", host.stderr());
    host.interrupt();
    let exit = host.wait(PATIENCE).expect("an interrupted host ends");
    assert_eq!(exit.code, 130, "{exit}");
    seen.add(&Figures::parse(&exit.stdout));
    let before = seen;
    seen.add(&caught_up(&config));
    println!(
        "caught up {:.1} s after the load's end, {:.1} s after its begin: {seen}, {} of them after the load",
        ended.elapsed().as_secs_f64(),
        began.elapsed().as_secs_f64(),
        seen.rows - before.rows,
    );
    prove_whole(&source, &target, &config);

    // The same load without a host leaves a backlog: now the target's side is as busy as it can be when the host is killed.
    let load = tables.run(&source, seconds / 2, 8).and_then(Load::finish);
    println!("without a host, on the source: {}", load.expect("the load"));
    let before = applied(&config);
    for _ in 0..kills {
        let mut host = start(&config);
        let moment = 0.3 + moments.next();
        thread::sleep(Duration::from_secs_f64(moment));
        assert!(running(&mut host), "it ended by itself:\n{}", host.stderr());
        host.kill();
        let applied = applied(&config) - before;
        println!(
            "killed a host {moment:.3} s old; {applied} transactions of the backlog are applied"
        );
    }
    println!("caught up: {}", caught_up(&config));
    prove_whole(&source, &target, &config);
}

/// The data are equal, and the checkpoint covers every transaction of the source.
fn prove_whole(source: &Server, target: &Server, config: &Path) {
    // Each of sysbench's transactions deletes a row and inserts one.
    assert_eq!(prove(source, target, SCHEMA), 4 * 10_000);
    assert_eq!(applied(config), logged(source));
}

#[test]
fn a_killed_source_comes_back_and_the_host_goes_on() {
    survives(Victim::Source);
}

#[test]
fn a_killed_target_comes_back_and_the_host_goes_on() {
    survives(Victim::Target);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Victim {
    Source,
    Target,
}

/// Kills one of the servers under load, more than once; the same host goes on by itself, and ends with equal data.
fn survives(victim: Victim) {
    let kills: u32 = if long() { 5 } else { 2 };
    let mut moments = Moments::new();
    let (mut source, mut target) = (server(), server());
    let folder = TempDir::new().expect("a folder");
    let config =
        Host::config(&folder, "kills", &source, &target, FROM_THE_START).expect("a configuration");
    source
        .sql(
            "CREATE DATABASE kills; USE kills;
             CREATE TABLE entry (id BIGINT AUTO_INCREMENT PRIMARY KEY, writer INT NOT NULL, n INT NOT NULL,
                                 text VARCHAR(50) NOT NULL, UNIQUE KEY (writer, n));
             CREATE TABLE counter (writer INT PRIMARY KEY, n INT NOT NULL);
             INSERT INTO counter VALUES (1, 0), (2, 0), (3, 0)",
        )
        .expect("tables");
    let mut host = start(&config);
    let began = Instant::now();
    let stop = AtomicBool::new(false);
    let written: u32 = thread::scope(|scope| {
        let writers = [1, 2, 3].map(|writer| {
            let (client, stop) = (source.client(), &stop);
            scope.spawn(move || write(client, writer, stop))
        });
        // A scope waits for its threads, also when something below panics.
        let writing = StopOnDrop(&stop);
        for _ in 0..kills {
            thread::sleep(Duration::from_secs_f64(1.5 + 2.0 * moments.next()));
            let server = match victim {
                Victim::Source => &mut source,
                Victim::Target => &mut target,
            };
            let killed = Instant::now();
            server.kill();
            thread::sleep(Duration::from_secs_f64(moments.next()));
            server.restart().expect("the killed server comes back");
            println!(
                "killed the {victim:?} after {:.3} s, back {:.3} s later",
                (killed - began).as_secs_f64(),
                killed.elapsed().as_secs_f64()
            );
        }
        thread::sleep(Duration::from_secs(1));
        drop(writing);
        writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer"))
            .sum()
    });
    println!(
        "{written} transactions on the source in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let ended = Instant::now();
    while !compare::tables(&source, &target, &["kills"])
        .is_ok_and(|tables| !tables.is_empty() && tables.iter().all(compare::Table::is_equal))
    {
        assert!(running(&mut host), "it ended by itself:\n{}", host.stderr());
        assert!(
            ended.elapsed() < PATIENCE,
            "it does not catch up; {}:\n{}",
            Figures::of(&host),
            host.stderr()
        );
        thread::sleep(Duration::from_millis(100));
    }
    let equal = ended.elapsed();
    host.interrupt();
    let exit = host.wait(PATIENCE).expect("an interrupted host ends");
    assert_eq!(exit.code, 130, "{exit}");
    let figures = Figures::parse(&exit.stdout);
    println!(
        "equal {:.1} s after the last transaction; {figures}",
        equal.as_secs_f64()
    );
    assert!(
        figures.restarts >= u64::from(kills),
        "one restart for each kill at least; {exit}"
    );
    caught_up(&config);
    let rows = prove(&source, &target, "kills");
    // A writer whose server dies cannot know whether its last transaction was committed.
    assert!(
        rows > u64::from(written),
        "{rows} rows after {written} transactions"
    );
    let whole = "SELECT COUNT(*) FROM kills.counter c WHERE n <> (SELECT COUNT(*) FROM kills.entry e WHERE e.writer = c.writer)";
    assert_eq!(
        target.query(whole).expect("the target answers")[0][0].as_deref(),
        Some("0"),
        "half a transaction"
    );
}

/// Small transactions until it is told to stop: two rows go in, the writer's counter is raised by one, one of the two goes out again.
/// Returns how many were surely committed.
fn write(mut client: Client, writer: u32, stop: &AtomicBool) -> u32 {
    let mut committed = 0;
    while !stop.load(Ordering::Relaxed) {
        let transaction = format!(
            "BEGIN; UPDATE kills.counter SET n = n + 1 WHERE writer = {writer};
             SELECT n INTO @n FROM kills.counter WHERE writer = {writer};
             INSERT INTO kills.entry (writer, n, text) VALUES ({writer}, @n, UUID()), ({writer}, -@n, 'short-lived');
             DELETE FROM kills.entry WHERE writer = {writer} AND n = -@n; COMMIT"
        );
        match client.execute(&transaction) {
            Ok(_) => committed += 1,
            // The server is down.
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
    committed
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A server as people run it: every commit durable.
fn server() -> Server {
    Server::builder(Flavor::Mysql97).start().expect("a server")
}

fn long() -> bool {
    env::var_os("DATAIN_LONG").is_some_and(|value| !value.is_empty() && value != "0")
}

fn start(config: &Path) -> Host {
    Host::start(config, &["--progress", "json"]).expect("the host starts")
}

fn running(host: &mut Host) -> bool {
    host.is_running().expect("the system answers")
}

/// Lets a new host catch up, and returns its figures.
fn caught_up(config: &Path) -> Figures {
    let exit = Host::run(
        config,
        &["--until-caught-up", "--progress", "json"],
        PATIENCE,
    )
    .expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    Figures::parse(&exit.stdout)
}

/// How many transactions of the source the target's checkpoint covers.
fn applied(config: &Path) -> u64 {
    let config = config.to_str().expect("a path of ours");
    let exit = Host::command(&["status", "-c", config, "--format", "json"], PATIENCE);
    let exit = exit.expect("an answer");
    assert_eq!(exit.code, 0, "{exit}");
    let status: Value = serde_json::from_str(&exit.stdout).expect("JSON");
    let set = &status["checkpoint"]["gtid_set"];
    length(set.as_str().expect("a checkpoint"))
}

/// How many transactions the source has in its log.
fn logged(source: &Server) -> u64 {
    let set = source
        .query("SELECT @@gtid_executed")
        .expect("the source answers");
    length(set[0][0].as_deref().unwrap_or_default())
}

/// How many transactions a text's GTID set has: one interval of one server.
fn length(set: &str) -> u64 {
    let (_, interval) = set.rsplit_once(":1-").expect("one interval");
    interval.parse().expect("the interval's end")
}

/// Panics unless both servers hold the same; returns the number of rows, none of whose tables is empty.
fn prove(source: &Server, target: &Server, schema: &str) -> u64 {
    compare::assert_equal(source, target, &[schema]);
    let tables = compare::tables(source, target, &[schema]).expect("both servers answer");
    let rows = tables.iter().map(|table| {
        let rows = table.left.as_ref().map_or(0, |summary| summary.rows);
        assert!(rows > 0, "{} is empty", table.name);
        println!("{}: {rows} rows, equal", table.name);
        rows
    });
    rows.sum()
}

/// What hosts said of themselves, once a second: a killed one took up to a second's figures with it.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    transactions: u64,
    rows: u64,
    groups: u64,
    restarts: u64,
    seconds: f64,
}

impl Figures {
    fn of(host: &Host) -> Self {
        Self::parse(&host.stdout())
    }

    fn parse(progress: &str) -> Self {
        // A killed host's last line may be cut off.
        let last = progress
            .lines()
            .rev()
            .find_map(|line| serde_json::from_str::<Value>(line).ok())
            .unwrap_or_default();
        let number = |key: &str| last[key].as_u64().unwrap_or_default();
        Self {
            transactions: number("transactions_applied"),
            rows: number("rows_applied"),
            groups: number("groups_committed"),
            restarts: number("restarts"),
            seconds: last["uptime_seconds"].as_f64().unwrap_or_default(),
        }
    }

    fn add(&mut self, more: &Self) {
        self.transactions += more.transactions;
        self.rows += more.rows;
        self.groups += more.groups;
        self.restarts += more.restarts;
        self.seconds += more.seconds;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            transactions,
            rows,
            groups,
            restarts,
            seconds,
        } = self;
        #[expect(
            clippy::cast_precision_loss,
            reason = "for people; the rows of a test fit"
        )]
        let rate = if *seconds > 0.0 {
            *rows as f64 / seconds
        } else {
            0.0
        };
        write!(
            f,
            "{transactions} transactions, {rows} rows in {groups} groups applied in {seconds:.1} s, {rate:.0} rows/s, {restarts} restarts"
        )
    }
}

/// Random numbers from 0 to 1, of a seed that is printed (splitmix64).
struct Moments(u64);

impl Moments {
    fn new() -> Self {
        let clock = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |time| u64::from(time.subsec_nanos()));
        let seed = env::var("DATAIN_SEED")
            .ok()
            .map_or(clock, |seed| seed.parse().expect("DATAIN_SEED is a number"));
        println!("DATAIN_SEED={seed}");
        Self(seed)
    }

    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((z ^ (z >> 31)) >> 32).expect("32 bits are left");
        f64::from(bits) / f64::from(u32::MAX)
    }
}
