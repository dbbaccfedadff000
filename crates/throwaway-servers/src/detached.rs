//! A server that goes on running when the process that started it has ended.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    Error, Flavor, Result, cache, is_running_with,
    rundir::is_run_dir,
    server::{CLIENT_OPTIONS, CLIENT_SCRIPT, SOCKET, defaults_argument},
};

/// What is known of a server that was left running. It can be written down as text and read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// Which server.
    pub flavor: Flavor,
    /// Its process.
    pub pid: u32,
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its folder, with its socket, option files, error log and data.
    pub folder: PathBuf,
}

impl Detached {
    /// The Unix socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    /// An option file for a client: `mysql --defaults-file=…` is root on this server.
    #[must_use]
    pub fn client_options(&self) -> PathBuf {
        self.folder.join(CLIENT_OPTIONS)
    }

    /// A script that runs the distribution's own client as root on this server.
    #[must_use]
    pub fn client_script(&self) -> PathBuf {
        self.folder.join(CLIENT_SCRIPT)
    }

    /// Whether its process still runs, and is not another one that was given the same id.
    #[must_use]
    pub fn is_running(&self) -> bool {
        is_running_with(self.pid, &defaults_argument(&self.folder))
    }

    /// Shuts the server down, by force if it takes longer than `patience`, and removes its folder.
    ///
    /// # Errors
    /// File errors.
    pub fn end(&self, patience: Duration) -> Result<()> {
        let signal = |signal| {
            if let Ok(pid) = i32::try_from(self.pid)
                && self.is_running()
            {
                // SAFETY: a plain system call; the process was just recognised as our server.
                unsafe { libc::kill(pid, signal) };
            }
        };
        signal(libc::SIGTERM);
        if !self.ends_within(patience) {
            signal(libc::SIGKILL);
            self.ends_within(Duration::from_secs(10));
        }
        // The folder's name comes from a file that people can edit: nothing else is removed.
        if is_run_dir(&self.folder) {
            cache::remove_dir(&self.folder)
        } else {
            Ok(())
        }
    }

    fn ends_within(&self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.is_running() {
            if Instant::now() > deadline {
                return false;
            }
            thread::sleep(Duration::from_millis(50));
        }
        true
    }

    /// Writes it down in `file`.
    ///
    /// # Errors
    /// File errors.
    pub fn save(&self, file: &Path) -> Result<()> {
        let Self {
            flavor,
            pid,
            port,
            folder,
        } = self;
        cache::write_atomically(
            file,
            &format!("{flavor}\n{pid}\n{port}\n{}\n", folder.display()),
        )
    }

    /// Reads what [`Detached::save`] wrote.
    ///
    /// # Errors
    /// File errors, and text that is not of that form.
    pub fn load(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).map_err(Error::io("read", file))?;
        let mut lines = text.lines();
        let mut read = || -> Option<Self> {
            Some(Self {
                flavor: lines.next()?.parse().ok()?,
                pid: lines.next()?.parse().ok()?,
                port: lines.next()?.parse().ok()?,
                folder: lines.next()?.into(),
            })
        };
        read().ok_or_else(|| Error::unusable(format!("{} is damaged", file.display()), "delete it"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_a_stranger_is_not_ended() {
        let folder = std::env::temp_dir().join(format!("datain-detached-{}", std::process::id()));
        cache::create_dir(&folder).unwrap();
        // This test's own process id: it lacks the argument, so it must survive, and so must the folder.
        let server = Detached {
            flavor: Flavor::Mysql56,
            pid: std::process::id(),
            port: 3306,
            folder: folder.clone(),
        };
        let file = folder.join("state");
        server.save(&file).unwrap();
        assert_eq!(Detached::load(&file).unwrap(), server);
        assert!(!server.is_running());
        server.end(Duration::ZERO).unwrap();
        assert!(folder.exists());
        fs::write(&file, "mysql-9.7\nx\n").unwrap();
        assert!(Detached::load(&file).is_err());
        cache::remove_dir(&folder).unwrap();
    }
}
