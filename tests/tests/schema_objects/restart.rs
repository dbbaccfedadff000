//! A list that is run half-way, again and again; and what of the target's own stands in its way.

use datain_contract::types::Error;
use datain_schema_objects::plan::{Choices, Definer};
use datain_schema_objects::{Kind, Phase};
use datain_tests::native::{fragile, session};
use datain_tests::seed::{Rng, seed};
use datain_tests::servers::run;

use crate::lab;

#[test]
fn a_list_that_is_cut_anywhere_goes_on() {
    let (source, target) = (lab::server(), lab::server());
    lab::fill(&source);
    let choices = Choices {
        indexes_after: Some(0),
        ..Choices::default()
    };
    let include = ["cinema.*", "moved.old%", "in_gbk.*"];
    let mut plan = lab::planned(&source, &target, &include, choices);
    // What goes with no table is let through by its schema.
    plan.objects.retain(|object| object.excuse.is_none());
    let mut rng = Rng::with_seed(seed("a list that is cut"));
    let (mut writes, mut cuts) = (8, 0);
    loop {
        let result: Result<_, Error> = fragile(&target, writes)
            .and_then(|session| lab::run(session, &plan.objects, &lab::PHASES, true));
        match result {
            Ok(_) => break,
            Err(error) => assert_eq!(error.code, "net.reset", "{error:?}"),
        }
        cuts += 1;
        writes += rng.u32(1..5);
    }
    println!("{cuts} connections lost");
    assert!(cuts > 30, "{cuts}");
    let schemas = ["cinema", "moved", "in_gbk"].map(str::to_owned);
    // Killed while the schema had the collation that an old routine of it needs.
    run(&target, "ALTER DATABASE moved COLLATE latin1_german2_ci");
    lab::run(session(&target), &plan.objects, &[Phase::HeldBack], true).unwrap();
    run(&source, "DROP VIEW moved.broken_text");
    lab::assert_same_shown(&source, &target, &schemas);
}

#[test]
fn what_is_there_and_differs_is_never_touched() {
    let (source, target) = (lab::server(), lab::server());
    run(
        &source,
        "CREATE DATABASE a; CREATE TABLE a.t (id INT PRIMARY KEY); CREATE VIEW a.v AS SELECT 1 AS x; CREATE PROCEDURE a.p() SELECT 1;",
    );
    let plan = lab::planned(&source, &target, &["a.*"], Choices::default());
    let attempt = |goes_on| {
        let phases = [Phase::BeforeRows];
        lab::run(session(&target), &plan.objects, &phases, goes_on).map(|done| done.len())
    };
    let check = |there: &str, code: &str, names: &str, mend: &str| {
        run(&target, there);
        let error = attempt(true).unwrap_err();
        assert_eq!(error.code, code, "{there}");
        assert!(
            error.message.contains(names) && error.hint.is_some(),
            "{error:?}"
        );
        run(&target, mend);
    };
    let differs = "target.object-differs";
    check(
        "CREATE DATABASE a CHARACTER SET latin1",
        differs,
        "the schema `a`",
        "DROP DATABASE a",
    );
    check(
        "CREATE DATABASE a; CREATE TABLE a.t (id BIGINT PRIMARY KEY)",
        differs,
        "the table `a`.`t`",
        "DROP TABLE a.t",
    );
    check(
        "CREATE VIEW a.t AS SELECT 1 AS id",
        differs,
        "the table `a`.`t`",
        "DROP VIEW a.t",
    );
    check(
        "CREATE TABLE a.v (x INT)",
        differs,
        "the view `a`.`v`",
        "DROP TABLE a.v",
    );
    check(
        "DROP PROCEDURE IF EXISTS a.p; SET sql_mode = ''; CREATE PROCEDURE a.p() SELECT 1",
        differs,
        "the procedure `a`.`p`",
        "DROP PROCEDURE a.p",
    );
    // The same, but with rows.
    run(&target, "INSERT INTO a.t VALUES (1)");
    let error = attempt(false).unwrap_err();
    assert_eq!(
        (error.code.as_str(), error.table.as_deref()),
        ("table.not-empty", Some("a.t"))
    );
    assert_eq!(attempt(true), Ok(4));
}

#[test]
fn things_may_run_as_whoever_makes_them() {
    let (source, target) = (lab::server(), lab::server());
    lab::fill(&source);
    run(
        &source,
        "CREATE USER other; GRANT ALL ON *.* TO other; CREATE DATABASE b; CREATE DEFINER = other VIEW b.below AS SELECT 1 AS x;
         CREATE VIEW b.above AS SELECT x FROM b.below; CREATE DEFINER = other TRIGGER cinema.by_other BEFORE INSERT ON cinema.actor FOR EACH ROW SET @a = 1",
    );
    let keep = lab::planned(&source, &target, &["b.*"], Choices::default());
    let definers = keep.objects.iter().filter_map(|o| o.definer.as_deref());
    assert_eq!(
        definers.collect::<Vec<_>>(),
        ["'other'@'%'", "'root'@'localhost'"]
    );
    let error = lab::run(session(&target), &keep.objects, &lab::PHASES, false).unwrap_err();
    assert_eq!(error.server_errno, Some(1449));
    assert!(error.hint.unwrap().contains("current-user"));
    run(&target, "DROP DATABASE b");
    let choices = Choices {
        definer: Definer::CurrentUser,
        ..Choices::default()
    };
    let plan = lab::planned(
        &source,
        &target,
        &["b.*", "cinema.*", "in_latin1.*"],
        choices,
    );
    for _ in 0..2 {
        lab::run(session(&target), &plan.objects, &lab::PHASES, true).unwrap();
    }
    let shown = lab::all_shown(&target, &["b", "cinema", "in_latin1"].map(str::to_owned));
    // A library's text says what it likes.
    for (name, cells) in shown
        .iter()
        .filter(|(name, _)| !name.starts_with("LIBRARY"))
    {
        let text: String = cells.iter().map(|c| c.escape_ascii().to_string()).collect();
        assert!(
            !text.contains("DEFINER=") || text.contains("DEFINER=`root`@`localhost`"),
            "{name}: {text}"
        );
    }
    assert!(
        plan.objects
            .iter()
            .any(|object| object.kind == Kind::Trigger)
    );
}
