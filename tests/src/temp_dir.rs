//! A test's own folder, that does not stay.

use std::{env, fs, fs::File, path::Path};

use anyhow::{Context as _, Result};

const PREFIX: &str = "datain-test-";
const OWNER: &str = "owner.lock";

/// A folder of a test's own, removed when it is dropped, also when the test panics. What a killed test has left is removed when
/// the next folder is made.
#[derive(Debug)]
pub struct TempDir {
    folder: tempfile::TempDir,
    /// Locked as long as the folder is in use. The kernel unlocks it when the process dies.
    _owner: File,
}

impl TempDir {
    /// Makes it, in the system's folder for temporary files.
    ///
    /// # Errors
    /// File errors.
    pub fn new() -> Result<Self> {
        sweep(&env::temp_dir());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir();
        let folder = folder.context("failed to make a folder for temporary files")?;
        // The lock is taken before the file gets the name that `sweep` looks for.
        let early = folder.path().join("owner.new");
        let owner = File::create(&early).and_then(|file| {
            file.lock()?;
            fs::rename(&early, folder.path().join(OWNER))?;
            Ok(file)
        });
        let _owner = owner.with_context(|| format!("failed to lock {}", early.display()))?;
        Ok(Self { folder, _owner })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl AsRef<Path> for TempDir {
    fn as_ref(&self) -> &Path {
        self.path()
    }
}

/// Removes the folders of dead owners. Nothing here is worth failing for.
fn sweep(parent: &Path) {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        // Held until the folder is gone, so that no two processes sweep the same one.
        if let Ok(owner) = File::open(entry.path().join(OWNER))
            && owner.try_lock().is_ok()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_owner() {
        let living = TempDir::new().expect("a folder");
        let dead = TempDir::new().expect("a folder");
        // As if its process had been killed: unlocked, not removed.
        let TempDir { folder, _owner } = dead;
        let dead = folder.keep();
        drop(_owner);
        let path = TempDir::new().expect("a folder").path().to_owned();
        assert!(living.path().exists() && !dead.exists() && !path.exists());
    }
}
