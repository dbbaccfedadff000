//! The folder of one running server: data, socket, option files, error log.
//!
//! Its owner holds a file lock in it as long as it lives. A folder whose lock can be taken belongs to a process that died
//! without cleaning up (Ctrl-C, kill -9): the next server to start removes it.

use std::{
    env,
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

use crate::{Error, Result, cache, is_running_with, memory, server::defaults_argument};

const PREFIX: &str = "datain-server-";
const OWNER: &str = "owner.lock";
/// The server writes its process id here.
pub(crate) const PID: &str = "server.pid";
/// The longest path of a Unix socket is 107 bytes; some are left for the X protocol's and other suffixes.
const LONGEST: usize = 80;

/// Where a server's folder may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In memory where there is plenty, else on the disk.
    Memory,
    /// In the system's folder for temporary files.
    Disk,
}

#[derive(Debug)]
pub(crate) struct RunDir {
    path: PathBuf,
    keep: bool,
    _owner: File,
}

impl RunDir {
    /// Makes a new folder that only this user can enter, and clears away what dead processes left.
    pub(crate) fn create(place: Place) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        // What a killed process left in memory is in the way most of all: it goes before the room there is looked at.
        sweep(Path::new(memory::FOLDER));
        let parent = match place {
            Place::Memory if memory::has_room() => PathBuf::from(memory::FOLDER),
            Place::Memory | Place::Disk => on_disk(),
        };
        sweep(&parent);
        let clock = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |time| time.subsec_nanos());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!(
            "{PREFIX}{}-{count}-{:04x}",
            process::id(),
            clock & 0xffff
        ));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(Error::io("create the folder", &path))?;
        // The lock is taken before the file gets the name that `sweep` looks for.
        let early = path.join("owner.new");
        let owner = File::create(&early).map_err(Error::io("create", &early))?;
        owner.lock().map_err(Error::io("lock", &early))?;
        fs::rename(&early, path.join(OWNER)).map_err(Error::io("rename", early))?;
        for folder in ["data", "tmp"] {
            cache::create_dir(&path.join(folder))?;
        }
        Ok(Self {
            path,
            keep: false,
            _owner: owner,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// From now on the folder stays, also when its owner is gone.
    pub(crate) fn keep(&mut self) -> Result<()> {
        self.keep = true;
        let owner = self.path.join(OWNER);
        match fs::remove_file(&owner) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::Io {
                action: "remove",
                path: owner,
                source: error,
            }),
            _ => Ok(()),
        }
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        if !self.keep
            && let Err(error) = cache::remove_dir(&self.path)
        {
            eprintln!("{error}");
        }
    }
}

fn on_disk() -> PathBuf {
    let parent = env::temp_dir();
    if parent.as_os_str().len() > LONGEST - PREFIX.len() - 20 || !parent.is_absolute() {
        return PathBuf::from("/tmp");
    }
    parent
}

/// Removes the folders of dead owners. Nothing here is worth failing for.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
    {
        let path = entry.path();
        // Held until the folder is gone, so that no two processes sweep the same one.
        let Ok(owner) = File::open(path.join(OWNER)) else {
            continue;
        };
        if owner.try_lock().is_ok() {
            // A server that was being detached when its starter was killed may still run.
            let pid = fs::read_to_string(path.join(PID))
                .ok()
                .and_then(|text| text.trim().parse::<u32>().ok());
            if let Some(pid) = pid.filter(|pid| is_running_with(*pid, &defaults_argument(&path))) {
                // SAFETY: a plain system call; the process was just recognised as a server of this folder.
                unsafe { libc::kill(pid.cast_signed(), libc::SIGKILL) };
            }
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// Whether a folder's name is one that this module gives.
pub(crate) fn is_run_dir(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner_unless_it_is_kept() {
        let dropped = RunDir::create(Place::Disk).unwrap();
        let mut kept = RunDir::create(Place::Disk).unwrap();
        let paths = [dropped.path().to_owned(), kept.path().to_owned()];
        kept.keep().unwrap();
        sweep(paths[0].parent().unwrap());
        assert!(paths.iter().all(|path| path.join("data").exists()));
        drop((dropped, kept));
        assert_eq!(paths.each_ref().map(|path| path.exists()), [false, true]);
        cache::remove_dir(&paths[1]).unwrap();
    }

    #[test]
    fn a_folder_is_in_memory_only_where_it_may_be() {
        let disk = RunDir::create(Place::Disk).unwrap();
        assert_eq!(disk.path().parent(), Some(on_disk().as_path()));
        let memory = RunDir::create(Place::Memory).unwrap();
        let parents = [Path::new(memory::FOLDER), &on_disk()];
        assert!(parents.contains(&memory.path().parent().unwrap()));
    }

    #[test]
    fn what_a_dead_process_left_is_swept_away() {
        let parent = env::temp_dir().join(format!("datain-sweep-{}", process::id()));
        let (dead, young) = (
            parent.join(format!("{PREFIX}1")),
            parent.join(format!("{PREFIX}2")),
        );
        for folder in [&dead, &young] {
            cache::create_dir(folder).unwrap();
        }
        fs::write(dead.join(OWNER), "").unwrap();
        sweep(&parent);
        assert!(!dead.exists() && young.exists());
        cache::remove_dir(&parent).unwrap();
    }
}
