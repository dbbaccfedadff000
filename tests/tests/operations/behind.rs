//! `datain status`: how far the target is behind when there is no host, or one that has lost a server; and a host's own figures.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datain_tests::host::Host;
use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

use crate::lab::{FROM_THE_BEGINNING, Lab, caught_up, datain, done, status, until};

fn behind(status: &Value) -> f64 {
    let seconds = status["seconds_behind"].as_f64();
    seconds.unwrap_or_else(|| panic!("it is known how far it is behind: {status}"))
}

#[test]
fn without_a_host_the_first_missing_transaction_counts_whatever_the_sources_clock_says() {
    for shift in [90, -90] {
        let source = Server::builder(Flavor::Mysql97)
            .relaxed()
            .clock_shift(shift)
            .start()
            .expect("a server with a clock of its own");
        let mut lab = Lab::with_source(source);
        let config = lab.config("skew", FROM_THE_BEGINNING);
        done(caught_up(&config));
        let applied = Instant::now();
        let none = status(&config);
        assert_eq!(none["transactions_behind"], 0);
        assert!(none["seconds_behind"].is_null(), "{none}");

        // Idle for a while, then one transaction: it is that one that counts.
        std::thread::sleep(Duration::from_secs(8));
        let before = Instant::now();
        lab.source("INSERT INTO d.t VALUES (1, 1)");
        let one = status(&config);
        let most = before.elapsed().as_secs_f64() + 1.0;
        println!("{shift} s, one missing: {}", one["seconds_behind"]);
        assert_eq!(one["transactions_behind"], 1);
        assert!(behind(&one) > 0.0 && behind(&one) < most, "{one}");
        lab.source("INSERT INTO d.t VALUES (2, 2)");
        std::thread::sleep(Duration::from_secs(2));
        let two = status(&config);
        assert_eq!(two["transactions_behind"], 2);
        assert!(behind(&two) > behind(&one) + 1.5, "{one}, then {two}");

        // Nobody can be asked about the clock any more: never 0, and not a moment of the future.
        lab.source.kill();
        let least = applied.elapsed().as_secs_f64();
        let dark = status(&config);
        println!("{shift} s, no source: {}", dark["seconds_behind"]);
        assert_eq!(dark["source"]["reachable"], false);
        assert!(dark["source"]["error"]["code"].is_string(), "{dark}");
        assert!(dark["transactions_behind"].is_null(), "{dark}");
        assert!(behind(&dark) >= least, "{least}: {dark}");
        if shift > 0 {
            let most = applied.elapsed().as_secs_f64() + 5.0;
            assert!(behind(&dark) < most, "{most}: {dark}");
        }
    }
}

#[test]
fn a_host_that_cannot_reach_its_source_yet_counts_from_the_target() {
    let mut lab = Lab::new();
    let config = lab.config("early", FROM_THE_BEGINNING);
    done(caught_up(&config));
    let applied = Instant::now();
    lab.source.kill();
    let host = Host::start(&config, &["--connect-retry-seconds", "100"]).expect("a host");
    until("it tries", || !status(&config)["host"].is_null());
    for _ in 0..10 {
        let least = applied.elapsed().as_secs_f64();
        let early = status(&config);
        assert!(early["host"].is_object(), "{early}");
        assert!(behind(&early) >= least, "{least}: {early}");
        std::thread::sleep(Duration::from_millis(100));
    }
    lab.source.restart().expect("the source comes back");
    until("in step", || status(&config)["seconds_behind"] == 0.0);
    drop(host);
}

#[test]
fn a_host_whose_target_is_away() {
    let mut lab = Lab::new();
    let config = lab.config("away", FROM_THE_BEGINNING);
    let host = Host::start(&config, &[]).expect("a host");
    lab.source("INSERT INTO d.t VALUES (1, 1)");
    until("in step", || {
        lab.rows() == 1 && status(&config)["seconds_behind"] == 0.0
    });
    let executed = status(&config)["executed"].clone();
    lab.target.kill();
    until("it notices", || status(&config)["state"] != "streaming");
    for _ in 0..10 {
        let away = status(&config);
        assert!(behind(&away) > 0.0, "{away}");
        assert_eq!(away["target"]["reachable"], false);
        assert!(away["target"]["version"].is_null(), "{away}");
        assert!(away["target"]["error"]["code"].is_string(), "{away}");
        assert_eq!(away["source"]["reachable"], true);
        assert!(away["head"].is_object(), "{away}");
        assert!(away["checkpoint"].is_null(), "{away}");
        assert_eq!(away["executed"], executed, "the host knows it");
        assert_eq!(away["host"]["pid"], u64::from(host.pid()));
        std::thread::sleep(Duration::from_millis(100));
    }
    let text = done(datain("status", &config, &[])).stdout;
    assert!(text.contains("Target_Error: "), "{text}");
    assert!(!text.contains("Seconds_Behind_Source: 0.0"), "{text}");
    lab.target.restart().expect("the target comes back");
    until("in step", || status(&config)["seconds_behind"] == 0.0);
}

#[test]
fn uptime_and_rows_per_second_are_what_they_are() {
    let mut lab = Lab::new();
    let config = lab.config("figures", FROM_THE_BEGINNING);
    let before = Instant::now();
    let host = Host::start(&config, &[]).expect("a host");
    until("in step", || status(&config)["seconds_behind"] == 0.0);
    assert_eq!(status(&config)["host"]["rows_per_second"], 0.0);

    // 20 rows every 100 ms, as well as this machine keeps time, also while the status is asked for.
    let mut client = lab.source.client();
    let ended = AtomicBool::new(false);
    let begun = Instant::now();
    let (first, asked, written) = std::thread::scope(|scope| {
        let load = scope.spawn(|| {
            let mut written = Vec::new();
            let mut id = 0;
            while !ended.load(Ordering::Relaxed) {
                let rows: Vec<String> = (id..id + 20).map(|id| format!("({id}, 1)")).collect();
                let sql = format!("INSERT INTO d.t VALUES {}", rows.join(","));
                client.execute(&sql).expect("rows");
                written.push(Instant::now());
                id += 20;
                std::thread::sleep(Duration::from_millis(100));
            }
            written
        });
        std::thread::sleep(Duration::from_secs(8));
        let first = status(&config);
        let asked = Instant::now();
        ended.store(true, Ordering::Relaxed);
        (first, asked, load.join().expect("the load ends"))
    });
    let uptime = |status: &Value| status["host"]["uptime_seconds"].as_f64().expect("uptime");
    let recent = written
        .iter()
        .filter(|at| asked.saturating_duration_since(**at) < Duration::from_secs(5));
    let expected = f64::from(u32::try_from(recent.count()).expect("few")) * 20.0 / 5.0;
    let rate = first["host"]["rows_per_second"].as_f64().expect("a rate");
    println!("{rate} rows/s, {expected} were written");
    assert!(
        rate > expected * 0.6 && rate < expected * 1.4,
        "{expected}: {first}"
    );
    let whole = before.elapsed().as_secs_f64();
    assert!(
        uptime(&first) > begun.elapsed().as_secs_f64() - 2.0 && uptime(&first) < whole,
        "{whole}: {first}"
    );

    // The rate ends although nobody looks at the sink any more; the uptime goes on.
    lab.target.kill();
    std::thread::sleep(Duration::from_secs(9));
    let second = status(&config);
    let between = asked.elapsed().as_secs_f64();
    let grown = uptime(&second) - uptime(&first);
    assert!((grown - between).abs() < 3.0, "{grown} in {between} s");
    assert_eq!(second["host"]["rows_per_second"], 0.0, "{second}");
    assert_eq!(second["host"]["pid"], u64::from(host.pid()));
}
