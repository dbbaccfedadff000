//! Statements that change the tables: rows in and out, keys moved, parents that go and come again, checks switched off.

use super::tables::pairs;
use crate::load::{Group, Load};

/// Sessions that run them.
#[must_use]
pub fn load(sessions: u64, transactions: u32) -> Load {
    let sql = str::to_owned;
    Load {
        groups: groups(),
        sessions,
        transactions,
        settings: vec![sql("SET SESSION foreign_key_checks = 0")],
        between: vec![sql(
            "SET SESSION foreign_key_checks = 1 - @@foreign_key_checks",
        )],
        // MySQL 9.7.4 leaves the cascades of a statement that failed in the log, if its transaction is committed, so that its own replicas stop with errno 1032.
        gives_up: true,
        reset: sql("SET SESSION foreign_key_checks = 1"),
    }
}

fn groups() -> Vec<Group> {
    let mut groups: Vec<Group> = pairs()
        .map(|(parent, child)| pair(&parent, &child))
        .collect();
    // Often, since there are many pairs.
    for group in [TWO_STEPS, DIAMOND, COMPOSITE, LETTERS, CHAIN, THEMSELVES] {
        for _ in 0..5 {
            groups.push(group.iter().map(|sql| (*sql).to_owned()).collect());
        }
    }
    groups
}

/// A DELETE of parent and child in one statement is not among them: MySQL logs a child's row after its parent's although the cascade has taken it (and, where
/// cascades are logged, a second time), so that its own replicas stop with errno 1032, as this does with `row.missing`.
fn pair(parent: &str, child: &str) -> Group {
    [
        "INSERT INTO {p} VALUES (?, 'new')",
        "INSERT IGNORE INTO {p} VALUES (?, 'some'), (?, 'some'), (?, 'some')",
        "INSERT INTO {c} (p, note) VALUES (?, '$')",
        "INSERT INTO {c} (p, note) VALUES (?, 'x'), (?, 'y')",
        "INSERT INTO {c} (p, note) SELECT id, 'of each' FROM {p}",
        "UPDATE {p} SET id = ? WHERE id = ?",
        "UPDATE {p} SET id = id + 20 WHERE id < ? ORDER BY id DESC",
        "UPDATE {p} SET id = id - 20 WHERE id > 20",
        "UPDATE {p} SET note = '$' WHERE id = ?",
        "DELETE FROM {p} WHERE id = ?",
        "DELETE FROM {p} WHERE id > ?",
        "DELETE FROM {p} WHERE id NOT IN (SELECT p FROM {c} WHERE p IS NOT NULL)",
        "REPLACE INTO {p} VALUES (?, 'again')",
        "INSERT INTO {p} VALUES (?, 'o') ON DUPLICATE KEY UPDATE note = '$'",
        "UPDATE {c} SET p = ? WHERE p = ? LIMIT 2",
        "UPDATE {c} SET note = '$' WHERE p = ?",
        "UPDATE {c} SET id = id + 1000 WHERE p = ? ORDER BY id DESC LIMIT 1",
        "DELETE FROM {c} WHERE p = ? LIMIT 2",
        "DELETE FROM {c} WHERE p IS NULL",
    ]
    .iter()
    .map(|sql| sql.replace("{p}", parent).replace("{c}", child))
    .collect()
}

const TWO_STEPS: &[&str] = &[
    "INSERT IGNORE INTO fk.top VALUES (?, '$'), (?, '$'), (?, '$')",
    "INSERT INTO `fk other`.middle (p) VALUES (?)",
    "INSERT INTO `fk other`.middle (p) SELECT id FROM fk.top",
    "INSERT INTO fk.bottom (p, m) SELECT p, id FROM `fk other`.middle WHERE p > ?",
    "INSERT INTO fk.bottom (p, m) SELECT p, id FROM `fk other`.middle",
    "INSERT INTO fk.by_unique (p) VALUES (?), (?)",
    "UPDATE fk.top SET id = id + 20 WHERE id < ? ORDER BY id DESC",
    "UPDATE fk.top SET id = id - 20 WHERE id > 20",
    "UPDATE `fk other`.middle SET id = id + 1000 WHERE p = ? ORDER BY id DESC",
    "UPDATE fk.by_unique SET p = ? WHERE p = ?",
    "DELETE FROM fk.top WHERE id = ?",
    "DELETE FROM fk.top WHERE id > ?",
    "DELETE FROM `fk other`.middle WHERE p = ?",
    "REPLACE INTO fk.top VALUES (?, 'again')",
];

const DIAMOND: &[&str] = &[
    "INSERT IGNORE INTO fk.roof VALUES (?), (?), (?)",
    "INSERT INTO fk.wall (p) VALUES (?)",
    "INSERT INTO fk.wall (p) SELECT id FROM fk.roof",
    "INSERT INTO fk.floor (p, w) SELECT ?, id FROM fk.wall LIMIT 3",
    "INSERT INTO fk.twice (p, q) VALUES (?, ?), (?, NULL)",
    "INSERT INTO fk.computed (raw) VALUES (? + 100), (?)",
    "UPDATE fk.computed SET raw = raw + 100 WHERE p = ?",
    "UPDATE fk.roof SET id = ? WHERE id = ?",
    "DELETE FROM fk.roof WHERE id = ?",
    "DELETE FROM fk.roof WHERE id > ?",
    "DELETE FROM fk.wall WHERE p = ?",
    "REPLACE INTO fk.roof VALUES (?)",
];

const COMPOSITE: &[&str] = &[
    "INSERT IGNORE INTO fk.pair VALUES (?, '$', 1), (?, '$', 2)",
    "INSERT INTO fk.of_pair (a, b) VALUES (?, '$'), (NULL, '$'), (?, NULL)",
    "INSERT INTO fk.of_pair (a, b) SELECT a, b FROM fk.pair",
    "INSERT IGNORE INTO fk.in_pair SELECT a, b, ? FROM fk.pair",
    "UPDATE fk.pair SET b = '$' WHERE a = ? LIMIT 1",
    "UPDATE fk.pair SET a = ? WHERE b = '$' LIMIT 1",
    "UPDATE fk.pair SET note = ? WHERE a = ?",
    "DELETE FROM fk.pair WHERE a = ?",
    "DELETE FROM fk.pair WHERE b = '$' LIMIT 2",
    "UPDATE fk.in_pair SET n = n + 20 WHERE a = ? ORDER BY n DESC",
];

const LETTERS: &[&str] = &[
    "INSERT IGNORE INTO fk.word VALUES (?, '$'), (?, UPPER('$'))",
    "INSERT INTO fk.of_word (code) VALUES ('$'), (UPPER('$')), (NULL)",
    // The same by the collation, other bytes.
    "UPDATE fk.word SET code = UPPER(code) WHERE code = '$'",
    "UPDATE fk.word SET code = LOWER(code)",
    "UPDATE fk.word SET code = '$' WHERE id = ?",
    "UPDATE fk.of_word SET code = UPPER(code) WHERE code = '$'",
    "DELETE FROM fk.word WHERE code = '$'",
    "REPLACE INTO fk.word VALUES (?, '$')",
];

const CHAIN: &[&str] = &[
    "INSERT IGNORE INTO fk_deep.a VALUES (?), (?)",
    "INSERT IGNORE INTO fk_deep.b SELECT k, ? FROM fk_deep.a",
    "INSERT IGNORE INTO fk_deep.c SELECT k, n, ? FROM fk_deep.b",
    "INSERT IGNORE INTO fk_deep.d SELECT k, n, m, ? FROM fk_deep.c",
    "UPDATE fk_deep.a SET k = k + 20 WHERE k < ? ORDER BY k DESC",
    "UPDATE fk_deep.a SET k = k - 20 WHERE k > 20",
    "UPDATE fk_deep.b SET n = n + 20 WHERE k = ? ORDER BY n DESC",
    "DELETE FROM fk_deep.a WHERE k = ?",
    "DELETE FROM fk_deep.b WHERE n = ?",
    "DELETE FROM fk_deep.c WHERE m > ?",
];

const THEMSELVES: &[&str] = &[
    "INSERT IGNORE INTO fk_deep.tree VALUES (?, NULL)",
    "INSERT INTO fk_deep.tree VALUES (? + 12, ?)",
    "INSERT INTO fk_deep.tree VALUES (? + 24, ? + 12)",
    "INSERT INTO fk_deep.tree VALUES (? + 36, ? + 24), (? + 48, ? + 36)",
    "UPDATE fk_deep.tree SET up = NULL WHERE id = ?",
    "DELETE FROM fk_deep.tree WHERE id = ?",
    "DELETE FROM fk_deep.tree WHERE id > ? ORDER BY id",
    "INSERT IGNORE INTO fk_deep.list VALUES (?, NULL), (? + 12, ?), (? + 24, ? + 12)",
    "DELETE FROM fk_deep.list WHERE id > ?",
    "UPDATE fk_deep.list SET id = id + 100 WHERE id = ?",
    "INSERT IGNORE INTO fk_deep.strict VALUES (?, NULL), (? + 12, ?), (? + 24, ? + 12)",
    "DELETE FROM fk_deep.strict WHERE id > ? ORDER BY id DESC",
];
