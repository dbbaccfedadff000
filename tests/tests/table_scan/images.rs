//! Row images: as the log has them, and as a scan reads them.

use std::collections::BTreeMap;

use datain_binary_json::{Document, Scalar, Token, encode};
use datain_contract::types::{Batch, Table};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session};
use datain_row_block::{
    Bitmap, ColumnKind, Operation, RowSetReader, Value, open_block, read_image,
};
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

/// An image whose documents are written anew, so that it does not matter where their DECIMALs come from, nor whether they were changed in place.
pub fn with_normal_documents(kinds: &[ColumnKind], image: &[u8]) -> Vec<u8> {
    let ones = vec![0xff; Bitmap::bytes_for(kinds.len())];
    let present = Bitmap::new(&ones, kinds.len()).expect("a bitmap");
    let mut offsets = Vec::new();
    let read = read_image(kinds, present, image, &mut offsets).expect("an image");
    let mut out = image[..Bitmap::bytes_for(kinds.len())].to_vec();
    for (column, kind) in kinds.iter().enumerate() {
        match (kind, read.get(column), read.raw(column)) {
            (ColumnKind::Json, Some(Value::Bytes(document)), _) => {
                let document = Document::new(document);
                let text = document.to_text().expect("a document");
                encode::write_from_text(&text, &types(&document), &mut out).expect("a text");
            }
            (_, _, Some(Some(value))) => out.extend_from_slice(value),
            _ => {}
        }
    }
    out
}

struct Node {
    letter: u8,
    children: Vec<Node>,
}

/// The letters of all values of a document.
fn types(document: &Document<'_>) -> Vec<u8> {
    let mut open: Vec<Node> = vec![Node {
        letter: 0,
        children: Vec::new(),
    }];
    for token in document.tokens() {
        let letter = match *token.as_ref().expect("a document") {
            Token::Key(_) => continue,
            Token::StartObject(_) | Token::StartArray(_) => {
                let letter = if matches!(token, Ok(Token::StartObject(_))) {
                    b'{'
                } else {
                    b'['
                };
                open.push(Node {
                    letter,
                    children: Vec::new(),
                });
                continue;
            }
            Token::EndObject | Token::EndArray => {
                let ended = open.pop().expect("it was begun");
                open.last_mut().expect("its parent").children.push(ended);
                continue;
            }
            Token::Scalar(scalar) => match scalar {
                Scalar::Null => b'n',
                Scalar::Bool(_) => b'b',
                Scalar::Int(_) => b'i',
                Scalar::Uint(_) => b'u',
                Scalar::Double(_) => b'd',
                Scalar::String(_) => b's',
                Scalar::Opaque(opaque) => match opaque.type_code {
                    246 => b'D',
                    10 => b'a',
                    11 => b't',
                    12 => b'A',
                    7 => b'T',
                    _ => b'o',
                },
            },
        };
        open.last_mut().expect("its parent").children.push(Node {
            letter,
            children: Vec::new(),
        });
    }
    let root = &open[0].children[0];
    let mut lists = [vec![root.letter], Vec::new(), Vec::new()];
    visit(root, &mut lists);
    lists.concat()
}

fn visit(node: &Node, lists: &mut [Vec<u8>; 3]) {
    let list = if node.letter == b'{' { 1 } else { 2 };
    lists[list].extend(node.children.iter().map(|child| child.letter));
    node.children.iter().for_each(|child| visit(child, lists));
}
