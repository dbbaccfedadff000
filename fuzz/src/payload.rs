//! Compressed transactions: the fields of the event, and what is decompressed from it as a stream.
//!
//! How the event is cut into pieces must not change what comes out of it.

use datain_binlog::{ChecksumAlgorithm, Event, EventParts, EventType, FormatDescription, Part};

use crate::events::event;
use crate::input::Input;

/// Events inside may be joined up to so many bytes.
const LIMIT: usize = 1 << 16;
/// Inputs are small, but a few bytes can say that one byte comes very often.
const ENOUGH: usize = 8 << 20;

/// Unpacks the event at once and in pieces.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (choice, piece) = (input.u8(), input.u8());
    let code = match choice & 2 {
        0 => EventType::TransactionPayload.code(),
        // Another event, which is joined, passed over or cut at rows.
        _ => input.u8(),
    };
    let mut bytes = event(code, choice & 0x80, 0, input.rest());
    let checksum = if choice & 1 == 0 {
        ChecksumAlgorithm::Off
    } else {
        let size = (bytes.len() + 4) as u32;
        bytes[9..13].copy_from_slice(&size.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        ChecksumAlgorithm::Crc32
    };
    if code == EventType::FormatDescription.code() {
        // Its checksum is its own affair, and it is never large.
        return;
    }
    let whole = unpack(&bytes, bytes.len(), checksum);
    let in_pieces = unpack(&bytes, usize::from(piece).max(1), checksum);
    if whole.ended && in_pieces.ended {
        assert_eq!(whole, in_pieces, "pieces make other events");
    } else if whole.out.len() < ENOUGH && in_pieces.out.len() < ENOUGH {
        assert_eq!(whole.ended, in_pieces.ended);
    }
    let split = Event::split(&bytes, checksum).expect("header and checksum are right");
    let format = FormatDescription::assumed(checksum);
    if let Ok(mut parts) = EventParts::of(&split, &format, LIMIT) {
        let mut found = Found::default();
        let ended = found.take(&mut parts, &format);
        if ended && whole.ended {
            assert_eq!(found.out, whole.out);
        }
    }
}

/// What came out.
#[derive(Debug, Default, PartialEq)]
struct Found {
    out: Vec<u8>,
    /// Whether it came to its end without an error.
    ended: bool,
    in_rows: bool,
}

fn unpack(bytes: &[u8], piece: usize, checksum: ChecksumAlgorithm) -> Found {
    let mut found = Found::default();
    let format = FormatDescription::assumed(checksum);
    let (first, rest) = bytes.split_at(bytes.len().min(19 + piece));
    let last = rest.is_empty();
    let Ok(mut parts) = EventParts::begin(first, last, checksum, &format, LIMIT) else {
        return found;
    };
    if !found.take(&mut parts, &format) {
        return found;
    }
    let mut left = rest.len();
    for piece in rest.chunks(piece) {
        left -= piece.len();
        if parts.feed(piece, left == 0).is_err() || !found.take(&mut parts, &format) {
            return found;
        }
    }
    assert!(parts.is_complete() && !parts.is_unproven());
    found.ended = true;
    found
}

impl Found {
    /// Takes the parts that are there; false after an error, or when it is enough.
    fn take(&mut self, parts: &mut EventParts, format: &FormatDescription) -> bool {
        loop {
            let used = match parts.next(format) {
                Ok(None) => return true,
                Err(_) => return false,
                Ok(Some(Part::Event(event))) => {
                    assert!(event.body().len() <= LIMIT.max(1 << 20));
                    self.out.push(event.header.event_type.code());
                    self.out.extend_from_slice(event.body());
                    let _ = event.parse(format);
                    self.in_rows = false;
                    continue;
                }
                Ok(Some(Part::Rows { event, follows })) => {
                    if !self.in_rows {
                        self.out.extend_from_slice(&event.table_id.to_le_bytes());
                    }
                    self.in_rows = follows > 0;
                    self.out.extend_from_slice(event.images);
                    event.images.len()
                }
            };
            parts.took(used, 0);
            if self.out.len() > ENOUGH {
                return false;
            }
        }
    }
}
