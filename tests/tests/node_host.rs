//! The plugins in a host that is not ours: `examples/node-host`, which has its own sockets, TLS and threads, and runs the components through jco.
//!
//! The short form replicates a small shop, from its first copy on, while it is written to; the host is killed in the middle and started again. The long
//! form (`DATAIN_LONG=1`) is sysbench's load of 20 s. Both servers let the accounts in over TLS only, and the host verifies their certificates.
//! Where there is no Node 20, or npm cannot get the packages, the tests say so and end.

// The ban is on std's clocks, which trap inside a plugin. This is native code.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::pipeline_run::{caught_up, failed};
use datain_tests::seed::{self, Rng};
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::sysbench::{Load, SCHEMA, Sysbench};
use datain_throwaway_servers::{Client, Lines, Server, node_packages};
use serde_json::{Value, json};

/// How long catching up may take: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn a_shop_arrives_whole_though_the_second_host_is_killed() {
    let Some(node) = NodeHost::find() else { return };
    let begun = Instant::now();
    let (source, target) = (tls_only(), tls_only());
    run(&source, SHOP);
    let config = node.config(&source, &target, &json!({ "mode": "snapshot" }));
    let mut host = node.start(&config, &[]);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        // A scope waits for its threads, also when something below panics.
        let writing = StopOnDrop(&stop);
        for session in 1..=3 {
            let (client, stop) = (source.client(), &stop);
            scope.spawn(move || shop(client, session, stop));
        }
        wait_until(&mut host, "customers on the target", |_| {
            value(&target, "SELECT COUNT(*) FROM shop.customers") > 0
        });
        host.kill();
        println!(
            "{:.1} s: killed the host at {}",
            begun.elapsed().as_secs_f64(),
            position(&target)
        );
        host = node.start(&config, &[]);
        wait_until(&mut host, "the end of the first copy", |_| {
            !position(&target).contains("copying")
        });
        println!("{:.1} s: copied", begun.elapsed().as_secs_f64());
        run(
            &source,
            "ALTER TABLE shop.customers ADD COLUMN note VARCHAR(30) DEFAULT 'new' AFTER name",
        );
        for kill in [true, false] {
            let before = value(&target, "SELECT COUNT(*) FROM shop.orders");
            wait_until(&mut host, "more orders on the target", |_| {
                value(&target, "SELECT COUNT(*) FROM shop.orders") > before + 100
            });
            if kill {
                host.kill();
                println!(
                    "{:.1} s: killed the host at {}",
                    begun.elapsed().as_secs_f64(),
                    position(&target)
                );
                host = node.start(&config, &[]);
            }
        }
        drop(writing);
        println!("{:.1} s: written", begun.elapsed().as_secs_f64());
    });
    host.terminate();
    let exit = host.wait(PATIENCE).expect("a terminated host ends");
    assert_eq!(exit.code, 130, "{exit}");
    node.caught_up(&config);
    compare::assert_equal(&source, &target, &["shop"]);
    assert_eq!(executed(&source), covered(&target));
    println!(
        "{:.1} s: equal at {}",
        begun.elapsed().as_secs_f64(),
        position(&target)
    );

    // Both hosts know the same pipeline: what the one began the other goes on with.
    run(
        &source,
        "INSERT INTO shop.customers (name, note) VALUES ('Åsa', 'by the other host')",
    );
    caught_up(&node.folder, PIPELINE, &source, &target, "");
    compare::assert_equal(&source, &target, &["shop"]);
}

#[test]
fn sysbench_arrives_whole_in_the_second_host() {
    if !seed::long() {
        println!("left out: the shop stands for it; DATAIN_LONG=1 runs it");
        return;
    }
    let Some(node) = NodeHost::find() else { return };
    let mut random = Rng::with_seed(seed::seed("node host"));
    let (source, target) = (tls_only(), tls_only());
    // From the source's first transaction on: the accounts are made on both sides, and left out.
    let config = node.config(
        &source,
        &target,
        &json!({ "mode": "gtid", "gtid_set": executed(&source) }),
    );
    let tables = Sysbench::fetch(&Lines)
        .and_then(|sysbench| sysbench.prepare(&source, 4, 10_000))
        .expect("sysbench's tables");
    let load = tables.run(&source, 20, 8).expect("the load starts");
    let mut host = node.start(&config, &[]);
    kill_at_work(&node, &config, &target, &mut host, &mut random);
    println!("on the source: {}", load.finish().expect("the load"));
    let ended = Instant::now();
    // Before that, the signal may find node without anybody who listens to it.
    wait_until(&mut host, "a stream", |host| {
        host.stderr().contains("streaming")
    });
    host.terminate();
    let exit = host.wait(PATIENCE).expect("a terminated host ends");
    assert_eq!(exit.code, 130, "{exit}");
    let exit = node.caught_up(&config);
    println!(
        "caught up {:.1} s after the load's end: {}",
        ended.elapsed().as_secs_f64(),
        exit.stderr.lines().last().unwrap_or_default()
    );
    compare::assert_equal(&source, &target, &[SCHEMA]);
    assert_eq!(executed(&source), covered(&target));
    let rows: u64 = (1..=4)
        .map(|n| value(&target, &format!("SELECT COUNT(*) FROM {SCHEMA}.sbtest{n}")))
        .sum();
    assert_eq!(rows, 4 * 10_000);

    // The same load without a host leaves a backlog: now the target's side is as busy as it can be when the host is killed.
    let load = tables.run(&source, 20, 8).and_then(Load::finish);
    println!("without a host, on the source: {}", load.expect("the load"));
    let mut host = node.start(&config, &[]);
    kill_at_work(&node, &config, &target, &mut host, &mut random);
    drop(host);
    let exit = node.caught_up(&config);
    println!("{}", exit.stderr.lines().last().unwrap_or_default());
    compare::assert_equal(&source, &target, &[SCHEMA]);
    assert_eq!(executed(&source), covered(&target));
}

/// Kills the host a moment after it has got something done, for before there is nothing to lose; and starts another.
fn kill_at_work(
    node: &NodeHost,
    config: &Path,
    target: &Server,
    host: &mut Host,
    random: &mut Rng,
) {
    let before = value(target, ORDINAL);
    wait_until(host, "transactions on the target", |_| {
        value(target, ORDINAL) > before + 500
    });
    thread::sleep(Duration::from_secs_f64(random.f64()));
    assert!(running(host), "it ended by itself:\n{}", host.stderr());
    host.kill();
    println!("killed the host at {}", position(target));
    *host = node.start(config, &[]);
}

/// A server that is killed and comes back is passing trouble: the same host goes on.
#[test]
fn the_second_host_goes_on_when_servers_come_back() {
    if !seed::long() {
        println!("left out: it takes 30 s; DATAIN_LONG=1 runs it");
        return;
    }
    let Some(node) = NodeHost::find() else { return };
    let (mut source, mut target) = (tls_only(), tls_only());
    let config = node.config(&source, &target, &json!({ "mode": "now" }));
    let mut host = node.start(&config, &[]);
    wait_until(&mut host, "a stream", |_| {
        position(&target).contains("binlog")
    });
    run(
        &source,
        "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)",
    );
    for id in 1..=4 {
        let server = if id % 2 == 1 {
            &mut source
        } else {
            &mut target
        };
        server.kill();
        thread::sleep(Duration::from_secs(1));
        server.restart().expect("the killed server comes back");
        run(&source, &format!("INSERT INTO d.t VALUES ({id})"));
        wait_until(&mut host, "the row", |_| {
            value(&target, "SELECT COUNT(*) FROM d.t") == id
        });
    }
    host.terminate();
    let exit = host.wait(PATIENCE).expect("a terminated host ends");
    assert_eq!(exit.code, 130, "{exit}");
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn trouble_is_told_in_one_message_with_a_hint() {
    let Some(node) = NodeHost::find() else { return };
    let server = tls_only();
    let good: Value = serde_json::from_str(
        &fs::read_to_string(node.config(&server, &server, &json!({ "mode": "now" })))
            .expect("the file"),
    )
    .expect("JSON");
    let check = |pointer: &str, value: Value, code: &str, status: i32| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect(pointer) = value;
        let exit = node.run(&node.write("bad.json", &bad), &["--until-caught-up"]);
        failed(&exit, code, status);
        assert!(!exit.stderr.contains(PASSWORD), "{}", exit.stderr);
        exit
    };
    check("/target/port", json!("3306"), "config.invalid", 2);
    check("/target/ca", json!("none.pem"), "config.unreadable", 2);
    // Nothing listens on port 1.
    check("/target/port", json!(1), "net.refused", 3);
    let other = node.folder.path().join("other.pem");
    fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node_host.pem"),
        &other,
    )
    .expect("a certificate");
    check("/target/ca", json!(other), "tls.untrusted-certificate", 3);
    check(
        "/target/tls",
        json!("verify-identity"),
        "tls.name-mismatch",
        3,
    );
    check(
        "/target/password",
        json!("wrong"),
        "server.access-denied",
        3,
    );
    // What only the plugins know.
    let elsewhere =
        json!({ "mode": "gtid", "gtid_set": "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77" });
    check("/start", elsewhere, "source.diverged", 3);
}

/// How many transactions the checkpoint covers.
const ORDINAL: &str = "SELECT ordinal FROM datain.checkpoints";

const PIPELINE: &str = "node";

const PASSWORD: &str = "only over TLS";

/// A server that lets the host's account in over TLS only.
fn tls_only() -> Server {
    let server = server();
    run(
        &server,
        &format!(
            "CREATE USER mover@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL; GRANT ALL ON *.* TO mover@'%' WITH GRANT OPTION"
        ),
    );
    server
}

const SHOP: &str = "CREATE DATABASE shop; USE shop;
    CREATE TABLE customers (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(40) CHARACTER SET latin1 NOT NULL, since DATETIME(3), UNIQUE KEY (name));
    CREATE TABLE orders (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, total DECIMAL(12, 2), state ENUM('open', 'paid', 'sent'),
                         placed TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6), FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE);
    CREATE TABLE documents (id BINARY(16) PRIMARY KEY, body JSON, scan LONGBLOB, weight DOUBLE, flags BIT(10));
    SET cte_max_recursion_depth = 5000;
    INSERT INTO customers (name, since) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000) SELECT CONCAT('Zoë ', n), NOW(3) FROM n;
    INSERT INTO documents SELECT UUID_TO_BIN(UUID()), JSON_OBJECT('n', id, 'name', name), REPEAT(name, 100), RAND(), id % 1024 FROM customers LIMIT 500";

/// Changes all of the shop's tables until it is told to stop.
fn shop(mut client: Client, session: u32, stop: &AtomicBool) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let name = format!("{session}/{number}");
        let transaction = format!(
            "USE shop; BEGIN; INSERT INTO customers (name, since) VALUES ('Ünal {name}', NOW(3)); SET @c = LAST_INSERT_ID();
             INSERT INTO orders (customer, total, state) VALUES (@c, {number}.25, 'open'), (@c, -{number}, 'paid'), (@c, NULL, 'open');
             UPDATE orders SET state = 'sent' WHERE customer = @c AND state = 'open'; COMMIT;
             INSERT INTO documents VALUES (UUID_TO_BIN(UUID()), JSON_OBJECT('list', JSON_ARRAY({number}, 1.5, NULL)), REPEAT('{name}', 500), RAND(), 5);
             UPDATE documents SET body = JSON_SET(body, '$.seen', {number}) ORDER BY id LIMIT 2;
             DELETE FROM customers WHERE id = @c AND {number} % 5 = 0"
        );
        // Sessions may lock each other out: then one of them changes nothing.
        let _ = client.execute(&transaction);
        // The test is about order and kills, not about speed.
        thread::sleep(Duration::from_millis(20));
    }
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The second host, and a folder for its files.
struct NodeHost {
    program: PathBuf,
    packages: PathBuf,
    folder: TempDir,
}

impl NodeHost {
    /// None, and the reason printed, where it cannot be run.
    fn find() -> Option<Self> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/node-host");
        match node_packages::install(&program, &Lines) {
            Ok(packages) => Some(Self {
                program,
                packages,
                folder: TempDir::new().expect("a folder"),
            }),
            Err(error) => {
                println!("left out: the second host cannot be run here: {error}");
                None
            }
        }
    }

    /// Writes the configuration of a pipeline between the two, with verified TLS.
    fn config(&self, source: &Server, target: &Server, start: &Value) -> PathBuf {
        let server = |server: &Server| {
            json!({
                "host": "127.0.0.1", "port": server.port(), "user": "mover", "password": PASSWORD,
                "tls": "verify-ca", "ca": server.ca_file().expect("9.7 makes an authority of its own"),
            })
        };
        let config = json!({
            "name": PIPELINE, "source": server(source), "target": server(target), "start": start,
        });
        self.write("node.json", &config)
    }

    fn write(&self, name: &str, config: &Value) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, config.to_string()).expect("the configuration");
        // It holds a password.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the mode");
        path
    }

    fn start(&self, config: &Path, arguments: &[&str]) -> Host {
        let mut command = Command::new("node");
        command
            .arg(self.program.join("src/main.js"))
            .arg(config)
            .args(arguments)
            .env("DATAIN_NODE_PACKAGES", &self.packages)
            .env_remove("NODE_OPTIONS");
        Host::of(command).expect("node starts")
    }

    fn run(&self, config: &Path, arguments: &[&str]) -> Exit {
        let ended = self.start(config, arguments).wait(PATIENCE);
        ended.expect("the host ends")
    }

    fn caught_up(&self, config: &Path) -> Exit {
        let exit = self.run(config, &["--until-caught-up"]);
        assert_eq!(exit.code, 0, "{exit}");
        exit
    }
}

/// Waits until it is so; panics with the host's words if that takes too long, or the host ends.
fn wait_until(host: &mut Host, what: &str, mut is_so: impl FnMut(&Host) -> bool) {
    let begun = Instant::now();
    while !is_so(host) {
        assert!(running(host), "it ended before {what}:\n{}", host.stderr());
        assert!(begun.elapsed() < PATIENCE, "no {what}:\n{}", host.stderr());
        thread::sleep(Duration::from_millis(200));
    }
}

fn running(host: &mut Host) -> bool {
    host.is_running().expect("the system answers")
}

/// A number, and 0 for a table that is not there yet.
fn value(server: &Server, sql: &str) -> u64 {
    let rows = server.query(sql).unwrap_or_default();
    let cell = rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next());
    cell.flatten()
        .and_then(|cell| cell.parse().ok())
        .unwrap_or(0)
}

/// Where the checkpoint stands, for people.
fn position(target: &Server) -> String {
    let place = target.query("SELECT ordinal, display FROM datain.checkpoints");
    format!("{:?}", place.unwrap_or_default())
}

fn executed(source: &Server) -> String {
    cell(source, "SELECT REPLACE(@@gtid_executed, '\\n', '')")
}

/// The GTID set that the checkpoint covers.
fn covered(target: &Server) -> String {
    let display = cell(target, "SELECT display FROM datain.checkpoints");
    display.split(' ').nth(1).unwrap_or_default().to_owned()
}
