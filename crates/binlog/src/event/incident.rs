//! Incident: `Incident_event` of MySQL's `control_events.h`.

use crate::cursor::Cursor;
use crate::error::BinlogError;
use crate::event::header::HEADER_LEN;

/// Something happened on the source that the log does not hold; a replica must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident<'a> {
    /// 1 means lost events; other numbers have no meaning so far.
    pub number: u16,
    /// The server's message.
    pub message: &'a [u8],
}

impl<'a> Incident<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Incident event", body, HEADER_LEN);
        let number = cursor.u16("incident_number")?;
        let length = cursor.u8("message_length")?;
        let message = cursor.bytes(usize::from(length), "message")?;
        Ok(Self { number, message })
    }
}
