//! `datain tail --file` on files that real servers wrote: what it prints (`printed`), relay logs and counts (`kinds`), files of other versions (`versions`), what is larger than memory (`large`), and how it ends on files that are damaged (`damage`) or when nobody
//! wants more (`endings`).

#![allow(clippy::disallowed_methods, reason = "native test")]

mod damage;
mod endings;
mod kinds;
mod large;
mod printed;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::servers::server;
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server, fetched};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(120);

/// A configuration of this server as the source.
fn config(folder: &TempDir, server: &Server) -> PathBuf {
    let text = format!(
        "name = \"orders\"\n[source]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"root\"\npassword = \"{ROOT_PASSWORD}\"\n[start]\nmode = \"gtid\"\ngtid_set = \"\"\n",
        server.port()
    );
    let path = folder.path().join("orders.toml");
    std::fs::write(&path, text).expect("the configuration");
    path
}

/// The server's binary logs, oldest first.
fn logs(server: &Server) -> Vec<PathBuf> {
    let rows = server.query("SHOW BINARY LOGS").expect("the logs");
    rows.into_iter()
        .filter_map(|mut row| row.remove(0))
        .map(|name| server.datadir().join(name))
        .collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// `datain tail --file FILES… ARGUMENTS…`, to its end.
fn tail(files: &[PathBuf], arguments: &[&str]) -> Exit {
    let mut all = vec!["tail", "--file"];
    all.extend(files.iter().map(|file| text(file)));
    all.extend_from_slice(arguments);
    Host::command(&all, LIMIT).expect("an end")
}

/// The same for files that are whole.
fn all(files: &[PathBuf], arguments: &[&str]) -> Vec<Value> {
    let exit = tail(files, arguments);
    assert_eq!(exit.code, 0, "{exit}");
    lines(&exit)
}

/// What live tail prints from the oldest transaction to the newest.
fn live(config: &Path) -> Vec<Value> {
    let arguments = [
        "tail",
        "-c",
        text(config),
        "--from",
        "start",
        "--until-caught-up",
    ];
    let exit = Host::command(&arguments, LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    lines(&exit)
}

/// The lines without what differs from run to run: when a line was made, and the pipeline's name.
fn lines(exit: &Exit) -> Vec<Value> {
    let parsed = exit.stdout.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("a line of JSON");
        line["ts_ms"].take();
        line["source"]["name"].take();
        line
    });
    parsed.collect()
}

/// Compares long lists so that a difference can be read.
fn assert_same(found: &[Value], expected: &[Value]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "number of lines");
}

/// A program of the fetched MySQL 9.7, such as mysqldump, which logs in to this server as root.
fn client_program(name: &str, server: &Server) -> Command {
    let distribution = fetched(Flavor::Mysql97)
        .expect("the cache")
        .expect("MySQL 9.7 is fetched");
    let client = distribution.client_command().expect("a client");
    let mut command = Command::new(client.get_program());
    // Behind the loader and its folders comes the client's path.
    for argument in client.get_args() {
        let path = Path::new(argument);
        if path.file_name().is_some_and(|file| file == "mysql") {
            command.arg(path.with_file_name(name));
        } else {
            command.arg(argument);
        }
    }
    command.arg(format!(
        "--defaults-file={}",
        text(&server.client_options())
    ));
    command
}

fn output(mut command: Command) -> String {
    let output = command.output().expect("the program");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}
