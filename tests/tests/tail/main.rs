//! `datain tail` on real servers: what it prints (`printed`), how it ends (`endings`), and that nothing is lost, repeated or disturbed (`lasting`).

#![allow(clippy::disallowed_methods, reason = "native test")]

mod endings;
mod lasting;
mod printed;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::servers::{cell, server};
use datain_throwaway_servers::ROOT_PASSWORD;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
/// Everything from the beginning of the log.
const ALL: &str = "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n";

/// A configuration with nothing but a source.
fn config(folder: &TempDir, port: u16, account: &str, extra: &str) -> PathBuf {
    let (user, password) = account.split_once(':').expect("user:password");
    let text = format!(
        "name = \"orders\"\n[source]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"{user}\"\npassword = \"{password}\"\n{extra}"
    );
    let path = folder.path().join(format!("{user}.toml"));
    std::fs::write(&path, text).expect("the configuration");
    path
}

fn root() -> String {
    format!("root:{ROOT_PASSWORD}")
}

fn tail(config: &Path, arguments: &[&str]) -> Host {
    let config = config.to_str().expect("a path in UTF-8");
    let mut all = vec!["--log-level", "info", "tail", "-c", config];
    all.extend_from_slice(arguments);
    Host::spawn_command(&all).expect("the program")
}

fn lines(exit: &Exit) -> Vec<Value> {
    let lines = exit.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

/// All lines until the source's end.
fn all(config: &Path) -> Vec<Value> {
    let exit = tail(config, &["--from", "start", "--until-caught-up"])
        .wait(LIMIT)
        .expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    lines(&exit)
}

fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !done() {
        assert!(Instant::now() < deadline, "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Waits until it knows where it began: what is committed from then on is printed.
fn begun(host: &Host) {
    wait_for("the beginning", || {
        host.stderr()
            .contains("printing what comes after this position")
    });
}
