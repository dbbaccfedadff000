//! Keys of every type, alone and with others: chunks of any size find each row once, in order, by ranges of the index.

use datain_mysql_client::blocking::block_on;
use datain_row_block::{Bitmap, read_image};
use datain_table_scan::{ChunkLimits, Reading, TableScan};
use datain_tests::bulk_load;

use super::images::{Root, chunk, read, scan, session};
use super::key_types::KEYS;
use super::{ROWS, equal, server};

/// A table by this key, for each of the types.
fn tables(columns: impl Fn(&str) -> String) -> String {
    KEYS.iter()
        .enumerate()
        .map(|(n, (kind, _))| {
            format!(
                "CREATE TABLE k{n} ({}) CHARACTER SET utf8mb4;",
                columns(kind)
            )
        })
        .collect()
}

fn values(n: usize) -> Vec<String> {
    // No value holds a comma but one member of an ENUM, which is written as a number.
    KEYS[n]
        .1
        .split(", ")
        .map(|value| value.trim().to_owned())
        .collect()
}

fn sets_with_64_members() -> (String, Vec<String>) {
    let members: Vec<String> = (0..64).map(|n| format!("'m{n}'")).collect();
    let table = format!(
        "CREATE TABLE sets (s SET({}) PRIMARY KEY);",
        members.join(",")
    );
    let masks: Vec<String> = [
        0,
        1,
        1 << 53,
        (1 << 53) + 1,
        1 << 62,
        1 << 63,
        (1 << 63) + 1,
        u64::MAX - 1,
        u64::MAX,
    ]
    .iter()
    .map(|mask| format!("({mask})"))
    .collect();
    (
        table,
        vec![format!("INSERT INTO sets VALUES {}", masks.join(","))],
    )
}

/// What the server does for a chunk behind this key.
fn explained(session: &mut Root, scan: &TableScan, after: &[u8]) -> String {
    let limits = ChunkLimits {
        rows: 2,
        bytes: 1 << 20,
    };
    let sql = scan
        .sql(Some(after), Some(limits), Reading::Consistent)
        .expect("a key");
    let plan = block_on(session.query_rows(format!("EXPLAIN FORMAT=TREE {sql}").as_bytes()));
    plan.unwrap_or_else(|e| panic!("{e}: {sql}"))[0][0]
        .clone()
        .unwrap_or_default()
}

/// Where the order of keys can be told without the server, it is the server's.
fn as_the_server_orders(scan: &TableScan, images: &[Vec<u8>]) {
    let table = scan.table();
    let scan_key = table.scan_key.as_ref().expect("a key");
    let kinds = table.kinds();
    let ones = vec![0xff; Bitmap::bytes_for(kinds.len())];
    let present = Bitmap::new(&ones, kinds.len()).expect("a bitmap");
    let key = |image: &Vec<u8>| {
        let mut offsets = Vec::new();
        let image = read_image(&kinds, present, image, &mut offsets).expect("an image");
        scan_key.of_image(table, &image).expect("a key")
    };
    let keys: Vec<Vec<u8>> = images.iter().map(key).collect();
    for (i, a) in keys.iter().enumerate() {
        for (j, b) in keys.iter().enumerate() {
            let order = scan_key.compare(table, a, b).expect("keys");
            if let Some(order) = order {
                assert_eq!(order, i.cmp(&j), "{}: {a:02x?} {b:02x?}", table.name);
            }
            let of_texts = scan_key
                .parts
                .iter()
                .any(|part| table.columns[part.column].charset.is_some());
            assert!(order.is_some() || of_texts, "{}", table.name);
        }
    }
}

/// Rows of chunks of two come in the order of one large chunk, and by ranges of the index.
fn in_order_by_ranges(session: &mut Root, names: &[String], without_ranges: &[&str]) {
    for name in names {
        let scan = scan(session, ROWS, name);
        let whole = read(&scan, session, 100_000);
        for rows in [1, 5] {
            assert!(read(&scan, session, rows) == whole, "{name}: another order");
        }
        as_the_server_orders(&scan, &whole);
        let limits = ChunkLimits {
            rows: 1,
            bytes: 1 << 20,
        };
        let (_, end) = chunk(&scan, session, None, limits, Reading::Consistent);
        let plan = explained(session, &scan, &end.last_key.expect("a row"));
        assert!(!plan.contains("Sort"), "{name}: {plan}");
        if without_ranges.contains(&name.as_str()) {
            continue;
        }
        let by_index = [
            "ange scan",
            "No matching",
            "Zero rows",
            "ndex lookup",
            "Rows fetched before",
        ];
        assert!(
            by_index.iter().any(|how| plan.contains(how)),
            "{name}: {plan}\n{:?}",
            scan.sql(None, None, Reading::Consistent)
        );
    }
}

fn names(prefix: &str) -> Vec<String> {
    (0..KEYS.len()).map(|n| format!("{prefix}{n}")).collect()
}

/// Tables by a SET, which no range is for, and by an ENUM, of which a few rows are read faster without.
fn by_members() -> Vec<String> {
    let is_set = |kind: &str| kind.starts_with("SET") || kind.starts_with("ENUM");
    let places = KEYS
        .iter()
        .enumerate()
        .filter(|(_, (kind, _))| is_set(kind));
    places.map(|(n, _)| format!("k{n}")).collect()
}

/// Primary keys of every type and of 30 collations, read by chunks: each row once, in order, by ranges of the index.
#[test]
fn keys_of_every_type() {
    let server = server();
    let (table_of_64, rows_of_64) = sets_with_64_members();
    let tables = tables(|kind| format!("k {kind} NOT NULL PRIMARY KEY, v INT"));
    server
        .sql(&format!("CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS}; SET sql_mode = '';\n{tables}{table_of_64}"))
        .expect("tables");
    let mut rows = rows_of_64;
    for n in 0..KEYS.len() {
        let list: Vec<String> = values(n).iter().map(|v| format!("({v}, 1)")).collect();
        rows.push(format!(
            "INSERT IGNORE INTO k{n} VALUES {}",
            list.join(", ")
        ));
    }
    let batches = bulk_load::fill(&server, ROWS, &rows);
    equal(&server, &batches, &[1, 2, 3, 7, 1000]);
    let mut session = session(&server);
    let without_ranges = by_members();
    let without_ranges: Vec<&str> = without_ranges
        .iter()
        .map(String::as_str)
        .chain(["sets"])
        .collect();
    in_order_by_ranges(&mut session, &names("k"), &without_ranges);
    in_order_by_ranges(&mut session, &["sets".to_owned()], &without_ranges);
}

/// Primary keys of several columns, one of every type, up and down: each row once, in order, by ranges of the index.
#[test]
fn keys_of_several_columns() {
    let server = server();
    // In the middle, first, and last, rising and falling.
    for key in ["k, a, b DESC", "a DESC, k DESC, b", "b, a, k"] {
        let tables = tables(|kind| {
            format!(
                "a INT NOT NULL, k {kind} NOT NULL, b VARCHAR(9) COLLATE utf8mb4_0900_ai_ci NOT NULL, PRIMARY KEY ({key})"
            )
        });
        server
            .sql(&format!("DROP DATABASE IF EXISTS {ROWS}; CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS}; SET sql_mode = '';\n{tables}"))
            .expect("tables");
        let mut rows = Vec::new();
        for n in 0..KEYS.len() {
            let list: Vec<String> = values(n)
                .iter()
                .flat_map(|value| {
                    [(1, "a"), (1, "B"), (2, "ä"), (2, "c"), (-3, "")]
                        .map(|(a, b)| format!("({a}, {value}, '{b}')"))
                })
                .collect();
            rows.push(format!(
                "INSERT IGNORE INTO k{n} VALUES {}",
                list.join(", ")
            ));
        }
        let batches = bulk_load::fill(&server, ROWS, &rows);
        equal(&server, &batches, &[3, 1000]);
        let mut session = session(&server);
        let without_ranges = by_members();
        let without_ranges: Vec<&str> = without_ranges.iter().map(String::as_str).collect();
        in_order_by_ranges(&mut session, &names("k"), &without_ranges);
    }
}

/// A key that begins with an ENUM is read by ranges too, as soon as there is more than a handful of rows, and none is sorted at its last member.
#[test]
fn a_large_table_by_an_enum() {
    let server = server();
    server
        .sql(&format!(
            "CREATE DATABASE {ROWS}; USE {ROWS}; CREATE TABLE e (e ENUM('d','c','b','a') NOT NULL, n INT NOT NULL, PRIMARY KEY (e, n)); \
             SET SESSION cte_max_recursion_depth = 100000; \
             INSERT INTO e WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT 1 + i DIV 2500, i FROM n; \
             ANALYZE TABLE e"
        ))
        .expect("rows");
    let mut session = session(&server);
    let scan = scan(&mut session, ROWS, "e");
    let limits = ChunkLimits {
        rows: 1300,
        bytes: 1 << 20,
    };
    let (mut after, mut read) = (None, 0);
    loop {
        let (rows, end) = chunk(
            &scan,
            &mut session,
            after.as_deref(),
            limits,
            Reading::Consistent,
        );
        read += rows.len();
        if end.is_last {
            break;
        }
        let plan = explained(&mut session, &scan, end.last_key.as_deref().expect("a row"));
        assert!(
            plan.contains("range scan") && !plan.contains("Sort"),
            "{plan}"
        );
        after = end.last_key;
    }
    assert_eq!(read, 10_000);
}
