//! The checkpoint as the note of a commit: its ordinal, the length of its text for people, that text, and the source's own bytes.

use crate::datain::replication::types::{Checkpoint, Error};
use crate::error;

pub fn write(checkpoint: &Checkpoint) -> Vec<u8> {
    let display = checkpoint.display.as_bytes();
    let mut note = checkpoint.ordinal.to_le_bytes().to_vec();
    note.extend((display.len() as u64).to_le_bytes());
    note.extend(display);
    note.extend(&checkpoint.data);
    note
}

pub fn read(note: &[u8]) -> Result<Checkpoint, Error> {
    parts(note).ok_or_else(|| {
        error(
            "json-lines.note",
            "the file's note is none of this sink's".to_owned(),
        )
    })
}

fn parts(note: &[u8]) -> Option<Checkpoint> {
    let (ordinal, rest) = note.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (display, data) = rest.split_at_checked(length)?;
    Some(Checkpoint {
        ordinal: u64::from_le_bytes(*ordinal),
        data: data.to_vec(),
        display: String::from_utf8(display.to_vec()).ok()?,
    })
}
