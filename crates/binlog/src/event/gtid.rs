//! Gtid, Anonymous_gtid and Gtid_tagged: `Gtid_event` of MySQL's `control_events.h`. The first two have a fixed start and optional fields after
//! it; the third is a message of the serialization library with numbered fields.

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;
use crate::gtid::id::{Gtid, Tag, Uuid};
use crate::serialization;

/// The start of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GtidEvent {
    /// The transaction's GTID; `None` when it is anonymous.
    pub gtid: Option<Gtid>,
    /// FLAG_MAY_HAVE_SBR: the transaction may hold statements that change data. Set for all DDL.
    pub may_have_statements: bool,
    /// Logical clock: the last transaction that must be committed before this one may start.
    pub last_committed: i64,
    /// Logical clock: this transaction's own time.
    pub sequence_number: i64,
    /// Commit time on the server whose log this is, microseconds since 1970.
    pub immediate_commit_timestamp: Option<u64>,
    /// Commit time on the server where the transaction was born, microseconds since 1970; the immediate one when the event has no other.
    pub original_commit_timestamp: Option<u64>,
    /// Length of the whole transaction in bytes, this event included.
    pub transaction_length: Option<u64>,
    /// Version of the server whose log this is, e.g. 90704.
    pub immediate_server_version: Option<u32>,
    /// Version of the server where the transaction was born.
    pub original_server_version: Option<u32>,
    /// Group commit's ticket.
    pub commit_group_ticket: Option<u64>,
}

impl GtidEvent {
    fn new(gtid: Option<Gtid>) -> Self {
        Self {
            gtid,
            may_have_statements: false,
            last_committed: 0,
            sequence_number: 0,
            immediate_commit_timestamp: None,
            original_commit_timestamp: None,
            transaction_length: None,
            immediate_server_version: None,
            original_server_version: None,
            commit_group_ticket: None,
        }
    }

    /// Gtid (`named`) and Anonymous_gtid.
    pub(crate) fn parse(body: &[u8], named: bool) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Gtid event", body, HEADER_LEN);
        let flags = cursor.u8("flags")?;
        let uuid = Uuid(cursor.array("uuid")?);
        let number_at = cursor.clone();
        let number = cursor.u64("gno")?;
        let gtid = Gtid {
            uuid,
            tag: Tag::NONE,
            number,
        };
        if named && !gtid.is_valid() {
            return Err(number_at.error("gno", Problem::Value(number)).into());
        }
        let mut event = Self::new(named.then_some(gtid));
        event.may_have_statements = flags & 1 != 0;
        // MySQL 5.6 writes no more than this.
        if cursor.is_at_end() || cursor.u8("lt_type")? != LOGICAL_TIMESTAMPS {
            return Ok(event);
        }
        event.last_committed = cursor.u64("last_committed")? as i64;
        event.sequence_number = cursor.u64("sequence_number")? as i64;
        // MySQL 5.7 ends here; each of the next came with a release, and all may be missing.
        if cursor.left() < 7 {
            return Ok(event);
        }
        let stamp = cursor.uint(7, "immediate_commit_timestamp")?;
        let immediate = stamp & !HAS_ORIGINAL_TIME;
        event.immediate_commit_timestamp = Some(immediate);
        event.original_commit_timestamp = Some(if stamp == immediate {
            immediate
        } else {
            cursor.uint(7, "original_commit_timestamp")?
        });
        if cursor.is_at_end() {
            return Ok(event);
        }
        event.transaction_length = Some(cursor.lenenc("transaction_length")?);
        if cursor.left() < 4 {
            return Ok(event);
        }
        let version = cursor.u32("immediate_server_version")?;
        let immediate = version & !HAS_ORIGINAL_VERSION;
        event.immediate_server_version = Some(immediate);
        event.original_server_version = Some(if version == immediate {
            immediate
        } else {
            cursor.u32("original_server_version")?
        });
        if cursor.left() >= 8 {
            event.commit_group_ticket = Some(cursor.u64("commit_group_ticket")?);
        }
        Ok(event)
    }

    /// Gtid_tagged.
    pub(crate) fn parse_tagged(body: &[u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Gtid_tagged event", body, HEADER_LEN);
        let start = cursor.clone();
        let version = serialization::unsigned(&mut cursor, "serialization_version")?;
        if version != SERIALIZATION_VERSION {
            return Err(start
                .error("serialization_version", Problem::Value(version))
                .into());
        }
        let size = serialization::unsigned(&mut cursor, "message_size")?;
        if size != body.len() as u64 {
            return Err(start.error("message_size", Problem::Value(size)).into());
        }
        let last_needed = serialization::unsigned(&mut cursor, "last_non_ignorable_field")?;
        let mut gtid = Gtid {
            uuid: Uuid([0; 16]),
            tag: Tag::NONE,
            number: 0,
        };
        let mut event = Self::new(None);
        while !cursor.is_at_end() {
            let start = cursor.clone();
            let c = &mut cursor;
            match serialization::unsigned(c, "field_id")? {
                0 => event.may_have_statements = serialization::unsigned(c, "flags")? & 1 != 0,
                1 => {
                    // Each byte is a number of its own.
                    for byte in &mut gtid.uuid.0 {
                        *byte = number(c, "uuid")?;
                    }
                }
                2 => gtid.number = serialization::signed(c, "gno")? as u64,
                3 => {
                    let text = serialization::string(c, "tag")?;
                    gtid.tag = Tag::new(text)
                        .ok_or_else(|| start.error("tag", Problem::Value(text.len() as u64)))?;
                }
                4 => event.last_committed = serialization::signed(c, "last_committed")?,
                5 => event.sequence_number = serialization::signed(c, "sequence_number")?,
                6 => {
                    event.immediate_commit_timestamp =
                        Some(serialization::unsigned(c, "immediate_commit_timestamp")?);
                }
                7 => {
                    event.original_commit_timestamp =
                        Some(serialization::unsigned(c, "original_commit_timestamp")?);
                }
                8 => {
                    event.transaction_length =
                        Some(serialization::unsigned(c, "transaction_length")?);
                }
                9 => event.immediate_server_version = Some(number(c, "immediate_server_version")?),
                10 => event.original_server_version = Some(number(c, "original_server_version")?),
                11 => {
                    event.commit_group_ticket =
                        Some(serialization::unsigned(c, "commit_group_ticket")?);
                }
                // A field of a later version, of which not even the length is known. The fields are in order, so nothing that is known follows.
                unknown if unknown > last_needed => break,
                unknown => {
                    return Err(start.error("field_id", Problem::Value(unknown)).into());
                }
            }
        }
        if !gtid.is_valid() {
            return Err(start.error("gno", Problem::Value(gtid.number)).into());
        }
        event.gtid = Some(gtid);
        event.original_commit_timestamp = event
            .original_commit_timestamp
            .or(event.immediate_commit_timestamp);
        event.original_server_version = event
            .original_server_version
            .or(event.immediate_server_version);
        Ok(event)
    }
}

/// An unsigned number that must fit a smaller type.
fn number<T: TryFrom<u64>>(cursor: &mut Cursor<'_>, field: &'static str) -> Result<T, BinlogError> {
    let start = cursor.clone();
    let number = serialization::unsigned(cursor, field)?;
    T::try_from(number).map_err(|_| start.error(field, Problem::Value(number)).into())
}

const LOGICAL_TIMESTAMPS: u8 = 2;
const HAS_ORIGINAL_TIME: u64 = 1 << 55;
const HAS_ORIGINAL_VERSION: u32 = 1 << 31;
const SERIALIZATION_VERSION: u64 = 1;
