//! Hostile plugins in one process with a good pipeline: each is stopped with its own error, the good one goes on, and the memory comes back.
//!
//! What they do is in `tests/guests/hostile/`, one file each. `cargo xtask wasm --test-guests` builds it, as `cargo xtask test` does.

#![allow(
    clippy::disallowed_methods,
    reason = "tests measure time with std's clocks"
)]

mod against_our_plugins;
mod lab;
mod sandbox;

use datain_tests::servers::{cell, run};

/// Resident memory that may stay when all of them have ended: what the C library keeps of freed memory, and the guest's code.
const MIB: u64 = 96;

#[test]
fn each_is_stopped_and_the_good_pipeline_goes_on() {
    let lab = lab::Lab::new();
    run(
        &lab.target,
        "CREATE DATABASE hostile; CREATE TABLE hostile.t (id INT PRIMARY KEY)",
    );
    let mut all = sandbox::all();
    all.extend(sandbox::traps());
    all.extend(against_our_plugins::all());
    let exit = lab.run(&all, MIB);
    sandbox::the_log_stays_readable(&exit);
    assert_eq!(
        cell(&lab.target, "SELECT COUNT(*) FROM hostile.t"),
        "0",
        "nothing malformed is written"
    );
}
