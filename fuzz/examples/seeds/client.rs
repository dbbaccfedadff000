//! Seeds from recorded conversations with MySQL and MariaDB.

use datain_fuzz::login::hex;

use crate::{Seeds, chunk, file};

/// Recordings, and how many packets of the server belong to the login.
const CAPTURES: [(&str, usize); 3] = [
    ("mysql-9.7-full-login.txt", 4),
    ("mysql-9.7-fast-login.txt", 3),
    ("mariadb-10.11-login.txt", 2),
];

/// What the server said in one go, as bytes.
fn turns(name: &str) -> Vec<Vec<u8>> {
    let capture = file(&format!("crates/mysql-client/tests/captures/{name}"));
    let text = String::from_utf8(capture).expect("text");
    text.lines()
        .filter_map(|line| line.strip_prefix("S "))
        .map(hex)
        .collect()
}

/// The payloads in a turn.
fn payloads(mut turn: &[u8]) -> Vec<&[u8]> {
    let mut payloads = Vec::new();
    while let [a, b, c, _, rest @ ..] = turn {
        let (payload, tail) = rest.split_at(u32::from_le_bytes([*a, *b, *c, 0]) as usize);
        payloads.push(payload);
        turn = tail;
    }
    payloads
}

/// Payloads as a script for `datain_fuzz::server`.
fn script(payloads: &[&[u8]]) -> Vec<u8> {
    let scripted = payloads
        .iter()
        .map(|payload| [&[0][..], &chunk(payload)].concat());
    scripted.collect::<Vec<_>>().concat()
}

/// Frames as they were sent, and payloads to be cut.
pub fn packets() {
    let mut seeds = Seeds::of("packets", 1000);
    for (name, _) in CAPTURES {
        for turn in turns(name) {
            let sequence = turn[3];
            seeds.add([&[12, sequence, 5, 0], &turn[..]].concat());
            let cut: Vec<u8> = payloads(&turn).into_iter().flat_map(chunk).collect();
            seeds.add([&[2, 254, 7, 0], &cut[..]].concat());
        }
    }
}

/// Logins as they went, under the options that they need; a switch of the plugin, and refusals.
pub fn login() {
    let mut seeds = Seeds::of("login", 2000);
    for (name, count) in CAPTURES {
        let turns = turns(name);
        let login: Vec<&[u8]> = turns.iter().take(count).flat_map(|t| payloads(t)).collect();
        let after: Vec<&[u8]> = turns
            .iter()
            .skip(count)
            .take(1)
            .flat_map(|t| payloads(t))
            .collect();
        // A key that is asked for, one that is pinned, TLS, a secure stream, no password; reads of three bytes.
        for choice in [8, 16, 4, 6, 32, 1] {
            for piece in [0, 3] {
                let script = [script(&login), script(&after)].concat();
                seeds.add([&[choice, 15, piece], &script[..]].concat());
            }
        }
        for plugin in [
            &b"mysql_native_password"[..],
            b"sha256_password",
            b"caching_sha2_password",
        ] {
            let switch = [b"\xfe", plugin, b"\0ABCDEFGHIJKLMNOPQRST\0"].concat();
            let ok = b"\0\0\0\x02\0\0\0";
            seeds.add([&[8, 0, 0][..], &script(&[login[0], &switch, ok])].concat());
        }
    }
    let denied = b"\xff\x15\x04#28000Access denied for user 'app'@'localhost'";
    seeds.add([&[0, 0, 0][..], &script(&[denied])].concat());
    seeds.add(
        [
            &[0, 0, 0][..],
            &script(&[b"\xff\x10\x04Too many connections"]),
        ]
        .concat(),
    );
}

/// Results as they were sent, read in each of the client's ways; requests for a file; a dump.
pub fn statements() {
    let mut seeds = Seeds::of("statements", 2000);
    for (name, count) in CAPTURES {
        // What ends a result set's columns and rows was agreed on in the login: MariaDB's recorded client had EOF packets.
        let choice = if name.starts_with("mysql") { 3 } else { 2 };
        for turn in turns(name).iter().skip(count) {
            let script = script(&payloads(turn));
            for operations in [&[0][..], &[5], &[3, 3, 4, 4], &[2], &[1]] {
                let head = [choice, 0, operations.len() as u8];
                seeds.add([&head[..], operations, &script].concat());
            }
        }
    }
    let ok = &b"\0\x01\x02\x02\0\0\0"[..];
    let local = [&[7, 0, 1, 6][..], &script(&[b"\xfbx", ok])].concat();
    seeds.add(local);
    seeds.add([&[3, 2, 1, 7][..], &script(&[ok])].concat());
    // An event is any bytes here.
    let events: [&[u8]; 4] = [b"\0an event", b"\0another", b"\0", b"\xfe\0\0\x02\0"];
    seeds.add([&[3, 0, 1, 8][..], &script(&events)].concat());
    let error = b"\xff\xd4\x04#HY000Could not find first log file name in binary log index file";
    seeds.add([&[3, 0, 1, 0x80 | 9][..], &script(&[events[0], error])].concat());
}
