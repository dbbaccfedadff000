//! Temporary tables that sessions of the source make and use.

use datain_apply::checkpoint::orders;
use datain_capture::reader::Settings;
use datain_contract::types::Error;
use datain_mysql_client::Session;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::native::{
    CUT, FROM_START, Fragile, fragile, replicate, replicate_into, session, settings,
};
use datain_tests::pipeline_run::{server, value};
use datain_tests::seed::long;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use crate::stream::{of, replaying};

const TABLES: &str = "CREATE DATABASE Big; CREATE DATABASE st; USE st; CREATE TABLE r (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(60), n INT); \
    CREATE TABLE hidden (id INT PRIMARY KEY, v VARCHAR(40)); INSERT INTO hidden VALUES (1, 'of the table')";

/// What two sessions do in turn, each with a table `tmp` of its own. What `tmp` holds is shown by what is read from it.
const STEPS: [(usize, &str); 23] = [
    (
        0,
        "CREATE TEMPORARY TABLE tmp (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40), f FLOAT, d DATETIME)",
    ),
    (
        0,
        "INSERT INTO tmp (v, f, d) VALUES ('a', 0.1, NOW()), ('b', 1e-30, NOW()), ('c', 3, '2001-02-03')",
    ),
    (
        1,
        "CREATE TEMPORARY TABLE tmp (id INT PRIMARY KEY, v VARCHAR(40)) ENGINE=MyISAM",
    ),
    (1, "INSERT INTO tmp VALUES (7, 'of the other')"),
    (
        0,
        "INSERT INTO r (v, n) SELECT CONCAT(v, ' ', f + 0e0, ' ', d), id FROM tmp",
    ),
    (0, "ALTER TABLE tmp ADD w INT NOT NULL DEFAULT 7"),
    (0, "UPDATE tmp SET v = CONCAT(v, w), w = w + id"),
    (1, "INSERT INTO r (v, n) SELECT v, id FROM tmp"),
    (
        0,
        "BEGIN; INSERT INTO r (v, n) SELECT v, w FROM tmp; DELETE FROM tmp WHERE id = 1; UPDATE r JOIN tmp ON r.n = tmp.id SET r.v = CONCAT(r.v, tmp.v); COMMIT",
    ),
    (
        0,
        "CREATE TEMPORARY TABLE copied ENGINE=MEMORY SELECT v, n FROM r WHERE n > 1",
    ),
    (0, "CREATE TEMPORARY TABLE IF NOT EXISTS copied (x INT)"),
    (
        0,
        "INSERT INTO r (v) SELECT CONCAT('copied ', v) FROM copied ORDER BY v",
    ),
    (0, "CREATE TEMPORARY TABLE hidden LIKE r"),
    (0, "INSERT INTO hidden (id, v) VALUES (5, 'of the session')"),
    (1, "INSERT INTO r (v) SELECT v FROM hidden"),
    (0, "INSERT INTO r (v) SELECT v FROM hidden"),
    (0, "TRUNCATE TABLE tmp; CREATE INDEX i ON tmp (v)"),
    (
        0,
        "INSERT INTO r (v) SELECT COUNT(*) FROM tmp; DROP TEMPORARY TABLE hidden; INSERT INTO hidden VALUES (2, 'to the table')",
    ),
    (
        1,
        "DROP TABLE tmp; CREATE TEMPORARY TABLE tmp (v INT); INSERT INTO tmp VALUES (9)",
    ),
    (
        1,
        "INSERT INTO r (n) SELECT v FROM tmp; INSERT INTO r (v) SELECT v FROM hidden ORDER BY id",
    ),
    (0, "CREATE TEMPORARY TABLE `Big`.`Tab` (v INT)"),
    (
        0,
        "INSERT INTO Big.Tab VALUES (4); INSERT INTO r (n) SELECT v FROM Big.Tab",
    ),
    (
        0,
        "CREATE TEMPORARY TABLE R (n INT); INSERT INTO R VALUES (70); INSERT INTO r (n) SELECT n FROM R; DROP TEMPORARY TABLE R; INSERT INTO r (n) VALUES (71)",
    ),
];

pub(crate) fn sessions(source: &Server) -> [Session<Fragile>; 2] {
    [session(source), session(source)].map(|mut session| {
        exec(&mut session, "SET SESSION binlog_format = 'STATEMENT'; USE st; SET SESSION default_storage_engine = 'InnoDB'");
        session
    })
}

pub(crate) fn exec(session: &mut Session<Fragile>, list: &str) {
    for sql in list.split("; ") {
        block_on(session.exec(sql.as_bytes())).expect(sql);
    }
}

/// Nothing of datain's is left but what it needs for tables that there still are.
fn stand_ins(target: &Server) -> usize {
    let count = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain' AND TABLE_NAME LIKE 'temporary\\_%' AND TABLE_NAME <> 'temporary_tables'";
    value(target, count)
        .and_then(|n| n.parse().ok())
        .expect("a number")
}

/// Replicates after every step by a new writer, which knows of temporary tables only what an earlier one has kept; then all at once.
fn arrives(source: &Server, target: &Server) {
    run(source, TABLES);
    let [mut first, mut second] = sessions(source);
    for (who, sql) in STEPS {
        exec(if who == 0 { &mut first } else { &mut second }, sql);
        replicate(source, target, &replaying()).expect(sql);
        compare::assert_equal(source, target, &["st"]);
    }
    // `tmp`, `copied` and `Tab` of the first one, `tmp` of the second one.
    assert_eq!(stand_ins(target), 4);
    // In a later piece of a transaction, by a writer that has seen none of the tables yet.
    let large = "x".repeat(70_000);
    exec(
        &mut first,
        &format!(
            "BEGIN; INSERT INTO r (n) VALUES (1 /* {large} */); INSERT INTO r (n) VALUES (2 /* {large} */); UPDATE tmp SET v = 'late'; INSERT INTO tmp (id, v) VALUES (90, 'late'); INSERT INTO r (v) SELECT v FROM tmp; COMMIT"
        ),
    );
    replicate(source, target, &replaying()).expect("pieces");
    compare::assert_equal(source, target, &["st"]);
    drop((first, second));
    let [mut first, mut second] = sessions(source);
    for (who, sql) in STEPS {
        let sql = sql.replace("(2, 'to the table')", "(3, 'to the table')");
        exec(if who == 0 { &mut first } else { &mut second }, &sql);
    }
    replicate(source, target, &replaying()).expect("all at once");
    compare::assert_equal(source, target, &["st"]);
    let seen = value(
        target,
        "SELECT COUNT(*) FROM st.r WHERE v IN ('of the table', 'of the session', 'of the other')",
    );
    assert_eq!(seen.as_deref(), Some("8"));
}

/// fidelity: event | temporary tables of sessions of MySQL 9.7 that log statements, with `statements = "replay"`: made, filled, altered, read, also after a restart of the host | equal
#[test]
fn temporary_tables_are_there_for_who_reads_them() {
    arrives(&server(), &server());
}

/// fidelity: event | the same of MySQL 5.6 | equal on MySQL 9.7
#[test]
fn temporary_tables_of_5_6() {
    arrives(&of(Flavor::Mysql56), &server());
}

/// fidelity: event | the same of MySQL 5.6 | equal on MySQL 5.6
#[test]
fn temporary_tables_between_5_6() {
    arrives(&of(Flavor::Mysql56), &of(Flavor::Mysql56));
}

/// fidelity: event | the same of MariaDB 10.11 | equal on MariaDB 10.11
#[test]
fn temporary_tables_of_mariadb() {
    arrives(&of(Flavor::Mariadb1011), &of(Flavor::Mariadb1011));
}

/// Wherever the connection is lost, what was read is there once, and what is read later is what the session had.
#[test]
fn a_connection_that_is_cut_keeps_temporary_tables() {
    let (source, target) = (server(), server());
    run(&source, TABLES);
    replicate(&source, &target, &replaying()).expect("the tables");
    let [mut first, _] = sessions(&source);
    exec(
        &mut first,
        "CREATE TEMPORARY TABLE tmp (n INT); INSERT INTO tmp VALUES (1), (2); INSERT INTO r (n) SELECT n FROM tmp; ALTER TABLE tmp ADD m INT; BEGIN; UPDATE tmp SET n = n * 10; \
         INSERT INTO r (n) SELECT n FROM tmp; UPDATE tmp SET n = n * 10; COMMIT; INSERT INTO r (n) SELECT n FROM tmp; DROP TEMPORARY TABLE tmp; CREATE TEMPORARY TABLE tmp (n INT); \
         INSERT INTO tmp VALUES (7); INSERT INTO r (n) SELECT n FROM tmp",
    );
    let step = if long() { 1 } else { 4 };
    let mut cuts = 0;
    for writes in (10..).step_by(step) {
        let done = fragile(&target, writes)
            .and_then(|session| replicate_into(&source, session, &replaying()));
        match done {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code, CUT, "{error:?}"),
        }
        cuts += 1;
    }
    assert!(cuts > 5, "{cuts}");
    compare::assert_equal(&source, &target, &["st"]);
    assert_eq!(
        value(&target, "SELECT SUM(n) FROM st.r").as_deref(),
        Some("340")
    );
    assert_eq!(stand_ins(&target), 1);
    // Nothing is left of them without their pipeline.
    block_on(orders::remove(&mut session(&target), "native")).expect("a removal");
    assert_eq!(stand_ins(&target), 0);
    let schemas = "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'datain'";
    assert_eq!(value(&target, schemas).as_deref(), Some("0"));
}

fn stops(source: &Server, target: &Server, settings: &Settings) -> Error {
    let error = replicate(source, target, settings).expect_err("a stop");
    assert!(error.hint.is_some(), "{error:?}");
    error
}

/// What the target cannot have is known, and stops only what needs it.
#[test]
fn a_temporary_table_that_the_target_cannot_have_stops_what_reads_it() {
    let (source, target) = (server(), server());
    run(&source, TABLES);
    run(
        &source,
        "CREATE DATABASE other; CREATE TABLE other.t (v INT); INSERT INTO other.t VALUES (1)",
    );
    let settings = Settings {
        exclude: vec!["other.*".to_owned()],
        ..replaying()
    };
    let [mut first, _] = sessions(&source);
    exec(
        &mut first,
        "CREATE TEMPORARY TABLE tmp SELECT v FROM other.t; UPDATE tmp SET v = 2; CREATE TEMPORARY TABLE good (v INT); INSERT INTO good VALUES (5); INSERT INTO r (n) SELECT v FROM good",
    );
    replicate(&source, &target, &settings).expect("what the target can have");
    compare::assert_equal(&source, &target, &["st"]);
    // A good one that gets what the target lacks is good no more.
    exec(
        &mut first,
        "INSERT INTO good SELECT v FROM tmp; UPDATE good SET v = v + 1",
    );
    replicate(&source, &target, &settings).expect("nothing to be done");
    exec(&mut first, "INSERT INTO r (n) SELECT v FROM good");
    assert_eq!(
        stops(&source, &target, &settings).code,
        "source.temporary-table"
    );
    assert_eq!(
        value(&target, "SELECT COUNT(*) FROM st.r").as_deref(),
        Some("1")
    );
}

/// While statements are refused, nobody follows temporary tables: later nobody knows what they hold.
#[test]
fn temporary_tables_that_were_not_followed_are_not_trusted() {
    let (source, target) = (server(), server());
    run(&source, TABLES);
    let [mut first, mut other] = sessions(&source);
    exec(
        &mut first,
        "CREATE TEMPORARY TABLE tmp (n INT); INSERT INTO tmp VALUES (1)",
    );
    replicate(&source, &target, &replaying()).expect("followed");
    let rows_alone = settings(FROM_START);
    // Logged as rows.
    run(&source, "INSERT INTO st.r (n) VALUES (5)");
    replicate(&source, &target, &rows_alone).expect("rows");
    exec(
        &mut first,
        "DROP TEMPORARY TABLE tmp; CREATE TABLE tmp (n INT PRIMARY KEY)",
    );
    replicate(&source, &target, &rows_alone).expect("not followed");
    exec(
        &mut other,
        "INSERT INTO tmp VALUES (7); INSERT INTO r (n) SELECT n FROM tmp",
    );
    replicate(&source, &target, &replaying()).expect("another session");
    compare::assert_equal(&source, &target, &["st"]);
    exec(&mut first, "INSERT INTO r (n) SELECT n FROM tmp");
    let error = stops(&source, &target, &replaying());
    assert_eq!(error.code, "source.temporary-table");
}

/// A server that was restarted has no temporary table any more, and gives out the numbers of its sessions again. Another file of the log alone means nothing.
#[test]
fn a_restart_of_the_source_ends_its_temporary_tables() {
    restarts(Flavor::Mysql97, true, false);
    restarts(Flavor::Mariadb1011, true, true);
    if long() {
        restarts(Flavor::Mysql97, true, true);
        restarts(Flavor::Mysql97, false, true);
        restarts(Flavor::Mysql56, true, true);
    }
}

/// With `last` the last thing in the log before the restart has not been read yet.
fn restarts(flavor: Flavor, gtids: bool, last: bool) {
    let start = |source: &mut Server| {
        source.kill();
        source.restart().expect("a restart");
    };
    let mut source = Server::builder(flavor).relaxed();
    if !gtids {
        source = source.without_gtid();
    }
    let mut source = source.start().expect("a server");
    let settings = if gtids {
        replaying()
    } else {
        Settings {
            start: serde_json::from_str(
                r#"{"mode":"position","file":"binlog.000001","position":4}"#,
            )
            .expect("a start"),
            ..replaying()
        }
    };
    let target = of(flavor);
    run(&source, TABLES);
    let [mut first, mut second] = sessions(&source);
    for session in [&mut first, &mut second] {
        exec(
            session,
            "CREATE TEMPORARY TABLE hidden (id INT, v VARCHAR(40)); INSERT INTO hidden VALUES (1, 'gone')",
        );
    }
    run(&source, "FLUSH BINARY LOGS");
    replicate(&source, &target, &settings).expect("the first part");
    exec(&mut first, "INSERT INTO r (v) SELECT v FROM hidden");
    replicate(&source, &target, &settings).expect("in the second file");
    compare::assert_equal(&source, &target, &["st"]);
    assert_eq!(stand_ins(&target), 2);
    if last {
        exec(&mut first, "INSERT INTO r (v) SELECT v FROM hidden");
    }
    start(&mut source);
    drop((first, second));
    // Enough sessions to have the old numbers.
    let mut list: Vec<_> = (0..8).flat_map(|_| sessions(&source)).collect();
    for session in &mut list {
        exec(session, "INSERT INTO r (v) SELECT v FROM hidden");
    }
    exec(
        &mut list[0],
        "CREATE TEMPORARY TABLE tmp (v INT); INSERT INTO tmp VALUES (1); INSERT INTO r (n) SELECT v FROM tmp",
    );
    replicate(&source, &target, &settings).expect("the second part");
    compare::assert_equal(&source, &target, &["st"]);
    let of_the_table = value(
        &target,
        "SELECT COUNT(*) FROM st.r WHERE v = 'of the table'",
    );
    assert_eq!(of_the_table.as_deref(), Some("16"));
    assert_eq!(stand_ins(&target), 1);
}
