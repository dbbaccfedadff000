//! What stands in the way is told before anything is changed.

use std::fs;

use datain_mysql_client::blocking::block_on;
use datain_tests::host::Host;
use datain_tests::native::session;
use datain_tests::servers::{cell, run};
use serde_json::Value;

use crate::lab::{Lab, reverse};

/// Refused with these findings, each fatal, and nothing was changed.
fn refused(lab: &Lab, arguments: &[&str], codes: &[&str]) -> Value {
    let exit = lab.cutover(&[arguments, &["--format", "json"]].concat());
    assert_eq!(exit.code, 1, "{exit}");
    let answer: Value = serde_json::from_str(&exit.stdout).expect("JSON");
    let findings = answer["findings"].as_array().expect("findings");
    let mut found: Vec<&str> = findings
        .iter()
        .filter(|finding| finding["severity"] == "fatal")
        .filter_map(|finding| finding["code"].as_str())
        .collect();
    found.sort_unstable();
    assert_eq!(found, codes, "{exit}");
    assert_eq!(lab.stage(), Value::Null);
    assert!(lab.is_writable());
    answer
}

#[test]
fn each_obstacle_is_named_before_anything_is_changed() {
    let lab = Lab::new();
    refused(&lab, &["--set-source-read-only"], &["cutover.no-pipeline"]);
    lab.caught_up();
    // Nobody is asked where there is no terminal.
    let answer = refused(&lab, &[], &["cutover.source-writable"]);
    let remedy = answer["findings"][0]["remedy"].as_str().expect("a remedy");
    assert!(remedy.contains("--set-source-read-only"), "{remedy}");

    let mut branch = session(&lab.source);
    for sql in [
        "XA START 'b'",
        "INSERT INTO shop.orders (writer) VALUES (5)",
        "XA END 'b'",
        "XA PREPARE 'b'",
    ] {
        block_on(branch.exec(sql.as_bytes())).expect(sql);
    }
    lab.caught_up();
    refused(
        &lab,
        &["--set-source-read-only"],
        // Both servers know of it.
        &["cutover.xa-prepared", "cutover.xa-prepared"],
    );
    block_on(branch.exec(b"XA ROLLBACK 'b'")).expect("a rollback");
    lab.caught_up();

    // Somebody has made a trigger on the target that is another one, and a definer is gone.
    run(
        &lab.target,
        "CREATE TRIGGER shop.after_it AFTER INSERT ON shop.orders FOR EACH ROW SET @a = 1; SET SESSION sql_log_bin = 0; RENAME USER clerk@'%' TO cleric@'%'",
    );
    fs::write(reverse(&lab.config), "mine").expect("a file");
    let answer = refused(
        &lab,
        &["--set-source-read-only"],
        &[
            "cutover.definer-missing",
            "cutover.name-taken",
            "cutover.reverse-exists",
        ],
    );
    let text = answer.to_string();
    assert!(text.contains("CREATE USER 'clerk'@'%'"), "{text}");
    assert!(text.contains("`shop`.`after_it`"), "{text}");
    assert_eq!(
        fs::read_to_string(reverse(&lab.config)).expect("a file"),
        "mine"
    );
    let stop = lab.command("stop", &[]);
    assert_eq!(stop.code, 0, "{stop}");
    let exit = lab.cutover(&[]);
    assert_eq!(exit.code, 1, "{exit}");
    assert!(
        exit.stdout.contains("fatal[cutover.pipeline-stopped]"),
        "{exit}"
    );
    assert!(exit.stdout.contains("datain start -c FILE"), "{exit}");
}

/// A statement that holds the source up, and an account that may do less than is needed.
#[test]
fn a_source_that_cannot_be_stopped_goes_on() {
    let lab = Lab::new();
    lab.caught_up();
    let mut holder = session(&lab.source);
    block_on(holder.exec(b"LOCK TABLES shop.log WRITE")).expect("a lock");
    let exit = lab.cutover(&["--set-source-read-only", "--skip-verify"]);
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr.contains("error[cutover.writes-not-stopped]"),
        "{exit}"
    );
    assert!(lab.is_writable());
    assert_eq!(lab.stage(), Value::Null);
    block_on(holder.exec(b"UNLOCK TABLES")).expect("no lock");

    run(
        &lab.source,
        "CREATE USER repl@'%' IDENTIFIED BY 'secret'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT, EVENT, TRIGGER ON *.* TO repl@'%'",
    );
    let text = fs::read_to_string(&lab.config).expect("the configuration");
    let (source, rest) = text.split_once("[target]").expect("a target");
    let source: String = source
        .lines()
        .map(|line| match line {
            line if line.starts_with("user") => "user = \"repl\"\n".to_owned(),
            line if line.starts_with("password") => "password = \"secret\"\n".to_owned(),
            line => format!("{line}\n"),
        })
        .collect();
    fs::write(&lab.config, format!("{source}[target]{rest}")).expect("the configuration");
    lab.caught_up();
    let answer = refused(
        &lab,
        &["--set-source-read-only"],
        &["cutover.source-rights", "cutover.xa-prepared"],
    );
    let text = answer.to_string();
    for grant in [
        "GRANT SYSTEM_VARIABLES_ADMIN ON *.* TO 'repl'@'%';",
        "GRANT XA_RECOVER_ADMIN ON *.* TO 'repl'@'%';",
    ] {
        assert!(text.contains(grant), "{text}");
    }
    run(
        &lab.source,
        "REVOKE TRIGGER ON *.* FROM repl@'%'; GRANT SYSTEM_VARIABLES_ADMIN, XA_RECOVER_ADMIN ON *.* TO repl@'%'",
    );
    let exit = lab.cutover(&["--set-source-read-only"]);
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr.contains("error[cutover.definitions-unseen]")
            && exit.stderr.contains("GRANT TRIGGER ON *.* TO 'repl'@'%';"),
        "{exit}"
    );
    // With what it asks for it needs no more.
    run(&lab.source, "GRANT TRIGGER ON *.* TO repl@'%'");
    lab.done(&["--set-source-read-only", "--skip-verify"]);
    assert_eq!(
        cell(
            &lab.target,
            "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'"
        ),
        "4"
    );
}

/// A source that is a replica itself is written to under super_read_only.
#[test]
fn a_source_that_replicates_by_itself_is_found_out() {
    let lab = Lab::new();
    lab.caught_up();
    let change = format!(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'root', SOURCE_PASSWORD = 'x', SOURCE_AUTO_POSITION = 1; \
         START REPLICA SQL_THREAD",
        lab.target.port()
    );
    run(&lab.source, &change);
    refused(
        &lab,
        &["--set-source-read-only"],
        &["cutover.source-applies"],
    );
    // A difference is found before the source is stopped.
    run(&lab.source, "STOP REPLICA; RESET REPLICA ALL");
    run(
        &lab.target,
        "UPDATE shop.orders SET note = 'x' WHERE id = 1",
    );
    let exit = lab.cutover(&["--set-source-read-only"]);
    assert_eq!(exit.code, 1, "{exit}");
    assert!(exit.stdout.contains("1 rows differ"), "{exit}");
    assert!(lab.is_writable());
    assert_eq!(lab.stage(), Value::Null);
    let run = Host::run(&lab.config, &["--until-caught-up"], crate::lab::LIMIT).expect("an end");
    assert_eq!(run.code, 0, "{run}");
}
