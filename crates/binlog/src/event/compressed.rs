//! MariaDB's compressed events (`log_bin_compress`): `query_event_uncompress` and `row_log_event_uncompress` of its `log_event.cc`.
//!
//! A compressed event is laid out as the plain one of its kind, but what is long in it, the statement's text or the row images, is a byte that says how it is compressed, its
//! plain length, and a zlib stream. It is made plain as a whole: the server cuts rows into events of `binlog_row_event_max_size`, so such an event is hardly longer than a row.

use flate2::{Decompress, FlushDecompress, Status};

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::Event;
use crate::event::format_description::FormatDescription;
use crate::event::header::HEADER_LEN;
use crate::event::query::QueryEvent;
use crate::event::types::EventType;
use crate::rows::event::RowsEvent;

/// Where the common header has the type, and where the size.
const TYPE_AT: usize = 4;
const SIZE_AT: usize = 9;

/// The plain kind of a compressed event.
pub(crate) fn plain_type(event_type: EventType) -> Option<EventType> {
    Some(match event_type {
        EventType::MariadbQueryCompressed => EventType::Query,
        EventType::MariadbWriteRowsCompressedV1 => EventType::WriteRowsV1,
        EventType::MariadbUpdateRowsCompressedV1 => EventType::UpdateRowsV1,
        EventType::MariadbDeleteRowsCompressedV1 => EventType::DeleteRowsV1,
        EventType::MariadbWriteRowsCompressed => EventType::WriteRows,
        EventType::MariadbUpdateRowsCompressed => EventType::UpdateRows,
        EventType::MariadbDeleteRowsCompressed => EventType::DeleteRows,
        _ => return None,
    })
}

impl Event<'_> {
    /// The same event as it would be without compression, without checksum, if it is compressed. Its size in the header is its own; for the place in the log the
    /// compressed one counts. At most `limit` bytes are made.
    ///
    /// # Errors
    /// When it does not follow the format, is damaged, or is larger than `limit`.
    pub fn inflated(
        &self,
        format: &FormatDescription,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, BinlogError> {
        let Some(plain) = plain_type(self.header.event_type) else {
            return Ok(None);
        };
        let body = self.body();
        let post_header = format.post_header_len(self.header.event_type);
        let packed = if plain == EventType::Query {
            QueryEvent::parse(body, post_header)?.sql
        } else {
            RowsEvent::parse(plain, body, post_header)?.images
        };
        let head = HEADER_LEN + body.len() - packed.len();
        let mut out = self.bytes()[..head].to_vec();
        inflate(packed, head, limit, &mut out).map_err(|error| match error {
            BinlogError::TooLarge { .. } => BinlogError::TooLarge {
                event_type: self.header.event_type,
                limit,
            },
            other => other,
        })?;
        out[TYPE_AT] = plain.code();
        let size = u32::try_from(out.len()).unwrap_or(u32::MAX);
        out[SIZE_AT..SIZE_AT + 4].copy_from_slice(&size.to_le_bytes());
        Ok(Some(out))
    }
}

fn inflate(packed: &[u8], at: usize, limit: usize, out: &mut Vec<u8>) -> Result<(), BinlogError> {
    let mut cursor = Cursor::new("compressed event", packed, at);
    let start = cursor.clone();
    let kind = cursor.u8("compression")?;
    // 0x80 marks a header, three bits the algorithm (0 is zlib), the lower ones how many bytes the length has.
    if kind & 0x80 == 0 || kind & 0x70 != 0 {
        return Err(BinlogError::CompressionKind(u64::from(kind)));
    }
    let digits = usize::from(kind & 0x07);
    if !(1..=4).contains(&digits) {
        return Err(start
            .error("compression", Problem::Value(u64::from(kind)))
            .into());
    }
    let length = usize::try_from(cursor.uint_be(digits, "length")?).unwrap_or(usize::MAX);
    if length > limit {
        return Err(BinlogError::TooLarge {
            event_type: EventType::Unknown(0),
            limit,
        });
    }
    let damaged = || BinlogError::Compression("its zlib stream does not fit its length".to_owned());
    let begins = out.len();
    // One byte more than there should be, so that a stream that goes on is noticed.
    out.resize(begins + length + 1, 0);
    let mut stream = Decompress::new(true);
    let status = stream
        .decompress(cursor.rest(), &mut out[begins..], FlushDecompress::Finish)
        .map_err(|_| damaged())?;
    if status != Status::StreamEnd || stream.total_out() != length as u64 {
        return Err(damaged());
    }
    out.truncate(begins + length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_stream_of_the_right_length_is_taken() {
        use std::io::Write as _;
        let plain = vec![b'x'; 300];
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&plain).unwrap();
        let stream = encoder.finish().unwrap();
        let packed = |kind: u8, length: u16, stream: &[u8]| {
            let mut packed = vec![kind];
            packed.extend_from_slice(&length.to_be_bytes());
            packed.extend_from_slice(stream);
            packed
        };
        let check = |packed: &[u8], limit: usize, code: &str| {
            let mut out = b"head".to_vec();
            match inflate(packed, 4, limit, &mut out) {
                Ok(()) => {
                    assert_eq!(&out[4..], &plain);
                    assert_eq!(code, "");
                }
                Err(error) => assert_eq!(error.code(), code, "{error}"),
            }
        };
        check(&packed(0x82, 300, &stream), 300, "");
        check(&packed(0x82, 300, &stream), 299, "binlog.event-too-large");
        check(&packed(0x82, 299, &stream), 400, "binlog.compression");
        check(&packed(0x82, 301, &stream), 400, "binlog.compression");
        check(
            &packed(0x82, 300, &stream[..stream.len() - 3]),
            400,
            "binlog.compression",
        );
        check(&packed(0x92, 300, &stream), 400, "binlog.compression-kind");
        check(&packed(0x02, 300, &stream), 400, "binlog.compression-kind");
        check(&packed(0x80, 300, &stream), 400, "binlog.malformed");
        check(&[0x82, 1], 400, "binlog.malformed");
    }
}
