//! A stream that plays a server from a script: what the server sends, turn by turn, in pieces as small as wanted, with
//! every second poll not ready. What the client sends is kept.

// Each test binary uses its own part of this module.
#![allow(dead_code)]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::Poll;

use datain_mysql_client::framing::{PacketReader, write_frames};
use datain_mysql_client::{Stream, StreamError};

/// See the module.
#[derive(Debug)]
pub struct Scripted {
    turns: VecDeque<Vec<u8>>,
    piece: usize,
    ready: bool,
    pub written: Vec<u8>,
    /// What was written before TLS began.
    pub written_in_clear: Option<Vec<u8>>,
    pub secure: bool,
    /// The next read fails as interrupted.
    pub interrupt: bool,
}

impl Scripted {
    /// A server that sends these turns; a read never spans two of them.
    pub fn new(turns: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self {
            turns: turns.into_iter().collect(),
            piece: usize::MAX,
            ready: true,
            written: Vec::new(),
            written_in_clear: None,
            secure: false,
            interrupt: false,
        }
    }

    /// The same server, in pieces of so many bytes, each read being pending once before it is ready.
    pub fn in_pieces(mut self, piece: usize) -> Self {
        self.piece = piece;
        self
    }

    pub fn push(&mut self, turn: Vec<u8>) {
        self.turns.push_back(turn);
    }

    /// The payloads that the client has sent, whatever their sequence ids.
    pub fn sent(&self) -> Vec<Vec<u8>> {
        let mut payloads = Vec::new();
        let mut rest = self.written.as_slice();
        while let Some(sequence) = rest.get(3) {
            let mut reader = PacketReader::new(usize::MAX);
            reader.expect_sequence(*sequence);
            reader.feed(rest);
            let payload = reader.next_packet().expect("frames in order");
            payloads.push(payload.expect("a whole packet").to_vec());
            rest = &rest[rest.len() - reader.buffered()..];
        }
        payloads
    }
}

impl Stream for Scripted {
    async fn read(&mut self, buf: &mut Vec<u8>) -> Result<usize, StreamError> {
        if self.piece != usize::MAX {
            poll_fn(|_| {
                self.ready = !self.ready;
                if self.ready {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
        }
        if std::mem::take(&mut self.interrupt) {
            return Err(StreamError {
                interrupted: true,
                ..StreamError::new("system.interrupted", "stopped")
            });
        }
        while self.turns.front().is_some_and(Vec::is_empty) {
            self.turns.pop_front();
        }
        let Some(turn) = self.turns.front_mut() else {
            return Ok(0);
        };
        let len = turn.len().min(self.piece);
        buf.extend(turn.drain(..len));
        Ok(len)
    }

    async fn write_all(&mut self, data: &[u8]) -> Result<(), StreamError> {
        self.written.extend_from_slice(data);
        Ok(())
    }

    async fn start_tls(&mut self) -> Result<(), StreamError> {
        self.written_in_clear = Some(self.written.clone());
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

/// Payloads in frames with ascending sequence ids.
pub fn packets(first: u8, payloads: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sequence = first;
    for payload in payloads {
        sequence = write_frames(sequence, payload, &[], &mut out);
    }
    out
}

/// The bytes of a hexadecimal text.
pub fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).expect("hexadecimal") as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
