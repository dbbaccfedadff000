//! Servers of different flavours and versions, each as either side.

use datain_table_compare::{Algorithm, Range};
use datain_throwaway_servers::Flavor;

use super::bits::{BITS, one_row};
use super::pairs::{
    Pair, SOURCE, TARGET, columns, differences, digest, run, server, session, writer,
};
use super::ranges::partition;

/// Types that all of them have, with values at their corners.
const COMMON: &[(&str, &str)] = &[
    (
        "a TINYINT, b TINYINT UNSIGNED, c MEDIUMINT, d INT UNSIGNED ZEROFILL, e BIGINT, f BIGINT UNSIGNED",
        "(1, -128, 255, -8388608, 7, -9223372036854775808, 18446744073709551615), (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, 0, 0, 0, 0, 0, 0)",
    ),
    (
        "a DECIMAL(65,30), b DECIMAL(10,2) ZEROFILL, c DECIMAL(5,0)",
        "(1, '-99999999999999999999999999999999999.999999999999999999999999999999', 1.5, -7), (2, '1e-30', 0, 0), (3, NULL, NULL, NULL)",
    ),
    (
        "a FLOAT, b DOUBLE, c FLOAT(7,3), d DOUBLE(20,5)",
        "(1, 3.4028234663852886e38, 1.7976931348623157e308, 9999.999, 999999999999999.99999), (2, 1e-45, 4.9406564584124654e-324, 0.001, 0.00001), (3, -0.00001, -0.00001, 0.1, 0.1), \
         (4, 0.1, 0.1, 1234.5678, 1.1), (5, 0.3, 0.30000000000000004, 1.1, 123456789.123456789), (6, 1.17549421e-38, 2.2250738585072009e-308, -0.5, -999999999999999.99999), \
         (7, 16777216, 9007199254740993, 1, 1e14), (8, 1e10, 1e15, 1, 1), (9, 1e20, 123456789012345678, 1, 1), (10, NULL, NULL, NULL, NULL), (11, 1e-5, 1e-15, 0, 0), (12, 100000, 1e16, 0, 0), (13, -1.17549435e-38, -1.2345678901234568e-111, 0, 0), (14, -1e-7, -1.2345678901234567e-11, 0, 0), (15, 0.00099999, 0.00099999999999999991, 0, 0), \
         (16, -0.001, -0.0010000000000000002, 0, 0), (17, 1e-15, 1e-15, 0, 0), (18, -1e-16, -9.9999999999999988e-16, 0, 0), (19, 1e15, 999999999999999.88, 0, 0), (20, 1e17, -123456789012345680, 0, 0)",
    ),
    (
        "a BIT(1), b BIT(13), c BIT(64), d YEAR, e ENUM('x','y',''), f SET('p','q','r')",
        "(1, 1, 8191, 18446744073709551615, 2155, 3, 7), (2, 0, 0, 0, 0, 1, 0), (3, 1, 256, 9223372036854775808, 1901, 'none', 4), (4, NULL, NULL, NULL, NULL, NULL, NULL)",
    ),
    (
        "a DATE, b TIME, c TIME(3), d DATETIME, e DATETIME(6), f TIMESTAMP NULL, g TIMESTAMP(6) NULL",
        "(1, '0000-00-00', '-838:59:59', '-00:00:00.001', '0000-00-00', '9999-12-31 23:59:59.999999', '1970-01-01 00:00:01', '2038-01-19 03:14:07.999999'), \
         (2, '2021-02-30', '838:59:59', '838:59:58.999', '2021-02-31 01:02:03', '2020-01-00 00:00:00.000001', '2021-03-28 01:30:00', '2021-10-31 00:30:00.5'), \
         (3, '2020-00-00', '00:00:00', '00:00:00', '1000-01-01', '0000-00-00', '0000-00-00', '0000-00-00'), (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    ),
    (
        "a CHAR(9), b VARCHAR(20), c TEXT, d CHAR(9) CHARACTER SET latin1, e VARCHAR(9) CHARACTER SET ucs2, f MEDIUMTEXT CHARACTER SET utf8, g VARCHAR(9) CHARACTER SET sjis",
        "(1, 'a ', 'a ', 'ä😀', 'ä', 'ü', 'é', 'あ'), (2, '', '', '', '', '', '', ''), (3, ',', ',,', 'N', 'NULL', 'a', '\\\\', '\\''), (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    ),
    (
        "a BINARY(4), b VARBINARY(9), c TINYBLOB, d LONGBLOB, e GEOMETRY, f POINT",
        "(1, 'a', X'6100', X'00FF', X'00', NULL, NULL), (2, '', '', '', REPEAT(X'5C', 300000), NULL, NULL)",
    ),
];

/// Number, type, and two values that differ by a bit; not those of a negative zero, in whose place MariaDB stores 0.
fn bits() -> impl Iterator<Item = (usize, &'static str, &'static str, &'static str)> {
    let all = BITS.iter().enumerate();
    let all = all.map(|(n, (kind, value, other))| (n + 1, *kind, *value, *other));
    all.filter(|(_, _, _, other)| *other != "-0e0")
}

/// A source and a target: all common types have the same digests and no differences, and one bit of each type is found and named.
fn common(flavors: [Flavor; 2]) {
    let servers = flavors.map(server);
    for server in &servers {
        let mut writer = writer(server);
        run(
            &mut writer,
            &format!(
                "CREATE DATABASE {SOURCE} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci; USE {SOURCE}"
            ),
        );
        for (n, (columns, rows)) in COMMON.iter().enumerate() {
            run(
                &mut writer,
                &format!(
                    "CREATE TABLE c{n} (id INT PRIMARY KEY, {columns}); INSERT INTO c{n} VALUES {rows}"
                ),
            );
        }
        run(
            &mut writer,
            "INSERT INTO c6 VALUES (3, NULL, NULL, NULL, NULL, ST_GeomFromText('LINESTRING(0 0, 1.5 -1e-300)'), ST_GeomFromText('POINT(1 2)'))",
        );
        let is_source = std::ptr::eq(server, &raw const servers[0]);
        // A column for each type, and a row for each column, in which the others are NULL.
        let columns: Vec<String> = bits()
            .map(|(n, kind, _, _)| format!("c{n} {kind}"))
            .collect();
        let mut rows = String::new();
        for (n, _, value, other) in bits() {
            let planted = if is_source { value } else { other };
            rows.push_str(&format!(
                "INSERT INTO bits (id, c{n}) VALUES ({n}, {planted});"
            ));
        }
        run(
            &mut writer,
            &format!(
                "CREATE TABLE bits (id INT PRIMARY KEY, {}); {rows}",
                columns.join(", ")
            ),
        );
    }
    let (mut a, mut b) = (session(&servers[0]), session(&servers[1]));
    let whole = Range::default();
    for algorithm in [Algorithm::Crc32, Algorithm::Sha2] {
        for (n, (kinds, _)) in COMMON.iter().enumerate() {
            let name = format!("c{n}");
            let pair = Pair::new((&mut a, SOURCE), (&mut b, SOURCE), &name, algorithm)
                .unwrap_or_else(|e| panic!("{kinds}: {e:?}"));
            let found = differences(&pair, &mut a, &mut b, &whole);
            assert!(found.is_empty(), "{kinds}: {found:?}");
            assert_eq!(
                digest(&pair.source, &mut a, &whole),
                digest(&pair.target, &mut b, &whole),
                "{kinds}"
            );
            assert!(pair.target.is_ranged());
        }
    }
    let pair = Pair::new((&mut a, SOURCE), (&mut b, SOURCE), "bits", Algorithm::Crc32);
    let pair = pair.unwrap_or_else(|e| panic!("{e:?}"));
    let found = differences(&pair, &mut a, &mut b, &whole);
    let wanted: Vec<String> = bits().map(|(n, ..)| format!("c{n}")).collect();
    assert_eq!(columns(&found), wanted);
    for (n, kind, value, other) in bits() {
        let range = one_row(Some(n as u32 - 1), n as u32);
        let of_source = digest(&pair.source, &mut a, &range);
        let of_target = digest(&pair.target, &mut b, &range);
        assert_eq!((of_source.rows, of_target.rows), (1, 1));
        assert_ne!(of_source.sum, of_target.sum, "{kind}: {value} and {other}");
    }
}

/// Tables of MariaDB's own default collation, by a text of it, in ranges.
#[test]
fn mariadb_by_itself() {
    let server = server(Flavor::Mariadb118);
    let mut writer = writer(&server);
    let mut of_both = Vec::new();
    for schema in [SOURCE, TARGET] {
        run(
            &mut writer,
            &format!(
                "CREATE DATABASE {schema} CHARACTER SET utf8mb4; USE {schema}; CREATE TABLE k (k VARCHAR(20) PRIMARY KEY, v INT, INDEX (v), UNIQUE (v, k)); \
                 INSERT INTO k VALUES ('b', 1), ('A', 2), ('ä1', 3), ('Z', 4), ('ß', 5), ('_', 6), ('', 7), ('c d', 8)"
            ),
        );
        of_both.push(session(&server));
    }
    let [a, b] = of_both.as_mut_slice() else {
        panic!("two sessions");
    };
    let pair = Pair::new((a, SOURCE), (b, TARGET), "k", Algorithm::Crc32).expect("a pair");
    assert!(pair.target.is_ranged());
    let charset = &pair.source.shape().columns[0].charset;
    assert_eq!(charset.as_deref(), Some("utf8mb4"));
    partition(&pair, a, b, "k");
}

/// MySQL 5.6 and 9.7.
#[test]
fn mysql_56_to_97() {
    common([Flavor::Mysql56, Flavor::Mysql97]);
}

/// MySQL 9.7 and MariaDB 11.8.
#[test]
fn mysql_97_to_mariadb_118() {
    common([Flavor::Mysql97, Flavor::Mariadb118]);
}

/// MariaDB 10.11 and MySQL 9.7.
#[test]
fn mariadb_1011_to_mysql_97() {
    common([Flavor::Mariadb1011, Flavor::Mysql97]);
}
