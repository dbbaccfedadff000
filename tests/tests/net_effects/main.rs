//! Groups of changes that get into each other's way: the target is given their net effect, and ends equal.
//!
//! The rows are few and the sessions several, so that each group holds many changes of the same keys: rows that come, go and come again, values of unique
//! keys that wander between rows, keys that differ in bytes and are the same to the server.

#![allow(clippy::disallowed_methods, reason = "native test")]

mod tables;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use datain_tests::compare;
use datain_tests::load::Load;
use datain_tests::rough::{replicate_roughly, settings};
use datain_tests::seed::{Rng, long, seed};
use datain_throwaway_servers::{Flavor, Server};

/// fidelity: event | groups of changes as their net effect: unique values that move, keys equal by collation, rows that come and go, all row images | equal under load
#[test]
fn values_move_between_rows_in_every_way() {
    let seed = seed("net effects");
    let [source, target] = [(); 2].map(|()| {
        Server::builder(Flavor::Mysql97)
            .relaxed()
            .start()
            .expect("a server")
    });
    source.sql(tables::CREATE).expect("the tables");
    let load = Load {
        groups: tables::groups(),
        sessions: 3,
        transactions: if long() { 20_000 } else { 1200 },
        settings: [
            "SET SESSION binlog_row_image = 'MINIMAL'",
            "SET SESSION binlog_row_image = 'NOBLOB'",
            "SET SESSION binlog_row_value_options = 'PARTIAL_JSON'",
            "SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'",
        ]
        .map(str::to_owned)
        .to_vec(),
        between: vec!["SET SESSION sql_mode = 'NO_ENGINE_SUBSTITUTION'".to_owned()],
        reset: "SET SESSION binlog_row_image = 'FULL', SESSION binlog_row_value_options = '', SESSION sql_mode = DEFAULT".to_owned(),
    };
    let settings = settings("net");
    let mut rng = Rng::with_seed(seed);
    let follow = |rng: &mut Rng| {
        if let Err(error) = replicate_roughly(&source, &target, &settings, rng, 10) {
            panic!("{error:#?}");
        }
    };
    let ended = AtomicBool::new(false);
    let tally = thread::scope(|scope| {
        let running = scope.spawn(|| {
            let tally = load.run(&source, seed);
            ended.store(true, Ordering::SeqCst);
            tally
        });
        while !ended.load(Ordering::SeqCst) {
            follow(&mut rng);
        }
        follow(&mut rng);
        running.join().expect("the load")
    });
    println!("{tally:?}");
    assert!(tally.rows > u64::from(load.transactions), "{tally:?}");
    compare::assert_equal(&source, &target, &["net"]);
}
