//! Events that a source writes seldom, or that only other vendors' servers write: those of a real server, changed on the wire. (Without checksums, so that they stay whole.)

#![allow(clippy::disallowed_methods, reason = "native test")]

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, check, config, through};
use datain_tests::proxy::{Proxy, WRITE_ROWS, event_type};
use datain_throwaway_servers::{Flavor, Server};

const TABLE_MAP: u8 = 19;
const INCIDENT: u8 = 26;
const ROWS_QUERY: u8 = 29;
const AURORA_PADDING: u8 = 100;
/// Behind the frame, the OK byte and a timestamp.
const TYPE: usize = 9;
/// The first column's type in the table map of a table with one letter in a schema with one letter.
const FIRST_COLUMN: usize = 39;

fn pair() -> (Server, Server) {
    let start = |options: &[&str]| {
        let mut builder = Server::builder(Flavor::Mysql97).relaxed();
        for option in options {
            builder = builder.option(*option);
        }
        builder.start().expect("a server")
    };
    let source = start(&["binlog_checksum=NONE", "binlog_rows_query_log_events=ON"]);
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (2, 2); UPDATE d.t SET v = 3; DELETE FROM d.t WHERE id = 1")
        .expect("data");
    (source, start(&[]))
}

/// fidelity: event | unknown, ignorable, among the events of a real source, through the program | passed over; the rows around it are equal
#[test]
fn unknown_events_among_others_are_passed_over() {
    let (source, target) = pair();
    let proxy = Proxy::start(source.port(), |packet| {
        // It is ignorable as it is.
        if event_type(packet) == Some(ROWS_QUERY) {
            packet[TYPE] = AURORA_PADDING;
        }
    })
    .expect("a proxy");
    let folder = TempDir::new().expect("a folder");
    let change = through(&source, proxy.port());
    let config = config(&folder, "aurora", &source, &target, change);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    compare::assert_equal(&source, &target, &["d"]);
}

/// fidelity: event | Incident, from a real source, through the program | stops with `source.incident`, exit code 3; the rows before are there
/// fidelity: event | Table_map with a column type that is not known | stops with `binlog.column-type`
#[test]
fn an_incident_and_an_unknown_column_type_end_it() {
    let (source, target) = pair();
    let lost = Proxy::start(source.port(), |packet| {
        if event_type(packet) == Some(WRITE_ROWS) {
            packet[TYPE] = INCIDENT;
        }
    })
    .expect("a proxy");
    let exit = check(
        &source,
        &target,
        through(&source, lost.port()),
        "source.incident",
        3,
    );
    for part in ["  position: ", "  hint: "] {
        assert!(exit.stderr.contains(part), "{part}: {}", exit.stderr);
    }
    let count = || {
        target
            .query("SELECT COUNT(*) FROM d.t")
            .expect("the table before it")[0][0]
            .clone()
    };
    assert_eq!(count().as_deref(), Some("0"));
    drop(lost);
    let unknown = Proxy::start(source.port(), |packet| {
        if event_type(packet) == Some(TABLE_MAP) {
            packet[FIRST_COLUMN] = 200;
        }
    })
    .expect("a proxy");
    let exit = check(
        &source,
        &target,
        through(&source, unknown.port()),
        "binlog.column-type",
        3,
    );
    for part in ["200", "  table: d.t", "  position: ", "  hint: "] {
        assert!(exit.stderr.contains(part), "{part}: {}", exit.stderr);
    }
    assert_eq!(count().as_deref(), Some("0"));
}
