//! Two servers, and a config file that joins them.
//!
//! The config and `datain`'s log lie in the source server's own folder: whatever removes that server, also after a `kill -9`
//! of this program, removes them too.

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use datain_throwaway_servers::{Detached, Flavor, ROOT_PASSWORD, Server};

use super::{build::Built, interrupt::Interrupt};
use crate::{bar, servers};

/// Both servers; dropping it ends and removes them.
pub(super) struct Lab {
    pub(super) source: Server,
    pub(super) target: Server,
    pub(super) config: PathBuf,
    /// Where `datain` logs to.
    pub(super) log: PathBuf,
}

impl Lab {
    pub(super) fn start(built: &Built, interrupt: &Interrupt) -> Result<Self> {
        let progress = bar::progress();
        // On the disk, as servers are: the demo shows figures.
        let start = || {
            Server::builder(Flavor::Mysql97)
                .on_disk()
                .start_with_progress(&*progress)
        };
        let source = start()?;
        interrupt.check()?;
        let target = start()?;
        let config = source.client_script().with_file_name("shop.toml");
        let log = config.with_file_name("datain.log");
        fs::write(&config, config_text(source.port(), target.port(), built))
            .with_context(|| format!("failed to write {}", config.display()))?;
        Ok(Self {
            source,
            target,
            config,
            log,
        })
    }

    /// Says where everything is.
    pub(super) fn introduce(&self, built: &Built) {
        for (name, server) in [("source", &self.source), ("target", &self.target)] {
            println!("  {name}  127.0.0.1:{}", server.port());
            println!("          socket  {}", server.socket().display());
            println!("          client  {}", server.client_script().display());
        }
        println!(
            "  both    user root, password {ROOT_PASSWORD}; run a client script to look around"
        );
        println!("  config  {}", self.config.display());
        println!("  log     {}", self.log.display());
        println!("  datain  {}", built.host.display());
    }

    /// Starts both servers anew, so that they stay when this process has ended, and says how to go on.
    pub(super) fn leave_running(self, built: &Built) -> Result<()> {
        let ports = [self.source.port(), self.target.port()];
        let [source, target] = [self.source, self.target].map(detach);
        let (source, target) = (source?, target?);
        println!(
            "  look at the source   {}",
            source.client_script().display()
        );
        println!(
            "  look at the target   {}",
            target.client_script().display()
        );
        println!(
            "  replicate on         {} run --progress -c {}",
            built.host.display(),
            self.config.display()
        );
        println!(
            "  end and remove them  cargo xtask servers down {} {}",
            ports[0], ports[1]
        );
        Ok(())
    }
}

fn config_text(source: u16, target: u16, built: &Built) -> String {
    let server = |role: &str, port: u16| {
        format!(
            "[{role}]\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"root\"\npassword = \"{ROOT_PASSWORD}\"\n\n"
        )
    };
    let [source_plugin, sink_plugin] = built.plugins.each_ref().map(|path| path.display());
    format!(
        "# Written by `cargo xtask demo`.\n\
         name = \"shop\"\n\n\
         {}{}\
         [replicate]\n\
         include = [\"shop.*\"]\n\n\
         # From the first transaction on: the target begins empty, and even CREATE DATABASE is replicated.\n\
         [start]\n\
         mode = \"gtid\"\n\
         gtid_set = \"\"\n\n\
         [plugins]\n\
         source = '{source_plugin}'\n\
         sink = '{sink_plugin}'\n",
        server("source", source),
        server("target", target),
    )
}

/// Ends a server that is bound to this process, and starts it on the same data with the same command line and nothing to
/// bind it.
fn detach(mut server: Server) -> Result<Detached> {
    let pid = server.pid().context("the server has ended by itself")?;
    let line = fs::read(format!("/proc/{pid}/cmdline"))
        .context("failed to read the server's command line")?;
    let words = String::from_utf8(line).context("the server's command line is not UTF-8")?;
    let mut words = words.split_terminator('\0');
    let program = words.next().context("the server's command line is empty")?;
    let folder = server.keep()?;
    server.stop()?;
    let mut command = Command::new(program);
    command.args(words).current_dir(&folder);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe.
    unsafe {
        command.pre_exec(|| match libc::setsid() {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
    let child = command.spawn().context("failed to start the server")?;
    let detached = Detached {
        flavor: server.flavor(),
        pid: child.id(),
        port: server.port(),
        folder,
    };
    if let Err(error) = answers(&detached).and_then(|()| servers::remember(&detached)) {
        detached.end(Duration::from_secs(10))?;
        return Err(error);
    }
    Ok(detached)
}

fn answers(server: &Detached) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let ask = |client: &Path| {
        Command::new(client)
            .args(["--execute", "DO 0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    };
    while !ask(&server.client_script()).is_ok_and(|status| status.success()) {
        if Instant::now() > deadline || !server.is_running() {
            bail!("the server on port {} did not come up again", server.port);
        }
        thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
