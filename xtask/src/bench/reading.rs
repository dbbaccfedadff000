//! What `bench source` says: rates, and the ratios that matter.

use serde_json::{Value, json};

use super::{
    report,
    table::{self, decimals, or_dash},
};

/// One of the programs on one log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) log: &'static str,
    pub(super) megabytes: f64,
    pub(super) what: &'static str,
    pub(super) seconds: f64,
    pub(super) cpu_seconds: Option<f64>,
}

impl Reading {
    pub(super) fn rate(&self) -> f64 {
        self.megabytes / self.seconds.max(1e-9)
    }

    pub(super) fn rate_per_cpu(&self) -> Option<f64> {
        Some(self.megabytes / self.cpu_seconds?.max(1e-9))
    }
}

pub(super) fn table(readings: &[Reading]) -> String {
    let heading = ["log", "by", "MB", "seconds", "MB/s", "cpu s", "MB/cpu s"];
    let mut lines = vec![heading.map(str::to_owned).to_vec()];
    lines.extend(readings.iter().map(|reading| {
        vec![
            reading.log.to_owned(),
            reading.what.to_owned(),
            decimals(reading.megabytes),
            decimals(reading.seconds),
            decimals(reading.rate()),
            or_dash(reading.cpu_seconds),
            or_dash(reading.rate_per_cpu()),
        ]
    }));
    table::aligned(&lines, 2)
}

/// How many times as fast one is as another: by time and by processor time.
fn times(readings: &[Reading], log: &str, what: &str, of: &str) -> Option<[Option<f64>; 2]> {
    let find = |what: &str| {
        readings
            .iter()
            .find(|reading| reading.log == log && reading.what == what)
    };
    let (one, other) = (find(what)?, find(of)?);
    let cpu = one
        .rate_per_cpu()
        .zip(other.rate_per_cpu())
        .map(|(one, other)| one / other);
    Some([Some(one.rate() / other.rate()), cpu])
}

/// The pairs whose ratios matter.
const PAIRS: [(&str, &str); 5] = [
    ("wasm source", "mysqlbinlog -v"),
    ("wasm source", "mysqlbinlog --raw"),
    ("native source", "wasm source"),
    ("native work", "wasm work"),
    ("native work + SQL", "wasm work + SQL"),
];

pub(super) fn conclusions(readings: &[Reading]) -> Vec<String> {
    let mut lines = Vec::new();
    for log in ["small", "large"] {
        for (what, of) in PAIRS {
            if let Some([time, cpu]) = times(readings, log, what, of) {
                lines.push(format!(
                    "{log}: {what} is {} times as fast as {of}; by processor time {}",
                    or_dash(time),
                    or_dash(cpu)
                ));
            }
        }
    }
    lines
}

pub(super) fn json_of(readings: &[Reading]) -> Value {
    let each = readings.iter().map(|reading| {
        json!({
            "log": reading.log,
            "by": reading.what,
            "megabytes": reading.megabytes,
            "seconds": reading.seconds,
            "megabytes_per_second": reading.rate(),
            "cpu_seconds": reading.cpu_seconds,
            "megabytes_per_cpu_second": reading.rate_per_cpu(),
        })
    });
    let ratio = |log: &str, (what, of): (&str, &str)| {
        let [time, cpu] = times(readings, log, what, of)?;
        Some(json!({"log": log, "of": what, "to": of, "by_time": time, "by_cpu": cpu}))
    };
    let ratios: Vec<_> = ["small", "large"]
        .iter()
        .flat_map(|log| PAIRS.iter().filter_map(move |pair| ratio(log, *pair)))
        .collect();
    json!({
        "machine": report::machine(),
        "source": each.collect::<Vec<_>>(),
        "ratios": ratios,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(what: &'static str, seconds: f64, cpu_seconds: Option<f64>) -> Reading {
        Reading {
            log: "small",
            megabytes: 100.0,
            what,
            seconds,
            cpu_seconds,
        }
    }

    #[test]
    fn ratios_are_of_rates_by_time_and_by_processor_time() {
        let readings = [
            reading("mysqlbinlog -v", 4.0, Some(4.0)),
            reading("wasm source", 1.0, Some(2.0)),
            reading("native source", 1.0, None),
        ];
        assert_eq!(
            times(&readings, "small", "wasm source", "mysqlbinlog -v"),
            Some([Some(4.0), Some(2.0)])
        );
        assert_eq!(
            times(&readings, "small", "native source", "wasm source"),
            Some([Some(1.0), None])
        );
        assert_eq!(
            times(&readings, "large", "wasm source", "mysqlbinlog -v"),
            None
        );
        let json = json_of(&readings);
        assert_eq!(json["source"][0]["megabytes_per_second"], 25.0);
        assert_eq!(json["ratios"].as_array().map(Vec::len), Some(2));
        assert_eq!(conclusions(&readings).len(), 2);
        assert!(table(&readings).contains("25.0"));
    }
}
