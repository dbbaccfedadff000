//! The common header of every event: `Log_event_header` of MySQL's `binlog_event.h`, version 4 of the format.

use crate::cursor::Cursor;
use crate::error::{BinlogError, Malformed, Problem};
use crate::event::types::EventType;

/// Length of the common header in bytes.
pub(crate) const HEADER_LEN: usize = 19;

/// The first 19 bytes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventHeader {
    /// When the statement began, seconds since 1970; 0 for events that the dump thread makes up.
    pub timestamp: u32,
    /// What kind of event.
    pub event_type: EventType,
    /// The server that wrote it first.
    pub server_id: u32,
    /// Length of the whole event in bytes, header and checksum included.
    pub event_size: u32,
    /// End of the event in its file, modulo 2³²; 0 for artificial events and inside MariaDB's transactions.
    pub log_pos: u32,
    /// Flags.
    pub flags: EventFlags,
}

/// The flags of the common header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventFlags(pub u16);

impl EventFlags {
    /// The file is being written (LOG_EVENT_BINLOG_IN_USE_F), on format descriptions.
    pub const BINLOG_IN_USE: u16 = 0x1;
    /// The statement depends on its session (LOG_EVENT_THREAD_SPECIFIC_F): temporary tables.
    pub const THREAD_SPECIFIC: u16 = 0x4;
    /// The default schema does not matter (LOG_EVENT_SUPPRESS_USE_F).
    pub const SUPPRESS_USE: u16 = 0x8;
    /// The event is not in the log, the dump thread has made it (LOG_EVENT_ARTIFICIAL_F).
    pub const ARTIFICIAL: u16 = 0x20;
    /// The event stands in a relay log (LOG_EVENT_RELAY_LOG_F).
    pub const RELAY_LOG: u16 = 0x40;
    /// Who does not know the event may pass over it (LOG_EVENT_IGNORABLE_F).
    pub const IGNORABLE: u16 = 0x80;

    /// Whether all bits of `flag` are set.
    #[must_use]
    pub fn contains(self, flag: u16) -> bool {
        self.0 & flag == flag
    }

    /// Whether an unknown event with these flags may be passed over.
    #[must_use]
    pub fn is_ignorable(self) -> bool {
        self.contains(Self::IGNORABLE)
    }

    /// Whether the dump thread has made the event up.
    #[must_use]
    pub fn is_artificial(self) -> bool {
        self.contains(Self::ARTIFICIAL)
    }
}

impl EventHeader {
    /// Length in bytes.
    pub const LEN: usize = HEADER_LEN;

    /// Parses the header at the start of `bytes`.
    ///
    /// # Errors
    /// When there are fewer than 19 bytes, or the event's size is less than that.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new("event header", bytes, 0);
        let timestamp = cursor.u32("timestamp")?;
        let event_type = EventType::from(cursor.u8("type_code")?);
        let server_id = cursor.u32("server_id")?;
        let before_size = cursor.clone();
        let event_size = cursor.u32("event_size")?;
        if (event_size as usize) < HEADER_LEN {
            return Err(before_size.error("event_size", Problem::Value(u64::from(event_size))));
        }
        Ok(Self {
            timestamp,
            event_type,
            server_id,
            event_size,
            log_pos: cursor.u32("log_pos")?,
            flags: EventFlags(cursor.u16("flags")?),
        })
    }

    #[cold]
    pub(crate) fn too_short(&self, len: usize, needed: usize) -> BinlogError {
        BinlogError::Malformed(Malformed {
            event: "event",
            offset: len,
            field: "event_size",
            problem: Problem::Truncated {
                needed: needed as u64,
                left: len,
            },
        })
    }
}
