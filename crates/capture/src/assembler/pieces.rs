//! Events in pieces: large ones, which are never held whole, and compressed transactions.
//!
//! [`EventParts`] turns the pieces into whole events and runs of rows, which then take the ordinary way. Unpacking stops where a batch is full,
//! so that a compressed transaction takes no more memory than a plain one; [`Assembler::go_on`] continues it.
//!
//! What is wrong with an event is only said once its checksum is known: damage on the way may look like anything, and is to be called damage. So an
//! error waits until the last piece, and everything up to there is passed over.
//!
//! The events inside a compressed transaction stand at no position of their own. The transaction's end is held back until the outer event is over, whose
//! end then is the position that counts.

use datain_binlog::{ChecksumAlgorithm, Event, EventParts, EventType, Part};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;

use super::rows::Taken;
use super::{Assembler, unreadable};

/// An event under way.
pub(super) struct Unpacking {
    parts: EventParts,
    /// What was wrong with it before its checksum was known.
    failed: Option<Error>,
}

impl Assembler {
    /// Takes a piece of a large event; `first` and `last` say whether the event begins or ends with it. Batches may be full before all of it
    /// is used: then take them, and [go on](Assembler::go_on).
    ///
    /// # Errors
    /// As [`Assembler::event`].
    pub fn piece(&mut self, bytes: &[u8], first: bool, last: bool) -> Result<(), Error> {
        let result = self.take_piece(bytes, first, last);
        result.map_err(|e| self.placed(e))
    }

    /// Goes on with what has arrived and was not used yet, until a batch is full; then it returns true.
    ///
    /// # Errors
    /// As [`Assembler::event`].
    pub fn go_on(&mut self) -> Result<bool, Error> {
        if self.unpacking.is_none() {
            return Ok(false);
        }
        self.unpack(true).map_err(|e| self.placed(e))?;
        Ok(self.has_full_batch())
    }

    fn take_piece(&mut self, bytes: &[u8], first: bool, last: bool) -> Result<(), Error> {
        if bytes.is_empty() && last && !first && self.unpacking.is_none() {
            // All of the event had arrived before.
            return Ok(());
        }
        let at = &self.framing.at;
        if first != self.unpacking.is_none() {
            return Err(Error::fatal(
                "binlog.malformed",
                "the pieces of an event are out of order",
            ));
        }
        if first {
            let limit = self.join_limit();
            let parts = EventParts::begin(bytes, last, self.checksum, &self.format, limit)
                .map_err(|e| unreadable(&e, at))?;
            self.begin_unpacking(parts);
        } else if let Some(unpacking) = &mut self.unpacking {
            unpacking
                .parts
                .feed(bytes, last)
                .map_err(|e| unreadable(&e, at))?;
        }
        self.framing.counts.bytes += bytes.len() as u64;
        self.unpack(true)
    }

    /// Takes a whole event that holds others. Unless `bounded`, it is unpacked to its end, whatever it holds.
    pub(super) fn take_packed(&mut self, event: &Event<'_>, bounded: bool) -> Result<(), Error> {
        let parts = EventParts::of(event, &self.format, self.join_limit())
            .map_err(|e| unreadable(&e, &self.framing.at))?;
        self.framing.counts.bytes += u64::from(event.header.event_size);
        self.begin_unpacking(parts);
        self.unpack(bounded)
    }

    fn begin_unpacking(&mut self, parts: EventParts) {
        if parts.holds_events() {
            self.framing.hold_end();
        }
        self.unpacking = Some(Unpacking {
            parts,
            failed: None,
        });
    }

    /// The most bytes of an event without rows that are held: such an event is a statement, and is handed on like a row.
    pub(super) fn join_limit(&self) -> usize {
        usize::try_from(self.max_row_bytes).unwrap_or(usize::MAX)
    }

    /// Uses what is there, as long as no batch is full if `bounded`.
    fn unpack(&mut self, bounded: bool) -> Result<(), Error> {
        let Some(mut unpacking) = self.unpacking.take() else {
            return Ok(());
        };
        if unpacking.failed.is_none()
            && let Err(error) = self.use_parts(&mut unpacking.parts, bounded)
        {
            if !unpacking.parts.is_unproven() {
                return Err(error);
            }
            unpacking.parts.skip();
            unpacking.failed = Some(self.placed(error));
        }
        if !unpacking.parts.is_complete() || bounded && self.has_full_batch() {
            self.unpacking = Some(unpacking);
            return Ok(());
        }
        match unpacking.failed {
            Some(error) => Err(error),
            None => self.end_of_parts(&unpacking.parts),
        }
    }

    fn use_parts(&mut self, parts: &mut EventParts, bounded: bool) -> Result<(), Error> {
        let limit = self.join_limit();
        let inside = parts.holds_events();
        let header = *parts.header();
        while !(bounded && self.has_full_batch()) {
            let part = parts
                .next(&self.format)
                .map_err(|e| unreadable(&e, &self.framing.at))?;
            if part.is_some() && self.framing.end_is_held_back() {
                return Err(Error::fatal(
                    "binlog.malformed",
                    "a compressed transaction goes on after its end",
                ));
            }
            match part {
                None => break,
                Some(Part::Rows { event, follows }) => {
                    let Taken { used, wanted } = self.rows(&event, follows)?;
                    parts.took(used, wanted);
                }
                Some(Part::Event(event)) => {
                    let inflated = event
                        .inflated(&self.format, limit)
                        .map_err(|e| unreadable(&e, &self.framing.at))?;
                    let plain = match &inflated {
                        Some(bytes) => Event::split(bytes, ChecksumAlgorithm::Off),
                        None => Ok(event),
                    };
                    let body = plain
                        .and_then(|event| event.parse(&self.format))
                        .map_err(|e| unreadable(&e, &self.framing.at))?;
                    let before = self.framing.at.offset;
                    if !inside {
                        self.framing.at.pass(header.log_pos, header.event_size);
                    }
                    self.take_body(body, &event.header, before, false)?;
                }
            }
        }
        Ok(())
    }

    /// The event is over.
    fn end_of_parts(&mut self, parts: &EventParts) -> Result<(), Error> {
        let header = parts.header();
        if parts.holds_events() {
            self.framing.at.pass(header.log_pos, header.event_size);
            return self.framing.release_end();
        }
        // What was joined has been passed when it was taken.
        if !parts.is_joined() {
            self.framing.at.pass(header.log_pos, header.event_size);
        }
        Ok(())
    }
}

/// Whether an event is unpacked rather than parsed.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    // The type's code stands behind the timestamp.
    bytes
        .get(4)
        .is_some_and(|code| EventType::from(*code) == EventType::TransactionPayload)
}
