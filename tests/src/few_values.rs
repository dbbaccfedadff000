//! Rows that take, give up and take again a few values of unique keys, each in a transaction of its own: whatever is written before what is older meets it.

use crate::load::Load;

/// The schema that the tables are in.
pub const SCHEMA: &str = "few";

/// Makes the schema and the tables. Values are told apart in all of them, so that groups are written at the same time.
pub const CREATE: &str = "
CREATE DATABASE few; USE few;
CREATE TABLE one (k INT PRIMARY KEY, v INT);
CREATE TABLE two (k INT PRIMARY KEY, u INT UNIQUE, v INT);
CREATE TABLE letters (k VARCHAR(9) COLLATE utf8mb4_bin PRIMARY KEY, v INT);
CREATE TABLE many (k INT AUTO_INCREMENT PRIMARY KEY, v INT);
";

/// Three sessions, each with so many transactions.
#[must_use]
pub fn load(transactions: u32) -> Load {
    let groups = [ONE, TWO, LETTERS, MANY];
    let group = |group: &[&str]| group.iter().map(|sql| (*sql).to_owned()).collect();
    Load {
        groups: groups.into_iter().map(group).collect(),
        sessions: 3,
        transactions,
        settings: vec!["SET SESSION binlog_row_image = 'NOBLOB'".to_owned()],
        between: vec!["DO 0".to_owned()],
        gives_up: false,
        reset: "SET SESSION binlog_row_image = 'FULL'".to_owned(),
    }
}

const ONE: &[&str] = &[
    "INSERT IGNORE INTO few.one VALUES (?, ?)",
    "DELETE FROM few.one WHERE k = ?",
    "UPDATE IGNORE few.one SET k = ? WHERE k = ?",
    "UPDATE few.one SET v = v + 1 WHERE k = ?",
];

const TWO: &[&str] = &[
    "INSERT IGNORE INTO few.two VALUES (?, ?, ?)",
    "INSERT IGNORE INTO few.two VALUES (100 + ?, ?, ?)",
    "UPDATE IGNORE few.two SET u = ? WHERE k = ?",
    "UPDATE few.two SET u = NULL WHERE k = ?",
    "DELETE FROM few.two WHERE u = ?",
    "DELETE FROM few.two WHERE k > 100",
];

const LETTERS: &[&str] = &[
    "INSERT IGNORE INTO few.letters VALUES (CONCAT('k', ?), ?)",
    "UPDATE IGNORE few.letters SET k = CONCAT('k', ?) WHERE k = CONCAT('k', ?)",
    "DELETE FROM few.letters WHERE k = CONCAT('k', ?)",
];

/// Those that are in nobody's way.
const MANY: &[&str] = &[
    "INSERT INTO few.many (v) VALUES (?)",
    "UPDATE few.many SET v = v + 1 WHERE k = ? * 7",
];
