//! Binary logs that other versions of MySQL and MariaDB wrote: those that lie in their own test suites, as Debian packages them.
//!
//! The packages are the servers' own, under the GPL, and hold no more than a few hundred such files among many thousands: they are fetched into the cache folder once, the files that are logs are kept
//! there, and nothing of them belongs to this tree. Which they are is found out by looking: a log begins with the bytes FE or FD and `bin`, in a folder `std_data` or in a zip archive in one.
//!
//! `tar` and `unzip` take the packages apart; where there is no `unzip`, Debian's is fetched as well.

use std::{
    collections::HashSet,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    Error, Progress, Result, cache,
    debian::{Apt, Suite},
    distribution::Program,
    process,
};

const HINT: &str =
    "delete the folder tools/old-logs in the cache folder and try again; the disk may be full";
/// They hold no program that is needed, only files.
const PACKAGES: [&str; 2] = ["mysql-testsuite", "mariadb-test-data"];

/// All logs of the test suites, by name, none twice. A name ends in that of the file in the package, and begins with the folders in which it lies.
///
/// # Errors
/// When this is no Debian, or the mirror does not answer.
pub fn fetch(progress: &dyn Progress) -> Result<Vec<PathBuf>> {
    let folder = cache::root()?.join("tools/old-logs");
    let waiting = || eprintln!("another process is fetching old binary logs: waiting for it");
    cache::fill(&folder, waiting, |into| -> Result<String> {
        let unpacked = into.join("unpacked");
        cache::create_dir(&unpacked)?;
        let apt = Apt::open("old-logs", Suite::Named("sid"), progress)?;
        let packages = apt.download_only(&PACKAGES, progress)?;
        progress.begin("looking for binary logs", None);
        for package in &packages {
            unpack_data(package, &unpacked)?;
        }
        if !process::on_path("unzip") {
            let packages = apt.download_closure(&["unzip"], progress)?;
            apt.unpack(&packages, &unpacked, progress)?;
        }
        let mut found = Found::default();
        found.look_through(&unpacked, &unpacked, into)?;
        apt.discard()?;
        cache::remove_dir(&unpacked)?;
        progress.finish(&format!("fetched {} old binary logs", found.number));
        let names: Vec<_> = packages
            .iter()
            .filter_map(|path| path.file_name())
            .collect();
        Ok(format!("{} files of {names:?}", found.number))
    })?;
    let entries = fs::read_dir(&folder).map_err(Error::io("list", &folder))?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_name().is_some_and(|name| name != cache::MARKER))
        .collect();
    files.sort();
    Ok(files)
}

/// Unpacks the folders `std_data` of a package; all of it would be twice as much.
fn unpack_data(package: &Path, into: &Path) -> Result<()> {
    let mut archive = Command::new("dpkg-deb");
    archive.arg("--fsys-tarfile").arg(package);
    let mut child = archive
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Error::io("run dpkg-deb on", package))?;
    let stdout = child.stdout.take().map_or_else(Stdio::null, Stdio::from);
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--wildcards", "--no-same-owner", "--directory"])
        .arg(into)
        .arg("*/std_data/*");
    let unpacked = process::run_with_input(&mut tar, stdout, HINT, || ());
    let ended = child.wait().map_err(Error::io("unpack", package))?;
    unpacked?;
    if ended.success() {
        return Ok(());
    }
    Err(Error::unusable(
        format!("dpkg-deb cannot read {}", package.display()),
        HINT,
    ))
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    number: usize,
    contents: HashSet<Vec<u8>>,
}

impl Found {
    /// Moves the logs below `folder`, and those in archives there, to `into`. `root` is what their names do not say.
    fn look_through(&mut self, folder: &Path, root: &Path, into: &Path) -> Result<()> {
        let entries = fs::read_dir(folder).map_err(Error::io("list", folder))?;
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let kind = fs::symlink_metadata(&path)
                .map_err(Error::io("look at", &path))?
                .file_type();
            if kind.is_dir() {
                self.look_through(&path, root, into)?;
            } else if kind.is_file() && path.extension().is_some_and(|end| end == "zip") {
                let inside = path.with_extension("unzipped");
                cache::create_dir(&inside)?;
                unzip(&path, &inside, root)?;
                self.look_through(&inside, root, into)?;
                cache::remove_dir(&inside)?;
            } else if kind.is_file() && is_log(&path)? {
                let content = fs::read(&path).map_err(Error::io("read", &path))?;
                let name = name(path.strip_prefix(root).unwrap_or(&path));
                if self.contents.insert(content) {
                    let to = into.join(name);
                    fs::rename(&path, &to).map_err(Error::io("move to", to))?;
                    self.number += 1;
                }
            }
        }
        Ok(())
    }
}

/// The path behind the suites' own folders, in one word.
fn name(path: &Path) -> String {
    let text = path.to_string_lossy();
    let short = text
        .replace("usr/lib/mysql-test/", "mysql/")
        .replace("usr/share/mariadb/mariadb-test/", "mariadb/")
        .replace("std_data/", "")
        .replace("suite/", "");
    short.replace('/', ".")
}

fn is_log(path: &Path) -> Result<bool> {
    let mut start = Vec::new();
    let file = fs::File::open(path).map_err(Error::io("open", path))?;
    file.take(4)
        .read_to_end(&mut start)
        .map_err(Error::io("read", path))?;
    Ok(start == b"\xfebin" || start == b"\xfdbin")
}

/// Takes what may be logs out of an archive.
fn unzip(archive: &Path, into: &Path, root: &Path) -> Result<()> {
    let mut command = if process::on_path("unzip") {
        Command::new("unzip")
    } else {
        Program::unpacked(root, "usr/bin/unzip")?.command()
    };
    command.arg("-qq").arg(archive).arg("*binlog.0*").arg("-d");
    let status = command
        .arg(into)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(Error::io("unzip", archive))?;
    match status.code() {
        // 11: no file has such a name.
        Some(0 | 11) => Ok(()),
        _ => Err(Error::unusable(
            format!("unzip cannot read {}", archive.display()),
            HINT,
        )),
    }
}
