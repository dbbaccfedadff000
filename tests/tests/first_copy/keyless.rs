//! Tables without a key: copied in one go while equal rows come and go, and their rows found by all that they hold.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native;
use datain_tests::rough::replicate_roughly;
use datain_tests::seed::{Rng, long, seed};
use datain_tests::servers::{cell, loading_pair, run, server};
use datain_throwaway_servers::{Flavor, Server};

use super::{LIMIT, refused_with, settings};

/// Equal rows, rows that are equal but for what a collation or a sign of zero makes of it, a parent, and a table whose primary key is a prefix.
const BAG: &str = "
CREATE DATABASE b; USE b;
CREATE TABLE bag (a INT, t VARCHAR(20), f DOUBLE, s SET('x','y','z'), e ENUM('k','l') NOT NULL DEFAULT 'k', d DATETIME(3), c DECIMAL(8,2), g INT AS (a + 1) VIRTUAL, y VARBINARY(9), KEY (a));
CREATE TABLE other (x INT, y INT);
CREATE TABLE with_key (id INT PRIMARY KEY, v INT);
CREATE TABLE prefix_ (t TEXT, v INT, PRIMARY KEY (t(9)));
INSERT INTO bag (a, t, f, s, d, c, y) WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 200)
    SELECT n % 20, ELT(n % 5 + 1, 'a', 'A', 'á', NULL, 'a '), ELT(n % 3 + 1, 0, -0e0, 1.5e0), n % 8, '2020-01-01 00:00:00.5', n % 2, CHAR(n % 2) FROM r;
INSERT INTO other SELECT a, a FROM bag;
INSERT INTO with_key SELECT n, n FROM (SELECT ROW_NUMBER() OVER () AS n FROM bag) AS x;
INSERT INTO prefix_ SELECT CONCAT(id, 'x'), v FROM with_key;
CREATE DATABASE churning; CREATE TABLE churning.calls (n INT);
CREATE PROCEDURE churning.churn(IN times INT) BEGIN
  WHILE times > 0 DO
    INSERT INTO b.bag (a, t, f, s, d, c, y) SELECT a, IF(RAND() < 0.5, t, UPPER(t)), f, s, d, c, y FROM b.bag ORDER BY RAND() LIMIT 3;
    UPDATE b.bag SET a = a + 1, t = ELT(1 + FLOOR(RAND() * 3), t, LOWER(t), 'á') ORDER BY RAND() LIMIT 2;
    UPDATE b.bag SET f = -f ORDER BY RAND() LIMIT 2;
    DELETE FROM b.bag ORDER BY RAND() LIMIT 3;
    UPDATE b.with_key SET v = v + 1 ORDER BY RAND() LIMIT 2;
    UPDATE b.prefix_ SET v = v + 1 ORDER BY RAND() LIMIT 2;
    UPDATE b.other SET y = y + 1 WHERE x = 3 LIMIT 1;
    SET times = times - 1;
  END WHILE;
END
";

/// Makes the tables: the procedure's body holds semicolons.
fn fill(source: &Server) {
    let (tables, procedure) = BAG.split_once("CREATE PROCEDURE").expect("both");
    run(source, tables);
    run(
        source,
        &format!("DELIMITER //\nCREATE PROCEDURE{procedure}//\nDELIMITER ;\n"),
    );
}

/// Lets the source change while something is done, for some seconds at most: what changes must be found by reading whole tables.
fn under_load<T>(source: &Server, work: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stop = &stop;
        let load = scope.spawn(move || {
            for _ in 0..if long() { 200 } else { 20 } {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                run(source, "CALL churning.churn(5)");
            }
        });
        let done = work();
        stop.store(true, Ordering::Relaxed);
        load.join().expect("the load ends");
        done
    })
}

/// Connections are lost on the way, so that the copy begins again and again, and the table is never still.
#[test]
fn a_table_without_a_key_arrives_while_it_changes() {
    let seed = seed("keyless");
    let mut rng = Rng::with_seed(seed);
    for gtids in [true, false] {
        let start = || {
            let builder = Server::builder(Flavor::Mysql97)
                .relaxed()
                .option("local_infile=ON");
            if gtids {
                builder
            } else {
                builder.without_gtid()
            }
            .start()
            .expect("a server")
        };
        let source = start();
        let target = loading_pair().into_iter().next().expect("a server");
        fill(&source);
        let mut settings = settings("bag");
        settings.include = vec!["b.%".to_owned()];
        settings.keyless = true;
        settings.chunk_rows = 100;
        let cuts = if long() { 80 } else { 60 };
        let lost = under_load(&source, || {
            let lost = replicate_roughly(&source, &target, &settings, &mut rng, cuts);
            lost.unwrap_or_else(|error| panic!("DATAIN_SEED={seed}: {error:?}"))
        });
        replicate_roughly(&source, &target, &settings, &mut rng, 20).expect("the rest");
        println!("GTIDs {gtids}: {lost} connections lost");
        compare::assert_equal(&source, &target, &["b"]);
    }
}

/// The host is killed in the midst of a large one: what it has left is removed, and all is read again.
#[test]
fn a_copy_that_is_killed_in_a_table_without_a_key_begins_it_anew() {
    let [source, target] = loading_pair();
    fill(&source);
    run(
        &source,
        "CREATE TABLE b.large (t VARCHAR(100)); INSERT INTO b.large SELECT REPEAT(t, 30) FROM b.bag",
    );
    for _ in 0..if long() { 11 } else { 9 } {
        run(&source, "INSERT INTO b.large SELECT * FROM b.large");
    }
    let folder = TempDir::new().expect("a folder");
    let config = Host::config(
        folder.path(),
        "large",
        &source,
        &target,
        "[start]\nmode = \"snapshot\"\n[replicate]\ninclude = [\"b.%\"]\n[check]\nallow = [\"no-primary-key\"]\n",
    )
    .expect("a configuration");
    under_load(&source, || {
        let mut host = Host::start(&config, &[]).expect("a host");
        let end = Instant::now() + LIMIT;
        let some = "SELECT 1 FROM b.large LIMIT 1";
        while target.query(some).map_or(true, |rows| rows.is_empty()) && Instant::now() < end {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        host.kill();
        let _ = host.wait(LIMIT);
    });
    let place = cell(&target, "SELECT state FROM datain.checkpoints");
    assert!(
        place.contains("\"open\":[{\"schema\":\"b\",\"name\":\"large\""),
        "{place}"
    );
    let exit = under_load(&source, || {
        Host::run(&config, &["--until-caught-up"], LIMIT)
    });
    assert_eq!(exit.expect("it ends").code, 0);
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    compare::assert_equal(&source, &target, &["b"]);
}

/// By default they are refused, all of them at once; and where rows cannot be found exactly, always.
#[test]
fn tables_without_a_key_are_refused_by_name() {
    let source = server();
    fill(&source);
    let mut settings = settings("refused");
    let error = refused_with(&source, &settings, "DO 0");
    assert_eq!(error.code, "snapshot.no-key", "{error:?}");
    let detail = error.detail.unwrap_or_default();
    assert!(
        detail.contains("`b`.`bag`, `b`.`other`, `churning`.`calls`"),
        "{detail}"
    );
    assert!(
        !detail.contains("with_key") && !detail.contains("prefix_"),
        "{detail}"
    );
    // A row that is not there is an error, whichever rows are like it.
    let target = server();
    settings.keyless = true;
    native::replicate(&source, &target, &settings).expect("a copy");
    run(
        &target,
        "DELETE FROM b.bag WHERE t = 'A' COLLATE utf8mb4_bin",
    );
    run(
        &source,
        "DELETE FROM b.bag WHERE t = 'A' COLLATE utf8mb4_bin LIMIT 1",
    );
    let error = native::replicate(&source, &target, &settings).expect_err("it is missing");
    assert_eq!(error.code, "row.missing", "{error:?}");
    run(
        &source,
        "DROP DATABASE b; CREATE DATABASE j; CREATE TABLE j.t (j JSON); INSERT INTO j.t VALUES ('1')",
    );
    settings.include = vec!["j.%".to_owned()];
    settings.stream = "json".to_owned();
    settings.server_id += 1;
    let error = native::replicate(&source, &target, &settings).expect_err("it is refused");
    assert_eq!(
        (error.code.as_str(), error.table.as_deref()),
        ("table.no-key", Some("j.t"))
    );
}
