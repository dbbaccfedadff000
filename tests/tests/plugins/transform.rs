//! The transform that masks columns, between two MySQL servers.

use std::path::Path;

use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, config, failed, replace, server, value};
use datain_throwaway_servers::Server;

use crate::{example, named_columns};

const TABLES: &str = "CREATE DATABASE shop; USE shop; \
    CREATE TABLE customer (id INT PRIMARY KEY, name VARCHAR(40), email VARCHAR(60), note MEDIUMTEXT, code CHAR(2)); \
    CREATE TABLE item (id INT PRIMARY KEY, name VARCHAR(40)); \
    INSERT INTO customer VALUES (1, 'Ann', 'ann@example.org', 'first', 'ab'), (2, 'Bob', NULL, NULL, NULL), (3, 'Cid', 'cid@example.org', '', 'cd'); \
    INSERT INTO item VALUES (1, 'pen'), (2, 'ink')";

const CHANGES: &str = "USE shop; \
    INSERT INTO customer VALUES (4, 'Dan', 'dan@example.org', 'fourth', 'ef'); \
    UPDATE customer SET name = 'Bea', email = 'bea@example.org' WHERE id = 2; \
    UPDATE customer SET id = 30 WHERE id = 3; \
    UPDATE customer SET email = 'ann@example.com' WHERE id = 1; \
    DELETE FROM customer WHERE id = 4; \
    BEGIN; INSERT INTO customer VALUES (5, 'Eve', 'eve@example.org', REPEAT('x', 300000), 'gh'); UPDATE item SET name = 'red ink' WHERE id = 2; COMMIT";

fn masking(columns: &str) -> String {
    masking_with("mask_column.wasm", columns)
}

fn masking_with(component: &str, columns: &str) -> String {
    format!("\n[[transform]]\npath = \"{component}\"\n[transform.config]\ncolumns = [{columns}]\n")
}

fn run(folder: &TempDir, source: &Server, target: &Server, columns: &str) -> String {
    example(folder, "mask_column.wasm");
    first_copy(folder, source, target, &masking(columns))
}

fn first_copy(folder: &TempDir, source: &Server, target: &Server, masking: &str) -> String {
    let snapshot = replace("mode = \"gtid\"\ngtid_set = \"\"\n", "");
    let path = config(folder, "masked", source, target, |text| {
        format!("{}{masking}", snapshot(text))
    });
    path.display().to_string()
}

fn rows(server: &Server, sql: &str) -> Vec<Vec<Option<String>>> {
    server.query(sql).expect("rows")
}

#[test]
fn columns_are_masked_on_their_way() {
    let (source, target) = (named_columns(), server());
    source.sql(TABLES).expect("tables");
    let folder = TempDir::new().expect("a folder");
    let path = run(&folder, &source, &target, COLUMNS);
    masks(&source, &target, &path);
}

/// The same transform in JavaScript, where somebody has made its component (examples/mask-column-js).
#[test]
fn columns_are_masked_by_javascript() {
    let component = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../examples/mask-column-js/mask_column_js.wasm");
    if !component.exists() {
        println!(
            "skipped: `npm install && npm run build` in examples/mask-column-js makes the component"
        );
        return;
    }
    let (source, target) = (named_columns(), server());
    source.sql(TABLES).expect("tables");
    let folder = TempDir::new().expect("a folder");
    std::fs::copy(component, folder.path().join("js.wasm")).expect("a copy");
    let path = first_copy(&folder, &source, &target, &masking_with("js.wasm", COLUMNS));
    masks(&source, &target, &path);
}

const COLUMNS: &str = r#""shop.customer.email", "shop.customer.@4", "shop.customer.code""#;

/// A first copy and changes.
fn masks(source: &Server, target: &Server, path: &str) {
    let to_the_end = ["run", "-c", path, "--until-caught-up"];
    let exit = Host::command(&to_the_end, LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    source.sql(CHANGES).expect("changes");
    let exit = Host::command(&to_the_end, LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    // What the source's rows come to by the same rule, in the server's words. CHAR(2) takes up to eight bytes, of which the mask knows no more.
    let masked = "SELECT id, name, IF(email IS NULL, NULL, '***'), IF(note IS NULL, NULL, '***'), IF(code IS NULL, NULL, '**') FROM shop.customer ORDER BY id";
    let as_is = "SELECT id, name, email, note, code FROM shop.customer ORDER BY id";
    let expected = rows(source, masked);
    assert_eq!(expected.len(), 4, "{expected:?}");
    assert_eq!(rows(target, as_is), expected);
    let items = "SELECT id, name FROM shop.item ORDER BY id";
    assert_eq!(rows(target, items), rows(source, items));
    // The two are not equal, and are not to be made so.
    let exit = Host::command(&["verify", "-c", path], LIMIT).expect("it ends");
    failed(&exit, "verify.transformed", 3);
}

#[test]
fn what_cannot_be_masked_does_not_pass() {
    let (source, target) = (server(), server());
    source.sql(TABLES).expect("tables");
    let folder = TempDir::new().expect("a folder");
    let check = |columns: &str, code: &str, status: i32| {
        let path = run(&folder, &source, &target, columns);
        let arguments = ["run", "-c", &path, "--until-caught-up"];
        let exit = Host::command(&arguments, LIMIT).expect("the host ends");
        failed(&exit, code, status);
        assert!(exit.stderr.contains("mask_column.wasm"), "{exit}");
        let passed = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = 'customer'";
        if value(&target, passed).as_deref() == Some("1") {
            let rows = value(&target, "SELECT COUNT(*) FROM shop.customer");
            assert_eq!(rows.as_deref(), Some("0"), "nothing passes");
        }
    };
    check("1", "config.invalid-value", 2);
    check(r#""shop.customer.@9""#, "mask.column-missing", 3);
    check(r#""shop.customer.id""#, "mask.kind", 3);
    check(r#""shop.customer.mail""#, "mask.column-missing", 3);
    // The copy of a table names its columns; the log of this server does not, and here its changes are all that is read.
    source.sql("CREATE TABLE shop.later (id INT PRIMARY KEY, secret VARCHAR(9)); INSERT INTO shop.later VALUES (1, 'a')").expect("a table");
    let by_log = config(&folder, "log", &source, &target, |text| {
        format!(
            "{text}\n[replicate]\ninclude = [\"shop.later\"]\n{}",
            masking(r#""shop.later.secret""#)
        )
    });
    target
        .sql("CREATE DATABASE IF NOT EXISTS shop")
        .expect("a schema");
    let exit = Host::run(&by_log, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, "mask.names-unknown", 3);
}

#[test]
fn a_transform_reaches_nothing() {
    let folder = TempDir::new().expect("a folder");
    let (source, target) = (server(), server());
    // A sink is a component that wants connections, and no transform.
    let sink = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/plugins/sink.wasm");
    std::fs::copy(sink, folder.path().join("mask_column.wasm")).expect("a copy");
    let path = config(&folder, "reach", &source, &target, |text| {
        format!("{text}{}", masking("\"a.b.c\""))
    });
    let exit = Host::run(&path, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, "plugin.import-unknown", 2);
    for import in ["transport", "credentials"] {
        assert!(exit.stderr.contains(import), "{import}: {exit}");
    }
}
