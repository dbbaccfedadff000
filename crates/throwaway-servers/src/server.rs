//! A running server.

use std::{
    fs,
    io::Read as _,
    os::unix::{net::UnixStream, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Client, Detached, Distribution, Error, Flavor, Result, ServerBuilder, faketime::Clock,
    process::tail, rundir::RunDir, spawn, sql, template, xml,
};

pub(crate) const SOCKET: &str = "sock";
pub(crate) const ERROR_LOG: &str = "error.log";
pub(crate) const SERVER_OPTIONS: &str = "my.cnf";
/// A client for people.
pub(crate) const CLIENT_SCRIPT: &str = "client";
pub(crate) const CLIENT_OPTIONS: &str = "client.cnf";

/// A throwaway server. Dropping it kills the process and removes its folder.
#[derive(Debug)]
pub struct Server {
    distribution: Distribution,
    // Dropped before `run`, so that the process is gone when its folder is removed.
    process: Process,
    port: u16,
    clock: Option<Clock>,
    zone: Option<String>,
    patience: Duration,
    run: RunDir,
}

impl Server {
    /// A server of this flavour, to be described further.
    #[must_use]
    pub fn builder(flavor: Flavor) -> ServerBuilder {
        ServerBuilder::new(flavor)
    }

    /// Starts a server as `builder` describes it, that goes on running when this process has ended. Its folder stays too:
    /// who removes it is the caller's business.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`].
    pub fn leave_running(
        builder: ServerBuilder,
        progress: &dyn crate::Progress,
    ) -> Result<Detached> {
        let mut server = builder.detached().start_with_progress(progress)?;
        server.run.keep()?;
        let detached = Detached {
            flavor: server.flavor(),
            pid: server.pid().unwrap_or_default(),
            port: server.port,
            folder: server.run.path().to_owned(),
        };
        server.process.child = None;
        Ok(detached)
    }

    pub(crate) fn new(
        distribution: Distribution,
        run: RunDir,
        child: Child,
        port: u16,
        clock: Option<Clock>,
        zone: Option<String>,
        patience: Duration,
    ) -> Self {
        Self {
            distribution,
            process: Process { child: Some(child) },
            port,
            clock,
            zone,
            patience,
            run,
        }
    }

    /// Which server it is.
    #[must_use]
    pub fn flavor(&self) -> Flavor {
        self.distribution.flavor()
    }

    /// The port on 127.0.0.1. It stays the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.run.path().join(SOCKET)
    }

    /// The data folder.
    #[must_use]
    pub fn datadir(&self) -> PathBuf {
        self.run.path().join("data")
    }

    /// An option file for a client: `mysql --defaults-file=…` is root on this server.
    #[must_use]
    pub fn client_options(&self) -> PathBuf {
        self.run.path().join(CLIENT_OPTIONS)
    }

    /// A script that runs the distribution's own client as root on this server: for people, and for pipes.
    #[must_use]
    pub fn client_script(&self) -> PathBuf {
        self.run.path().join(CLIENT_SCRIPT)
    }

    /// The certificate authority that the server made for itself, if it did. Its certificate names no host, so it serves for
    /// verify-ca, not for verify-identity.
    #[must_use]
    pub fn ca_file(&self) -> Option<PathBuf> {
        Some(self.datadir().join("ca.pem")).filter(|path| path.exists())
    }

    /// The process, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.process.child.as_ref().map(Child::id)
    }

    /// The text of the error log.
    #[must_use]
    pub fn error_log(&self) -> String {
        read_log(self.run.path())
    }

    /// Kills the process (SIGKILL), as a power cut would, and waits until it is gone. The data folder stays for
    /// [`Server::restart`].
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Shuts the server down in order and waits until it is gone. The data folder stays for [`Server::restart`].
    ///
    /// # Errors
    /// When it does not end in time; it is killed then.
    pub fn stop(&mut self) -> Result<()> {
        let Some(pid) = self.pid() else { return Ok(()) };
        // SAFETY: the process is our child and not yet waited for, so the id is its own.
        unsafe { libc::kill(pid.cast_signed(), libc::SIGTERM) };
        let deadline = Instant::now() + self.patience;
        while let Some(child) = &mut self.process.child {
            if child
                .try_wait()
                .map_err(Error::io("wait for", "the server"))?
                .is_some()
            {
                self.process.child = None;
            } else if Instant::now() > deadline {
                self.process.kill();
                return Err(not_started(
                    self.flavor(),
                    self.run.path(),
                    "it did not shut down in time, and was killed",
                ));
            } else {
                thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    /// Starts the server again (after shutting it down, if it runs) with the same data, port and options.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`].
    pub fn restart(&mut self) -> Result<()> {
        self.stop()?;
        let launch = Launch {
            run: self.run.path(),
            port: self.port,
            detached: false,
            clock: self.clock.as_ref(),
            zone: self.zone.as_deref(),
            patience: self.patience,
        };
        self.process.child = Some(launch_process(&self.distribution, &launch)?);
        Ok(())
    }

    /// Keeps the folder when the server is dropped, to look into it. The process is ended all the same. Returns the folder.
    ///
    /// # Errors
    /// File errors.
    pub fn keep(&mut self) -> Result<PathBuf> {
        self.run.keep()?;
        Ok(self.run.path().to_owned())
    }

    /// Runs statements as root over the socket, each call in a session of its own, and returns the client's batch output: a
    /// line of column names and a line per row for each statement that has rows; tabs and line ends in values are escaped with
    /// a backslash, NULL is the word NULL.
    ///
    /// # Errors
    /// The server's first error; the statements after it are not run.
    pub fn sql(&self, statements: &str) -> Result<String> {
        let mut command = sql::client(&self.distribution, &self.client_options())?;
        command.arg("--batch");
        sql::run(command, statements)
    }

    /// Runs statements as [`Server::sql`] does and returns the values of all rows, of one statement after the other. NULL is
    /// `None`. Values that are not UTF-8 come out damaged: ask for `HEX(…)`. A carriage return may be lost.
    ///
    /// # Errors
    /// As [`Server::sql`].
    pub fn query(&self, statements: &str) -> Result<Vec<Vec<Option<String>>>> {
        let mut command = sql::client(&self.distribution, &self.client_options())?;
        command.arg("--xml");
        Ok(xml::rows(&sql::run(command, statements)?))
    }

    /// A session that stays open.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.distribution.clone(), self.client_options())
    }
}

/// The child, killed when dropped.
#[derive(Debug)]
struct Process {
    child: Option<Child>,
}

impl Process {
    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only when the process has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) struct Launch<'a> {
    pub(crate) run: &'a Path,
    pub(crate) port: u16,
    pub(crate) detached: bool,
    pub(crate) clock: Option<&'a Clock>,
    pub(crate) zone: Option<&'a str>,
    pub(crate) patience: Duration,
}

pub(crate) use launch_process as launch;

/// Starts the process and waits until it greets on its socket.
pub(crate) fn launch_process(distribution: &Distribution, launch: &Launch<'_>) -> Result<Child> {
    let flavor = distribution.flavor();
    let socket = launch.run.join(SOCKET);
    // A killed server leaves its socket behind.
    let _ = fs::remove_file(&socket);
    let mut command = distribution.server_command();
    command
        .arg(defaults_argument(launch.run))
        .args(template::run_as_root());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir(launch.run);
    if let Some(clock) = launch.clock {
        clock.apply(&mut command);
    }
    if let Some(zone) = launch.zone {
        command.env("TZ", zone);
    }
    let program = command.get_program().to_string_lossy().into_owned();
    let started = if launch.detached {
        spawn::detached(command)
    } else {
        spawn::bound(command)
    };
    let hint = "the distribution is damaged: delete it from the cache folder and fetch it again"
        .to_owned();
    let mut process = Process {
        child: Some(started.map_err(|source| Error::Spawn {
            program,
            source,
            hint,
        })?),
    };

    let deadline = Instant::now() + launch.patience;
    while !greets(&socket) {
        let ended = process
            .child
            .as_mut()
            .and_then(|child| child.try_wait().ok().flatten());
        if let Some(status) = ended {
            process.child = None;
            let how = match status.signal() {
                Some(signal) => format!("it was ended by signal {signal}"),
                None => format!("it ended with {status} (port {})", launch.port),
            };
            return Err(not_started(flavor, launch.run, &how));
        }
        if Instant::now() > deadline {
            return Err(not_started(
                flavor,
                launch.run,
                &format!("it does not answer after {:?}", launch.patience),
            ));
        }
        thread::sleep(Duration::from_millis(20));
    }
    process
        .child
        .take()
        .ok_or_else(|| not_started(flavor, launch.run, "it ended"))
}

/// Whether a server sends its greeting. The socket's path is this server's alone, unlike a port, and a server opens it after
/// it could bind its port.
fn greets(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else {
        return false;
    };
    let mut header = [0; 5];
    let asked = stream
        .set_read_timeout(Some(Duration::from_secs(2)))
        .and_then(|()| stream.read_exact(&mut header));
    // The fifth byte is the protocol's version: 10, or 255 for an error.
    asked.is_ok() && header[4] == 10
}

/// The argument by which a server's process is recognised.
pub(crate) fn defaults_argument(run: &Path) -> String {
    format!("--defaults-file={}", run.join(SERVER_OPTIONS).display())
}

fn read_log(run: &Path) -> String {
    fs::read(run.join(ERROR_LOG))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

fn not_started(flavor: Flavor, run: &Path, reason: &str) -> Error {
    let log = tail(&read_log(run), 40);
    Error::NotStarted {
        flavor: flavor.to_string(),
        reason: reason.to_owned(),
        log,
    }
}
