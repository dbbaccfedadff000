//! The command's exit codes and messages for input that is wrong, without any server.

#![allow(
    clippy::unwrap_used,
    reason = "a test says by failing what it expected"
)]

use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = "name = \"orders\"\n[source]\nhost = \"127.0.0.1\"\nuser = \"r\"\n[target]\nhost = \"127.0.0.1\"\nuser = \"a\"\n";

fn datain(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_datain"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .env("DATAIN_PLUGINS", folder.join("plugins"))
        .env("DATAIN_CACHE", folder.join("cache"))
        .output()
        .unwrap()
}

/// Runs the command in a folder with the configuration `config` and plugins made of `text`; answers with exit code and messages.
fn run(config: &str, plugin: Option<&str>, arguments: &[&str]) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orders.toml"), config).unwrap();
    if let Some(text) = plugin {
        std::fs::create_dir(folder.path().join("plugins")).unwrap();
        let bytes = wat::parse_str(text).unwrap();
        for name in ["source.wasm", "sink.wasm"] {
            std::fs::write(folder.path().join("plugins").join(name), &bytes).unwrap();
        }
    }
    let output = datain(folder.path(), arguments);
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn usage() {
    let (code, text) = run(CONFIG, None, &["run"]);
    assert_eq!(code, 2);
    assert!(text.contains("--config <FILE>"), "{text}");
    let (code, text) = run(
        CONFIG,
        None,
        &["run", "-c", "orders.toml", "--log-level", "loud=7=x"],
    );
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("error[usage.log-level]"), "{text}");
}

#[test]
fn configuration() {
    let (code, text) = run(
        &CONFIG.replace("host", "hots"),
        None,
        &["run", "-c", "orders.toml"],
    );
    assert_eq!(code, 2);
    assert_eq!(
        text,
        "error[config.unknown-key]: unknown key `hots`\n  position: orders.toml:3:1\n  hint: did you mean `host`?\n"
    );
    let (code, text) = run(
        &CONFIG.replace("host", "hots"),
        None,
        &["--log-format", "json", "status", "-c", "orders.toml"],
    );
    assert_eq!(code, 2);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["error"]["code"], "config.unknown-key");
    assert_eq!(json["error"]["position"], "orders.toml:3:1");
}

#[test]
fn pipelines_that_cannot_run_beside_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.toml", CONFIG);
    let check = |other: &str, what: &str| {
        write("b.toml", other);
        let output = datain(folder.path(), &["run", "-c", "a.toml", "-c", "b.toml"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(
            text.starts_with(&format!(
                "error[usage.same-pipeline]: a.toml and b.toml have the same {what}\n  hint: "
            )),
            "{text}"
        );
    };
    check(CONFIG, "name and target");
    let elsewhere = CONFIG.replace("user = \"a\"", "user = \"a\"\nport = 3307");
    check(&elsewhere, "server_id at the same source");
    let socket = "[control]\nsocket = \"c.sock\"\n";
    write("a.toml", &format!("{CONFIG}{socket}"));
    let other = CONFIG.replace("orders", "stock");
    check(&format!("{other}{socket}"), "[control] socket");
    // What is wrong with a file is said before anything begins.
    write("b.toml", "name = 1");
    let output = datain(folder.path(), &["run", "-c", "a.toml", "-c", "b.toml"]);
    assert_eq!(output.status.code(), Some(2));
    write("b.toml", &other);
    let arguments = ["run", "-c", "a.toml", "-c", "b.toml", "--set-position"];
    let output = datain(folder.path(), &arguments);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("error[usage.set-position]"), "{text}");
    // Each for itself from then on: neither has its plugins.
    let output = datain(
        folder.path(),
        &[
            "--log-format",
            "json",
            "run",
            "-c",
            "a.toml",
            "-c",
            "b.toml",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    let mut failed: Vec<String> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|line| line["error"]["code"] == "plugin.not-found")
        .map(|line| line["pipeline"].as_str().unwrap().to_owned())
        .collect();
    failed.sort();
    assert_eq!(failed, ["orders", "stock"], "{text}");
}

#[test]
fn plugins() {
    let (code, text) = run(CONFIG, None, &["run", "-c", "orders.toml"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("error[plugin.not-found]") && text.contains("plugins/source.wasm"),
        "{text}"
    );
    let (code, text) = run(CONFIG, Some("(module)"), &["run", "-c", "orders.toml"]);
    assert_eq!(code, 2);
    assert!(text.contains("error[plugin.invalid]"), "{text}");
    let (code, text) = run(CONFIG, Some("(component)"), &["run", "-c", "orders.toml"]);
    assert_eq!(code, 2);
    assert!(text.contains("error[plugin.export-missing]"), "{text}");
    let wants_files = "(component (import \"wasi:filesystem/types@0.2.0\" (instance)))";
    let (code, text) = run(CONFIG, Some(wants_files), &["run", "-c", "orders.toml"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("error[plugin.import-unknown]")
            && text.contains("wasi:filesystem/types@0.2.0"),
        "{text}"
    );
    let hollow = "(component (instance $none) (export \"datain:replication/source@0.1.0\" (instance $none)))";
    let (code, text) = run(CONFIG, Some(hollow), &["run", "-c", "orders.toml"]);
    assert_eq!(code, 2);
    assert!(
        text.contains("error[plugin.contract]") && text.contains("describe"),
        "{text}"
    );
}

/// fidelity: file | wrong usage, a file that is not there | exit code 2 before anything is printed
#[test]
fn files_and_servers_have_options_of_their_own() {
    for (arguments, said) in [
        (&["tail"][..], "--config <FILE>"),
        (&["tail", "--file"], "--file <PATH>"),
        (&["tail", "--stats", "-c", "orders.toml"], "--file <PATH>"),
        (
            &["tail", "--schema", "x.sql", "-c", "orders.toml"],
            "--file <PATH>",
        ),
        (
            &["tail", "--file", "x", "--from", "start"],
            "cannot be used with",
        ),
        (
            &["tail", "--file", "x", "--until-caught-up"],
            "cannot be used with",
        ),
        (
            &["tail", "--file", "x", "--stats", "--limit", "1"],
            "cannot be used with",
        ),
        (&["tail", "--file", "x", "--format", "json"], "--stats"),
        (
            &["tail", "--file", "missing.000001"],
            "error[file.unreadable]: failed to read the file missing.000001",
        ),
        (&["tail", "--file", "."], "error[file.unreadable]"),
        (
            &["tail", "--file", "orders.toml", "--schema", "missing.sql"],
            "failed to read the file missing.sql",
        ),
        (
            &["tail", "--file", "orders.toml", "-c", "missing.toml"],
            "error[config.unreadable]",
        ),
        (
            &["tail", "--file", "orders.toml"],
            "error[plugin.not-found]",
        ),
    ] {
        let (code, text) = run(CONFIG, None, arguments);
        assert_eq!(code, 2, "{arguments:?}: {text}");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}
