//! What a target lacks, and what a filter leaves out.

use datain_apply::objects::Done;
use datain_contract::types::Severity;
use datain_schema_objects::Phase;
use datain_schema_objects::plan::{Choices, DROPPED};
use datain_schema_objects::read::UNUSABLE;
use datain_tests::native::session;
use datain_tests::servers::run;
use datain_throwaway_servers::{Flavor, Server};

use crate::lab;

#[test]
fn options_that_the_target_lacks_are_dropped_and_told() {
    let elsewhere = tempfile::tempdir().unwrap();
    let folder = elsewhere.path().display();
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .keyring()
        .option(format!("innodb_directories={folder}"))
        .start()
        .unwrap();
    run(
        &source,
        &format!(
            "CREATE DATABASE safe ENCRYPTION = 'Y'; CREATE DATABASE a; USE a; CREATE TABLESPACE ts ADD DATAFILE 'ts.ibd';
             CREATE TABLE in_safe (id INT PRIMARY KEY) ENCRYPTION = 'Y'; CREATE TABLE in_ts (id INT PRIMARY KEY) TABLESPACE ts COMMENT 'TABLESPACE ts';
             CREATE TABLE in_folder (id INT PRIMARY KEY) DATA DIRECTORY = '{folder}' SECONDARY_ENGINE = RAPID;
             CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) (PARTITION p0 DATA DIRECTORY = '{folder}' COMMENT = 'c', PARTITION p1);
             CREATE TABLE safe.by_schema (id INT PRIMARY KEY); CREATE TABLE plain (id INT PRIMARY KEY)"
        ),
    );
    let schemas = ["a", "safe"].map(str::to_owned);
    let target = lab::server();
    let plan = lab::planned(&source, &target, &[], Choices::default());
    let finding = plan.findings.iter().find(|f| f.code == DROPPED).unwrap();
    assert_eq!(finding.severity, Severity::Warning);
    let mut subjects = finding.subjects.clone();
    subjects.sort();
    assert_eq!(
        subjects,
        [
            "`a`.`in_folder`",
            "`a`.`in_safe`",
            "`a`.`in_ts`",
            "`a`.`parts`",
            "`safe`",
            "`safe`.`by_schema`"
        ]
    );
    for _ in 0..2 {
        lab::run(session(&target), &plan.objects, &lab::PHASES, true).unwrap();
    }
    let shown = lab::all_shown(&target, &schemas);
    assert_eq!(shown.len(), lab::all_shown(&source, &schemas).len());
    // A target that has all of it makes everything as it is.
    let rich = Server::builder(Flavor::Mysql97)
        .relaxed()
        .keyring()
        .option(format!("innodb_directories={folder}"))
        .start()
        .unwrap();
    run(&rich, "CREATE TABLESPACE ts ADD DATAFILE 'ts.ibd'");
    // Two servers cannot keep their files in the same place.
    run(&source, "DROP TABLE a.in_folder, a.parts");
    let plan = lab::planned(&source, &rich, &[], Choices::default());
    let finding = plan.findings.iter().find(|f| f.code == DROPPED).unwrap();
    assert_eq!(finding.severity, Severity::Passed, "{finding:?}");
    lab::run(session(&rich), &plan.objects, &lab::PHASES, false).unwrap();
    lab::assert_same_shown(&source, &rich, &schemas);
}

#[test]
fn a_view_of_what_is_left_out_is_told_and_left_out() {
    let (source, target) = (lab::server(), lab::server());
    run(
        &source,
        "CREATE DATABASE a; CREATE DATABASE other; USE a; CREATE TABLE kept (id INT PRIMARY KEY); CREATE TABLE tmp_x (id INT); CREATE TABLE other.t (id INT);
         CREATE VIEW b AS SELECT id FROM kept; CREATE VIEW a AS SELECT id FROM b; CREATE VIEW c AS SELECT id FROM tmp_x; CREATE VIEW d AS SELECT id FROM c;
         CREATE VIEW e AS SELECT id FROM other.t; CREATE VIEW f AS SELECT ENGINE FROM information_schema.ENGINES;
         CREATE TRIGGER on_kept BEFORE INSERT ON kept FOR EACH ROW SET @a = 1; CREATE TRIGGER on_tmp BEFORE INSERT ON tmp_x FOR EACH ROW SET @a = 1",
    );
    let include = ["a.*".to_owned()];
    let filter = datain_server_facts::filter(&include, &["a.tmp\\_%".to_owned()], false).unwrap();
    let mut asked = session(&source);
    let reading = datain_mysql_client::blocking::block_on(datain_schema_objects::read::read(
        &mut asked, &filter,
    ))
    .unwrap();
    let plan = datain_schema_objects::plan::plan(reading, &Default::default(), Choices::default());
    let names: Vec<&str> = plan
        .objects
        .iter()
        .map(|object| object.name.as_str())
        .collect();
    assert_eq!(
        names,
        ["a", "kept", "b", "a", "c", "d", "e", "f", "on_kept"]
    );
    let finding = plan.findings.iter().find(|f| f.code == UNUSABLE).unwrap();
    assert_eq!(finding.subjects, ["`a`.`c`", "`a`.`d`", "`a`.`e`"]);
    let done = lab::run(session(&target), &plan.objects, &[Phase::BeforeRows], false).unwrap();
    let left_out: Vec<&str> = done
        .iter()
        .filter(|(_, done)| matches!(done, Done::LeftOut { .. }))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        left_out,
        ["the view `a`.`c`", "the view `a`.`d`", "the view `a`.`e`"]
    );
}

#[test]
fn definitions_of_an_old_server_mysql_5_6() {
    let source = Server::builder(Flavor::Mysql56).start().unwrap();
    let target = lab::server();
    run(
        &source,
        "CREATE DATABASE old CHARACTER SET utf8mb4; USE old; SET sql_mode = 'NO_AUTO_CREATE_USER,STRICT_ALL_TABLES';
         CREATE TABLE t (id INT(11) NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) DEFAULT 'ä', at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, ref INT, FOREIGN KEY (ref) REFERENCES t (id)) AUTO_INCREMENT = 7;
         CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN 1; CREATE VIEW v AS SELECT name, f() AS f FROM t WHERE name <> 'x';
         CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @a = 1; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT 1",
    );
    let plan = lab::planned(&source, &target, &["old.*"], Choices::default());
    let done = lab::run(session(&target), &plan.objects, &lab::PHASES, false).unwrap();
    assert_eq!(done.len(), 6);
    assert!(done.iter().all(|(_, done)| *done == Done::Made), "{done:?}");
    // What a bare `utf8mb4` meant there, and no mode that is gone.
    let asked = "SELECT CONCAT_WS(' ', (SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'old'), \
        (SELECT TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'old' AND TABLE_NAME = 't'), \
        (SELECT SQL_MODE FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'old'))";
    assert_eq!(
        datain_tests::servers::cell(&target, asked),
        "utf8mb4_general_ci utf8mb4_general_ci STRICT_ALL_TABLES"
    );
}
