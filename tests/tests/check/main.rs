//! `datain check`, requirement by requirement: each is broken on real servers, found, mended by the very statements that the finding gives, and found to hold.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod access;
mod cascades;
mod pair;
mod place;
mod settings;
mod tables;
mod versions;
mod zones;

use datain_tests::host::Host;
use serde_json::Value;

use pair::{LIMIT, NOW, Pair, check};

/// With the accounts of README and nothing else, also before anything is on the target.
#[test]
fn a_good_pair() {
    let pair = Pair::start();
    let checked = pair.check();
    assert_eq!(checked.exit.code, 0, "{:#}", checked.json);
    assert_eq!(
        checked.codes("note"),
        [
            "source.xa-prepared",
            "target.ddl-privilege-missing",
            "pair.definers",
            "pair.accounts"
        ],
        "what the accounts may not see is not passed: {:#}",
        checked.json
    );
    assert_eq!(checked.codes("warning"), [""; 0], "{:#}", checked.json);
    pair.sees_everything();
    let checked = pair.check();
    assert_eq!(
        checked.codes("note"),
        ["pair.accounts"],
        "{:#}",
        checked.json
    );
    let page = include_str!("../../../docs/checks.md");
    let listed = page
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 4);
    let listed = listed.filter(|line| {
        line.contains(" | fatal | ")
            || line.contains(" | warning | ")
            || line.contains(" | note | ")
    });
    assert_eq!(
        checked.codes("passed").len() + 1,
        listed.count(),
        "one finding per requirement"
    );
    // Its shape.
    let json = &checked.json;
    assert_eq!(
        (&json["pipeline"], &json["ok"]),
        (&Value::from("check"), &Value::from(true))
    );
    assert_eq!(json["counts"]["passed"], checked.codes("passed").len());
    assert_eq!(
        (
            &json["counts"]["fatal"],
            &json["counts"]["warning"],
            &json["counts"]["note"]
        ),
        (&0.into(), &0.into(), &1.into())
    );
    for finding in json["findings"].as_array().expect("findings") {
        let mut keys: Vec<&String> = finding.as_object().expect("an object").keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            [
                "allowed", "code", "message", "reason", "remedy", "severity", "side", "subjects",
                "title"
            ]
        );
        for key in ["code", "message", "reason", "severity", "side", "title"] {
            assert!(
                finding[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key} of {finding:#}"
            );
        }
        assert!(finding["subjects"].is_array() && finding["allowed"] == false);
    }
    // The text, and --strict.
    let config = pair.config("check", "", "", NOW);
    let exit = Host::command(
        &["check", "-c", config.to_str().expect("a path"), "--strict"],
        LIMIT,
    )
    .expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    assert!(
        exit.stdout
            .contains("\npassed[source.log-bin-off]: the source writes a binary log\n"),
        "{exit}"
    );
    let last = format!(
        "\n0 fatal, 0 warning, 1 note, {} passed\n",
        checked.codes("passed").len()
    );
    assert!(exit.stdout.ends_with(&last), "{}", exit.stdout);
    // An empty target, and everything still to come.
    pair.target
        .sql("DROP DATABASE shop")
        .expect("an empty target");
    let checked = pair.check_with("", "", "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n");
    assert_eq!(
        (checked.exit.code, checked.codes("note")),
        (0, vec!["pair.accounts"]),
        "{:#}",
        checked.json
    );
    // Nothing was changed.
    let schemas = pair
        .target
        .query("SHOW DATABASES LIKE 'datain'")
        .expect("schemas");
    assert!(schemas.is_empty());
}

#[test]
fn servers_that_cannot_be_looked_at() {
    let pair = Pair::start();
    let port = format!("port = {}", pair.source.port());
    let config = pair.config("check", "", "", NOW);
    let text = std::fs::read_to_string(&config).expect("the configuration");
    std::fs::write(&config, text.replace(&port, "port = 1")).expect("the configuration");
    // The target is looked at all the same, and what would be compared is not passed.
    let checked = check(&config, &[]);
    assert_eq!(checked.is("net.refused", "fatal", 1)["side"], "source");
    checked.is("target.read-only", "passed", 1);
    checked.is("target.privilege-missing", "passed", 1);
    for code in [
        "pair.version",
        "pair.lower-case-names",
        "pair.max-packet",
        "pair.time-zone",
        "pair.definers",
        "table.column-order",
        "table.column-meaning",
    ] {
        let finding = checked.is(code, "note", 1);
        assert!(
            finding["message"].to_string().contains("not checked"),
            "{finding:#}"
        );
    }
    // The other way round, what hangs on the checkpoint is not passed.
    std::fs::write(&config, text.replace("apply-secret", "not-the-secret"))
        .expect("the configuration");
    let checked = check(&config, &[]);
    assert_eq!(
        checked.is("server.access-denied", "fatal", 1)["side"],
        "target"
    );
    checked.is("source.log-bin-off", "passed", 1);
    checked.is("source.binlog-purged", "note", 1);
    assert!(
        !checked.exit.stdout.contains("not-the-secret"),
        "no password is shown"
    );
    // A wrong configuration is none of this.
    for wrong in [
        "[check]\nallow = [\"versoin\"]\n",
        "[check]\nallowed = []\n",
    ] {
        let config = pair.config("check", "", "", &format!("{wrong}{NOW}"));
        let exit = Host::command(&["check", "-c", config.to_str().expect("a path")], LIMIT)
            .expect("an end");
        assert_eq!(exit.code, 2, "{exit}");
    }
    let config = pair.config(
        "check",
        "",
        "",
        &format!("[check]\nallow = [\"versoin\"]\n{NOW}"),
    );
    let exit =
        Host::command(&["check", "-c", config.to_str().expect("a path")], LIMIT).expect("an end");
    assert!(
        exit.stderr.contains(
            "hint: it knows version, mariadb-only, no-primary-key, unlogged-cascades, zoned-column, column-order, column-meaning"
        ),
        "{exit}"
    );
}

#[test]
fn a_run_begins_with_the_fatal_ones() {
    let pair = Pair::start();
    pair.source
        .sql("SET GLOBAL sync_binlog = 0; SET GLOBAL binlog_format = STATEMENT; CREATE TABLE shop.a (v INT)")
        .expect("settings");
    let config = pair.config("run", "", "", NOW);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr
            .contains("\nerror[source.format-not-row]: binlog_format is STATEMENT\n"),
        "{exit}"
    );
    assert!(exit.stderr.contains("table.no-primary-key (source): 1 of 2 replicated tables have no primary key: `shop`.`a`"), "{exit}");
    assert!(
        exit.stderr
            .contains("  hint: SET PERSIST binlog_format = ROW;"),
        "{exit}"
    );
    assert_eq!(
        exit.stderr.matches("sync_binlog is 0").count(),
        1,
        "a warning is logged once: {exit}"
    );
    let schemas = pair
        .target
        .query("SHOW DATABASES LIKE 'datain'")
        .expect("schemas");
    assert!(schemas.is_empty(), "nothing was begun");
    // What is allowed is done: a row without a key is found by all that it holds.
    pair.source
        .sql("SET GLOBAL binlog_format = ROW")
        .expect("a setting");
    pair.target
        .sql("CREATE TABLE shop.a (v INT)")
        .expect("a table");
    let config = pair.config(
        "run",
        "",
        "",
        &format!("[check]\nallow = [\"no-primary-key\"]\n{NOW}"),
    );
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    pair.source
        .sql("INSERT INTO shop.a VALUES (1), (1), (2); UPDATE shop.a SET v = 3 WHERE v = 1 LIMIT 1; DELETE FROM shop.a WHERE v = 2")
        .expect("rows");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    let rows = pair
        .target
        .query("SELECT v FROM shop.a ORDER BY v")
        .expect("rows");
    assert_eq!(rows, [[Some("1".to_owned())], [Some("3".to_owned())]]);
}
