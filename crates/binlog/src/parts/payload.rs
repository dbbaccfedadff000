//! The inside of a Transaction_payload event: fields, then events one after the other, compressed or not, each with its header and without checksum.
//!
//! No more than one event that is not large, and a block, is held decompressed, beside the decoder's window.

use crate::error::{BinlogError, Malformed, Problem};
use crate::event::format_description::FormatDescription;
use crate::event::header::{EventHeader, HEADER_LEN};
use crate::event::transaction_payload::{EVENT, PayloadCompression, PayloadHead};
use crate::event::types::EventType;
use crate::event::{Event, bad_value};
use crate::parts::Part;
use crate::parts::body::Body;
use crate::parts::zstd::{Step, Zstd};

/// The fields of the event are shorter than this.
const MAX_FIELDS: usize = 4 << 10;
/// Events of up to this size are given out whole.
const WHOLE: usize = 1 << 20;

/// See the module.
#[derive(Debug)]
pub(super) struct Payload {
    /// Bytes of the event's header that are still to be passed over.
    header_left: usize,
    /// The fields, until all of them are there.
    fields: Vec<u8>,
    source: Option<Source>,
    /// Bytes of the payload that are still to come, where the event says how many there are.
    payload_left: Option<u64>,
    uncompressed_size: Option<u64>,
    /// Decompressed bytes; those before `at` are done with.
    out: Vec<u8>,
    at: usize,
    produced: u64,
    /// A large event under way, and its bytes that are still to come.
    large: Option<(Body, u64)>,
    limit: usize,
}

#[derive(Debug)]
enum Source {
    Zstd(Box<Zstd>),
    Plain(Vec<u8>),
}

/// What can be given out.
enum Ready {
    Nothing,
    Event(EventHeader, usize),
    Large(u64),
}

impl Payload {
    /// `header_len` bytes come before the fields; `limit` is the most that may be joined of a large event.
    pub(super) fn new(header_len: usize, limit: usize) -> Self {
        Self {
            header_left: header_len,
            fields: Vec::new(),
            source: None,
            payload_left: None,
            uncompressed_size: None,
            out: Vec::new(),
            at: 0,
            produced: 0,
            large: None,
            limit,
        }
    }

    pub(super) fn feed(&mut self, data: &[u8]) {
        let skipped = data.len().min(self.header_left);
        self.header_left -= skipped;
        let data = &data[skipped..];
        match &mut self.source {
            None => self.fields.extend_from_slice(data),
            Some(source) => {
                let left = &mut self.payload_left;
                source.feed(payload_part(data, left));
            }
        }
    }

    pub(super) fn next(
        &mut self,
        complete: bool,
        format: &FormatDescription,
    ) -> Result<Option<Part<'_>>, BinlogError> {
        match self.prepare(complete, format)? {
            Ready::Nothing => Ok(None),
            Ready::Event(header, size) => {
                let bytes = &self.out[self.at - size..self.at];
                Ok(Some(Part::Event(Event::from_verified(header, bytes))))
            }
            Ready::Large(follows) => match &self.large {
                Some((body, _)) => body.part(follows).map(Some),
                None => Ok(None),
            },
        }
    }

    pub(super) fn took(&mut self, used: usize, wanted: u64) {
        if let Some((body, _)) = &mut self.large {
            body.took(used, wanted);
        }
    }

    /// Decompresses until something can be given out, or nothing more can be done.
    fn prepare(
        &mut self,
        complete: bool,
        format: &FormatDescription,
    ) -> Result<Ready, BinlogError> {
        if !self.read_fields(complete)? {
            return Ok(Ready::Nothing);
        }
        loop {
            let there = &self.out[self.at..];
            if let Some((body, left)) = &mut self.large {
                let now = there
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                body.feed(&there[..now])?;
                self.at += now;
                *left -= now as u64;
                if body.ready(*left)? {
                    return Ok(Ready::Large(*left));
                }
                if *left == 0 {
                    self.large = None;
                    continue;
                }
            } else if there.len() >= HEADER_LEN {
                let header = EventHeader::parse(there)?;
                allowed(&header)?;
                let size = header.event_size as usize;
                if size > WHOLE {
                    let body = Body::of(&header, format, self.limit);
                    self.large = Some((body, u64::from(header.event_size)));
                    continue;
                }
                if there.len() >= size {
                    self.at += size;
                    return Ok(Ready::Event(header, size));
                }
            }
            match self.decompress(complete)? {
                Step::Output => {}
                Step::Starved => return Ok(Ready::Nothing),
                Step::End => {
                    self.check_end()?;
                    return Ok(Ready::Nothing);
                }
            }
        }
    }

    /// Reads the fields before the payload as soon as they are there; false while they are not.
    fn read_fields(&mut self, complete: bool) -> Result<bool, BinlogError> {
        if self.source.is_some() {
            return Ok(true);
        }
        if self.fields.len() < MAX_FIELDS && !complete {
            return Ok(false);
        }
        let head = PayloadHead::parse(&self.fields)?;
        let mut source = match head.compression {
            PayloadCompression::Zstd => Source::Zstd(Box::default()),
            PayloadCompression::None => Source::Plain(Vec::new()),
            PayloadCompression::Unknown(kind) => return Err(BinlogError::CompressionKind(kind)),
        };
        self.payload_left = head.size;
        self.uncompressed_size = head.uncompressed_size;
        let fields = std::mem::take(&mut self.fields);
        let data = fields.get(head.length..).unwrap_or_default();
        source.feed(payload_part(data, &mut self.payload_left));
        self.source = Some(source);
        Ok(true)
    }

    fn decompress(&mut self, complete: bool) -> Result<Step, BinlogError> {
        self.out.drain(..self.at);
        self.at = 0;
        let Some(source) = &mut self.source else {
            return Ok(Step::Starved);
        };
        let before = self.out.len();
        let step = match source {
            Source::Zstd(zstd) => zstd.step(complete, &mut self.out)?,
            Source::Plain(bytes) => {
                let step = match bytes.is_empty() {
                    false => Step::Output,
                    true if complete => Step::End,
                    true => Step::Starved,
                };
                self.out.append(bytes);
                step
            }
        };
        self.produced += (self.out.len() - before) as u64;
        match self.uncompressed_size {
            Some(size) if self.produced > size => {
                Err(malformed("uncompressed_size", Problem::Value(size)))
            }
            _ => Ok(step),
        }
    }

    /// Nothing may be left over or missing.
    fn check_end(&self) -> Result<(), BinlogError> {
        if let Some(needed) = self.payload_left.filter(|left| *left > 0) {
            return Err(malformed("payload", Problem::Truncated { needed, left: 0 }));
        }
        let left = self.out.len() - self.at;
        if let Some((_, needed)) = &self.large {
            let needed = *needed;
            return Err(malformed("events", Problem::Truncated { needed, left }));
        }
        if left > 0 {
            let needed = HEADER_LEN as u64;
            return Err(malformed("events", Problem::Truncated { needed, left }));
        }
        match self.uncompressed_size {
            Some(size) if size != self.produced => {
                Err(malformed("uncompressed_size", Problem::Value(size)))
            }
            _ => Ok(()),
        }
    }
}

impl Source {
    fn feed(&mut self, data: &[u8]) {
        match self {
            Source::Zstd(zstd) => zstd.feed(data),
            Source::Plain(bytes) => bytes.extend_from_slice(data),
        }
    }
}

/// The bytes that belong to the payload; what stands behind it is passed over.
fn payload_part<'a>(data: &'a [u8], left: &mut Option<u64>) -> &'a [u8] {
    let Some(left) = left else {
        return data;
    };
    let now = usize::try_from(*left).map_or(data.len(), |left| left.min(data.len()));
    *left -= now as u64;
    &data[..now]
}

/// What frames transactions and files cannot stand inside of a transaction.
fn allowed(header: &EventHeader) -> Result<(), BinlogError> {
    match header.event_type {
        EventType::FormatDescription
        | EventType::Rotate
        | EventType::Stop
        | EventType::PreviousGtids
        | EventType::Gtid
        | EventType::AnonymousGtid
        | EventType::GtidTagged
        | EventType::Heartbeat
        | EventType::HeartbeatV2
        | EventType::TransactionPayload => {
            let code = u64::from(header.event_type.code());
            Err(bad_value(EVENT, 0, "event_type", code).into())
        }
        _ => Ok(()),
    }
}

fn malformed(field: &'static str, problem: Problem) -> BinlogError {
    Malformed {
        event: EVENT,
        offset: HEADER_LEN,
        field,
        problem,
    }
    .into()
}
