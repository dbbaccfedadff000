//! The `datain` program as a child process.
//!
//! It is the program itself that is tested, from outside: started, killed and interrupted as a person or a service manager would do it.
//!
//! ```no_run
//! use std::time::Duration;
//! use datain_tests::host::{Host, TempDir};
//! # fn example(source: &datain_throwaway_servers::Server, target: &datain_throwaway_servers::Server) -> anyhow::Result<()> {
//! let folder = TempDir::new()?;
//! let config = Host::config(&folder, "orders", source, target, "[start]\nmode = \"gtid\"\ngtid_set = \"\"\n")?;
//! let mut host = Host::start(&config, &["--progress", "json"])?;
//! host.kill();
//! let exit = Host::run(&config, &["--until-caught-up"], Duration::from_secs(60))?;
//! assert_eq!(exit.code, 0, "{exit}");
//! # Ok(())
//! # }
//! ```

use std::{
    env, fmt,
    fs::OpenOptions,
    io::{PipeReader, Read, Seek as _, Write as _},
    os::unix::{fs::OpenOptionsExt as _, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use datain_throwaway_servers::{ROOT_PASSWORD, Server, spawn_bound};
use rustix::process::{Pid, Signal, kill_process};

pub use crate::temp_dir::TempDir;

/// The environment variable that names the program.
pub const PROGRAM_VARIABLE: &str = "DATAIN_BIN";

/// A running `datain`. Dropping it kills the process; the kernel does so when the test's process dies.
#[derive(Debug)]
pub struct Host {
    child: Child,
    /// Known once the process has ended.
    status: Option<ExitStatus>,
    stdout: Captured,
    stderr: Captured,
}

/// How a process has ended, and what it had to say.
#[derive(Debug, Clone)]
pub struct Exit {
    /// The exit code; the signal's number, negative, if a signal ended it.
    pub code: i32,
    /// All of standard error.
    pub stderr: String,
    /// All of standard output.
    pub stdout: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "datain ended with {}; standard error:\n{}",
            self.code, self.stderr
        )?;
        write!(f, "the end of standard output:\n{}", tail(&self.stdout, 5))
    }
}

impl Host {
    /// Writes the configuration of a pipeline between two throwaway servers, over TCP as root, into `folder`, and returns its
    /// path. `extra` is added at the end, so it begins with a section of its own, such as `[start]`.
    ///
    /// # Errors
    /// File errors.
    pub fn config(
        folder: impl AsRef<Path>,
        name: &str,
        source: &Server,
        target: &Server,
        extra: &str,
    ) -> Result<PathBuf> {
        let server = |section: &str, server: &Server| {
            let port = server.port();
            format!(
                "[{section}]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"root\"\npassword = \"{ROOT_PASSWORD}\"\n"
            )
        };
        let text = format!(
            "name = \"{name}\"\n{}{}{extra}\n",
            server("source", source),
            server("target", target)
        );
        let path = folder.as_ref().join(format!("{name}.toml"));
        // It holds a password: nobody else may read it.
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("failed to write {}", path.display()))?;
        Ok(path)
    }

    /// Starts `datain run -c CONFIG ARGUMENTS…`.
    ///
    /// # Errors
    /// When the program is not there, with how to build it, or cannot be started.
    pub fn start(config: &Path, arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.arg("run").arg("-c").arg(config).args(arguments);
        Self::spawn(command)
    }

    /// Runs `datain run -c CONFIG ARGUMENTS…` to its end. It is killed when the time limit is over.
    ///
    /// # Errors
    /// As [`Host::start`], and when it does not end in time.
    pub fn run(config: &Path, arguments: &[&str], limit: Duration) -> Result<Exit> {
        Self::start(config, arguments)?.wait(limit)
    }

    /// Runs `datain ARGUMENTS…`, any command, to its end. It is killed when the time limit is over.
    ///
    /// # Errors
    /// As [`Host::run`].
    pub fn command(arguments: &[&str], limit: Duration) -> Result<Exit> {
        Self::spawn_command(arguments)?.wait(limit)
    }

    /// Starts `datain ARGUMENTS…`, any command, and leaves it running.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub fn spawn_command(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(arguments);
        Self::spawn(command)
    }

    /// As [`Host::command`], with `input` on standard input.
    ///
    /// # Errors
    /// As [`Host::run`].
    pub fn command_with_input(arguments: &[&str], input: &str, limit: Duration) -> Result<Exit> {
        let mut command = Command::new(program()?);
        command.args(arguments);
        let mut file = tempfile::tempfile().context("failed to keep the input")?;
        file.write_all(input.as_bytes())
            .and_then(|()| file.rewind())
            .context("failed to keep the input")?;
        command.stdin(file);
        Self::spawn_with_input(command)?.wait(limit)
    }

    /// Starts `datain ARGUMENTS…` with standard input from the pipe, and leaves it running.
    ///
    /// # Errors
    /// As [`Host::start`].
    pub fn spawn_command_with_pipe(arguments: &[&str], input: PipeReader) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(arguments).stdin(input);
        Self::spawn_with_input(command)
    }

    /// As [`Host::command`], with other environment variables than the test's own; an empty value removes one.
    ///
    /// # Errors
    /// As [`Host::run`].
    pub fn spawn_in(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.args(arguments).stdin(Stdio::null());
        Self::prepare(&mut command);
        for (name, value) in environment {
            match *value {
                "" => command.env_remove(name),
                value => command.env(name, value),
            };
        }
        Self::spawn_prepared(command)
    }

    /// Starts another program in datain's place, which is watched in the same way.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn of(command: Command) -> Result<Self> {
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Result<Self> {
        command.stdin(Stdio::null());
        Self::spawn_with_input(command)
    }

    fn spawn_with_input(mut command: Command) -> Result<Self> {
        Self::prepare(&mut command);
        Self::spawn_prepared(command)
    }

    fn prepare(command: &mut Command) {
        // What the developer's own shell says must not change what a test sees.
        command.env_remove("RUST_LOG").env("NO_COLOR", "1");
        if let Some(folder) = folder_of_configuration(command) {
            // The control socket and its lock go with the test's folder.
            command.env("XDG_RUNTIME_DIR", folder);
        }
    }

    fn spawn_prepared(mut command: Command) -> Result<Self> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().to_owned();
        let mut child = spawn_bound(command)
            .with_context(|| format!("failed to start {}", program.display()))?;
        let stdout = Captured::new(child.stdout.take());
        let stderr = Captured::new(child.stderr.take());
        Ok(Self {
            child,
            status: None,
            stdout,
            stderr,
        })
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether the process has not ended yet.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn is_running(&mut self) -> Result<bool> {
        if self.status.is_none() {
            self.status = self
                .child
                .try_wait()
                .context("failed to look after datain")?;
        }
        Ok(self.status.is_none())
    }

    /// Kills the process (SIGKILL), as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        if self.status.is_none() {
            // Both fail only when the process has ended already.
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Sends SIGTERM, as a service manager does.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        // Once it was waited for, its id may be somebody else's.
        if self.status.is_none() {
            // It fails only when the process has ended already.
            let _ = kill_process(Pid::from_child(&self.child), signal);
        }
    }

    /// What the process has written to standard output until now.
    #[must_use]
    pub fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// What the process has written to standard error until now.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits until the process ends by itself.
    ///
    /// # Errors
    /// When it has not ended in time: with the end of what it wrote. It goes on running then.
    pub fn wait(&mut self, limit: Duration) -> Result<Exit> {
        let deadline = Instant::now() + limit;
        while self.is_running()? {
            if Instant::now() > deadline {
                bail!(
                    "datain has not ended after {limit:?}; the end of standard error:\n{}\nof standard output:\n{}",
                    tail(&self.stderr(), 20),
                    tail(&self.stdout(), 2)
                );
            }
            thread::sleep(Duration::from_millis(10));
        }
        let status = self
            .status
            .context("the process has ended without a status")?;
        Ok(Exit {
            code: status
                .code()
                .or_else(|| status.signal().map(|signal| -signal))
                .unwrap_or(i32::MIN),
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
        })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The folder of the file that follows `-c` in the arguments.
fn folder_of_configuration(command: &Command) -> Option<PathBuf> {
    let mut arguments = command.get_args().skip_while(|argument| *argument != "-c");
    let file = arguments.nth(1)?;
    Path::new(file).parent().map(Path::to_owned)
}

/// What comes out of a pipe, read by a thread so that the writer never waits.
#[derive(Debug)]
struct Captured {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Captured {
    fn new(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&bytes);
        let reader = pipe.map(|mut pipe| {
            thread::spawn(move || {
                let mut part = [0; 8192];
                while let Ok(size @ 1..) = pipe.read(&mut part) {
                    into.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend_from_slice(&part[..size]);
                }
            })
        });
        Self { bytes, reader }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
            .into_owned()
    }

    /// The text once the writer has closed the pipe.
    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            // It cannot panic; what it has read is there in any case.
            let _ = reader.join();
        }
        self.text()
    }
}

/// The last lines of a text.
fn tail(text: &str, lines: usize) -> String {
    let all: Vec<_> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// The program: `DATAIN_BIN`, else `datain` in the folder above the test program's own, `target/debug` for `target/debug/deps/TEST`.
///
/// # Errors
/// When it is not there, with how to build it.
pub fn program() -> Result<PathBuf> {
    const BUILD: &str = "build it with `cargo xtask wasm` (the components) and `cargo build -p datain-host` (the program), or name one in DATAIN_BIN";
    if let Some(named) = env::var_os(PROGRAM_VARIABLE).filter(|value| !value.is_empty()) {
        let path = PathBuf::from(named);
        if !path.is_file() {
            bail!(
                "DATAIN_BIN names {}, which is not there; {BUILD}",
                path.display()
            );
        }
        return Ok(path);
    }
    let test = env::current_exe().context("the test program does not know where it is")?;
    let path = test
        .parent()
        .and_then(Path::parent)
        .map(|folder| folder.join("datain"));
    match path {
        Some(path) if path.is_file() => Ok(path),
        _ => bail!(
            "the program `datain` is not beside {}; {BUILD}",
            test.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Host {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Host::spawn(command).expect("a shell")
    }

    #[test]
    fn the_end_and_the_output_are_seen() {
        let exit = shell("echo out; echo err >&2; exit 3")
            .wait(Duration::from_secs(10))
            .expect("an end");
        assert_eq!(
            (exit.code, exit.stdout.as_str(), exit.stderr.as_str()),
            (3, "out\n", "err\n")
        );
    }

    #[test]
    fn a_kill_an_interrupt_and_a_time_limit() {
        let mut killed = shell("exec sleep 60");
        killed.kill();
        assert_eq!(killed.wait(Duration::ZERO).expect("an end").code, -9);
        let mut interrupted =
            shell("trap 'exit 130' INT; echo ready; while :; do sleep 0.02; done");
        while interrupted.stdout().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        interrupted.interrupt();
        assert_eq!(
            interrupted
                .wait(Duration::from_secs(10))
                .expect("an end")
                .code,
            130
        );
        let late = shell("echo words >&2; exec sleep 60")
            .wait(Duration::from_millis(300))
            .expect_err("a time limit");
        assert!(late.to_string().contains("words"), "{late}");
    }

    #[test]
    fn a_dropped_host_is_gone() {
        let host = shell("exec sleep 60");
        let process = PathBuf::from(format!("/proc/{}", host.pid()));
        assert!(process.exists());
        drop(host);
        assert!(!process.exists());
    }
}
