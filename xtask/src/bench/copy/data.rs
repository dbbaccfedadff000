//! The rows that are copied: made by the source's server itself, not logged.

use std::thread;

use anyhow::{Context as _, Result, anyhow};
use clap::ValueEnum;
use datain_throwaway_servers::Server;

/// Kinds of rows; docs/performance.md describes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Workload {
    /// Rows of 100 bytes, with a secondary index
    #[value(name = "S")]
    Small,
    /// Rows of 100 bytes, with a primary key alone
    #[value(name = "S-plain")]
    SmallPlain,
    /// Rows of 4 KB
    #[value(name = "L")]
    Large,
}

/// Sizes of one workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sizes {
    pub(super) tables: u32,
    pub(super) rows_each: u32,
}

impl Sizes {
    pub(super) fn rows(self) -> u64 {
        u64::from(self.tables) * u64::from(self.rows_each)
    }
}

/// Rows of one INSERT … SELECT: a multiple of the 10,000 numbers.
const PIECE: u32 = 50_000;

impl Workload {
    pub(super) const ALL: [Self; 3] = [Self::Small, Self::SmallPlain, Self::Large];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Small => "S",
            Self::SmallPlain => "S-plain",
            Self::Large => "L",
        }
    }

    pub(super) fn description(self) -> &'static str {
        match self {
            Self::Small => "rows of 100 bytes, with a secondary index",
            Self::SmallPlain => "rows of 100 bytes, with a primary key alone",
            Self::Large => "rows of 4 KB",
        }
    }

    /// The rows that are asked for, or the workload's own number, spread over the tables.
    pub(super) fn sizes(self, rows: Option<u32>, tables: u32) -> Sizes {
        let rows = rows.unwrap_or(match self {
            Self::Small | Self::SmallPlain => 2_000_000,
            Self::Large => 200_000,
        });
        Sizes {
            tables,
            rows_each: rows.div_ceil(tables),
        }
    }

    /// Bytes of the values in one row, as the columns hold them.
    pub(super) fn row_bytes(self) -> u32 {
        match self {
            Self::Small | Self::SmallPlain => 100,
            Self::Large => 4_096,
        }
    }

    fn columns(self) -> &'static str {
        match self {
            Self::Small => "c CHAR(64) NOT NULL, pad CHAR(28) NOT NULL, KEY k_1 (k)",
            Self::SmallPlain => "c CHAR(64) NOT NULL, pad CHAR(28) NOT NULL",
            Self::Large => "body VARCHAR(4088) NOT NULL",
        }
    }

    /// The columns after id and k, of the row `id`.
    fn values(self) -> &'static str {
        match self {
            Self::Small | Self::SmallPlain => "SHA2(id, 256), LEFT(SHA2(-id, 256), 28)",
            Self::Large => "LEFT(REPEAT(SHA2(id, 256), 64), 4088)",
        }
    }

    /// Makes the tables `bench.t1` … and fills them, two at a time.
    pub(super) fn fill(self, source: &Server, sizes: Sizes) -> Result<()> {
        let unlogged = "SET SESSION sql_log_bin = 0";
        let tables: String = (1..=sizes.tables)
            .map(|table| {
                let columns = self.columns();
                format!("CREATE TABLE bench.t{table} (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, {columns});\n")
            })
            .collect();
        source.sql(&format!("{unlogged}; CREATE DATABASE bench; {tables}"))?;
        let statements = self.inserts(sizes);
        thread::scope(|scope| {
            let sessions: Vec<_> = (0..2)
                .map(|session| {
                    let own: Vec<&str> = statements
                        .iter()
                        .skip(session)
                        .step_by(2)
                        .map(String::as_str)
                        .collect();
                    let script = format!("{unlogged};\n{}", own.join("\n"));
                    scope.spawn(move || source.sql(&script).map(|_| ()))
                })
                .collect();
            sessions.into_iter().try_for_each(|session| {
                let ended = session.join().map_err(|_| anyhow!("a writer panicked"))?;
                ended.context("failed to write the rows")
            })
        })
    }

    /// One table's after the other's, in pieces.
    fn inserts(self, sizes: Sizes) -> Vec<String> {
        let pieces = sizes.rows_each.div_ceil(PIECE);
        let all = (1..=sizes.tables).flat_map(|table| (0..pieces).map(move |piece| (table, piece)));
        all.map(|(table, piece)| {
            let (first, last) = (piece * PIECE + 1, ((piece + 1) * PIECE).min(sizes.rows_each));
            format!(
                "INSERT INTO bench.t{table} SELECT id, 1 + CRC32(id) % {rows}, {values} FROM \
                 (SELECT {first} + a.n * 10000 + b.n AS id FROM bench_tools.numbers a JOIN bench_tools.numbers b WHERE a.n < {tens}) x \
                 WHERE id <= {last} ORDER BY id;",
                rows = sizes.rows_each,
                values = self.values(),
                tens = PIECE / 10_000,
            )
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_over_tables_and_pieces() {
        let sizes = Workload::Small.sizes(Some(120_000), 2);
        assert_eq!((sizes.rows_each, sizes.rows()), (60_000, 120_000));
        let inserts = Workload::Small.inserts(sizes);
        assert_eq!(inserts.len(), 4);
        assert!(inserts[1].contains("bench.t1 ") && inserts[1].contains("SELECT 50001 +"));
        assert!(inserts[1].contains("id <= 60000 "), "{}", inserts[1]);
        assert_eq!(Workload::Large.sizes(None, 3).rows_each, 66_667);
    }
}
