//! What a file says of itself: who wrote it, how its events are laid out, and whether it is a relay log.
//!
//! A relay log begins with the replica's own Format_desc event, which has the flag LOG_EVENT_RELAY_LOG_F, as has everything else that the replica added. Between those
//! stand the source's events as they came: a Rotate event that says which of the source's files they are from, the source's own Format_desc event, and so on, with
//! the source's end positions.

use datain_binlog::{
    ChecksumAlgorithm, Event, EventBody, EventFlags, EventType, FormatDescription,
};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;

use super::frames::{Frame, Frames, encrypted};
use crate::position::Position;

/// See the module.
pub(super) struct Layout {
    format: FormatDescription,
}

/// What is to be done with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// It belongs to the stream.
    Read,
    /// The replica added it to its relay log: it says nothing of the stream.
    PassOver,
}

/// What only the first event of a file tells about the file as a whole.
pub(super) struct FileFlags {
    pub(super) is_relay: bool,
    pub(super) in_use: bool,
}

impl Layout {
    pub(super) fn new() -> Self {
        Layout {
            format: FormatDescription::assumed(ChecksumAlgorithm::Off),
        }
    }

    /// The layout that holds for the events that follow.
    pub(super) fn format(&self) -> &FormatDescription {
        &self.format
    }

    /// Takes note of an event, or of the first piece of one. A format description is verified, also where the file has no checksums.
    ///
    /// # Errors
    /// Those of a format description; `binlog.encrypted` where MariaDB says that what follows is.
    pub(super) fn see(&mut self, frame: &Frame<'_>) -> Result<(Use, Option<FileFlags>), Error> {
        let flags = frame.header.flags;
        let of_replica = flags.contains(EventFlags::RELAY_LOG);
        match frame.header.event_type {
            EventType::FormatDescription => {
                FormatDescription::verify_in_file(frame.bytes)
                    .map_err(|e| Error::fatal(e.code(), e.to_string()).hint(DAMAGED))?;
                if let Some(what) = FormatDescription::other_layout(frame.bytes) {
                    return Err(other_layout(&what));
                }
                let parsed = Event::split(frame.bytes, self.format.checksum)
                    .and_then(|event| event.parse(&self.format))
                    .map_err(|e| Error::fatal(e.code(), e.to_string()).hint(DAMAGED))?;
                if let EventBody::FormatDescription(format) = parsed {
                    self.format = format;
                }
                let flags = FileFlags {
                    is_relay: of_replica,
                    in_use: flags.contains(EventFlags::BINLOG_IN_USE),
                };
                // The replica's own is read too: the Rotate event behind it is laid out as it says.
                Ok((Use::Read, (frame.offset == 4).then_some(flags)))
            }
            EventType::MariadbStartEncryption => Err(encrypted(
                "MariaDB has encrypted what follows in the file (encrypt_binlog = ON)",
                &Position::default(),
            )),
            _ if of_replica => Ok((Use::PassOver, None)),
            _ => Ok((Use::Read, None)),
        }
    }

    /// Where the file says so, verifies the checksum of a whole event that nobody parses further.
    ///
    /// # Errors
    /// `binlog.checksum`, `binlog.malformed`.
    pub(super) fn verified<'a>(&self, frame: &Frame<'a>) -> Result<Event<'a>, Error> {
        Event::split(frame.bytes, self.format.checksum)
            .map_err(|e| Error::fatal(e.code(), e.to_string()).hint(DAMAGED))
    }
}

/// A format that belongs to one build of a server only.
fn other_layout(what: &str) -> Error {
    Error::fatal("binlog.other-layout", what).hint(
        "only the mysqlbinlog that came with that server can read the file: have it print the statements",
    )
}

impl Frames {
    /// Takes note of what the file's first event says of the whole file.
    pub(super) fn set(&mut self, flags: &FileFlags) {
        self.is_relay = flags.is_relay;
        self.in_use = flags.in_use;
    }
}

pub(super) const DAMAGED: &str = "the file is damaged at this place: compare it with where it comes from (sha256sum), or look at it with mysqlbinlog --verify-binlog-checksum";
