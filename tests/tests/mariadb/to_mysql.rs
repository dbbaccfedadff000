//! From MariaDB 11.8 to MySQL 9.7: what both know arrives, and what MySQL lacks is named.

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run::{self, LIMIT};
use datain_tests::scenarios::{self, Scenario};
use datain_tests::seed::long;
use datain_tests::servers::run;
use datain_throwaway_servers::Flavor;

use super::server;

/// What both know.
fn of_both() -> Vec<Scenario> {
    scenarios::between(Flavor::Mariadb118, Flavor::Mysql97).expect("the scenarios")
}

/// Runs what both know in one stream that begins so, and compares after each scenario.
fn arrive(of_source: &[&str], start: &str) {
    let (source, target) = (
        server(Flavor::Mariadb118, of_source),
        pipeline_run::server(),
    );
    let settings = settings(start);
    for scenario in of_both() {
        run(&source, &scenario.sql);
        replicate(&source, &target, &settings)
            .unwrap_or_else(|error| panic!("{}: {error:?}", scenario.name));
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
}

/// The smoke test of the pair: the program with its plugins checks, copies, streams and compares.
#[test]
fn the_program_checks_copies_streams_and_verifies_to_mysql_9_7() {
    let (source, target) = (server(Flavor::Mariadb118, &[]), pipeline_run::server());
    let scenarios = of_both();
    let types = scenarios.iter().find(|s| s.name == "types.sql");
    let types = types.expect("the types that both know");
    run(&source, &types.sql);
    let folder = TempDir::new().expect("a folder");
    let start = "[start]\nmode = \"snapshot\"\n";
    let config = Host::config(&folder, "cross", &source, &target, start).expect("a configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[pair.version]"), "{exit}");
    let allowed = format!("[check]\nallow = [\"version\"]\n{start}");
    let config =
        Host::config(&folder, "cross", &source, &target, &allowed).expect("a configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    compare::assert_equal(&source, &target, &types.schemas());
    run(
        &source,
        "USE kinds; UPDATE texts SET js = '{\"b\": 1}', tx = CONCAT(IFNULL(tx, ''), 'z'); DELETE FROM numbers WHERE id = 2; INSERT INTO computed (id, a) VALUES (9, 9); \
         CREATE TABLE later (id INT PRIMARY KEY, j JSON DEFAULT '[]', v VARCHAR(9) COLLATE utf8mb4_uca1400_as_cs UNIQUE); INSERT INTO later (id, v) VALUES (1, 'a'), (2, 'A'), (3, 'ä')",
    );
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    compare::assert_equal(&source, &target, &types.schemas());
    let verify = ["verify", "-c", config.to_str().expect("a path")];
    let exit = Host::command(&verify, LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    run(&target, "UPDATE kinds.later SET v = 'b' WHERE id = 2");
    let exit = Host::command(&verify, LIMIT).expect("it ends");
    assert_eq!(exit.code, 1, "{exit}");
}

/// scenarios: mariadb-11.8 → mysql-9.7
/// fidelity: mariadb-11.8 → mysql-9.7: event | the log of MariaDB by GTID; two-phase ALTER; XA | equal
#[test]
fn by_domain_gtids_to_mysql_9_7() {
    arrive(&[], r#"{"mode":"gtid","gtid_set":""}"#);
}

/// fidelity: mariadb-11.8 → mysql-9.7: event | compressed statements and rows of MariaDB (`log_bin_compress`), by file | equal
#[test]
fn by_file_with_compressed_events_and_names_to_mysql_9_7() {
    if !long() {
        return;
    }
    arrive(
        &[
            "log_bin_compress=ON",
            "log_bin_compress_min_len=10",
            "binlog_row_metadata=FULL",
        ],
        r#"{"mode":"position","file":"binlog.000001","position":4}"#,
    );
}

/// fidelity: mariadb-11.8 → mysql-9.7: statement | definitions in words that only MariaDB knows, and types that only it has (UUID, INET4, INET6, sequences, system-versioned tables) | refused with the statement's place, and what to do
#[test]
fn what_mysql_lacks_is_named_to_mysql_9_7() {
    let (source, target) = (server(Flavor::Mariadb118, &[]), pipeline_run::server());
    let by_gtid = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    run(
        &source,
        "CREATE SCHEMA d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(300) COMPRESSED)",
    );
    run(&source, "RESET MASTER");
    run(&target, "CREATE SCHEMA d");
    let mut skipped: Vec<String> = vec!["d.s".to_owned()];
    for (number, (statement, code)) in [
        ("CREATE TABLE d.c0 (id UUID PRIMARY KEY)", "ddl.mariadb-only"),
        ("CREATE TABLE d.c1 (id INT PRIMARY KEY, a INET6)", "ddl.mariadb-only"),
        ("CREATE OR REPLACE TABLE d.c2 (id INT PRIMARY KEY)", "server.syntax"),
        ("CREATE TABLE d.c3 (id INT PRIMARY KEY) WITH SYSTEM VERSIONING", "server.syntax"),
        ("CREATE TABLE d.c4 (id INT PRIMARY KEY) PAGE_CHECKSUM=1", "server.syntax"),
        ("CREATE TABLE d.c5 (id INT PRIMARY KEY, v VARCHAR(9) COLLATE utf8mb4_general_nopad_ci)", "server.error"),
        ("SET STATEMENT sql_mode = 'ORACLE' FOR CREATE TABLE d.c6 (id INT PRIMARY KEY, at DATE)", "ddl.mode-gone"),
        ("SET STATEMENT character_set_collations = 'utf8mb4=utf8mb4_bin' FOR CREATE TABLE d.c7 (id INT PRIMARY KEY, v VARCHAR(9)) CHARSET utf8mb4", "statement.collation-unknown"),
        ("CREATE SEQUENCE d.c8", "server.syntax"),
        ("/*M! CREATE TABLE d.c9 (id INT PRIMARY KEY) */", "ddl.mariadb-only"),
    ]
    .into_iter()
    .enumerate()
    {
        run(&source, statement);
        let mut settings = by_gtid.clone();
        settings.exclude.clone_from(&skipped);
        let error = replicate(&source, &target, &settings).expect_err(statement);
        assert_eq!(error.code, code, "{statement}: {error:?}");
        assert!(error.hint.is_some() && error.gtid.is_some(), "{error:?}");
        skipped.push(format!("d.c{number}"));
    }
}

/// fidelity: mariadb-11.8 → mysql-9.7: statement | the first copy, of the types that both know | equal; collations that MySQL lacks by their stand-ins
#[test]
fn a_first_copy_of_what_both_know_to_mysql_9_7() {
    if !long() {
        return;
    }
    let (source, target) = (server(Flavor::Mariadb118, &[]), pipeline_run::server());
    let mut schemas = Vec::new();
    let scenarios = of_both();
    for scenario in &scenarios {
        run(&source, &scenario.sql);
        schemas.extend(scenario.schemas());
    }
    let settings = settings(r#"{"mode":"snapshot"}"#);
    replicate(&source, &target, &settings).expect("a copy");
    compare::assert_equal(&source, &target, &schemas);
    run(
        &source,
        "UPDATE kinds.texts SET js = '{\"b\": 1}', tx = CONCAT(IFNULL(tx, ''), 'z'); DELETE FROM shop.a WHERE id = 2; INSERT INTO kinds.computed (id, a) VALUES (9, 9)",
    );
    replicate(&source, &target, &settings).expect("the stream");
    compare::assert_equal(&source, &target, &schemas);
}
