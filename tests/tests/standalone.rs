//! One component, made of both plugins, replicates under wasmtime's own WASI linker: no code of datain's is on the host's side.
//!
//! Both servers are reached over TLS, whose certificates the component itself verifies, with an account that may not come otherwise.

// The ban is on std's clocks, which trap inside a plugin. This is native code.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::seed::long;
use datain_tests::servers::cell;
use datain_tests::standalone::Standalone;
use datain_throwaway_servers::sysbench::{SCHEMA, Sysbench};
use datain_throwaway_servers::{Flavor, Lines, Server, ServerBuilder};

/// How long a start or catching up may take on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);
/// From the source's first transaction on.
const FROM_THE_START: &str = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";
const PASSWORD: &str = "a secret of this test";

/// Two servers, and a folder that holds all that the component sees: the configuration, the authorities' certificates and the password.
struct Lab {
    source: Server,
    target: Server,
    folder: TempDir,
    standalone: Standalone,
}

impl Lab {
    fn new() -> Self {
        let start = |builder: ServerBuilder| {
            let server = builder.relaxed().start().expect("a server");
            // It replicates as an account that no plain connection lets in.
            let account = format!(
                "SET sql_log_bin = 0; CREATE USER carrier IDENTIFIED BY '{PASSWORD}' REQUIRE SSL; GRANT ALL ON *.* TO carrier WITH GRANT OPTION; SET sql_log_bin = 1"
            );
            server.sql(&account).expect("an account");
            server
        };
        // Throwaway servers share one authority, unless they make one of their own.
        let (source, target) = (
            start(Server::builder(Flavor::Mysql97).own_certificates()),
            start(Server::builder(Flavor::Mysql97)),
        );
        let folder = TempDir::new().expect("a folder");
        for (server, name) in [(&source, "source-ca.pem"), (&target, "target-ca.pem")] {
            let ca = server.ca_file().expect("9.7 makes an authority of its own");
            fs::copy(ca, folder.path().join(name)).expect("a certificate");
        }
        fs::write(folder.path().join("password.txt"), format!("{PASSWORD}\n")).expect("a password");
        let standalone = Standalone::compile().expect("the component");
        Self {
            source,
            target,
            folder,
            standalone,
        }
    }

    /// A configuration whose sections have this besides host, port and account.
    fn config(&self, name: &str, source: &str, target: &str) -> PathBuf {
        let section = |name: &str, server: &Server, more: &str| {
            format!(
                "[{name}]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"carrier\"\npassword_file = \"password.txt\"\n{more}\n",
                server.port()
            )
        };
        let text = format!(
            "name = \"{name}\"\n{}{}{FROM_THE_START}",
            section("source", &self.source, source),
            section("target", &self.target, target)
        );
        let path = self.folder.path().join(format!("{name}.toml"));
        fs::write(&path, text).expect("a configuration");
        path
    }

    fn verified(&self, name: &str) -> PathBuf {
        let tls = |server| format!("tls = \"verify-ca\"\nca = \"{server}-ca.pem\"");
        self.config(name, &tls("source"), &tls("target"))
    }

    fn addresses(&self) -> [SocketAddr; 2] {
        [&self.source, &self.target].map(|server| SocketAddr::from(([127, 0, 0, 1], server.port())))
    }

    fn start(&self, config: &Path) -> Host {
        self.standalone
            .start(config, &self.addresses(), &[])
            .expect("it starts")
    }

    fn caught_up(&self, config: &Path) {
        let exit = self
            .standalone
            .catch_up(config, &self.addresses(), LIMIT)
            .expect("it ends");
        assert_eq!(exit.code, 0, "{exit}");
        println!("{}", exit.stdout.trim_end());
    }

    /// How many rows the target has of a table, 0 while there is none.
    fn rows(&self, table: &str) -> u64 {
        let count = self.target.query(&format!("SELECT COUNT(*) FROM {table}"));
        let rows = count.ok();
        let count = rows.and_then(|rows| rows.first()?.first()?.clone());
        count.map_or(0, |text| text.parse().expect("a number"))
    }

    /// Waits until the target has so many rows of a table.
    fn has(&self, table: &str, rows: u64, running: &mut Host) {
        let deadline = Instant::now() + LIMIT;
        while self.rows(table) < rows {
            let alive = running.is_running().expect("the system answers");
            assert!(alive, "it ended by itself:\n{}", running.stderr());
            let late = Instant::now() > deadline;
            assert!(
                !late,
                "{} of {rows} rows:\n{}",
                self.rows(table),
                running.stderr()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn one_component_replicates_and_goes_on_after_a_kill() {
    let lab = Lab::new();
    let config = lab.verified("alone");
    lab.source
        .sql(
            "CREATE DATABASE d; USE d; SET SESSION cte_max_recursion_depth = 100000;
             CREATE TABLE t (id INT PRIMARY KEY, text VARCHAR(200) NOT NULL, amount DECIMAL(12,3), document JSON, at DATETIME(6), bytes BLOB, UNIQUE KEY (text));
             CREATE TABLE ticks (id INT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL);
             INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
             SELECT i, CONCAT(i, REPEAT('ü', 50)), i / 7, JSON_OBJECT('i', i), '2026-11-26 14:00:00.123456', UNHEX(SHA2(i, 256)) FROM n",
        )
        .expect("tables");
    let mut running = lab.start(&config);
    lab.has("d.t", 20_000, &mut running);
    for n in 0..200 {
        lab.source
            .sql(&format!(
                "BEGIN; INSERT INTO d.ticks (n) VALUES ({n}); UPDATE d.t SET amount = amount + 1 WHERE id = {n}; COMMIT"
            ))
            .expect("a transaction");
        if n == 100 {
            lab.has("d.ticks", 1, &mut running);
            running.kill();
            running = lab.start(&config);
        }
    }
    lab.source
        .sql("DELETE FROM d.t WHERE id % 3 = 0; ALTER TABLE d.t ADD COLUMN more INT DEFAULT 5; UPDATE d.t SET more = id WHERE id % 5 = 0")
        .expect("changes");
    lab.has("d.ticks", 200, &mut running);
    running.kill();
    lab.caught_up(&config);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
    assert_eq!(
        cell(&lab.target, "SELECT ordinal > 200 FROM datain.checkpoints"),
        "1"
    );
}

#[test]
fn what_it_cannot_do_it_says() {
    let lab = Lab::new();
    let check = |config: &Path, addresses: &[SocketAddr], expected: &[&str]| {
        let exit = lab
            .standalone
            .catch_up(config, addresses, LIMIT)
            .expect("it ends");
        assert_eq!(exit.code, 1, "{exit}");
        for text in expected {
            assert!(exit.stderr.contains(text), "{text:?} is not in: {exit}");
        }
        assert!(!exit.stderr.contains(PASSWORD), "{exit}");
    };
    let all = lab.addresses();
    let good = "tls = \"verify-ca\"\nca = \"target-ca.pem\"";
    let with = |name: &str, source: &str| lab.config(name, source, good);

    let other_authority = with("authority", "tls = \"verify-ca\"\nca = \"target-ca.pem\"");
    check(
        &other_authority,
        &all,
        &[
            "error[tls.untrusted-certificate]",
            "server: source 127.0.0.1",
        ],
    );
    // The server's certificate names no address.
    let other_name = with(
        "identity",
        "tls = \"verify-identity\"\nca = \"source-ca.pem\"",
    );
    check(&other_name, &all, &["error[tls.name-mismatch]"]);
    let none = with("none", "tls = \"verify-ca\"");
    check(&none, &all, &["error[config.tls]", "names no `ca`"]);
    let plain = with("plain", "tls = \"disabled\"\nget_server_public_key = true");
    check(&plain, &all, &["error[server.access-denied]", "errno 1045"]);
    let unix = lab.verified("unix");
    let text = fs::read_to_string(&unix).expect("the configuration");
    let address = format!("host = \"127.0.0.1\"\nport = {}\n", lab.source.port());
    fs::write(
        &unix,
        text.replacen(&address, "socket = \"/tmp/mysql.sock\"\n", 1),
    )
    .expect("the configuration");
    check(
        &unix,
        &all,
        &[
            "error[config.invalid-value]",
            "[source] is no server by TCP",
        ],
    );
    // What the runtime does not let it see or reach.
    check(
        &lab.verified("walled"),
        &all[1..],
        &["error[net.refused]", "inherit-network"],
    );
    let outside = lab.folder.path().join("nowhere.toml");
    check(
        &outside,
        &all,
        &["error[config.unreadable]", "there is no such file"],
    );
}

/// The acceptance; normal runs leave it out, and it is shorter when it is named.
#[test]
fn sysbench_arrives_whole() {
    let seconds = if long() { 20 } else { 4 };
    let lab = Lab::new();
    let config = lab.verified("sysbench");
    let tables = Sysbench::fetch(&Lines)
        .and_then(|sysbench| sysbench.prepare(&lab.source, 4, 10_000))
        .expect("sysbench's tables");
    let mut running = lab.start(&config);
    let load = tables
        .run(&lab.source, seconds, 8)
        .expect("the load starts");
    thread::sleep(Duration::from_secs(seconds.into()) / 2);
    running.kill();
    running = lab.start(&config);
    println!("on the source: {}", load.finish().expect("the load"));
    let alive = running.is_running().expect("the system answers");
    assert!(alive, "it ended by itself:\n{}", running.stderr());
    running.kill();
    let began = Instant::now();
    lab.caught_up(&config);
    println!(
        "caught up {:.1} s after the load",
        began.elapsed().as_secs_f64()
    );
    compare::assert_equal(&lab.source, &lab.target, &[SCHEMA]);
    let tables = compare::tables(&lab.source, &lab.target, &[SCHEMA]).expect("both answer");
    assert_eq!(tables.len(), 4);
}
