//! A session: the state of one connection, and how packets travel on it.
//!
//! A session is always in one of these states:
//!
//! - **ready**: a command may be sent. Statements that were sent by [`send_query`](Session::send_query) may await their results.
//! - **rows**: a result set is being read row by row.
//! - **dumping**: the server sends its binary log until the connection ends, or the log does.
//! - **ended**: the dump is over; the server closes the connection.
//! - **busy**: a command is under way. Whoever finds a session so has dropped the future of that command, and nobody knows
//!   how much of it was sent or read.
//! - **broken**: the stream failed or the server did not keep to the protocol.
//!
//! Only reading is safe to drop: [`next_event`](Session::next_event), [`next_row`](Session::next_row). The reader owns every byte
//! that was read, and takes a payload out only in the poll in which it is returned.

use std::collections::VecDeque;

use mysql_common::constants::{CapabilityFlags, StatusFlags};
use zeroize::Zeroize;

use crate::framing::{MAX_FRAME_LEN, PacketReader, write_frames};
use crate::server_error::ServerError;
use crate::version::ServerVersion;
use crate::{ClientError, Result, Stream, StreamError};

/// The send buffer keeps at most this capacity between commands.
const KEEP_CAPACITY: usize = 4 << 20;

/// Payloads from this size on are sent without a copy.
const LARGE_BODY: usize = 4 << 20;

/// A logged-in connection to a MySQL server.
#[derive(Debug)]
pub struct Session<S> {
    pub(crate) stream: S,
    pub(crate) reader: PacketReader,
    pub(crate) out: Vec<u8>,
    pub(crate) version: ServerVersion,
    pub(crate) connection_id: u32,
    pub(crate) capabilities: CapabilityFlags,
    pub(crate) status: StatusFlags,
    pub(crate) state: State,
    pub(crate) pending: VecDeque<Pending>,
    /// Most bytes in a packet of a LOAD DATA LOCAL's file.
    pub(crate) local_packet: usize,
}

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    Rows { columns: usize },
    Dumping,
    Ended,
    Busy,
    Broken,
}

impl State {
    /// The state after a command: only an answer of the server leaves the connection in order.
    pub(crate) fn after<T>(result: &Result<T>) -> Self {
        match result {
            Ok(_) | Err(ClientError::Server(_)) => Self::Ready,
            Err(_) => Self::Broken,
        }
    }
}

/// A statement that was sent and whose results have not all been read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    /// The sequence id that its first answer carries.
    pub(crate) sequence: u8,
    /// Which of its results comes next, from 0.
    pub(crate) index: u32,
    pub(crate) context: &'static str,
}

impl<S: Stream> Session<S> {
    /// A session before login.
    pub(crate) fn new(stream: S, max_packet: u32) -> Self {
        Self {
            stream,
            reader: PacketReader::new(max_packet as usize),
            out: Vec::new(),
            version: ServerVersion::parse(b""),
            connection_id: 0,
            capabilities: CapabilityFlags::empty(),
            status: StatusFlags::empty(),
            state: State::Busy,
            pending: VecDeque::new(),
            local_packet: crate::query::LOCAL_CHUNK,
        }
    }

    /// The server's version.
    pub fn server_version(&self) -> &ServerVersion {
        &self.version
    }

    /// The id of this connection on the server, as in `KILL`.
    pub fn connection_id(&self) -> u32 {
        self.connection_id
    }

    /// Whether both sides allow [`load_local`](Self::load_local); the server's `local_infile` counts besides.
    pub fn may_load(&self) -> bool {
        self.capabilities
            .contains(CapabilityFlags::CLIENT_LOCAL_FILES)
    }

    /// The capabilities that both sides agreed on.
    pub fn capabilities(&self) -> CapabilityFlags {
        self.capabilities
    }

    /// The server's status as of its last OK or EOF packet.
    pub fn status(&self) -> StatusFlags {
        self.status
    }

    /// May another command be sent, with no result outstanding?
    pub fn is_ready(&self) -> bool {
        self.state == State::Ready && self.pending.is_empty()
    }

    /// The stream, for instance to change a deadline that it keeps.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The stream, read-only.
    pub fn stream(&self) -> &S {
        &self.stream
    }

    /// Gives the stream back without saying goodbye.
    pub fn into_stream(self) -> S {
        self.stream
    }

    pub(crate) fn deprecate_eof(&self) -> bool {
        self.capabilities
            .contains(CapabilityFlags::CLIENT_DEPRECATE_EOF)
    }

    /// Refuses a command that needs the connection for itself.
    pub(crate) fn require_idle(&self) -> Result<()> {
        self.require_ready()?;
        if self.pending.is_empty() {
            return Ok(());
        }
        Err(ClientError::usage(
            "session.results-pending",
            "a command was given while results of earlier statements have not been read",
            None,
        ))
    }

    pub(crate) fn require_ready(&self) -> Result<()> {
        let (code, message) = match self.state {
            State::Ready => return Ok(()),
            State::Rows { .. } => (
                "session.rows-pending",
                "a result set has not been read to its end",
            ),
            State::Dumping => (
                "session.dumping",
                "the connection is sending its binary log",
            ),
            State::Ended => (
                "session.dump-ended",
                "the server closes a connection after it has sent its binary log",
            ),
            State::Busy => (
                "session.abandoned-command",
                "an earlier command was abandoned half-way",
            ),
            State::Broken => (
                "session.broken",
                "the connection failed earlier and cannot be used",
            ),
        };
        Err(ClientError::usage(code, message, None))
    }

    /// Sets the state that a finished command leaves behind.
    pub(crate) fn settle<T>(&mut self, result: Result<T>) -> Result<T> {
        self.state = State::after(&result);
        result
    }

    /// Reads until a whole payload is buffered.
    pub(crate) async fn fill(&mut self) -> Result<()> {
        while !self.reader.ready()? {
            let buf = self.reader.buffer();
            if self.stream.read(buf).await? == 0 {
                return Err(closed());
            }
        }
        Ok(())
    }

    /// Reads until a whole payload is buffered, or a part of one of `whole` bytes and more.
    pub(crate) async fn fill_part(&mut self, whole: usize) -> Result<()> {
        while !self.reader.part_ready(whole)? {
            let buf = self.reader.buffer();
            if self.stream.read(buf).await? == 0 {
                return Err(closed());
            }
        }
        Ok(())
    }

    /// The next payload, waiting for it.
    pub(crate) async fn receive(&mut self) -> Result<&[u8]> {
        self.fill().await?;
        match self.reader.next_packet()? {
            Some(payload) => Ok(payload),
            None => Err(closed()),
        }
    }

    /// Sends a payload that answers the server: its sequence ids follow the server's.
    pub(crate) async fn reply(&mut self, head: &[u8], body: &[u8]) -> Result<()> {
        let next = self.write(self.reader.sequence(), head, body).await?;
        self.reader.expect_sequence(next);
        Ok(())
    }

    /// Sends a command; returns the sequence id of its answer.
    pub(crate) async fn command(&mut self, head: &[u8], body: &[u8]) -> Result<u8> {
        self.write(0, head, body).await
    }

    async fn write(&mut self, sequence: u8, head: &[u8], body: &[u8]) -> Result<u8> {
        if body.len() >= LARGE_BODY {
            return self.write_large(sequence, head, body).await;
        }
        self.out.clear();
        let next = write_frames(sequence, head, body, &mut self.out);
        let written = self.stream.write_all(&self.out).await;
        if self.out.capacity() > KEEP_CAPACITY {
            self.out = Vec::new();
        }
        written?;
        Ok(next)
    }

    /// Sends a large payload frame by frame, without a copy of it.
    async fn write_large(&mut self, mut sequence: u8, head: &[u8], body: &[u8]) -> Result<u8> {
        let (mut head, mut body) = (head, body);
        loop {
            let len = (head.len() + body.len()).min(MAX_FRAME_LEN);
            self.out.clear();
            // At most 0xff_ffff, so three bytes hold it.
            self.out.extend_from_slice(&(len as u32).to_le_bytes()[..3]);
            self.out.push(sequence);
            sequence = sequence.wrapping_add(1);
            let (now, later) = head.split_at(head.len().min(len));
            self.out.extend_from_slice(now);
            head = later;
            let (now, later) = body.split_at(len - now.len());
            body = later;
            self.stream.write_all(&self.out).await?;
            self.stream.write_all(now).await?;
            if len < MAX_FRAME_LEN {
                return Ok(sequence);
            }
        }
    }

    /// Wipes the send buffer after login.
    pub(crate) fn wipe(&mut self) {
        self.out.zeroize();
    }
}

/// The server's ERR packet as an error.
pub(crate) fn server_error(payload: &[u8], context: &str) -> ClientError {
    match ServerError::parse(payload, context) {
        Ok(e) => e.into(),
        Err(e) => e,
    }
}

fn closed() -> ClientError {
    StreamError::new("net.closed", "the server closed the connection").into()
}
