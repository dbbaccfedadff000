//! How it ends: with a verdict, without one, and interrupted.

use std::time::{Duration, Instant};

use datain_tests::host::Host;

use crate::lab::{LIMIT, Lab, rows};

const TABLE: &str = "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (2, 2)";

#[test]
fn a_target_that_is_behind_gets_no_verdict() {
    let lab = Lab::with(TABLE);
    // No pipeline runs. What is not replicated leaves both equal, though the checkpoint is behind.
    lab.source("CREATE DATABASE other; CREATE TABLE d.u (id INT PRIMARY KEY); DROP TABLE d.u");
    lab.verify(&["--wait-seconds", "1"], 0);
    lab.source("UPDATE d.t SET v = 3 WHERE id = 1");
    let exit = lab.verify(&["--wait-seconds", "1"], 3);
    assert!(exit.stderr.contains("error[verify.behind]: "), "{exit}");
    assert!(exit.stderr.contains("  hint: "), "{exit}");
    assert!(exit.stdout.is_empty(), "{exit}");
    lab.catch_up();
    lab.verify(&[], 0);

    // New files of the log are nothing that the target lacks, though no pipeline has seen them.
    lab.source("FLUSH BINARY LOGS; FLUSH BINARY LOGS");
    lab.target("UPDATE d.t SET v = 30 WHERE id = 1");
    let report = lab.json(&["--wait-seconds", "1"], 1);
    assert_eq!(rows(&report), ["d.t changed id=1: v"]);

    // Without locks a true difference cannot be told from a row that is on the way.
    let report = lab.json(&["--no-locks"], 3);
    assert_eq!(report["verdict"], "undecided");
    assert_eq!(report["tables"][0]["undecided"], 1);

    // A row that somebody keeps locked cannot be held as long as that lasts, which keeps no other from being decided.
    lab.target("UPDATE d.t SET v = 40 WHERE id = 2");
    std::thread::scope(|scope| {
        scope.spawn(|| {
            lab.source("BEGIN; SELECT * FROM d.t WHERE id = 2 FOR UPDATE; DO SLEEP(4); ROLLBACK");
        });
        std::thread::sleep(Duration::from_millis(500));
        let found = lab.json(&[], 1);
        assert_eq!(rows(&found), ["d.t changed id=1: v", "d.t changed id=2: v"]);
    });

    // The first copy has not begun as far as this checkpoint knows.
    lab.target("UPDATE datain.checkpoints SET state = JSON_SET(CONVERT(state USING utf8mb4), '$.v', 2, '$.copy', JSON_OBJECT('definitions', JSON_OBJECT('done', 0, 'filter', '')))");
    let exit = lab.verify(&[], 3);
    assert!(
        exit.stderr.contains("error[verify.copy-incomplete]: "),
        "{exit}"
    );
}

#[test]
fn rounds_go_on_until_they_are_interrupted() {
    let lab = Lab::with(TABLE);
    let watch = ["--watch", "--every-seconds", "1"];
    for (damage, code) in [("DO 0", 0), ("UPDATE d.t SET v = 9 WHERE id = 2", 1)] {
        lab.target(damage);
        let mut host = Host::spawn_command(&lab.arguments(&watch)).expect("it starts");
        let deadline = Instant::now() + LIMIT;
        while host.stdout().lines().count() < 2 {
            assert!(
                host.is_running().expect("the system answers"),
                "{}",
                host.stderr()
            );
            assert!(
                Instant::now() < deadline,
                "no second round:\n{}",
                host.stderr()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        host.interrupt();
        let exit = host.wait(LIMIT).expect("it ends");
        assert_eq!(exit.code, code, "{exit}");
        let words = [
            "round 2: equal",
            "round 2: different: 1 of 1 table(s), 1 row(s)",
        ];
        assert!(
            exit.stdout.contains(words[usize::from(code == 1)]),
            "{exit}"
        );
    }
    // What the newest round came to is kept in the target, and goes with the pipeline.
    let kept = datain_tests::servers::cell(
        &lab.target,
        "SELECT report FROM datain.verified WHERE stream = 'v'",
    );
    assert!(kept.contains("\"verdict\":\"different\""), "{kept}");
    let config = lab.config.to_str().expect("a path");
    let exit = Host::command(&["status", "-c", config, "--format", "json"], LIMIT);
    let status: serde_json::Value =
        serde_json::from_str(&exit.expect("a status").stdout).expect("JSON");
    assert_eq!(status["verified"]["verdict"], "different", "{status:#}");
    assert_eq!(status["verified"]["differing"], 1, "{status:#}");
    let text = Host::command(&["status", "-c", config], LIMIT).expect("a status");
    assert!(
        text.stdout.contains("Verified: different: 1 tables, "),
        "{text}"
    );
    let exit = Host::command(&["remove", "-c", config, "--yes"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    let left = datain_tests::servers::cell(
        &lab.target,
        "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'datain'",
    );
    assert_eq!(left, "0");
}
