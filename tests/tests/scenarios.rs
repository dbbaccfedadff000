//! Every file in `tests/scenarios/`, in each of the ways in which a stream can be logged and interrupted. Each way has one pair of servers, on which all
//! scenarios follow each other in one stream.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{CUT, fragile, replicate, replicate_into, settings};
use datain_tests::pipeline_run::{LIMIT, config, through, value, wait_for};
use datain_tests::proxy::{Proxy, event_type};
use datain_tests::scenarios::{self, Scenario};
use datain_throwaway_servers::{Flavor, Server};

/// The source and the target, with these options.
fn pair(of_source: &[&str], of_target: &[&str]) -> (Server, Server) {
    let start = |options: &[&str]| {
        let mut builder = Server::builder(Flavor::Mysql97).relaxed();
        for option in options {
            builder = builder.option(*option);
        }
        builder.start().expect("a server")
    };
    (start(of_source), start(of_target))
}

/// All scenarios; those whose names contain `DATAIN_SCENARIO`, if that is set.
fn chosen() -> Vec<Scenario> {
    let part = std::env::var("DATAIN_SCENARIO").unwrap_or_default();
    let list = scenarios::between(Flavor::Mysql97, Flavor::Mysql97);
    let mut list = list.expect("the scenarios");
    list.retain(|scenario| scenario.name.contains(&part));
    assert!(!list.is_empty(), "no scenario is called {part}");
    list
}

fn run_on(source: &Server, scenario: &Scenario) {
    if let Err(error) = source.sql(&scenario.sql) {
        panic!("{} does not run on the source: {error}", scenario.name);
    }
}

fn arrive(of_source: &[&str], of_target: &[&str]) {
    let (source, target) = pair(of_source, of_target);
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    for scenario in chosen() {
        let started = Instant::now();
        run_on(&source, &scenario);
        let ran = started.elapsed();
        if let Err(error) = replicate(&source, &target, &settings) {
            panic!("{}: {error:?}", scenario.name);
        }
        let replicated = started.elapsed() - ran;
        compare::assert_equal(&source, &target, &scenario.schemas());
        println!(
            "{}: {ran:?} on the source, {replicated:?} to the target, {:?} in all",
            scenario.name,
            started.elapsed()
        );
    }
}

/// scenarios: mysql-9.7 → mysql-9.7
#[test]
fn straight() {
    arrive(&["binlog_row_metadata=MINIMAL"], &[]);
}

#[test]
fn with_minimal_images_and_full_metadata() {
    arrive(
        &["binlog_row_image=MINIMAL", "binlog_row_metadata=FULL"],
        &[],
    );
}

/// fidelity: type | servers of other time zones and another sql_mode | equal
#[test]
fn with_images_without_blobs_between_servers_that_differ() {
    arrive(
        &["binlog_row_image=NOBLOB", "default_time_zone=+05:30"],
        &["default_time_zone=-08:00", "sql_mode=TRADITIONAL"],
    );
}

#[test]
fn cut_at_any_step() {
    let (source, target) = pair(&[], &[]);
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    let mut first = 1;
    let mut cuts = 0;
    for scenario in chosen() {
        run_on(&source, &scenario);
        // Each attempt lives for a few writes more than the one before, and ends in another step: login, claim, rows, intent, DDL, checkpoint, commit.
        for writes in first.. {
            let done = fragile(&target, writes)
                .and_then(|session| replicate_into(&source, session, &settings));
            match done {
                Ok(_) => break,
                Err(error) => assert_eq!(
                    error.code, CUT,
                    "{} after {writes} writes: {error:?}",
                    scenario.name
                ),
            }
            cuts += 1;
        }
        compare::assert_equal(&source, &target, &scenario.schemas());
        // Login and claim have been cut once; that is the same for all.
        first = 12;
    }
    assert!(cuts > 20, "{cuts}");
}

/// How many transactions the source has committed so far; it has never been another server.
fn committed(source: &Server) -> u64 {
    let executed = value(source, "SELECT @@global.gtid_executed").unwrap_or_default();
    if executed.is_empty() {
        return 0;
    }
    let last = executed.rsplit(['-', ':']).next().unwrap_or_default();
    last.parse().unwrap_or_else(|e| panic!("{executed}: {e}"))
}

/// Where a dump is held up: some packets behind the GTID of this number, so at the beginning of a transaction or in its midst. One barrier is for one host: what is
/// left of the one before must not run into it.
struct Barrier {
    number: u64,
    /// Packets that still pass behind it.
    behind: u64,
    /// Packets since that GTID; none before it.
    since: AtomicU64,
    /// Something is held up.
    reached: AtomicBool,
    open: AtomicBool,
}

impl Barrier {
    fn new(number: u64, behind: u64) -> Arc<Self> {
        Arc::new(Self {
            number,
            behind,
            since: AtomicU64::new(0),
            reached: AtomicBool::new(false),
            open: AtomicBool::new(false),
        })
    }

    /// Looks at a packet of a dump.
    fn look(&self, packet: &[u8]) {
        const FORMAT_DESCRIPTION: u8 = 15;
        const GTID: u8 = 33;
        // Frame and OK byte, the event's header, flags and UUID.
        const NUMBER: std::ops::Range<usize> = 41..49;
        if event_type(packet) == Some(FORMAT_DESCRIPTION) {
            // A dump begins: one that was held up for longer than its reader waits is followed by another.
            self.since.store(0, Ordering::SeqCst);
        }
        if event_type(packet) == Some(GTID) {
            let number = packet.get(NUMBER).and_then(|bytes| bytes.try_into().ok());
            if number.map(u64::from_le_bytes) == Some(self.number) {
                self.since.store(1, Ordering::SeqCst);
            }
        }
        let since = self.since.load(Ordering::SeqCst);
        if since == 0 {
            return;
        }
        self.since.store(since + 1, Ordering::SeqCst);
        if since > self.behind {
            self.reached.store(true, Ordering::SeqCst);
            while !self.open.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

#[test]
fn through_the_program_with_a_kill_in_the_middle_of_each() {
    let (source, target) = pair(&[], &[]);
    let list = chosen();
    let mut ends = vec![committed(&source)];
    for scenario in &list {
        run_on(&source, scenario);
        ends.push(committed(&source));
    }
    let folder = TempDir::new().expect("a folder");
    // Some tables have a unique key in place of a primary one.
    let allow = "[check]\nallow = [\"no-primary-key\"]\n";
    let at_port = |port: u16| {
        config(&folder, "scenarios", &source, &target, |text| {
            format!("{}\n{allow}", through(&source, port)(text))
        })
    };
    let applied = || -> u64 {
        // The table is not there until the first host has made it.
        let rows = target.query("SELECT display FROM datain.checkpoints");
        let display = rows.ok().and_then(|rows| rows.first()?[0].clone());
        let number = display.and_then(|text| text.rsplit(['-', ':']).next()?.parse().ok());
        number.unwrap_or(0)
    };
    for (place, scenario) in list.iter().enumerate() {
        let (from, to) = (ends[place], ends[place + 1]);
        let middle = from + (to - from) / 2;
        assert!(
            from < middle && middle < to,
            "{} is too short",
            scenario.name
        );
        // At the GTID itself, behind BEGIN, behind the table map, behind the first rows.
        let barrier = Barrier::new(middle + 1, place as u64 % 4);
        let held = Arc::clone(&barrier);
        let proxy = Proxy::start(source.port(), move |packet| held.look(packet)).expect("a proxy");
        let mut host = Host::start(&at_port(proxy.port()), &[]).expect("the host");
        wait_for(&mut host, &scenario.name, |_| {
            (barrier.reached.load(Ordering::SeqCst) && applied() > from).then_some(())
        });
        host.kill();
        barrier.open.store(true, Ordering::SeqCst);
        let at = applied();
        // Behind its second packet a transaction of one statement is whole.
        let most = middle + u64::from(place as u64 % 4 >= 2);
        assert!(
            from < at && at <= most,
            "{}: {from} < {at} <= {most}",
            scenario.name
        );
    }
    // A proxy that holds nothing up.
    let proxy = Proxy::start(source.port(), |_| {}).expect("a proxy");
    let exit = Host::run(&at_port(proxy.port()), &["--until-caught-up"], LIMIT);
    let exit = exit.expect("the host ends");
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    for scenario in &list {
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
}
