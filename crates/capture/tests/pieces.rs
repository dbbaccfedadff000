//! Events in pieces and compressed transactions make the same stream as plain ones, in bounded memory, and end where the outer event does.

#![allow(clippy::unwrap_used, reason = "a test")]

mod log;

use datain_capture::assembler::Assembler;
use datain_contract::types::{Batch, Error};
use log::{assembler, event, events, rows, seal};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

const TRANSACTION_PAYLOAD: u8 = 40;
const ROWS: std::ops::RangeInclusive<u8> = 30..=32;

fn take(assembler: &mut Assembler, into: &mut Vec<Batch>) {
    while assembler.has_full_batch() {
        into.extend(assembler.take_batch());
    }
}

/// Feeds an event in pieces of so many bytes, as a dump hands them out.
fn feed(
    assembler: &mut Assembler,
    event: &[u8],
    piece: usize,
    into: &mut Vec<Batch>,
) -> Result<(), Error> {
    let (head, rest) = event.split_at(19 + 8);
    assembler.piece(head, true, false)?;
    let mut left = rest.len();
    // Events of an even length end with an empty piece, as those do that end with a full packet.
    let empty = event.len().is_multiple_of(2).then_some(&[][..]);
    for piece in rest.chunks(piece).chain(empty) {
        left -= piece.len();
        let last = left == 0 && (piece.is_empty() || empty.is_none());
        assembler.piece(piece, false, last)?;
        while assembler.has_full_batch() {
            take(assembler, into);
            assembler.go_on()?;
        }
    }
    Ok(())
}

/// The whole file's rows; events of these types come in pieces.
fn check(
    max_bytes: usize,
    piece: usize,
    list: &[Vec<u8>],
    in_pieces: impl Fn(u8) -> bool,
) -> Vec<String> {
    let mut assembler = assembler(true, 1 << 30);
    assembler.set_batch_bytes(max_bytes);
    let mut batches = Vec::new();
    for event in list {
        if in_pieces(event[4]) {
            feed(&mut assembler, event, piece, &mut batches).unwrap();
        } else {
            assembler.offer(event).unwrap();
            while assembler.has_full_batch() {
                take(&mut assembler, &mut batches);
                assembler.go_on().unwrap();
            }
        }
    }
    batches.extend(assembler.take_batch());
    let mut all = rows(&batches);
    all.push(assembler.position().to_string());
    all.push(assembler.gtids().unwrap().to_string());
    all
}

fn plain() -> Vec<Vec<u8>> {
    events().into_iter().map(<[u8]>::to_vec).collect()
}

#[test]
fn pieces_make_the_same_stream() {
    let expected = check(1 << 20, 0, &plain(), |_| false);
    assert!(expected.len() > 50, "{}", expected.len());
    for (max_bytes, piece) in [(1 << 20, 1), (1 << 20, 1000), (300, 64), (1, 10)] {
        let found = check(max_bytes, piece, &plain(), |code| ROWS.contains(&code));
        assert_eq!(found, expected);
    }
    // Anything may be large.
    let found = check(1 << 20, 100, &plain(), |code| !matches!(code, 15 | 35));
    assert_eq!(found, expected);
}

/// The events from BEGIN to Xid of each transaction as one compressed event, that ends where the last of them did.
fn compressed() -> Vec<Vec<u8>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    let mut open: Vec<u8> = Vec::new();
    let mut count = 0;
    for bytes in plain() {
        let begins = bytes[4] == 2 && bytes.windows(5).any(|w| w == b"BEGIN");
        if !begins && open.is_empty() {
            out.push(bytes);
            continue;
        }
        let size = bytes.len() - 4;
        let mut inner = bytes[..size].to_vec();
        inner[9..13].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
        inner[13..17].fill(0);
        open.extend(inner);
        if bytes[4] == 16 {
            let end = u32::from_le_bytes(bytes[13..17].try_into().unwrap());
            out.push(pack(&std::mem::take(&mut open), end));
            count += 1;
        }
    }
    assert!(open.is_empty() && count > 10, "{count}");
    out
}

fn pack(plain: &[u8], log_pos: u32) -> Vec<u8> {
    let data = compress_to_vec(plain, CompressionLevel::Fastest);
    let mut body = vec![2, 1, 0, 3, 9, 0xfe];
    body.extend((plain.len() as u64).to_le_bytes());
    body.extend([1, 9, 0xfe]);
    body.extend((data.len() as u64).to_le_bytes());
    body.push(0);
    body.extend(data);
    event(TRANSACTION_PAYLOAD, 0, log_pos, &body)
}

/// fidelity: event | Transaction_payload (zstd) | rows, transactions, GTIDs and positions are those of the same transaction uncompressed
#[test]
fn compressed_transactions_make_the_same_stream() {
    // Offsets inside are counted where the log says none, so only the last position can be compared.
    let expected = check(1 << 20, 0, &plain(), |_| false);
    let packed = compressed();
    for (max_bytes, piece) in [(1 << 20, 1), (1 << 20, 1000), (300, 64), (1, 10)] {
        let found = check(max_bytes, piece, &packed, |code| {
            code == TRANSACTION_PAYLOAD
        });
        assert_eq!(found, expected);
    }
    assert_eq!(check(300, 0, &packed, |_| false), expected, "taken whole");
}

/// The table maps and the first rows event that say something, and its images.
fn repeated_rows(times: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
    let all = plain();
    let at = all.iter().position(|e| ROWS.contains(&e[4])).unwrap();
    // Behind post-header and extra data there are a column count of one byte and one bitmap, since it is an insert.
    assert_eq!(all[at][4], 30);
    let body = &all[at][19..all[at].len() - 4];
    let columns = usize::from(body[10]);
    let images = &body[11 + columns.div_ceil(8)..];
    let mut large = body.to_vec();
    for _ in 1..times {
        large.extend_from_slice(images);
    }
    (all[..at].to_vec(), large)
}

#[test]
fn what_is_unpacked_waits_until_it_is_wanted() {
    let (before, large) = repeated_rows(400_000);
    let (gtid, inside) = before.split_at(before.iter().rposition(|e| e[4] == 33).unwrap() + 1);
    let mut plain = Vec::new();
    let mut inner = |code: u8, body: &[u8]| {
        let event = event(code, 0, 0, body);
        let size = event.len() - 4;
        let from = plain.len();
        plain.extend_from_slice(&event[..size]);
        plain[from + 9..from + 13].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
    };
    for event in inside {
        inner(event[4], &event[19..event.len() - 4]);
    }
    inner(30, &large);
    inner(16, &[0; 8]);
    let packed = pack(&plain, 0);
    assert!(
        plain.len() > 20 * packed.len(),
        "{} {}",
        plain.len(),
        packed.len()
    );
    let mut assembler = assembler(true, 1 << 30);
    assembler.set_batch_bytes(64 << 10);
    for event in gtid {
        assembler.event(event).unwrap();
    }
    let ordinal = assembler.ordinal();
    assembler.offer(&packed).unwrap();
    let (mut rows, mut most) = (0, 0);
    loop {
        let mut waiting = 0;
        while assembler.has_full_batch() {
            waiting += assembler.take_batch().unwrap().rows.len();
        }
        rows += waiting;
        most = most.max(waiting);
        assert!(
            waiting == 0 || assembler.ordinal() == ordinal,
            "its end is last"
        );
        if !assembler.go_on().unwrap() {
            break;
        }
    }
    assert_eq!(assembler.ordinal(), ordinal + 1);
    assert!(
        rows > 4 << 20 && most < 2 << 20,
        "{rows} bytes, {most} at once"
    );
}

#[test]
fn a_row_over_the_limit_is_not_held() {
    let all = plain();
    let gtid = all.iter().find(|e| e[4] == 33).unwrap();
    // Table d.t with one column, a LONGBLOB.
    let map = event(
        19,
        0,
        0,
        b"\x07\0\0\0\0\0\x01\0\x01d\0\x01t\0\x01\xfc\x01\x04\x01",
    );
    let rows = |lengths: &[u32]| {
        let mut body = b"\x07\0\0\0\0\0\0\0\x02\0\x01\xff".to_vec();
        for length in lengths {
            body.push(0);
            body.extend(length.to_le_bytes());
            body.extend(std::iter::repeat_n(7, *length as usize));
        }
        event(30, 0, 0, &body)
    };
    let limit = 1 << 20;
    let feed = |event: &[u8]| {
        let mut assembler = assembler(true, u64::from(limit));
        assembler.event(gtid).unwrap();
        assembler.event(&map).unwrap();
        let mut batches = Vec::new();
        feed(&mut assembler, event, 10_000, &mut batches)?;
        let bytes: usize = batches.iter().map(|b| b.rows.len()).sum();
        Ok::<_, Error>(bytes)
    };
    // As large as allowed, several times.
    let fits = rows(&[limit - 5, 0, limit - 5, 9, limit - 5]);
    assert!(feed(&fits).unwrap() > 2 * limit as usize);
    for lengths in [&[9, limit + 1][..], &[8 * limit], &[4, 4, limit - 4]] {
        let error = feed(&rows(lengths)).unwrap_err();
        assert_eq!(error.code, "row-too-large", "{lengths:?}: {error:?}");
        assert_eq!(error.table.as_deref(), Some("d.t"));
        assert!(
            error.position.is_some() && error.gtid.is_some(),
            "{error:?}"
        );
    }
    // A length that the event does not have is no large row.
    let mut lies = rows(&[9, 9, 2 * limit]);
    lies[19 + 12 + 1 + 3] = 0x70;
    seal(&mut lies);
    assert_eq!(feed(&lies).unwrap_err().code, "binlog.malformed");
}

#[test]
fn damage_is_called_damage_whatever_it_looks_like() {
    let (before, large) = repeated_rows(20_000);
    let rows = event(30, 0, 0, &large);
    for byte in [40, rows.len() / 2, rows.len() - 5, rows.len() - 1] {
        let mut assembler = assembler(true, 1 << 30);
        for event in &before {
            assembler.event(event).unwrap();
        }
        let ordinal = assembler.ordinal();
        let mut damaged = rows.clone();
        damaged[byte] ^= 0x80;
        let error = feed(&mut assembler, &damaged, 1000, &mut Vec::new()).unwrap_err();
        assert_eq!(error.code, "binlog.checksum", "byte {byte}");
        assert!(error.position.is_some() && error.gtid.is_some() && error.hint.is_some());
        assert_eq!(assembler.ordinal(), ordinal);
    }
}

#[test]
fn a_compressed_transaction_must_end_and_end_once() {
    let end = event(16, 0, 0, &[0; 8]);
    let gtid = events().into_iter().find(|e| e[4] == 33).unwrap();
    let inner = |event: &[u8]| {
        let size = event.len() - 4;
        let mut inner = event[..size].to_vec();
        inner[9..13].copy_from_slice(&u32::try_from(size).unwrap().to_le_bytes());
        inner
    };
    for (list, ends) in [(0, false), (1, true), (2, false)] {
        let mut assembler = assembler(true, 1 << 20);
        assembler.event(gtid).unwrap();
        let plain = inner(&end).repeat(list);
        // Nothing at all is a frame, too.
        let result = assembler.event(&pack(&plain, 500));
        assert_eq!(result.is_ok(), ends, "{list}: {result:?}");
        if let Err(error) = result {
            assert_eq!(error.code, "binlog.malformed");
        } else {
            assert_eq!(assembler.position().offset, 500);
        }
    }
}
