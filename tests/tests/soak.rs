//! The soak: load for a long time while everything that can be disturbed is disturbed, then proof that nothing was lost, and that memory, open files and threads are flat.
//!
//! It runs with `DATAIN_LONG=1` (`cargo xtask test --long`), or when `DATAIN_SOAK_SECONDS` says how long: 1200 without it, and no less than 120. In the first 60 %
//! of the time source and target are each restarted twice in order and killed once, the network of each is cut twice, and the host is restarted
//! three times (ended once, killed twice). sysbench ends when its server goes away, and is started again.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::env;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::pipeline_run::{config, progress, through, value};
use datain_tests::proxy::Proxy;
use datain_tests::usage::{Sample, median};
use datain_throwaway_servers::sysbench::{self, SCHEMA, Script, Sysbench, Tables};
use datain_throwaway_servers::{Flavor, Lines, Server};

/// Part of the time in which something is disturbed.
const DISTURBED: f64 = 0.6;
/// How long catching up may take at the end.
const PATIENCE: Duration = Duration::from_secs(300);
/// Memory is looked at so often.
const SAMPLE: Duration = Duration::from_secs(2);
/// How long a host may take to get to the memory that it needs; less in a short run, by the next one.
const WARM_UP: f64 = 180.0;
const WARM_UP_PART: f64 = 0.4;
/// Growth between the first and the last third of what follows that counts as noise.
const NOISE_KIB: u64 = 4 << 10;

/// Steady load, which leaves the machine some time for the two servers and the host.
const TRANSACTIONS_PER_SECOND: u32 = 200;
const FOR_EVER: u32 = 100_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disturbance {
    RestartSource,
    KillSource,
    RestartTarget,
    KillTarget,
    CutSource,
    CutTarget,
    EndHost,
    KillHost,
}

use Disturbance::{
    CutSource, CutTarget, EndHost, KillHost, KillSource, KillTarget, RestartSource, RestartTarget,
};

const PLAN: [Disturbance; 13] = [
    CutSource,
    KillHost,
    RestartTarget,
    RestartSource,
    CutTarget,
    EndHost,
    KillSource,
    KillTarget,
    CutSource,
    KillHost,
    RestartTarget,
    RestartSource,
    CutTarget,
];

#[test]
fn it_stays_whole_and_flat() {
    let Some(seconds) = seconds() else {
        println!("left out: it takes 20 minutes; DATAIN_LONG=1 or DATAIN_SOAK_SECONDS runs it");
        return;
    };
    let (mut source, mut target) = (server(), server());
    let tables = Sysbench::fetch(&Lines)
        .and_then(|sysbench| sysbench.prepare(&source, 4, 10_000))
        .expect("sysbench's tables");
    let to_source = Proxy::start(source.port(), |_| ()).expect("a proxy");
    let to_target = Proxy::start(target.port(), |_| ()).expect("a proxy");
    let folder = TempDir::new().expect("a folder");
    let by_source = through(&source, to_source.port());
    let by_target = through(&target, to_target.port());
    let config = config(&folder, "soak", &source, &target, |text| {
        by_target(by_source(text))
    });

    let whole = Duration::from_secs(seconds);
    let step = whole.mul_f64(DISTURBED) / u32::try_from(PLAN.len()).expect("a short plan");
    let mut load = Load::new(&tables);
    load.begin(&source);
    let mut watched = Watched::new(&config);
    let begun = watched.begun;
    for (disturbance, number) in PLAN.into_iter().zip(1_u32..) {
        watched.until(begun + step * number);
        watched.tell(&format!("{disturbance:?}"));
        match disturbance {
            CutSource => to_source.cut(),
            CutTarget => to_target.cut(),
            EndHost => watched.restart(true),
            KillHost => watched.restart(false),
            RestartSource | KillSource => {
                if disturbance == KillSource {
                    source.kill();
                }
                source.restart().expect("the source comes back");
                load.begin(&source);
            }
            RestartTarget | KillTarget => {
                if disturbance == KillTarget {
                    target.kill();
                }
                target.restart().expect("the target comes back");
            }
        }
    }
    watched.until(begun + whole);
    watched.tell("the load ends");
    load.end();
    let ended = Instant::now();
    let executed = value(&source, "SELECT @@gtid_executed").expect("its GTIDs");
    let executed = executed.replace('\n', "");
    let covered = || {
        let display = value(&target, "SELECT display FROM datain.checkpoints")?;
        display.ends_with(&executed).then_some(())
    };
    while covered().is_none() {
        assert!(
            ended.elapsed() < PATIENCE,
            "it does not catch up:\n{}",
            watched.host.stderr()
        );
        watched.until(Instant::now() + Duration::from_millis(200));
    }
    println!(
        "all is durable {:.1} s after the load's end; on the source: {executed}",
        ended.elapsed().as_secs_f64()
    );
    let samples = watched.end();
    compare::assert_equal(&source, &target, &[SCHEMA]);
    flat(&samples, step.as_secs_f64(), seconds);
}

/// How long, if at all.
fn seconds() -> Option<u64> {
    let set = |name: &str| {
        env::var(name)
            .ok()
            .filter(|value| !value.is_empty() && value != "0")
    };
    match set("DATAIN_SOAK_SECONDS") {
        Some(text) => {
            let seconds = text.parse().expect("DATAIN_SOAK_SECONDS is a number");
            assert!(seconds >= 120, "less than 120 s shows nothing");
            Some(seconds)
        }
        None => set("DATAIN_LONG").map(|_| 1200),
    }
}

/// A server as people run it: every commit durable.
fn server() -> Server {
    Server::builder(Flavor::Mysql97).start().expect("a server")
}

/// sysbench's two mixes in turn, each until its server goes away or the next one begins.
struct Load<'a> {
    tables: &'a Tables,
    running: Option<sysbench::Load>,
    turns: usize,
}

impl<'a> Load<'a> {
    fn new(tables: &'a Tables) -> Self {
        Self {
            tables,
            running: None,
            turns: 0,
        }
    }

    fn begin(&mut self, source: &Server) {
        // What ran before has lost its server, or is killed here.
        self.running = None;
        let script = [Script::ReadWrite, Script::WriteOnly][self.turns % 2];
        self.turns += 1;
        let rate = Some(TRANSACTIONS_PER_SECOND);
        let load = self.tables.run_script(source, script, FOR_EVER, 4, rate);
        self.running = Some(load.expect("the load starts"));
    }

    fn end(mut self) {
        let running = self.running.as_mut().expect("a load");
        assert!(
            running.is_running().expect("the system answers"),
            "the load has ended before its time"
        );
        self.running = None;
    }
}

/// The host, and what is seen of it.
struct Watched<'a> {
    host: Host,
    config: &'a Path,
    begun: Instant,
    started: Instant,
    sampled: Option<Instant>,
    /// Of the present host.
    samples: Vec<Sample>,
    max_lag: f64,
    rows: u64,
    transactions: u64,
}

impl<'a> Watched<'a> {
    fn new(config: &'a Path) -> Self {
        Self {
            host: start(config),
            config,
            begun: Instant::now(),
            started: Instant::now(),
            sampled: None,
            samples: Vec::new(),
            max_lag: 0.0,
            rows: 0,
            transactions: 0,
        }
    }

    /// Watches until then.
    fn until(&mut self, then: Instant) {
        loop {
            let running = self.host.is_running().expect("the system answers");
            assert!(running, "it ended by itself:\n{}", self.host.stderr());
            if let Some(lag) =
                progress(&self.host).and_then(|status| status["lag_seconds"].as_f64())
            {
                self.max_lag = self.max_lag.max(lag);
            }
            if self.sampled.is_none_or(|at| at.elapsed() >= SAMPLE) {
                self.sampled = Some(Instant::now());
                let at = self.started.elapsed().as_secs_f64();
                let sample = Sample::of(self.host.pid(), at).expect("the system tells");
                self.samples.push(sample);
            }
            if Instant::now() >= then {
                return;
            }
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn tell(&mut self, what: &str) {
        let lag = std::mem::take(&mut self.max_lag);
        println!(
            "{:7.1} s  {what}; since the line before, lag at most {lag:.1} s",
            self.begun.elapsed().as_secs_f64()
        );
    }

    fn restart(&mut self, in_order: bool) {
        self.stop(in_order);
        self.host = start(self.config);
        self.started = Instant::now();
        self.samples.clear();
    }

    fn stop(&mut self, in_order: bool) {
        if in_order {
            self.host.terminate();
            let exit = self
                .host
                .wait(PATIENCE)
                .expect("a host that is asked to ends");
            assert_eq!(exit.code, 130, "{exit}");
        } else {
            self.host.kill();
        }
        let status = progress(&self.host).unwrap_or_default();
        let number = |key: &str| status[key].as_u64().unwrap_or_default();
        self.rows += number("rows_applied");
        self.transactions += number("transactions_applied");
        println!(
            "           this host: {} transactions, {} rows, {} restarts after failures",
            number("transactions_applied"),
            number("rows_applied"),
            number("restarts")
        );
    }

    /// Ends the host; what it used since its start.
    fn end(mut self) -> Vec<Sample> {
        self.stop(true);
        println!(
            "all hosts, as far as they said: {} transactions, {} rows",
            self.transactions, self.rows
        );
        self.samples
    }
}

fn start(config: &Path) -> Host {
    Host::start(config, &["--progress", "json"]).expect("the host starts")
}

/// Growth by the line of least squares, in MiB a minute.
fn slope(samples: &[Sample]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "KiB of a process")]
    let points: Vec<(f64, f64)> = samples.iter().map(|s| (s.at, s.kib as f64)).collect();
    let count = points.iter().map(|_| 1.0).sum::<f64>();
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let below: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    above / below * 60.0 / 1024.0
}

/// Memory: the last third of the time after the warm-up against the first one. Files and threads: the last third against what there was before the first
/// disturbance, which came `step` seconds after the host's start, so that what a new connection leaves behind counts.
fn flat(samples: &[Sample], step: f64, seconds: u64) {
    for sample in samples.iter().step_by((samples.len() / 12).max(1)) {
        println!(
            "{:7.1} s after the last host's start: {} KiB resident, {} files, {} threads",
            sample.at, sample.kib, sample.files, sample.threads
        );
    }
    let end = samples.last().expect("samples").at;
    let warm = WARM_UP.min(end * WARM_UP_PART);
    let third = (end - warm) / 3.0;
    let between = |from: f64, to: f64| -> Vec<Sample> {
        let within = samples.iter().filter(|s| (from..=to).contains(&s.at));
        within.copied().collect()
    };
    let (young, first, last) = (
        between(1.0, step),
        between(warm, warm + third),
        between(end - third, end),
    );
    let of = |samples: &[Sample], what: fn(&Sample) -> u64| median(samples.iter().map(what));
    let (kib_first, kib_last) = (of(&first, |s| s.kib), of(&last, |s| s.kib));
    let (files_first, files_last) = (of(&young, |s| s.files), of(&last, |s| s.files));
    let (threads_first, threads_last) = (of(&young, |s| s.threads), of(&last, |s| s.threads));
    println!(
        "soak of {seconds} s: the last host lived {end:.0} s; resident memory, medians of {:.0} to {:.0} s and of {:.0} to {end:.0} s: {kib_first} KiB, then \
         {kib_last} KiB ({:+.2} MiB a minute); open files {files_first}, then {files_last}; threads {threads_first}, then {threads_last}",
        warm,
        warm + third,
        end - third,
        slope(&between(warm, end)),
    );
    assert!(
        kib_last <= kib_first + NOISE_KIB,
        "memory grows: {kib_first} KiB, then {kib_last} KiB"
    );
    assert!(files_last <= files_first, "open files grow");
    assert!(threads_last <= threads_first, "threads grow");
}
