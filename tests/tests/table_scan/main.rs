//! Tables read chunk by chunk: their rows are byte for byte what the log has for them.

#[path = "../loading/corners.rs"]
mod corners;
mod documents;
mod images;
mod key_types;
mod keys;
mod reads;

use datain_contract::types::Batch;
use datain_tests::bulk_load;
use datain_tests::seed::{long, seed};
use datain_throwaway_servers::{Flavor, Server};
use images::{logged, read, scan, session, with_normal_documents};

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

/// What the documents of a test are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Documents {
    /// Such that their bytes are known.
    Chosen,
    /// With DECIMALs of any origin, and changed in place.
    Random,
}

/// Holds what a scan reads against the log.
fn equal(server: &Server, batches: &[Batch], chunks: &[u32]) {
    equal_with(server, batches, chunks, Documents::Chosen);
}

fn equal_with(server: &Server, batches: &[Batch], chunks: &[u32], documents: Documents) {
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
            let kinds = scan.table().kinds();
            if documents == Documents::Random {
                let normal = |images: &[Vec<u8>]| -> Vec<Vec<u8>> {
                    let mut images: Vec<Vec<u8>> = images
                        .iter()
                        .map(|image| with_normal_documents(&kinds, image))
                        .collect();
                    images.sort();
                    images
                };
                if normal(&images) == normal(&logged.images) {
                    continue;
                }
            }
            let missing = logged.images.iter().filter(|image| !images.contains(image));
            let other = images.iter().filter(|image| !logged.images.contains(image));
            differ.push(format!(
                "{name} by {rows}: {} rows, {} in the log; missing {:?}, other {:?}",
                images.len(),
                logged.images.len(),
                beginnings(missing),
                beginnings(other),
            ));
            break;
        }
    }
    assert!(differ.is_empty(), "{differ:#?}");
}

/// What two of them begin with.
fn beginnings<'a>(images: impl Iterator<Item = &'a Vec<u8>>) -> Vec<String> {
    let beginning = |image: &Vec<u8>| image[..image.len().min(300)].escape_ascii().to_string();
    images.take(2).map(beginning).collect()
}

/// Every type at its corners, read by chunks of 1, 2, 3, 7 and 1000 rows: byte for byte what the log has.
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
    let batches = bulk_load::fill(&server, ROWS, &rows);
    equal(&server, &batches, &CHUNKS);
}

/// Random schemas, read by chunks: types, keys, character sets, generated and invisible columns, partitions, odd names: byte for byte what the log has.
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
        let batches = bulk_load::fill(&server, ROWS, &copies);
        println!("DATAIN_SEED={}", first + number);
        equal_with(&server, &batches, &CHUNKS, Documents::Random);
    }
}

/// The oldest server that can be a source: its table maps say less, its rows are the same.
#[test]
fn an_old_source() {
    let server = Server::builder(Flavor::Mysql56).start().expect("a server");
    server
        .sql(&format!(
            "CREATE DATABASE {ROWS} CHARACTER SET utf8mb4; USE {ROWS}; \
             CREATE TABLE t (a TINYINT UNSIGNED, f FLOAT, d DOUBLE(10,3), n DECIMAL(10,4) ZEROFILL, b BIT(9), y YEAR, dt DATE, t TIME(3), ts TIMESTAMP(2) NULL, c CHAR(9), v VARCHAR(30) CHARACTER SET utf8, \
             e ENUM('x','y'), s SET('p','q'), bi BINARY(4), bl BLOB, g GEOMETRY, k VARCHAR(9) CHARACTER SET utf8 NOT NULL, k2 ENUM('b','a') NOT NULL, PRIMARY KEY (k2, k)) CHARACTER SET latin1; \
             CREATE TABLE u (a INT NOT NULL, b INT NOT NULL, UNIQUE KEY z (b), UNIQUE KEY y (a))"
        ))
        .expect("tables");
    let before = bulk_load::executed(&server);
    server
        .sql(&format!(
            "SET NAMES utf8; SET sql_mode = ''; USE {ROWS}; \
             INSERT INTO t VALUES (255, 0.3, 1.5, 1.25, 300, 2020, '0000-00-00', '-12:34:56.789', '2020-01-01 00:00:00.25', 'ä ', 'ü', 2, 3, 'a', X'00FF', GeomFromText('POINT(1 2)'), 'a', 1), \
             (NULL, -0e0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'ä1', 1), \
             (0, 1e-45, 0, 0, 0, 0, '2020-00-00', '838:59:59', '1970-01-02', '', '', 0, 0, '', '', NULL, 'B', 2), \
             (0, 3e38, 0, 0, 0, 1901, '9999-12-31', '00:00:00', '2038-01-18', 'x', 'y', 1, 1, 'abcd', '', NULL, 'c', 2); \
             INSERT INTO u VALUES (1, 9), (2, 8), (3, 7)"
        ))
        .expect("rows");
    let mut session = session(&server);
    let logged = logged(&bulk_load::inserts_since(&server, &before));
    assert_eq!(logged.len(), 2);
    for logged in logged {
        let scan = scan(&mut session, ROWS, &logged.table.name);
        let record = scan.table().record(logged.table.id);
        for (ours, theirs) in record.columns.iter().zip(&logged.table.columns) {
            assert_eq!(
                (ours.kind, ours.length, ours.scale),
                (theirs.kind, theirs.length, theirs.scale)
            );
        }
        let mut wanted = logged.images;
        wanted.sort();
        for rows in CHUNKS {
            let mut images = read(&scan, &mut session, rows);
            images.sort();
            assert!(images == wanted, "{} by {rows}", logged.table.name);
        }
    }
}
