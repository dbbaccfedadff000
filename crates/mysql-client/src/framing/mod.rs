//! Packets: how payloads are cut into frames and joined again.
//!
//! Every payload travels in frames of a 3-byte length, a 1-byte sequence id and up to 0xff_ffff bytes. A payload of
//! 0xff_ffff bytes or more is cut into full frames followed by one that is not full, which may be empty: a payload of
//! exactly 0xff_ffff bytes is a full frame and an empty one. Sequence ids count frames in both directions from 0 at the
//! start of each command and wrap after 255.
//! (MySQL source documentation, page_protocol_basic_packets.)

mod reader;
mod writer;

pub use reader::{FIRST_PIECE, PacketReader, Part};
pub use writer::{PacketWriter, write_frames};

/// The length of a frame's header.
pub const HEADER_LEN: usize = 4;

/// The most payload bytes that one frame can carry.
pub const MAX_FRAME_LEN: usize = 0xff_ffff;
