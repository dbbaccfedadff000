//! Events: the frame around them, and one module for each kind.

pub(crate) mod compressed;
pub(crate) mod format_description;
pub(crate) mod gtid;
pub(crate) mod header;
pub(crate) mod heartbeat;
pub(crate) mod incident;
pub(crate) mod load;
pub(crate) mod mariadb_gtid;
mod names;
pub(crate) mod query;
pub(crate) mod rotate;
pub(crate) mod statement_vars;
pub(crate) mod transaction_payload;
pub(crate) mod types;
mod user_var_sql;
pub(crate) mod xa_prepare;

use crate::checksum::{CHECKSUM_LEN, ChecksumAlgorithm};
use crate::cursor::Cursor;
use crate::error::{BinlogError, Malformed, Problem};
use crate::gtid::domain::DomainPosition;
use crate::gtid::set::GtidSet;
use crate::rows::event::{RowsEvent, holds_rows};
use crate::table_map::TableMap;
use format_description::FormatDescription;
use header::{EventHeader, HEADER_LEN};
use types::EventType;

/// An event with its checksum verified and cut off, not parsed further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The common header.
    pub header: EventHeader,
    /// The event from its header on, without the checksum.
    bytes: &'a [u8],
}

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub enum EventBody<'a> {
    /// First event of a file, and of a dump.
    FormatDescription(FormatDescription),
    /// The log goes on in another file, or (artificial) a dump begins in this one.
    Rotate(rotate::Rotate<'a>),
    /// GTID of the transaction that follows; `gtid` is `None` for an anonymous one. Types 33, 34 and 42.
    Gtid(gtid::GtidEvent),
    /// MariaDB: begins a transaction.
    MariadbGtid(mariadb_gtid::MariadbGtid<'a>),
    /// MariaDB: the GTID position at the start of a file.
    MariadbGtidList(DomainPosition),
    /// MariaDB: which files crash recovery needs; nothing to anybody else.
    MariadbBinlogCheckpoint,
    /// MariaDB: what follows is encrypted.
    MariadbStartEncryption,
    /// The GTIDs of all files before this one.
    PreviousGtids(GtidSet),
    /// A statement.
    Query(query::QueryEvent<'a>),
    /// COMMIT, with the engine's transaction number.
    Xid(u64),
    /// XA PREPARE, or XA COMMIT … ONE PHASE.
    XaPrepare(xa_prepare::XaPrepare<'a>),
    /// An auto-increment value for the statement that follows.
    Intvar(statement_vars::Intvar),
    /// RAND seeds for the statement that follows.
    Rand(statement_vars::Rand),
    /// A user variable for the statement that follows.
    UserVar(statement_vars::UserVar<'a>),
    /// The first block of a file for the LOAD DATA that follows.
    BeginLoadQuery(load::LoadBlock<'a>),
    /// A further block of it.
    AppendBlock(load::LoadBlock<'a>),
    /// The LOAD DATA that reads the file.
    ExecuteLoadQuery(load::ExecuteLoad<'a>),
    /// The file of this number is not read after all.
    DeleteFile(u32),
    /// The statement that caused the rows events that follow, as information only.
    RowsQuery(&'a [u8]),
    /// The table of the rows events that follow.
    TableMap(TableMap<'a>),
    /// Changed rows, of version 1 or 2, or with changes of JSON documents.
    Rows(RowsEvent<'a>),
    /// Sign of life, of version 1 or 2.
    Heartbeat(heartbeat::Heartbeat<'a>),
    /// The server has stopped.
    Stop,
    /// The log lacks something.
    Incident(incident::Incident<'a>),
    /// A compressed transaction.
    TransactionPayload(transaction_payload::TransactionPayload<'a>),
    /// An event that is not parsed and says of itself that it may be passed over.
    Ignorable(EventType),
    /// An event that is not parsed, and **must not be passed over**: it may carry data. Its type is known by name or not.
    Unhandled(EventType),
}

impl<'a> Event<'a> {
    /// Takes one whole event as it stands in a file, or in a packet of a dump behind the OK byte.
    ///
    /// `checksum` is what the format description of the file said, or what was negotiated for the dump. Format descriptions say for
    /// themselves.
    ///
    /// # Errors
    /// When the header does not fit the bytes, or the checksum is wrong.
    pub fn split(bytes: &'a [u8], checksum: ChecksumAlgorithm) -> Result<Self, BinlogError> {
        let header = EventHeader::parse(bytes)?;
        if bytes.len() != header.event_size as usize {
            return Err(header.too_short(bytes.len(), header.event_size as usize));
        }
        let bytes = if header.event_type == EventType::FormatDescription {
            match FormatDescription::own_checksum(bytes)? {
                None => bytes,
                // The field is there even when the algorithm is off.
                Some(ChecksumAlgorithm::Off) => &bytes[..bytes.len() - CHECKSUM_LEN],
                Some(algorithm) => algorithm.verify_and_strip(&header, bytes)?,
            }
        } else {
            checksum.verify_and_strip(&header, bytes)?
        };
        Ok(Self { header, bytes })
    }

    /// An event whose checksum, if it has one, was verified and cut off.
    pub(crate) fn from_verified(header: EventHeader, bytes: &'a [u8]) -> Self {
        Self { header, bytes }
    }

    /// The event from its header on, without the checksum.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Whether [`Event::parse`] looks into the bodies of events of this type.
    pub(crate) fn is_parsed(event_type: EventType) -> bool {
        holds_rows(event_type)
            || matches!(
                event_type,
                EventType::FormatDescription
                    | EventType::Rotate
                    | EventType::Gtid
                    | EventType::AnonymousGtid
                    | EventType::GtidTagged
                    | EventType::PreviousGtids
                    | EventType::Query
                    | EventType::Xid
                    | EventType::XaPrepare
                    | EventType::Intvar
                    | EventType::Rand
                    | EventType::UserVar
                    | EventType::BeginLoadQuery
                    | EventType::AppendBlock
                    | EventType::ExecuteLoadQuery
                    | EventType::DeleteFile
                    | EventType::RowsQuery
                    | EventType::TableMap
                    | EventType::Heartbeat
                    | EventType::HeartbeatV2
                    | EventType::Stop
                    | EventType::Incident
                    | EventType::TransactionPayload
                    | EventType::MariadbAnnotateRows
                    | EventType::MariadbBinlogCheckpoint
                    | EventType::MariadbGtid
                    | EventType::MariadbGtidList
                    | EventType::MariadbStartEncryption
            )
            || compressed::plain_type(event_type).is_some()
    }

    /// What follows the common header, without the checksum.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    /// Parses the body. A compressed event must be [inflated](Event::inflated) before; it is [unhandled](EventBody::Unhandled) otherwise.
    ///
    /// # Errors
    /// When the body does not follow the format of its type.
    pub fn parse(&self, format: &FormatDescription) -> Result<EventBody<'a>, BinlogError> {
        let body = self.body();
        let post_header = format.post_header_len(self.header.event_type);
        Ok(match self.header.event_type {
            EventType::FormatDescription => {
                EventBody::FormatDescription(FormatDescription::parse(body)?)
            }
            EventType::Rotate => EventBody::Rotate(rotate::Rotate::parse(body)?),
            EventType::Gtid => EventBody::Gtid(gtid::GtidEvent::parse(body, true)?),
            EventType::AnonymousGtid => EventBody::Gtid(gtid::GtidEvent::parse(body, false)?),
            EventType::GtidTagged => EventBody::Gtid(gtid::GtidEvent::parse_tagged(body)?),
            EventType::PreviousGtids => {
                let mut cursor = Cursor::new("Previous_gtids event", body, HEADER_LEN);
                let set = GtidSet::read(&mut cursor)?;
                cursor.expect_end("gtid_set")?;
                EventBody::PreviousGtids(set)
            }
            EventType::Query => EventBody::Query(query::QueryEvent::parse(body, post_header)?),
            EventType::Xid => {
                EventBody::Xid(Cursor::new("Xid event", body, HEADER_LEN).u64("xid")?)
            }
            EventType::XaPrepare => EventBody::XaPrepare(xa_prepare::XaPrepare::parse(body)?),
            EventType::Intvar => EventBody::Intvar(statement_vars::Intvar::parse(body)?),
            EventType::Rand => EventBody::Rand(statement_vars::Rand::parse(body)?),
            EventType::UserVar => EventBody::UserVar(statement_vars::UserVar::parse(body)?),
            EventType::BeginLoadQuery => {
                EventBody::BeginLoadQuery(load::LoadBlock::parse("Begin_load_query event", body)?)
            }
            EventType::AppendBlock => {
                EventBody::AppendBlock(load::LoadBlock::parse("Append_block event", body)?)
            }
            EventType::ExecuteLoadQuery => {
                EventBody::ExecuteLoadQuery(load::ExecuteLoad::parse(body, post_header)?)
            }
            EventType::DeleteFile => EventBody::DeleteFile(load::deleted(body)?),
            EventType::RowsQuery => {
                let mut cursor = Cursor::new("Rows_query event", body, HEADER_LEN);
                // One byte of length, which wraps for longer statements and so says nothing.
                cursor.u8("length")?;
                EventBody::RowsQuery(cursor.rest())
            }
            EventType::TableMap => EventBody::TableMap(TableMap::parse(body, post_header)?),
            rows if holds_rows(rows) => EventBody::Rows(RowsEvent::parse(rows, body, post_header)?),
            EventType::Heartbeat => {
                EventBody::Heartbeat(heartbeat::Heartbeat::parse_v1(&self.header, body)?)
            }
            EventType::HeartbeatV2 => EventBody::Heartbeat(heartbeat::Heartbeat::parse_v2(body)?),
            EventType::Stop => EventBody::Stop,
            EventType::Incident => EventBody::Incident(incident::Incident::parse(body)?),
            EventType::TransactionPayload => {
                EventBody::TransactionPayload(transaction_payload::TransactionPayload::parse(body)?)
            }
            EventType::MariadbAnnotateRows => EventBody::RowsQuery(body),
            EventType::MariadbGtid => EventBody::MariadbGtid(mariadb_gtid::MariadbGtid::parse(
                self.header.server_id,
                body,
            )?),
            EventType::MariadbGtidList => EventBody::MariadbGtidList(mariadb_gtid::list(body)?),
            EventType::MariadbBinlogCheckpoint => EventBody::MariadbBinlogCheckpoint,
            EventType::MariadbStartEncryption => EventBody::MariadbStartEncryption,
            packed if compressed::plain_type(packed).is_some() => EventBody::Unhandled(packed),
            other if self.header.flags.is_ignorable() => EventBody::Ignorable(other),
            other => EventBody::Unhandled(other),
        })
    }
}

/// The error for a value at the start of a body that the format does not allow.
pub(crate) fn bad_value(
    event: &'static str,
    offset: usize,
    field: &'static str,
    value: u64,
) -> Malformed {
    Malformed {
        event,
        offset,
        field,
        problem: Problem::Value(value),
    }
}
