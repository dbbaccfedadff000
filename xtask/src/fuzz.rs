//! `cargo xtask fuzz`: the fuzz targets of `fuzz/`, one after the other.
//!
//! cargo-fuzz is installed into the cache folder. The toolchain is the stable one that everything is built with: RUSTC_BOOTSTRAP lets it have the
//! flags that libFuzzer needs, for this build only. AddressSanitizer is used where the toolchain has its runtime; debug assertions and overflow checks
//! are on in any case (fuzz/Cargo.toml). What a run learns stays in `fuzz/corpus/`, a finding in `fuzz/artifacts/`; git ignores both.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use datain_throwaway_servers::cache;

use crate::{children, tree};

/// The version that the figures of docs/fuzzing.md were made with.
const CARGO_FUZZ: &str = "0.13.2";
/// The lines of a finding that are shown.
const SHOWN: usize = 40;

#[derive(Args)]
pub(crate) struct Arguments {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Run only these; all of them otherwise
    targets: Vec<String>,
}

/// What libFuzzer says of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    executions: u64,
    coverage: u64,
    corpus: u64,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let known = targets()?;
    for target in &arguments.targets {
        if !known.contains(target) {
            bail!("there is no target `{target}`: {}", known.join(", "));
        }
    }
    let chosen = match arguments.targets.as_slice() {
        [] => &known,
        some => some,
    };
    let program = cargo_fuzz()?;
    let sanitizer = sanitizer()?;
    eprintln!("building the targets, sanitizer: {sanitizer}");
    children::run(&mut fuzz(&program, "build", sanitizer))?;
    let mut findings = 0;
    for target in chosen {
        let (status, figures, tail) = one(&program, sanitizer, target, arguments.seconds)?;
        println!(
            "{target:<12} {:>12} executions in {} s, coverage {}, corpus {}: {}",
            figures.executions,
            arguments.seconds,
            figures.coverage,
            figures.corpus,
            if status.success() {
                "no finding"
            } else {
                "A FINDING"
            }
        );
        if !status.success() {
            findings += 1;
            eprintln!("{}", tail.join("\n"));
        }
    }
    println!("{} targets, {findings} with a finding", chosen.len());
    if findings == 0 {
        Ok(ExitCode::SUCCESS)
    } else {
        eprintln!("the input is in fuzz/artifacts/; docs/fuzzing.md says what to do with it");
        Ok(ExitCode::FAILURE)
    }
}

/// The targets are the files of fuzz/fuzz_targets/.
fn targets() -> Result<Vec<String>> {
    let folder = tree::root().join("fuzz/fuzz_targets");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("failed to read {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        if let Some(name) = entry?.path().file_stem() {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The program, from the cache.
fn cargo_fuzz() -> Result<PathBuf> {
    let folder = cache::root()?
        .join("tools")
        .join(format!("cargo-fuzz-{CARGO_FUZZ}"));
    cache::fill(
        &folder,
        || eprintln!("waiting for another process that installs cargo-fuzz"),
        |partial| -> Result<String> {
            eprintln!("installing cargo-fuzz {CARGO_FUZZ}, once");
            let mut command = tree::cargo();
            command.args(["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ]);
            children::run(command.arg("--root").arg(partial))?;
            Ok(format!("cargo-fuzz {CARGO_FUZZ}"))
        },
    )?;
    Ok(folder.join("bin/cargo-fuzz"))
}

/// `address` where the toolchain has the runtime for it.
fn sanitizer() -> Result<&'static str> {
    let sysroot = children::output(Command::new("rustc").args(["--print", "target-libdir"]))?;
    let has = |folder: &Path| -> Result<bool> {
        for entry in fs::read_dir(folder)? {
            if entry?.file_name().to_string_lossy().contains("_rt.asan") {
                return Ok(true);
            }
        }
        Ok(false)
    };
    Ok(if has(Path::new(&sysroot))? {
        "address"
    } else {
        "none"
    })
}

/// cargo-fuzz as cargo would call it.
fn fuzz(program: &Path, what: &str, sanitizer: &str) -> Command {
    let mut command = tree::program(program);
    command.env("RUSTC_BOOTSTRAP", "1");
    command.args(["fuzz", what, "--sanitizer", sanitizer]);
    command
}

/// Runs a target; returns how it ended, its figures and the last lines that it printed.
fn one(
    program: &Path,
    sanitizer: &str,
    target: &str,
    seconds: u32,
) -> Result<(ExitStatus, Figures, Vec<String>)> {
    let corpus = format!("fuzz/corpus/{target}");
    fs::create_dir_all(tree::root().join(&corpus))
        .with_context(|| format!("failed to create {corpus}"))?;
    let mut command = fuzz(program, "run", sanitizer);
    command.args([target, &corpus, &format!("fuzz/seeds/{target}"), "--"]);
    command.arg(format!("-max_total_time={seconds}"));
    // No input is long, so nothing of this size is asked for by right.
    command.args([
        "-rss_limit_mb=1024",
        "-malloc_limit_mb=64",
        "-timeout=120",
        "-print_final_stats=1",
    ]);
    let dictionary = format!("fuzz/dictionaries/{target}.dict");
    if tree::root().join(&dictionary).is_file() {
        command.arg(format!("-dict={dictionary}"));
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = children::bind(&mut command)
        .spawn()
        .context("failed to run cargo-fuzz")?;
    let mut figures = Figures::default();
    let mut tail = VecDeque::new();
    if let Some(lines) = child.stderr.take() {
        for line in BufReader::new(lines).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            figures.note(&line);
            if tail.len() == SHOWN {
                tail.pop_front();
            }
            tail.push_back(line);
        }
    }
    Ok((child.wait()?, figures, tail.into()))
}

impl Figures {
    /// Reads `#123 NEW cov: 45 ft: 67 corp: 8/9b …` and `stat::number_of_executed_units: 123`.
    fn note(&mut self, line: &str) {
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            self.executions = count.trim().parse().unwrap_or(self.executions);
        } else if line.starts_with('#') && line.contains(" cov: ") {
            let mut words = line.split_whitespace();
            if let Some(count) = words.next().and_then(|w| w.strip_prefix('#')?.parse().ok()) {
                self.executions = count;
            }
            while let Some(word) = words.next() {
                let number = |text: Option<&str>| text?.split('/').next()?.parse().ok();
                match word {
                    "cov:" => self.coverage = number(words.next()).unwrap_or(self.coverage),
                    "corp:" => self.corpus = number(words.next()).unwrap_or(self.corpus),
                    _ => {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libfuzzers_lines_are_read() {
        let mut figures = Figures::default();
        for line in [
            "INFO: Seed: 12",
            "#5041\tNEW    cov: 318 ft: 1021 corp: 77/3127b lim: 80 exec/s: 2520 rss: 41Mb L: 61/61 MS: 1 ChangeBit-",
            "Done 9000 runs in 11 second(s)",
        ] {
            figures.note(line);
        }
        assert_eq!(
            (figures.executions, figures.coverage, figures.corpus),
            (5041, 318, 77)
        );
        figures.note("stat::number_of_executed_units: 9000");
        assert_eq!(figures.executions, 9000);
    }

    #[test]
    fn every_target_has_seeds() {
        let names = targets().expect("the folder is there");
        assert!(names.len() >= 14, "{names:?}");
        for name in names {
            assert!(
                tree::root().join("fuzz/seeds").join(&name).is_dir(),
                "{name}"
            );
        }
    }
}
