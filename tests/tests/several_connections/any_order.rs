//! `preserve_commit_order = false`: a younger group is committed although an older one is not, and that is not forgotten.

use std::cell::Cell;
use std::collections::VecDeque;
use std::hash::RandomState;
use std::rc::Rc;

use datain_apply::checkpoint::Beginning;
use datain_apply::engine::{Done, Engine, More, Opened};
use datain_capture::reader::Reader;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::Host;
use datain_tests::native;
use datain_tests::rough::settings;
use datain_tests::servers::{cell, loading_pair};
use datain_throwaway_servers::{Flavor, Server};

use super::lab::{LIMIT, Pipeline, TABLES, WARM, number, until};

const ANY_ORDER: &str = "preserve_commit_order = false";

/// Groups that are in the target beyond the checkpoint.
const AHEAD: &str = "SELECT COUNT(*) FROM datain.ahead WHERE ordinal > 0";

fn without_gtids() -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .without_gtid()
        .start()
        .expect("a server")
}

/// By GTID, and by file and position without GTIDs.
fn both_kinds() -> [(Pipeline, Host); 2] {
    let gtids = "mode = \"gtid\"\ngtid_set = \"\"";
    let source = without_gtids();
    let file = cell(&source, "SHOW BINARY LOGS");
    let place = format!("mode = \"position\"\nfile = \"{file}\"\nposition = 4");
    [
        Pipeline::start_between(loading_pair(), gtids, ANY_ORDER),
        Pipeline::start_between([source, without_gtids()], &place, ANY_ORDER),
    ]
}

impl Pipeline {
    /// Lets an older group wait for a client of the target, and younger ones go ahead of it.
    fn go_ahead(&self) -> super::lab::Holder {
        let holder = self.holder("UPDATE d.a SET v = v WHERE id = 1");
        self.waits("UPDATE d.a SET v = 7 WHERE id = 1", "UPDATE %`d`.`a`");
        // More than one, and between them what is no change.
        self.source("UPDATE d.b SET v = v + 10 WHERE id = 1");
        self.source("CREATE USER IF NOT EXISTS somebody; DROP USER somebody");
        until("the younger group is there", || {
            number(&self.target, AHEAD) > 0
        });
        assert_eq!(cell(&self.target, "SELECT v FROM d.b WHERE id = 1"), "11");
        assert_eq!(cell(&self.target, "SELECT v FROM d.a WHERE id = 1"), "1");
        holder
    }
}

#[test]
fn a_younger_group_goes_ahead_and_the_checkpoint_takes_it_in() {
    for (pipeline, host) in both_kinds() {
        let mut holder = pipeline.go_ahead();
        holder.tell("ROLLBACK");
        pipeline.source("UPDATE d.b SET v = v + 1 WHERE id = 1");
        let exit = pipeline.ends_equal(host);
        assert!(!exit.stderr.contains("error"), "{exit}");
        compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
        assert_eq!(number(&pipeline.target, AHEAD), 0);
    }
}

/// Additions would show if one were made twice. The next host may keep the order or not.
#[test]
fn what_went_ahead_is_not_repeated_after_a_kill() {
    for (pipeline, mut host) in both_kinds() {
        let mut holder = pipeline.go_ahead();
        host.kill();
        host.wait(LIMIT).expect("it ends");
        holder.tell("ROLLBACK");
        pipeline.source("UPDATE d.b SET v = v + 100 WHERE id IN (1, 2)");
        pipeline.source("DELETE FROM d.b WHERE id = 1; INSERT INTO d.b VALUES (1, 5)");
        let exit = Host::run(&pipeline.config, &["--until-caught-up"], LIMIT).expect("it ends");
        assert_eq!(exit.code, 0, "{exit}");
        compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
        let left = "SELECT GROUP_CONCAT(ordinal, ' ', names) FROM datain.ahead WHERE ordinal > 0";
        assert_eq!(cell(&pipeline.target, left), "");
    }
}

/// An older group fails for good: the error names its transaction, and after a skip everything else is there once.
#[test]
fn an_older_group_that_fails_is_skipped_and_what_went_ahead_stays() {
    let [(pipeline, mut host), _] = both_kinds();
    pipeline
        .target
        .sql("DELETE FROM d.a WHERE id = 1")
        .expect("a difference");
    let mut holder = pipeline.holder("INSERT INTO d.a VALUES (1, 1)");
    pipeline.waits("UPDATE d.a SET v = 7 WHERE id = 1", "UPDATE %`d`.`a`");
    pipeline.source("UPDATE d.b SET v = v + 10 WHERE id = 1");
    until("the younger group is there", || {
        number(&pipeline.target, AHEAD) > 0
    });
    holder.tell("ROLLBACK");
    let exit = host.wait(LIMIT).expect("it ends");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[row.missing]"), "{exit}");
    let config = pipeline.config.to_str().expect("a path");
    let skip = ["skip", "-c", config, "--yes", "--reason", "a test"];
    let skipped = Host::command(&skip, LIMIT).expect("it ends");
    assert_eq!(skipped.code, 0, "{skipped}");
    let exit = Host::run(&pipeline.config, &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 0, "{exit}");
    pipeline
        .target
        .sql("INSERT INTO d.a VALUES (1, 7)")
        .expect("what was skipped");
    compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
    assert_eq!(number(&pipeline.target, AHEAD), 0);
}

/// A writer whose pipeline was taken over meanwhile commits nothing ahead either.
#[test]
fn a_writer_that_was_replaced_commits_nothing_ahead() {
    let servers = loading_pair();
    let [source, target] = &servers;
    let mut settings = settings("ahead");
    settings.one_by_one = true;
    source.sql(TABLES).expect("tables");
    native::replicate(source, target, &settings).expect("replication");
    source.sql(WARM).expect("changes");
    source.sql("UPDATE d.a SET v = 7").expect("a change");
    source.sql("UPDATE d.b SET v = 7").expect("a change");
    let beginning = Beginning::default();
    let open = || {
        let opened =
            Engine::<_, RandomState>::open(native::session(target), &settings.stream, &beginning);
        block_on(opened).expect("an engine")
    };
    let Opened {
        mut engine,
        checkpoint,
        ..
    } = open();
    let held = Rc::new(Cell::new(false));
    for number in 0..2 {
        let mut further = native::session(target);
        if number == 0 {
            further.stream_mut().hold(Rc::clone(&held));
        }
        block_on(engine.add_connection(further)).expect("a connection");
    }
    let mut holder = native::session(target);
    engine.commit_in_any_order();
    let error = block_on(async {
        let session = native::session(source);
        let mut reader = Reader::open(session, &settings, checkpoint.as_ref(), false).await?;
        let mut transactions = VecDeque::new();
        while !reader.progress().reached_head {
            let batch = reader.next_batch(1 << 20, |_| {}).await?;
            engine.add_tables(batch.tables);
            let rows = batch.rows;
            transactions.extend(batch.transactions.into_iter().map(|t| (t, rows.clone())));
        }
        let mut younger = transactions.pop_back();
        for (transaction, rows) in transactions {
            if engine.can_commit() {
                engine.commit().await?;
            }
            engine.apply(transaction, &rows).await?;
        }
        // For this the older group waits, and nobody here waits for its connection.
        held.set(true);
        holder.exec(b"START TRANSACTION").await?;
        holder.exec(b"UPDATE d.a SET v = v WHERE id = 1").await?;
        let mut replaced = None;
        let durable = engine.commit_while(|next| {
            if let Some((transaction, rows)) = younger.take() {
                assert!(next.collect(&transaction, &rows, &mut Done::default())?);
                return Ok(More::Added);
            }
            replaced.get_or_insert_with(open);
            Ok(More::Full)
        });
        durable.await
    })
    .expect_err("it was replaced");
    assert_eq!(error.code, "checkpoint.fenced", "{error:?}");
    assert_eq!(number(target, AHEAD), 0);
    assert_eq!(number(target, "SELECT SUM(v) FROM d.b"), 10, "as before");
}
