//! mydumper and myloader, which dump and load tables in several threads, as tools that are installed nowhere.
//!
//! Both are used as they are where they are on PATH. Else Debian's package is fetched once into the cache folder, with all that it depends on, as
//! sysbench is, and run from there.

use std::{path::PathBuf, process::Command};

use crate::{
    Progress, Result, cache,
    debian::{Apt, Suite},
    distribution::{Program, mariadb_plugins},
    process,
};

const HINT: &str =
    "delete the folder tools/mydumper in the cache folder and fetch it again, or install mydumper";

/// The two programs.
#[derive(Debug, Clone)]
pub struct Mydumper {
    /// Where the package was unpacked; none for those on PATH.
    root: Option<PathBuf>,
}

impl Mydumper {
    /// Finds them on PATH or in the cache folder, or fetches them.
    ///
    /// # Errors
    /// When this is no Debian and they are not on PATH, or the mirror does not answer.
    pub fn fetch(progress: &dyn Progress) -> Result<Self> {
        if process::on_path("mydumper") && process::on_path("myloader") {
            return Ok(Self { root: None });
        }
        let root = cache::root()?.join("tools/mydumper");
        let waiting = || eprintln!("another process is fetching mydumper: waiting for it");
        cache::fill(&root, waiting, |into| -> Result<String> {
            let apt = Apt::open("mydumper", Suite::Machine, progress)?;
            let packages = apt.download_closure(&["mydumper"], progress)?;
            apt.unpack(&packages, into, progress)?;
            apt.discard()?;
            let fetched = Self {
                root: Some(into.to_owned()),
            };
            let version = process::run(fetched.dump()?.arg("--version"), HINT, || ())?;
            let version = version.trim().to_owned();
            progress.finish(&format!("fetched {version}"));
            Ok(version)
        })?;
        Ok(Self { root: Some(root) })
    }

    /// `mydumper`, without arguments.
    ///
    /// # Errors
    /// When what was unpacked is damaged.
    pub fn dump(&self) -> Result<Command> {
        self.command("mydumper")
    }

    /// `myloader`, without arguments.
    ///
    /// # Errors
    /// When what was unpacked is damaged.
    pub fn load(&self) -> Result<Command> {
        self.command("myloader")
    }

    fn command(&self, name: &str) -> Result<Command> {
        let Some(root) = &self.root else {
            return Ok(Command::new(name));
        };
        let mut command = Program::unpacked(root, &format!("usr/bin/{name}"))?.command();
        if let Some(plugins) = mariadb_plugins(root) {
            command.env("MARIADB_PLUGIN_DIR", plugins);
        }
        Ok(command)
    }
}
