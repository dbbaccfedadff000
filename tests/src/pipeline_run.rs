//! Pipelines between two throwaway servers: described by changes to a good configuration, run to their end or watched while they run.

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

use crate::host::{Exit, Host, TempDir};

/// How long anything may take that should take seconds.
pub const LIMIT: Duration = Duration::from_secs(120);

/// From the source's first transaction on.
pub const FROM_THE_START: &str = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";

/// A MySQL 9.7 with fast commits.
///
/// # Panics
/// When it does not start.
#[must_use]
pub fn server() -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .start()
        .expect("a server")
}

/// Writes the configuration of the pipeline `name`, changed by `change`.
///
/// # Panics
/// On file errors.
pub fn config(
    folder: &TempDir,
    name: &str,
    source: &Server,
    target: &Server,
    change: impl Fn(String) -> String,
) -> PathBuf {
    let path =
        Host::config(folder.path(), name, source, target, FROM_THE_START).expect("a configuration");
    let text = std::fs::read_to_string(&path).expect("the configuration");
    std::fs::write(&path, change(text)).expect("the configuration");
    path
}

/// Runs a pipeline until it has caught up; panics with the host's words if that fails.
///
/// # Panics
/// See above.
pub fn caught_up(folder: &TempDir, name: &str, source: &Server, target: &Server, extra: &str) {
    let config = Host::config(folder.path(), name, source, target, extra).expect("a configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{}", exit.stderr);
}

/// Runs a pipeline that is described by the changes to a good configuration, and checks code, hint and exit status.
///
/// # Panics
/// When they are others.
pub fn check(
    source: &Server,
    target: &Server,
    change: impl Fn(String) -> String,
    code: &str,
    status: i32,
) -> Exit {
    let folder = TempDir::new().expect("a folder");
    let config = config(&folder, "bad", source, target, change);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, code, status);
    exit
}

/// Checks that a host has ended with one message of this code, with a hint.
///
/// # Panics
/// When it has not.
pub fn failed(exit: &Exit, code: &str, status: i32) {
    let errors: Vec<&str> = exit
        .stderr
        .lines()
        .filter(|l| l.starts_with("error["))
        .collect();
    assert_eq!(errors.len(), 1, "one message is expected:\n{}", exit.stderr);
    assert!(
        errors[0].starts_with(&format!("error[{code}]: ")),
        "{code} is expected:\n{}",
        exit.stderr
    );
    assert!(
        exit.stderr.contains("  hint: "),
        "a hint is expected:\n{}",
        exit.stderr
    );
    assert!(!exit.stderr.contains("panicked"), "{}", exit.stderr);
    assert_eq!(exit.code, status, "{}", exit.stderr);
}

/// A change of the configuration: one text for another, which must be there.
pub fn replace<'a>(from: &'a str, to: &'a str) -> impl Fn(String) -> String + 'a {
    move |text| {
        assert!(text.contains(from), "{from:?} is in\n{text}");
        text.replacen(from, to, 1)
    }
}

/// A change of the configuration: another port in front of this server, spoken to without TLS, since a proxy reads packets.
pub fn through(server: &Server, port: u16) -> impl Fn(String) -> String + use<> {
    let from = format!("port = {}\n", server.port());
    move |text| {
        assert!(text.contains(&from), "{from:?} is in\n{text}");
        text.replacen(
            &from,
            &format!("port = {port}\ntls = \"disabled\"\nget_server_public_key = true\n"),
            1,
        )
    }
}

/// Waits until `condition` gives a value; panics with the host's words if that takes too long, or the host ends.
///
/// # Panics
/// See above.
pub fn wait_for<T>(
    host: &mut Host,
    what: &str,
    mut condition: impl FnMut(&Host) -> Option<T>,
) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(value) = condition(host) {
            return value;
        }
        let running = host.is_running().expect("the system answers");
        assert!(running, "it ended before {what}:\n{}", host.stderr());
        assert!(Instant::now() < deadline, "no {what}:\n{}", host.stderr());
        thread::sleep(Duration::from_millis(50));
    }
}

/// The newest line of a host's `--progress json`.
#[must_use]
pub fn progress(host: &Host) -> Option<Value> {
    host.stdout()
        .lines()
        .rev()
        .find_map(|line| serde_json::from_str(line).ok())
}

/// The one value that a query gives.
///
/// # Panics
/// When the server does not answer.
#[must_use]
pub fn value(server: &Server, sql: &str) -> Option<String> {
    let rows = server.query(sql).expect("the server answers");
    rows.into_iter().next()?.into_iter().next().flatten()
}
