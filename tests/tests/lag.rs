//! The lag and the half-open connection: what the status says while all is well, while nothing arrives, and when the clocks differ.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, config, progress, server, through, value, wait_for};
use datain_tests::proxy::Proxy;
use datain_throwaway_servers::{Flavor, Server};
use serde_json::Value;

const TABLE: &str =
    "CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)";

fn start(config: &Path) -> Host {
    Host::start(config, &["--progress", "json"]).expect("the host starts")
}

fn lag(host: &Host) -> Option<f64> {
    progress(host)?["lag_seconds"].as_f64()
}

/// The states and lags of all lines since `from`, a number of lines.
fn since(host: &Host, from: usize) -> Vec<(String, Option<f64>)> {
    host.stdout()
        .lines()
        .skip(from)
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .map(|line| {
            let state = line["state"].as_str().unwrap_or_default().to_owned();
            (state, line["lag_seconds"].as_f64())
        })
        .collect()
}

fn lines(host: &Host) -> usize {
    host.stdout().lines().count()
}

fn in_step(host: &mut Host) {
    wait_for(host, "lag of 0", |host| {
        (lag(host) == Some(0.0)).then_some(())
    });
}

fn end(mut host: Host) {
    host.interrupt();
    let exit = host.wait(LIMIT).expect("the host ends");
    assert_eq!(exit.code, 130, "{exit}");
    let last = exit.stderr.lines().filter(|line| line.contains("stopped"));
    assert_eq!(last.count(), 1, "one line says so:\n{}", exit.stderr);
}

#[test]
fn it_is_0_while_idle_and_grows_while_the_source_is_away() {
    let (mut source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let folder = TempDir::new().expect("a folder");
    let mut host = start(&config(&folder, "lag", &source, &target, |text| text));
    in_step(&mut host);
    let from = lines(&host);
    thread::sleep(Duration::from_secs(4));
    let idle = since(&host, from);
    assert!(
        idle.len() > 2 && idle.iter().all(|(_, lag)| *lag == Some(0.0)),
        "{idle:?}"
    );

    let stopped = Instant::now();
    source.stop().expect("the source stops");
    wait_for(&mut host, "retry", |host| {
        let status = progress(host)?;
        (status["state"] != "streaming").then_some(())
    });
    let from = lines(&host);
    thread::sleep(Duration::from_secs(5));
    let away: Vec<_> = since(&host, from)
        .into_iter()
        .filter(|(state, _)| state != "streaming")
        .collect();
    let longest = stopped.elapsed().as_secs_f64() + 2.0;
    let lags: Vec<f64> = away.iter().filter_map(|(_, lag)| *lag).collect();
    assert!(lags.len() > 2 && lags.len() == away.len(), "{away:?}");
    assert!(
        lags.iter().all(|lag| *lag > 0.0 && *lag < longest),
        "never 0, and not from the last commit: {away:?}"
    );
    assert!(lags.windows(2).all(|two| two[0] < two[1]), "{away:?}");

    source.restart().expect("the source comes back");
    in_step(&mut host);
    let status = progress(&host).expect("a status");
    let at = status["last_error_at_micros"].as_u64();
    assert!(
        status["last_error"]["code"].is_string() && at.is_some(),
        "the last error is kept with its time: {status}"
    );
    end(host);
}

#[test]
fn a_source_whose_clock_is_ahead_is_not_90_seconds_ahead_or_behind() {
    for shift in [90, -90] {
        let source = Server::builder(Flavor::Mysql97)
            .relaxed()
            .clock_shift(shift)
            .start()
            .expect("a server with a clock of its own");
        let target = server();
        source.sql(TABLE).expect("data");
        let folder = TempDir::new().expect("a folder");
        let mut host = start(&config(&folder, "clock", &source, &target, |text| text));
        in_step(&mut host);
        let status = progress(&host).expect("a status");
        let ahead = status["clock_ahead_seconds"]
            .as_f64()
            .expect("a difference");
        let expected = f64::from(i32::try_from(shift).expect("it is small"));
        assert!((ahead - expected).abs() < 2.0, "{ahead}");
        let from = lines(&host);
        let mut client = source.client();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(6) {
            client
                .execute("INSERT INTO d.t (v) VALUES (1), (2), (3)")
                .expect("rows");
        }
        let lags: Vec<f64> = since(&host, from)
            .into_iter()
            .filter_map(|(_, lag)| lag)
            .collect();
        println!("{shift} s: {lags:?}");
        assert!(
            lags.iter().any(|lag| *lag > 0.0),
            "there was load: {lags:?}"
        );
        assert!(lags.iter().all(|lag| *lag < 5.0), "{lags:?}");
        in_step(&mut host);
        end(host);
        compare::assert_equal(&source, &target, &["d"]);
    }
}

/// Idle and in step, a server is taken away: how long until the lag is not 0, and every line from then on.
fn out_of_step(host: &mut Host, limit: Duration) -> Value {
    let gone = Instant::now();
    let status = wait_for(host, "lag above 0", |host| {
        let status = progress(host)?;
        (status["lag_seconds"].as_f64()? > 0.0).then_some(status)
    });
    println!("after {:.1} s: {status}", gone.elapsed().as_secs_f64());
    assert!(gone.elapsed() < limit, "{:?}: {status}", gone.elapsed());
    status
}

/// No line since `from` says that it is in step, and the lag grows.
fn grows(host: &Host, from: usize) {
    thread::sleep(Duration::from_secs(4));
    let lags: Vec<f64> = since(host, from)
        .into_iter()
        .map(|(_, lag)| lag.expect("a lag is known"))
        .collect();
    assert!(
        lags.len() > 2 && lags[0] > 0.0 && lags.windows(2).all(|two| two[0] < two[1]),
        "{lags:?}"
    );
}

#[test]
fn an_idle_pipeline_is_not_in_step_with_a_target_that_was_killed() {
    let (source, mut target) = (server(), server());
    source.sql(TABLE).expect("data");
    let folder = TempDir::new().expect("a folder");
    let mut host = start(&config(&folder, "killed", &source, &target, |text| text));
    in_step(&mut host);
    target.kill();
    out_of_step(&mut host, Duration::from_secs(8));
    wait_for(&mut host, "notice of the loss", |host| {
        (progress(host)?["state"] != "streaming").then_some(())
    });
    let from = lines(&host);
    grows(&host, from);
    target.restart().expect("the target comes back");
    in_step(&mut host);
    end(host);
    compare::assert_equal(&source, &target, &["d"]);
}

/// A server's machine or network is gone without a word: nobody knows, but nobody may say that all is well.
fn a_frozen_server_is_not_in_step(is_source: bool, limit: Duration) {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let frozen = if is_source { &source } else { &target };
    let proxy = Proxy::start(frozen.port(), |_| ()).expect("a proxy");
    let folder = TempDir::new().expect("a folder");
    let change = through(frozen, proxy.port());
    let mut host = start(&config(&folder, "frozen", &source, &target, change));
    in_step(&mut host);
    proxy.freeze();
    let status = out_of_step(&mut host, limit);
    let from = lines(&host);
    let key = if is_source {
        "source_silent_seconds"
    } else {
        "target_silent_seconds"
    };
    let (silent, lag) = (&status[key], &status["lag_seconds"]);
    assert!(silent.as_f64() > Some(5.0), "{status}");
    assert!(
        lag.as_f64() > Some(5.0),
        "it counts from the last word: {status}"
    );
    grows(&host, from);
    proxy.thaw();
    in_step(&mut host);
    end(host);
}

#[test]
fn an_idle_pipeline_is_not_in_step_with_a_frozen_target() {
    a_frozen_server_is_not_in_step(false, Duration::from_secs(8));
}

#[test]
fn an_idle_pipeline_is_not_in_step_with_a_frozen_source() {
    a_frozen_server_is_not_in_step(true, Duration::from_secs(11));
}

#[test]
fn a_source_that_falls_silent_is_left_and_found_again() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let proxy = Proxy::start(source.port(), |_| ()).expect("a proxy");
    let folder = TempDir::new().expect("a folder");
    let change = through(&source, proxy.port());
    let mut host = start(&config(&folder, "silent", &source, &target, change));
    in_step(&mut host);
    let quiet = host.stderr().len();
    // Heartbeats keep an idle connection for longer than three of them take, and the lag at 0.
    let from = lines(&host);
    thread::sleep(Duration::from_secs(17));
    let idle = since(&host, from);
    assert!(
        idle.len() > 10 && idle.iter().all(|(_, lag)| *lag == Some(0.0)),
        "{idle:?}"
    );
    assert!(
        !host.stderr()[quiet..].contains("WARN"),
        "{}",
        host.stderr()
    );
    proxy.freeze();
    let frozen = Instant::now();
    source.sql("INSERT INTO d.t (v) VALUES (1)").expect("a row");
    wait_for(&mut host, "notice of the silence", |host| {
        host.stderr().contains("source.silent").then_some(())
    });
    let noticed = frozen.elapsed().as_secs_f64();
    println!("noticed after {noticed:.1} s");
    assert!(noticed < 20.0, "{noticed}");
    proxy.thaw();
    wait_for(&mut host, "row", |_| {
        (value(&target, "SELECT COUNT(*) FROM d.t").as_deref() == Some("1")).then_some(())
    });
    in_step(&mut host);
    end(host);
    compare::assert_equal(&source, &target, &["d"]);
}

/// The target is cut off while a statement is on its way: the row is written once all the same.
fn a_silent_target(freeze: fn(&Proxy), expected: &str) {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    let proxy = Proxy::start(target.port(), |_| ()).expect("a proxy");
    let folder = TempDir::new().expect("a folder");
    let change = through(&target, proxy.port());
    let mut host = start(&config(&folder, "silent", &source, &target, change));
    in_step(&mut host);
    freeze(&proxy);
    let frozen = Instant::now();
    source.sql("INSERT INTO d.t (v) VALUES (1)").expect("a row");
    wait_for(&mut host, "notice of the silence", |host| {
        host.stderr().contains("sink.target-silent").then_some(())
    });
    println!("noticed after {:.1} s", frozen.elapsed().as_secs_f64());
    assert!(host.stderr().contains(expected), "{}", host.stderr());
    let behind = lag(&host).expect("a lag");
    assert!(behind > 20.0, "{behind}");
    proxy.thaw();
    in_step(&mut host);
    end(host);
    compare::assert_equal(&source, &target, &["d"]);
}

#[test]
fn a_target_whose_connection_was_forgotten_on_the_way() {
    a_silent_target(Proxy::freeze_open, "no longer works for this connection");
}

#[test]
fn a_target_that_cannot_be_reached_any_more() {
    a_silent_target(Proxy::freeze, "a second connection got no answer either");
}

#[test]
fn a_statement_that_takes_long_is_waited_for() {
    let (source, target) = (server(), server());
    source.sql(TABLE).expect("data");
    source.sql("INSERT INTO d.t (v) VALUES (1)").expect("a row");
    let folder = TempDir::new().expect("a folder");
    let mut host = start(&config(&folder, "slow", &source, &target, |text| text));
    in_step(&mut host);
    let quiet = host.stderr().len();
    // The DDL waits for this lock, for longer than a late reply.
    let mut other = target.client();
    other
        .execute("LOCK TABLES d.t READ")
        .expect("a stranger's lock");
    source.sql("ALTER TABLE d.t ADD c INT").expect("DDL");
    thread::sleep(Duration::from_secs(45));
    other.execute("UNLOCK TABLES").expect("the lock's end");
    in_step(&mut host);
    assert!(
        !host.stderr()[quiet..].contains("WARN"),
        "{}",
        host.stderr()
    );
    end(host);
    compare::assert_equal(&source, &target, &["d"]);
}
