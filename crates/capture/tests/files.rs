//! Files of a log, whole and damaged, without any server: what is whole is handed out, and every end that is none says so.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use datain_binlog::EventHeader;
use datain_capture::files::{FileBytes, FileReader, Statistics};
use datain_capture::reader::Settings;
use datain_contract::types::{Batch, Change, Error};

/// Written by MySQL 9.7, see crates/binlog/tests/data/make.sh.
const FILE: &[u8] = include_bytes!("../../binlog/tests/data/full-metadata.binlog");
/// The same server's next file, in which nothing happened.
const NEXT: &[u8] = include_bytes!("../../binlog/tests/data/full-metadata-next.binlog");
const NO_CHECKSUM: &[u8] = include_bytes!("../../binlog/tests/data/no-checksum-next.binlog");
const MYSQL_5_6: &[u8] = include_bytes!("../../binlog/tests/data/mysql-5.6-rows-v1.binlog");

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

/// The part of FILE that holds nothing that this version refuses (an XA transaction), with the Rotate event moved to its end.
fn whole() -> Vec<u8> {
    let ended = read(&[FILE]).ended;
    let Err(error) = ended else {
        return FILE.to_vec();
    };
    assert_eq!(error.code, "source.xa-unsupported");
    let begins = error.detail.unwrap();
    let at: usize = begins.rsplit(':').next().unwrap().parse().unwrap();
    FILE[..at].to_vec()
}

fn code(result: &Result<(), Error>) -> &str {
    result.as_ref().err().map_or("ok", |error| &error.code)
}

/// fidelity: file | several files in order | read as one stream, whatever the pieces in which their bytes come
#[test]
fn files_are_read_in_order_in_pieces_of_any_size() {
    let file = whole();
    let all = read(&[&file, NEXT]);
    assert_eq!(code(&all.ended), "ok");
    let found = transactions(&all);
    assert!(found.len() > 10, "{}", found.len());
    for step in [1, 7, 1000] {
        let again = read_with(&[&file, NEXT], false, step, 64 << 20);
        assert_eq!(transactions(&again), found);
    }
    let twice = read(&[&file, &file]);
    let names: Vec<_> = transactions(&twice).into_iter().map(|t| t.0).collect();
    assert_eq!(names.len(), 2 * found.len());
    assert!(names[..found.len()].iter().all(|name| name == "log.000001"));
    assert!(names[found.len()..].iter().all(|name| name == "log.000002"));
    assert_eq!(code(&read(&[NO_CHECKSUM]).ended), "ok");
}

/// fidelity: file | cut off at any byte | all whole transactions before the cut, then an error that names file and offset
#[test]
fn a_file_that_is_cut_anywhere_gives_what_is_whole_before() {
    let file = whole();
    let all = transactions(&read(&[&file]));
    let starts = offsets(&file);
    // Every boundary, its neighbours, and many places in between.
    let mut cuts: Vec<usize> = (0..200).collect();
    cuts.extend(
        starts
            .iter()
            .flat_map(|at| [at - 1, *at, at + 1, at + 18, at + 19, at + 20]),
    );
    cuts.extend((0..file.len()).step_by(997));
    cuts.retain(|cut| *cut < file.len());
    let mut codes = std::collections::BTreeMap::new();
    for cut in cuts {
        let found = read(&[&file[..cut]]);
        let whole: Vec<_> = transactions(&found);
        assert_eq!(whole, all[..whole.len()], "cut at {cut}");
        // What ended before the cut is there.
        let next = all.get(whole.len()).map_or(file.len() as u64, |t| t.1);
        let open = all.get(whole.len() + 1).map_or(file.len() as u64, |t| t.1);
        assert!(
            (cut as u64) < open,
            "cut at {cut}: the transaction at {next} is missing"
        );
        *codes.entry(code(&found.ended).to_owned()).or_insert(0) += 1;
        match &found.ended {
            Ok(()) => {
                assert!(starts.contains(&cut), "cut at {cut}: not between events");
                assert_eq!(found.warnings.len(), 1, "{:?}", found.warnings);
                assert!(
                    found.warnings[0].contains("cut off"),
                    "{:?}",
                    found.warnings
                );
            }
            Err(error) => {
                assert!(
                    error.code.starts_with("binlog.truncated"),
                    "cut at {cut}: {error:?}"
                );
                let position = error.position.as_deref().unwrap();
                let place: usize = position
                    .strip_prefix("log.000001:")
                    .unwrap()
                    .parse()
                    .unwrap();
                assert!(
                    place <= cut && error.hint.is_some(),
                    "cut at {cut}: {error:?}"
                );
                assert!(
                    place == 0 || starts.contains(&place),
                    "cut at {cut}: {error:?}"
                );
            }
        }
    }
    for expected in ["ok", "binlog.truncated", "binlog.truncated-transaction"] {
        assert!(codes.contains_key(expected), "{codes:?}");
    }
    // The end of a file that another one follows is no other end.
    let cut = *starts.last().unwrap() - 1;
    let error = read(&[&file[..cut], NEXT]).ended.unwrap_err();
    assert!(error.position.unwrap().starts_with("log.000001:"));
}

/// fidelity: file | a flipped byte, with checksums | found at the event in which it stands; nothing of its transaction is shown, everything before is
#[test]
fn a_flipped_byte_is_found_where_it_is() {
    let file = whole();
    let all = transactions(&read(&[&file]));
    let starts = offsets(&file);
    let mut places: Vec<usize> = (0..140).collect();
    places.extend((140..file.len()).step_by(611));
    let around = |at: &usize| (0..19).map(|i| at + i).collect::<Vec<_>>();
    places.extend(starts.iter().step_by(9).take(12).flat_map(around));
    for at in places.into_iter().filter(|at| *at < file.len()) {
        for mask in [0x01, 0x80] {
            let mut damaged = file.clone();
            damaged[at] ^= mask;
            let found = read(&[&damaged]);
            // The flag of a file in use belongs to no checksum: the server changes it in place.
            if at == 4 + 17 && mask == 1 {
                assert_eq!(code(&found.ended), "ok");
                continue;
            }
            let error = found
                .ended
                .as_ref()
                .expect_err(&format!("byte {at} of mask {mask}"));
            assert!(error.code.starts_with("binlog."), "byte {at}: {error:?}");
            let event = starts
                .iter()
                .rev()
                .find(|s| **s <= at)
                .copied()
                .unwrap_or(0);
            // A length that leads too far is found at its event too.
            assert_eq!(
                error.position.as_deref(),
                Some(&*format!("log.000001:{event}")),
                "byte {at}: {error:?}"
            );
            let whole = transactions(&found);
            assert_eq!(whole, all[..whole.len()], "byte {at}");
            assert!(whole.iter().all(|t| t.1 < at as u64), "byte {at}");
            let missing = all.get(whole.len()).map_or(file.len() as u64, |t| t.1);
            let after = all.get(whole.len() + 1).map_or(file.len() as u64, |t| t.1);
            assert!(
                event as u64 <= after,
                "byte {at}: the transaction at {missing} was whole"
            );
        }
    }
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

/// fidelity: file | encrypted, of another kind, or older than MySQL 5.0 | an error that says what it is
#[test]
fn what_is_no_readable_log_is_named() {
    let magic = |bytes: &[u8]| [&[0xfe, b'b', b'i', b'n'][..], bytes].concat();
    fails(&[0xfd, b'b', b'i', b'n', 1, 2, 3], "binlog.encrypted");
    fails(b"-- MySQL dump 10.13", "binlog.magic");
    fails(b"./binlog.000001\n", "binlog.magic");
    fails(b"xy", "binlog.magic");
    fails(b"", "binlog.truncated");
    fails(&[0xfd], "binlog.truncated");
    fails(&magic(&[]), "binlog.truncated");
    fails(&magic(&[0; 400]), "binlog.malformed");
    fails(&magic(&[0xff; 400]), "binlog.malformed");
    let event = |kind: u8, size: u32| {
        let mut event = vec![0, 0, 0, 0, kind, 1, 0, 0, 0];
        event.extend_from_slice(&size.to_le_bytes());
        event.resize(size as usize, 0);
        event
    };
    fails(&magic(&event(1, 69)), "binlog.version");
    fails(&magic(&event(2, 69)), "binlog.malformed");
    // MariaDB says in an event that the rest is encrypted.
    let first = offsets(FILE)[1];
    let mut encrypted = FILE[..first].to_vec();
    encrypted.extend_from_slice(&event(164, 40));
    encrypted.extend_from_slice(&[7; 100]);
    fails(&encrypted, "binlog.encrypted");
}

#[test]
fn an_event_that_is_not_known_ends_it_and_one_that_may_be_passed_over_does_not() {
    let first = offsets(NO_CHECKSUM)[1];
    let with = |flags: u8| {
        let mut file = NO_CHECKSUM[..first].to_vec();
        file.extend_from_slice(&[
            0, 0, 0, 0, 200, 1, 0, 0, 0, 21, 0, 0, 0, 0, 0, 0, 0, flags, 0, 9, 9,
        ]);
        file
    };
    let error = fails(&with(0), "binlog.unknown-event");
    assert_eq!(error.position, Some(format!("log.000001:{first}")));
    assert_eq!(code(&read(&[&with(0x80)]).ended), "ok");
    let counted = read_with(&[&with(0)], true, 1000, 1 << 20);
    assert_eq!(code(&counted.ended), "ok");
    assert_eq!(counted.counts.by_type[&200].events, 1);
}

#[test]
fn a_length_is_believed_only_as_far_as_bytes_come() {
    let first = offsets(FILE)[1];
    let claims = |size: u32, end: u32| {
        let mut file = FILE[..first].to_vec();
        file.extend_from_slice(&[0, 0, 0, 0, 30, 1, 0, 0, 0]);
        file.extend_from_slice(&size.to_le_bytes());
        file.extend_from_slice(&end.to_le_bytes());
        file.extend_from_slice(&[0; 100]);
        file
    };
    let end = |size: u32| u32::try_from(first).unwrap().wrapping_add(size);
    fails(&claims(0xffff_fff0, 17), "binlog.malformed");
    let large = 0xf000_0000;
    fails(&claims(large, end(large)), "binlog.event-too-large");
    fails(&claims(1000, end(1000)), "binlog.truncated");
    fails(&claims(1000, 17), "binlog.malformed");
    fails(&claims(18, end(18)), "binlog.malformed");
}

/// The events of a file as a replica puts them into its relay log. `at` is where the source's file begins anew after a reconnect, in events.
fn relay_log(file: &[u8], from: usize, to: usize) -> Vec<u8> {
    let starts = offsets(file);
    let own = |mut event: Vec<u8>| {
        // LOG_EVENT_RELAY_LOG_F; the checksum follows from it.
        event[17] |= 0x40;
        seal(event)
    };
    let format = file[starts[0]..starts[1]].to_vec();
    let mut log = file[..4].to_vec();
    log.extend(own(format.clone()));
    log.extend(own(file[starts[1]..starts[2]].to_vec()));
    // An artificial Rotate event: where the source's events that follow begin.
    let name = b"source.000007";
    let mut rotate = vec![0, 0, 0, 0, 4, 9, 0, 0, 0];
    rotate.extend_from_slice(&(19 + 8 + 13 + 4_u32).to_le_bytes());
    rotate.extend_from_slice(&[0, 0, 0, 0, 0x20, 0]);
    rotate.extend_from_slice(&(starts[from] as u64).to_le_bytes());
    rotate.extend_from_slice(name);
    rotate.extend_from_slice(&[0; 4]);
    log.extend(seal(rotate));
    let mut format = format;
    if from > 0 {
        // A copy for a replica that goes on in mid-file stands at no position.
        format[13..17].fill(0);
    }
    log.extend(seal(format));
    log.extend_from_slice(&file[starts[from.max(1)]..starts[to]]);
    let mut end = vec![0, 0, 0, 0, 4, 9, 0, 0, 0];
    end.extend_from_slice(&(19 + 8 + 5 + 4_u32).to_le_bytes());
    end.extend_from_slice(&[0, 0, 0, 0, 0x40, 0]);
    end.extend_from_slice(&4_u64.to_le_bytes());
    end.extend_from_slice(b"r.002");
    end.extend_from_slice(&[0; 4]);
    log.extend(seal(end));
    log
}

/// With the right checksum.
fn seal(mut event: Vec<u8>) -> Vec<u8> {
    let at = event.len() - 4;
    let mut body = event[..at].to_vec();
    if body[4] == 15 {
        body[17] &= !1;
    }
    let mut crc = 0xffff_ffff_u32;
    for byte in body {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    event[at..].copy_from_slice(&(!crc).to_le_bytes());
    event
}

/// fidelity: file | relay logs | the source's changes at the source's positions; a transaction may go on in the next relay log
#[test]
fn a_relay_log_is_read_as_the_source_s_log() {
    let file = whole();
    let starts = offsets(&file);
    let last = starts.len() - 1;
    let expected: Vec<_> = transactions(&read(&[&file]))
        .into_iter()
        .map(|t| ("source.000007".to_owned(), t.1, t.2))
        .collect();
    let found = read(&[&relay_log(&file, 0, last)]);
    assert_eq!(code(&found.ended), "ok");
    assert_eq!(transactions(&found), expected);
    assert_eq!(found.warnings, Vec::<String>::new());

    // A replica that lost its source in the middle of a transaction goes on with the rest of it, in its next relay log.
    let middle = (1..last)
        .find(|event| {
            let kind = file[starts[*event] + 4];
            kind == 30 && *event > last / 2
        })
        .unwrap();
    let parts = [relay_log(&file, 0, middle), relay_log(&file, middle, last)];
    let found = read(&[&parts[0], &parts[1]]);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!(transactions(&found), expected);
    // The first part alone is not whole.
    let error = fails(&parts[0], "binlog.truncated-transaction");
    assert!(error.hint.unwrap().contains("next relay log"));

    // By GTID it is sent the whole transaction again.
    let begins = (1..middle)
        .rev()
        .find(|e| matches!(file[starts[*e] + 4], 33 | 42))
        .unwrap();
    let again = relay_log(&file, begins, last);
    let found = read(&[&parts[0], &again]);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!(transactions(&found), expected);

    // Damage is told by the place in the relay log itself.
    let mut damaged = relay_log(&file, 0, last);
    let at = damaged.len() / 2;
    damaged[at] ^= 1;
    let event = *offsets(&relay_log(&file, 0, last))
        .iter()
        .rev()
        .find(|s| **s <= at)
        .unwrap();
    let error = fails(&damaged, "binlog.checksum");
    assert_eq!(error.position, Some(format!("log.000001:{event}")));
}

/// fidelity: file | --stats | events and bytes by type, and whole transactions, as the file holds them
#[test]
fn events_are_counted_without_looking_at_rows() {
    let starts = offsets(FILE);
    let mut expected = std::collections::BTreeMap::<u8, (u64, u64)>::new();
    for pair in starts.windows(2) {
        let count = expected.entry(FILE[pair[0] + 4]).or_default();
        count.0 += 1;
        count.1 += (pair[1] - pair[0]) as u64;
    }
    let gtids = expected.get(&33).map_or(0, |c| c.0) + expected.get(&42).map_or(0, |c| c.0);
    let found = read_with(&[FILE], true, 4096, 64 << 20);
    assert_eq!(code(&found.ended), "ok");
    let counted: std::collections::BTreeMap<_, _> = found
        .counts
        .by_type
        .iter()
        .map(|(code, count)| (*code, (count.events, count.bytes)))
        .collect();
    assert_eq!(counted, expected);
    assert_eq!(found.counts.transactions, gtids);
    assert!(found.batches.is_empty());
    // Without Gtid events the transactions are told by their ends.
    let old = read_with(&[MYSQL_5_6], true, 4096, 64 << 20);
    assert_eq!(code(&old.ended), "ok");
    let printed = read(&[MYSQL_5_6]);
    assert_eq!(code(&printed.ended), "ok", "{:?}", printed.ended);
    assert_eq!(old.counts.transactions, transactions(&printed).len() as u64);
    // Damage ends the counting too, after what was counted.
    let mut damaged = FILE.to_vec();
    damaged[starts[20] + 25] ^= 1;
    let found = read_with(&[&damaged], true, 4096, 64 << 20);
    assert_eq!(code(&found.ended), "binlog.checksum");
    assert_eq!(
        found.counts.by_type.values().map(|c| c.events).sum::<u64>(),
        20
    );
    let cut = read_with(&[&FILE[..starts[20]]], true, 4096, 64 << 20);
    let inside = cut.counts.is_inside();
    assert_eq!(code(&cut.ended) == "binlog.truncated-transaction", inside);
}

/// An event of a file without checksums.
fn plain(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut event = vec![0, 0, 0, 0x60, kind, 1, 0, 0, 0];
    event.extend_from_slice(&u32::try_from(19 + body.len()).unwrap().to_le_bytes());
    event.extend_from_slice(&[0; 6]);
    event.extend_from_slice(body);
    event
}

fn query(sql: &str) -> Vec<u8> {
    let mut body = vec![0; 8];
    body.extend_from_slice(&[1, 0, 0, 0, 0]);
    body.extend_from_slice(b"d\0");
    body.extend_from_slice(sql.as_bytes());
    plain(2, &body)
}

fn statements(read: &Read) -> Vec<Vec<String>> {
    let records = read.batches.iter().flat_map(|b| &b.transactions);
    records
        .filter(|t| !t.changes.is_empty())
        .map(|t| {
            let changes = t.changes.iter().map(|change| match change {
                Change::Statement(s) => String::from_utf8(s.sql.clone()).unwrap(),
                other => format!("{other:?}"),
            });
            changes.collect()
        })
        .collect()
}

/// fidelity: file | statement-format changes of rows, with Intvar, Rand and User_var events | printed as statements; live replication refuses them
#[test]
fn statements_that_change_rows_are_shown_with_what_they_depend_on() {
    let first = offsets(NO_CHECKSUM)[1];
    let mut file = NO_CHECKSUM[..first].to_vec();
    let mut user_var = vec![2, 0, 0, 0, b'a', b'`', 0, 0];
    user_var.extend_from_slice(&255_u32.to_le_bytes());
    user_var.extend_from_slice(&[1, 0, 0, 0, b'x', 0]);
    let intvar = [&[2][..], &7_u64.to_le_bytes()].concat();
    let seeds = [3_u64.to_le_bytes(), 4_u64.to_le_bytes()].concat();
    for event in [
        query("BEGIN"),
        plain(5, &intvar),
        plain(13, &seeds),
        plain(14, &user_var),
        query("INSERT INTO t VALUES (NULL, RAND(), @a)"),
        query("SAVEPOINT s"),
        query("UPDATE t SET a = 1"),
        query("COMMIT"),
        query("INSERT INTO m VALUES (1)"),
        query("BEGIN"),
        query("DELETE FROM m"),
        query("ROLLBACK"),
        query("CREATE TABLE c (a INT)"),
    ] {
        file.extend_from_slice(&event);
    }
    let found = read(&[&file]);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!(
        statements(&found),
        [
            &[
                "SET INSERT_ID = 7",
                "SET RAND_SEED1 = 3, RAND_SEED2 = 4",
                "SET @`a``` = X'78' /* collation 255 */",
                "INSERT INTO t VALUES (NULL, RAND(), @a)",
                "UPDATE t SET a = 1",
            ][..],
            &["INSERT INTO m VALUES (1)"],
            &["DELETE FROM m", "ROLLBACK"],
            &["CREATE TABLE c (a INT)"],
        ]
    );
}

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
