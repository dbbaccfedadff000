//! `cargo run --release -p datain-guest-speed --example native_speed -- LOG`: prints the seconds of the fastest of five runs as JSON, of decoding alone and with the SQL.

#![expect(
    clippy::disallowed_methods,
    reason = "it runs natively, never in a plugin"
)]

use std::time::Instant;

use datain_guest_speed::work;

fn main() {
    let path = std::env::args().nth(1).expect("a binary log file");
    let log = std::fs::read(path).expect("the file can be read");
    let fastest = |writes: bool| {
        let runs = (0..5).map(|_| {
            let begin = Instant::now();
            let worked = work(&log, writes).expect("a log of the bench");
            (begin.elapsed().as_secs_f64(), worked)
        });
        runs.min_by(|a, b| a.0.total_cmp(&b.0)).expect("five runs")
    };
    let (decode, worked) = fastest(false);
    let (both, written) = fastest(true);
    println!(
        r#"{{"rows":{},"sql_bytes":{},"decode_seconds":{decode},"with_sql_seconds":{both}}}"#,
        worked.rows, written.sql_bytes
    );
}
