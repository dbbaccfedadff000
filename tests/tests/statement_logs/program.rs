//! The program: the key of the configuration, what `check` says, what is told, and a kill in the middle.

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{FROM_THE_START, LIMIT, failed, server, value, wait_for};
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

const REPLAY: &str = "[apply]\nstatements = \"replay\"\n";

#[test]
fn the_program_replays_what_it_is_told_to() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("binlog_format=STATEMENT")
        .start()
        .expect("a server");
    let target = server();
    run(
        &source,
        "CREATE DATABASE d; USE d; CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40), n INT NOT NULL DEFAULT 0); INSERT INTO t (v) VALUES ('a'), ('secret-1'); \
         UPDATE t SET v = CONCAT(v, '.') LIMIT 2; UPDATE t SET n = n + 1 LIMIT 2",
    );
    let folder = TempDir::new().expect("a folder");
    let stops = Host::config(&folder, "stops", &source, &target, FROM_THE_START).expect("a file");
    let exit = Host::run(&stops, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, "source.format-not-row", 3);
    let text = format!("{FROM_THE_START}{REPLAY}");
    let config = Host::config(&folder, "replays", &source, &target, &text).expect("a file");
    let path = config.to_str().expect("a path");
    let exit = Host::command(&["check", "-c", path], LIMIT).expect("the check ends");
    assert!(exit.stdout.contains("source.format-not-row"), "{exit}");
    assert_eq!(exit.code, 0, "{exit}");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    let told = exit
        .stderr
        .matches("it uses LIMIT without ORDER BY")
        .count();
    assert_eq!(told, 1, "{exit}");
    assert!(!exit.stderr.contains("secret"), "{exit}");
    compare::assert_equal(&source, &target, &["d"]);
    // Killed while it replays: nothing is lost or done twice.
    let mut host = Host::start(&config, &[]).expect("the host");
    let work = "INSERT INTO d.t (v) VALUES ('b'), ('c'); UPDATE d.t SET n = n + 1; ".repeat(60);
    for _ in 0..2 {
        let before = value(&target, "SELECT MAX(n) FROM d.t");
        run(&source, &work);
        wait_for(&mut host, "progress", |_| {
            (value(&target, "SELECT MAX(n) FROM d.t") != before).then_some(())
        });
        host.kill();
        host = Host::start(&config, &[]).expect("the host");
    }
    host.kill();
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    compare::assert_equal(&source, &target, &["d"]);
}
