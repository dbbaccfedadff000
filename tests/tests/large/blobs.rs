//! Values of every size, over packets of every size.

use datain_tests::compare;
use datain_tests::host::TempDir;
use datain_tests::native::replicate;
use datain_tests::pipeline_run::{FROM_THE_START, caught_up, value};

use crate::{assert_same_gtids, logged, server, settings};

/// Length of the largest payload of one frame.
const FRAME: u64 = 0xff_ffff;

/// A value whose bytes need escapes in SQL, and one that has none.
fn bytes(length: u64) -> String {
    format!("LEFT(REPEAT(UNHEX('00275C0A41FF0D1A22E4'), {length} DIV 10 + 1), {length})")
}

/// fidelity: event | BLOB of 0 B to 64 MB, packets of 16 MiB and more (exactly 0xffffff bytes, one less, one more) | arrive byte for byte
#[test]
fn blobs_of_every_size_arrive() {
    let packets = "max_allowed_packet=1G";
    let (source, target) = (server(&[packets]), server(&[packets]));
    source
        .sql("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO d.t VALUES (0, '')")
        .expect("a table");
    let (_, without_value) = logged(&source, "Write_rows");
    // The packet has a byte before the event.
    let one_frame = FRAME - 1 - without_value;
    let sizes = [
        1,
        255,
        256,
        65_535,
        65_536,
        1 << 20,
        one_frame - 1,
        one_frame,
        one_frame + 1,
        20_000_000,
        2 * FRAME - 1 - without_value,
        64_000_000,
    ];
    for (id, size) in (1..).zip(sizes) {
        source
            .sql(&format!("INSERT INTO d.t VALUES ({id}, {})", bytes(size)))
            .expect("a row");
    }
    let (_, largest) = logged(&source, "Write_rows");
    assert_eq!(largest, without_value + 64_000_000);
    source
        .sql("UPDATE d.t SET b = CONCAT(b, 'more') WHERE id = 10; UPDATE d.t SET b = NULL WHERE id = 9; DELETE FROM d.t WHERE id = 8")
        .expect("changes");
    let checkpoint = replicate(&source, &target, &settings("")).expect("replication");
    assert_same_gtids(&source, &checkpoint);
    compare::assert_equal(&source, &target, &["d"]);
    // By other functions, too: a hash of a value that a function found too large would be NULL on both sides.
    let sums =
        "SELECT CONCAT_WS('-', COUNT(*), SUM(LENGTH(b)), SUM(CRC32(b)), SUM(b IS NULL)) FROM d.t";
    let expected = value(&source, sums).expect("sums");
    assert!(expected.starts_with("12-"), "{expected}");
    assert_eq!(value(&target, sums), Some(expected));
}

/// fidelity: event | BLOB of 64 MB through the plugins | fits into the default limits of row and memory
#[test]
fn a_blob_of_64_mb_fits_into_the_default_limits() {
    let packets = "max_allowed_packet=1G";
    let (source, target) = (server(&[packets]), server(&[packets]));
    source
        .sql(&format!(
            "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB); INSERT INTO d.t VALUES (1, 'x'); \
             INSERT INTO d.t VALUES (2, {}); INSERT INTO d.t VALUES (3, LEFT(REPEAT(RANDOM_BYTES(1000), 64000), 64000000)); \
             UPDATE d.t SET id = 4 WHERE id = 1; DELETE FROM d.t WHERE id = 3",
            bytes(30_000_000)
        ))
        .expect("rows");
    source
        .sql("INSERT INTO d.t VALUES (5, LEFT(REPEAT(RANDOM_BYTES(1000), 64000), 64000000)), (6, 'small')")
        .expect("rows");
    let folder = TempDir::new().expect("a folder");
    caught_up(&folder, "blobs", &source, &target, FROM_THE_START);
    compare::assert_equal(&source, &target, &["d"]);
}
