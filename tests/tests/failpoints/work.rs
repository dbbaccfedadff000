//! What the source is given to do in each round.

use std::fmt::Write as _;

/// The tables.
pub(crate) const TABLES: &str = "
CREATE DATABASE fp; USE fp;
-- What comes twice, or does not come, is a row under a number that is taken, or missing.
CREATE TABLE noted (id INT AUTO_INCREMENT PRIMARY KEY, round INT, n INT, t VARCHAR(30));
CREATE TABLE counted (id INT PRIMARY KEY, n INT NOT NULL);
CREATE TABLE moved (id INT PRIMARY KEY, place INT NOT NULL UNIQUE);
CREATE TABLE large (id INT AUTO_INCREMENT PRIMARY KEY, round INT, t VARCHAR(200));
CREATE TABLE copied (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(200));
CREATE TABLE kept (id INT AUTO_INCREMENT PRIMARY KEY);
CREATE TABLE digit (d INT PRIMARY KEY);
INSERT INTO digit VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
INSERT INTO counted SELECT d, 0 FROM digit;
INSERT INTO moved SELECT d, d FROM digit;
INSERT INTO copied (t) SELECT REPEAT('x', 200) FROM digit a, digit b, digit c, digit d;
";

/// No reader of the target may see this differ from 0: each transaction counts by one, and notes one row.
pub(crate) const HALF: &str = "SELECT (SELECT SUM(n) FROM fp.counted) - (SELECT COUNT(*) FROM fp.noted WHERE t <> 'by itself')";

/// 160 small transactions: five groups, since the source marks every 32nd one as the possible end of a group.
pub(crate) fn rows(round: u32) -> String {
    let mut sql = String::from("USE fp;");
    for n in 0..160 {
        let (one, other) = (n % 10, (n * 3 + 1) % 10);
        let _ = write!(
            sql,
            "BEGIN; UPDATE counted SET n = n + 1 WHERE id = {one}; INSERT INTO noted (round, n, t) VALUES ({round}, {n}, 'same');
             SELECT place INTO @place FROM moved WHERE id = {other}; DELETE FROM moved WHERE id = {other};
             UPDATE moved SET place = -1 - place WHERE id = {one}; INSERT INTO moved VALUES ({other}, @place); COMMIT;"
        );
    }
    // One that is a transaction by itself.
    let _ = write!(
        sql,
        "INSERT INTO noted (round, n, t) VALUES ({round}, 0, 'by itself')"
    );
    sql
}

/// The same for [`apart`]; what is newer was written after everything that is older.
pub(crate) const HALF_APART: &str = "SELECT (SELECT COUNT(*) FROM fp.noted) - (SELECT COALESCE(MAX(id), 0) FROM fp.noted) \
    + (SELECT COUNT(*) FROM fp.noted) - (SELECT COUNT(*) FROM fp.counted WHERE id > 100)";

/// The same where what is newer may be there before what is older.
pub(crate) const HALF_IN_ANY_ORDER: &str =
    "SELECT (SELECT COUNT(*) FROM fp.noted) - (SELECT COUNT(*) FROM fp.counted WHERE id > 100)";

/// The number of a round's first row in [`apart`].
pub(crate) fn first_of(round: u32) -> u32 {
    1000 * (round + 1)
}

/// 160 small transactions as [`rows`], of which no two touch the same row.
pub(crate) fn apart(round: u32) -> String {
    let mut sql = String::from("USE fp;");
    for n in 0..160 {
        let id = first_of(round) + n;
        let _ = write!(
            sql,
            "BEGIN; INSERT INTO counted VALUES ({id}, 1); INSERT INTO noted (round, n, t) VALUES ({round}, {n}, 'apart');
             INSERT INTO moved VALUES ({id}, {id}); UPDATE counted SET n = n + 1 WHERE id = {id}; COMMIT;"
        );
    }
    sql
}

/// A transaction of 5,000 rows of 200 bytes and more, between two small ones.
pub(crate) fn large(round: u32) -> String {
    let small = format!(
        "BEGIN; UPDATE counted SET n = n + 1 WHERE id = 1; INSERT INTO noted (round, n, t) VALUES ({round}, 0, 'small'); COMMIT;"
    );
    format!(
        "USE fp; {small}
         BEGIN; DELETE FROM large; UPDATE counted SET n = n + 1 WHERE id = 2; INSERT INTO noted (round, n, t) VALUES ({round}, 1, 'large');
         INSERT INTO large (round, t) SELECT {round}, CONCAT('row-', LPAD(a.d * 1000 + b.d * 100 + c.d * 10 + d.d, 5, '0'), '-', REPEAT('x', 180))
             FROM digit a, digit b, digit c, digit d WHERE a.d < 5 ORDER BY a.d, b.d, c.d, d.d; COMMIT;
         {small}"
    )
}

/// Statements, of which none can be run twice without a difference or an error, but the one that empties a table.
pub(crate) fn statements(round: u32) -> String {
    format!(
        "USE fp; CREATE TABLE made{round} (id INT AUTO_INCREMENT PRIMARY KEY, t VARCHAR(20));
         ALTER TABLE copied ADD COLUMN c{round} INT NOT NULL DEFAULT {round}, ALGORITHM = COPY;
         RENAME TABLE made{round} TO there{round};
         TRUNCATE TABLE kept; ALTER TABLE copied DROP COLUMN c{round};
         DROP TABLE there{round}; CREATE TABLE last{round} LIKE kept"
    )
}

/// A table that is made with its rows, between rows.
pub(crate) fn table_with_rows(round: u32) -> String {
    format!(
        "USE fp; CREATE TABLE `selected{round}` (d INT PRIMARY KEY) AS SELECT d, CONCAT(d, ' of the selection') AS t FROM digit;
         INSERT INTO noted (round, n, t) VALUES ({round}, 0, 'by itself')"
    )
}

/// Branches that are committed at once, later, or never, among other rows.
pub(crate) fn branches(round: u32) -> String {
    let mut sql = String::from("USE fp;");
    let branch = |sql: &mut String, name: &str, n: u32| {
        let _ = write!(
            sql,
            "XA START '{name}{round}'; UPDATE counted SET n = n + 1 WHERE id = {n}; INSERT INTO noted (round, n, t) VALUES ({round}, {n}, 'branch');
             XA END '{name}{round}'; XA PREPARE '{name}{round}';"
        );
    };
    let other = |sql: &mut String| {
        for n in 0..40 {
            let _ = write!(
                sql,
                "BEGIN; UPDATE counted SET n = n + 1 WHERE id = 9; INSERT INTO noted (round, n, t) VALUES ({round}, {n}, 'same'); COMMIT;"
            );
        }
    };
    branch(&mut sql, "later", 1);
    branch(&mut sql, "never", 2);
    let _ = write!(sql, "XA ROLLBACK 'never{round}';");
    other(&mut sql);
    branch(&mut sql, "soon", 3);
    let _ = write!(sql, "XA COMMIT 'soon{round}';");
    other(&mut sql);
    let _ = write!(sql, "XA COMMIT 'later{round}';");
    sql
}
