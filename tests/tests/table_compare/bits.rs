//! One bit of one value.

use datain_table_compare::{Algorithm, Range};
use datain_throwaway_servers::Flavor;

use super::pairs::{
    Pair, SOURCE, TARGET, columns, differences, digest, run, server, session, writer,
};

/// A type, a value of it, and one that differs from it by a bit, or as little as the type allows.
pub const BITS: &[(&str, &str, &str)] = &[
    ("TINYINT", "64", "65"),
    ("TINYINT UNSIGNED", "127", "255"),
    ("SMALLINT", "-32768", "0"),
    ("MEDIUMINT", "8388607", "8388606"),
    ("INT", "5", "4"),
    ("INT UNSIGNED ZEROFILL", "5", "4"),
    ("BIGINT", "9007199254740993", "9007199254740992"),
    (
        "BIGINT UNSIGNED",
        "18446744073709551615",
        "18446744073709551614",
    ),
    (
        "DECIMAL(65,30)",
        "'99999999999999999999999999999999999.999999999999999999999999999999'",
        "'99999999999999999999999999999999999.999999999999999999999999999998'",
    ),
    ("DECIMAL(10,2) ZEROFILL", "1.50", "1.51"),
    ("DECIMAL(10,2)", "1.50", "-1.50"),
    ("FLOAT", "0e0", "-0e0"),
    ("FLOAT", "1.0000001192092896e0", "1.0"),
    ("FLOAT", "1e-45", "0"),
    ("FLOAT", "16777216", "16777218"),
    ("FLOAT(7,3)", "0.001", "0.002"),
    ("DOUBLE", "0e0", "-0e0"),
    ("DOUBLE", "0.1", "0.10000000000000002"),
    ("DOUBLE", "4.9406564584124654e-324", "0"),
    ("DOUBLE", "1.7976931348623157e308", "1.7976931348623155e308"),
    ("DOUBLE(20,5)", "123456789.12345", "123456789.12346"),
    // Whose text is long.
    (
        "DOUBLE",
        "-1.7976931348623157e308",
        "-1.7976931348623155e308",
    ),
    (
        "DOUBLE",
        "-1.2345678901234568e-111",
        "-1.234567890123457e-111",
    ),
    (
        "DOUBLE",
        "-2.2250738585072014e-308",
        "-2.2250738585072009e-308",
    ),
    (
        "DOUBLE",
        "-1.2345678901234567e-11",
        "-1.2345678901234569e-11",
    ),
    (
        "DOUBLE",
        "-1.2345678901234567e-15",
        "-1.2345678901234569e-15",
    ),
    ("DOUBLE", "1.2345678901234567e-4", "1.2345678901234569e-4"),
    ("DOUBLE", "1.2345678901234567e17", "1.2345678901234569e17"),
    ("DOUBLE(255,30)", "-1.2e-11", "-1.3e-11"),
    ("FLOAT", "-1.17549435e-38", "-1.17549421e-38"),
    ("FLOAT", "-3.4028234663852886e38", "-3.4028232635611926e38"),
    ("FLOAT", "-1.00000001e-7", "-1.00000008e-7"),
    ("BIT(1)", "0", "1"),
    ("BIT(13)", "4096", "4097"),
    ("BIT(64)", "18446744073709551615", "18446744073709551614"),
    ("BIT(64)", "9223372036854775808", "0"),
    ("YEAR", "2020", "2021"),
    ("YEAR", "0", "2000"),
    ("DATE", "'0000-00-00'", "'0000-00-01'"),
    ("DATE", "'2021-02-30'", "'2021-02-31'"),
    ("TIME", "'-00:00:01'", "'00:00:01'"),
    ("TIME(6)", "'838:59:58.999999'", "'838:59:58.999998'"),
    ("DATETIME", "'2020-05-00 01:02:03'", "'2020-05-00 01:02:02'"),
    (
        "DATETIME(6)",
        "'9999-12-31 23:59:59.999999'",
        "'9999-12-31 23:59:59.999998'",
    ),
    (
        "TIMESTAMP NULL",
        "'2021-03-28 01:30:00'",
        "'2021-03-28 01:30:01'",
    ),
    (
        "TIMESTAMP(6) NULL",
        "'1970-01-01 00:00:01.000001'",
        "'1970-01-01 00:00:01'",
    ),
    ("CHAR(9)", "'a'", "'A'"),
    ("CHAR(9)", "'a'", "'ä'"),
    ("VARCHAR(9)", "'a'", "'a '"),
    ("VARCHAR(9)", "'a'", "'c'"),
    ("VARCHAR(9) CHARACTER SET latin1", "X'E4'", "X'E5'"),
    ("VARCHAR(9) CHARACTER SET ucs2", "'a'", "'c'"),
    (
        "VARCHAR(9) CHARACTER SET sjis",
        "_binary X'835C'",
        "_binary X'835D'",
    ),
    ("TINYTEXT", "'e'", "'é'"),
    (
        "TEXT",
        "REPEAT('a', 60000)",
        "CONCAT(REPEAT('a', 59999), 'c')",
    ),
    (
        "MEDIUMTEXT",
        "REPEAT('a', 300000)",
        "CONCAT(REPEAT('a', 299999), 'c')",
    ),
    ("LONGTEXT", "''", "'\\0'"),
    ("BINARY(4)", "X'61000000'", "X'61000001'"),
    ("VARBINARY(9)", "X'6100'", "X'61'"),
    ("VARBINARY(9)", "X'00'", "X'01'"),
    ("BLOB", "X'00FF'", "X'00FE'"),
    (
        "LONGBLOB",
        "REPEAT(X'FF', 700000)",
        "CONCAT(X'FE', REPEAT(X'FF', 699999))",
    ),
    ("ENUM('a','b','')", "1", "2"),
    ("ENUM('a','b','')", "3", "'none'"),
    ("SET('a','b','c')", "2", "3"),
    ("SET('a','b','c')", "0", "4"),
];

/// The same of types that MySQL alone has.
const OF_MYSQL: &[(&str, &str, &str)] = &[
    ("JSON", "_utf8mb4'1'", "_utf8mb4'0'"),
    (
        "JSON",
        "_utf8mb4'-1.7976931348623157e308'",
        "_utf8mb4'-1.7976931348623155e308'",
    ),
    ("JSON", "_utf8mb4'1'", "_utf8mb4'1.0'"),
    ("JSON", "_utf8mb4'1'", "_utf8mb4'true'"),
    ("JSON", "_utf8mb4'1'", "_utf8mb4'\"1\"'"),
    ("JSON", "JSON_ARRAY(1)", "JSON_ARRAY(CAST(1 AS UNSIGNED))"),
    ("JSON", "JSON_ARRAY(1.5)", "JSON_ARRAY(1.5e0)"),
    (
        "JSON",
        "JSON_OBJECT(_utf8mb4'a', CAST('2020-01-01' AS DATE))",
        "JSON_OBJECT(_utf8mb4'a', _utf8mb4'2020-01-01')",
    ),
    ("JSON", "_utf8mb4'null'", "NULL"),
    (
        "JSON",
        "_utf8mb4'{\"a\": {\"b\": [0.1]}}'",
        "_utf8mb4'{\"a\": {\"b\": [0.10000000000000002]}}'",
    ),
    (
        "GEOMETRY",
        "ST_GeomFromText('POINT(1 2)')",
        "ST_GeomFromText('POINT(1 3)')",
    ),
    (
        "GEOMETRY",
        "ST_GeomFromText('POINT(1 2)')",
        "ST_GeomFromText('POINT(2 1)', 4326)",
    ),
    (
        "VECTOR(3)",
        "X'0000803F0000803F0000803F'",
        "X'0000803F0000803F0100803F'",
    ),
    ("VECTOR(3)", "X'0000803F'", "X'00000000'"),
    (
        "VARCHAR(9) CHARACTER SET gb18030",
        "_binary X'8130815C'",
        "'a'",
    ),
    ("INT INVISIBLE", "1", "0"),
];

/// One bit of one value, for each type, in one row of several: the digest differs, by both algorithms, and the row and its column are named. So is NULL in place of the value.
#[test]
fn one_bit_of_every_type() {
    let server = server(Flavor::Mysql97);
    let all: Vec<_> = BITS.iter().chain(OF_MYSQL).collect();
    let mut writer = writer(&server);
    for (schema, is_source) in [(SOURCE, true), (TARGET, false)] {
        run(
            &mut writer,
            &format!("CREATE DATABASE {schema} CHARACTER SET utf8mb4; USE {schema}"),
        );
        for (n, (kind, value, other)) in all.iter().enumerate() {
            let planted = if is_source { value } else { other };
            let null = if is_source { value } else { &"NULL" };
            run(
                &mut writer,
                &format!(
                    "CREATE TABLE b{n} (id INT PRIMARY KEY, before_it VARCHAR(9) NULL, c {kind}, after_it INT NULL); \
                     INSERT INTO b{n} (id, before_it, c, after_it) VALUES (1, 'a', {value}, 1), (2, NULL, {planted}, NULL), (3, '', {other}, 3), (4, ',', {null}, 4)"
                ),
            );
        }
    }
    let (mut a, mut b) = (session(&server), session(&server));
    for (n, (kind, value, other)) in all.iter().enumerate() {
        let what = format!("{kind}: {value} and {other}");
        for algorithm in [Algorithm::Crc32, Algorithm::Sha2] {
            let pair = Pair::new(
                (&mut a, SOURCE),
                (&mut b, TARGET),
                &format!("b{n}"),
                algorithm,
            )
            .unwrap_or_else(|e| panic!("{what}: {e:?}"));
            for (range, differs) in [(None, 1), (Some(1), 2), (Some(2), 3), (Some(3), 4)]
                .into_iter()
                .map(|(after, id)| (one_row(after, id), id == 2 || id == 4))
            {
                let of_source = digest(&pair.source, &mut a, &range);
                let of_target = digest(&pair.target, &mut b, &range);
                assert_eq!((of_source.rows, of_target.rows), (1, 1), "{what}");
                assert_eq!(of_source != of_target, differs, "{what}: {range:?}");
            }
            let found = differences(&pair, &mut a, &mut b, &Range::default());
            assert_eq!(columns(&found), ["c", "c"], "{what}");
            let keys: Vec<_> = found
                .iter()
                .map(|d| {
                    let key = d.key.as_deref().expect("a key");
                    pair.source.shape().show_key(key).expect("a key")
                })
                .collect();
            let id = |n: &str| vec![("id".to_owned(), n.to_owned())];
            assert_eq!(keys, [id("2"), id("4")], "{what}");
        }
    }
}

/// The range of one row of a table by an INT.
pub fn one_row(after: Option<u32>, up_to: u32) -> Range {
    // Version, one column, its kind, no NULL.
    let key = |id: u32| [&[1, 1, 4, 0][..], &id.to_le_bytes()].concat();
    Range {
        after: after.map(key),
        up_to: Some(key(up_to)),
        bucket: None,
    }
}
