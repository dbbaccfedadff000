//! One source, and targets that all begin with the same data.
//!
//! The initial rows are written on the source, which is then shut down in order. A copy of its data folder, without its binary log and its server_uuid,
//! is what every target begins with: the same rows, and the same gtid_executed. Before each measurement the target's folder is replaced by
//! a fresh copy.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use datain_tests::host::TempDir;
use datain_throwaway_servers::{Flavor, Server};

use crate::{bar, demo::interrupt::Interrupt};

/// How much of the target's commits a power cut may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Mode {
    /// sync_binlog = 1, innodb_flush_log_at_trx_commit = 1
    Durable,
    /// sync_binlog = 0, innodb_flush_log_at_trx_commit = 2, log_replica_updates = OFF
    Relaxed,
}

impl Mode {
    pub(super) const ALL: [Self; 2] = [Self::Durable, Self::Relaxed];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Relaxed => "relaxed",
        }
    }

    /// Lines of a target's option file.
    pub(super) fn options(self) -> &'static [&'static str] {
        match self {
            Self::Durable => &[
                "sync_binlog=1",
                "innodb_flush_log_at_trx_commit=1",
                "log_replica_updates=ON",
            ],
            Self::Relaxed => &[
                "sync_binlog=0",
                "innodb_flush_log_at_trx_commit=2",
                "log_replica_updates=OFF",
            ],
        }
    }
}

/// Source and targets; dropping it ends and removes them.
pub(super) struct Lab {
    pub(super) source: Server,
    targets: BTreeMap<Mode, Server>,
    /// Holds the copy, and the files of the runs.
    folder: TempDir,
    /// What every target has executed at its beginning.
    pub(super) start_set: String,
}

impl Lab {
    /// Starts the source, lets `prepare` write the initial data, and makes the copy.
    pub(super) fn start<T>(
        interrupt: &Interrupt,
        prepare: impl FnOnce(&Server) -> Result<T>,
    ) -> Result<(Self, T)> {
        let folder = TempDir::new()?;
        let builder = server().relaxed();
        let mut source = builder.start_with_progress(&*bar::progress())?;
        interrupt.check()?;
        source
            .sql(include_str!("tools.sql"))
            .context("failed to make the bench's tools")?;
        let prepared = prepare(&source).context("failed to write the initial rows")?;
        interrupt.check()?;
        source.stop()?;
        copy(&source.datadir(), &copied(&folder))?;
        source.restart()?;
        let start_set = executed(&source)?;
        let lab = Self {
            source,
            targets: BTreeMap::new(),
            folder,
            start_set,
        };
        Ok((lab, prepared))
    }

    /// Where files of a run may lie.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A target as it was at the beginning; the one before is ended.
    pub(super) fn fresh_target(&mut self, mode: Mode) -> Result<()> {
        self.targets.values_mut().for_each(Server::kill);
        let server = match self.targets.entry(mode) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(place) => {
                let builder = server()
                    .option("skip_replica_start=ON")
                    .option("local_infile=ON");
                let builder = mode
                    .options()
                    .iter()
                    .fold(builder, |builder, line| builder.option(*line));
                place.insert(builder.start()?)
            }
        };
        server.kill();
        let data = server.datadir();
        fs::remove_dir_all(&data)
            .with_context(|| format!("failed to remove {}", data.display()))?;
        copy(&copied(&self.folder), &data)?;
        // Else the measurement would begin with writing the copy to the disk.
        // SAFETY: sync has no preconditions.
        unsafe { libc::sync() };
        server.restart()?;
        let set = executed(server)?;
        ensure!(
            set == self.start_set,
            "the fresh target has executed {set:?}, not {:?}",
            self.start_set
        );
        Ok(())
    }

    /// The target that is there.
    pub(super) fn target(&self) -> Result<&Server> {
        let running = self.targets.values().find(|server| server.pid().is_some());
        running.context("no target is running")
    }

    /// An error unless both servers say the same of every table of `schema`.
    pub(super) fn check_equal(&self, schema: &str) -> Result<()> {
        check_equal(&self.source, self.target()?, schema)
    }
}

/// An error unless both servers say the same of every table of `schema`.
pub(super) fn check_equal(source: &Server, target: &Server, schema: &str) -> Result<()> {
    let (source, target) = (checksums(source, schema)?, checksums(target, schema)?);
    ensure!(!source.is_empty(), "{schema} has no tables");
    let different: Vec<_> = source
        .iter()
        .filter(|(name, sum)| target.get(*name) != Some(*sum))
        .map(|(name, _)| name.as_str())
        .chain(
            target
                .keys()
                .filter(|name| !source.contains_key(*name))
                .map(String::as_str),
        )
        .collect();
    if !different.is_empty() {
        bail!("source and target differ in {}", different.join(", "));
    }
    Ok(())
}

fn server() -> datain_throwaway_servers::ServerBuilder {
    Server::builder(Flavor::Mysql97)
        .on_disk()
        .option("innodb_buffer_pool_size=512M")
}

fn copied(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// The server's own GTID set.
pub(super) fn executed(server: &Server) -> Result<String> {
    Ok(value(server, "SELECT @@GLOBAL.gtid_executed")?.replace('\n', ""))
}

/// The one value that a query gives.
pub(super) fn value(server: &Server, sql: &str) -> Result<String> {
    let rows = server.query(sql)?;
    let first = rows
        .into_iter()
        .next()
        .and_then(|row| row.into_iter().next());
    first
        .flatten()
        .with_context(|| format!("no answer to {sql}"))
}

/// CHECKSUM TABLE of every table.
fn checksums(server: &Server, schema: &str) -> Result<BTreeMap<String, String>> {
    let names = server.query(&format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{schema}' AND TABLE_TYPE = 'BASE TABLE'"
    ))?;
    let tables: Vec<_> = names
        .into_iter()
        .flatten()
        .flatten()
        .map(|name| format!("{schema}.{name}"))
        .collect();
    if tables.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sums = server.query(&format!("CHECKSUM TABLE {}", tables.join(", ")))?;
    sums.into_iter()
        .map(|row| match <[_; 2]>::try_from(row) {
            Ok([Some(name), Some(sum)]) => Ok((name, sum)),
            _ => bail!("a table of {schema} has no checksum"),
        })
        .collect()
}

/// Copies a data folder without what is one server's own: its uuid and its binary log.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to create {}", to.display()))?;
    let entries =
        fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("failed to read {}", from.display()))?;
        let (path, name) = (entry.path(), entry.file_name());
        let place = to.join(&name);
        let kind = entry
            .file_type()
            .with_context(|| format!("failed to look at {}", path.display()))?;
        if kind.is_dir() {
            copy(&path, &place)?;
        } else if kind.is_file() && !stays(&name.to_string_lossy()) {
            fs::copy(&path, &place)
                .with_context(|| format!("failed to copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// A file that one server has for itself.
fn stays(name: &str) -> bool {
    name == "auto.cnf" || name.starts_with("binlog.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_leaves_uuid_and_binary_log_behind() {
        let folder = TempDir::new().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("bench")).unwrap();
        for file in [
            "auto.cnf",
            "binlog.000001",
            "binlog.index",
            "ibdata1",
            "bench/item.ibd",
        ] {
            fs::write(from.join(file), file).unwrap();
        }
        copy(&from, &to).unwrap();
        let is_there = |file| to.join(file).exists();
        assert!(is_there("ibdata1") && is_there("bench/item.ibd"));
        assert!(!is_there("auto.cnf") && !is_there("binlog.000001") && !is_there("binlog.index"));
    }
}
