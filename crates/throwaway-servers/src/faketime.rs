//! libfaketime, by which a server gets a clock that is ahead or behind.
//!
//! Debian's package is fetched once into the cache folder, as the servers are, and only when a server asks for it
//! ([`ServerBuilder::clock_shift`](crate::ServerBuilder::clock_shift)). The library is loaded before the server's own, and adds to
//! all clocks alike: with a monotonic clock left as it is, waits with a time limit end at once, and the server spins.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Error, Progress, Result, cache,
    debian::{Apt, Suite},
    distribution::library_folders,
};

const HINT: &str = "delete the folder tools/faketime in the cache folder, and try again with a Debian mirror in reach";

/// The library, where it was unpacked.
#[derive(Debug, Clone)]
pub struct Faketime {
    library: PathBuf,
}

impl Faketime {
    /// Finds it in the cache folder, or fetches it.
    ///
    /// # Errors
    /// When this is no Debian, or the mirror does not answer.
    pub fn fetch(progress: &dyn Progress) -> Result<Self> {
        let root = cache::root()?.join("tools/faketime");
        let waiting = || eprintln!("another process is fetching libfaketime: waiting for it");
        cache::fill(&root, waiting, |into| -> Result<String> {
            let apt = Apt::open("faketime", Suite::Machine, progress)?;
            // It needs the C library alone, which the server brings along.
            let packages = apt.download_only(&["libfaketime"], progress)?;
            apt.unpack(&packages, into, progress)?;
            apt.discard()?;
            Self::unpacked(into)?;
            progress.finish("fetched libfaketime");
            Ok("libfaketime".to_owned())
        })?;
        Self::unpacked(&root)
    }

    fn unpacked(root: &Path) -> Result<Self> {
        // The variant for programs with threads.
        let library = library_folders(root)
            .into_iter()
            .map(|folder| folder.join("faketime/libfaketimeMT.so.1"))
            .find(|path| path.exists());
        match library {
            Some(library) => Ok(Self { library }),
            None => Err(Error::unusable(
                format!("libfaketime is not in {}", root.display()),
                HINT,
            )),
        }
    }

    /// Lets the program's wall clock be ahead by so many seconds, or behind if they are negative.
    pub(crate) fn shift(&self, command: &mut Command, seconds: i64) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME", format!("{seconds:+}s"));
    }
}

/// The clock of one server.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    pub(crate) faketime: Faketime,
    pub(crate) seconds: i64,
}

impl Clock {
    pub(crate) fn apply(&self, command: &mut Command) {
        self.faketime.shift(command, self.seconds);
    }
}
