//! Streams between two servers of the same version: by GTID and by file, in each way in which MariaDB can log.

use datain_contract::types::Error;
use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use super::{own_scenarios, server};

/// Runs the scenarios one after the other in one stream that begins so, and compares after each.
fn arrive(flavor: Flavor, of_source: &[&str], start: &str) {
    let (source, target) = (server(flavor, of_source), server(flavor, &[]));
    let settings = settings(start);
    for scenario in own_scenarios() {
        if let Err(error) = source.sql(&scenario.sql) {
            panic!("{} does not run on the source: {error}", scenario.name);
        }
        through(&source, &target, &settings)
            .unwrap_or_else(|error| panic!("{}: {error:?}", scenario.name));
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
}

fn through(
    source: &Server,
    target: &Server,
    settings: &datain_capture::reader::Settings,
) -> Result<(), Error> {
    replicate(source, target, settings).map(|_| ())
}

/// fidelity: type | all types of MariaDB but COMPRESSED columns and VECTOR; UUID, INET4, INET6 also in keys | equal on the same version
/// fidelity: event | the log of MariaDB 11.8 and 10.11, by GTID; two-phase ALTER; XA | equal on the same version
#[test]
fn by_domain_gtids_mariadb_11_8() {
    arrive(Flavor::Mariadb118, &[], r#"{"mode":"gtid","gtid_set":""}"#);
}

/// fidelity: event | compressed statements and rows of MariaDB (`log_bin_compress`), by file | equal on the same version
#[test]
fn by_file_with_compressed_events_and_names_mariadb_11_8() {
    arrive(
        Flavor::Mariadb118,
        &[
            "log_bin_compress=ON",
            "log_bin_compress_min_len=10",
            "binlog_row_metadata=FULL",
        ],
        r#"{"mode":"position","file":"binlog.000001","position":4}"#,
    );
}

#[test]
fn by_domain_gtids_mariadb_10_11() {
    arrive(Flavor::Mariadb1011, &[], r#"{"mode":"gtid","gtid_set":""}"#);
}

/// fidelity: event | transactions of several domains, and of a server that was replaced by another | equal, by GTID
#[test]
fn domains_go_on_at_another_server_mariadb_11_8() {
    let (source, target) = (
        server(Flavor::Mariadb118, &["log_slave_updates=ON"]),
        server(Flavor::Mariadb118, &[]),
    );
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    run(
        &source,
        "CREATE SCHEMA d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); SET SESSION gtid_domain_id = 7; INSERT INTO d.t VALUES (1, 1); \
         SET SESSION gtid_domain_id = 0; INSERT INTO d.t VALUES (2, 2); FLUSH BINARY LOGS; SET SESSION gtid_domain_id = 9; INSERT INTO d.t VALUES (3, 3)",
    );
    let newest = replicate(&source, &target, &settings).expect("a stream");
    assert_eq!(newest.display.matches('-').count(), 6, "{}", newest.display);
    // Another server, which has had all of it, with a log of its own.
    let next = server(Flavor::Mariadb118, &["log_slave_updates=ON"]);
    let port = source.port();
    run(
        &next,
        &format!(
            "CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, MASTER_USER = 'root', MASTER_PASSWORD = '{}', MASTER_USE_GTID = slave_pos, MASTER_SSL = 0; START SLAVE",
            datain_throwaway_servers::ROOT_PASSWORD
        ),
    );
    wait_until(&next, "SELECT COUNT(*) FROM d.t", "3");
    run(
        &next,
        "STOP SLAVE; INSERT INTO d.t VALUES (4, 4); UPDATE d.t SET v = v + 1",
    );
    replicate(&next, &target, &settings).expect("the stream of the other server");
    compare::assert_equal(&next, &target, &["d"]);
    // The old one lacks what the new one has had since.
    let error = replicate(&source, &target, &settings).expect_err("a source that is behind");
    assert_eq!(error.code, "source.diverged", "{error:?}");
}

fn wait_until(server: &Server, sql: &str, wanted: &str) {
    let begun = std::time::Instant::now();
    loop {
        let found = server
            .query(sql)
            .ok()
            .and_then(|rows| rows.into_iter().next()?.into_iter().next()?);
        if found.as_deref() == Some(wanted) {
            return;
        }
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(20),
            "{sql}: {found:?}"
        );
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// A place belongs to one file of one server, which cannot be told by its server id and its file's name.
#[test]
fn a_file_of_another_time_is_refused_mariadb_11_8() {
    let (source, target) = (
        server(Flavor::Mariadb118, &[]),
        server(Flavor::Mariadb118, &[]),
    );
    let settings = settings(r#"{"mode":"position","file":"binlog.000001","position":4}"#);
    run(
        &source,
        "CREATE SCHEMA d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)",
    );
    replicate(&source, &target, &settings).expect("a stream");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    run(
        &source,
        "RESET MASTER; CREATE SCHEMA e; CREATE TABLE e.t (id INT PRIMARY KEY); INSERT INTO e.t VALUES (1), (2); INSERT INTO e.t VALUES (3); INSERT INTO e.t VALUES (4)",
    );
    let error = replicate(&source, &target, &settings).expect_err("another file");
    assert_eq!(error.code, "source.other-server", "{error:?}");
}

/// fidelity: type | sequences of MariaDB in the stream | equal: each value that is logged is stored
/// fidelity: type | system-versioned tables and COMPRESSED columns of MariaDB in the stream | refused with `table.system-versioned` and `binlog.column-type`: exclude them
#[test]
fn sequences_arrive_and_histories_are_refused_mariadb_11_8() {
    let (source, target) = (
        server(Flavor::Mariadb118, &[]),
        server(Flavor::Mariadb118, &[]),
    );
    let by_gtid = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    run(
        &source,
        "CREATE SCHEMA d; USE d; CREATE SEQUENCE s CACHE 10; CREATE TABLE t (id INT PRIMARY KEY DEFAULT NEXTVAL(s)); INSERT INTO t VALUES (DEFAULT), (DEFAULT); \
         INSERT INTO t SELECT NEXTVAL(s) FROM seq_1_to_30; SELECT SETVAL(s, 500); ALTER SEQUENCE s INCREMENT 5",
    );
    replicate(&source, &target, &by_gtid).expect("a stream");
    let state = |server: &Server| server.query("SELECT * FROM d.s").expect("a sequence");
    assert_eq!(state(&source), state(&target));
    compare::assert_equal(&source, &target, &["d"]);
    for (made, changed, gone, code) in [
        (
            "CREATE TABLE d.kept (id INT PRIMARY KEY) WITH SYSTEM VERSIONING",
            "INSERT INTO d.kept VALUES (1); UPDATE d.kept SET id = 2",
            "DROP TABLE d.kept",
            "table.system-versioned",
        ),
        (
            "CREATE TABLE d.packed (id INT PRIMARY KEY, v VARCHAR(300) COMPRESSED)",
            "INSERT INTO d.packed VALUES (1, REPEAT('x', 300))",
            "DROP TABLE d.packed",
            "binlog.column-type",
        ),
    ] {
        run(&source, made);
        run(&source, changed);
        let error = replicate(&source, &target, &by_gtid).expect_err(made);
        assert_eq!(error.code, code, "{error:?}");
        run(&source, gone);
        let mut without = by_gtid.clone();
        without.exclude = vec!["d.kept".to_owned(), "d.packed".to_owned()];
        replicate(&source, &target, &without).expect("the rest");
    }
}
