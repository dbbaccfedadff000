//! MariaDB's Gtid and Gtid_list: `Gtid_log_event` and `Gtid_list_log_event` of its `log_event.h`.
//!
//! A Gtid event stands for BEGIN, or for XA START, unless it is *standalone*: then one statement follows, and that is all.

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;
use crate::gtid::domain::{DomainGtid, DomainPosition};

/// The start of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MariadbGtid<'a> {
    /// The transaction's GTID.
    pub gtid: DomainGtid,
    /// FL_STANDALONE: a single statement follows, without an end of its own.
    pub is_standalone: bool,
    /// FL_DDL: the transaction changes definitions.
    pub is_ddl: bool,
    /// The branch of an XA transaction, and what becomes of it.
    pub xa: Option<MariadbXa<'a>>,
    /// The phase of an ALTER that was logged in two (`binlog_alter_two_phase`).
    pub alter: Option<AlterPhase>,
}

/// The XA branch of a Gtid event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MariadbXa<'a> {
    /// FL_PREPARED_XA: the event stands for XA START. Otherwise (FL_COMPLETED_XA) XA COMMIT or XA ROLLBACK follows.
    pub is_prepared: bool,
    /// The XID's format id.
    pub format_id: u32,
    /// The XID's global part, at most 64 bytes.
    pub gtrid: &'a [u8],
    /// The XID's branch qualifier, at most 64 bytes.
    pub bqual: &'a [u8],
}

/// A phase of a two-phase ALTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlterPhase {
    /// It has begun; whether it succeeds is not yet known.
    Start,
    /// The one that began under this number has succeeded.
    Commit(u64),
    /// The one that began under this number has failed.
    Rollback(u64),
}

const STANDALONE: u8 = 1;
const GROUP_COMMIT_ID: u8 = 2;
const DDL: u8 = 32;
const PREPARED_XA: u8 = 64;
const COMPLETED_XA: u8 = 128;

const EXTRA_MULTI_ENGINE: u8 = 1;
const EXTRA_START_ALTER: u8 = 2;
const EXTRA_COMMIT_ALTER: u8 = 4;
const EXTRA_ROLLBACK_ALTER: u8 = 8;

impl<'a> MariadbGtid<'a> {
    /// Parses the body; the server's id stands in the common header.
    pub(crate) fn parse(server: u32, body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("Gtid event", body, HEADER_LEN);
        let sequence = cursor.u64("seq_no")?;
        let domain = cursor.u32("domain_id")?;
        let flags = cursor.u8("flags2")?;
        let mut event = Self {
            gtid: DomainGtid {
                domain,
                server,
                sequence,
            },
            is_standalone: flags & STANDALONE != 0,
            is_ddl: flags & DDL != 0,
            xa: None,
            alter: None,
        };
        if flags & GROUP_COMMIT_ID != 0 {
            cursor.u64("commit_id")?;
        }
        if flags & (PREPARED_XA | COMPLETED_XA) != 0 {
            event.xa = Some(xid(&mut cursor, flags & PREPARED_XA != 0)?);
        }
        // Short events are filled up with zeros, which are no flags.
        if cursor.is_at_end() {
            return Ok(event);
        }
        let extra = cursor.u8("flags_extra")?;
        if extra & EXTRA_MULTI_ENGINE != 0 {
            cursor.u8("extra_engines")?;
        }
        event.alter = if extra & EXTRA_START_ALTER != 0 {
            Some(AlterPhase::Start)
        } else if extra & EXTRA_COMMIT_ALTER != 0 {
            Some(AlterPhase::Commit(cursor.u64("sa_seq_no")?))
        } else if extra & EXTRA_ROLLBACK_ALTER != 0 {
            Some(AlterPhase::Rollback(cursor.u64("sa_seq_no")?))
        } else {
            None
        };
        Ok(event)
    }
}

fn xid<'a>(cursor: &mut Cursor<'a>, is_prepared: bool) -> Result<MariadbXa<'a>, BinlogError> {
    let format_id = cursor.u32("format_id")?;
    let lengths = cursor.clone();
    let mut length = |field| match cursor.u8(field) {
        Ok(n @ 0..=64) => Ok(usize::from(n)),
        Ok(n) => Err(lengths.error(field, Problem::Value(u64::from(n)))),
        Err(error) => Err(error),
    };
    let gtrid = length("gtrid_length")?;
    let bqual = length("bqual_length")?;
    Ok(MariadbXa {
        is_prepared,
        format_id,
        gtrid: cursor.bytes(gtrid, "gtrid")?,
        bqual: cursor.bytes(bqual, "bqual")?,
    })
}

/// Gtid_list: where the file begins. It names the newest transaction of each server in each domain, that of the domain itself last.
pub(crate) fn list(body: &[u8]) -> Result<DomainPosition, BinlogError> {
    let mut cursor = Cursor::new("Gtid_list event", body, HEADER_LEN);
    // The upper four bits are flags.
    let count = cursor.u32("count")? & 0x0fff_ffff;
    let mut position = DomainPosition::new();
    for _ in 0..count {
        let domain = cursor.u32("domain_id")?;
        let server = cursor.u32("server_id")?;
        let sequence = cursor.u64("seq_no")?;
        position.reach(DomainGtid {
            domain,
            server,
            sequence,
        });
    }
    Ok(position)
}
