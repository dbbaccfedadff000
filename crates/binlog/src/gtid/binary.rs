//! The binary form of GTID sets, in COM_BINLOG_DUMP_GTID and in Previous_gtids events: `Gtid_set::encode` of MySQL's `rpl_gtid_set.cc`.
//!
//! Classic: the number of servers in 8 bytes; then for each its UUID, its number of intervals (8 bytes) and for each of those its first
//! number and the one after its last (8 bytes each). With tags, since 8.3: the first and the last of the first 8 bytes are 1, and the six
//! between hold the number of pairs of server and tag; after each UUID stands the tag as a string of the serialization library. Seen
//! so in files of 9.7, which writes the tagged form only where there are tags.

use crate::cursor::Cursor;
use crate::error::{Malformed, Problem};
use crate::gtid::id::{GNO_END, Tag, Uuid};
use crate::gtid::set::GtidSet;
use crate::serialization;

/// Marks the tagged form.
const TAGGED: u8 = 1;

impl GtidSet {
    /// The binary form: the classic one, which every server reads, unless the set has tags.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let tagged = self.has_tags();
        let mut out = Vec::new();
        let sources = self.iter().count() as u64;
        if tagged {
            out.push(TAGGED);
            out.extend_from_slice(&sources.to_le_bytes()[..6]);
            out.push(TAGGED);
        } else {
            out.extend_from_slice(&sources.to_le_bytes());
        }
        for (uuid, tag, intervals) in self.iter() {
            out.extend_from_slice(&uuid.0);
            if tagged {
                serialization::push_unsigned(&mut out, tag.as_str().len() as u64);
                out.extend_from_slice(tag.as_str().as_bytes());
            }
            out.extend_from_slice(&(intervals.len() as u64).to_le_bytes());
            for i in intervals {
                out.extend_from_slice(&i.first.to_le_bytes());
                out.extend_from_slice(&(i.last + 1).to_le_bytes());
            }
        }
        out
    }

    /// Reads the binary form of either kind.
    ///
    /// # Errors
    /// When the bytes are too short or too long, or a tag or an interval is not valid.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new("GTID set", bytes, 0);
        let set = Self::read(&mut cursor)?;
        cursor.expect_end("gtid_set")?;
        Ok(set)
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Malformed> {
        let start = cursor.clone();
        let head = cursor.array::<8>("source_count")?;
        let tagged = head[7] == TAGGED;
        let sources = match (head[7], head[0]) {
            (0, _) => u64::from_le_bytes(head),
            (TAGGED, TAGGED) => u64::from_le_bytes(head) << 8 >> 16,
            _ => {
                let value = u64::from_le_bytes(head);
                return Err(start.error("source_count", Problem::Value(value)));
            }
        };
        let mut set = Self::new();
        for _ in 0..sources {
            let uuid = Uuid(cursor.array("uuid")?);
            let mut tag = Tag::NONE;
            if tagged {
                let start = cursor.clone();
                let text = serialization::string(cursor, "tag")?;
                tag = Tag::new(text)
                    .ok_or_else(|| start.error("tag", Problem::Value(text.len() as u64)))?;
            }
            let intervals = cursor.u64("interval_count")?;
            for _ in 0..intervals {
                let start = cursor.clone();
                let first = cursor.u64("interval_start")?;
                let end = cursor.u64("interval_end")?;
                if first == 0 || end <= first || end > GNO_END {
                    return Err(start.error("interval_end", Problem::Value(end)));
                }
                set.add_interval(uuid, tag, first, end - 1);
            }
        }
        Ok(set)
    }
}
