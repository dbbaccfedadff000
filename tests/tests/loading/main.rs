//! LOAD DATA LOCAL as a way to write rows: values of every type that it is used for arrive as they are, and what it bends is noticed.
//!
//! Rows go from the source's log into the same table twice, by LOAD and by INSERT. The servers compare: source with loaded, loaded with inserted.

mod bent;
mod corners;

use datain_apply::settings;
use datain_contract::types::{Batch, RowSet, Table};
use datain_mysql_client::blocking::block_on;
use datain_tests::bulk_load::{self, Loaded, Root};
use datain_tests::compare;
use datain_tests::seed::{long, seed};
use datain_throwaway_servers::{Flavor, Server};

/// The schema of the rows on the source, and of those that are loaded on the target.
const ROWS: &str = "rows_of";
/// The schema of those that are inserted there.
const INSERTED: &str = "inserted";

fn server(flavor: Flavor) -> Server {
    Server::builder(flavor)
        .relaxed()
        .option("local_infile=ON")
        .option("max_allowed_packet=64M")
        .start()
        .expect("a server")
}

/// Writes row sets to the target in both ways and has the servers compare. Returns the names of the tables of which not all rows could be loaded.
fn arrives(source: &Server, target: &Server, batches: &[Batch]) -> Vec<String> {
    let mut root = bulk_load::session(target);
    for schema in [ROWS, INSERTED] {
        let sql = format!("DROP DATABASE IF EXISTS {schema}; CREATE DATABASE {schema}");
        block_on(root.query(sql.as_bytes())).expect("a schema");
    }
    let sets = bulk_load::row_sets(batches);
    let mut made: Vec<u32> = Vec::new();
    let mut inserted = Vec::new();
    for (table, set, block) in sets {
        if !made.contains(&table.id) {
            made.push(table.id);
            for schema in [ROWS, INSERTED] {
                bulk_load::copy_definition(source, &mut root, ROWS, &table.name, schema);
            }
        }
        if !write_both(&mut root, table, set, block) {
            inserted.push(table.name.clone());
        }
    }
    compare::assert_equal(source, target, &[ROWS]);
    let tables = compare::tables(target, target, &[ROWS, INSERTED]).expect("the target answers");
    let of = |schema: &str| -> Vec<_> {
        let prefix = format!("{schema}.");
        let mine = tables.iter().filter(|t| t.name.starts_with(&prefix));
        mine.map(|t| (t.name[prefix.len()..].to_owned(), t.left.clone()))
            .collect()
    };
    assert_eq!(of(ROWS), of(INSERTED));
    inserted.sort();
    inserted.dedup();
    inserted
}

/// Whether the row set was loaded; else it was inserted.
fn write_both(root: &mut Root, table: &Table, set: &RowSet, block: &[u8]) -> bool {
    let at = |what: &str| format!("{what}: table `{}`", table.name);
    let inserted = bulk_load::mapping(root, table, INSERTED).expect("a mapping");
    bulk_load::insert(root, set, block, &inserted)
        .unwrap_or_else(|e| panic!("{}: {e:?}", at("INSERT")));
    let mapping = bulk_load::mapping(root, table, ROWS).expect("a mapping");
    let loaded = bulk_load::load(root, set, block, &mapping);
    match loaded.unwrap_or_else(|e| panic!("{}: {e:?}", at("LOAD"))) {
        Loaded::Whole => true,
        Loaded::NotLoadable => {
            bulk_load::insert(root, set, block, &mapping).expect("INSERT");
            false
        }
        Loaded::Bent => {
            let warnings = block_on(root.query_rows(b"SHOW WARNINGS"));
            panic!("{}: {warnings:?}", at("the load is not whole"));
        }
    }
}

/// fidelity: type | every type at its corners, by `LOAD DATA LOCAL` | equal to the source and to `INSERT`
#[test]
fn corners_of_every_type_arrive_as_they_are() {
    let (source, target) = (server(Flavor::Mysql97), server(Flavor::Mysql97));
    let (tables, rows) = corners::corners(&source);
    source
        .sql(&format!(
            "CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS};\n{tables}"
        ))
        .expect("tables");
    let batches = bulk_load::fill(&source, ROWS, &rows);
    assert_eq!(
        arrives(&source, &target, &batches),
        ["documents", "large_values", "no_bytes", "no_member"],
        "tables of which rows had to be inserted"
    );
}

/// fidelity: type | random schemas by `LOAD DATA LOCAL`: types, keys, character sets, generated and invisible columns, partitions, odd names | equal to the source and to `INSERT`
#[test]
fn random_rows_arrive_as_they_are() {
    let (source, target) = (server(Flavor::Mysql97), server(Flavor::Mysql97));
    let first = seed("random loads");
    let (mut loaded, mut inserted) = (0, 0);
    for number in 0..if long() { 100 } else { 4 } {
        let tables = bulk_load::random_copies(&source, first + number, ROWS);
        if tables.is_empty() {
            // The random statements have deleted all that they had inserted.
            continue;
        }
        let before = bulk_load::executed(&source);
        let copies: Vec<String> = tables.iter().map(|(_, copy)| copy.clone()).collect();
        let batches = bulk_load::fill(&source, ROWS, &copies);
        assert_ne!(before, bulk_load::executed(&source), "DATAIN_SEED={first}");
        let without = arrives(&source, &target, &batches).len();
        inserted += without;
        loaded += tables.len() - without;
    }
    println!("{loaded} tables were loaded, {inserted} had rows that were inserted");
    assert!(loaded > 0, "nothing was loaded");
}

/// What an INSERT in strict mode refuses, a load bends or leaves out, and says so: whatever the session does with warnings.
#[test]
fn what_a_load_bends_is_noticed() {
    let (source, target) = (server(Flavor::Mysql97), server(Flavor::Mysql97));
    source
        .sql(&format!(
            "CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS};\n{}",
            bent::TABLES
        ))
        .expect("tables");
    let rows: Vec<String> = bent::ROWS.iter().map(|sql| (*sql).to_owned()).collect();
    let mut batches = bulk_load::fill(&source, ROWS, &rows);
    for table in batches.iter_mut().flat_map(|batch| &mut batch.tables) {
        if table.name == "invalid_bytes" {
            // As if its bytes were said to be UTF-8.
            table.columns[1].collation = Some(255);
        }
    }
    let mut root = bulk_load::session(&target);
    let tables = format!(
        "CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS};\n{}",
        bent::ON_TARGET
    );
    target.sql(&tables).expect("tables");
    for sql in [
        "DO 0",
        "SET SESSION max_error_count = 0",
        "SET SESSION sql_notes = 0",
    ] {
        block_on(root.exec(sql.as_bytes())).expect("a setting");
        let sets = bulk_load::row_sets(&batches);
        assert_eq!(sets.len(), rows.len());
        for (table, set, block) in sets {
            let mapping = bulk_load::mapping(&mut root, table, ROWS).expect("a mapping");
            block_on(root.exec(b"START TRANSACTION")).expect("a transaction");
            let loaded = bulk_load::load(&mut root, set, block, &mapping).expect("a load");
            let expected = match table.name.as_str() {
                // A TIMESTAMP would become the current time without a word, so no NULL is sent to such a column.
                "not_null" => Loaded::NotLoadable,
                _ => Loaded::Bent,
            };
            assert_eq!(loaded, expected, "`{}`, {sql}", table.name);
            block_on(root.exec(b"ROLLBACK")).expect("a rollback");
            // The same row by INSERT is an error, which says what is wrong.
            bulk_load::insert(&mut root, set, block, &mapping).expect_err(&table.name);
        }
    }
    block_on(root.exec(&settings::for_rows(&root.server_version().clone()))).expect("settings");
}
