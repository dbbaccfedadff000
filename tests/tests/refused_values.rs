//! Values that cannot be written as the source holds them, or of which the log does not say enough: each stops the pipeline with a code of its own, and nothing
//! of it is committed.

use datain_capture::reader::Settings;
use datain_tests::compare;
use datain_tests::native::{replicate, settings};
use datain_tests::pipeline_run::{server, value};
use datain_throwaway_servers::Server;

struct Pair {
    source: Server,
    target: Server,
    settings: Settings,
}

impl Pair {
    /// Two servers with the schema `d` and what `sql` makes in it.
    fn start(sql: &str) -> Self {
        let pair = Self {
            source: server(),
            target: server(),
            settings: settings(r#"{"mode":"gtid","gtid_set":""}"#),
        };
        pair.source
            .sql(&format!("CREATE DATABASE d; USE d; {sql}"))
            .expect("data");
        pair.arrives();
        pair
    }

    fn arrives(&self) {
        replicate(&self.source, &self.target, &self.settings).expect("replication");
        compare::assert_equal(&self.source, &self.target, &["d"]);
    }

    /// Changes the target's definition or rows, then the source; the pipeline ends with `code`, and does so again; once the target is mended it goes on.
    fn refused(&self, on_target: &str, on_source: &str, code: &str, mended: &str) {
        self.target.sql(on_target).expect("a stranger's change");
        self.source.sql(on_source).expect("a change");
        self.refuses(code);
        self.refuses(code);
        self.target.sql(mended).expect("mended");
        self.arrives();
    }

    fn refuses(&self, code: &str) {
        let error = replicate(&self.source, &self.target, &self.settings).expect_err(code);
        assert_eq!(error.code, code, "{error:?}");
        assert!(
            error.hint.is_some() && error.position.is_some(),
            "{error:?}"
        );
        assert!(error.table.is_some_and(|table| table.starts_with("d.")));
    }
}

/// fidelity: type | ENUM with the invalid value, where another value of the row would be bent | stops: `row.altered`
#[test]
fn a_row_that_is_not_kept_as_it_was() {
    let pair = Pair::start(
        "CREATE TABLE e (id INT PRIMARY KEY, e ENUM('a'), v VARCHAR(10), n INT, ts TIMESTAMP(6) NULL); INSERT INTO e VALUES (1, 'a', 'a', 1, NULL)",
    );
    // Without strict mode the server cuts a text that is too long; only a row with an invalid ENUM is written so. The last one is none: the session is strict
    // again.
    for (change, code) in [
        (
            "INSERT INTO d.e VALUES (2, 'bad', 'longer', 2, '2020-01-01 00:00:00.5')",
            "row.altered",
        ),
        (
            "UPDATE d.e SET e = 'bad', v = 'longer' WHERE id = 1",
            "row.altered",
        ),
        (
            "START TRANSACTION; UPDATE d.e SET e = 'bad', v = 'x'; UPDATE d.e SET e = 'a', v = 'longer'; COMMIT",
            "server.error",
        ),
    ] {
        pair.refused(
            "ALTER TABLE d.e MODIFY v VARCHAR(3)",
            &format!("SET SESSION sql_mode = ''; {change}"),
            code,
            "ALTER TABLE d.e MODIFY v VARCHAR(10)",
        );
        pair.source
            .sql("UPDATE d.e SET e = 'a', v = 'a'")
            .expect("as it was");
        pair.arrives();
    }
}

/// fidelity: event | a change inside a JSON document that does not fit the target's | stops: `row.json-change`
#[test]
fn a_document_that_is_not_what_was_changed() {
    let pair = Pair::start(
        "CREATE TABLE j (id INT PRIMARY KEY, j JSON, k INT); \
         INSERT INTO j VALUES (1, JSON_OBJECT('a', 1, 'list', JSON_ARRAY(1, 2), 'o', JSON_OBJECT(), 'pad', REPEAT('x', 500)), 1)",
    );
    let good = value(&pair.source, "SELECT j FROM d.j").expect("a document");
    for (changed, change) in [
        ("JSON_REMOVE(j, '$.a')", "JSON_SET(j, '$.a', 2)"),
        ("JSON_REMOVE(j, '$.a')", "JSON_REMOVE(j, '$.a')"),
        ("JSON_SET(j, '$.new', 0)", "JSON_SET(j, '$.new', 1)"),
        ("JSON_SET(j, '$.o', 1)", "JSON_SET(j, '$.o.x', 1)"),
        ("JSON_SET(j, '$.list', 1)", "JSON_SET(j, '$.list[99]', 3)"),
    ] {
        let back = format!("UPDATE d.j SET j = '{good}'");
        pair.target.sql(&back).expect("as it was");
        pair.refused(
            &format!("UPDATE d.j SET j = {changed}"),
            &format!(
                "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'; UPDATE d.j SET j = {change}, k = k + 1"
            ),
            "row.json-change",
            &back,
        );
        pair.source.sql(&back).expect("as it was");
        pair.arrives();
    }
}

/// fidelity: event | an image that lacks columns, where the target's definition does not say what they are | stops: `row.partial-image`
#[test]
fn an_image_that_says_too_little_for_the_target() {
    let pair = Pair::start(
        "CREATE TABLE p (id INT PRIMARY KEY, a INT NOT NULL, b INT DEFAULT 5, c INT); INSERT INTO p VALUES (1, 1, 1, 1)",
    );
    let minimal = |sql: &str| format!("SET SESSION binlog_row_image = MINIMAL; {sql}");
    pair.refused(
        "ALTER TABLE d.p ALTER COLUMN b SET DEFAULT (1 + 1)",
        &minimal("INSERT INTO d.p (id, a) VALUES (2, 2)"),
        "row.partial-image",
        "ALTER TABLE d.p ALTER COLUMN b SET DEFAULT 5",
    );
    pair.refused(
        "ALTER TABLE d.p DROP PRIMARY KEY, ADD UNIQUE (a)",
        &minimal("UPDATE d.p SET c = 9 WHERE id = 1"),
        "row.partial-image",
        "ALTER TABLE d.p DROP KEY a, ADD PRIMARY KEY (id)",
    );
}

/// fidelity: type | a value that the target's column does not hold as it is, but takes with a warning | stops: `row.warning`
#[test]
fn a_value_that_the_target_takes_with_a_warning() {
    let pair = Pair::start(
        "CREATE TABLE w (id INT PRIMARY KEY, v VARCHAR(10)); INSERT INTO w VALUES (1, 'a')",
    );
    for change in [
        "INSERT INTO d.w VALUES (2, 'ab    ')",
        "UPDATE d.w SET v = 'abc    ' WHERE id = 1",
    ] {
        pair.target
            .sql("ALTER TABLE d.w MODIFY v VARCHAR(3)")
            .expect("a stranger's change");
        pair.source.sql(change).expect("a change");
        let rows = "SELECT GROUP_CONCAT(id, '=', v ORDER BY id) FROM d.w";
        let before = value(&pair.target, rows);
        let error = replicate(&pair.source, &pair.target, &pair.settings).expect_err("a warning");
        assert_eq!(error.code, "row.warning", "{error:?}");
        assert!(error.message.contains("1 warning(s)"), "{error:?}");
        pair.refuses("row.warning");
        assert_eq!(value(&pair.target, rows), before, "nothing was cut off");
        pair.target
            .sql("ALTER TABLE d.w MODIFY v VARCHAR(10)")
            .expect("mended");
        pair.arrives();
        pair.source
            .sql("UPDATE d.w SET v = 'a'")
            .expect("short values");
        pair.arrives();
    }
}

/// fidelity: type | bytes that stand for no character in greek, hebrew, tis620, cp1250 and others | equal; in a key by which a row is sought it stops: `row.warning`
#[test]
fn bytes_that_stand_for_no_character() {
    let pair = Pair::start(
        "CREATE TABLE g (id INT PRIMARY KEY, g VARCHAR(9) CHARACTER SET greek, h CHAR(9) CHARACTER SET hebrew, t TEXT CHARACTER SET tis620, c VARCHAR(9) CHARACTER SET cp1250); \
         CREATE TABLE k (g VARCHAR(9) CHARACTER SET greek PRIMARY KEY, v INT)",
    );
    pair.source
        .sql(
            "INSERT INTO d.g VALUES (1, _greek X'D2FF41', _hebrew X'FF41', _tis620 X'DBFF41', _cp1250 X'8183'), (2, _greek X'AE', NULL, _tis620 X'FC', _cp1250 X'9890'); \
             UPDATE d.g SET g = _greek X'41D2', t = CONCAT(t, _tis620 X'DB') WHERE id = 1; DELETE FROM d.g WHERE id = 2; INSERT INTO d.k VALUES (_greek X'41D2', 1), ('a', 1)",
        )
        .expect("rows of bytes");
    pair.arrives();
    let held = value(
        &pair.target,
        "SELECT CONCAT_WS(' ', HEX(g), HEX(t)) FROM d.g",
    );
    assert_eq!(held.as_deref(), Some("41D2 DBFF41DB"));
    // The server warns of a literal with such bytes, and a warning of a change is never passed over.
    pair.source
        .sql("UPDATE d.k SET v = 2 WHERE g <> 'a'")
        .expect("a change of a row that is sought by them");
    pair.refuses("row.warning");
    let unchanged = value(&pair.target, "SELECT SUM(v) FROM d.k");
    assert_eq!(unchanged.as_deref(), Some("2"));
}

/// fidelity: type | columns whose names, number or types differ on the target | stops: `table.column-name` (where the log has names), `table.column-count`, `table.column-type`
#[test]
fn columns_that_are_not_the_source_s() {
    let pair = Pair::start(
        "CREATE TABLE c (id INT PRIMARY KEY, a INT, b INT); INSERT INTO c VALUES (1, 1, 2)",
    );
    pair.source
        .sql("SET GLOBAL binlog_row_metadata = FULL")
        .expect("names in the log");
    for (on_target, code, message, mended) in [
        (
            "ALTER TABLE d.c RENAME COLUMN a TO b, RENAME COLUMN b TO a",
            "table.column-name",
            "`a`",
            "ALTER TABLE d.c RENAME COLUMN a TO b, RENAME COLUMN b TO a",
        ),
        (
            "ALTER TABLE d.c ADD COLUMN more INT",
            "table.column-count",
            "4",
            "ALTER TABLE d.c DROP COLUMN more",
        ),
        (
            "ALTER TABLE d.c MODIFY b DATE",
            "table.column-type",
            "`b`",
            "ALTER TABLE d.c MODIFY b INT",
        ),
        (
            "RENAME TABLE d.c TO d.elsewhere",
            "table.missing",
            "no such table",
            "RENAME TABLE d.elsewhere TO d.c",
        ),
    ] {
        // The values are no dates.
        pair.target.sql("DELETE FROM d.c").expect("an empty table");
        pair.source
            .sql("DELETE FROM d.c WHERE id = 0")
            .expect("nothing");
        pair.target.sql(on_target).expect("a stranger's change");
        pair.source
            .sql("INSERT INTO d.c SELECT MAX(id) + 1, 1, 2 FROM d.c")
            .expect("a change");
        let error = replicate(&pair.source, &pair.target, &pair.settings).expect_err(code);
        assert_eq!(error.code, code, "{error:?}");
        let told = format!(
            "{} {}",
            error.message,
            error.detail.as_deref().unwrap_or_default()
        );
        assert!(told.contains(message), "{error:?}");
        pair.refuses(code);
        pair.target.sql(mended).expect("mended");
        replicate(&pair.source, &pair.target, &pair.settings).expect("it goes on");
        let of_source = pair
            .source
            .query("SELECT MAX(id) FROM d.c")
            .expect("the row");
        assert_eq!(
            pair.target.query("SELECT id FROM d.c").expect("the row"),
            of_source
        );
    }
}

/// Events as mysqlbinlog prints them, of MySQL 9.7: the format description, and a row (1, X'61FF62') of a table `d`.`bytes` (INT, VARBINARY(40)).
const FORMAT: &str = "
WSsHaw8BAAAAewAAAH8AAAABAAQAOS43LjQtMgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAAAAAAEwANAAgAAAAABAAEAAAAYwAEGggAAAAAAAACAAAACgoKKioAEjQA\nCigAAAG1w4zP
";
const ROW: &str = "
WSsHaxMBAAAANgAAAJIBAAAAAOcAAAAAAAEAAWQABWJ5dGVzAAIDDwIoAAIBAQACAT8/CFkg\nWSsHax4BAAAALAAAAL4BAAAAAOcAAAAAABEAAgAC/wABAAAAA2H/YgPM94U=
";

/// fidelity: type | bytes that are invalid in the column's character set | stops: `row.invalid-characters`, since no SQL statement can store them
#[test]
fn bytes_that_are_no_characters() {
    let pair =
        Pair::start("CREATE TABLE bytes (id INT PRIMARY KEY, c VARCHAR(10) CHARACTER SET utf8mb4)");
    // No statement gets them into the source either. The log of a server where the column was of another type does.
    pair.source
        .sql(&format!(
            "BINLOG '{FORMAT}'; SET gtid_next = 'aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1'; BEGIN; BINLOG '{ROW}'; COMMIT; SET gtid_next = AUTOMATIC"
        ))
        .expect("a row of bytes");
    assert_eq!(
        value(&pair.source, "SELECT HEX(c) FROM d.bytes").as_deref(),
        Some("61FF62")
    );
    pair.refuses("row.invalid-characters");
    let rows = value(&pair.target, "SELECT COUNT(*) FROM d.bytes");
    assert_eq!(
        rows.as_deref(),
        Some("0"),
        "nothing was cut off or replaced"
    );
}
