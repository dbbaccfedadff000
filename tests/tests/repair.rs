//! `conflicts = "repair"`: rows of the target that are not as the source had them are made so, reported and counted; by default they end the pipeline.

#![allow(clippy::disallowed_methods, reason = "native test")]

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{FROM_THE_START, LIMIT, caught_up, config, failed, server, value};
use datain_throwaway_servers::Server;

const TABLES: &str = "CREATE DATABASE d; USE d; \
    CREATE TABLE t (id INT PRIMARY KEY, u INT UNIQUE, c VARCHAR(9) COLLATE utf8mb4_0900_ai_ci UNIQUE, v INT, twice INT AS (v * 2) STORED); \
    CREATE TABLE two (a INT, b INT, v INT, PRIMARY KEY (a, b)); \
    CREATE TABLE p (id INT PRIMARY KEY); \
    CREATE TABLE k (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE); \
    INSERT INTO t (id, u, c, v) VALUES (1, 1, 'a', 1), (2, 2, 'b', 2), (3, 3, 'c', 3), (4, 4, 'd', 4), (5, 5, NULL, 5), (6, 6, NULL, 6); \
    INSERT INTO two VALUES (1, 1, 1), (1, 2, 2), (2, 1, 3); \
    INSERT INTO p VALUES (1), (2), (3); INSERT INTO k VALUES (1, 1), (2, 2), (3, 3)";

/// What somebody did to the target, one line for one kind of repair.
const DAMAGE: &str = "USE d; \
    DELETE FROM t WHERE id IN (1, 2); \
    UPDATE t SET u = 30, c = 'zz' WHERE id = 3; \
    INSERT INTO t (id, u, c, v) VALUES (10, 100, 'E', 0), (11, 101, 'F', 0), (50, 55, 'x', 0); \
    DELETE FROM two WHERE a = 1 AND b = 2; INSERT INTO two VALUES (9, 9, 9); \
    INSERT INTO p VALUES (4); INSERT INTO k VALUES (4, 4)";

const CHANGES: &str = "USE d; \
    UPDATE t SET v = 11 WHERE id = 1; \
    DELETE FROM t WHERE id = 2; \
    UPDATE t SET v = 33, u = 3 WHERE id = 3; UPDATE t SET c = 'C' WHERE id = 3; \
    INSERT INTO t (id, u, c, v) VALUES (10, 200, 'e', 10); \
    UPDATE t SET u = 101 WHERE id = 4; \
    UPDATE t SET id = 50, u = 55, c = 'f' WHERE id = 5; \
    UPDATE two SET v = 22 WHERE a = 1 AND b = 2; UPDATE two SET a = 9, b = 9 WHERE a = 2; \
    INSERT INTO p VALUES (4); INSERT INTO k VALUES (5, 4); DELETE FROM p WHERE id = 3; \
    BEGIN; INSERT INTO t (id, u, v) VALUES (60, 60, 1), (61, 61, 1); UPDATE t SET v = v + 1 WHERE id > 50; COMMIT";

fn damaged(folder: &TempDir, name: &str) -> (Server, Server) {
    let (source, target) = (server(), server());
    source.sql(TABLES).expect("tables");
    caught_up(folder, name, &source, &target, FROM_THE_START);
    target.sql(DAMAGE).expect("damage");
    source.sql(CHANGES).expect("changes");
    (source, target)
}

#[test]
fn rows_are_made_as_the_source_had_them() {
    let folder = TempDir::new().expect("a folder");
    let (source, target) = damaged(&folder, "repair");
    let repair = |text: String| format!("{text}\n[apply]\nconflicts = \"repair\"\n");
    let path = config(&folder, "repair", &source, &target, repair);
    let exit = Host::run(&path, &["--until-caught-up", "--progress", "json"], LIMIT)
        .expect("the host ends");
    assert_eq!(exit.code, 0, "{}", exit.stderr);
    // Nobody has changed this row since, so nothing is known of it.
    target
        .sql("DELETE FROM d.k WHERE id = 4; DELETE FROM d.t WHERE id = 11")
        .expect("what no change has touched");
    compare::assert_equal(&source, &target, &["d"]);
    let reports: Vec<&str> = exit
        .stderr
        .lines()
        .filter(|line| line.contains("was not as the source had it"))
        .collect();
    // t: 1 and 2 are missing, another 10 is there, 11 has the new value of 4, and 50 is where 5 goes; two: (1, 2) is missing, (9, 9) is in the way; p: another 4.
    assert_eq!(reports.len(), 8, "{reports:#?}");
    for words in ["`d`.`t` (key: id)", "`d`.`two` (key: a, b)", "`d`.`p`"] {
        assert!(
            reports.iter().any(|line| line.contains(words)),
            "{words}: {reports:#?}"
        );
    }
}

#[test]
fn without_it_the_first_difference_ends_the_pipeline() {
    let folder = TempDir::new().expect("a folder");
    let (source, target) = damaged(&folder, "strict");
    let path = config(&folder, "strict", &source, &target, |text| text);
    let exit = Host::run(&path, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, "row.missing", 3);
    for words in ["table: d.t", "rows were looked up by: id", "gtid: "] {
        assert!(exit.stderr.contains(words), "{words}: {}", exit.stderr);
    }
    let changed = value(&target, "SELECT COUNT(*) FROM d.t WHERE v > 10");
    assert_eq!(changed.as_deref(), Some("0"));
    let gtid = exit
        .stderr
        .lines()
        .find_map(|line| line.trim().strip_prefix("gtid: "))
        .expect("a GTID");
    let first = value(
        &source,
        &format!("SELECT GTID_SUBSET('{gtid}', @@global.gtid_executed)"),
    );
    assert_eq!(first.as_deref(), Some("1"));
}
