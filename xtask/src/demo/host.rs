//! `datain` as a child process.

use std::{
    fs::{self, File},
    io::BufReader,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{feed::Feed, interrupt::Interrupt, lab::Lab};
use crate::children;

/// How `datain` is run in this demo.
pub(super) struct Host {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
}

impl Host {
    pub(super) fn new(program: &Path, lab: &Lab) -> Self {
        Self {
            program: program.to_owned(),
            config: lab.config.clone(),
            log: lab.log.clone(),
        }
    }

    /// Starts `datain run`.
    pub(super) fn start(&self, feed: &Feed) -> Result<Running> {
        self.run(feed, &[])
    }

    /// Runs `datain run --until-caught-up` to its end, which must be a good one. Returns the seconds it took.
    pub(super) fn until_caught_up(
        &self,
        feed: &Feed,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<f64> {
        let begin = Instant::now();
        let mut running = self.run(feed, &["--until-caught-up"])?;
        running.expect(0, patience, interrupt)?;
        Ok(begin.elapsed().as_secs_f64())
    }

    /// What `datain status` prints.
    pub(super) fn status(&self, format: &str) -> Result<String> {
        let mut command = self.command(&["status", "--format", format])?;
        let output = children::bind(&mut command)
            .output()
            .context("failed to run datain")?;
        if !output.status.success() {
            bail!(
                "`datain status` failed ({}):\n{}",
                output.status,
                tail(&self.log)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The number of transactions that are in the target's checkpoint.
    pub(super) fn transactions(&self) -> Result<u64> {
        let status: Value = serde_json::from_str(&self.status("json")?)
            .context("`datain status --format json` printed no JSON")?;
        let set = status["checkpoint"]["gtid_set"]
            .as_str()
            .context("the target has no checkpoint by GTID")?;
        Ok(members(set))
    }

    fn run(&self, feed: &Feed, more: &[&str]) -> Result<Running> {
        let mut command = self.command(&["run", "--progress", "json"])?;
        command.args(more).stdout(Stdio::piped());
        // A group of its own: Ctrl-C is this program's business, which then ends the child.
        let mut child = children::bind(command.process_group(0))
            .spawn()
            .context("failed to run datain")?;
        feed.begin();
        let output = child.stdout.take().map(BufReader::new);
        let feed = feed.clone();
        let reader = thread::spawn(move || {
            if let Some(output) = output {
                feed.read(output);
            }
        });
        Ok(Running {
            child,
            reader: Some(reader),
            log: self.log.clone(),
        })
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("failed to open {}", self.log.display()))?;
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("-c").arg(&self.config);
        command.stdin(Stdio::null()).stderr(log);
        if let Some(folder) = self.config.parent() {
            // The control socket and its lock go with the demo's folder.
            command.env("XDG_RUNTIME_DIR", folder);
        }
        Ok(command)
    }
}

/// A process of `datain run`, killed when dropped.
pub(super) struct Running {
    child: Child,
    reader: Option<JoinHandle<()>>,
    log: PathBuf,
}

impl Running {
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error when the process has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.child.try_wait().context("failed to look at datain")? {
            Some(status) => Err(self.ended(status)),
            None => Ok(()),
        }
    }

    /// `kill -9`.
    pub(super) fn kill(mut self) -> Result<()> {
        self.check()?;
        self.child.kill().context("failed to kill datain")
    }

    /// SIGINT, as from Ctrl-C; the process must end in order. Returns its exit code.
    pub(super) fn interrupt(mut self, patience: Duration, interrupt: &Interrupt) -> Result<i32> {
        self.check()?;
        // SAFETY: a plain system call; the process is our child and was not waited for.
        unsafe { libc::kill(self.pid().cast_signed(), libc::SIGINT) };
        self.expect(130, patience, interrupt)
    }

    fn expect(&mut self, code: i32, patience: Duration, interrupt: &Interrupt) -> Result<i32> {
        let child = &mut self.child;
        let status = interrupt.wait_for(patience, || {
            child.try_wait().context("failed to look at datain")
        })?;
        let Some(status) = status else {
            bail!(
                "datain did not end within {} s; the end of its log:\n{}",
                patience.as_secs(),
                tail(&self.log)
            );
        };
        if status.code() != Some(code) {
            return Err(self
                .ended(status)
                .context(format!("exit code {code} was expected")));
        }
        self.join();
        Ok(code)
    }

    fn ended(&self, status: ExitStatus) -> anyhow::Error {
        let how = match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => status.to_string(),
        };
        anyhow::anyhow!(
            "datain ended with {how}; the end of its log:\n{}",
            tail(&self.log)
        )
    }

    /// Waits for the last lines of progress.
    fn join(&mut self) {
        if let Some(reader) = self.reader.take() {
            // It panics only with the process's output half read: the proof does not rest on that.
            let _ = reader.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.join();
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// How many transactions a GTID set holds: the numbers of its intervals, as in `uuid:1-5:7,uuid:tag:1`.
pub(crate) fn members(set: &str) -> u64 {
    let intervals = set.split([',', ':']).filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    });
    intervals
        .map(|(first, last)| (last + 1).saturating_sub(first))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gtids_are_counted() {
        let check = |set: &str, expected| assert_eq!(members(set), expected, "{set}");
        check("", 0);
        check("ecd61751-e6bd-11f1-8138-02fc00000001:1-3323", 3323);
        check(
            "00000000-0000-0000-0000-000000000001:1-5:7,00000000-0000-0000-0000-000000000002:tag:1-2",
            8,
        );
    }
}
