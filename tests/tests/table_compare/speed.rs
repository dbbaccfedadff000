//! How fast digests are; `docs/verify.md` has the figures.

use std::fs;
use std::time::Instant;

use datain_table_compare::{Algorithm, Range};
use datain_tests::seed::long;
use datain_throwaway_servers::{Flavor, Server};

use super::pairs::{Pair, Root, SOURCE, digest, run, server, session, writer};

/// Seconds of processor time that a server has used.
fn processor(server: &Server) -> f64 {
    let pid = server.pid().expect("it runs");
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}

fn measured(server: &Server, rows: u64, what: &str, work: impl FnOnce()) {
    let (begun, used) = (Instant::now(), processor(server));
    work();
    let (took, used) = (begun.elapsed().as_secs_f64(), processor(server) - used);
    let rows = rows as f64;
    println!(
        "{:?} {what}: {took:.2} s, {:.0} rows/s; {used:.2} s of processor time, {:.0} ns a row",
        server.flavor(),
        rows / took,
        used * 1e9 / rows
    );
}

/// Rows of about 100 bytes: the whole table by chunks of 100,000, on each flavour. Prints figures; in a normal run a small table only shows that it works.
#[test]
fn digests_of_many_rows() {
    let rows: u64 = if long() { 2_000_000 } else { 20_000 };
    let flavors: &[Flavor] = if long() {
        &[Flavor::Mysql97, Flavor::Mysql56, Flavor::Mariadb118]
    } else {
        &[Flavor::Mysql97]
    };
    for flavor in flavors {
        let server = server(*flavor);
        let mut writer = writer(&server);
        run(
            &mut writer,
            &format!(
                "CREATE DATABASE {SOURCE}; USE {SOURCE}; CREATE TABLE d (n INT PRIMARY KEY); INSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9); \
                 CREATE TABLE item (id BIGINT AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, amount DECIMAL(12,2) NOT NULL, note VARCHAR(100) NOT NULL, made DATETIME NULL)"
            ),
        );
        for part in 0..rows / 10_000 {
            run(
                &mut writer,
                &format!(
                    "INSERT INTO {SOURCE}.item (customer, amount, note, made) SELECT i * 7919 % 100000, i * 1.37, CONCAT(SHA2(i, 256), i), '2020-01-01' + INTERVAL i SECOND \
                     FROM (SELECT {part} * 10000 + a.n * 1000 + b.n * 100 + c.n * 10 + d.n AS i FROM {SOURCE}.d a, {SOURCE}.d b, {SOURCE}.d c, {SOURCE}.d d) AS n"
                ),
            );
        }
        let (mut a, mut b) = (session(&server), session(&server));
        measured(&server, rows, "COUNT(*)", || {
            run(
                &mut a,
                &format!("SELECT COUNT(*) FROM {SOURCE}.item FORCE INDEX (PRIMARY) WHERE id > 0"),
            );
        });
        for algorithm in [Algorithm::Crc32, Algorithm::Sha2] {
            let pair = Pair::new((&mut a, SOURCE), (&mut b, SOURCE), "item", algorithm);
            let pair = pair.expect("a pair");
            let mut keys = Vec::new();
            measured(&server, rows, "boundaries", || {
                keys = boundaries(&pair, &mut a);
            });
            measured(&server, rows, &format!("{algorithm:?}"), || {
                let mut counted = 0;
                for (at, up_to) in keys.iter().enumerate() {
                    let range = Range {
                        after: at.checked_sub(1).and_then(|before| keys[before].clone()),
                        up_to: up_to.clone(),
                        bucket: None,
                    };
                    counted += digest(&pair.source, &mut a, &range).rows;
                }
                assert_eq!(counted, rows);
            });
        }
    }
}

/// The ends of ranges of 100,000 rows, the last of which is the table's.
fn boundaries(pair: &Pair, session: &mut Root) -> Vec<Option<Vec<u8>>> {
    let mut keys: Vec<Option<Vec<u8>>> = Vec::new();
    loop {
        let after = keys.last().cloned().flatten();
        let boundary = pair.source.boundary(session, after.as_deref(), 100_000);
        let key = datain_mysql_client::blocking::block_on(boundary).expect("a boundary");
        keys.push(key.clone());
        if key.is_none() {
            return keys;
        }
    }
}
