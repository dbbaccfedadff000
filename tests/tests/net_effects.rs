//! Groups of changes that get into each other's way: the target is given their net effect, and ends equal.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use datain_tests::compare;
use datain_tests::moving_keys;
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
    source.sql(moving_keys::CREATE).expect("the tables");
    let load = moving_keys::load(if long() { 20_000 } else { 1200 });
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
    compare::assert_equal(&source, &target, &[moving_keys::SCHEMA]);
}
