//! A reader that must wait for the target.

use std::thread::sleep;
use std::time::Duration;

use datain_capture::reader::Reader;
use datain_mysql_client::blocking::block_on;
use datain_tests::native::session;

use crate::{server, settings};

/// fidelity: event | any, while the target is slow | the source waits, whatever its net_write_timeout
#[test]
fn the_source_waits_for_a_slow_target() {
    let source = server(&["net_write_timeout=2", "max_allowed_packet=256M"]);
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO d.t VALUES (1, REPEAT('x', 60000000))")
        .expect("a row");
    source
        .sql("INSERT INTO d.t VALUES (2, REPEAT('y', 60000000)); INSERT INTO d.t VALUES (3, REPEAT('z', 60000000))")
        .expect("rows that no buffer on the way can hold");
    block_on(async {
        let mut reader = Reader::open(session(&source), &settings(""), None, false)
            .await
            .expect("the reader");
        reader.next_batch(1 << 20, |_| {}).await.expect("a batch");
        sleep(Duration::from_secs(8));
        while !reader.progress().reached_head {
            reader
                .next_batch(1 << 20, |_| {})
                .await
                .expect("the source has waited");
        }
    });
}
