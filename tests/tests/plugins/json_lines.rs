//! The sink that writes JSON lines: each change once, whatever is killed; and what it refuses.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, failed};
use datain_tests::seed::{Rng, long, seed};
use datain_throwaway_servers::Server;
use serde_json::Value;

use crate::{example, from_source, named_columns};

const TO_FILE: &str =
    "[target]\nfile = \"out/changes.jsonl\"\n[plugins]\nsink = \"json_lines_sink.wasm\"\n";

const TABLES: &str = "CREATE DATABASE d; USE d; \
    CREATE TABLE t (id BIGINT PRIMARY KEY, v BIGINT UNSIGNED, s VARCHAR(40), j JSON, d DECIMAL(9,2), b VARBINARY(9), ts TIMESTAMP(3) NULL, e ENUM('a', 'b'), f DOUBLE); \
    INSERT INTO t VALUES (1, 18446744073709551615, 'é', '{\"a\": [null, true, 1.5, \"x\"], \"b\": -70000}', -12.50, x'0102', '2024-01-01 00:00:00.5', 'b', 0.1), \
        (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)";

fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    std::fs::create_dir(folder.path().join("out")).expect("a folder");
    example(&folder, "json_lines_sink.wasm");
    folder
}

/// Every line of the file, which ends with a newline and holds nothing that is no JSON.
fn lines(folder: &TempDir) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.path().join("out/changes.jsonl")).expect("the file");
    assert!(
        text.is_empty() || text.ends_with('\n'),
        "the last line is whole"
    );
    let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(line).collect()
}

/// The rows of `d.t` as the lines make them, by id. A change that was written twice shows, and so does, from line `whole` on, one that is missing: before, the first copy was under way, and rows
/// were changed and deleted that no line had brought yet.
fn replayed(lines: &[Value], whole: usize) -> BTreeMap<i64, Value> {
    let (mut rows, mut seen) = (BTreeMap::new(), HashSet::new());
    for (number, line) in lines.iter().enumerate() {
        if !line["op"].is_string() {
            continue;
        }
        let id = |image: &str| line[image]["id"].as_i64();
        let place = format!(
            "{} {}",
            line["transaction"]["id"], line["transaction"]["total_order"]
        );
        if line["op"] != "r" {
            assert!(seen.insert(place), "twice: {line}");
        }
        if let Some(id) = id("before") {
            let before = rows.remove(&id);
            if number >= whole || before.is_some() {
                assert_eq!(before.as_ref(), Some(&line["before"]), "{line}");
            }
        }
        if let Some(id) = id("after") {
            let other = rows.insert(id, line["after"].clone());
            assert!(number < whole || other.is_none(), "{line}");
        }
    }
    rows
}

/// The same as the source has them.
fn ids_and_values(source: &Server) -> BTreeMap<i64, Option<String>> {
    let rows = source.query("SELECT id, v FROM d.t").expect("rows");
    rows.into_iter()
        .map(|row| {
            let id = row[0].as_deref().and_then(|id| id.parse().ok());
            (id.expect("an id"), row[1].clone())
        })
        .collect()
}

fn assert_same(source: &Server, folder: &TempDir, whole: usize) -> usize {
    let lines = lines(folder);
    let found: BTreeMap<_, _> = replayed(&lines, whole)
        .into_iter()
        .map(|(id, row)| (id, (!row["v"].is_null()).then(|| row["v"].to_string())))
        .collect();
    assert_eq!(found, ids_and_values(source));
    lines.len()
}

#[test]
fn a_first_copy_and_changes_as_lines() {
    let source = named_columns();
    source.sql(TABLES).expect("tables");
    let folder = folder();
    let path = from_source(&folder, "lines", &source, TO_FILE);
    let config = path.display().to_string();
    let run = || {
        let exit = Host::run(&path, &["--until-caught-up"], LIMIT).expect("the host ends");
        assert_eq!(exit.code, 0, "{exit}");
    };
    run();
    let copied = lines(&folder);
    let row = copied
        .iter()
        .find(|line| line["after"]["id"] == 1)
        .expect("the first row");
    assert_eq!(
        (&row["op"], &row["source"]["snapshot"]),
        (&"r".into(), &"true".into())
    );
    let after = r#"{"id":1,"v":18446744073709551615,"s":"é","j":"{\"a\":[null,true,1.5,\"x\"],\"b\":-70000}","d":"-12.50","b":"AQI=","ts":"2024-01-01T00:00:00.500Z","e":2,"f":0.1}"#;
    let expected: Value = serde_json::from_str(after).expect("JSON");
    assert_eq!(row["after"], expected);
    source
        .sql("USE d; UPDATE t SET v = 7 WHERE id = 1; DELETE FROM t WHERE id = 2; \
              BEGIN; INSERT INTO t (id, v) VALUES (3, 3), (4, 4); UPDATE t SET id = 5 WHERE id = 4; COMMIT; \
              CREATE TABLE u (id INT PRIMARY KEY)")
        .expect("changes");
    run();
    let all = lines(&folder);
    assert_eq!(all[..copied.len()], copied[..], "what was there stays");
    let ops: String = all[copied.len()..]
        .iter()
        .map(|line| line["op"].as_str().unwrap_or("s"))
        .collect();
    assert_eq!(ops, "udccus");
    assert_same(&source, &folder, copied.len());
    let count = all.len();
    run();
    assert_eq!(lines(&folder).len(), count, "nothing is written twice");
    // What the sink knows of the pipeline, and what it is not made for.
    let exit = Host::command(&["status", "-c", &config], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    for order in ["stop", "verify", "cutover"] {
        let exit = Host::command(&[order, "-c", &config], LIMIT).expect("it ends");
        failed(&exit, "plugin.cannot", 3);
    }
    assert_eq!(lines(&folder).len(), count);
}

#[test]
fn a_killed_host_repeats_nothing_and_loses_nothing() {
    let source = named_columns();
    source.sql(TABLES).expect("tables");
    let folder = folder();
    let path = from_source(
        &folder,
        "killed",
        &source,
        &format!("{TO_FILE}[limits]\nqueue_mib = 1\n"),
    );
    let mut rng = Rng::with_seed(seed("json_lines"));
    let seconds = if long() { 40 } else { 3 };
    // How many lines there were when the first copy was complete.
    let (mut kills, mut whole) = (0, usize::MAX);
    // At first in the first copy, then in the stream alone.
    for first_id in [100, 1_000_000] {
        thread::scope(|scope| {
            let load = scope.spawn(|| load(&source, first_id, seconds));
            while !load.is_finished() {
                let mut host = Host::start(&path, &[]).expect("it starts");
                thread::sleep(Duration::from_millis(rng.u64(200..1500)));
                host.kill();
                kills += 1;
            }
            load.join().expect("the load ends");
        });
        let exit = Host::run(&path, &["--until-caught-up"], LIMIT).expect("the host ends");
        assert_eq!(exit.code, 0, "{exit}");
        whole = assert_same(&source, &folder, whole);
    }
    println!("{kills} kills, {whole} lines");
    assert!(kills > 2, "{kills}");
    // Another pipeline would go on from a place that is not its own.
    let other = from_source(&folder, "other", &source, TO_FILE);
    let exit = Host::run(&other, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, "json-lines.other-pipeline", 3);
}

/// Small transactions, and some of several batches.
fn load(source: &Server, first_id: u64, seconds: u64) {
    let begun = Instant::now();
    let mut client = source.client();
    let mut id = first_id;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let mut sql = "USE d; ".to_owned();
        for _ in 0..20 {
            id += 1;
            sql += &format!(
                "INSERT INTO t (id, v, s) VALUES ({id}, {id}, REPEAT('x', 40)); UPDATE t SET v = v + 1 WHERE id = {id} - 5; DELETE FROM t WHERE id = {id} - 17 AND id % 3 = 0; "
            );
        }
        client.execute(&sql).expect("changes");
        if (id - first_id).is_multiple_of(200) {
            let large = format!(
                "SET SESSION cte_max_recursion_depth = 100000; BEGIN; INSERT INTO d.t (id, v, s) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000) SELECT {id} * 100000 + i, i, REPEAT('y', 40) FROM n; DELETE FROM d.t WHERE id > 20000000 AND id % 2 = 0; COMMIT"
            );
            client.execute(&large).expect("a large transaction");
        }
    }
}

#[test]
fn configurations_that_cannot_be() {
    let folder = folder();
    let text = |rest: &str| {
        let path = folder.path().join("bad.toml");
        let server = "host = \"127.0.0.1\"\nport = 1\nuser = \"u\"\n";
        let whole = format!("name = \"bad\"\n[source]\n{server}{rest}");
        std::fs::write(&path, whole).expect("the configuration");
        Host::run(&path, &[], LIMIT).expect("it ends")
    };
    let exit = text("[target]\nfile = \"out/x\"\n");
    failed(&exit, "config.invalid-value", 2);
    assert!(exit.stderr.contains("[plugins] sink"), "{exit}");
    let exit = text(
        "[target]\nfile = \"out/x\"\nuser = \"u\"\n[plugins]\nsink = \"json_lines_sink.wasm\"\n",
    );
    failed(&exit, "config.invalid-value", 2);
    let exit = text(
        "[target]\nhost = \"h\"\nuser = \"u\"\n[plugins]\nsource = \"json_lines_sink.wasm\"\n",
    );
    failed(&exit, "plugin.import-unknown", 2);
    assert!(exit.stderr.contains("output-file"), "{exit}");
}
