//! Each mistake in a configuration has one message that names the line.

use std::path::Path;

use datain_host::Config;
use datain_host::config::{Address, Start, TlsMode};

const GOOD: &str = r#"name = "orders"
[source]
host = "127.0.0.1"
user = "repl"
password_file = "secret.txt"
[target]
socket = "run/target.sock"
user = "apply"
[start]
mode = "gtid"
gtid_set = ""
"#;

/// The error's text when `from` is replaced by `to` in a good file.
fn error(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    let text = GOOD.replacen(from, to, 1);
    let error =
        Config::parse(&text, Path::new("/etc/datain/orders.toml")).expect_err("the file is wrong");
    assert_eq!(error.exit_code(), 2);
    error.to_text()
}

fn check(from: &str, to: &str, expected: &str) {
    let found = error(from, to).replace("/etc/datain/", "");
    assert_eq!(found, expected, "\n--- found\n{found}\n---");
}

#[test]
fn what_is_allowed_is_known() {
    let allow = |names: &str| {
        GOOD.replacen(
            "[start]",
            &format!("[check]\nallow = [{names}]\n[start]"),
            1,
        )
    };
    let parse = |names: &str| Config::parse(&allow(names), Path::new("orders.toml"));
    let config = parse("\"version\", \"no-primary-key\"").unwrap();
    assert_eq!(config.check.allow, ["version", "no-primary-key"]);
    let error = parse("\"version\", \"triggers\"").expect_err("a name that nobody knows");
    assert_eq!(
        error.to_text(),
        "error[config.invalid-value]: `allow` does not know \"triggers\"\n  position: orders.toml:10:21\n  hint: it knows version, mariadb-only, no-primary-key, unlogged-cascades, zoned-column, column-order, column-meaning"
    );
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn a_good_file() {
    let config = Config::parse(GOOD, Path::new("/etc/datain/orders.toml")).unwrap();
    assert_eq!(
        config.source.address,
        Address::Tcp {
            host: "127.0.0.1".to_owned(),
            port: 3306
        }
    );
    assert_eq!(
        config.target.as_ref().unwrap().address,
        Address::Unix("/etc/datain/run/target.sock".into())
    );
    assert_eq!(config.source.tls, TlsMode::Preferred);
    assert_eq!(
        config.start,
        Start::Gtid {
            gtid_set: String::new()
        }
    );
    assert_eq!(
        format!("{:?}", config.source.password),
        "File(/etc/datain/secret.txt)"
    );
    assert_eq!(
        (config.limits.memory_mib, config.apply.group_max_rows),
        (256, 10_000)
    );
}

#[test]
fn connections_fit_into_the_limits() {
    let numbers = |more: &str| {
        let text = GOOD.to_owned() + more;
        Config::parse(&text, Path::new("/etc/datain/orders.toml"))
            .map(|config| (config.apply.connections, config.limits.connections))
            .map_err(|error| error.to_string())
    };
    assert_eq!(numbers(""), Ok((4, 16)));
    assert_eq!(numbers("[apply]\nconnections = 10\n"), Ok((10, 16)));
    let more = "[apply]\nconnections = 40\n[limits]\nmemory_mib = 960\n";
    assert_eq!(numbers(more), Ok((40, 42)));
    // What nobody asked for gives way.
    assert_eq!(numbers("[limits]\nconnections = 5\n"), Ok((3, 5)));
    assert_eq!(numbers("[limits]\nconnections = 1\n"), Ok((1, 1)));
    assert_eq!(numbers("[limits]\nmemory_mib = 50\n"), Ok((2, 16)));
    assert_eq!(numbers("[limits]\nmemory_mib = 16\n"), Ok((1, 16)));
    for (limits, needs) in [
        ("connections = 11", "`[limits] connections` of 12 or more"),
        ("memory_mib = 239", "`[limits] memory_mib` of 240 or more"),
    ] {
        let error = numbers(&format!("[apply]\nconnections = 10\n[limits]\n{limits}\n"));
        let error = error.expect_err(limits);
        assert!(
            error.contains(&format!("10 connections need {needs}")),
            "{error}"
        );
    }
}

#[test]
fn unknown_keys_are_named_with_the_nearest_known_one() {
    check(
        "host =",
        "hots =",
        "error[config.unknown-key]: unknown key `hots`\n  position: orders.toml:3:1\n  hint: did you mean `host`?",
    );
    check(
        "[target]",
        "[traget]",
        "error[config.unknown-key]: unknown key `traget`\n  position: orders.toml:6:2\n  hint: did you mean `target`?",
    );
    check(
        "user = \"repl\"",
        "user = \"repl\"\ncolour = 1",
        "error[config.unknown-key]: unknown key `colour`\n  position: orders.toml:5:1\n  hint: known keys here: host, port, socket, file, user, \
         password, password_file, password_env, tls, ca, cert, key, get_server_public_key, server_public_key, connect_timeout_seconds, \
         server_id",
    );
    check(
        "user = \"apply\"",
        "user = \"apply\"\nserver_id = 5",
        "error[config.unknown-key]: `server_id` does not belong in [target]\n  position: orders.toml:9:13\n  hint: it is the id among \
         the source's replicas: put it into [source]",
    );
}

#[test]
fn wrong_types_and_values() {
    check(
        "host = \"127.0.0.1\"",
        "host = 5",
        "error[config.wrong-type]: invalid type: integer, expected a string\n  position: orders.toml:3:8",
    );
    let port = error("user = \"repl\"", "port = 70000\nuser = \"repl\"");
    assert!(
        port.contains("error[config.invalid-value]") && port.contains("orders.toml:4:8"),
        "{port}"
    );
    check(
        "user = \"repl\"",
        "tls = \"verify_ca\"\nuser = \"repl\"",
        "error[config.invalid-value]: unknown value `verify_ca`\n  position: orders.toml:4:7\n  hint: did you mean `verify-ca`?",
    );
    check(
        "name = \"orders\"",
        "name = \"or ders\"",
        "error[config.invalid-value]: `name` is \"or ders\": it must be 1 to 64 letters, digits, `_` or `-`\n  position: orders.toml:1:8",
    );
    check(
        "gtid_set = \"\"",
        "gtid_set = \"\"\n[limits]\nmemory_mib = 1",
        "error[config.invalid-value]: `memory_mib` must be 16 to 4096\n  position: orders.toml:13:14",
    );
}

#[test]
fn missing_keys() {
    let user = error("user = \"repl\"\n", "");
    assert!(
        user.contains(
            "error[config.missing-key]: the key `user` is missing\n  position: orders.toml:2:"
        ) || user.contains("orders.toml"),
        "{user}"
    );
    let host = error("host = \"127.0.0.1\"\n", "");
    assert!(
        host.contains("[source] has neither `host` nor `socket`"),
        "{host}"
    );
    let set = error("gtid_set = \"\"\n", "");
    assert!(
        set.contains("start.mode = \"gtid\" needs `gtid_set`"),
        "{set}"
    );
}

#[test]
fn keys_that_contradict_each_other() {
    assert!(
        error("user = \"repl\"", "user = \"repl\"\npassword = \"x\"")
            .contains("more than one of `password`")
    );
    assert!(
        error("user = \"repl\"", "user = \"repl\"\ncert = \"c.pem\"")
            .contains("only one of `cert` and `key`")
    );
    assert!(
        error("user = \"repl\"", "user = \"repl\"\nca = \"ca.pem\"")
            .contains("does not verify certificates")
    );
    assert!(
        error("mode = \"gtid\"", "mode = \"now\"")
            .contains("`gtid_set` belongs to start.mode = \"gtid\"")
    );
}

#[test]
fn what_is_no_toml_at_all() {
    let text = error("[target]", "[target");
    assert!(
        text.contains("error[config.syntax]") && text.contains("orders.toml:6:"),
        "{text}"
    );
    let missing = Config::load("/nowhere/x.toml").unwrap_err().to_text();
    assert!(
        missing.starts_with(
            "error[config.unreadable]: failed to read the configuration file /nowhere/x.toml"
        ),
        "{missing}"
    );
}

#[test]
fn passwords_are_never_shown() {
    let text = GOOD.replace("password_file = \"secret.txt\"", "password = \"hunter2\"");
    let config = Config::parse(&text, Path::new("orders.toml")).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(
        !error(
            "password_file = \"secret.txt\"",
            "password = \"hunter2\"\nport = \"x\""
        )
        .contains("hunter2")
    );
}

#[test]
fn only_what_reads_from_the_source_alone_does_without_a_target() {
    let (source, rest) = GOOD.split_once("[target]").unwrap();
    let start = rest.split_once("[start]").unwrap().1;
    let text = format!("{source}[start]{start}");
    let path = Path::new("orders.toml");
    assert_eq!(
        Config::parse(&text, path).unwrap_err().to_text(),
        "error[config.missing-key]: the key `target` is missing\n  position: orders.toml:1:1"
    );
    assert!(Config::parse_source(&text, path).unwrap().target.is_none());
    assert!(Config::parse_source(GOOD, path).unwrap().target.is_some());
}

#[test]
fn limits_of_a_first_copy() {
    let with = |line: &str| format!("[snapshot]\n{line}\n[start]");
    for (line, message) in [
        ("readers = 0", "`readers` must be 1 to 16"),
        (
            "busy_share_percent = 0",
            "`busy_share_percent` must be 1 to 100",
        ),
        (
            "max_source_load = 100001",
            "`max_source_load` must be 0 to 100000",
        ),
        (
            "max_mib_per_second = 100001",
            "`max_mib_per_second` must be 0 to 100000",
        ),
        (
            "max_target_lag_ms = 3600001",
            "`max_target_lag_ms` must be 0 to 3600000",
        ),
    ] {
        let column = line.find('=').unwrap() + 3;
        check(
            "[start]",
            &with(line),
            &format!("error[config.invalid-value]: {message}\n  position: orders.toml:10:{column}"),
        );
    }
    let text = error("[start]", &with("max_rows_per_second = -5"));
    assert!(text.contains("orders.toml:10:23"), "{text}");
    let text = error("[start]", &with("max_row_per_second = 5"));
    assert!(
        text.contains("did you mean `max_rows_per_second`?"),
        "{text}"
    );
    let text = GOOD.replacen("[start]", &with("max_rows_per_second = 5"), 1);
    let config = Config::parse(&text, Path::new("orders.toml")).unwrap();
    assert_eq!(config.throttle.rows_per_second, 5);
    assert_eq!(config.throttle.busy_share_percent, 50);
    assert_eq!(config.copy_readers, 2);
}
