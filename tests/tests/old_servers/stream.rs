//! The stream from 5.6 to 9.7.

use std::time::Duration;

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{CUT, fragile, replicate, replicate_into, settings};
use datain_tests::pipeline_run::{LIMIT, server, value, wait_for};
use datain_tests::scenarios::{self, Scenario};
use datain_tests::seed::long;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use crate::{ANY_VERSION, old, started};

/// Everything that is in the log, by GTID and by place.
pub(crate) const BY_GTID: &str = r#"{"mode":"gtid","gtid_set":""}"#;
const BY_PLACE: &str = r#"{"mode":"position","file":"binlog.000001","position":4}"#;

fn chosen() -> Vec<Scenario> {
    let list = scenarios::between(Flavor::Mysql56, Flavor::Mysql97);
    list.expect("scenarios of 5.6")
}

pub(crate) fn arrive(list: &[Scenario], source: &Server, target: &Server, start: &str) {
    assert!(list.len() > 2, "scenarios of 5.6");
    let settings = settings(start);
    for scenario in list {
        run(source, &scenario.sql);
        if let Err(error) = replicate(source, target, &settings) {
            panic!("{}: {error:?}", scenario.name);
        }
        compare::assert_equal(source, target, &scenario.schemas());
    }
}

/// scenarios: mysql-5.6 → mysql-9.7
/// fidelity: mysql-5.6 → mysql-9.7: event | the log of MySQL 5.6, by GTID, with checksums and whole images | equal
#[test]
fn scenarios_arrive_by_gtid() {
    arrive(&chosen(), &started(old()), &server(), BY_GTID);
}

/// The defaults of 5.6, and settings of those who came from 5.5.
///
/// fidelity: mysql-5.6 → mysql-9.7: event | the log of MySQL 5.6, by file, without checksums, with rows of version 1 | equal
/// fidelity: mysql-5.6 → mysql-9.7: type | TIMESTAMP without NULL and DEFAULT under `explicit_defaults_for_timestamp = OFF` | as on the source
#[test]
fn scenarios_arrive_by_place_with_old_settings() {
    let source = old()
        .without_gtid()
        .option("explicit_defaults_for_timestamp=OFF")
        .option("log_bin_use_v1_row_events=ON")
        .option("binlog_checksum=NONE")
        .option("binlog_rows_query_log_events=ON");
    let source = started(source);
    let target = server();
    arrive(&chosen(), &source, &target, BY_PLACE);
    // What only a server without GTIDs does, and what TIMESTAMP means there.
    run(
        &source,
        "CREATE DATABASE ctas; USE ctas; CREATE TABLE s (id INT PRIMARY KEY, v VARCHAR(20)); INSERT INTO s VALUES (1, 'a'), (2, 'b'); \
         CREATE TABLE full_ (PRIMARY KEY (id)) SELECT * FROM s; CREATE TABLE empty_ (PRIMARY KEY (id)) SELECT * FROM s WHERE id > 2; INSERT INTO empty_ SELECT * FROM full_; \
         CREATE TABLE stamps (id INT PRIMARY KEY, first TIMESTAMP, second TIMESTAMP, third TIMESTAMP NULL); INSERT INTO stamps (id) VALUES (1); UPDATE stamps SET id = 2; \
         ALTER TABLE stamps ADD COLUMN fourth TIMESTAMP",
    );
    replicate(&source, &target, &settings(BY_PLACE)).expect("the rest");
    compare::assert_equal(&source, &target, &["ctas"]);
}

/// Partial images, and a connection to the target that is cut after ever more writes.
#[test]
fn scenarios_arrive_over_connections_that_are_cut() {
    if !long() {
        return;
    }
    let source = started(old().option("binlog_row_image=MINIMAL"));
    let target = server();
    let settings = settings(BY_GTID);
    let mut cuts = 0;
    for scenario in chosen() {
        run(&source, &scenario.sql);
        for writes in 12.. {
            let done = fragile(&target, writes)
                .and_then(|session| replicate_into(&source, session, &settings));
            match done {
                Ok(_) => break,
                Err(error) => assert_eq!(error.code, CUT, "{}: {error:?}", scenario.name),
            }
            cuts += 1;
        }
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
    assert!(cuts > 5, "{cuts}");
}

/// The program, over TCP without TLS and with `mysql_native_password`, killed while it streams; the versions differ, which has to be allowed.
#[test]
fn the_program_streams_from_5_6_and_is_killed() {
    let source = started(old());
    let target = server();
    let folder = TempDir::new().expect("a folder");
    let start = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";
    let config = Host::config(&folder, "old", &source, &target, start).expect("a configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[pair.version]"), "{exit}");
    let start = format!("{start}{ANY_VERSION}");
    let config = Host::config(&folder, "old", &source, &target, &start).expect("a configuration");
    run(
        &source,
        "CREATE USER 'repl'@'%' IDENTIFIED BY 'an old password'; GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT ON *.* TO 'repl'@'%'; \
         CREATE DATABASE shop; CREATE TABLE shop.t (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100))",
    );
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let (head, tail) = text.split_once("[target]").expect("a target");
    let root = format!("password = \"{}\"", datain_throwaway_servers::ROOT_PASSWORD);
    let head = head
        .replace("user = \"root\"", "user = \"repl\"")
        .replace(&root, "password = \"an old password\"");
    std::fs::write(&config, format!("{head}[target]{tail}")).expect("the configuration");
    let mut host = Host::start(&config, &[]).expect("the host");
    let rows = |server: &Server| value(server, "SELECT COUNT(*) FROM shop.t").unwrap_or_default();
    for kill in 0..2 {
        for _ in 0..20 {
            run(
                &source,
                "INSERT INTO shop.t (v) SELECT 'ä' UNION ALL SELECT 'b' UNION ALL SELECT 'c'; UPDATE shop.t SET v = CONCAT(v, '+') ORDER BY id DESC LIMIT 2",
            );
        }
        if kill == 0 {
            wait_for(&mut host, "a first row", |_| {
                target
                    .query("SELECT id FROM shop.t LIMIT 1")
                    .ok()?
                    .first()
                    .map(|_| ())
            });
            host.kill();
            host = Host::start(&config, &[]).expect("the host");
        }
    }
    wait_for(&mut host, "all rows", |_| {
        std::thread::sleep(Duration::from_millis(50));
        (target.query("SELECT COUNT(*) FROM shop.t").ok()?[0][0].as_deref() == Some("120"))
            .then_some(())
    });
    host.interrupt();
    host.wait(LIMIT).expect("the host ends");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(rows(&source), "120");
    compare::assert_equal(&source, &target, &["shop"]);
}
