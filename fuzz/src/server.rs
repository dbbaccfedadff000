//! A server whose every word is in the input.
//!
//! It sends payloads in frames whose sequence ids follow what the client has sent, so that most inputs get past the framing; a payload may say otherwise.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use datain_mysql_client::framing::write_frames;
use datain_mysql_client::{Stream, StreamError};

use crate::input::Input;

/// See the module.
pub struct Server<'a> {
    /// What it will send: for each payload a byte of control, a length and the bytes.
    pub script: Input<'a>,
    /// Whether the connection counts as secure; TLS makes it so.
    pub secure: bool,
    /// What must never be written while it is not.
    pub secret: &'a [u8],
    /// Bytes that are framed and not yet read.
    framed: Vec<u8>,
    /// How many bytes a read gives at most.
    piece: usize,
    sequence: u8,
    pending: bool,
}

impl<'a> Server<'a> {
    /// A server that reads `script`.
    #[must_use]
    pub fn new(script: Input<'a>, piece: usize) -> Self {
        Self {
            script,
            secure: false,
            secret: &[],
            framed: Vec::new(),
            piece: piece.max(1),
            sequence: 0,
            pending: false,
        }
    }

    /// Puts a payload before the script.
    pub fn push(&mut self, payload: &[u8]) {
        self.sequence = write_frames(self.sequence, payload, &[], &mut self.framed);
    }

    /// Puts a payload of a given number before the script.
    pub fn push_numbered(&mut self, sequence: u8, payload: &[u8]) {
        self.sequence = sequence;
        self.push(payload);
    }

    /// The bits of control: 1 begins a new answer, 2 breaks the sequence, 4 appends bytes without a frame.
    fn next(&mut self) {
        let control = self.script.u8();
        let payload = self.script.chunk();
        if control & 1 != 0 {
            self.sequence = 1;
        }
        if control & 2 != 0 {
            self.sequence = self.sequence.wrapping_add(1);
        }
        if control & 4 != 0 {
            self.framed.extend_from_slice(payload);
        } else {
            self.push(payload);
        }
    }
}

impl Stream for Server<'_> {
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError> {
        // A read that waits once: what is dropped and asked again must lose nothing.
        if self.piece < 64 {
            poll_fn(|_| {
                self.pending = !self.pending;
                if self.pending {
                    Poll::Pending
                } else {
                    Poll::Ready(())
                }
            })
            .await;
        }
        while self.framed.is_empty() && !self.script.is_empty() {
            self.next();
        }
        let length = self.framed.len().min(self.piece);
        buf.extend(self.framed.drain(..length));
        Ok(length)
    }

    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError> {
        assert!(
            self.secure || !holds(data, self.secret),
            "the password goes out in clear"
        );
        let mut rest = data;
        while let [a, b, c, sequence, tail @ ..] = rest {
            let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
            self.sequence = sequence.wrapping_add(1);
            rest = tail.get(length..).expect("whole frames are written");
        }
        assert!(rest.is_empty(), "whole frames are written");
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), StreamError> {
        self.secure = true;
        Ok(())
    }

    fn secure(&self) -> bool {
        self.secure
    }

    fn random(&mut self, buf: &mut [u8]) {
        buf.fill(7);
    }
}

/// Runs a future to its end. The client's own driver lets other threads go first at every wait, which is all that a fuzzer would do on a busy machine.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// Whether `part` stands somewhere in `bytes`.
#[must_use]
pub fn holds(bytes: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && bytes.windows(part.len()).any(|window| window == part)
}
