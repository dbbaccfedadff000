//! Which groups go ahead of older ones, and what is left of that after a kill, an order, or a removal: engines without a host.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use datain_apply::checkpoint::orders::{self, Skipped};
use datain_apply::checkpoint::{self, Beginning};
use datain_contract::types::Checkpoint;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::servers::{cell, loading_pair, server};
use datain_throwaway_servers::{Flavor, Server};

use super::any_order::without_gtids;
use super::lab::number;
use super::race::{AHEAD, Race, behind, client};

const ONE: &str = "UPDATE d.a SET v = 7";
const OTHER: &str = "UPDATE d.b SET v = 7";

fn equal(race: &Race) {
    compare::assert_equal(&race.servers[0], race.target(), &["d"]);
    assert_eq!(race.ahead(), 0, "no note is left");
}

/// Values that rows of the older group held only in between are put there again, one by one, after a kill.
#[test]
fn a_group_that_takes_a_value_which_an_older_one_held_in_between_does_not_go_ahead() {
    let with_steps = [
        [
            "INSERT INTO d.l VALUES (1, 1)",
            "DELETE FROM d.l WHERE id = 1",
        ],
        [
            "INSERT INTO d.l VALUES (1, 1)",
            "UPDATE d.l SET u = 5 WHERE id = 1",
        ],
        [
            "INSERT INTO d.l VALUES (5, 1)",
            "UPDATE d.l SET id = 6, u = 6 WHERE id = 5",
        ],
        [
            "UPDATE d.m SET id = 2 WHERE id = 50",
            "UPDATE d.m SET id = 3 WHERE id = 2",
        ],
    ];
    let younger = "INSERT INTO d.l VALUES (2, 1); INSERT INTO d.m VALUES (2)";
    let mut race = Race::new();
    race.older = 2;
    race.source("CREATE TABLE d.l (id INT PRIMARY KEY, u INT UNIQUE); CREATE TABLE d.m (id INT PRIMARY KEY)");
    race.pass(usize::MAX).expect("the tables");
    let began = "DELETE FROM d.l; DELETE FROM d.m; INSERT INTO d.m VALUES (50); INSERT INTO d.l VALUES (50, 50)";
    for [first, second] in with_steps {
        race.source(began);
        race.source(first);
        race.source(second);
        race.source(&format!("BEGIN; {younger}; COMMIT"));
        let went = race.run(|| {}).expect("replication");
        assert_eq!(went, 0, "{first}; {second}");
        equal(&race);
    }
    race.source(began);
    race.source("INSERT INTO d.l VALUES (1, 5)");
    race.source("UPDATE d.m SET id = 4");
    race.source(&format!("BEGIN; {younger}; COMMIT"));
    assert_eq!(race.run(|| {}).expect("replication"), 1, "others do");
    equal(&race);
}

/// What is ahead of a place that is given up, or of none, would be taken for something else at the next opening.
#[test]
fn no_group_goes_ahead_before_the_first_checkpoint() {
    let mut race = Race::between(loading_pair());
    let executed = cell(&race.servers[0], "SELECT @@gtid_executed").replace('\n', "");
    race.settings.start = behind(&executed);
    race.beginning = Beginning {
        place: format!("gtid {executed}"),
        is_place: true,
        set_position: true,
        ..Beginning::default()
    };
    race.older = usize::MAX;
    race.source("UPDATE d.a SET v = 7 WHERE id = 1");
    race.source("UPDATE d.a SET v = 7 WHERE id = 2");
    assert_eq!(race.run(|| {}).expect("replication"), 0);
    // From then on it is as ever.
    race.source("UPDATE d.a SET v = 8 WHERE id = 1");
    race.source("UPDATE d.a SET v = 8 WHERE id = 2");
    assert_eq!(race.run(|| {}).expect("replication"), 1);
    equal(&race);
}

/// What somebody does while two groups are under way.
type Order = fn(&Race);

/// A person's order, or another writer, comes between two groups: neither is committed.
#[test]
fn nothing_goes_ahead_after_an_order_or_a_new_writer() {
    let orders: [(&str, Order); 4] = [
        ("checkpoint.fenced", |race| {
            race.open().expect("another writer");
        }),
        ("checkpoint.overruled", |race| {
            let stop = orders::set_stopped;
            let stream = &race.settings.stream;
            block_on(stop(&mut client(race), stream, true)).expect("a stop");
            block_on(stop(&mut client(race), stream, false)).expect("a start");
        }),
        ("checkpoint.overruled", |race| {
            skip(race, "nothing that is known").expect("a skip");
        }),
        // Of the same name, and with as many openings.
        ("checkpoint.fenced", |race| {
            let stream = &race.settings.stream;
            block_on(orders::remove(&mut client(race), stream)).expect("a removal");
            for _ in 0..2 {
                race.open().expect("a new pipeline");
            }
        }),
    ];
    for (code, order) in orders {
        let mut race = Race::new();
        race.source(ONE);
        race.source(OTHER);
        race.locks = "UPDATE d.a SET v = v WHERE id = 1";
        let error = race.run(|| order(&race)).expect_err("an order came");
        assert_eq!(error.code, code, "{error:?}");
        assert_eq!(race.ahead(), 0);
        let sum = "SELECT SUM(v) FROM d.b";
        assert_eq!(number(race.target(), sum), 10, "as before");
    }
}

/// Skips a transaction of this name, which takes no room.
fn skip(race: &Race, identity: &str) -> Result<(), datain_contract::types::Error> {
    let mut session = client(race);
    let stream = &race.settings.stream;
    block_on(async {
        let stored = checkpoint::read(&mut session, stream).await?;
        let before = stored.and_then(|stored| stored.checkpoint);
        let before = before.expect("a checkpoint");
        let after = Checkpoint {
            ordinal: before.ordinal + 1,
            ..before.clone()
        };
        let skipped = Skipped {
            identity: identity.to_owned(),
            description: String::new(),
            reason: "a test".to_owned(),
        };
        orders::skip(&mut session, stream, &before, &after, &skipped).await
    })
}

/// Its note ends all the same, though no host sees all of its transactions.
#[test]
fn a_second_kill_while_transactions_are_passed_over_leaves_no_note_behind() {
    let mut race = Race::new();
    race.source(ONE);
    for _ in 0..3 {
        race.source("UPDATE d.b SET v = v + 7");
    }
    race.younger = 3;
    race.run_to_a_kill();
    assert_eq!(race.ahead(), 1);
    // The older one, and the first of the younger ones.
    race.pass(2).expect("replication");
    assert_eq!(race.ahead(), 1);
    race.pass(usize::MAX).expect("replication");
    equal(&race);
}

/// A transaction in pieces has one name; its note ends like any other.
#[test]
fn a_transaction_in_pieces_goes_ahead_and_is_not_repeated() {
    let race = Race::between(loading_pair());
    race.source("CREATE TABLE d.large (id INT PRIMARY KEY, t MEDIUMTEXT); INSERT INTO d.large VALUES (0, '')");
    race.pass(usize::MAX).expect("the table");
    race.source("BEGIN; UPDATE d.large SET t = 'x'; UPDATE d.a SET v = 1; COMMIT");
    race.source(ONE);
    race.source("INSERT INTO d.large SELECT n + 1, REPEAT('x', 600000) FROM d.digit WHERE n < 4");
    race.run_to_a_kill();
    let rows = "SELECT COUNT(*) FROM d.large";
    assert_eq!(number(race.target(), rows), 5);
    race.source("UPDATE d.large SET t = CONCAT(t, 'y')");
    race.pass(usize::MAX).expect("replication");
    equal(&race);
}

/// The checkpoint that takes in many groups at once is written by as many statements, each with the text of one.
#[test]
fn many_groups_are_taken_in_though_packets_are_small() {
    let target = Server::builder(Flavor::Mysql97).relaxed();
    let target = target.option("max_allowed_packet=32768").start();
    let source = server();
    let mut others = String::new();
    for n in 0..60 {
        let _ = write!(others, ",{n:08}-0000-0000-0000-000000000000:1");
    }
    source
        .sql(&format!("SET GLOBAL gtid_purged = '+{}'", &others[1..]))
        .expect("a history");
    let mut race = Race::between([source, target.expect("a server")]);
    race.source("BEGIN; UPDATE d.a SET v = 1; UPDATE d.b SET v = 1; COMMIT");
    race.source(ONE);
    race.apart = true;
    race.younger = 12;
    for _ in 0..race.younger {
        race.source("UPDATE d.b SET v = v + 1");
    }
    assert_eq!(race.run(|| {}).expect("replication"), 12);
    equal(&race);
}

/// What is in the target already is not to be skipped; nor does the note of a pipeline count that was removed by a datain that did not know the table.
#[test]
fn notes_refuse_a_skip_and_belong_to_their_pipeline_only() {
    let race = Race::new();
    race.source(ONE);
    race.source(OTHER);
    race.run_to_a_kill();
    let executed = cell(&race.servers[0], "SELECT @@gtid_executed");
    let (uuid, newest) = executed.rsplit_once(['-']).expect("a range");
    let (uuid, _) = uuid.rsplit_once(':').expect("a range");
    let error = skip(&race, &format!("{uuid}:{newest}")).expect_err("it is there");
    assert_eq!(error.code, "skip.applied", "{error:?}");
    assert_eq!(
        number(race.target(), "SELECT COUNT(*) FROM datain.skipped"),
        0
    );

    let opened = race.open().expect("an engine");
    assert_eq!(
        opened.ahead.as_deref(),
        Some(format!("gtid {uuid}:{newest}-{newest}\n").as_str())
    );
    drop(opened);
    race.target()
        .sql("DELETE FROM datain.checkpoints")
        .expect("as a removal");
    assert_eq!(race.ahead(), 1);
    let opened = race.open().expect("a new pipeline");
    assert_eq!(opened.ahead, None);
    assert_eq!(number(race.target(), AHEAD), 0);
}

/// Where the target has no GTIDs, it is the rows of the table that tell whether the statement was run.
#[test]
fn nothing_goes_ahead_of_the_rows_of_a_created_table() {
    let race = Race::between([server(), without_gtids()]);
    race.source("CREATE TABLE d.made (id INT PRIMARY KEY) AS SELECT id FROM d.a");
    race.source("INSERT INTO d.made VALUES (100)");
    let went = race.run(|| {}).expect("replication");
    assert_eq!(went, 0);
    equal(&race);
}

/// An opening must end before the host gives it up.
#[test]
fn a_group_that_is_being_committed_ahead_is_not_waited_for_for_long() {
    let race = Race::new();
    let mut holder = client(&race);
    block_on(async {
        holder.exec(b"START TRANSACTION").await?;
        holder
            .query(b"SELECT * FROM datain.ahead WHERE ordinal = 0 LOCK IN SHARE MODE")
            .await
    })
    .expect("a lock");
    let began = Instant::now();
    let error = race.open().err().expect("it is locked");
    assert_eq!(error.code, "server.lock-wait-timeout", "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(30));
}
