//! Statements and their results, from a scripted server.

mod scripted;

use datain_mysql_client::blocking::block_on;
use datain_mysql_client::{ClientError, ConnectOptions, Outcome, Session, StatusFlags};
use proptest::prelude::*;
use scripted::{Scripted, packets};

/// A column `a` of type BIGINT, as 9.7 sends it.
const COLUMN: &[u8] = b"\x03def\0\0\0\x01a\0\x0c\x3f\0\x02\0\0\0\x08\x81\0\0\0\0";
const EOF: &[u8] = b"\xfe\0\0\x02\0";
const EOF_MORE: &[u8] = b"\xfe\0\0\x0a\0";
/// The OK packet that stands for EOF under CLIENT_DEPRECATE_EOF.
const END: &[u8] = b"\xfe\0\0\x02\0\0\0";
const OK: &[u8] = b"\0\x03\x07\x02\0\x01\0";
const OK_MORE: &[u8] = b"\0\0\0\x0a\0\0\0";
const ERROR: &[u8] = b"\xff\x26\x04#23000Duplicate entry 'secret' for key 't.PRIMARY'";

/// A session with a server that has CLIENT_DEPRECATE_EOF or not, and then sends these turns.
fn session(deprecate_eof: bool, turns: &[Vec<u8>]) -> Session<Scripted> {
    session_with(deprecate_eof, true, turns)
}

/// The same, which has announced that it has files to send or not.
fn session_with(deprecate_eof: bool, local_files: bool, turns: &[Vec<u8>]) -> Session<Scripted> {
    let mut greeting = b"\x0a9.7.0\0\x01\0\0\0abcdefgh\0\xff\xf7\xff\x02\0".to_vec();
    greeting.extend_from_slice(if deprecate_eof {
        b"\xff\xdf"
    } else {
        b"\xff\xc0"
    });
    greeting.extend_from_slice(b"\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0caching_sha2_password\0");
    let login = [packets(0, &[&greeting]), packets(2, &[b"\0\0\0\x02\0\0\0"])];
    let server = Scripted::new(login.into_iter().chain(turns.iter().cloned())).in_pieces(1);
    let mut options = ConnectOptions::new("app");
    options.local_files = local_files;
    options.multi_statements = true;
    block_on(Session::connect(server, &options)).expect("the scripted login")
}

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    result.expect_err("must fail").code().to_owned()
}

#[test]
fn ok_and_rows_with_and_without_eof() {
    for (deprecate_eof, rows) in [
        (
            true,
            packets(1, &[b"\x01", COLUMN, b"\x0242", b"\xfb", END]),
        ),
        (
            false,
            packets(1, &[b"\x01", COLUMN, EOF, b"\x0242", b"\xfb", EOF]),
        ),
    ] {
        let mut session = session(
            deprecate_eof,
            &[packets(1, &[OK]), rows.clone(), rows.clone(), rows],
        );
        let ok = block_on(session.exec(b"UPDATE t SET a = 1")).expect("OK");
        assert_eq!(
            (ok.affected_rows, ok.last_insert_id, ok.warnings),
            (3, 7, 1)
        );
        assert_eq!(ok.status, StatusFlags::SERVER_STATUS_AUTOCOMMIT);

        let outcomes = block_on(session.query(b"SELECT a FROM t")).expect("rows");
        let [Outcome::Rows(set)] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(set.rows, [vec![Some(b"42".to_vec())], vec![None]]);
        assert_eq!(
            (
                set.columns[0].name.as_str(),
                set.columns[0].type_code,
                set.columns[0].charset
            ),
            ("a", 8, 63)
        );

        let first = block_on(session.query_first(b"SELECT a FROM t")).expect("rows");
        assert_eq!(first, Some(vec![Some("42".to_owned())]));

        block_on(async {
            assert_eq!(
                session
                    .open_rows(b"SELECT a FROM t")
                    .await
                    .expect("columns")
                    .len(),
                1
            );
            assert_eq!(code(session.ping().await), "session.rows-pending");
            let mut rows = Vec::new();
            while let Some(row) = session.next_row().await.expect("a row") {
                rows.push(row.to_vec().expect("a sound row"));
            }
            assert_eq!(rows, set.rows);
            assert!(session.is_ready());
        });
        assert_eq!(session.stream().sent()[1], b"\x03UPDATE t SET a = 1");
    }
}

#[test]
fn several_statements_in_one() {
    let rows = [b"\x01", COLUMN, EOF, b"\x0242"];
    let turn = packets(
        1,
        &[OK_MORE, rows[0], rows[1], rows[2], rows[3], EOF_MORE, OK],
    );
    let failing = packets(1, &[OK_MORE, ERROR]);
    let mut session = session(false, &[turn, failing, packets(1, &[OK])]);
    let outcomes = block_on(session.query(b"a; b; c")).expect("three results");
    assert!(matches!(
        outcomes.as_slice(),
        [Outcome::Ok(_), Outcome::Rows(_), Outcome::Ok(_)]
    ));
    let error =
        block_on(session.query(b"INSERT 1; INSERT 2; INSERT 3")).expect_err("the second fails");
    assert_eq!(
        error.server().map(|e| e.context.as_str()),
        Some("statement 2 of the query that begins with INSERT")
    );
    assert!(!error.to_string().contains("secret"), "{error}");
    block_on(session.exec(b"DO 1")).expect("the session goes on");
}

#[test]
fn statements_ahead_of_their_results() {
    // One of the answers has a failure, and one statement has two results.
    let turn = [
        packets(1, &[OK]),
        packets(1, &[ERROR]),
        packets(1, &[OK_MORE, OK]),
        packets(1, &[OK]),
    ];
    let mut session = session(true, &[turn.concat()]);
    block_on(async {
        for sql in ["INSERT", "INSERT", "a;b", "UPDATE"] {
            session.send_query(sql.as_bytes()).await.expect("sent");
        }
        assert_eq!(session.pending_results(), 4);
        assert_eq!(code(session.ping().await), "session.results-pending");
        assert!(!session.read_result().await.expect("OK").1);
        let error = session.read_result().await.expect_err("a duplicate key");
        assert_eq!(error.code(), "server.duplicate-key");
        assert!(session.read_result().await.expect("OK").1);
        assert!(!session.read_result().await.expect("OK").1);
        assert!(!session.read_result().await.expect("OK").1);
        assert_eq!(code(session.read_result().await), "session.no-statement");
        assert!(session.is_ready());
    });
    assert_eq!(session.stream().sent().len(), 5);
}

#[test]
fn answers_to_statements_of_several_frames_continue_their_numbers() {
    let sql = vec![b' '; 0xff_ffff];
    let mut session = session(true, &[packets(2, &[OK]), packets(1, &[OK])]);
    block_on(session.exec(&sql)).expect("OK with sequence id 2");
    block_on(session.exec(b"DO 1")).expect("OK with sequence id 1");
}

#[test]
fn load_data_from_memory() {
    let data = vec![b'x'; 600 << 10];
    // Three packets of data and an empty one follow the request, which is number 1.
    let turns = [packets(1, &[b"\xfbname"]), packets(6, &[OK])];
    let mut session = session(true, &turns);
    let ok = block_on(session.load_local(b"LOAD DATA LOCAL", &data)).expect("loaded");
    assert_eq!(ok.affected_rows, 3);
    let sent = session.stream().sent();
    let lens: Vec<usize> = sent[2..].iter().map(Vec::len).collect();
    assert_eq!(lens, [256 << 10, 256 << 10, 88 << 10, 0]);
    assert_eq!(sent[2..].concat(), data);
}

#[test]
fn load_data_in_the_packets_that_a_server_takes() {
    let turns = [packets(1, &[b"\xfbname"]), packets(6, &[OK])];
    let mut session = session(true, &turns);
    session.limit_local_packets(1024);
    block_on(session.load_local(b"LOAD DATA LOCAL", &[b'x'; 1200])).expect("loaded");
    let lens: Vec<usize> = session.stream().sent()[2..].iter().map(Vec::len).collect();
    assert_eq!(lens, [512, 512, 176, 0]);
}

#[test]
fn a_file_goes_only_to_a_server_that_asks_for_it() {
    // The server is done before it has asked: with an error, with OK, with rows.
    for (answer, code) in [
        (packets(1, &[ERROR]), "server.duplicate-key"),
        (
            packets(1, &[b"\x01", COLUMN, b"\x0242", END]),
            "protocol.malformed-packet",
        ),
        (packets(1, &[OK]), ""),
    ] {
        let mut session = session(true, &[answer]);
        let result = block_on(session.load_local(b"LOAD DATA", b"the rows"));
        assert_eq!(
            result.err().map_or(String::new(), |e| e.code().to_owned()),
            code
        );
        assert_eq!(session.stream().sent()[1..], [b"\x03LOAD DATA".to_vec()]);
    }
}

#[test]
fn a_file_stays_here_where_files_were_not_announced() {
    let turns = [packets(1, &[b"\xfbname"]), packets(3, &[OK])];
    let mut session = session_with(true, false, &turns);
    assert_eq!(
        code(block_on(session.load_local(b"LOAD DATA", b"the rows"))),
        "session.local-infile-refused"
    );
    let sent = session.stream().sent();
    assert_eq!(sent[1..], [b"\x03LOAD DATA".to_vec(), Vec::new()]);
    assert_eq!(code(block_on(session.ping())), "session.broken");
}

#[test]
fn load_data_that_fails() {
    let refused = b"\xff\x6c\x0f#42000Loading local data is disabled";
    let turns = [
        packets(1, &[refused]),
        packets(1, &[b"\xfbname"]),
        packets(4, &[ERROR]),
        packets(1, &[OK]),
    ];
    let mut session = session(true, &turns);
    let error = block_on(session.load_local(b"LOAD DATA", b"1")).expect_err("disabled");
    assert_eq!(error.code(), "server.local-infile-disabled");
    let error = block_on(session.load_local(b"LOAD DATA", b"1")).expect_err("duplicate key");
    assert_eq!(error.code(), "server.duplicate-key");
    block_on(session.ping()).expect("the session goes on");
}

#[test]
fn a_file_that_nobody_offered_is_not_sent() {
    let mut session = session(
        true,
        &[packets(1, &[b"\xfb/etc/passwd"]), packets(3, &[OK])],
    );
    assert_eq!(
        code(block_on(session.query(b"SELECT 1"))),
        "session.local-infile-refused"
    );
    // The answer was an empty packet with the number after the request's.
    assert_eq!(
        session.stream().written.last_chunk::<4>(),
        Some(&[0, 0, 0, 2])
    );
    assert_eq!(code(block_on(session.ping())), "session.broken");
}

#[test]
fn an_abandoned_command_is_noticed() {
    let mut session = session(true, &[packets(1, &[OK])]);
    assert!(!poll_once(session.ping()));
    assert_eq!(code(block_on(session.ping())), "session.abandoned-command");
}

#[test]
fn statements_behind_a_file_that_nobody_offered_end_the_session() {
    let mut session = session(true, &[packets(1, &[b"\xfb/etc/passwd"])]);
    block_on(async {
        for sql in ["INSERT", "COMMIT"] {
            session.send_query(sql.as_bytes()).await.expect("sent");
        }
        assert_eq!(
            code(session.read_result().await),
            "session.local-infile-refused"
        );
        assert_eq!(code(session.read_result().await), "session.broken");
    });
    assert_eq!(session.stream().sent().len(), 3);
}

/// Polls a future once, and drops it.
fn poll_once<F: Future>(future: F) -> bool {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::pin!(future).poll(&mut context).is_ready()
}

#[test]
fn answers_that_are_not_the_protocol() {
    for answer in [
        packets(1, &[b""]),
        packets(1, &[b"\0"]),
        packets(1, &[b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff"]),
        packets(1, &[b"\x01", b"\x03def"]),
        packets(1, &[b"\x01", COLUMN, b"\x05ab"]),
        packets(1, &[b"\x01", COLUMN, b"\x0242\x01x"]),
        packets(1, &[b"\x01", COLUMN, b"\xfe"]),
    ] {
        let mut session = session(true, std::slice::from_ref(&answer));
        assert_eq!(
            code(block_on(session.query(b"SELECT 1"))),
            "protocol.malformed-packet",
            "{answer:?}"
        );
        assert_eq!(code(block_on(session.ping())), "session.broken");
    }
    let mut session = session(true, &[packets(2, &[OK])]);
    assert_eq!(code(block_on(session.ping())), "protocol.sequence");
}

proptest! {
    /// Whatever payloads a server sends, in whatever place, they end in a result or an error.
    #[test]
    fn any_payloads(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
        deprecate_eof in any::<bool>(),
        good_start in 0usize..4,
    ) {
        let start: &[&[u8]] = &[b"\x01", COLUMN, EOF];
        let all: Vec<&[u8]> = start.iter().copied().take(good_start).chain(payloads.iter().map(Vec::as_slice)).collect();
        let _ = block_on(session(deprecate_eof, &[packets(1, &all)]).query(b"SELECT 1"));
        let mut rows = session(deprecate_eof, &[packets(1, &all)]);
        block_on(async {
            if rows.open_rows(b"SELECT 1").await.is_ok() {
                while let Ok(Some(row)) = rows.next_row().await {
                    let _ = row.to_vec();
                }
            }
        });
        let _ = block_on(session(deprecate_eof, &[packets(1, &all)]).load_local(b"LOAD DATA", b"x"));
        let _ = block_on(session(deprecate_eof, &[packets(1, &all)]).ping());
        let mut dump = session(deprecate_eof, &[packets(1, &all)]);
        block_on(async {
            dump.binlog_dump(1, "", 4, 0).await.expect("sent");
            while dump.next_event().await.is_ok() {}
        });
    }

    /// The same for the login.
    #[test]
    fn any_login(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 0..5),
        protocol in any::<bool>(),
    ) {
        let mut all = payloads;
        if let (Some(first), true) = (all.first_mut(), protocol) {
            first.splice(..0, *b"\x0a1\0abcdabcdefgh\0\xff\xff\x08\0\0\xff\xff");
        }
        let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let turns = [packets(0, &all[..all.len().min(1)]), packets(2, all.get(1..).unwrap_or_default())];
        let options = ConnectOptions::new("app").with_password("x");
        let _ = block_on(Session::connect(Scripted::new(turns), &options));
    }
}
