//! Events in pieces: what is too large to be held whole, or holds other events.
//!
//! [`EventParts`] takes the bytes of one event as they arrive and gives out what can be used of it so far:
//!
//! - a **rows event** comes as several [`RowsEvent`]s with some of the rows each. A reader decodes the whole rows among the images, and says with
//!   [`EventParts::took`] how far it came; the rest is kept until more has arrived. So memory for about a row and a piece is enough, however
//!   large the event.
//! - a **compressed transaction** comes as the events that it holds, decompressed as a stream; large ones among them in parts again.
//! - what says of itself that it may be passed over is passed over.
//! - of what is not known, only the header is given out, since it must end the stream.
//! - everything else is joined, up to a limit.
//!
//! The checksum is computed along the way and compared as soon as the last piece is there, before anything of that piece is given out. What was given
//! out earlier is only part of a transaction, whose end has not been seen: nobody must commit it. An event inside a compressed transaction has no
//! checksum of its own.

mod body;
mod payload;
mod zstd;

use crate::checksum::{CHECKSUM_LEN, ChecksumAlgorithm};
use crate::error::BinlogError;
use crate::event::Event;
use crate::event::format_description::FormatDescription;
use crate::event::header::{EventHeader, HEADER_LEN};
use crate::event::types::EventType;
use crate::rows::event::RowsEvent;
use body::Body;
use payload::Payload;

/// Something that can be used of an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Part<'a> {
    /// A whole event: one that was joined, or one inside a compressed transaction.
    Event(Event<'a>),
    /// Some rows of a rows event. Its images may end inside a row if something `follows`. Answer with [`EventParts::took`].
    Rows {
        /// The event, with as many of its images as are there.
        event: RowsEvent<'a>,
        /// Bytes of the event that are still to come.
        follows: u64,
    },
}

/// One event, taken in pieces. See the module.
#[derive(Debug)]
pub struct EventParts {
    header: EventHeader,
    hasher: Option<crc32fast::Hasher>,
    stored: [u8; CHECKSUM_LEN],
    /// Bytes of the event that have arrived.
    seen: u64,
    complete: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Body(Body),
    Payload(Box<Payload>),
    /// What is left is only looked at for its checksum.
    Skipped,
}

impl EventParts {
    /// Begins with the first piece of an event, which must hold its header. `limit` is the most bytes that may be joined.
    ///
    /// # Errors
    /// As [`EventParts::feed`].
    pub fn begin(
        piece: &[u8],
        last: bool,
        checksum: ChecksumAlgorithm,
        format: &FormatDescription,
        limit: usize,
    ) -> Result<Self, BinlogError> {
        let header = EventHeader::parse(piece)?;
        let mut parts = Self {
            header,
            hasher: (checksum == ChecksumAlgorithm::Crc32).then(crc32fast::Hasher::new),
            stored: [0; CHECKSUM_LEN],
            seen: 0,
            complete: false,
            content: Content::of(&header, format, limit),
        };
        parts.feed(piece, last)?;
        Ok(parts)
    }

    /// The parts of an event that is there as a whole, its checksum verified.
    ///
    /// # Errors
    /// When the event is larger than `limit` and would have to be joined.
    pub fn of(
        event: &Event<'_>,
        format: &FormatDescription,
        limit: usize,
    ) -> Result<Self, BinlogError> {
        let mut parts = Self {
            header: event.header,
            hasher: None,
            stored: [0; CHECKSUM_LEN],
            seen: u64::from(event.header.event_size),
            complete: true,
            content: Content::of(&event.header, format, limit),
        };
        parts.content.feed(event.bytes())?;
        Ok(parts)
    }

    /// The event's header.
    #[must_use]
    pub fn header(&self) -> &EventHeader {
        &self.header
    }

    /// Whether the parts are events inside of this one.
    #[must_use]
    pub fn holds_events(&self) -> bool {
        self.header.event_type == EventType::TransactionPayload
    }

    /// Whether the event is joined and given out as one [`Part::Event`].
    #[must_use]
    pub fn is_joined(&self) -> bool {
        matches!(&self.content, Content::Body(body) if body.is_joined())
    }

    /// Whether all of it has arrived and the checksum was right.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether damage to what has arrived would still be found: there is a checksum, and it has not come yet.
    #[must_use]
    pub fn is_unproven(&self) -> bool {
        self.hasher.is_some() && !self.complete
    }

    /// Passes over the rest of the event; its checksum is verified all the same.
    pub fn skip(&mut self) {
        self.content = Content::Skipped;
    }

    /// Takes the next piece. Parts should be taken with [`EventParts::next`] between pieces until there are none, so that nothing piles up.
    ///
    /// # Errors
    /// When the pieces are not as long as the header says, the checksum is wrong, or what must be joined is over the limit.
    pub fn feed(&mut self, piece: &[u8], last: bool) -> Result<(), BinlogError> {
        let size = u64::from(self.header.event_size);
        let end = self.seen + piece.len() as u64;
        // A piece that is the last may be empty: what came before it ended with a full packet.
        if end > size || last && end != size {
            let there = usize::try_from(end).unwrap_or(usize::MAX);
            return Err(self
                .header
                .too_short(there, self.header.event_size as usize));
        }
        let data_end = match &self.hasher {
            Some(_) => size.saturating_sub(CHECKSUM_LEN as u64),
            None => size,
        };
        let left = data_end.saturating_sub(self.seen);
        let (data, tail) =
            piece.split_at(usize::try_from(left).map_or(piece.len(), |left| left.min(piece.len())));
        let tail_at = (self.seen + data.len() as u64).saturating_sub(data_end);
        for (slot, byte) in self.stored.iter_mut().skip(tail_at as usize).zip(tail) {
            *slot = *byte;
        }
        self.seen = end;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(data);
        }
        if end == size && !self.complete {
            self.verify()?;
            self.complete = true;
        }
        self.content.feed(data)
    }

    fn verify(&self) -> Result<(), BinlogError> {
        let Some(hasher) = &self.hasher else {
            return Ok(());
        };
        let computed = hasher.clone().finalize();
        let stored = u32::from_le_bytes(self.stored);
        if computed == stored {
            return Ok(());
        }
        Err(BinlogError::Checksum {
            event_type: self.header.event_type,
            stored,
            computed,
        })
    }

    /// The next part; none when more bytes are needed, or, once the event [is complete](EventParts::is_complete), when it is over.
    ///
    /// # Errors
    /// When the bytes do not follow the format.
    pub fn next(&mut self, format: &FormatDescription) -> Result<Option<Part<'_>>, BinlogError> {
        let follows = u64::from(self.header.event_size) - self.seen;
        match &mut self.content {
            Content::Skipped => Ok(None),
            Content::Body(body) => {
                if body.ready(follows)? {
                    body.part(follows).map(Some)
                } else {
                    Ok(None)
                }
            }
            Content::Payload(payload) => payload.next(self.complete, format),
        }
    }

    /// Says how many bytes of the images of the newest [`Part::Rows`] were used, and how many the row behind them needs at least.
    pub fn took(&mut self, used: usize, wanted: u64) {
        match &mut self.content {
            Content::Skipped => {}
            Content::Body(body) => body.took(used, wanted),
            Content::Payload(payload) => payload.took(used, wanted),
        }
    }
}

impl Content {
    fn of(header: &EventHeader, format: &FormatDescription, limit: usize) -> Self {
        if header.event_type == EventType::TransactionPayload {
            // The payload sees the bytes behind the header only.
            return Self::Payload(Box::new(Payload::new(HEADER_LEN, limit)));
        }
        Self::Body(Body::of(header, format, limit))
    }

    fn feed(&mut self, data: &[u8]) -> Result<(), BinlogError> {
        match self {
            Self::Skipped => Ok(()),
            Self::Body(body) => body.feed(data),
            Self::Payload(payload) => {
                payload.feed(data);
                Ok(())
            }
        }
    }
}
