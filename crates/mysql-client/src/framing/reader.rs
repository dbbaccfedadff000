//! Frames into payloads.
//!
//! Bytes are read into one buffer, and a payload of a single frame is handed out as a slice of that buffer: it is never
//! copied after the read. Only payloads of several frames (16 MiB and more) are joined in a second buffer, piece by piece
//! as they arrive, so that such a payload is held once and not twice.
//!
//! Who can use a large payload piece by piece asks for parts instead ([`PacketReader::next_part`]): then nothing is joined, and no more is held than
//! what was read at once.

use super::{HEADER_LEN, MAX_FRAME_LEN};
use crate::{ClientError, Result};

/// The buffer keeps at most this capacity while it is empty.
const KEEP_CAPACITY: usize = 4 << 20;

/// Joins frames to payloads and checks their sequence ids.
#[derive(Debug)]
pub struct PacketReader {
    buf: Vec<u8>,
    /// Bytes of `buf` before this offset are done with.
    start: usize,
    sequence: u8,
    max_payload: usize,
    /// A payload of several frames, as far as it has arrived.
    joined: Vec<u8>,
    joining: Joining,
}

/// How far a payload of several frames has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joining {
    /// No such payload is under way.
    No,
    /// Inside a frame: so many of its bytes are still to come, and whether it is the last.
    Frame { left: usize, last: bool },
    /// A full frame is done, the next header is to come.
    Header,
    /// The payload is complete and has not been handed out.
    Done,
    /// The payload has been handed out; its memory is freed at the next call.
    Taken,
    /// Inside a frame of a payload that is handed out in pieces: so many of the frame's bytes are still to come, and whether it is the last.
    Pieces {
        left: usize,
        last: bool,
        first: bool,
    },
    /// A full frame of such a payload is done, the next header is to come.
    PiecesHeader,
}

/// A payload, or a piece of a large one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its bytes; the last piece may have none.
    pub bytes: &'a [u8],
    /// Whether a payload begins with it.
    pub first: bool,
    /// Whether a payload ends with it.
    pub last: bool,
}

/// The first piece has at least this many bytes, so that whoever gets it can tell what it is.
pub const FIRST_PIECE: usize = 4 << 10;

impl PacketReader {
    /// A reader that refuses payloads of more than `max_payload` bytes.
    pub fn new(max_payload: usize) -> Self {
        Self {
            buf: Vec::new(),
            start: 0,
            sequence: 0,
            max_payload,
            joined: Vec::new(),
            joining: Joining::No,
        }
    }

    /// The sequence id that the next frame must carry.
    pub fn sequence(&self) -> u8 {
        self.sequence
    }

    /// Sets the sequence id that the next frame must carry: after a command was sent, or an answer is due.
    pub fn expect_sequence(&mut self, sequence: u8) {
        self.sequence = sequence;
    }

    /// The number of bytes that were read and belong to payloads not yet handed out.
    pub fn buffered(&self) -> usize {
        self.buf.len() - self.start
            + if self.joining == Joining::Taken {
                0
            } else {
                self.joined.len()
            }
    }

    /// Where to append what was read. What is already there must be left alone.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start == self.buf.len() {
            self.buf.clear();
            if self.buf.capacity() > KEEP_CAPACITY {
                self.buf.shrink_to(KEEP_CAPACITY);
            }
        } else if self.start > 0 {
            // What remains is the beginning of one packet.
            self.buf.drain(..self.start);
        }
        self.start = 0;
        &mut self.buf
    }

    /// Appends bytes, as if they had been read into [`buffer`](Self::buffer).
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer().extend_from_slice(bytes);
    }

    /// Is a whole payload there, so that [`next_packet`](Self::next_packet) returns it?
    pub fn ready(&mut self) -> Result<bool> {
        if self.joining == Joining::Taken {
            self.joined = Vec::new();
            self.joining = Joining::No;
        }
        if self.joining == Joining::No {
            let Some((len, sequence)) = self.header() else {
                return Ok(false);
            };
            self.check(len, sequence)?;
            if len < MAX_FRAME_LEN {
                return Ok(self.buf.len() - self.start >= HEADER_LEN + len);
            }
            self.joining = Joining::Header;
        }
        self.join()
    }

    /// The next payload, if all of it has arrived. It borrows from the reader, so it must be used before the next call.
    pub fn next_packet(&mut self) -> Result<Option<&[u8]>> {
        if !self.ready()? {
            return Ok(None);
        }
        if self.joining == Joining::Done {
            self.joining = Joining::Taken;
            return Ok(Some(&self.joined));
        }
        let Some((len, sequence)) = self.header() else {
            return Ok(None);
        };
        self.sequence = sequence.wrapping_add(1);
        let from = self.start + HEADER_LEN;
        self.start = from + len;
        Ok(self.buf.get(from..self.start))
    }

    /// Is something there for [`next_part`](Self::next_part) to return?
    pub fn part_ready(&mut self, whole: usize) -> Result<bool> {
        loop {
            let there = self.buf.len() - self.start;
            match self.joining {
                Joining::Pieces { left, .. } => return Ok(there > 0 || left == 0),
                Joining::PiecesHeader => {
                    if self.header().is_none() {
                        return Ok(false);
                    }
                    self.begin_pieces(false)?;
                }
                Joining::No => match self.header() {
                    Some((len, _)) if len >= whole => {
                        if there < HEADER_LEN + len.min(FIRST_PIECE) {
                            return Ok(false);
                        }
                        self.begin_pieces(true)?;
                    }
                    _ => return self.ready(),
                },
                _ => return self.ready(),
            }
        }
    }

    /// Goes past the header at the front, into a frame that is handed out in pieces.
    fn begin_pieces(&mut self, first: bool) -> Result<()> {
        if let Some((len, sequence)) = self.header() {
            self.check_sequence(sequence)?;
            self.sequence = sequence.wrapping_add(1);
            self.start += HEADER_LEN;
            let last = len < MAX_FRAME_LEN;
            self.joining = Joining::Pieces {
                left: len,
                last,
                first,
            };
        }
        Ok(())
    }

    /// The next payload if its first frame has fewer than `whole` bytes and all of it has arrived; of larger ones, what has arrived. No limit holds for
    /// the size of these, since nothing of them is kept. It borrows from the reader, so it must be used before the next call.
    pub fn next_part(&mut self, whole: usize) -> Result<Option<Part<'_>>> {
        if !self.part_ready(whole)? {
            return Ok(None);
        }
        let Joining::Pieces { left, last, first } = self.joining else {
            return Ok(self.next_packet()?.map(|bytes| Part {
                bytes,
                first: true,
                last: true,
            }));
        };
        let from = self.start;
        let now = left.min(self.buf.len() - from);
        self.start += now;
        let left = left - now;
        let ends = left == 0 && last;
        self.joining = match left {
            0 if last => Joining::No,
            0 => Joining::PiecesHeader,
            left => Joining::Pieces {
                left,
                last,
                first: false,
            },
        };
        Ok(Some(Part {
            bytes: &self.buf[from..self.start],
            first,
            last: ends,
        }))
    }

    /// Length and sequence id of the frame at the front, if its header is there.
    fn header(&self) -> Option<(usize, u8)> {
        match self.buf.get(self.start..)? {
            [a, b, c, sequence, ..] => {
                let len = u32::from_le_bytes([*a, *b, *c, 0]);
                Some((len as usize, *sequence))
            }
            _ => None,
        }
    }

    fn check_sequence(&self, sequence: u8) -> Result<()> {
        if sequence == self.sequence {
            return Ok(());
        }
        Err(ClientError::protocol(
            "protocol.sequence",
            format!(
                "the server's packets are out of order: sequence id {} was expected and {sequence} came",
                self.sequence
            ),
        ))
    }

    fn check(&self, len: usize, sequence: u8) -> Result<()> {
        self.check_sequence(sequence)?;
        let total = self.joined.len() + len;
        if total > self.max_payload {
            return Err(ClientError::protocol(
                "protocol.packet-too-large",
                format!(
                    "the server sends a packet of at least {total} bytes, more than the {} bytes allowed here",
                    self.max_payload
                ),
            ));
        }
        Ok(())
    }

    /// Moves what has arrived of a payload of several frames into `joined`; true once it is complete.
    fn join(&mut self) -> Result<bool> {
        loop {
            match self.joining {
                Joining::Done => return Ok(true),
                Joining::No | Joining::Taken | Joining::Pieces { .. } | Joining::PiecesHeader => {
                    return Ok(false);
                }
                Joining::Header => {
                    let Some((len, sequence)) = self.header() else {
                        return Ok(false);
                    };
                    self.check(len, sequence)?;
                    self.sequence = sequence.wrapping_add(1);
                    self.start += HEADER_LEN;
                    let last = len < MAX_FRAME_LEN;
                    self.joining = Joining::Frame { left: len, last };
                }
                Joining::Frame { left: 0, last } => {
                    self.joining = if last { Joining::Done } else { Joining::Header };
                }
                Joining::Frame { left, last } => {
                    let there = &self.buf[self.start..];
                    let now = there.len().min(left);
                    if now == 0 {
                        return Ok(false);
                    }
                    self.joined.extend_from_slice(&there[..now]);
                    self.start += now;
                    self.joining = Joining::Frame {
                        left: left - now,
                        last,
                    };
                }
            }
        }
    }
}
