//! Events that are not rows: which pass, which stop the stream, and where the position stands after them.

#![allow(clippy::unwrap_used, reason = "a test")]

mod log;

use datain_capture::assembler::Assembler;
use datain_contract::types::Disposition;
use log::{assembler, event, events};

const IGNORABLE: u16 = 0x80;
const INCIDENT: u8 = 26;
const HEARTBEAT: u8 = 27;
const HEARTBEAT_V2: u8 = 41;

fn offset(assembler: &Assembler) -> u64 {
    assembler.position().offset
}

/// fidelity: event | unknown, ignorable (Aurora's 100 and 101, padding) | passed over; the position moves on
#[test]
fn unknown_events_that_say_so_are_passed_over() {
    let mut assembler = assembler(true, 1 << 20);
    let mut end = 4;
    for code in [28, 100, 101, 36, 37, 200] {
        for body in [&b""[..], &[0; 1000]] {
            end += 19 + body.len() as u32 + 4;
            assembler.event(&event(code, IGNORABLE, end, body)).unwrap();
            assert_eq!(offset(&assembler), u64::from(end));
        }
    }
    assert_eq!(assembler.ordinal(), 0);
}

/// fidelity: event | unknown, not ignorable | stops with `binlog.unknown-event`
#[test]
fn unknown_events_stop() {
    for code in [100, 36, 200] {
        let error = assembler(true, 1 << 20)
            .event(&event(code, 0, 100, &[1; 50]))
            .unwrap_err();
        assert_eq!(error.code, "binlog.unknown-event");
        assert!(error.message.contains(&code.to_string()) && error.hint.is_some());
        assert_eq!(error.position.as_deref(), Some("binlog.000001:100"));
        // Also one that is too large to be held.
        let large = event(code, 0, 100, &vec![1; 2 << 20]);
        let (head, rest) = large.split_at(5000);
        let mut in_pieces = assembler(true, 1 << 20);
        in_pieces.piece(head, true, false).unwrap();
        let error = in_pieces.piece(rest, false, true).unwrap_err();
        assert_eq!(error.code, "binlog.unknown-event");
    }
}

/// fidelity: event | Incident | stops with `source.incident`: a new first copy is needed
#[test]
fn an_incident_stops() {
    let mut assembler = assembler(true, 1 << 20);
    let error = assembler
        .event(&event(INCIDENT, 0, 100, b"\x01\0\x04lost"))
        .unwrap_err();
    assert_eq!(error.code, "source.incident");
    assert!(matches!(error.disposition, Disposition::Resnapshot));
    assert!(error.hint.is_some() && error.position.is_some());
}

/// The body of a heartbeat of version 2.
fn heartbeat_v2(file: &str, position: u64) -> Vec<u8> {
    let mut body = vec![1, file.len() as u8];
    body.extend_from_slice(file.as_bytes());
    body.extend([2, 9, 0xfe]);
    body.extend(position.to_le_bytes());
    body.push(0);
    body
}

/// fidelity: event | Heartbeat | the checkpoint follows the source's position, modulo 4 GiB
/// fidelity: event | Heartbeat_v2 | the checkpoint follows the source's position, of 64 bits
#[test]
fn heartbeats_move_the_position() {
    let file = b"binlog.000001";
    let mut assembler = assembler(false, 1 << 20);
    assembler.event(&event(HEARTBEAT, 0, 1000, file)).unwrap();
    assert_eq!(offset(&assembler), 1000);
    // Version 1 has 32 bits: going back means that they wrapped.
    assembler.event(&event(HEARTBEAT, 0, 900, file)).unwrap();
    assert_eq!(offset(&assembler), (1 << 32) + 900);
    let (here, there) = ("binlog.000001", "binlog.000009");
    let far = 20 << 30;
    assembler
        .event(&event(HEARTBEAT_V2, 0, 0, &heartbeat_v2(here, far)))
        .unwrap();
    assert_eq!(offset(&assembler), far);
    // Neither back, nor in another file.
    for body in [heartbeat_v2(here, 5), heartbeat_v2(there, far + 9)] {
        assembler.event(&event(HEARTBEAT_V2, 0, 0, &body)).unwrap();
        assert_eq!(assembler.position().to_string(), format!("{here}:{far}"));
    }
    let batch = assembler.take_batch().unwrap();
    let checkpoint = batch.transactions.last().unwrap().checkpoint.as_ref();
    let data = String::from_utf8_lossy(&checkpoint.unwrap().data).into_owned();
    assert!(data.contains(&format!("\"offset\":{far}")), "{data}");
}

/// fidelity: event | any, in a file over 4 GiB | offsets are counted in 64 bits
#[test]
fn positions_are_counted_past_4_gib() {
    let mut assembler = assembler(false, 1 << 20);
    let size = 19 + 4;
    let mut end: u64 = (1 << 32) - 30;
    let at = heartbeat_v2("binlog.000001", end);
    assembler.event(&event(HEARTBEAT_V2, 0, 0, &at)).unwrap();
    for _ in 0..4 {
        end += size;
        let low = (end & 0xffff_ffff) as u32;
        assembler.event(&event(100, IGNORABLE, low, b"")).unwrap();
        assert_eq!(offset(&assembler), end);
    }
    assert!(end > 1 << 32);
}

/// fidelity: event | Anonymous_gtid | passes in a stream by file and position; in one by GTID it stops
#[test]
fn anonymous_transactions() {
    let gtid = events().into_iter().find(|e| e[4] == 33).unwrap();
    let body = &gtid[19..gtid.len() - 4];
    let anonymous = event(34, 0, 200, body);
    let xid = event(16, 0, 300, &[7; 8]);
    let mut by_position = assembler(false, 1 << 20);
    for event in [&anonymous, &xid] {
        by_position.event(event).unwrap();
    }
    assert_eq!((by_position.ordinal(), offset(&by_position)), (1, 300));
    let mut by_gtid = assembler(true, 1 << 20);
    by_gtid.event(&anonymous).unwrap();
    let error = by_gtid.event(&xid).unwrap_err();
    assert_eq!(error.code, "source.anonymous-transaction");
    assert_eq!(by_gtid.ordinal(), 0);
}
