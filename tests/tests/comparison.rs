//! The proof of equality itself: it notices what a client would show as the same.

use datain_tests::compare;
use datain_tests::pipeline_run::server;

#[test]
fn values_that_look_the_same_are_told_apart() {
    let (left, right) = (server(), server());
    // Column, value on one side, value on the other.
    let pairs = [
        ("FLOAT", "0.1e0", "0.10000001e0"),
        ("DOUBLE", "0e0", "-0e0"),
        ("DOUBLE", "0.1e0", "0.10000000000000002e0"),
        ("DECIMAL(65,30)", "1.4", "1.400000000000000000000000000001"),
        ("ENUM('a','')", "''", "0"),
        ("SET('a','b')", "1", "2"),
        ("BIT(64)", "18446744073709551615", "18446744073709551614"),
        ("VARBINARY(9)", "'a'", "X'6100'"),
        ("VARCHAR(9) COLLATE utf8mb4_0900_ai_ci", "'a'", "'Á'"),
        ("LONGTEXT", "'a'", "'a '"),
        ("TIME(6)", "'00:00:00.000001'", "'-00:00:00.000001'"),
        (
            "JSON",
            "'[{\"a\": 1.5}]'",
            "JSON_ARRAY(JSON_OBJECT('a', CAST(1.5 AS DECIMAL(5,2))))",
        ),
        ("JSON", "'[1]'", "JSON_ARRAY(CAST(1 AS UNSIGNED))"),
        (
            "JSON",
            "'\"2020-01-01\"'",
            "CAST(DATE '2020-01-01' AS JSON)",
        ),
        ("JSON", "'null'", "NULL"),
        ("TIMESTAMP NULL", "NULL", "'0000-00-00 00:00:00'"),
    ];
    let fill = |which: fn(&(&'static str, &'static str, &'static str)) -> &'static str| {
        let mut sql = "CREATE DATABASE d; USE d; SET SESSION sql_mode = '';".to_owned();
        for (number, pair) in pairs.iter().enumerate() {
            sql += &format!(
                "CREATE TABLE t{number} (id INT PRIMARY KEY, v {}); INSERT INTO t{number} VALUES (1, {});",
                pair.0,
                which(pair)
            );
        }
        sql
    };
    left.sql(&fill(|pair| pair.1)).expect("data");
    right.sql(&fill(|pair| pair.2)).expect("data");
    let found = compare::tables(&left, &right, &["d"]).expect("both answer");
    assert_eq!(found.len(), pairs.len());
    for table in &found {
        assert!(!table.is_equal(), "{table:?}");
    }
    right
        .sql(&format!("DROP DATABASE d; {}", fill(|pair| pair.1)))
        .expect("data");
    compare::assert_equal(&left, &right, &["d"]);
    // What a schema holds besides tables.
    for different in [
        "CREATE VIEW d.w AS SELECT 1 AS one",
        "CREATE FUNCTION d.f() RETURNS INT DETERMINISTIC RETURN 1",
        "ALTER DATABASE d CHARACTER SET latin1",
    ] {
        right.sql(different).expect("DDL");
        let compared = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            compare::assert_equal(&left, &right, &["d"]);
        }));
        assert!(compared.is_err(), "{different}");
        left.sql(different).expect("DDL");
        compare::assert_equal(&left, &right, &["d"]);
    }
}
