//! What a schema holds besides rows, read from a source and made on a target: as the servers themselves show it, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test")]

mod account;
mod lab;
mod options;
mod random;
mod restart;

use datain_apply::objects::Done;
use datain_mysql_client::quote_identifier;
use datain_schema_objects::plan::Choices;
use datain_schema_objects::{Kind, Phase};
use datain_tests::compare;
use datain_tests::native::session;
use datain_tests::servers::{cell, run as sql};

const BROKEN: [&str; 4] = [
    "broken_chain",
    "broken_column",
    "broken_function",
    "broken_table",
];
const ODD: &str = r#"odd `schema'"\\ --"#;

fn schemas() -> Vec<String> {
    ["cinema", ODD, "moved", "in_latin1", "in_gbk", "in_cp1251"]
        .map(str::to_owned)
        .to_vec()
}

#[test]
fn everything_arrives_as_it_is() {
    let (source, target) = (lab::server(), lab::server());
    lab::fill(&source);
    let plan = lab::planned(&source, &target, &[], Choices::default());
    let done = lab::run(session(&target), &plan.objects, &[Phase::BeforeRows], false).unwrap();
    let left_out: Vec<_> = done
        .iter()
        .filter(|(_, done)| matches!(done, Done::LeftOut { .. }))
        .collect();
    assert_eq!(left_out.len(), BROKEN.len(), "{left_out:?}");
    // They cannot be had on the target, nor the one that the source cannot even show.
    sql(&source, "DROP VIEW moved.broken_text");
    for name in BROKEN {
        let odd = quote_identifier(ODD);
        sql(&source, &format!("DROP VIEW {odd}.{name}"));
    }
    // SHOW CREATE TABLE shows six digits of it.
    let exact = "SELECT DEFAULT(exact) + 0e0 FROM (SELECT 1) AS one LEFT JOIN cinema.film ON FALSE";
    assert_eq!(cell(&target, exact), "1.2345677614212036");
    let names = schemas();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    compare::assert_equal(&source, &target, &names);
    let held_back = plan
        .objects
        .iter()
        .filter(|o| o.kind.phase() == Phase::HeldBack);
    assert!(held_back.count() >= 10);
    lab::run(session(&target), &plan.objects, &[Phase::HeldBack], false).unwrap();
    lab::assert_same_shown(&source, &target, &schemas());
    // Again: nothing is to be done, and what was left out is again.
    let again = lab::run(session(&target), &plan.objects, &lab::PHASES, false).unwrap();
    let made = again.iter().filter(|(_, done)| *done == Done::Made);
    assert_eq!(made.count(), 0, "{again:?}");
}

#[test]
fn indexes_that_are_set_aside_come_back_in_their_places() {
    let (source, target) = (lab::server(), lab::server());
    lab::fill(&source);
    let choices = Choices {
        indexes_after: Some(0),
        ..Choices::default()
    };
    let plan = lab::planned(&source, &target, &["cinema.*"], choices);
    let steps = plan.objects.iter().filter(|o| o.kind == Kind::Indexes);
    // A table without a key keeps its own.
    assert_eq!(steps.count(), 6);
    lab::run(session(&target), &plan.objects, &[Phase::BeforeRows], false).unwrap();
    let shown = lab::all_shown(&target, &["cinema".to_owned()]);
    let film = String::from_utf8_lossy(&shown["TABLE cinema.film"][1]).into_owned();
    assert!(
        !film.contains("FULLTEXT") && !film.contains("by_minutes") && film.contains("by_original"),
        "{film}"
    );
    // A run before the rows again, when some or all of the indexes are there.
    lab::run(session(&target), &plan.objects, &lab::PHASES, false).unwrap();
    let again = lab::run(session(&target), &plan.objects, &lab::PHASES, false).unwrap();
    assert!(
        again.iter().all(|(_, done)| *done == Done::Found),
        "{again:?}"
    );
    lab::assert_same_shown(&source, &target, &["cinema".to_owned()]);
}
