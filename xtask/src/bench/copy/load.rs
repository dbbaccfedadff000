//! What is written on the source while it is copied.

use std::{
    thread::{self, ScopedJoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow};
use datain_throwaway_servers::{
    Server,
    sysbench::{Load, Sysbench},
};

use super::{data::Sizes, report::per_second};
use crate::{
    bar,
    bench::lab::executed,
    demo::{host::members, interrupt::Interrupt},
};

/// Sessions that share the pace: one alone would wait for each of its commits.
const WRITERS: u32 = 4;

/// Updates of the rows that are copied, at a fixed pace, while `work` is done. Returns also how many a second there were.
pub(super) fn beside_updates<T>(
    source: &Server,
    sizes: Sizes,
    rate: u32,
    at_most: Duration,
    work: impl FnOnce() -> Result<T>,
) -> Result<(T, f64)> {
    let unlogged = "SET SESSION sql_log_bin = 0";
    source.sql(&format!("{unlogged}; TRUNCATE bench_tools.enough"))?;
    let each = rate.div_ceil(WRITERS);
    let call = format!(
        "CALL bench_tools.paced_updates({}, {}, {each}, {})",
        sizes.tables,
        sizes.rows_each,
        u64::from(each) * at_most.as_secs()
    );
    let counter = Counter::start(source)?;
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| scope.spawn(|| source.sql(&call).map(|_| ())))
            .collect();
        let result = work();
        // Before anything can fail: else the writers would go on to their limit.
        let stopped = source.sql(&format!(
            "{unlogged}; INSERT INTO bench_tools.enough VALUES (1)"
        ));
        let ended: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
        let result = result?;
        stopped.context("failed to stop the writers")?;
        for writer in ended {
            writer
                .map_err(|_| anyhow!("a writer panicked"))?
                .context("failed to write during the copy")?;
        }
        Ok((result, counter.rate()?))
    })
}

/// sysbench at work, in tables outside the schema that is copied.
pub(super) struct Sysbenched {
    load: Load,
}

/// Sessions, tables and rows in each of sysbench.
const SYSBENCH: (u32, u32, u32) = (4, 4, 25_000);
/// How long it runs before anything is measured.
const WARM: Duration = Duration::from_secs(4);
/// How long its throughput without a copy is measured.
const WITHOUT: Duration = Duration::from_secs(12);

impl Sysbenched {
    /// Makes the tables, unless they are there.
    pub(super) fn prepare(source: &Server) -> Result<datain_throwaway_servers::sysbench::Tables> {
        let (_, tables, rows) = SYSBENCH;
        Ok(Sysbench::fetch(&*bar::progress())?.prepare(source, tables, rows)?)
    }

    /// Begins to write, and says how many transactions a second there are with nothing beside.
    pub(super) fn start(
        tables: &datain_throwaway_servers::sysbench::Tables,
        source: &Server,
        at_most: Duration,
        interrupt: &Interrupt,
    ) -> Result<(Self, f64)> {
        let seconds = u32::try_from((at_most + WARM + WITHOUT).as_secs()).unwrap_or(u32::MAX);
        let load = tables.run(source, seconds, SYSBENCH.0)?;
        wait(WARM, interrupt)?;
        let counter = Counter::start(source)?;
        wait(WITHOUT, interrupt)?;
        let without = counter.rate()?;
        Ok((Self { load }, without))
    }

    /// An error when it has ended before the copy.
    pub(super) fn end(mut self) -> Result<()> {
        match self.load.is_running()? {
            true => Ok(()),
            false => Err(anyhow!("sysbench has ended before the copy")),
        }
    }
}

fn wait(time: Duration, interrupt: &Interrupt) -> Result<()> {
    interrupt.wait_for(time, || Ok(None::<()>)).map(|_| ())
}

/// Transactions in the source's log, from its start on.
pub(super) struct Counter<'a> {
    source: &'a Server,
    begin: Instant,
    before: u64,
}

impl<'a> Counter<'a> {
    pub(super) fn start(source: &'a Server) -> Result<Self> {
        let before = members(&executed(source)?);
        Ok(Self {
            source,
            begin: Instant::now(),
            before,
        })
    }

    /// How many in a second.
    pub(super) fn rate(&self) -> Result<f64> {
        let number = members(&executed(self.source)?).saturating_sub(self.before);
        Ok(per_second(number, self.begin.elapsed().as_secs_f64()))
    }
}
