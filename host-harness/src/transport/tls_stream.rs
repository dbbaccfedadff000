//! TLS over a non-blocking socket: the handshake, ciphertext in and out, and what plaintext is there.

use std::io;

use rustls::ClientConnection;

use super::connection::ReadOutcome;
use super::endpoint::Endpoint;
use super::socket::Socket;
use super::{Failure, tls_failure};

/// Goes as far with the handshake as it can without waiting.
pub(super) fn handshake(
    socket: &Socket,
    tls: &mut ClientConnection,
    server: &str,
) -> Result<(), Failure> {
    let mut stream = socket;
    let io_failure = |e: &io::Error| Failure::from_io(e, "complete the TLS handshake with", server);
    while tls.is_handshaking() || tls.wants_write() {
        flush_tls(socket, tls).map_err(|e| io_failure(&e))?;
        if tls.wants_write() || !tls.is_handshaking() {
            break;
        }
        match tls.read_tls(&mut stream) {
            // A server that refuses says so by an alert. One that only goes away, as when it is killed, will be back.
            Ok(0) => {
                return Err(Failure::new(
                    "net.closed",
                    format!("{server} closed the connection during the TLS handshake"),
                )
                .hint("if that stays so, the server's error log tells why"));
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
            Err(e) => return Err(io_failure(&e)),
        }
        if let Err(error) = tls.process_new_packets() {
            // The alert that tells the server why; the failure counts whether it leaves or not.
            let _ = flush_tls(socket, tls);
            return Err(tls_failure::failure(&error, server));
        }
    }
    Ok(())
}

/// Sends ciphertext until none is left or the socket takes no more.
pub(super) fn flush_tls(socket: &Socket, tls: &mut ClientConnection) -> io::Result<()> {
    let mut stream = socket;
    while tls.wants_write() {
        match tls.write_tls(&mut stream) {
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// Why a write failed: a server that refuses a client's certificate says so in an alert, and closes. The alert is read first.
pub(super) fn write_failure(
    socket: &Socket,
    tls: &mut ClientConnection,
    error: &io::Error,
    server: &str,
) -> Failure {
    match fill(socket, tls, 1) {
        Err(FillError::Tls(reason)) => tls_failure::failure(&reason, server),
        _ => Failure::from_io(error, "write to", server),
    }
}

/// What is there to read.
pub(super) struct Filled {
    /// Decoded bytes.
    pub plaintext: usize,
    /// Whether nothing comes after them.
    pub ended: bool,
}

pub(super) enum FillError {
    Io(io::Error),
    Tls(rustls::Error),
}

/// Reads from the wire until at least `wanted` bytes are decoded, or nothing more is there.
pub(super) fn fill(
    socket: &Socket,
    tls: &mut ClientConnection,
    wanted: usize,
) -> Result<Filled, FillError> {
    let mut stream = socket;
    loop {
        let state = tls.process_new_packets().map_err(FillError::Tls)?;
        let plaintext = state.plaintext_bytes_to_read();
        if plaintext >= wanted || state.peer_has_closed() {
            return Ok(Filled {
                plaintext,
                ended: state.peer_has_closed(),
            });
        }
        match tls.read_tls(&mut stream) {
            // Servers often close without TLS's own farewell; the protocol above knows whether it was cut short.
            Ok(0) => {
                return Ok(Filled {
                    plaintext,
                    ended: true,
                });
            }
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                return Ok(Filled {
                    plaintext,
                    ended: false,
                });
            }
            Err(e) => return Err(FillError::Io(e)),
        }
    }
}

/// Up to `max` bytes of plaintext.
pub(super) fn read_tls(
    socket: &Socket,
    tls: &mut ClientConnection,
    max: usize,
    endpoint: &Endpoint,
) -> Result<ReadOutcome, Failure> {
    let mut data = Vec::new();
    loop {
        // rustls decodes at most some 16 KiB ahead: several rounds fill one large read.
        let filled = match fill(socket, tls, 1) {
            Ok(filled) => filled,
            // What came before the trouble is handed out first; the trouble is met again at the next read.
            Err(_) if !data.is_empty() => break,
            Err(FillError::Io(e)) => {
                return Err(Failure::from_io(&e, "read from", &endpoint.display()));
            }
            Err(FillError::Tls(e)) => return Err(tls_failure::failure(&e, &endpoint.display())),
        };
        if filled.plaintext == 0 {
            if data.is_empty() {
                return Ok(if filled.ended {
                    ReadOutcome::Closed
                } else {
                    ReadOutcome::WouldBlock
                });
            }
            break;
        }
        let from = data.len();
        data.resize(from + filled.plaintext.min(max - from), 0);
        io::Read::read_exact(&mut tls.reader(), &mut data[from..])
            .map_err(|e| Failure::from_io(&e, "read from", &endpoint.display()))?;
        if data.len() >= max {
            break;
        }
    }
    Ok(ReadOutcome::Data(data))
}
