//! What happens around a scan: changes beside it, large values, limits, keys that are none, settings of the server.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use datain_mysql_client::blocking::block_on;
use datain_sql_statement::TableFilter;
use datain_table_scan::{ChunkLimits, Reading, TableDefinition, TableScan, tables};
use datain_tests::bulk_load;
use datain_tests::seed::{Rng, seed};

use super::images::{chunk, read, scan, session};
use super::{ROWS, equal, server};

fn made(server: &datain_throwaway_servers::Server, tables: &str) {
    server
        .sql(&format!(
            "CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS}; {tables}"
        ))
        .expect("tables");
}

/// Rows come, go and get other keys while their table is read by chunks: every row that nobody touched is read once.
#[test]
fn rows_that_nobody_touches_are_read_once() {
    let server = server();
    // The third column says that nobody touches the row.
    made(
        &server,
        "CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_0900_ai_ci NOT NULL, b INT NOT NULL, still TINYINT NOT NULL, PRIMARY KEY (a DESC, b)); \
         SET SESSION cte_max_recursion_depth = 10000; \
         INSERT INTO t WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3999) SELECT CONCAT('K', i DIV 40), i, i MOD 2 FROM n;",
    );
    let mut rng = Rng::with_seed(seed("a scan beside changes"));
    let mut session = session(&server);
    let scan = scan(&mut session, ROWS, "t");
    let ended = AtomicBool::new(false);
    thread::scope(|threads| {
        let (ended, server) = (&ended, &server);
        let mut of_writer = rng.fork();
        threads.spawn(move || {
            let mut session = bulk_load::session(server);
            while !ended.load(Ordering::Relaxed) {
                let (group, number) = (of_writer.u32(0..100), of_writer.u32(0..4000) & !1);
                let sql = match of_writer.u8(0..4) {
                    0 => format!("INSERT IGNORE INTO {ROWS}.t VALUES ('k{group}', {number}, 0)"),
                    1 => format!(
                        "DELETE FROM {ROWS}.t WHERE a = 'k{group}' AND still = 0 AND b < {number}"
                    ),
                    2 => format!(
                        "UPDATE IGNORE {ROWS}.t SET a = 'k{}' WHERE a = 'k{group}' AND still = 0",
                        of_writer.u32(0..100)
                    ),
                    _ => format!(
                        "UPDATE IGNORE {ROWS}.t SET b = -b WHERE b = {number} AND still = 0"
                    ),
                };
                block_on(session.exec(sql.as_bytes())).expect("a change");
            }
        });
        for rows in [7, 40, 300, 1] {
            let mut still: Vec<i32> = Vec::new();
            for image in read(&scan, &mut session, rows) {
                // The last byte is `still`, and `b` is before it.
                let at = image.len() - 5;
                if image[at + 4] == 1 {
                    still.push(i32::from_le_bytes(
                        image[at..at + 4].try_into().expect("four"),
                    ));
                }
            }
            still.sort_unstable();
            let all: Vec<i32> = (0..4000).filter(|n| n % 2 == 1).collect();
            assert!(still == all, "by {rows}: {} rows", still.len());
        }
        ended.store(true, Ordering::Relaxed);
    });
}

/// Values of 17, 40 and 60 MiB and a document of 30 MiB, read by chunks: byte for byte what the log has.
#[test]
fn large_values() {
    let server =
        datain_throwaway_servers::Server::builder(datain_throwaway_servers::Flavor::Mysql97)
            .relaxed()
            .option("max_allowed_packet=256M")
            .option("binlog_row_metadata=FULL")
            .start()
            .expect("a server");
    made(
        &server,
        "CREATE TABLE b (id INT PRIMARY KEY, b LONGBLOB); CREATE TABLE j (id INT PRIMARY KEY, j JSON)",
    );
    let mut rows: Vec<String> = [17, 40, 60]
        .iter()
        .map(|mib| format!("INSERT INTO b VALUES ({mib}, REPEAT(X'00FF0A5C', {mib} << 18))"))
        .collect();
    rows.push("INSERT INTO j SELECT 1, CAST(CONCAT('[', REPEAT('{\"a\": 1, \"bb\": [1.5, \"x\"]},', 700000), REPEAT('\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\",', 100000), '1]') AS JSON)".to_owned());
    let batches = bulk_load::fill(&server, ROWS, &rows);
    equal(&server, &batches, &[1, 10]);
}

/// A chunk ends with the row that reaches its bytes. A little more than that is read and thrown away; where it is much, the session is given up.
#[test]
fn a_chunk_ends_with_its_bytes() {
    let server = server();
    made(&server, "CREATE TABLE t (id INT PRIMARY KEY, b BLOB)");
    let rows: Vec<String> = (0..100)
        .map(|id| format!("({id}, REPEAT('x', 10000))"))
        .collect();
    bulk_load::fill(
        &server,
        ROWS,
        &[format!("INSERT INTO t VALUES {}", rows.join(","))],
    );
    let mut of_test = session(&server);
    let scan = scan(&mut of_test, ROWS, "t");
    let limits = |rows| ChunkLimits {
        rows,
        bytes: 50_000,
    };
    let (rows, end) = chunk(&scan, &mut of_test, None, limits(7), Reading::Consistent);
    assert_eq!(rows.len(), 5);
    assert!(!end.session_is_spent && !end.is_last);
    let (rows, next) = chunk(
        &scan,
        &mut of_test,
        end.last_key.as_deref(),
        limits(95),
        Reading::Consistent,
    );
    assert_eq!(rows.len(), 5);
    assert!(next.session_is_spent && !next.is_last);
    let (rows, end) = chunk(
        &scan,
        &mut session(&server),
        next.last_key.as_deref(),
        limits(5),
        Reading::Consistent,
    );
    // The result ends where the bytes do: nothing was thrown away, and nothing is known of what follows.
    assert_eq!(rows.len(), 5);
    assert!(!end.session_is_spent && !end.is_last);
    // A row has its place, however large it is.
    let small = ChunkLimits { rows: 3, bytes: 1 };
    let (rows, end) = chunk(
        &scan,
        &mut session(&server),
        end.last_key.as_deref(),
        small,
        Reading::Consistent,
    );
    assert_eq!(rows.len(), 1);
    assert!(end.session_is_spent);
}

/// Prefix keys, tables without a key, unique keys in place of a primary one, invisible keys and columns, computed columns, partitions: each row once, as the log has it.
#[test]
fn tables_of_all_sorts() {
    let server = server();
    made(
        &server,
        "CREATE TABLE of_prefix (b BLOB NOT NULL, c VARCHAR(30) NOT NULL, n INT, PRIMARY KEY (b(2), c(3)));
         CREATE TABLE of_other (b BLOB NOT NULL, n INT NOT NULL, PRIMARY KEY (b(2)), UNIQUE KEY u (n DESC));
         CREATE TABLE without (a INT, b INT NOT NULL, UNIQUE KEY (a), KEY (b));
         CREATE TABLE of_unique (a INT NOT NULL, b INT NOT NULL, c INT, UNIQUE KEY z (a), UNIQUE KEY y (b), UNIQUE KEY x (c));
         CREATE TABLE of_visible (a INT NOT NULL, b INT NOT NULL PRIMARY KEY, UNIQUE KEY z (a) INVISIBLE);
         CREATE TABLE of_expression (a INT NOT NULL, b INT NOT NULL, UNIQUE KEY z ((a + 1)), UNIQUE KEY b (b, a));
         CREATE TABLE computed (a INT, s INT AS (a * 2) STORED NOT NULL PRIMARY KEY, v VARCHAR(20) AS (CONCAT('x', a)) VIRTUAL, w INT INVISIBLE, j JSON AS (JSON_ARRAY(a, v)) VIRTUAL,
            KEY (v), KEY ((a + 1)));
         CREATE TABLE parts (a INT NOT NULL, b INT NOT NULL, v INT, PRIMARY KEY (a, b)) PARTITION BY HASH (b) PARTITIONS 5;
         CREATE TABLE ranged (a INT NOT NULL, b INT NOT NULL, v INT, PRIMARY KEY (b DESC, a)) PARTITION BY RANGE (a) (PARTITION p VALUES LESS THAN (3), PARTITION q VALUES LESS THAN MAXVALUE);
         CREATE TABLE zeros (f FLOAT, c VARCHAR(9), v INT, PRIMARY KEY (f, c DESC)) PARTITION BY KEY (f) PARTITIONS 7;
         CREATE TABLE emptied (a INT PRIMARY KEY);
         CREATE TABLE many (a INT PRIMARY KEY) COMMENT 'it''s';
         SET SESSION sql_generate_invisible_primary_key = 1;
         CREATE TABLE numbered (a INT);
         CREATE VIEW seen AS SELECT * FROM many;
         CREATE TABLE `odd``t\\'x` (`a``\\'b` INT PRIMARY KEY);",
    );
    let rows = [
        "INSERT INTO of_prefix VALUES ('ab', 'abcd', 1), ('abc', 'abd', 2), ('a', '', 3), ('', '', 4), (X'00', 'a', 5), (X'0000', 'a', 6)",
        "INSERT INTO of_other VALUES ('a', 1), ('b', 3), ('c', 2), ('d', -7)",
        "INSERT INTO without VALUES (1, 1), (NULL, 1), (NULL, 1), (NULL, 2), (2, 2)",
        "INSERT INTO of_unique VALUES (1, 5, NULL), (2, 4, NULL), (3, 3, 1), (-1, 0, 2)",
        "INSERT INTO of_visible VALUES (1, 2), (2, 1), (3, 0)",
        "INSERT INTO of_expression VALUES (1, 2), (2, 1), (3, 1)",
        "INSERT INTO computed (a, w) VALUES (1, 2), (2, NULL), (-3, 4)",
        "INSERT INTO parts VALUES (1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 7, 4), (0, 9, 5), (7, 0, 6)",
        "INSERT INTO ranged VALUES (1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 7, 4), (0, 9, 5), (7, 0, 6), (8, 0, 7)",
        "INSERT INTO zeros VALUES (0e0, 'a', 1), (-0e0, 'b', 1), (1.5, 'c', 1), (0e0, 'd', 2), (-0e0, 'e', 2), (-0e0, 'f', 3), (0e0, 'g', 3)",
        "INSERT INTO many VALUES (1), (2), (3), (4), (5), (6), (7), (8)",
        "INSERT INTO numbered VALUES (1), (1), (NULL)",
        "INSERT INTO `odd``t\\'x` VALUES (1), (2)",
    ]
    .map(str::to_owned);
    let batches = bulk_load::fill(&server, ROWS, &rows);
    equal(&server, &batches, &[1, 2, 3, 1000]);

    let mut session = session(&server);
    let mut key_of = |name: &str| {
        let scan = scan(&mut session, ROWS, name);
        scan.table().scan_key.as_ref().map(|key| key.index.clone())
    };
    let index = |name: &str| Some(name.to_owned());
    assert_eq!(key_of("of_prefix"), None);
    assert_eq!(key_of("of_other"), index("u"));
    assert_eq!(key_of("without"), None);
    assert_eq!(key_of("of_unique"), index("z"));
    assert_eq!(key_of("of_visible"), index("PRIMARY"));
    assert_eq!(key_of("of_expression"), index("b"));
    assert_eq!(key_of("numbered"), index("PRIMARY"));

    let empty = scan(&mut session, ROWS, "emptied");
    assert!(read(&empty, &mut session, 3).is_empty());
    let missing = block_on(TableDefinition::ask(&mut session, ROWS, "missing"));
    assert_eq!(missing.expect("an answer"), None);

    let filter =
        TableFilter::new(&[format!("{ROWS}.*")], &[format!("{ROWS}.of%")]).expect("a filter");
    let listed = block_on(tables(&mut session, &filter)).expect("tables");
    let names: Vec<&str> = listed.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "computed",
            "emptied",
            "many",
            "numbered",
            "odd`t\\'x",
            "parts",
            "ranged",
            "without",
            "zeros"
        ]
    );
    assert!(
        listed
            .iter()
            .all(|t| t.schema == ROWS && t.engine == "InnoDB")
    );
    let many = listed
        .iter()
        .find(|t| t.name == "many")
        .expect("it is there");
    assert!((1..100).contains(&many.estimated_rows) && many.data_bytes > 0);
}

/// A source whose sessions pad CHAR, have another time zone and cut results, texts and time: rows are read as the log has them.
#[test]
fn settings_of_the_server_change_nothing() {
    let server = server();
    made(
        &server,
        "CREATE TABLE t (c CHAR(9) NOT NULL PRIMARY KEY, ts TIMESTAMP NULL, j JSON, d DATE, x INT NOT NULL)",
    );
    let rows = ["INSERT INTO t VALUES ('a', '2021-03-28 02:30:00', _utf8mb4'{\"a\": [1, 2, 3, 4.5], \"b\": \"x\"}', '0000-00-00', 1), \
         ('b', '2021-10-31 00:30:00', _utf8mb4'[1, 2, 3]', '2021-02-31', 2), ('it''s \\\\', NULL, NULL, NULL, 3), ('d', NULL, NULL, NULL, 4)"]
    .map(str::to_owned);
    let batches = bulk_load::fill(&server, ROWS, &rows);
    server
        .sql(
            "SET GLOBAL sql_mode = 'PAD_CHAR_TO_FULL_LENGTH,ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,HIGH_NOT_PRECEDENCE,NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_ALL_TABLES,IGNORE_SPACE'; \
             SET GLOBAL time_zone = '+05:30'; SET GLOBAL sql_select_limit = 2; SET GLOBAL max_execution_time = 1; SET GLOBAL group_concat_max_len = 4; SET GLOBAL max_join_size = 1; \
             SET GLOBAL autocommit = 0; SET GLOBAL show_gipk_in_create_table_and_information_schema = OFF; SET GLOBAL net_write_timeout = 1; SET GLOBAL transaction_isolation = 'SERIALIZABLE'",
        )
        .expect("settings");
    equal(&server, &batches, &[1, 3, 1000]);
    server
        .sql("SET GLOBAL sql_mode = DEFAULT; SET GLOBAL sql_select_limit = DEFAULT")
        .expect("settings");
}

/// A locking read waits for a transaction that is not committed; another one reads what was before it.
#[test]
fn a_locking_read_waits() {
    let server = server();
    made(
        &server,
        "CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2)",
    );
    let mut writer = bulk_load::session(&server);
    let mut session = session(&server);
    let scan = scan(&mut session, ROWS, "t");
    let limits = ChunkLimits {
        rows: 10,
        bytes: 1000,
    };
    block_on(async {
        session
            .exec(b"SET SESSION innodb_lock_wait_timeout = 1")
            .await?;
        writer.exec(format!("USE {ROWS}").as_bytes()).await?;
        writer.exec(b"BEGIN").await?;
        writer.exec(b"UPDATE t SET v = 7 WHERE id = 2").await
    })
    .expect("a change");
    let (before, _) = chunk(&scan, &mut session, None, limits, Reading::Consistent);
    let error = block_on(async {
        let mut chunk = scan
            .open(&mut session, None, limits, Reading::Locking)
            .await?;
        while chunk.next_row(&mut session, &mut Vec::new()).await? {}
        Ok::<_, datain_contract::types::Error>(())
    })
    .expect_err("it waits");
    assert_eq!(error.server_errno, Some(1205), "{error:?}");
    block_on(writer.exec(b"COMMIT")).expect("a commit");
    let (after, _) = chunk(&scan, &mut session, None, limits, Reading::Locking);
    assert_ne!(before, after);
}

/// What cannot be gone on from or read is an error that says so, and names the table.
#[test]
fn errors() {
    let server = server();
    made(
        &server,
        "CREATE TABLE t (k VARCHAR(9) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY, v INT); CREATE TABLE u (k INT PRIMARY KEY); INSERT INTO t VALUES ('a', 1); INSERT INTO u VALUES (1)",
    );
    let mut session = session(&server);
    let limits = ChunkLimits {
        rows: 10,
        bytes: 1000,
    };
    let of_text = scan(&mut session, ROWS, "t");
    let of_number = scan(&mut session, ROWS, "u");
    let (_, end) = chunk(&of_text, &mut session, None, limits, Reading::Consistent);
    let key = end.last_key.expect("a row");
    assert_eq!(key, [1, 1, 16, 0, 1, 0, 0, 0, b'a'], "as it is documented");
    let mut refused = |scan: &TableScan, key: &[u8], code: &str| {
        let opened = block_on(scan.open(&mut session, Some(key), limits, Reading::Consistent));
        let error = opened.expect_err(code);
        assert_eq!(error.code, code);
        assert_eq!(error.table, Some(format!("{ROWS}.{}", scan.table().name)));
    };
    refused(&of_number, &key, "snapshot.key-foreign");
    for cut in 0..key.len() {
        refused(&of_text, &key[..cut], "snapshot.key-foreign");
    }
    refused(
        &of_text,
        &[2, 1, 16, 0, 1, 0, 0, 0, b'a'],
        "snapshot.key-foreign",
    );
    refused(&of_text, &[1, 1, 16, 1], "snapshot.key-foreign");
    refused(
        &of_text,
        &[1, 1, 16, 0, 1, 0, 0, 0, 0xff],
        "snapshot.key-unwritable",
    );

    server
        .sql(&format!(
            "ALTER TABLE {ROWS}.t MODIFY v VARCHAR(9); UPDATE {ROWS}.t SET v = 'x'"
        ))
        .expect("another type");
    let error = block_on(async {
        let mut chunk = of_text
            .open(&mut session, None, limits, Reading::Consistent)
            .await?;
        chunk.next_row(&mut session, &mut Vec::new()).await
    })
    .expect_err("no number");
    assert_eq!(error.code, "snapshot.value-unreadable");
    assert!(error.message.contains("`v`"), "{error:?}");
    assert_eq!(error.table, Some(format!("{ROWS}.t")));
}
