//! `bench source`: how fast a binary log is read and decoded.
//!
//! | measured | what it does |
//! |---|---|
//! | `mysqlbinlog` | reads the file, prints events as BINLOG statements |
//! | `mysqlbinlog -v` | the same, and prints every row: the work that is comparable to datain's |
//! | `mysqlbinlog --raw` | copies the log from the server into a file, decodes nothing |
//! | `native decode` | the crate `datain-binlog` on the file in memory: events to row blocks, nothing else |
//! | `native source` | the crates below the source plugin, from the server to row blocks |
//! | `wasm source` | `datain run` with the source plugin and a sink that keeps nothing: the same work in WebAssembly, with batches that cross into the sink |
//! | `native work`, `wasm work` | what the source plugin computes, without any server: events to row blocks |
//! | `native work + SQL`, `wasm work + SQL` | the same and what the sink computes: net effects of groups, and their SQL |
//!
//! All native code is compiled for release, as the plugins are. The host around the plugin is the program that everything else runs with.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server, fetched};
use serde_json::Value;

use super::{
    lab::{Lab, executed, value},
    reading::{self, Reading},
    report,
    subject::Subject,
    usage,
    workloads::{Workload, Writer, Written},
};
use crate::{children, demo::interrupt::Interrupt, tree, wasm};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Single-row transactions of the log with small ones
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..))]
    small: u64,
    /// Transactions of 1,000 rows of the log with large ones
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..))]
    large: u64,
    /// Of so many runs the fastest counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Where the figures are written [default: target/bench/source.json]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// How long one run may take.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn run(arguments: &Arguments, interrupt: &Interrupt) -> Result<ExitCode> {
    let begin = Instant::now();
    let subject = Subject::find(None, &[], false)?.with_sink(&wasm::null_sink()?);
    let [decode_speed, read_source, native_speed] = release_examples()?;
    let (guest, guest_speed) = (wasm::guest_speed()?, guest_example()?);
    let speeds = Speeds {
        native: vec![native_speed],
        wasm: vec![guest_speed, guest],
    };
    interrupt.check()?;
    let mut readings = Vec::new();
    for (name, workload, transactions) in [
        ("small", Workload::W2, arguments.small),
        ("large", Workload::W3, arguments.large),
    ] {
        let (lab, mut writer) = Lab::start(interrupt, |source| Writer::prepare(workload, source))?;
        lab.source.sql("FLUSH BINARY LOGS")?;
        let written = writer.write(&lab.source, transactions)?;
        let log = Log::finished(&lab.source)?;
        println!(
            "\n{name}: {} transactions, {} rows, {:.1} MB of log",
            written.transactions, written.rows, log.megabytes
        );
        let bench = Bench {
            arguments,
            interrupt,
            lab: &lab,
            log: &log,
            name,
            written,
        };
        readings.extend(bench.run(&subject, &decode_speed, &read_source)?);
        readings.extend(bench.speeds(&speeds)?);
    }
    println!("\n{}", reading::table(&readings));
    println!(
        "MB/s: megabytes (10^6) of log in a second; cpu s: of the program alone. wasm source: without datain's start and end, measured by a run with nothing to do."
    );
    for line in reading::conclusions(&readings) {
        println!("{line}");
    }
    let path = arguments
        .json
        .clone()
        .unwrap_or_else(|| tree::root().join("target/bench/source.json"));
    report::write(&path, &reading::json_of(&readings))?;
    println!("time: {:.0} s", begin.elapsed().as_secs_f64());
    Ok(ExitCode::SUCCESS)
}

/// The commands that print what the plugins' computations take, but for the log.
struct Speeds {
    native: Vec<PathBuf>,
    wasm: Vec<PathBuf>,
}

/// Builds the examples that work natively, for release; wasmtime is in none of them.
fn release_examples() -> Result<[PathBuf; 3]> {
    let build = |package: &str, example: &str| {
        example_of(&["--release", "--package", package, "--example", example])
    };
    Ok([
        build("datain-binlog", "decode_speed")?,
        build("datain-tests", "read_source")?,
        build("datain-guest-speed", "native_speed")?,
    ])
}

/// Builds the example that runs the plugins' computations under wasmtime, as the host is built: the guest's own code is compiled when it runs.
fn guest_example() -> Result<PathBuf> {
    example_of(&["--example", "guest_speed"])
}

/// Builds the example that the last argument names.
fn example_of(arguments: &[&str]) -> Result<PathBuf> {
    let example = arguments.last().copied().unwrap_or_default();
    let mut command = tree::cargo();
    command.args(["build", "--locked"]).args(arguments);
    command.args(["--message-format", "json-render-diagnostics"]);
    command.stderr(Stdio::inherit());
    let output = children::bind(&mut command)
        .stdin(Stdio::null())
        .output()
        .context("failed to run cargo")?;
    ensure!(output.status.success(), "{example} was not built");
    executable(&String::from_utf8_lossy(&output.stdout), example)
        .with_context(|| format!("cargo did not say where it put {example}"))
}

/// The program that cargo's messages name.
fn executable(messages: &str, name: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// A binary log file that the server has finished.
struct Log {
    name: String,
    path: PathBuf,
    megabytes: f64,
}

impl Log {
    fn finished(source: &Server) -> Result<Self> {
        let name = value(source, "SHOW BINARY LOG STATUS")?;
        source.sql("FLUSH BINARY LOGS")?;
        let path = source.datadir().join(&name);
        let bytes = fs::metadata(&path)
            .with_context(|| format!("failed to look at {}", path.display()))?
            .len();
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let megabytes = bytes as f64 / 1e6;
        Ok(Self {
            name,
            path,
            megabytes,
        })
    }
}

struct Bench<'a> {
    arguments: &'a Arguments,
    interrupt: &'a Interrupt,
    lab: &'a Lab,
    log: &'a Log,
    name: &'static str,
    written: Written,
}

impl Bench<'_> {
    fn run(&self, subject: &Subject, decode: &Path, read: &Path) -> Result<Vec<Reading>> {
        let distribution = fetched(Flavor::Mysql97)?.context("MySQL 9.7 is not there")?;
        let source = &self.lab.source;
        let mut readings = Vec::new();
        for (what, options) in [("mysqlbinlog", &[][..]), ("mysqlbinlog -v", &["-v"][..])] {
            readings.push(self.best(what, || {
                let mut command = distribution.mysqlbinlog_command()?;
                command.arg("--no-defaults").args(options);
                command.arg(&self.log.path).stdout(Stdio::null());
                timed(&mut command, self.interrupt)
            })?);
        }
        let raw = self.lab.folder().join("raw-");
        readings.push(self.best("mysqlbinlog --raw", || {
            let mut command = distribution.mysqlbinlog_command()?;
            command
                // Its option file has lines that only the client knows.
                .arg("--no-defaults")
                .arg(format!("--socket={}", source.socket().display()))
                .args(["--user=root", &format!("--password={ROOT_PASSWORD}")])
                .args(["--read-from-remote-server", "--raw", "--result-file"])
                .arg(&raw)
                .arg(&self.log.name)
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            timed(&mut command, self.interrupt)
        })?);
        readings.push(self.best("native decode", || {
            let output = children::output(Command::new(decode).arg(&self.log.path))?;
            let seconds = fastest(&output).context("decode_speed printed no time")?;
            Ok((seconds, None))
        })?);
        let start_set = &self.lab.start_set;
        readings.push(self.best("native source", || {
            let output = self.lab.folder().join("native");
            let mut command = Command::new(read);
            command
                .arg(format!("127.0.0.1:{}", source.port()))
                .args(["root", ROOT_PASSWORD, start_set, Workload::W2.schema()])
                .stdout(File::create(&output).context("failed to create a file")?);
            let timed = timed(&mut command, self.interrupt)?;
            let printed: Value = serde_json::from_str(&fs::read_to_string(&output)?)
                .context("read_source printed no JSON")?;
            self.check_rows(&printed["rows"])?;
            Ok(timed)
        })?);
        readings.push(self.best("wasm source", || self.wasm(subject, start_set))?);
        Ok(readings)
    }

    /// What the plugins' computations take, natively and as WebAssembly: the programs look for their fastest runs themselves.
    fn speeds(&self, speeds: &Speeds) -> Result<Vec<Reading>> {
        let mut readings = Vec::new();
        let both = [
            (&speeds.native, ["native work", "native work + SQL"]),
            (&speeds.wasm, ["wasm work", "wasm work + SQL"]),
        ];
        for (command, names) in both {
            self.interrupt.check()?;
            let (program, more) = command.split_first().context("a program")?;
            let output = children::output(Command::new(program).args(more).arg(&self.log.path))?;
            let printed: Value =
                serde_json::from_str(&output).context("a program printed no JSON")?;
            self.check_rows(&printed["rows"])?;
            for (what, key) in names
                .into_iter()
                .zip(["decode_seconds", "with_sql_seconds"])
            {
                let seconds = printed[key].as_f64().context("a program printed no time")?;
                // Nothing of it waits.
                let reading = self.reading(what, seconds, Some(seconds));
                println!("  {what:<18} {:>7.1} MB/s", reading.rate());
                readings.push(reading);
            }
        }
        Ok(readings)
    }

    fn reading(&self, what: &'static str, seconds: f64, cpu_seconds: Option<f64>) -> Reading {
        Reading {
            log: self.name,
            megabytes: self.log.megabytes,
            what,
            seconds,
            cpu_seconds,
        }
    }

    /// Without the start, which a run with nothing to do shows.
    fn wasm(&self, subject: &Subject, start_set: &str) -> Result<(f64, Option<f64>)> {
        let source = &self.lab.source;
        let ran = |set: &str| {
            // The null sink opens no connection: any address does for the target.
            subject
                .configure(
                    self.lab.folder(),
                    [source, source],
                    Workload::W2.schema(),
                    set,
                )?
                .until_caught_up(PATIENCE, self.interrupt)
        };
        let idle = ran(&executed(source)?)?;
        let whole = ran(start_set)?;
        self.check_rows(&whole.progress["rows_applied"])?;
        let cpu = whole.cpu_seconds - idle.cpu_seconds;
        Ok((whole.seconds - idle.seconds, Some(cpu)))
    }

    fn check_rows(&self, rows: &Value) -> Result<()> {
        ensure!(
            rows.as_u64() == Some(self.written.rows),
            "{rows} rows were read, not {}",
            self.written.rows
        );
        Ok(())
    }

    fn best(
        &self,
        what: &'static str,
        once: impl Fn() -> Result<(f64, Option<f64>)>,
    ) -> Result<Reading> {
        let mut best: Option<Reading> = None;
        for _ in 0..self.arguments.repeat {
            self.interrupt.check()?;
            let (seconds, cpu_seconds) = once().with_context(|| what.to_owned())?;
            if best.as_ref().is_none_or(|best| seconds < best.seconds) {
                best = Some(self.reading(what, seconds, cpu_seconds));
            }
        }
        let best = best.context("nothing was measured")?;
        println!("  {what:<18} {:>7.1} MB/s", best.rate());
        Ok(best)
    }
}

/// Runs a program to its end: seconds, and seconds of processor time.
fn timed(command: &mut Command, interrupt: &Interrupt) -> Result<(f64, Option<f64>)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let begin = Instant::now();
    let mut child = children::bind(command.stdin(Stdio::null()))
        .spawn()
        .with_context(|| format!("failed to run {name}"))?;
    loop {
        let used = usage::of(child.id());
        let late = begin.elapsed() > PATIENCE;
        match used {
            Ok(used) if !used.ended && !late && !interrupt.is_raised() => {
                thread::sleep(Duration::from_millis(2));
            }
            Ok(used) if used.ended => break,
            _ => {
                // Both fail only when it has ended already.
                let _ = child.kill();
                let _ = child.wait();
                bail!("{name} was ended before its own end");
            }
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let (status, cpu_seconds) = usage::wait(&mut child)?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok((seconds, Some(cpu_seconds)))
}

/// The shortest of the times in decode_speed's lines: `… 10.0 MB in 0.123 s: …`.
fn fastest(output: &str) -> Option<f64> {
    let times = output.lines().filter_map(|line| {
        let (_, rest) = line.split_once(" in ")?;
        rest.split_once(" s:")?.0.parse::<f64>().ok()
    });
    times.min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_other_programs_print_is_understood() {
        let printed = "9 events, 7 rows, 1.0 MB in 0.020 s: 50 MB/s, 9 rows/s; row block 1.0 MB\n\
                       9 events, 7 rows, 1.0 MB in 0.010 s: 99 MB/s, 9 rows/s; row block 1.0 MB\n";
        assert_eq!(fastest(printed), Some(0.010));
        assert_eq!(fastest(""), None);
        let messages =
            "{\"target\":{\"name\":\"decode_speed\"},\"executable\":\"/t/decode_speed\"}\nnoise\n";
        assert_eq!(
            executable(messages, "decode_speed"),
            Some(PathBuf::from("/t/decode_speed"))
        );
        assert_eq!(executable(messages, "read_source"), None);
    }
}
