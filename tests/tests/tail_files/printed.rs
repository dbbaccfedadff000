//! What is printed of whole files.

use std::collections::BTreeMap;
use std::path::Path;

use datain_tests::host::{Host, TempDir};
use datain_throwaway_servers::{Flavor, Server};
use serde_json::{Value, json};

use crate::{
    LIMIT, all, assert_same, client_program, config, live, logs, output, server, tail, text,
};

fn scenario(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("scenarios")
        .join(name);
    std::fs::read_to_string(path).expect("the scenario")
}

/// The values of a row in the columns' order, whatever their names.
fn values(line: &Value) -> Vec<Vec<Value>> {
    ["before", "after"]
        .iter()
        .filter_map(|image| line[*image].as_object())
        .map(|row| row.values().cloned().collect())
        .collect()
}

/// fidelity: file | every type, DDL, binlog_row_metadata MINIMAL and FULL | the same lines as live; names by --schema or by a server where the log has none, else @1, @2
#[test]
fn a_file_gives_the_lines_that_the_server_gives() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    let config = config(&folder, &source);
    let types = scenario("types.sql");
    source.sql(&types).expect("the scenario");
    source
        .sql("DROP DATABASE types; FLUSH BINARY LOGS; SET GLOBAL binlog_row_metadata = FULL")
        .expect("a setting");
    source.sql(&types).expect("the scenario again");
    source
        .sql("ALTER TABLE types.numbers ADD later INT, RENAME COLUMN t TO tiny; DELETE FROM types.numbers WHERE id = 1; FLUSH BINARY LOGS")
        .expect("a change of a definition");
    let files = logs(&source);
    assert_eq!(files.len(), 3);
    let expected = live(&config);
    assert!(expected.len() > 60, "{}", expected.len());

    // A server may name the columns. The last file is in use.
    let found = all(&files, &["-c", text(&config)]);
    assert_same(&found, &expected);

    // With nobody to name them, what the log itself says: the second run was logged with names.
    let found = all(&files, &[]);
    assert_eq!(found.len(), expected.len());
    let mut numbered = 0;
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found["source"], expected["source"]);
        if found["source"]["file"] == "binlog.000001" {
            let mut keys: Vec<_> = [&found["after"], &found["before"]]
                .iter()
                .filter_map(|row| row.as_object())
                .flat_map(|row| row.keys().cloned())
                .collect();
            numbered += usize::from(!keys.is_empty());
            keys.retain(|key| !key.starts_with('@'));
            assert_eq!(keys, Vec::<String>::new());
        } else {
            assert_eq!(found, expected);
        }
        if found["after"].get("@10").is_none() && found["before"].get("@10").is_none() {
            // Ten columns or more come in another order of keys.
            assert_eq!(values_sorted(found), values_sorted(expected));
        }
    }
    assert!(numbered > 20, "{numbered}");

    // Definitions in a file: as mysqldump writes them, of the tables of that time.
    source
        .sql("ALTER TABLE types.numbers DROP later, RENAME COLUMN tiny TO t")
        .expect("the definition of that time");
    let mut dump = client_program("mysqldump", &source);
    dump.args([
        "--no-data",
        "--triggers",
        "--routines",
        "--databases",
        "types",
    ]);
    let schema = folder.path().join("schema.sql");
    std::fs::write(&schema, output(dump)).expect("a file");
    let exit = tail(&files[..1], &["--schema", text(&schema)]);
    assert_eq!(exit.code, 0, "{exit}");
    assert_eq!(exit.stderr, "");
    let first: Vec<_> = expected
        .iter()
        .filter(|line| line["source"]["file"] == "binlog.000001")
        .cloned()
        .collect();
    let found = crate::lines(&exit);
    for (found, expected) in found.iter().zip(&first) {
        // Of a table that had other columns today, live tail knows no names.
        if expected["source"]["table"] != "numbers" {
            assert_eq!(found, expected);
        } else if found.get("op").is_some() {
            let row = if found["after"].is_null() {
                &found["before"]
            } else {
                &found["after"]
            };
            assert!(row.get("id").is_some() && row.get("t").is_some(), "{found}");
        }
    }
    assert_eq!(found.len(), first.len());

    // The last state that the lines tell is the server's.
    let mut rows = BTreeMap::new();
    for line in all(&files, &[]) {
        if line["source"]["file"] != "binlog.000002" || line["source"]["table"] != "numbers" {
            continue;
        }
        for (image, is_there) in [("before", false), ("after", true)] {
            if let Some(id) = line[image]["id"].as_i64() {
                rows.remove(&id);
                if is_there {
                    rows.insert(
                        id,
                        format!(
                            "{} {}",
                            line[image]["d"].as_str().unwrap_or("NULL"),
                            line[image]["bu"]
                        ),
                    );
                }
            }
        }
    }
    let held = source
        .query(
            "SELECT id, CONCAT(COALESCE(d, 'NULL'), ' ', COALESCE(bu, 'null')) FROM types.numbers",
        )
        .expect("the rows");
    let held: BTreeMap<i64, String> = held
        .into_iter()
        .map(|row| {
            let mut row = row.into_iter().flatten();
            let id = row.next().expect("an id").parse().expect("a number");
            (id, row.next().expect("a text"))
        })
        .collect();
    assert_eq!(rows, held);
}

fn values_sorted(line: &Value) -> Vec<Vec<String>> {
    let mut images = values(line);
    images
        .iter_mut()
        .map(|image| {
            let mut image: Vec<_> = image.iter().map(Value::to_string).collect();
            image.sort();
            image
        })
        .collect()
}

/// fidelity: file | --schema that does not fit | said on standard error, and the columns are numbered
#[test]
fn names_are_never_guessed() {
    let source = server();
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY, b INT); CREATE TABLE d.u LIKE d.t; CREATE TABLE d.x LIKE d.t; INSERT INTO d.t VALUES (1, 2); INSERT INTO d.u VALUES (3, 4); INSERT INTO d.x VALUES (5, 6)")
        .expect("rows");
    let schema = folder.path().join("schema.sql");
    std::fs::write(
        &schema,
        "CREATE TABLE d.t (a INT PRIMARY KEY, b INT, c INT);\nCREATE TABLE u (p INT, q INT);\nCREATE TABLE x LIKE t;\n",
    )
    .expect("a file");
    let exit = tail(
        &logs(&source),
        &["--schema", text(&schema), "--exclude", "d.none"],
    );
    assert_eq!(exit.code, 0, "{exit}");
    let rows: Vec<_> = crate::lines(&exit)
        .iter()
        .filter(|line| line.get("op").is_some())
        .map(|line| line["after"].clone())
        .collect();
    assert_eq!(
        rows,
        [
            json!({"@1": 1, "@2": 2}),
            json!({"p": 3, "q": 4}),
            json!({"@1": 5, "@2": 6})
        ]
    );
    for said in [
        "schema.sql:3",
        "(LIKE)",
        "2 columns in the log and 3",
        "d.x",
    ] {
        assert!(exit.stderr.contains(said), "{said}: {exit}");
    }
    // The filter is the one of the command line.
    let exit = tail(&logs(&source), &["--include", "d.u"]);
    let tables: Vec<_> = crate::lines(&exit)
        .iter()
        .filter(|line| line.get("op").is_some())
        .map(|line| line["source"]["table"].clone())
        .collect();
    assert_eq!(tables, ["u"], "{exit}");
}

/// fidelity: file | binlog_format STATEMENT, without GTIDs | the statements with what they depend on; the same server's live tail refuses them
#[test]
fn statements_that_change_rows_are_printed_from_a_file_only() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .without_gtid()
        .start()
        .expect("a server");
    source
        .sql(
            "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20)); USE d; SET SESSION binlog_format = STATEMENT; SET @`a``b` = 'x'; \
             BEGIN; INSERT INTO t (v) VALUES (@`a``b`); SAVEPOINT s; UPDATE t SET v = RAND(); COMMIT; SET SESSION binlog_format = ROW; INSERT INTO t VALUES (9, 'row')",
        )
        .expect("statements");
    let exit = tail(&logs(&source), &[]);
    assert_eq!(exit.code, 0, "{exit}");
    let found = crate::lines(&exit);
    let ddl: Vec<_> = found
        .iter()
        .map(|line| line["ddl"].as_str().unwrap_or("a row").to_owned())
        .collect();
    assert_eq!(ddl.len(), 8, "{ddl:?}");
    assert_eq!(ddl[0], "CREATE DATABASE d");
    assert_eq!(ddl[2], "SET INSERT_ID = 1");
    assert!(
        ddl[3].starts_with("SET @`a``b` = X'78' /* collation "),
        "{ddl:?}"
    );
    assert_eq!(ddl[4], "INSERT INTO t (v) VALUES (@`a``b`)");
    assert!(ddl[5].starts_with("SET RAND_SEED1 = "), "{ddl:?}");
    assert_eq!(ddl[6], "UPDATE t SET v = RAND()");
    assert_eq!(ddl.last().map(String::as_str), Some("a row"));
    let row = found.last().expect("a row");
    let place = format!("binlog.000001:{}", row["source"]["pos"]);
    assert_eq!(
        (&row["source"]["gtid"], &row["transaction"]["id"]),
        (&Value::Null, &json!(place))
    );
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("orders.toml");
    let text_of = std::fs::read_to_string(config(&folder, &source)).expect("the configuration");
    let by_place = text_of.replace(
        "mode = \"gtid\"\ngtid_set = \"\"",
        "mode = \"position\"\nfile = \"binlog.000001\"",
    );
    std::fs::write(&path, by_place).expect("the configuration");
    let live = Host::command(
        &[
            "tail",
            "-c",
            text(&path),
            "--from",
            "start",
            "--until-caught-up",
        ],
        LIMIT,
    )
    .expect("an end");
    assert_eq!(live.code, 3, "{live}");
    assert!(live.stderr.contains("source.statement-format"), "{live}");
}
