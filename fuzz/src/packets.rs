//! Frames and payloads: what is cut is joined again, and how reads cut the bytes changes nothing.
//!
//! Payloads of several frames have 16 MiB and more, too much for an input: crates/mysql-client/tests/framing.rs has those.

use datain_mysql_client::framing::{PacketReader, write_frames};

use crate::input::Input;

/// Reads frames, or cuts payloads.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let choice = input.u8();
    let (sequence, piece) = (input.u8(), input.number(2) as usize);
    match choice % 3 {
        0 | 1 => {
            let limit = [7, 300, 1 << 16, 1 << 30][usize::from(choice >> 2) % 4];
            let bytes = input.rest();
            let at_once = read(bytes, bytes.len(), sequence, limit);
            let in_pieces = read(bytes, piece.max(1), sequence, limit);
            assert_eq!(at_once, in_pieces);
            // As a dump is read, with payloads of so many bytes and more in parts. Those are under no limit.
            let whole = 1 + usize::from(choice >> 4) * 7;
            let in_parts = parts(bytes, piece.max(1), sequence, limit, whole);
            let parts_at_once = parts(bytes, bytes.len(), sequence, limit, whole);
            assert_eq!(parts_at_once.1.is_some(), in_parts.1.is_some());
            if parts_at_once.1.is_none() {
                assert_eq!(parts_at_once, in_parts);
            }
            if at_once.1.is_none() && limit > bytes.len() {
                assert!(at_once.0.iter().zip(&in_parts.0).all(|(a, b)| a == b));
            }
        }
        _ => {
            let mut payloads = Vec::new();
            while !input.is_empty() {
                payloads.push(input.chunk().to_vec());
            }
            round_trip(&payloads, sequence, piece);
        }
    }
}

/// The payloads in `bytes`, read so many at a time, and the code of the error that ended them.
fn read(
    bytes: &[u8],
    piece: usize,
    sequence: u8,
    limit: usize,
) -> (Vec<Vec<u8>>, Option<String>, usize) {
    let mut reader = PacketReader::new(limit);
    reader.expect_sequence(sequence);
    let mut payloads = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        reader.feed(piece);
        loop {
            match reader.next_packet() {
                Ok(Some(payload)) => {
                    assert!(payload.len() <= limit);
                    payloads.push(payload.to_vec());
                }
                Ok(None) => break,
                Err(error) => return (payloads, Some(error.to_string()), 0),
            }
        }
        assert!(!reader.ready().expect("nothing was wrong a moment ago"));
    }
    assert!(reader.buffered() <= bytes.len());
    (payloads, None, reader.buffered())
}

/// The payloads in `bytes`, joined from their parts; the last may be incomplete.
fn parts(
    bytes: &[u8],
    piece: usize,
    sequence: u8,
    limit: usize,
    whole: usize,
) -> (Vec<Vec<u8>>, Option<String>) {
    let mut reader = PacketReader::new(limit);
    reader.expect_sequence(sequence);
    let mut payloads: Vec<Vec<u8>> = Vec::new();
    let mut open = false;
    for piece in bytes.chunks(piece.max(1)) {
        reader.feed(piece);
        loop {
            match reader.next_part(whole) {
                Ok(Some(part)) => {
                    assert_eq!(part.first, !open, "a payload begins within another");
                    if part.first {
                        payloads.push(Vec::new());
                    }
                    let payload = payloads.last_mut().expect("one is open");
                    payload.extend_from_slice(part.bytes);
                    open = !part.last;
                }
                Ok(None) => break,
                Err(error) => return (payloads, Some(error.to_string())),
            }
        }
    }
    (payloads, None)
}

fn round_trip(payloads: &[Vec<u8>], sequence: u8, piece: usize) {
    let mut bytes = Vec::new();
    let mut next = sequence;
    for payload in payloads {
        // The parts of a payload come from two places.
        let (head, body) = payload.split_at(payload.len().min(usize::from(sequence)));
        next = write_frames(next, head, body, &mut bytes);
    }
    let (read, error, left) = read(&bytes, piece, sequence, usize::MAX);
    assert_eq!((error, left), (None, 0));
    assert!(read == payloads, "not the payloads that were written");
}
