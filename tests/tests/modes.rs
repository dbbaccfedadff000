//! The ways to start, to choose and to connect, each between two real servers through both components.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::time::Duration;

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, caught_up};
use datain_throwaway_servers::{Flavor, Server};

#[test]
fn by_file_and_position_without_gtids() {
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .without_gtid()
            .start()
            .expect("a server")
    };
    let (source, target) = (start(), start());
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE before_it; CREATE TABLE before_it.t (id INT PRIMARY KEY)")
        .expect("data");
    let status = source
        .query("SHOW BINARY LOG STATUS")
        .expect("the position");
    let cell = |i: usize| status[0][i].clone().expect("a value");
    let extra = format!(
        "[start]\nmode = \"position\"\nfile = \"{}\"\nposition = {}\n",
        cell(0),
        cell(1)
    );
    source.sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (2, 2)").expect("data");
    caught_up(&folder, "position", &source, &target, &extra);
    compare::assert_equal(&source, &target, &["d"]);
    // Over new files, with nothing in the last one; then from the checkpoint.
    source
        .sql("UPDATE d.t SET v = 3; FLUSH BINARY LOGS; FLUSH BINARY LOGS")
        .expect("data");
    caught_up(&folder, "position", &source, &target, &extra);
    compare::assert_equal(&source, &target, &["d"]);
    source
        .sql("DELETE FROM d.t WHERE id = 1; ALTER TABLE d.t ADD c INT DEFAULT 5")
        .expect("data");
    caught_up(&folder, "position", &source, &target, &extra);
    compare::assert_equal(&source, &target, &["d"]);
    let missing = target
        .query("SHOW DATABASES LIKE 'before_it'")
        .expect("schemas");
    assert!(
        missing.is_empty(),
        "what was before the position stays away"
    );
}

#[test]
fn from_now_on() {
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    };
    let (source, target) = (start(), start());
    let folder = TempDir::new().expect("a folder");
    for server in [&source, &target] {
        server
            .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)")
            .expect("the same on both");
    }
    caught_up(
        &folder,
        "now",
        &source,
        &target,
        "[start]\nmode = \"now\"\n",
    );
    source.sql("INSERT INTO d.t VALUES (1)").expect("a row");
    caught_up(
        &folder,
        "now",
        &source,
        &target,
        "[start]\nmode = \"now\"\n",
    );
    compare::assert_equal(&source, &target, &["d"]);
    assert_eq!(
        target.query("SELECT COUNT(*) FROM d.t").expect("rows")[0][0].as_deref(),
        Some("1")
    );
}

#[test]
fn only_what_the_filter_lets_through() {
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    };
    let (source, target) = (start(), start());
    let folder = TempDir::new().expect("a folder");
    source
        .sql(
            "CREATE DATABASE shop; CREATE DATABASE other; CREATE TABLE shop.t (id INT PRIMARY KEY); CREATE TABLE shop.tmp_1 (id INT PRIMARY KEY); \
             CREATE TABLE other.t (id INT PRIMARY KEY); INSERT INTO shop.t VALUES (1); INSERT INTO shop.tmp_1 VALUES (1); INSERT INTO other.t VALUES (1); \
             START TRANSACTION; INSERT INTO shop.t VALUES (2); INSERT INTO other.t VALUES (2); COMMIT; DROP TABLE other.t",
        )
        .expect("data");
    let extra = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n[replicate]\ninclude = [\"shop.*\"]\nexclude = [\"shop.tmp_%\"]\n";
    caught_up(&folder, "filter", &source, &target, extra);
    let tables = target
        .query("SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('shop', 'other')")
        .expect("tables");
    assert_eq!(tables, vec![vec![Some("shop.t".to_owned())]]);
    assert_eq!(
        target.query("SELECT COUNT(*) FROM shop.t").expect("rows")[0][0].as_deref(),
        Some("2")
    );
    // The checkpoint covers what was left out as well.
    let executed = source
        .query("SELECT @@global.gtid_executed")
        .expect("gtids")[0][0]
        .clone()
        .expect("gtids");
    let display = target
        .query("SELECT display FROM datain.checkpoints")
        .expect("checkpoint")[0][0]
        .clone()
        .expect("display");
    assert!(
        display.ends_with(&executed.replace('\n', "")),
        "{display} covers {executed}"
    );
}

#[test]
fn over_tls_and_without_it() {
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    };
    let (source, target) = (start(), start());
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)")
        .expect("data");
    let ca = source.ca_file().expect("9.7 makes an authority of its own");
    let modes = [
        ("tls = \"required\"".to_owned(), true),
        (
            format!("tls = \"verify-ca\"\nca = \"{}\"", ca.display()),
            true,
        ),
        ("tls = \"preferred\"".to_owned(), true),
        (
            "tls = \"disabled\"\nget_server_public_key = true".to_owned(),
            false,
        ),
    ];
    let mut newest = 0_u64;
    for (number, (tls, encrypted)) in modes.iter().enumerate() {
        source
            .sql(&format!("INSERT INTO d.t VALUES ({number})"))
            .expect("a row");
        let config = Host::config(
            folder.path(),
            "tls",
            &source,
            &target,
            "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n",
        )
        .expect("a configuration");
        let text = std::fs::read_to_string(&config).expect("the configuration");
        let port = format!("port = {}", source.port());
        std::fs::write(&config, text.replacen(&port, &format!("{port}\n{tls}"), 1))
            .expect("the configuration");
        let mut host = Host::start(&config, &[]).expect("the host");
        // The source itself says how its reader is connected.
        let deadline = std::time::Instant::now() + LIMIT;
        let cipher = loop {
            // A host that has gone may still be listed: the newest thread counts.
            let rows = source
                .query(&format!(
                    "SELECT t.PROCESSLIST_ID, s.VARIABLE_VALUE FROM performance_schema.threads t \
                     JOIN performance_schema.status_by_thread s USING (THREAD_ID) \
                     WHERE t.PROCESSLIST_COMMAND LIKE 'Binlog Dump%' AND s.VARIABLE_NAME = 'Ssl_cipher' AND t.PROCESSLIST_ID > {newest} \
                     ORDER BY 1 DESC"
                ))
                .expect("the threads");
            if let Some(row) = rows.first() {
                newest = row[0]
                    .as_ref()
                    .and_then(|id| id.parse().ok())
                    .expect("an id");
                break row[1].clone().unwrap_or_default();
            }
            assert!(
                std::time::Instant::now() < deadline,
                "the host does not come up with {tls}"
            );
            std::thread::sleep(Duration::from_millis(100));
        };
        assert_eq!(!cipher.is_empty(), *encrypted, "{tls}: cipher {cipher:?}");
        host.interrupt();
        let exit = host.wait(LIMIT).expect("the host ends");
        assert_eq!(exit.code, 130, "{}", exit.stderr);
    }
    caught_up(&folder, "tls", &source, &target, "");
    compare::assert_equal(&source, &target, &["d"]);
}
