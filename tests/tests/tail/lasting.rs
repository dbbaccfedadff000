//! Networks that are cut, and pipelines beside it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::proxy::{Proxy, WRITE_ROWS, event_type};
use datain_throwaway_servers::{Flavor, Server};
use serde_json::{Value, json};

use crate::{ALL, LIMIT, begun, cell, config, lines, root, server, tail, wait_for};

#[test]
fn a_network_that_is_cut_loses_and_repeats_nothing() {
    let lines = cut(&server());
    assert!(
        lines
            .iter()
            .all(|line| line["transaction"]["id"] == line["source"]["gtid"])
    );
}

#[test]
fn nor_without_gtids_where_a_transaction_is_known_by_its_place() {
    let builder = Server::builder(Flavor::Mysql97).relaxed().without_gtid();
    let lines = cut(&builder.start().expect("a server"));
    for line in &lines {
        let source = &line["source"];
        let place = format!(
            "{}:{}",
            source["file"].as_str().unwrap_or_default(),
            source["pos"]
        );
        assert_eq!(
            (&source["gtid"], &line["transaction"]["id"]),
            (&Value::Null, &json!(place))
        );
    }
}

/// Cuts the network before, between and in the middle of transactions; answers with the lines, one of each row.
fn cut(source: &Server) -> Vec<Value> {
    const SMALL: u64 = 100;
    const LARGE: u64 = 40_000;
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(100))")
        .expect("a table");
    // A slow network, so that a cut finds the large transaction half done.
    let slow = Arc::new(AtomicBool::new(true));
    let proxy = {
        let slow = Arc::clone(&slow);
        Proxy::start(source.port(), move |packet: &mut Vec<u8>| {
            if event_type(packet) == Some(WRITE_ROWS) && slow.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(4));
            }
        })
        .expect("a proxy")
    };
    let path = config(
        &folder,
        proxy.port(),
        &root(),
        "tls = \"disabled\"\nget_server_public_key = true\n",
    );
    let mut host = tail(&path, &[]);
    begun(&host);
    let printed = |host: &Host| host.stdout().lines().count() as u64;
    for id in 1..=SMALL {
        source
            .sql(&format!("INSERT INTO d.t VALUES ({id}, REPEAT('x', 100))"))
            .expect("a row");
        if id % 25 == 10 {
            proxy.cut();
        }
    }
    source
        .sql(&format!(
            "SET cte_max_recursion_depth = 1000000; INSERT INTO d.t WITH RECURSIVE n AS (SELECT {} AS i UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT i, REPEAT('y', 100) FROM n",
            SMALL + 1,
            SMALL + LARGE
        ))
        .expect("a large transaction");
    let mut in_the_middle = 0;
    for part in [8_000, 20_000] {
        wait_for("a part of the large transaction", || {
            printed(&host) > SMALL + part
        });
        proxy.cut();
        in_the_middle += u64::from(printed(&host) < SMALL + LARGE);
    }
    assert_eq!(in_the_middle, 2, "the cuts came too late");
    slow.store(false, Ordering::Relaxed);
    source
        .sql(&format!(
            "INSERT INTO d.t VALUES ({}, 'last')",
            SMALL + LARGE + 1
        ))
        .expect("a row");
    let expected = SMALL + LARGE + 1;
    wait_for("all rows", || printed(&host) >= expected);
    host.interrupt();
    let exit = host.wait(LIMIT).expect("an end");
    assert_eq!(exit.code, 130, "{exit}");
    let lines = lines(&exit);
    let ids: Vec<_> = lines
        .iter()
        .filter_map(|line| line["after"]["id"].as_u64())
        .collect();
    assert!(
        ids.iter().copied().eq(1..=expected),
        "{} rows of {expected}",
        ids.len()
    );
    // The order goes on over the cuts.
    let orders = lines[SMALL as usize..(SMALL + LARGE) as usize].iter();
    let orders = orders.filter_map(|line| line["transaction"]["total_order"].as_u64());
    assert!(orders.eq(1..=LARGE));
    let retries = exit.stderr.matches("retry_in_ms").count();
    assert!(retries >= 3, "{retries} retries: {}", exit.stderr);
    lines
}

#[test]
fn a_pipeline_of_the_same_configuration_goes_on_beside_it() {
    let (source, target) = (server(), server());
    let folder = TempDir::new().expect("a folder");
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)")
        .expect("a table");
    let path =
        Host::config(folder.path(), "orders", &source, &target, ALL).expect("a configuration");
    let dumps = || -> Vec<String> {
        let rows = source
            .query("SELECT PROCESSLIST_ID FROM performance_schema.threads WHERE PROCESSLIST_COMMAND LIKE 'Binlog Dump%' ORDER BY 1")
            .expect("the threads");
        rows.into_iter()
            .filter_map(|mut row| row.remove(0))
            .collect()
    };
    let arrived = |rows: &str| {
        cell(
            &target,
            "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd'",
        ) == "1"
            && cell(&target, "SELECT COUNT(*) FROM d.t") == rows
    };
    let mut pipeline = Host::start(&path, &[]).expect("the host");
    wait_for("the first row", || arrived("1"));
    let own = dumps();
    assert_eq!(own.len(), 1);
    let quiet = pipeline.stderr().len();
    // Two of them disturb each other no more than they disturb the pipeline.
    let mut tails = [tail(&path, &[]), tail(&path, &[])];
    for host in &tails {
        begun(host);
    }
    let beside = dumps();
    assert_eq!(beside.len(), 3);
    assert!(beside.contains(&own[0]), "{own:?} {beside:?}");
    source.sql("INSERT INTO d.t VALUES (2), (3)").expect("rows");
    wait_for("the rows", || arrived("3"));
    for host in &mut tails {
        wait_for("the lines", || host.stdout().lines().count() == 2);
        host.interrupt();
        assert_eq!(host.wait(LIMIT).expect("an end").code, 130);
    }
    source.sql("INSERT INTO d.t VALUES (4)").expect("a row");
    wait_for("the last row", || arrived("4"));
    assert!(dumps().contains(&own[0]), "the pipeline was connected anew");
    assert!(pipeline.is_running().expect("a status"));
    let said = pipeline.stderr();
    assert!(!said[quiet..].contains("WARN"), "{said}");
    pipeline.interrupt();
    assert_eq!(pipeline.wait(LIMIT).expect("an end").code, 130);
    compare::assert_equal(&source, &target, &["d"]);
}
