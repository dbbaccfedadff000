//! Statements and what may come between: kills on targets with and without GTIDs, filters, accounts, bytes of other character sets. What merely has to arrive
//! is in `scenarios/ddl_*.sql`.

#![allow(clippy::disallowed_methods, reason = "native test")]

use datain_apply::checkpoint::{self, orders};
use datain_capture::reader::Settings;
use datain_capture::upcoming;
use datain_contract::types::Checkpoint;
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session};
use datain_tests::compare;
use datain_tests::native::{
    CUT, FROM_START, fragile, replicate, replicate_into, session, settings,
};
use datain_tests::seed::long;
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::{Flavor, Server};

fn filtered(include: &str) -> Settings {
    serde_json::from_str(&format!(
        r#"{{"stream":"native","server_id":77,"include":[{include}],"start":{FROM_START}}}"#
    ))
    .expect("settings")
}

/// A kind of statement: what must be there before, the statement, and a query that says `1` once it was run.
struct Case {
    before: &'static str,
    statement: &'static str,
    was_run: &'static str,
}

const fn case(before: &'static str, statement: &'static str, was_run: &'static str) -> Case {
    Case {
        before,
        statement,
        was_run,
    }
}

/// Every kind, with rows that tell whether it was run once, never or twice.
const CASES: &[Case] = &[
    case("DO 0", "CREATE SCHEMA k", "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'k'"),
    case(
        "DO 0",
        "CREATE TABLE k.a (id INT PRIMARY KEY, v VARCHAR(9))",
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'k'",
    ),
    case(
        "INSERT INTO k.a VALUES (1, 'a'), (2, 'a')",
        "CREATE TABLE k.b (PRIMARY KEY (id)) SELECT id + 10 AS id, CAST('b' AS CHAR(9)) AS v FROM k.a",
        "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'b'",
    ),
    case(
        "DO 0",
        "ALTER TABLE k.a ADD COLUMN w INT NOT NULL DEFAULT 3",
        "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'a' AND COLUMN_NAME = 'w'",
    ),
    case(
        "DO 0",
        "CREATE INDEX i ON k.a (w)",
        "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'k' AND INDEX_NAME = 'i'",
    ),
    case(
        "CREATE TABLE k.p (id INT PRIMARY KEY, v VARCHAR(9)); CREATE TABLE k.q LIKE k.p; INSERT INTO k.p VALUES (1, 'p'); INSERT INTO k.q VALUES (2, 'q')",
        "RENAME TABLE k.p TO k.r, k.q TO k.p, k.r TO k.q",
        "SELECT COUNT(*) FROM k.p WHERE v = 'q'",
    ),
    case(
        "CREATE TABLE k.s (id INT PRIMARY KEY) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10)); CREATE TABLE k.t (id INT PRIMARY KEY);
         INSERT INTO k.s VALUES (1); INSERT INTO k.t VALUES (2)",
        "ALTER TABLE k.s EXCHANGE PARTITION p0 WITH TABLE k.t",
        "SELECT COUNT(*) FROM k.s WHERE id = 2",
    ),
    case("DO 0", "TRUNCATE TABLE k.q", "SELECT COUNT(*) = 0 FROM k.q"),
    case("INSERT INTO k.q VALUES (5, 'x')", "ALTER TABLE k.q RENAME TO k.u", "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'u'"),
    case("DO 0", "DROP TABLE k.u", "SELECT COUNT(*) = 0 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'u'"),
    case(
        "DO 0",
        "CREATE VIEW k.v AS SELECT id FROM k.a",
        "SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'k'",
    ),
    case(
        "DO 0",
        "ALTER VIEW k.v AS SELECT id, 1 AS one FROM k.a",
        "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'v' AND COLUMN_NAME = 'one'",
    ),
    case("DO 0", "DROP VIEW k.v", "SELECT COUNT(*) = 0 FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'k'"),
    case(
        "DO 0",
        "CREATE PROCEDURE k.f () SELECT 1",
        "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'k'",
    ),
    case("DO 0", "DROP PROCEDURE k.f", "SELECT COUNT(*) = 0 FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'k'"),
    case(
        "DO 0",
        "ALTER SCHEMA k COLLATE utf8mb4_bin",
        "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'k' AND DEFAULT_COLLATION_NAME = 'utf8mb4_bin'",
    ),
    case("DO 0", "DROP INDEX i ON k.a", "SELECT COUNT(*) = 0 FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = 'k' AND INDEX_NAME = 'i'"),
    case(
        "DO 0",
        "ALTER TABLE k.a RENAME COLUMN w TO x, ALGORITHM = INSTANT",
        "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'a' AND COLUMN_NAME = 'x'",
    ),
    case(
        "DO 0",
        "ALTER TABLE k.a MODIFY x BIGINT NOT NULL FIRST",
        "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'a' AND COLUMN_NAME = 'x' AND DATA_TYPE = 'bigint'",
    ),
    case(
        "DO 0",
        "ALTER TABLE k.a DROP COLUMN x",
        "SELECT COUNT(*) = 0 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'a' AND COLUMN_NAME = 'x'",
    ),
    case(
        "DO 0",
        "ALTER TABLE k.s ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))",
        "SELECT COUNT(*) FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'k' AND PARTITION_NAME = 'p1'",
    ),
    case(
        "INSERT INTO k.s VALUES (15)",
        "ALTER TABLE k.s DROP PARTITION p1",
        "SELECT COUNT(*) = 0 FROM information_schema.PARTITIONS WHERE TABLE_SCHEMA = 'k' AND PARTITION_NAME = 'p1'",
    ),
    case("DO 0", "CREATE TABLE k.w LIKE k.a", "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME = 'w'"),
    case(
        "CREATE TABLE k.w2 LIKE k.w",
        "DROP TABLE k.w, k.w2",
        "SELECT COUNT(*) = 0 FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'k' AND TABLE_NAME IN ('w', 'w2')",
    ),
    case(
        "DO 0",
        "CREATE FUNCTION k.g () RETURNS INT DETERMINISTIC RETURN 1",
        "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'k'",
    ),
    case(
        "DO 0",
        "ALTER FUNCTION k.g COMMENT 'changed'",
        "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'k' AND ROUTINE_COMMENT = 'changed'",
    ),
    // Held back, in one transaction with the checkpoint: once, whatever happens.
    case(
        "DO 0",
        "CREATE TRIGGER k.held BEFORE INSERT ON k.p FOR EACH ROW SET NEW.v = 'held'",
        "SELECT COUNT(*) FROM datain.held_back",
    ),
    case(
        "CREATE SCHEMA l; CREATE TABLE l.t (id INT PRIMARY KEY)",
        "DROP SCHEMA l",
        "SELECT COUNT(*) = 0 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'l'",
    ),
];

/// What comes of cuts at each step of a statement.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    cuts: u32,
    /// Times that a person had to look, and found it not run, or run.
    undecided: (u32, u32),
}

/// Cuts the connection to the target at each write, until the statement is there; does what the hint of `ddl.undecided` says.
fn through_cuts(source: &Server, target: &Server, settings: &Settings, case: &Case) -> Outcome {
    let mut outcome = Outcome::default();
    for writes in 1.. {
        let done =
            fragile(target, writes).and_then(|target| replicate_into(source, target, settings));
        let Err(error) = done else { break };
        // What a lost session has sent last may be run when the next one has taken over already.
        if error.code == CUT || error.code == "checkpoint.fenced" {
            outcome.cuts += 1;
            continue;
        }
        assert_eq!(error.code, "ddl.undecided", "{}: {error:?}", case.statement);
        assert!(
            error.hint.is_some() && error.position.is_some(),
            "{error:?}"
        );
        if cell(target, case.was_run) == "1" {
            outcome.undecided.1 += 1;
            skip(source, target, settings);
        } else {
            outcome.undecided.0 += 1;
            run(target, "UPDATE datain.checkpoints SET ddl_identity = NULL");
        }
    }
    outcome
}

/// `datain skip`.
fn skip(source: &Server, target: &Server, settings: &Settings) {
    block_on(async {
        let mut on_target = session(target);
        let stored = checkpoint::read(&mut on_target, "native").await;
        let before: Checkpoint = stored
            .expect("the row")
            .and_then(|stored| stored.checkpoint)
            .expect("a checkpoint");
        let next =
            upcoming::after(session(source), settings, &before, std::future::pending()).await;
        let next = next.expect("the log").expect("the transaction");
        let after = next.after.checkpoint(before.ordinal + 1);
        let skipped = orders::Skipped {
            identity: next.begins.to_string(),
            description: String::new(),
            reason: "it was run".to_owned(),
        };
        orders::skip(&mut on_target, "native", &before, &after, &skipped)
            .await
            .expect("skipped");
    });
}

fn all_cases(source: &Server, target: &Server) -> Vec<Outcome> {
    let settings = settings(FROM_START);
    let mut outcomes = Vec::new();
    for case in CASES {
        run(source, case.before);
        if !case.before.starts_with("DO") {
            replicate(source, target, &settings).expect("what must be there before");
        }
        run(source, case.statement);
        let outcome = through_cuts(source, target, &settings, case);
        println!("{}: {outcome:?}", case.statement);
        assert_eq!(cell(target, case.was_run), "1", "{}: once", case.statement);
        assert!(outcome.cuts > 5, "{}: {outcome:?}", case.statement);
        // Rows behind it find what it left.
        run(
            source,
            "CREATE SCHEMA IF NOT EXISTS mark; CREATE TABLE IF NOT EXISTS mark.t (id INT AUTO_INCREMENT PRIMARY KEY); INSERT INTO mark.t VALUES ()",
        );
        replicate(source, target, &settings).expect("rows behind it");
        compare::assert_equal(source, target, &["k", "mark"]);
        outcomes.push(outcome);
    }
    outcomes
}

/// fidelity: statement | each kind of DDL, the connection to the target lost at each step, target with GTIDs | run exactly once
#[test]
fn with_gtids_every_statement_is_run_once_whenever_the_target_is_lost() {
    let (source, target) = (server(), server());
    for outcome in all_cases(&source, &target) {
        assert_eq!(outcome.undecided, (0, 0), "the server can tell");
    }
}

/// fidelity: statement | each kind of DDL, the connection to the target lost at each step, target without GTIDs | run at most once; where that cannot be told it stops: `ddl.undecided`
#[test]
fn without_gtids_no_statement_is_ever_repeated() {
    let target = Server::builder(Flavor::Mysql97)
        .relaxed()
        .without_gtid()
        .start()
        .expect("a server");
    runs_once_at_most(&server(), &target);
}

/// fidelity: mariadb-11.8 → mariadb-11.8: statement | each kind of DDL that MariaDB has, the connection to the target lost at each step | run at most once; where that cannot be told it stops: `ddl.undecided`
#[test]
fn mariadb_never_repeats_a_statement() {
    if !long() {
        return;
    }
    let server = || {
        Server::builder(Flavor::Mariadb118)
            .relaxed()
            .start()
            .expect("a server")
    };
    runs_once_at_most(&server(), &server());
}

fn runs_once_at_most(source: &Server, target: &Server) {
    let outcomes = all_cases(source, target);
    let (not_run, was_run) = outcomes.iter().fold((0, 0), |sum, outcome| {
        (sum.0 + outcome.undecided.0, sum.1 + outcome.undecided.1)
    });
    assert!(not_run > 0 && was_run > 0, "{outcomes:?}");
    // One table tells; others may be repeated without harm.
    let decided = [
        "SELECT id + 10",
        "CREATE TABLE",
        "DROP TABLE k.u",
        "TRUNCATE",
        "ALTER VIEW",
        "ALTER SCHEMA",
    ];
    for (case, outcome) in CASES.iter().zip(&outcomes) {
        if decided.iter().any(|part| case.statement.contains(part)) {
            assert_eq!(outcome.undecided, (0, 0), "{}", case.statement);
        }
    }
}

/// fidelity: statement | `DROP TABLE`, `RENAME TABLE`, `DROP VIEW` over several objects of which the filter takes some | stops: `filter.mixed-statement`
/// fidelity: statement | statements of which the filter takes nothing, `CREATE TABLE … SELECT` too | left out with their rows
#[test]
fn statements_over_several_tables_pass_whole_or_not_at_all() {
    let (source, target) = (server(), server());
    let settings = filtered(r#""in.*", "part.t%""#);
    run(
        &source,
        "CREATE SCHEMA `in`; CREATE SCHEMA outside; CREATE SCHEMA part;
         CREATE TABLE `in`.a (id INT PRIMARY KEY); CREATE TABLE `in`.b LIKE `in`.a; CREATE TABLE outside.a LIKE `in`.a; CREATE TABLE outside.b LIKE `in`.a;
         CREATE TABLE part.t1 LIKE outside.a; CREATE TABLE part.u1 (id INT PRIMARY KEY); CREATE TABLE part.t2 (id INT PRIMARY KEY);
         INSERT INTO `in`.a VALUES (1); INSERT INTO outside.a VALUES (1); INSERT INTO part.t1 VALUES (1); INSERT INTO part.u1 VALUES (1)",
    );
    let error = replicate(&source, &target, &settings).expect_err("LIKE a table that is not there");
    // The definition that it copies was never replicated.
    assert_eq!(error.code, "server.unknown-database", "{error:?}");
    run(
        &target,
        "CREATE SCHEMA outside; CREATE TABLE outside.a (id INT PRIMARY KEY)",
    );
    replicate(&source, &target, &settings).expect("it is there by hand");
    run(&target, "DROP SCHEMA outside");
    run(
        &source,
        "CREATE TABLE outside.made (PRIMARY KEY (id)) SELECT id FROM `in`.a; CREATE TABLE part.t3 (PRIMARY KEY (id)) SELECT id + 5 AS id FROM outside.a;
         DROP TABLE outside.a, outside.b; RENAME TABLE outside.made TO outside.moved, outside.moved TO outside.again; DROP TABLE outside.again;
         RENAME TABLE part.t1 TO part.tx, part.t2 TO part.t1, part.tx TO `in`.c; INSERT INTO `in`.c VALUES (2); CREATE SCHEMA never; DROP SCHEMA never;
         CREATE VIEW outside.v AS SELECT 1 AS one; ALTER TABLE part.u1 ADD COLUMN v INT; INSERT INTO part.u1 VALUES (2, 2)",
    );
    replicate(&source, &target, &settings).expect("whole statements");
    compare::assert_equal(&source, &target, &["in"]);
    let tables = "SELECT GROUP_CONCAT(TABLE_NAME ORDER BY 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'part'";
    assert_eq!(cell(&target, tables), "t1,t3");
    assert_eq!(cell(&target, "SELECT GROUP_CONCAT(id) FROM part.t3"), "6");
    for mixed in [
        "CREATE TABLE outside.a (id INT PRIMARY KEY); DROP TABLE `in`.b, outside.a",
        "RENAME TABLE `in`.a TO outside.a",
        "RENAME TABLE part.u1 TO part.t9",
        "ALTER TABLE part.t3 RENAME TO part.u3",
        "CREATE VIEW part.t8 AS SELECT 1 AS one; DROP VIEW part.t8, outside.v",
        "DROP SCHEMA part",
    ] {
        run(&source, mixed);
        let error = replicate(&source, &target, &settings).expect_err(mixed);
        assert_eq!(error.code, "filter.mixed-statement", "{mixed}: {error:?}");
        assert!(error.gtid.is_some() && error.hint.is_some() && error.detail.is_some());
        skip(&source, &target, &settings);
    }
    assert_eq!(cell(&target, tables), "t1,t3,t8", "nothing of them was run");
}

/// fidelity: statement | `CREATE, ALTER, DROP TRIGGER` and `EVENT` | held back in `datain.held_back` until the cutover, and reported; their rows come as row events
#[test]
fn triggers_and_events_are_held_back_as_they_were_written() {
    let (source, target) = (server(), server());
    let settings = filtered(r#""d.%""#);
    run(
        &source,
        "CREATE SCHEMA d; CREATE SCHEMA outside; CREATE TABLE d.t (id INT PRIMARY KEY, n INT); CREATE TABLE outside.t LIKE d.t; USE d; SET sql_mode = 'ANSI_QUOTES';
         CREATE TRIGGER \"g\" BEFORE INSERT ON t FOR EACH ROW SET NEW.n = NEW.id * 2; CREATE TRIGGER outside.g BEFORE INSERT ON outside.t FOR EACH ROW SET NEW.n = 1;
         INSERT INTO t (id) VALUES (1), (2); CREATE EVENT e ON SCHEDULE EVERY 1 YEAR STARTS '2099-01-01 00:00:00' DO DELETE FROM d.t; ALTER EVENT e DISABLE; DROP TRIGGER g; INSERT INTO t VALUES (3, 3)",
    );
    replicate(&source, &target, &settings).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    let held = target
        .query("SELECT default_schema, sql_mode = 4, LEFT(REGEXP_REPLACE(CONVERT(statement USING utf8mb4), 'DEFINER=[^ ]+ ', ''), 24) FROM datain.held_back ORDER BY id")
        .expect("held back");
    let held: Vec<Vec<String>> = held
        .into_iter()
        .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
        .collect();
    let statements: Vec<&str> = held.iter().map(|row| row[2].as_str()).collect();
    assert_eq!(
        statements,
        [
            "CREATE TRIGGER \"g\" BEFOR",
            "CREATE EVENT e ON SCHEDU",
            "ALTER EVENT e DISABLE",
            "DROP TRIGGER g",
        ]
    );
    assert!(
        held.iter().all(|row| row[0] == "d" && row[1] == "1"),
        "{held:?}"
    );
    let made = "SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'd') + (SELECT COUNT(*) FROM information_schema.EVENTS)";
    assert_eq!(cell(&target, made), "0");
}

/// fidelity: statement | a statement with bytes of a character set whose second bytes are `\` or `` ` `` (gbk, sjis, big5) | run as it was written
#[test]
fn statements_in_character_sets_with_awkward_bytes() {
    let (source, target) = (server(), server());
    run(&source, "CREATE SCHEMA d");
    block_on(async {
        let mut client = session(&source);
        // 0x95 0x5C is one character in each of these: read byte by byte its end would escape the quote that follows.
        for (charset, name) in [("gbk", "g"), ("sjis", "s"), ("big5", "b"), ("gb18030", "h")] {
            let bytes: &[u8] = if charset == "big5" {
                b"\xa5\x5c"
            } else {
                b"\x95\x5c"
            };
            let mut sql = format!("CREATE TABLE d.{name} (id INT PRIMARY KEY, v VARCHAR(9) CHARACTER SET utf8mb4 DEFAULT '").into_bytes();
            sql.extend_from_slice(bytes);
            sql.extend_from_slice(b"') COMMENT '");
            sql.extend_from_slice(bytes);
            sql.extend_from_slice(b"'");
            client
                .exec(format!("SET NAMES {charset}").as_bytes())
                .await
                .expect("the character set");
            client.exec(&sql).await.expect("the table");
            let insert = format!("INSERT INTO d.{name} (id) VALUES (1)");
            client.exec(insert.as_bytes()).await.expect("a row");
        }
    });
    replicate(&source, &target, &settings(FROM_START)).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
    let value = "SELECT GROUP_CONCAT(v) FROM (SELECT v FROM d.g UNION SELECT v FROM d.s UNION SELECT v FROM d.b) AS a";
    assert!(
        cell(&target, value)
            .chars()
            .all(|c| c == ',' || c > '\u{ff}'),
        "{}",
        cell(&target, value)
    );
    // Names in them, too: the filter decides by what it can read, and stops where it cannot.
    block_on(async {
        let mut client = session(&source);
        client
            .exec(b"SET NAMES gbk")
            .await
            .expect("the character set");
        client
            .exec(b"CREATE TABLE d.`\x95\x5c` (id INT PRIMARY KEY)")
            .await
            .expect("the table");
    });
    let error = replicate(&source, &target, &settings(FROM_START)).expect_err("unreadable");
    assert_eq!(error.code, "filter.unreadable-statement", "{error:?}");
}

/// A session of an account of its own on the target.
fn applier(target: &Server) -> Session<BlockingStream> {
    let stream = BlockingStream::unix(target.socket()).expect("the server's socket");
    let mut options = ConnectOptions::new("applier").with_password("secret");
    options.found_rows = true;
    options.multi_statements = true;
    block_on(Session::connect(stream, &options)).expect("a login")
}

/// fidelity: statement | views and routines whose `DEFINER` is another account | made, if the target's account has `SET_ANY_DEFINER`; else stops: `server.privilege-missing`
/// fidelity: statement | views and routines whose `DEFINER` is missing on the target | made as they are, if the account has `ALLOW_NONEXISTENT_DEFINER` too; else stops: `server.privilege-missing`. They fail when they are used, until the account is there
#[test]
fn a_definer_that_is_another_or_missing() {
    let (source, target) = (server(), server());
    let settings = settings(FROM_START);
    run(
        &target,
        "CREATE USER applier IDENTIFIED BY 'secret'; GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, CREATE VIEW, CREATE ROUTINE, \
         ALTER ROUTINE, TRIGGER, EXECUTE, SHOW VIEW ON *.* TO applier; GRANT REPLICATION_APPLIER ON *.* TO applier; CREATE USER present; GRANT SELECT, EXECUTE ON d.* TO present; \
         SET GLOBAL log_bin_trust_function_creators = ON",
    );
    run(
        &source,
        "CREATE USER present; GRANT SELECT ON d.* TO present; CREATE SCHEMA d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)",
    );
    let go = || replicate_into(&source, applier(&target), &settings);
    go().expect("tables need no definer");
    let views = "SELECT GROUP_CONCAT(TABLE_NAME, ' ', DEFINER ORDER BY 1 SEPARATOR ', ') FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'd'";
    for (definer, right) in [
        ("present", "SET_ANY_DEFINER"),
        ("missing", "ALLOW_NONEXISTENT_DEFINER"),
    ] {
        run(
            &source,
            &format!(
                "CREATE DEFINER = {definer} VIEW d.v_{definer} AS SELECT id FROM d.t; CREATE DEFINER = {definer} FUNCTION d.f_{definer} () RETURNS INT READS SQL DATA RETURN (SELECT MAX(id) FROM d.t)"
            ),
        );
        let before = cell(&target, views);
        let error = go().expect_err(right);
        assert_eq!(error.code, "server.privilege-missing", "{error:?}");
        assert!(error.gtid.is_some() && error.position.is_some());
        assert!(error.hint.is_some() && error.detail.is_some(), "{error:?}");
        assert_eq!(cell(&target, views), before, "nothing was made");
        run(&target, &format!("GRANT {right} ON *.* TO applier"));
        go().expect("with the right");
    }
    assert_eq!(
        cell(&target, views),
        "v_missing missing@%, v_present present@%"
    );
    compare::assert_equal(&source, &target, &["d"]);
    assert_eq!(cell(&target, "SELECT d.f_present()"), "1");
    target
        .query("SELECT d.f_missing()")
        .expect_err("a definer that is not there");
}

/// fidelity: statement | `LOAD DATA` | its rows come as row events
#[test]
fn rows_of_a_file_that_was_loaded() {
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("secure_file_priv=")
        .start()
        .expect("a server");
    let target = server();
    run(
        &source,
        "CREATE SCHEMA d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(50)); INSERT INTO d.t VALUES (1, 'a\\tb'), (2, NULL), (3, '\\\\N');
         SELECT * FROM d.t INTO OUTFILE 'loaded.txt' FIELDS TERMINATED BY ';'; TRUNCATE d.t;
         LOAD DATA INFILE 'loaded.txt' INTO TABLE d.t FIELDS TERMINATED BY ';' (id, @v) SET v = CONCAT(@v, ' loaded');
         LOAD DATA INFILE 'loaded.txt' REPLACE INTO TABLE d.t FIELDS TERMINATED BY ';'; UPDATE d.t SET v = UPPER(v)",
    );
    replicate(&source, &target, &settings(FROM_START)).expect("replication");
    compare::assert_equal(&source, &target, &["d"]);
}
