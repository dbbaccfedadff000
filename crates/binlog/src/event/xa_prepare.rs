//! XA_prepare: `XA_prepare_event` of MySQL's `control_events.h`.

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;

/// The end of an XA transaction's first phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XaPrepare<'a> {
    /// XA COMMIT … ONE PHASE: the transaction is committed at once.
    pub one_phase: bool,
    /// The XID's format id.
    pub format_id: u32,
    /// The XID's global part, at most 64 bytes.
    pub gtrid: &'a [u8],
    /// The XID's branch qualifier, at most 64 bytes.
    pub bqual: &'a [u8],
}

impl<'a> XaPrepare<'a> {
    pub(crate) fn parse(body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new("XA_prepare event", body, HEADER_LEN);
        let one_phase = cursor.u8("one_phase")? != 0;
        let format_id = cursor.u32("format_id")?;
        let lengths = cursor.clone();
        let mut length = |field| match cursor.u32(field) {
            Ok(n @ 0..=64) => Ok(n as usize),
            Ok(n) => Err(lengths.error(field, Problem::Value(u64::from(n)))),
            Err(error) => Err(error),
        };
        let gtrid_length = length("gtrid_length")?;
        let bqual_length = length("bqual_length")?;
        Ok(Self {
            one_phase,
            format_id,
            gtrid: cursor.bytes(gtrid_length, "gtrid")?,
            bqual: cursor.bytes(bqual_length, "bqual")?,
        })
    }
}
