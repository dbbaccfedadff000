//! Every file in `tests/scenarios/`, in each of the ways in which a stream can be logged and interrupted. Each way has one pair of servers, on which all
//! scenarios follow each other in one stream.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{CUT, fragile, replicate, replicate_into, settings};
use datain_tests::pipeline_run::{FROM_THE_START, LIMIT, value, wait_for};
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
    let mut list = scenarios::all().expect("the scenarios");
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

#[test]
fn through_the_program_with_kills() {
    let (source, target) = pair(&[], &[]);
    let list = chosen();
    for scenario in &list {
        run_on(&source, scenario);
    }
    let folder = TempDir::new().expect("a folder");
    // Some tables have a unique key in place of a primary one.
    let more = format!("{FROM_THE_START}\n[check]\nallow = [\"no-primary-key\"]\n");
    let config =
        Host::config(folder.path(), "scenarios", &source, &target, &more).expect("a configuration");
    // Killed whenever it has come further than the one before.
    let mut before = String::new();
    for _ in 0..3 {
        let mut host = Host::start(&config, &[]).expect("the host");
        let place = wait_for(&mut host, "a checkpoint that moves", |_| {
            // The table is not there until the first host has made it.
            let rows = target
                .query("SELECT display FROM datain.checkpoints")
                .ok()?;
            let place = rows.into_iter().next()?.into_iter().next()??;
            (place != before).then_some(place)
        });
        // In the middle of something: the host does not wait for the test.
        std::thread::sleep(Duration::from_millis(30));
        host.kill();
        before = place;
    }
    let executed = value(&source, "SELECT REPLACE(@@global.gtid_executed, '\\n', '')");
    assert!(
        !before.ends_with(&executed.expect("GTIDs")),
        "the last kill came after the end"
    );
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    for scenario in &list {
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
}
