//! The other programs: run as a pipe or one after another, timed, with the processor time of all of them.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use datain_throwaway_servers::{
    Distribution, Flavor, ROOT_PASSWORD, Server, fetched, mydumper::Mydumper,
};

use super::servers::SCHEMA;
use crate::{bench::usage, children, demo::interrupt::Interrupt};

/// What a pipe of programs has taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Took {
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
}

/// The ways to log in over TCP without TLS, as datain does.
fn connection(server: &Server) -> [String; 5] {
    [
        "--host=127.0.0.1".to_owned(),
        format!("--port={}", server.port()),
        "--protocol=TCP".to_owned(),
        "--user=root".to_owned(),
        format!("--password={ROOT_PASSWORD}"),
    ]
}

/// `mysqldump --single-transaction | mysql`.
pub(super) fn dump_and_client(
    [source, target]: [&Server; 2],
    logged: bool,
) -> Result<[Command; 2]> {
    let distribution: Distribution = fetched(Flavor::Mysql97)?.context("MySQL 9.7 is not there")?;
    let no_tls = ["--ssl-mode=DISABLED", "--get-server-public-key"];
    let mut dump = distribution.mysqldump_command()?;
    dump.arg("--no-defaults")
        .args(connection(source))
        .args(no_tls)
        .arg("--single-transaction");
    if logged {
        // Else the dump tells the target not to log what it is given.
        dump.arg("--set-gtid-purged=OFF");
    }
    dump.args(["--databases", SCHEMA]);
    let mut client = distribution.client_command()?;
    client
        .arg("--no-defaults")
        .args(connection(target))
        .args(no_tls);
    Ok([dump, client])
}

/// `mydumper` and then `myloader`, with two threads each and their own defaults otherwise, by way of files in `dump`.
pub(super) fn dumper_and_loader(
    [source, target]: [&Server; 2],
    programs: &Mydumper,
    dump: &Path,
    logged: bool,
) -> Result<[Command; 2]> {
    let common = |mut command: Command, server: &Server| {
        command
            .args(["--host=127.0.0.1", "--user=root", "--threads=2"])
            .arg(format!("--port={}", server.port()))
            .arg(format!("--password={ROOT_PASSWORD}"));
        command
    };
    let mut dumper = common(programs.dump()?, source);
    dumper
        .arg(format!("--database={SCHEMA}"))
        .arg(format!("--outputdir={}", dump.display()));
    let mut loader = common(programs.load()?, target);
    loader.arg(format!("--directory={}", dump.display()));
    if logged {
        loader.arg("--enable-binlog");
    }
    Ok([dumper, loader])
}

/// Runs programs, the output of each being the next one's input, to their end.
pub(super) fn pipe(
    commands: impl IntoIterator<Item = Command>,
    folder: &Path,
    patience: Duration,
    interrupt: &Interrupt,
) -> Result<Took> {
    let log = folder.join("programs.log");
    let begin = Instant::now();
    let mut running = Running::default();
    let mut input = Stdio::null();
    let mut commands = commands.into_iter().peekable();
    while let Some(mut command) = commands.next() {
        let more = commands.peek().is_some();
        let name = name_of(&command);
        let words = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("failed to open {}", log.display()))?;
        command.stdin(input).stderr(words).stdout(match more {
            true => Stdio::piped(),
            false => Stdio::null(),
        });
        let mut child = children::bind(&mut command)
            .spawn()
            .with_context(|| format!("failed to run {name}"))?;
        input = child.stdout.take().map_or_else(Stdio::null, Stdio::from);
        running.0.push((name, child));
    }
    let failed = |what: String| {
        let words = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<_> = words.lines().collect();
        let end = lines[lines.len().saturating_sub(8)..].join("\n");
        anyhow::anyhow!("{what}; the end of what it said:\n{end}")
    };
    while !running.have_ended()? {
        interrupt.check()?;
        if begin.elapsed() > patience {
            bail!("it has not ended after {} s", patience.as_secs());
        }
        thread::sleep(Duration::from_millis(5));
    }
    let mut took = Took {
        seconds: begin.elapsed().as_secs_f64(),
        cpu_seconds: 0.0,
    };
    for (name, child) in &mut running.0 {
        let (status, cpu_seconds) = usage::wait(child)?;
        if !status.success() {
            return Err(failed(format!("{name} failed ({status})")));
        }
        took.cpu_seconds += cpu_seconds;
    }
    Ok(took)
}

/// The program itself, where it is run through a loader of its own.
fn name_of(command: &Command) -> String {
    let mut words = std::iter::once(command.get_program()).chain(command.get_args());
    let program = words.find_map(|word| {
        let name = Path::new(word).file_name()?.to_string_lossy().into_owned();
        let is_one = ["mysql", "mysqldump", "mydumper", "myloader"].contains(&name.as_str());
        is_one.then_some(name)
    });
    program.unwrap_or_else(|| command.get_program().to_string_lossy().into_owned())
}

/// Killed when dropped.
#[derive(Default)]
struct Running(Vec<(String, Child)>);

impl Running {
    fn have_ended(&self) -> Result<bool> {
        for (_, child) in &self.0 {
            if !usage::of(child.id())?.ended {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for (_, child) in &mut self.0 {
            // Both fail only when the process has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use datain_tests::host::TempDir;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_pipe_fails_with_the_words_of_any_of_its_programs() {
        let folder = TempDir::new().unwrap();
        let limit = Duration::from_secs(20);
        let interrupt = Interrupt::watch().unwrap();
        let run = |first: &str, second: &str| {
            let commands = [shell(first), shell(second)];
            pipe(commands, folder.path(), limit, &interrupt)
        };
        assert!(run("echo a", "read word && test \"$word\" = a").is_ok());
        let error = run("echo 'no such table' >&2; exit 2", "cat").unwrap_err();
        assert!(error.to_string().contains("no such table"), "{error}");
        assert!(run("true", "exit 1").is_err());
    }
}
