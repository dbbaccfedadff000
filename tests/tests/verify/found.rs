//! What differs is listed: exactly that, with its columns, and with its values only where they are asked for.

use datain_tests::compare;

use crate::lab::{Lab, rows};

const TABLES: &str = "CREATE DATABASE d; USE d; \
    CREATE TABLE kinds (id INT PRIMARY KEY, i BIGINT UNSIGNED, n DECIMAL(20,4), f FLOAT, d DOUBLE, b BIT(9), e ENUM('a','b'), s SET('x','y'), \
        c CHAR(5), v VARCHAR(20), t TEXT, y VARBINARY(20), l BLOB, j JSON, da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(2) NULL, \
        g INT AS (id * 2) STORED, w VARCHAR(10) CHARACTER SET latin1); \
    CREATE TABLE two (a INT, k VARCHAR(10) COLLATE utf8mb4_0900_ai_ci, v INT, PRIMARY KEY (a, k)); \
    CREATE TABLE swap (id INT PRIMARY KEY, u VARCHAR(9) NOT NULL UNIQUE, v INT); \
    CREATE TABLE same (id INT PRIMARY KEY, v INT); \
    INSERT INTO kinds (id, i, n, f, d, b, e, s, c, v, t, y, l, j, da, ti, dt, ts, w) SELECT id, 18446744073709551615, 1.5, 0.1, 1e300, b'101', 'a', 'x', 'c', 'v', 't', 'y', 'l', \
        JSON_OBJECT('a', 1, 'b', CAST(1 AS DECIMAL(3,1))), '2020-01-01', '10:00:00.123', '2020-01-01 10:00:00.000001', '2020-01-01 10:00:00.25', 'é' \
        FROM (SELECT 1 AS id UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5) AS n; \
    INSERT INTO two VALUES (1, 'a', 1), (1, 'b', 2), (2, 'a', 3), (2, 'é', 4); \
    INSERT INTO swap VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3), (4, 'four', 4); \
    INSERT INTO same VALUES (1, 1), (2, NULL)";

const DAMAGE: &str = "USE d; \
    UPDATE kinds SET i = i - 1, n = n + 0.0001, f = 0.10000001, d = -1e300, b = b'100' WHERE id = 1; \
    UPDATE kinds SET e = 'b', s = 'x,y', c = 'd', v = 'v ', t = NULL, y = 'y\\0' WHERE id = 2; \
    UPDATE kinds SET l = '', j = JSON_OBJECT('a', 1, 'b', 1e0), da = '2020-01-02', ti = '10:00:00.124' WHERE id = 3; \
    UPDATE kinds SET dt = '2020-01-01 10:00:00.000002', ts = '2020-01-01 10:00:00.26', w = 'e' WHERE id = 4; \
    DELETE FROM kinds WHERE id = 5; INSERT INTO kinds (id) VALUES (-7); \
    DELETE FROM two WHERE a = 1 AND k = 'b'; UPDATE two SET v = 0 WHERE k = 'é'; INSERT INTO two VALUES (3, 'c', 0); \
    UPDATE swap SET u = 'tmp' WHERE id = 1; UPDATE swap SET u = 'one' WHERE id = 2; UPDATE swap SET u = 'two' WHERE id = 1; \
    UPDATE swap SET u = 'x' WHERE id = 3; UPDATE swap SET u = 'three' WHERE id = 4";

const FOUND: [&str; 13] = [
    "d.kinds changed id=1: i n f d b",
    "d.kinds changed id=2: e s c v t y",
    "d.kinds changed id=3: l j da ti",
    "d.kinds changed id=4: dt ts w",
    "d.kinds missing id=5",
    "d.kinds surplus id=-7",
    "d.swap changed id=1: u",
    "d.swap changed id=2: u",
    "d.swap changed id=3: u",
    "d.swap changed id=4: u",
    "d.two changed a=2, k=é: v",
    "d.two missing a=1, k=b",
    "d.two surplus a=3, k=c",
];

/// In all of these the target is a host's that has ended, so nothing is on the way.
#[test]
fn what_was_planted_is_found_and_repaired() {
    let lab = Lab::with(TABLES);
    let exit = lab.verify(&[], 0);
    assert!(exit.stdout.contains("d.kinds: 5 row(s), equal\n"), "{exit}");
    assert!(exit.stdout.contains("\nequal: 4 table(s), "), "{exit}");

    lab.target(DAMAGE);
    let report = lab.json(&[], 1);
    assert_eq!(rows(&report), FOUND);
    assert_eq!(report["verdict"], "different");
    let text = report.to_string();
    assert!(
        !text.contains("0.10000001") && !text.contains("values"),
        "{text}"
    );
    assert_eq!(rows(&lab.json(&["--strong"], 1)), FOUND);

    let exit = lab.verify(&["--show-values"], 1);
    for line in [
        "  changed a=2, k=é: v\n    v: source 4, target 0\n",
        "  surplus a=3, k=c\n    a: target 3\n    k: target c\n    v: target 0\n",
        "    t: source t, target NULL\n",
        "different: 3 of 4 table(s), 13 row(s), ",
    ] {
        assert!(exit.stdout.contains(line), "{line:?}: {exit}");
    }

    // Other tables are not looked at; a pattern without a table is no proof of anything.
    lab.verify(&["--tables", "d.same"], 0);
    lab.verify(&["--tables", "d.same", "d.tw%"], 1);
    let exit = lab.verify(&["--tables", "d.none"], 2);
    assert!(exit.stderr.contains("error[usage.no-table]"), "{exit}");

    let report = lab.json(&["--repair"], 0);
    let repaired: Vec<String> = FOUND
        .iter()
        .map(|row| format!("{row} (repaired)"))
        .collect();
    assert_eq!(rows(&report), repaired);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);
    lab.verify(&[], 0);
    // And the pipeline goes on over them.
    lab.source(
        "UPDATE d.swap SET v = 10; DELETE FROM d.kinds WHERE id > 3; UPDATE d.two SET v = 7",
    );
    lab.catch_up();
    lab.verify(&["--no-locks"], 0);
}

#[test]
fn a_larger_table_is_divided() {
    let lab = Lab::with(
        "CREATE DATABASE d; CREATE TABLE d.big (a INT, b VARCHAR(20), v INT, PRIMARY KEY (b, a)); SET SESSION cte_max_recursion_depth = 100000; \
        INSERT INTO d.big WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i, CONCAT('k', i % 5000), i FROM n",
    );
    lab.target(
        "UPDATE d.big SET v = -1 WHERE a IN (17, 29999); INSERT INTO d.big VALUES (1, 'zz', 1); DELETE FROM d.big WHERE a BETWEEN 5001 AND 7500; \
        INSERT INTO d.big SELECT a, CONCAT('new', a), v FROM d.big WHERE a BETWEEN 10001 AND 12000",
    );
    let report = lab.json(&["--list", "5"], 1);
    let table = &report["tables"][0];
    assert_eq!(table["differences"].as_array().expect("rows").len(), 5);
    assert_eq!(table["more"], true);
    let report = lab.json(&["--list", "1000000"], 1);
    assert_eq!(report["tables"][0]["differing"], 2 + 1 + 2500 + 2000);
    assert_eq!(report["tables"][0]["more"], false);
    let report = lab.json(&["--repair", "--list", "3"], 0);
    assert_eq!(report["tables"][0]["repaired"], 4503);
    compare::assert_equal(&lab.source, &lab.target, &["d"]);

    // A sample is a part of it, and a limit is kept.
    let sampled = lab.json(&["--sample", "20"], 0);
    let compared = sampled["rows"].as_u64().expect("rows");
    assert!((1..=30_000).contains(&compared), "{sampled}");
    let limited = lab.json(&["--max-rows-per-second", "20000"], 0);
    assert!(
        limited["seconds"].as_f64().expect("seconds") >= 1.4,
        "{limited}"
    );
}

#[test]
fn definitions_and_tables_without_a_key() {
    let lab = Lab::with(
        "CREATE DATABASE d; CREATE TABLE d.gone (id INT PRIMARY KEY); CREATE TABLE d.other (id INT PRIMARY KEY, a INT, b VARCHAR(10)); INSERT INTO d.other VALUES (1, 1, 'x')",
    );
    lab.target(
        "DROP TABLE d.gone; DELETE FROM d.other; ALTER TABLE d.other DROP COLUMN a, MODIFY b DATE, ADD COLUMN mine INT; CREATE TABLE d.own (id INT PRIMARY KEY)",
    );
    let report = lab.json(&[], 1);
    let why = report["tables"].to_string();
    assert!(why.contains("the target has no such table"), "{why}");
    assert!(
        why.contains("column `a`: ") && why.contains("column `b`: "),
        "{why}"
    );
    assert_eq!(report["only_in_target"][0], "d.own");

    // The pipeline itself refuses such tables, so nothing but the two servers is compared.
    let keyless = "CREATE DATABASE k; CREATE TABLE k.t (a INT, b VARCHAR(10)); INSERT INTO k.t VALUES (1, 'x'), (1, 'x'), (2, NULL), (3, 'y')";
    lab.source(keyless);
    lab.target(keyless);
    // The target has got the statements of the log too: its checkpoint is behind, which only counts where something differs.
    lab.verify(&["--tables", "k.t"], 0);
    let config = std::fs::read_to_string(&lab.config).expect("the configuration");
    let without = lab.folder.path().join("none.toml");
    std::fs::write(&without, config.replace("name = \"v\"", "name = \"none\"")).expect("a file");
    let lab = Lab {
        config: without,
        ..lab
    };
    lab.target("UPDATE k.t SET b = 'z' WHERE a = 3; DELETE FROM k.t WHERE a = 1 LIMIT 1");
    let report = lab.json(&["--tables", "k.t"], 1);
    assert_eq!(report["checkpoint"], serde_json::Value::Null);
    let kinds: Vec<&str> = report["tables"][0]["differences"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["kind"].as_str())
        .collect();
    let count = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!((count("missing"), count("surplus")), (2, 1), "{report}");
}
