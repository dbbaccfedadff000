//! Rows that look alike when they are written behind each other, or add up to the same.

use datain_mysql_client::blocking::block_on;
use datain_table_compare::{Algorithm, Range};
use datain_throwaway_servers::Flavor;

use super::pairs::{
    Pair, Root, SOURCE, TARGET, columns, differences, digest, run, server, session, writer,
};

/// A definition of columns, and rows of which no two are equal.
const ALIKE: &[(&str, &[&str])] = &[
    (
        "a VARCHAR(30), b VARCHAR(30)",
        &[
            "'a', 'bc'",
            "'ab', 'c'",
            "'abc', ''",
            "'', 'abc'",
            "NULL, 'abc'",
            "'abc', NULL",
            "NULL, NULL",
            "'', ''",
            "'NULL', 'NULL'",
            "'N', 'N'",
            "'N', NULL",
            "NULL, 'N'",
            "',', ''",
            "'', ','",
            "',,', ''",
            "'1', '0'",
            "'0', '1'",
            "'a,1', 'b'",
            "'a', '1,b'",
            "'M', ''",
            "'0,M', ''",
        ],
    ),
    (
        "a VARCHAR(30) NOT NULL, b VARCHAR(30) NOT NULL",
        &[
            "'a', 'bc'",
            "'ab', 'c'",
            "'a,b', 'c'",
            "'a', 'b,c'",
            "'1,a', ''",
            "'', '1,a'",
        ],
    ),
    (
        "a INT, b INT, c VARCHAR(30)",
        &[
            "1, 23, ''",
            "12, 3, ''",
            "1, 2, '3'",
            "1, NULL, '2,3'",
            "NULL, 1, '2,3'",
            "NULL, NULL, '1,2,3'",
            "1, 2, ',3'",
            "1, -2, '3'",
            "NULL, NULL, NULL",
            "NULL, NULL, 'N'",
            "0, 0, '0'",
            "0, NULL, '0'",
        ],
    ),
    (
        "a VARCHAR(30) NOT NULL",
        &["''", "','", "'0'", "'0,'", "'M'", "'M,0'", "'N'"],
    ),
    (
        "a VARCHAR(30) CHARACTER SET latin1, b BLOB, c VARCHAR(30) CHARACTER SET ucs2",
        &[
            "'1', '2', '3'",
            "'12', '', '3'",
            "'1', '23', ''",
            "'', '1', '23'",
            "NULL, '1', '23'",
            "'ä', 'ä', 'ä'",
            "X'C3A4', '', 'ä'",
        ],
    ),
    (
        "a TEXT, b LONGTEXT, c LONGBLOB",
        &[
            "REPEAT('x', 60000), REPEAT('y', 300000), ''",
            "REPEAT('x', 60000), REPEAT('y', 299999), 'y'",
            "REPEAT('x', 59999), CONCAT('x', REPEAT('y', 300000)), ''",
            "NULL, REPEAT('y', 300000), ''",
            "'', REPEAT('y', 300000), ''",
            "'', REPEAT('y', 300000), NULL",
            "'', '', REPEAT('y', 300000)",
            "'', NULL, REPEAT('y', 300000)",
            "'', SHA2(REPEAT('y', 300000), 256), ''",
            "NULL, NULL, NULL",
            "'', '', ''",
        ],
    ),
    (
        "a JSON, b VARCHAR(30)",
        &[
            "NULL, 'N'",
            "'null', 'N'",
            "'\"N\"', NULL",
            "NULL, NULL",
            "'[1,2]', ''",
            "'[1]', ',2'",
            "'[1.0]', ',2'",
        ],
    ),
];

/// Each of the rows has a digest of its own, by both algorithms.
#[test]
fn rows_that_look_alike() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    run(
        &mut writer,
        &format!("CREATE DATABASE {SOURCE} CHARACTER SET utf8mb4; USE {SOURCE}"),
    );
    let mut session = session(&server);
    for (n, (table, rows)) in ALIKE.iter().enumerate() {
        run(&mut writer, &format!("CREATE TABLE a{n} ({table})"));
        for algorithm in [Algorithm::Crc32, Algorithm::Sha2] {
            let mut seen = Vec::new();
            let pair = of_one(&mut session, &format!("a{n}"), algorithm);
            for row in *rows {
                run(
                    &mut writer,
                    &format!("DELETE FROM a{n}; INSERT INTO a{n} VALUES ({row})"),
                );
                let digest = digest(&pair.source, &mut session, &Range::default());
                assert!(!seen.contains(&digest), "{table}: {row}");
                seen.push(digest);
            }
        }
    }
}

fn of_one(session: &mut Root, table: &str, algorithm: Algorithm) -> Pair {
    let own = super::pairs::definition(session, SOURCE, table);
    let version = session.server_version().clone();
    let shape = datain_table_compare::Shape::of(&own, algorithm);
    let side = datain_table_compare::Side::new(shape, &own, &version).expect("a side");
    Pair {
        source: side.clone(),
        target: side,
    }
}

/// Rows that are there twice do not cancel each other out; nor do values that were swapped between rows, which leave the XOR of all CRCs as it is.
#[test]
fn rows_that_add_up() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    run(
        &mut writer,
        &format!(
            "CREATE DATABASE {SOURCE}; CREATE DATABASE {TARGET}; \
             CREATE TABLE {SOURCE}.d (a INT, b VARCHAR(9)); CREATE TABLE {TARGET}.d (a INT, b VARCHAR(9)); \
             INSERT INTO {SOURCE}.d VALUES (1, 'a'), (1, 'a'), (2, 'b'), (2, 'b'); \
             INSERT INTO {TARGET}.d VALUES (3, 'c'), (3, 'c'), (3, 'c'), (3, 'c'); \
             CREATE TABLE {SOURCE}.s (id INT PRIMARY KEY, v INT); CREATE TABLE {TARGET}.s (id INT PRIMARY KEY, v INT)"
        ),
    );
    let (mut a, mut b) = (session(&server), session(&server));
    let whole = Range::default();
    let pair = Pair::new((&mut a, SOURCE), (&mut b, TARGET), "d", Algorithm::Crc32);
    let pair = pair.expect("a pair");
    assert_ne!(
        digest(&pair.source, &mut a, &whole),
        digest(&pair.target, &mut b, &whole)
    );
    run(
        &mut writer,
        &format!(
            "DELETE FROM {TARGET}.d; INSERT INTO {TARGET}.d VALUES (1, 'a'), (1, 'a'), (1, 'a'), (2, 'b')"
        ),
    );
    assert_ne!(
        digest(&pair.source, &mut a, &whole),
        digest(&pair.target, &mut b, &whole)
    );
    let found = differences(&pair, &mut a, &mut b, &whole);
    assert_eq!(columns(&found), ["(surplus)", "(missing)"]);

    // Two rows swap their values, in many ways.
    for algorithm in [Algorithm::Crc32, Algorithm::Sha2] {
        let pair = Pair::new((&mut a, SOURCE), (&mut b, TARGET), "s", algorithm);
        let pair = pair.expect("a pair");
        run(
            &mut writer,
            &format!(
                "SET SESSION cte_max_recursion_depth = 100000; DELETE FROM {SOURCE}.s; DELETE FROM {TARGET}.s; \
                 INSERT INTO {SOURCE}.s WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199) SELECT i, i * 7919 % 10007 FROM n; \
                 INSERT INTO {TARGET}.s SELECT id ^ 1, v FROM {SOURCE}.s"
            ),
        );
        let up_to = |session: &mut Root, after: Option<&[u8]>| {
            block_on(pair.source.boundary(session, after, 2)).expect("a boundary")
        };
        let (mut after, mut compared) = (None, 0);
        while let Some(key) = up_to(&mut a, after.as_deref()) {
            let range = Range {
                after,
                up_to: Some(key.clone()),
                bucket: None,
            };
            let of_source = digest(&pair.source, &mut a, &range);
            let of_target = digest(&pair.target, &mut b, &range);
            assert_eq!((of_source.rows, of_target.rows), (2, 2));
            assert_ne!(of_source.sum, of_target.sum, "{compared}");
            after = Some(key);
            compared += 1;
        }
        assert_eq!(compared, 100);
    }
}

/// A row too large for the server to hash is an error, not a row that is left out.
#[test]
fn a_row_that_cannot_be_hashed() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    run(
        &mut writer,
        &format!(
            "CREATE DATABASE {SOURCE}; CREATE TABLE {SOURCE}.w (id INT PRIMARY KEY, v VARCHAR(60000)) CHARACTER SET latin1; INSERT INTO {SOURCE}.w VALUES (1, 'a'), (2, REPEAT('x', 60000))"
        ),
    );
    let mut session = session(&server);
    let pair = of_one(&mut session, "w", Algorithm::Crc32);
    assert_eq!(
        digest(&pair.source, &mut session, &Range::default()).rows,
        2
    );
    run(&mut writer, "SET GLOBAL max_allowed_packet = 16384");
    let mut session = super::pairs::session(&server);
    let refused = block_on(pair.source.digest(&mut session, &Range::default()));
    assert_eq!(
        refused.expect_err("no room for the row").code,
        "verify.row-unhashed"
    );
}
