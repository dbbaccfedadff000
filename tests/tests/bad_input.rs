//! Everything that can be wrong from the start, or go wrong on the wire: each ends with one clear message, a hint and the documented exit code,
//! and with nothing applied that should not be.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::time::{Duration, Instant};

use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, check, replace, server, through};
use datain_tests::proxy::{Proxy, WRITE_ROWS, event_type};
use datain_throwaway_servers::{Flavor, Server};

#[test]
fn what_is_wrong_before_the_first_event() {
    let (source, target) = (server(), server());
    let port = format!("port = {}", source.port());
    check(
        &source,
        &target,
        replace("password = \"", "password = \"not-"),
        "server.access-denied",
        3,
    );
    check(
        &source,
        &target,
        replace(&port, "port = 1"),
        "net.refused",
        3,
    );
    check(
        &source,
        &target,
        replace("host = \"127.0.0.1\"", "host = \"no-such-host.invalid\""),
        "net.name-unknown",
        3,
    );
    check(
        &source,
        &target,
        replace(&port, &format!("{port}\ntls = \"verify-ca\"")),
        "tls.untrusted-certificate",
        3,
    );
    check(
        &source,
        &target,
        replace("[start]", "[strat]"),
        "config.unknown-key",
        2,
    );
    check(
        &source,
        &target,
        replace("gtid_set = \"\"", "gtid_set = \"x\""),
        "config.invalid",
        2,
    );
    let unknown = "gtid_set = \"aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1-5\"";
    check(
        &source,
        &target,
        replace("gtid_set = \"\"", unknown),
        "source.diverged",
        3,
    );
    // An account that may log in, and no more.
    source
        .sql("CREATE USER weak@'%' IDENTIFIED BY 'throwaway'")
        .expect("an account");
    check(
        &source,
        &target,
        replace("user = \"root\"", "user = \"weak\""),
        "source.privilege-missing",
        3,
    );
    // Transactions that the log no longer holds.
    source
        .sql("CREATE DATABASE d; FLUSH BINARY LOGS")
        .expect("a second file");
    source
        .sql("PURGE BINARY LOGS TO 'binlog.000002'")
        .expect("purge");
    let exit = check(&source, &target, |text| text, "source.binlog-purged", 3);
    assert!(
        exit.stderr.contains(":1"),
        "the missing transactions are named:\n{}",
        exit.stderr
    );
    // The data was never touched.
    let schemas = target
        .query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'd'")
        .expect("schemas");
    assert!(schemas.is_empty());
}

#[test]
fn servers_that_cannot_be_a_source() {
    let target = server();
    let without_log = Server::builder(Flavor::Mysql97)
        .relaxed()
        .without_gtid()
        .option("skip-log-bin")
        .start()
        .expect("a server");
    check(
        &without_log,
        &target,
        replace("mode = \"gtid\"\ngtid_set = \"\"", "mode = \"now\""),
        "source.log-bin-off",
        3,
    );
    drop(without_log);
    let statements = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("binlog_format=STATEMENT")
        .start()
        .expect("a server");
    check(
        &statements,
        &target,
        |text| text,
        "source.format-not-row",
        3,
    );
    drop(statements);
    let plain = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("tls_version=")
        .start()
        .expect("a server");
    let port = format!("port = {}", plain.port());
    check(
        &plain,
        &target,
        replace(&port, &format!("{port}\ntls = \"required\"")),
        "tls.not-offered",
        3,
    );
}

#[test]
fn what_is_damaged_on_the_wire() {
    let (source, target) = (server(), server());
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)")
        .expect("data");
    let flipped = Proxy::start(source.port(), |packet| {
        if event_type(packet) == Some(WRITE_ROWS) {
            packet[4 + 1 + 19 + 12] ^= 0x40;
        }
    });
    let exit = check(
        &source,
        &target,
        through(&source, flipped.expect("a proxy").port()),
        "binlog.checksum",
        3,
    );
    assert!(
        exit.stderr.contains("  position: binlog.000001:"),
        "{}",
        exit.stderr
    );
    let cut_short = Proxy::start(source.port(), |packet| {
        if event_type(packet) == Some(WRITE_ROWS) {
            // A packet that says of itself that it ends before the event does.
            packet.truncate(packet.len() - 6);
            packet[0] -= 6;
        }
    });
    check(
        &source,
        &target,
        through(&source, cut_short.expect("a proxy").port()),
        "binlog.malformed",
        3,
    );
    let out_of_order = Proxy::start(source.port(), |packet| {
        if event_type(packet) == Some(WRITE_ROWS) {
            packet[3] ^= 0x55;
        }
    });
    check(
        &source,
        &target,
        through(&source, out_of_order.expect("a proxy").port()),
        "protocol.sequence",
        3,
    );
    // Without checksums the type can be changed to one that nobody knows.
    source
        .sql("SET PERSIST binlog_checksum = NONE; INSERT INTO d.t VALUES (2)")
        .expect("data");
    let gone_on = source
        .query("SELECT @@global.gtid_executed")
        .expect("gtids");
    let before = gone_on[0][0].clone().expect("gtids").replace('\n', "");
    source.sql("INSERT INTO d.t VALUES (3)").expect("data");
    let unknown = Proxy::start(source.port(), |packet| {
        if event_type(packet) == Some(WRITE_ROWS) {
            packet[9] = 113;
        }
    })
    .expect("a proxy");
    let to_proxy = through(&source, unknown.port());
    // A pipeline of its own: one that has begun goes on from its checkpoint, not from gtid_set.
    let change = |text: String| {
        to_proxy(text.replacen("name = \"bad\"", "name = \"afresh\"", 1))
            .replace("gtid_set = \"\"", &format!("gtid_set = \"{before}\""))
    };
    let exit = check(&source, &target, change, "binlog.unknown-event", 3);
    assert!(
        exit.stderr.contains("113") && exit.stderr.contains("  gtid: "),
        "{}",
        exit.stderr
    );
    // Rows that did not arrive whole are not there.
    let rows = target.query("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd' AND TABLE_NAME = 't'").expect("tables");
    if rows[0][0].as_deref() == Some("1") {
        assert_eq!(
            target.query("SELECT COUNT(*) FROM d.t").expect("rows")[0][0].as_deref(),
            Some("0")
        );
    }
}

#[test]
fn a_target_that_differs() {
    let (source, target) = (server(), server());
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
        .expect("data");
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(
        folder.path(),
        "bad",
        &source,
        &target,
        "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n",
    )
    .expect("a configuration");
    let run = |status: i32, code: &str, named: &str| {
        let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
        assert_eq!(exit.code, status, "{}", exit.stderr);
        if status != 0 {
            assert!(
                exit.stderr.contains(&format!("error[{code}]: ")),
                "{code}:\n{}",
                exit.stderr
            );
            assert!(exit.stderr.contains("  table: d.t"), "{}", exit.stderr);
            // What is found before the start has no place in the stream.
            let before = ["table.triggers", "table.no-key"].contains(&code);
            assert_ne!(exit.stderr.contains("  gtid: "), before, "{}", exit.stderr);
            assert!(exit.stderr.contains(named), "{}", exit.stderr);
        }
    };
    run(0, "", "");
    // Somebody wrote to the target: the row is there already, then missing; nothing of either group is kept.
    target
        .sql("INSERT INTO d.t VALUES (1, 1)")
        .expect("a stranger's row");
    source
        .sql("INSERT INTO d.t VALUES (7, 7), (1, 10)")
        .expect("rows");
    run(3, "server.duplicate-key", "errno 1062");
    assert_eq!(
        target.query("SELECT COUNT(*) FROM d.t").expect("rows")[0][0].as_deref(),
        Some("1")
    );
    target.sql("DELETE FROM d.t").expect("mended");
    run(0, "", "");
    target
        .sql("DELETE FROM d.t WHERE id = 1")
        .expect("a stranger's delete");
    source
        .sql("UPDATE d.t SET v = 11 WHERE id IN (1, 7)")
        .expect("an update");
    run(3, "row.missing", "looked up by: id");
    assert_eq!(
        target
            .query("SELECT v FROM d.t WHERE id = 7")
            .expect("rows")[0][0]
            .as_deref(),
        Some("7")
    );
    target
        .sql("INSERT INTO d.t VALUES (1, 10)")
        .expect("mended");
    run(0, "", "");
    // A column too many, then another type, then a trigger.
    target
        .sql("ALTER TABLE d.t ADD c INT")
        .expect("a stranger's column");
    source.sql("INSERT INTO d.t VALUES (2, 2)").expect("a row");
    run(3, "table.column-count", "3");
    target
        .sql("ALTER TABLE d.t DROP c, MODIFY v BIGINT")
        .expect("another type");
    run(3, "table.column-type", "`v`");
    target.sql("ALTER TABLE d.t MODIFY v INT; CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.v = 0").expect("a trigger");
    run(3, "table.triggers", "trigger");
    target
        .sql("DROP TRIGGER d.g; ALTER TABLE d.t DROP PRIMARY KEY")
        .expect("no key");
    run(3, "table.no-key", "primary key");
    target
        .sql("ALTER TABLE d.t ADD PRIMARY KEY (id)")
        .expect("mended");
    run(0, "", "");
    datain_tests::compare::assert_equal(&source, &target, &["d"]);
}

/// Starts a pipeline, changes the target under it, and lets a row come: the stream has rules of its own.
fn check_after_the_start(change: &str, code: &str) {
    let (source, target) = (server(), server());
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
        .expect("data");
    let folder = TempDir::new().expect("a folder");
    let start = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";
    let config =
        Host::config(folder.path(), "bad", &source, &target, start).expect("a configuration");
    let mut host = Host::start(&config, &[]).expect("a host");
    let arrived = "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'";
    let deadline = Instant::now() + LIMIT;
    while target.query(arrived).expect("tables").is_empty() {
        assert!(Instant::now() < deadline, "{}", host.stderr());
        std::thread::sleep(Duration::from_millis(50));
    }
    target.sql(change).expect("a stranger's change");
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    let exit = host.wait(LIMIT).expect("the host ends");
    assert_eq!(exit.code, 3, "{exit}");
    for part in [&format!("error[{code}]: "), "  table: d.t", "  gtid: "] {
        assert!(exit.stderr.contains(part), "{part}: {exit}");
    }
}

#[test]
fn a_target_that_changes_after_the_start() {
    check_after_the_start(
        "CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.v = 0",
        "table.triggers",
    );
    check_after_the_start("ALTER TABLE d.t DROP PRIMARY KEY", "table.no-key");
    check_after_the_start("ALTER TABLE d.t ENGINE = MyISAM", "table.engine");
}

#[test]
fn an_account_that_sees_no_triggers() {
    let (source, target) = (server(), server());
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)")
        .expect("data");
    target
        .sql(
            "CREATE USER apply@'%' IDENTIFIED BY 'throwaway'; GRANT ALL ON d.* TO apply@'%'; GRANT ALL ON datain.* TO apply@'%'; \
             REVOKE TRIGGER ON d.* FROM apply@'%'",
        )
        .expect("an account");
    let as_apply = |text: String| {
        let (head, tail) = text.split_once("[target]").expect("both servers");
        format!(
            "{head}[target]{}",
            tail.replacen("user = \"root\"", "user = \"apply\"", 1)
        )
    };
    let exit = check(&source, &target, as_apply, "table.triggers-unseen", 3);
    assert!(
        exit.stderr
            .contains("GRANT TRIGGER ON `d`.* TO 'apply'@'%'"),
        "{}",
        exit.stderr
    );
    // DDL is done without a GTID of datain's own, which this account may not choose; a statement that the server refuses does not count as begun.
    target
        .sql("GRANT TRIGGER ON d.* TO apply@'%'; REVOKE ALTER ON d.* FROM apply@'%'")
        .expect("a privilege");
    source.sql("ALTER TABLE d.t ADD c INT").expect("DDL");
    check(&source, &target, as_apply, "server.privilege-missing", 3);
    check(&source, &target, as_apply, "server.privilege-missing", 3);
    target
        .sql("GRANT ALTER ON d.* TO apply@'%'")
        .expect("a privilege");
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(
        folder.path(),
        "bad",
        &source,
        &target,
        "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n",
    )
    .expect("a configuration");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, as_apply(text)).expect("the configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    datain_tests::compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn another_flavour_must_be_allowed_mariadb_11_8() {
    let source = server();
    let target = Server::builder(Flavor::Mariadb118)
        .relaxed()
        .start()
        .expect("a server");
    check(&source, &target, |text| text, "pair.version", 3);
    check(&target, &source, |text| text, "pair.version", 3);
}
