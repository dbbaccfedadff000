//! The program: the key of the configuration, what `check` says, what is told, and a kill in the middle.

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{
    FROM_THE_START, LIMIT, check, config, failed, server, value, wait_for,
};
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

/// `user` in place of root, on the side that begins with `[source]` or `[target]`.
fn as_user<'a>(side: &'a str, user: &'a str) -> impl Fn(String) -> String + 'a {
    move |text| {
        let (head, tail) = text.split_once(side).expect("both servers");
        let tail = tail.replacen("user = \"root\"", &format!("user = \"{user}\""), 1);
        format!("{head}{side}{tail}{REPLAY}")
    }
}

/// What datain needs of its accounts for a log of statements, beyond the usual.
#[test]
fn accounts_that_may_not_do_what_statements_need() {
    let (source, target) = (server(), server());
    run(
        &source,
        "CREATE USER reader@'%' IDENTIFIED BY 'throwaway'; GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO reader@'%'; \
         CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)",
    );
    let exit = check(
        &source,
        &target,
        as_user("[source]", "reader"),
        "source.triggers-unseen",
        3,
    );
    assert!(
        exit.stderr.contains("GRANT TRIGGER ON *.* TO 'reader'@'%'"),
        "{exit}"
    );
    run(&source, "GRANT TRIGGER ON *.* TO reader@'%'");
    let folder = TempDir::new().expect("a folder");
    let reads = config(
        &folder,
        "bad",
        &source,
        &target,
        as_user("[source]", "reader"),
    );
    let exit = Host::run(&reads, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    // The target's account needs a right for temporary tables alone.
    run(
        &target,
        "CREATE USER apply@'%' IDENTIFIED BY 'throwaway'; GRANT ALL ON d.* TO apply@'%'; GRANT ALL ON datain.* TO apply@'%'",
    );
    run(
        &source,
        "USE d; SET SESSION binlog_format = 'STATEMENT'; INSERT INTO t VALUES (1); CREATE TEMPORARY TABLE tmp (id INT); INSERT INTO tmp VALUES (2); INSERT INTO t SELECT id FROM tmp",
    );
    let exit = check(
        &source,
        &target,
        as_user("[target]", "apply"),
        "server.privilege-missing",
        3,
    );
    assert!(exit.stderr.contains("SESSION_VARIABLES_ADMIN"), "{exit}");
    assert_eq!(
        value(&target, "SELECT COUNT(*) FROM d.t").as_deref(),
        Some("1")
    );
    run(&target, "GRANT SESSION_VARIABLES_ADMIN ON *.* TO apply@'%'");
    let applies = config(
        &folder,
        "bad",
        &source,
        &target,
        as_user("[target]", "apply"),
    );
    let exit = Host::run(&applies, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    compare::assert_equal(&source, &target, &["d"]);
}

/// A session that logs a statement while tables are copied: its effect cannot be kept apart by rows that are copied and rows that are not.
#[test]
fn a_statement_during_a_first_copy_stops_it() {
    let (source, target) = (server(), server());
    run(
        &source,
        "CREATE DATABASE d; USE d; CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, v INT); INSERT INTO t (v) VALUES (1), (2), (3), (4); \
         INSERT INTO t (v) SELECT a.v FROM t a JOIN t b JOIN t c JOIN t d JOIN t e",
    );
    let folder = TempDir::new().expect("a folder");
    let text =
        format!("[start]\nmode = \"snapshot\"\n[snapshot]\nmax_rows_per_second = 100\n{REPLAY}");
    let config = Host::config(&folder, "copies", &source, &target, &text).expect("a file");
    let mut host = Host::start(&config, &[]).expect("the host");
    wait_for(&mut host, "the first rows", |_| {
        let rows = target.query("SELECT 1 FROM d.t LIMIT 1");
        rows.is_ok_and(|rows| !rows.is_empty()).then_some(())
    });
    run(
        &source,
        "SET SESSION binlog_format = 'STATEMENT'; USE d; UPDATE t SET v = v + 1",
    );
    let exit = host.wait(LIMIT).expect("the host ends");
    failed(&exit, "source.statement-while-copying", 3);
}
