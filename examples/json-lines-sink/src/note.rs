//! The checkpoint as the note of a commit: the pipeline's name, the checkpoint's text for people, each with its length before it, its ordinal, and the source's own bytes.

use crate::datain::replication::types::{Checkpoint, Error};
use crate::error;

pub fn write(stream: &str, checkpoint: &Checkpoint) -> Vec<u8> {
    let mut note = Vec::new();
    for text in [stream, &checkpoint.display] {
        note.extend((text.len() as u64).to_le_bytes());
        note.extend(text.as_bytes());
    }
    note.extend(checkpoint.ordinal.to_le_bytes());
    note.extend(&checkpoint.data);
    note
}

/// The checkpoint in a note of this pipeline's.
pub fn read(stream: &str, note: &[u8]) -> Result<Checkpoint, Error> {
    match parts(note) {
        Some((found, checkpoint)) if found == stream => Ok(checkpoint),
        Some((other, _)) => Err(error(
            "json-lines.other-pipeline",
            format!("the file holds the changes of the pipeline `{other}`"),
            "give each pipeline a file of its own",
        )),
        None => Err(error(
            "json-lines.note",
            "the file's note is none of this sink's".to_owned(),
            "name another file",
        )),
    }
}

fn parts(note: &[u8]) -> Option<(String, Checkpoint)> {
    let (stream, rest) = text(note)?;
    let (display, rest) = text(rest)?;
    let (ordinal, data) = rest.split_first_chunk()?;
    let checkpoint = Checkpoint {
        ordinal: u64::from_le_bytes(*ordinal),
        data: data.to_vec(),
        display,
    };
    Some((stream, checkpoint))
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (text, rest) = rest.split_at_checked(length)?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}
