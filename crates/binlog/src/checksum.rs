//! Checksums of events: `binlog_checksum` of the server, `enum_binlog_checksum_alg` of MySQL's `binlog_event.h`.

use crate::error::BinlogError;
use crate::event::header::{EventHeader, HEADER_LEN};
use crate::event::types::EventType;

/// Length in bytes of a stored checksum.
pub(crate) const CHECKSUM_LEN: usize = 4;

/// How the events of a file or a connection are protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ChecksumAlgorithm {
    /// No checksum (code 0), or a server that knows none (code 255).
    #[default]
    Off,
    /// CRC-32 of ISO 3309 over the whole event before it (code 1).
    Crc32,
}

impl ChecksumAlgorithm {
    /// From the code in a format description event; `None` for an unknown one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code {
            0 | 255 => Some(Self::Off),
            1 => Some(Self::Crc32),
            _ => None,
        }
    }

    /// Verifies the checksum at the end of an event and cuts it off.
    ///
    /// The flag that marks a file as in use (0x1) is never part of the checksum, since the server changes it in place.
    pub(crate) fn verify_and_strip<'a>(
        self,
        header: &EventHeader,
        event: &'a [u8],
    ) -> Result<&'a [u8], BinlogError> {
        if self == Self::Off {
            return Ok(event);
        }
        let Some((body, stored)) = event
            .split_last_chunk::<CHECKSUM_LEN>()
            .filter(|(body, _)| body.len() >= HEADER_LEN)
        else {
            return Err(header.too_short(event.len(), HEADER_LEN + CHECKSUM_LEN));
        };
        let computed = if header.event_type == EventType::FormatDescription {
            let mut start = [0; HEADER_LEN];
            start.copy_from_slice(&body[..HEADER_LEN]);
            start[FLAGS_OFFSET] &= !1;
            let mut hasher = crc32fast::Hasher::new();
            hasher.update(&start);
            hasher.update(&body[HEADER_LEN..]);
            hasher.finalize()
        } else {
            crc32fast::hash(body)
        };
        let stored = u32::from_le_bytes(*stored);
        if computed == stored {
            Ok(body)
        } else {
            Err(BinlogError::Checksum {
                event_type: header.event_type,
                stored,
                computed,
            })
        }
    }
}

/// Where the flags stand in the common header.
const FLAGS_OFFSET: usize = 17;
