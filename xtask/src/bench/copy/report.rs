//! What `bench copy` prints and writes.

use serde_json::{Value, json};

use super::{cores::Cores, data::Workload};
use crate::bench::{
    lab::Mode,
    report::machine,
    table::{self, decimals, or_dash, rate},
};

/// Who copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(super) enum Engine {
    /// `mysqldump --single-transaction | mysql`
    Mysqldump,
    /// `mydumper`, then `myloader`, with two threads
    Mydumper,
    /// `datain run --until-caught-up`
    Datain,
}

impl Engine {
    pub(super) const ALL: [Self; 3] = [Self::Mysqldump, Self::Mydumper, Self::Datain];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mysqldump => "mysqldump",
            Self::Mydumper => "mydumper",
            Self::Datain => "datain",
        }
    }
}

/// A copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Figures {
    pub(super) rows: u64,
    /// Of the rows' values.
    pub(super) bytes: u64,
    /// Until all rows were on the target: from the start of the first process to the end of the last.
    pub(super) seconds: f64,
    /// Of them, what a program took that first writes files.
    pub(super) dump_seconds: Option<f64>,
    /// What a start of datain with nothing to do takes.
    pub(super) start_seconds: Option<f64>,
    /// What `datain verify` of all rows takes.
    pub(super) verify_seconds: Option<f64>,
    /// Processor time of the copying programs, of the source and of the target.
    pub(super) cpu: f64,
    pub(super) source_cpu: f64,
    pub(super) target_cpu: f64,
    /// Of datain's process.
    pub(super) peak_mib: Option<f64>,
    pub(super) restarts: Option<u64>,
    /// Of the machine, at the beginning.
    pub(super) load: Option<f64>,
    /// What was written on the source meanwhile, in a second.
    pub(super) writes_per_second: Option<f64>,
    /// How long datain took, after the last of these writes, until all of them were on the target: a run of its own.
    pub(super) follow_seconds: Option<f64>,
    /// Held against the source; not where it was written to after the other program's copy.
    pub(super) equal: bool,
}

impl Figures {
    pub(super) fn rows_per_second(&self) -> f64 {
        per_second(self.rows, self.seconds)
    }

    fn mib_per_second(&self) -> f64 {
        per_second(self.bytes, self.seconds) / 1_048_576.0
    }
}

pub(super) fn per_second(count: u64, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let count = count as f64;
    if seconds > 0.0 { count / seconds } else { 0.0 }
}

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Copied {
    pub(super) workload: Workload,
    pub(super) mode: Mode,
    pub(super) engine: Engine,
    pub(super) result: Result<Figures, String>,
}

/// What a copy by datain takes from the source's own work.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cost {
    pub(super) workload: Workload,
    pub(super) mode: Mode,
    pub(super) cores: Cores,
    pub(super) result: Result<CostFigures, String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CostFigures {
    /// Transactions of sysbench in a second, before the copy and during it.
    pub(super) without: f64,
    pub(super) during: f64,
    /// Of the copy.
    pub(super) seconds: f64,
    pub(super) rows_per_second: f64,
    pub(super) load: Option<f64>,
}

impl CostFigures {
    fn ratio(&self) -> f64 {
        match self.without > 0.0 {
            true => self.during / self.without,
            false => 0.0,
        }
    }
}

/// How many times as fast as another engine, in the same workload and mode.
fn ratio(rows: &[Copied], of: &Copied, to: Engine) -> Option<f64> {
    let own = of.result.as_ref().ok()?.rows_per_second();
    let same =
        |row: &&Copied| row.workload == of.workload && row.mode == of.mode && row.engine == to;
    let other = rows.iter().find(same)?;
    let other = other.result.as_ref().ok()?.rows_per_second();
    (other > 0.0).then(|| own / other)
}

pub(super) fn copied_table(rows: &[Copied]) -> String {
    let heading = [
        "workload",
        "mode",
        "engine",
        "rows",
        "seconds",
        "start",
        "verify",
        "rows/s",
        "MiB/s",
        "x mysqldump",
        "x mydumper",
        "cpu s",
        "source",
        "target",
        "peak MiB",
        "writes/s",
        "follow",
        "load",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    for row in rows {
        let mut line = vec![
            row.workload.name().to_owned(),
            row.mode.name().to_owned(),
            row.engine.name().to_owned(),
        ];
        match &row.result {
            Ok(figures) => line.extend([
                crate::demo::screen::grouped(figures.rows),
                decimals(figures.seconds),
                or_dash(figures.start_seconds),
                or_dash(figures.verify_seconds),
                rate(figures.rows_per_second()),
                decimals(figures.mib_per_second()),
                or_dash(ratio(rows, row, Engine::Mysqldump)),
                or_dash(ratio(rows, row, Engine::Mydumper)),
                decimals(figures.cpu),
                decimals(figures.source_cpu),
                decimals(figures.target_cpu),
                or_dash(figures.peak_mib),
                or_dash(figures.writes_per_second),
                or_dash(figures.follow_seconds),
                or_dash(figures.load),
            ]),
            Err(_) => line.push("FAILED".to_owned()),
        }
        lines.push(line);
    }
    table::aligned(&lines, 3)
}

pub(super) fn cost_table(rows: &[Cost]) -> String {
    let heading = [
        "workload",
        "mode",
        "cores",
        "sysbench trx/s",
        "during the copy",
        "ratio",
        "seconds",
        "rows/s",
        "load",
    ];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    for row in rows {
        let names = [row.workload.name(), row.mode.name(), row.cores.name()];
        let mut line = names.map(str::to_owned).to_vec();
        match &row.result {
            Ok(figures) => line.extend([
                rate(figures.without),
                rate(figures.during),
                decimals(figures.ratio()),
                decimals(figures.seconds),
                rate(figures.rows_per_second),
                or_dash(figures.load),
            ]),
            Err(_) => line.push("FAILED".to_owned()),
        }
        lines.push(line);
    }
    table::aligned(&lines, 3)
}

/// What is written to the file.
pub(super) fn json_of(copied: &[Copied], costs: &[Cost]) -> Value {
    json!({
        "machine": machine(),
        "copy": copied.iter().map(|row| copied_json(copied, row)).collect::<Vec<_>>(),
        "source_cost": costs.iter().map(cost_json).collect::<Vec<_>>(),
    })
}

fn copied_json(rows: &[Copied], row: &Copied) -> Value {
    let (workload, mode, engine) = (row.workload.name(), row.mode.name(), row.engine.name());
    match &row.result {
        Ok(figures) => json!({
            "workload": workload,
            "mode": mode,
            "engine": engine,
            "equal": figures.equal.then_some(true),
            "rows": figures.rows,
            "bytes": figures.bytes,
            "seconds": figures.seconds,
            "dump_seconds": figures.dump_seconds,
            "start_seconds": figures.start_seconds,
            "verify_seconds": figures.verify_seconds,
            "rows_per_second": figures.rows_per_second(),
            "mib_per_second": figures.mib_per_second(),
            "ratio_to_mysqldump": ratio(rows, row, Engine::Mysqldump),
            "ratio_to_mydumper": ratio(rows, row, Engine::Mydumper),
            "cpu_seconds": figures.cpu,
            "source_cpu_seconds": figures.source_cpu,
            "target_cpu_seconds": figures.target_cpu,
            "peak_mib": figures.peak_mib,
            "restarts": figures.restarts,
            "writes_per_second": figures.writes_per_second,
            "follow_seconds": figures.follow_seconds,
            "load_average": figures.load,
        }),
        Err(error) => {
            json!({ "workload": workload, "mode": mode, "engine": engine, "error": error })
        }
    }
}

fn cost_json(row: &Cost) -> Value {
    let (workload, mode) = (row.workload.name(), row.mode.name());
    match &row.result {
        Ok(figures) => json!({
            "workload": workload,
            "mode": mode,
            "cores": row.cores.name(),
            "transactions_per_second": figures.without,
            "transactions_per_second_during_copy": figures.during,
            "ratio": figures.ratio(),
            "seconds": figures.seconds,
            "rows_per_second": figures.rows_per_second,
            "load_average": figures.load,
        }),
        Err(error) => {
            json!({ "workload": workload, "mode": mode, "cores": row.cores.name(), "error": error })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(engine: Engine, seconds: f64) -> Copied {
        let figures = Figures {
            rows: 1_000_000,
            bytes: 104_857_600,
            seconds,
            dump_seconds: None,
            start_seconds: None,
            verify_seconds: None,
            cpu: 1.0,
            source_cpu: 0.5,
            target_cpu: 2.0,
            peak_mib: None,
            restarts: None,
            load: None,
            writes_per_second: None,
            follow_seconds: None,
            equal: true,
        };
        Copied {
            workload: Workload::Small,
            mode: Mode::Durable,
            engine,
            result: Ok(figures),
        }
    }

    #[test]
    fn ratios_are_those_of_rates_in_the_same_workload_and_mode() {
        let mut rows = vec![copied(Engine::Mysqldump, 10.0), copied(Engine::Datain, 4.0)];
        let json = json_of(&rows, &[]);
        assert_eq!(json["copy"][1]["ratio_to_mysqldump"], 2.5);
        assert_eq!(json["copy"][1]["mib_per_second"], 25.0);
        let table = copied_table(&rows);
        assert!(
            table.contains("250,000") && table.contains("2.50"),
            "{table}"
        );
        rows[1].workload = Workload::Large;
        assert_eq!(ratio(&rows, &rows[1], Engine::Mysqldump), None);
    }

    #[test]
    fn a_failure_is_shown_and_written() {
        let mut row = copied(Engine::Datain, 4.0);
        row.result = Err("it broke".to_owned());
        let rows = [row];
        assert!(copied_table(&rows).contains("FAILED"));
        assert_eq!(json_of(&rows, &[])["copy"][0]["error"], "it broke");
    }

    #[test]
    fn the_cost_is_the_share_of_the_throughput_that_is_left() {
        let figures = CostFigures {
            without: 400.0,
            during: 300.0,
            seconds: 5.0,
            rows_per_second: 100_000.0,
            load: Some(2.0),
        };
        let rows = [Cost {
            workload: Workload::Small,
            mode: Mode::Durable,
            cores: Cores::Apart,
            result: Ok(figures),
        }];
        assert!(cost_table(&rows).contains("0.75"));
        assert_eq!(json_of(&[], &rows)["source_cost"][0]["ratio"], 0.75);
    }
}
