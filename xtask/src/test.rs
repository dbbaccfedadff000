//! `cargo xtask test`: everything that a change must pass.
//!
//! The plugins are built first and the servers' distributions fetched, so that no test waits for a download. The host's program is built with the tests: its
//! own package's need it, so cargo makes it, and while the last crates before it keep one core busy, tests are compiled on the others.
//! Then cargo-nextest runs the tests where it is installed, else `cargo test`; documentation examples follow, which
//! nextest does not run.

use std::{
    io::{self, BufRead, BufReader, Write},
    process::{Command, ExitCode, ExitStatus, Stdio},
    thread,
};

use anyhow::{Context as _, Result};
use clap::Args;
use datain_throwaway_servers::{
    Flavor, faketime::Faketime, fetch, node_packages, old_logs, sysbench::Sysbench,
};

use crate::{bar, children, compose, tree, wasm};

/// The second host's program.
const NODE_HOST: &str = "examples/node-host";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Run the long tests too
    #[arg(long)]
    long: bool,
    /// Run only tests whose names contain one of these
    filters: Vec<String>,
}

impl Arguments {
    /// Whether the stand-alone component is made and tested: it is minutes of compiling, left to long runs and to who names its tests.
    fn composes(&self) -> bool {
        let mut filters = self.filters.iter();
        self.long || filters.any(|filter| filter.contains("standalone"))
    }
}

/// What a stand-alone component is made of and made with.
const STANDALONE_TESTS: [&str; 11] = [
    "test",
    "--locked",
    "--lib",
    "--bins",
    "--manifest-path",
    "standalone/Cargo.toml",
    "--package=datain-standalone-compose",
    "--package=datain-standalone-config",
    "--package=datain-standalone-wasi",
    "--",
    "--quiet",
];

/// Tests passed, failed and left out.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    wasm::run(&wasm::Arguments {
        offline: false,
        test_guests: true,
    })?;
    let composes = arguments.composes();
    if composes {
        compose::own(false)?;
    }
    let missing = missing_servers()?;

    let nextest = tree::cargo()
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let nextest = nextest.is_ok_and(|status| status.success());
    let mut command = if nextest {
        nextest_command(arguments, &missing)
    } else {
        test_command(arguments, &missing)
    };
    if arguments.long {
        // Long runs write logs of several GB, and are the ones that see how a disk behaves.
        command
            .env("DATAIN_LONG", "1")
            .env("DATAIN_SERVERS", "disk");
    }
    let (mut status, mut count) = counted(&mut command)?;
    if nextest && status.success() && arguments.filters.is_empty() {
        let (examples, more) = counted(tree::cargo().args(["test", "--locked", "--doc"]))?;
        status = examples;
        count = count.plus(more);
    }
    if status.success() && composes {
        // Of the other workspace only what is no guest can be tested here.
        let (parts, more) = counted(tree::cargo().args(STANDALONE_TESTS))?;
        status = parts;
        count = count.plus(more);
    }
    for flavor in missing {
        println!("left out: the tests of {flavor}, which could not be fetched (see above)");
    }
    println!(
        "{} passed, {} failed, {} skipped",
        count.passed, count.failed, count.skipped
    );
    let code = status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// Fetches the servers that tests need; returns those that cannot be had here. MySQL 9.7 must be there.
fn missing_servers() -> Result<Vec<Flavor>> {
    // Its tests say so themselves if it cannot be had.
    if let Err(error) = Sysbench::fetch(&*bar::progress()) {
        eprintln!("sysbench: {error}");
    }
    if let Err(error) = Faketime::fetch(&*bar::progress()) {
        eprintln!("libfaketime: {error}");
    }
    if let Err(error) = old_logs::fetch(&*bar::progress()) {
        eprintln!("old binary logs: {error}");
    }
    if let Err(error) = node_packages::install(&tree::root().join(NODE_HOST), &*bar::progress()) {
        eprintln!("the second host's packages: {error}");
    }
    let mut missing = Vec::new();
    for flavor in Flavor::ALL {
        match fetch(flavor, &*bar::progress()) {
            Ok(_) => {}
            Err(error) if flavor == Flavor::Mysql97 => return Err(error.into()),
            Err(error) => {
                eprintln!("{flavor}: {error}");
                missing.push(flavor);
            }
        }
    }
    Ok(missing)
}

/// What the names of a server's tests contain.
fn part_of_test_names(flavor: Flavor) -> String {
    flavor.name().replace(['-', '.'], "_")
}

fn nextest_command(arguments: &Arguments, missing: &[Flavor]) -> Command {
    let mut command = tree::cargo();
    command.args(["nextest", "run", "--locked"]);
    // What .config/nextest.toml leaves to long runs, and whatever is named.
    if arguments.long || !arguments.filters.is_empty() {
        command.arg("--ignore-default-filter");
    }
    if io::IsTerminal::is_terminal(&io::stderr()) {
        command.args(["--color", "always"]);
    }
    if !missing.is_empty() {
        let each: Vec<_> = missing
            .iter()
            .map(|&flavor| format!("not test({})", part_of_test_names(flavor)))
            .collect();
        command.arg("-E").arg(each.join(" and "));
    }
    command.args(&arguments.filters);
    command
}

fn test_command(arguments: &Arguments, missing: &[Flavor]) -> Command {
    let mut command = tree::cargo();
    command.args(["test", "--locked", "--no-fail-fast", "--"]);
    for &flavor in missing {
        command.args(["--skip", &part_of_test_names(flavor)]);
    }
    command.args(&arguments.filters);
    command
}

/// Runs a test runner, passes on what it prints, and adds up its summaries.
fn counted(command: &mut Command) -> Result<(ExitStatus, Count)> {
    let command = children::bind(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut child = command.spawn().context("failed to run cargo")?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (one, two) = thread::scope(|scope| {
        let errors =
            scope.spawn(|| stderr.map(|pipe| pass_on(BufReader::new(pipe), &mut io::stderr())));
        let output = stdout.map(|pipe| pass_on(BufReader::new(pipe), &mut io::stdout()));
        (output, errors.join().ok().flatten())
    });
    let status = child.wait().context("failed to wait for cargo")?;
    Ok((
        status,
        one.unwrap_or_default().plus(two.unwrap_or_default()),
    ))
}

fn pass_on(mut pipe: impl BufRead, to: &mut impl Write) -> Count {
    let mut count = Count::default();
    let mut line = Vec::new();
    while pipe
        .read_until(b'\n', &mut line)
        .is_ok_and(|bytes| bytes > 0)
    {
        // Nobody reads any more: the tests go on all the same.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        count = count
            .plus(Count::of_summary(&plain(&String::from_utf8_lossy(&line))).unwrap_or_default());
        line.clear();
    }
    count
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

impl Count {
    fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }

    /// The numbers of a runner's summary: `Summary [ 1.2s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped`, or
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
    fn of_summary(line: &str) -> Option<Self> {
        // What a failed test printed is shown by nextest with a margin: that is no summary.
        let own = line.starts_with("test result:");
        let line = line.trim();
        if !line.starts_with("Summary [") && !own {
            return None;
        }
        let words: Vec<_> = line
            .split_whitespace()
            .map(|word| word.trim_end_matches([',', ';']))
            .collect();
        let of = |names: &[&str]| {
            let pairs = words.iter().zip(words.iter().skip(1));
            let numbers = pairs
                .filter(|(_, name)| names.contains(name))
                .filter_map(|(number, _)| number.parse::<u64>().ok());
            numbers.sum()
        };
        Some(Self {
            passed: of(&["passed"]),
            failed: of(&["failed", "timed", "exec"]),
            skipped: of(&["skipped", "ignored"]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_both_runners_are_understood() {
        let check = |line: &str, expected: Option<(u64, u64, u64)>| {
            let count = Count::of_summary(&plain(line))
                .map(|count| (count.passed, count.failed, count.skipped));
            assert_eq!(count, expected, "{line}");
        };
        check(
            "     Summary [  38.363s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped\n",
            Some((11, 1, 3)),
        );
        check(
            "\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] \u{1b}[1m2\u{1b}[0m tests run: \u{1b}[1m2\u{1b}[0m passed",
            Some((2, 0, 0)),
        );
        check(
            "     Summary [   1.0s] 2/9 tests run: 1 passed, 1 timed out, 7 skipped",
            Some((1, 1, 7)),
        );
        check(
            "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            Some((5, 0, 1)),
        );
        check("        PASS [   0.005s] passed", None);
        check(
            "    test result: FAILED. 0 passed; 1 failed; 0 ignored",
            None,
        );
    }
}
