//! A stream of events: split, parsed, assembled to batches, and walked through by the one who looks for the next transaction.
//!
//! The first byte chooses between a file as it is (whose checksums are put right first, or no change would ever get past them) and events that are
//! given as type, flags and body, so that their headers are right. What comes out of either is checked as a sink would read it, and must be the same when
//! the events come in pieces, or a transaction as a compressed one.

use datain_binlog::{
    BinlogFile, ChecksumAlgorithm, Event, EventHeader, EventType, FormatDescription, GtidSet, MAGIC,
};
use datain_capture::assembler::Assembler;
use datain_capture::checkpoint::State;
use datain_capture::gtids::Gtids;
use datain_capture::position::Position;
use datain_capture::upcoming::Walk;
use datain_contract::types::Error;
use datain_sql_statement::TableFilter;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use crate::batch::Seen;
use crate::input::Input;

/// Reads events in all ways.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (choice, batch_bytes, cut) = (input.u8(), input.u8(), input.u8());
    let offset = match choice & 4 {
        0 => 4,
        _ => input.number(8),
    };
    let rest = input.rest();
    let events = if choice & 1 == 0 {
        of_file(rest)
    } else {
        framed(rest)
    };
    let state = State {
        server_uuid: String::new(),
        position: Position {
            file: if choice & 8 == 0 { "binlog.000001" } else { "" }.to_owned(),
            offset,
        },
        gtids: (choice & 2 == 0).then(|| Gtids::Set(GtidSet::new())),
        copy: None,
        aside: None,
        scope: None,
        temporary: datain_capture::temporary::TemporaryTables::default(),
        file_began: None,
    };
    let excluded: &[String] = match choice & 16 {
        0 => &[],
        _ => &["shop.%".to_owned()],
    };
    let filter = TableFilter::new(&[], excluded).expect("a good pattern");
    let how = How {
        state: state.clone(),
        filter: filter.clone(),
        choice,
        batch_bytes,
    };
    let whole = how.assemble(&events, 0);
    let piece = usize::from(cut & 0x7f);
    if piece > 0 {
        let in_pieces = how.assemble(&events, piece);
        assert_eq!(whole.error.is_some(), in_pieces.error.is_some());
        if whole.is_whole() {
            assert_eq!(whole, in_pieces, "pieces make another stream");
        }
    }
    if cut & 0x80 != 0 && choice & 1 != 0 {
        let packed = how.assemble(&packed(&events, cut & 1 != 0), piece);
        if whole.is_whole() && packed.is_whole() {
            assert_eq!((whole.rows, whole.gtids), (packed.rows, packed.gtids));
        }
    }
    walk(&events, state, &filter);
}

/// The events of a file, as far as it can be read; their checksums are right when they come from here.
fn of_file(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut file = MAGIC.to_vec();
    let mut events = Vec::new();
    let mut rest = bytes.strip_prefix(&MAGIC).unwrap_or(bytes);
    let mut checksum = ChecksumAlgorithm::Off;
    while let Ok(header) = EventHeader::parse(rest) {
        let Some((event, tail)) = rest.split_at_checked(header.event_size as usize) else {
            break;
        };
        rest = tail;
        let mut event = event.to_vec();
        if header.event_type == EventType::FormatDescription {
            // Whether it has a checksum is its own affair: seal it, and if that was wrong it is only one of many that are.
            let described = Event::split(&event, checksum)
                .and_then(|found| found.parse(&FormatDescription::assumed(checksum)));
            if described.is_err() {
                seal(&mut event);
            }
            let format = Event::split(&event, checksum)
                .and_then(|found| found.parse(&FormatDescription::assumed(checksum)));
            if let Ok(datain_binlog::EventBody::FormatDescription(format)) = format {
                checksum = format.checksum;
            }
        } else if checksum == ChecksumAlgorithm::Crc32 {
            seal(&mut event);
        }
        file.extend_from_slice(&event);
        events.push(event);
    }
    // The reader of files finds the same events, up to the first that it refuses.
    let mut log = BinlogFile::new(&file).expect("the magic is there");
    let mut at = MAGIC.len() as u64;
    for event in &events {
        assert_eq!(log.offset(), at);
        match log.next_event() {
            Ok(Some((offset, found))) => {
                assert_eq!(
                    (offset, found.header.event_size as usize),
                    (at, event.len())
                );
                let _ = found.parse(log.format());
            }
            Ok(None) => panic!("an event is missing"),
            Err(_) => return events,
        }
        at += event.len() as u64;
    }
    assert!(matches!(log.next_event(), Ok(None)));
    events
}

/// Puts the checksum at the end of an event right. A file in use has it as if it were not.
fn seal(event: &mut [u8]) {
    if event.len() < EventHeader::LEN + 4 {
        return;
    }
    let at = event.len() - 4;
    let (body, stored) = event.split_at_mut(at);
    let mut plain = body.to_vec();
    if plain[4] == EventType::FormatDescription.code() {
        plain[17] &= !1;
    }
    stored.copy_from_slice(&crc32fast::hash(&plain).to_le_bytes());
}

/// Events from their types, flags and bodies. One of the flags that no server sets says that the end position is the body's first bytes.
fn framed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut input = Input::new(bytes);
    let mut events = Vec::new();
    let mut log_pos = 4_u32;
    while !input.is_empty() {
        let (code, flags) = (input.u8(), input.u8());
        let body = input.chunk();
        let size = (EventHeader::LEN + body.len()) as u32;
        log_pos = log_pos.wrapping_add(size);
        if flags & 2 != 0 {
            log_pos = Input::new(body).number(4) as u32;
        }
        events.push(event(code, flags, log_pos, body));
    }
    events
}

/// An event with the header that it deserves, without a checksum.
#[must_use]
pub fn event(code: u8, flags: u8, log_pos: u32, body: &[u8]) -> Vec<u8> {
    let size = (EventHeader::LEN + body.len()) as u32;
    let mut event = Vec::with_capacity(size as usize);
    event.extend_from_slice(&1_700_000_000_u32.to_le_bytes());
    event.push(code);
    event.extend_from_slice(&1_u32.to_le_bytes());
    event.extend_from_slice(&size.to_le_bytes());
    event.extend_from_slice(&log_pos.to_le_bytes());
    event.extend_from_slice(&u16::from(flags).to_le_bytes());
    event.extend_from_slice(body);
    event
}

/// With which options the events are assembled.
struct How {
    state: State,
    filter: TableFilter,
    choice: u8,
    batch_bytes: u8,
}

/// What came of it.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: Vec<u8>,
    position: Position,
    gtids: Option<Gtids>,
    error: Option<String>,
    /// No transaction is open; of one that is, more or less may have been taken.
    settled: bool,
}

impl Outcome {
    fn is_whole(&self) -> bool {
        self.settled && self.error.is_none()
    }
}

impl How {
    /// Assembles the events, those with rows or with other events in pieces of so many bytes if that is not 0.
    fn assemble(&self, events: &[Vec<u8>], piece: usize) -> Outcome {
        let max_row_bytes = if self.choice & 32 == 0 { 1 << 26 } else { 40 };
        let off = ChecksumAlgorithm::Off;
        let (state, filter) = (self.state.clone(), self.filter.clone());
        let mut assembler = Assembler::new(state, 7, off, filter, max_row_bytes);
        if self.batch_bytes > 0 {
            assembler.set_batch_bytes(usize::from(self.batch_bytes));
        }
        if self.choice & 64 != 0 {
            assembler.tell_start();
        }
        if self.choice & 128 != 0 {
            assembler.mark_each();
        }
        let mut seen = Seen::default();
        let mut error = None;
        for event in events {
            let taken = match event[4] {
                23..=25 | 30..=32 | 39 | 40 if piece > 0 => {
                    pieces(&mut assembler, event, piece, &mut seen)
                }
                _ => assembler.offer(event),
            };
            let taken = taken.and_then(|()| drain(&mut assembler, &mut seen));
            if let Err(found) = taken {
                assert!(!found.code.is_empty() && !found.message.is_empty());
                error = Some(found.code);
                break;
            }
        }
        let _ = assembler.counts();
        let settled = assembler.is_settled();
        while let Some(batch) = assembler.take_batch() {
            seen.check(&batch);
        }
        assert!(!settled || assembler.take_batch().is_none());
        Outcome {
            rows: seen.rows,
            position: assembler.position().clone(),
            gtids: assembler.gtids().cloned(),
            error,
            settled,
        }
    }
}

/// Feeds an event as a dump does a large one.
fn pieces(
    assembler: &mut Assembler,
    event: &[u8],
    piece: usize,
    seen: &mut Seen,
) -> Result<(), Error> {
    let (first, rest) = event.split_at(event.len().min(EventHeader::LEN + piece));
    assembler.piece(first, true, rest.is_empty())?;
    drain(assembler, seen)?;
    let mut left = rest.len();
    for piece in rest.chunks(piece) {
        left -= piece.len();
        assembler.piece(piece, false, left == 0)?;
        drain(assembler, seen)?;
    }
    Ok(())
}

/// Takes what is full until nothing more comes.
fn drain(assembler: &mut Assembler, seen: &mut Seen) -> Result<(), Error> {
    while assembler.has_full_batch() {
        let batch = assembler.take_batch().expect("a full batch");
        seen.check(&batch);
        assembler.go_on()?;
    }
    Ok(())
}

/// The events with what stands between BEGIN and Xid in one, compressed or not.
fn packed(events: &[Vec<u8>], compress: bool) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut inside: Vec<u8> = Vec::new();
    for event in events {
        let begins = event[4] == EventType::Query.code() && event.ends_with(b"BEGIN");
        if !begins && inside.is_empty() {
            out.push(event.clone());
            continue;
        }
        inside.extend_from_slice(event);
        if event[4] == EventType::Xid.code() {
            out.push(pack(&std::mem::take(&mut inside), compress));
        }
    }
    if !inside.is_empty() {
        out.push(pack(&inside, compress));
    }
    out
}

fn pack(events: &[u8], compress: bool) -> Vec<u8> {
    event(
        EventType::TransactionPayload.code(),
        0,
        0,
        &payload(events, compress),
    )
}

/// The body of a compressed transaction.
#[must_use]
pub fn payload(events: &[u8], compress: bool) -> Vec<u8> {
    let (kind, data) = if compress {
        let data = compress_to_vec(events, CompressionLevel::Fastest);
        (&[2, 1, 0][..], data)
    } else {
        (&[2, 3, 0xfc, 255, 0][..], events.to_vec())
    };
    let mut body = kind.to_vec();
    body.extend_from_slice(&[3, 9, 0xfe]);
    body.extend_from_slice(&(events.len() as u64).to_le_bytes());
    body.extend_from_slice(&[1, 9, 0xfe]);
    body.extend_from_slice(&(data.len() as u64).to_le_bytes());
    body.push(0);
    body.extend_from_slice(&data);
    body
}

/// Looks for one transaction after the other.
fn walk(events: &[Vec<u8>], state: State, filter: &TableFilter) {
    let mut walk = Walk::new(state, ChecksumAlgorithm::Off, filter.clone());
    for event in events {
        match walk.event(event) {
            Ok(Some(found)) => {
                let checkpoint = found.after.checkpoint(7);
                assert_eq!(
                    State::from_checkpoint(&checkpoint).as_ref(),
                    Ok(&found.after)
                );
            }
            Ok(None) => {}
            Err(_) => return,
        }
    }
}
