//! The host dies, as by `kill -9`, at every step by which something becomes durable; another one goes on, and the target ends equal.
//!
//! The points ([`points`]) are set in the host by the variable `DATAIN_FAILPOINT` (`host-harness/src/failpoint.rs`), so the program under test must be one with debug
//! assertions, as `cargo build` makes it. For each point and each count: the source is given work while no host runs, a host dies at the point, in a long run a second one dies there
//! too if it comes to it, and the next one catches up; in between nobody who reads the target sees half a transaction. The ordinary run has one count for each point.
//!
//! Whatever is applied twice or not at all shows as a difference, since the work has rows that are numbered, rows that change places, and DDL that cannot be repeated.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod lab;
mod points;
mod work;

use lab::Lab;

#[test]
fn rows_are_whole_after_a_death_at_any_step() {
    let mut lab = Lab::new("rows");
    lab.each(points::ROWS, work::rows);
    lab.each(points::HOST, work::rows);
}

#[test]
fn a_transaction_of_many_packets_is_whole_after_a_death_at_any_step() {
    Lab::new("large").each(points::LARGE, work::large);
}

#[test]
fn a_transaction_that_is_loaded_is_whole_after_a_death_at_any_step() {
    let mut lab = Lab::loading("loaded");
    lab.each(points::LOADED, work::large);
    lab.each(points::LARGE, work::large);
}

#[test]
fn groups_on_several_connections_are_committed_in_order_up_to_a_death() {
    Lab::apart("apart").each(points::APART, work::apart);
}

#[test]
fn groups_that_went_ahead_are_there_once_after_a_death_at_any_step() {
    Lab::in_any_order("ahead").each(points::AHEAD, work::apart);
}

#[test]
fn statements_are_run_once_after_a_death_at_any_step() {
    let mut lab = Lab::new("statements");
    lab.each(points::STATEMENTS, work::statements);
    lab.each(points::TABLES_WITH_ROWS, work::table_with_rows);
}

#[test]
fn files_and_offsets_are_as_good_as_gtids_after_a_death() {
    let mut lab = Lab::without_gtids("offsets");
    lab.each(points::OFFSETS, work::rows);
    lab.each(points::OFFSETS_OF_STATEMENTS, work::statements);
}

#[test]
fn branches_are_whole_after_a_death_at_any_step() {
    Lab::new("branches").each(points::BRANCHES, work::branches);
}

#[test]
fn a_pipeline_begins_whole_after_a_death_at_any_step_of_its_beginning() {
    Lab::new("first").each_beginning(points::BEGINNING, work::rows);
}
