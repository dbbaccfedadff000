use super::*;
use datain_binlog::ChecksumAlgorithm;

const A: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
const B: &str = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

fn facts(gtid_on: bool, executed: &str, purged: &str) -> Facts {
    Facts {
        server_uuid: A.to_owned(),
        is_mariadb: false,
        log_bin: true,
        binlog_format: "ROW".to_owned(),
        checksum: ChecksumAlgorithm::Crc32,
        gtid_on,
        executed: Gtids::parse(executed, false).unwrap(),
        visible: Gtids::parse(executed, false).unwrap(),
        purged: Gtids::parse(purged, false).unwrap(),
        head: Some(Position {
            file: "b.000007".to_owned(),
            offset: 99,
        }),
        lower_case_names: false,
        explicit_timestamps: None,
    }
}

fn resume(uuid: &str, gtids: Option<&str>) -> Option<State> {
    Some(State {
        server_uuid: uuid.to_owned(),
        position: Position {
            file: "b.000003".to_owned(),
            offset: 44,
        },
        gtids: gtids.map(|t| Gtids::parse(t, false).unwrap()),
        file_began: None,
        copy: None,
        aside: None,
        scope: None,
        temporary: crate::temporary::TemporaryTables::default(),
    })
}

fn check(start: &Start, resume: Option<State>, facts: &Facts, expected: &str) {
    let found = match state(start, resume, facts) {
        Ok(s) => s.checkpoint(0).display,
        Err(e) => e.code,
    };
    assert_eq!(found, expected);
}

fn mode(mode: &str) -> Start {
    Start {
        mode: mode.to_owned(),
        ..Start::default()
    }
}

#[test]
fn a_checkpoint_by_gtid_is_held_against_the_source() {
    let go = |set: &str, executed: &str, purged: &str, expected: &str| {
        check(
            &mode("now"),
            resume(B, Some(set)),
            &facts(true, executed, purged),
            expected,
        );
    };
    go(
        &format!("{B}:1-5"),
        &format!("{B}:1-9"),
        &format!("{B}:1-5"),
        &format!("b.000003:44 {B}:1-5"),
    );
    go(
        &format!("{B}:1-5"),
        &format!("{B}:1-4"),
        "",
        "source.diverged",
    );
    go(
        &format!("{B}:1-5"),
        &format!("{B}:1-9"),
        &format!("{B}:1-6"),
        "source.binlog-purged",
    );
    go(
        &format!("{B}:1-5"),
        &format!("{A}:1,{B}:1-9"),
        &format!("{A}:1"),
        "source.binlog-purged",
    );
}

fn mariadb(position: &str) -> Facts {
    Facts {
        server_uuid: "mariadb:7".to_owned(),
        is_mariadb: true,
        executed: Gtids::parse(position, true).unwrap(),
        purged: Gtids::none(true),
        ..facts(true, "", "")
    }
}

#[test]
fn a_position_by_domain_is_held_against_the_source() {
    let resumed = |identity: &str, position: &str| {
        Some(State {
            server_uuid: identity.to_owned(),
            gtids: Some(Gtids::parse(position, true).unwrap()),
            ..resume(A, None).unwrap()
        })
    };
    for (checkpoint, source, expected) in [
        ("0-1-5", "0-1-9", "b.000003:44 0-1-5"),
        ("0-1-5", "0-1-4,1-1-9", "source.diverged"),
        ("0-1-5,1-1-1", "0-1-9", "source.diverged"),
        ("", "0-1-9", "b.000003:44 "),
    ] {
        // Another server id: a failover is survived by GTID.
        let resume = resumed("mariadb:9", checkpoint);
        check(&mode("now"), resume, &mariadb(source), expected);
    }
    let of_mysql = resume(A, Some(""));
    check(
        &mode("now"),
        of_mysql,
        &mariadb("0-1-9"),
        "source.other-server",
    );
    let of_mariadb = resumed("mariadb:7", "0-1-5");
    check(
        &mode("now"),
        of_mariadb,
        &facts(true, "", ""),
        "source.other-server",
    );
    let gtid = Start {
        gtid_set: "0-1-7".to_owned(),
        ..mode("gtid")
    };
    check(&gtid, None, &mariadb("0-1-9"), ":0 0-1-7");
    check(&gtid, None, &facts(true, "", ""), "config.invalid");
    for (ahead, code) in [
        ("gtid 0-1-3-9", ""),
        ("gtid 0-1-3-10", "source.diverged"),
        ("gtid 0", "config.invalid"),
    ] {
        let found = hold_ahead(ahead, &mariadb("0-1-9"));
        assert_eq!(
            found.map_or_else(|e| e.code, |()| String::new()),
            code,
            "{ahead}"
        );
    }
}

#[test]
fn what_is_ahead_of_the_checkpoint_is_held_against_the_source() {
    let go = |ahead: &str, facts: &Facts, expected: &str| {
        let found = hold_ahead(ahead, facts).map_or_else(|error| error.code, |()| String::new());
        assert_eq!(found, expected, "{ahead}");
    };
    let gtids = facts(true, &format!("{B}:1-9,{B}:x:1-2"), "");
    for (last, expected) in [(9, ""), (10, "source.diverged")] {
        go(
            &format!("gtid {B}:7-{last}\ngtid {B}:3-3\n"),
            &gtids,
            expected,
        );
        go(
            &format!("gtid {B}:3-3\ngtid {B}:7-{last}\n"),
            &gtids,
            expected,
        );
    }
    go(&format!("gtid {B}:x:2-2\n"), &gtids, "");
    go(&format!("gtid {B}:y:2-2\n"), &gtids, "source.diverged");
    go(
        &format!("gtid {B}:1-1\n"),
        &facts(false, "", ""),
        "source.gtid-off",
    );
    let mut places = facts(false, "", "");
    go("place b.000007:98\nplace b.000006:500\n", &places, "");
    go("place b.000007:99\n", &places, "source.diverged");
    go("place b.000008:4\n", &places, "source.diverged");
    go("place other.000001:4\n", &places, "source.diverged");
    places.head = None;
    go("place b.000007:98\n", &places, "source.position-unknown");
    for ahead in ["nothing", "gtid x", "place b.000007", "other 1"] {
        go(ahead, &gtids, "config.invalid");
    }
}

#[test]
fn a_file_that_is_gone_is_named() {
    let log = |file: &str| Position {
        file: file.to_owned(),
        offset: 100,
    };
    let logs = [log("b.000003"), log("b.000004")];
    assert!(named(&logs, &log("b.000004")).is_ok());
    assert!(named(&[], &log("b.000001")).is_ok());
    let error = named(&logs, &log("b.000001")).unwrap_err();
    assert_eq!(error.code, "source.binlog-purged");
    assert!(error.message.contains("b.000001"));
}

#[test]
fn a_file_and_offset_belong_to_one_server() {
    check(
        &mode("now"),
        resume(A, None),
        &facts(false, "", ""),
        "b.000003:44",
    );
    check(
        &mode("now"),
        resume(B, None),
        &facts(false, "", ""),
        "source.other-server",
    );
    // GTIDs were turned off on the same server: its files still hold.
    check(
        &mode("now"),
        resume(A, Some("")),
        &facts(false, "", ""),
        "b.000003:44",
    );
    check(
        &mode("now"),
        resume(B, Some("")),
        &facts(false, "", ""),
        "source.gtid-off",
    );
}

#[test]
fn a_new_pipeline_begins_where_the_configuration_says() {
    let all = format!("{A}:1-3");
    check(
        &mode("now"),
        None,
        &facts(true, &all, ""),
        &format!("b.000007:99 {all}"),
    );
    check(&mode("now"), None, &facts(false, "", ""), "b.000007:99");
    check(
        &mode("snapshot"),
        None,
        &facts(true, "", ""),
        "b.000007:99 ; copying definitions",
    );
    check(
        &mode("gtid"),
        None,
        &facts(false, "", ""),
        "source.gtid-off",
    );
    check(
        &mode("position"),
        None,
        &facts(true, "", ""),
        "config.invalid",
    );
    check(&mode("soon"), None, &facts(true, "", ""), "config.invalid");
    let position = Start {
        file: "b.000001".to_owned(),
        ..mode("position")
    };
    check(&position, None, &facts(true, &all, ""), "b.000001:4");
    let gtid = Start {
        gtid_set: format!("{A}:1-9"),
        ..mode("gtid")
    };
    check(&gtid, None, &facts(true, &all, ""), "source.diverged");
}

/// What a session of the first server has made may be used in the other one's log, too.
#[test]
fn temporary_tables_are_not_trusted_on_another_server() {
    let name = ("d".to_owned(), "t".to_owned());
    for (uuid, expected) in [(A, Some(true)), (B, Some(false))] {
        let mut before = resume(uuid, Some("")).unwrap();
        before.temporary.put(7, name.clone(), true);
        let after = state(&mode("now"), Some(before), &facts(true, "", "")).unwrap();
        assert_eq!(after.temporary.find(7, &name), expected, "{uuid}");
    }
}
