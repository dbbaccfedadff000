//! The tables: a parent and a child for each pair of actions, and shapes in which one action leads to another.

/// Their schemas. In the last one cascades go deep: a chain of four tables, and tables that refer to themselves.
pub const SCHEMAS: &[&str] = &["fk", "fk other", "fk_deep"];

/// What a foreign key may do. SET DEFAULT is taken in definitions, where it does nothing but forbid.
const ACTIONS: [&str; 5] = [
    "CASCADE",
    "SET NULL",
    "RESTRICT",
    "NO ACTION",
    "SET DEFAULT",
];

/// Pairs of a parent `p` and a child `c`, by number.
pub(super) fn pairs() -> impl Iterator<Item = (String, String)> {
    (0..ACTIONS.len() * ACTIONS.len()).map(|n| (format!("fk.p{n}"), child(n)))
}

/// Every third child lies in another schema than its parent.
fn child(n: usize) -> String {
    if n.is_multiple_of(3) {
        format!("`fk other`.c{n}")
    } else {
        format!("fk.c{n}")
    }
}

/// All that creates them.
#[must_use]
pub fn create() -> String {
    let mut sql =
        String::from("CREATE DATABASE fk; CREATE DATABASE `fk other`; CREATE DATABASE fk_deep;\n");
    for (n, (parent, child)) in pairs().enumerate() {
        let (on_delete, on_update) = (ACTIONS[n % ACTIONS.len()], ACTIONS[n / ACTIONS.len()]);
        // A column that changes by itself with its row, and one that is computed from the foreign key and indexed: a cascade changes the second, not the first.
        sql.push_str(&format!(
            "CREATE TABLE {parent} (id INT PRIMARY KEY, note VARCHAR(20));\n\
             CREATE TABLE {child} (id INT PRIMARY KEY AUTO_INCREMENT, p INT DEFAULT 3, note VARCHAR(20), twice INT AS (p * 2) VIRTUAL, \
             changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), KEY (twice), \
             FOREIGN KEY (p) REFERENCES {parent} (id) ON DELETE {on_delete} ON UPDATE {on_update});\n"
        ));
    }
    sql.push_str(SHAPES);
    sql
}

const SHAPES: &str = "
USE fk;
-- Two steps, through another schema.
CREATE TABLE top (id INT PRIMARY KEY, note VARCHAR(20));
CREATE TABLE `fk other`.middle (id INT PRIMARY KEY AUTO_INCREMENT, p INT, UNIQUE KEY (p, id), FOREIGN KEY (p) REFERENCES fk.top (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE bottom (id INT PRIMARY KEY AUTO_INCREMENT, p INT, m INT, FOREIGN KEY (p, m) REFERENCES `fk other`.middle (p, id) ON DELETE CASCADE ON UPDATE CASCADE);
-- Two ways from one parent to one child.
CREATE TABLE roof (id INT PRIMARY KEY);
CREATE TABLE wall (id INT PRIMARY KEY AUTO_INCREMENT, p INT, FOREIGN KEY (p) REFERENCES roof (id) ON DELETE CASCADE);
CREATE TABLE floor (id INT PRIMARY KEY AUTO_INCREMENT, p INT, w INT, FOREIGN KEY (p) REFERENCES roof (id) ON DELETE CASCADE, FOREIGN KEY (w) REFERENCES wall (id) ON DELETE SET NULL);
CREATE TABLE twice (id INT PRIMARY KEY AUTO_INCREMENT, p INT, q INT, FOREIGN KEY (p) REFERENCES roof (id) ON DELETE CASCADE ON UPDATE CASCADE, FOREIGN KEY (q) REFERENCES roof (id) ON DELETE SET NULL ON UPDATE CASCADE);
-- Keys of several columns, some of them NULL.
CREATE TABLE pair (a INT, b VARCHAR(5), note INT, PRIMARY KEY (a, b));
CREATE TABLE of_pair (id INT PRIMARY KEY AUTO_INCREMENT, a INT, b VARCHAR(5), FOREIGN KEY (a, b) REFERENCES pair (a, b) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE in_pair (a INT, b VARCHAR(5), n INT, PRIMARY KEY (a, b, n), FOREIGN KEY (a, b) REFERENCES pair (a, b) ON DELETE CASCADE ON UPDATE CASCADE);
-- A unique key that compares by letters, not bytes, and columns of other lengths.
CREATE TABLE word (id INT PRIMARY KEY, code VARCHAR(10) COLLATE utf8mb4_0900_ai_ci NOT NULL UNIQUE);
CREATE TABLE of_word (id INT PRIMARY KEY AUTO_INCREMENT, code VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, FOREIGN KEY (code) REFERENCES word (code) ON DELETE SET NULL ON UPDATE CASCADE);
-- The foreign key is computed.
CREATE TABLE computed (id INT PRIMARY KEY AUTO_INCREMENT, raw INT, p INT AS (raw % 100) STORED, FOREIGN KEY (p) REFERENCES roof (id) ON DELETE CASCADE);
-- Found by a unique key that no primary key is.
CREATE TABLE by_unique (id INT NOT NULL AUTO_INCREMENT, p INT NOT NULL, UNIQUE KEY (id), FOREIGN KEY (p) REFERENCES top (id) ON DELETE CASCADE ON UPDATE CASCADE);

USE fk_deep;
CREATE TABLE a (k INT PRIMARY KEY);
CREATE TABLE b (k INT, n INT, PRIMARY KEY (k, n), FOREIGN KEY (k) REFERENCES a (k) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE c (k INT, n INT, m INT, PRIMARY KEY (k, n, m), FOREIGN KEY (k, n) REFERENCES b (k, n) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE d (k INT, n INT, m INT, o INT, PRIMARY KEY (k, n, m, o), FOREIGN KEY (k, n, m) REFERENCES c (k, n, m) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE tree (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES tree (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE list (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES list (id) ON DELETE SET NULL ON UPDATE SET NULL);
CREATE TABLE strict (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES strict (id));
USE fk;
";
