//! Time zones by name, which servers know only if somebody has loaded them: rows need none on the target, statements say so.

use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run::{server, value};

/// Central European time in 2021, with both its changes, as `mysql_tzinfo_to_sql` writes zones. Zones are each server's own matter.
const BERLIN: &str = "SET SESSION sql_log_bin = 0; INSERT INTO mysql.time_zone (Use_leap_seconds) VALUES ('N'); SET @z = LAST_INSERT_ID(); \
    INSERT INTO mysql.time_zone_name (Name, Time_zone_id) VALUES ('Europe/Berlin', @z); \
    INSERT INTO mysql.time_zone_transition_type (Time_zone_id, Transition_type_id, Offset, Is_DST, Abbreviation) VALUES (@z, 0, 3600, 0, 'CET'), (@z, 1, 7200, 1, 'CEST'); \
    INSERT INTO mysql.time_zone_transition (Time_zone_id, Transition_time, Transition_type_id) VALUES (@z, 1000, 0), (@z, UNIX_TIMESTAMP('2021-03-28 01:00:00'), 1), (@z, UNIX_TIMESTAMP('2021-10-31 01:00:00'), 0); \
    SET SESSION sql_log_bin = 1";

/// fidelity: type | TIMESTAMP written under a named time zone, in the doubled and around the missing hour | the same instant; the target needs no table of time zones
/// fidelity: statement | a statement under a named time zone | run under it; a target that does not know the zone stops it: `server.unknown-time-zone`
#[test]
fn instants_and_statements_under_a_zone_with_a_name() {
    let (source, target) = (server(), server());
    // The zone's changes are written down in UTC.
    let berlin = format!("SET SESSION time_zone = '+00:00'; {BERLIN}");
    source.sql(&berlin).expect("a zone");
    source
        .sql(
            "SET GLOBAL time_zone = 'Europe/Berlin'; CREATE DATABASE d; \
             CREATE TABLE d.t (id INT PRIMARY KEY, ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL, dt DATETIME, j JSON, UNIQUE (ts6), n INT)",
        )
        .expect("a table");
    source
        .sql(
            "SET SESSION time_zone = 'Europe/Berlin'; \
             INSERT INTO d.t (id, ts, ts6, dt) VALUES (1, '2021-03-28 01:59:59', '2021-03-28 01:59:59.999999', '2021-03-28 02:30:00'), \
               (2, '2021-03-28 03:00:00', '2021-03-28 03:00:00', '2021-10-31 02:30:00'), \
               (5, '2021-10-31 02:30:00', '2021-10-31 02:30:00.25', NULL), (6, '2021-07-01 12:00:00', '2021-12-01 12:00:00', NULL); \
             SET SESSION time_zone = '+00:00'; \
             INSERT INTO d.t (id, ts, ts6) VALUES (3, FROM_UNIXTIME(1635638400), FROM_UNIXTIME(1635638400.5)), (4, FROM_UNIXTIME(1635642000), FROM_UNIXTIME(1635642000.5)); \
             SET SESSION time_zone = 'Europe/Berlin'; \
             UPDATE d.t SET n = 1, id = id + 10 WHERE id IN (3, 4); UPDATE d.t SET j = JSON_ARRAY(ts, ts6, dt); DELETE FROM d.t WHERE id = 6",
        )
        .expect("rows");
    // The doubled hour: two instants that look alike to the session that wrote them.
    let alike = "SET SESSION time_zone = 'Europe/Berlin'; SELECT COUNT(DISTINCT CAST(ts6 AS CHAR)) * 10 + COUNT(DISTINCT UNIX_TIMESTAMP(ts6)) FROM d.t WHERE id IN (13, 14)";
    assert_eq!(value(&source, alike).as_deref(), Some("12"));
    let settings = settings(r#"{"mode":"gtid","gtid_set":""}"#);
    replicate(&source, &target, &settings).expect("rows need no zone");
    compare::assert_equal(&source, &target, &["d"]);
    let instants = "SELECT GROUP_CONCAT(UNIX_TIMESTAMP(ts), ' ', UNIX_TIMESTAMP(ts6) ORDER BY id SEPARATOR '; ') FROM d.t";
    assert_eq!(value(&target, instants), value(&source, instants));
    // Existing rows get what the default says in the session's zone.
    source
        .sql("SET SESSION time_zone = 'Europe/Berlin'; ALTER TABLE d.t ADD COLUMN summer TIMESTAMP NOT NULL DEFAULT '2021-07-01 12:00:00'")
        .expect("a statement");
    let error = replicate(&source, &target, &settings).expect_err("an unknown zone");
    assert_eq!(error.code, "server.unknown-time-zone", "{error:?}");
    assert_eq!(error.server_errno, Some(1298));
    assert!(error.message.contains("Europe/Berlin"), "{error:?}");
    assert!(
        error
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("mysql_tzinfo_to_sql")),
        "{error:?}"
    );
    assert!(error.position.is_some() && error.gtid.is_some());
    target.sql(&berlin).expect("the zone");
    replicate(&source, &target, &settings).expect("with the zone");
    let summer = "SET SESSION time_zone = '+00:00'; SELECT GROUP_CONCAT(DISTINCT summer) FROM d.t";
    assert_eq!(
        value(&target, summer).as_deref(),
        Some("2021-07-01 10:00:00")
    );
    compare::assert_equal(&source, &target, &["d"]);
}
