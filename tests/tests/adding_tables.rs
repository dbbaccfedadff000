//! `[replicate]` is made wider for a pipeline that runs already: just what it adds is copied, while the rest goes on.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, failed, wait_for};
use datain_tests::seed::long;
use datain_tests::servers::{cell, loading_pair, run};
use datain_throwaway_servers::{Flavor, Server};

/// What is replicated first: one table, with a routine in its schema. The others come later.
const SHOP: &str = "
CREATE DATABASE shop; CREATE DATABASE depot; USE shop;
CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
INSERT INTO orders (v) VALUES (1), (2), (3);
CREATE PROCEDURE tidy() DELETE FROM shop.orders WHERE v < 0;
CREATE TABLE items (id INT AUTO_INCREMENT PRIMARY KEY, code INT UNIQUE, t VARCHAR(40));
INSERT INTO items (code, t) WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 900) SELECT n, CONCAT('item ', n) FROM r;
CREATE TABLE depot.boxes (id INT PRIMARY KEY);
INSERT INTO depot.boxes VALUES (7), (8);
CREATE TABLE depot.other (id INT PRIMARY KEY);
";

/// While the pipeline stands: definitions of what is replicated and of what is not yet, rows of both.
const MEANWHILE: &str = "USE shop;
INSERT INTO orders (v) VALUES (4);
ALTER TABLE items ADD COLUMN note VARCHAR(20) DEFAULT 'new';
CREATE TABLE short (id INT PRIMARY KEY); INSERT INTO short VALUES (1); DROP TABLE short;
CREATE TABLE late (id INT PRIMARY KEY, o INT); INSERT INTO late VALUES (1, 1), (2, 2);
UPDATE items SET note = 'touched' WHERE id < 10;
CREATE VIEW both_of_them AS SELECT o.v, i.t FROM orders o JOIN items i ON i.id = o.id;
INSERT INTO orders (v) VALUES (5);
";

const FIRST: &str = "include = [\"shop.orders\"]";
const WIDER: &str = "include = [\"shop.%\", \"depot.boxes\"]";

fn config(
    folder: &TempDir,
    source: &Server,
    target: &Server,
    replicate: &str,
    more: &str,
) -> PathBuf {
    let extra = format!("[replicate]\n{replicate}\n{more}");
    Host::config(folder.path(), "adding", source, target, &extra).expect("a configuration")
}

fn caught_up(config: &Path) -> Exit {
    let exit = Host::run(config, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 0, "{exit}");
    exit
}

fn count(server: &Server, table: &str) -> u64 {
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) = '{table}'"
    );
    if cell(server, &sql) == "0" {
        return 0;
    }
    cell(server, &format!("SELECT COUNT(*) FROM {table}"))
        .parse()
        .expect("a number")
}

/// Rows go, come and swap their unique codes in all tables, one statement after the other, until `stop`.
fn write(source: &Server, stop: &AtomicBool) {
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let a = turn % 800 + 1;
        let (b, code) = (a + 50, 100_000 + turn);
        run(
            source,
            &format!(
                "USE shop; INSERT INTO orders (v) VALUES ({turn}); INSERT INTO items (code, t) VALUES ({code}, 'later'); \
                 DELETE FROM items WHERE id = {b}; INSERT IGNORE INTO depot.boxes VALUES ({turn}); \
                 UPDATE items SET code = -1 WHERE id = {a}; UPDATE items SET code = {a} + 200000 + {turn}, t = 'moved' WHERE code = -1"
            ),
        );
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn tables_are_added_while_they_are_written_to_and_the_host_is_killed() {
    let [source, target] = loading_pair();
    adds(&source, &target);
}

#[test]
fn by_file_and_offset() {
    if !long() {
        return;
    }
    let start = || {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .without_gtid()
            .start()
            .expect("a server")
    };
    adds(&start(), &start());
}

fn adds(source: &Server, target: &Server) {
    run(source, SHOP);
    let folder = TempDir::new().expect("a folder");
    caught_up(&config(&folder, source, target, FIRST, ""));
    assert_eq!(count(target, "shop.orders"), 3);
    assert_eq!(count(target, "shop.items"), 0);
    run(source, MEANWHILE);

    let slow = "[snapshot]\nmax_rows_per_second = 300";
    let config = config(&folder, source, target, WIDER, slow);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(source, &stop));
        let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..2 {
                let before = count(target, "shop.items");
                let mut host = Host::start(&config, &[]).expect("a host");
                wait_for(&mut host, "more of the items", |_| {
                    (count(target, "shop.items") > before + 100).then_some(())
                });
                host.kill();
            }
            // What is replicated already may change its definition in the midst of it.
            run(source, "ALTER TABLE shop.orders ADD COLUMN w INT DEFAULT 9");
            let mut host = Host::start(&config, &[]).expect("a host");
            wait_for(&mut host, "the new column", |_| {
                let sql = "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = 'orders' AND COLUMN_NAME = 'w'";
                (cell(target, sql) == "1").then_some(())
            });
            assert!(count(target, "shop.items") < 900, "the copy is under way");
            host.interrupt();
            host.wait(LIMIT).expect("an interrupted host ends");
        }));
        stop.store(true, Ordering::Relaxed);
        writer.join().expect("the writer");
        if let Err(panic) = killed {
            std::panic::resume_unwind(panic);
        }
    });
    caught_up(&config);
    compare::assert_equal(source, target, &["shop"]);
    assert_eq!(
        count(source, "depot.boxes"),
        count(target, "depot.boxes"),
        "rows of boxes"
    );
    assert_eq!(count(target, "depot.other"), 0);
    let columns = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'depot'";
    assert_eq!(cell(target, columns), "1", "only boxes is in the depot");
    assert_eq!(
        cell(target, "SELECT COUNT(*) > 0 FROM shop.both_of_them"),
        "1"
    );

    // It is whole: the next start copies nothing, and definitions may change again.
    run(
        source,
        "ALTER TABLE shop.items ADD COLUMN last INT; INSERT INTO shop.items (code, last) VALUES (-5, 5)",
    );
    let exit = caught_up(&config);
    assert!(!exit.stderr.contains("[replicate] was changed"), "{exit}");
    compare::assert_equal(source, target, &["shop"]);
}

/// A definition that changes in the midst of it stops the pipeline, which has a way out that keeps what it has.
#[test]
fn a_copy_of_added_tables_can_be_given_up() {
    let [source, target] = loading_pair();
    run(&source, SHOP);
    let folder = TempDir::new().expect("a folder");
    let first = config(&folder, &source, &target, FIRST, "");
    caught_up(&first);

    let slow = "[snapshot]\nmax_rows_per_second = 200";
    let wider = config(&folder, &source, &target, WIDER, slow);
    let mut host = Host::start(&wider, &[]).expect("a host");
    wait_for(&mut host, "some items", |_| {
        (count(&target, "shop.items") > 0).then_some(())
    });
    run(&source, "ALTER TABLE shop.items ADD COLUMN u INT");
    let exit = host.wait(LIMIT).expect("it stops");
    failed(&exit, "snapshot.definition-changed", 3);
    assert!(exit.stderr.contains("put [replicate] back"), "{exit}");

    // Another choice in the midst of it is refused.
    let other = config(
        &folder,
        &source,
        &target,
        "include = [\"depot.%\", \"shop.orders\"]",
        "",
    );
    let exit = Host::run(&other, &["--until-caught-up"], LIMIT).expect("the host ends");
    failed(&exit, "snapshot.filter-changed", 3);

    // Back to what it was: the pipeline goes on.
    run(&source, "INSERT INTO shop.orders (v) VALUES (77)");
    let first = config(&folder, &source, &target, FIRST, "");
    let exit = caught_up(&first);
    assert!(exit.stderr.contains("is given up"), "{exit}");
    assert_eq!(count(&target, "shop.orders"), 4);

    // What was copied is in the way until it is dropped.
    let wider = config(&folder, &source, &target, WIDER, "");
    let exit = Host::run(&wider, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_ne!(exit.code, 0, "{exit}");
    assert!(
        exit.stderr.contains("drop this one on the target"),
        "{exit}"
    );
    run(&target, "DROP TABLE shop.items, depot.boxes");
    caught_up(&wider);
    compare::assert_equal(&source, &target, &["shop"]);
    assert_eq!(count(&target, "depot.boxes"), 2);
}

/// Before 9.6 the log does not say what a foreign key does to a child's rows: a child that is added to a parent that is whole follows it from the beginning.
#[test]
fn a_child_is_added_whose_parent_is_replicated_already() {
    if !long() {
        return;
    }
    let start = |flavor| Server::builder(flavor).relaxed().start().expect("a server");
    let (source, target) = (start(Flavor::Mysql56), start(Flavor::Mysql97));
    run(
        &source,
        "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY) ENGINE=InnoDB; \
         CREATE TABLE order_lines (id INT AUTO_INCREMENT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES orders (id) ON DELETE CASCADE ON UPDATE SET NULL) ENGINE=InnoDB",
    );
    for id in 0..600 {
        run(
            &source,
            &format!(
                "INSERT INTO shop.orders VALUES ({id}); INSERT INTO shop.order_lines (o) VALUES ({id}), ({id})"
            ),
        );
    }
    let folder = TempDir::new().expect("a folder");
    let more = "[check]\nallow = [\"version\"]\n";
    caught_up(&config(&folder, &source, &target, FIRST, more));
    assert_eq!(count(&target, "shop.orders"), 600);
    let slow = format!("{more}[snapshot]\nmax_rows_per_second = 200");
    let wider = config(&folder, &source, &target, "include = [\"shop.%\"]", &slow);
    let mut host = Host::start(&wider, &[]).expect("a host");
    wait_for(&mut host, "some lines", |_| {
        (count(&target, "shop.order_lines") > 0).then_some(())
    });
    for id in (0..600).step_by(3) {
        run(
            &source,
            &format!(
                "DELETE FROM shop.orders WHERE id = {id}; UPDATE shop.orders SET id = {id} + 10000 WHERE id = {id} + 1"
            ),
        );
    }
    host.interrupt();
    host.wait(LIMIT).expect("an interrupted host ends");
    caught_up(&wider);
    compare::assert_equal(&source, &target, &["shop"]);
    assert_eq!(count(&target, "shop.order_lines"), 800);
}

/// A restart between the definitions and the rows: what foreign keys of the old tables do goes on as before, though the log of such a source does not say it.
#[test]
fn old_tables_go_on_while_definitions_are_held_up() {
    if !long() {
        return;
    }
    let start = |flavor| Server::builder(flavor).relaxed().start().expect("a server");
    let (source, target) = (start(Flavor::Mysql56), start(Flavor::Mysql97));
    run(
        &source,
        "CREATE DATABASE shop; USE shop; CREATE TABLE orders (id INT PRIMARY KEY) ENGINE=InnoDB; \
         CREATE TABLE order_lines (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES orders (id) ON DELETE CASCADE) ENGINE=InnoDB; \
         INSERT INTO orders VALUES (1), (2), (3); INSERT INTO order_lines VALUES (1, 1), (2, 2), (3, 3); \
         CREATE DATABASE depot; CREATE TABLE depot.boxes (id INT PRIMARY KEY) ENGINE=InnoDB; INSERT INTO depot.boxes VALUES (7)",
    );
    let folder = TempDir::new().expect("a folder");
    let more = "[check]\nallow = [\"version\"]\n";
    let first = config(&folder, &source, &target, "include = [\"shop.%\"]", more);
    caught_up(&first);
    // It is in the way, behind the first definition, which makes the schema.
    run(
        &target,
        "CREATE DATABASE depot CHARACTER SET latin1; CREATE TABLE depot.boxes (id INT PRIMARY KEY)",
    );
    let wider = "include = [\"shop.%\", \"depot.%\"]";
    let wider = config(&folder, &source, &target, wider, more);
    let exit = Host::run(&wider, &["--until-caught-up"], LIMIT).expect("the host ends");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("already exists"), "{exit}");
    run(&source, "DELETE FROM shop.orders WHERE id = 2");
    run(&target, "DROP TABLE depot.boxes");
    caught_up(&wider);
    compare::assert_equal(&source, &target, &["shop", "depot"]);
    assert_eq!(count(&target, "shop.order_lines"), 2);
}

/// Without copies whoever adds a table brings its rows over; the log says so.
#[test]
fn tables_are_only_copied_where_copies_are_asked_for() {
    let [source, target] = loading_pair();
    let definitions = "CREATE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY); CREATE TABLE shop.items (id INT PRIMARY KEY)";
    run(&source, definitions);
    run(&target, definitions);
    let folder = TempDir::new().expect("a folder");
    let now = "[start]\nmode = \"now\"";
    caught_up(&config(&folder, &source, &target, FIRST, now));
    run(
        &source,
        "INSERT INTO shop.items VALUES (1); INSERT INTO shop.orders VALUES (1)",
    );
    caught_up(&config(&folder, &source, &target, FIRST, now));
    let wider = config(&folder, &source, &target, WIDER, now);
    let exit = caught_up(&wider);
    assert!(
        exit.stderr
            .contains("only changes from here on are replicated"),
        "{exit}"
    );
    run(&source, "INSERT INTO shop.items VALUES (2)");
    let exit = caught_up(&wider);
    assert!(!exit.stderr.contains("only changes from here on"), "{exit}");
    assert_eq!(
        (
            count(&target, "shop.orders"),
            cell(&target, "SELECT GROUP_CONCAT(id) FROM shop.items")
        ),
        (1, "2".to_owned())
    );
}
