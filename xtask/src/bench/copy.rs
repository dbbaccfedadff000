//! `bench copy`: the same rows, copied to an empty target by MySQL's own programs and by datain.
//!
//! The rows are made on the source once for each workload, and are in its memory for all alike. Before each measurement the target's schema is dropped,
//! and both servers write what they have changed, so that none pays for another one's work. After it the tables of both servers are compared by CHECKSUM TABLE.
//!
//! | module | what it knows |
//! |---|---|
//! | [`data`] | the rows |
//! | [`servers`] | source and targets |
//! | [`programs`] | the other programs |
//! | [`load`] | what is written on the source meanwhile |
//! | [`report`] | what is printed and written |

mod cores;
mod data;
mod load;
mod programs;
mod report;
mod servers;

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use clap::Args;
use datain_throwaway_servers::{Server, mydumper::Mydumper};

use self::{
    cores::{Cores, GiveBack, Side},
    data::{Sizes, Workload},
    load::{Counter, Sysbenched, beside_updates},
    report::{Copied, Cost, CostFigures, Engine, Figures, per_second},
    servers::{SCHEMA, Servers},
};
use super::{apply::or_all, lab::Mode, report as files, subject::Subject, usage};
use crate::{bar, demo::interrupt::Interrupt, tree};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Only these workloads; may be repeated
    #[arg(long, value_enum, ignore_case = true)]
    workload: Vec<Workload>,
    /// Only this kind of target; may be repeated
    #[arg(long, value_enum)]
    mode: Vec<Mode>,
    /// Only these programs; may be repeated
    #[arg(long, value_enum)]
    engine: Vec<Engine>,
    /// Rows in all tables together, in place of each workload's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    rows: Option<u32>,
    /// Tables that the rows are spread over
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    tables: u32,
    /// Copy so many times; the fastest counts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Update rows on the source while they are copied, and let datain follow
    #[arg(long)]
    with_writes: bool,
    /// So many of these updates in a second
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    rate: u32,
    /// Measure only what a copy by datain leaves of sysbench's throughput on the source
    #[arg(long, conflicts_with_all = ["engine", "with_writes", "repeat"])]
    source_cost: bool,
    /// Let the other programs' rows be logged by the target too, as datain's are
    #[arg(long)]
    logged: bool,
    /// A line of datain's section [apply]; may be repeated
    #[arg(long, value_name = "LINE")]
    apply: Vec<String>,
    /// A line of the target's option file, such as 'innodb_redo_log_capacity=1G'; may be repeated
    #[arg(long, value_name = "LINE")]
    target_option: Vec<String>,
    /// Another `datain`, which is not built and finds its plugins by itself
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    /// Where the figures are written [default: target/bench/copy.json]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// How long one copy may take.
const PATIENCE: Duration = Duration::from_secs(900);

pub(super) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<ExitCode> {
    let begin = Instant::now();
    let subject = Subject::find(arguments.program.as_deref(), &arguments.apply, false)?;
    let engines = or_all(&arguments.engine, &Engine::ALL);
    let mydumper = match engines.contains(&Engine::Mydumper) && !arguments.source_cost {
        true => Some(Mydumper::fetch(&*bar::progress())?),
        false => None,
    };
    interrupt.check()?;
    let modes = or_all(&arguments.mode, &Mode::ALL);
    let path = arguments
        .json
        .clone()
        .unwrap_or_else(|| tree::root().join("target/bench/copy.json"));
    let (mut copied, mut costs) = (Vec::new(), Vec::new());
    for workload in or_all(&arguments.workload, &Workload::ALL) {
        let bench = Bench {
            arguments,
            subject: &subject,
            interrupt,
            mydumper: mydumper.as_ref(),
            workload,
            sizes: workload.sizes(arguments.rows, arguments.tables),
        };
        match arguments.source_cost {
            true => costs.extend(bench.costs(&modes)?),
            false => copied.extend(bench.copies(&modes)?),
        }
        // What is there stays, should the next one fail.
        files::save(&path, &report::json_of(&copied, &costs))?;
    }
    println!();
    if !copied.is_empty() {
        println!("{}", report::copied_table(&copied));
        println!(
            "seconds: from the start of the first process to the end of the last; start: what datain's start takes with nothing to do; verify: what `datain verify` of all rows takes afterwards. MiB: of the rows' values.\n\
             x mysqldump, x mydumper: rows/s to theirs. cpu s: of the copying programs; source, target: of the servers.\n\
             peak MiB: of datain. follow: datain's run after the last write. load: average of the last minute.\n\
             Every copy was equal to the source by CHECKSUM TABLE, but those that other programs made while it was written to.\n"
        );
    }
    if !costs.is_empty() {
        println!("{}", report::cost_table(&costs));
        println!("sysbench oltp_write_only on the source, in tables that are not copied.\n");
    }
    files::write(&path, &report::json_of(&copied, &costs))?;
    println!("time: {:.0} s", begin.elapsed().as_secs_f64());
    let failed =
        copied.iter().any(|row| row.result.is_err()) || costs.iter().any(|row| row.result.is_err());
    Ok(match failed {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// One workload.
struct Bench<'a> {
    arguments: &'a Arguments,
    subject: &'a Subject,
    interrupt: &'a Interrupt,
    /// Only where it is measured.
    mydumper: Option<&'a Mydumper>,
    workload: Workload,
    sizes: Sizes,
}

/// How one program copied.
struct Ran {
    seconds: f64,
    dump_seconds: Option<f64>,
    cpu: f64,
    peak_mib: Option<f64>,
    restarts: Option<u64>,
}

impl Bench<'_> {
    fn servers(&self) -> Result<Servers> {
        let (workload, sizes) = (self.workload, self.sizes);
        let begin = Instant::now();
        println!("\n{}: {}", workload.name(), workload.description());
        let options = &self.arguments.target_option;
        let servers = Servers::start(workload, sizes, options, self.interrupt)?;
        println!(
            "  {} rows in {} tables, written in {:.1} s",
            crate::demo::screen::grouped(sizes.rows()),
            sizes.tables,
            begin.elapsed().as_secs_f64()
        );
        Ok(servers)
    }

    fn copies(&self, modes: &[Mode]) -> Result<Vec<Copied>> {
        let mut servers = self.servers()?;
        let mut copied = Vec::new();
        for &mode in modes {
            for engine in or_all(&self.arguments.engine, &Engine::ALL) {
                let result = self.fastest(&mut servers, mode, engine);
                self.interrupt.check()?;
                // One that fails does not keep the others from being measured.
                let result = result.map_err(|error| format!("{error:#}"));
                let (mode_name, name) = (mode.name(), engine.name());
                match &result {
                    Ok(figures) => println!(
                        "  {mode_name:<8} {name:<9} {:>8.2} s {:>9.0} rows/s",
                        figures.seconds,
                        figures.rows_per_second()
                    ),
                    Err(error) => println!("  {mode_name:<8} {name:<9} FAILED: {error}"),
                }
                copied.push(Copied {
                    workload: self.workload,
                    mode,
                    engine,
                    result,
                });
            }
        }
        Ok(copied)
    }

    /// The fastest of the runs; one that fails fails them all.
    fn fastest(&self, servers: &mut Servers, mode: Mode, engine: Engine) -> Result<Figures> {
        let mut best = self.once(servers, mode, engine)?;
        for _ in 1..self.arguments.repeat {
            self.interrupt.check()?;
            let next = self.once(servers, mode, engine)?;
            if next.seconds < best.seconds {
                best = next;
            }
        }
        Ok(best)
    }

    fn once(&self, servers: &mut Servers, mode: Mode, engine: Engine) -> Result<Figures> {
        servers.empty_target(mode, self.interrupt)?;
        let servers = &*servers;
        let both = [&servers.source, servers.target()?];
        let datain = match engine {
            Engine::Datain => {
                let run = self
                    .subject
                    .configure_copy(servers.folder(), both, SCHEMA)?;
                run.compile()?;
                Some(run)
            }
            Engine::Mysqldump | Engine::Mydumper => None,
        };
        let load = usage::load_average();
        let before = cpu_of(both)?;
        let copy = || -> Result<(Ran, [f64; 2])> {
            let ran = match &datain {
                Some(run) => {
                    let ran = run.until_caught_up(PATIENCE, self.interrupt)?;
                    Ran {
                        seconds: ran.seconds,
                        dump_seconds: None,
                        cpu: ran.cpu_seconds,
                        peak_mib: ran.peak_mib,
                        restarts: ran.progress["restarts"].as_u64(),
                    }
                }
                None => self.by_others(engine, servers, both)?,
            };
            Ok((ran, cpu_of(both)?))
        };
        let ((ran, after), writes_per_second) = match self.arguments.with_writes {
            true => {
                let rate = self.arguments.rate;
                let (done, rate) = beside_updates(both[0], self.sizes, rate, PATIENCE, copy)?;
                (done, Some(rate))
            }
            false => (copy()?, None),
        };
        let mut next = None;
        if let Some(run) = &datain {
            next = Some(run.until_caught_up(PATIENCE, self.interrupt)?.seconds);
        }
        let mut verify_seconds = None;
        if let (Some(run), None) = (&datain, writes_per_second) {
            verify_seconds = Some(run.verify(PATIENCE, self.interrupt)?.seconds);
        }
        // A dump is of one moment, and the source has gone on.
        let equal = datain.is_some() || writes_per_second.is_none();
        if equal {
            servers.check_equal()?;
        }
        Ok(Figures {
            rows: self.sizes.rows(),
            bytes: self.sizes.rows() * u64::from(self.workload.row_bytes()),
            seconds: ran.seconds,
            dump_seconds: ran.dump_seconds,
            start_seconds: next.filter(|_| writes_per_second.is_none()),
            verify_seconds,
            cpu: ran.cpu,
            source_cpu: after[0] - before[0],
            target_cpu: after[1] - before[1],
            peak_mib: ran.peak_mib,
            restarts: ran.restarts,
            load,
            writes_per_second,
            follow_seconds: next.filter(|_| writes_per_second.is_some()),
            equal,
        })
    }

    /// The copy by programs that are not ours.
    fn by_others(&self, engine: Engine, servers: &Servers, both: [&Server; 2]) -> Result<Ran> {
        let logged = self.arguments.logged;
        let pipe = |commands: Vec<Command>| {
            programs::pipe(commands, servers.folder(), PATIENCE, self.interrupt)
        };
        let (dumped, loaded) = match engine {
            Engine::Mydumper => {
                let programs = self.mydumper.context("mydumper is not there")?;
                let dump = servers.folder().join("dump");
                let [dumper, loader] = programs::dumper_and_loader(both, programs, &dump, logged)?;
                let dumped = pipe(vec![dumper])?;
                let loaded = pipe(vec![loader])?;
                fs::remove_dir_all(&dump)
                    .with_context(|| format!("failed to remove {}", dump.display()))?;
                (Some(dumped), loaded)
            }
            Engine::Mysqldump | Engine::Datain => {
                let commands = programs::dump_and_client(both, logged)?;
                (None, pipe(commands.into())?)
            }
        };
        let before = dumped.unwrap_or_default();
        Ok(Ran {
            seconds: before.seconds + loaded.seconds,
            dump_seconds: dumped.map(|took| took.seconds),
            cpu: before.cpu_seconds + loaded.cpu_seconds,
            peak_mib: None,
            restarts: None,
        })
    }

    fn costs(&self, modes: &[Mode]) -> Result<Vec<Cost>> {
        let mut servers = self.servers()?;
        let tables = Sysbenched::prepare(&servers.source)?;
        let mut costs = Vec::new();
        let _give_back = GiveBack;
        let turns = modes
            .iter()
            .flat_map(|mode| [Cores::Apart, Cores::Shared].map(|cores| (*mode, cores)));
        for (mode, cores) in turns {
            let mut measure = || -> Result<CostFigures> {
                servers.empty_target(mode, self.interrupt)?;
                cores.give(&servers.source, Side::Source)?;
                cores.give(servers.target()?, Side::Target)?;
                let both = [&servers.source, servers.target()?];
                let run = self
                    .subject
                    .configure_copy(servers.folder(), both, SCHEMA)?;
                run.compile()?;
                let load = usage::load_average();
                cores.start_on(Side::Source)?;
                let (busy, without) =
                    Sysbenched::start(&tables, both[0], PATIENCE, self.interrupt)?;
                cores.start_on(Side::Target)?;
                let counter = Counter::start(both[0])?;
                let ran = run.until_caught_up(PATIENCE, self.interrupt)?;
                let during = counter.rate()?;
                busy.end()?;
                servers.check_equal()?;
                Ok(CostFigures {
                    without,
                    during,
                    seconds: ran.seconds,
                    rows_per_second: per_second(self.sizes.rows(), ran.seconds),
                    load,
                })
            };
            let result = measure();
            self.interrupt.check()?;
            let result = result.map_err(|error| format!("{error:#}"));
            if let Err(error) = &result {
                println!("  {:<8} FAILED: {error}", mode.name());
            }
            costs.push(Cost {
                workload: self.workload,
                mode,
                cores,
                result,
            });
        }
        Ok(costs)
    }
}

/// Processor seconds of both servers so far.
fn cpu_of(servers: [&Server; 2]) -> Result<[f64; 2]> {
    let cpu = |server: &Server| -> Result<f64> {
        let pid = server.pid().context("a server has ended by itself")?;
        Ok(usage::of(pid)?.cpu_seconds)
    };
    Ok([cpu(servers[0])?, cpu(servers[1])?])
}
