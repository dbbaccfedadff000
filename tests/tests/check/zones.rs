//! Time zones: SYSTEM of both servers, names that the target does not know, and stored columns that depend on the zone of who writes.

use datain_tests::host::Host;
use datain_throwaway_servers::{Flavor, Server};

use crate::pair::{LIMIT, NOW, Pair};

const DDL: &str = "pair.time-zone";
const COLUMN: &str = "source.zoned-column";
/// Central European time, as its rules are written where no zones are installed.
const CET: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
/// One hour ahead of UTC, all year.
const LAGOS: &str = "WAT-1";

fn server(zone: &str) -> Server {
    Server::builder(Flavor::Mysql97)
        .system_time_zone(zone)
        .start()
        .expect("a server")
}

/// fidelity: statement | under `time_zone` = SYSTEM, where the servers' system zones differ | runs under the target's own; `pair.time-zone` warns before
#[test]
fn system_zones_that_differ() {
    let pair = Pair::of(server(CET), server("UTC0"));
    let finding = pair.check().is(DDL, "warning", 0).clone();
    let message = finding["message"].to_string();
    assert!(
        message.contains("on the source, +00:00 on the target")
            && message.contains("time_zone is SYSTEM"),
        "{finding:#}"
    );
    // What it warns of.
    pair.source
        .sql("INSERT INTO shop.item VALUES (1, 'a', 1)")
        .expect("a row");
    let config = pair.config("run", "", "", "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n");
    let until = || {
        let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
        assert_eq!(exit.code, 0, "{exit}");
    };
    pair.target
        .sql("DROP DATABASE shop")
        .expect("an empty target");
    until();
    let altered = "SET timestamp = 1767225600; ALTER TABLE shop.item ADD at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP";
    pair.source.sql(altered).expect("a column");
    until();
    let at =
        |server: &Server| server.query("SELECT at FROM shop.item").expect("a row")[0][0].clone();
    assert_eq!(at(&pair.source).as_deref(), Some("2026-01-01 01:00:00"));
    assert_eq!(at(&pair.target).as_deref(), Some("2026-01-01 00:00:00"));
    // A zone that the log names is another matter.
    pair.source
        .sql("SET GLOBAL time_zone = '+01:00'")
        .expect("a setting");
    pair.check().is(DDL, "note", 0);
    pair.source
        .sql("SET timestamp = 1767225600; ALTER TABLE shop.item DROP at, ADD at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP")
        .expect("a column");
    until();
    assert_eq!(at(&pair.target), at(&pair.source));
}

/// Zones that agree in one half of the year are two.
#[test]
fn zones_that_differ_in_summer_and_names_that_are_not_known() {
    let pair = Pair::of(server(CET), server(LAGOS));
    let (source, target) = (&pair.source, &pair.target);
    pair.check().is(DDL, "warning", 0);
    // A zone as mysql_tzinfo_to_sql makes them.
    let zone = "INSERT INTO mysql.time_zone (Use_leap_seconds) VALUES ('N'); SET @id = LAST_INSERT_ID(); INSERT INTO mysql.time_zone_name VALUES ('Test/Zone', @id);
        INSERT INTO mysql.time_zone_transition_type VALUES (@id, 0, 5400, 0, 'TST')";
    source.sql(zone).expect("a zone");
    source
        .sql("SET GLOBAL time_zone = 'Test/Zone'")
        .expect("a setting");
    let finding = pair.check().is(DDL, "warning", 0).clone();
    assert!(
        finding["message"]
            .to_string()
            .contains("does not know the source's time zone Test/Zone")
            && finding["remedy"]
                .to_string()
                .contains("mysql_tzinfo_to_sql"),
        "{finding:#}"
    );
    target.sql(zone).expect("a zone");
    pair.check().is(DDL, "note", 0);
}

/// fidelity: type | stored generated columns that depend on the time zone | computed in UTC; `source.zoned-column` refuses before, where the source's sessions are not in UTC
#[test]
fn stored_columns_that_depend_on_the_zone() {
    let pair = Pair::of(server(CET), server("UTC0"));
    let tables = "CREATE TABLE shop.zoned (id INT PRIMARY KEY, ts TIMESTAMP NOT NULL, `d``d` DATETIME AS (ts) STORED, v DATETIME AS (ts) VIRTUAL);
        CREATE TABLE shop.others (id INT PRIMARY KEY, n INT, dt DATETIME, a DATETIME AS (FROM_UNIXTIME(n)) STORED, b TIMESTAMP AS (dt) STORED, c INT AS (n + 1) STORED, e INT AS (HOUR(dt)) STORED);
        CREATE TABLE shop.fine (id INT PRIMARY KEY, ts TIMESTAMP NULL, n INT, c INT AS (n + 1) STORED)";
    pair.source.sql(tables).expect("tables");
    pair.target.sql(tables).expect("tables");
    let checked = pair.check();
    let finding = checked.is(COLUMN, "fatal", 1);
    assert_eq!(
        finding["subjects"],
        serde_json::json!(["`shop`.`others`", "`shop`.`zoned`"])
    );
    let message = finding["message"].as_str().expect("a message");
    assert!(
        message.ends_with(": `shop`.`others`.`a`, `shop`.`others`.`b`, `shop`.`zoned`.`d``d`"),
        "{message}"
    );
    let without = format!("exclude = [\"shop.zoned\", \"shop.others\"]\n{NOW}");
    pair.check_with("", "", &without).is(COLUMN, "passed", 0);
    // What it refuses.
    let allowed = format!("{NOW}[check]\nallow = [\"zoned-column\"]\n");
    let config = pair.config("run", "", "", &allowed);
    let until = || {
        let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("an end");
        assert_eq!(exit.code, 0, "{exit}");
    };
    until();
    pair.source
        .sql("INSERT INTO shop.zoned (id, ts) VALUES (1, '2026-07-01 12:00:00')")
        .expect("a row");
    until();
    let stored = |server: &Server| {
        let rows = server.query("SELECT `d``d` FROM shop.zoned ORDER BY id");
        rows.expect("rows")
            .into_iter()
            .map(|mut row| row.remove(0))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        stored(&pair.source),
        [Some("2026-07-01 12:00:00".to_owned())]
    );
    assert_eq!(
        stored(&pair.target),
        [Some("2026-07-01 10:00:00".to_owned())]
    );
    // In UTC it depends on the sessions.
    pair.source
        .sql("SET GLOBAL time_zone = '+00:00'")
        .expect("a setting");
    pair.check().is(COLUMN, "warning", 0);
    pair.source
        .sql("INSERT INTO shop.zoned (id, ts) VALUES (2, '2026-07-01 12:00:00')")
        .expect("a row");
    until();
    assert_eq!(stored(&pair.source)[1], stored(&pair.target)[1]);
}
