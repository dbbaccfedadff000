//! What a line holds.

use datain_tests::host::TempDir;
use serde_json::{Value, json};

use crate::{ALL, LIMIT, all, cell, config, lines, root, server, tail};

const TYPES: &str = "CREATE DATABASE d; CREATE TABLE d.v (
  id BIGINT UNSIGNED PRIMARY KEY, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT,
  de DECIMAL(20,4), f FLOAT, dd DOUBLE, bt BIT(10), y YEAR, da DATE, t TIME(3), dt DATETIME(6), ts TIMESTAMP(3) NULL,
  c CHAR(10), l VARCHAR(20) CHARACTER SET latin1, u VARCHAR(20) CHARACTER SET utf16, d8 CHAR(5) CHARACTER SET dec8, tx TEXT,
  b BINARY(4), vb VARBINARY(10), bl BLOB, e ENUM('a','b'), s SET('x','y','z'), j JSON, g POINT, ve VECTOR(2), n INT) CHARACTER SET utf8mb4";

const ROW: &str = "SET sql_mode = '', time_zone = '+05:00'; INSERT INTO d.v VALUES (18446744073709551615, -128, 255, -2, -8388608, 16777215, -5,
  '-12.5', 0.1, 0.1, b'1000000001', 2024, '0000-00-00', '-838:59:59.000', '2024-02-30 01:02:03.000004', '2024-01-01 05:00:00.5',
  _utf8mb4 x'F09F908E', _latin1 x'E980', _utf16 x'D83DDC0E', _dec8 'dec', 'line\\n\"quoted\"',
  x'0100', x'FF00', x'DEADBEEF', 'b', 'x,z', '{\"b\": 1.50, \"a\": [null, \"ž\"]}', POINT(1, 2), TO_VECTOR('[1,2]'), NULL)";

#[test]
fn every_kind_of_value_with_names_from_the_log_from_a_look_up_and_without() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE USER log IDENTIFIED BY 'p'; GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO log")
        .expect("an account");
    source.sql(TYPES).expect("a table");
    source.sql(ROW).expect("a row");
    let point = cell(&source, "SELECT TO_BASE64(g) FROM d.v");
    let values = json!({
        "id": 18446744073709551615_u64, "ti": -128, "tu": 255, "si": -2, "mi": -8388608, "mu": 16777215, "i": -5,
        "de": "-12.5000", "f": 0.1, "dd": 0.1, "bt": 513, "y": 2024, "da": "0000-00-00", "t": "-838:59:59.000",
        "dt": "0000-00-00 00:00:00.000000", "ts": "2024-01-01T00:00:00.500Z", "c": "🐎", "l": "é€", "u": "🐎",
        "d8": {"base64": "ZGVj"}, "tx": "line\n\"quoted\"", "b": "AQAAAA==", "vb": "/wA=", "bl": "3q2+7w==", "e": 2, "s": 5,
        "j": "{\"a\": [null, \"ž\"], \"b\": 1.5}", "g": point, "ve": "AACAPwAAAEA=", "n": null,
    });
    let seen = all(&config(&folder, source.port(), &root(), ALL));
    let of_row = |lines: &[Value]| {
        let found: Vec<_> = lines
            .iter()
            .filter(|line| line["op"] == "c")
            .cloned()
            .collect();
        assert_eq!(found.len(), 1, "{lines:?}");
        found[0].clone()
    };
    let row = of_row(&seen);
    assert_eq!(row["after"], values);
    assert_eq!(row["before"], Value::Null);
    let uuid = cell(&source, "SELECT @@server_uuid");
    let gtid = row["source"]["gtid"].as_str().expect("a GTID");
    assert!(gtid.starts_with(&uuid), "{gtid}");
    assert_eq!(
        row["transaction"],
        json!({"id": gtid, "total_order": 1, "data_collection_order": 1})
    );
    let origin = &row["source"];
    for (key, expected) in [
        ("connector", json!("mysql")),
        ("name", json!("orders")),
        ("snapshot", json!("false")),
        ("db", json!("d")),
        ("table", json!("v")),
        ("server_id", json!(0)),
        ("row", json!(0)),
        ("thread", Value::Null),
        ("query", Value::Null),
        ("file", json!(cell(&source, "SHOW BINARY LOG STATUS"))),
    ] {
        assert_eq!(origin[key], expected, "{key}");
    }
    let (committed, now) = (&origin["ts_ms"], row["ts_ms"].as_u64().expect("a time"));
    assert_eq!(
        origin["ts_us"].as_u64().map(|us| us / 1000),
        committed.as_u64()
    );
    assert!(
        committed
            .as_u64()
            .is_some_and(|ms| ms <= now && now - ms < 120_000),
        "{row}"
    );
    assert!(origin["pos"].as_u64().is_some_and(|pos| pos >= 4), "{row}");
    // Statements, but none on accounts: they hold hashes of passwords.
    let statements: Vec<_> = seen
        .iter()
        .filter(|line| line.get("ddl").is_some())
        .collect();
    assert_eq!(statements.len(), 2, "{statements:?}");
    assert_eq!(statements[0]["ddl"], "CREATE DATABASE d");
    assert_eq!(statements[0]["databaseName"], "d");
    assert_eq!(statements[0]["source"]["table"], Value::Null);
    assert!(
        statements[1]["ddl"]
            .as_str()
            .is_some_and(|ddl| ddl.starts_with("CREATE TABLE d.v ("))
    );
    assert_eq!(statements[1]["source"]["table"], "v");
    assert_eq!(
        (&statements[1]["schemaName"], &statements[1]["tableChanges"]),
        (&Value::Null, &json!([]))
    );

    // An account that may see no table.
    let blind = config(&folder, source.port(), "log:p", ALL);
    let numbered = of_row(&all(&blind));
    let after = numbered["after"].as_object().expect("an object");
    assert_eq!(after.len(), 30);
    assert_eq!((&after["@1"], &after["@30"]), (&values["id"], &Value::Null));
    // Names in the log serve it too. What was logged before has none.
    source
        .sql("SET GLOBAL binlog_row_metadata = FULL")
        .expect("a setting");
    source.sql("DELETE FROM d.v").expect("a change");
    let seen = all(&blind);
    let deleted = seen
        .iter()
        .find(|line| line["op"] == "d")
        .expect("a delete");
    assert_eq!(
        (&deleted["before"], &deleted["after"]),
        (&values, &Value::Null)
    );
    // A definition that has other columns today gives no names.
    source
        .sql("ALTER TABLE d.v DROP COLUMN n")
        .expect("a change");
    let stale = of_row(&all(&config(&folder, source.port(), &root(), ALL)));
    assert_eq!(stale["after"]["@1"], values["id"]);
}

#[test]
fn updates_partial_images_and_the_order_in_a_transaction() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.a (id INT PRIMARY KEY, v INT); CREATE TABLE d.b LIKE d.a; CREATE TABLE d.skipped LIKE d.a")
        .expect("tables");
    source
        .sql(
            "START TRANSACTION; INSERT INTO d.a VALUES (1, 10), (2, 20); INSERT INTO d.skipped VALUES (1, 1); \
             INSERT INTO d.b VALUES (7, 70); UPDATE d.a SET v = v + 1; COMMIT; \
             SET binlog_row_image = MINIMAL; UPDATE d.a SET v = 99 WHERE id = 2; DELETE FROM d.b",
        )
        .expect("changes");
    let extra = format!("[replicate]\nexclude = [\"d.skipped\"]\n{ALL}");
    let seen = all(&config(&folder, source.port(), &root(), &extra));
    let rows: Vec<_> = seen
        .iter()
        .filter(|line| line.get("op").is_some())
        .collect();
    let short: Vec<_> = rows
        .iter()
        .map(|row| {
            json!([
                row["op"],
                row["source"]["table"],
                row["before"],
                row["after"],
                row["transaction"]["total_order"],
                row["transaction"]["data_collection_order"],
                row["source"]["row"],
            ])
        })
        .collect();
    let expected = [
        json!(["c", "a", null, {"id": 1, "v": 10}, 1, 1, 0]),
        json!(["c", "a", null, {"id": 2, "v": 20}, 2, 2, 1]),
        json!(["c", "b", null, {"id": 7, "v": 70}, 3, 1, 0]),
        json!(["u", "a", {"id": 1, "v": 10}, {"id": 1, "v": 11}, 4, 3, 0]),
        json!(["u", "a", {"id": 2, "v": 20}, {"id": 2, "v": 21}, 5, 4, 1]),
        json!(["u", "a", {"id": 2}, {"v": 99}, 1, 1, 0]),
        json!(["d", "b", {"id": 7}, null, 1, 1, 0]),
    ];
    assert_eq!(short, expected);
    let ids: Vec<_> = rows.iter().map(|row| &row["transaction"]["id"]).collect();
    assert!(
        ids[..5].iter().all(|id| *id == ids[0]) && ids[5] != ids[0] && ids[6] != ids[5],
        "{ids:?}"
    );
}

/// The character sets with a table of ours, and texts that all or some of them can hold.
#[test]
fn text_is_what_the_server_says_it_is() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    source.sql("CREATE DATABASE d").expect("a schema");
    let sets = [
        "utf8mb4", "utf8mb3", "ascii", "latin1", "ucs2", "utf16", "utf16le", "utf32", "latin2",
        "latin7", "cp1250", "cp1251", "cp1256", "cp1257", "koi8r", "euckr", "gbk",
    ];
    for set in sets {
        source
            .sql(&format!("CREATE TABLE d.{set} (t VARCHAR(20) CHARACTER SET {set}, plain VARCHAR(20) CHARACTER SET utf8mb4)"))
            .expect("a table");
        let bytes = format!(
            "SELECT MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = '{set}'"
        );
        let texts = match &*cell(&source, &bytes) {
            // Every character there is.
            "1" => format!("SELECT CHAR(i USING {set}) AS t FROM n WHERE i < 256"),
            "2" if set != "ucs2" => format!("SELECT CHAR(i USING {set}) AS t FROM n"),
            _ => {
                let samples = ["abc", "中文字符", "한국어", "žluťoučký", "При", "🐎"];
                let sample = |text: &str| {
                    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
                    format!("SELECT CONVERT(_utf8mb4 x'{hex}' USING {set}) AS t")
                };
                samples.map(sample).join(" UNION ALL ")
            }
        };
        // What has no place in Unicode the server shows as a question mark; it is of no use here.
        source
            .sql(&format!(
                "SET cte_max_recursion_depth = 100000; INSERT IGNORE INTO d.{set} \
                 WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 65535), texts AS ({texts}) \
                 SELECT t, CONVERT(t USING utf8mb4) FROM texts WHERE t IS NOT NULL AND CONVERT(t USING utf8mb4) NOT LIKE '%?%'"
            ))
            .expect("texts");
    }
    let exit = tail(
        &config(&folder, source.port(), &root(), ALL),
        &["--from", "start", "--until-caught-up"],
    )
    .wait(LIMIT)
    .expect("an end");
    assert_eq!(exit.code, 0, "{exit}");
    let mut compared = 0;
    let mut different = Vec::new();
    for line in lines(&exit) {
        let table = line["source"]["table"].as_str().unwrap_or_default();
        if line["op"] != "c" {
            continue;
        }
        compared += 1;
        if line["after"]["t"] != line["after"]["plain"] {
            different.push(format!("{table} {}", line["after"]));
        }
    }
    assert!(compared > 30_000, "{compared}");
    let few = &different[..different.len().min(40)];
    assert!(different.is_empty(), "{}: {few:#?}", different.len());
}

/// fidelity: event | XA branches, in `datain tail` | rows when they are prepared, with the xid; a line when the branch is committed or rolled back
#[test]
fn a_branch_is_printed_when_it_is_prepared_and_when_it_ends() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY);
             XA START 'a'; INSERT INTO d.t VALUES (1); XA END 'a'; XA PREPARE 'a'; INSERT INTO d.t VALUES (2); XA COMMIT 'a';
             XA START 'b'; INSERT INTO d.t VALUES (3); XA END 'b'; XA PREPARE 'b'; XA ROLLBACK 'b';
             XA START 'c'; INSERT INTO d.t VALUES (4); XA END 'c'; XA COMMIT 'c' ONE PHASE",
        )
        .expect("branches");
    let seen: Vec<Value> = all(&config(&folder, source.port(), &root(), ALL))
        .into_iter()
        .filter(|line| line.get("ddl").is_none())
        .map(|line| {
            json!([
                line["after"]["id"],
                line["transaction"]["xid"],
                line["xa"]["xid"],
                line["xa"]["end"]
            ])
        })
        .collect();
    assert_eq!(
        seen,
        [
            json!([1, "X'61',X'',1", null, null]),
            json!([2, null, null, null]),
            json!([null, null, "X'61',X'',1", "commit"]),
            json!([3, "X'62',X'',1", null, null]),
            json!([null, null, "X'62',X'',1", "rollback"]),
            json!([4, null, null, null]),
        ]
    );
}
