//! What the source's writers lose while a first copy is made, and with `DATAIN_LONG=1` only, since it takes minutes and a machine that does nothing else.
//!
//! sysbench writes all the time; in turn the copy reads with its default limits, reads without limits, and rests, for some seconds each. So what else happens on the machine meets all of
//! them alike.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, wait_for};
use datain_tests::seed::long;
use datain_throwaway_servers::sysbench::Sysbench;
use datain_throwaway_servers::{Flavor, Lines, Server};

use crate::{rows, status, throttle};

/// A turn of one kind.
const TURN: Duration = Duration::from_secs(6);
const ROUNDS: u32 = 4;
const THREADS: u32 = 4;

/// Ways in which the copy is made meanwhile, and what brings them about.
const WAYS: [(&str, &[&str]); 3] = [
    (
        "rests",
        &["--source-load", "1", "--busy-share-percent", "off"],
    ),
    (
        "default",
        &["--source-load", "25", "--busy-share-percent", "50"],
    ),
    (
        "no limits",
        &["--source-load", "off", "--busy-share-percent", "off"],
    ),
];

#[test]
fn writers_keep_most_of_their_throughput() {
    if !long() {
        return;
    }
    for relaxed in [false, true] {
        let start = || {
            let builder = Server::builder(Flavor::Mysql97).option("local_infile=ON");
            let builder = if relaxed { builder.relaxed() } else { builder };
            builder.start().expect("a server")
        };
        let (source, target) = (start(), start());
        let tables = Sysbench::fetch(&Lines)
            .and_then(|sysbench| sysbench.prepare(&source, 8, 250_000))
            .expect("sysbench's tables");
        let seconds = 20 + ROUNDS * 3 * 10;
        let _load = tables.run(&source, seconds, THREADS).expect("a load");
        thread::sleep(Duration::from_secs(2));
        let alone = rate(&source, TURN);
        let folder = TempDir::new().expect("a folder");
        let extra = "[start]\nmode = \"snapshot\"\n[apply]\nconnections = 2\n";
        let config = Host::config(folder.path(), "writers", &source, &target, extra);
        let config = config.expect("a configuration");
        let config = config.to_str().expect("a name");
        let mut host = Host::start(Path::new(config), &[]).expect("a host");
        wait_for(&mut host, "rows", |_| {
            let status = status(config);
            (status["copy"]["rows"].as_u64() > Some(0)).then_some(())
        });
        let mut sums = [(0.0, 0.0); WAYS.len()];
        for _ in 0..ROUNDS {
            for (sum, (_, options)) in sums.iter_mut().zip(WAYS) {
                throttle(config, options);
                let (before, begun) = (rows(&status(config)), Instant::now());
                sum.0 += rate(&source, TURN);
                let after = status(config);
                assert_eq!(after["copy"]["complete"], false, "larger tables are needed");
                sum.1 += (rows(&after) - before) as f64 / begun.elapsed().as_secs_f64();
            }
        }
        host.kill();
        let _ = host.wait(LIMIT);
        let durability = if relaxed { "relaxed" } else { "durable" };
        println!("{durability}: {alone:.0} trx/s without datain");
        let rests = sums[0].0;
        for ((name, _), (writes, copied)) in WAYS.iter().zip(sums) {
            let mean = |sum: f64| sum / f64::from(ROUNDS);
            println!(
                "{durability}: {name}: {:.0} trx/s ({:.0} %), {:.0} rows/s copied",
                mean(writes),
                100.0 * writes / rests,
                mean(copied)
            );
        }
        assert!(sums[1].0 / rests > 0.8, "{durability}: {sums:?}");
    }
}

/// Commits a second, over some time.
fn rate(source: &Server, time: Duration) -> f64 {
    let commits = || -> u64 {
        let rows = source.query("SHOW GLOBAL STATUS LIKE 'Com_commit'");
        let value = rows.expect("a status")[0][1].clone();
        value.expect("a value").parse().expect("a number")
    };
    let (before, begun) = (commits(), Instant::now());
    thread::sleep(time);
    (commits() - before) as f64 / begun.elapsed().as_secs_f64()
}
