//! Binary-log files: a magic number of four bytes, then events. MySQL's documentation, "Binary Log Format".

use crate::checksum::ChecksumAlgorithm;
use crate::error::BinlogError;
use crate::event::format_description::FormatDescription;
use crate::event::header::EventHeader;
use crate::event::types::EventType;
use crate::event::{Event, EventBody};

/// The first bytes of every binary-log file that is not encrypted.
pub const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];

/// Reads the events of a file whose bytes are all at hand.
#[derive(Debug, Clone)]
pub struct BinlogFile<'a> {
    bytes: &'a [u8],
    at: usize,
    format: FormatDescription,
}

impl<'a> BinlogFile<'a> {
    /// Opens the bytes of a whole file.
    ///
    /// # Errors
    /// When they do not begin with [`MAGIC`].
    pub fn new(bytes: &'a [u8]) -> Result<Self, BinlogError> {
        if !bytes.starts_with(&MAGIC) {
            let start = &bytes[..bytes.len().min(MAGIC.len())];
            return Err(BinlogError::Magic(start.to_vec()));
        }
        Ok(Self {
            bytes,
            at: MAGIC.len(),
            format: FormatDescription::assumed(ChecksumAlgorithm::Off),
        })
    }

    /// The format description that holds for the events read last.
    #[must_use]
    pub fn format(&self) -> &FormatDescription {
        &self.format
    }

    /// Offset of the next event.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.at as u64
    }

    /// The next event and its offset; `None` at the end. A format description is taken note of. After an error the same event comes again.
    ///
    /// # Errors
    /// When the file ends inside an event, its checksum is wrong, or it is a format description that cannot be parsed.
    pub fn next_event(&mut self) -> Result<Option<(u64, Event<'a>)>, BinlogError> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let header = EventHeader::parse(rest)?;
        let size = header.event_size as usize;
        let Some(bytes) = rest.get(..size) else {
            return Err(header.too_short(rest.len(), size));
        };
        let event = Event::split(bytes, self.format.checksum)?;
        if header.event_type == EventType::FormatDescription
            && let EventBody::FormatDescription(format) = event.parse(&self.format)?
        {
            self.format = format;
        }
        let offset = self.offset();
        self.at += size;
        Ok(Some((offset, event)))
    }
}
