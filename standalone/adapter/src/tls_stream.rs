//! TLS over bytes in memory: rustls' unbuffered interface, which is the one that needs no std.
//!
//! rustls looks at the ciphertext that has come and says what is to be done next; it keeps no bytes itself. Three buffers stand around it: ciphertext that has come, ciphertext that is to
//! leave, and plaintext that is to be read. [`TlsStream::advance`] goes on until it needs more bytes. Nothing is encrypted while much is still to leave, and nothing is taken from
//! the socket while much is still to be read: that is the backpressure.

use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncryptError, InsufficientSizeError, UnbufferedStatus,
};
use rustls::{ClientConfig, Error};

use crate::socket::{Got, Socket};

/// Ciphertext that may be waiting to leave before nothing more is taken.
const OUTGOING_MAX: usize = 256 << 10;
/// Plaintext that may be waiting to be read before nothing more is taken from the socket.
const PLAINTEXT_MAX: usize = 256 << 10;
/// What is read from the socket at once.
const READ_BYTES: usize = 64 << 10;
/// What is encrypted at once: four records.
const WRITE_BYTES: usize = 64 << 10;

/// Why a step failed.
pub(crate) enum Broken {
    /// The socket.
    Socket(String),
    /// The protocol.
    Tls(Error),
}

/// A TLS session of a client.
pub(crate) struct TlsStream {
    session: UnbufferedClientConnection,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    plaintext: Vec<u8>,
    /// The handshake is over.
    stands: bool,
    /// Nothing more will come.
    ended: bool,
}

impl TlsStream {
    pub(crate) fn new(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Error> {
        Ok(Self {
            session: UnbufferedClientConnection::new(config, name)?,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            plaintext: Vec::new(),
            stands: false,
            ended: false,
        })
    }

    /// Whether application data may pass.
    pub(crate) fn stands(&self) -> bool {
        self.stands
    }

    /// Whether a read would give something: data, the end.
    pub(crate) fn has_news(&self) -> bool {
        !self.plaintext.is_empty() || self.ended
    }

    /// Whether a write would take something.
    pub(crate) fn has_room(&self) -> bool {
        self.stands && self.outgoing.len() < OUTGOING_MAX
    }

    /// Whether something is to leave.
    pub(crate) fn wants_to_write(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether the peer closed its side before the handshake was over.
    pub(crate) fn ended_early(&self) -> bool {
        self.ended && !self.stands
    }

    /// Does all that can be done without waiting.
    pub(crate) fn drive(&mut self, socket: &Socket) -> Result<(), Broken> {
        let result = self.take_in(socket);
        // An alert that says why it failed leaves if it can.
        let sent = self.send(socket);
        result.and(sent)
    }

    fn take_in(&mut self, socket: &Socket) -> Result<(), Broken> {
        self.advance(None).map_err(Broken::Tls)?;
        while !self.ended && self.plaintext.len() < PLAINTEXT_MAX {
            match socket.read(READ_BYTES).map_err(Broken::Socket)? {
                Got::WouldBlock => return Ok(()),
                // Servers often close without TLS's own farewell; the protocol above knows whether it was cut short.
                Got::Closed => self.ended = true,
                Got::Data(data) => {
                    self.incoming.extend_from_slice(&data);
                    self.advance(None).map_err(Broken::Tls)?;
                }
            }
        }
        Ok(())
    }

    /// Sends what is to leave, as far as the socket takes it.
    pub(crate) fn send(&mut self, socket: &Socket) -> Result<(), Broken> {
        let mut sent = 0;
        while sent < self.outgoing.len() {
            match socket
                .write(&self.outgoing[sent..])
                .map_err(Broken::Socket)?
            {
                0 => break,
                taken => sent += taken,
            }
        }
        self.outgoing.drain(..sent);
        Ok(())
    }

    /// Up to `max` bytes of plaintext that is there.
    pub(crate) fn take(&mut self, max: usize) -> Option<Vec<u8>> {
        if self.plaintext.is_empty() {
            return None;
        }
        if self.plaintext.len() <= max {
            return Some(std::mem::take(&mut self.plaintext));
        }
        let rest = self.plaintext.split_off(max);
        Some(std::mem::replace(&mut self.plaintext, rest))
    }

    /// Encrypts a prefix of `data` and says how much.
    pub(crate) fn encrypt(&mut self, data: &[u8]) -> Result<usize, Error> {
        if !self.has_room() {
            return Ok(0);
        }
        let part = &data[..data.len().min(WRITE_BYTES)];
        if part.is_empty() {
            return Ok(0);
        }
        self.advance(Some(part))
    }

    /// Goes on until rustls needs more bytes; in the state in which application data may be written, encrypts `data` and returns its length, else 0.
    fn advance(&mut self, data: Option<&[u8]>) -> Result<usize, Error> {
        loop {
            let UnbufferedStatus { mut discard, state } =
                self.session.process_tls_records(&mut self.incoming);
            let mut done = None;
            let outcome = step(
                state,
                data,
                &mut discard,
                &mut self.outgoing,
                &mut self.plaintext,
            );
            match &outcome {
                Ok(Step::Again) | Err(_) => {}
                Ok(Step::NeedsMore) => done = Some(0),
                Ok(Step::Open(written)) => {
                    self.stands = true;
                    done = Some(*written);
                }
                Ok(Step::Ended) => {
                    self.ended = true;
                    done = Some(0);
                }
            }
            self.incoming.drain(..discard);
            outcome?;
            if let Some(written) = done {
                return Ok(written);
            }
        }
    }
}

enum Step {
    Again,
    NeedsMore,
    /// Application data may be written; so many bytes were.
    Open(usize),
    Ended,
}

fn step(
    state: Result<ConnectionState<'_, '_, ClientConnectionData>, Error>,
    data: Option<&[u8]>,
    discard: &mut usize,
    outgoing: &mut Vec<u8>,
    plaintext: &mut Vec<u8>,
) -> Result<Step, Error> {
    match state? {
        ConnectionState::ReadTraffic(mut records) => {
            while let Some(record) = records.next_record() {
                let record = record?;
                *discard += record.discard;
                plaintext.extend_from_slice(record.payload);
            }
            Ok(Step::Again)
        }
        ConnectionState::EncodeTlsData(mut message) => {
            appended(outgoing, 1024, |space| match message.encode(space) {
                Ok(length) => Ok(Ok(length)),
                Err(EncodeError::InsufficientSize(size)) => Ok(Err(size)),
                Err(e) => Err(Error::General(e.to_string())),
            })?;
            Ok(Step::Again)
        }
        // It stands in `outgoing`, in order before all that follows.
        ConnectionState::TransmitTlsData(transmit) => {
            transmit.done();
            Ok(Step::Again)
        }
        ConnectionState::BlockedHandshake => Ok(Step::NeedsMore),
        ConnectionState::WriteTraffic(mut traffic) => {
            let Some(data) = data else {
                return Ok(Step::Open(0));
            };
            appended(outgoing, data.len() + 1024, |space| {
                match traffic.encrypt(data, space) {
                    Ok(length) => Ok(Ok(length)),
                    Err(EncryptError::InsufficientSize(size)) => Ok(Err(size)),
                    Err(e) => Err(Error::General(e.to_string())),
                }
            })?;
            Ok(Step::Open(data.len()))
        }
        ConnectionState::PeerClosed | ConnectionState::Closed => Ok(Step::Ended),
        other => Err(Error::General(format!(
            "rustls is in an unknown state: {other:?}"
        ))),
    }
}

/// Lets `write` write behind what is there, with more space as often as it asks for it.
fn appended(
    buffer: &mut Vec<u8>,
    space: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<Result<usize, InsufficientSizeError>, Error>,
) -> Result<(), Error> {
    let from = buffer.len();
    let mut space = space;
    loop {
        buffer.resize(from + space, 0);
        match write(&mut buffer[from..])? {
            Ok(length) => {
                buffer.truncate(from + length);
                return Ok(());
            }
            Err(size) if size.required_size > space => space = size.required_size,
            Err(size) => {
                buffer.truncate(from);
                return Err(Error::General(format!(
                    "rustls asks for {} bytes and has {space}",
                    size.required_size
                )));
            }
        }
    }
}
