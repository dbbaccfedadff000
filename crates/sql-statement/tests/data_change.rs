//! Tables that are read and written by statements that change rows.

#![allow(clippy::unwrap_used, reason = "a test")]

use datain_sql_statement::{
    Charset, ObjectName, Options, TableFilter, Verdict, created_from, data_change,
};

fn names(list: &[ObjectName]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let one = |name: &ObjectName| match &name.schema {
        Some(schema) => format!("{}.{}", text(schema), text(&name.name)),
        None => text(&name.name),
    };
    list.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// `expected`: what is written, a bar, what is read; or `?` where that cannot be told, `-` for no change of rows.
fn check(sql: &str, expected: &str) {
    let found = match data_change(sql.as_bytes(), &Options::default()) {
        None => "-".to_owned(),
        Some(change) if !change.complete => "?".to_owned(),
        Some(change) => format!("{}|{}", names(&change.writes), names(&change.reads)),
    };
    assert_eq!(found, expected, "{sql}");
}

#[test]
fn tables_are_found_where_they_are_named() {
    check("INSERT INTO t VALUES (1)", "t|");
    check("insert s.t (a, b) values (1, 'FROM x')", "s.t|");
    check(
        "INSERT LOW_PRIORITY IGNORE INTO `a b`.`c` SET x = 1, y = 2",
        "a b.c|",
    );
    check(
        "REPLACE t SELECT * FROM u, v AS w JOIN s.x USING (id) WHERE u.a = (SELECT MAX(b) FROM y)",
        "t|u v s.x y",
    );
    check(
        "INSERT INTO t PARTITION (p0, p1) (a) SELECT EXTRACT(YEAR FROM d), TRIM(LEADING 'x' FROM e) FROM u",
        "t|u",
    );
    check(
        "INSERT INTO t SELECT 1 FROM (u, v) LEFT JOIN (SELECT * FROM w) d ON d.a = u.a, x",
        "t|u v w x",
    );
    check(
        "INSERT INTO t SELECT a FROM u ON DUPLICATE KEY UPDATE a = VALUES(a), b = 2",
        "t|u",
    );
    check(
        "INSERT INTO t (SELECT a FROM u UNION ALL SELECT b FROM v)",
        "t|u v",
    );
    check("INSERT INTO t TABLE u", "t|u");
    check(
        "INSERT INTO t WITH c AS (SELECT * FROM u), d (x) AS (SELECT 1) SELECT * FROM c, d, v",
        "t|u v",
    );
    check("INSERT INTO t SELECT * FROM u USE INDEX (i, j), v", "t|u v");
    check(
        "INSERT INTO t SELECT j.* FROM u, JSON_TABLE(u.d, '$' COLUMNS (a INT PATH '$.a')) j",
        "t|u",
    );
    check(
        "INSERT INTO t SELECT 1 FROM DUAL WHERE NOT EXISTS (SELECT * FROM u)",
        "t|u",
    );
    check(
        "UPDATE t SET a = 1, b = 2 WHERE c IN (SELECT c FROM u)",
        "t|u",
    );
    check(
        "UPDATE LOW_PRIORITY IGNORE t AS x, s.u JOIN v ON x.a = v.a SET x.b = 1, v.c = 2",
        "t s.u v|",
    );
    check(
        "UPDATE t JOIN (SELECT * FROM u) d ON t.a = d.a SET t.b = 1",
        "t|u",
    );
    check(
        "WITH c AS (SELECT * FROM u) UPDATE t, c SET t.a = c.a",
        "t|u",
    );
    check(
        "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) DELETE FROM t WHERE a IN (SELECT n FROM c)",
        "t|",
    );
    check("DELETE FROM t WHERE a = 1 ORDER BY b LIMIT 2", "t|");
    check("DELETE FROM s.t.* USING s.t JOIN u USING (id)", "s.t u|");
    check(
        "DELETE x, u FROM t AS x JOIN u ON x.a = u.a WHERE u.b IN (SELECT b FROM v)",
        "t u|v",
    );
    check("DELETE QUICK FROM t1, t2 USING t1 INNER JOIN t2", "t1 t2|");
    check(
        "LOAD DATA LOCAL INFILE 'INTO TABLE x' IGNORE INTO TABLE s.t FIELDS TERMINATED BY ',' (a, @b) SET c = (SELECT d FROM u LIMIT 1)",
        "s.t|u",
    );
    check(
        "INSERT INTO t VALUES ((SELECT a FROM u), f('x'), REPLACE('a', 'b', 'c'))",
        "t|u",
    );
    check(
        "UPDATE t SET a = CONVERT(b USING utf8mb4), c = SUBSTRING(d FROM 2 FOR 3)",
        "t|",
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    for sql in [
        "INSERT INTO t SELECT * FROM u USE INDEX FOR ORDER BY (i), v",
        "INSERT INTO t SELECT * FROM u FOR SYSTEM_TIME AS OF '2020-01-01', v",
        "INSERT INTO t SELECT * FROM { OJ u LEFT OUTER JOIN v ON u.a = v.a }",
        "INSERT INTO t SELECT NEXT VALUE FOR s",
        "INSERT INTO",
        "INSERT INTO t SELECT * FROM",
        "DELETE t",
        "INSERT INTO t VALUES (1",
        "UPDATE a.b.c SET x = 1",
    ] {
        let found = data_change(sql.as_bytes(), &Options::default()).unwrap();
        assert!(!found.complete, "{sql}: {found:?}");
    }
    for sql in [
        "CALL p()",
        "WITH c AS (SELECT 1) SELECT f() FROM c",
        "DO f()",
        "SELECT f()",
        "(SELECT 1)",
        "SET @a = 1",
        "",
        "LOAD INDEX INTO CACHE t",
    ] {
        check(sql, "-");
    }
}

#[test]
fn what_may_differ_elsewhere_is_named() {
    let doubts = |sql: &str| {
        let found = data_change(sql.as_bytes(), &Options::default()).unwrap();
        let list: Vec<String> = found.doubts.iter().map(ToString::to_string).collect();
        list.join(", ")
    };
    assert_eq!(
        doubts("INSERT INTO t VALUES (UUID(), 'SYSDATE()', NOW())"),
        "UUID()"
    );
    assert_eq!(doubts("DELETE FROM t LIMIT 1"), "LIMIT without ORDER BY");
    assert_eq!(doubts("DELETE FROM t ORDER BY a LIMIT 1"), "");
    assert_eq!(
        doubts("UPDATE IGNORE t SET a = @@server_id, b = @c"),
        "IGNORE, a system variable"
    );
    assert_eq!(
        doubts("INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2"),
        "ON DUPLICATE KEY UPDATE"
    );
}

#[test]
fn a_filter_takes_a_change_whole_or_not_at_all() {
    let filter = TableFilter::new(&["shop.*".to_owned()], &["shop.tmp%".to_owned()]).unwrap();
    let judge = |sql: &str| {
        let change = data_change(sql.as_bytes(), &Options::default()).unwrap();
        filter.judge_change(&change, "shop", Charset::Utf8)
    };
    assert_eq!(judge("INSERT INTO a SELECT * FROM b"), Verdict::In);
    assert_eq!(judge("INSERT INTO a SELECT * FROM tmp1"), Verdict::Mixed);
    assert_eq!(
        judge("INSERT INTO tmp1 SELECT * FROM other.b"),
        Verdict::Out
    );
    assert_eq!(judge("INSERT INTO tmp1 VALUES (NOW())"), Verdict::Out);
    assert_eq!(judge("INSERT INTO tmp1 VALUES (note(1))"), Verdict::Unknown);
    assert_eq!(
        judge("INSERT INTO a SELECT user FROM mysql.user"),
        Verdict::Mixed
    );
    assert_eq!(filter.judge_schemas(Some(&["shop"])), Verdict::Unknown);
    assert_eq!(
        filter.judge_schemas(Some(&["other", "mysql"])),
        Verdict::Out
    );
    let whole = TableFilter::new(&["shop.*".to_owned()], &[]).unwrap();
    assert_eq!(whole.judge_schemas(Some(&["shop"])), Verdict::In);
    assert_eq!(whole.judge_schemas(Some(&["shop", ""])), Verdict::Unknown);
    assert_eq!(whole.judge_schemas(None), Verdict::Unknown);
}

/// What the query of a CREATE TABLE reads.
#[test]
fn a_created_table_reads_what_its_query_reads() {
    let read = |sql: &str| {
        let found = created_from(sql.as_bytes(), &Options::default())?;
        let names: Vec<_> = found
            .reads
            .iter()
            .map(|name| String::from_utf8_lossy(&name.name).into_owned())
            .collect();
        Some((names.join(" "), found.complete))
    };
    for (sql, expected) in [
        (
            "CREATE TEMPORARY TABLE t SELECT * FROM a JOIN d.b",
            Some("a b"),
        ),
        (
            "CREATE TABLE IF NOT EXISTS `d`.`t` (id INT DEFAULT (1), KEY (id)) ENGINE=InnoDB AS SELECT id FROM a WHERE x IN (SELECT y FROM c)",
            Some("a c"),
        ),
        (
            "CREATE OR REPLACE TEMPORARY TABLE t IGNORE AS WITH x AS (SELECT 1 FROM a) SELECT * FROM x",
            Some("a"),
        ),
        ("CREATE TEMPORARY TABLE t (SELECT * FROM a)", Some("a")),
        ("CREATE TABLE t (id INT)", None),
        ("CREATE TABLE t LIKE a", None),
        ("CREATE VIEW v AS SELECT 1", None),
    ] {
        let expected = expected.map(|names| (names.to_owned(), true));
        assert_eq!(read(sql), expected, "{sql}");
    }
}
