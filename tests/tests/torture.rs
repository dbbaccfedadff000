//! Kills (SIGKILL) of host, source and target at random moments, under sysbench and under changes that get into each other's way; the two servers end equal.
//!
//! The ordinary run has 6 kills. With `--long` there are 120 of them, and `DATAIN_TORTURE_KILLS` sets another number. The moments are random: `DATAIN_SEED=N` repeats
//! their order and pauses, though not what they meet. Every commit of the servers is durable, since a killed server may lose others, which no replica could know.
//!
//! In the last third of a long run the host is spared, so that its memory is seen over many losses of its servers.

#![allow(clippy::disallowed_methods, reason = "native test")]

use std::env;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::moving_keys;
use datain_tests::pipeline_run::{FROM_THE_START, progress};
use datain_tests::seed::{Rng, chance, long, pick, seed};
use datain_tests::servers::{cell, run};
use datain_tests::usage::{Sample, median};
use datain_throwaway_servers::sysbench::{self, SCHEMA, Script, Sysbench, Tables};
use datain_throwaway_servers::{Flavor, Lines, Server};

/// How long catching up may take at the end, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);
/// Transactions of sysbench in a second: what is left of the machine is the other load's, the servers' and the host's.
const RATE: u32 = 100;
const FOR_EVER: u32 = 100_000;
/// The most memory that any of the hosts may ever have.
const PEAK_KIB: u64 = 512 << 10;
/// Growth of the last host between the first and the last third of its life that counts as noise.
const NOISE_KIB: u64 = 16 << 10;
/// So long a host must have lived for that to be looked at.
const LIFE: f64 = 60.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Host,
    Source,
    Target,
}

#[test]
fn nothing_is_lost_at_any_kill() {
    let seed = seed("torture");
    let mut rng = Rng::with_seed(seed);
    let kills = kills();
    let (source, target) = (server("OFF"), server("ON"));
    run(&source, moving_keys::CREATE);
    let tables = Sysbench::fetch(&Lines)
        .and_then(|sysbench| sysbench.prepare(&source, 4, 5_000))
        .expect("sysbench's tables");
    let folder = TempDir::new().expect("a folder");
    // One of the tables has unique keys only.
    let more = format!("{FROM_THE_START}[check]\nallow = [\"no-primary-key\"]\n");
    let config =
        Host::config(&folder, "torture", &source, &target, &more).expect("a configuration");
    let socket = source.socket();
    let stop = AtomicBool::new(false);
    let load = moving_keys::load(0);
    thread::scope(|scope| {
        // A scope waits for its threads, also when something below panics.
        let writing = StopOnDrop(&stop);
        let running = scope.spawn(|| load.run_until(&socket, seed, &stop));
        let mut rack = Rack::new(source, target, &config, &tables);
        let plan = plan(&mut rng, kills);
        for victims in plan {
            rack.watch(Duration::from_millis(rng.u64(200..2500)));
            rack.kill(&victims, &mut rng);
        }
        rack.watch(Duration::from_secs(2));
        drop(writing);
        println!("{:?}", running.join().expect("the load"));
        rack.end();
    });
}

fn kills() -> usize {
    match env::var("DATAIN_TORTURE_KILLS") {
        Ok(text) => text.parse().expect("DATAIN_TORTURE_KILLS is a number"),
        Err(_) if long() => 120,
        Err(_) => 6,
    }
}

/// Who is killed, one after the other or two at once. Each gets its share.
fn plan(rng: &mut Rng, kills: usize) -> Vec<Vec<Victim>> {
    let mut planned = 0;
    let mut plan = Vec::new();
    while planned < kills {
        let spared = kills >= 100 && planned >= kills * 2 / 3;
        let mut all = vec![Victim::Source, Victim::Target];
        if !spared {
            all.push(Victim::Host);
        }
        rng.shuffle(&mut all);
        while let Some(one) = all.pop() {
            let mut victims = vec![one];
            if chance(rng, 20) {
                victims.extend(all.pop());
            }
            planned += victims.len();
            plan.push(victims);
        }
    }
    plan
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A server as people run it: every commit durable; with LOAD DATA LOCAL or without.
fn server(local_infile: &str) -> Server {
    Server::builder(Flavor::Mysql97)
        .option(format!("local_infile={local_infile}"))
        .start()
        .expect("a server")
}

/// What is tortured.
struct Rack<'a> {
    source: Server,
    target: Server,
    host: Host,
    config: &'a Path,
    tables: &'a Tables,
    sysbench: sysbench::Load,
    began: Instant,
    host_began: Instant,
    /// Of the present host.
    samples: Vec<Sample>,
    tally: Tally,
}

impl<'a> Rack<'a> {
    fn new(source: Server, target: Server, config: &'a Path, tables: &'a Tables) -> Self {
        Self {
            sysbench: load(tables, &source),
            source,
            target,
            host: start(config),
            config,
            tables,
            began: Instant::now(),
            host_began: Instant::now(),
            samples: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Lets everything run.
    fn watch(&mut self, time: Duration) {
        let until = Instant::now() + time;
        loop {
            self.look();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(Duration::from_millis(200)));
        }
    }

    fn look(&mut self) {
        let running = self.host.is_running().expect("the system answers");
        assert!(running, "it ended by itself:\n{}", self.host.stderr());
        let at = self.host_began.elapsed().as_secs_f64();
        if let Some(sample) = Sample::of(self.host.pid(), at) {
            self.tally.peak_kib = self.tally.peak_kib.max(sample.peak_kib);
            self.samples.push(sample);
        }
    }

    /// Kills them at once, and brings them back in any order.
    fn kill(&mut self, victims: &[Victim], rng: &mut Rng) {
        for victim in victims {
            self.tally.kills += 1;
            match victim {
                Victim::Host => {
                    self.host.kill();
                    self.tally.host(&self.host);
                }
                Victim::Source => {
                    self.source.kill();
                    self.tally.sources += 1;
                }
                Victim::Target => {
                    self.target.kill();
                    self.tally.targets += 1;
                }
            }
        }
        let away = Instant::now();
        thread::sleep(Duration::from_millis(pick(rng, &[0, 0, 100, 700])));
        let mut order = victims.to_vec();
        rng.shuffle(&mut order);
        for victim in order {
            match victim {
                Victim::Host => {
                    self.host = start(self.config);
                    self.host_began = Instant::now();
                    self.samples.clear();
                }
                Victim::Source => {
                    self.source.restart().expect("the source comes back");
                    // The one before has lost its server.
                    self.sysbench = load(self.tables, &self.source);
                }
                Victim::Target => self.target.restart().expect("the target comes back"),
            }
        }
        println!(
            "{:7.1} s  {victims:?}, back after {:.1} s",
            self.began.elapsed().as_secs_f64(),
            away.elapsed().as_secs_f64()
        );
    }

    /// Ends the load, lets the host catch up, and compares.
    fn end(mut self) {
        assert!(
            self.sysbench.is_running().expect("the system answers"),
            "sysbench has ended by itself"
        );
        drop(self.sysbench);
        let (source, target) = (&self.source, &self.target);
        let executed = cell(source, "SELECT @@gtid_executed").replace('\n', "");
        let ended = Instant::now();
        while !cell(target, "SELECT display FROM datain.checkpoints").ends_with(&executed) {
            let running = self.host.is_running().expect("the system answers");
            let stderr = || self.host.stderr();
            assert!(running, "it ended by itself:\n{}", stderr());
            assert!(ended.elapsed() < PATIENCE, "not caught up:\n{}", stderr());
            thread::sleep(Duration::from_millis(200));
        }
        println!(
            "all is durable {:.1} s after the load's end; on the source: {executed}",
            ended.elapsed().as_secs_f64()
        );
        self.host.terminate();
        let exit = self.host.wait(PATIENCE).expect("the host ends");
        assert_eq!(exit.code, 130, "{exit}");
        self.tally.host(&self.host);
        compare::assert_equal(source, target, &[SCHEMA, moving_keys::SCHEMA]);
        println!(
            "equal after {:.0} s: {}",
            self.began.elapsed().as_secs_f64(),
            self.tally
        );
        assert!(self.tally.peak_kib < PEAK_KIB, "{}", self.tally);
        flat(&self.samples);
    }
}

fn load(tables: &Tables, source: &Server) -> sysbench::Load {
    tables
        .run_script(source, Script::WriteOnly, FOR_EVER, 4, Some(RATE))
        .expect("the load starts")
}

/// A host that also waits for servers which are away when it begins.
fn start(config: &Path) -> Host {
    let arguments = ["--progress", "json", "--connect-retry-seconds", "120"];
    Host::start(config, &arguments).expect("the host starts")
}

/// What happened.
#[derive(Debug, Default)]
struct Tally {
    kills: u32,
    hosts: u32,
    sources: u32,
    targets: u32,
    /// As far as the hosts said: a killed one takes up to a second's with it.
    transactions: u64,
    rows: u64,
    groups: u64,
    restarts: u64,
    peak_kib: u64,
}

impl Tally {
    /// A host has ended.
    fn host(&mut self, host: &Host) {
        let status = progress(host).unwrap_or_default();
        let number = |key: &str| status[key].as_u64().unwrap_or_default();
        self.hosts += 1;
        self.transactions += number("transactions_applied");
        self.rows += number("rows_applied");
        self.groups += number("groups_committed");
        self.restarts += number("restarts");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills ({} of the source, {} of the target), {} hosts; {} transactions, {} rows in {} groups, {} restarts after failures; at most {} MiB resident",
            self.kills,
            self.sources,
            self.targets,
            self.hosts,
            self.transactions,
            self.rows,
            self.groups,
            self.restarts,
            self.peak_kib >> 10
        )
    }
}

/// Memory, open files and threads of the last host, if it lived long enough: those of the end against those of the beginning.
fn flat(samples: &[Sample]) {
    let life = samples.last().map_or(0.0, |last| last.at);
    if life < LIFE {
        return;
    }
    let third = |from: f64, to: f64, what: fn(&Sample) -> u64| {
        let within = samples
            .iter()
            .filter(|s| (from..=to).contains(&(s.at / life)));
        median(within.map(what))
    };
    let [kib, files, threads] = [
        (|s| s.kib) as fn(&Sample) -> u64,
        |s| s.files,
        |s| s.threads,
    ]
    .map(|what| (third(0.2, 0.5, what), third(0.7, 1.0, what)));
    println!(
        "the last host lived {life:.0} s; medians of its beginning and its end: {} and {} KiB resident, {} and {} files, {} and {} threads",
        kib.0, kib.1, files.0, files.1, threads.0, threads.1
    );
    assert!(kib.1 <= kib.0 + NOISE_KIB, "memory grows: {kib:?} KiB");
    assert!(files.1 <= files.0, "open files grow: {files:?}");
    assert!(threads.1 <= threads.0, "threads grow: {threads:?}");
}
