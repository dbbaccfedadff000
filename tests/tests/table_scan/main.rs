//! Tables read chunk by chunk: their rows are byte for byte what the log has for them.

#[path = "../loading/corners.rs"]
mod corners;
mod documents;
mod images;
mod keys;
mod reads;

use datain_contract::types::Batch;
use datain_mysql_client::blocking::block_on;
use datain_tests::bulk_load;
use datain_tests::seed::{long, seed};
use datain_throwaway_servers::{Flavor, Server};
use images::{logged, read, scan, session};

/// The schema of the rows.
const ROWS: &str = "rows_of";

/// How many rows chunks have.
const CHUNKS: [u32; 5] = [1, 2, 3, 7, 1000];

fn server() -> Server {
    Server::builder(Flavor::Mysql97)
        .relaxed()
        .option("local_infile=ON")
        .option("max_allowed_packet=64M")
        .option("binlog_row_metadata=FULL")
        .start()
        .expect("a server")
}

/// Statements that fill the tables of [`ROWS`], under a session that takes everything.
fn fill(server: &Server, statements: &[String]) -> Vec<Batch> {
    let before = bulk_load::executed(server);
    let mut session = bulk_load::session(server);
    block_on(async {
        session
            .exec(b"SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'")
            .await?;
        session.exec(format!("USE {ROWS}").as_bytes()).await?;
        for sql in statements {
            if let Err(error) = session.exec(sql.as_bytes()).await {
                panic!("{error}: {sql}");
            }
        }
        Ok::<_, datain_mysql_client::ClientError>(())
    })
    .expect("rows");
    bulk_load::inserts_since(server, &before)
}

/// Holds what a scan reads against the log.
fn equal(server: &Server, batches: &[Batch], chunks: &[u32]) {
    let mut session = session(server);
    let mut differ = Vec::new();
    for mut logged in logged(batches) {
        let name = logged.table.name.clone();
        let scan = scan(&mut session, ROWS, &name);
        assert_eq!(scan.table().record(logged.table.id), logged.table);
        logged.images.sort();
        for rows in chunks {
            let mut images = read(&scan, &mut session, *rows);
            images.sort();
            if images == logged.images {
                continue;
            }
            let missing = logged.images.iter().filter(|image| !images.contains(image));
            let other = images.iter().filter(|image| !logged.images.contains(image));
            differ.push(format!(
                "{name} by {rows}: {} rows, {} in the log; missing {:?}, other {:?}",
                images.len(),
                logged.images.len(),
                missing
                    .take(2)
                    .map(|i| String::from_utf8_lossy(i))
                    .collect::<Vec<_>>(),
                other
                    .take(2)
                    .map(|i| String::from_utf8_lossy(i))
                    .collect::<Vec<_>>(),
            ));
            break;
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

/// fidelity: type | every type at its corners, read by chunks of 1, 2, 3, 7 and 1000 rows | byte for byte what the log has
#[test]
fn corners_of_every_type_are_read_as_they_are_logged() {
    let server = server();
    let (tables, mut rows) = corners::corners(&server);
    // Images that lack columns have nothing to be compared with.
    rows.retain(|sql| !sql.contains("binlog_row_image"));
    server
        .sql(&format!(
            "CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS};\n{tables}"
        ))
        .expect("tables");
    let batches = fill(&server, &rows);
    equal(&server, &batches, &CHUNKS);
}

/// fidelity: type | random schemas, read by chunks: types, keys, character sets, generated and invisible columns, partitions, odd names | byte for byte what the log has
#[test]
fn random_rows_are_read_as_they_are_logged() {
    let server = server();
    let first = seed("random scans");
    for number in 0..if long() { 100 } else { 4 } {
        let tables = bulk_load::random_copies(&server, first + number, ROWS);
        if tables.is_empty() {
            continue;
        }
        server
            .sql("SET GLOBAL binlog_row_metadata = FULL")
            .expect("a setting");
        let copies: Vec<String> = tables.into_iter().map(|(_, copy)| copy).collect();
        let batches = fill(&server, &copies);
        println!("DATAIN_SEED={}", first + number);
        equal(&server, &batches, &CHUNKS);
    }
}
