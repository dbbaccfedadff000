//! Beside a pipeline that runs, while the source is written to all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::Host;
use datain_throwaway_servers::Server;

use crate::lab::{LIMIT, Lab, rows};

const TABLES: &str = "CREATE DATABASE d; USE d; \
    CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, v INT NOT NULL, note VARCHAR(20)); \
    CREATE TABLE q (a VARCHAR(10), b INT, v INT NOT NULL, PRIMARY KEY (a, b)); SET SESSION cte_max_recursion_depth = 100000; \
    INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i, i, 0, 'x' FROM n; \
    INSERT INTO q SELECT CONCAT('k', id % 7), id, 0 FROM t WHERE id <= 2000";

/// Rows with ids of which 10 is the divisor are hot: some go to and fro between two values, some come and go, some exchange a unique value, one is changed all the time.
fn write(source: &Server, number: u32, stop: &AtomicBool) -> u64 {
    let mut rounds = 0;
    while !stop.load(Ordering::Acquire) {
        let id = 10 * (1 + (rounds * 7 + u64::from(number) * 13) % 490);
        let sql = match (number, rounds % 3) {
            (0, _) => "UPDATE d.t SET v = 1 - v WHERE id = 10".to_owned(),
            (1, 0) => format!("UPDATE d.t SET v = v + 1 WHERE id = {id}"),
            (1, 1) => format!(
                "BEGIN; UPDATE d.t SET u = -u WHERE id IN ({id}, {}); UPDATE d.t SET u = {id} WHERE id = {id}; COMMIT",
                id + 10
            ),
            (1, _) => {
                "UPDATE d.t SET note = IF(note = 'x', 'y', 'x') WHERE id IN (20, 30, 40)".to_owned()
            }
            (_, 0) => format!("DELETE FROM d.q WHERE b = {id}"),
            (_, _) => format!(
                "INSERT INTO d.q VALUES ('k{}', {id}, {rounds}) ON DUPLICATE KEY UPDATE v = v + 1",
                id % 7
            ),
        };
        // Two sessions may meet each other's locks.
        let _ = source.sql(&sql);
        rounds += 1;
    }
    rounds
}

#[test]
fn hot_rows_are_never_called_different_and_others_are_found() {
    let lab = Lab::with(TABLES);
    let mut host = Host::start(&lab.config, &[]).expect("the host starts");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|number| {
                let (source, stop) = (&lab.source, &stop);
                scope.spawn(move || write(source, number, stop))
            })
            .collect();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| under_load(&lab)));
        stop.store(true, Ordering::Release);
        let written: u64 = writers
            .into_iter()
            .map(|writer| writer.join().expect("a writer"))
            .sum();
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
        assert!(written > 50, "only {written} writes");
    });
    host.interrupt();
    let exit = host.wait(LIMIT).expect("the host ends");
    assert_eq!(exit.code, 130, "{exit}");
    lab.catch_up();
    lab.verify(&[], 0);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
}

fn under_load(lab: &Lab) {
    let until = Instant::now() + Duration::from_secs(3);
    let mut rounds = 0;
    while rounds < 2 || Instant::now() < until {
        lab.verify(&[], 0);
        rounds += 1;
    }
    // Right beside rows that are hot.
    lab.target(
        "SET foreign_key_checks = 0; UPDATE d.t SET v = 77 WHERE id IN (11, 2501); DELETE FROM d.t WHERE id = 39; UPDATE d.q SET v = 5 WHERE b = 21; \
        INSERT INTO d.q VALUES ('k1', 99999, 1); UPDATE d.t SET u = NULL WHERE id = 51; UPDATE d.t SET u = 51 WHERE id = 53; UPDATE d.t SET u = 53 WHERE id = 51",
    );
    let expected = [
        "d.q changed a=k0, b=21: v",
        "d.q surplus a=k1, b=99999",
        "d.t changed id=11: v",
        "d.t changed id=2501: v",
        "d.t changed id=51: u",
        "d.t changed id=53: u",
        "d.t missing id=39",
    ];
    assert_eq!(rows(&lab.json(&[], 1)), expected);
    let repaired: Vec<String> = expected
        .iter()
        .map(|row| format!("{row} (repaired)"))
        .collect();
    assert_eq!(rows(&lab.json(&["--repair"], 0)), repaired);
    lab.verify(&[], 0);
}
