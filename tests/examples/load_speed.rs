//! From how many rows on LOAD DATA LOCAL is faster than INSERT: `cargo run --release -p datain-tests --example load_speed`.
//!
//! Runs of sysbench's rows, of several lengths, are taken from a source's log and written to a target by both: each run in a transaction of its own, and
//! in transactions of 10,000 rows. What is timed is all of it: building the statement or the file from the row block, the server's work, COMMIT. The ways take
//! turns, and the median of the rounds is shown, since machines are noisy; on a busy one the server's processor time says more than the rate.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a native program for developers"
)]

use std::time::Instant;

use datain_apply::mapping::Mapping;
use datain_apply::statements::{self, load};
use datain_contract::types::{Batch, Error, RowSet};
use datain_mysql_client::ClientError;
use datain_mysql_client::blocking::block_on;
use datain_tests::bulk_load::{self, BOUNDS, Root};
use datain_throwaway_servers::{Flavor, Server};

const LENGTHS: [usize; 6] = [20, 50, 100, 300, 1_000, 10_000];
const ROUNDS: usize = 3;
/// Rows in a transaction of several runs.
const GROUP: usize = 10_000;
const TABLE: &str = "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL DEFAULT 0, c CHAR(120) NOT NULL DEFAULT '', pad CHAR(60) NOT NULL DEFAULT '', KEY (k))";

fn server(durable: bool) -> Server {
    let builder = Server::builder(Flavor::Mysql97)
        .option("local_infile=ON")
        .option("binlog_row_event_max_size=256M")
        .option("max_allowed_packet=64M");
    let builder = if durable {
        builder
            .option("sync_binlog=1")
            .option("innodb_flush_log_at_trx_commit=1")
    } else {
        builder.relaxed()
    };
    builder.start().expect("a server")
}

/// Runs of so many rows, as the source logs them.
fn runs(source: &Server, length: usize, count: usize) -> Vec<Batch> {
    source
        .sql(&format!(
            "DROP DATABASE IF EXISTS d; CREATE DATABASE d; USE d; {TABLE}"
        ))
        .expect("a table");
    let before = bulk_load::executed(source);
    let mut root = bulk_load::session(source);
    let digits = |rng: &mut fastrand::Rng, groups: usize| -> String {
        let group = |_| format!("{:011}", rng.u64(0..100_000_000_000));
        (0..groups).map(group).collect::<Vec<_>>().join("-")
    };
    let mut rng = fastrand::Rng::with_seed(1);
    let mut id = 0;
    for _ in 0..count {
        let rows: Vec<String> = (0..length)
            .map(|_| {
                id += 1;
                let (c, pad) = (digits(&mut rng, 10), digits(&mut rng, 5));
                format!("({id},{},'{c}','{pad}')", rng.u32(1..1_000_000))
            })
            .collect();
        let sql = format!("INSERT INTO d.t VALUES {}", rows.join(","));
        block_on(root.exec(sql.as_bytes())).expect("rows");
    }
    bulk_load::inserts_since(source, &before)
}

/// By INSERT, in packets of several statements as the engine sends them.
fn insert(root: &mut Root, set: &RowSet, block: &[u8], mapping: &Mapping) -> Result<(), Error> {
    let mut packet = Vec::new();
    let mut expected = 0;
    statements::write(set, block, mapping, BOUNDS, 0, |statement| {
        if !packet.is_empty() {
            packet.push(b';');
        }
        packet.extend_from_slice(&statement.sql);
        expected += statement.rows;
        Ok(())
    })?;
    let mut found = 0;
    for outcome in block_on(root.query(&packet))? {
        found += outcome.ok().map_or(0, |ok| ok.affected_rows);
    }
    assert_eq!(found, expected);
    Ok(())
}

fn load(root: &mut Root, set: &RowSet, block: &[u8], mapping: &Mapping) -> Result<(), Error> {
    let loaded = bulk_load::load(root, set, block, mapping)?;
    assert_eq!(loaded, bulk_load::Loaded::Whole);
    Ok(())
}

/// Microseconds of processor time that the server has used.
fn processor_micros(server: &Server) -> f64 {
    let path = format!("/proc/{}/stat", server.pid().expect("a running server"));
    let text = std::fs::read_to_string(path).expect("a process");
    // Behind the name, which may hold spaces: fields 3 and on, of which 14 and 15 are utime and stime in ticks of 10 ms.
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks = behind.split_ascii_whitespace().skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() * 10_000.0
}

type Way = fn(&mut Root, &RowSet, &[u8], &Mapping) -> Result<(), Error>;

/// Rows per second, and the server's microseconds of processor time per row.
fn rate(
    target: &Server,
    root: &mut Root,
    batches: &[Batch],
    per_commit: usize,
    way: Way,
) -> (f64, f64) {
    block_on(root.query(b"TRUNCATE d.t")).expect("an empty table");
    let sets = bulk_load::row_sets(batches);
    let mapping = bulk_load::mapping(root, sets[0].0, "d").expect("a mapping");
    let (mut rows, mut open) = (0, 0);
    let (began, used) = (Instant::now(), processor_micros(target));
    for (_, set, block) in sets {
        if open == 0 {
            block_on(root.exec(b"START TRANSACTION")).expect("a transaction");
        }
        way(root, set, block, &mapping).expect("rows");
        rows += set.count as usize;
        open += set.count as usize;
        if open >= per_commit {
            block_on(root.exec(b"COMMIT")).expect("a commit");
            open = 0;
        }
    }
    block_on(root.exec(b"COMMIT")).expect("a commit");
    let elapsed = began.elapsed().as_secs_f64();
    let used = processor_micros(target) - used;
    (rows as f64 / elapsed, used / rows as f64)
}

/// Nanoseconds of this process for a row: as a statement, and as a line of a file.
fn building(batches: &[Batch], mapping: &Mapping) -> (f64, f64) {
    let sets = bulk_load::row_sets(batches);
    let rows: u32 = sets.iter().map(|(_, set, _)| set.count).sum();
    let began = Instant::now();
    let mut bytes = 0;
    for (_, set, block) in &sets {
        statements::write(set, block, mapping, BOUNDS, 0, |statement| {
            bytes += statement.sql.len();
            Ok(())
        })
        .expect("statements");
    }
    let by_insert = began.elapsed();
    let began = Instant::now();
    for (_, set, block) in &sets {
        let load = load::of_set(set, block, mapping).expect("a file");
        bytes += load.map_or(0, |load| load.data().len());
    }
    let by_load = began.elapsed();
    assert!(bytes > 0);
    let each = |spent: std::time::Duration| spent.as_nanos() as f64 / f64::from(rows);
    (each(by_insert), each(by_load))
}

/// The median of the rates, and of the times that of the least disturbed half.
fn median(mut found: Vec<(f64, f64)>) -> (f64, f64) {
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    let used = found[found.len() / 4].1;
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    (found[found.len() / 2].0, used)
}

fn main() -> Result<(), ClientError> {
    let source = server(false);
    for durable in [false, true] {
        let target = server(durable);
        let mut root = bulk_load::session(&target);
        block_on(root.query(format!("CREATE DATABASE d; USE d; {TABLE}").as_bytes()))?;
        println!("{}", if durable { "durable" } else { "relaxed" });
        println!(
            "| rows in a run | commit each: INSERT rows/s | LOAD | ratio | server's µs per row: INSERT | LOAD | commit each 10,000: INSERT rows/s | LOAD | ratio | server's µs per row: INSERT | LOAD |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|");
        for length in LENGTHS {
            let count = (40_000 / length).clamp(4, 2_000);
            let batches = runs(&source, length, count);
            let mut found: [Vec<(f64, f64)>; 4] = Default::default();
            for _ in 0..ROUNDS {
                for (n, (per_commit, way)) in [
                    (length, insert as Way),
                    (length, load as Way),
                    (GROUP, insert as Way),
                    (GROUP, load as Way),
                ]
                .into_iter()
                .enumerate()
                {
                    found[n].push(rate(&target, &mut root, &batches, per_commit, way));
                }
            }
            let [a, b, c, d] = found.map(median);
            println!(
                "| {length} | {:.0} | {:.0} | {:.2} | {:.1} | {:.1} | {:.0} | {:.0} | {:.2} | {:.1} | {:.1} |",
                a.0,
                b.0,
                b.0 / a.0,
                a.1,
                b.1,
                c.0,
                d.0,
                d.0 / c.0,
                c.1,
                d.1
            );
            if durable && length == LENGTHS[LENGTHS.len() - 1] {
                let sets = bulk_load::row_sets(&batches);
                let mapping = bulk_load::mapping(&mut root, sets[0].0, "d").expect("a mapping");
                let (insert, load) = building(&batches, &mapping);
                println!("here, per row: INSERT {insert:.0} ns, LOAD {load:.0} ns");
            }
        }
    }
    Ok(())
}
