//! Plain TCP and unix sockets: readiness, partial reads and writes, failures, and wake-ups.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use super::*;

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn bytes_pass_both_ways_in_parts_and_the_end_is_told() {
    let listener = listener();
    let mut client = Client::connect(connections(&tcp_keys(&listener, "127.0.0.1"))).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    assert_eq!(client.read(10).unwrap(), ReadOutcome::WouldBlock);
    server.write_all(b"hello world").unwrap();
    client.wait(READ);
    assert_eq!(
        client.read(5).unwrap(),
        ReadOutcome::Data(b"hello".to_vec())
    );
    client.wait(READ);
    assert_eq!(
        client.read(1000).unwrap(),
        ReadOutcome::Data(b" world".to_vec())
    );
    let big: Vec<u8> = (0..5_000_000u32).map(|n| n.to_le_bytes()[0]).collect();
    let expected = big.clone();
    let peer = thread::spawn(move || {
        let mut got = vec![0; expected.len()];
        server.read_exact(&mut got).unwrap();
        assert!(got == expected);
        server.write_all(&got).unwrap();
    });
    client.write_all(&big).unwrap();
    assert!(client.read_to_end(70_000).unwrap() == big);
    peer.join().unwrap();
    assert_eq!(client.read(1).unwrap(), ReadOutcome::Closed);
    assert!(!client.secure());
}

#[test]
fn writes_stop_when_the_peer_does_not_read() {
    let listener = listener();
    let mut client = Client::connect(connections(&tcp_keys(&listener, "localhost"))).unwrap();
    let (_server, _) = listener.accept().unwrap();
    let chunk = vec![0; 1 << 20];
    while client.write(&chunk).unwrap() > 0 {}
    let list = [(client.handle, WRITE)];
    assert_eq!(
        client
            .connections
            .wait(&list, Duration::from_millis(50), true),
        Woken::TimedOut
    );
}

#[test]
fn failures_have_codes_and_hints() {
    let listener = listener();
    let keys = tcp_keys(&listener, "127.0.0.1");
    drop(listener);
    let refused = Client::connect(connections(&keys)).err().unwrap();
    assert_eq!(refused.code, "net.refused");
    assert!(
        refused.message.contains("127.0.0.1") && refused.hint.is_some(),
        "{refused:?}"
    );
    let unknown = within(Duration::from_secs(15), || {
        Client::connect(connections("host = \"no-such-host.invalid\""))
            .err()
            .unwrap()
    });
    assert_eq!(unknown.code, "net.name-unknown");
    let missing = Client::connect(connections("socket = \"/nowhere/mysqld.sock\""))
        .err()
        .unwrap();
    assert_eq!(missing.code, "net.refused");
}

#[test]
fn a_reset_is_told_apart_from_an_end() {
    let listener = listener();
    let mut client = Client::connect(connections(&tcp_keys(&listener, "127.0.0.1"))).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write_all(b"never read").unwrap();
    thread::sleep(Duration::from_millis(50));
    drop(server);
    client.wait(READ);
    assert_eq!(client.read(10).unwrap_err().code, "net.reset");
    assert_eq!(
        client.write(b"x").unwrap_err().code,
        "net.reset",
        "the failure stays"
    );
}

#[test]
fn a_connect_that_gets_no_answer_times_out() {
    // A listener whose queue is full does not answer.
    let listener = listener();
    rustix::net::listen(&listener, 0).unwrap();
    let keys = tcp_keys(&listener, "127.0.0.1");
    let mut fillers = Vec::new();
    for _ in 0..4 {
        let mut filler = connections(&keys);
        let handle = filler.connect("source").unwrap();
        filler.wait(&[(handle, WRITE)], Duration::from_millis(50), true);
        fillers.push(filler);
    }
    let failure = within(Duration::from_secs(5), || {
        Client::connect(connections(&format!("{keys}connect_timeout_seconds = 1")))
            .err()
            .unwrap()
    });
    assert_eq!(failure.code, "net.timeout");
}

#[test]
fn only_the_own_endpoint_and_only_so_many_connections() {
    let listener = listener();
    let mut connections = connections(&tcp_keys(&listener, "127.0.0.1"));
    assert_eq!(
        connections.connect("target").unwrap_err().code,
        "net.endpoint-unknown"
    );
    let first = connections.connect("source").unwrap();
    connections.connect("source").unwrap();
    assert_eq!(connections.connect("source").unwrap_err().code, "net.limit");
    connections.close(first);
    assert_eq!(
        connections.connect("source").unwrap(),
        first,
        "a closed one makes room"
    );
}

#[test]
fn the_host_wakes_a_sleeper() {
    let listener = listener();
    let mut client = Client::connect(connections(&tcp_keys(&listener, "127.0.0.1"))).unwrap();
    let list = [(client.handle, READ)];
    let waker = Arc::clone(client.connections.waker());
    let other = Arc::clone(&waker);
    let thread = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        other.attention();
    });
    assert_eq!(
        within(SECOND, || client.connections.wait(&list, SECOND * 2, true)),
        Woken::Attention
    );
    thread.join().unwrap();
    assert_eq!(
        client.connections.wait(&list, Duration::ZERO, true),
        Woken::TimedOut,
        "a wake-up counts once"
    );
    waker.attention();
    assert_eq!(
        client
            .connections
            .wait(&list, Duration::from_millis(20), false),
        Woken::TimedOut,
        "an open has no use for it"
    );
    waker.interrupt();
    assert_eq!(
        client.connections.wait(&list, SECOND, false),
        Woken::Interrupted
    );
    assert_eq!(
        client.connections.wait(&list, SECOND, true),
        Woken::Interrupted,
        "and stays interrupted"
    );
}

#[test]
fn unix_sockets_are_secure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let mut client = Client::connect(connections(&format!("host = {path:?}"))).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    assert!(client.secure());
    server.write_all(b"x").unwrap();
    drop(server);
    assert_eq!(client.read_to_end(10).unwrap(), b"x");
}
