//! LOAD DATA logged as a statement: `Begin_load_query_event`, `Append_block_event`, `Execute_load_query_event` and `Delete_file_event` of MySQL's `load_data_events.h`.
//!
//! The file's bytes stand in blocks before the statement, under a number by which it names them.

use crate::cursor::Cursor;
use crate::error::{BinlogError, Problem};
use crate::event::header::HEADER_LEN;
use crate::event::query::QueryEvent;

const EXECUTE: &str = "Execute_load_query event";
/// What stands in its post-header behind that of a Query event.
const BEHIND_QUERY: usize = 13;

/// A block of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadBlock<'a> {
    /// The file's number.
    pub file_id: u32,
    /// Its bytes.
    pub data: &'a [u8],
}

impl<'a> LoadBlock<'a> {
    pub(crate) fn parse(event: &'static str, body: &'a [u8]) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new(event, body, HEADER_LEN);
        Ok(Self {
            file_id: cursor.u32("file_id")?,
            data: cursor.rest(),
        })
    }
}

/// What becomes of a row whose key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadDuplicates {
    /// It is an error.
    Error,
    /// The row is left out, as always with LOCAL.
    Ignore,
    /// The row takes the place of the one that is there.
    Replace,
}

/// The statement that reads a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecuteLoad<'a> {
    /// The file's number.
    pub file_id: u32,
    /// What is done about keys that are there.
    pub duplicates: LoadDuplicates,
    /// Where in the statement the part begins, and ends, that names the file and says what is done about keys: from before INFILE, or LOCAL, to behind INTO.
    pub file_part: (usize, usize),
    /// The statement and its session.
    pub query: QueryEvent<'a>,
}

impl<'a> ExecuteLoad<'a> {
    pub(crate) fn parse(body: &'a [u8], post_header: usize) -> Result<Self, BinlogError> {
        let mut cursor = Cursor::new(EXECUTE, body, HEADER_LEN);
        let mut fixed = cursor.sub(post_header as u64, "post_header")?;
        fixed.bytes(post_header.saturating_sub(BEHIND_QUERY), "post_header")?;
        let file_id = fixed.u32("file_id")?;
        let begins_at = fixed.clone();
        let begins = fixed.u32("fn_pos_start")? as usize;
        let ends = fixed.u32("fn_pos_end")? as usize;
        let duplicates_at = fixed.clone();
        let duplicates = match fixed.u8("dup_handling")? {
            0 => LoadDuplicates::Error,
            1 => LoadDuplicates::Ignore,
            2 => LoadDuplicates::Replace,
            other => {
                return Err(duplicates_at
                    .error("dup_handling", Problem::Value(u64::from(other)))
                    .into());
            }
        };
        let query = QueryEvent::parse(body, post_header)?;
        if begins > ends || ends > query.sql.len() {
            return Err(begins_at
                .error("fn_pos_start", Problem::Value(begins as u64))
                .into());
        }
        Ok(Self {
            file_id,
            duplicates,
            file_part: (begins, ends),
            query,
        })
    }
}

/// The number of a file that is not read after all.
pub(crate) fn deleted(body: &[u8]) -> Result<u32, BinlogError> {
    Ok(Cursor::new("Delete_file event", body, HEADER_LEN).u32("file_id")?)
}
