//! Heartbeats: `Heartbeat_event` and `Heartbeat_event_v2` of MySQL's `control_events.h`. They are sent by the dump thread
//! and never stand in a file. Version 2 was made for positions beyond 4 GiB; it is a list of type, length and value.

use crate::cursor::Cursor;
use crate::error::BinlogError;
use crate::event::header::{EventHeader, HEADER_LEN};

/// Where the source stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// The file that the source is at.
    pub file: &'a str,
    /// The position in it; of version 1 the lower 32 bits only.
    pub position: u64,
    /// Whether `position` has all 64 bits (version 2).
    pub is_full_position: bool,
}

impl<'a> Heartbeat<'a> {
    pub(crate) fn parse_v1(header: &EventHeader, body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Heartbeat event", body, HEADER_LEN);
        Ok(Self {
            file: cursor.str(body.len(), "file")?.trim_end_matches('\0'),
            position: u64::from(header.log_pos),
            is_full_position: false,
        })
    }

    pub(crate) fn parse_v2(body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Heartbeat_v2 event", body, HEADER_LEN);
        let mut heartbeat = Self {
            file: "",
            position: 0,
            is_full_position: true,
        };
        while !cursor.is_at_end() {
            let field = cursor.lenenc("field_type")?;
            if field == END_MARK {
                break;
            }
            let length = cursor.lenenc("field_length")?;
            let mut value = cursor.sub(length, "field_value")?;
            match field {
                FILE => heartbeat.file = value.str(value.left(), "file")?,
                POSITION => heartbeat.position = value.lenenc("position")?,
                // Fields of later versions.
                _ => {}
            }
        }
        Ok(heartbeat)
    }
}

const END_MARK: u64 = 0;
const FILE: u64 = 1;
const POSITION: u64 = 2;
