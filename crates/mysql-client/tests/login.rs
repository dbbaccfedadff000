//! Logins against bytes that real servers sent, with the answers that their own clients gave.
//!
//! captures/ holds conversations of `mysql` and `mariadb` (user `app`, password `pa'ss`) with their servers, as recorded by a
//! proxy: lines of `S` or `C` and the bytes in hexadecimal.

mod scripted;

use datain_mysql_client::blocking::block_on;
use datain_mysql_client::{ClientError, ConnectOptions, ServerFlavor, Session, TlsPolicy};
use scripted::{Scripted, hex, packets};

const FULL: &str = include_str!("captures/mysql-9.7-full-login.txt");
const FAST: &str = include_str!("captures/mysql-9.7-fast-login.txt");
const MARIADB: &str = include_str!("captures/mariadb-10.11-login.txt");
const OK: &[u8] = b"\0\0\0\x02\0\0\0";

/// What one side sent up to the end of the login: so many packets.
fn turns(capture: &str, side: &str, count: usize) -> Vec<Vec<u8>> {
    let lines = capture.lines().filter_map(|line| line.strip_prefix(side));
    lines.take(count).map(hex).collect()
}

fn options() -> ConnectOptions {
    ConnectOptions::new("app").with_password("pa'ss")
}

fn connect(server: Scripted, options: &ConnectOptions) -> Result<Session<Scripted>, ClientError> {
    block_on(Session::connect(server, options))
}

fn code(result: Result<Session<Scripted>, ClientError>) -> String {
    result.expect_err("must be refused").code().to_owned()
}

/// The scramble in a login packet: behind 32 bytes, `app`, NUL and its length.
fn scramble(login: &[u8]) -> &[u8] {
    let len = usize::from(login[36]);
    &login[37..37 + len]
}

/// A greeting like MySQL's, with these capabilities and this plugin.
fn greeting(capabilities: u32, plugin: &[u8]) -> Vec<u8> {
    let mut payload = b"\x0a8.4.0\0\x01\0\0\0abcdefgh\0".to_vec();
    payload.extend_from_slice(&capabilities.to_le_bytes()[..2]);
    payload.extend_from_slice(b"\xff\x02\0");
    payload.extend_from_slice(&capabilities.to_le_bytes()[2..]);
    payload.extend_from_slice(b"\x15\0\0\0\0\0\0\0\0\0\0ijklmnopqrst\0");
    payload.extend_from_slice(plugin);
    payload.push(0);
    packets(0, &[&payload])
}

const NO_TLS: u32 = 0xdfff_f7ff;
const WITH_TLS: u32 = 0xdfff_ffff;
const SHA2: &[u8] = b"caching_sha2_password";

#[test]
fn scrambles_are_the_ones_of_the_servers_own_clients() {
    for (capture, count, wanted) in [(FAST, 3, 32), (MARIADB, 2, 20)] {
        for piece in [usize::MAX, 1] {
            let server = Scripted::new(turns(capture, "S ", count)).in_pieces(piece);
            let mut plain = options();
            plain.tls = TlsPolicy::Disabled;
            let session = connect(server, &plain).expect("the recorded login");
            let official = &turns(capture, "C ", 1)[0][4..];
            let own = &session.stream().sent()[0];
            assert_eq!(scramble(own), scramble(official));
            assert_eq!(scramble(own).len(), wanted);
            assert!(session.is_ready());
        }
    }
}

#[test]
fn what_the_greeting_tells() {
    let mut plain = options();
    plain.tls = TlsPolicy::Disabled;
    let mysql = connect(Scripted::new(turns(FAST, "S ", 3)), &plain).expect("the recorded login");
    assert_eq!(mysql.server_version().full, "9.7.4-2");
    assert!(mysql.server_version().is_mysql_since(9, 7, 0));
    assert_eq!(mysql.connection_id(), 10);
    let maria =
        connect(Scripted::new(turns(MARIADB, "S ", 2)), &plain).expect("the recorded login");
    assert_eq!(maria.server_version().flavor, ServerFlavor::MariaDb);
    assert_eq!(maria.server_version().numbers(), (10, 11, 19));
}

#[test]
fn the_whole_password_on_a_plain_connection() {
    let recorded = || Scripted::new(turns(FULL, "S ", 4)).in_pieces(1);
    let mut plain = options();
    plain.tls = TlsPolicy::Disabled;
    let error = connect(recorded(), &plain).expect_err("no key may be asked for");
    assert_eq!(error.code(), "auth.rsa-key-required");
    assert!(error.hint().is_some());

    plain.get_server_public_key = true;
    let session = connect(recorded(), &plain).expect("the recorded login");
    let sent = session.stream().sent();
    assert_eq!((sent[1].as_slice(), sent[2].len()), (&[2][..], 256));

    // With the key pinned it is not asked for.
    let key = turns(FULL, "S ", 3).remove(2).split_off(5);
    plain.get_server_public_key = false;
    plain.server_public_key = Some(key);
    let mut recorded = turns(FULL, "S ", 2);
    recorded.push(packets(4, &[OK]));
    let session = connect(Scripted::new(recorded), &plain).expect("the recorded login");
    assert_eq!(session.stream().sent()[1].len(), 256);
}

#[test]
fn over_tls_the_password_goes_in_clear_and_nothing_before() {
    let turns = [
        greeting(WITH_TLS, SHA2),
        packets(3, &[b"\x01\x04"]),
        packets(5, &[OK]),
    ];
    for policy in [TlsPolicy::Preferred, TlsPolicy::Required] {
        let mut tls = options();
        tls.tls = policy;
        let session =
            connect(Scripted::new(turns.clone()).in_pieces(1), &tls).expect("the scripted login");
        let stream = session.stream();
        assert_eq!(
            stream.sent().last().map(Vec::as_slice),
            Some(&b"pa'ss\0"[..])
        );
        let clear = stream.written_in_clear.as_deref().expect("TLS was started");
        assert_eq!(clear.len(), 36, "a request without a user name");
        // CLIENT_SSL in the request and in the login.
        assert!(clear[5] & 0x08 != 0 && stream.sent()[1][1] & 0x08 != 0);
    }
}

#[test]
fn tls_that_cannot_be_had() {
    let mut required = options();
    required.tls = TlsPolicy::Required;
    let server = Scripted::new([greeting(NO_TLS, SHA2)]);
    assert_eq!(code(connect(server, &required)), "tls.not-offered");

    // Bytes behind the greeting would be taken for the server's first bytes inside TLS.
    let early = [greeting(WITH_TLS, SHA2), packets(2, &[OK])].concat();
    assert_eq!(
        code(connect(Scripted::new([early]), &required)),
        "protocol.early-data"
    );

    // A Unix socket is secure enough for `preferred`.
    let mut server = Scripted::new([greeting(WITH_TLS, SHA2), packets(2, &[b"\x01\x03", OK])]);
    server.secure = true;
    let session = connect(server, &options()).expect("the scripted login");
    assert_eq!(session.stream().written_in_clear, None);
}

#[test]
fn switching_plugins() {
    let switch = |plugin: &[u8]| [b"\xfe", plugin, b"\0ABCDEFGHIJKLMNOPQRST\0"].concat();
    // To the native plugin and to the SHA-2 plugin, from each other and from one that is unknown here.
    for (default, account, len) in [
        (SHA2, &b"mysql_native_password"[..], 20),
        (b"mysql_native_password", SHA2, 32),
        (b"some_plugin", SHA2, 32),
    ] {
        let mut turns = vec![greeting(NO_TLS, default), packets(2, &[&switch(account)])];
        turns.push(packets(4, &[OK]));
        let session = connect(Scripted::new(turns), &options()).expect("the scripted login");
        assert_eq!(session.stream().sent()[1].len(), len);
    }
    for plugin in [
        &b"mysql_clear_password"[..],
        b"parsec",
        b"mysql_old_password",
    ] {
        let turns = [greeting(NO_TLS, SHA2), packets(2, &[&switch(plugin)])];
        let mut server = Scripted::new(turns);
        server.secure = true;
        assert_eq!(code(connect(server, &options())), "auth.plugin-unsupported");
    }
    // A nonce of another length is no nonce.
    let short = [
        greeting(NO_TLS, SHA2),
        packets(2, &[&switch(b"client_ed25519")]),
    ];
    assert_eq!(
        code(connect(Scripted::new(short), &options())),
        "protocol.malformed-packet"
    );
    let old = Scripted::new([greeting(NO_TLS, SHA2), packets(2, &[b"\xfe"])]);
    assert_eq!(code(connect(old, &options())), "auth.plugin-unsupported");
}

#[test]
fn sha256_password() {
    let key = turns(FULL, "S ", 3).remove(2).split_off(4);
    let turns = [
        greeting(NO_TLS, b"sha256_password"),
        packets(2, &[&key]),
        packets(4, &[OK]),
    ];
    let server = || Scripted::new(turns.clone());
    assert_eq!(code(connect(server(), &options())), "auth.rsa-key-required");
    let mut asking = options();
    asking.get_server_public_key = true;
    let session = connect(server(), &asking).expect("the scripted login");
    let sent = session.stream().sent();
    assert_eq!((scramble(&sent[0]), sent[1].len()), (&[1][..], 256));

    let mut secure = Scripted::new([turns[0].clone(), packets(2, &[OK])]);
    secure.secure = true;
    let session = connect(secure, &options()).expect("the scripted login");
    assert_eq!(scramble(&session.stream().sent()[0]), b"pa'ss\0");
}

#[test]
fn an_empty_password_is_an_empty_answer() {
    let server = Scripted::new([greeting(NO_TLS, SHA2), packets(2, &[OK])]);
    let session = connect(server, &ConnectOptions::new("app")).expect("the scripted login");
    assert_eq!(scramble(&session.stream().sent()[0]), b"");
}

#[test]
fn refusals_of_the_server() {
    let full = Scripted::new([packets(0, &[b"\xff\x10\x04Too many connections"])]);
    let error = connect(full, &options()).expect_err("the server is full");
    assert_eq!(
        (error.code(), error.errno(), error.sqlstate()),
        ("server.too-many-connections", Some(1040), None)
    );
    assert!(error.is_transient());

    let denied =
        b"\xff\x15\x04#28000Access denied for user 'app'@'localhost' (using password: YES)";
    let server = Scripted::new([greeting(NO_TLS, SHA2), packets(2, &[denied])]);
    let error = connect(server, &options()).expect_err("wrong password");
    assert_eq!(
        (error.code(), error.sqlstate()),
        ("server.access-denied", Some("28000"))
    );
    assert!(
        error
            .to_string()
            .starts_with("login: error 1045 (28000): Access denied"),
        "{error}"
    );
    assert!(!error.is_transient() && error.hint().is_some());

    assert_eq!(code(connect(Scripted::new([]), &options())), "net.closed");
    let old = Scripted::new([packets(0, &[b"\x093.23\0"])]);
    assert_eq!(code(connect(old, &options())), "protocol.version");
}

#[test]
fn nothing_prints_the_password() {
    let options = options();
    assert!(!format!("{options:?}").contains("pa'ss"));
    let mut server = Scripted::new([greeting(NO_TLS, b"sha256_password"), packets(2, &[OK])]);
    server.secure = true;
    let session = connect(server, &options).expect("the scripted login");
    let (shown, bytes) = (format!("{session:?}"), format!("{:?}", b"pa'ss"));
    let own = shown.replace(&format!("{:?}", session.stream()), "");
    assert!(!own.contains(bytes.trim_matches(['[', ']'])), "{own}");
}
