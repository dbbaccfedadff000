//! What a person does with a pipeline: stop, start, skip, remove, another place in [start], and status, each between two real servers.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

/// Two servers, a folder for configurations and for control sockets.
struct Lab {
    source: Server,
    target: Server,
    folder: TempDir,
}

impl Lab {
    fn new() -> Lab {
        let start = || {
            Server::builder(Flavor::Mysql97)
                .relaxed()
                .start()
                .expect("a server")
        };
        let lab = Lab {
            source: start(),
            target: start(),
            folder: TempDir::new().expect("a folder"),
        };
        lab.source
            .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
            .expect("a table");
        lab
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("c.sock")
    }

    /// A configuration whose control socket is the lab's own.
    fn config(&self, name: &str, start: &str) -> PathBuf {
        let extra = format!(
            "[start]\n{start}\n[control]\nsocket = \"{}\"\n",
            self.socket().display()
        );
        Host::config(self.folder.path(), name, &self.source, &self.target, &extra)
            .expect("a configuration")
    }

    fn source(&self, sql: &str) {
        self.source.sql(sql).expect("the source takes it");
    }

    fn one(&self, sql: &str) -> String {
        let rows = self.target.query(sql).expect("the target answers");
        rows[0][0].clone().unwrap_or_default()
    }

    fn rows(&self) -> u64 {
        let there =
            self.one("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'");
        if there == "0" {
            return 0;
        }
        self.one("SELECT COUNT(*) FROM d.t")
            .parse()
            .expect("a count")
    }
}

const FROM_THE_BEGINNING: &str = "mode = \"gtid\"\ngtid_set = \"\"";

fn datain(command: &str, config: &Path, more: &[&str]) -> Exit {
    let mut arguments = vec![command, "-c", config.to_str().expect("a path")];
    arguments.extend(more);
    Host::command(&arguments, LIMIT).expect("it ends")
}

fn done(exit: Exit) -> Exit {
    assert_eq!(exit.code, 0, "{}\n{}", exit.stdout, exit.stderr);
    exit
}

fn refused(exit: &Exit, code: &str, status: i32) {
    assert!(
        exit.stderr.contains(&format!("error[{code}]: ")) && exit.stderr.contains("  hint: "),
        "{code}:\n{}",
        exit.stderr
    );
    assert_eq!(exit.code, status, "{}", exit.stderr);
}

fn caught_up(config: &Path) -> Exit {
    Host::run(config, &["--until-caught-up"], LIMIT).expect("it ends")
}

fn status(config: &Path) -> Value {
    let exit = done(datain("status", config, &["--format", "json"]));
    serde_json::from_str(&exit.stdout).expect("JSON")
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !holds() {
        assert!(Instant::now() < end, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_stop_holds_until_a_start() {
    let lab = Lab::new();
    let config = lab.config("stops", FROM_THE_BEGINNING);
    let mut host = Host::start(&config, &[]).expect("a host");
    until("the table is there", || {
        status(&config)["state"] == "streaming"
            && lab.one("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'")
                == "1"
    });
    // Only its owner can give orders, and there is one host.
    let mode = |path: &Path| {
        let meta = std::fs::metadata(path).expect("it is there");
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode(&lab.socket()), 0o600);
    refused(&caught_up(&config), "host.already-running", 3);
    refused(&datain("skip", &config, &["--yes"]), "host.running", 3);
    refused(&datain("remove", &config, &["--yes"]), "host.running", 3);

    // Under load, so that there is something to be in the middle of.
    let load: Vec<String> = (0..400)
        .map(|n| format!("INSERT INTO d.t VALUES ({n}, {n})"))
        .collect();
    let load = load.join("; ");
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| lab.source(&load));
        until("rows arrive", || lab.rows() > 0);
        let exit = done(datain("stop", &config, &[]));
        assert!(exit.stdout.contains("is stopped at "), "{}", exit.stdout);
        let rows = lab.rows();
        writer.join().expect("the load");
        assert_eq!(
            lab.rows(),
            rows,
            "nothing is applied after a stop has returned"
        );
    });
    let report = status(&config);
    assert_eq!(report["state"], "stopped");
    assert!(report["stopped_at_micros"].is_u64(), "{report}");
    assert!(host.is_running().expect("its state"), "{}", host.stderr());
    // Once more is no error.
    done(datain("stop", &config, &[]));

    // Over a restart, and a kill.
    host.kill();
    let mut host = Host::start(&config, &[]).expect("a host");
    until("the new host rests", || {
        status(&config)["host"].is_object() && status(&config)["state"] == "stopped"
    });
    let rows = lab.rows();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(lab.rows(), rows);
    let exit = done(datain("start", &config, &[]));
    assert!(exit.stdout.contains("goes on"), "{}", exit.stdout);
    until("the rest arrives", || lab.rows() == 400);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);

    // The one who asked for a stop goes away before it is done.
    let mut asking = Host::command_in_background(&["stop", "-c", config.to_str().expect("a path")])
        .expect("a stop");
    until("the order is given", || {
        !asking.is_running().expect("its state")
            || status(&config)["state"] == "stopped"
            || lab.one("SELECT COUNT(*) FROM datain.checkpoints WHERE stopped_at IS NOT NULL")
                == "1"
    });
    asking.kill();
    until("the stop is recorded", || {
        lab.one("SELECT COUNT(*) FROM datain.checkpoints WHERE stopped_at IS NOT NULL") == "1"
    });
    done(datain("start", &config, &[]));
    until("it goes on", || status(&config)["state"] == "streaming");
    host.terminate();
    assert_eq!(
        host.wait(LIMIT).expect("it ends").code,
        130,
        "{}",
        host.stderr()
    );
    assert!(!lab.socket().exists(), "the socket goes with its host");
}

#[test]
fn a_stop_without_a_host_here() {
    let lab = Lab::new();
    let config = lab.config("absent", FROM_THE_BEGINNING);
    // Before anything was replicated.
    done(datain("stop", &config, &[]));
    refused(&caught_up(&config), "sink.stopped", 3);
    assert_eq!(status(&config)["state"], "stopped");
    done(datain("start", &config, &[]));
    assert_eq!(status(&config)["state"], "not running");
    done(caught_up(&config));
    // A host elsewhere, whose socket cannot be reached from here: it is fenced, and rests.
    let elsewhere = TempDir::new().expect("a folder");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let there = elsewhere.path().join("absent.toml");
    let socket = lab.socket().display().to_string();
    std::fs::write(
        &there,
        text.replace(
            &socket,
            &elsewhere.path().join("e.sock").display().to_string(),
        ),
    )
    .expect("a configuration");
    let mut host = Host::start(&there, &[]).expect("a host");
    until("it streams", || status(&there)["state"] == "streaming");
    done(datain("stop", &config, &[]));
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    until("it rests", || status(&there)["state"] == "stopped");
    assert_eq!(lab.rows(), 0);
    done(datain("start", &config, &[]));
    until("it goes on by itself", || lab.rows() == 1);
    host.interrupt();
    assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
}

#[test]
fn exactly_the_transaction_that_fails_is_skipped() {
    let lab = Lab::new();
    let config = lab.config("skips", FROM_THE_BEGINNING);
    let early = datain("skip", &config, &["--yes"]);
    refused(&early, "skip.nothing", 3);
    done(caught_up(&config));
    refused(&datain("skip", &config, &["--yes"]), "skip.nothing", 3);

    // A row that is there already fails the 17th of 30 transactions, which come in one group.
    lab.target
        .sql("INSERT INTO d.t VALUES (17, -1)")
        .expect("a stranger's row");
    for n in 1..=30 {
        lab.source(&format!("INSERT INTO d.t VALUES ({n}, {n})"));
    }
    let failed = caught_up(&config);
    refused(&failed, "server.duplicate-key", 3);
    assert_eq!(lab.rows(), 17, "what came before it is applied");
    let gtid = failed
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("gtid: "))
        .expect("the error names the GTID")
        .to_owned();
    let report = status(&config);
    assert_eq!(
        report["last_error"]["code"], "server.duplicate-key",
        "{report}"
    );
    assert_eq!(report["last_error"]["gtid"], gtid.as_str());
    assert!(
        report["last_error_at_micros"]
            .as_u64()
            .is_some_and(|at| at > 0)
    );

    // It is shown, and not done before it is confirmed.
    let asked = datain("skip", &config, &[]);
    refused(&asked, "usage.not-confirmed", 2);
    for shown in [
        gtid.as_str(),
        "d.t: 1 inserted",
        "position",
        "about this transaction",
        "server.duplicate-key",
    ] {
        assert!(
            asked.stdout.contains(shown),
            "{shown:?} in\n{}",
            asked.stdout
        );
    }
    assert!(!asked.stdout.contains("NOT about"), "{}", asked.stdout);
    refused(&caught_up(&config), "server.duplicate-key", 3);
    done(datain(
        "skip",
        &config,
        &["--yes", "--reason", "it's \"known\""],
    ));
    let record = lab.target.query("SELECT identity, reason, description, skipped_at > NOW() - INTERVAL 1 MINUTE FROM datain.skipped").expect("the record");
    assert_eq!(record.len(), 1);
    assert_eq!(record[0][0].as_deref(), Some(gtid.as_str()));
    assert_eq!(record[0][1].as_deref(), Some("it's \"known\""));
    assert!(
        record[0][2]
            .as_ref()
            .is_some_and(|text| text.contains("d.t: 1 inserted")),
        "{record:?}"
    );
    assert_eq!(record[0][3].as_deref(), Some("1"));
    done(caught_up(&config));
    assert_eq!(lab.rows(), 30);
    assert_eq!(lab.one("SELECT v FROM d.t WHERE id = 17"), "-1");
    assert_eq!(status(&config)["skipped"], 1);

    // A yes from standard input counts, too; the statement of DDL is shown. It is one transaction.
    lab.target
        .sql("CREATE TABLE d.u (id INT PRIMARY KEY)")
        .expect("a stranger's table");
    lab.source("CREATE TABLE d.u (id INT PRIMARY KEY); INSERT INTO d.u VALUES (5)");
    refused(&caught_up(&config), "server.error", 3);
    let exit = Host::command_with_input(
        &["skip", "-c", config.to_str().expect("a path")],
        "y\n",
        LIMIT,
    )
    .expect("it ends");
    let exit = done(exit);
    assert!(
        exit.stdout
            .contains("CREATE TABLE d.u (id INT PRIMARY KEY)"),
        "{}",
        exit.stdout
    );
    done(caught_up(&config));
    assert_eq!(lab.one("SELECT COUNT(*) FROM d.u"), "1");

    // What the source side refuses: the rows before it are applied, and it can be skipped although it is not understood.
    lab.source("INSERT INTO d.t VALUES (101, 1); XA START 'x'; INSERT INTO d.t VALUES (102, 1); XA END 'x'; XA PREPARE 'x'; XA COMMIT 'x'; INSERT INTO d.t VALUES (103, 1)");
    refused(&caught_up(&config), "source.xa-unsupported", 3);
    assert_eq!(lab.one("SELECT COUNT(*) FROM d.t WHERE id = 101"), "1");
    let prepare = done(datain("skip", &config, &["--yes"]));
    assert!(
        prepare.stdout.contains("d.t: 1 inserted") && prepare.stdout.contains("XA START"),
        "{}",
        prepare.stdout
    );
    refused(&caught_up(&config), "source.xa-unsupported", 3);
    let commit = done(datain("skip", &config, &["--yes"]));
    assert!(commit.stdout.contains("XA COMMIT"), "{}", commit.stdout);
    done(caught_up(&config));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(id) FROM d.t WHERE id > 100"),
        "101,103"
    );
}

#[test]
fn a_removed_pipeline_leaves_no_trace() {
    let lab = Lab::new();
    let (one, other) = (
        lab.config("one", FROM_THE_BEGINNING),
        lab.config("other", "mode = \"now\""),
    );
    let unknown = done(datain("remove", &one, &["--yes"]));
    assert!(
        unknown.stdout.contains("knows no pipeline"),
        "{}",
        unknown.stdout
    );
    lab.source("CREATE TRIGGER d.g BEFORE INSERT ON d.t FOR EACH ROW SET NEW.v = 1");
    done(caught_up(&one));
    done(caught_up(&other));
    let asked = datain("remove", &one, &[]);
    refused(&asked, "usage.not-confirmed", 2);
    assert!(
        asked.stdout.contains("held back   1 definitions"),
        "{}",
        asked.stdout
    );
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.checkpoints"), "2");
    done(datain("remove", &one, &["--yes"]));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(stream) FROM datain.checkpoints"),
        "other"
    );
    assert_eq!(lab.one("SELECT COUNT(*) FROM datain.held_back"), "0");
    let last = done(datain("remove", &other, &["--yes"]));
    assert!(
        last.stdout.contains("the schema `datain` is gone"),
        "{}",
        last.stdout
    );
    assert_eq!(
        lab.one("SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'datain'"),
        "0"
    );
    assert_eq!(
        lab.one("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'"),
        "1",
        "the data stay"
    );
}

#[test]
fn another_place_in_start_needs_a_word() {
    let lab = Lab::new();
    let place = || {
        let row = lab
            .source
            .query("SHOW BINARY LOG STATUS")
            .expect("the position");
        let cell = |at: usize| row[0][at].clone().expect("a value");
        format!(
            "mode = \"position\"\nfile = \"{}\"\nposition = {}",
            cell(0),
            cell(1)
        )
    };
    lab.target
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
        .expect("the same");
    let first = place();
    let config = lab.config("moves", &first);
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    done(caught_up(&config));
    lab.source("INSERT INTO d.t VALUES (2, 2)");
    let second = place();
    lab.source("INSERT INTO d.t VALUES (3, 3)");

    // The changed place is refused, with both named; nothing is applied meanwhile.
    lab.config("moves", &second);
    let exit = caught_up(&config);
    refused(&exit, "config.start-changed", 2);
    let offset = |start: &str| start.rsplit(' ').next().expect("an offset").to_owned();
    for place in [offset(&first), offset(&second)] {
        assert!(exit.stderr.contains(&place), "{place} in\n{}", exit.stderr);
    }
    assert!(
        exit.stderr.contains("the checkpoint is "),
        "{}",
        exit.stderr
    );
    assert_eq!(lab.rows(), 1);
    let exit =
        Host::run(&config, &["--until-caught-up", "--set-position"], LIMIT).expect("it ends");
    done(exit);
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM d.t"),
        "1,3",
        "what lies between is left out, as ordered"
    );
    // It has become the beginning: neither the same place again nor the option moves anything.
    lab.source("INSERT INTO d.t VALUES (4, 4)");
    done(Host::run(&config, &["--until-caught-up", "--set-position"], LIMIT).expect("it ends"));
    lab.source("INSERT INTO d.t VALUES (5, 5)");
    done(caught_up(&config));
    assert_eq!(
        lab.one("SELECT GROUP_CONCAT(id ORDER BY id) FROM d.t"),
        "1,3,4,5"
    );
    // A mode that names no place says nothing against a checkpoint, and gives the option nothing to go to.
    lab.config("moves", "mode = \"now\"");
    done(caught_up(&config));
    refused(
        &Host::run(&config, &["--set-position"], LIMIT).expect("it ends"),
        "usage.set-position",
        2,
    );

    // Another account, address and TLS mode are taken at the next start.
    lab.source("CREATE USER 'second'@'%' IDENTIFIED BY 'secret-2'; GRANT ALL ON *.* TO 'second'@'%'; INSERT INTO d.t VALUES (6, 6)");
    let text = std::fs::read_to_string(&config).expect("the configuration");
    let (source, rest) = text.split_once("[target]").expect("two sections");
    let source = source
        .replace(
            "host = \"127.0.0.1\"",
            "host = \"localhost\"\ntls = \"required\"",
        )
        .replace("user = \"root\"", "user = \"second\"")
        .lines()
        .map(|line| {
            if line.starts_with("password") {
                "password = \"secret-2\""
            } else {
                line
            }
        })
        .collect::<Vec<_>>()
        .join("\n");
    std::fs::write(&config, format!("{source}\n[target]{rest}")).expect("the configuration");
    done(caught_up(&config));
    assert_eq!(lab.one("SELECT COUNT(*) FROM d.t WHERE id = 6"), "1");
}

#[test]
fn the_status_says_where_things_are() {
    let mut lab = Lab::new();
    let config = lab.config("looks", FROM_THE_BEGINNING);
    let none = status(&config);
    assert_eq!(none["state"], "not running");
    assert!(
        none["checkpoint"].is_null() && none["executed"].is_null() && none["host"].is_null(),
        "{none}"
    );

    let host = Host::start(&config, &[]).expect("a host");
    lab.source("INSERT INTO d.t VALUES (1, 1), (2, 2), (3, 3)");
    until("idle and in step", || {
        lab.rows() == 3 && status(&config)["seconds_behind"] == 0.0
    });
    let executed = lab
        .source
        .query("SELECT @@global.gtid_executed")
        .expect("the set")[0][0]
        .clone()
        .expect("a set")
        .replace('\n', "");
    let live = status(&config);
    assert_eq!(live["state"], "streaming");
    assert_eq!(live["executed"]["gtid_set"], executed.as_str());
    assert_eq!(live["retrieved"]["gtid_set"], executed.as_str());
    assert_eq!(live["head"]["gtid_set"], executed.as_str());
    assert_eq!(live["transactions_behind"], 0);
    assert_eq!(live["bytes_behind"], 0);
    assert_eq!(live["host"]["pid"], u64::from(host.pid()));
    assert_eq!(live["host"]["rows_applied"], 3);
    assert_eq!(live["host"]["restarts"], 0);
    documented(&live);
    let text = done(datain("status", &config, &[])).stdout;
    for line in [
        "State: streaming",
        "Seconds_Behind_Source: 0.0",
        "Executed_Gtid_Set: ",
        "Source_Log_Pos: ",
        "Rows_Per_Second: ",
    ] {
        assert!(text.contains(line), "{line:?} in\n{text}");
    }

    // Not connected: never 0, with the error and its time; the target still answers.
    lab.source.kill();
    until("it notices", || {
        status(&config)["state"] == "waiting to retry" || status(&config)["state"] == "connecting"
    });
    for _ in 0..10 {
        let cut = status(&config);
        if cut["state"] != "streaming" {
            assert!(
                cut["seconds_behind"].as_f64().is_some_and(|s| s > 0.0),
                "{cut}"
            );
        }
        assert_eq!(cut["source"]["reachable"], false);
        assert!(cut["source"]["error"]["code"].is_string(), "{cut}");
        assert_eq!(cut["executed"]["gtid_set"], executed.as_str());
        std::thread::sleep(Duration::from_millis(50));
    }
    let cut = status(&config);
    assert!(
        cut["last_error"]["code"].is_string() && cut["last_error_at_micros"].is_u64(),
        "{cut}"
    );
    lab.source.restart().expect("the source comes back");
    until("it goes on", || status(&config)["state"] == "streaming");
    assert!(
        status(&config)["host"]["restarts"]
            .as_u64()
            .is_some_and(|n| n > 0)
    );

    // Without a host, from the target's checkpoint and the source's word.
    drop(host);
    lab.source("INSERT INTO d.t VALUES (4, 4); INSERT INTO d.t VALUES (5, 5)");
    let gone = status(&config);
    assert_eq!(gone["state"], "not running");
    assert_eq!(gone["transactions_behind"], 2);
    assert!(
        gone["bytes_behind"].as_u64().is_some_and(|bytes| bytes > 0),
        "{gone}"
    );
    assert!(
        gone["seconds_behind"].as_f64().is_some_and(|s| s > 0.0),
        "{gone}"
    );
    assert_eq!(gone["executed"]["gtid_set"], executed.as_str());
    documented(&gone);
    lab.target.kill();
    let dark = datain("status", &config, &["--format", "json"]);
    assert_eq!(dark.code, 3, "{}", dark.stderr);
    let dark: Value = serde_json::from_str(&dark.stdout).expect("JSON all the same");
    assert_eq!(dark["target"]["reachable"], false);
}

/// Each key that is there stands in docs/status.md.
fn documented(report: &Value) {
    const PAGE: &str = include_str!("../../docs/status.md");
    let keys = |value: &Value, prefix: &str| -> Vec<String> {
        value.as_object().map_or_else(Vec::new, |object| {
            object.keys().map(|key| format!("{prefix}{key}")).collect()
        })
    };
    let mut all = keys(report, "");
    for part in [
        "host",
        "retrieved",
        "executed",
        "source",
        "target",
        "checkpoint",
    ] {
        all.extend(keys(&report[part], &format!("{part}.")));
    }
    for key in all {
        assert!(
            PAGE.contains(&format!("`{key}`")),
            "docs/status.md does not have `{key}`"
        );
    }
}
