//! A large event that is only counted, or passed over: its checksum is verified as its pieces come, and nothing of it is held, unless it is a statement that must be looked at.

use datain_binlog::{BinlogError, EventParts, EventType, Part};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;

use super::frames::Frame;
use super::layout::{DAMAGED, Layout};
use super::statistics::Statistics;

/// See the module.
pub(super) struct LargeEvent {
    parts: EventParts,
}

impl LargeEvent {
    /// Begins with an event's first piece. A statement may have `max_statement` bytes.
    ///
    /// # Errors
    /// `binlog.malformed`, `binlog.event-too-large`.
    pub(super) fn begin(
        piece: &Frame<'_>,
        layout: &Layout,
        max_statement: usize,
    ) -> Result<Self, Error> {
        let format = layout.format();
        let is_statement = piece.header.event_type == EventType::Query;
        let limit = if is_statement {
            max_statement
        } else {
            usize::MAX
        };
        let mut parts = EventParts::begin(piece.bytes, piece.last, format.checksum, format, limit)
            .map_err(|e| unreadable(&e))?;
        if !is_statement {
            parts.skip();
        }
        Ok(Self { parts })
    }

    /// Takes another piece.
    ///
    /// # Errors
    /// `binlog.checksum` with the last one; as [`LargeEvent::begin`].
    pub(super) fn feed(&mut self, piece: &Frame<'_>) -> Result<(), Error> {
        self.parts
            .feed(piece.bytes, piece.last)
            .map_err(|e| unreadable(&e))
    }

    /// Counts the event, all of whose pieces have been taken.
    ///
    /// # Errors
    /// When it is a statement that cannot be parsed.
    pub(super) fn count_into(
        &mut self,
        statistics: &mut Statistics,
        layout: &Layout,
    ) -> Result<(), Error> {
        let header = *self.parts.header();
        let bytes = u64::from(header.event_size);
        match self
            .parts
            .next(layout.format())
            .map_err(|e| unreadable(&e))?
        {
            Some(Part::Event(event)) => statistics.count(&event, bytes, layout.format()),
            _ => {
                statistics.count_unseen(header.event_type, bytes);
                Ok(())
            }
        }
    }
}

fn unreadable(error: &BinlogError) -> Error {
    let hint = match error {
        BinlogError::TooLarge { .. } => {
            "raise limits.max_row_mib, and limits.memory_mib to several times that, in a configuration named with -c"
        }
        _ => DAMAGED,
    };
    Error::fatal(error.code(), error.to_string()).hint(hint)
}
