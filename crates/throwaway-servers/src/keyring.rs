//! A server with a keyring, which encrypts its logs and tablespaces if it is told to.
//!
//! The server loads a keyring before anything else, and only if a manifest beside its own program says so. That folder belongs to all servers of the cache, so a server with a
//! keyring runs a copy of the program in a folder of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{Error, Result, cache};

const COMPONENT: &str = "component_keyring_file";

/// Where its program and its plugins are.
pub(crate) struct Keyring {
    pub(crate) program: PathBuf,
    pub(crate) plugins: PathBuf,
}

/// Makes both in `folder`, with the keys beside them.
pub(crate) fn make(program: &Path, plugins: &Path, folder: &Path) -> Result<Keyring> {
    let folder = folder.join("keyring");
    let made = Keyring {
        program: folder.join("mysqld"),
        plugins: folder.join("plugins"),
    };
    cache::create_dir(&made.plugins)?;
    let library = format!("{COMPONENT}.so");
    if !plugins.join(&library).exists() {
        return Err(Error::unusable(
            format!("{} has no {library}", plugins.display()),
            "the distribution comes without the keyring",
        ));
    }
    let copy = |from: &Path, to: &Path| {
        fs::copy(from, to)
            .map(drop)
            .map_err(Error::io("copy", from))
    };
    copy(program, &made.program)?;
    copy(&plugins.join(&library), &made.plugins.join(&library))?;
    let write =
        |path: PathBuf, json: String| fs::write(&path, json).map_err(Error::io("write", path));
    write(
        folder.join("mysqld.my"),
        format!(r#"{{"components": "file://{COMPONENT}"}}"#),
    )?;
    let keys = folder.join("keys");
    write(
        made.plugins.join(format!("{COMPONENT}.cnf")),
        format!(r#"{{"path": "{}", "read_only": false}}"#, keys.display()),
    )?;
    Ok(made)
}
