//! `cargo xtask bench apply`, tiny, from outside. Only with `--long` (`DATAIN_LONG=1`): it starts three servers.

use std::{env, fs, path::PathBuf, process::Command};

use datain_tests::host::TempDir;
use serde_json::Value;

#[test]
fn a_tiny_bench_measures_both_engines_and_their_latency() {
    if env::var_os("DATAIN_LONG").is_none_or(|value| value.is_empty() || value == "0") {
        println!("left out: only with DATAIN_LONG=1");
        return;
    }
    let xtask = PathBuf::from(env!("CARGO_BIN_EXE_xtask"));
    let program =
        env::var_os("DATAIN_BIN").map_or_else(|| xtask.with_file_name("datain"), PathBuf::from);
    let folder = TempDir::new().expect("a folder");
    let bench = |name: &str, arguments: &[&str]| -> Value {
        let json = folder.path().join(name);
        let output = Command::new(&xtask)
            .args(["bench", "apply", "--mode", "relaxed"])
            .args(arguments)
            .arg("--program")
            .arg(&program)
            .arg("--json")
            .arg(&json)
            .output()
            .expect("xtask runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}\n{errors}");
        let written = fs::read_to_string(&json).expect("the figures");
        serde_json::from_str(&written).expect("JSON")
    };

    let figures = bench("apply.json", &["--workload", "W2", "--transactions", "300"]);
    let engines: Vec<_> = figures["apply"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let names: Vec<_> = engines.iter().map(|one| one["engine"].as_str()).collect();
    assert_eq!(
        names,
        [Some("native-1"), Some("native-4"), Some("datain")],
        "{figures:#}"
    );
    for one in &engines {
        assert_eq!(one["rows"], 300, "{one:#}");
        assert_eq!(one["equal"], true, "{one:#}");
        assert!(one["seconds"].as_f64().is_some_and(|s| s > 0.0), "{one:#}");
    }
    let datain = engines[2];
    assert!(
        datain["peak_mib"].as_f64().is_some_and(|mib| mib > 1.0),
        "{datain:#}"
    );
    assert!(datain["ratio_to_native_4"].as_f64().is_some(), "{datain:#}");

    let figures = bench(
        "latency.json",
        &["--latency-only", "--rate", "50", "--seconds", "2"],
    );
    let delays = figures["latency"].as_array().expect("a list");
    assert_eq!(delays.len(), 2, "{figures:#}");
    for one in delays {
        assert_eq!(one["transactions"], 100, "{one:#}");
        assert_eq!(one["not_seen"], 0, "{one:#}");
        assert!(one["p99_ms"].as_f64() >= one["p50_ms"].as_f64(), "{one:#}");
        assert!(one["p50_ms"].as_f64().is_some_and(|ms| ms > 0.0), "{one:#}");
    }
}
