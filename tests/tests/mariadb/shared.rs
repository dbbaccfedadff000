//! The scenarios of all servers (`tests/scenarios/`) between two MariaDBs of one version. Only with `DATAIN_LONG=1`.
//!
//! They are written for MySQL. What is in [`PARTLY`] holds statements that MariaDB does not know; its client passes over those, and what is left is replicated and compared all the same. The others
//! must run as a whole.

use std::io::Write as _;
use std::process::{Command, Stdio};

use datain_capture::reader::Settings;
use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::scenarios::{self, Scenario};
use datain_tests::seed::long;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use super::server;

/// Scenarios of which MariaDB does not know every statement, and why.
const PARTLY: &[(&str, &str)] = &[
    ("ddl_context.sql", "default_collation_for_utf8mb4"),
    (
        "ddl_objects.sql",
        "collations of MySQL 8.0 (10.11), ALTER VIEW forms",
    ),
    (
        "ddl_partitions.sql",
        "EXCHANGE PARTITION … WITH VALIDATION (10.11)",
    ),
    ("ddl_tables.sql", "functional indexes"),
    ("found.sql", "VECTOR as MySQL has it"),
    ("json.sql", "typed values in JSON, which is a text there"),
    ("old_types.sql", "a truncated ENUM is an error by default"),
    ("row_images.sql", "defaults and keys by expressions"),
    ("rows_query.sql", "binlog_rows_query_log_events"),
    ("strings.sql", "gb18030"),
    ("temporals.sql", "time zones over 13 hours"),
    ("xa.sql", "reading while a branch is prepared"),
];

/// Scenarios that are left out, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "columns.sql",
        "its tables without a key get an invisible one from MySQL",
    ),
    (
        "create_select.sql",
        "its tables without a key get an invisible one from MySQL",
    ),
    (
        "types.sql",
        "its tables without a key get an invisible one from MySQL",
    ),
    (
        "shapes.sql",
        "MariaDB logs a VECTOR as VARBINARY, which is refused (table.column-type); and it has other words for SRID",
    ),
    (
        "partial_json.sql",
        "it is all about binlog_row_value_options, which MariaDB has not",
    ),
];

/// Runs the scenario; the statements that the server does not know are passed over.
fn run_partly(server: &Server, scenario: &Scenario) {
    let mut client = Command::new(server.client_script())
        .arg("--force")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the client");
    let mut input = client.stdin.take().expect("its input");
    input
        .write_all(scenario.sql.as_bytes())
        .expect("the client reads");
    drop(input);
    client.wait().expect("the client ends");
}

fn arrive(flavor: Flavor) {
    if !long() {
        return;
    }
    let pair = || (server(flavor, &[]), server(flavor, &[]));
    let (mut source, mut target) = pair();
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    let named = |list: &[(&str, &str)], name: &str| list.iter().any(|(known, _)| *known == name);
    let mut failures = Vec::new();
    for scenario in scenarios::all().expect("the scenarios") {
        if named(LEFT_OUT, &scenario.name) {
            continue;
        }
        if named(PARTLY, &scenario.name) {
            run_partly(&source, &scenario);
        } else {
            run(&source, &scenario.sql);
        }
        if let Err(failure) = compared(&source, &target, &scenario, &settings) {
            println!("{}: {failure}", scenario.name);
            failures.push((scenario.name.clone(), failure));
            // The others are to be seen too, and that stream goes no further.
            (source, target) = pair();
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Replicates what the scenario has made, and compares it.
fn compared(
    source: &Server,
    target: &Server,
    scenario: &Scenario,
    settings: &Settings,
) -> Result<(), String> {
    replicate(source, target, settings).map_err(|error| format!("{error:?}"))?;
    let tables = compare::tables(source, target, &scenario.schemas());
    let tables = tables.map_err(|error| error.to_string())?;
    let different: Vec<_> = tables.iter().filter(|table| !table.is_equal()).collect();
    if tables.is_empty() || !different.is_empty() {
        return Err(format!("{different:?}"));
    }
    Ok(())
}

/// fidelity: statement | the scenarios of MySQL, as far as MariaDB knows their statements | equal between MariaDB 11.8, and between 10.11
#[test]
fn the_scenarios_of_all_servers_arrive_mariadb_11_8() {
    arrive(Flavor::Mariadb118);
}

#[test]
fn the_scenarios_of_all_servers_arrive_mariadb_10_11() {
    arrive(Flavor::Mariadb1011);
}
