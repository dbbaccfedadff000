//! Files of a log without any server: in order (`order`), damaged (`damage`), large (`large`), relay logs (`relay`), with statements (`statements`), and counted (`counting`).

#![allow(clippy::unwrap_used, reason = "a test")]

mod counting;
mod damage;
mod large;
#[path = "../log/mod.rs"]
mod log;
mod order;
mod relay;
mod statements;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use datain_binlog::EventHeader;
use datain_capture::files::{FileBytes, FileReader, Statistics};
use datain_capture::reader::Settings;
use datain_contract::types::{Batch, Error};

/// Written by MySQL 9.7, see crates/binlog/tests/data/make.sh.
const FILE: &[u8] = include_bytes!("../../../binlog/tests/data/full-metadata.binlog");
/// The same server's next file, in which nothing happened.
const NEXT: &[u8] = include_bytes!("../../../binlog/tests/data/full-metadata-next.binlog");
const NO_CHECKSUM: &[u8] = include_bytes!("../../../binlog/tests/data/no-checksum-next.binlog");
const MYSQL_5_6: &[u8] = include_bytes!("../../../binlog/tests/data/mysql-5.6-rows-v1.binlog");

/// Files in memory, handed out in pieces of `step` bytes.
struct Memory {
    files: Vec<Vec<u8>>,
    at: (usize, usize),
    step: usize,
}

impl FileBytes for Memory {
    async fn read(&mut self, file: usize, to: &mut Vec<u8>) -> Result<usize, Error> {
        if self.at.0 != file {
            self.at = (file, 0);
        }
        let rest = &self.files[file][self.at.1..];
        let part = &rest[..rest.len().min(self.step)];
        to.extend_from_slice(part);
        self.at.1 += part.len();
        Ok(part.len())
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("memory never waits"),
    }
}

struct Read {
    batches: Vec<Batch>,
    ended: Result<(), Error>,
    counts: Statistics,
    warnings: Vec<String>,
}

fn read_with(files: &[&[u8]], count: bool, step: usize, max_row_bytes: u64) -> Read {
    let memory = Memory {
        files: files.iter().map(|f| f.to_vec()).collect(),
        at: (0, 0),
        step,
    };
    let names = (1..=files.len()).map(|n| format!("log.{n:06}")).collect();
    let settings: Settings = serde_json::from_str(&format!(
        "{{\"stream\": \"s\", \"server_id\": 1, \"max_row_bytes\": {max_row_bytes}}}"
    ))
    .unwrap();
    let mut reader = FileReader::open(memory, names, &settings, count).unwrap();
    let mut read = Read {
        batches: Vec::new(),
        ended: Ok(()),
        counts: Statistics::default(),
        warnings: Vec::new(),
    };
    loop {
        let counts = &mut read.counts;
        match now(reader.next_batch(1 << 20, |_, found| counts.clone_from(found))) {
            Ok(Some(batch)) => read.batches.push(batch),
            Ok(None) => break,
            Err(error) => {
                read.ended = Err(error);
                break;
            }
        }
    }
    read.warnings = reader.take_warnings();
    assert_eq!(reader.is_at_end(), read.ended.is_ok());
    read
}

fn read(files: &[&[u8]]) -> Read {
    read_with(files, false, 64 << 10, 64 << 20)
}

/// Whole transactions in the order in which they were handed out: place and number of changes.
fn transactions(read: &Read) -> Vec<(String, u64, usize)> {
    let records = read.batches.iter().flat_map(|batch| &batch.transactions);
    // A record without changes may only say that another file begins.
    records
        .filter(|t| t.last && !t.changes.is_empty())
        .map(|t| (t.file.clone(), t.offset, t.changes.len()))
        .collect()
}

/// Offsets of all events, and the file's length.
fn offsets(file: &[u8]) -> Vec<usize> {
    let mut at = 4;
    let mut found = vec![at];
    while at < file.len() {
        at += EventHeader::parse(&file[at..]).unwrap().event_size as usize;
        found.push(at);
    }
    found
}

fn code(result: &Result<(), Error>) -> &str {
    result.as_ref().err().map_or("ok", |error| &error.code)
}

fn fails(file: &[u8], expected: &str) -> Error {
    let error = read(&[file]).ended.unwrap_err();
    assert_eq!(error.code, expected, "{error:?}");
    assert!(
        error.hint.is_some() && error.position.is_some(),
        "{error:?}"
    );
    error
}

/// An event of a file without checksums.
fn plain(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut event = vec![0, 0, 0, 0x60, kind, 1, 0, 0, 0];
    event.extend_from_slice(&u32::try_from(19 + body.len()).unwrap().to_le_bytes());
    event.extend_from_slice(&[0; 6]);
    event.extend_from_slice(body);
    event
}

/// A statement in such a file.
fn query(sql: &str) -> Vec<u8> {
    let mut body = vec![0; 8];
    body.extend_from_slice(&[1, 0, 0, 0, 0]);
    body.extend_from_slice(b"d\0");
    body.extend_from_slice(sql.as_bytes());
    plain(2, &body)
}
