//! Row images: as the log has them, and as a scan reads them.

use std::collections::BTreeMap;

use datain_contract::types::{Batch, Table};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session};
use datain_row_block::{ColumnKind, Operation, RowSetReader, open_block};
use datain_table_scan::{ChunkEnd, ChunkLimits, Reading, TableDefinition, TableScan, prepare};
use datain_tests::bulk_load;
pub use datain_tests::bulk_load::Root;
use datain_throwaway_servers::{ROOT_PASSWORD, Server};

/// What the log says of a table: its record, and the images of the rows that were inserted.
pub struct Logged {
    pub table: Table,
    pub images: Vec<Vec<u8>>,
}

/// By table, in the order of their names.
pub fn logged(batches: &[Batch]) -> Vec<Logged> {
    let mut tables: BTreeMap<String, Logged> = BTreeMap::new();
    for (table, set, block) in bulk_load::row_sets(batches) {
        let kinds: Vec<ColumnKind> = table
            .columns
            .iter()
            .map(|column| ColumnKind::try_from(column.kind).expect("a kind"))
            .collect();
        let entry = tables.entry(table.name.clone());
        let logged = entry.or_insert_with(|| Logged {
            table: table.clone(),
            images: Vec::new(),
        });
        let bytes = open_block(block, set.offset, set.length).expect("a row set");
        let mut reader =
            RowSetReader::new(&kinds, Operation::Insert, set.count, bytes).expect("a row set");
        while let Some(row) = reader.next_row().expect("a row") {
            let image = row.after.expect("an image");
            assert!(image.values().all(|v| v.is_some()), "{}", table.name);
            logged.images.push(image.as_bytes().to_vec());
        }
    }
    tables.into_values().collect()
}

/// A session that reads tables.
pub fn session(server: &Server) -> Root {
    let stream = BlockingStream::unix(server.socket()).expect("the server's socket");
    let options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    let mut session = block_on(Session::connect(stream, &options)).expect("a login");
    block_on(prepare(&mut session)).expect("settings");
    session
}

/// A table's definition, ready to be read.
pub fn scan(session: &mut Root, schema: &str, name: &str) -> TableScan {
    let table = block_on(TableDefinition::ask(session, schema, name));
    let table = table.expect("a definition").expect("a table");
    let version = session.server_version().clone();
    TableScan::new(table, &version).expect("a scan")
}

/// The next chunk.
pub fn chunk(
    scan: &TableScan,
    session: &mut Root,
    after: Option<&[u8]>,
    limits: ChunkLimits,
    reading: Reading,
) -> (Vec<Vec<u8>>, ChunkEnd) {
    block_on(async {
        let mut chunk = scan.open(session, after, limits, reading).await?;
        let mut rows = Vec::new();
        let mut out = Vec::new();
        while chunk.next_row(session, &mut out).await? {
            rows.push(std::mem::take(&mut out));
        }
        assert!(out.is_empty());
        Ok::<_, datain_contract::types::Error>((rows, chunk.end()))
    })
    .unwrap_or_else(|e| {
        panic!(
            "{e:?}: {:?}",
            scan.sql(after, Some(limits), reading)
                .map(|sql| sql.split_once(" FROM `").map(|s| s.1.to_owned()))
        )
    })
}

/// All rows, by chunks of so many.
pub fn read(scan: &TableScan, session: &mut Root, rows: u32) -> Vec<Vec<u8>> {
    let limits = ChunkLimits {
        rows,
        bytes: usize::MAX,
    };
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let (rows, end) = chunk(scan, session, after.as_deref(), limits, Reading::Consistent);
        assert_eq!(rows.len() as u64, end.rows);
        assert_eq!(rows.iter().map(Vec::len).sum::<usize>(), end.bytes);
        assert!(!end.session_is_spent);
        all.extend(rows);
        if end.is_last {
            return all;
        }
        after = end.last_key.or(after);
    }
}
