//! The binary log dump, from a scripted server: commands byte by byte, and events through futures that are dropped.

mod scripted;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use datain_mysql_client::blocking::block_on;
use datain_mysql_client::framing::MAX_FRAME_LEN;
use datain_mysql_client::{
    ConnectOptions, DUMP_NON_BLOCK, DUMP_THROUGH_GTID, DumpPacket, LARGE_EVENT, ReplicaIdentity,
    Session,
};
use scripted::{Scripted, packets};

const OK: &[u8] = b"\0\0\0\x02\0\0\0";

fn session(piece: usize, turns: &[Vec<u8>]) -> Session<Scripted> {
    let mut greeting = b"\x0a9.7.0\0\x01\0\0\0abcdefgh\0\xff\xf7\xff\x02\0\xff\xdf".to_vec();
    greeting.extend_from_slice(b"\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2_password\0");
    let login = [packets(0, &[&greeting]), packets(2, &[OK])];
    let server = Scripted::new(login.into_iter().chain(turns.iter().cloned())).in_pieces(piece);
    block_on(Session::connect(server, &ConnectOptions::new("app"))).expect("the scripted login")
}

#[test]
fn commands() {
    let end = packets(1, &[b"\xfe\0\0\x02\0"]);
    let replica = ReplicaIdentity {
        server_id: 0x0102,
        hostname: "host".to_owned(),
        user: "me".to_owned(),
        port: 3306,
    };
    let mut by_position = session(usize::MAX, &[packets(1, &[OK]), end.clone()]);
    let mut by_gtid = session(usize::MAX, &[end]);
    block_on(async {
        by_position
            .register_replica(&replica)
            .await
            .expect("registered");
        by_position
            .binlog_dump(0x0102, "b.000001", 4, DUMP_NON_BLOCK)
            .await
            .expect("sent");
        let flags = DUMP_NON_BLOCK | DUMP_THROUGH_GTID;
        by_gtid
            .binlog_dump_gtid(0x0102, flags, "", 4, &[9; 8])
            .await
            .expect("sent");
        for session in [&mut by_position, &mut by_gtid] {
            assert_eq!(
                session.next_event().await.expect("the end"),
                DumpPacket::EndOfStream
            );
            assert_eq!(
                session.ping().await.expect_err("closed").code(),
                "session.dump-ended"
            );
        }
    });
    let sent = by_position.stream().sent();
    assert_eq!(
        sent[1],
        b"\x15\x02\x01\0\0\x04host\x02me\0\xea\x0c\0\0\0\0\0\0\0\0"
    );
    assert_eq!(sent[2], b"\x12\x04\0\0\0\x01\0\x02\x01\0\0b.000001");
    let gtid = b"\x1e\x05\0\x02\x01\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\x08\0\0\0\x09\x09\x09\x09\x09\x09\x09\x09";
    assert_eq!(by_gtid.stream().sent()[1], gtid);
}

/// 600 events of growing length, so that sequence ids wrap twice.
fn events() -> Vec<Vec<u8>> {
    (0..600usize).map(|i| vec![i as u8; i % 90]).collect()
}

fn dump_turn() -> Vec<u8> {
    let payloads: Vec<Vec<u8>> = events().iter().map(|e| [&[0][..], e].concat()).collect();
    let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    packets(1, &payloads)
}

#[test]
fn dropped_futures_lose_nothing() {
    for piece in [1, 7, 1000] {
        let mut session = session(piece, &[dump_turn()]);
        block_on(session.binlog_dump(1, "b", 4, 0)).expect("sent");
        let mut context = Context::from_waker(Waker::noop());
        let (mut found, mut dropped) = (Vec::new(), 0);
        while found.len() < 600 {
            // Every future is polled once only.
            match pin!(session.next_event()).poll(&mut context) {
                Poll::Ready(Ok(DumpPacket::Event(event))) => found.push(event.to_vec()),
                Poll::Ready(other) => panic!("{other:?}"),
                Poll::Pending => dropped += 1,
            }
        }
        assert_eq!(found, events());
        assert!(dropped > 10, "{dropped}");
    }
}

#[test]
fn large_events_come_in_pieces() {
    let large = |len: usize| -> Vec<u8> { (0..len).map(|i| (i * 7 + i / 300) as u8).collect() };
    // Small, large, exactly two full frames with the status byte, small.
    let events = [
        large(1000),
        large(LARGE_EVENT),
        large(2 * MAX_FRAME_LEN - 1),
        large(9),
    ];
    let payloads: Vec<Vec<u8>> = events.iter().map(|e| [&[0][..], e].concat()).collect();
    let payloads: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    for piece in [300_000, 1 << 20] {
        let mut session = session(piece, &[packets(1, &payloads)]);
        block_on(session.binlog_dump(1, "b", 4, 0)).expect("sent");
        let (mut found, mut pieces) = (Vec::new(), 0);
        while found.len() < events.len() {
            let mut whole = Vec::new();
            loop {
                match block_on(session.next_event()).expect("an event") {
                    DumpPacket::Event(event) => {
                        whole.extend_from_slice(event);
                        break;
                    }
                    DumpPacket::Piece { bytes, first, last } => {
                        assert_eq!(first, whole.is_empty());
                        assert!(!first || bytes.len() > 1000);
                        whole.extend_from_slice(bytes);
                        pieces += 1;
                        if last {
                            break;
                        }
                    }
                    DumpPacket::EndOfStream => panic!("it has not ended"),
                }
            }
            found.push(whole);
        }
        assert!(found == events, "as they were sent");
        assert!(pieces > 20, "{pieces}");
    }
}

#[test]
fn what_is_buffered_is_taken_without_waiting() {
    let turn = dump_turn();
    let (first, second) = turn.split_at(turn.len() / 2);
    let mut session = session(usize::MAX, &[first.to_vec(), second.to_vec()]);
    block_on(session.binlog_dump(1, "b", 4, 0)).expect("sent");
    assert_eq!(session.buffered_packet().expect("nothing yet"), None);
    let (mut found, mut waits) = (0, 0);
    while found < 600 {
        assert!(matches!(
            block_on(session.next_event()),
            Ok(DumpPacket::Event(_))
        ));
        (found, waits) = (found + 1, waits + 1);
        while let Some(DumpPacket::Event(_)) = session.buffered_packet().expect("events") {
            found += 1;
        }
    }
    assert_eq!(waits, 2);
}

#[test]
fn interruptions_errors_and_the_end() {
    let purged = b"\xff\xd4\x04#HY000Could not find first log file name in binary log index file";
    let mut session = session(usize::MAX, &[]);
    block_on(async {
        let code = session
            .next_event()
            .await
            .expect_err("no dump yet")
            .code()
            .to_owned();
        assert_eq!(code, "session.not-dumping");
        session.binlog_dump(1, "b", 4, 0).await.expect("sent");
        session.stream_mut().interrupt = true;
        assert!(
            session
                .next_event()
                .await
                .expect_err("stopped")
                .is_interrupted()
        );
        session.stream_mut().push(packets(1, &[b"\0event"]));
        assert_eq!(
            session.next_event().await.expect("an event"),
            DumpPacket::Event(b"event")
        );
        session.stream_mut().push(packets(2, &[purged]));
        let error = session.next_event().await.expect_err("purged");
        assert_eq!(
            (error.code(), error.is_transient()),
            ("server.binlog-purged", false)
        );
        assert_eq!(
            session.next_event().await.expect_err("over").code(),
            "session.dump-ended"
        );
    });
    let mut session = self::session(usize::MAX, &[]);
    block_on(async {
        session.binlog_dump(1, "b", 4, 0).await.expect("sent");
        let error = session.next_event().await.expect_err("closed");
        assert_eq!((error.code(), error.is_transient()), ("net.closed", true));
        assert_eq!(
            session.ping().await.expect_err("closed").code(),
            "session.broken"
        );
    });
}
