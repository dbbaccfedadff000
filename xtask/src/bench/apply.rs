//! `bench apply`: the same backlog, worked off by MySQL's own replica with 1 and with 4 workers and by datain, and the latency of both.
//!
//! The replica takes ten and more times as long as datain is meant to. So a backlog has a first part, which all work off, and a rest that only datain
//! gets: its rate over the whole is held against the replica's rate over the first part. Every end state is held against the source by CHECKSUM TABLE.

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use clap::Args;
use datain_throwaway_servers::Server;

use super::{
    lab::{Lab, Mode, executed},
    latency::{self, Offer},
    native::Native,
    report::{self, Applied, Delay, Engine, Figures},
    subject::Subject,
    usage,
    workloads::{Workload, Writer, Written},
};
use crate::{
    demo::{host::members, interrupt::Interrupt},
    tree,
};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only these workloads; may be repeated
    #[arg(long, value_enum, ignore_case = true)]
    workload: Vec<Workload>,
    /// Only this kind of target; may be repeated
    #[arg(long, value_enum)]
    mode: Vec<Mode>,
    /// Transactions of the whole backlog, which datain works off, in place of each workload's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    transactions: Option<u64>,
    /// Transactions of its first part, which MySQL's replica works off
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    native_transactions: Option<u64>,
    /// Work off each backlog so many times; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Leave MySQL's replica out: only datain is measured, and there are no ratios
    #[arg(long)]
    no_native: bool,
    /// Measure only the latency
    #[arg(long, conflicts_with_all = ["no_latency", "workload"])]
    latency_only: bool,
    /// Do not measure the latency
    #[arg(long)]
    no_latency: bool,
    /// Transactions a second that are offered; may be repeated [default: 100, 1000, 5000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5000))]
    rate: Vec<u32>,
    /// How long each rate is offered
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// A line of datain's section [apply], such as 'group_max_rows = 5000'; may be repeated
    #[arg(long, value_name = "LINE")]
    apply: Vec<String>,
    /// TLS between all servers and programs
    #[arg(long)]
    tls: bool,
    /// Another `datain`, which is not built and finds its plugins by itself
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Where the figures are written [default: target/bench/apply.json]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// How long one engine may take for one backlog.
const PATIENCE: Duration = Duration::from_secs(900);
/// MySQL's replica is measured with so many workers.
const WORKERS: [u32; 2] = [1, 4];

pub(super) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<ExitCode> {
    let begin = Instant::now();
    let subject = Subject::find(
        arguments.program.as_deref(),
        &arguments.apply,
        arguments.tls,
    )?;
    interrupt.check()?;
    let modes = or_all(&arguments.mode, &Mode::ALL);
    let path = arguments
        .json
        .clone()
        .unwrap_or_else(|| tree::root().join("target/bench/apply.json"));
    let mut applied = Vec::new();
    if !arguments.latency_only {
        for workload in or_all(&arguments.workload, &Workload::ALL) {
            let bench = Bench {
                arguments,
                subject: &subject,
                interrupt,
                workload,
            };
            applied.extend(bench.run(&modes)?);
            // What is there stays, should the next one fail.
            report::save(&path, &report::apply_json(&applied, &[]))?;
        }
    }
    let mut delays = Vec::new();
    // Whoever asks for certain workloads wants no more.
    if arguments.latency_only || (!arguments.no_latency && arguments.workload.is_empty()) {
        delays = latencies(arguments, &modes, &subject, interrupt)?;
    }
    println!();
    if !applied.is_empty() {
        println!("{}", report::applied_table(&applied));
        println!(
            "rows, trx: of the source. seconds: until all is on the target, for datain with the process's start and end; start: what these take with nothing to do.\n\
             ratio: rows/s to those of native-4. cpu s, peak MiB: datain's process; source, target: processor seconds of the servers. load: average of the last minute.\n\
             Every end state was equal to the source's by CHECKSUM TABLE.\n"
        );
    }
    if !delays.is_empty() {
        println!("{}", report::delays_table(&delays));
        println!(
            "Milliseconds from right before the commit on the source until the row was seen on the target, at most about 1 ms too long.\n"
        );
    }
    report::write(&path, &report::apply_json(&applied, &delays))?;
    println!("time: {:.0} s", begin.elapsed().as_secs_f64());
    let failed = applied.iter().any(|row| row.result.is_err())
        || delays.iter().any(|row| row.result.is_err());
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// What was asked for, or everything.
pub(super) fn or_all<T: Copy>(some: &[T], all: &[T]) -> Vec<T> {
    match some {
        [] => all.to_vec(),
        some => some.to_vec(),
    }
}

/// One workload.
struct Bench<'a> {
    arguments: &'a Arguments,
    subject: &'a Subject,
    interrupt: &'a Interrupt,
    workload: Workload,
}

impl Bench<'_> {
    fn run(&self, modes: &[Mode]) -> Result<Vec<Applied>> {
        let workload = self.workload;
        println!("\n{}: {}", workload.name(), workload.description());
        let (mut lab, mut writer) =
            Lab::start(self.interrupt, |source| Writer::prepare(workload, source))?;
        let sizes = workload.sizes(
            self.arguments.transactions,
            self.arguments.native_transactions,
        );
        let mut applied = Vec::new();
        let mut written = Written::default();
        if !self.arguments.no_native {
            self.write(&lab, &mut writer, sizes.native, &mut written)?;
            for &mode in modes {
                for workers in WORKERS {
                    let result = self.fastest(|| self.native(&mut lab, mode, workers, written));
                    applied.push(self.noted(mode, Engine::Native(workers), result)?);
                }
            }
        }
        let rest = sizes.whole - written.transactions;
        self.write(&lab, &mut writer, rest, &mut written)?;
        for &mode in modes {
            let result = self.fastest(|| self.datain(&mut lab, mode, written));
            applied.push(self.noted(mode, Engine::Datain, result)?);
        }
        Ok(applied)
    }

    /// The fastest of the runs; one that fails fails them all.
    fn fastest(&self, mut once: impl FnMut() -> Result<Figures>) -> Result<Figures> {
        let mut best = once()?;
        for _ in 1..self.arguments.repeat {
            self.interrupt.check()?;
            let next = once()?;
            if next.seconds < best.seconds {
                best = next;
            }
        }
        Ok(best)
    }

    /// Writes so many transactions more on the source, and makes sure that it has logged them.
    fn write(
        &self,
        lab: &Lab,
        writer: &mut Writer,
        transactions: u64,
        written: &mut Written,
    ) -> Result<()> {
        if transactions == 0 {
            return Ok(());
        }
        let begin = Instant::now();
        let before = members(&executed(&lab.source)?);
        let more = writer.write(&lab.source, transactions)?;
        let logged = members(&executed(&lab.source)?) - before;
        anyhow::ensure!(
            logged == more.transactions,
            "{logged} transactions were logged, not {}",
            more.transactions
        );
        written.transactions += more.transactions;
        written.rows += more.rows;
        println!(
            "  backlog: {} transactions, {} rows more, written in {:.1} s",
            more.transactions,
            more.rows,
            begin.elapsed().as_secs_f64()
        );
        self.interrupt.check()
    }

    fn native(&self, lab: &mut Lab, mode: Mode, workers: u32, work: Written) -> Result<Figures> {
        lab.fresh_target(mode)?;
        let (source, target) = (&lab.source, lab.target()?);
        let set = executed(source)?;
        let mut native = Native::prepare(source, target, workers, self.arguments.tls)?;
        let meter = Meter::start(lab)?;
        native.start()?;
        native.wait_for(&set, PATIENCE, self.interrupt)?;
        let figures = meter.figures(lab, work)?;
        native.stop()?;
        lab.check_equal(self.workload.schema())?;
        Ok(figures)
    }

    fn datain(&self, lab: &mut Lab, mode: Mode, work: Written) -> Result<Figures> {
        lab.fresh_target(mode)?;
        let servers = [&lab.source, lab.target()?];
        let run = self.subject.configure(
            lab.folder(),
            servers,
            self.workload.schema(),
            &lab.start_set,
        )?;
        run.compile()?;
        let meter = Meter::start(lab)?;
        let ran = run.until_caught_up(PATIENCE, self.interrupt)?;
        let figures = meter.figures(lab, work)?;
        lab.check_equal(self.workload.schema())?;
        // With nothing to do: what of the time above was start and end.
        let idle = run.until_caught_up(PATIENCE, self.interrupt)?;
        let count = |name: &str| ran.progress[name].as_u64();
        Ok(Figures {
            seconds: ran.seconds,
            start_seconds: Some(idle.seconds),
            cpu: Some(ran.cpu_seconds),
            peak_mib: ran.peak_mib,
            groups: count("groups_committed"),
            restarts: count("restarts"),
            ..figures
        })
    }

    /// One that fails does not keep the others from being measured.
    fn noted(&self, mode: Mode, engine: Engine, result: Result<Figures>) -> Result<Applied> {
        self.interrupt.check()?;
        let result = result.map_err(|error| format!("{error:#}"));
        let name = engine.name();
        match &result {
            Ok(figures) => println!(
                "  {:<8} {name:<9} {:>8.2} s {:>9.0} rows/s",
                mode.name(),
                figures.seconds,
                figures.rows_per_second()
            ),
            Err(error) => println!("  {:<8} {name:<9} FAILED: {error}", mode.name()),
        }
        Ok(Applied {
            workload: self.workload,
            mode,
            engine,
            result,
        })
    }
}

/// Time and the servers' processor time from its start on.
struct Meter {
    begin: Instant,
    load: Option<f64>,
    source: f64,
    target: f64,
}

impl Meter {
    fn start(lab: &Lab) -> Result<Self> {
        let [source, target] = servers_cpu(lab)?;
        Ok(Self {
            load: usage::load_average(),
            source,
            target,
            begin: Instant::now(),
        })
    }

    fn figures(self, lab: &Lab, work: Written) -> Result<Figures> {
        let seconds = self.begin.elapsed().as_secs_f64();
        let [source, target] = servers_cpu(lab)?;
        Ok(Figures {
            work,
            seconds,
            start_seconds: None,
            cpu: None,
            source_cpu: source - self.source,
            target_cpu: target - self.target,
            peak_mib: None,
            groups: None,
            restarts: None,
            load: self.load,
        })
    }
}

fn servers_cpu(lab: &Lab) -> Result<[f64; 2]> {
    let cpu = |server: &Server| -> Result<f64> {
        let pid = server.pid().context("a server has ended by itself")?;
        Ok(usage::of(pid)?.cpu_seconds)
    };
    Ok([cpu(&lab.source)?, cpu(lab.target()?)?])
}

fn latencies(
    arguments: &Arguments,
    modes: &[Mode],
    subject: &Subject,
    interrupt: &Interrupt,
) -> Result<Vec<Delay>> {
    println!("\nlatency: single-row INSERTs at a fixed pace");
    let (mut lab, ()) = Lab::start(interrupt, |source| {
        Ok(source.sql(latency::TABLES).map(|_| ())?)
    })?;
    let offer = Offer {
        rates: or_all(&arguments.rate, &[100, 1_000, 5_000]),
        seconds: arguments.seconds,
        tls: arguments.tls,
    };
    let mut delays = Vec::new();
    for &mode in modes {
        let engines = [Engine::Native(4), Engine::Datain];
        for engine in engines.into_iter().skip(usize::from(arguments.no_native)) {
            let measured = latency::measure(&mut lab, mode, engine, subject, &offer, interrupt)?;
            print!("{}", report::delays_table(&measured));
            delays.extend(measured);
        }
    }
    Ok(delays)
}
