//! Transaction_payload: `Transaction_payload_event` of MySQL's `control_events.h` and its codec in
//! `codecs/binary.h`: a list of type, length and value, then the payload.

use crate::cursor::Cursor;
use crate::error::BinlogError;
use crate::event::header::HEADER_LEN;

pub(crate) const EVENT: &str = "Transaction_payload event";

/// How a payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadCompression {
    /// Zstandard.
    Zstd,
    /// Not at all.
    None,
    /// A code that this crate does not know.
    Unknown(u64),
}

/// The events of a transaction, compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionPayload<'a> {
    /// How.
    pub compression: PayloadCompression,
    /// Length of the events after decompression in bytes, where the event says so.
    pub uncompressed_size: Option<u64>,
    /// The compressed bytes. Once decompressed they are events one after the other, each with its header and **without** checksum.
    pub payload: &'a [u8],
}

/// What stands before the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PayloadHead {
    pub(crate) compression: PayloadCompression,
    pub(crate) uncompressed_size: Option<u64>,
    /// Length of the payload, where the event says so; else it goes on to the event's end.
    pub(crate) size: Option<u64>,
    /// Length of all this.
    pub(crate) length: usize,
}

impl PayloadHead {
    /// Reads the fields at the start of a body.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new(EVENT, body, HEADER_LEN);
        let mut compression = PayloadCompression::None;
        let mut uncompressed_size = None;
        let mut size = None;
        loop {
            let field = cursor.lenenc("field_type")?;
            if field == END_MARK {
                break;
            }
            let length = cursor.lenenc("field_length")?;
            let mut value = cursor.sub(length, "field_value")?;
            match field {
                SIZE => size = Some(value.lenenc("payload_size")?),
                COMPRESSION => {
                    compression = match value.lenenc("compression_type")? {
                        0 => PayloadCompression::Zstd,
                        255 => PayloadCompression::None,
                        other => PayloadCompression::Unknown(other),
                    };
                }
                UNCOMPRESSED_SIZE => uncompressed_size = Some(value.lenenc("uncompressed_size")?),
                // Fields of later versions.
                _ => {}
            }
        }
        Ok(Self {
            compression,
            uncompressed_size,
            size,
            length: cursor.offset() - HEADER_LEN,
        })
    }
}

impl<'a> TransactionPayload<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, BinlogError> {
        let head = PayloadHead::parse(body)?;
        let mut cursor = Cursor::new(EVENT, body, HEADER_LEN);
        cursor.bytes(head.length, "fields")?;
        let payload = match head.size {
            Some(size) => cursor.bytes_u64(size, "payload")?,
            None => cursor.rest(),
        };
        Ok(Self {
            compression: head.compression,
            uncompressed_size: head.uncompressed_size,
            payload,
        })
    }
}

const END_MARK: u64 = 0;
const SIZE: u64 = 1;
const COMPRESSION: u64 = 2;
const UNCOMPRESSED_SIZE: u64 = 3;
