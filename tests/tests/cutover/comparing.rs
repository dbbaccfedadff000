//! Whether rows are compared, and when: before the stop, after it as well, or not again where that was done lately.

use std::thread;
use std::time::Duration;

use datain_tests::servers::run;
use serde_json::Value;

use crate::lab::Lab;

/// Makes the target's rows others than the source's, as nothing but a comparison finds out.
const DIFFERENCE: &str = "UPDATE shop.orders SET note = 'not what the source has' WHERE id = 1";
const STOP: &str = "--set-source-read-only";

/// The report of a cutover that found rows to differ.
fn finds_it(lab: &Lab, arguments: &[&str]) {
    let exit = lab.cutover(&[arguments, &["--format", "json"]].concat());
    assert_ne!(exit.code, 0, "{exit}");
    let report: Value = serde_json::from_str(&exit.stdout).expect("JSON");
    assert_eq!(report["verify"]["verdict"], "different", "{report:#}");
    assert!(lab.is_writable(), "the source is given back");
}

#[test]
fn a_recent_comparison_is_taken_unless_it_is_too_old() {
    let lab = Lab::new();
    // Whoever compares without a host would wait for what its event writes.
    run(&lab.source, "SET GLOBAL event_scheduler = OFF");
    lab.caught_up();
    let exit = lab.command("verify", &[]);
    assert_eq!(exit.code, 0, "{exit}");
    run(&lab.target, DIFFERENCE);
    // Not asked for: all rows are compared.
    finds_it(&lab, &[STOP]);
    // That one found rows to differ, so it is none that could be taken; nor is an old one.
    finds_it(&lab, &[STOP, "--accept-verify-within", "1h"]);
    let undo = "UPDATE shop.orders SET note = '0ab' WHERE id = 1";
    run(&lab.target, undo);
    let exit = lab.command("verify", &[]);
    assert_eq!(exit.code, 0, "{exit}");
    thread::sleep(Duration::from_secs(2));
    run(&lab.target, DIFFERENCE);
    finds_it(&lab, &[STOP, "--accept-verify-within", "1s"]);
    run(&lab.target, undo);
    let exit = lab.command("verify", &[]);
    assert_eq!(exit.code, 0, "{exit}");
    run(&lab.target, DIFFERENCE);
    // A comparison after the stop finds it, and takes the stop back.
    finds_it(
        &lab,
        &[STOP, "--accept-verify-within", "1h", "--verify-after-stop"],
    );
    run(&lab.target, undo);
    let exit = lab.command("verify", &[]);
    assert_eq!(exit.code, 0, "{exit}");
    run(&lab.target, DIFFERENCE);
    // Nobody looks.
    lab.done(&[STOP, "--accept-verify-within", "1h"]);
    run(&lab.target, undo);
    lab.assert_moved();
}
