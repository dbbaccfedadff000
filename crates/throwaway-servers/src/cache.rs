//! The cache folder: what was fetched or built once and serves every later run, offline.
//!
//! It is `$DATAIN_CACHE`, else `$XDG_CACHE_HOME/datain`, else `~/.cache/datain`. Everything in it can be deleted at any
//! time and comes back when it is needed.
//!
//! A finished folder carries the file [`MARKER`], written last, and only such a folder is used: [`fill`] prepares it
//! under another name, beside its final place, and renames it. A lock file per entry keeps two processes from preparing
//! the same thing at once.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process,
};

use crate::{Error, Result};

/// The file that says "this folder is complete". Its text describes what is there.
pub const MARKER: &str = "datain-complete";

/// The cache folder. It may not exist yet.
///
/// # Errors
/// When neither `DATAIN_CACHE`, `XDG_CACHE_HOME` nor `HOME` is set.
pub fn root() -> Result<PathBuf> {
    let named = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(folder) = named("DATAIN_CACHE") {
        return std::path::absolute(&folder).map_err(Error::io("resolve DATAIN_CACHE", folder));
    }
    // The XDG base directory specification says that a relative XDG_CACHE_HOME is to be ignored.
    if let Some(folder) = named("XDG_CACHE_HOME").filter(|folder| folder.is_absolute()) {
        return Ok(folder.join("datain"));
    }
    named("HOME")
        .map(|home| home.join(".cache/datain"))
        .ok_or_else(|| {
            Error::unusable(
                "there is no cache folder: HOME is not set",
                "set DATAIN_CACHE to a folder with 2 GB of room",
            )
        })
}

/// The marker's text when `folder` is complete.
#[must_use]
pub fn complete(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join(MARKER)).ok()
}

/// Holds a lock file of the cache until dropped. The kernel releases it when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Waits for and takes the lock `name`. `waiting` is called once when somebody else holds it.
///
/// # Errors
/// When the lock file cannot be made.
pub fn lock(name: &str, waiting: impl FnOnce()) -> Result<Lock> {
    let folder = root()?.join("locks");
    create_dir(&folder)?;
    let path = folder.join(name);
    let file = File::create(&path).map_err(Error::io("create the lock", &path))?;
    if file.try_lock().is_err() {
        waiting();
        file.lock().map_err(Error::io("lock", &path))?;
    }
    Ok(Lock { _file: file })
}

/// Returns `folder` (below the cache's root) complete, calling `prepare` with an empty folder when it is not there yet.
/// `prepare` returns the marker's text. After a failure nothing is left under the final name.
///
/// # Errors
/// What `prepare` returns, and file errors.
pub fn fill<E: From<Error>>(
    folder: &Path,
    waiting: impl FnOnce(),
    prepare: impl FnOnce(&Path) -> std::result::Result<String, E>,
) -> std::result::Result<(), E> {
    if complete(folder).is_some() {
        return Ok(());
    }
    let name = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let _lock = lock(&format!("{name}.lock"), waiting)?;
    if complete(folder).is_some() {
        return Ok(());
    }
    let partial = folder.with_file_name(format!("{name}.partial"));
    remove_dir(&partial)?;
    remove_dir(folder)?;
    create_dir(&partial)?;
    let text = match prepare(&partial) {
        Ok(text) => text,
        Err(error) => {
            let _ = fs::remove_dir_all(&partial);
            return Err(error);
        }
    };
    let marker = partial.join(MARKER);
    fs::write(&marker, text).map_err(Error::io("write", marker))?;
    fs::rename(&partial, folder).map_err(Error::io("rename to its final name", &partial))?;
    Ok(())
}

/// Writes a small file of the cache so that a reader sees the old or the new text, never half of it.
///
/// # Errors
/// File errors.
pub fn write_atomically(path: &Path, text: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        create_dir(parent)?;
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}", process::id()));
    let temporary = PathBuf::from(temporary);
    fs::write(&temporary, text).map_err(Error::io("write", &temporary))?;
    fs::rename(&temporary, path).map_err(Error::io("rename to its final name", temporary))
}

pub(crate) fn create_dir(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))
}

pub(crate) fn remove_dir(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::Io {
            action: "remove the folder",
            path: folder.into(),
            source: error,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_fill_leaves_nothing_and_the_next_one_starts_afresh() {
        let folder = env::temp_dir()
            .join(format!("datain-fill-{}", process::id()))
            .join("entry");
        let failed = fill(
            &folder,
            || (),
            |partial| {
                fs::write(partial.join("half"), "x").unwrap();
                Err(Error::unusable("no", "none"))
            },
        );
        assert!(failed.is_err());
        assert!(complete(&folder).is_none() && !folder.exists());
        fill(
            &folder,
            || (),
            |partial| {
                assert!(!partial.join("half").exists());
                Ok::<_, Error>("v1".to_owned())
            },
        )
        .unwrap();
        assert_eq!(complete(&folder).as_deref(), Some("v1"));
        fill(
            &folder,
            || (),
            |_| -> Result<String> { panic!("already complete") },
        )
        .unwrap();
        remove_dir(folder.parent().unwrap()).unwrap();
    }
}
