//! Killed, interrupted, taken back: the stage is named, and the next command goes on from it.

use datain_mysql_client::blocking::block_on;
use datain_tests::host::Host;
use datain_tests::native::session;
use datain_tests::pipeline_run::wait_for;
use datain_tests::seed::long;
use datain_tests::servers::{cell, run};
use serde_json::Value;

use crate::lab::{LIMIT, Lab, reverse};

const QUICK: &[&str] = &["--set-source-read-only", "--skip-verify"];

/// Where it dies, the stage that is named then, and whether it can still be taken back.
const DEATHS: &[(&str, &str, bool)] = &[
    ("host at 1 cutover preparing", "preparing", true),
    ("host at 1 cutover freezing", "freezing", true),
    ("host at 1 cutover writes stopped", "freezing", true),
    ("host at 1 cutover frozen", "frozen", true),
    ("host at 1 cutover stopped", "stopped", true),
    ("host at 1 cutover making", "making", false),
    (
        "target answered 1 CREATE DEFINER=`clerk`@`%` TRIGGER",
        "making",
        false,
    ),
    ("host at 1 cutover triggers made", "making", false),
    ("host at 1 cutover positioned", "positioned", false),
    ("host at 1 cutover events made", "positioned", false),
    ("host at 1 cutover reverse written", "positioned", false),
    ("host at 1 cutover done", "done", false),
];

/// One cutover that dies at every step, each time a little further on.
#[test]
fn killed_at_each_step_it_goes_on() {
    let lab = Lab::new();
    lab.caught_up();
    let chosen = |at: usize| long() || [2, 4, 6, 9, 11].contains(&at);
    for (_, (point, stage, _)) in DEATHS.iter().enumerate().filter(|(at, _)| chosen(*at)) {
        run(&lab.target, "SET GLOBAL event_scheduler = OFF");
        lab.dies_at(point, QUICK);
        assert_eq!(lab.stage(), *stage, "{point}");
    }
    let report = lab.done(QUICK);
    assert_eq!(report["was_done"], true);
    assert_eq!(report["made"].as_array().map(Vec::len), Some(6));
    assert!(lab.is_read_only());
    assert!(reverse(&lab.config).exists());
    lab.assert_moved();
}

/// Killed and taken back: the source is written to as before, the pipeline goes on, and a later cutover goes through.
#[test]
fn killed_it_can_be_taken_back_until_something_is_made() {
    let lab = Lab::new();
    lab.caught_up();
    let chosen = |at: usize| long() || [3, 4, 5].contains(&at);
    for (_, (point, stage, can)) in DEATHS.iter().enumerate().filter(|(at, _)| chosen(*at)) {
        lab.dies_at(point, QUICK);
        assert_eq!(lab.stage(), *stage, "{point}");
        if *stage == "stopped" {
            let start = lab.command("start", &[]);
            assert_eq!(start.code, 3, "{start}");
            assert!(start.stderr.contains("--abort"), "{start}");
        }
        let exit = lab.cutover(&["--abort", "--format", "json"]);
        if !*can {
            assert_eq!(exit.code, 3, "{exit}");
            assert!(
                exit.stderr.contains("error[cutover.beyond-return]"),
                "{exit}"
            );
            assert!(lab.is_read_only());
            break;
        }
        assert_eq!(exit.code, 0, "{exit}");
        let answer: Value = serde_json::from_str(&exit.stdout).expect("JSON");
        assert_eq!(answer["aborted"], *stage);
        assert!(lab.is_writable(), "{point}");
        assert_eq!(lab.stage(), Value::Null);
        run(&lab.source, "INSERT INTO shop.orders (writer) VALUES (7)");
        lab.caught_up();
    }
    lab.done(QUICK);
    lab.assert_moved();
}

/// A person's Ctrl-C while the target is waited for.
#[test]
fn interrupted_before_anything_was_changed_it_leaves_nothing() {
    let lab = Lab::new();
    lab.caught_up();
    // A lock holds the target up: the source's last changes do not come.
    let mut holder = session(&lab.target);
    block_on(holder.exec(b"LOCK TABLES shop.orders READ, shop.log READ, shop.ticks READ"))
        .expect("a lock");
    run(&lab.source, "INSERT INTO shop.orders (writer) VALUES (7)");
    let config = lab.config.display().to_string();
    let arguments = [&["cutover", "-c", &config], QUICK].concat();
    let mut command = Host::spawn_command(&arguments).expect("a command");
    wait_for(&mut command, "catching up", |host| {
        host.stderr().contains("catches up").then_some(())
    });
    assert_eq!(lab.stage(), "preparing");
    command.interrupt();
    let exit = command.wait(LIMIT).expect("an end");
    assert_eq!(exit.code, 130, "{exit}");
    assert!(exit.stderr.contains("error[host.interrupted]"), "{exit}");
    assert_eq!(lab.stage(), Value::Null);
    assert!(lab.is_writable());
}

/// A restart of the source takes SET GLOBAL back, and somebody writes: before the pipeline is stopped that comes too, and after that it is found out.
#[test]
fn a_source_that_restarts_is_not_believed_to_rest() {
    let mut lab = Lab::new();
    lab.caught_up();
    let order = "INSERT INTO shop.orders (writer) VALUES (8)";
    if long() {
        lab.dies_at("host at 1 cutover frozen", QUICK);
        lab.source.restart().expect("a restart");
        assert!(lab.is_writable());
        run(&lab.source, order);
    }
    lab.dies_at("host at 1 cutover stopped", QUICK);
    assert!(lab.is_read_only());
    lab.source.restart().expect("a restart");
    run(&lab.source, order);
    let exit = lab.cutover(QUICK);
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr.contains("error[cutover.source-moved]"),
        "{exit}"
    );
    let exit = lab.cutover(&["--abort"]);
    assert_eq!(exit.code, 0, "{exit}");
    assert!(lab.is_writable());
    lab.done(QUICK);
    let orders = "SELECT COUNT(*) FROM shop.orders WHERE writer = 8";
    assert_eq!(cell(&lab.target, orders), cell(&lab.source, orders));
    lab.assert_moved();
}
