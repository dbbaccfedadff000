//! `tests/scenarios/*.sql`: one file per subject, which is run on a source, replicated, and compared. A new file is found by being there.
//!
//! A file begins with a comment. `-- schemas: a, b` names what is compared at the end, `-- servers: mysql-5.6, mysql-9.7` the sources that it runs on (without that line: MySQL 9.7), with
//! all targets that tests take it to; `mariadb-11.8 → mysql-9.7` there means this pair alone. [`between`] gives a test those of its pair, and [`crate::fidelity`] reads what they show.
//! Those of MariaDB's own lie with its tests.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use datain_throwaway_servers::Flavor;

/// One file.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The file's name.
    pub name: String,
    /// The schemas that must be equal at the end.
    pub schemas: Vec<String>,
    /// Names of the servers that can be its source, or pairs of them.
    pub servers: Vec<String>,
    /// The whole file, which the server's own client runs.
    pub sql: String,
}

/// The folder.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// All scenarios, by name.
///
/// # Errors
/// File errors, and a file without `-- schemas:`.
pub fn all() -> Result<Vec<Scenario>> {
    of(&folder())
}

/// All scenarios in a folder, by name.
///
/// # Errors
/// As [`all`].
pub fn of(folder: &Path) -> Result<Vec<Scenario>> {
    let mut list = Vec::new();
    for entry in std::fs::read_dir(folder).context("failed to list the scenarios")? {
        let path = entry.context("failed to list the scenarios")?.path();
        if path.extension().is_none_or(|end| end != "sql") {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        list.push(read(&path, &name)?);
    }
    if list.is_empty() {
        bail!("{} holds no scenario", folder.display());
    }
    list.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(list)
}

/// Those that are taken from such a source to such a target, by name. The test says so in its doc comment ([`crate::fidelity`]).
///
/// # Errors
/// File errors; when there is none.
pub fn between(source: Flavor, target: Flavor) -> Result<Vec<Scenario>> {
    let mut list = all()?;
    list.extend(of(&folder().join("../tests/mariadb/scenarios"))?);
    list.retain(|scenario| is_between(&scenario.servers, source.name(), target.name()));
    if list.is_empty() {
        bail!("no scenario goes from {source} to {target}");
    }
    Ok(list)
}

/// Whether what a file says of servers means this pair.
#[must_use]
pub fn is_between(servers: &[String], source: &str, target: &str) -> bool {
    servers.iter().any(|server| match server.split_once('→') {
        Some((from, to)) => from.trim() == source && to.trim() == target,
        None => server == source,
    })
}

/// The servers that a file names in its first lines.
#[must_use]
pub fn servers(sql: &str) -> Vec<String> {
    said(sql, "-- servers:").unwrap_or_else(|| vec![Flavor::Mysql97.name().to_owned()])
}

/// A list in a file's first lines.
fn said(sql: &str, what: &str) -> Option<Vec<String>> {
    let list = sql
        .lines()
        .take_while(|line| line.starts_with("--"))
        .find_map(|line| line.strip_prefix(what))?;
    Some(list.split(',').map(|s| s.trim().to_owned()).collect())
}

fn read(path: &Path, name: &str) -> Result<Scenario> {
    let sql = std::fs::read_to_string(path).with_context(|| format!("failed to read {name}"))?;
    let schemas = said(&sql, "-- schemas:")
        .with_context(|| format!("{name} does not say `-- schemas: …` in its first lines"))?;
    let servers = servers(&sql);
    for server in servers.iter().flat_map(|named| named.split('→')) {
        if !Flavor::ALL
            .iter()
            .any(|flavor| flavor.name() == server.trim())
        {
            bail!("{name}: there is no server {server}");
        }
    }
    Ok(Scenario {
        name: name.to_owned(),
        schemas,
        servers,
        sql,
    })
}

impl Scenario {
    /// Whether such a server can be its source.
    #[must_use]
    pub fn runs_on(&self, flavor: Flavor) -> bool {
        self.servers.iter().any(|server| server == flavor.name())
    }

    /// The schemas, as [`crate::compare::assert_equal`] takes them.
    #[must_use]
    pub fn schemas(&self) -> Vec<&str> {
        self.schemas.iter().map(String::as_str).collect()
    }
}
