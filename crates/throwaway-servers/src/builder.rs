//! What a server is started with.

use std::{
    fs, iter,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use crate::{
    Distribution, Error, Flavor, Lines, Progress, ROOT_PASSWORD, Result, Server,
    faketime::{Clock, Faketime},
    fetch::fetch,
    rundir::{PID, Place, RunDir},
    server, template,
};

/// Collects what a server is to be like; [`ServerBuilder::start`] starts it.
///
/// Without anything said, a server has: a free port on 127.0.0.1, a socket, the binary log in ROW format, GTIDs (MySQL; a
/// MariaDB always has them), every commit durable, a 128 MB buffer pool, TLS where the server makes its own certificates
/// (see [`Flavor::has_tls_by_itself`]), and the account `root` with [`ROOT_PASSWORD`](crate::ROOT_PASSWORD).
#[derive(Debug, Clone)]
pub struct ServerBuilder {
    flavor: Flavor,
    options: Vec<String>,
    gtid: bool,
    relaxed: bool,
    own_certificates: bool,
    keyring: bool,
    detached: bool,
    place: Place,
    port: Option<u16>,
    clock_shift: i64,
    zone: Option<String>,
    patience: Duration,
}

impl ServerBuilder {
    pub(crate) fn new(flavor: Flavor) -> Self {
        Self {
            flavor,
            options: Vec::new(),
            gtid: true,
            relaxed: false,
            own_certificates: false,
            keyring: false,
            detached: false,
            place: Place::Memory,
            port: None,
            clock_shift: 0,
            zone: None,
            patience: Duration::from_secs(120),
        }
    }

    /// Adds a line of the option file's `[mysqld]` group, for example `"binlog_format=STATEMENT"` or
    /// `"skip-log-bin"`. It outranks this crate's own settings.
    #[must_use]
    pub fn option(mut self, line: impl Into<String>) -> Self {
        self.options.push(line.into());
        self
    }

    /// Turns GTIDs off. A MariaDB has them always.
    #[must_use]
    pub fn without_gtid(mut self) -> Self {
        self.gtid = false;
        self
    }

    /// Trades durability for speed: `sync_binlog=0`, `innodb_flush_log_at_trx_commit=2`, no doublewrite. A killed server
    /// keeps its data; a killed machine may not.
    #[must_use]
    pub fn relaxed(mut self) -> Self {
        self.relaxed = true;
        self
    }

    /// Lets a MySQL 9.7 make a certificate authority and certificates of its own at this start (0.5 to 1 s), instead of those
    /// that all servers of one cache share.
    #[must_use]
    pub fn own_certificates(mut self) -> Self {
        self.own_certificates = true;
        self
    }

    /// Gives a MySQL 9.7 a keyring, without which it encrypts nothing: the option `binlog_encryption=ON` needs it.
    #[must_use]
    pub fn keyring(mut self) -> Self {
        self.keyring = true;
        self
    }

    /// Asks for a certain port. Without this, a free one is taken.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Lets the server's clock be ahead of the machine's by so many seconds, or behind if they are negative. libfaketime is fetched
    /// for that, if it is not in the cache ([`Faketime`](crate::faketime::Faketime)).
    #[must_use]
    pub fn clock_shift(mut self, seconds: i64) -> Self {
        self.clock_shift = seconds;
        self
    }

    /// The time zone of the server's operating system, `time_zone = SYSTEM`, as in the environment's `TZ`: `CET-1CEST,M3.5.0,M10.5.0/3`, or a name, where the machine knows it.
    #[must_use]
    pub fn system_time_zone(mut self, zone: impl Into<String>) -> Self {
        self.zone = Some(zone.into());
        self
    }

    /// Keeps the server's files on the disk. Without this they are in memory (`/dev/shm`) where there is plenty of it, unless
    /// `DATAIN_SERVERS=disk` is in the environment: that suits tests, not whoever measures how long a commit takes.
    #[must_use]
    pub fn on_disk(mut self) -> Self {
        self.place = Place::Disk;
        self
    }

    /// How long a start may take; 120 s without this.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts the server, fetching its distribution first if it is not in the cache (which prints lines on standard error), and
    /// waits until it answers.
    ///
    /// # Errors
    /// When fetching fails, or the server does not come up: then with the end of its error log.
    pub fn start(self) -> Result<Server> {
        self.start_with_progress(&Lines)
    }

    /// The same, with fetching shown by `progress`.
    ///
    /// # Errors
    /// As [`ServerBuilder::start`].
    pub fn start_with_progress(self, progress: &dyn Progress) -> Result<Server> {
        let distribution = fetch(self.flavor, progress)?;
        let clock = match self.clock_shift {
            0 => None,
            seconds => Some(Clock {
                faketime: Faketime::fetch(progress)?,
                seconds,
            }),
        };
        let run = RunDir::create(self.place)?;
        let data = run.path().join("data");
        template::copy_into(&distribution, &self.options, &data)?;
        if self.own_certificates {
            remove_certificates(&data)?;
        }
        // The template was made before, so that it is the same for all.
        let distribution = if self.keyring {
            distribution.with_keyring(run.path())?
        } else {
            distribution
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let port = self.port.map_or_else(free_port, Ok)?;
            self.write_option_files(&distribution, run.path(), port)?;
            let launch = server::Launch {
                run: run.path(),
                port,
                detached: self.detached,
                clock: clock.as_ref(),
                zone: self.zone.as_deref(),
                patience: self.patience,
            };
            match server::launch(&distribution, &launch) {
                Ok(child) => {
                    return Ok(Server::new(
                        distribution,
                        run,
                        child,
                        port,
                        clock,
                        self.zone,
                        self.patience,
                    ));
                }
                // Between finding the free port and binding it, somebody else may have taken it.
                Err(Error::NotStarted { log, .. })
                    if self.port.is_none() && tries < 5 && port_was_taken(&log) =>
                {
                    let log = run.path().join(server::ERROR_LOG);
                    fs::remove_file(&log).map_err(Error::io("remove", log))?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Starts a server that stays when this process ends. See [`Server::leave_running`].
    pub(crate) fn detached(mut self) -> Self {
        self.detached = true;
        self.on_disk()
    }

    fn write_option_files(&self, distribution: &Distribution, run: &Path, port: u16) -> Result<()> {
        let socket = run.join(server::SOCKET);
        let at = |name: &str| run.join(name).display().to_string();
        let mut lines = distribution.settings();
        lines.extend([
            format!("datadir={}", at("data")),
            format!("tmpdir={}", at("tmp")),
            format!("socket={}", socket.display()),
            format!("pid_file={}", at(PID)),
            format!("log_error={}", at(server::ERROR_LOG)),
            format!("port={port}"),
            // No two servers have one port at the same time, so it serves as the id too.
            format!("server_id={port}"),
        ]);
        let mut set =
            |settings: &[&str]| lines.extend(settings.iter().map(|&line| line.to_owned()));
        set(&[
            "bind_address=127.0.0.1",
            "skip_name_resolve",
            "innodb_buffer_pool_size=128M",
        ]);
        set(&[
            "log_bin=binlog",
            "binlog_format=ROW",
            "log_slave_updates=ON",
        ]);
        if self.relaxed {
            set(&[
                "sync_binlog=0",
                "innodb_flush_log_at_trx_commit=2",
                "innodb_doublewrite=OFF",
            ]);
        } else {
            set(&["sync_binlog=1", "innodb_flush_log_at_trx_commit=1"]);
        }
        set(template::log_size(self.flavor).as_slice());
        match self.flavor {
            Flavor::Mysql97 => {
                set(&["mysqlx=OFF", "secure_file_priv=NULL"]);
                // Names that 9.7 no longer knows are not given to it.
                lines.retain(|line| line != "log_slave_updates=ON");
                lines.push("log_replica_updates=ON".to_owned());
                if self.own_certificates {
                    lines.push("auto_generate_certs=ON".to_owned());
                }
            }
            Flavor::Mysql56 => set(&["explicit_defaults_for_timestamp=ON"]),
            Flavor::Mariadb1011 | Flavor::Mariadb118 => {}
        }
        if !self.flavor.is_mariadb() {
            // Said in both cases: MySQL 9.7 has them on by default.
            let value = if self.gtid { "ON" } else { "OFF" };
            lines.extend([
                format!("gtid_mode={value}"),
                format!("enforce_gtid_consistency={value}"),
            ]);
        }
        lines.extend(self.options.iter().cloned());
        write_private(
            &run.join(server::SERVER_OPTIONS),
            &format!("[mysqld]\n{}\n", lines.join("\n")),
            0o600,
        )?;
        let client = format!(
            "[client]\nuser=root\npassword={ROOT_PASSWORD}\nsocket={}\ndefault-character-set=utf8mb4\n",
            socket.display()
        );
        write_private(&run.join(server::CLIENT_OPTIONS), &client, 0o600)?;
        write_private(
            &run.join(server::CLIENT_SCRIPT),
            &client_script(distribution, run)?,
            0o700,
        )
    }
}

/// The server ignores an option file that everybody may write.
fn write_private(path: &Path, text: &str, mode: u32) -> Result<()> {
    fs::write(path, text).map_err(Error::io("write", path))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(Error::io("set the mode of", path))
}

/// For people: the distribution's client, which may be nowhere on PATH, as root on this server.
fn client_script(distribution: &Distribution, run: &Path) -> Result<String> {
    let command = distribution.client_command()?;
    let options = format!(
        "--defaults-file={}",
        run.join(server::CLIENT_OPTIONS).display()
    );
    let words = iter::once(command.get_program())
        .chain(command.get_args())
        .chain(iter::once(options.as_ref()));
    let quoted: Vec<_> = words
        .map(|word| format!("'{}'", word.to_string_lossy().replace('\'', "'\\''")))
        .collect();
    Ok(format!("#!/bin/sh\nexec {} \"$@\"\n", quoted.join(" ")))
}

fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(Error::io("find a free port on", "127.0.0.1"))
}

fn port_was_taken(log: &str) -> bool {
    log.contains("Address already in use") || log.contains("Bind on TCP/IP port")
}

fn remove_certificates(data: &Path) -> Result<()> {
    for entry in fs::read_dir(data)
        .map_err(Error::io("read the folder", data))?
        .flatten()
    {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            fs::remove_file(&path).map_err(Error::io("remove", path))?;
        }
    }
    Ok(())
}
