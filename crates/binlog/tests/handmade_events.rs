//! Events that a plain file does not hold, made by hand as the format says, and the errors for those that are broken.

use datain_binlog::{
    BinlogError, BinlogFile, ChecksumAlgorithm, Event, EventBody, EventHeader, EventType,
    FormatDescription, LoadDuplicates, PayloadCompression, column_type,
};

fn event(type_code: u8, flags: u16, body: &[u8]) -> Vec<u8> {
    let mut event = vec![0; EventHeader::LEN];
    event[4] = type_code;
    event[9..13].copy_from_slice(&((EventHeader::LEN + body.len()) as u32).to_le_bytes());
    event[13..17].copy_from_slice(&1234u32.to_le_bytes());
    event[17..19].copy_from_slice(&flags.to_le_bytes());
    event.extend_from_slice(body);
    event
}

/// Parses an event and holds its body, as `Debug` shows it, against the expected one.
fn check(type_code: u8, flags: u16, body: &[u8], expected: &Result<EventBody<'_>, &str>) {
    let bytes = event(type_code, flags, body);
    let event = Event::split(&bytes, ChecksumAlgorithm::Off).expect("a whole event");
    let format = FormatDescription::assumed(ChecksumAlgorithm::Off);
    let got = event.parse(&format).map_err(|error| error.to_string());
    assert_eq!(format!("{got:?}"), format!("{expected:?}"));
}

/// As [`check`], by the text of the body's `Debug`.
fn check_debug(type_code: u8, body: &[u8], expected: &str) {
    let bytes = event(type_code, 0, body);
    let event = Event::split(&bytes, ChecksumAlgorithm::Off).expect("a whole event");
    let format = FormatDescription::assumed(ChecksumAlgorithm::Off);
    assert_eq!(
        format!("{:?}", event.parse(&format).expect("a body")),
        expected
    );
}

#[test]
fn unknown_events_are_told_apart() {
    let unknown = EventType::Unknown(200);
    check(200, 0, b"data", &Ok(EventBody::Unhandled(unknown)));
    check(200, 0x80, b"data", &Ok(EventBody::Ignorable(unknown)));
    check(
        28,
        0x80,
        b"",
        &Ok(EventBody::Ignorable(EventType::Ignorable)),
    );
    check(
        165,
        0x80,
        b"",
        &Ok(EventBody::Unhandled(EventType::MariadbQueryCompressed)),
    );
    check(3, 0, b"", &Ok(EventBody::Stop));
}

#[test]
fn signs_of_life_and_rotation() {
    check_debug(
        27,
        b"binlog.000001",
        r#"Heartbeat(Heartbeat { file: "binlog.000001", position: 1234, is_full_position: false })"#,
    );
    let mut v2 = b"\x01\x0dbinlog.000002\x02\x09\xfe".to_vec();
    v2.extend_from_slice(&5_000_000_000u64.to_le_bytes());
    v2.extend_from_slice(b"\x63\x02zz\x00");
    check_debug(
        41,
        &v2,
        r#"Heartbeat(Heartbeat { file: "binlog.000002", position: 5000000000, is_full_position: true })"#,
    );
    let mut rotate = 4u64.to_le_bytes().to_vec();
    rotate.extend_from_slice(b"binlog.000003");
    check_debug(
        4,
        &rotate,
        r#"Rotate(Rotate { position: 4, file: "binlog.000003" })"#,
    );
}

#[test]
fn incidents_and_payloads() {
    check_debug(
        26,
        b"\x01\x00\x04lost",
        "Incident(Incident { number: 1, message: [108, 111, 115, 116] })",
    );
    let payload = b"\x02\x01\x00\x03\x03\xfc\x00\x10\x01\x01\x02\x00ab";
    let bytes = event(40, 0, payload);
    let event = Event::split(&bytes, ChecksumAlgorithm::Off).expect("a whole event");
    match event.parse(&FormatDescription::assumed(ChecksumAlgorithm::Off)) {
        Ok(EventBody::TransactionPayload(payload)) => {
            assert_eq!(payload.compression, PayloadCompression::Zstd);
            assert_eq!(payload.uncompressed_size, Some(4096));
            assert_eq!(payload.payload, b"ab");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn errors_name_event_offset_and_field() {
    let malformed = |rest: &'static str| Err(rest);
    check(
        4,
        0,
        &[1, 2],
        &malformed(
            "malformed Rotate event, field `position` at byte 19: needs 8 bytes, 2 are left",
        ),
    );
    check(
        38,
        0,
        &[0, 1, 0, 0, 0, 65, 0, 0, 0],
        &malformed(
            "malformed XA_prepare event, field `gtrid_length` at byte 24: 65 is not allowed here",
        ),
    );
    // A status variable that nobody knows makes the rest unreadable.
    let mut query = vec![0; 13];
    query[11] = 2;
    query.extend_from_slice(&[99, 0, 0]);
    check(
        2,
        0,
        &query,
        &malformed("malformed Query event, field `status_var` at byte 32: 99 is not allowed here"),
    );
}

#[test]
fn columns_that_nobody_knows() {
    let map = |type_code: u8| {
        let mut body = vec![0; 8];
        body.extend_from_slice(b"\x01s\x00\x01t\x00\x01");
        body.extend_from_slice(&[type_code, 0, 0]);
        let bytes = event(19, 0, &body);
        let event = Event::split(&bytes, ChecksumAlgorithm::Off).expect("a whole event");
        match event.parse(&FormatDescription::assumed(ChecksumAlgorithm::Off)) {
            Ok(EventBody::TableMap(map)) => map.columns().map(|table| table.columns.len()),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(map(column_type::LONG), Ok(1));
    for type_code in [column_type::DECIMAL, 20, 140, 141, 243] {
        let column = 0;
        assert_eq!(
            map(type_code),
            Err(BinlogError::UnsupportedColumnType { column, type_code })
        );
    }
}

#[test]
fn files_that_are_none() {
    let check = |bytes: &[u8], code: &str| {
        let error = BinlogFile::new(bytes).expect_err("no binary log");
        assert_eq!(error.code(), code);
    };
    check(b"", "binlog.magic");
    check(b"\xfe", "binlog.magic");
    check(b"\xfdbin\x01", "binlog.magic");
    let mut cut = BinlogFile::new(b"\xfebin\x00\x00").expect("the magic is there");
    assert_eq!(
        cut.next_event().expect_err("cut").code(),
        "binlog.malformed"
    );
}

/// LOAD DATA as a statement: blocks of a file under a number, and what reads it.
#[test]
fn files_and_what_reads_them() {
    let block = [7, 0, 0, 0, b'a', b'b'];
    for (code, name) in [(17, "BeginLoadQuery"), (9, "AppendBlock")] {
        let expected = format!("{name}(LoadBlock {{ file_id: 7, data: [97, 98] }})");
        check_debug(code, &block, &expected);
    }
    check_debug(11, &[7, 0, 0, 0], "DeleteFile(7)");
    // The post-header of a Query event, then the file's number, the part of the statement that names it, and what is done about duplicates.
    let load = |begins: u8, ends: u8, duplicates: u8| {
        let mut body = vec![1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0];
        body.extend([7, 0, 0, 0, begins, 0, 0, 0, ends, 0, 0, 0, duplicates]);
        body.extend(b"d\0LOAD DATA INFILE 'x' INTO TABLE t");
        body
    };
    let parsed = |body: &[u8]| {
        let bytes = event(18, 0, body);
        let event = Event::split(&bytes, ChecksumAlgorithm::Off).expect("a whole event");
        let format = FormatDescription::assumed(ChecksumAlgorithm::Off);
        match event.parse(&format) {
            Ok(EventBody::ExecuteLoadQuery(load)) => Ok((
                load.file_id,
                load.duplicates,
                String::from_utf8_lossy(&load.query.sql[load.file_part.0..load.file_part.1])
                    .into_owned(),
                load.query.schema.to_owned(),
            )),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    };
    let named = " INFILE 'x' INTO".to_owned();
    let expected = (7, LoadDuplicates::Replace, named, "d".to_owned());
    assert_eq!(parsed(&load(9, 25, 2)), Ok(expected));
    for (body, field) in [
        (load(9, 25, 3), "dup_handling"),
        (load(25, 9, 0), "fn_pos_start"),
        (load(9, 250, 0), "fn_pos_start"),
        (load(9, 25, 0)[..20].to_vec(), "post_header"),
    ] {
        let error = parsed(&body).expect_err(field);
        assert!(error.contains(field), "{error}");
    }
}
