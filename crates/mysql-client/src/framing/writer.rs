//! Payloads into frames.

use super::MAX_FRAME_LEN;

/// Cuts payloads into frames and counts their sequence ids.
#[derive(Debug, Default, Clone)]
pub struct PacketWriter {
    sequence: u8,
}

impl PacketWriter {
    /// A writer whose next frame carries `sequence`.
    pub fn new(sequence: u8) -> Self {
        Self { sequence }
    }

    /// The sequence id after the last frame written: what the peer's answer starts with.
    pub fn sequence(&self) -> u8 {
        self.sequence
    }

    /// Appends the frames of the payload `head` + `body` to `out`.
    pub fn write(&mut self, head: &[u8], body: &[u8], out: &mut Vec<u8>) {
        self.sequence = write_frames(self.sequence, head, body, out);
    }
}

/// Appends the frames of the payload `head` + `body` to `out`, the first with sequence id `sequence`; returns the
/// sequence id that follows. The two parts spare callers a copy when they put a command byte before a statement.
pub fn write_frames(mut sequence: u8, head: &[u8], body: &[u8], out: &mut Vec<u8>) -> u8 {
    let (mut head, mut body) = (head, body);
    out.reserve(head.len() + body.len() + super::HEADER_LEN);
    loop {
        let len = (head.len() + body.len()).min(MAX_FRAME_LEN);
        // At most 0xff_ffff, so three bytes hold it.
        out.extend_from_slice(&(len as u32).to_le_bytes()[..3]);
        out.push(sequence);
        sequence = sequence.wrapping_add(1);
        let (now, later) = head.split_at(head.len().min(len));
        out.extend_from_slice(now);
        head = later;
        let (now, later) = body.split_at(len - now.len());
        out.extend_from_slice(now);
        body = later;
        if len < MAX_FRAME_LEN {
            return sequence;
        }
    }
}
