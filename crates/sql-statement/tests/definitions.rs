//! Files of statements, and the columns of their tables.

use datain_sql_statement::{Options, created_columns, script};

fn columns(sql: &str) -> Result<Vec<String>, &'static str> {
    let names = created_columns(sql.as_bytes(), &Options::default())?;
    Ok(names
        .into_iter()
        .map(|name| String::from_utf8(name).expect("UTF-8"))
        .collect())
}

fn check(sql: &str, expected: &[&str]) {
    assert_eq!(columns(sql).expect(sql), expected, "{sql}");
}

/// fidelity: file | names of columns from CREATE TABLE | as SHOW CREATE TABLE and mysqldump write it; keys, constraints and expressions are no columns
#[test]
fn columns_are_told_from_keys_constraints_and_expressions() {
    check("CREATE TABLE t (id INT)", &["id"]);
    check(
        "CREATE TABLE `s`.`t` (\n  `id` int NOT NULL AUTO_INCREMENT,\n  `a``b` decimal(10,2) DEFAULT '1,2)',\n  `KEY` enum('a,b',')') COMMENT 'x, `y` int',\n  \
         `g` int GENERATED ALWAYS AS ((`id` + 1)) VIRTUAL,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `u` (`a``b`,`KEY`),\n  KEY `k` ((lower(`KEY`))),\n  FULLTEXT KEY `f` (`KEY`),\n  \
         SPATIAL KEY `s` (`g`),\n  CONSTRAINT `c` CHECK ((`id` > 0)),\n  CONSTRAINT `fk` FOREIGN KEY (`id`) REFERENCES `o` (`id`) ON DELETE CASCADE\n) ENGINE=InnoDB AUTO_INCREMENT=3 \
         /*!50100 PARTITION BY HASH (`id`) PARTITIONS 4 */",
        &["id", "a`b", "KEY", "g"],
    );
    check(
        "create table if not exists T(a int, primary key(a), index(a), check (a > 1), foreign key (a) references x (y), unique (a), constraint z unique (a), b text)",
        &["a", "b"],
    );
    check(
        "CREATE TABLE t (vector VECTOR(3), period INT, `名` INT /*!80023 INVISIBLE */, VECTOR INDEX (vector), PERIOD FOR SYSTEM_TIME (a, b))",
        &["vector", "period", "名"],
    );
}

#[test]
fn what_cannot_be_told_is_not_guessed() {
    for (sql, why) in [
        ("CREATE TABLE t LIKE u", "LIKE"),
        ("CREATE TABLE t (a INT) SELECT 1 AS b", "query"),
        ("CREATE TABLE t AS SELECT 1 AS b", "query"),
        ("CREATE TABLE t", "no list"),
        ("CREATE TABLE t (KEY (a))", "no list"),
        ("CREATE TABLE t (a INT, b", "cut off"),
        ("CREATE TABLE t (a INT DEFAULT 'x", "cut off"),
        ("CREATE TABLE t (", "cut off"),
        ("CREATE TABLE t (\"a\" INT)", "cannot be read"),
        ("CREATE TABLE t (, a INT)", "cannot be read"),
        ("CREATE VIEW v AS SELECT 1", "no CREATE TABLE"),
        ("", "no CREATE TABLE"),
    ] {
        let found = columns(sql).expect_err(sql);
        assert!(found.contains(why), "{sql}: {found}");
    }
}

fn statements(text: &str) -> Vec<(usize, &str)> {
    script(text.as_bytes(), &Options::default())
        .into_iter()
        .map(|s| (s.line, std::str::from_utf8(s.sql).expect("UTF-8")))
        .collect()
}

#[test]
fn a_file_is_taken_apart_as_the_client_does_it() {
    assert_eq!(
        statements("-- a; b\nSELECT 1;\n\n/* ; */ SELECT ';', `;` ; SELECT 2"),
        [(2, "SELECT 1"), (4, "SELECT ';', `;` "), (4, "SELECT 2")]
    );
    let dump = "USE `s`;\nDELIMITER ;;\n/*!50003 CREATE TRIGGER t BEFORE INSERT ON x FOR EACH ROW BEGIN SET @a = 1; CREATE TABLE no (a INT); END */;;\nDELIMITER ;\nSELECT 3;\n";
    let found = statements(dump);
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!((found[0], found[2]), ((1, "USE `s`"), (5, "SELECT 3")));
    assert_eq!(
        statements("delimiter $$\nBEGIN; END$$ SELECT 1$$\nDELIMITER //\nSELECT 4//"),
        [(2, "BEGIN; END"), (2, "SELECT 1"), (4, "SELECT 4")]
    );
    assert_eq!(statements(";;\n ; "), []);
    assert_eq!(statements("DELIMITER"), []);
}
