//! How far a first copy is, and how fast it may be: told by the host and without one, and changed while it runs.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod writers;

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, failed, wait_for};
use datain_tests::servers::{cell, loading_pair, run};
use datain_throwaway_servers::Server;
use serde_json::Value;

/// A small table, which is whole at once, and one that takes its time.
const TABLES: &str = "
CREATE DATABASE c; USE c;
CREATE TABLE a_small (id INT PRIMARY KEY, v INT);
INSERT INTO a_small VALUES (1, 1), (2, 2), (3, 3);
CREATE TABLE z_large (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(100));
INSERT INTO z_large (t) WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1000) SELECT CONCAT('row ', n) FROM r;
INSERT INTO z_large (t) SELECT t FROM z_large; INSERT INTO z_large (t) SELECT t FROM z_large; INSERT INTO z_large (t) SELECT t FROM z_large;
INSERT INTO z_large (t) SELECT t FROM z_large; INSERT INTO z_large (t) SELECT t FROM z_large; ANALYZE TABLE z_large;
";
const SMALL: u64 = 3;
const LARGE: u64 = 32_000;

/// A second's rows, and so many that one chunk may have.
const RATE: u64 = 1000;
const CHUNK: u64 = RATE / 5;

fn config(folder: &TempDir, source: &Server, target: &Server, snapshot: &str) -> String {
    let extra = format!("[start]\nmode = \"snapshot\"\n[snapshot]\n{snapshot}\n");
    let path = Host::config(folder.path(), "progress", source, target, &extra);
    path.expect("a configuration")
        .to_str()
        .expect("a name")
        .to_owned()
}

/// What `datain status` says.
fn status(config: &str) -> Value {
    let arguments = ["status", "-c", config, "--format", "json"];
    let exit = Host::command(&arguments, LIMIT).expect("a status");
    assert_eq!(exit.code, 0, "{exit}");
    serde_json::from_str(&exit.stdout).expect("an object")
}

fn throttle(config: &str, options: &[&str]) -> String {
    let exit = Host::command(&[&["throttle", "-c", config], options].concat(), LIMIT);
    let exit = exit.expect("an answer");
    assert_eq!(exit.code, 0, "{exit}");
    exit.stdout
}

fn rows(status: &Value) -> u64 {
    status["copy"]["rows"].as_u64().expect("rows")
}

fn table<'a>(status: &'a Value, name: &str) -> &'a Value {
    let listed = status["copy"]["listed"].as_array().expect("tables");
    let found = listed.iter().find(|table| table["table"] == name);
    found.expect("the table is listed")
}

#[test]
fn a_limited_copy_takes_its_time_and_the_stream_does_not() {
    let [source, target] = loading_pair();
    run(&source, TABLES);
    let folder = TempDir::new().expect("a folder");
    let config = config(&folder, &source, &target, "max_rows_per_second = 1000");
    let begun = Instant::now();
    let mut host = Host::start(Path::new(&config), &["--progress", "json"]).expect("a host");
    let first = wait_for(&mut host, "rows of the large table", |_| {
        let status = status(&config);
        let is_copied = status["copy"]["rows"].as_u64() > Some(SMALL);
        is_copied.then_some(status)
    });
    assert_eq!(first["copy"]["tables"], 2);
    assert_eq!(first["copy"]["tables_whole"], 1);
    assert_eq!(first["copy"]["complete"], false);
    assert_eq!(first["copy"]["throttle"]["rows_per_second"], RATE);
    let small = table(&first, "a_small");
    assert_eq!(
        (
            &small["state"],
            small["rows"].as_u64(),
            small["estimated_rows"].as_u64()
        ),
        (&Value::from("whole"), Some(SMALL), Some(SMALL))
    );
    assert_eq!(table(&first, "z_large")["state"], "copying");
    assert!(table(&first, "z_large")["estimated_rows"].as_u64() > Some(LARGE / 2));
    // While it rests the stream goes on.
    let changed = Instant::now();
    run(&source, "UPDATE c.a_small SET v = 77 WHERE id = 2");
    wait_for(&mut host, "a change of the small table", |_| {
        (cell(&target, "SELECT v FROM c.a_small WHERE id = 2") == "77").then_some(())
    });
    assert!(
        changed.elapsed() < Duration::from_secs(5),
        "{:?}",
        changed.elapsed()
    );
    thread::sleep(Duration::from_secs(1));
    let second = status(&config);
    let most = begun.elapsed().as_secs() * RATE + RATE + 2 * CHUNK;
    assert!(rows(&second) > rows(&first), "{second}");
    assert!(
        rows(&second) <= most,
        "{} rows, {most} at most",
        rows(&second)
    );
    assert!(
        second["copy"]["seconds_left"].as_u64() > Some(1),
        "{second}"
    );
    assert_eq!(second["copying"], "c.z_large");
    let text = Host::command(&["status", "-c", &config], LIMIT).expect("a status");
    assert!(text.stdout.contains("First_Copy: c.z_large "), "{text}");

    // Without a host only the target says how far it is, and nobody takes limits.
    host.kill();
    let alone = status(&config);
    assert_eq!(
        (&alone["copying"], &alone["copy"]),
        (&Value::from("c.z_large"), &Value::Null)
    );
    let exit = Host::command(&["throttle", "-c", &config], LIMIT).expect("an answer");
    failed(&exit, "control.no-host", 3);

    // The next one goes on, and knows what was copied; then as fast as it can.
    let mut host = Host::start(Path::new(&config), &["--until-caught-up"]).expect("a host");
    let third = wait_for(&mut host, "a copy that goes on", |_| {
        let status = status(&config);
        let goes_on = status["copy"]["listed"]
            .as_array()
            .is_some_and(|t| !t.is_empty());
        goes_on.then_some(status)
    });
    assert!(rows(&third) + 2 * RATE > rows(&second), "{third}");
    assert!(rows(&third) < LARGE / 2, "{third}");
    let said = throttle(&config, &["--rows-per-second", "off"]);
    assert!(said.contains("goes on with rows per second off"), "{said}");
    let released = Instant::now();
    let exit = host.wait(LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    assert!(
        released.elapsed() < Duration::from_secs(15),
        "{:?}",
        released.elapsed()
    );
    assert!(
        exit.stderr.contains("c.z_large is copied: 32000 rows"),
        "{exit}"
    );
    compare::assert_equal(&source, &target, &["c"]);
}

#[test]
fn it_rests_for_a_busy_source_and_for_a_slow_target() {
    let [source, target] = loading_pair();
    run(&source, TABLES);
    let folder = TempDir::new().expect("a folder");
    let limits = "max_rows_per_second = 1000\nmax_source_load = 2\nmax_target_lag_ms = 300";
    let config = config(&folder, &source, &target, limits);
    let mut host = Host::start(Path::new(&config), &["--progress", "json"]).expect("a host");
    let rests = |host: &mut Host, why: &str| {
        wait_for(host, why, |_| {
            let status = status(&config);
            (status["copy"]["resting"] == why).then_some(status)
        })
    };
    rests(&mut host, "rows-per-second");
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| run(&source, "DO SLEEP(4)"));
        }
        let before = rests(&mut host, "source-load");
        thread::sleep(Duration::from_millis(500));
        // A chunk may have been under way.
        assert!(rows(&status(&config)) <= rows(&before) + CHUNK);
    });
    let stopped = rests(&mut host, "rows-per-second");
    thread::scope(|scope| {
        scope.spawn(|| run(&target, "FLUSH TABLES WITH READ LOCK; DO SLEEP(3)"));
        rests(&mut host, "target-lag");
    });
    throttle(
        &config,
        &["--rows-per-second", "off", "--busy-share-percent", "off"],
    );
    let last = wait_for(&mut host, "the end of the copy", |_| {
        let status = status(&config);
        (status["copy"]["complete"] == true).then_some(status)
    });
    assert!(rows(&stopped) < rows(&last));
    assert_eq!(rows(&last), SMALL + LARGE);
    assert_eq!(last["copy"]["estimated_rows"], SMALL + LARGE);
    assert_eq!(last["copy"]["seconds_left"], 0);
    assert_eq!(last["copy"]["tables_whole"], 2);
    let said = throttle(&config, &[]);
    assert!(said.contains("no first copy is under way"), "{said}");
    host.interrupt();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
    let moved = host.stdout();
    let moved = moved
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let seen: Vec<u64> = moved.filter_map(|s| s["copy"]["rows"].as_u64()).collect();
    assert!(seen.is_sorted() && seen.first() < seen.last(), "{seen:?}");
}
