//! There, under writers who do not stop by themselves, and back again.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use datain_tests::compare;
use datain_tests::host::Host;
use datain_tests::pipeline_run::wait_for;
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::{Flavor, Server};

use crate::lab::{LIMIT, Lab, number, reverse, write};

#[test]
fn there_under_load_and_back_again() {
    let lab = Lab::new();
    let mut host = Host::start(&lab.config, &[]).expect("a host");
    wait_for(&mut host, "rows", |_| {
        let rows = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop'";
        (number(&cell(&lab.target, rows)) == 4).then_some(())
    });
    let (stop, taken) = (AtomicBool::new(false), AtomicU64::new(0));
    let report = thread::scope(|scope| {
        for writer in 1..=2 {
            let (server, stop, taken) = (&lab.source, &stop, &taken);
            scope.spawn(move || write(server, writer, stop, taken));
        }
        thread::sleep(Duration::from_millis(500));
        let report = lab.cutover(&["--set-source-read-only", "--format", "json"]);
        stop.store(true, Ordering::Relaxed);
        report
    });
    assert_eq!(report.code, 0, "{report}");
    let report: serde_json::Value = serde_json::from_str(&report.stdout).expect("JSON");
    println!(
        "write stop {} s; {} orders; steps {}",
        report["write_stop_seconds"],
        taken.load(Ordering::Relaxed),
        report["steps"]
    );
    assert!(lab.is_read_only());
    assert_eq!(report["made_read_only"], true);
    assert_eq!(report["held_back_settled"], 6);
    assert_eq!(report["proof"]["how"], "compared");
    assert_eq!(report["made"].as_array().map(Vec::len), Some(6));
    assert_eq!(report["raised"].to_string(), "[]");
    // None that was taken is lost, and none was taken twice.
    let orders = "SELECT COUNT(*) FROM shop.orders WHERE writer > 0";
    assert_eq!(
        number(&cell(&lab.target, orders)),
        taken.load(Ordering::Relaxed)
    );
    wait_for(&mut host, "rest", |host| {
        host.stderr().contains("stopped by a person").then_some(())
    });
    lab.assert_moved();
    // Once more: it is done.
    let again = lab.done(&[]);
    assert_eq!(again["was_done"], true);
    assert_eq!(again["made"], report["made"]);
    drop(host);

    // A client on the new server sets off each trigger once, in order.
    run(&lab.target, "INSERT INTO shop.orders (writer) VALUES (9)");
    let note = "SELECT note FROM shop.orders WHERE writer = 9";
    assert_eq!(cell(&lab.target, note), "0ab");

    // Back, after what the file says is to be done first.
    let back = reverse(&lab.config);
    let text = fs::read_to_string(&back).expect("the way back");
    let orders: String = text
        .lines()
        .filter_map(|line| line.strip_prefix("#   "))
        .map(|line| line.split_once("  (").map_or(line, |(sql, _)| sql))
        .collect();
    run(&lab.source, &orders);
    let exit = Host::run(&back, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(cell(&lab.source, note), "0ab");
    run(&lab.source, "SET GLOBAL event_scheduler = OFF");
    // What the test has removed from the ticks, and the ticks since, have come too.
    let tables = compare::tables(&lab.source, &lab.target, &["shop"]).expect("both answer");
    assert!(
        tables.iter().all(compare::Table::is_equal),
        "they differ: {tables:#?}"
    );
}

/// No GTIDs, no host, and a source that a person has made read-only himself: the command applies what is missing.
#[test]
fn by_position_and_without_a_host() {
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .without_gtid()
            .start()
            .expect("a server")
    };
    let extra = "[start]\nmode = \"position\"\nfile = \"binlog.000001\"\nposition = 4\n";
    let lab = Lab::of(start(), start(), extra);
    lab.caught_up();
    run(
        &lab.source,
        "INSERT INTO shop.orders (writer) VALUES (1), (1), (1), (1); DELETE FROM shop.orders WHERE writer = 1; \
         FLUSH BINARY LOGS; SET GLOBAL super_read_only = ON; FLUSH BINARY LOGS",
    );
    let report = lab.done(&[]);
    println!("{report:#}");
    assert_eq!(report["made_read_only"], false);
    // The numbers of rows that were there and are gone are not given again: the target never saw all of them.
    lab.assert_moved();
    let text = fs::read_to_string(reverse(&lab.config)).expect("the way back");
    assert!(text.contains("mode = \"position\""), "{text}");
}

/// Numbers that only the source has given away: a transaction that was rolled back leaves nothing in the log.
#[test]
fn numbers_go_on_where_the_source_stopped() {
    let lab = Lab::of(
        server(),
        server(),
        "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n",
    );
    lab.caught_up();
    run(
        &lab.source,
        "BEGIN; INSERT INTO shop.orders (writer) VALUES (1), (1), (1), (1), (1); ROLLBACK",
    );
    let report = lab.done(&["--set-source-read-only", "--skip-verify"]);
    let raised: Vec<_> = report["raised"].as_array().into_iter().flatten().collect();
    assert_eq!(raised, ["`shop`.`log`", "`shop`.`orders`"]);
    assert_eq!(report["proof"]["how"], "skipped");
    run(&lab.target, "INSERT INTO shop.orders (writer) VALUES (9)");
    let id = "SELECT id FROM shop.orders WHERE writer = 9";
    assert_eq!(cell(&lab.target, id), "9");
}
