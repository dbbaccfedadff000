//! Statements, rows, files and the dump, after a login, with a server that says whatever it likes.
//!
//! The input gives a few operations of the client and the server's payloads; after an error the session is asked again, which it must refuse or stand.

use datain_mysql_client::{
    ConnectOptions, DumpPacket, Outcome, ReplicaIdentity, Session, TlsPolicy,
};

use crate::input::Input;
use crate::server::{Server, block_on};

/// Logs in and carries the operations out.
pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let (choice, piece) = (input.u8(), input.u8());
    let count = input.u8() % 8;
    let operations = input.take(usize::from(count));
    let piece = match piece {
        0 => usize::MAX,
        piece => usize::from(piece),
    };
    let mut server = Server::new(input, piece);
    server.push(&greeting(choice & 1 != 0));
    let mut options = ConnectOptions::new("app");
    options.tls = TlsPolicy::Disabled;
    options.multi_statements = choice & 2 != 0;
    options.local_files = choice & 4 != 0;
    options.max_allowed_packet = 1 << 20;
    // The answer to the login has the number after it.
    let Ok(mut session) = block_on(connect(server, &options)) else {
        return;
    };
    for operation in operations {
        carry_out(&mut session, *operation);
    }
    let _ = session.into_stream();
}

async fn connect<'a>(
    mut server: Server<'a>,
    options: &ConnectOptions,
) -> datain_mysql_client::Result<Session<Server<'a>>> {
    // Greeting, login and OK have the numbers 0, 1 and 2.
    server.push_numbered(2, b"\0\0\0\x02\0\0\0");
    Session::connect(server, options).await
}

/// A greeting like MySQL's; whether result sets end in OK packets is the server's to say.
fn greeting(deprecate_eof: bool) -> Vec<u8> {
    let capabilities: u32 = if deprecate_eof {
        0xdfff_f7ff
    } else {
        0xdeff_f7ff
    };
    let [a, b, c, d] = capabilities.to_le_bytes();
    let mut payload = b"\x0a9.7.0\0\x01\0\0\0abcdefgh\0".to_vec();
    payload.extend_from_slice(&[a, b, 0xff, 2, 0, c, d, 21]);
    payload.extend_from_slice(&[0; 10]);
    payload.extend_from_slice(b"ijklmnopqrst\0caching_sha2_password\0");
    payload
}

fn carry_out(session: &mut Session<Server<'_>>, operation: u8) {
    match operation % 9 {
        0 => {
            if let Ok(outcomes) = block_on(session.query(b"SELECT 1; SELECT 2")) {
                outcomes.iter().for_each(check);
            }
        }
        1 => {
            let _ = block_on(session.exec(b"INSERT INTO t VALUES (1)"));
        }
        2 => {
            let _ = block_on(session.query_rows(b"SHOW DATABASES"));
        }
        3 => {
            // Several statements under way.
            let _ = block_on(session.send_query(b"UPDATE t SET a = 1"));
            let _ = session.pending_results();
        }
        4 => {
            if let Ok((outcome, _)) = block_on(session.read_result()) {
                check(&outcome);
            }
        }
        5 => rows(session),
        6 => {
            let _ = block_on(session.load_local(b"LOAD DATA LOCAL INFILE 'x'", &[b'y'; 700]));
        }
        7 => {
            let replica = ReplicaIdentity::default();
            let _ = block_on(session.register_replica(&replica));
        }
        _ => dump(session, operation),
    }
}

fn check(outcome: &Outcome) {
    if let Outcome::Rows(set) = outcome {
        assert!(!set.columns.is_empty());
        assert!(set.rows.iter().all(|row| row.len() == set.columns.len()));
        for column in &set.columns {
            let _ = column.column_type();
        }
    }
}

fn rows(session: &mut Session<Server<'_>>) {
    let Ok(columns) = block_on(session.open_rows(b"SELECT a FROM t")) else {
        return;
    };
    while let Ok(Some(row)) = block_on(session.next_row()) {
        let values: Vec<_> = row.values().collect();
        assert!(values.len() <= columns.len() + 1);
        let whole: Result<Vec<_>, _> = values.into_iter().collect();
        assert_eq!(whole.is_ok(), row.to_vec().is_ok());
        if let Ok(values) = whole {
            assert_eq!(values.len(), columns.len());
        }
    }
}

fn dump(session: &mut Session<Server<'_>>, operation: u8) {
    let begun = if operation & 0x80 == 0 {
        block_on(session.binlog_dump(1, "binlog.000001", 4, 0))
    } else {
        block_on(session.binlog_dump_gtid(1, 4, "", 4, &[0; 8]))
    };
    if begun.is_err() {
        return;
    }
    loop {
        match block_on(session.next_event()) {
            Ok(DumpPacket::Event(_) | DumpPacket::Piece { .. }) => {}
            Ok(DumpPacket::EndOfStream) | Err(_) => return,
        }
        while let Ok(Some(DumpPacket::Event(_) | DumpPacket::Piece { .. })) =
            session.buffered_packet()
        {}
    }
}
