//! The troubles that the documentation names, provoked on real servers: each has its code, names what it should, and does what
//! docs/errors.md says: an end with exit status 3 and a hint, or a wait that ends by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{
    FROM_THE_START, LIMIT, caught_up, check, config, failed, replace, server, through, value,
    wait_for,
};
use datain_tests::proxy::{Proxy, Then, WRITE_ROWS, event_type};
use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

const TABLE: &str = "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)";

/// A message must name all of these.
fn names(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is expected in\n{text}");
    }
}

fn start(config: &std::path::Path) -> Host {
    Host::start(config, &["--progress", "json"]).expect("the host starts")
}

fn streaming(host: &mut Host) {
    wait_for(host, "streaming", |host| {
        host.stderr().contains("caught up with what").then_some(())
    });
}

/// Waits until a row is on the target.
fn arrives(host: &mut Host, target: &Server, id: u32) {
    let sql = format!("SELECT COUNT(*) FROM d.t WHERE id = {id}");
    wait_for(host, "row", |_| {
        (value(target, &sql).as_deref() == Some("1")).then_some(())
    });
}

/// Ends a running host in order.
fn end(mut host: Host) -> String {
    host.interrupt();
    let exit = host.wait(LIMIT).expect("the host ends");
    assert_eq!(exit.code, 130, "{exit}");
    exit.stderr
}

#[test]
fn missing_privileges_are_named() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    source
        .sql("CREATE USER weak@'%' IDENTIFIED BY 'throwaway'; GRANT REPLICATION CLIENT ON *.* TO weak@'%'")
        .expect("an account");
    let exit = check(
        &source,
        &target,
        replace("user = \"root\"", "user = \"weak\""),
        "source.privilege-missing",
        3,
    );
    names(&exit.stderr, &["REPLICATION SLAVE", "  server: source "]);
    let folder = TempDir::new().expect("a folder");
    caught_up(&folder, "bad", &source, &target, FROM_THE_START);
    target
        .sql(
            "CREATE USER weak@'%' IDENTIFIED BY 'throwaway'; GRANT ALL ON d.* TO weak@'%'; GRANT ALL ON datain.* TO weak@'%'; \
             REVOKE INSERT ON d.* FROM weak@'%'",
        )
        .expect("an account");
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    let as_weak = |text: String| {
        let (head, tail) = text.split_once("[target]").expect("both servers");
        format!(
            "{head}[target]{}",
            tail.replacen("user = \"root\"", "user = \"weak\"", 1)
        )
    };
    let exit = check(&source, &target, as_weak, "target.privilege-missing", 3);
    names(
        &exit.stderr,
        &["INSERT", "GRANT INSERT ON", "  server: target "],
    );
    // Taken away while it runs.
    target
        .sql("GRANT INSERT ON d.* TO weak@'%'")
        .expect("the privilege");
    let mut host = start(&config(&folder, "bad", &source, &target, as_weak));
    arrives(&mut host, &target, 1);
    target
        .sql("REVOKE INSERT ON d.* FROM weak@'%'")
        .expect("the privilege is taken");
    source.sql("INSERT INTO d.t VALUES (2, 2)").expect("a row");
    let exit = host.wait(LIMIT).expect("the host ends");
    failed(&exit, "server.privilege-missing", 3);
    names(
        &exit.stderr,
        &["INSERT", "  table: d.t", "  server: target ", "errno 1142"],
    );
}

#[test]
fn what_was_purged_is_named() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    source
        .sql("FLUSH BINARY LOGS; PURGE BINARY LOGS TO 'binlog.000002'")
        .expect("purge");
    let uuid = value(&source, "SELECT @@server_uuid").expect("a uuid");
    let exit = check(&source, &target, |text| text, "source.binlog-purged", 3);
    names(&exit.stderr, &[&format!("{uuid}:1-2")]);
    let by_file = replace(
        "mode = \"gtid\"\ngtid_set = \"\"",
        "mode = \"position\"\nfile = \"binlog.000001\"\nposition = 4",
    );
    let exit = check(&source, &target, by_file, "source.binlog-purged", 3);
    names(&exit.stderr, &["binlog.000001", "binlog.000002"]);
}

#[test]
fn another_reader_with_the_same_server_id() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let folder = TempDir::new().expect("a folder");
    let with_id = |name: &str| {
        config(&folder, name, &source, &target, |text| {
            text.replacen("[source]", "[source]\nserver_id = 4711", 1)
        })
    };
    let (one, two) = (with_id("one"), with_id("two"));
    let mut first = start(&one);
    streaming(&mut first);
    let listed = source.query("SHOW REPLICAS").expect("the list");
    let uuid = listed[0]
        .last()
        .cloned()
        .flatten()
        .expect("the first one's uuid");
    let exit = Host::run(&two, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, "server.replica-id-in-use", 3);
    names(&exit.stderr, &["4711", "datain:one", &uuid]);
    names(&exit.stderr, &["datain:two"]);
    // The first one was there before, and stays; at its next look at the list, within a minute, it is told, too.
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    arrives(&mut first, &target, 1);
    let deadline = Instant::now() + Duration::from_secs(100);
    while !first.stderr().contains("server.replica-displaced") {
        assert!(Instant::now() < deadline, "{}", first.stderr());
        std::thread::sleep(Duration::from_millis(200));
    }
    names(&first.stderr(), &["4711"]);
    source.sql("INSERT INTO d.t VALUES (2, 2)").expect("a row");
    arrives(&mut first, &target, 2);
    let listed = source.query("SHOW REPLICAS").expect("the list");
    assert_eq!(
        listed[0].last().cloned().flatten(),
        Some(uuid),
        "it is listed again"
    );
    end(first);
}

#[test]
fn the_same_pipeline_twice() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let folder = TempDir::new().expect("a folder");
    let config = config(&folder, "twice", &source, &target, |text| text);
    let mut first = start(&config);
    streaming(&mut first);
    // On this machine the second one is refused, and the first one goes on.
    let exit = start(&config).wait(LIMIT).expect("it ends");
    failed(&exit, "host.already-running", 3);
    source.sql("INSERT INTO d.t VALUES (0, 0)").expect("a row");
    arrives(&mut first, &target, 0);
    // Another machine does not see the first one's socket: there the second one takes over.
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let elsewhere = TempDir::new().expect("a folder");
    let there = elsewhere.path().join("twice.toml");
    let socket = elsewhere.path().join("c.sock");
    let text = format!("{text}\n[control]\nsocket = \"{}\"\n", socket.display());
    std::fs::write(&there, text).expect("the configuration");
    let mut second = start(&there);
    streaming(&mut second);
    names(
        &second.stderr(),
        &["another reader of this pipeline was connected to the source"],
    );
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    let exit = first.wait(LIMIT).expect("the older host ends");
    let code = if exit.stderr.contains("checkpoint.fenced") {
        "checkpoint.fenced"
    } else {
        "server.replica-id-in-use"
    };
    failed(&exit, code, 3);
    arrives(&mut second, &target, 1);
    // What a killed host leaves behind in the list is no error for its successor.
    second.kill();
    let mut third = start(&there);
    source.sql("INSERT INTO d.t VALUES (2, 2)").expect("a row");
    arrives(&mut third, &target, 2);
    end(third);
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn a_target_that_lacks_a_table_or_a_column_or_has_another_type() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let folder = TempDir::new().expect("a folder");
    caught_up(&folder, "bad", &source, &target, FROM_THE_START);
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    let ends = |change: &str, code: &str, words: &[&str]| {
        target.sql(change).expect("a stranger's change");
        let exit = check(&source, &target, |text| text, code, 3);
        names(&exit.stderr, &["  table: d.t", "  gtid: "]);
        names(&exit.stderr, words);
    };
    ends(
        "RENAME TABLE d.t TO d.away",
        "table.missing",
        &["no such table"],
    );
    ends(
        "RENAME TABLE d.away TO d.t; ALTER TABLE d.t DROP COLUMN v",
        "table.column-count",
        &["2", "1"],
    );
    ends(
        "ALTER TABLE d.t ADD COLUMN v VARCHAR(20)",
        "table.column-type",
        &["`v`"],
    );
    target.sql("ALTER TABLE d.t MODIFY v INT").expect("mended");
    caught_up(&folder, "bad", &source, &target, FROM_THE_START);
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn a_packet_that_is_cut_short_or_lies_about_its_length() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    let lying = Proxy::start(source.port(), |packet| {
        if event_type(packet) == Some(WRITE_ROWS) {
            // It takes the next one's beginning for its own end.
            packet[0] += 6;
        }
    })
    .expect("a proxy");
    let exit = check(
        &source,
        &target,
        through(&source, lying.port()),
        "binlog.malformed",
        3,
    );
    names(&exit.stderr, &["binlog.000001"]);
    // Cut off in the middle, and closed: as when a server dies. Read again, it is whole.
    let done = AtomicBool::new(false);
    let cutting = Proxy::start_closing(source.port(), move |packet| {
        if event_type(packet) == Some(WRITE_ROWS) && !done.swap(true, Ordering::SeqCst) {
            packet.truncate(packet.len() / 2);
            return Then::Close;
        }
        Then::GoOn
    })
    .expect("a proxy");
    let folder = TempDir::new().expect("a folder");
    let config = config(
        &folder,
        "bad",
        &source,
        &target,
        through(&source, cutting.port()),
    );
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    names(&exit.stderr, &["WARN", "net.closed", "retry_in_ms"]);
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn a_target_that_is_read_only() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    target
        .sql("SET GLOBAL super_read_only = ON")
        .expect("read only");
    let exit = check(&source, &target, |text| text, "target.read-only", 3);
    names(
        &exit.stderr,
        &["super_read_only is ON", "  server: target "],
    );
    target
        .sql("SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF")
        .expect("writable");
    let folder = TempDir::new().expect("a folder");
    let config = config(&folder, "bad", &source, &target, |text| text);
    let mut host = start(&config);
    streaming(&mut host);
    target
        .sql("SET GLOBAL super_read_only = ON")
        .expect("read only");
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    waits(&mut host, "server.read-only");
    target
        .sql("SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF")
        .expect("writable");
    arrives(&mut host, &target, 1);
    end(host);
    compare::assert_equal(&source, &target, &["d"]);
}

/// The host says that it waits, why, and what to do; and is still there.
fn waits(host: &mut Host, code: &str) {
    let line = wait_for(host, "line about the wait", |host| {
        let text = host.stderr();
        text.lines()
            .find(|line| line.contains("retry_in_ms") && line.contains(code))
            .map(str::to_owned)
    });
    names(&line, &["WARN", "hint"]);
}

#[test]
fn a_target_that_is_full() {
    let source = server();
    let target = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("innodb_data_file_path=ibdata1:12M:autoextend:max:32M")
        .option("innodb_file_per_table=OFF")
        .start()
        .expect("a server whose tables share one file, which may not grow far");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT)")
        .expect("data");
    let folder = TempDir::new().expect("a folder");
    caught_up(&folder, "full", &source, &target, FROM_THE_START);
    target
        .sql(
            "CREATE DATABASE ballast; CREATE TABLE ballast.t (id INT PRIMARY KEY, v LONGTEXT); \
             INSERT INTO ballast.t VALUES (1, REPEAT('x', 4000000)), (2, REPEAT('x', 4000000)), (3, REPEAT('x', 4000000)), (4, REPEAT('x', 4000000))",
        )
        .expect("a stranger's data");
    let config = config(&folder, "full", &source, &target, |text| text);
    let mut host = start(&config);
    streaming(&mut host);
    for id in 1..=6 {
        source
            .sql(&format!(
                "INSERT INTO d.t VALUES ({id}, REPEAT('y', 3000000))"
            ))
            .expect("a row");
    }
    waits(&mut host, "server.disk-full");
    let line = host.stderr();
    names(&line, &["table=\"d.t\"", "errno 1114"]);
    target.sql("DROP TABLE ballast.t").expect("room");
    arrives(&mut host, &target, 6);
    end(host);
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn an_error_as_json_has_the_servers_own_number() {
    let (mut source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let folder = TempDir::new().expect("a folder");
    caught_up(&folder, "number", &source, &target, FROM_THE_START);
    target.sql("INSERT INTO d.t VALUES (1, 9)").expect("a row");
    source.sql("INSERT INTO d.t VALUES (1, 1)").expect("a row");
    let config = config(&folder, "number", &source, &target, |text| text);
    let exit = Host::run(
        &config,
        &["--until-caught-up", "--log-format", "json"],
        LIMIT,
    )
    .expect("the host ends");
    assert_eq!(exit.code, 3, "{exit}");
    let lines = exit
        .stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let errors: Vec<Value> = lines.filter(|line| line["error"].is_object()).collect();
    assert_eq!(errors.len(), 1, "{exit}");
    let error = &errors[0]["error"];
    assert_eq!(error["code"], "server.duplicate-key");
    assert_eq!(error["errno"], 1062);
    assert_eq!(error["sqlstate"], "23000");
    assert_eq!(error["table"], "d.t");
    assert!(error["gtid"].is_string() && error["position"].is_string());
    let status = || {
        let path = config.to_str().expect("a path");
        let exit = Host::command(&["status", "-c", path, "--format", "json"], LIMIT);
        let exit = exit.expect("it ends");
        serde_json::from_str::<Value>(&exit.stdout).expect("JSON")
    };
    // Left in the target, it is the same; and an error that no server has reported says so.
    assert_eq!(&status()["last_error"], error);
    source.kill();
    let dark = status();
    let dark = dark["source"]["error"].as_object().expect("an error");
    assert!(dark["errno"].is_null() && dark["sqlstate"].is_null());
    assert!(dark.contains_key("errno") && dark["code"].is_string());
}
