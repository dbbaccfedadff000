//! How far a cutover is, as the target keeps it: changed only by the one who knows how it was.

use datain_apply::checkpoint::cutovers::{Consequences, Progress, known, set};
use datain_apply::checkpoint::orders;
use datain_contract::types::Error;
use datain_mysql_client::blocking::block_on;
use datain_tests::native::session;
use datain_tests::servers::{cell, server};

#[test]
fn only_who_knows_how_it_was_may_change_it() {
    let target = server();
    let mut target_session = session(&target);
    let mut change = |seen, stage: Option<&str>, consequences| {
        let next = stage.map(|stage| Progress {
            stage: stage.to_owned(),
            note: "{\"ü\": \"'\\\\\"}".to_owned(),
            bars_start: stage != "early",
        });
        block_on(set(
            &mut target_session,
            "p",
            seen,
            next.as_ref(),
            consequences,
        ))
    };
    let none = Consequences::default();
    let elsewhere = |result: Result<u64, Error>| {
        assert_eq!(result.expect_err("refused").code, "cutover.elsewhere");
    };
    let unknown = change(0, Some("early"), none).expect_err("refused");
    assert_eq!(unknown.code, "cutover.no-pipeline");
    block_on(orders::set_stopped(&mut session(&target), "p", true)).expect("a pipeline");
    block_on(orders::set_stopped(&mut session(&target), "p", false)).expect("it may run");

    let first = change(0, Some("early"), none).expect("the first");
    elsewhere(change(0, Some("early"), none));
    elsewhere(change(first + 1, Some("late"), none));
    block_on(orders::set_stopped(&mut session(&target), "p", false)).expect("it may run");
    let stop = Consequences { stop: true, ..none };
    let epoch = || cell(&target, "SELECT epoch FROM datain.checkpoints");
    let before = epoch();
    let second = change(first, Some("late"), stop).expect("the second");
    assert_ne!(epoch(), before, "writers are fenced off");
    elsewhere(change(first, Some("late"), none));
    let found = block_on(known(&mut session(&target), "p"))
        .expect("readable")
        .expect("a row");
    assert_eq!(
        (found.revision, found.progress.stage.as_str()),
        (second, "late")
    );
    assert_eq!(found.progress.note, "{\"ü\": \"'\\\\\"}");
    assert!(found.began_at_micros <= found.changed_at_micros);
    for refused in [
        block_on(orders::set_stopped(&mut session(&target), "p", false)),
        block_on(orders::remove(&mut session(&target), "p")).map(|_| ()),
    ] {
        assert_eq!(refused.expect_err("refused").code, "cutover.under-way");
    }
    // Forgotten and begun again it has another number: who has slept since changes nothing.
    let start = Consequences {
        start: true,
        ..none
    };
    change(second, None, start).expect("forgotten");
    assert_eq!(
        cell(&target, "SELECT stopped_at IS NULL FROM datain.checkpoints"),
        "1"
    );
    let again = change(0, Some("early"), none).expect("again");
    assert!(again > second, "{again} {second}");
    elsewhere(change(first, Some("late"), none));
    change(again, Some("done"), none).expect("done");
    block_on(orders::remove(&mut session(&target), "p")).expect("removed");
    assert_eq!(
        block_on(known(&mut session(&target), "p")).expect("readable"),
        None
    );
}
