//! Stops that are cut short, and where they leave the target.

use std::path::Path;

use datain_tests::compare;
use datain_tests::host::Host;

use crate::lab::{FROM_THE_BEGINNING, LIMIT, Lab, datain, done, rows_modified, status, until};

fn stopped(lab: &Lab) -> bool {
    lab.one("SELECT COUNT(*) FROM datain.checkpoints WHERE stopped_at IS NOT NULL") == "1"
}

/// Runs `during` while the pipeline's row in the target is locked and somebody waits for it, so that a stop cannot be done yet.
fn while_held_up(lab: &Lab, order: impl FnOnce() -> Host, during: impl FnOnce(&mut Host)) -> Host {
    std::thread::scope(|scope| {
        let holder = scope.spawn(|| {
            lab.target
                .sql("START TRANSACTION; SELECT stream FROM datain.checkpoints FOR UPDATE; DO SLEEP(12); COMMIT")
                .expect("a lock");
        });
        until("the row is locked", || {
            lab.one(
                "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'",
            ) == "1"
        });
        let mut asking = order();
        until("the order waits", || {
            lab.one("SELECT COUNT(*) FROM performance_schema.data_lock_waits") != "0"
        });
        assert!(
            asking.is_running().expect("its state"),
            "{}",
            asking.stderr()
        );
        assert!(
            !holder.is_finished(),
            "the lock was held for too short a time"
        );
        during(&mut asking);
        assert!(
            !holder.is_finished(),
            "the lock was held for too short a time"
        );
        holder.join().expect("the holder");
        asking
    })
}

#[test]
fn the_one_who_asked_for_a_stop_goes_away() {
    let lab = Lab::new();
    let config = lab.config("leaves", FROM_THE_BEGINNING);
    let path = config.to_str().expect("a path");
    let mut host = Host::start(&config, &[]).expect("a host");
    until("it streams", || status(&config)["state"] == "streaming");
    while_held_up(
        &lab,
        || Host::spawn_command(&["stop", "-c", path]).expect("a stop"),
        Host::kill,
    );
    until("the stop is carried out all the same", || {
        stopped(&lab) && status(&config)["state"] == "stopped"
    });
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(lab.rows(), 0);
    done(datain("start", &config, &[]));
    until("it goes on", || lab.rows() == 1);
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
}

#[test]
fn a_host_that_is_killed_during_a_stop() {
    let lab = Lab::new();
    let config = lab.config("killed", FROM_THE_BEGINNING);
    let path = config.to_str().expect("a path");
    let mut host = Host::start(&config, &[]).expect("a host");
    until("it streams", || status(&config)["state"] == "streaming");
    let mut asking = while_held_up(
        &lab,
        || Host::spawn_command(&["stop", "-c", path]).expect("a stop"),
        |asking| {
            // The command is left alone, and its host is not.
            host.kill();
            assert!(
                asking.is_running().expect("its state"),
                "{}",
                asking.stderr()
            );
        },
    );
    // The command is told that its host is gone, gives the order to the target itself, and that is a stop.
    let exit = done(asking.wait(LIMIT).expect("it ends"));
    assert!(
        exit.stdout.contains("no host was told on this machine"),
        "{}",
        exit.stdout
    );
    assert!(stopped(&lab));
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    let mut host = Host::start(&config, &[]).expect("a host");
    until("the new host rests", || {
        status(&config)["host"].is_object() && status(&config)["state"] == "stopped"
    });
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(lab.rows(), 0);
    done(datain("start", &config, &[]));
    until("it goes on", || lab.rows() == 1);
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
}

/// Money only moves between two rows: whoever sees another sum sees half a transaction.
#[test]
fn a_stop_never_leaves_half_a_transaction() {
    let lab = Lab::new();
    let config = lab.config("halves", FROM_THE_BEGINNING);
    lab.source("INSERT INTO d.t VALUES (1, 1000000), (2, 0)");
    let mut host = Host::start(&config, &[]).expect("a host");
    until("the rows are there", || lab.rows() == 2);
    let moves = "START TRANSACTION; UPDATE d.t SET v = v - 1 WHERE id = 1; DO SLEEP(0.002); UPDATE d.t SET v = v + 1 WHERE id = 2; COMMIT; ";
    let load = moves.repeat(1500);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| lab.source(&load));
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..5 {
            let before = lab.one("SELECT v FROM d.t WHERE id = 2");
            until("money moves", || {
                writer.is_finished() || lab.one("SELECT v FROM d.t WHERE id = 2") != before
            });
            done(datain("stop", &config, &[]));
            let moved = lab.one("SELECT v FROM d.t WHERE id = 2");
            assert_eq!(
                lab.one("SELECT SUM(v) FROM d.t"),
                "1000000",
                "half a transaction, {moved} moved"
            );
            seen.insert(moved);
            done(datain("start", &config, &[]));
        }
        assert!(seen.len() > 3, "the stops were not in the middle: {seen:?}");
        writer.join().expect("the load");
    });
    until("all is moved", || {
        lab.one("SELECT v FROM d.t WHERE id = 2") == "1500"
    });
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
}

/// A transaction of many batches is streamed into one of the target.
#[test]
fn a_stop_inside_a_transaction_that_is_larger_than_a_batch() {
    let lab = Lab::new();
    let config = lab.config("large", FROM_THE_BEGINNING);
    lab.source("CREATE TABLE d.big (id INT PRIMARY KEY, filler VARCHAR(200) NOT NULL)");
    let mut host = Host::start(&config, &[]).expect("a host");
    let count = || lab.one("SELECT COUNT(*) FROM d.big");
    until("the table is there", || {
        lab.one("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'") == "2"
    });
    const ROWS: u32 = 200_000;
    std::thread::scope(|scope| {
        // A row that somebody else is about to insert holds the transaction up, so that the stop surely comes in its middle.
        let holder = scope.spawn(|| {
            let row = ROWS - ROWS / 4;
            // It is killed, which is an error to its client.
            let _ = lab.target.sql(&format!(
                "START TRANSACTION; INSERT INTO d.big VALUES ({row}, ''); DO SLEEP(45); ROLLBACK"
            ));
        });
        let sleeper = || {
            lab.target
                .query("SELECT ID FROM information_schema.PROCESSLIST WHERE STATE = 'User sleep'")
                .expect("the sessions")
        };
        until("the row is held", || !sleeper().is_empty());
        stop_in_the_middle(&lab, &config, ROWS);
        for row in sleeper() {
            let id = row[0].clone().expect("an id");
            lab.target.sql(&format!("KILL {id}")).expect("its end");
        }
        holder.join().expect("the holder");
    });
    let after = count();
    assert!(
        after == "0" || after == ROWS.to_string(),
        "{after} rows of {ROWS} are half a transaction"
    );
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert_eq!(
        count(),
        after,
        "nothing is applied after a stop has returned"
    );
    done(datain("start", &config, &[]));
    until("all of it arrives", || count() == ROWS.to_string());
    host.terminate();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
}

/// Makes one large transaction, and stops when the target has a part of it.
fn stop_in_the_middle(lab: &Lab, config: &Path, rows: u32) {
    lab.source(&format!(
        "SET SESSION cte_max_recursion_depth = {rows}; INSERT INTO d.big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT i, REPEAT('x', 200) FROM n"
    ));
    // Rows that are not committed yet: the target is in the middle of it.
    until("the target is in the middle", || rows_modified(lab) > 2000);
    done(datain("stop", config, &[]));
}
