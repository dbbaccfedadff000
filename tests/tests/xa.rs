//! XA branches over sessions, restarts and kills; those that the pipeline never saw; what a person is told. `scenarios/xa.sql` has the rest.

#![allow(clippy::disallowed_methods, reason = "native test")]

use datain_apply::checkpoint::{self, orders};
use datain_capture::check;
use datain_capture::upcoming;
use datain_contract::types::{Error, Severity};
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::native::{
    CUT, FROM_START, fragile, replicate, replicate_into, session, settings,
};
use datain_tests::scenarios;
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::{Flavor, Server};

const TABLE: &str = "CREATE SCHEMA d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(100));
    INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, 'c');";

const BRANCH: &str = "XA START X'00ff','b',9; INSERT INTO d.t VALUES (10, 'x'), (11, 'y'); UPDATE d.t SET v = 'z' WHERE id = 1;
    DELETE FROM d.t WHERE id = 2; XA END X'00ff','b',9; XA PREPARE X'00ff','b',9;";

/// fidelity: event | XA branches that stay prepared over restarts of source, target and host | equal after the COMMIT
#[test]
fn a_branch_outlives_restarts_of_everything() {
    let (mut source, mut target) = (server(), server());
    let settings = settings(FROM_START);
    run(&source, TABLE);
    run(&source, BRANCH);
    run(&source, "INSERT INTO d.t VALUES (20, 'between')");
    replicate(&source, &target, &settings).expect("replication");
    assert_eq!(
        cell(&target, "SELECT GROUP_CONCAT(id, v ORDER BY id) FROM d.t"),
        "1a,2b,3c,20between",
        "what is prepared is not seen"
    );
    let kept = "SELECT CONCAT(xid, ' ', COUNT(*)) FROM datain.xa_prepared GROUP BY xid";
    assert_eq!(cell(&target, kept), "X'00ff',X'62',9 5");
    source.restart().expect("the source starts again");
    target.restart().expect("the target starts again");
    run(
        &source,
        "XA COMMIT X'00ff','b',9; INSERT INTO d.t VALUES (21, 'after')",
    );
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    assert_eq!(
        cell(&target, "SELECT COUNT(*) FROM datain.xa_prepared"),
        "0"
    );
}

/// fidelity: statement | `XA COMMIT` of a branch that was prepared before the pipeline began | stops: `source.xa-unknown`; `datain check` warns before
/// fidelity: statement | `XA ROLLBACK` of a branch that was prepared before the pipeline began | passes: none of its rows was ever on the target
#[test]
fn a_branch_that_was_never_seen_stops_the_stream_when_it_is_committed() {
    let (source, target) = (server(), server());
    run(&source, TABLE);
    run(&target, TABLE);
    run(&source, BRANCH);
    run(
        &source,
        "XA START 'other'; INSERT INTO d.t VALUES (30, 'x'); XA END 'other'; XA PREPARE 'other'",
    );
    let settings = settings(r#"{"mode":"now"}"#);
    let found = block_on(async {
        let found = check::survey(&mut session(&source), &settings, None, || 0).await;
        let findings = found.expect("a survey").findings;
        let code = "source.xa-prepared";
        findings.into_iter().find(|f| f.code == code).expect(code)
    });
    assert_eq!(found.severity, Severity::Warning);
    assert_eq!(
        found.subjects,
        ["X'00ff',X'62',9", "X'6f74686572',X'',1"],
        "{found:?}"
    );
    assert!(
        found
            .remedy
            .as_deref()
            .is_some_and(|r| r.contains("XA COMMIT X'00ff',X'62',9;"))
    );

    replicate(&source, &target, &settings).expect("replication from now on");
    run(
        &source,
        "XA ROLLBACK 'other'; INSERT INTO d.t VALUES (40, 'x')",
    );
    replicate(&source, &target, &settings).expect("nothing of it was ever here");
    run(&source, "XA COMMIT X'00ff','b',9");
    let error = replicate(&source, &target, &settings).expect_err("its rows were never seen");
    assert_eq!(error.code, "source.xa-unknown", "{error:?}");
    assert!(error.gtid.is_some() && error.position.is_some() && error.hint.is_some());
    // What the one is told who must decide whether to leave it out.
    let next = next(&source, &target).expect("the transaction");
    assert_eq!(next.statements, ["XA COMMIT X'00ff',X'62',9"]);
    assert_eq!(
        cell(&target, "SELECT COUNT(*) FROM d.t"),
        "4",
        "nothing of it was applied"
    );
}

/// What `datain skip` would show.
fn next(source: &Server, target: &Server) -> Option<upcoming::Upcoming> {
    block_on(async {
        let stored = checkpoint::read(&mut session(target), "native").await;
        let stored = stored.expect("the row").expect("the pipeline");
        let checkpoint = stored.checkpoint.expect("a checkpoint");
        upcoming::after(
            session(source),
            &settings(FROM_START),
            &checkpoint,
            std::future::pending(),
        )
        .await
        .expect("the log")
    })
}

#[test]
fn a_prepared_branch_is_described_kept_and_removed() {
    let (source, target) = (server(), server());
    let settings = settings(FROM_START);
    run(&source, TABLE);
    replicate(&source, &target, &settings).expect("replication");
    run(&source, BRANCH);
    let found = next(&source, &target).expect("the branch");
    assert_eq!(found.statements, ["XA PREPARE X'00ff',X'62',9"]);
    let changes = found.tables["d.t"];
    assert_eq!(
        (changes.inserted, changes.updated, changes.deleted),
        (2, 1, 1)
    );
    assert_eq!(found.unreadable, None);
    replicate(&source, &target, &settings).expect("replication");
    assert_eq!(next(&source, &target), None);
    let removal = block_on(orders::remove(&mut session(&target), "native")).expect("removed");
    assert!(removal.known && removal.dropped_schema, "{removal:?}");
    run(&source, "XA ROLLBACK X'00ff','b',9");
}

#[test]
fn a_branch_whose_rows_no_longer_fit_stops_and_stays() {
    let (source, target) = (server(), server());
    let settings = settings(FROM_START);
    run(&source, TABLE);
    run(&source, BRANCH);
    replicate(&source, &target, &settings).expect("replication");
    run(&target, "DELETE FROM d.t WHERE id = 2");
    run(&source, "XA COMMIT X'00ff','b',9");
    let error = replicate(&source, &target, &settings).expect_err("a row is missing");
    assert_eq!(error.code, "row.missing", "{error:?}");
    assert_eq!(error.table.as_deref(), Some("d.t"));
    assert_eq!(
        cell(&target, "SELECT GROUP_CONCAT(id, v ORDER BY id) FROM d.t"),
        "1a,3c"
    );
    run(&target, "INSERT INTO d.t VALUES (2, 'b')");
    replicate(&source, &target, &settings).expect("mended");
    compare::assert_equal(&source, &target, &["d"]);
    // Damage is noticed, whatever it is.
    run(
        &source,
        &BRANCH
            .replace("(10, 'x'), (11, 'y')", "(12, 'x')")
            .replace("id = 2", "id = 3"),
    );
    replicate(&source, &target, &settings).expect("prepared");
    run(
        &target,
        "CREATE TABLE d.good AS SELECT * FROM datain.xa_prepared",
    );
    run(&source, "XA COMMIT X'00ff','b',9");
    for damage in [
        "DELETE FROM datain.xa_prepared WHERE part = 2",
        "DELETE FROM datain.xa_prepared WHERE part = 1",
        "DELETE FROM datain.xa_prepared WHERE part = 0",
        "UPDATE datain.xa_prepared SET data = LEFT(data, 3) WHERE part = 3",
        "UPDATE datain.xa_prepared SET data = CONCAT(data, 'x') WHERE part = 3",
        "UPDATE datain.xa_prepared SET kind = 'other' WHERE part = 3",
        "UPDATE datain.xa_prepared SET note = '{}' WHERE part = 2",
    ] {
        run(&target, damage);
        let error = replicate(&source, &target, &settings).expect_err(damage);
        assert_eq!(error.code, "checkpoint.xa-damaged", "{damage}: {error:?}");
        run(
            &target,
            "DELETE FROM datain.xa_prepared; INSERT INTO datain.xa_prepared SELECT * FROM d.good",
        );
    }
    run(&target, "DROP TABLE d.good");
    replicate(&source, &target, &settings).expect("whole again");
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn a_row_larger_than_a_part_and_tables_that_are_filtered() {
    let (source, target) = (server(), server());
    let settings = serde_json::from_str(
        r#"{"stream":"native","server_id":77,"include":["d.t","d.big"],"start":{"mode":"gtid","gtid_set":""}}"#,
    )
    .expect("settings");
    run(&source, "CREATE SCHEMA d; CREATE TABLE d.t (id INT PRIMARY KEY); CREATE TABLE d.out_of_it (id INT PRIMARY KEY);
        CREATE TABLE d.big (id INT PRIMARY KEY, b LONGBLOB)");
    run(
        &source,
        "XA START 'big'; INSERT INTO d.big VALUES (1, REPEAT(X'005c27ff', 700000)), (2, ''); INSERT INTO d.out_of_it VALUES (1);
         INSERT INTO d.t VALUES (1); XA END 'big'; XA PREPARE 'big';
         XA START 'none'; INSERT INTO d.out_of_it VALUES (2); XA END 'none'; XA PREPARE 'none'",
    );
    replicate(&source, &target, &settings).expect("replication");
    let parts = "SELECT COUNT(*) FROM datain.xa_prepared WHERE kind = 'more'";
    assert!(cell(&target, parts).parse::<u32>().is_ok_and(|n| n > 10));
    run(&source, "XA COMMIT 'none'; XA COMMIT 'big'");
    replicate(&source, &target, &settings).expect("replication");
    let sum = "SELECT GROUP_CONCAT(id, SHA2(b, 256)) FROM d.big";
    assert_eq!(cell(&source, sum), cell(&target, sum));
    assert_eq!(cell(&target, "SELECT COUNT(*) FROM d.t"), "1");
    assert_eq!(
        cell(&target, "SELECT COUNT(*) FROM datain.xa_prepared"),
        "0"
    );
}

/// Branches are kept, applied and forgotten with the checkpoint, at whichever step the connection is lost; also a large one, and with the session changed each time.
#[test]
fn a_cut_at_any_step_of_a_branch_neither_loses_nor_repeats() {
    let (source, target) = (server(), server());
    let settings = settings(FROM_START);
    let mut cuts = 0;
    run(&source, TABLE);
    for step in [
        BRANCH,
        "XA START 'l'; INSERT INTO d.t WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
         SELECT i, REPEAT('x', 100) FROM n; XA END 'l'; XA PREPARE 'l'",
        "XA COMMIT 'l'; INSERT INTO d.t VALUES (5, 'between')",
        "XA ROLLBACK X'00ff','b',9",
        "XA START 'm'; INSERT INTO d.t WITH RECURSIVE n (i) AS (SELECT 1100 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
         SELECT i, REPEAT('x', 100) FROM n; XA END 'm'; XA COMMIT 'm' ONE PHASE",
    ] {
        run(&source, step);
        for writes in 1.. {
            let done = fragile(&target, writes)
                .and_then(|target| replicate_into(&source, target, &settings));
            match done {
                Ok(_) => break,
                Err(error) => assert_eq!(error.code, CUT, "{step} after {writes}: {error:?}"),
            }
            cuts += 1;
        }
        compare::assert_equal(&source, &target, &["d"]);
    }
    assert!(cuts > 50, "{cuts}");
    assert_eq!(
        cell(&target, "SELECT COUNT(*) FROM datain.xa_prepared"),
        "0"
    );
}

/// The tables as format 2 made them, with a pipeline in them.
#[test]
fn a_pipeline_of_an_older_format_goes_on() {
    let (source, target) = (server(), server());
    let settings = settings(FROM_START);
    run(&source, TABLE);
    replicate(&source, &target, &settings).expect("replication");
    run(
        &target,
        "DROP TABLE datain.xa_prepared, datain.ahead, datain.cutovers; UPDATE datain.checkpoints SET format = 2",
    );
    let read = || block_on(checkpoint::read(&mut session(&target), "native"));
    let before = read().expect("readable").expect("the pipeline");
    assert!(before.checkpoint.is_some());
    run(&source, BRANCH);
    replicate(&source, &target, &settings).expect("replication");
    run(&source, "XA COMMIT X'00ff','b',9");
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    assert_eq!(cell(&target, "SELECT format FROM datain.checkpoints"), "5");
    // Removing one that nobody opened since.
    run(
        &target,
        "DROP TABLE datain.xa_prepared, datain.ahead, datain.cutovers; UPDATE datain.checkpoints SET format = 2",
    );
    let removal = block_on(orders::remove(&mut session(&target), "native")).expect("removed");
    assert!(removal.known && removal.dropped_schema, "{removal:?}");
    // A later one is refused.
    replicate(&source, &target, &settings).expect_err("the rows are there already");
    run(&target, "UPDATE datain.checkpoints SET format = 6");
    let error: Error = read().expect_err("a later format");
    assert_eq!(error.code, "checkpoint.format");
}

/// Format 3 lacks the tables `ahead` and `cutovers` only. What it keeps of branches goes with the pipeline, also where nobody has opened it since.
#[test]
fn a_pipeline_of_format_3_goes_on_and_is_removed_whole() {
    let (source, target) = (server(), server());
    let settings = settings(FROM_START);
    run(&source, TABLE);
    run(&source, BRANCH);
    replicate(&source, &target, &settings).expect("replication");
    let older =
        "DROP TABLE datain.ahead, datain.cutovers; UPDATE datain.checkpoints SET format = 3";
    run(&target, older);
    run(&source, "XA COMMIT X'00ff','b',9");
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    assert_eq!(cell(&target, "SELECT format FROM datain.checkpoints"), "5");
    run(
        &source,
        "XA START 'second'; UPDATE d.t SET v = 'w' WHERE id = 1; XA END 'second'; XA PREPARE 'second'",
    );
    replicate(&source, &target, &settings).expect("replication");
    // Another pipeline keeps the tables.
    block_on(orders::set_stopped(&mut session(&target), "other", true)).expect("a pipeline");
    run(&target, older);
    let kept = "SELECT COUNT(*) FROM datain.xa_prepared";
    assert_ne!(cell(&target, kept), "0");
    let removal = block_on(orders::remove(&mut session(&target), "native")).expect("removed");
    assert!(removal.known && !removal.dropped_schema, "{removal:?}");
    assert_eq!(cell(&target, kept), "0");
    run(&source, "XA ROLLBACK 'second'");
}

/// fidelity: event | XA branches and `CREATE TABLE … SELECT` with `binlog_transaction_compression = ON` | as without
#[test]
fn branches_and_created_tables_in_compressed_transactions() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("binlog_transaction_compression=ON")
        .start()
        .expect("a server");
    let target = server();
    let settings = settings(FROM_START);
    let list = scenarios::all().expect("the scenarios");
    for scenario in list.into_iter().filter(|s| s.runs_on(Flavor::Mysql97)) {
        if !["xa.sql", "create_select.sql"].contains(&scenario.name.as_str()) {
            continue;
        }
        run(&source, &scenario.sql);
        replicate(&source, &target, &settings)
            .unwrap_or_else(|e| panic!("{}: {e:?}", scenario.name));
        compare::assert_equal(&source, &target, &scenario.schemas());
    }
    let compressed = "SELECT SUM(TRANSACTION_COUNTER) FROM performance_schema.binary_log_transaction_compression_stats WHERE LOG_TYPE = 'BINARY' AND COMPRESSION_TYPE = 'ZSTD'";
    assert!(
        cell(&source, compressed)
            .parse::<u32>()
            .is_ok_and(|n| n > 20),
        "{}",
        cell(&source, compressed)
    );
}
