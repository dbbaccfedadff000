//! `datain status`.

use std::collections::BTreeSet;
use std::time::Duration;

use datain_tests::host::Host;
use serde_json::Value;

use crate::lab::{FROM_THE_BEGINNING, Lab, datain, done, status, until};

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
    // No first copy was made, so of that there is nothing.
    assert!(live["copy"].is_null());
    let mut described = described();
    described.retain(|key| !key.starts_with("copy."));
    assert_eq!(
        documented(&live),
        described,
        "and the page has no other keys"
    );
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

const PAGE: &str = include_str!("../../../docs/status.md");

/// The keys of the page's table: what stands in backticks in the first column.
fn described() -> BTreeSet<String> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split_once(" |"));
    cells
        .flat_map(|(cell, _)| cell.split('`').step_by(2))
        .map(str::to_owned)
        .collect()
}

/// The keys of a report, each of which must be on the page.
fn documented(report: &Value) -> BTreeSet<String> {
    let keys = |value: &Value, prefix: &str| -> Vec<String> {
        value.as_object().map_or_else(Vec::new, |object| {
            object.keys().map(|key| format!("{prefix}{key}")).collect()
        })
    };
    let mut all: BTreeSet<String> = keys(report, "").into_iter().collect();
    for part in [
        "host",
        "head",
        "retrieved",
        "executed",
        "source",
        "target",
        "checkpoint",
    ] {
        all.extend(keys(&report[part], &format!("{part}.")));
    }
    let page = described();
    let missing: Vec<&String> = all.difference(&page).collect();
    assert!(missing.is_empty(), "docs/status.md lacks {missing:?}");
    all
}
