//! Format_description: `Format_description_event` of MySQL's `control_events.h`.

use crate::checksum::{CHECKSUM_LEN, ChecksumAlgorithm};
use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::bad_value;
use crate::event::header::{EventHeader, HEADER_LEN};
use crate::event::types::EventType;

const EVENT: &str = "Format_description event";
/// Where the server's version stands in the event.
const VERSION_AT: usize = HEADER_LEN + 2;
/// Where the lengths of the post-headers begin.
const LAYOUT_AT: usize = VERSION_AT + 50 + 4 + 1;
/// MySQL 5.5 knows 27 types, 5.6 knows 35.
const TYPES_BEFORE_CHECKSUMS: usize = 34;

/// How the events of a file are laid out, and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatDescription {
    /// Always 4 since MySQL 5.0.
    pub binlog_version: u16,
    /// The server's version, e.g. "9.7.4-debug" or "10.11.6-MariaDB-log".
    pub server_version: String,
    /// When the file was created, if the server had just started, seconds since 1970; else 0.
    pub created: u32,
    /// Length of each event type's post-header, from type 1 on.
    pub post_header_lengths: Vec<u8>,
    /// How the file's other events are protected.
    pub checksum: ChecksumAlgorithm,
}

impl FormatDescription {
    /// Parses the body: the event without common header and without its checksum field.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new(EVENT, body, HEADER_LEN);
        let binlog_version = cursor.u16("binlog_version")?;
        if binlog_version != 4 {
            return Err(bad_value(
                EVENT,
                HEADER_LEN,
                "binlog_version",
                u64::from(binlog_version),
            )
            .into());
        }
        let version_at = cursor.clone();
        let version = cursor.bytes(50, "server_version")?;
        let end = version.iter().position(|b| *b == 0).unwrap_or(50);
        let server_version = std::str::from_utf8(&version[..end])
            .map_err(|_| version_at.error("server_version", Problem::NotUtf8))?
            .to_owned();
        let created = cursor.u32("create_timestamp")?;
        let header_at = cursor.clone();
        let header_length = cursor.u8("header_length")?;
        if usize::from(header_length) != HEADER_LEN {
            return Err(header_at
                .error("header_length", Problem::Value(u64::from(header_length)))
                .into());
        }
        let lengths_at = cursor.clone();
        let mut lengths = cursor.rest();
        let mut checksum = ChecksumAlgorithm::Off;
        if knows_checksums(&server_version) {
            let Some((code, before)) = lengths.split_last() else {
                return Err(lengths_at
                    .error("checksum_alg", Problem::Truncated { needed: 1, left: 0 })
                    .into());
            };
            lengths = before;
            checksum = ChecksumAlgorithm::from_code(*code).ok_or_else(|| {
                lengths_at.error("checksum_alg", Problem::Value(u64::from(*code)))
            })?;
        }
        Ok(Self {
            binlog_version,
            server_version,
            created,
            post_header_lengths: lengths.to_vec(),
            checksum,
        })
    }

    /// The algorithm that a whole format description event, with its checksum field, names; `None` when its server knows no
    /// checksums, so that there is no such field.
    pub(crate) fn own_checksum(event: &[u8]) -> Result<Option<ChecksumAlgorithm>, BinlogError> {
        let mut cursor = Cursor::new(EVENT, event, 0);
        cursor.bytes(HEADER_LEN + 2, "binlog_version")?;
        let version = cursor.bytes(50, "server_version")?;
        let end = version.iter().position(|b| *b == 0).unwrap_or(50);
        if !std::str::from_utf8(&version[..end]).is_ok_and(knows_checksums) {
            return Ok(None);
        }
        cursor.bytes(5, "create_timestamp")?;
        let tail = cursor.rest();
        let Some(at) = tail.len().checked_sub(CHECKSUM_LEN + 1) else {
            return Err(cursor
                .error(
                    "checksum_alg",
                    Problem::Truncated {
                        needed: CHECKSUM_LEN as u64 + 1,
                        left: tail.len(),
                    },
                )
                .into());
        };
        match ChecksumAlgorithm::from_code(tail[at]) {
            Some(algorithm) => Ok(Some(algorithm)),
            None => Err(cursor
                .error("checksum_alg", Problem::Value(u64::from(tail[at])))
                .into()),
        }
    }

    /// Whether a whole format description event of a file can be believed. Everything after it is read by what it says, so damage in it must not be taken
    /// for another layout.
    ///
    /// A server that knows checksums puts one on this event even where `binlog_checksum` is NONE. One that does not knows fewer types of events.
    ///
    /// # Errors
    /// When its checksum is wrong, or its server's version does not fit the rest.
    pub fn verify_in_file(event: &[u8]) -> Result<(), BinlogError> {
        let header = EventHeader::parse(event)?;
        if Self::own_checksum(event)?.is_some() {
            ChecksumAlgorithm::Crc32.verify_and_strip(&header, event)?;
        } else if event.len() > LAYOUT_AT + TYPES_BEFORE_CHECKSUMS {
            return Err(bad_value(
                EVENT,
                VERSION_AT,
                "server_version",
                u64::from(event[VERSION_AT]),
            )
            .into());
        }
        Ok(())
    }

    /// What sets a whole format description event of a file apart from all released servers', if anything does; a sentence.
    ///
    /// Google's MySQL 5.1 made the header of every event longer. Snapshots of 5.1 and 5.2 from before row-based replication was finished (`a_drop` in the version) numbered events in another way;
    /// servers up to 5.7 translated them.
    #[must_use]
    pub fn other_layout(event: &[u8]) -> Option<String> {
        let version = event.get(VERSION_AT..VERSION_AT + 50)?;
        let end = version.iter().position(|b| *b == 0).unwrap_or(50);
        let version = std::str::from_utf8(&version[..end]).ok()?;
        let header = usize::from(*event.get(LAYOUT_AT - 1)?);
        if header != HEADER_LEN {
            return Some(format!(
                "the server that wrote the file ({version}) puts {header} bytes before each event, where others put {HEADER_LEN}"
            ));
        }
        let is_snapshot =
            ["5.1.", "5.2."].iter().any(|v| version.starts_with(v)) && version.contains("-a_drop");
        is_snapshot.then(|| {
            format!("the file was written by a development version ({version}), which numbered events in another way than servers do")
        })
    }

    /// The layout that MySQL 5.6 and later write, for what must be parsed before a format description has come (the artificial Rotate
    /// at the start of a dump).
    #[must_use]
    pub fn assumed(checksum: ChecksumAlgorithm) -> Self {
        Self {
            binlog_version: 4,
            server_version: String::new(),
            created: 0,
            post_header_lengths: Vec::new(),
            checksum,
        }
    }

    /// Whether MariaDB wrote the file.
    #[must_use]
    pub fn is_mariadb(&self) -> bool {
        self.server_version.contains("MariaDB")
    }

    /// The first three numbers of the server's version; missing ones are 0.
    #[must_use]
    pub fn version_numbers(&self) -> (u16, u16, u16) {
        version_numbers(&self.server_version)
    }

    /// Length of the post-header of an event type, as the file says, or as MySQL 5.6 and later have it.
    pub(crate) fn post_header_len(&self, event_type: EventType) -> usize {
        let said = usize::from(event_type.code())
            .checked_sub(1)
            .and_then(|i| self.post_header_lengths.get(i));
        match said {
            Some(length) => usize::from(*length),
            None => match event_type {
                EventType::Query | EventType::MariadbQueryCompressed => 13,
                EventType::ExecuteLoadQuery => 26,
                EventType::TableMap
                | EventType::WriteRowsV1
                | EventType::UpdateRowsV1
                | EventType::DeleteRowsV1
                | EventType::MariadbWriteRowsCompressedV1
                | EventType::MariadbUpdateRowsCompressedV1
                | EventType::MariadbDeleteRowsCompressedV1 => 8,
                EventType::WriteRows
                | EventType::UpdateRows
                | EventType::DeleteRows
                | EventType::PartialUpdateRows
                | EventType::MariadbWriteRowsCompressed
                | EventType::MariadbUpdateRowsCompressed
                | EventType::MariadbDeleteRowsCompressed => 10,
                _ => 0,
            },
        }
    }
}

/// Servers before MySQL 5.6.1 and MariaDB 5.3 write no checksum field.
fn knows_checksums(version: &str) -> bool {
    let first = if version.contains("MariaDB") {
        (5, 3, 0)
    } else {
        (5, 6, 1)
    };
    version_numbers(version) >= first
}

fn version_numbers(version: &str) -> (u16, u16, u16) {
    let mut numbers = version.split('.').map(|part| {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        part[..digits].parse().unwrap_or(0)
    });
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}
