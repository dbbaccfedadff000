//! Greeting, TLS and login with a server that says whatever it likes. It never gets the password over a connection that is not secure.

use std::sync::LazyLock;

use datain_mysql_client::{ConnectOptions, Session, TlsPolicy};

use crate::input::Input;
use crate::server::{Server, block_on, holds};

const PASSWORD: &str = "a password that does not come up by chance";
/// A real server's key, pinned: the third thing that it said in this conversation, behind its header and a byte.
static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let capture = include_str!("../../crates/mysql-client/tests/captures/mysql-9.7-full-login.txt");
    let mut said = capture.lines().filter_map(|line| line.strip_prefix("S "));
    hex(said.nth(2).unwrap_or_default()).split_off(5)
});

/// The bytes of a hexadecimal text.
#[must_use]
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits
        .chunks(2)
        .map(|pair| (pair[0] << 4 | pair[1]) as u8)
        .collect()
}

/// Logs in, and asks something.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (choice, more, piece) = (input.u8(), input.u8(), input.u8());
    let mut options = ConnectOptions::new("app");
    if choice & 1 == 0 {
        options.password = Some(PASSWORD.into());
    }
    options.tls = match choice >> 1 & 3 {
        0 | 1 => TlsPolicy::Disabled,
        2 => TlsPolicy::Preferred,
        _ => TlsPolicy::Required,
    };
    options.get_server_public_key = choice & 8 != 0;
    if choice & 16 != 0 {
        options.server_public_key = Some(KEY.clone());
    }
    options.found_rows = more & 1 != 0;
    options.multi_statements = more & 2 != 0;
    options.local_files = more & 4 != 0;
    if more & 8 != 0 {
        options.database = Some("shop".to_owned());
    }
    options.max_allowed_packet = 1 << 20;
    let piece = match piece {
        0 => usize::MAX,
        piece => usize::from(piece),
    };
    let mut server = Server::new(input, piece);
    server.secure = choice & 32 != 0;
    server.secret = PASSWORD.as_bytes();
    match block_on(Session::connect(server, &options)) {
        Ok(mut session) => {
            let _ = (session.server_version().numbers(), session.connection_id());
            let _ = block_on(session.query(b"SELECT 1"));
        }
        Err(error) => {
            // A server's message may say anything; what is ours does not hold the password.
            let _ = (error.code(), error.hint(), error.is_transient());
            assert!(!error.to_string().contains(PASSWORD) || holds(data, PASSWORD.as_bytes()));
        }
    }
}
