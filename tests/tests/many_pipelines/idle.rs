//! What pipelines take that have nothing to do.
//!
//! A normal run has a few of them; a long one has 50, which is what docs/performance.md says figures of.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use datain_tests::host::TempDir;
use datain_tests::pipeline_run::wait_for;
use datain_tests::seed::long;
use datain_tests::servers::{run, server};
use datain_tests::usage::{Sample, cpu_seconds};

use super::{add, config, rows, start, table};

/// What 50 of them may take.
const MIB: u64 = 1024;
const SHARE_OF_A_CORE: f64 = 0.05;

#[test]
fn idle_pipelines_take_little() {
    let (pipelines, seconds) = if long() { (50, 30) } else { (10, 4) };
    let (source, target) = (server(), server());
    run(&target, "SET GLOBAL max_connections = 1000");
    let folder = TempDir::new().expect("a folder");
    let names: Vec<String> = (0..pipelines).map(|number| format!("p{number}")).collect();
    let configs: Vec<PathBuf> = names
        .iter()
        .map(|name| {
            table(&source, name);
            add(&source, name);
            config(&folder, name, &source, &target)
        })
        .collect();
    let paths: Vec<_> = configs.iter().map(PathBuf::as_path).collect();
    let begun = Instant::now();
    let mut host = start(&paths, &[]);
    wait_for(&mut host, "a row of each", |_| {
        names
            .iter()
            .all(|name| rows(&target, name) == "1")
            .then_some(())
    });
    let up = begun.elapsed();
    // What the start still does is not what is measured.
    std::thread::sleep(Duration::from_secs(2));
    let pid = host.pid();
    let (cpu, at) = (cpu_seconds(pid).expect("its clock"), Instant::now());
    std::thread::sleep(Duration::from_secs(seconds));
    let share = (cpu_seconds(pid).expect("its clock") - cpu) / at.elapsed().as_secs_f64();
    let sample = Sample::of(pid, begun.elapsed().as_secs_f64()).expect("the host lives");
    println!(
        "{pipelines} idle pipelines, all in step {:.1} s after the start: {} MiB ({} MiB at most), {:.1} % of a core, {} threads, {} files",
        up.as_secs_f64(),
        sample.kib >> 10,
        sample.peak_kib >> 10,
        share * 100.0,
        sample.threads,
        sample.files
    );
    // A few may take their part of what 50 may, and as much as the process takes without any.
    let part = |whole: u64| 64 + whole * pipelines / 50;
    assert!(sample.kib >> 10 < part(MIB), "{sample:?}");
    // A debug build computes more slowly, and other tests run beside it.
    let allowed = if long() {
        SHARE_OF_A_CORE
    } else {
        3.0 * SHARE_OF_A_CORE
    };
    assert!(share < allowed, "{share}");
    // None of them has fallen asleep.
    for name in &names {
        add(&source, name);
    }
    wait_for(&mut host, "a second row of each", |_| {
        names
            .iter()
            .all(|name| rows(&target, name) == "2")
            .then_some(())
    });
    host.terminate();
    let exit = host.wait(Duration::from_secs(60)).expect("it ends");
    assert_eq!(exit.code, 130, "{exit}");
}
