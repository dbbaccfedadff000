//! The source with its rows, and targets that are emptied between the measurements.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result, bail};
use datain_tests::host::TempDir;
use datain_throwaway_servers::{Flavor, Server, ServerBuilder};

use super::data::{Sizes, Workload};
use crate::{
    bar,
    bench::lab::{self, Mode, value},
    demo::interrupt::Interrupt,
};

/// The schema that is copied.
pub(super) const SCHEMA: &str = "bench";
/// How long a server may take to come to rest.
const REST: Duration = Duration::from_secs(120);
/// Pages that may stay to be written: a server at rest writes a few now and then.
const FEW_PAGES: u64 = 50;

/// Source and targets; dropping it ends and removes them.
pub(super) struct Servers {
    pub(super) source: Server,
    targets: BTreeMap<Mode, Server>,
    folder: TempDir,
    options: Vec<String>,
}

impl Servers {
    /// Starts the source and writes the rows. `options` are lines for the targets' option files.
    pub(super) fn start(
        workload: Workload,
        sizes: Sizes,
        options: &[String],
        interrupt: &Interrupt,
    ) -> Result<Self> {
        // All rows fit into its memory, so that none of the subjects reads them from the disk.
        let builder = Server::builder(Flavor::Mysql97)
            .on_disk()
            .option("innodb_buffer_pool_size=1536M");
        let source = builder.relaxed().start_with_progress(&*bar::progress())?;
        interrupt.check()?;
        source
            .sql(include_str!("tools.sql"))
            .context("failed to make the bench's tools")?;
        workload.fill(&source, sizes)?;
        // It was relaxed for the sake of the rows alone.
        source.sql("SET GLOBAL sync_binlog = 1; SET GLOBAL innodb_flush_log_at_trx_commit = 1")?;
        rest(&source, interrupt)?;
        Ok(Self {
            source,
            targets: BTreeMap::new(),
            folder: TempDir::new()?,
            options: options.to_vec(),
        })
    }

    /// Where files of a run may lie.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// An empty target at rest. The one of another kind is ended.
    pub(super) fn empty_target(&mut self, mode: Mode, interrupt: &Interrupt) -> Result<()> {
        self.targets.retain(|other, _| *other == mode);
        if !self.targets.contains_key(&mode) {
            let server = target(mode, &self.options).start()?;
            self.targets.insert(mode, server);
        }
        let target = self.target()?;
        target.sql(&format!(
            "DROP DATABASE IF EXISTS {SCHEMA}; DROP DATABASE IF EXISTS datain; RESET BINARY LOGS AND GTIDS"
        ))?;
        rest(target, interrupt)
    }

    /// The target that is there.
    pub(super) fn target(&self) -> Result<&Server> {
        self.targets.values().next().context("no target is running")
    }

    /// An error unless both servers say the same of every table.
    pub(super) fn check_equal(&self) -> Result<()> {
        lab::check_equal(&self.source, self.target()?, SCHEMA)
    }
}

fn target(mode: Mode, options: &[String]) -> ServerBuilder {
    let builder = Server::builder(Flavor::Mysql97)
        .on_disk()
        .option("innodb_buffer_pool_size=512M")
        .option("local_infile=ON");
    let own = mode.options().iter().copied();
    let lines = own.chain(options.iter().map(String::as_str));
    lines.fold(builder, ServerBuilder::option)
}

/// Has the server write its changed pages, and waits for that: else the next measurement would pay for it.
fn rest(server: &Server, interrupt: &Interrupt) -> Result<()> {
    server.sql(
        "SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0; SET GLOBAL innodb_max_dirty_pages_pct = 0",
    )?;
    let written = interrupt.wait_for(REST, || {
        let dirty = value(
            server,
            "SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Innodb_buffer_pool_pages_dirty'",
        )?;
        let dirty: u64 = dirty.parse().context("the server counts no changed pages")?;
        Ok((dirty <= FEW_PAGES).then_some(()))
    })?;
    server.sql("SET GLOBAL innodb_max_dirty_pages_pct = DEFAULT; SET GLOBAL innodb_max_dirty_pages_pct_lwm = DEFAULT")?;
    if written.is_none() {
        bail!(
            "the server has not written its pages after {} s",
            REST.as_secs()
        );
    }
    // SAFETY: sync has no preconditions.
    unsafe { libc::sync() };
    Ok(())
}
