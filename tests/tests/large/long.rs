//! What takes gigabytes: run with `DATAIN_LONG=1`.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use datain_capture::reader::{Reader, Settings};
use datain_contract::types::Checkpoint;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Host, TempDir};
use datain_tests::native::{replicate, session};
use datain_tests::pipeline_run::config;
use datain_throwaway_servers::{Flavor, Server};

use crate::{assert_same_gtids, field, logged, server, settings};

/// How long the largest transaction may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(45 * 60);
/// What both plugins, with their limit of 256 MiB each, and the host may take together.
const MOST_MEMORY_KIB: u64 = 512 << 10;

fn is_long() -> bool {
    let long = std::env::var_os("DATAIN_LONG").is_some();
    if !long {
        println!("left out: it takes gigabytes; DATAIN_LONG=1 runs it");
    }
    long
}

/// The most memory that a process has had resident.
fn peak_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// fidelity: event | Transaction_payload (zstd) of 2 GiB | passes through the plugins within their memory limit
#[test]
fn a_compressed_transaction_of_2_gib() {
    if !is_long() {
        return;
    }
    let packets = "max_allowed_packet=1G";
    let source = Server::builder(Flavor::Mysql97)
        .relaxed()
        .option(packets)
        .option("binlog_transaction_compression=ON")
        .start()
        .expect("a source");
    let target = server(&[packets]);
    // 1,500 × 1,500 rows of about 1,000 bytes.
    source
        .sql(
            "CREATE DATABASE d; CREATE DATABASE seeds; CREATE TABLE seeds.s (n INT PRIMARY KEY); SET cte_max_recursion_depth = 10000; \
             INSERT INTO seeds.s WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 1499) SELECT n FROM s; \
             CREATE TABLE d.t (id INT PRIMARY KEY, name VARCHAR(64), amount DECIMAL(20,4), at DATETIME, text VARCHAR(1000)); FLUSH BINARY LOGS",
        )
        .expect("tables");
    source
        .sql(
            "INSERT INTO d.t SELECT a.n * 1500 + b.n, LEFT(SHA2(a.n * b.n, 256), 40), a.n * b.n / 7, '2026-01-01' + INTERVAL b.n HOUR, \
             CONCAT(SHA2(a.n * 1500 + b.n, 512), REPEAT(SHA2(b.n, 256), 12)) FROM seeds.s AS a, seeds.s AS b",
        )
        .expect("2 GiB of rows");
    let (count, size) = logged(&source, "Transaction_payload");
    println!("the log has {count} compressed transactions, the largest of {size} bytes");
    assert!(count == 1 && size > 100 << 20, "{count}, {size} bytes");
    let folder = TempDir::new().expect("a folder");
    passes_within_memory(&config(&folder, "large", &source, &target, |text| text));
    compare::assert_equal(&source, &target, &["d"]);
}

/// Lets the program catch up, and looks at its memory meanwhile.
fn passes_within_memory(config: &Path) {
    let mut host = Host::start(config, &["--until-caught-up"]).expect("a host");
    let begun = Instant::now();
    let mut peak = 0;
    while host.is_running().expect("the system answers") {
        peak = peak_kib(host.pid()).unwrap_or(0).max(peak);
        assert!(begun.elapsed() < PATIENCE, "{}", host.stderr());
        thread::sleep(Duration::from_millis(200));
    }
    let exit = host.wait(PATIENCE).expect("it has ended");
    println!("it took {:?} and {peak} KiB at most", begun.elapsed());
    assert_eq!(exit.code, 0, "{exit}");
    assert!(peak > 0 && peak < MOST_MEMORY_KIB, "{peak} KiB");
}

/// Of transactions over a hundred tables, 10,000 rows of each, in groups as large as they may be and on several connections.
#[test]
fn groups_over_a_hundred_tables() {
    if !is_long() {
        return;
    }
    let (source, target) = (server(&[]), server(&["local_infile=ON"]));
    let tables: String = (0..100)
        .map(|n| format!("CREATE TABLE d.t{n} (id INT PRIMARY KEY, v VARCHAR(200), KEY (v)); "))
        .collect();
    source
        .sql(&format!(
            "CREATE DATABASE d; CREATE TABLE d.seed (n INT PRIMARY KEY); SET cte_max_recursion_depth = 10000; \
             INSERT INTO d.seed WITH RECURSIVE s (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < 9999) SELECT n FROM s; {tables}"
        ))
        .expect("tables");
    // A hundred transactions, each with a hundred rows of every table.
    for part in 0..100 {
        let from = part * 100;
        let inserts: String = (0..100)
            .map(|n| {
                format!(
                    "INSERT INTO d.t{n} SELECT n, REPEAT(SHA2(n, 256), 2) FROM d.seed WHERE n >= {from} AND n < {from} + 100; "
                )
            })
            .collect();
        source
            .sql(&format!("BEGIN; {inserts} COMMIT"))
            .expect("rows");
    }
    let folder = TempDir::new().expect("a folder");
    let config = config(&folder, "groups", &source, &target, |text| {
        format!("{text}\n[apply]\ngroup_max_rows = 1000000\n")
    });
    passes_within_memory(&config);
    compare::assert_equal(&source, &target, &["d"]);
}

/// fidelity: event | any, in a file over 4 GiB | the checkpoint's offset is the source's; a stream goes on after it
#[test]
fn a_file_over_4_gib() {
    if !is_long() {
        return;
    }
    let (source, target) = (server(&["max_allowed_packet=1G"]), server(&[]));
    let settings = settings(r#","include":["d.%"]"#);
    // BLACKHOLE logs rows and keeps none; they are not replicated, so that only the log is large.
    source
        .sql(
            "CREATE DATABASE d; CREATE DATABASE e; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (0); \
             CREATE TABLE e.t (b LONGBLOB) ENGINE = BLACKHOLE; SET cte_max_recursion_depth = 1000; \
             INSERT INTO e.t WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 275) SELECT REPEAT('x', 16000000) FROM s",
        )
        .expect("4.4 GB in one transaction");
    let files = source.query("SHOW BINARY LOGS").expect("files");
    let size: u64 = files[0][1]
        .as_deref()
        .and_then(|n| n.parse().ok())
        .expect("a size");
    println!("the first of {} files has {size} bytes", files.len());
    assert!(size > 1 << 32);
    // Behind the transaction there is a Rotate event: header, position, the next file's name, checksum.
    let end = size - (19 + 8 + "binlog.000002".len() as u64 + 4);
    let begun = Instant::now();
    let checkpoints = block_on(checkpoints(&source, &settings));
    println!("it was read in {:?}", begun.elapsed());
    let offsets: Vec<(String, u64)> = checkpoints
        .iter()
        .map(|c| {
            let file = field(c, "file").as_str().expect("a name").to_owned();
            (file, field(c, "offset").as_u64().expect("a number"))
        })
        .collect();
    assert!(
        offsets.contains(&("binlog.000001".to_owned(), end)),
        "{end}: {offsets:?}"
    );
    assert_same_gtids(&source, checkpoints.last().expect("a checkpoint"));
    // To the target, then on from its checkpoint, for which the source passes over the file.
    replicate(&source, &target, &settings).expect("all of it");
    source.sql("INSERT INTO d.t VALUES (1), (2)").expect("rows");
    let checkpoint = replicate(&source, &target, &settings).expect("what follows");
    assert_same_gtids(&source, &checkpoint);
    let status = source.query("SHOW BINARY LOG STATUS").expect("status");
    assert_eq!(Some(field(&checkpoint, "offset").to_string()), status[0][1]);
    compare::assert_equal(&source, &target, &["d"]);
}

/// fidelity: event | an event over 1 GiB | the source refuses to send it (1236); stops with `server.packet-too-large` and the hint
#[test]
fn an_event_that_the_source_cannot_send() {
    if !is_long() {
        return;
    }
    let (source, target) = (server(&["max_allowed_packet=1G"]), server(&[]));
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB); CREATE TABLE d.u (id INT PRIMARY KEY); INSERT INTO d.u VALUES (1)")
        .expect("tables");
    let settings = settings(r#","include":["d.u"]"#);
    replicate(&source, &target, &settings).expect("small");
    // Both images are logged: 600 MB pass, since the table is filtered, twice 600 MB do not.
    source
        .sql("INSERT INTO d.t VALUES (1, REPEAT('x', 600000000)); INSERT INTO d.u VALUES (2)")
        .expect("600 MB");
    replicate(&source, &target, &settings).expect("600 MB");
    source
        .sql("UPDATE d.t SET b = CONCAT('y', b); INSERT INTO d.u VALUES (3)")
        .expect("1.2 GB");
    let error = replicate(&source, &target, &settings).expect_err("1.2 GB");
    assert_eq!(error.code, "server.packet-too-large", "{error:?}");
    assert_eq!(error.server_errno, Some(1236));
    let hint = error.hint.as_deref().unwrap_or_default();
    assert!(
        hint.contains("max_allowed_packet on the source"),
        "{error:?}"
    );
    let rows = target
        .query("SELECT GROUP_CONCAT(id) FROM d.u")
        .expect("rows");
    assert_eq!(rows[0][0].as_deref(), Some("1,2"));
}

/// All checkpoints up to what the source has now.
async fn checkpoints(source: &Server, settings: &Settings) -> Vec<Checkpoint> {
    let mut reader = Reader::open(session(source), settings, None, false)
        .await
        .expect("the reader");
    let mut all: Vec<Checkpoint> = Vec::new();
    let behind = |all: &[Checkpoint], ordinal| all.last().is_none_or(|c| c.ordinal < ordinal);
    while !reader.progress().reached_head || behind(&all, reader.progress().ordinal) {
        let batch = reader.next_batch(1 << 20, |_| {}).await.expect("a batch");
        all.extend(batch.transactions.into_iter().filter_map(|t| t.checkpoint));
    }
    all
}
