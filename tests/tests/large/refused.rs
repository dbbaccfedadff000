//! What is too large for a limit or for a server: one error with a code, a hint and the place, and nothing of it is applied.

use datain_contract::types::{Disposition, Error};
use datain_tests::native::replicate;
use datain_tests::pipeline_run::value;
use datain_throwaway_servers::Server;

use crate::{server, settings};

const ROOM: &str = "max_allowed_packet=256M";

fn table(source: &Server) {
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO d.t VALUES (0, 'x')")
        .expect("a table");
}

fn insert(source: &Server, size: u64) {
    source
        .sql(&format!(
            "INSERT INTO d.t VALUES ({size}, REPEAT('x', {size}))"
        ))
        .expect("a row");
}

fn named(error: &Error, code: &str, hint: &str) {
    assert_eq!(error.code, code, "{error:?}");
    assert!(
        matches!(error.disposition, Disposition::Reconfigure),
        "{error:?}"
    );
    assert!(
        error.hint.as_deref().is_some_and(|h| h.contains(hint)),
        "{error:?}"
    );
}

fn only_the_first_row(target: &Server) {
    assert_eq!(
        value(target, "SELECT GROUP_CONCAT(id) FROM d.t").as_deref(),
        Some("0")
    );
}

/// fidelity: event | a row over limits.max_row_mib | stops with `row-too-large`
#[test]
fn a_row_over_the_limit() {
    let (source, target) = (server(&[ROOM]), server(&[ROOM]));
    table(&source);
    insert(&source, 20_000_000);
    let error = replicate(&source, &target, &settings(r#","max_row_bytes":1048576"#))
        .expect_err("20 MB in a row, of 1 MiB");
    named(&error, "row-too-large", "limits.max_row_mib");
    assert_eq!(error.table.as_deref(), Some("d.t"));
    assert!(
        error.gtid.is_some() && error.position.is_some(),
        "{error:?}"
    );
    assert!(error.message.contains("1048576"), "{error:?}");
    only_the_first_row(&target);
    replicate(&source, &target, &settings("")).expect("the limit was raised");
}

/// fidelity: event | a row over the target's max_allowed_packet | stops with `server.packet-too-large` before it is sent
#[test]
fn a_row_over_the_targets_packets() {
    let (source, target) = (server(&[ROOM]), server(&["max_allowed_packet=4M"]));
    table(&source);
    // Together over what a packet may have, one by one not.
    insert(&source, 3_000_000);
    insert(&source, 3_000_001);
    let settings = settings("");
    replicate(&source, &target, &settings).expect("3 MB fit");
    target
        .sql("DELETE FROM d.t WHERE id > 0")
        .expect("as before");
    insert(&source, 5_000_000);
    let error = replicate(&source, &target, &settings).expect_err("5 MB do not fit");
    named(
        &error,
        "server.packet-too-large",
        "max_allowed_packet on the target",
    );
    assert_eq!(error.table.as_deref(), Some("d.t"));
    assert!(
        error.gtid.is_some() && error.position.is_some(),
        "{error:?}"
    );
    only_the_first_row(&target);
    target
        .sql("SET GLOBAL max_allowed_packet = 64 << 20")
        .expect("the hint is followed");
    replicate(&source, &target, &settings).expect("5 MB fit now");
}

/// fidelity: event | an event over the source's max_allowed_packet, up to 1 GiB | passes: MySQL 9.7 does not hold its log to that setting
#[test]
fn an_event_over_the_sources_packets() {
    let (source, target) = (server(&[ROOM]), server(&[ROOM]));
    table(&source);
    insert(&source, 20_000_000);
    source
        .sql("SET GLOBAL max_allowed_packet = 1 << 20")
        .expect("a smaller packet");
    replicate(&source, &target, &settings("")).expect("it is sent all the same");
    // The comparison's functions are held to it.
    source
        .sql("SET GLOBAL max_allowed_packet = 256 << 20")
        .expect("as before");
    datain_tests::compare::assert_equal(&source, &target, &["d"]);
}
