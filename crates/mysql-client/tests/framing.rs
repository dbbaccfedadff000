//! Payloads cut into frames and joined again, at every boundary and from pieces of every size.

use datain_mysql_client::framing::{
    FIRST_PIECE, HEADER_LEN, MAX_FRAME_LEN, PacketReader, PacketWriter,
};
use proptest::prelude::*;

fn payload(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 251) as u8).collect()
}

fn check(len: usize, frames: usize) {
    let payload = payload(len);
    let (head, body) = payload.split_at(len.min(3));
    let mut wire = Vec::new();
    let mut writer = PacketWriter::new(254);
    writer.write(head, body, &mut wire);
    assert_eq!(wire.len(), len + frames * HEADER_LEN, "{len}");
    assert_eq!(writer.sequence(), 254u8.wrapping_add(frames as u8), "{len}");
    // A small packet behind it must not be touched.
    writer.write(b"next", b"", &mut wire);

    for piece in [wire.len(), 1 << 20, 65_537] {
        let mut reader = PacketReader::new(64 << 20);
        reader.expect_sequence(254);
        let mut pieces = wire.chunks(piece);
        let mut found = Vec::new();
        loop {
            while let Some(packet) = reader.next_packet().expect("sound frames") {
                found.push((packet.len(), packet == payload || packet == b"next"));
            }
            match pieces.next() {
                Some(piece) => reader.feed(piece),
                None => break,
            }
        }
        assert_eq!(
            found,
            [(len, true), (4, true)],
            "{len} in pieces of {piece}"
        );
        assert_eq!(reader.buffered(), 0);
        check_parts(&wire, &payload, piece);
    }
}

/// Reads the payload and the small one behind it in parts.
fn check_parts(wire: &[u8], payload: &[u8], piece: usize) {
    let mut reader = PacketReader::new(100);
    reader.expect_sequence(254);
    let (mut joined, mut ends, mut most) = (Vec::new(), Vec::new(), 0);
    for piece in wire.chunks(piece) {
        reader.feed(piece);
        while let Some(part) = reader.next_part(90).expect("sound frames") {
            let begins = ends.last().copied().unwrap_or(0) == joined.len();
            assert!(!part.first || begins, "it begins where another ended");
            assert!(!part.first || part.last || part.bytes.len() >= FIRST_PIECE.min(90));
            joined.extend_from_slice(part.bytes);
            most = most.max(part.bytes.len());
            if part.last {
                ends.push(joined.len());
            }
        }
    }
    assert_eq!(ends, [payload.len(), payload.len() + 4], "by {piece}");
    assert!(joined.starts_with(payload) && joined.ends_with(b"next"));
    assert!(most <= 2 * piece.max(FIRST_PIECE), "{most} by {piece}");
    assert_eq!(reader.buffered(), 0);
}

/// fidelity: event | packets of 16 MiB and more | rejoined, or taken piece by piece
#[test]
fn boundaries() {
    check(0, 1);
    check(1, 1);
    check(MAX_FRAME_LEN - 1, 1);
    check(MAX_FRAME_LEN, 2);
    check(MAX_FRAME_LEN + 1, 2);
    check(2 * MAX_FRAME_LEN, 3);
}

#[test]
fn byte_by_byte() {
    let mut wire = Vec::new();
    let mut writer = PacketWriter::default();
    for len in [0, 1, 300, 70_000] {
        writer.write(&payload(len), &[], &mut wire);
    }
    let mut reader = PacketReader::new(1 << 20);
    let mut lens = Vec::new();
    for byte in wire {
        reader.feed(&[byte]);
        if let Some(packet) = reader.next_packet().expect("sound frames") {
            assert_eq!(packet, payload(packet.len()));
            lens.push(packet.len());
        }
    }
    assert_eq!(lens, [0, 1, 300, 70_000]);
}

#[test]
fn sequence_ids_are_checked() {
    let mut reader = PacketReader::new(1 << 20);
    reader.feed(b"\x01\x00\x00\x01x");
    let error = reader.next_packet().expect_err("0 was expected");
    assert_eq!(error.code(), "protocol.sequence");

    let mut wire = Vec::new();
    PacketWriter::default().write(&payload(MAX_FRAME_LEN), &[], &mut wire);
    wire[HEADER_LEN + MAX_FRAME_LEN + 3] = 9;
    let mut reader = PacketReader::new(64 << 20);
    reader.feed(&wire);
    assert_eq!(
        reader.next_packet().expect_err("1 was expected").code(),
        "protocol.sequence"
    );
}

#[test]
fn size_is_limited() {
    let mut reader = PacketReader::new(10);
    reader.feed(b"\x0a\x00\x00\x000123456789");
    assert_eq!(
        reader.next_packet().expect("in bounds").map(<[u8]>::len),
        Some(10)
    );
    // The header alone is enough to refuse.
    reader.feed(b"\x0b\x00\x00\x01");
    let error = reader.next_packet().expect_err("too large");
    assert_eq!(error.code(), "protocol.packet-too-large");

    // The frames of one payload are added up.
    let mut wire = Vec::new();
    PacketWriter::default().write(&payload(MAX_FRAME_LEN + 11), &[], &mut wire);
    let mut reader = PacketReader::new(MAX_FRAME_LEN + 10);
    reader.feed(&wire);
    assert_eq!(
        reader.next_packet().expect_err("too large").code(),
        "protocol.packet-too-large"
    );
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), piece in 1usize..50) {
        let mut reader = PacketReader::new(1 << 16);
        for piece in bytes.chunks(piece) {
            reader.feed(piece);
            while let Ok(Some(_)) = reader.next_packet() {}
        }
    }

    #[test]
    fn any_packets(lens in prop::collection::vec(0usize..5000, 0..20), piece in 1usize..9000) {
        let mut wire = Vec::new();
        let mut writer = PacketWriter::default();
        for len in &lens {
            writer.write(&[], &payload(*len), &mut wire);
        }
        let mut reader = PacketReader::new(1 << 16);
        let mut found = Vec::new();
        for piece in wire.chunks(piece) {
            reader.feed(piece);
            while let Some(packet) = reader.next_packet().expect("sound frames") {
                prop_assert_eq!(packet, payload(packet.len()));
                found.push(packet.len());
            }
        }
        prop_assert_eq!(found, lens);
    }
}
