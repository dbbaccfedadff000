//! How fast rows are decoded: `cargo run --release --example decode_speed FILE`. Prints events, rows and megabytes per second of a binary-log file
//! that is read into memory first; run it a few times, the first pass warms up.
#![expect(clippy::unwrap_used, reason = "a tool for developers")]
#![expect(
    clippy::disallowed_methods,
    reason = "it runs natively, never in a plugin"
)]

use std::collections::HashMap;
use std::time::Instant;

use datain_binlog::{BinlogFile, EventBody, TableColumns};

fn main() {
    let path = std::env::args().nth(1).expect("a file");
    let bytes = std::fs::read(path).unwrap();
    for _ in 0..5 {
        let begin = Instant::now();
        let mut log = BinlogFile::new(&bytes).unwrap();
        let mut tables: HashMap<u64, (Vec<u8>, TableColumns)> = HashMap::new();
        let (mut events, mut rows, mut written) = (0u64, 0u64, 0usize);
        let mut block = Vec::new();
        while let Some((_, event)) = log.next_event().unwrap() {
            events += 1;
            match event.parse(log.format()).unwrap() {
                EventBody::TableMap(map) => {
                    let known = tables.get(&map.table_id);
                    if known.is_none_or(|(definition, _)| definition != map.definition()) {
                        let columns = map.columns().unwrap();
                        tables.insert(map.table_id, (map.definition().to_vec(), columns));
                    }
                }
                EventBody::Rows(event) => {
                    let (_, columns) = &tables[&event.table_id];
                    rows += u64::from(event.transcode(columns, &mut block).unwrap());
                    written += block.len();
                    block.clear();
                }
                _ => {}
            }
        }
        let seconds = begin.elapsed().as_secs_f64();
        let megabytes = bytes.len() as f64 / 1e6;
        println!(
            "{events} events, {rows} rows, {megabytes:.1} MB in {seconds:.3} s: {:.0} MB/s, {:.0} rows/s; row block {:.1} MB",
            megabytes / seconds,
            rows as f64 / seconds,
            written as f64 / 1e6,
        );
    }
}
