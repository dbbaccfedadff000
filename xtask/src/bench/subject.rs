//! `datain` as the subject of a measurement: the program, run as anybody would run it.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use datain_throwaway_servers::{ROOT_PASSWORD, Server};
use serde_json::Value;

use super::usage;
use crate::{
    children,
    demo::{build, interrupt::Interrupt},
};

/// The program, and what its configuration says.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    program: PathBuf,
    /// Source and sink; without them the program looks for them itself.
    plugins: Option<[PathBuf; 2]>,
    /// Lines of the section `[apply]`.
    apply: Vec<String>,
    tls: bool,
}

impl Subject {
    /// Builds the program and the components, unless a program is named.
    pub(super) fn find(program: Option<&Path>, apply: &[String], tls: bool) -> Result<Self> {
        let (program, plugins) = match program {
            Some(program) => (program.to_owned(), None),
            None => {
                let built = build::run()?;
                (built.host, Some(built.plugins))
            }
        };
        if !program.is_file() {
            bail!("there is no program {}", program.display());
        }
        Ok(Self {
            program,
            plugins,
            apply: apply.to_vec(),
            tls,
        })
    }

    /// The same with another sink.
    pub(super) fn with_sink(&self, sink: &Path) -> Self {
        let mut other = self.clone();
        other.plugins = other.plugins.map(|[source, _]| [source, sink.to_owned()]);
        other
    }

    /// Writes a configuration that begins after `set`.
    pub(super) fn configure(
        &self,
        folder: &Path,
        servers: [&Server; 2],
        schema: &str,
        set: &str,
    ) -> Result<Run> {
        let start = format!("mode = \"gtid\"\ngtid_set = \"{set}\"");
        self.configure_start(folder, servers, schema, &start)
    }

    /// Writes a configuration that begins with a first copy.
    pub(super) fn configure_copy(
        &self,
        folder: &Path,
        servers: [&Server; 2],
        schema: &str,
    ) -> Result<Run> {
        self.configure_start(folder, servers, schema, "mode = \"snapshot\"")
    }

    fn configure_start(
        &self,
        folder: &Path,
        [source, target]: [&Server; 2],
        schema: &str,
        start: &str,
    ) -> Result<Run> {
        let folder = folder.join("datain");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("failed to remove {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
        let config = folder.join("bench.toml");
        fs::write(
            &config,
            self.text(source.port(), target.port(), schema, start),
        )
        .with_context(|| format!("failed to write {}", config.display()))?;
        Ok(Run {
            program: self.program.clone(),
            config,
            folder,
        })
    }

    fn text(&self, source: u16, target: u16, schema: &str, start: &str) -> String {
        let tls = match self.tls {
            true => "tls = \"required\"",
            false => "tls = \"disabled\"\nget_server_public_key = true",
        };
        let server = |role: &str, port: u16| {
            format!(
                "[{role}]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"root\"\npassword = \"{ROOT_PASSWORD}\"\n{tls}\n"
            )
        };
        let apply: String = self.apply.iter().map(|line| format!("{line}\n")).collect();
        let plugins = self.plugins.as_ref().map(|[source, sink]| {
            format!(
                "[plugins]\nsource = '{}'\nsink = '{}'\n",
                source.display(),
                sink.display()
            )
        });
        format!(
            "name = \"bench\"\n{}{}[replicate]\ninclude = [\"{schema}.*\"]\n[start]\n{start}\n[apply]\n{apply}{}",
            server("source", source),
            server("target", target),
            plugins.unwrap_or_default(),
        )
    }
}

/// A configuration to run.
pub(super) struct Run {
    program: PathBuf,
    config: PathBuf,
    folder: PathBuf,
}

/// How a run went.
#[derive(Debug, Clone, Default)]
pub(super) struct Ran {
    /// From the start of the process to its end.
    pub(super) seconds: f64,
    pub(super) cpu_seconds: f64,
    /// The most memory that was seen, in MiB.
    pub(super) peak_mib: Option<f64>,
    /// The last line of `--progress json`.
    pub(super) progress: Value,
}

impl Run {
    /// Lets the program compile both components into its cache, which it does once in their life, by a check that changes nothing.
    pub(super) fn compile(&self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command
            .args(["check", "-c"])
            .arg(&self.config)
            .env("XDG_RUNTIME_DIR", &self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        // What the check finds, `run` says too.
        let ended = children::bind(&mut command).status();
        ended.map(|_| ()).context("failed to run datain")
    }

    /// Starts `datain run`.
    pub(super) fn start(&self, more: &[&str]) -> Result<Running<'_>> {
        self.spawn(&["run", "--progress", "json"], more)
    }

    fn spawn(&self, words: &[&str], more: &[&str]) -> Result<Running<'_>> {
        let file = |name: &str| {
            let path = self.folder.join(name);
            File::create(&path).with_context(|| format!("failed to create {}", path.display()))
        };
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .arg("-c")
            .arg(&self.config)
            .args(more)
            // The control socket and its lock go with the folder.
            .env("XDG_RUNTIME_DIR", &self.folder)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(file("progress")?)
            .stderr(file("log")?)
            // A group of its own: Ctrl-C is this program's business, which then ends the child.
            .process_group(0);
        let begin = Instant::now();
        let child = children::bind(&mut command)
            .spawn()
            .context("failed to run datain")?;
        Ok(Running {
            run: self,
            child,
            begin,
            peak: None,
        })
    }

    /// Runs `datain run --until-caught-up` to its end.
    pub(super) fn until_caught_up(&self, patience: Duration, interrupt: &Interrupt) -> Result<Ran> {
        self.start(&["--until-caught-up"])?
            .finish(0, patience, interrupt)
    }

    /// Runs `datain verify`, which fails unless everything is equal.
    pub(super) fn verify(&self, patience: Duration, interrupt: &Interrupt) -> Result<Ran> {
        self.spawn(&["verify"], &[])?.finish(0, patience, interrupt)
    }

    fn failed(&self, what: &str) -> anyhow::Error {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(12)..].join("\n");
        anyhow::anyhow!("datain {what}; the end of its log:\n{end}")
    }
}

/// A process, killed when dropped.
pub(super) struct Running<'a> {
    run: &'a Run,
    child: Child,
    begin: Instant,
    peak: Option<f64>,
}

impl Running<'_> {
    /// An error when it has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.child.try_wait().context("failed to look at datain")? {
            Some(status) => Err(self.run.failed(&format!("has ended ({status})"))),
            None => Ok(()),
        }
    }

    /// Ends it in order, as Ctrl-C does.
    pub(super) fn end(self, patience: Duration, interrupt: &Interrupt) -> Result<Ran> {
        // SAFETY: a plain system call; the process is our child and was not waited for.
        unsafe { libc::kill(self.child.id().cast_signed(), libc::SIGINT) };
        self.finish(130, patience, interrupt)
    }

    fn finish(mut self, code: i32, patience: Duration, interrupt: &Interrupt) -> Result<Ran> {
        loop {
            let usage = usage::of(self.child.id())?;
            if usage.ended {
                break;
            }
            // It only grows; the last look before the end is the one that counts.
            self.peak = usage.peak_mib.or(self.peak);
            interrupt.check()?;
            if self.begin.elapsed() > patience {
                return Err(self
                    .run
                    .failed(&format!("has not caught up after {} s", patience.as_secs())));
            }
            thread::sleep(Duration::from_millis(5));
        }
        let seconds = self.begin.elapsed().as_secs_f64();
        let (status, cpu_seconds) = usage::wait(&mut self.child)?;
        if status.code() != Some(code) {
            return Err(self.run.failed(&format!("failed ({status})")));
        }
        let progress = fs::read_to_string(self.run.folder.join("progress")).unwrap_or_default();
        Ok(Ran {
            seconds,
            cpu_seconds,
            peak_mib: self.peak,
            progress: progress
                .lines()
                .rev()
                .find_map(|line| serde_json::from_str(line).ok())
                .unwrap_or_default(),
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        // Both fail only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_begins_after_the_set_and_takes_further_lines() {
        let subject = Subject {
            program: PathBuf::from("datain"),
            plugins: Some(["a.wasm".into(), "b.wasm".into()]),
            apply: vec!["group_max_rows = 7".to_owned()],
            tls: false,
        };
        let text = subject.text(1, 2, "bench", "gtid_set = \"u:1-3\"");
        for part in [
            "[source]\nhost = \"127.0.0.1\"\nport = 1\n",
            "tls = \"disabled\"",
            "gtid_set = \"u:1-3\"\n[apply]\ngroup_max_rows = 7\n[plugins]\nsource = 'a.wasm'\nsink = 'b.wasm'\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
