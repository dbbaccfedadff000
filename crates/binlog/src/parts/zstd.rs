//! Zstandard as a stream: compressed bytes in pieces, decompressed ones in blocks.
//!
//! The decoder reads from a source that blocks; here bytes are only lent to it when a whole block (at most 128 KiB) is there, so it never waits.
//! RFC 8878 has the format: frames of a header and blocks, each block with a header of three bytes.

use std::fmt;
use std::io::Read as _;

use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::error::BinlogError;

/// The largest window: what zstd needs up to level 19. (Level 22 would take 128 MiB, which a plugin does not have.)
pub(super) const MAX_WINDOW: u64 = 8 << 20;

/// At most so much is given out at once.
const OUTPUT: usize = 128 << 10;

/// A frame's header is never longer.
const MAX_FRAME_HEADER: usize = 18;
const BLOCK_HEADER: usize = 3;
const CHECKSUM: usize = 4;

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Something was decompressed.
    Output,
    /// More input is needed.
    Starved,
    /// There was no more input, and it ended where it may.
    End,
}

/// See the module.
#[derive(Default)]
pub(super) struct Zstd {
    input: Vec<u8>,
    at: usize,
    frame: Option<Frame>,
}

struct Frame {
    decoder: FrameDecoder,
    has_checksum: bool,
}

impl fmt::Debug for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zstd")
            .field("input", &(self.input.len() - self.at))
            .field("in_frame", &self.frame.is_some())
            .finish()
    }
}

impl Zstd {
    pub(super) fn feed(&mut self, data: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(data);
    }

    /// Decompresses a block, or gives out some of what was decompressed, at the end of `out`. `complete` says that there is no more input.
    pub(super) fn step(&mut self, complete: bool, out: &mut Vec<u8>) -> Result<Step, BinlogError> {
        loop {
            let input = &self.input[self.at..];
            let Some(frame) = &mut self.frame else {
                if input.is_empty() {
                    return Ok(if complete { Step::End } else { Step::Starved });
                }
                if input.len() < MAX_FRAME_HEADER && !complete {
                    return Ok(Step::Starved);
                }
                let mut source = input;
                // A new one each time: one that is used again takes as much memory as the frame's header claims.
                let mut decoder = FrameDecoder::new();
                decoder.set_max_window_size(MAX_WINDOW);
                decoder.reset(&mut source).map_err(|e| damaged(&e))?;
                self.at += input.len() - source.len();
                self.frame = Some(Frame {
                    decoder,
                    has_checksum: input.get(4).is_some_and(|descriptor| descriptor & 4 != 0),
                });
                continue;
            };
            let ready = frame.decoder.can_collect();
            if ready > 0 {
                let start = out.len();
                out.resize(start + ready.min(OUTPUT), 0);
                let read = frame
                    .decoder
                    .read(&mut out[start..])
                    .map_err(|e| BinlogError::Compression(e.to_string()))?;
                out.truncate(start + read);
                return Ok(Step::Output);
            }
            if frame.decoder.is_finished() {
                self.frame = None;
                continue;
            }
            let needed = match input {
                [a, b, c, ..] => {
                    let header = u32::from_le_bytes([*a, *b, *c, 0]);
                    // Of a block that is one byte over and over, only that byte is there.
                    let size = if header >> 1 & 3 == 1 { 1 } else { header >> 3 };
                    let checksum = if frame.has_checksum && header & 1 == 1 {
                        CHECKSUM
                    } else {
                        0
                    };
                    BLOCK_HEADER + (size as usize).min(OUTPUT) + checksum
                }
                _ => BLOCK_HEADER,
            };
            if input.len() < needed {
                if complete {
                    return Err(BinlogError::Compression("it is cut short".to_owned()));
                }
                return Ok(Step::Starved);
            }
            let mut source = input;
            frame
                .decoder
                .decode_blocks(&mut source, BlockDecodingStrategy::UptoBlocks(1))
                .map_err(|e| damaged(&e))?;
            self.at += input.len() - source.len();
        }
    }
}

fn damaged(error: &FrameDecoderError) -> BinlogError {
    match error {
        FrameDecoderError::WindowSizeTooBig { requested, max } => BinlogError::CompressionWindow {
            needed: *requested,
            allowed: *max,
        },
        // The library's texts hold numbers only, none of the data.
        other => BinlogError::Compression(other.to_string()),
    }
}
