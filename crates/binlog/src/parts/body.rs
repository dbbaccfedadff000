//! The body of one event as it arrives: joined, cut at rows, or passed over.

use crate::error::{BinlogError, Malformed, Problem};
use crate::event::Event;
use crate::event::format_description::FormatDescription;
use crate::event::header::{EventHeader, HEADER_LEN};
use crate::event::types::EventType;
use crate::parts::Part;
use crate::rows::event::{RowsEvent, holds_rows};

/// A buffer keeps at most this capacity when it is empty.
const KEEP_CAPACITY: usize = 4 << 20;

/// See the module. It is fed with the whole event, from its header on, without the checksum.
#[derive(Debug)]
pub(super) struct Body {
    header: EventHeader,
    bytes: Vec<u8>,
    way: Way,
    limit: usize,
    /// Nothing more arrives.
    complete: bool,
    over: bool,
}

#[derive(Debug)]
enum Way {
    Join,
    HeaderOnly,
    Skip,
    Rows(Images),
}

/// Where a reader stands in the images of a rows event.
#[derive(Debug)]
struct Images {
    post_header: usize,
    /// What stands before the images, behind the common header; none until all of it is there.
    head: Option<Vec<u8>>,
    /// Offset of the first image in the event that is not yet decoded.
    at: usize,
    /// Bytes of the buffer before this offset are done with.
    start: usize,
    /// How many bytes there should be before the next row is tried again.
    wanted: usize,
}

impl Body {
    pub(super) fn of(header: &EventHeader, format: &FormatDescription, limit: usize) -> Self {
        let way = match header.event_type {
            rows if holds_rows(rows) => Way::Rows(Images {
                post_header: format.post_header_len(rows),
                head: None,
                at: 0,
                start: 0,
                wanted: 0,
            }),
            // Information only.
            EventType::RowsQuery | EventType::MariadbAnnotateRows => Way::Skip,
            known if Event::is_parsed(known) => Way::Join,
            _ if header.flags.is_ignorable() => Way::Skip,
            _ => Way::HeaderOnly,
        };
        Self {
            header: *header,
            bytes: Vec::new(),
            way,
            limit,
            complete: false,
            over: false,
        }
    }

    pub(super) fn feed(&mut self, data: &[u8]) -> Result<(), BinlogError> {
        match &mut self.way {
            Way::Skip => {}
            Way::HeaderOnly => {
                let missing = HEADER_LEN.saturating_sub(self.bytes.len());
                self.bytes
                    .extend_from_slice(&data[..data.len().min(missing)]);
            }
            Way::Join => {
                if self.bytes.len() + data.len() > self.limit {
                    return Err(BinlogError::TooLarge {
                        event_type: self.header.event_type,
                        limit: self.limit,
                    });
                }
                append(&mut self.bytes, data);
            }
            Way::Rows(images) => {
                if images.start > 0 {
                    self.bytes.drain(..images.start);
                    images.start = 0;
                    if self.bytes.is_empty() && self.bytes.capacity() > KEEP_CAPACITY {
                        self.bytes = Vec::new();
                    }
                }
                append(&mut self.bytes, data);
            }
        }
        Ok(())
    }

    pub(super) fn is_joined(&self) -> bool {
        matches!(self.way, Way::Join | Way::HeaderOnly)
    }

    /// Whether [`Body::part`] has something to give; `follows` is the number of bytes of the event that are still to come.
    pub(super) fn ready(&mut self, follows: u64) -> Result<bool, BinlogError> {
        if self.over {
            return Ok(false);
        }
        self.complete = follows == 0;
        match &mut self.way {
            Way::Skip => Ok(false),
            Way::HeaderOnly | Way::Join => {
                let header_only = matches!(self.way, Way::HeaderOnly);
                self.over = follows == 0 || header_only && self.bytes.len() == HEADER_LEN;
                Ok(self.over)
            }
            Way::Rows(images) => {
                if images.head.is_none() {
                    let Some(body) = self.bytes.get(HEADER_LEN..) else {
                        return Ok(false);
                    };
                    let parsed = RowsEvent::parse(self.header.event_type, body, images.post_header);
                    match parsed.map(|event| event.images_at) {
                        Ok(at) => {
                            images.head = body.get(..at - HEADER_LEN).map(<[u8]>::to_vec);
                            (images.at, images.start) = (at, at);
                        }
                        Err(error) if follows > 0 && is_truncated(&error) => return Ok(false),
                        Err(error) => return Err(error),
                    }
                }
                let there = self.bytes.len() - images.start;
                Ok(follows == 0 || there > 0 && there >= images.wanted)
            }
        }
    }

    /// What [`Body::ready`] has announced.
    pub(super) fn part(&self, follows: u64) -> Result<Part<'_>, BinlogError> {
        match &self.way {
            Way::Rows(images) => {
                let head = images.head.as_deref().unwrap_or_default();
                let mut event = RowsEvent::parse(self.header.event_type, head, images.post_header)?;
                event.images = &self.bytes[images.start..];
                event.images_at = images.at;
                Ok(Part::Rows { event, follows })
            }
            _ => Ok(Part::Event(Event::from_verified(self.header, &self.bytes))),
        }
    }

    /// Notes how far a reader of the rows came.
    pub(super) fn took(&mut self, used: usize, wanted: u64) {
        if let Way::Rows(images) = &mut self.way {
            images.start = (images.start + used).min(self.bytes.len());
            images.at = images.at.saturating_add(used);
            let there = self.bytes.len() - images.start;
            // A row that arrives in many pieces is not tried again at each of them; but never is much more waited for than a row may have.
            let patience = (there + there / 4).min(self.limit);
            images.wanted = usize::try_from(wanted).unwrap_or(usize::MAX).max(patience);
            self.over = self.complete;
        }
    }
}

/// Appends with less room for more than a vector takes by itself, which doubles: rows may be as large as a good part of memory.
fn append(buffer: &mut Vec<u8>, data: &[u8]) {
    if buffer.capacity() - buffer.len() < data.len() {
        buffer.reserve_exact(data.len().max(buffer.len() / 4));
    }
    buffer.extend_from_slice(data);
}

fn is_truncated(error: &BinlogError) -> bool {
    matches!(
        error,
        BinlogError::Malformed(Malformed {
            problem: Problem::Truncated { .. },
            ..
        })
    )
}
