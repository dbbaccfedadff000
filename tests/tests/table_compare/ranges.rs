//! Ranges: each row is in exactly one of them, on both sides.

use datain_mysql_client::blocking::block_on;
use datain_row_block::ColumnKind;
use datain_table_compare::{Algorithm, ChunkLimits, Range, Reading};
use datain_throwaway_servers::Flavor;

use super::key_types::KEYS;
use super::pairs::{
    Pair, Root, SOURCE, TARGET, all_of, columns, definition, differences, digest, rows, run,
    server, session, writer,
};

/// All ranges of so many rows, by the boundaries that the source's side finds.
fn ranges(pair: &Pair, session: &mut Root, rows: u64) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut after = None;
    loop {
        let up_to = block_on(pair.source.boundary(session, after.as_deref(), rows));
        let up_to = up_to.expect("a boundary");
        ranges.push(Range {
            after,
            up_to: up_to.clone(),
            bucket: None,
        });
        if up_to.is_none() {
            return ranges;
        }
        after = up_to;
    }
}

/// The ranges are a partition of the table, in order, and equal on both sides; and rows are found by their keys.
pub fn partition(pair: &Pair, a: &mut Root, b: &mut Root, name: &str) {
    let whole = digest(&pair.source, a, &Range::default());
    let of_all = rows(&pair.source, a, &Range::default());
    assert!(whole.rows > 1, "{name}");
    for size in [1, 3, 1000] {
        let ranges = ranges(pair, a, size);
        let mut together = Vec::new();
        let mut sum = 0_u128;
        for (n, range) in ranges.iter().enumerate() {
            let of_source = digest(&pair.source, a, range);
            assert_eq!(
                of_source,
                digest(&pair.target, b, range),
                "{name} by {size}"
            );
            if n + 1 < ranges.len() {
                assert_eq!(of_source.rows, size, "{name}");
            }
            sum += of_source.sum.parse::<u128>().expect("a sum");
            let images = rows(&pair.source, a, range);
            assert_eq!(images.len() as u64, of_source.rows, "{name} by {size}");
            together.extend(images);
        }
        assert!(together == of_all, "{name} by {size}: other rows");
        assert_eq!(sum.to_string(), whole.sum, "{name} by {size}");
    }
    // Every other row by its key, and one key that there is not twice.
    let shape = pair.source.shape();
    let keys: Vec<Vec<u8>> = of_all
        .iter()
        .step_by(2)
        .map(|image| shape.key_of(image).expect("an image").expect("a key"))
        .collect();
    for reading in [Reading::Consistent, Reading::Locking] {
        let chunk = block_on(pair.target.rows_of(b, &keys, reading));
        let mut found = all_of(b, chunk);
        found.sort();
        let mut wanted: Vec<Vec<u8>> = of_all.iter().step_by(2).cloned().collect();
        wanted.sort();
        assert!(found == wanted, "{name}");
    }
    let none = block_on(pair.target.rows_of(b, &[], Reading::Consistent));
    assert!(all_of(b, none).is_empty());
}

/// Keys of every type and of many collations, alone, and in the middle of a key that falls: ranges of any size have each row once, on both sides.
#[test]
fn by_keys_of_every_type() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    for schema in [SOURCE, TARGET] {
        run(
            &mut writer,
            &format!("CREATE DATABASE {schema} CHARACTER SET utf8mb4; USE {schema}"),
        );
        for (n, (kind, values)) in KEYS.iter().enumerate() {
            let values: Vec<&str> = values.split(", ").map(str::trim).collect();
            let single: Vec<String> = values.iter().map(|v| format!("({v}, 1)")).collect();
            let several: Vec<String> = values
                .iter()
                .take(3)
                .flat_map(|v| {
                    [(1, "a"), (1, "B"), (2, "ä")].map(|(a, b)| format!("({a}, {v}, '{b}')"))
                })
                .collect();
            run(
                &mut writer,
                &format!(
                    "CREATE TABLE k{n} (k {kind} NOT NULL PRIMARY KEY, v INT); \
                     INSERT IGNORE INTO k{n} VALUES {}; \
                     CREATE TABLE s{n} (a INT NOT NULL, k {kind} NOT NULL, b VARCHAR(9) NOT NULL, PRIMARY KEY (a DESC, k DESC, b)); \
                     INSERT IGNORE INTO s{n} VALUES {}",
                    single.join(", "),
                    several.join(", ")
                ),
            );
        }
    }
    let (mut a, mut b) = (session(&server), session(&server));
    for (n, (kind, _)) in KEYS.iter().enumerate() {
        for table in ["k", "s"] {
            let name = format!("{table}{n}");
            let pair = Pair::new(
                (&mut a, SOURCE),
                (&mut b, TARGET),
                &name,
                Algorithm::default(),
            )
            .unwrap_or_else(|e| panic!("{kind}: {e:?}"));
            assert!(pair.target.is_ranged(), "{kind}");
            partition(&pair, &mut a, &mut b, &format!("{name}: {kind}"));
        }
    }
}

/// A range of a long key is read by the index, not by going over the table.
#[test]
fn only_the_range_is_read() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    run(
        &mut writer,
        &format!(
            "CREATE DATABASE {SOURCE}; USE {SOURCE}; CREATE TABLE r (a INT, b VARCHAR(9) COLLATE utf8mb4_0900_ai_ci, c INT, v INT, PRIMARY KEY (a, b, c)); \
             SET SESSION cte_max_recursion_depth = 100000; \
             INSERT INTO r WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999) SELECT i DIV 5000, i DIV 50, i, i FROM n; \
             ANALYZE TABLE r"
        ),
    );
    let (mut a, mut b) = (session(&server), session(&server));
    let pair = Pair::new(
        (&mut a, SOURCE),
        (&mut b, SOURCE),
        "r",
        Algorithm::default(),
    )
    .expect("a pair");
    let ranges = ranges(&pair, &mut a, 777);
    assert_eq!(ranges.len(), 26);
    let read = |session: &mut Root| -> u64 {
        let sql = b"SELECT SUM(VARIABLE_VALUE) FROM performance_schema.session_status WHERE VARIABLE_NAME LIKE 'Handler_read%'";
        let row = block_on(session.query_first(sql)).expect("counters");
        row.and_then(|row| row[0].clone())
            .and_then(|n| n.parse::<f64>().ok())
            .map_or(0, |n| n as u64)
    };
    for range in &ranges {
        run(&mut a, "FLUSH STATUS");
        let rows = digest(&pair.source, &mut a, range).rows;
        let read = read(&mut a);
        // Looking at the counters is a few hundred reads itself.
        assert!(read < rows + 900, "{read} reads for {rows} rows: {range:?}");
    }
}

/// Keys that both sides do not order alike are not used: other collations, other character sets, and where the target has no such key. The tables are compared all the same.
#[test]
fn tables_without_a_common_order() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    let cases = [
        (
            "k VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY",
            "k VARCHAR(9) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY",
        ),
        (
            "k VARCHAR(9) CHARACTER SET latin1 PRIMARY KEY",
            "k VARCHAR(9) CHARACTER SET utf8mb4 PRIMARY KEY",
        ),
        ("k VARCHAR(9) NOT NULL PRIMARY KEY", "k VARCHAR(9) NOT NULL"),
        ("k VARCHAR(9)", "k VARCHAR(9) PRIMARY KEY"),
        ("k VARCHAR(9)", "k VARCHAR(9)"),
    ];
    run(
        &mut writer,
        &format!("CREATE DATABASE {SOURCE}; CREATE DATABASE {TARGET}"),
    );
    for (n, (of_source, of_target)) in cases.iter().enumerate() {
        for (schema, key) in [(SOURCE, of_source), (TARGET, of_target)] {
            run(
                &mut writer,
                &format!(
                    "CREATE TABLE {schema}.c{n} ({key}, v INT); INSERT INTO {schema}.c{n} VALUES ('b', 1), ('ä', 2), ('C', 3)"
                ),
            );
        }
    }
    let (mut a, mut b) = (session(&server), session(&server));
    for (n, case) in cases.iter().enumerate() {
        let name = format!("c{n}");
        let pair = Pair::new((&mut a, SOURCE), (&mut b, TARGET), &name, Algorithm::Crc32)
            .unwrap_or_else(|e| panic!("{case:?}: {e:?}"));
        assert!(!pair.target.is_ranged(), "{case:?}");
        let whole = Range::default();
        assert_eq!(
            digest(&pair.source, &mut a, &whole),
            digest(&pair.target, &mut b, &whole),
            "{case:?}"
        );
        assert!(
            differences(&pair, &mut a, &mut b, &whole).is_empty(),
            "{case:?}"
        );
        run(
            &mut writer,
            &format!("UPDATE {TARGET}.c{n} SET v = 4 WHERE k = 'ä'"),
        );
        assert_ne!(
            digest(&pair.source, &mut a, &whole),
            digest(&pair.target, &mut b, &whole),
            "{case:?}"
        );
        let mut found = columns(&differences(&pair, &mut a, &mut b, &whole));
        found.sort();
        if pair.source.is_ranged() {
            assert_eq!(found, ["v"], "{case:?}");
        } else {
            assert_eq!(found, ["(missing)", "(surplus)"], "{case:?}");
        }
        let key = Range {
            after: Some(vec![1]),
            ..Range::default()
        };
        let refused = block_on(pair.target.digest(&mut b, &key)).expect_err("no ranges");
        assert_eq!(refused.code, "verify.no-key");
        let refused = block_on(pair.target.boundary(&mut b, None, 1)).expect_err("no ranges");
        assert_eq!(refused.code, "verify.no-key");
    }
}

/// A number that has become wider or narrower on the target is the same number: in digests, rows, keys and ranges. One that does not fit is a difference, or, in a key, an error.
#[test]
fn numbers_of_another_size() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    run(
        &mut writer,
        &format!(
            "CREATE DATABASE {SOURCE}; CREATE DATABASE {TARGET}; \
             CREATE TABLE {SOURCE}.n (id INT PRIMARY KEY, a TINYINT UNSIGNED ZEROFILL, d DOUBLE UNSIGNED, i BIGINT UNSIGNED); \
             CREATE TABLE {TARGET}.n (d DOUBLE, surplus INT, id BIGINT, i SMALLINT, a INT UNSIGNED ZEROFILL, PRIMARY KEY (id)); \
             INSERT INTO {SOURCE}.n VALUES (1, 1, 0.5, 7), (2, 255, NULL, 0), (3, NULL, 1e-5, NULL), (-4, 0, 1e30, 9), (2147483647, 3, 0, 9); \
             INSERT INTO {TARGET}.n (id, a, d, i) SELECT * FROM {SOURCE}.n"
        ),
    );
    let (mut a, mut b) = (session(&server), session(&server));
    let pair = Pair::new((&mut a, SOURCE), (&mut b, TARGET), "n", Algorithm::Crc32);
    let pair = pair.expect("a pair");
    assert!(pair.target.is_ranged());
    assert_eq!(pair.target.surplus_columns(), ["surplus"]);
    for size in [1, 2, 9] {
        for range in ranges(&pair, &mut a, size) {
            assert_eq!(
                digest(&pair.source, &mut a, &range),
                digest(&pair.target, &mut b, &range)
            );
            assert!(differences(&pair, &mut a, &mut b, &range).is_empty());
        }
    }
    // 256 is 0 in a byte, and −1 is 2⁶⁴ − 1.
    run(
        &mut writer,
        &format!(
            "UPDATE {SOURCE}.n SET a = 0; UPDATE {TARGET}.n SET a = 0; UPDATE {TARGET}.n SET a = 256 WHERE id = 1; \
        UPDATE {SOURCE}.n SET i = 18446744073709551615 WHERE id = 2; UPDATE {TARGET}.n SET i = -1 WHERE id = 2"
        ),
    );
    let whole = Range::default();
    assert_ne!(
        digest(&pair.source, &mut a, &whole).sum,
        digest(&pair.target, &mut b, &whole).sum
    );
    let found = differences(&pair, &mut a, &mut b, &whole);
    assert_eq!(columns(&found), ["a", "i"]);
    run(
        &mut writer,
        &format!("INSERT INTO {TARGET}.n (id) VALUES (2147483648)"),
    );
    let of_source = rows(&pair.source, &mut a, &whole);
    let of_target = rows(&pair.target, &mut b, &whole);
    let refused = pair.target.differences(&of_source, &of_target);
    assert_eq!(refused.expect_err("another key").code, "verify.key-unlike");
}

/// Types that hold other values, and columns that there are not, are named, all of them.
#[test]
fn mismatches_are_named() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    run(
        &mut writer,
        &format!(
            "CREATE DATABASE {SOURCE}; CREATE DATABASE {TARGET}; \
             CREATE TABLE {SOURCE}.m (id INT PRIMARY KEY, gone INT, d DECIMAL(9,2), f FLOAT, e ENUM('a','b'), s SET('a'), t TIME(3), ts TIMESTAMP NULL, b BINARY(3), v VARCHAR(9), j JSON, Same INT); \
             CREATE TABLE {TARGET}.m (id INT PRIMARY KEY, d DECIMAL(9,3), f DOUBLE, e ENUM('b','a'), s SET('a','b'), t TIME, ts DATETIME, b BINARY(4), v BLOB, j LONGTEXT, same INT)"
        ),
    );
    let (mut a, mut b) = (session(&server), session(&server));
    let pair = Pair::new((&mut a, SOURCE), (&mut b, TARGET), "m", Algorithm::Crc32);
    let Err(mismatches) = pair else {
        panic!("they do not match");
    };
    let names: Vec<&str> = mismatches.iter().map(|m| m.column.as_str()).collect();
    assert_eq!(
        names,
        ["gone", "d", "f", "e", "s", "t", "ts", "b", "v", "j"]
    );
    assert_eq!(mismatches[0].reason, "the target has no such column");
    assert_eq!(
        definition(&mut a, SOURCE, "m").columns[0].kind,
        ColumnKind::Int
    );
}

/// Rows come in parts, each of which says where the next one begins, and none goes beyond the range.
#[test]
fn rows_in_parts() {
    let server = server(Flavor::Mysql97);
    let mut writer = writer(&server);
    run(
        &mut writer,
        &format!(
            "CREATE DATABASE {SOURCE}; CREATE TABLE {SOURCE}.p (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO {SOURCE}.p VALUES (1,'a'),(2,'b'),(3,'c'),(4,'d'),(5,'e'),(6,'f')"
        ),
    );
    let (mut a, mut b) = (session(&server), session(&server));
    let pair = Pair::new((&mut a, SOURCE), (&mut b, SOURCE), "p", Algorithm::Crc32);
    let pair = pair.expect("a pair");
    let all = ranges(&pair, &mut a, 5);
    let wanted = rows(&pair.source, &mut a, &all[0]);
    let limits = ChunkLimits {
        rows: 2,
        bytes: 1 << 20,
    };
    let (mut range, mut read) = (all[0].clone(), Vec::new());
    loop {
        let end = block_on(async {
            let mut chunk = pair
                .source
                .rows(&mut a, &range, limits, Reading::Consistent)
                .await?;
            let mut image = Vec::new();
            while chunk.next_row(&mut a, &mut image).await? {
                read.push(std::mem::take(&mut image));
            }
            Ok::<_, datain_contract::types::Error>(chunk.end())
        })
        .expect("rows");
        if end.is_last {
            break;
        }
        range.after = end.last_key;
    }
    assert_eq!(read.len(), 5);
    assert_eq!(read, wanted);
}
