//! What was measured, as a table and as JSON.

use std::{fs, path::Path, thread};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    lab::Mode,
    percentiles,
    table::{self, decimals, or_dash, rate},
    usage,
    workloads::{Workload, Written},
};
use crate::tree;

/// Who worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// MySQL's own replica with so many workers.
    Native(u32),
    Datain,
}

impl Engine {
    pub(super) fn name(self) -> String {
        match self {
            Self::Native(workers) => format!("native-{workers}"),
            Self::Datain => "datain".to_owned(),
        }
    }
}

/// A backlog that was worked off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    pub(super) work: Written,
    /// Until all was on the target: of datain from the start of the process to its end.
    pub(super) seconds: f64,
    /// What a start of datain with nothing to do takes.
    pub(super) start_seconds: Option<f64>,
    /// Processor time of datain's process, of the source and of the target.
    pub(super) cpu: Option<f64>,
    pub(super) source_cpu: f64,
    pub(super) target_cpu: f64,
    /// Of datain's process.
    pub(super) peak_mib: Option<f64>,
    /// Target transactions.
    pub(super) groups: Option<u64>,
    pub(super) restarts: Option<u64>,
    /// Of the machine, at the beginning.
    pub(super) load: Option<f64>,
}

impl Figures {
    fn per_second(count: u64, seconds: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let count = count as f64;
        if seconds > 0.0 { count / seconds } else { 0.0 }
    }

    pub(super) fn rows_per_second(&self) -> f64 {
        Self::per_second(self.work.rows, self.seconds)
    }

    fn transactions_per_second(&self) -> f64 {
        Self::per_second(self.work.transactions, self.seconds)
    }
}

/// One measurement of `bench apply`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Applied {
    pub(super) workload: Workload,
    pub(super) mode: Mode,
    pub(super) engine: Engine,
    /// The figures, whose end state was equal on both servers; or why there are none.
    pub(super) result: Result<Figures, String>,
}

/// One measurement of latency.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Delay {
    pub(super) mode: Mode,
    pub(super) engine: Engine,
    pub(super) offered_per_second: u32,
    pub(super) result: Result<Delays, String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Delays {
    /// What the source really took.
    pub(super) achieved_per_second: f64,
    pub(super) summary: percentiles::Summary,
    pub(super) load: Option<f64>,
}

/// How many times as fast as MySQL's replica with 4 workers, in the same workload and mode.
fn ratio(rows: &[Applied], of: &Applied) -> Option<f64> {
    let own = of.result.as_ref().ok()?.rows_per_second();
    let same = |row: &&Applied| {
        row.workload == of.workload && row.mode == of.mode && row.engine == Engine::Native(4)
    };
    let native = rows.iter().find(same)?;
    let native = native.result.as_ref().ok()?.rows_per_second();
    (native > 0.0).then(|| own / native)
}

pub(super) fn applied_table(rows: &[Applied]) -> String {
    let heading = [
        "workload", "mode", "engine", "rows", "seconds", "start", "rows/s", "trx/s", "ratio",
        "cpu s", "source", "target", "peak MiB", "groups", "load",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    for row in rows {
        let mut line = vec![
            row.workload.name().to_owned(),
            row.mode.name().to_owned(),
            row.engine.name(),
        ];
        match &row.result {
            Ok(figures) => line.extend([
                crate::demo::screen::grouped(figures.work.rows),
                decimals(figures.seconds),
                or_dash(figures.start_seconds),
                rate(figures.rows_per_second()),
                rate(figures.transactions_per_second()),
                or_dash(ratio(rows, row)),
                or_dash(figures.cpu),
                decimals(figures.source_cpu),
                decimals(figures.target_cpu),
                or_dash(figures.peak_mib),
                figures
                    .groups
                    .map_or_else(|| "-".to_owned(), crate::demo::screen::grouped),
                or_dash(figures.load),
            ]),
            Err(_) => line.push("FAILED".to_owned()),
        }
        lines.push(line);
    }
    table::aligned(&lines, 3)
}

pub(super) fn delays_table(rows: &[Delay]) -> String {
    let heading = [
        "mode",
        "engine",
        "offered/s",
        "achieved/s",
        "p50 ms",
        "p99 ms",
        "max ms",
        "not seen",
        "load",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    for row in rows {
        let mut line = vec![
            row.mode.name().to_owned(),
            row.engine.name(),
            crate::demo::screen::grouped(row.offered_per_second.into()),
        ];
        match &row.result {
            Ok(delays) => line.extend([
                rate(delays.achieved_per_second),
                or_dash(delays.summary.p50),
                or_dash(delays.summary.p99),
                or_dash(delays.summary.greatest),
                crate::demo::screen::grouped(delays.summary.missing),
                or_dash(delays.load),
            ]),
            Err(_) => line.push("FAILED".to_owned()),
        }
        lines.push(line);
    }
    table::aligned(&lines, 2)
}

/// What `bench apply` writes.
pub(super) fn apply_json(applied: &[Applied], delays: &[Delay]) -> Value {
    let applied_one = |row: &Applied| {
        let mut value = json!({
            "workload": row.workload.name(),
            "mode": row.mode.name(),
            "engine": row.engine.name(),
        });
        match &row.result {
            Ok(figures) => {
                let more = json!({
                    "equal": true,
                    "transactions": figures.work.transactions,
                    "rows": figures.work.rows,
                    "seconds": figures.seconds,
                    "start_seconds": figures.start_seconds,
                    "rows_per_second": figures.rows_per_second(),
                    "transactions_per_second": figures.transactions_per_second(),
                    "ratio_to_native_4": ratio(applied, row),
                    "cpu_seconds": figures.cpu,
                    "source_cpu_seconds": figures.source_cpu,
                    "target_cpu_seconds": figures.target_cpu,
                    "peak_mib": figures.peak_mib,
                    "groups": figures.groups,
                    "restarts": figures.restarts,
                    "load_average": figures.load,
                });
                merge(&mut value, more);
            }
            Err(error) => value["error"] = json!(error),
        }
        value
    };
    let delay = |row: &Delay| {
        let mut value = json!({
            "mode": row.mode.name(),
            "engine": row.engine.name(),
            "offered_per_second": row.offered_per_second,
        });
        match &row.result {
            Ok(delays) => {
                value["achieved_per_second"] = json!(delays.achieved_per_second);
                value["load_average"] = json!(delays.load);
                merge(&mut value, delays.summary.json());
            }
            Err(error) => value["error"] = json!(error),
        }
        value
    };
    json!({
        "machine": machine(),
        "apply": applied.iter().map(applied_one).collect::<Vec<_>>(),
        "latency": delays.iter().map(delay).collect::<Vec<_>>(),
    })
}

/// Where it was measured, as far as that matters.
pub(super) fn machine() -> Value {
    let commit = crate::children::output(
        std::process::Command::new("git")
            .args(["rev-parse", "--short=12", "HEAD"])
            .current_dir(tree::root()),
    );
    json!({
        "cores": thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "load_average": usage::load_average(),
        "commit": commit.ok(),
    })
}

fn merge(into: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (into, more) {
        into.extend(more);
    }
}

/// Writes it, and says so.
pub(super) fn write(path: &Path, value: &Value) -> Result<()> {
    save(path, value)?;
    println!("written: {}", path.display());
    Ok(())
}

/// Writes it; the folder is made if need be.
pub(super) fn save(path: &Path, value: &Value) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("failed to create {}", folder.display()))?;
    }
    fs::write(path, format!("{value:#}\n"))
        .with_context(|| format!("failed to write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(engine: Engine, rows: u64, seconds: f64) -> Applied {
        let figures = Figures {
            work: Written {
                transactions: rows,
                rows,
            },
            seconds,
            start_seconds: None,
            cpu: None,
            source_cpu: 0.5,
            target_cpu: 1.0,
            peak_mib: None,
            groups: None,
            restarts: None,
            load: None,
        };
        Applied {
            workload: Workload::W2,
            mode: Mode::Durable,
            engine,
            result: Ok(figures),
        }
    }

    #[test]
    fn the_ratio_is_that_of_rates_to_four_workers_in_the_same_mode() {
        let mut rows = vec![
            applied(Engine::Native(1), 1_000, 1.0),
            applied(Engine::Native(4), 1_000, 0.5),
            applied(Engine::Datain, 8_000, 0.4),
        ];
        let ratios: Vec<_> = rows.iter().map(|row| ratio(&rows, row)).collect();
        assert_eq!(ratios, [Some(0.5), Some(1.0), Some(10.0)]);
        rows[2].mode = Mode::Relaxed;
        assert_eq!(ratio(&rows, &rows[2]), None);
    }

    #[test]
    fn a_failure_is_shown_and_written() {
        let mut rows = vec![applied(Engine::Datain, 8_000, 0.4)];
        rows.push(Applied {
            result: Err("it broke".to_owned()),
            ..rows[0].clone()
        });
        let table = applied_table(&rows);
        assert!(
            table.contains("20,000") && table.contains("FAILED"),
            "{table}"
        );
        let json = apply_json(&rows, &[]);
        assert_eq!(json["apply"][0]["rows_per_second"], 20_000.0);
        assert_eq!(json["apply"][0]["equal"], true);
        assert_eq!(json["apply"][0]["peak_mib"], Value::Null);
        assert_eq!(json["apply"][1]["error"], "it broke");
        assert!(json["apply"][1].get("equal").is_none());
        assert!(
            json["machine"]["cores"]
                .as_u64()
                .is_some_and(|cores| cores > 0)
        );
    }

    #[test]
    fn latencies_have_their_own_table_and_list() {
        let delays = Delays {
            achieved_per_second: 999.6,
            summary: percentiles::Summary::of(vec![5_000, 15_000], 2),
            load: Some(1.5),
        };
        let rows = [Delay {
            mode: Mode::Durable,
            engine: Engine::Native(4),
            offered_per_second: 1_000,
            result: Ok(delays),
        }];
        let table = delays_table(&rows);
        assert!(table.contains("5.00") && table.contains("15.0"), "{table}");
        let json = apply_json(&[], &rows);
        assert_eq!(json["latency"][0]["engine"], "native-4");
        assert_eq!(json["latency"][0]["p99_ms"], 15.0);
    }
}
