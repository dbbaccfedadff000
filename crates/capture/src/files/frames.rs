//! Cuts the bytes of one binary-log file into events, as they come in.
//!
//! An event of [`LARGE_EVENT`] bytes and more comes in pieces, as in a dump, since it may be larger than memory. Nothing is believed before it is there: a length that an
//! event claims makes nobody allocate more than has come, and that of a large one is held against the end position that stands in the same header, which tells damage from
//! size. Offsets are counted, with 64 bits.

use datain_binlog::{EventHeader, EventType, MAGIC};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::LARGE_EVENT;

use crate::position::Position;

/// The first bytes of a file that the server has encrypted (`binlog_encryption = ON`).
const ENCRYPTED: [u8; 4] = [0xfd, b'b', b'i', b'n'];
/// How much is asked for at least when the buffer is made larger.
const ROOM: usize = 256 << 10;

/// See the module.
pub(super) struct Frames {
    /// The file's name, for positions.
    pub(super) name: String,
    /// Whether it is a relay log, whose headers hold positions of another file.
    pub(super) is_relay: bool,
    /// Whether the server had it open when it was copied.
    pub(super) in_use: bool,
    buffer: Vec<u8>,
    /// Start of the next event in the buffer.
    at: usize,
    /// The same in the file.
    offset: u64,
    /// A large event of which not all has been handed out; `offset` is where it begins.
    large: Option<Large>,
}

#[derive(Clone, Copy)]
struct Large {
    header: EventHeader,
    /// Bytes that were handed out.
    taken: usize,
}

/// An event, checksum and all, or a piece of a large one, and where the event begins in the file.
pub(super) struct Frame<'a> {
    pub(super) offset: u64,
    pub(super) header: EventHeader,
    pub(super) bytes: &'a [u8],
    /// The event begins with it. Such a piece holds the header.
    pub(super) first: bool,
    /// The event ends with it.
    pub(super) last: bool,
}

impl Frame<'_> {
    /// Whether it is all of an event.
    pub(super) fn is_whole(&self) -> bool {
        self.first && self.last
    }
}

impl Frames {
    pub(super) fn new(name: String) -> Self {
        Frames {
            name,
            is_relay: false,
            in_use: false,
            buffer: Vec::new(),
            at: 0,
            offset: 0,
            large: None,
        }
    }

    /// Where more bytes are to be appended.
    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.buffer.drain(..self.at);
        self.at = 0;
        // No more than an event that is not large is ever left in it.
        if self.buffer.capacity() - self.buffer.len() < ROOM {
            self.buffer.reserve(ROOM);
        }
        &mut self.buffer
    }

    /// The next event, none when its last byte has not come yet; of a large one what has come.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'_>>, Error> {
        if self.offset == 0 {
            let Some(start) = self.buffer.first_chunk::<4>() else {
                return Ok(None);
            };
            if *start != MAGIC {
                return Err(self.no_binary_log());
            }
            (self.at, self.offset) = (MAGIC.len(), MAGIC.len() as u64);
        }
        if let Some(large) = self.large {
            return Ok(self.piece(large));
        }
        let rest = &self.buffer[self.at..];
        if rest.len() < EventHeader::LEN {
            return Ok(None);
        }
        let header = match EventHeader::parse(rest) {
            Ok(header) => header,
            Err(error) => {
                return Err(self
                    .damaged("an event's length is less than that of its header")
                    .detail(error.to_string()));
            }
        };
        if self.offset == MAGIC.len() as u64 {
            self.begins_with(header.event_type)?;
        }
        let size = header.event_size as usize;
        if size >= LARGE_EVENT {
            self.may_be_large(&header)?;
            return Ok(self.piece(Large { header, taken: 0 }));
        }
        if rest.len() < size {
            return Ok(None);
        }
        let (start, offset) = (self.at, self.offset);
        self.at += size;
        self.offset += size as u64;
        Ok(Some(Frame {
            offset,
            header,
            bytes: &self.buffer[start..start + size],
            first: true,
            last: true,
        }))
    }

    /// What has come of a large event since its last piece.
    fn piece(&mut self, mut large: Large) -> Option<Frame<'_>> {
        let first = large.taken == 0;
        let size = large.header.event_size as usize;
        let (start, offset) = (self.at, self.offset);
        let length = (self.buffer.len() - start).min(size - large.taken);
        large.taken += length;
        let last = large.taken == size;
        self.large = (!last).then_some(large);
        if last {
            self.offset += size as u64;
        }
        self.at += length;
        (length > 0).then(|| Frame {
            offset,
            header: large.header,
            bytes: &self.buffer[start..start + length],
            first,
            last,
        })
    }

    /// The file has ended: whether it could end here.
    pub(super) fn end(&self) -> Result<(), Error> {
        let rest = &self.buffer[self.at..];
        if self.offset == 0 {
            return Err(if MAGIC.starts_with(rest) || ENCRYPTED.starts_with(rest) {
                self.truncated(if rest.is_empty() {
                    "the file is empty"
                } else {
                    "the file ends before its first event"
                })
            } else {
                self.no_binary_log()
            });
        }
        if rest.is_empty() && self.large.is_none() {
            return if self.offset == MAGIC.len() as u64 {
                Err(self.truncated("the file ends before its first event"))
            } else {
                Ok(())
            };
        }
        let (header, there) = match &self.large {
            Some(large) => (large.header, large.taken + rest.len()),
            None => match EventHeader::parse(rest) {
                Ok(header) => (header, rest.len()),
                Err(_) => {
                    return Err(self.truncated("the file ends inside the header of an event"));
                }
            },
        };
        let found = format!(
            "the {} event there claims {} bytes, {there} are in the file",
            header.event_type.server_name(),
            header.event_size,
        );
        if !self.fits(&header) {
            return Err(self.damaged("an event's length leads past the end of the file, and its end position says otherwise").detail(found));
        }
        Err(self
            .truncated("the file ends inside an event")
            .detail(found))
    }

    /// Place of the next event.
    pub(super) fn position(&self) -> Position {
        self.at_offset(self.offset)
    }

    /// A place in this file.
    pub(super) fn at_offset(&self, offset: u64) -> Position {
        Position {
            file: self.name.clone(),
            offset,
        }
    }

    /// The error of a file that ends too early. One that is being written may be copied while an event is half there.
    pub(super) fn truncated(&self, message: &str) -> Error {
        let hint = if self.in_use {
            "the server was writing this file when it was copied, or was killed: copy it again after FLUSH BINARY LOGS; a server that starts again cuts off itself what it had not written to the end"
        } else if self.is_relay {
            "copy the file again from where it comes from; the rest may also stand in the next relay log: name the files together, in order"
        } else {
            "copy the file again from where it comes from; what stands before this place was read and is whole"
        };
        Error::fatal("binlog.truncated", message)
            .hint(hint)
            .at(&self.name, self.offset, None)
    }

    /// The error of bytes that are no events.
    pub(super) fn damaged(&self, message: &str) -> Error {
        Error::fatal("binlog.malformed", message)
            .hint("the file is damaged at this place: compare it with where it comes from (sha256sum), or look at it with mysqlbinlog --hexdump --start-position")
            .at(&self.name, self.offset, None)
    }

    /// Whether an event's length and its end position say the same. A relay log's positions are those of another file, and 0 says nothing.
    fn fits(&self, header: &EventHeader) -> bool {
        let end = self.offset.wrapping_add(u64::from(header.event_size)) & 0xffff_ffff;
        self.is_relay || header.log_pos == 0 || u64::from(header.log_pos) == end
    }

    /// Whether an event may have the length that it claims.
    fn may_be_large(&self, header: &EventHeader) -> Result<(), Error> {
        // Its fields are a few dozen, and what they say must be known before anything else is read.
        let is_format = header.event_type == EventType::FormatDescription;
        if self.fits(header) && !is_format {
            return Ok(());
        }
        let message = if is_format {
            "a Format_desc event is longer than any server writes it"
        } else {
            "an event's length is not what its end position says"
        };
        let found = format!(
            "the {} event there claims {} bytes",
            header.event_type.server_name(),
            header.event_size
        );
        Err(self.damaged(message).detail(found))
    }

    fn begins_with(&self, kind: EventType) -> Result<(), Error> {
        match kind {
            EventType::FormatDescription => Ok(()),
            EventType::StartV3 => Err(Error::fatal("binlog.version", "the file was written by a server before MySQL 5.0, in a form that is not known here")
                .hint("mysqlbinlog of MySQL 5.5 reads it")
                .at(&self.name, self.offset, None)),
            other => Err(self.damaged("the file does not begin with a Format_desc event").detail(format!("its first event has type {} ({})", other.code(), other.server_name()))),
        }
    }

    fn no_binary_log(&self) -> Error {
        if self.buffer.starts_with(&ENCRYPTED) {
            return encrypted(
                "the file is encrypted by the server (binlog_encryption = ON)",
                &self.at_offset(0),
            );
        }
        let start: Vec<String> = self
            .buffer
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Error::fatal("binlog.magic", "the file is no binary log")
            .detail(format!("it begins with the bytes {}, a binary log with fe 62 69 6e", start.join(" ")))
            .hint("name files such as binlog.000001, uncompressed; the .index file only lists their names, and the text that mysqlbinlog prints is none")
            .at(&self.name, 0, None)
    }
}

/// The error of a file whose events cannot be read without the server's key.
pub(super) fn encrypted(message: &str, at: &Position) -> Error {
    Error::fatal("binlog.encrypted", message)
        .hint("only the server can read it: ask it for the changes, with datain tail -c FILE --from start, or for a readable copy, with mysqlbinlog --read-from-remote-server --raw")
        .at(&at.file, at.offset, None)
}
