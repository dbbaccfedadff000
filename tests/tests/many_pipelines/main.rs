//! Several pipelines in one process: `datain run -c a.toml -c b.toml`.

#![allow(
    clippy::disallowed_methods,
    reason = "tests measure time with std's clocks"
)]

mod idle;

use std::path::{Path, PathBuf};
use std::time::Duration;

use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::pipeline_run::{FROM_THE_START, LIMIT, replace, wait_for};
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::Server;
use serde_json::Value;

/// The configuration of a pipeline that replicates the schema of its own name.
fn config(folder: &TempDir, name: &str, source: &Server, target: &Server) -> PathBuf {
    let extra = format!("[replicate]\ninclude = [\"{name}.*\"]\n{FROM_THE_START}");
    Host::config(folder.path(), name, source, target, &extra).expect("a configuration")
}

/// Starts `datain run` with several configurations.
fn start(configs: &[&Path], more: &[&str]) -> Host {
    let mut arguments = vec!["run"];
    for config in configs {
        arguments.extend(["-c", config.to_str().expect("a path")]);
    }
    arguments.extend(more);
    Host::spawn_command(&arguments).expect("a host")
}

fn order(command: &str, config: &Path) -> Exit {
    let path = config.to_str().expect("a path");
    Host::command(&[command, "-c", path, "--log-level", "warn"], LIMIT).expect("it ends")
}

fn state(config: &Path) -> Value {
    let path = config.to_str().expect("a path");
    let exit = Host::command(&["status", "-c", path, "--format", "json"], LIMIT).expect("it ends");
    let status: Value = serde_json::from_str(&exit.stdout).expect("JSON");
    status["state"].clone()
}

/// How many rows a pipeline's table has on the target.
fn rows(target: &Server, name: &str) -> String {
    let there = format!(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}' AND TABLE_NAME = 't'"
    );
    if cell(target, &there) == "0" {
        return "none".to_owned();
    }
    cell(target, &format!("SELECT COUNT(*) FROM `{name}`.t"))
}

fn table(source: &Server, name: &str) {
    run(
        source,
        &format!(
            "CREATE DATABASE `{name}`; CREATE TABLE `{name}`.t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)"
        ),
    );
}

fn add(source: &Server, name: &str) {
    run(source, &format!("INSERT INTO `{name}`.t (v) VALUES (1)"));
}

#[test]
fn one_that_fails_or_is_stopped_does_not_touch_the_others() {
    let (source, target) = (server(), server());
    let folder = TempDir::new().expect("a folder");
    let [a, b, bad] = ["a", "b", "bad"].map(|name| {
        table(&source, name);
        add(&source, name);
        config(&folder, name, &source, &target)
    });
    let text = std::fs::read_to_string(&bad).expect("the configuration");
    std::fs::write(&bad, replace("user = \"root\"", "user = \"nobody\"")(text))
        .expect("the configuration");

    let mut host = start(&[&a, &bad, &b], &[]);
    wait_for(&mut host, "the error of one", |host| {
        host.stderr().contains("pipeline: bad").then_some(())
    });
    wait_for(&mut host, "rows of the others", |_| {
        (rows(&target, "a") == "1" && rows(&target, "b") == "1").then_some(())
    });
    // Orders reach the one that they are for.
    assert_eq!(order("stop", &a).code, 0);
    add(&source, "a");
    add(&source, "b");
    wait_for(&mut host, "a row of the one that runs", |_| {
        (rows(&target, "b") == "2").then_some(())
    });
    assert_eq!(rows(&target, "a"), "1");
    assert_eq!(state(&a), "stopped");
    assert_eq!(state(&b), "streaming");
    assert_eq!(order("start", &a).code, 0);
    wait_for(&mut host, "the row that was missing", |_| {
        (rows(&target, "a") == "2").then_some(())
    });
    // One signal ends all of them, in order; the code is that of the one that failed.
    host.terminate();
    let exit = host.wait(LIMIT).expect("it ends");
    assert_eq!(exit.code, 3, "{exit}");
    let errors: Vec<&str> = exit
        .stderr
        .lines()
        .filter(|line| line.starts_with("error["))
        .collect();
    assert_eq!(errors.len(), 1, "{exit}");
    assert!(
        errors[0].starts_with("error[server.access-denied]"),
        "{exit}"
    );
    for name in ["a", "b"] {
        let of = format!("run{{pipeline={name}}}");
        let stopped = |line: &str| line.contains(&of) && line.contains("stopped position=");
        assert!(exit.stderr.lines().any(stopped), "{name}: {exit}");
    }
    let loose = |line: &&str| {
        line.contains(" INFO ") && !line.contains("pipeline=") && !line.contains("stopping:")
    };
    assert_eq!(
        exit.stderr.lines().find(loose),
        None,
        "each line says whose it is"
    );
}

#[test]
fn all_that_end_well_give_one_code() {
    let (source, target) = (server(), server());
    let folder = TempDir::new().expect("a folder");
    let [a, b] = ["a", "b"].map(|name| {
        table(&source, name);
        add(&source, name);
        config(&folder, name, &source, &target)
    });
    let exit = start(&[&a, &b], &["--until-caught-up", "--progress", "json"])
        .wait(LIMIT)
        .expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(
        (rows(&target, "a"), rows(&target, "b")),
        ("1".to_owned(), "1".to_owned())
    );
    for name in ["a", "b"] {
        let of = |line: &str| {
            let value: Value = serde_json::from_str(line).expect("JSON");
            value["pipeline"] == name
        };
        assert!(exit.stdout.lines().any(of), "{exit}");
    }

    let mut host = start(&[&a, &b], &["--log-level", "warn"]);
    wait_for(&mut host, "both to run", |_| {
        (state(&a) == "streaming" && state(&b) == "streaming").then_some(())
    });
    // Another process may not run one of them, and leaves both alone.
    let other = start(&[&b], &[]).wait(LIMIT).expect("it ends");
    assert_eq!(other.code, 3, "{other}");
    assert!(
        other.stderr.contains("error[host.already-running]"),
        "{other}"
    );
    std::thread::sleep(Duration::from_millis(300));
    host.interrupt();
    let exit = host.wait(LIMIT).expect("it ends");
    assert_eq!(exit.code, 130, "{exit}");
}
