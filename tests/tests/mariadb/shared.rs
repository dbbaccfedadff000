//! The scenarios of all servers (`tests/scenarios/`) between two MariaDBs of one version. Only with `DATAIN_LONG=1`.
//!
//! They are written for MySQL. What is in [`PARTLY`] holds statements that MariaDB does not know; its client passes over those, and what is left is replicated and compared all the same. The others
//! must run as a whole.

use std::io::Write as _;
use std::process::{Command, Stdio};

use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::scenarios::{self, Scenario};
use datain_tests::seed::long;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use super::server;

/// Scenarios of which MariaDB does not know every statement, and why.
const PARTLY: [(&str, &str); 16] = [
    ("columns.sql", "NOT NULL behind a computed column"),
    ("create_select.sql", "VALUES ROW"),
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
    ("shapes.sql", "SRID, VECTOR"),
    ("strings.sql", "gb18030"),
    ("temporals.sql", "time zones over 13 hours"),
    ("types.sql", "JSON_TABLE and collations of MySQL 8.0"),
    ("xa.sql", "reading while a branch is prepared"),
];

/// Scenarios that are left out, and why.
const LEFT_OUT: [(&str, &str); 1] = [(
    "partial_json.sql",
    "it is all about binlog_row_value_options, which MariaDB has not",
)];

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
    let (source, target) = (server(flavor, &[]), server(flavor, &[]));
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    let named = |list: &[(&str, &str)], name: &str| list.iter().any(|(known, _)| *known == name);
    for scenario in scenarios::all().expect("the scenarios") {
        if named(&LEFT_OUT, &scenario.name) {
            continue;
        }
        if named(&PARTLY, &scenario.name) {
            run_partly(&source, &scenario);
        } else {
            run(&source, &scenario.sql);
        }
        replicate(&source, &target, &settings)
            .unwrap_or_else(|error| panic!("{}: {error:?}", scenario.name));
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
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
