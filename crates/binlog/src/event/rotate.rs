//! Rotate: `Rotate_event` of MySQL's `control_events.h`.

use crate::cursor::Cursor;
use crate::error::BinlogError;
use crate::event::header::HEADER_LEN;

/// The next file and the position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotate<'a> {
    /// Position of the next event in that file.
    pub position: u64,
    /// Name of the file.
    pub file: &'a str,
}

impl<'a> Rotate<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Rotate event", body, HEADER_LEN);
        let position = cursor.u64("position")?;
        let file = cursor.str(cursor.left(), "file")?;
        // Some servers end the name with a NUL.
        let file = file.trim_end_matches('\0');
        Ok(Self { position, file })
    }
}
