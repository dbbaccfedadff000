//! Events in pieces of every size give the same rows and events as whole ones; what is damaged ends in an error.

use datain_binlog::{
    BinlogFile, ChecksumAlgorithm, Event, EventBody, EventHeader, EventParts, FormatDescription,
    Part, TableColumns,
};
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

const TRANSACTION_PAYLOAD: u8 = 40;
const LIMIT: usize = 64 << 20;

/// Written by MySQL 9.7, see data/make.sh.
const FILE: &[u8] = include_bytes!("data/full-metadata.binlog");

/// An event of these bytes, with its header and, if wanted, its checksum.
fn event(type_code: u8, flags: u16, body: &[u8], checksum: ChecksumAlgorithm) -> Vec<u8> {
    let tail = match checksum {
        ChecksumAlgorithm::Crc32 => 4,
        ChecksumAlgorithm::Off => 0,
    };
    let mut event = vec![0; EventHeader::LEN];
    event[4] = type_code;
    event[9..13].copy_from_slice(&((EventHeader::LEN + body.len() + tail) as u32).to_le_bytes());
    event[17..19].copy_from_slice(&flags.to_le_bytes());
    event.extend_from_slice(body);
    if tail > 0 {
        let sum = crc32fast::hash(&event);
        event.extend_from_slice(&sum.to_le_bytes());
    }
    event
}

/// A length-encoded integer of 8 bytes.
fn number(value: u64) -> Vec<u8> {
    [&[0xfe][..], &value.to_le_bytes()].concat()
}

/// The body of a Transaction_payload event.
fn payload(kind: u8, uncompressed: u64, data: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in [
        (
            2,
            if kind == 255 {
                vec![0xfc, 255, 0]
            } else {
                vec![kind]
            },
        ),
        (3, number(uncompressed)),
        (1, number(data.len() as u64)),
    ] {
        body.push(field);
        body.push(value.len() as u8);
        body.extend(value);
    }
    body.push(0);
    body.extend_from_slice(data);
    body
}

/// What a reader makes of an event: rows as they stand in a block, by table, or the bytes of other events.
#[derive(Default)]
struct Reader {
    table: Option<TableColumns>,
    found: Vec<Vec<u8>>,
    most_held: usize,
}

impl Reader {
    /// Feeds an event in pieces of so many bytes.
    fn read(
        &mut self,
        event: &[u8],
        piece: usize,
        checksum: ChecksumAlgorithm,
    ) -> Result<(), datain_binlog::BinlogError> {
        let format = FormatDescription::assumed(checksum);
        let first = piece.max(EventHeader::LEN).min(event.len());
        let (head, rest) = event.split_at(first);
        let mut parts = EventParts::begin(head, rest.is_empty(), checksum, &format, LIMIT)?;
        self.take(&mut parts, &format)?;
        let mut left = rest.len();
        for piece in rest.chunks(piece) {
            left -= piece.len();
            parts.feed(piece, left == 0)?;
            self.take(&mut parts, &format)?;
        }
        assert!(parts.is_complete());
        Ok(())
    }

    fn take(
        &mut self,
        parts: &mut EventParts,
        format: &FormatDescription,
    ) -> Result<(), datain_binlog::BinlogError> {
        while let Some(part) = parts.next(format)? {
            match part {
                Part::Event(event) => match event.parse(format)? {
                    EventBody::TableMap(map) => self.table = Some(map.columns()?),
                    EventBody::Rows(rows) => {
                        self.rows(&rows, 0)?;
                    }
                    _ => self.found.push(event.body().to_vec()),
                },
                Part::Rows { event, follows } => {
                    self.most_held = self.most_held.max(event.images.len());
                    let (used, wanted) = self.rows(&event, follows)?;
                    parts.took(used, wanted);
                }
            }
        }
        Ok(())
    }

    fn rows(
        &mut self,
        event: &datain_binlog::RowsEvent<'_>,
        follows: u64,
    ) -> Result<(usize, u64), datain_binlog::BinlogError> {
        // Damage may take the table map away.
        let Some(mut table) = self.table.clone() else {
            return Ok((event.images.len(), 0));
        };
        table.table_id = event.table_id;
        let mut decoder = event.rows(&table)?;
        loop {
            let left = decoder.remaining();
            let mut row = Vec::new();
            decoder.write_presence(&mut row);
            match decoder.next_row(&mut row) {
                Ok(true) => self.found.push(row),
                Ok(false) => return Ok((event.images.len(), 0)),
                Err(error) => {
                    let missing = decoder.shortfall(&error, left);
                    match missing.filter(|wanted| *wanted <= left as u64 + follows) {
                        Some(wanted) => return Ok((event.images.len() - left, wanted)),
                        None => return Err(error),
                    }
                }
            }
        }
    }
}

/// The events of the fixture, whole, with their checksums.
fn events() -> Vec<&'static [u8]> {
    let mut log = BinlogFile::new(FILE).expect("a binary log");
    let mut events = Vec::new();
    while let Some((offset, event)) = log.next_event().expect("an event") {
        let from = usize::try_from(offset).expect("small");
        events.push(&FILE[from..from + event.header.event_size as usize]);
    }
    events
}

fn is_rows(event: &[u8]) -> bool {
    matches!(event[4], 30..=32)
}

#[test]
fn rows_are_the_same_in_pieces_of_every_size() {
    let crc = ChecksumAlgorithm::Crc32;
    let mut checked = 0;
    let mut reader = Reader::default();
    for event in events() {
        if event[4] == 19 {
            reader.read(event, usize::MAX, crc).expect("a table map");
        }
        if !is_rows(event) {
            continue;
        }
        reader.found.clear();
        reader.read(event, usize::MAX, crc).expect("whole");
        let whole = std::mem::take(&mut reader.found);
        assert!(!whole.is_empty());
        for piece in [1, 2, 7, 100, 1000] {
            reader.read(event, piece, crc).expect("in pieces");
            assert_eq!(std::mem::take(&mut reader.found), whole, "by {piece}");
        }
        checked += whole.len();
    }
    assert!(checked > 50, "{checked}");
}

/// The fixture's transactions, each as events without checksums one after the other.
fn transactions() -> Vec<Vec<u8>> {
    let off = ChecksumAlgorithm::Off;
    let mut all = Vec::new();
    let mut open = Vec::new();
    for bytes in events() {
        match bytes[4] {
            2 | 16 | 19 | 29 | 30..=32 => {
                let body = &bytes[EventHeader::LEN..bytes.len() - 4];
                open.extend(event(bytes[4], 0, body, off));
                if bytes[4] == 16 {
                    all.push(std::mem::take(&mut open));
                }
            }
            _ => open.clear(),
        }
    }
    assert!(all.len() > 10, "{}", all.len());
    all
}

/// fidelity: event | Transaction_payload (zstd and uncompressed) | the events inside are the same as uncompressed ones, in pieces of every size
#[test]
fn a_compressed_transaction_holds_the_same_events() {
    let crc = ChecksumAlgorithm::Crc32;
    for plain in transactions() {
        let mut expected = Reader::default();
        let body = payload(255, plain.len() as u64, &plain);
        let uncompressed = event(TRANSACTION_PAYLOAD, 0, &body, crc);
        expected
            .read(&uncompressed, usize::MAX, crc)
            .expect("uncompressed");
        assert!(!expected.found.is_empty());
        let compressed = compress_to_vec(plain.as_slice(), CompressionLevel::Fastest);
        let body = payload(0, plain.len() as u64, &compressed);
        let compressed = event(TRANSACTION_PAYLOAD, 0, &body, crc);
        for event in [&uncompressed, &compressed] {
            for piece in [1, 19, 1000, usize::MAX] {
                let mut reader = Reader::default();
                reader.read(event, piece, crc).expect("in pieces");
                assert_eq!(reader.found, expected.found, "by {piece}");
            }
        }
    }
}

#[test]
fn the_servers_own_compressed_transaction_is_read() {
    let crc = ChecksumAlgorithm::Crc32;
    let mut found = 0;
    for event in events() {
        if event[4] == TRANSACTION_PAYLOAD {
            let mut reader = Reader::default();
            reader
                .read(event, 50, crc)
                .expect("MySQL 9.7 has written it");
            // BEGIN, the statement, a row, COMMIT.
            assert_eq!(reader.found.len(), 4, "{:?}", reader.found);
            found += 1;
        }
    }
    assert_eq!(found, 1);
}

/// fidelity: event | rows event larger than memory | decoded row by row, for about one row's memory
#[test]
fn a_rows_event_is_never_held_whole() {
    let crc = ChecksumAlgorithm::Crc32;
    let mut reader = Reader::default();
    let all = events();
    let at = all.iter().position(|e| is_rows(e)).expect("rows");
    let map = all[..at].iter().rev().find(|e| e[4] == 19);
    reader
        .read(map.expect("a table map"), usize::MAX, crc)
        .expect("a table map");
    // The same rows over and over.
    let body = &all[at][EventHeader::LEN..all[at].len() - 4];
    let format = FormatDescription::assumed(crc);
    let EventBody::Rows(rows) = Event::split(all[at], crc)
        .and_then(|event| event.parse(&format))
        .expect("rows")
    else {
        panic!("no rows");
    };
    let images = rows.images.to_vec();
    let mut large = body.to_vec();
    let times = (32 << 20) / images.len();
    for _ in 0..times {
        large.extend_from_slice(&images);
    }
    let large = event(all[at][4], 0, &large, crc);
    let piece = 256 << 10;
    reader.read(&large, piece, crc).expect("a large event");
    assert_eq!(reader.found.len() % (times + 1), 0);
    assert!(
        reader.most_held <= piece + images.len(),
        "{}",
        reader.most_held
    );
    // Damage anywhere is found, and before the last piece is used.
    let mut damaged = large;
    let byte = damaged.len() - 5;
    damaged[byte] ^= 1;
    let before = reader.found.len();
    reader.found.clear();
    let error = reader.read(&damaged, piece, crc).expect_err("damaged");
    assert_eq!(error.code(), "binlog.checksum");
    assert!(reader.found.len() < before, "{}", reader.found.len());
}

/// Reads an event in a few ways; all must fail with this code.
fn check(event: &[u8], checksum: ChecksumAlgorithm, code: &str) {
    for piece in [1, 64, usize::MAX] {
        let mut reader = Reader::default();
        let error = reader
            .read(event, piece, checksum)
            .expect_err(&format!("{code} by {piece}"));
        assert_eq!(error.code(), code, "{error}");
    }
}

/// fidelity: event | Transaction_payload, damaged or of an unknown kind | stops with an error, whatever the bytes
#[test]
fn malformed_payloads_are_refused() {
    let off = ChecksumAlgorithm::Off;
    let plain = transactions().swap_remove(3);
    let size = plain.len() as u64;
    let zstd = compress_to_vec(plain.as_slice(), CompressionLevel::Fastest);
    let made = |kind: u8, size: u64, data: &[u8]| {
        event(TRANSACTION_PAYLOAD, 0, &payload(kind, size, data), off)
    };
    check(&made(7, size, &plain), off, "binlog.compression-kind");
    check(
        &made(0, size, b"not zstd at all, but long enough"),
        off,
        "binlog.compression",
    );
    check(
        &made(0, size, &zstd[..zstd.len() - 1]),
        off,
        "binlog.compression",
    );
    check(&made(0, size - 1, &zstd), off, "binlog.malformed");
    check(&made(0, size + 1, &zstd), off, "binlog.malformed");
    check(
        &made(255, size - 1, &plain[..plain.len() - 1]),
        off,
        "binlog.malformed",
    );
    // A payload that is shorter than it says.
    let mut body = payload(255, size, &plain);
    body.truncate(body.len() - plain.len());
    check(
        &event(TRANSACTION_PAYLOAD, 0, &body, off),
        off,
        "binlog.malformed",
    );
    check(
        &event(TRANSACTION_PAYLOAD, 0, &[2], off),
        off,
        "binlog.malformed",
    );
    // Transactions do not nest, and files do not end inside.
    for inner in [4u8, 15, 33, 35, TRANSACTION_PAYLOAD] {
        let inner = event(inner, 0, &[0; 40], off);
        check(
            &made(255, inner.len() as u64, &inner),
            off,
            "binlog.malformed",
        );
    }
    // A frame with a window of 32 MiB: magic number, descriptor, window, block.
    let frame = [
        0x28,
        0xb5,
        0x2f,
        0xfd,
        0,
        15 << 3,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    ];
    check(&made(0, 0, &frame), off, "binlog.compression-window");
}

#[test]
fn pieces_must_be_as_long_as_the_header_says() {
    let off = ChecksumAlgorithm::Off;
    let format = FormatDescription::assumed(off);
    let bytes = event(2, 0, &[0; 100], off);
    let begin = |last: bool, n: usize| EventParts::begin(&bytes[..n], last, off, &format, LIMIT);
    assert_eq!(
        begin(true, 50).expect_err("short").code(),
        "binlog.malformed"
    );
    // All of it, in packets of which the last is empty.
    let mut parts = begin(false, 119).expect("whole");
    assert!(parts.is_complete());
    parts.feed(&[], true).expect("the last packet");
    assert_eq!(
        parts.feed(&[0], true).expect_err("too long").code(),
        "binlog.malformed"
    );
    let mut parts = begin(false, 50).expect("the first piece");
    let error = parts.feed(&[0; 70], true).expect_err("a byte too many");
    assert_eq!(error.code(), "binlog.malformed");
    let parts = EventParts::begin(&bytes, true, off, &format, 100);
    assert_eq!(parts.expect_err("over").code(), "binlog.event-too-large");
}

#[test]
fn what_may_be_passed_over_is_and_the_unknown_is_named() {
    let off = ChecksumAlgorithm::Off;
    let body = vec![0; 3 << 20];
    let mut reader = Reader::default();
    // Information, and Aurora's padding: neither is held.
    reader
        .read(&event(29, 0, &body, off), 1000, off)
        .expect("passed over");
    reader
        .read(&event(100, 0x80, &body, off), 1000, off)
        .expect("passed over");
    assert!(reader.found.is_empty());
    reader
        .read(&event(100, 0, &body, off), 1000, off)
        .expect("for the reader to refuse");
    assert_eq!(reader.found, [Vec::<u8>::new()]);
}

proptest! {
    #[test]
    fn any_payload(kind in prop_oneof![Just(0u8), Just(255), any::<u8>()], data in prop::collection::vec(any::<u8>(), 0..300), piece in 1usize..100) {
        let off = ChecksumAlgorithm::Off;
        let body = payload(kind, 1 << 20, &data);
        let _ = Reader::default().read(&event(TRANSACTION_PAYLOAD, 0, &body, off), piece, off);
        let _ = Reader::default().read(&event(TRANSACTION_PAYLOAD, 0, &data, off), piece, off);
    }

    /// Real frames with bytes changed: the decoder, which is not ours, must not panic either.
    #[test]
    fn any_damage(which in 0usize..10, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut in any::<prop::sample::Index>()) {
        let off = ChecksumAlgorithm::Off;
        let plain = transactions().swap_remove(which);
        let mut zstd = compress_to_vec(plain.as_slice(), CompressionLevel::Fastest);
        for (at, byte) in changes {
            let at = at.index(zstd.len());
            zstd[at] = byte;
        }
        let body = payload(0, plain.len() as u64, &zstd);
        let _ = Reader::default().read(&event(TRANSACTION_PAYLOAD, 0, &body, off), 1000, off);
        let cut = cut.index(body.len());
        let _ = Reader::default().read(&event(TRANSACTION_PAYLOAD, 0, &body[..cut], off), 1000, off);
    }
}
