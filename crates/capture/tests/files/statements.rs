//! Changes that were logged as statements.

use datain_contract::types::Change;

use crate::{NO_CHECKSUM, Read, code, offsets, plain, query, read};

fn statements(read: &Read) -> Vec<Vec<String>> {
    let records = read.batches.iter().flat_map(|b| &b.transactions);
    records
        .filter(|t| !t.changes.is_empty())
        .map(|t| {
            let changes = t.changes.iter().map(|change| match change {
                Change::Statement(s) => String::from_utf8(s.sql.clone()).unwrap(),
                other => format!("{other:?}"),
            });
            changes.collect()
        })
        .collect()
}

/// fidelity: file | statement-format changes of rows, with Intvar, Rand and User_var events | printed as statements; live replication refuses them
#[test]
fn statements_that_change_rows_are_shown_with_what_they_depend_on() {
    let first = offsets(NO_CHECKSUM)[1];
    let mut file = NO_CHECKSUM[..first].to_vec();
    let mut user_var = vec![2, 0, 0, 0, b'a', b'`', 0, 0];
    user_var.extend_from_slice(&255_u32.to_le_bytes());
    user_var.extend_from_slice(&[1, 0, 0, 0, b'x', 0]);
    let intvar = [&[2][..], &7_u64.to_le_bytes()].concat();
    let seeds = [3_u64.to_le_bytes(), 4_u64.to_le_bytes()].concat();
    for event in [
        query("BEGIN"),
        plain(5, &intvar),
        plain(13, &seeds),
        plain(14, &user_var),
        query("INSERT INTO t VALUES (NULL, RAND(), @a)"),
        query("SAVEPOINT s"),
        query("UPDATE t SET a = 1"),
        query("COMMIT"),
        query("INSERT INTO m VALUES (1)"),
        query("BEGIN"),
        query("DELETE FROM m"),
        query("ROLLBACK"),
        query("CREATE TABLE c (a INT)"),
    ] {
        file.extend_from_slice(&event);
    }
    let found = read(&[&file]);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!(
        statements(&found),
        [
            &[
                "SET INSERT_ID = 7",
                "SET RAND_SEED1 = 3, RAND_SEED2 = 4",
                "SET @`a``` = X'78' /* collation 255 */",
                "INSERT INTO t VALUES (NULL, RAND(), @a)",
                "UPDATE t SET a = 1",
            ][..],
            &["INSERT INTO m VALUES (1)"],
            &["DELETE FROM m", "ROLLBACK"],
            &["CREATE TABLE c (a INT)"],
        ]
    );
}

/// A format description of a server that knows no checksums, whose events have headers of so many bytes.
fn described(version: &str, header: u8) -> Vec<u8> {
    let mut body = 4_u16.to_le_bytes().to_vec();
    body.extend_from_slice(version.as_bytes());
    body.resize(2 + 50 + 4, 0);
    body.push(header);
    // Of the types 1 to 18, as 5.0 has them.
    body.extend_from_slice(&[56, 13, 0, 8, 0, 18, 0, 4, 4, 4, 4, 18, 0, 0, 71, 0, 4, 26]);
    [b"\xfebin".to_vec(), plain(15, &body)].concat()
}

#[test]
fn statements_of_5_0_stand_without_begin_before_their_xid() {
    let intvar = [&[2][..], &7_u64.to_le_bytes()].concat();
    let events = [
        plain(5, &intvar),
        query("INSERT INTO t VALUES (NULL)"),
        plain(16, &9_u64.to_le_bytes()),
        query("BEGIN"),
        query("DELETE FROM t"),
        plain(16, &10_u64.to_le_bytes()),
    ]
    .concat();
    let found = read(&[&[described("5.0.96-log", 19), events.clone()].concat()]);
    assert_eq!(code(&found.ended), "ok", "{:?}", found.ended);
    assert_eq!(
        statements(&found),
        [
            &["SET INSERT_ID = 7", "INSERT INTO t VALUES (NULL)"][..],
            &["DELETE FROM t"]
        ]
    );
    // Since then, an Xid event without BEGIN is the end of something that is missing.
    let found = read(&[&[described("5.5.62-log", 19), events].concat()]);
    assert_eq!(code(&found.ended), "binlog.malformed", "{:?}", found.ended);
}

#[test]
fn a_layout_of_one_build_only_is_named() {
    for (version, header) in [("5.1.63-google-log", 23), ("5.2.2-a_drop6p13-log", 19)] {
        let found = read(&[&described(version, header)]);
        assert_eq!(code(&found.ended), "binlog.other-layout", "{version}");
    }
}
