//! A source's signs of life, in both forms.

use datain_mysql_client::blocking::block_on;
use datain_mysql_client::{DUMP_HEARTBEAT_V2, DumpPacket};
use datain_tests::native::session;

use crate::server;

/// fidelity: event | Heartbeat, Heartbeat_v2 | the source sends the one that was asked for; both are understood
#[test]
fn the_source_sends_the_kind_that_was_asked_for() {
    let source = server(&[]);
    for (flags, expected) in [(0, 27), (DUMP_HEARTBEAT_V2, 41)] {
        block_on(async {
            let mut session = session(&source);
            let period =
                "SET @source_heartbeat_period = 100000000, @source_binlog_checksum = 'CRC32'";
            session.exec(period.as_bytes()).await.expect("settings");
            session
                .binlog_dump(99, "binlog.000001", 4, flags)
                .await
                .expect("a dump");
            loop {
                let DumpPacket::Event(event) = session.next_event().await.expect("an event") else {
                    panic!("no large event, and no end");
                };
                if matches!(event[4], 27 | 41) {
                    assert_eq!(event[4], expected);
                    break;
                }
            }
        });
    }
}
