//! `preserve_commit_order = false`: a younger group is committed although an older one is not, and that is not forgotten.

use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::Host;
use datain_tests::servers::{cell, loading_pair, server};
use datain_throwaway_servers::{Flavor, Server};

use super::lab::{LIMIT, Pipeline, number, until};
use super::race::AHEAD;

const ANY_ORDER: &str = "preserve_commit_order = false";

/// A start that takes everything.
const FROM_START: &str = "mode = \"gtid\"\ngtid_set = \"\"";

pub fn without_gtids() -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .without_gtid()
        .start()
        .expect("a server")
}

/// By GTID, and by file and position without GTIDs.
fn both_kinds() -> [(Pipeline, Host); 2] {
    let source = without_gtids();
    let file = cell(&source, "SHOW BINARY LOGS");
    let place = format!("mode = \"position\"\nfile = \"{file}\"\nposition = 4");
    [
        Pipeline::start_between(loading_pair(), FROM_START, ANY_ORDER),
        Pipeline::start_between([source, without_gtids()], &place, ANY_ORDER),
    ]
}

impl Pipeline {
    /// Lets an older group wait for a client of the target, and younger ones go ahead of it. That must be done within a second, lest the older one asks all others for their locks; so it is
    /// tried again on a machine that has much to do.
    fn go_ahead(&self) -> super::lab::Holder {
        let value = |server: &Server, table: &str| {
            number(server, &format!("SELECT v FROM d.{table} WHERE id = 1"))
        };
        let same = |table| value(&self.source, table) == value(&self.target, table);
        for _ in 0..20 {
            let mut holder = self.holder("UPDATE d.a SET v = v WHERE id = 1");
            self.waits("UPDATE d.a SET v = v + 7 WHERE id = 1", "UPDATE %`d`.`a`");
            // More than one, and between them what is no change.
            self.source("UPDATE d.b SET v = v + 10 WHERE id = 1");
            self.source("CREATE USER IF NOT EXISTS somebody; DROP USER somebody");
            let end = Instant::now() + Duration::from_secs(3);
            while Instant::now() < end {
                if number(&self.target, AHEAD) > 0 {
                    assert!(same("b") && !same("a"));
                    return holder;
                }
            }
            holder.tell("ROLLBACK");
            until("both are there", || same("a") && same("b"));
        }
        panic!("no younger group went ahead");
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
        assert!(exit.stderr.contains("they are passed over"), "{exit}");
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
    assert!(
        exit.stderr
            .contains("until the pipeline goes on, the target holds what is newer"),
        "{exit}"
    );
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

/// A replica of the source that has all up to the checkpoint and not what is ahead of it.
#[test]
fn a_source_that_lacks_what_went_ahead_is_refused() {
    let [(pipeline, mut host), _] = both_kinds();
    let mut holder = pipeline.go_ahead();
    host.kill();
    host.wait(LIMIT).expect("it ends");
    holder.tell("ROLLBACK");
    let display = cell(&pipeline.target, "SELECT display FROM datain.checkpoints");
    let (_, covered) = display.split_once(' ').expect("file, offset and set");
    let replica = server();
    replica
        .sql(&format!(
            "RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '{covered}'"
        ))
        .expect("a replica");
    let more = Pipeline::more(FROM_START, ANY_ORDER);
    let config = Host::config(
        pipeline.folder(),
        "order",
        &replica,
        &pipeline.target,
        &more,
    );
    let config = config.expect("a configuration");
    let exit = Host::run(&config, &["--until-caught-up"], LIMIT).expect("it ends");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(exit.stderr.contains("error[source.diverged]"), "{exit}");
}

/// The note says that a transaction is there, though the filter of its time left a table out.
#[test]
fn another_filter_has_to_wait_for_what_went_ahead_under_the_one_before() {
    let [(pipeline, mut host), _] = both_kinds();
    let mut holder = pipeline.go_ahead();
    host.kill();
    host.wait(LIMIT).expect("it ends");
    holder.tell("ROLLBACK");
    let configure = |replicate: &str| {
        let more = Pipeline::more(FROM_START, ANY_ORDER);
        let more = format!("{more}[replicate]\n{replicate}\n");
        let servers = (&pipeline.source, &pipeline.target);
        Host::config(pipeline.folder(), "order", servers.0, servers.1, &more)
            .expect("a configuration");
        Host::run(&pipeline.config, &["--until-caught-up"], LIMIT).expect("it ends")
    };
    let exit = configure("exclude = [\"d.digit\"]");
    assert_eq!(exit.code, 3, "{exit}");
    assert!(
        exit.stderr.contains("error[checkpoint.filter-changed]"),
        "{exit}"
    );
    let value = |server| number(server, "SELECT v FROM d.a WHERE id = 1");
    let (source, target) = (value(&pipeline.source), value(&pipeline.target));
    assert_eq!(source, target + 7, "nothing was applied");
    for replicate in ["", "exclude = [\"d.digit\"]"] {
        let exit = configure(replicate);
        assert_eq!(exit.code, 0, "{exit}");
    }
    compare::assert_equal(&pipeline.source, &pipeline.target, &["d"]);
}
