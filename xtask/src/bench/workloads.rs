//! What is written on the source: the initial rows, and the backlog.

use std::thread;

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use datain_throwaway_servers::{
    Server,
    sysbench::{self, Sysbench, Tables},
};

use super::mixed::Mixed;
use crate::bar;

/// Of one kind each; docs/performance.md describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Workload {
    /// sysbench `oltp_write_only`
    #[value(name = "W1")]
    W1,
    /// Single-row INSERTs
    #[value(name = "W2")]
    W2,
    /// Transactions of 1,000 rows
    #[value(name = "W3")]
    W3,
    /// Single-row UPDATEs of hot rows
    #[value(name = "W4")]
    W4,
    /// 50 tables, a tenth of the transactions with 10,000 rows
    #[value(name = "W5")]
    W5,
}

/// Transactions of a backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Its first part, which MySQL's replica works off: it needs many times as long.
    pub(super) native: u64,
    /// The whole, which datain works off.
    pub(super) whole: u64,
}

/// A part of a backlog.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) transactions: u64,
    pub(super) rows: u64,
}

/// The table of W2, W3 and W4.
const ITEM: &str = "CREATE TABLE bench.item (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, amount DECIMAL(12,2) NOT NULL, \
     note VARCHAR(100) NOT NULL, KEY (customer))";
/// Rows that W4 updates.
const HOT: u32 = 1_000;
/// Tables, and rows in each, of W1.
const SYSBENCH: (u32, u32) = (4, 25_000);

impl Workload {
    pub(super) const ALL: [Self; 5] = [Self::W1, Self::W2, Self::W3, Self::W4, Self::W5];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::W1 => "W1",
            Self::W2 => "W2",
            Self::W3 => "W3",
            Self::W4 => "W4",
            Self::W5 => "W5",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::W1 => "sysbench oltp_write_only, 4 rows in a transaction",
            Self::W2 => "single-row INSERTs",
            Self::W3 => "transactions of 1,000 rows",
            Self::W4 => "single-row UPDATEs of 1,000 hot rows",
            Self::W5 => "mixed: 50 tables, a tenth of the transactions with 10,000 rows",
        }
    }

    /// Where its tables are.
    pub(super) fn schema(self) -> &'static str {
        match self {
            Self::W1 => sysbench::SCHEMA,
            _ => "bench",
        }
    }

    /// So that each takes some seconds on two quiet cores.
    fn default_sizes(self) -> Sizes {
        let (native, whole) = match self {
            Self::W1 => (5_000, 40_000),
            Self::W2 | Self::W4 => (10_000, 150_000),
            Self::W3 => (400, 400),
            Self::W5 => (300, 300),
        };
        Sizes { native, whole }
    }

    /// The sizes that somebody asked for; `whole` alone shrinks the first part with it.
    pub(super) fn sizes(self, whole: Option<u64>, native: Option<u64>) -> Sizes {
        let usual = self.default_sizes();
        let whole = whole.unwrap_or(usual.whole).max(1);
        let native = native.unwrap_or(usual.native).clamp(1, whole);
        Sizes { native, whole }
    }
}

/// Writes one workload; it knows what it has written already.
pub(super) struct Writer {
    workload: Workload,
    sysbench: Option<Tables>,
    mixed: Mixed,
}

impl Writer {
    /// Makes the tables and the initial rows.
    pub(super) fn prepare(workload: Workload, source: &Server) -> Result<Self> {
        let mut sysbench = None;
        match workload {
            Workload::W1 => {
                let (tables, rows) = SYSBENCH;
                let program = Sysbench::fetch(&*bar::progress())?;
                sysbench = Some(program.prepare(source, tables, rows)?);
            }
            Workload::W2 | Workload::W3 => {
                source.sql(&format!("CREATE DATABASE bench; {ITEM}"))?;
            }
            Workload::W4 => {
                source.sql(&format!(
                    "CREATE DATABASE bench; {ITEM}; INSERT INTO bench.item (customer, amount, note) \
                     SELECT n, 0, note FROM bench_tools.numbers WHERE n <= {HOT}"
                ))?;
            }
            Workload::W5 => {
                source.sql(&Mixed::tables())?;
            }
        }
        Ok(Self {
            workload,
            sysbench,
            mixed: Mixed::default(),
        })
    }

    /// Writes so many transactions more.
    pub(super) fn write(&mut self, source: &Server, transactions: u64) -> Result<Written> {
        let rows_each = match self.workload {
            Workload::W1 => {
                let tables = self.sysbench.as_ref().context("sysbench has no tables")?;
                tables.run_transactions(source, transactions, 4)?.finish()?;
                // Two updates, a delete and an insert.
                4
            }
            Workload::W2 => {
                calls(source, 4, transactions, |n| {
                    format!("CALL bench_tools.inserts({n})")
                })?;
                1
            }
            Workload::W3 => {
                calls(source, 2, transactions, |n| {
                    format!("CALL bench_tools.bulk_inserts({n})")
                })?;
                1_000
            }
            Workload::W4 => {
                calls(source, 4, transactions, |n| {
                    format!("CALL bench_tools.updates({n}, {HOT})")
                })?;
                1
            }
            Workload::W5 => {
                let (script, rows) = self.mixed.script(transactions);
                source.sql(&script)?;
                return Ok(Written { transactions, rows });
            }
        };
        Ok(Written {
            transactions,
            rows: transactions * rows_each,
        })
    }
}

/// Divides `total` among sessions that write at the same time.
fn calls(
    source: &Server,
    sessions: u64,
    total: u64,
    call: impl Fn(u64) -> String + Sync,
) -> Result<()> {
    thread::scope(|scope| {
        let each: Vec<_> = shares(total, sessions)
            .map(|share| {
                let statement = call(share);
                scope.spawn(move || source.sql(&statement).map(|_| ()))
            })
            .collect();
        each.into_iter().try_for_each(|session| {
            let ended = session.join().map_err(|_| anyhow!("a writer panicked"))?;
            ended.context("failed to write the backlog")
        })
    })
}

fn shares(total: u64, parts: u64) -> impl Iterator<Item = u64> {
    (0..parts)
        .map(move |part| total * (part + 1) / parts - total * part / parts)
        .filter(|share| *share > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        let check = |total, parts, expected: &[u64]| {
            assert_eq!(shares(total, parts).collect::<Vec<_>>(), expected);
        };
        check(10, 4, &[2, 3, 2, 3]);
        check(2, 4, &[1, 1]);
        check(0, 4, &[]);
    }

    #[test]
    fn the_first_part_is_never_larger_than_the_whole() {
        let check = |whole, native, expected: (u64, u64)| {
            let sizes = Workload::W2.sizes(whole, native);
            assert_eq!((sizes.native, sizes.whole), expected);
        };
        check(None, None, (10_000, 150_000));
        check(Some(300), None, (300, 300));
        check(Some(300), Some(100), (100, 300));
        check(Some(300), Some(999), (300, 300));
    }
}
