//! A migration from start to end, as its operator does it: a first copy while the shop is open and the host is killed three times, catching up, verification, cutover. Every command is the
//! program's own.
//!
//! The ordinary run is short. `DATAIN_LONG=1` takes more rows, all pairs of servers, and other writers each time.

// The ban is on std's clocks, which trap inside a plugin. This is native code.
#![allow(clippy::disallowed_methods)]

mod writers;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::pipeline_run::value;
use datain_tests::seed::{long, seed};
use datain_tests::servers::run;
use datain_throwaway_servers::sysbench::{SCHEMA, Script, Sysbench};
use datain_throwaway_servers::{Flavor, Lines, ROOT_PASSWORD, Server, ServerBuilder};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(180);

/// What is made on every source.
const SHOP: &str = include_str!("shop.sql");

/// What only MySQL 9.7 has.
const MODERN: &str = include_str!("modern.sql");

fn builder(flavor: Flavor) -> ServerBuilder {
    Server::builder(flavor)
        .relaxed()
        .option("local_infile=ON")
        .option("innodb_buffer_pool_size=256M")
}

#[test]
fn with_gtids() {
    migrate(
        &builder(Flavor::Mysql97).start().expect("a source"),
        &builder(Flavor::Mysql97).start().expect("a target"),
        &[SHOP, MODERN],
        "",
    );
}

#[test]
fn without_gtids() {
    let start = || builder(Flavor::Mysql97).without_gtid().start();
    let (source, target) = (start().expect("a source"), start().expect("a target"));
    migrate(&source, &target, &[SHOP, MODERN], "");
}

/// An upgrade: another version, whose log has no cascades, and in which whoever has SUPER writes although it is read-only. The target's account has what docs/migrating.md gives it.
#[test]
fn from_mysql_5_6() {
    let target = builder(Flavor::Mysql97).start().expect("a target");
    run(
        &target,
        "CREATE USER 'datain'@'%' IDENTIFIED BY 'apply-secret'; \
         GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, EVENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON rental.* TO 'datain'@'%'; \
         GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER ON sbtest.* TO 'datain'@'%'; \
         GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP ON datain.* TO 'datain'@'%'; \
         GRANT REPLICATION_APPLIER, REPLICATION CLIENT ON *.* TO 'datain'@'%'; \
         SET PERSIST log_bin_trust_function_creators = ON",
    );
    migrate(
        &builder(Flavor::Mysql56).start().expect("a source"),
        &target,
        &[SHOP],
        "[replicate]\ninclude = [\"rental.%\", \"sbtest.%\"]\ndefiner = \"current-user\"\n[check]\nallow = [\"version\"]\n",
    );
}

#[test]
fn between_mariadbs() {
    let start = || builder(Flavor::Mariadb118).start();
    let (source, target) = (start().expect("a source"), start().expect("a target"));
    migrate(&source, &target, &[SHOP], "");
}

/// The whole of it.
fn migrate(source: &Server, target: &Server, definitions: &[&str], extra: &str) {
    let seed = seed("a migration");
    for sql in definitions {
        run(source, sql);
    }
    writers::account(source);
    // A machine that is busy besides must keep up with it.
    let (rows, threads, rate) = if long() {
        (100_000, 4, 200)
    } else {
        (15_000, 2, 100)
    };
    let sysbench = Sysbench::fetch(&Lines)
        .and_then(|sysbench| sysbench.prepare(source, 2, rows))
        .expect("sysbench's tables");
    let folder = TempDir::new().expect("a folder");
    // So slow that there is time to be killed in.
    let extra = format!(
        "[snapshot]\nmax_rows_per_second = {}\n{extra}",
        rows * 2 / 3
    );
    let config =
        Host::config(folder.path(), "migration", source, target, &extra).expect("a config");
    if value(
        target,
        "SELECT COUNT(*) FROM mysql.user WHERE user = 'datain'",
    )
    .as_deref()
        == Some("1")
    {
        as_datain(&config);
    }

    let stop = AtomicBool::new(false);
    let (report, written) = thread::scope(|scope| {
        let writing = writers::start(scope, source, &stop, seed);
        let load = sysbench
            .run_script(source, Script::WriteOnly, 600, threads, Some(rate))
            .expect("sysbench starts");
        let report = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            copy_with_kills(&config, target);
            let mut host = Host::start(&config, &[]).expect("a host");
            verify_equal(&config);
            // sysbench's account may write whatever the source says on old servers, and ends with the first error on others.
            drop(load);
            let report = cut_over(&config);
            // It would go on if the pipeline was started again.
            host.interrupt();
            let exit = host.wait(LIMIT).expect("an interrupted host ends");
            assert_eq!(exit.code, 130, "{exit}");
            report
        }));
        stop.store(true, Ordering::Relaxed);
        let written: Vec<writers::Written> = writing
            .into_iter()
            .map(|session| session.join().expect("a writer"))
            .collect();
        match report {
            Ok(report) => (report, written),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });

    let transactions: u64 = written.iter().map(|one| one.transactions).sum();
    let refused: u64 = written.iter().map(|one| one.refused).sum();
    println!(
        "{transactions} transactions of the shop, {refused} refused; writes were stopped for {} s",
        report["write_stop_seconds"]
    );
    assert!(transactions > 100, "the shop was open");
    for one in &written {
        let (last, stopped) = (
            one.last.expect("it wrote"),
            one.stopped.expect("it was told"),
        );
        assert!(last < stopped, "nobody writes behind the stop");
    }
    let stopped = report["write_stop_seconds"]
        .as_f64()
        .expect("it is measured");
    assert!(stopped < 5.0, "{report}");
    compare::assert_equal(source, target, &["rental", SCHEMA]);
    is_ready(source, target);
}

/// Lets the target be written to by its own account.
fn as_datain(config: &Path) {
    let text = std::fs::read_to_string(config).expect("the configuration");
    let (source, target) = text.split_once("[target]").expect("a target");
    let target = target
        .replacen("user = \"root\"", "user = \"datain\"", 1)
        .replacen(
            &format!("password = \"{ROOT_PASSWORD}\""),
            "password = \"apply-secret\"",
            1,
        );
    std::fs::write(config, format!("{source}[target]{target}")).expect("the configuration");
}

/// Kills the host three times in the midst of the copy; then another one completes it.
fn copy_with_kills(config: &Path, target: &Server) {
    for tables in [1, 5, 9] {
        let mut host = Host::start(config, &[]).expect("a host");
        wait_until(&mut host, || tables_with_rows(target) >= tables);
        host.kill();
        let _ = host.wait(LIMIT);
        let status = json(&Host::command(
            &["status", "-c", path(config), "--format", "json"],
            LIMIT,
        ));
        println!("killed at {}", status["target"]);
        assert!(
            status.to_string().contains("copying"),
            "it was in the midst of the copy: {status}"
        );
    }
    let began = Instant::now();
    let exit = Host::run(config, &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    println!(
        "the copy was completed in {:.1} s more",
        began.elapsed().as_secs_f64()
    );
}

fn tables_with_rows(target: &Server) -> u64 {
    let sql = "SELECT CONCAT('`', TABLE_SCHEMA, '`.`', TABLE_NAME, '`') FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('rental', 'sbtest') AND TABLE_TYPE = 'BASE TABLE'";
    let names = target.query(sql).unwrap_or_default();
    let has_rows = |name: &str| {
        let rows = target.query(&format!("SELECT 1 FROM {name} LIMIT 1"));
        rows.is_ok_and(|rows| !rows.is_empty())
    };
    let names = names.iter().filter_map(|row| row[0].as_deref());
    names.filter(|name| has_rows(name)).count() as u64
}

fn wait_until(host: &mut Host, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !condition() {
        let running = host.is_running().expect("the system answers");
        assert!(running, "it ended by itself:\n{}", host.stderr());
        assert!(Instant::now() < end, "too slow:\n{}", host.stderr());
        thread::sleep(Duration::from_millis(20));
    }
}

fn verify_equal(config: &Path) {
    let began = Instant::now();
    let exit = Host::command(&["verify", "-c", path(config), "--format", "json"], LIMIT);
    let exit = exit.expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    println!(
        "verified in {:.1} s, under load",
        began.elapsed().as_secs_f64()
    );
}

fn cut_over(config: &Path) -> Value {
    let began = Instant::now();
    let exit = Host::command(
        &[
            "cutover",
            "-c",
            path(config),
            "--set-source-read-only",
            "--format",
            "json",
        ],
        LIMIT,
    );
    let report = json(&exit);
    assert_eq!(exit.expect("it ends").code, 0);
    println!("cut over in {:.1} s", began.elapsed().as_secs_f64());
    report
}

/// What the cutover has made.
fn is_ready(source: &Server, target: &Server) {
    for sql in [
        "SELECT GROUP_CONCAT(TRIGGER_NAME ORDER BY TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'rental'",
        "SELECT GROUP_CONCAT(EVENT_NAME, STATUS) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'rental'",
        "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'rental'",
        "SELECT rental.balance_of(7)",
    ] {
        assert_eq!(value(source, sql), value(target, sql), "{sql}");
    }
    // The shop opens again, on the other side.
    let next = "SELECT MAX(customer_id) + 0 FROM rental.customer";
    let before = value(target, next);
    run(
        target,
        "INSERT INTO rental.customer (store_id, name, email, address_id, since) VALUES (1, 'first', 'first@example.com', 1, NOW())",
    );
    assert_ne!(value(target, next), before);
    assert_eq!(
        value(
            target,
            "SELECT what FROM rental.audit ORDER BY audit_id DESC LIMIT 1"
        )
        .as_deref(),
        Some("customer in"),
        "the trigger runs"
    );
}

fn path(config: &Path) -> &str {
    config.to_str().expect("a path in UTF-8")
}

fn json(exit: &anyhow::Result<Exit>) -> Value {
    let exit = exit.as_ref().expect("it ends");
    serde_json::from_str(&exit.stdout).unwrap_or_else(|error| panic!("{error}: {exit}"))
}
