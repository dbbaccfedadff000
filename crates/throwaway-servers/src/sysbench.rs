//! sysbench 1.0, the usual load for MySQL servers, as a tool that is installed nowhere.
//!
//! A `sysbench` on PATH is used as it is. Else Debian's package is fetched once into the cache folder, with all that it
//! depends on, as the servers are, and run from there.
//!
//! ```no_run
//! use datain_throwaway_servers::{Flavor, Lines, Server, sysbench::Sysbench};
//!
//! # fn main() -> Result<(), datain_throwaway_servers::Error> {
//! let server = Server::builder(Flavor::Mysql97).start()?;
//! let tables = Sysbench::fetch(&Lines)?.prepare(&server, 4, 10_000)?;
//! let load = tables.run(&server, 60, 8)?;
//! // … and meanwhile something else …
//! println!("{}", load.finish()?);
//! # Ok(())
//! # }
//! ```

use std::{
    fmt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
};

use crate::{
    Error, Progress, ROOT_PASSWORD, Result, Server, cache,
    debian::{Apt, Suite},
    distribution::{Program, mariadb_plugins},
    process::{self, tail},
    spawn,
};

/// The schema that the tables are in.
pub const SCHEMA: &str = "sbtest";

/// What a load does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Transactions of two updates, a delete, and an insert under the deleted row's key.
    WriteOnly,
    /// The same with 14 reads before.
    ReadWrite,
}

impl Script {
    fn name(self) -> &'static str {
        match self {
            Script::WriteOnly => "oltp_write_only",
            Script::ReadWrite => "oltp_read_write",
        }
    }
}

const HINT: &str = "delete the folder tools/sysbench in the cache folder and fetch it again, or install sysbench 1.0";

/// The program.
#[derive(Debug, Clone)]
pub struct Sysbench {
    /// Where the package was unpacked; none for the one on PATH.
    root: Option<PathBuf>,
}

impl Sysbench {
    /// Finds it on PATH or in the cache folder, or fetches it.
    ///
    /// # Errors
    /// When this is no Debian and there is no sysbench on PATH, or the mirror does not answer.
    pub fn fetch(progress: &dyn Progress) -> Result<Self> {
        if process::on_path("sysbench") {
            return Ok(Self { root: None });
        }
        let root = cache::root()?.join("tools/sysbench");
        let waiting = || eprintln!("another process is fetching sysbench: waiting for it");
        cache::fill(&root, waiting, |into| -> Result<String> {
            let apt = Apt::open("sysbench", Suite::Machine, progress)?;
            let packages = apt.download_closure(&["sysbench"], progress)?;
            apt.unpack(&packages, into, progress)?;
            apt.discard()?;
            let sysbench = Self {
                root: Some(into.to_owned()),
            };
            let version = process::run(sysbench.command()?.arg("--version"), HINT, || ())?;
            let version = version.trim().to_owned();
            progress.finish(&format!("fetched {version}"));
            Ok(version)
        })?;
        Ok(Self { root: Some(root) })
    }

    /// Makes the schema `sbtest` with tables `sbtest1`, `sbtest2` …, each with so many rows.
    ///
    /// # Errors
    /// When the server refuses, or has such tables already.
    pub fn prepare(&self, server: &Server, tables: u32, rows: u32) -> Result<Tables> {
        server.sql(&format!("CREATE DATABASE IF NOT EXISTS {SCHEMA}"))?;
        let tables = Tables {
            sysbench: self.clone(),
            tables,
            rows,
        };
        let mut command = tables.command(server, Script::WriteOnly)?;
        process::run(command.arg("prepare"), HINT, || ())?;
        Ok(tables)
    }

    fn command(&self) -> Result<Command> {
        let Some(root) = &self.root else {
            return Ok(Command::new("sysbench"));
        };
        let mut command = Program::unpacked(root, "usr/bin/sysbench")?.command();
        // Its scripts load each other by name.
        let scripts = format!("{}/?.lua;;", root.join("usr/share/sysbench").display());
        command.env("LUA_PATH", scripts);
        if let Some(plugins) = mariadb_plugins(root) {
            command.env("MARIADB_PLUGIN_DIR", plugins);
        }
        Ok(command)
    }

    fn script(&self, script: Script) -> PathBuf {
        match &self.root {
            None => PathBuf::from(script.name()),
            Some(root) => root
                .join("usr/share/sysbench")
                .join(script.name())
                .with_extension("lua"),
        }
    }
}

/// Tables that were prepared.
#[derive(Debug, Clone)]
pub struct Tables {
    sysbench: Sysbench,
    tables: u32,
    rows: u32,
}

impl Tables {
    /// Starts `oltp_write_only`, as root over the server's socket: `threads` sessions for so many seconds.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn run(&self, server: &Server, seconds: u32, threads: u32) -> Result<Load> {
        self.run_script(server, Script::WriteOnly, seconds, threads, None)
    }

    /// The same with a script of one's choice, and with at most `rate` transactions in a second.
    ///
    /// # Errors
    /// As [`Tables::run`].
    pub fn run_script(
        &self,
        server: &Server,
        script: Script,
        seconds: u32,
        threads: u32,
        rate: Option<u32>,
    ) -> Result<Load> {
        let time = format!("--time={seconds}");
        let rate = rate.map(|rate| format!("--rate={rate}"));
        self.start(server, script, threads, [Some(time), rate])
    }

    /// Starts `oltp_write_only` for so many transactions, however long that takes.
    ///
    /// # Errors
    /// As [`Tables::run`].
    pub fn run_transactions(&self, server: &Server, number: u64, threads: u32) -> Result<Load> {
        let bound = [format!("--events={number}"), "--time=0".to_owned()].map(Some);
        self.start(server, Script::WriteOnly, threads, bound)
    }

    fn start(
        &self,
        server: &Server,
        script: Script,
        threads: u32,
        bounds: [Option<String>; 2],
    ) -> Result<Load> {
        let mut command = self.command(server, script)?;
        command
            .args(bounds.into_iter().flatten())
            .arg(format!("--threads={threads}"))
            .arg("run")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = spawn::bound(command).map_err(|source| Error::Spawn {
            program: "sysbench".to_owned(),
            source,
            hint: HINT.to_owned(),
        })?;
        let output = [
            child.stdout.take().map(reader),
            child.stderr.take().map(reader),
        ];
        Ok(Load {
            child,
            output,
            script,
        })
    }

    fn command(&self, server: &Server, script: Script) -> Result<Command> {
        let mut command = self.sysbench.command()?;
        command.arg(self.sysbench.script(script)).args([
            "--db-driver=mysql".to_owned(),
            format!("--mysql-socket={}", server.socket().display()),
            "--mysql-user=root".to_owned(),
            format!("--mysql-password={ROOT_PASSWORD}"),
            format!("--mysql-db={SCHEMA}"),
            format!("--tables={}", self.tables),
            format!("--table-size={}", self.rows),
        ]);
        Ok(command)
    }
}

fn reader(mut pipe: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A broken pipe only shortens the text.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A running load. Dropping it kills it.
#[derive(Debug)]
pub struct Load {
    child: Child,
    output: [Option<JoinHandle<String>>; 2],
    script: Script,
}

impl Load {
    /// Whether it has not ended yet.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        let status = self.child.try_wait();
        status
            .map(|status| status.is_none())
            .map_err(Error::io("wait for", "sysbench"))
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// With its last words, when it failed: a server that goes away ends it.
    pub fn finish(mut self) -> Result<Summary> {
        let status = self
            .child
            .wait()
            .map_err(Error::io("wait for", "sysbench"))?;
        let output: String = self
            .output
            .iter_mut()
            .filter_map(|reader| reader.take()?.join().ok())
            .collect();
        let script = self.script.name();
        let failed = |status: String| Error::Command {
            program: format!("sysbench {script} run"),
            status,
            output: tail(&output, 15),
            hint: "sysbench's own words are above".to_owned(),
        };
        if !status.success() {
            return Err(failed(status.to_string()));
        }
        Summary::parse(&output).ok_or_else(|| failed("its summary is not as expected".to_owned()))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a load has done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Committed transactions.
    pub transactions: u64,
    /// The same in a second.
    pub transactions_per_second: f64,
    /// Errors after which a transaction was tried again: deadlocks and lock timeouts.
    pub ignored_errors: u64,
}

impl Summary {
    fn parse(text: &str) -> Option<Self> {
        // `transactions:   10500  (1049.69 per sec.)`
        let line = |name: &str| {
            text.lines()
                .find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':'))
        };
        let mut words = line("transactions")?.split_whitespace();
        let errors = line("ignored errors")?.split_whitespace().next()?;
        Some(Self {
            transactions: words.next()?.parse().ok()?,
            transactions_per_second: words.next()?.strip_prefix('(')?.parse().ok()?,
            ignored_errors: errors.parse().ok()?,
        })
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} transactions, {:.0} per second, {} tried again",
            self.transactions, self.transactions_per_second, self.ignored_errors
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_read() {
        let text = "SQL statistics:\n    queries performed:\n        write:   42000\n    transactions:                        10500  (1049.69 per sec.)\n    \
                    queries:                             63000  (6298.11 per sec.)\n    ignored errors:                      3      (0.30 per sec.)\n";
        let summary = Summary::parse(text).unwrap();
        assert_eq!(summary.transactions, 10_500);
        assert_eq!(summary.ignored_errors, 3);
        assert!((summary.transactions_per_second - 1049.69).abs() < 1e-9);
        assert_eq!(Summary::parse("FATAL: unable to connect"), None);
    }
}
