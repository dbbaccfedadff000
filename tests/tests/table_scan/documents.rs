//! JSON: text of a SELECT, made a document again, is what the log has.

use datain_binary_json::Document;
use datain_tests::bulk_load;

use super::images::session;
use super::{ROWS, equal, server};

/// A document of each form, near what the small form can hold.
fn near_64_kib() -> Vec<String> {
    let mut rows = Vec::new();
    for length in [
        65_480, 65_510, 65_515, 65_519, 65_520, 65_521, 65_522, 65_523, 65_524, 65_525, 65_526,
        65_527, 65_528, 65_530, 65_535, 65_536, 65_540,
    ] {
        let long = format!("REPEAT(_utf8mb4'x', {length})");
        for document in [
            format!("JSON_ARRAY({long})"),
            format!("JSON_ARRAY(1, -1, 70000, -70000, {long}, true, null)"),
            format!(
                "JSON_ARRAY(1, -1, 70000, -70000, JSON_ARRAY({long}, -1, CAST(70000 AS UNSIGNED)), CAST(1 AS UNSIGNED))"
            ),
            format!("JSON_OBJECT(_utf8mb4'k', {long}, _utf8mb4'abc', JSON_OBJECT(_utf8mb4'', -5))"),
            format!(
                "JSON_OBJECT(_utf8mb4'a', JSON_ARRAY(), _utf8mb4'b', JSON_OBJECT(_utf8mb4'c', JSON_ARRAY(JSON_ARRAY({long})), _utf8mb4'd', 70000))"
            ),
        ] {
            rows.push(document);
        }
    }
    // Many entries: 16383 of them fit with two bytes each, 21841 with three.
    for count in [
        8190, 13_105, 13_106, 13_107, 13_108, 21_840, 21_845, 21_846, 65_535, 65_536,
    ] {
        for value in ["1", "-70000", "true"] {
            rows.push(format!(
                "CAST(CONCAT('[', REPEAT('{value},', {count} - 1), '{value}]') AS JSON)"
            ));
        }
    }
    rows
}

/// Every type that a document can hold, from columns of every type.
const TYPED: &str = "
    CREATE TABLE origins (id INT PRIMARY KEY, ts TIMESTAMP(3) NULL, dt DATETIME(6), d DATE, t TIME(6), y YEAR, b1 BIT(1), b9 BIT(9), b64 BIT(64), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB,
        bi BINARY(3), vb VARBINARY(300), g GEOMETRY, e ENUM('a','ü'), s SET('a','b'), u1 TINYINT UNSIGNED, u8 BIGINT UNSIGNED, i8 BIGINT, f FLOAT, r DOUBLE, c CHAR(5), tx TEXT);
    INSERT INTO origins VALUES
        (1, '2020-01-01 00:00:00.5', '2020-01-01', '2020-01-01', '-12:34:56.000001', 2020, 1, 300, 18446744073709551615, 'a', 'b', 'c', 'd', 'e', REPEAT(X'FF00', 100), ST_GeomFromText('POINT(1 2)'), 2, 3, 5, 5, 5, 0.3, 1, 'x', 'y'),
        (2, '1970-01-01 00:00:01', '0000-00-00', '0000-00-00', '838:59:58.999999', 0, 0, 0, 0, '', '', '', '', '', '', NULL, 1, 0, 255, 18446744073709551615, -9223372036854775808, 3e38, 1e300, '', ''),
        (3, NULL, '9999-12-31 23:59:59.999999', '2020-00-00', '00:00:00', 2155, 1, 511, 1, 'a', REPEAT(X'01', 57), REPEAT(X'01', 58), REPEAT('z', 1000), 'eee', 'x', ST_GeomFromText('LINESTRING(0 0, 1 1.5)'), 1, 1, 0, 9223372036854775808, 4294967296, -0e0, -0e0, 'ä', '\\n');
    CREATE TABLE typed (id INT AUTO_INCREMENT PRIMARY KEY, j JSON);
";

const OF_ORIGINS: &[&str] = &[
    "JSON_ARRAY(ts, dt, d, t, y, b1, b9, b64, tb, bl, mb, lb, bi, vb, g, e, s, u1, u8, i8, f, r, c, tx)",
    "JSON_OBJECT(_utf8mb4'ts', ts, _utf8mb4'dt', dt, _utf8mb4'nested', JSON_ARRAY(JSON_OBJECT(_utf8mb4'u1', u1, _utf8mb4'deep', JSON_ARRAY(u8, i8, JSON_ARRAY(bl))), b9, t), _utf8mb4'a', r)",
    "CAST(ts AS JSON)",
    "CAST(t AS JSON)",
    "CAST(u1 AS JSON)",
    "CAST(i8 AS JSON)",
    "CAST(vb AS JSON)",
    "CAST(e AS JSON)",
];

/// JSON around 64 KiB, of 65,536 elements, and of every type that a column gives to a document, read by chunks: byte for byte what the log has.
#[test]
fn documents_are_what_the_log_has() {
    let server = server();
    server
        .sql(&format!("CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS}; SET sql_mode = 'ALLOW_INVALID_DATES'; CREATE TABLE sizes (id INT AUTO_INCREMENT PRIMARY KEY, j JSON); {TYPED}"))
        .expect("tables");
    let mut rows: Vec<String> = near_64_kib()
        .iter()
        .map(|document| format!("INSERT INTO sizes (j) VALUES ({document})"))
        .collect();
    rows.push("SET NAMES utf8mb4".to_owned());
    rows.extend(OF_ORIGINS.iter().map(|document| {
        format!("INSERT INTO typed (j) SELECT {document} FROM origins ORDER BY id")
    }));
    // As deep as documents can be.
    let deep = format!("{}{}{}", "[{\"a\":".repeat(50), 1, "}]".repeat(50));
    rows.push(format!("INSERT INTO typed (j) VALUES ('{deep}')"));
    let batches = bulk_load::fill(&server, ROWS, &rows);
    equal(&server, &batches, &[1000]);
}

/// How a document's DECIMALs are stored depends on where they come from, which nothing tells: their value and scale are the same, and so is all the rest.
#[test]
fn decimals_in_documents_have_their_values() {
    let server = server();
    server
        .sql(&format!("CREATE DATABASE {ROWS}; USE {ROWS}; CREATE TABLE d (id INT AUTO_INCREMENT PRIMARY KEY, j JSON)"))
        .expect("a table");
    let mut session = session(&server);
    let rows = [
        "1.5",
        "CAST(1.5 AS DECIMAL(10,2))",
        "CAST(1.5 AS DECIMAL(65,30))",
        "0.5",
        "CAST(0 AS DECIMAL(5,0))",
        "-99999999999999999999.99",
        "CAST('-0.001' AS DECIMAL(3,3))",
    ]
    .map(|value| format!("INSERT INTO d (j) VALUES (JSON_ARRAY(1, {value}, _utf8mb4'x'))"));
    let batches = bulk_load::fill(&server, ROWS, &rows);
    let logged = super::images::logged(&batches);
    let scan = super::images::scan(&mut session, ROWS, "d");
    let read = super::images::read(&scan, &mut session, 3);
    let texts = |images: &[Vec<u8>]| -> Vec<String> {
        // Behind the bitmap, the id and the length.
        images
            .iter()
            .map(|image| Document::new(&image[9..]).to_text().expect("a document"))
            .collect()
    };
    assert_eq!(texts(&read), texts(&logged[0].images));
}
