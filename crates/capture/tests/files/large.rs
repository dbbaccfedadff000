//! Files and events that are larger than memory.

use datain_capture::files::{FileBytes, FileReader};
use datain_capture::reader::Settings;
use datain_contract::types::{Change, Error};

use crate::relay::relay_log;
use crate::{
    Memory, NO_CHECKSUM, Read, code, log, now, offsets, plain, query, read_with, transactions,
};

/// A file of more than 4 GiB that is never all in memory: the events of `head`, then so many large ones that may be passed over, then those of `tail`.
struct Large {
    head: Vec<u8>,
    fillers: u64,
    filler: Vec<u8>,
    tail: Vec<u8>,
}

impl FileBytes for Large {
    async fn read(&mut self, _: usize, to: &mut Vec<u8>) -> Result<usize, Error> {
        let part = if !self.head.is_empty() {
            std::mem::take(&mut self.head)
        } else if self.fillers > 0 {
            self.fillers -= 1;
            to.extend_from_slice(&self.filler);
            return Ok(self.filler.len());
        } else {
            std::mem::take(&mut self.tail)
        };
        to.extend_from_slice(&part);
        Ok(part.len())
    }
}

/// fidelity: file | over 4 GiB | offsets have 64 bits; the file is read as a stream
#[test]
fn offsets_go_on_past_4_gib() {
    const FILLER: usize = 16 << 20;
    const FILLERS: u64 = 257;
    let first = offsets(NO_CHECKSUM)[1];
    let mut filler = plain(28, &vec![0; FILLER - 19]);
    filler[17] = 0x80;
    let begins = first as u64 + FILLERS * FILLER as u64;
    let large = Large {
        head: NO_CHECKSUM[..first].to_vec(),
        fillers: FILLERS,
        filler,
        tail: [
            query("BEGIN"),
            query("DELETE FROM t"),
            query("COMMIT"),
            plain(2, &[1]),
        ]
        .concat(),
    };
    let settings: Settings = serde_json::from_str("{\"stream\": \"s\", \"server_id\": 1}").unwrap();
    let mut reader = FileReader::open(large, vec!["large".to_owned()], &settings, false).unwrap();
    let batch = now(reader.next_batch(1 << 20, |_, _| {})).unwrap().unwrap();
    let found = &batch.transactions[0];
    assert!(begins > 1 << 32);
    assert_eq!((found.offset, found.changes.len()), (begins, 1));
    // An error has such an offset too.
    let error = now(reader.next_batch(1 << 20, |_, _| {})).unwrap_err();
    let place = begins
        + (query("BEGIN").len() + query("DELETE FROM t").len() + query("COMMIT").len()) as u64;
    assert_eq!(error.position, Some(format!("large:{place}")));
}

/// Rows of a table `d.t` with one LONGBLOB, of so many bytes each.
fn inserts(lengths: &[u32], log_pos: usize) -> Vec<u8> {
    let mut body = b"\x07\0\0\0\0\0\0\0\x02\0\x01\xff".to_vec();
    for length in lengths {
        body.push(0);
        body.extend(length.to_le_bytes());
        body.extend(std::iter::repeat_n(7, *length as usize));
    }
    let end = log_pos + 19 + body.len() + 4;
    log::event(30, 0, u32::try_from(end).unwrap(), &body)
}

/// The event with the position of its end, if it begins there.
fn placed(event: &[u8], at: usize) -> Vec<u8> {
    let mut event = event.to_vec();
    let end = u32::try_from(at + event.len()).unwrap();
    event[13..17].copy_from_slice(&end.to_le_bytes());
    log::seal(&mut event);
    event
}

/// A file with a small transaction and one with these rows in one event, and where that event begins.
fn with_rows(lengths: &[u32]) -> (Vec<u8>, usize) {
    let all = log::events();
    let first = |code: u8| all.iter().find(|event| event[4] == code).unwrap();
    let begin = all
        .iter()
        .find(|event| event[4] == 2 && event.windows(5).any(|bytes| bytes == b"BEGIN"))
        .unwrap();
    let map = log::event(
        19,
        0,
        0,
        b"\x07\0\0\0\0\0\x01\0\x01d\0\x01t\0\x01\xfc\x01\x04\x01",
    );
    let end = log::event(16, 0, 0, &[0; 8]);
    let mut file = [&log::FILE[..4], first(15)].concat();
    let mut place = 0;
    for rows in [&[9][..], lengths] {
        for event in [first(33), begin, &map[..]] {
            file.extend(placed(event, file.len()));
        }
        place = file.len();
        file.extend(inserts(rows, place));
        file.extend(placed(&end, file.len()));
    }
    (file, place)
}

fn rows(read: &Read) -> u64 {
    let records = read.batches.iter().flat_map(|batch| &batch.transactions);
    let counts = records
        .flat_map(|record| &record.changes)
        .map(|change| match change {
            Change::Rows(set) => u64::from(set.count),
            Change::Statement(_) => 0,
        });
    counts.sum()
}

const LIMIT: u64 = 1 << 20;

/// fidelity: file | row events over twice limits.max_row_mib | come in pieces, as in a dump
#[test]
fn a_rows_event_over_every_limit_comes_row_by_row() {
    let (file, place) = with_rows(&[1000; 12_000]);
    assert!(file.len() - place > 11 << 20);
    for step in [1 << 10, 64 << 10, 1 << 24] {
        let found = read_with(&[&file], false, step, LIMIT);
        assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
        assert_eq!(rows(&found), 12_001);
        assert_eq!(transactions(&found).len(), 2);
        let largest = found.batches.iter().map(|batch| batch.rows.len()).max();
        assert!(largest.unwrap() < 2 << 20, "{largest:?}");
    }
    // The first rows are there before the event is.
    let memory = Memory {
        files: vec![file.clone()],
        at: (0, 0),
        step: 64 << 10,
    };
    let settings: Settings = serde_json::from_str("{\"stream\": \"s\", \"server_id\": 1}").unwrap();
    let mut reader = FileReader::open(memory, vec!["l".to_owned()], &settings, false).unwrap();
    for batch in 1..5_u64 {
        now(reader.next_batch(1 << 20, |_, _| {})).unwrap().unwrap();
        let read = reader.progress().counts.bytes;
        assert!(read < (batch + 3) << 20, "batch {batch}: {read} bytes");
    }
    // The same from a relay log, at the source's positions.
    let expected: Vec<_> = transactions(&read_with(&[&file], false, 5000, LIMIT))
        .into_iter()
        .map(|t| ("source.000007".to_owned(), t.1, t.2))
        .collect();
    let relay = relay_log(&file, 0, offsets(&file).len() - 1);
    let found = read_with(&[&relay], false, 5000, LIMIT);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!((transactions(&found), rows(&found)), (expected, 12_001));
    // Counted, whatever its size.
    let found = read_with(&[&file], true, 5000, LIMIT);
    assert_eq!(code(&found.ended), "ok");
    assert_eq!(found.counts.by_type[&30].events, 2);
    let sizes = file.len() - place + 40;
    assert!(found.counts.by_type[&30].bytes < sizes as u64);
    assert_eq!(found.counts.transactions, 2);
}

#[test]
fn a_row_over_the_limit_ends_it_at_its_event() {
    let (file, place) = with_rows(&[10, 9 << 20, 10]);
    let found = read_with(&[&file], false, 64 << 10, LIMIT);
    let error = found.ended.as_ref().unwrap_err();
    assert_eq!(error.code, "row-too-large", "{error:?}");
    assert_eq!(error.position, Some(format!("log.000001:{place}")));
    assert_eq!(error.table.as_deref(), Some("d.t"));
    assert!(error.gtid.is_some() && error.hint.is_some(), "{error:?}");
    assert_eq!(rows(&found), 1, "what is whole before it");
    let counted = read_with(&[&file], true, 64 << 10, LIMIT);
    assert_eq!(code(&counted.ended), "ok", "nothing of it is held");
}

/// fidelity: file | a large row event that is damaged or cut off | an error at the event; never its transaction's end
#[test]
fn damage_in_a_large_event_is_found_at_its_end() {
    let (file, place) = with_rows(&[1000; 4000]);
    let end = offsets(&file)[offsets(&file).len() - 2];
    for (count, step) in [
        (false, 64 << 10),
        (true, 64 << 10),
        (false, 999),
        (true, 999),
    ] {
        for byte in [place + 40, place + (2 << 20), end - 5, end - 1] {
            let mut damaged = file.clone();
            damaged[byte] ^= 0x80;
            let found = read_with(&[&damaged], count, step, LIMIT);
            let error = found.ended.as_ref().unwrap_err();
            assert_eq!(error.code, "binlog.checksum", "byte {byte}: {error:?}");
            assert_eq!(error.position, Some(format!("log.000001:{place}")));
            assert!(count || transactions(&found).len() == 1);
        }
        for cut in [place + 19, place + 100, place + (3 << 20), end - 1] {
            let found = read_with(&[&file[..cut]], count, step, LIMIT);
            let error = found.ended.as_ref().unwrap_err();
            assert_eq!(error.code, "binlog.truncated", "cut at {cut}: {error:?}");
            assert_eq!(error.position, Some(format!("log.000001:{place}")));
            let there = format!("{} are in the file", cut - place);
            assert!(error.detail.as_ref().unwrap().contains(&there), "{error:?}");
            assert!(count || transactions(&found).len() == 1);
        }
    }
}

#[test]
fn a_statement_is_held_up_to_the_limit_of_a_row() {
    let first = offsets(NO_CHECKSUM)[1];
    let statement = |bytes: usize| {
        let mut file = NO_CHECKSUM[..first].to_vec();
        file.extend(query("CREATE TABLE c (a INT)"));
        file.extend(query(&format!("DO '{}'", "x".repeat(bytes))));
        file
    };
    for count in [false, true] {
        let found = read_with(&[&statement(3 << 20)], count, 5000, 4 << 20);
        assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
        let seen = found.counts.transactions + transactions(&found).len() as u64;
        assert_eq!(seen, 2);
        let found = read_with(&[&statement(3 << 20)], count, 5000, LIMIT);
        assert_eq!(code(&found.ended), "binlog.event-too-large");
        let error = found.ended.unwrap_err();
        let at = first + query("CREATE TABLE c (a INT)").len();
        assert_eq!(error.position, Some(format!("log.000001:{at}")));
        assert!(error.hint.unwrap().contains("limits.max_row_mib"));
    }
}
