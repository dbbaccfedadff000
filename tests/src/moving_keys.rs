//! Changes of a few keys that get into each other's way: the tables, and a load of statements that change them.
//!
//! The rows are few and the sessions several, so that each group of the applier holds many changes of the same keys: rows that come, go and come again, values of
//! unique keys that wander between rows, keys that differ in bytes and are the same to the server.

use crate::load::{Group, Load};

/// The schema that the tables are in.
pub const SCHEMA: &str = "net";

/// Makes the schema and the tables.
pub const CREATE: &str = "
CREATE DATABASE net; USE net;
-- Three unique keys, one of them over letters, one that may be NULL.
CREATE TABLE keys_ (id INT PRIMARY KEY, a INT NOT NULL UNIQUE, b VARCHAR(9) COLLATE utf8mb4_0900_ai_ci UNIQUE, c INT, d INT, UNIQUE KEY (c, d), v VARCHAR(20));
-- Keys that compare by letters, and with trailing spaces.
CREATE TABLE letters (k VARCHAR(9) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, v INT);
CREATE TABLE padded (k VARCHAR(9) COLLATE utf8mb4_general_ci, n INT, v INT, PRIMARY KEY (k, n));
CREATE TABLE prefix_ (k VARCHAR(9) CHARACTER SET latin1, v INT, PRIMARY KEY (k(1)));
-- What is unique is computed.
CREATE TABLE computed (id INT PRIMARY KEY, raw INT, m INT AS (raw % 10) STORED UNIQUE, v INT, s INT AS (v + 1) VIRTUAL, KEY (s));
CREATE TABLE expression (id INT PRIMARY KEY, raw INT, v INT, UNIQUE KEY ((raw % 10)));
-- The key is computed.
CREATE TABLE computed_key (raw INT, k INT AS (raw % 10) STORED PRIMARY KEY, v INT);
-- No primary key.
CREATE TABLE no_primary (x INT NOT NULL, y INT NOT NULL, v INT, UNIQUE KEY (x), UNIQUE KEY (y));
-- Integers of other widths, at their limits.
CREATE TABLE wide (k BIGINT UNSIGNED PRIMARY KEY, n BIGINT, u BIGINT UNSIGNED, t TINYINT, m MEDIUMINT UNSIGNED);
-- Values that are written in ways of their own.
CREATE TABLE kinds (id INT PRIMARY KEY, f FLOAT, d DOUBLE, n DECIMAL(30, 10), j JSON, b BIT(64), s SET('x', 'y', 'z'), e ENUM('x', 'y', 'z'), y YEAR, t TIME(3),
    dt DATETIME(6), ts TIMESTAMP(2) NULL, bin BINARY(4), vb VARBINARY(20), tx TEXT, bl BLOB, l1 VARCHAR(9) CHARACTER SET latin1, gb VARCHAR(9) CHARACTER SET gbk,
    g POINT, changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6));
CREATE TABLE defaults (id INT AUTO_INCREMENT PRIMARY KEY, a INT DEFAULT 3, b VARCHAR(9) DEFAULT 'x', c INT NOT NULL DEFAULT 9, d DATE DEFAULT (CURRENT_DATE), v INT, UNIQUE KEY (v));
";

/// Three sessions, each with so many transactions, in row images of all kinds.
#[must_use]
pub fn load(transactions: u32) -> Load {
    Load {
        groups: groups(),
        sessions: 3,
        transactions,
        settings: [
            "SET SESSION binlog_row_image = 'MINIMAL'",
            "SET SESSION binlog_row_image = 'NOBLOB'",
            "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
            "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'",
        ]
        .map(str::to_owned)
        .to_vec(),
        between: vec!["SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'".to_owned()],
        gives_up: false,
        reset: "SET SESSION binlog_row_image = 'FULL', SESSION binlog_row_value_options = '', SESSION sql_mode = DEFAULT".to_owned(),
    }
}

/// Statements by table.
fn groups() -> Vec<Group> {
    let all: &[&[&str]] = &[
        KEYS, KEYS, LETTERS, PADDED, COMPUTED, NO_PRIMARY, WIDE, KINDS, KINDS, DEFAULTS,
    ];
    all.iter()
        .map(|group| group.iter().map(|sql| (*sql).to_owned()).collect())
        .collect()
}

const KEYS: &[&str] = &[
    "INSERT IGNORE INTO net.keys_ VALUES (?, ?, '$', ?, ?, '$')",
    "INSERT IGNORE INTO net.keys_ VALUES (?, ?, NULL, NULL, ?, 'n'), (?, ?, '$', ?, NULL, 'm'), (?, ?, NULL, ?, ?, 'o')",
    "REPLACE INTO net.keys_ VALUES (?, ?, '$', ?, ?, 'again')",
    "INSERT INTO net.keys_ VALUES (?, ?, '$', ?, ?, 'new') ON DUPLICATE KEY UPDATE v = CONCAT(v, '$'), a = a + 100",
    "UPDATE net.keys_ SET v = '$' WHERE id = ?",
    "UPDATE net.keys_ SET v = '$'",
    "UPDATE net.keys_ SET a = a + 1 ORDER BY a DESC",
    "UPDATE net.keys_ SET a = a - 1 ORDER BY a",
    "UPDATE net.keys_ SET id = id + 1 ORDER BY id DESC",
    "UPDATE net.keys_ SET id = id - 1, v = '$' ORDER BY id",
    "UPDATE net.keys_ SET id = 12 - id WHERE id IN (?, 12)",
    "UPDATE IGNORE net.keys_ SET b = '$' WHERE id < ?",
    "UPDATE net.keys_ SET b = NULL WHERE a = ?",
    "UPDATE net.keys_ SET b = UPPER(b)",
    "UPDATE IGNORE net.keys_ SET c = ?, d = ? WHERE id = ?",
    "UPDATE net.keys_ SET d = d + 1 WHERE c = ? ORDER BY d DESC",
    // The two exchange the value, over another one.
    "UPDATE net.keys_ x JOIN net.keys_ y ON x.id = ? AND y.id = ? SET x.v = y.v, y.v = x.v",
    "UPDATE net.keys_ SET a = -a WHERE a IN (?, ?)",
    "UPDATE IGNORE net.keys_ SET a = ? WHERE a < 0 LIMIT 1",
    "DELETE FROM net.keys_ WHERE id = ?",
    "DELETE FROM net.keys_ WHERE a = ?",
    "DELETE FROM net.keys_ WHERE b = '$'",
];

const LETTERS: &[&str] = &[
    "INSERT IGNORE INTO net.letters VALUES ('$', ?), (UPPER('$'), ?)",
    "REPLACE INTO net.letters VALUES ('$', ?)",
    "UPDATE net.letters SET k = UPPER(k)",
    "UPDATE net.letters SET k = LOWER(k) WHERE k = '$'",
    "UPDATE IGNORE net.letters SET k = '$' WHERE k = '$'",
    "UPDATE net.letters SET v = v + ?",
    "UPDATE net.letters SET v = ? WHERE k = '$'",
    "DELETE FROM net.letters WHERE k = '$'",
    "INSERT IGNORE INTO net.prefix_ VALUES (CONCAT('$', ?), ?)",
    "UPDATE net.prefix_ SET k = CONCAT(k, 'x') WHERE v < ? AND LENGTH(k) < 8",
    "UPDATE net.prefix_ SET v = v + 1",
    "DELETE FROM net.prefix_ WHERE v > ?",
];

const PADDED: &[&str] = &[
    "INSERT IGNORE INTO net.padded VALUES ('$', ?, ?), ('$ ', ?, ?)",
    "UPDATE net.padded SET k = CONCAT(k, ' ') WHERE n = ? AND LENGTH(k) < 5",
    "UPDATE net.padded SET k = TRIM(k)",
    "UPDATE net.padded SET n = n + 1 ORDER BY n DESC",
    "UPDATE net.padded SET n = n - 1 ORDER BY n",
    "UPDATE net.padded SET v = v + 1 WHERE k = '$'",
    "DELETE FROM net.padded WHERE k = '$' LIMIT 2",
    "REPLACE INTO net.padded VALUES ('$', ?, ?)",
];

const COMPUTED: &[&str] = &[
    "INSERT IGNORE INTO net.computed (id, raw, v) VALUES (?, ?, ?)",
    "UPDATE IGNORE net.computed SET raw = raw + ? WHERE id = ?",
    "UPDATE net.computed SET raw = raw + 10, v = ?",
    "UPDATE net.computed SET id = id + 1 ORDER BY id DESC",
    "UPDATE net.computed SET v = v + 1 WHERE id < ?",
    "DELETE FROM net.computed WHERE m = ?",
    "REPLACE INTO net.computed (id, raw) VALUES (?, ?)",
    "INSERT IGNORE INTO net.expression VALUES (?, ?, ?)",
    "UPDATE IGNORE net.expression SET raw = raw + ? WHERE id = ?",
    "UPDATE net.expression SET raw = raw + 10",
    "UPDATE net.expression SET v = ? WHERE id > ?",
    "DELETE FROM net.expression WHERE id = ?",
    "REPLACE INTO net.expression VALUES (?, ?, ?)",
    "INSERT IGNORE INTO net.computed_key (raw, v) VALUES (?, ?), (?, ?)",
    "UPDATE IGNORE net.computed_key SET raw = raw + 1 WHERE v < ?",
    "UPDATE net.computed_key SET raw = raw + 10",
    "UPDATE net.computed_key SET v = ? WHERE k = ?",
    "DELETE FROM net.computed_key WHERE k = ?",
];

const NO_PRIMARY: &[&str] = &[
    "INSERT IGNORE INTO net.no_primary VALUES (?, ?, ?), (?, ?, ?)",
    "UPDATE net.no_primary SET x = x + 1 ORDER BY x DESC",
    "UPDATE net.no_primary SET y = y - 1 ORDER BY y",
    "UPDATE net.no_primary SET y = y + 1 ORDER BY y DESC",
    "UPDATE net.no_primary SET v = v + 1",
    "UPDATE net.no_primary SET v = ? WHERE x = ?",
    "DELETE FROM net.no_primary WHERE x = ?",
    "REPLACE INTO net.no_primary VALUES (?, ?, ?)",
];

const WIDE: &[&str] = &[
    "INSERT IGNORE INTO net.wide VALUES (?, -9223372036854775808, 18446744073709551615, -128, 16777215), (18446744073709551615 - ?, 9223372036854775807, 0, 127, 0)",
    "INSERT IGNORE INTO net.wide VALUES (9223372036854775800 + ?, ?, ?, ?, ?)",
    "UPDATE net.wide SET u = 18446744073709551615 - ?",
    "UPDATE net.wide SET u = ?, n = -? WHERE k < 100 OR k > 9223372036854775810",
    "UPDATE net.wide SET n = 9223372036854775807, t = -? WHERE k > ?",
    "UPDATE net.wide SET m = NULL, t = NULL WHERE k > ?",
    "UPDATE net.wide SET m = 16777215 - ?",
    "UPDATE IGNORE net.wide SET k = 9223372036854775807 + ? WHERE k < ?",
    "DELETE FROM net.wide WHERE k = ?",
    "DELETE FROM net.wide WHERE k > 9223372036854775805 + ?",
];

const KINDS: &[&str] = &[
    "INSERT IGNORE INTO net.kinds (id) VALUES (?), (?)",
    "INSERT IGNORE INTO net.kinds (id, f, j, e, g) VALUES (?, 0.1, '{\"a\": [1, 2.0, \"$\"]}', 'y', POINT(?, 2))",
    "UPDATE net.kinds SET f = ? / 7, d = -? / 3e200 WHERE id > ?",
    "UPDATE net.kinds SET f = -0.0, d = 4.9e-324, n = ? / 9",
    "UPDATE net.kinds SET n = -12345678901234567890.0123456789 + ? WHERE id < ?",
    "UPDATE net.kinds SET n = NULL, f = NULL, y = NULL, t = NULL, dt = NULL, vb = NULL",
    "UPDATE net.kinds SET j = JSON_SET(COALESCE(j, '{}'), '$.a', ?, '$.b', CAST(? / 4 AS DECIMAL(9, 3))) WHERE id = ?",
    "UPDATE net.kinds SET j = JSON_ARRAY(?, 1.0e0, CAST('2020-01-01' AS DATE)) WHERE id > ?",
    "UPDATE net.kinds SET b = ~0 - ?, s = ? % 8",
    "UPDATE net.kinds SET s = 'x,z', e = 1 + ? % 3 WHERE id > ?",
    "UPDATE net.kinds SET e = 'nothing' WHERE id = ?",
    "UPDATE net.kinds SET y = 1900 + ?, t = SEC_TO_TIME(-? * 100000.5), dt = '2024-02-29 23:59:59.999999'",
    "UPDATE net.kinds SET y = 0, t = '838:59:58.999', ts = '2024-03-31 01:30:00.25' WHERE id > ?",
    "UPDATE net.kinds SET dt = '0000-00-00', ts = 0 WHERE id < ?",
    "UPDATE net.kinds SET dt = '2020-00-00', ts = FROM_UNIXTIME(? * 1000000.5) WHERE id > ?",
    "UPDATE net.kinds SET bin = CHAR(?, 0), vb = CHAR(0, ?, 39, 92, 255)",
    "UPDATE net.kinds SET bin = '', vb = '', tx = '', bl = '' WHERE id < ?",
    "UPDATE net.kinds SET tx = REPEAT('$', 900 * ?), bl = RANDOM_BYTES(?) WHERE id > ?",
    "UPDATE net.kinds SET l1 = 'é$', gb = '中$' WHERE id > ?",
    "UPDATE net.kinds SET g = POINT(?, -?) WHERE id > ?",
    // Only what changes by itself.
    "UPDATE net.kinds SET changed = NOW(6) WHERE id = ?",
    "UPDATE net.kinds SET id = id + 1 ORDER BY id DESC",
    "DELETE FROM net.kinds WHERE id > ?",
    "DELETE FROM net.kinds WHERE id = ?",
    "REPLACE INTO net.kinds (id, tx) VALUES (?, '$')",
];

const DEFAULTS: &[&str] = &[
    "INSERT INTO net.defaults () VALUES ()",
    "INSERT IGNORE INTO net.defaults (v) VALUES (?)",
    "INSERT IGNORE INTO net.defaults (a, v) VALUES (NULL, ?)",
    "INSERT INTO net.defaults (b) VALUES ('$')",
    "UPDATE net.defaults SET a = DEFAULT, c = ? WHERE id % 12 = ?",
    "UPDATE IGNORE net.defaults SET v = ? WHERE id % 12 = ?",
    "DELETE FROM net.defaults WHERE id % 12 = ?",
    "DELETE FROM net.defaults ORDER BY id DESC LIMIT 1",
];
