//! The packages of a Node program, installed from its lock file into the cache folder, for tests that run such a program from the tree.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Progress, Result, cache, process};

/// What npm reads, and the folder that stands in for packages that are left out.
const FILES: [&str; 4] = [
    "package.json",
    "package-lock.json",
    ".npmrc",
    "left-out/package.json",
];

const NO_NODE: &str = "install Node 20 or newer, with npm";

/// Finds the packages of the program in `program` (a folder with a package-lock.json) in the cache folder, or has the machine's own npm install them there,
/// and returns the folder that holds their node_modules.
///
/// # Errors
/// When there is no Node 20, or the packages are not there and npm cannot get them.
pub fn install(program: &Path, progress: &dyn Progress) -> Result<PathBuf> {
    let printed = process::run(Command::new("node").arg("--version"), NO_NODE, || ())?;
    if !is_new_enough(&printed) {
        let found = printed.trim();
        return Err(Error::unusable(format!("Node is {found}"), NO_NODE));
    }
    let mut hasher = DefaultHasher::new();
    let mut files = Vec::new();
    for name in FILES {
        let path = program.join(name);
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        bytes.hash(&mut hasher);
        files.push((name, bytes));
    }
    let root = cache::root()?.join(format!("tools/node-packages-{:016x}", hasher.finish()));
    let waiting = || eprintln!("another process is installing npm packages: waiting for it");
    cache::fill(&root, waiting, |into| -> Result<String> {
        progress.begin("installing the npm packages of the second host", None);
        for (name, bytes) in files {
            let path = into.join(name);
            if let Some(folder) = path.parent() {
                cache::create_dir(folder)?;
            }
            fs::write(&path, bytes).map_err(Error::io("write", &path))?;
        }
        let mut command = Command::new("npm");
        command
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .arg("--prefer-offline")
            .current_dir(into);
        process::run(
            &mut command,
            "install npm, and check that `npm ping` answers",
            || (),
        )?;
        progress.finish("installed the npm packages of the second host");
        Ok("npm ci".to_owned())
    })?;
    Ok(root)
}

/// `v20.20.2` and newer.
fn is_new_enough(version: &str) -> bool {
    let major = version.trim().trim_start_matches('v').split('.').next();
    major.is_some_and(|major| major.parse().is_ok_and(|major: u32| major >= 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_20_and_newer_will_do() {
        assert!(is_new_enough("v20.20.2\n") && is_new_enough("v24.0.0"));
        assert!(!is_new_enough("v18.19.0\n") && !is_new_enough("") && !is_new_enough("node"));
    }
}
